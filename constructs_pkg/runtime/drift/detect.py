"""Lets StackSets detect drift, and says whether that is over; nothing waits in here."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .access import Refused
from .runs import Run, read_run
from .stack_sets import StackSets
from .surroundings import Surroundings, serve

__all__ = ["handler", "run"]

_NAMESPACE = uuid.UUID("5d6f0a5e-6f0e-5c55-9a31-6a3d1f0c7e21")
_PATIENCE = timedelta(hours=4)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("detect", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Start the run's drift detection, or look how far it is.

    Args:
        event: ``run``.
        around: Everything outside.

    Returns:
        ``status``: ``WAITING`` with ``wait_seconds``, or ``DONE`` with ``operation_id`` (None where the stacks are
        looked at one by one) and ``problem`` (None where all is well).
    """
    this = read_run(event["run"])
    stack_set = around.stack_sets(this.stack_set)
    if stack_set.baseline() is None:
        return _done(None, f"the StackSet {this.stack_set} does not exist. Deploy the rollout, or take the wave away")
    if this.scope is not None:
        return _done(None)
    operation_id = str(uuid.uuid5(_NAMESPACE, this.run_id))
    operation = stack_set.operation(operation_id)
    if operation is not None and not operation.is_running:
        # A detection that failed for some stacks has still looked at the others.
        problem = None if operation.status == "SUCCEEDED" else f"the drift detection ended {operation.status}"
        return _done(operation_id, problem)
    if around.now() - this.started_at > _PATIENCE:
        return _done(None, f"the drift detection was not over after {_PATIENCE}: StackSets is busy, or hangs")
    if operation is None:
        return _begin(this, stack_set, operation_id, around)
    return {"status": "WAITING", "wait_seconds": around.settings.wait_seconds}


def _begin(this: Run, stack_set: StackSets, operation_id: str, around: Surroundings) -> dict[str, Any]:
    waiting = {"status": "WAITING", "wait_seconds": around.settings.wait_seconds}
    try:
        stack_set.detect_drift(operation_id)
    except Refused as refused:
        # Whether it began all the same, or another operation is in its way, is seen by looking again.
        if next(iter(stack_set.instances()), None) is None:
            return _done(None)
        if refused.code in {"AccessDenied", "AccessDeniedException"}:
            return _done(None, str(refused))
        return {**waiting, "reason": f"{this.stack_set}: {refused}"}
    return waiting


def _done(operation_id: str | None, problem: str | None = None) -> dict[str, Any]:
    return {"status": "DONE", "operation_id": operation_id, "problem": problem}
