"""Asks StackSets: the set itself, its drift detection, its instances and their drift."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .access import Refused, asking
from .observations import Baseline, Difference, ResourceDrift, StackInstance, approved_config_resources
from .paging import pages

__all__ = ["DetectionOperation", "StackSets", "parsed_template", "resource_drifts"]

_GONE = frozenset({"StackSetNotFoundException", "StackSetNotFound"})
_NO_OPERATION = frozenset({"OperationNotFoundException", "OperationNotFound"})
_RUNNING = frozenset({"RUNNING", "STOPPING", "QUEUED"})


@dataclass(frozen=True, slots=True)
class DetectionOperation:
    """An operation of a StackSet, as a list of them tells it."""

    operation_id: str
    action: str
    status: str

    @property
    def is_running(self) -> bool:
        """Tell whether it is not over yet."""
        return self.status in _RUNNING


class StackSets:
    """One StackSet, seen from the account that administers it.

    Args:
        client: A CloudFormation client.
        name: The StackSet.
        call_as: ``DELEGATED_ADMIN`` or ``SELF``.
    """

    def __init__(self, client: Any, name: str, call_as: str) -> None:
        self._client = client
        self.name = name
        self._who: dict[str, str] = {"StackSetName": name, "CallAs": call_as}

    def baseline(self) -> Baseline | None:
        """Return what the StackSet says of all its stacks; None where there is no such StackSet.

        Raises:
            Refused: AWS refused.
        """
        found = self._describe()
        if found is None:
            return None
        template = parsed_template(found.get("TemplateBody", ""))
        return Baseline(template, _parameters(found.get("Parameters", [])), approved_config_resources(template))

    def template(self) -> str:
        """Return the template as it was given, for a change set.

        Raises:
            Refused: AWS refused, or there is no such StackSet.
        """
        found = self._describe()
        if found is None:
            raise Refused(f"read the StackSet {self.name}", "StackSetNotFoundException", "it does not exist")
        return str(found["TemplateBody"])

    def _describe(self) -> Any:
        try:
            with asking(f"read the StackSet {self.name}"):
                found = self._client.describe_stack_set(**self._who)["StackSet"]
        except Refused as refused:
            if refused.code in _GONE:
                return None
            raise
        return None if found.get("Status") == "DELETED" else found

    def operation(self, operation_id: str) -> DetectionOperation | None:
        """Return one operation; None where there is none of this id.

        Raises:
            Refused: AWS refused.
        """
        try:
            with asking(f"read the operation {operation_id} of {self.name}"):
                answer = self._client.describe_stack_set_operation(**self._who, OperationId=operation_id)
        except Refused as refused:
            if refused.code in _NO_OPERATION:
                return None
            raise
        found = answer["StackSetOperation"]
        return DetectionOperation(operation_id, str(found.get("Action", "")), str(found.get("Status", "")))

    def operations(self) -> tuple[DetectionOperation, ...]:
        """Return the latest operations: one page, of up to 100.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"list the operations of {self.name}"):
            answer = self._client.list_stack_set_operations(**self._who, MaxResults=100)
        return tuple(
            DetectionOperation(str(one["OperationId"]), str(one.get("Action", "")), str(one.get("Status", "")))
            for one in answer["Summaries"]
        )

    def detect_drift(self, operation_id: str) -> None:
        """Let StackSets compare every stack with its template; the operation goes on by itself.

        Args:
            operation_id: What the operation is to be called.

        Raises:
            Refused: AWS refused, or another operation runs.
        """
        with asking(f"detect the drift of {self.name}"):
            self._client.detect_stack_set_drift(
                **self._who,
                OperationId=operation_id,
                OperationPreferences={
                    "RegionConcurrencyType": "PARALLEL",
                    "MaxConcurrentPercentage": 100,
                    "FailureTolerancePercentage": 100,
                },
            )

    def instances(self, account: str | None = None, region: str | None = None) -> Iterable[StackInstance]:
        """Yield the stack instances, each once.

        Args:
            account: Only those of this account.
            region: Only those in this Region.

        Raises:
            Refused: AWS refused; the instances that were yielded before are right.
        """
        only = {"StackInstanceAccount": account, "StackInstanceRegion": region}
        chosen = {name: value for name, value in only.items() if value is not None}
        seen: set[tuple[str, str]] = set()
        for page in pages(
            f"list the instances of {self.name}",
            self._client.list_stack_instances,
            **self._who,
            **chosen,
            MaxResults=100,
        ):
            for summary in page["Summaries"]:
                instance = _instance(summary)
                if (instance.account, instance.region) not in seen:
                    seen.add((instance.account, instance.region))
                    yield instance

    def drifts(self, instance: StackInstance, operation_id: str) -> tuple[ResourceDrift, ...]:
        """Return the resources of one stack that an operation did not find in sync.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(
            f"list the drift of {instance.account} in {instance.region}",
            self._client.list_stack_instance_resource_drifts,
            **self._who,
            StackInstanceAccount=instance.account,
            StackInstanceRegion=instance.region,
            OperationId=operation_id,
            MaxResults=100,
        )
        return resource_drifts(one for page in listed for one in page.get("Summaries", ()))

    def overrides(self, instance: StackInstance) -> dict[str, str]:
        """Return the parameters to which one instance gives values of its own.

        Raises:
            Refused: AWS refused.
        """
        return _parameters(self._instance(instance).get("ParameterOverrides", []))

    def status(self, instance: StackInstance) -> str:
        """Return the state of one instance as it is now, like `StackInstance.status`.

        Raises:
            Refused: AWS refused.
        """
        return _instance({"Account": instance.account, "Region": instance.region, **self._instance(instance)}).status

    def _instance(self, instance: StackInstance) -> Mapping[str, Any]:
        with asking(f"read the stack instance of {instance.account} in {instance.region}"):
            answer = self._client.describe_stack_instance(
                **self._who, StackInstanceAccount=instance.account, StackInstanceRegion=instance.region
            )
        return answer["StackInstance"]


def parsed_template(body: object) -> object:
    """Return a template as JSON where it is JSON (botocore parses some of them itself), otherwise as its text."""
    if not isinstance(body, str):
        return json.loads(json.dumps(body))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.strip()


def resource_drifts(found: Iterable[Mapping[str, Any]]) -> tuple[ResourceDrift, ...]:
    """Read resources as drift detection lists them, without those in sync, each once, in the order of their ids."""
    read = {
        str(one["LogicalResourceId"]): ResourceDrift(
            str(one["LogicalResourceId"]),
            str(one.get("PhysicalResourceId") or ""),
            str(one.get("ResourceType", "")),
            str(one["StackResourceDriftStatus"]),
            tuple(
                Difference(
                    str(part.get("PropertyPath", "")),
                    str(part.get("ExpectedValue", "")),
                    str(part.get("ActualValue", "")),
                    str(part.get("DifferenceType", "")),
                )
                for part in one.get("PropertyDifferences") or ()
            ),
        )
        for one in found
        if one["StackResourceDriftStatus"] != "IN_SYNC"
    }
    return tuple(read[logical_id] for logical_id in sorted(read))


def _status(summary: Mapping[str, Any]) -> str:
    """Return how an instance stands: what the last operation came to, unless it is plain that it is up to date or not.

    A drift detection is an operation, too: one that failed leaves an instance ``CURRENT``.
    """
    detailed: Mapping[str, Any] = summary.get("StackInstanceStatus") or {}
    status = str(detailed.get("DetailedStatus") or "")
    is_over = status in {"", "SUCCEEDED", "FAILED", "CANCELLED"}
    match summary.get("Status"):
        case "INOPERABLE":
            return "INOPERABLE"
        case "CURRENT" if is_over:
            return "SUCCEEDED"
        case "OUTDATED" if status in {"", "SUCCEEDED"}:
            return "OUTDATED"
        case _:
            return status


def _instance(summary: Mapping[str, Any]) -> StackInstance:
    return StackInstance(
        account=str(summary["Account"]),
        region=str(summary["Region"]),
        stack_id=str(summary.get("StackId") or ""),
        status=_status(summary),
        reason=str(summary.get("StatusReason") or ""),
        drift_status=str(summary.get("DriftStatus") or "NOT_CHECKED"),
    )


def _parameters(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(one["ParameterKey"]): str(one["ParameterValue"]) for one in listed if "ParameterValue" in one}
