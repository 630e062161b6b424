"""Asks CloudFormation about one member stack, and gives it change sets, through the remediator's role."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .access import Refused, asking
from .change_sets import ChangeSet, read_change_set
from .observations import MemberStack, ResourceDrift
from .paging import pages
from .stack_findings import MASKED
from .stack_sets import parsed_template, resource_drifts
from .values import digest

__all__ = ["CHANGE_SET_PREFIX", "Detection", "MemberStacks"]

CHANGE_SET_PREFIX = "drift-"
"""What the names of our change sets begin with."""


_NO_CHANGE_SET = frozenset({"ChangeSetNotFound", "ChangeSetNotFoundException"})
"""``ChangeSetNotFoundException`` and its code on the wire (botocore 1.43.106)."""

_GONE = "does not exist"
"""DescribeStacks has no exception of its own: botocore's waiters, too, look at ``ValidationError``."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A drift detection of one stack. ``status`` is ``StackDriftDetectionStatus``."""

    status: str
    drift_status: str
    reason: str


class MemberStacks:
    """One member stack.

    Args:
        client: A CloudFormation client of the member account.
        stack_id: The ARN of the stack.
    """

    def __init__(self, client: Any, stack_id: str) -> None:
        self._client = client
        self._stack_id = stack_id
        self._stack = {"StackName": stack_id}

    def status(self) -> Mapping[str, Any] | None:
        """Return ``DescribeStacks``' description; None where there is no such stack (any more).

        Raises:
            Refused: AWS refused.
        """
        try:
            with asking(f"read the stack {self._stack_id}"):
                stack: Mapping[str, Any] = self._client.describe_stacks(**self._stack)["Stacks"][0]
        except Refused as refused:
            if refused.code == "ValidationError" and _GONE in str(refused):
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    def read(self) -> MemberStack | None:
        """Return the stack with its template and its resources; None where there is none.

        Raises:
            Refused: AWS refused.
        """
        described = self.status()
        if described is None:
            return None
        with asking(f"read the template of {self._stack_id}"):
            template = self._client.get_template(**self._stack, TemplateStage="Original")["TemplateBody"]
        return MemberStack(
            stack_id=str(described["StackId"]),
            status=str(described["StackStatus"]),
            reason=str(described.get("StackStatusReason") or ""),
            template=parsed_template(template),
            parameters={
                str(one["ParameterKey"]): str(one.get("ParameterValue", "")) for one in described.get("Parameters", [])
            },
            resources=self.resources(),
        )

    def resources(self) -> dict[str, str]:
        """Return logical id to physical id of the stack's resources.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(f"list the resources of {self._stack_id}", self._client.list_stack_resources, **self._stack)
        return {
            str(one["LogicalResourceId"]): str(one.get("PhysicalResourceId") or "")
            for page in listed
            for one in page["StackResourceSummaries"]
            if one.get("ResourceStatus") != "DELETE_COMPLETE"
        }

    def start_detection(self) -> str:
        """Let CloudFormation compare the stack with its template; return the detection's id.

        Raises:
            Refused: AWS refused; also where another detection of the stack runs.
        """
        with asking(f"detect the drift of {self._stack_id}"):
            return str(self._client.detect_stack_drift(**self._stack)["StackDriftDetectionId"])

    def detection(self, detection_id: str) -> Detection:
        """Return how far a detection is.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"read the drift detection of {self._stack_id}"):
            found = self._client.describe_stack_drift_detection_status(StackDriftDetectionId=detection_id)
        return Detection(
            str(found["DetectionStatus"]),
            str(found.get("StackDriftStatus", "")),
            str(found.get("DetectionStatusReason") or ""),
        )

    def drifts(self) -> tuple[ResourceDrift, ...]:
        """Return the resources that the last detection did not find in sync.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(
            f"list the drift of {self._stack_id}",
            self._client.describe_stack_resource_drifts,
            **self._stack,
            MaxResults=100,
        )
        return resource_drifts(one for page in listed for one in page["StackResourceDrifts"])

    def change_sets(self) -> dict[str, str]:
        """Return the names of all change sets of the stack, with their status.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(f"list the change sets of {self._stack_id}", self._client.list_change_sets, **self._stack)
        return {
            str(one["ChangeSetName"]): str(one.get("Status", ""))
            for page in listed
            for one in page["Summaries"]
            if one.get("Status") not in {"DELETE_PENDING", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"}
        }

    def create_revert(self, name: str, parameters: Iterable[str]) -> None:
        """Make a drift-aware change set: back to what the stack's own template says, and nothing else.

        Source: botocore 1.43.106, ``CreateChangeSetInput.DeploymentMode``; it is a parameter of no other operation.

        Args:
            name: The change set's name.
            parameters: The names of the stack's parameters, which keep their values.

        Raises:
            Refused: AWS refused.
        """
        kept = [{"ParameterKey": one, "UsePreviousValue": True} for one in sorted(parameters)]
        chosen = {"UsePreviousTemplate": True, "DeploymentMode": "REVERT_DRIFT", "Parameters": kept}
        self._create(name, "back to the template", chosen)

    def create_from(self, name: str, template: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        """Make an ordinary change set: back to the StackSet's template and parameters.

        Args:
            name: The change set's name.
            template: The StackSet's template as CloudFormation is given it, see ``Surroundings.template_to_give``.
            parameters: Name to value, of the StackSet with the overrides of the instance. What CloudFormation masks
                (``NoEcho``) keeps the value that the stack has.

        Raises:
            Refused: AWS refused.
        """
        given = [
            {"ParameterKey": one, "UsePreviousValue": True}
            if MASKED in value
            else {"ParameterKey": one, "ParameterValue": value}
            for one, value in sorted(parameters.items())
        ]
        self._create(name, "back to the StackSet", {**template, "Parameters": given})

    def _create(self, name: str, description: str, parameters: Mapping[str, Any]) -> None:
        with asking(f"make the change set {name} of {self._stack_id}"):
            self._client.create_change_set(
                **self._stack,
                ChangeSetName=name,
                ChangeSetType="UPDATE",
                Description=f"Drift: {description}",
                Capabilities=["CAPABILITY_NAMED_IAM"],
                ClientToken=f"{name}-{digest(self._stack_id)[:16]}",
                **parameters,
            )

    def change_set(self, name: str) -> ChangeSet | None:
        """Read a change set, all pages of it; None where there is none of this name (any more, or yet).

        Raises:
            Refused: AWS refused.
        """
        described = pages(
            f"read the change set {name} of {self._stack_id}",
            self._client.describe_change_set,
            **self._stack,
            ChangeSetName=name,
            IncludePropertyValues=True,
        )
        try:
            return read_change_set(described)
        except Refused as refused:
            if refused.code in _NO_CHANGE_SET:
                return None
            raise

    def execute(self, name: str, change_set_id: str) -> None:
        """Execute a change set that was read; what comes of it is seen by looking again.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"execute the change set {name} of {self._stack_id}"):
            self._client.execute_change_set(
                **self._stack, ChangeSetName=name, ClientRequestToken=f"{CHANGE_SET_PREFIX}{digest(change_set_id)[:16]}"
            )

    def delete(self, names: Iterable[str]) -> None:
        """Delete change sets that are of no use any more.

        Raises:
            Refused: AWS refused.
        """
        for name in names:
            with asking(f"delete the change set {name} of {self._stack_id}"):
                self._client.delete_change_set(**self._stack, ChangeSetName=name)
