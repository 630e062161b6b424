"""Stacks, their drift and their change sets: a member account's CloudFormation in a fake organization."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

from typing import Any
from urllib.parse import urlsplit

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer
from constructs_pkg.testing.fake_organization.records import Place
from constructs_pkg.testing.fake_organization.stack_records import FakeChangeSet, FakeDetection, FakeStack
from constructs_pkg.testing.fake_organization.stack_state import apply_template, changes_of, drifts_of

__all__ = ["CHANGE_SET_SECONDS", "DETECTION_SECONDS", "UPDATE_SECONDS", "StackCalls"]

DETECTION_SECONDS = 8.0
CHANGE_SET_SECONDS = 6.0
UPDATE_SECONDS = 25.0
"""How long these take; our assumption, no measurement of AWS."""

MOST_TEMPLATE_BYTES = 51_200
"""In a request (CloudFormation's quotas)."""

_UPDATABLE = {
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
}  # fmt: skip
_NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."


class StackCalls(Service):
    """What the API does with stacks. Drift is compared when a detection is over; REVERT_DRIFT is our model of it."""

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        """Describe one stack."""
        stack = self._stack(StackName)
        parameters = [{"ParameterKey": one, "ParameterValue": value} for one, value in sorted(stack.parameters.items())]
        described: dict[str, Any] = {
            "StackId": stack.stack_id,
            "StackName": stack.name,
            "CreationTime": self.organization.clock.now(),
            "StackStatus": self._status(stack),
            "StackStatusReason": stack.reason,
            "Parameters": parameters,
        }
        if stack.updated_at is not None:
            described["LastUpdatedTime"] = stack.updated_at
        return {"Stacks": [described]}

    def get_template(self, *, StackName: str, TemplateStage: str = "Original") -> dict[str, Any]:
        """Return the template."""
        assert TemplateStage == "Original", "transforms are not modelled"
        return {"TemplateBody": self._stack(StackName).template}

    def list_stack_resources(self, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """List the resources, those that somebody deleted included: CloudFormation does not know."""
        items = [
            {
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": resource.physical_id,
                "ResourceType": resource.resource_type,
                "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": self.organization.clock.now(),
            }
            for logical_id, resource in self._stack(StackName).resources.items()
        ]
        return self._listed("ListStackResources", items, NextToken, "StackResourceSummaries")

    def detect_stack_drift(self, *, StackName: str) -> dict[str, Any]:
        """Start comparing a stack with its template; one detection of a stack at a time."""
        stack = self._stack(StackName)
        latest = stack.detections.get(stack.latest)
        if latest is not None and latest.ready_at > self._now():
            message = f"Drift detection is already in progress for stack [{stack.stack_id}]"
            raise ServiceAnswer("ValidationError", message)
        detection_id = f"{self.organization.serial():08x}-0000-4000-8000-000000000000"
        stack.detections[detection_id] = FakeDetection(self._now() + DETECTION_SECONDS)
        stack.latest = detection_id
        return {"StackDriftDetectionId": detection_id}

    def describe_stack_drift_detection_status(self, *, StackDriftDetectionId: str) -> dict[str, Any]:
        """Tell how far a detection is."""
        for stack in self._place().stacks.values():
            if StackDriftDetectionId in stack.detections:
                drifts = self._detected(stack, StackDriftDetectionId)
                statuses = {one["StackResourceDriftStatus"] for one in drifts or ()}
                return {
                    "StackId": stack.stack_id,
                    "StackDriftDetectionId": StackDriftDetectionId,
                    "StackDriftStatus": "DRIFTED" if statuses & {"MODIFIED", "DELETED"} else "IN_SYNC",
                    "DetectionStatus": "DETECTION_IN_PROGRESS" if drifts is None else "DETECTION_COMPLETE",
                    "Timestamp": self.organization.clock.now(),
                }
        raise ServiceAnswer("ValidationError", f"Drift detection [{StackDriftDetectionId}] does not exist")

    def describe_stack_resource_drifts(
        self, *, StackName: str, MaxResults: int = 100, NextToken: str | None = None
    ) -> dict[str, Any]:
        """List what the last detection that is over found."""
        stack = self._stack(StackName)
        found: list[dict[str, Any]] = []
        for detection_id in stack.detections:
            found = self._detected(stack, detection_id) or found
        shared = {"StackId": stack.stack_id, "Timestamp": self.organization.clock.now()}
        items = [{**one, **shared} for one in found]
        return self._listed("DescribeStackResourceDrifts", items, NextToken, "StackResourceDrifts", MaxResults)

    def create_change_set(
        self,
        *,
        StackName: str,
        ChangeSetName: str,
        TemplateBody: str | None = None,
        TemplateURL: str | None = None,
        UsePreviousTemplate: bool = False,
        Parameters: list[dict[str, Any]] | None = None,
        DeploymentMode: str | None = None,
        **_more: Any,
    ) -> dict[str, Any]:
        """Begin to make a change set."""
        stack = self._stack(StackName)
        if self._status(stack) not in _UPDATABLE:
            message = f"Stack:{stack.stack_id} is in {self._status(stack)} state and can not be updated."
            raise ServiceAnswer("ValidationError", message)
        if ChangeSetName in stack.change_sets:
            message = f"ChangeSet {ChangeSetName} already exists on stack {stack.stack_id}"
            raise ServiceAnswer("AlreadyExistsException", message)
        if len((TemplateBody or "").encode()) > MOST_TEMPLATE_BYTES:
            raise ServiceAnswer("ValidationError", "Member must have length less than or equal to 51200")
        template = TemplateBody if TemplateURL is None else self._document(TemplateURL)
        if [UsePreviousTemplate, TemplateBody is not None, TemplateURL is not None].count(True) != 1:
            raise ServiceAnswer("ValidationError", "Either a template or UsePreviousTemplate must be given")
        given = {one["ParameterKey"]: one.get("ParameterValue") for one in Parameters or ()}
        missing = [one for one in stack.parameters if UsePreviousTemplate and one not in given]
        if missing:
            raise ServiceAnswer("ValidationError", f"Parameters: {missing} must have values")
        parameters = {one: stack.parameters.get(one, "") if value is None else value for one, value in given.items()}
        change_set = FakeChangeSet(
            ChangeSetName,
            f"{stack.stack_id.replace(':stack/', ':changeSet/')}/{self.organization.serial()}",
            DeploymentMode,
            template or stack.template,
            parameters,
            self._now() + self.organization.faults.change_set_lag_seconds,
            self._now() + CHANGE_SET_SECONDS,
        )
        stack.change_sets[ChangeSetName] = change_set
        return {"Id": change_set.change_set_id, "StackId": stack.stack_id}

    def _document(self, url: str) -> str:
        """Return the template at an address of S3 in its path style; whether the caller may read it is not asked."""
        bucket, _, key = urlsplit(url).path.lstrip("/").partition("/")
        found = self.organization.buckets.get(bucket, {}).get(key)
        if found is None:
            raise ServiceAnswer("ValidationError", "S3 error: Access Denied")
        return found[0].decode()

    def list_change_sets(self, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """List the change sets that listings know of."""
        items = [
            {"ChangeSetName": one.name, "ChangeSetId": one.change_set_id, "Status": one.status}
            for one in self._change_sets(self._stack(StackName))
            if one.listed_from <= self._now()
        ]
        return self._listed("ListChangeSets", items, NextToken, "Summaries")

    def describe_change_set(self, *, StackName: str, ChangeSetName: str, **_more: Any) -> dict[str, Any]:
        """Describe a change set, in one page."""
        stack = self._stack(StackName)
        found = self._change_set(stack, ChangeSetName)
        answer = {
            "ChangeSetName": found.name,
            "ChangeSetId": found.change_set_id,
            "StackId": stack.stack_id,
            "Status": found.status,
            "ExecutionStatus": found.execution_status,
            "StatusReason": found.reason,
            "Changes": [{"Type": "Resource", "ResourceChange": one} for one in found.changes or ()],
        }
        return answer if found.mode is None else {**answer, "DeploymentMode": found.mode}

    def execute_change_set(self, *, StackName: str, ChangeSetName: str, ClientRequestToken: str = "") -> dict[str, Any]:
        """Execute a change set, which takes a while; then it is gone, and all others are, too."""
        stack = self._stack(StackName)
        found = self._change_set(stack, ChangeSetName)
        if found.execution_status != "AVAILABLE" or self._status(stack) not in _UPDATABLE:
            message = f"ChangeSet [{found.change_set_id}] cannot be executed ({ClientRequestToken})"
            raise ServiceAnswer("InvalidChangeSetStatus", message)
        stack.executed.append(found.name)
        stack.settles_at, stack.updated_at = self._now() + UPDATE_SECONDS, self.organization.clock.now()
        if (self.account, self.region) in self.organization.faults.failing_updates:
            stack.status, stack.reason = "UPDATE_ROLLBACK_COMPLETE", "a resource could not be updated"
            found.execution_status = "EXECUTE_FAILED"
            return {}
        stack.status, stack.reason = "UPDATE_COMPLETE", ""
        stack.template, stack.parameters = found.template, dict(found.parameters)
        found.execution_status = "EXECUTE_COMPLETE"
        if not self.organization.faults.keeps_executed_change_sets:
            stack.change_sets.clear()
        apply_template(self.organization, self._place(), stack)
        return {}

    def delete_change_set(self, *, StackName: str, ChangeSetName: str) -> dict[str, Any]:
        """Delete a change set; one that is gone is no error."""
        self._stack(StackName).change_sets.pop(ChangeSetName, None)
        return {}

    def _place(self) -> Place:
        return self.organization.place(self.account, self.region)

    def _now(self) -> float:
        return self.organization.clock.monotonic()

    def _stack(self, name: str) -> FakeStack:
        for stack in self._place().stacks.values():
            if name in {stack.stack_id, stack.name}:
                return stack
        raise ServiceAnswer("ValidationError", f"Stack with id {name} does not exist")

    def _status(self, stack: FakeStack) -> str:
        return "UPDATE_IN_PROGRESS" if self._now() < stack.settles_at else stack.status

    def _detected(self, stack: FakeStack, detection_id: str) -> list[dict[str, Any]] | None:
        detection = stack.detections[detection_id]
        if detection.ready_at > self._now():
            return None
        if detection.drifts is None:
            detection.drifts = drifts_of(self._place(), stack)
        return detection.drifts

    def _change_set(self, stack: FakeStack, name: str) -> FakeChangeSet:
        found = next((one for one in self._change_sets(stack) if name in {one.name, one.change_set_id}), None)
        if found is None or found.listed_from > self._now():
            raise ServiceAnswer("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found

    def _change_sets(self, stack: FakeStack) -> list[FakeChangeSet]:
        for one in stack.change_sets.values():
            if one.changes is None and one.ready_at <= self._now():
                one.changes = changes_of(self._place(), stack, one.template, one.parameters, one.mode)
                one.status = "CREATE_COMPLETE" if one.changes else "FAILED"
                one.execution_status = "AVAILABLE" if one.changes else "UNAVAILABLE"
                one.reason = "" if one.changes else _NOTHING
        return list(stack.change_sets.values())

    def _listed(self, operation: str, items: list[Any], token: str | None, key: str, size: int = 100) -> dict[str, Any]:
        name = f"cloudformation:{operation}"
        return self.page(name, items, size, token, key=key, token_key="NextToken")  # noqa: S106
