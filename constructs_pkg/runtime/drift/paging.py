"""Follows the pages of an AWS listing, and notices when a listing goes round in circles."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

from collections.abc import Callable, Iterator
from typing import Any

from .access import Refused, asking

__all__ = ["pages"]

_MOST_PAGES = 10_000


def pages(
    doing: str, call: Callable[..., Any], *, marker: str = "NextToken", next_marker: str = "", **parameters: Any
) -> Iterator[Any]:
    """Yield every page of a listing.

    Args:
        doing: What is tried, as it follows "cannot".
        call: The client's method.
        marker: The name of the parameter that asks for the next page.
        next_marker: Where the answer says what to give for it, if not under the same name.
        parameters: The other parameters.

    Raises:
        Refused: AWS refused, or a page refers to one that was there before: what follows is then unknown.
    """
    seen: set[str] = set()
    following: dict[str, Any] = {}
    while True:
        with asking(doing):
            page = call(**parameters, **following)
        yield page
        following_page = page.get(next_marker or marker)
        if not following_page:
            return
        if following_page in seen or len(seen) >= _MOST_PAGES:
            raise Refused(doing, "RepeatedPage", "a page of the listing came again; what would follow is not known")
        seen.add(following_page)
        following = {marker: following_page}
