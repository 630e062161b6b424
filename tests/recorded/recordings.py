"""What AWS really wrote, in public sources: records of CloudTrail, events of EventBridge, answers of APIs.

Each file beside this one tells its source and holds one recording with every member and every oddity of its shape.
Accounts, names, ids, hashes and addresses are ours; times, Regions and versions are the recorded ones. What AWS only
documents is not here, and a recording that a test changes is no recording any more: it says `varied`.
"""

import copy
import json
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).parent
ACCOUNT = "444444444403"
RECORDS = tuple(sorted(path.stem for path in HERE.glob("*.json") if not path.stem.startswith("answer-")))
ANSWERS = tuple(sorted(path.stem for path in HERE.glob("answer-*.json")))


def recorded(name: str) -> dict[str, Any]:
    """Return a recording as it came: an event with its envelope, a record, a trail's file, an answer."""
    return cast("dict[str, Any]", json.loads((HERE / f"{name}.json").read_text())["record"])


def record_of(name: str) -> dict[str, Any]:
    """Return CloudTrail's record alone."""
    found = recorded(name)
    (record,) = found["Records"] if "Records" in found else [found.get("detail", found)]
    return cast("dict[str, Any]", record)


def event_of(name: str) -> dict[str, Any]:
    """Return an event as EventBridge delivers it; where only the record is known, the envelope around it is ours."""
    found = recorded(name)
    return found if "detail-type" in found else enveloped(record_of(name))


def enveloped(record: dict[str, Any]) -> dict[str, Any]:
    """Return the event that EventBridge makes of a record of CloudTrail."""
    return {
        "version": "0",
        "id": "a1b2c3d4-0000-4000-8000-000000000999",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{record['eventSource'].removesuffix('.amazonaws.com')}",
        "account": ACCOUNT,
        "time": record["eventTime"] or "2026-11-23T08:00:00Z",
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def varied(found: dict[str, Any], **members: object) -> dict[str, Any]:
    """Return a copy with other members at its top: a shape that nobody recorded."""
    return {**copy.deepcopy(found), **members}


def looked_up(record: dict[str, Any], at: object, **members: object) -> dict[str, Any]:
    """Return one of the ``Events`` of LookupEvents; all but the record is as botocore's model tells, not recorded.

    ``Username`` is what CloudTrail writes of a session: its name, not the role's.
    """
    identity = record["userIdentity"]
    by = identity.get("userName") or str(identity.get("arn", "")).rpartition("/")[2]
    return {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": at,
        "ReadOnly": json.dumps(record.get("readOnly", False)),
        "Username": by,
        "Resources": [],
        "CloudTrailEvent": json.dumps(record),
    } | members
