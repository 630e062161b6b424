"""What may start a run: a schedule, somebody's change, a StackSet operation, a human. All else is foreign."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from .callers import caller_of, own_role_of
from .expectations import MODES, Expectations
from .values import DocumentError, mapping, text, texts

__all__ = ["Approval", "Event", "Foreign", "Manual", "Operation", "Schedule", "Tampering", "Target", "parse_event"]

_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]{1,12}){2,3}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_STACK_SET_ARN = re.compile(
    r"arn:[a-z-]+:cloudformation:[a-z0-9-]+:\d{12}:stackset/(?P<name>[A-Za-z][-A-Za-z0-9]{0,127}):"
)
_API_VERSION = re.compile(r"\d{8}(?:v\d+)?$")
"""Lambda's older event names end with the API's version: ``UpdateFunctionCode20150331v2`` (Lambda's guide)."""
_OVER = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
_SOURCES = frozenset({"lambda", "signer", "cloudformation", "iam", "ssm", "events"})


@dataclass(frozen=True, slots=True)
class Target:
    """One account, in one Region or (None) in all."""

    account: str
    region: str | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hour has come for a wave, or for one of its StackSets, by name."""

    wave: str


@dataclass(frozen=True, slots=True)
class Tampering:
    """Somebody changed something in a member account; of interest for one StackSet or (None) for all."""

    target: Target
    call: str
    by: str
    event_id: str
    stack_set: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a StackSet is over; which one it was must be asked: the event has no action."""

    stack_set: str
    operation_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Manual:
    """A human asks, perhaps with another mode than the wave's, perhaps for a few accounts or Regions."""

    wave: str
    mode: str | None
    accounts: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """A human approves exactly one proposal: the one with this digest."""

    run_id: str
    account: str
    region: str
    digest: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Nothing that starts a run."""

    reason: str


Event = Schedule | Tampering | Operation | Manual | Approval | Foreign


def parse_event(event: object, expectations: Expectations) -> Event:
    """Read the input of an execution.

    An event of EventBridge always has a ``detail-type`` and is never taken for a human's request: what a member account
    puts on the bus cannot approve anything. Whether the caller may start an execution is for IAM to decide.

    Args:
        event: Any JSON.
        expectations: Whose organization this is.

    Returns:
        What it means; `Foreign`, with the reason, for everything that is malformed or none of our business.
    """
    if not isinstance(event, dict):
        return Foreign(f"the event is no JSON object but {type(event).__name__}")
    document = cast("dict[str, object]", event)
    try:
        if "detail-type" in document or "source" in document:
            return _of_eventbridge(document, expectations)
        return _of_a_request(document, expectations)
    except DocumentError as error:
        return Foreign(f"the event is malformed: {error}")


def _of_a_request(event: Mapping[str, object], expectations: Expectations) -> Event:
    kind = text(event, "kind")
    if kind == "approval":
        approval = Approval(text(event, "run_id"), text(event, "account"), text(event, "region"), text(event, "digest"))
        _require(_RUN_ID, "run_id", approval.run_id)
        _require(_ACCOUNT, "account", approval.account)
        _require(_REGION, "region", approval.region)
        _require(_DIGEST, "digest", approval.digest)
        return approval
    if kind == "tampering":
        return _of_a_sibling(event, expectations)
    if kind not in {"schedule", "manual"}:
        return Foreign(f"the event is of the kind {kind!r}; known are schedule, manual, approval, tampering")
    wave = text(event, "wave")
    if expectations.stack_set(wave) is None:
        known = ", ".join(dict.fromkeys(one.wave for one in expectations.stack_sets))
        return Foreign(f"the organization has no wave {wave!r}; it has {known}")
    if kind == "schedule":
        return Schedule(wave)
    mode = text(event, "mode", "") or None
    if mode is not None and mode not in MODES:
        return Foreign(f"mode={mode!r}; known are {', '.join(MODES)}")
    manual = Manual(wave, mode, texts(event, "accounts"), texts(event, "regions"))
    for account in manual.accounts:
        _require(_ACCOUNT, "accounts", account)
    for region in manual.regions:
        _require(_REGION, "regions", region)
    return manual


def _of_a_sibling(event: Mapping[str, object], expectations: Expectations) -> Event:
    """Read what ``start_siblings`` wrote."""
    stack_set = text(event, "stack_set")
    if stack_set not in {one.name for one in expectations.stack_sets}:
        return Foreign(f"the StackSet {stack_set!r} is none of the organization's")
    target = Target(text(event, "account"), text(event, "region", "") or None)
    _require(_ACCOUNT, "account", target.account)
    if target.region is not None:
        _require(_REGION, "region", target.region)
    return Tampering(target, text(event, "call"), text(event, "by"), text(event, "event_id", ""), stack_set)


def _of_eventbridge(event: Mapping[str, object], expectations: Expectations) -> Event:
    source, kind = text(event, "source"), text(event, "detail-type")
    if not source.startswith("aws."):
        return Foreign(f"the event comes from {source!r}, not from AWS")
    detail = mapping(event, "detail")
    if kind == "AWS API Call via CloudTrail":
        return _of_cloudtrail(event, detail, expectations)
    if kind == "CloudFormation StackSet Operation Status Change" and source == "aws.cloudformation":
        return _of_an_operation(detail, expectations)
    return Foreign(f"the event {kind!r} of {source} starts no run")


def _of_an_operation(detail: Mapping[str, object], expectations: Expectations) -> Event:
    match = _STACK_SET_ARN.match(text(detail, "stack-set-arn"))
    name = match["name"] if match else ""
    if expectations.stack_set(name) is None:
        return Foreign(f"the StackSet {name or text(detail, 'stack-set-arn')!r} is none of the organization's")
    status = text(mapping(detail, "status-details"), "status")
    if status not in _OVER:
        return Foreign(f"the operation is {status}: it is not over")
    return Operation(name, text(detail, "stack-set-operation-id"), status)


def _of_cloudtrail(event: Mapping[str, object], detail: Mapping[str, object], expectations: Expectations) -> Event:
    service = text(detail, "eventSource").removesuffix(".amazonaws.com")
    call = _API_VERSION.sub("", text(detail, "eventName"))
    if service not in _SOURCES:
        return Foreign(f"{service}:{call} changes nothing of ours")
    if detail.get("readOnly") is True:
        return Foreign(f"{service}:{call} only reads")
    if detail.get("errorCode"):
        return Foreign(f"{service}:{call} was refused ({detail.get('errorCode')}): nothing changed")
    account = text(detail, "recipientAccountId", "") or text(event, "account")
    region = text(detail, "awsRegion", "") or text(event, "region")
    _require(_ACCOUNT, "account", account)
    _require(_REGION, "region", region)
    own_role = own_role_of(detail, expectations.member_role, account)
    if own_role:
        return Foreign(f"{service}:{call} was made by {own_role}: by us, or by StackSets")
    by = caller_of(detail) or "somebody whom the event does not name"
    # IAM is global: its events tell the Region of the endpoint, not that of a stack
    target = Target(account, None if service == "iam" else region)
    return Tampering(target, f"{service}:{call}", by, text(detail, "eventID", ""))


def _require(pattern: re.Pattern[str], key: str, value: str) -> None:
    if pattern.fullmatch(value) is None:
        raise DocumentError(f"{key!r} is {value[:80]!r}")
