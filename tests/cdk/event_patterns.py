"""Matches events with EventBridge patterns, as far as our patterns go (EventBridge user guide, "Event patterns")."""

import re
from collections.abc import Mapping
from typing import Any


def pattern_matches(pattern: Mapping[str, Any], event: Mapping[str, Any] | None) -> bool:
    return all(
        any(pattern_matches(one, event) for one in wanted)
        if key == "$or"
        else _key_matches(wanted, None if event is None else event.get(key))
        for key, wanted in pattern.items()
    )


def _key_matches(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, Mapping):
        candidates = found if isinstance(found, list) else [found]
        return any(pattern_matches(wanted, one if isinstance(one, Mapping) else None) for one in candidates)
    return any(_matcher_matches(matcher, found) for matcher in wanted)


def _matcher_matches(matcher: Any, found: Any) -> bool:
    if not isinstance(matcher, Mapping):
        return found == matcher or (isinstance(found, list) and matcher in found)
    ((kind, argument),) = matcher.items()
    if kind == "exists":
        return (found is not None) == argument
    if isinstance(found, list):  # "Arrays in event patterns": one element is enough
        return any(_matcher_matches(matcher, one) for one in found)
    if not isinstance(found, str):
        return False  # every other matcher needs the key
    match kind:
        case "prefix":
            return found.startswith(argument)
        case "anything-but":
            return found != argument
        case "wildcard":
            return re.fullmatch(".*".join(map(re.escape, argument.split("*"))), found) is not None
    raise NotImplementedError(kind)
