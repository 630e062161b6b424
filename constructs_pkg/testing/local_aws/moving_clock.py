"""``POST /_local-aws/clock`` moves a local AWS's clock forward, so that a signature expires while a test looks on.

AWS has nothing like it. The clock is that of signing, of verifying, and of what they record; the sessions of roles and
MiniStack's own services stay with the machine's clock.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from constructs_pkg.testing.local_aws.internals import APP
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["CLOCK_PATH", "install"]

CLOCK_PATH = "/_local-aws/clock"
_MAX_BODY_BYTES = 1024
_MAX_DAYS = 20 * 366  # AWS Signer's longest validity is 135 months

_Asgi = Callable[[dict[str, Any], "_Receive", "_Send"], Awaitable[None]]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Move(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    advance_days: Annotated[int, Field(ge=1, le=_MAX_DAYS)]


def install(overlay: Overlay) -> None:
    """Serve `CLOCK_PATH` before MiniStack sees the request."""
    served = cast("_Asgi", APP.app)

    async def serving(scope: dict[str, Any], receive: _Receive, send: _Send) -> None:
        if scope["type"] == "http" and scope["path"] == CLOCK_PATH:
            await _answer(overlay, scope["method"], await _body(receive), send)
        else:
            await served(scope, receive, send)

    APP.app = serving


async def _body(receive: _Receive) -> bytes:
    body, is_more = b"", True
    while is_more and len(body) <= _MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return body


async def _answer(overlay: Overlay, method: str, body: bytes, send: _Send) -> None:
    days = _days(body) if method == "POST" else None
    if days is None:
        status = 400
        text = json.dumps(
            {"message": f'expected POST with {{"advance_days": N}}, N a whole number from 1 to {_MAX_DAYS}'}
        )
    else:
        overlay.advance_clock(timedelta(days=days))
        status, text = 200, json.dumps({"now": overlay.now().isoformat()})
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _days(body: bytes) -> int | None:
    """Return the days to move by; None where the body does not say."""
    try:
        return _Move.model_validate_json(body).advance_days
    except ValidationError:
        return None
