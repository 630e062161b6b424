"""Evaluates filter patterns over JSON events, as far as ours go (CloudWatch Logs guide, "Filter pattern syntax")."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>\(|\)|&&|\|\||!=|=)|(?P<not_exists>NOT\s+EXISTS)|(?P<path>\$[^\s()=!&|]+)|"(?P<text>[^"]*)")"""
)


def filter_matches(pattern: str, event: Mapping[str, Any]) -> bool:
    """Tell whether a metric filter with this pattern counts an event; a pattern beyond our grammar is an error."""
    assert pattern.startswith("{"), pattern
    assert pattern.endswith("}"), pattern
    tokens = list(_tokens(pattern[1:-1].strip()))
    result = _any_of(tokens, event)
    assert not tokens, f"not understood: {tokens}"
    return result


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match, f"not understood: {text[position:]}"
        position = match.end()
        kind = match.lastgroup
        assert kind
        yield kind, match[kind]


def _any_of(tokens: list[tuple[str, str]], event: Mapping[str, Any]) -> bool:
    found = [_all_of(tokens, event)]
    while tokens and tokens[0] == ("sign", "||"):
        tokens.pop(0)
        found.append(_all_of(tokens, event))
    return any(found)


def _all_of(tokens: list[tuple[str, str]], event: Mapping[str, Any]) -> bool:
    found = [_term(tokens, event)]
    while tokens and tokens[0] == ("sign", "&&"):
        tokens.pop(0)
        found.append(_term(tokens, event))
    return all(found)


def _term(tokens: list[tuple[str, str]], event: Mapping[str, Any]) -> bool:
    if tokens[0] == ("sign", "("):
        tokens.pop(0)
        result = _any_of(tokens, event)
        assert tokens.pop(0) == ("sign", ")")
        return result
    kind, path = tokens.pop(0)
    assert kind == "path"
    found = _at(path, event)
    kind, operator = tokens.pop(0)
    if kind == "not_exists":
        return found is None
    kind, wanted = tokens.pop(0)
    assert kind == "text"
    if found is None:  # what is not there equals nothing and differs from nothing
        return False
    equal = re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), str(found)) is not None
    return {"=": equal, "!=": not equal}[operator]


def _at(path: str, event: Any) -> Any:
    for key, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path.removeprefix("$")):
        if key:
            event = event.get(key) if isinstance(event, Mapping) else None
        else:
            event = event[int(index)] if isinstance(event, list) and int(index) < len(event) else None
    return event
