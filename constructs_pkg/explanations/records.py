"""Takes JSON records of AWS apart into statements: CloudTrail, CloudFormation, EventBridge, API and CLI output."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

__all__ = ["Statement", "statements_of"]

_LISTS = ("Records", "StackEvents", "Events", "events", "jobs")
_EMBEDDED = "CloudTrailEvent"
_MAX_DEPTH = 50
_MAX_STATEMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One record, as text that can be searched like a message.

    Attributes:
        origin: Which record it is, for the reader; empty for plain text.
        text: A line ``"key": "value",`` for each text in it, or the plain text.
    """

    origin: str
    text: str


def statements_of(text: str) -> tuple[Statement, ...]:
    """Split an input into its records; what is not JSON is one statement.

    Lists that are known to hold records (``Records`` of CloudTrail, ``StackEvents`` of CloudFormation, ``Events`` of
    ``cloudtrail lookup-events``) are split, lists at the top too, and the record that ``CloudTrailEvent`` holds as text
    is read. JSON one a line is read line by line.

    Args:
        text: The input, its size already bounded.
    """
    values = _json_values(text)
    if values is None:
        return (Statement("", text),)
    records = [record for value in values for record in _records(value, 0)]
    return tuple(Statement(_origin(record), "\n".join(_lines(record, 0))) for record in records[:_MAX_STATEMENTS])


def _json_values(text: str) -> list[object] | None:
    """Return the JSON objects and lists of a text, or None where it is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        lines = [line for line in text.splitlines() if line.strip()]
    try:
        return [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return None


def _records(value: object, depth: int) -> Iterator[object]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _records(item, depth + 1)
        return
    members = _members(value)
    inner = next((members[key] for key in _LISTS if isinstance(members.get(key), list)), None)
    if inner is None:
        yield _with_embedded(value)
    else:
        yield from _records(inner, depth + 1)


def _with_embedded(record: object) -> object:
    """Return the record that another one holds as text, or the record itself."""
    embedded = _members(record).get(_EMBEDDED)
    if not isinstance(embedded, str):
        return record
    try:
        return json.loads(embedded)
    except (ValueError, RecursionError):
        return record


def _lines(value: object, depth: int, key: str = "") -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    for name, item in _members(value).items():
        yield from _lines(item, depth + 1, name)
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _lines(item, depth + 1, key)
    elif isinstance(value, str):
        yield f'"{key}": "{value}",' if key else f'"{value}",'


def _origin(record: object) -> str:
    """Name a record as its reader knows it."""
    members = _members(record)
    event = _members(members.get("detail")) or members
    if isinstance(members.get("LogicalResourceId"), str):
        return f"{members['LogicalResourceId']} ({members.get('ResourceType', 'resource')})"
    if isinstance(event.get("eventName"), str):
        return " ".join(str(part) for part in (event["eventName"], event.get("eventTime")) if part)
    return str(members.get("detail-type", ""))


def _members(value: object) -> dict[str, object]:
    """Return the members of a JSON object; nothing else has any."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
