"""What the resources of a fake stack are and should be: reading, comparing, making and reverting them."""

# types are known to boto3 at run time only.
# ruff: noqa: ANN401

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from constructs_pkg.testing.fake_organization.records import ConfigRecord, Place
from constructs_pkg.testing.fake_organization.stack_records import FakeResource, FakeStack, FakeStackInstance

if TYPE_CHECKING:
    from constructs_pkg.testing.fake_organization.organization import FakeOrganization

__all__ = ["apply_template", "changes_of", "deploy_stack_set", "drifts_of"]

_CONFIG = "AWS::Lambda::CodeSigningConfig"
_PARAMETER = "AWS::SSM::Parameter"
_CREATE_ONLY = {"AWS::IAM::ManagedPolicy": {"ManagedPolicyName", "Path"}, _PARAMETER: {"Name"}}


def deploy_stack_set(
    organization: "FakeOrganization", name: str, targets: Mapping[str, list[str]], overrides: Mapping[str, str] = {}
) -> None:
    """Make the stacks of a StackSet of the organization.

    Args:
        organization: The organization, which has the StackSet.
        name: The StackSet.
        targets: Account to Regions.
        overrides: Values of parameters for these instances only.
    """
    stack_set = organization.stack_sets[name]
    for account, regions in targets.items():
        for region in regions:
            serial = organization.serial()
            stack_name = f"StackSet-{name}-{serial:08x}-0000-4000-8000-000000000000"
            prefix = f"arn:{organization.partition}:cloudformation:{region}:{account}:stack"
            stack = FakeStack(f"{prefix}/{stack_name}/{serial:032x}", stack_name, stack_set.template, {})
            stack.parameters = {**stack_set.parameters, **overrides}
            place = organization.place(account, region)
            place.stacks[stack.stack_id] = stack
            apply_template(organization, place, stack)
            instance = FakeStackInstance(account, region, stack.stack_id, overrides=dict(overrides))
            stack_set.instances[account, region] = instance


def apply_template(organization: "FakeOrganization", place: Place, stack: FakeStack) -> None:
    """Make every resource of a stack what its template says; what is gone is made anew, under another id."""
    declared: dict[str, Any] = stack.document["Resources"]
    for logical_id in [one for one in stack.resources if one not in declared]:
        _delete(place, stack.resources.pop(logical_id))
    for logical_id, resource in declared.items():
        known = stack.resources.get(logical_id)
        if known is None or _actual(place, known) is None:
            physical_id = _new_id(organization, place, logical_id, resource)
            stack.resources[logical_id] = FakeResource(resource["Type"], physical_id)
    for logical_id, resource in declared.items():
        _set(place, stack.resources[logical_id], _resolved(resource.get("Properties", {}), stack))


def drifts_of(place: Place, stack: FakeStack) -> list[dict[str, Any]]:
    """Compare every resource with its template, property by property, as far as the template declares them."""
    return [
        _drift(place, stack, logical_id, resource)
        for logical_id, resource in stack.document["Resources"].items()
        if logical_id in stack.resources
    ]


def changes_of(
    place: Place, stack: FakeStack, template: str, parameters: Mapping[str, str], mode: str | None
) -> list[dict[str, Any]]:
    """Return what a change set would change: against the template of the stack, or (REVERT_DRIFT) what is there."""
    if mode == "REVERT_DRIFT":
        return [_reverted(one) for one in drifts_of(place, stack) if one["StackResourceDriftStatus"] != "IN_SYNC"]
    then = FakeStack(stack.stack_id, stack.name, template, dict(parameters), dict(stack.resources))
    before, after = stack.document["Resources"], then.document["Resources"]
    changes: list[dict[str, Any]] = [
        {"Action": "Remove", "LogicalResourceId": one, "ResourceType": before[one]["Type"], "PolicyAction": "Delete"}
        for one in before
        if one not in after
    ]
    for logical_id, resource in after.items():
        if logical_id not in before:
            changes.append({"Action": "Add", "LogicalResourceId": logical_id, "ResourceType": resource["Type"]})
            continue
        was, will = _resolved(before[logical_id]["Properties"], stack), _resolved(resource["Properties"], then)
        if was != will:
            changes.append(
                _modified(logical_id, resource["Type"], {key for key in {*was, *will} if was.get(key) != will.get(key)})
            )
    return changes


def _drift(place: Place, stack: FakeStack, logical_id: str, resource: Mapping[str, Any]) -> dict[str, Any]:
    record = stack.resources[logical_id]
    expected, actual = _resolved(resource.get("Properties", {}), stack), _actual(place, record)
    differences = [] if actual is None else list(_differences(expected, actual, ""))
    status = "DELETED" if actual is None else "MODIFIED" if differences else "IN_SYNC"
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": record.physical_id,
        "ResourceType": record.resource_type,
        "StackResourceDriftStatus": status,
        "PropertyDifferences": differences,
    }


def _differences(expected: Any, actual: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        known = cast("dict[str, Any]", actual)
        for key, value in cast("dict[str, Any]", expected).items():
            yield from _differences(value, known.get(key), f"{path}/{key}")
    elif expected != actual:
        kind = "REMOVE" if actual is None else "NOT_EQUAL"
        yield {
            "PropertyPath": path,
            "ExpectedValue": expected if isinstance(expected, str) else json.dumps(expected),
            "ActualValue": actual if isinstance(actual, str) else json.dumps(actual),
            "DifferenceType": kind,
        }


def _reverted(drift: Mapping[str, Any]) -> dict[str, Any]:
    names = {one["PropertyPath"].split("/")[1] for one in drift["PropertyDifferences"]}
    if drift["StackResourceDriftStatus"] == "DELETED":
        change = {"Action": "Add", **{key: drift[key] for key in ("LogicalResourceId", "ResourceType")}}
    else:
        change = _modified(drift["LogicalResourceId"], drift["ResourceType"], names)
    return {**change, "ResourceDriftStatus": drift["StackResourceDriftStatus"]}


def _modified(logical_id: str, resource_type: str, names: set[str]) -> dict[str, Any]:
    replaced = bool(names & _CREATE_ONLY.get(resource_type, set()))
    details = [
        {"Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Always" if replaced else "Never"}}
        for name in sorted(names)
    ]
    return {
        "Action": "Modify",
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "Replacement": "True" if replaced else "False",
        "Details": details,
    }


def _resolved(value: Any, stack: FakeStack) -> Any:
    """Fill in references to parameters and resources."""
    if isinstance(value, list):
        return [_resolved(one, stack) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    known = cast("dict[str, Any]", value)
    if set(known) == {"Ref"}:
        name = known["Ref"]
        return stack.parameters[name] if name in stack.parameters else stack.resources[name].physical_id
    if set(known) == {"Fn::GetAtt"}:
        name = known["Fn::GetAtt"][0]
        return stack.resources[name].physical_id if name in stack.resources else "not made yet"
    return {key: _resolved(one, stack) for key, one in known.items()}


def _actual(place: Place, resource: FakeResource) -> dict[str, Any] | None:
    if resource.resource_type == _CONFIG:
        config = place.configs.get(resource.physical_id)
        return None if config is None else _config_properties(config)
    if resource.resource_type == _PARAMETER:
        found = place.parameters.get(resource.physical_id)
        return None if found is None else {"Name": resource.physical_id, "Type": found[0], "Value": found[1]}
    return resource.actual


def _config_properties(config: ConfigRecord) -> dict[str, Any]:
    return {
        "AllowedPublishers": {"SigningProfileVersionArns": list(config.publishers)},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.mode},
    }


def _set(place: Place, resource: FakeResource, properties: dict[str, Any]) -> None:
    if resource.resource_type == _CONFIG:
        publishers = tuple(properties["AllowedPublishers"]["SigningProfileVersionArns"])
        mode = properties["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
        place.configs[resource.physical_id] = ConfigRecord(resource.physical_id, publishers, mode)
    elif resource.resource_type == _PARAMETER:
        place.parameters[resource.physical_id] = properties["Type"], properties["Value"]
    else:
        resource.actual = json.loads(json.dumps(properties))


def _delete(place: Place, resource: FakeResource) -> None:
    place.configs.pop(resource.physical_id, None)
    place.parameters.pop(resource.physical_id, None)


def _new_id(organization: "FakeOrganization", place: Place, logical_id: str, resource: Mapping[str, Any]) -> str:
    if resource["Type"] == _CONFIG:
        serial = organization.serial()
        prefix = f"arn:{organization.partition}:lambda:{place.region}:{place.account}:code-signing-config"
        return f"{prefix}:csc-{serial:017d}"
    return str(resource.get("Properties", {}).get("Name", logical_id))
