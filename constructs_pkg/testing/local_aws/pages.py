"""Cut long lists into pages; the token is the position, which a list that only grows at its end keeps meaningful."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from constructs_pkg.errors import ServiceError

__all__ = ["page"]

_Item = TypeVar("_Item")
_POSITION = re.compile(r"after:([0-9]{1,9})")


def page(
    items: Sequence[_Item],
    parameters: dict[str, Any],
    maximum: int,
    *,
    size_name: str = "maxResults",
    token_name: str = "nextToken",  # noqa: S107 (a parameter's name)
    invalid_code: str = "ValidationException",
) -> tuple[list[_Item], str | None]:
    """Return one page and the token of the next, None for the last.

    Args:
        items: Everything, in a stable order.
        parameters: The request's.
        maximum: The longest page.
        size_name: The parameter with the size of a page.
        token_name: The parameter with the token.
        invalid_code: The error code for a token that is none of ours.

    Raises:
        ServiceError: The token is none of ours.
    """
    start = 0
    token = parameters.get(token_name)
    if token:
        start = _position(token, token_name, invalid_code)
    end = start + min(parameters.get(size_name, maximum), maximum)
    following = base64.urlsafe_b64encode(f"after:{end}".encode()).decode() if end < len(items) else None
    return list(items[start:end]), following


def _position(token: str, name: str, invalid_code: str) -> int:
    try:
        text = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise ServiceError(invalid_code, f"{name} {token[:80]!r} is not one that was returned before")
    return int(match[1])
