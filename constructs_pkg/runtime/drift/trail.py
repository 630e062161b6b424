"""Asks CloudTrail who changed something, and when. A hint for a human: no decision depends on it."""

# boto3 makes its clients, and their types, at run time.

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from .access import Refused, asking
from .callers import caller_of, own_role_of
from .finding import Author, Finding
from .values import DocumentError, timestamp

__all__ = ["with_authors"]

_LOOKED_BACK = timedelta(days=90)
"""How long CloudTrail's event history reaches back (CloudTrail's guide)."""

_MOST_EVENTS = 50
"""The most that one LookupEvents returns (botocore); reads, refused calls and our own are among them."""

_MOST_LOOKUPS = 6
"""LookupEvents is limited to two requests a second in an account and Region (CloudTrail's quotas)."""

_ASKED = frozenset({"declared", "template", "attachment", "unmanaged"})


def with_authors(
    findings: Iterable[Finding], client: Callable[[Finding], Any], *, at: datetime, ours: str
) -> tuple[Finding, ...]:
    """Add to findings who made the change, as far as the event history tells.

    An event may take some minutes to arrive. At most six resources are looked up, 50 events each. Calls that only read,
    that were refused, and that we or StackSets made, explain nothing.

    Args:
        findings: The findings.
        client: Makes a CloudTrail client of the member account, in the Region where changes of what was found are
            recorded; only called where there is something to ask.
        at: The moment of the run, aware.
        ours: The name of the role whose changes are our own and explain nothing.
    """
    left = _MOST_LOOKUPS
    told: list[Finding] = []
    for finding in findings:
        if finding.tier not in _ASKED or not finding.physical_id or finding.exemption is not None:
            told.append(finding)
            continue
        left -= 1
        author = _author(finding, client, at, ours) if left >= 0 else Author(problem="not asked: too many findings")
        told.append(replace(finding, author=author))
    return tuple(told)


def _author(finding: Finding, client: Callable[[Finding], Any], at: datetime, ours: str) -> Author:
    try:
        with asking(f"ask CloudTrail about {finding.physical_id}"):
            events = client(finding).lookup_events(
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": finding.physical_id}],
                StartTime=at - _LOOKED_BACK,
                EndTime=at,
                MaxResults=_MOST_EVENTS,
            )["Events"]
    except Refused as refused:
        return Author(problem=str(refused))
    for event in events:  # the newest first
        record = _record_of(event)
        if _is_no_change(event, record, ours):
            continue
        when = event.get("EventTime")
        by = _named(record) or str(event.get("Username") or "")
        return Author(by, timestamp(when) if isinstance(when, datetime) else str(when or ""), str(event["EventName"]))
    return Author(problem="CloudTrail's event history names nobody")


def _record_of(event: Mapping[str, Any]) -> dict[str, object]:
    """Return the record that an event holds as text, an empty one where it holds none."""
    try:
        record = json.loads(str(event.get("CloudTrailEvent") or "{}"))
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", record) if isinstance(record, dict) else {}


def _is_no_change(event: Mapping[str, Any], record: Mapping[str, object], ours: str) -> bool:
    """Return whether a call only read, was refused, or was made by us or by StackSets."""
    if str(event.get("ReadOnly", "")).lower() == "true" or record.get("errorCode"):
        return True
    try:
        return bool(own_role_of(record, ours, str(record.get("recipientAccountId") or "")))
    except DocumentError:
        return False


def _named(record: Mapping[str, object]) -> str:
    try:
        return caller_of(record)
    except DocumentError:
        return ""
