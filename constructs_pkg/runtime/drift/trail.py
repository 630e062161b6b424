"""Asks CloudTrail who changed something, and when. A hint for a human: no decision depends on it."""

# boto3 makes its clients, and their types, at run time.

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from .access import Refused, asking
from .finding import Author, Finding
from .values import timestamp

__all__ = ["with_authors"]

_LOOKED_BACK = timedelta(days=90)
"""How long CloudTrail's event history reaches back (CloudTrail's guide)."""

_MOST_LOOKUPS = 6
"""LookupEvents is limited to two requests a second in an account and Region (CloudTrail's quotas)."""

_ASKED = frozenset({"declared", "template", "attachment", "unmanaged"})


def with_authors(
    findings: Iterable[Finding], client: Callable[[], Any], *, at: datetime, ours: str
) -> tuple[Finding, ...]:
    """Add to findings who made the change, as far as the event history tells.

    Only the events of the stack's Region are asked: what happened to IAM is recorded in the partition's own Region.
    An event may take some minutes to arrive. At most six resources are looked up.

    Args:
        findings: The findings.
        client: Makes a CloudTrail client of the member account; only called where there is something to ask.
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


def _author(finding: Finding, client: Callable[[], Any], at: datetime, ours: str) -> Author:
    try:
        with asking(f"ask CloudTrail about {finding.physical_id}"):
            events = client().lookup_events(
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": finding.physical_id}],
                StartTime=at - _LOOKED_BACK,
                EndTime=at,
                MaxResults=20,
            )["Events"]
    except Refused as refused:
        return Author(problem=str(refused))
    for event in events:  # the newest first
        by = str(event.get("Username") or "")
        if str(event.get("ReadOnly", "")).lower() == "true" or f"/{ours}/" in str(event.get("CloudTrailEvent", "")):
            continue
        when = event.get("EventTime")
        return Author(by, timestamp(when) if isinstance(when, datetime) else str(when or ""), str(event["EventName"]))
    return Author(problem="CloudTrail's event history names nobody")
