"""The version of the object in S3's events on EventBridge, which MiniStack leaves out (S3 guide, "EventBridge")."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from constructs_pkg.testing.local_aws.internals import EVENTBRIDGE, S3
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["install"]

_version: ContextVar[str | None] = ContextVar("version_of_event", default=None)


def install(overlay: Overlay) -> None:
    """Complete the events.

    Args:
        overlay: The registry, which is not needed: functions of S3 and EventBridge are wrapped.
    """
    del overlay
    S3._fire_s3_event = _remembering_version(S3._fire_s3_event)
    EVENTBRIDGE._dispatch_event = _completing(EVENTBRIDGE._dispatch_event)


def _remembering_version(fire: Callable[..., None]) -> Callable[..., None]:
    def firing(*arguments: Any, version_id: str | None = None, **more: Any) -> None:
        token = _version.set(version_id)
        try:
            fire(*arguments, version_id=version_id, **more)
        finally:
            _version.reset(token)

    return firing


def _completing(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    def dispatching(event: dict[str, Any], *more: Any, **named: Any) -> Any:
        version = _version.get()
        if version is not None and event["Source"] == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *more, **named)

    return dispatching
