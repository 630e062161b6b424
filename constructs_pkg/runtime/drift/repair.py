"""Repairs one stack instance in small steps: each looks again, does at most one thing, and says whether to come back.

Waiting is the state machine's. What was done is remembered from step to step, so that nothing is done twice and so that
what did not help is noticed; a new run, after one that was killed, goes by the state of the stack instead.
"""

from collections.abc import Mapping
from typing import Any

from .access import Refused
from .memory import read_memory, write_memory
from .runs import read_instance, read_run
from .steps import Steps
from .surroundings import Surroundings, serve

__all__ = ["MOST_ATTEMPTS", "handler", "run"]

MOST_ATTEMPTS = 60
"""How often one stack instance is looked at before it is given up."""

_MOST_CHARACTERS = 500


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("repair", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Take one step.

    Args:
        event: ``run``, ``item`` (one element of what ``gather`` wrote) and ``repair`` (what the last step answered).
        around: Everything outside.

    Returns:
        ``status``: ``WAITING`` with ``wait_seconds`` and ``attempt``; or ``DONE`` with ``outcome``, after the row was
        written down.
    """
    item: Mapping[str, Any] = event["item"]
    repair: Mapping[str, Any] = event["repair"]
    this = read_run(event["run"]).in_mode(str(item["mode"]))
    instance = read_instance(item["instance"])
    attempt = int(repair.get("attempt", 0)) + 1
    memory = read_memory(this, instance.account, instance.region, around)
    steps = Steps(this, instance, around, memory)
    try:
        answer = steps.take(is_last=attempt >= MOST_ATTEMPTS)
    except Refused as refused:
        answer = steps.refused(refused)
    finally:
        write_memory(memory, this, instance.account, instance.region, around)
        around.access.forget(instance.account)
    if isinstance(answer, dict):
        around.store.write(this.keys.repair(instance.account, instance.region), answer)
        return {"status": "DONE", "attempt": attempt, "outcome": answer["outcome"]}
    return {
        "status": "WAITING",
        "attempt": attempt,
        "wait_seconds": around.settings.wait_seconds,
        "because": answer[:_MOST_CHARACTERS],
    }
