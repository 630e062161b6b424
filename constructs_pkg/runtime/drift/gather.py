"""Brings together what all batches found, and writes down which stack instances get a repair, and in which mode."""

from collections.abc import Mapping
from typing import Any

from .runs import read_run
from .surroundings import Surroundings, log, serve

__all__ = ["handler", "run"]


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("gather", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Gather.

    Where more instances want a repair than a run may do without a human, something else than drift is going on (a
    mistake in the baseline, an attack, a change of AWS's): then all of them are proposed and none is done.

    Args:
        event: ``run``.
        around: Everything outside.

    Returns:
        ``bucket`` and ``repairs_key`` of an array of repairs, and their number.
    """
    this = read_run(event["run"])
    repairs: list[dict[str, Any]] = []
    for key in around.store.keys(this.keys.of("inspections/")):
        found = around.store.read(key)
        if found is not None:
            repairs.extend(found[0]["repairs"])
    mode = this.mode
    if mode == "remediate" and len(repairs) > around.settings.most_repairs:
        mode = "propose"
        log("WARNING", f"{len(repairs)} repairs are more than {around.settings.most_repairs}: all are proposed only")
    items = [{"instance": instance, "mode": mode} for instance in repairs]
    around.store.write(this.keys.of("repairs.json"), items)
    return {
        "bucket": around.store.name,
        "repairs_key": this.keys.of("repairs.json"),
        "repairs": len(items),
        "mode": mode,
    }
