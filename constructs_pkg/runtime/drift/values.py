"""Reads JSON documents from outside with exact types; what has another form is an error that names its place."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

__all__ = ["DocumentError", "digest", "mapping", "mappings", "moment", "text", "texts", "timestamp"]

_MOST_CHARACTERS = 4096


class DocumentError(ValueError):
    """A document does not have the form that was agreed."""


def text(document: Mapping[str, object], key: str, default: str | None = None) -> str:
    """Return a text of a document.

    Args:
        document: A JSON object.
        key: The key.
        default: What a missing key or null gives; None where the key is required.

    Raises:
        DocumentError: It is missing, no text, or longer than 4,096 characters.
    """
    value = document.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        raise DocumentError(f"{key!r} is {_shown(value)}, not a text of at most {_MOST_CHARACTERS} characters")
    return value


def texts(document: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Return a list of texts; a missing key gives none.

    Raises:
        DocumentError: It is no list of texts.
    """
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise DocumentError(f"{key!r} is {_shown(cast('object', value))}, not a list of texts")
    return tuple(cast("list[str]", value))


def mapping(document: Mapping[str, object], key: str) -> dict[str, object]:
    """Return an object; a missing key or null gives an empty one.

    Raises:
        DocumentError: It is no object.
    """
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DocumentError(f"{key!r} is {_shown(value)}, not an object")
    return cast("dict[str, object]", value)


def mappings(document: Mapping[str, object], key: str) -> tuple[dict[str, object], ...]:
    """Return a list of objects; a missing key gives none.

    Raises:
        DocumentError: It is no list of objects.
    """
    value = document.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in cast("list[object]", value)):
        raise DocumentError(f"{key!r} is {_shown(cast('object', value))}, not a list of objects")
    return tuple(cast("list[dict[str, object]]", value))


def moment(value: str) -> datetime:
    """Read a time in ISO 8601; without a time zone, it is UTC.

    Raises:
        DocumentError: It is none.
    """
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise DocumentError(f"{_shown(value)} is no time in ISO 8601") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def timestamp(at: datetime) -> str:
    """Write a time, such as ``2026-11-23T08:00:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(value: Any) -> str:  # noqa: ANN401 (any JSON)
    """Return 64 hexadecimal digits that are the same for the same JSON, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
