"""Makes a template shorter without changing what it says: ``Fn::Sub`` for ``Fn::Join``, repeated lists written once.

Where a template has to fit into a StackSet's request, each of the policies of many applications repeats the same lists
of actions. CloudFormation's ``Mappings`` hold lists, so that each is written once and found by ``Fn::FindInMap`` (User
Guide, "Mappings", "Fn::FindInMap", "Fn::Sub"); neither needs a transform.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["compacted", "template_bytes"]

_MAPPING = "Lists"
_UNKNOWN = ""
_VALUES = "V"  # a mapping has two levels of keys, of letters and digits
_SHORTEST_SHARED_CHARACTERS = 60
"""A reference has about 40 characters: shorter lists stay where a reader expects them."""


def compacted(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template that means the same and is shorter.

    Only the properties of resources are changed, and in them only texts that are joined without a delimiter, and lists
    of literal texts that occur more than once.

    Args:
        template: A template as parsed JSON; it is not changed. One that has a mapping called ``Lists`` keeps it, and
            its lists stay as they are.
    """
    result = cast("dict[str, Any]", _with_sub(dict(template)))
    resources = result.get("Resources", {})
    if _MAPPING in result.get("Mappings", {}):
        return result
    counted = Counter(json.dumps(found) for found in _shareable(resources))
    shared = _keys([text for text, times in counted.items() if times > 1])
    if shared:
        result["Resources"] = _with_references(resources, shared)
        lists = {key: {_VALUES: json.loads(text)} for text, key in sorted(shared.items(), key=lambda one: one[1])}
        result["Mappings"] = {**result.get("Mappings", {}), _MAPPING: lists}
    return result


def template_bytes(template: Mapping[str, Any]) -> bytes:
    """Return a template as its shortest JSON, always the same for the same template."""
    return json.dumps(template, separators=(",", ":"), sort_keys=True).encode()


def _keys(texts: list[str]) -> dict[str, str]:
    """Give each list a key that depends on what is in it, so that a change elsewhere leaves it alone."""
    digests = {text: hashlib.sha256(text.encode()).hexdigest() for text in texts}
    characters = next(
        length for length in range(4, 65) if len({digest[:length] for digest in digests.values()}) == len(texts)
    )
    return {text: "L" + digest[:characters] for text, digest in digests.items()}


def _shareable(value: object) -> Iterator[list[str]]:
    if isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            yield from _shareable(item)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        if _is_literal(items):
            yield cast("list[str]", items)
        else:
            for item in items:
                yield from _shareable(item)


def _is_literal(items: list[object]) -> bool:
    literal = all(isinstance(item, str) for item in items)
    return literal and len(json.dumps(items)) >= _SHORTEST_SHARED_CHARACTERS


def _with_references(value: object, shared: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _with_references(item, shared) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        key = shared.get(json.dumps(items)) if _is_literal(items) else None
        if key is not None:
            return {"Fn::FindInMap": [_MAPPING, key, _VALUES]}
        return [_with_references(item, shared) for item in items]
    return value


def _with_sub(value: object) -> object:
    if isinstance(value, list):
        return [_with_sub(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    keys = cast("dict[str, object]", value)
    joined = keys.get("Fn::Join")
    if len(keys) == 1 and isinstance(joined, list):
        text = _sub_text(cast("list[object]", joined))
        if text is not None:
            return {"Fn::Sub": text}
    return {key: _with_sub(item) for key, item in keys.items()}


def _sub_text(join: list[object]) -> str | None:
    """Return what ``Fn::Sub`` would take in the place of a join; None where it has a delimiter or other functions."""
    if len(join) != 2 or join[0] != "" or not isinstance(join[1], list):
        return None
    pieces: list[str] = []
    literal = ""
    for item in cast("list[object]", join[1]):
        if isinstance(item, str):
            literal += item  # texts beside each other could make a "${" together
            continue
        pieces += [literal, _reference(item) or _UNKNOWN]
        literal = ""
    pieces.append(literal)
    literals, references = pieces[::2], pieces[1::2]
    if _UNKNOWN in references or any(_is_ambiguous(one) for one in literals):
        return None
    return "".join(piece.replace("${", "${!") if index % 2 == 0 else piece for index, piece in enumerate(pieces))


def _is_ambiguous(literal: str) -> bool:
    """Tell whether a text has half of what ``Fn::Sub`` looks for: nothing says how it would be read."""
    return literal.endswith("$") or "${" in re.sub(r"\$\{[^${}!]+\}", "", literal)


def _reference(item: object) -> str | None:
    if not isinstance(item, dict) or len(cast("dict[str, object]", item)) != 1:
        return None
    ((function, argument),) = cast("dict[str, object]", item).items()
    if function == "Ref" and isinstance(argument, str):
        return f"${{{argument}}}"
    if function == "Fn::GetAtt" and isinstance(argument, list):
        names = cast("list[object]", argument)
        return f"${{{'.'.join(map(str, names))}}}" if all(isinstance(name, str) for name in names) else None
    return None
