"""Looks at a batch of stack instances, and says for each what was found and whether there is something to do."""

from collections.abc import Mapping
from typing import Any

from .access import Refused
from .observations import Baseline, ResourceDrift, StackInstance, approved_config_resources
from .observing import observe
from .planning import outcome_of, plan
from .rows import row, unknown_row
from .runs import Run, instance_document, read_instance, read_run
from .surroundings import Surroundings, serve
from .trail import with_authors
from .values import mapping, mappings, text

__all__ = ["handler", "read_baseline", "run"]

_CERTAIN = "IN_SYNC"


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("inspect_batch", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Inspect a batch.

    Args:
        event: ``run``, ``detection`` and ``batch``, one element of the batches of ``list_instances``.
        around: Everything outside.

    Returns:
        How many instances are clean, drifted and unknown; the rows are written down.
    """
    this = read_run(event["run"])
    batch: Mapping[str, Any] = event["batch"]
    operation_id = text(mapping(event, "detection"), "operation_id", "") or None
    baseline = read_baseline(this, around)
    rows: list[dict[str, Any]] = []
    repairs: list[dict[str, Any]] = []
    for document in mappings(batch, "instances"):
        instance = read_instance(document)
        found, has_work = _Inspection(this, around, baseline, operation_id).of(instance)
        around.access.forget(instance.account)
        rows.append(found)
        if has_work:
            repairs.append(instance_document(instance))
    around.store.write(this.keys.inspection(int(batch["batch"])), {"rows": rows, "repairs": repairs})
    outcomes = [one["outcome"] for one in rows]
    clean = outcomes.count("clean") + outcomes.count("exempt")
    unknown = outcomes.count("unknown")
    return {"batch": batch["batch"], "clean": clean, "unknown": unknown, "drifted": len(rows) - clean - unknown}


class _Inspection:
    def __init__(self, this: Run, around: Surroundings, baseline: Baseline, operation_id: str | None) -> None:
        expected = around.expectations.stack_set(this.stack_set)
        assert expected is not None, "start only lets StackSets of the organization pass"
        self._this = this
        self._around = around
        self._baseline = baseline
        self._expected = expected
        self._operation_id = operation_id
        self._stack_set = around.stack_sets(this.stack_set)

    def of(self, instance: StackInstance) -> tuple[dict[str, Any], bool]:
        """Return the row of an instance, and whether ``repair`` has to look at it."""
        if self._this.scope is not None:
            # There is no detection to build on: the stack gets one of its own, which takes time.
            return unknown_row(instance, "its own drift detection did not come to an end"), bool(instance.stack_id)
        around, at = self._around, self._around.now()
        seen = observe(instance, around, self._stack_set, self._baseline, lambda: self._drifts(instance))
        planned = plan(seen, self._baseline, around.expectations, self._expected, mode=self._this.mode, at=at)
        findings = with_authors(
            planned.findings,
            around.trail_of(instance.account, instance.region),
            at=at,
            ours=around.expectations.member_role,
        )
        # Should the repair be lost, this row stays: what nobody has reverted is for a human.
        outcome = outcome_of(findings, mode=self._this.mode, did=False)
        is_undetected = seen.stack is not None and seen.drifts is None and self._this.mode != "detect"
        return row(instance, outcome, findings), bool(planned.actions) or is_undetected

    def _drifts(self, instance: StackInstance) -> tuple[ResourceDrift, ...]:
        doing = f"tell the drift of {instance.account} in {instance.region}"
        if self._operation_id is None:
            raise Refused(doing, "NotDetected", "there was no drift detection")
        if instance.drift_status == _CERTAIN:
            return ()
        if instance.drift_status != "DRIFTED":
            raise Refused(doing, "NotDetected", f"StackSets says {instance.drift_status}")
        return self._stack_set.drifts(instance, self._operation_id)


def read_baseline(this: Run, around: Surroundings) -> Baseline:
    """Read what ``list_instances`` wrote down of the StackSet.

    Raises:
        Refused: It is not there.
    """
    found = around.store.read(this.keys.of("baseline.json"))
    if found is None:
        raise Refused("read the baseline of the run", "NoSuchKey", f"{this.keys.of('baseline.json')} is not there")
    template = found[0].get("template")
    parameters = {name: str(value) for name, value in mapping(found[0], "parameters").items()}
    return Baseline(template, parameters, approved_config_resources(template))
