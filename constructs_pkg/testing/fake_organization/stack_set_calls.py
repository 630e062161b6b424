"""StackSets of a fake organization, as the account that administers them sees them."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: N803

from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer
from constructs_pkg.testing.fake_organization.stack_records import FakeOperation, FakeStackInstance, FakeStackSet
from constructs_pkg.testing.fake_organization.stack_state import drifts_of

__all__ = ["STACK_SET_DETECTION_SECONDS", "StackSetCalls"]

STACK_SET_DETECTION_SECONDS = 90.0
"""How long the drift detection of a whole StackSet takes; our assumption, no measurement of AWS."""


class StackSetCalls(Service):
    """Reads StackSets and detects their drift."""

    def describe_stack_set(self, *, StackSetName: str, CallAs: str = "SELF") -> dict[str, Any]:
        """Describe a StackSet."""
        found = self._stack_set(StackSetName, CallAs)
        parameters = [{"ParameterKey": one, "ParameterValue": value} for one, value in sorted(found.parameters.items())]
        described = {
            "StackSetName": found.name,
            "StackSetId": f"{found.name}:00000000-0000-4000-8000-000000000000",
            "Status": found.status,
            "TemplateBody": found.template,
            "Parameters": parameters,
        }
        return {"StackSet": described}

    def list_stack_instances(
        self,
        *,
        StackSetName: str,
        CallAs: str = "SELF",
        StackInstanceAccount: str | None = None,
        StackInstanceRegion: str | None = None,
        MaxResults: int = 100,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """List instances."""
        found = self._stack_set(StackSetName, CallAs)
        self._operations(found)
        items = [
            _summary(one)
            for one in found.instances.values()
            if StackInstanceAccount in {None, one.account} and StackInstanceRegion in {None, one.region}
        ]
        return self._summaries("ListStackInstances", items, NextToken, MaxResults)

    def describe_stack_instance(
        self, *, StackSetName: str, StackInstanceAccount: str, StackInstanceRegion: str, CallAs: str = "SELF"
    ) -> dict[str, Any]:
        """Describe an instance, with its own values of parameters."""
        found = self._instance(StackSetName, StackInstanceAccount, StackInstanceRegion, CallAs)
        overrides = [{"ParameterKey": one, "ParameterValue": value} for one, value in found.overrides.items()]
        return {"StackInstance": {**_summary(found), "ParameterOverrides": overrides}}

    def detect_stack_set_drift(
        self,
        *,
        StackSetName: str,
        OperationId: str,
        CallAs: str = "SELF",
        OperationPreferences: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Start comparing all stacks of a StackSet with their templates; one operation at a time."""
        found = self._stack_set(StackSetName, CallAs)
        if any(one.status == "RUNNING" for one in self._operations(found)):
            message = f"Another Operation on StackSet {found.name} is in progress: {OperationPreferences}"
            raise ServiceAnswer("OperationInProgressException", message, 409)
        ready_at = self.organization.clock.monotonic() + STACK_SET_DETECTION_SECONDS
        found.operations.insert(0, FakeOperation(OperationId, "DETECT_DRIFT", ready_at))
        return {"OperationId": OperationId}

    def list_stack_set_operations(
        self, *, StackSetName: str, CallAs: str = "SELF", MaxResults: int = 100, NextToken: str | None = None
    ) -> dict[str, Any]:
        """List the operations, the newest first."""
        items = [
            {"OperationId": one.operation_id, "Action": one.action, "Status": one.status}
            for one in self._operations(self._stack_set(StackSetName, CallAs))
        ]
        return self._summaries("ListStackSetOperations", items, NextToken, MaxResults)

    def describe_stack_set_operation(
        self, *, StackSetName: str, OperationId: str, CallAs: str = "SELF"
    ) -> dict[str, Any]:
        """Describe an operation."""
        for one in self._operations(self._stack_set(StackSetName, CallAs)):
            if one.operation_id == OperationId:
                return {"StackSetOperation": {"OperationId": OperationId, "Action": one.action, "Status": one.status}}
        raise ServiceAnswer("OperationNotFoundException", f"Operation {OperationId} not found", 404)

    def list_stack_instance_resource_drifts(
        self,
        *,
        StackSetName: str,
        StackInstanceAccount: str,
        StackInstanceRegion: str,
        OperationId: str,
        CallAs: str = "SELF",
        MaxResults: int = 100,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """List what an operation found in one stack."""
        instance = self._instance(StackSetName, StackInstanceAccount, StackInstanceRegion, CallAs)
        operations = self._operations(self._stack_set(StackSetName, CallAs))
        operation = next((one for one in operations if one.operation_id == OperationId), None)
        if operation is None:
            raise ServiceAnswer("OperationNotFoundException", f"Operation {OperationId} not found", 404)
        shared = {"StackId": instance.stack_id, "Timestamp": self.organization.clock.now()}
        items = [{**one, **shared} for one in operation.drifts.get((instance.account, instance.region), ())]
        return self._summaries("ListStackInstanceResourceDrifts", items, NextToken, MaxResults)

    def _stack_set(self, name: str, call_as: str) -> FakeStackSet:
        found = self.organization.stack_sets.get(name)
        if found is None or found.status == "DELETED":
            raise ServiceAnswer("StackSetNotFoundException", f"StackSet {name} not found as {call_as}", 404)
        return found

    def _instance(self, name: str, account: str, region: str, call_as: str) -> FakeStackInstance:
        found = self._stack_set(name, call_as).instances.get((account, region))
        if found is None:
            raise ServiceAnswer("StackInstanceNotFoundException", f"no instance in {account} {region}", 404)
        return found

    def _operations(self, stack_set: FakeStackSet) -> list[FakeOperation]:
        """Let operations end whose time has come; a drift detection then says what it found."""
        for operation in stack_set.operations:
            if operation.status != "RUNNING" or operation.ready_at > self.organization.clock.monotonic():
                continue
            operation.status = "SUCCEEDED"
            if operation.action == "DETECT_DRIFT":
                for instance in stack_set.instances.values():
                    self._detect(operation, instance)
        return stack_set.operations

    def _detect(self, operation: FakeOperation, instance: FakeStackInstance) -> None:
        place = self.organization.place(instance.account, instance.region)
        stack = place.stacks.get(instance.stack_id)
        is_off = instance.account in self.organization.faults.closed_accounts
        if stack is None or is_off or instance.status != "SUCCEEDED":
            instance.drift_status = "UNKNOWN"
            return
        drifts = drifts_of(place, stack)
        operation.drifts[instance.account, instance.region] = drifts
        is_drifted = any(one["StackResourceDriftStatus"] != "IN_SYNC" for one in drifts)
        instance.drift_status = "DRIFTED" if is_drifted else "IN_SYNC"

    def _summaries(self, operation: str, items: list[Any], token: str | None, size: int) -> dict[str, Any]:
        name = f"cloudformation:{operation}"
        return self.page(name, items, size, token, key="Summaries", token_key="NextToken")  # noqa: S106


def _summary(instance: FakeStackInstance) -> dict[str, Any]:
    return {
        "Account": instance.account,
        "Region": instance.region,
        "StackId": instance.stack_id,
        "Status": {"INOPERABLE": "INOPERABLE", "FAILED": "OUTDATED"}.get(instance.status, "CURRENT"),
        "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.status},
        "DriftStatus": instance.drift_status,
    }
