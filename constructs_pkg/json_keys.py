"""JSON objects in which no key is there twice, for every reader of JSON from outside."""

__all__ = ["unique_keys"]

_SHOWN_CHARACTERS = 60


def unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object, as ``object_pairs_hook`` of ``json.loads``.

    Args:
        pairs: Its keys and values, as they stand in the document.

    Raises:
        ValueError: A key is there twice: two readers could take different values.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:_SHOWN_CHARACTERS]!r} is there twice")
    return found
