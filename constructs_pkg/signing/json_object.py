"""Strict reading of JSON from outside: each key once, no unknown ones, exact types, and all problems at once."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from constructs_pkg.errors import ArnError, PolicyError, Problem, TrustError, ValidityError
from constructs_pkg.json_keys import unique_keys

__all__ = ["JsonObject", "parse_json_object"]

_MISSING = object()
_SHOWN_CHARACTERS = 60
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object at some place of a document. Its readers return None for what they cannot use, and note why.

    Attributes:
        values: The object.
        where: Its place, with a dot at the end, such as ``revocations.``; empty at the top.
        problems: Where the whole document's problems are collected.
    """

    values: Mapping[str, object]
    where: str
    problems: list[Problem]

    def problem(self, key: str, message: str, remedy: str) -> None:
        """Note that something is wrong with the value of a key."""
        self.problems.append(Problem(self.where + key, message, remedy))

    def known_keys(self, *keys: str) -> None:
        """Note every key that is not one of these."""
        for key in sorted(self.values.keys() - set(keys)):
            close = difflib.get_close_matches(key[:_SHOWN_CHARACTERS], keys, n=1)
            meant = f"Did you mean {close[0]!r}? " if close else ""
            self.problem(key[:_SHOWN_CHARACTERS], "is not a known key", f"{meant}Use one of {', '.join(keys)}")

    def text(self, key: str, *, is_required: bool = False) -> str | None:
        """Return a text."""
        value = self._value(key, "a text", is_required=is_required)
        return self._checked(key, value, value if isinstance(value, str) else None, "a text")

    def number(self, key: str, at_least: int, at_most: int, *, is_required: bool = False) -> int | None:
        """Return a whole number within bounds."""
        kind = f"a whole number from {at_least} to {at_most}"
        value = self._value(key, kind, is_required=is_required)
        # bool is an int to Python, not to JSON.
        is_number = isinstance(value, int) and not isinstance(value, bool) and at_least <= value <= at_most
        return self._checked(key, value, cast("int", value) if is_number else None, kind)

    def parsed(self, key: str, parse: Callable[[str], _T], *, is_required: bool = False) -> _T | None:
        """Return what a parser, raising one of our errors or ``ValueError``, makes of a text."""
        text = self.text(key, is_required=is_required)
        if text is None:
            return None
        try:
            return parse(text)
        except (ArnError, TrustError, ValidityError, ValueError) as error:
            self.problem(key, str(error), "Correct it")
            return None

    def child(self, key: str, *, is_required: bool = False) -> "JsonObject | None":
        """Return the object under a key."""
        value = self._value(key, "an object", is_required=is_required)
        return self._checked(key, value, self._child(key, value), "an object")

    def children(self, key: str, at_most: int) -> list["JsonObject"]:
        """Return the objects of a list."""
        items = [(f"{key}[{index}]", item) for index, item in enumerate(self._list(key, 0, at_most))]
        found = [self._checked(place, item, self._child(place, item), "an object") for place, item in items]
        return [child for child in found if child is not None]

    def parsed_items(self, key: str, parse: Callable[[str], _T], at_least: int, at_most: int) -> list[_T]:
        """Return what a parser makes of the texts of a list, which is required where ``at_least`` is above 0."""
        items = self._list(key, at_least, at_most)
        places = JsonObject({f"{key}[{index}]": item for index, item in enumerate(items)}, self.where, self.problems)
        found = [places.parsed(place, parse) for place in places.values]
        return [item for item in found if item is not None]

    def _value(self, key: str, kind: str, *, is_required: bool) -> object:
        if is_required and key not in self.values:
            self.problem(key, "is missing", f"Add it: {kind}")
        return self.values.get(key, _MISSING)

    def _checked(self, key: str, value: object, usable: _T | None, kind: str) -> _T | None:
        if usable is None and value is not _MISSING:
            text = json.dumps(value, ensure_ascii=False)
            shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
            self.problem(key, f"is {shown}, not {kind}", f"Write {kind}")
        return usable

    def _child(self, key: str, value: object) -> "JsonObject | None":
        if not isinstance(value, dict):
            return None
        return JsonObject(cast("dict[str, object]", value), f"{self.where}{key}.", self.problems)

    def _list(self, key: str, at_least: int, at_most: int) -> list[object]:
        kind = f"a list of {at_least} to {at_most}"
        value = self._value(key, kind, is_required=at_least > 0)
        items = cast("list[object]", value) if isinstance(value, list) else None
        found = items if items is not None and at_least <= len(items) <= at_most else None
        return self._checked(key, cast("object", value), found, kind) or []


def parse_json_object(text: bytes | str, source: str, max_bytes: int) -> JsonObject:
    """Return the top-level object of a JSON document.

    Args:
        text: The document.
        source: What the error calls it.
        max_bytes: The largest document that is read.

    Raises:
        PolicyError: The document is too large, is not JSON in UTF-8, has a key twice, or is not an object.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > max_bytes:
        raise PolicyError(source, (Problem("file", f"{len(data)} bytes", f"Use at most {max_bytes} bytes"),))
    try:
        document: object = json.loads(data.decode("utf-8"), object_pairs_hook=unique_keys, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        # what follows a semicolon is advice for whoever wrote the program
        problem = Problem(
            "file", f"not JSON ({str(error).partition(';')[0]})", "Write one JSON object in UTF-8, each key once"
        )
        raise PolicyError(source, (problem,)) from error
    if not isinstance(document, dict):
        raise PolicyError(source, (Problem("file", "not a JSON object", "Write one JSON object"),))
    return JsonObject(cast("dict[str, object]", document), "", [])


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is not JSON")
