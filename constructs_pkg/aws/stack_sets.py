"""Reads what CloudFormation has of a StackSet: its parameters, its instances, its latest operation."""

from collections.abc import Mapping
from typing import Any, Literal

from constructs_pkg.aws.member_place import MemberPlace
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.rollout_status import InstanceReading, OperationReading, StackSetReading

__all__ = ["read_stack_set"]


def read_stack_set(
    place: MemberPlace, name: str, call_as: Literal["DELEGATED_ADMIN", "SELF"]
) -> StackSetReading | None:
    """Read a StackSet with all of its instances.

    Args:
        place: The account that administers it, and its Region.
        name: Its name.
        call_as: ``DELEGATED_ADMIN`` for a service-managed StackSet that a member account administers.

    Returns:
        None where there is no such StackSet.

    Raises:
        AwsError: CloudFormation refused or was not reached.
    """
    try:
        answer = place.call("cloudformation", "describe_stack_set", StackSetName=name, CallAs=call_as)
    except AwsError as error:
        if error.code in {"StackSetNotFoundException", "StackSetNotFound"}:
            return None
        raise
    described: Mapping[str, Any] = answer["StackSet"]
    parameters = {one["ParameterKey"]: one.get("ParameterValue") for one in described.get("Parameters") or ()}
    listed = {"token": "NextToken", "next_token": "NextToken", "StackSetName": name, "CallAs": call_as}
    instances = place.pages("cloudformation", "list_stack_instances", "Summaries", **listed)
    found = {(one.account, one.region): one for one in map(_instance, instances)}  # a page may be told twice
    operations = place.call("cloudformation", "list_stack_set_operations", StackSetName=name, CallAs=call_as)
    summaries = operations.get("Summaries") or ()
    return StackSetReading(
        str(described.get("Status")),
        parameters.get("Mode"),
        tuple(found.values()),
        _operation(summaries[0]) if summaries else None,  # the newest comes first
    )


def _instance(answer: Mapping[str, Any]) -> InstanceReading:
    detailed: Mapping[str, Any] = answer.get("StackInstanceStatus") or {}
    return InstanceReading(
        str(answer["Account"]),
        str(answer["Region"]),
        str(answer.get("Status")),
        str(detailed.get("DetailedStatus")),
        str(answer.get("StatusReason") or ""),
        str(answer.get("DriftStatus", "UNKNOWN")),
        answer.get("LastDriftCheckTimestamp"),
    )


def _operation(answer: Mapping[str, Any]) -> OperationReading:
    return OperationReading(
        str(answer["OperationId"]),
        str(answer.get("Action")),
        str(answer.get("Status")),
        answer.get("CreationTimestamp"),
        answer.get("EndTimestamp"),
        str(answer.get("StatusReason") or ""),
    )
