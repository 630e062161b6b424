"""One run of a StackSet at a time: a lease is a document that is written under a condition."""

from datetime import datetime, timedelta
from typing import Any

from .access import Refused, asking
from .runs import Run, lease_key
from .storage import Conflict
from .surroundings import Surroundings
from .values import DocumentError, mapping, moment, text, timestamp

__all__ = ["acquire", "release"]

_LASTS = timedelta(hours=12)
"""For a holder that nobody can ask about; the state machine's executions can be asked about."""

_ALIVE = frozenset({"RUNNING", "PENDING_REDRIVE"})


def acquire(run: Run, around: Surroundings) -> str | None:
    """Take the lease of the run's StackSet, or keep it; a dead holder loses it.

    Returns:
        None where the run holds the lease now; otherwise who holds it.

    Raises:
        Refused: AWS refused.
    """
    key = lease_key(run.stack_set)
    found = around.store.read(key)
    version = None
    if found is not None:
        document, version = found
        holder = _holder(document, around.now())
        if holder == run.execution:
            return None
        if holder is not None and _is_alive(holder, around):
            return holder
    lease = {"execution": run.execution, "run_id": run.run_id, "until": timestamp(around.now() + _LASTS)}
    try:
        around.store.write_if(key, lease, version)
    except Conflict:
        return "somebody who came first"
    return None


def release(run: Run, around: Surroundings) -> None:
    """Give the lease back, if the run still holds it.

    Raises:
        Refused: AWS refused.
    """
    key = lease_key(run.stack_set)
    found = around.store.read(key)
    if found is None or _holder(found[0], around.now()) != run.execution:
        return
    try:
        around.store.write_if(key, {"execution": "", "run_id": run.run_id, "until": timestamp(around.now())}, found[1])
    except Conflict:
        return  # somebody took it over in this moment: it is not ours to give back


def _holder(document: Any, now: datetime) -> str | None:  # noqa: ANN401 (any JSON)
    """Return who holds a lease; None where it is free, has lapsed, or is no lease."""
    try:
        lease = mapping({"lease": document}, "lease")
        holder, until = text(lease, "execution"), moment(text(lease, "until"))
    except DocumentError:
        return None
    return holder if holder and now < until else None


def _is_alive(holder: str, around: Surroundings) -> bool:
    if not holder.startswith("arn:"):
        return True  # a run on somebody's machine: only time tells
    try:
        with asking(f"read the execution {holder}"):
            status = around.access.central("stepfunctions").describe_execution(executionArn=holder)["status"]
    except Refused as refused:
        return refused.code != "ExecutionDoesNotExist"
    return status in _ALIVE
