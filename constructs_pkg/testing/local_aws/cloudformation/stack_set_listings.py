"""What the StackSets API shows: sets, instances, operations, their results and drift, in pages and filtered."""

from collections.abc import Callable, Sequence
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import (
    StackInstance,
    StackSet,
    describe_instance,
    describe_operation,
    describe_stack_set,
    instance_key,
    summarize_instance,
    summarize_operation,
    summarize_stack_set,
)
from constructs_pkg.testing.local_aws.cloudformation.stack_set_service import operation_of
from constructs_pkg.testing.local_aws.cloudformation.stack_set_store import StackSetStore
from constructs_pkg.testing.local_aws.pages import page

__all__ = ["StackSetListings"]

_Action = Callable[[dict[str, Any]], dict[str, Any]]
_PAGE = 100
_FILTERED = {"DETAILED_STATUS": "detailed", "LAST_OPERATION_ID": "last_operation", "DRIFT_STATUS": "drift"}


class StackSetListings:
    """Reads StackSets.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: StackSetStore) -> None:
        self._store = store

    @property
    def actions(self) -> dict[str, _Action]:
        """Return the operations by name."""
        return {
            "DescribeStackSet": self.describe_stack_set,
            "ListStackSets": self.list_stack_sets,
            "DescribeStackInstance": self.describe_stack_instance,
            "ListStackInstances": self.list_stack_instances,
            "DescribeStackSetOperation": self.describe_stack_set_operation,
            "ListStackSetOperations": self.list_stack_set_operations,
            "ListStackSetOperationResults": self.list_stack_set_operation_results,
            "ListStackInstanceResourceDrifts": self.list_stack_instance_resource_drifts,
            "ListStackSetAutoDeploymentTargets": self.list_stack_set_auto_deployment_targets,
        }

    def describe_stack_set(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show a StackSet."""
        return {"StackSet": describe_stack_set(self._store.find(request))}

    def list_stack_sets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show all StackSets of a caller."""
        wanted = request.get("Status")
        found = [known for known in self._store.of_caller(request) if wanted in {None, known["status"]}]
        return _page([summarize_stack_set(known) for known in found], request)

    def describe_stack_instance(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show an instance."""
        stack_set = self._store.find(request)
        return {"StackInstance": describe_instance(stack_set, _instance_of(stack_set, request))}

    def list_stack_instances(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show the instances of an account, a Region, or with a status."""
        stack_set = self._store.find(request)
        found = [
            summarize_instance(stack_set, instance)
            for instance in stack_set["instances"].values()
            if request.get("StackInstanceAccount") in {None, instance["account"]}
            and request.get("StackInstanceRegion") in {None, instance["region"]}
            and all(_has(instance, wanted) for wanted in request.get("Filters", []))
        ]
        return _page(found, request)

    def describe_stack_set_operation(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show an operation."""
        stack_set = self._store.find(request)
        return {"StackSetOperation": describe_operation(stack_set, operation_of(stack_set, request))}

    def list_stack_set_operations(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show all operations, the newest first."""
        operations = reversed(self._store.find(request)["operations"].values())
        return _page([summarize_operation(operation) for operation in operations], request)

    def list_stack_set_operation_results(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show what an operation did to each instance."""
        operation = operation_of(self._store.find(request), request)
        wanted = [given["Values"] for given in request.get("Filters", [])]
        found = [
            {
                "Account": result["account"],
                "Region": result["region"],
                "Status": result["status"],
                "StatusReason": result["reason"] or None,
                "AccountGateResult": _gate(result["account"], result["region"]),
                "OrganizationalUnitId": result["unit"],
            }
            for result in operation["results"].values()
            if all(result["status"] == status for status in wanted)
        ]
        return _page(found, request)

    def list_stack_instance_resource_drifts(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show what a drift detection found in an instance."""
        stack_set = self._store.find(request)
        instance = _instance_of(stack_set, request)
        operation = operation_of(stack_set, request)
        wanted = request.get("StackInstanceResourceDriftStatuses")
        key = instance_key(instance["account"], instance["region"])
        drifts = operation["drifts"].get(key, [])
        found = [drift for drift in drifts if wanted is None or drift["StackResourceDriftStatus"] in wanted]
        return _page(found, request)

    def list_stack_set_auto_deployment_targets(self, request: dict[str, Any]) -> dict[str, Any]:
        """Show the units that new accounts of are deployed to."""
        stack_set = self._store.find(request)
        if stack_set["permission_model"] != "SERVICE_MANAGED":
            raise ServiceError("ValidationError", "only SERVICE_MANAGED StackSets have automatic deployment targets")
        targets = [{"OrganizationalUnitId": unit, "Regions": stack_set["regions"]} for unit in stack_set["units"]]
        return _page(targets, request)


def _page(items: Sequence[dict[str, Any]], request: dict[str, Any]) -> dict[str, Any]:
    found, following = page(
        items,
        request,
        _PAGE,
        size_name="MaxResults",
        token_name="NextToken",  # noqa: S106 (a parameter's name)
        invalid_code="ValidationError",
    )
    return {"Summaries": found, "NextToken": following}


def _has(instance: StackInstance, wanted: dict[str, str]) -> bool:
    fields: dict[str, Any] = dict(instance)
    return fields[_FILTERED[wanted["Name"]]] == wanted["Values"]


def _instance_of(stack_set: StackSet, request: dict[str, Any]) -> StackInstance:
    account, region = request["StackInstanceAccount"], request["StackInstanceRegion"]
    instance = stack_set["instances"].get(instance_key(account, region))
    if instance is None:
        raise ServiceError(
            "StackInstanceNotFoundException",
            f"Stack instance not found for StackSet {stack_set['name']}, account {account}, region {region}",
            status_code=404,
        )
    return instance


def _gate(account: str, region: str) -> dict[str, str]:
    function = f"arn:aws:lambda:{region}:{account}:function:AWSCloudFormationStackSetAccountGate"
    return {"Status": "SKIPPED", "StatusReason": f"Function not found: {function}"}
