"""How far the rollout is, as values: judges what CloudFormation says of a wave's StackSet against the organization."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from constructs_pkg.organization.rollout import PlannedStackSet
from constructs_pkg.plurals import counted

__all__ = ["InstanceReading", "OperationReading", "StackSetReading", "StackSetStatus", "status_of"]

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class InstanceReading:
    """A stack instance.

    Attributes:
        account: 12 digits.
        region: The Region.
        status: ``CURRENT``, ``OUTDATED`` or ``INOPERABLE``.
        detailed_status: Such as ``SUCCEEDED``, ``FAILED`` or ``SKIPPED_SUSPENDED_ACCOUNT``.
        reason: Why, empty where CloudFormation says nothing.
        drift: ``IN_SYNC``, ``DRIFTED``, ``NOT_CHECKED`` or ``UNKNOWN``.
        drift_checked_at: When drift was looked for last.
    """

    account: str
    region: str
    status: str
    detailed_status: str
    reason: str
    drift: str
    drift_checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class OperationReading:
    """An operation of a StackSet.

    Attributes:
        operation_id: Its id.
        action: ``CREATE``, ``UPDATE``, ``DELETE`` or ``DETECT_DRIFT``.
        status: Such as ``RUNNING``, ``SUCCEEDED``, ``FAILED``.
        began_at: When it began.
        ended_at: When it ended.
        reason: Why it failed, empty where CloudFormation says nothing.
    """

    operation_id: str
    action: str
    status: str
    began_at: datetime | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class StackSetReading:
    """A StackSet that exists.

    Attributes:
        status: ``ACTIVE`` or ``DELETED``.
        mode: Its parameter ``Mode``, None where it has none.
        instances: All of its instances.
        last_operation: The latest operation, None where there was none.
    """

    status: str
    mode: str | None
    instances: tuple[InstanceReading, ...]
    last_operation: OperationReading | None


@dataclass(frozen=True, slots=True)
class StackSetStatus:
    """A planned StackSet and what became of it.

    Attributes:
        plan: What the organization file asks for.
        reading: What CloudFormation has, None where there is no such StackSet.
        statuses: How many instances have each status.
        drifts: How many instances have each drift status.
        missing: Accounts and Regions of the organization file without an instance.
        problems: What is wrong.
        unknown: What is not known.
    """

    plan: PlannedStackSet
    reading: StackSetReading | None
    statuses: Mapping[str, int]
    drifts: Mapping[str, int]
    missing: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    unknown: tuple[str, ...]


def status_of(plan: PlannedStackSet, reading: StackSetReading | None) -> StackSetStatus:
    """Compare a StackSet with the organization file.

    Accounts that only AWS Organizations knows are not missed here: their instances are counted where they are.

    Args:
        plan: What the organization file asks for.
        reading: What CloudFormation has; None where there is no such StackSet.
    """
    if reading is None:
        problem = f"there is no StackSet {plan.name}: deploy the rollout"
        return StackSetStatus(plan, None, {}, {}, (), (problem,), ())
    there = {(one.account, one.region) for one in reading.instances}
    wanted = [(account, region) for account in plan.accounts for region in plan.regions]
    missing = tuple(place for place in wanted if place not in there)
    drifts = Counter(one.drift for one in reading.instances)
    return StackSetStatus(
        plan,
        reading,
        Counter(one.status for one in reading.instances),
        drifts,
        missing,
        tuple(_problems(plan, reading, missing)),
        tuple(_unknown(reading, drifts)),
    )


def _problems(plan: PlannedStackSet, reading: StackSetReading, missing: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if reading.mode != plan.mode:
        yield f"it has Mode {reading.mode}, the organization file says {plan.mode}: deploy the rollout"
    if missing:
        yield (
            f"{counted(len(missing), 'account and Region', 'accounts and Regions')} of the file without an instance: "
            f"{_named(missing)}"
        )
    behind = [(one.account, one.region) for one in reading.instances if one.status != "CURRENT"]
    if behind:
        yield f"{counted(len(behind), 'instance is', 'instances are')} not up to date: {_named(behind)}"
    drifted = [(one.account, one.region) for one in reading.instances if one.drift == "DRIFTED"]
    if drifted:
        yield f"{counted(len(drifted), 'instance has', 'instances have')} drifted: {_named(drifted)}"
    operation = reading.last_operation
    if operation is not None and operation.status not in {"SUCCEEDED", "RUNNING", "QUEUED"}:
        reason = f": {operation.reason}" if operation.reason else ""
        yield f"the last operation, {operation.action} {operation.operation_id}, ended {operation.status}{reason}"


def _unknown(reading: StackSetReading, drifts: Mapping[str, int]) -> Iterator[str]:
    if not reading.instances:
        yield "it has no instances"
    unchecked = drifts.get("NOT_CHECKED", 0) + drifts.get("UNKNOWN", 0)
    if unchecked:
        instances = counted(unchecked, "instance")
        yield f"the drift of {instances} is not known: 'lambda-code-signing drift' starts a detection"
    operation = reading.last_operation
    if operation is not None and operation.status in {"RUNNING", "QUEUED"}:
        yield f"an operation, {operation.action} {operation.operation_id}, is {operation.status}"


def _named(places: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    named = ", ".join(f"{account}/{region}" for account, region in places[:_MOST_NAMED])
    return named if len(places) <= _MOST_NAMED else f"{named} and {len(places) - _MOST_NAMED} more"
