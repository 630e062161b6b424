"""Which part of an intent makes a document large, measured by making the document without it."""

import copy
from collections.abc import Callable

from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = ["advice"]

_LISTS = (
    "approved_configs",
    "execution_roles",
    "exempt_functions",
    "functions",
    "invoking_principals",
    "layers",
    "pass_roles_to",
    "pipeline_services",
    "regions",
    "sibling_regions",
    "signing_profiles",
)


def advice(intent: GuardrailIntent, size: Callable[[GuardrailIntent], int]) -> str:
    """Return a sentence that names the field of the intent which costs most and what shortening it would save.

    Args:
        intent: What the document is made of.
        size: Makes the document of an intent and returns its characters.
    """
    whole = size(intent)
    saved_by: dict[str, int] = {}
    for field in _LISTS:
        values: tuple[str, ...] = getattr(intent, field)
        if len(values) > 1:
            saved_by[field] = whole - size(_with_first_only(intent, field))
    if not saved_by:
        return "Every list of the intent has one entry already: shorten the names"
    field, saved = max(saved_by.items(), key=lambda item: item[1])
    count = len(getattr(intent, field))
    return (
        f"The {count} entries of {field} take most of it: with the first alone it would have {saved:,} characters fewer"
    )


def _with_first_only(intent: GuardrailIntent, field: str) -> GuardrailIntent:
    """Not validated again: a list of one entry can contradict the others (configs of Regions that went away)."""
    shorter = copy.copy(intent)
    object.__setattr__(shorter, field, getattr(intent, field)[:1])
    return shorter
