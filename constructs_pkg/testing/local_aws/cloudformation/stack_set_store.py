"""Where StackSets are kept and how a request finds its own: by name or id, for its caller, under its ``CallAs``."""

import re
from typing import Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.ministack_stacks import missing_capabilities, parse_template
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import StackSet
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["StackSetStore", "check_template", "parameter_values"]

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_MAX_STACK_SETS = 1000
_MAX_DEPENDENCIES = 10
_NESTED = "AWS::CloudFormation::Stack"


class StackSetStore:
    """The StackSets of everybody, kept with the state; service-managed ones belong to the management account.

    Args:
        overlay: Stores them.
        directory: Says who may operate service-managed sets.
    """

    def __init__(self, overlay: Overlay, directory: Directory) -> None:
        self._sets: dict[str, StackSet] = overlay.global_store("cloudformation-stack-sets")
        self._directory = directory

    def owner(self, request: dict[str, Any]) -> str:
        """Return the account whose StackSets a request is about.

        Raises:
            ServiceError: The caller calls as a delegated administrator and is none.
        """
        caller = get_account_id()
        if request.get("CallAs", "SELF") == "SELF":
            return caller
        if not self._directory.administers(caller, is_delegated=True):
            raise ServiceError(
                "ValidationError",
                f"Account used is not a delegated administrator: {caller}; the organization's is "
                f"{self._directory.organization.security_account}",
            )
        return self._directory.organization.management_account

    def all(self) -> list[StackSet]:
        """Return all StackSets of all accounts, deleted ones too, the oldest first."""
        return list(self._sets.values())

    def of_caller(self, request: dict[str, Any]) -> list[StackSet]:
        """Return the StackSets that a caller sees in the present Region, deleted ones too."""
        owner, region = self.owner(request), get_region()
        found = [known for known in self._sets.values() if (known["account"], known["region"]) == (owner, region)]
        if request.get("CallAs") == "DELEGATED_ADMIN":
            return [known for known in found if known["permission_model"] == "SERVICE_MANAGED"]
        return found

    def find(self, request: dict[str, Any]) -> StackSet:
        """Return the active StackSet that ``StackSetName`` names: by name, id or ARN.

        Raises:
            ServiceError: There is none.
        """
        wanted = request["StackSetName"]
        for known in self.of_caller(request):
            if known["status"] == "ACTIVE" and wanted in {known["name"], known["id"], known["arn"]}:
                return known
        raise ServiceError("StackSetNotFoundException", f"StackSet {wanted} not found", status_code=404)

    def create(self, request: dict[str, Any]) -> tuple[StackSet, bool]:
        """Store a new StackSet; return it and whether it is new: a repeated request token finds the first.

        Raises:
            ServiceError: A quota, a name that is taken, or what `check_template` refuses.
        """
        name = request["StackSetName"]
        if not _NAME.fullmatch(name):
            raise ServiceError(
                "ValidationError",
                f"Value '{name[:140]}' at 'stackSetName' failed to satisfy constraint: Member must satisfy regular "
                "expression pattern: [a-zA-Z][-a-zA-Z0-9]* and have at most 128 characters",
            )
        active = [known for known in self.of_caller(request) if known["status"] == "ACTIVE"]
        for known in active:
            if known["name"] == name:
                if known["token"] is not None and known["token"] == request.get("ClientRequestToken"):
                    return known, False
                raise ServiceError("NameAlreadyExistsException", f"StackSet {name} already exists", status_code=409)
        if len(active) >= _MAX_STACK_SETS:
            raise ServiceError("LimitExceededException", f"there are {_MAX_STACK_SETS} StackSets already")
        stack_set = self._record(request, name)
        self.check_auto_deployment(stack_set, request)
        check_template(stack_set["template_body"], stack_set["permission_model"], stack_set["capabilities"])
        self._sets[stack_set["id"]] = stack_set
        return stack_set, True

    def _record(self, request: dict[str, Any], name: str) -> StackSet:
        model = request.get("PermissionModel", "SELF_MANAGED")
        is_delegated = request.get("CallAs") == "DELEGATED_ADMIN"
        if model == "SERVICE_MANAGED" and not self._directory.administers(get_account_id(), is_delegated=is_delegated):
            raise ServiceError(
                "ValidationError",
                "You must be the management account or delegated admin account of an organization before operating a "
                "SERVICE_MANAGED stack set",
            )
        if model == "SELF_MANAGED" and is_delegated:
            raise ServiceError("ValidationError", "CallAs DELEGATED_ADMIN is for SERVICE_MANAGED StackSets only")
        if request.get("StackId") is not None:
            raise ServiceError("ValidationError", "Importing a stack (StackId) is not implemented here")
        owner, region, identifier = self.owner(request), get_region(), f"{name}:{uuid4()}"
        return {
            "name": name,
            "id": identifier,
            "arn": f"arn:aws:cloudformation:{region}:{owner}:stackset/{identifier}",
            "account": owner,
            "region": region,
            "status": "ACTIVE",
            "description": request.get("Description", ""),
            "template_body": request["TemplateBody"],
            "parameters": parameter_values(request.get("Parameters", []), {}),
            "capabilities": request.get("Capabilities", []),
            "tags": request.get("Tags", []),
            "permission_model": model,
            "administration_role_arn": request.get("AdministrationRoleARN"),
            "execution_role_name": request.get("ExecutionRoleName"),
            "auto_deployment": None,
            "is_managed": bool(request.get("ManagedExecution", {}).get("Active", False)),
            "units": [],
            "regions": [],
            "token": request.get("ClientRequestToken"),
            "instances": {},
            "operations": {},
            "drift_details": None,
        }

    def check_auto_deployment(self, stack_set: StackSet, request: dict[str, Any]) -> None:
        """Store the automatic deployment that a request asks for.

        Raises:
            ServiceError: The set is self-managed, ``DependsOn`` is too long or names no StackSet or goes round in a
                circle.
        """
        wanted: dict[str, Any] | None = request.get("AutoDeployment")
        if wanted is None:
            if stack_set["permission_model"] == "SERVICE_MANAGED" and stack_set["auto_deployment"] is None:
                stack_set["auto_deployment"] = {"Enabled": False}
            return
        if stack_set["permission_model"] != "SERVICE_MANAGED":
            raise ServiceError("ValidationError", "AutoDeployment is for SERVICE_MANAGED StackSets only")
        if not wanted.get("Enabled") and wanted.get("DependsOn"):
            raise ServiceError("ValidationError", "DependsOn needs AutoDeployment to be enabled")
        dependencies: list[str] = wanted.get("DependsOn", [])
        if len(dependencies) > _MAX_DEPENDENCIES:
            raise ServiceError("LimitExceededException", f"DependsOn has at most {_MAX_DEPENDENCIES} StackSets")
        self._refuse_circle(stack_set["arn"], dependencies)
        stack_set["auto_deployment"] = {"RetainStacksOnAccountRemoval": False, **wanted}

    def _refuse_circle(self, arn: str, dependencies: list[str]) -> None:
        known = {stack_set["arn"]: stack_set for stack_set in self._sets.values() if stack_set["status"] == "ACTIVE"}
        waiting, seen = list(dependencies), set[str]()
        while waiting:
            dependency = waiting.pop()
            if dependency == arn:
                raise ServiceError("ValidationError", f"DependsOn of {arn} leads back to itself")
            if dependency not in known:
                raise ServiceError("ValidationError", f"DependsOn names {dependency}, which is no active StackSet")
            if dependency not in seen:
                seen.add(dependency)
                waiting += (known[dependency]["auto_deployment"] or {}).get("DependsOn", [])


def check_template(body: str, permission_model: str, capabilities: list[str]) -> dict[str, Any]:
    """Return a StackSet's template as a mapping; what CloudFormation checks when a stack is made comes later.

    Raises:
        ServiceError: It is no template, needs capabilities that were not given, or is service-managed and
            has a transform or a nested stack.
    """
    template = parse_template(body)
    missing = missing_capabilities(template, capabilities)
    if missing:
        raise ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")
    if permission_model == "SERVICE_MANAGED":
        resources: dict[str, Any] = template["Resources"]
        nested = sorted(name for name, resource in resources.items() if resource.get("Type") == _NESTED)
        if nested:
            raise ServiceError(
                "ValidationError",
                f"Nested stacks are not supported with SERVICE_MANAGED permission model: {', '.join(nested)}",
            )
        if template.get("Transform") or "Fn::Transform" in body:
            raise ServiceError(
                "ValidationError", "Transforms (macros) are not supported with SERVICE_MANAGED permission model"
            )
    return template


def parameter_values(given: list[dict[str, Any]], previous: dict[str, str]) -> dict[str, str]:
    """Return parameters by key; one with ``UsePreviousValue`` keeps its value from before.

    Raises:
        ServiceError: A key is missing or twice there, or has both a value and ``UsePreviousValue``, or neither.
    """
    values: dict[str, str] = {}
    for parameter in given:
        key = parameter.get("ParameterKey")
        keeps = parameter.get("UsePreviousValue", False)
        if key is None or key in values or keeps == ("ParameterValue" in parameter):
            raise ServiceError(
                "ValidationError",
                f"Parameter {key!r} must be given once, with either ParameterValue or UsePreviousValue",
            )
        if not keeps:
            values[key] = parameter["ParameterValue"]
        elif key in previous:
            values[key] = previous[key]
    return values
