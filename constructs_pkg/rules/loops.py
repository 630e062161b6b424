"""``Fn::ForEach`` in a template's resources, unrolled as CloudFormation's language extensions do it."""

import re
from collections.abc import Iterator, Mapping
from typing import cast

__all__ = ["unrolled"]

_LOOP = "Fn::ForEach::"
_MAX_DEPTH = 5  # AWS CloudFormation User Guide, "Fn::ForEach"


def unrolled(resources: Mapping[str, object], depth: int = 0) -> Iterator[tuple[str, object]]:
    """Yield the resources with the names and values that they have once the loops are unrolled.

    A loop over something else than a list in the template is yielded once, as it is written.

    Args:
        resources: The section ``Resources``.
        depth: How many loops it is inside of.
    """
    for logical_id, body in resources.items():
        if not logical_id.startswith(_LOOP) or depth > _MAX_DEPTH:
            yield logical_id, body
            continue
        parts = cast("list[object]", body) if isinstance(body, list) else []
        if len(parts) != 3 or not isinstance(parts[2], Mapping):
            raise ValueError(f"{logical_id} is not a list of a name, a collection and a fragment")
        name, items, written = str(parts[0]), parts[1], cast("object", parts[2])
        for item in cast("list[object]", items) if isinstance(items, list) else [f"${{{name}}}"]:
            fragment = cast("Mapping[str, object]", _replaced(written, name, str(item)))
            yield from unrolled(fragment, depth + 1)


def _replaced(value: object, name: str, item: str) -> object:
    """Put an item in the place of a loop's variable."""
    if isinstance(value, str):
        return re.sub(r"[$&]\{" + re.escape(name) + r"\}", lambda _: item, value)
    if isinstance(value, list):
        return [_replaced(one, name, item) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        body = cast("Mapping[str, object]", value)
        if body == {"Ref": name}:
            return item
        return {str(_replaced(key, name, item)): _replaced(one, name, item) for key, one in body.items()}
    return value
