"""Writes down which stack instances there are, in batches: every one of them ends in one row of the report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .access import Refused
from .observations import StackInstance
from .runs import Run, instance_document, read_run
from .surroundings import Surroundings, serve
from .values import mapping, text

__all__ = ["handler", "run"]


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("list_instances", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """List the instances of the run.

    Args:
        event: ``run`` and ``detection``, the answer of ``detect``.
        around: Everything outside.

    Returns:
        ``bucket`` and ``batches_key`` of an array of batches, their number, the number of instances, and ``problem``.
    """
    this = read_run(event["run"])
    problem = text(mapping(event, "detection"), "problem", "") or None
    stack_set = around.stack_sets(this.stack_set)
    baseline = stack_set.baseline()
    instances: list[StackInstance] = []
    if baseline is not None:
        scope = [(None, None)] if this.scope is None else this.scope
        try:
            for account, region in scope:
                instances.extend(stack_set.instances(account, region))
            instances = _with_siblings(instances, this, around)
        except Refused as refused:
            problem = f"the list of stack instances is not complete: {refused}"
        parameters = dict(baseline.parameters)
        around.store.write(this.keys.of("baseline.json"), {"template": baseline.template, "parameters": parameters})
    # by Region first: neighbours in a batch then do not share the limits of one account
    instances.sort(key=lambda one: (one.region, one.account))
    documents = [instance_document(one) for one in instances]
    size = around.settings.batch_instances
    batches = [
        {"batch": number, "instances": documents[first : first + size]}
        for number, first in enumerate(range(0, len(documents), size))
    ]
    around.store.write(this.keys.of("instances.json"), {"instances": documents, "problem": problem})
    around.store.write(this.keys.of("batches.json"), batches)
    return {
        "bucket": around.store.name,
        "batches_key": this.keys.of("batches.json"),
        "batches": len(batches),
        "instances": len(documents),
        "problem": problem,
    }


def _with_siblings(instances: list[StackInstance], this: Run, around: Surroundings) -> list[StackInstance]:
    """Note for each instance which stacks the wave's other StackSets made beside it: what they made is not foreign."""
    expected = around.expectations.stack_set(this.stack_set)
    siblings = () if expected is None else around.expectations.siblings_of(expected)
    stacks: dict[tuple[str, str], list[str]] = {}
    for sibling in siblings:
        for one in around.stack_sets(sibling.name).instances():
            if one.stack_id:
                stacks.setdefault((one.account, one.region), []).append(one.stack_id)
    return [replace(one, sibling_stacks=tuple(stacks.get((one.account, one.region), ()))) for one in instances]
