"""Which known word was meant by a mistyped one."""

import difflib
from collections.abc import Iterable

from constructs_pkg.organization.values import shown

__all__ = ["did_you_mean", "nearest"]

_MOST_WORDS_COMPARED = 500


def did_you_mean(text: str, known: Iterable[str], otherwise: str) -> str:
    """Return a remedy that names the nearest known word, or ``otherwise`` where none is near."""
    close = nearest(text, known)
    return otherwise if close is None else f"Did you mean {shown(close)}?"


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known word that a text most resembles, None where it resembles none."""
    # difflib works in the product of the lengths, and once for every word: neither is unbounded here
    known = set(known) - {text}
    if len(known) > _MOST_WORDS_COMPARED:
        return None
    close = difflib.get_close_matches(text[:80], sorted(known), n=1)
    return close[0] if close else None
