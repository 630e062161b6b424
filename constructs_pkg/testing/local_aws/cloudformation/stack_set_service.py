"""The StackSets API: each operation takes a request that is read already, and returns the members of its answer."""

from collections.abc import Callable
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.deployment_events import DeploymentEvents
from constructs_pkg.testing.local_aws.cloudformation.deployment_targets import Target, all_units_of, targets_of
from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.stack_instance_work import StackInstanceWork, new_instance
from constructs_pkg.testing.local_aws.cloudformation.stack_set_operations import (
    StackSetOperations,
    check_preferences,
    timestamp,
)
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import Operation, StackSet, instance_key
from constructs_pkg.testing.local_aws.cloudformation.stack_set_store import (
    StackSetStore,
    check_template,
    parameter_values,
)
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["StackSetService", "operation_of"]

_Action = Callable[[dict[str, Any]], dict[str, Any]]
_MAX_INSTANCES = 100_000


class StackSetService:
    """Creates, updates and deletes StackSets and their instances, and detects their drift.

    Args:
        overlay: The server.
        directory: The organization.
    """

    def __init__(self, overlay: Overlay, directory: Directory) -> None:
        self._overlay = overlay
        self._directory = directory
        self.store = StackSetStore(overlay, directory)
        self.events = DeploymentEvents(overlay)
        self.operations = StackSetOperations(overlay, self.events)
        self.work = StackInstanceWork(overlay)

    @property
    def actions(self) -> dict[str, _Action]:
        """Return the operations by name."""
        return {
            "CreateStackSet": self.create_stack_set,
            "UpdateStackSet": self.update_stack_set,
            "DeleteStackSet": self.delete_stack_set,
            "CreateStackInstances": self.create_stack_instances,
            "UpdateStackInstances": self.update_stack_instances,
            "DeleteStackInstances": self.delete_stack_instances,
            "DetectStackSetDrift": self.detect_stack_set_drift,
            "StopStackSetOperation": self.stop_stack_set_operation,
        }

    def create_stack_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make a StackSet without instances."""
        if "TemplateBody" not in request:
            raise ServiceError("ValidationError", "TemplateBody or TemplateURL must be specified")
        stack_set, is_new = self.store.create(request)
        if is_new:
            self.events.stack_set_changed(stack_set)
        return {"StackSetId": stack_set["id"]}

    def update_stack_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change a StackSet and update its instances, or those that the request names; the others become outdated."""
        stack_set = self.store.find(request)
        self._check_update(stack_set, request)
        is_partial = "Regions" in request
        keys = self._existing(stack_set, request) if is_partial else list(stack_set["instances"])
        self.operations.refuse_conflicts(stack_set, "UPDATE", list(stack_set["instances"]), request.get("OperationId"))
        body = stack_set["template_body"] if request.get("UsePreviousTemplate") else request["TemplateBody"]
        capabilities = request.get("Capabilities", [])
        check_template(body, stack_set["permission_model"], capabilities)
        parameters = parameter_values(request.get("Parameters", []), stack_set["parameters"])
        self.store.check_auto_deployment(stack_set, request)
        is_changed = (body, parameters) != (stack_set["template_body"], stack_set["parameters"])
        stack_set["template_body"], stack_set["parameters"] = body, parameters
        stack_set["capabilities"] = capabilities
        stack_set["description"] = request.get("Description", stack_set["description"])
        stack_set["tags"] = request.get("Tags", stack_set["tags"])
        stack_set["administration_role_arn"] = request.get(
            "AdministrationRoleARN", stack_set["administration_role_arn"]
        )
        stack_set["execution_role_name"] = request.get("ExecutionRoleName", stack_set["execution_role_name"])
        stack_set["is_managed"] = request.get("ManagedExecution", {}).get("Active", stack_set["is_managed"])
        for key, instance in stack_set["instances"].items():
            if is_changed or key in keys:
                instance["status"] = "OUTDATED"
        operation = self.operations.begin(stack_set, "UPDATE", keys, self.work.deploy, request=request)
        return {"OperationId": operation["id"]}

    @staticmethod
    def _check_update(stack_set: StackSet, request: dict[str, Any]) -> None:
        if request.get("PermissionModel", stack_set["permission_model"]) != stack_set["permission_model"]:
            raise ServiceError("ValidationError", "The permission model of a StackSet cannot be changed")
        check_preferences(request.get("OperationPreferences", {}))
        if bool(request.get("UsePreviousTemplate")) == ("TemplateBody" in request):
            raise ServiceError(
                "ValidationError", "You must specify exactly one of TemplateBody, TemplateURL and UsePreviousTemplate"
            )
        has_targets = "DeploymentTargets" in request or "Accounts" in request
        if "AutoDeployment" in request and (has_targets or "Regions" in request):
            raise ServiceError(
                "ValidationError", "If you specify AutoDeployment, do not specify DeploymentTargets or Regions"
            )
        if has_targets != ("Regions" in request):
            raise ServiceError("ValidationError", "You must specify both accounts or targets and Regions, or neither")
        open_ones = [known for known in stack_set["operations"].values() if known["ended"] is None]
        wants_managed = request.get("ManagedExecution", {}).get("Active", stack_set["is_managed"])
        if open_ones and wants_managed != stack_set["is_managed"]:
            raise ServiceError(
                "InvalidOperationException", "ManagedExecution cannot be changed while operations run or are queued"
            )

    def delete_stack_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete a StackSet that has no instances."""
        stack_set = self.store.find(request)
        if stack_set["instances"]:
            raise ServiceError("StackSetNotEmptyException", "StackSet is not empty", status_code=409)
        if any(known["ended"] is None for known in stack_set["operations"].values()):
            raise ServiceError(
                "OperationInProgressException", f"an operation on {stack_set['arn']} is in progress", status_code=409
            )
        stack_set["status"] = "DELETED"
        self.events.stack_set_changed(stack_set)
        return {}

    def create_stack_instances(self, request: dict[str, Any]) -> dict[str, Any]:
        """Make instances, also again those that are there already: their stacks are updated."""
        stack_set = self.store.find(request)
        targets = targets_of(self._directory, stack_set, request)
        overrides = self._overrides(stack_set, request, {})
        operation = self.create_instances(stack_set, targets, request, overrides)
        stack_set["units"] = list(dict.fromkeys([*stack_set["units"], *all_units_of(request)]))
        stack_set["regions"] = list(dict.fromkeys([*stack_set["regions"], *request["Regions"]]))
        return {"OperationId": operation["id"]}

    def create_instances(
        self, stack_set: StackSet, targets: list[Target], request: dict[str, Any], overrides: dict[str, str]
    ) -> Operation:
        """Begin to make the instances of accounts in the request's Regions.

        Raises:
            ServiceError: Another operation is in the way, or a quota is reached; nothing is made then.
        """
        wanted = [(account, unit, region) for region in request["Regions"] for account, unit in targets]
        keys = [instance_key(account, region) for account, _, region in wanted]
        if len({*stack_set["instances"], *keys}) > _MAX_INSTANCES:
            raise ServiceError("LimitExceededException", f"a StackSet has at most {_MAX_INSTANCES} instances")
        self.operations.refuse_conflicts(stack_set, "CREATE", keys, request.get("OperationId"))
        added = [key for key in keys if key not in stack_set["instances"]]
        for account, unit, region in wanted:
            key = instance_key(account, region)
            instance = stack_set["instances"].setdefault(key, new_instance(stack_set, account, region, unit))
            instance["unit"] = unit
            if "ParameterOverrides" in request:
                instance["overrides"] = dict(overrides)
        try:
            return self.operations.begin(stack_set, "CREATE", keys, self.work.deploy, request=request)
        except ServiceError:
            for key in added:
                del stack_set["instances"][key]
            raise

    def update_stack_instances(self, request: dict[str, Any]) -> dict[str, Any]:
        """Update instances with other parameter overrides, or with the set's present template."""
        stack_set = self.store.find(request)
        keys = self._existing(stack_set, request)
        self.operations.refuse_conflicts(stack_set, "UPDATE", keys, request.get("OperationId"))
        chosen = {key: stack_set["instances"][key]["overrides"] for key in keys}
        if "ParameterOverrides" in request:
            chosen = {key: self._overrides(stack_set, request, previous) for key, previous in chosen.items()}
        operation = self.operations.begin(stack_set, "UPDATE", keys, self.work.deploy, request=request)
        for key, overrides in chosen.items():
            stack_set["instances"][key]["overrides"] = overrides
        return {"OperationId": operation["id"]}

    def delete_stack_instances(self, request: dict[str, Any]) -> dict[str, Any]:
        """Delete instances and, unless they are retained, their stacks."""
        stack_set = self.store.find(request)
        targets = {account for account, _ in targets_of(self._directory, stack_set, request)}
        keys = [
            key
            for key, instance in stack_set["instances"].items()
            if instance["account"] in targets and instance["region"] in request["Regions"]
        ]
        operation = self.operations.begin(stack_set, "DELETE", keys, self.work.remove, request=request)
        if set(stack_set["regions"]) <= set(request["Regions"]):
            stack_set["units"] = [unit for unit in stack_set["units"] if unit not in all_units_of(request)]
        return {"OperationId": operation["id"]}

    def delete_all_instances(self, stack_set: StackSet) -> dict[str, Any]:
        """Delete all instances with their stacks, as the deletion of the resource type does; nothing where none are."""
        keys = list(stack_set["instances"])
        if not keys:
            return {}
        preferences = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100}
        request: dict[str, Any] = {"OperationPreferences": preferences, "RetainStacks": False}
        operation = self.operations.begin(stack_set, "DELETE", keys, self.work.remove, request=request)
        return {"OperationId": operation["id"]}

    def detect_stack_set_drift(self, request: dict[str, Any]) -> dict[str, Any]:
        """Detect the drift of all instances."""
        stack_set = self.store.find(request)
        if not stack_set["instances"]:
            raise ServiceError("InvalidOperationException", f"StackSet {stack_set['name']} has no stack instances")
        operation = self.operations.begin(
            stack_set,
            "DETECT_DRIFT",
            list(stack_set["instances"]),
            self.work.detect_drift,
            request=request,
            on_end=self._sum_up_drift,
        )
        operation["drift_details"] = {
            "DriftStatus": "NOT_CHECKED",
            "DriftDetectionStatus": "IN_PROGRESS",
            "TotalStackInstancesCount": len(operation["keys"]),
            "InProgressStackInstancesCount": len(operation["keys"]),
        }
        return {"OperationId": operation["id"]}

    def _sum_up_drift(self, stack_set: StackSet, operation: Operation) -> None:
        checked = [stack_set["instances"][key]["drift"] for key in operation["drifts"] if key in stack_set["instances"]]
        failed = len(operation["keys"]) - len(checked)
        drifted = checked.count("DRIFTED")
        status = "FAILED" if failed == len(operation["keys"]) else "PARTIAL_SUCCESS" if failed else "COMPLETED"
        details = {
            "DriftStatus": "DRIFTED" if drifted else "IN_SYNC" if checked else "NOT_CHECKED",
            "DriftDetectionStatus": "STOPPED" if operation["status"] == "STOPPING" else status,
            "LastDriftCheckTimestamp": timestamp(self._overlay),
            "TotalStackInstancesCount": len(operation["keys"]),
            "DriftedStackInstancesCount": drifted,
            "InSyncStackInstancesCount": checked.count("IN_SYNC"),
            "InProgressStackInstancesCount": 0,
            "FailedStackInstancesCount": failed,
        }
        operation["drift_details"] = details
        stack_set["drift_details"] = details

    def stop_stack_set_operation(self, request: dict[str, Any]) -> dict[str, Any]:
        """Stop an operation."""
        stack_set = self.store.find(request)
        self.operations.stop(stack_set, operation_of(stack_set, request))
        return {}

    def _existing(self, stack_set: StackSet, request: dict[str, Any]) -> list[str]:
        """Return the keys of the instances that a request names; a unit's accounts without one are left out."""
        targets = targets_of(self._directory, stack_set, request)
        keys = [instance_key(account, region) for region in request["Regions"] for account, _ in targets]
        missing = [key for key in keys if key not in stack_set["instances"]]
        if missing and (stack_set["permission_model"] == "SELF_MANAGED" or len(missing) == len(keys)):
            raise ServiceError(
                "StackInstanceNotFoundException",
                f"StackSet {stack_set['name']} has no instances in {', '.join(missing[:5])}",
                status_code=404,
            )
        return [key for key in keys if key in stack_set["instances"]]

    @staticmethod
    def _overrides(stack_set: StackSet, request: dict[str, Any], previous: dict[str, str]) -> dict[str, str]:
        overrides = parameter_values(request.get("ParameterOverrides", []), previous)
        template = check_template(stack_set["template_body"], stack_set["permission_model"], stack_set["capabilities"])
        unknown = sorted(set(overrides) - set(template.get("Parameters", {})))
        if unknown:
            raise ServiceError("ValidationError", f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        return overrides


def operation_of(stack_set: StackSet, request: dict[str, Any]) -> Operation:
    """Return the operation that ``OperationId`` names.

    Raises:
        ServiceError: There is none.
    """
    operation = stack_set["operations"].get(request["OperationId"])
    if operation is None:
        raise ServiceError(
            "OperationNotFoundException", f"Operation {request['OperationId']} not found", status_code=404
        )
    return operation
