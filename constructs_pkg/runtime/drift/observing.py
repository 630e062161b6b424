"""Looks at one member account and Region; a part that AWS refuses to show is noted, and the others are looked at."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .access import Refused
from .functions import Functions, signing_profiles
from .member_stacks import MemberStacks
from .observations import Baseline, MemberStack, Observation, ResourceDrift, StackInstance, Unreadable
from .stack_findings import parameter_differences
from .stack_sets import StackSets
from .surroundings import Surroundings

__all__ = ["observe"]

_T = TypeVar("_T")
_CLOSED = frozenset({"INOPERABLE", "SKIPPED_SUSPENDED_ACCOUNT"})


class _Reading:
    """Reads parts, and notes those that cannot be read."""

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []

    def part(self, name: str, reading: Callable[[], _T]) -> _T | None:
        try:
            return reading()
        except Refused as refused:
            self.unreadable.append(Unreadable(name, str(refused)))
            return None


def observe(
    instance: StackInstance,
    around: Surroundings,
    stack_set: StackSets,
    baseline: Baseline,
    drifts: Callable[[], tuple[ResourceDrift, ...]],
) -> Observation:
    """Look at everything in one account and Region.

    Args:
        instance: The stack instance.
        around: Everything outside.
        stack_set: Its StackSet.
        baseline: What the StackSet says.
        drifts: Reads the drift of the stack's resources.

    Returns:
        What was seen, and what could not be seen.
    """
    if instance.status in _CLOSED or not instance.stack_id:
        return Observation(instance)
    reading = _Reading()
    account, region = instance.account, instance.region
    client = reading.part("role", lambda: around.access.member(account, "cloudformation", region))
    if client is None:
        return Observation(instance, unreadable=tuple(reading.unreadable))
    stack = reading.part("stack", MemberStacks(client, instance.stack_id).read)
    is_gone = stack is None and not reading.unreadable
    functions = Functions(around.access.member(account, "lambda", region))
    signer = around.access.member(account, "signer", region)
    return Observation(
        instance=instance,
        drifts=None if is_gone else reading.part("drift", drifts),
        stack=stack,
        is_gone=is_gone,
        overrides=_overrides(instance, stack, baseline, stack_set, reading),
        configs=reading.part("code signing configs", functions.configs),
        functions=reading.part("functions", functions.listed),
        siblings=_siblings(instance, client, reading),
        profiles=reading.part("signing profiles", lambda: signing_profiles(signer)),
        unreadable=tuple(reading.unreadable),  # last: the arguments are read in this order
    )


def _siblings(instance: StackInstance, client: Any, reading: _Reading) -> frozenset[str] | None:
    """Return what the stacks of the wave's other StackSets made in the same account and Region."""

    def made() -> frozenset[str]:
        stacks = [MemberStacks(client, stack_id) for stack_id in instance.sibling_stacks]
        return frozenset(physical_id for stack in stacks for physical_id in stack.resources().values())

    return reading.part("stacks of the wave's other parts", made)


def _overrides(
    instance: StackInstance, stack: MemberStack | None, baseline: Baseline, stack_set: StackSets, reading: _Reading
) -> Mapping[str, str]:
    """Ask for an instance's own parameters only where a parameter is another than the StackSet's."""
    if stack is None or not parameter_differences(stack, baseline, {}):
        return {}
    return reading.part("parameter overrides", lambda: stack_set.overrides(instance)) or {}
