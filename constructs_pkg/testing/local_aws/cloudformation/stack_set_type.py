"""AWS::CloudFormation::StackSet: a StackSet and its instances as one resource of a stack."""

import asyncio
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import Operation, StackSet
from constructs_pkg.testing.local_aws.cloudformation.stack_set_service import StackSetService
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["DRIFT_PROPERTIES", "STACK_SET_TYPE", "StackSetType"]

STACK_SET_TYPE = "AWS::CloudFormation::StackSet"

# MiniStack ships no types.
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_STACKS: Any = import_module("ministack.services.cloudformation.stacks")

_DIRECT = frozenset({
    "AdministrationRoleARN", "AutoDeployment", "CallAs", "Capabilities", "Description", "ExecutionRoleName",
    "ManagedExecution", "Parameters", "PermissionModel", "StackSetName", "Tags", "TemplateBody",
})  # fmt: skip
_PROPERTIES = _DIRECT | {"OperationPreferences", "StackInstancesGroup", "TemplateURL"}
DRIFT_PROPERTIES = _DIRECT - {"CallAs"}
"""What drift detection compares: all but the write-only properties (the type's schema)."""
_SECONDS = 900


class StackSetType:
    """The functions of the type; MiniStack runs them on a thread of their own, because they wait for operations.

    Args:
        service: Makes the StackSets.
        with_template: Returns a request with ``TemplateBody`` in the place of ``TemplateURL``.
    """

    def __init__(
        self, overlay: Overlay, service: StackSetService, with_template: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> None:
        self._service = service
        self._with_template = with_template
        self._loop: asyncio.AbstractEventLoop | None = None
        overlay.add_resource_type(STACK_SET_TYPE, self)
        _PROVISIONERS._REPLACING_PROPERTIES[STACK_SET_TYPE] = ("StackSetName", "PermissionModel")  # noqa: SLF001
        _PROVISIONERS._CUSTOM_NAME_REPLACEMENT[STACK_SET_TYPE] = {"name": "StackSetName"}  # noqa: SLF001
        _PROVISIONERS._STACK_TAG_PROPERTY[STACK_SET_TYPE] = ("Tags", "list")  # noqa: SLF001
        blocks = _STACKS._runs_on_worker_thread  # noqa: SLF001

        def blocks_too(resource_type: str) -> bool:
            if resource_type == STACK_SET_TYPE:
                self._loop = asyncio.get_running_loop()
                return True
            return blocks(resource_type)

        _STACKS._runs_on_worker_thread = blocks_too  # noqa: SLF001

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        """Make the StackSet and its instances; a failed operation fails the resource."""
        del logical_id, stack_name
        request = self._request(properties)
        stack_set_id = self._service.create_stack_set(request)["StackSetId"]
        find = {**_who(properties), "StackSetName": stack_set_id}
        try:
            for group in _groups(properties):
                self._run("create_stack_instances", find, group, properties)
        except ServiceError:
            # CloudFormation does not call delete for a resource whose creation failed
            self.delete(stack_set_id, properties)
            raise
        return stack_set_id, {"StackSetId": stack_set_id}

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        """Remove instance groups that are gone, update the set, then make groups that are new or have changed."""
        del stack_name
        find = {**_who(new), "StackSetName": physical_id}
        before, after = _groups(old), _groups(new)
        for group in before:
            gone = {**group, "Regions": [region for region in group["Regions"] if not _covers(after, group, region)]}
            if gone["Regions"]:
                self._run("delete_stack_instances", {**find, "RetainStacks": False}, gone, new)
        changed = {name for name in _DIRECT | {"TemplateURL"} if old.get(name) != new.get(name)}
        if changed:
            request = self._request(new)
            request["StackSetName"] = physical_id
            request |= _preferences(new)
            self._wait(self._start("update_stack_set", request), find)
        for group in after:
            if group not in before:
                self._run("create_stack_instances", find, group, new)
        return physical_id, {"StackSetId": physical_id}

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        """Delete all instances with their stacks, then the set."""
        find = {**_who(properties), "StackSetName": physical_id}
        try:
            stack_set = self._service.store.find(find)
        except ServiceError as error:
            if error.code == "StackSetNotFoundException":
                return
            raise
        self._wait(self._start("delete_all_instances", stack_set), find)
        self._service.delete_stack_set(find)

    def read(self, physical_id: str, expected: dict[str, Any]) -> dict[str, Any] | None:
        """Return what drift detection compares; write-only properties are left out."""
        for known in self._service.store.all():
            if known["id"] == physical_id and known["status"] == "ACTIVE":
                return _actual(known, expected)
        return None

    def _request(self, properties: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(properties) - _PROPERTIES)
        if unknown:
            raise ServiceError("InvalidRequest", f"Properties validation failed: extraneous key [{', '.join(unknown)}]")
        missing = [name for name in ("StackSetName", "PermissionModel") if name not in properties]
        if missing:
            raise ServiceError(
                "InvalidRequest", f"Properties validation failed: required key [{', '.join(missing)}] not found"
            )
        given = {name: properties[name] for name in _DIRECT | {"TemplateURL"} if name in properties}
        if isinstance(given.get("TemplateBody"), dict):
            given["TemplateBody"] = json.dumps(given["TemplateBody"])
        # CloudFormation's own tags stay with the resource, they do not go on to the stacks
        given["Tags"] = [tag for tag in given.get("Tags", []) if not tag["Key"].startswith("aws:")]
        for name in ("ManagedExecution", "AutoDeployment"):
            if name in given:
                given[name] = {key: _truth(value) for key, value in given[name].items()}
        return self._with_template(given)

    def _run(self, action: str, find: dict[str, Any], group: dict[str, Any], properties: dict[str, Any]) -> None:
        given = {name: group[name] for name in ("DeploymentTargets", "Regions") if name in group}
        if "ParameterOverrides" in group and action == "create_stack_instances":
            given["ParameterOverrides"] = group["ParameterOverrides"]
        self._wait(self._start(action, {**find, **given, **_preferences(properties)}), find)

    def _start(self, action: str, argument: Mapping[str, Any]) -> str | None:
        """Call an operation in the event loop, in the account and Region of the stack; return its id."""

        async def call() -> str | None:
            return getattr(self._service, action)(argument).get("OperationId")

        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_SECONDS)

    def _wait(self, operation_id: str | None, find: dict[str, Any]) -> None:
        if operation_id is None:
            return
        operation: Operation = self._service.store.find(find)["operations"][operation_id]
        assert self._loop is not None
        ended = self._service.operations.ended(operation)
        asyncio.run_coroutine_threadsafe(ended, self._loop).result(_SECONDS)
        if operation["status"] != "SUCCEEDED":
            reasons = sorted({result["reason"] for result in operation["results"].values() if result["reason"]})
            raise ServiceError(
                "GeneralServiceException",
                f"StackSet operation {operation_id} was {operation['status']}: {'; '.join(reasons)[:2000]}",
            )


def _who(properties: dict[str, Any]) -> dict[str, Any]:
    return {"CallAs": properties.get("CallAs", "SELF")}


def _groups(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", properties.get("StackInstancesGroup") or [])


def _covers(groups: list[dict[str, Any]], group: dict[str, Any], region: str) -> bool:
    same = [known for known in groups if known.get("DeploymentTargets") == group.get("DeploymentTargets")]
    return any(region in known["Regions"] for known in same)


def _preferences(properties: dict[str, Any]) -> dict[str, Any]:
    if "OperationPreferences" not in properties:
        return {}
    numbers = {
        name: int(value) if name.endswith(("Count", "Percentage")) else value
        for name, value in properties["OperationPreferences"].items()
    }
    return {"OperationPreferences": numbers}


def _truth(value: Any) -> Any:  # noqa: ANN401 (templates write booleans as texts too)
    return value.lower() == "true" if isinstance(value, str) and value.lower() in {"true", "false"} else value


def _actual(stack_set: StackSet, expected: dict[str, Any]) -> dict[str, Any]:
    is_text = not isinstance(expected.get("TemplateBody"), dict)
    return {
        "StackSetName": stack_set["name"],
        "PermissionModel": stack_set["permission_model"],
        "Description": stack_set["description"],
        "TemplateBody": stack_set["template_body"] if is_text else json.loads(stack_set["template_body"]),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in stack_set["parameters"].items()
        ],
        "Capabilities": stack_set["capabilities"],
        "AutoDeployment": stack_set["auto_deployment"],
        "ManagedExecution": {"Active": stack_set["is_managed"]},
        "AdministrationRoleARN": stack_set["administration_role_arn"],
        "ExecutionRoleName": stack_set["execution_role_name"],
        "Tags": {tag["Key"]: tag["Value"] for tag in stack_set["tags"]},
    }
