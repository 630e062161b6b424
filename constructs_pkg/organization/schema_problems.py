"""What pydantic finds wrong with a table of an organization file, in words that know nothing of pydantic."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from constructs_pkg.errors import Problem
from constructs_pkg.organization.nearest_words import did_you_mean, nearest
from constructs_pkg.organization.values import shown

__all__ = ["problem_of", "telling_errors"]


def telling_errors(errors: list[ErrorDetails], model: type[BaseModel]) -> list[ErrorDetails]:
    """Leave away the errors that only follow from others.

    Args:
        errors: All errors of one table.
        model: The table's model.
    """
    meant: set[tuple[str | int, ...]] = set()
    for error in errors:
        if error["type"] == "extra_forbidden":
            table, _, _ = _described(model, error["loc"])
            meant.add((*error["loc"][:-1], nearest(str(error["loc"][-1]), table.model_fields) or ""))
    return [
        error
        for error in errors
        # a default that depends on a broken value
        if error["type"] != "default_factory_not_called"
        # a list that is short because its items are broken
        and not (error["type"] == "too_short" and error["input"])
        # a key that is there under a mistyped name
        and not (error["type"] == "missing" and error["loc"] in meant)
    ]


def problem_of(error: ErrorDetails, where: str, model: type[BaseModel]) -> Problem:
    """Translate pydantic's error into a message that names the value, and a remedy.

    Args:
        error: The error.
        where: The place of the value in the file.
        model: The model of the table that it is in.
    """
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] == "problem":
        return Problem(where, context["message"], context["remedy"])
    key = error["loc"][-1]
    table, description, is_required = _described(model, error["loc"])
    if error["type"] == "missing":
        return Problem(where, "the key is missing", f"Add it: {description}".rstrip("."))
    if error["type"] == "extra_forbidden":
        known = list(table.model_fields)
        return Problem(
            where,
            f"{shown(key)} is not a key of this table",
            did_you_mean(str(key), known, f"The keys are: {', '.join(known)}"),
        )
    if error["type"] == "too_short":
        remedy = "Name at least one" if is_required else "Name at least one, or leave the key away"
        return Problem(where, "the list is empty", remedy)
    message, remedy = _WRONG_TYPE.get(error["type"], ("is nothing that can be used here", "Read {description}"))
    value = error["input"]
    if error["type"] == "date_type" and isinstance(value, datetime):
        message = "has a time of day"
    expected = {**context, "description": description, "key": key}
    return Problem(where, f"{shown(value)} {message.format(**expected)}", remedy.format(**expected))


_WRONG_TYPE = {
    "string_type": ("is not a text", "Write a text in quotes"),
    "int_type": ("is not a whole number", "Write digits without quotes and without a fraction"),
    "bool_type": ("is neither true nor false", "Write true or false, without quotes"),
    "date_type": ("is not a date", "Write the date alone and without quotes, such as 2030-12-31"),
    "tuple_type": ("is not a list", 'Write a list in brackets, such as ["one", "two"]'),
    "model_type": ("is not a table", "Write '{key}' as a table of its own, with its keys below"),
    "literal_error": ("is none of the known words", "Write {expected}"),
    "greater_than_equal": ("is too small", "Write a number of at least {ge}"),
    "less_than_equal": ("is too large", "Write a number of at most {le}"),
}
"""What is said about each of pydantic's error types, and the remedy."""


def _described(model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[type[BaseModel], str, bool]:
    """Return the table of the key at the end of a path, the key's description, and whether it is required."""
    description, is_required = "", False
    for place, key in enumerate(path):
        info = model.model_fields.get(key) if isinstance(key, str) else None
        if info is None:
            break
        description, is_required = info.description or "", info.is_required()
        nested = info.annotation
        if place < len(path) - 1 and isinstance(nested, type) and issubclass(nested, BaseModel):
            model = nested
    return model, description, is_required
