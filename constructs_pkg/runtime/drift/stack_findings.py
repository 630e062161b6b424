"""The tiers ``declared`` and ``template``, and what about a stack instance keeps it from being judged at all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .finding import Finding
from .observations import Baseline, MemberStack, Observation, ResourceDrift, StackInstance

__all__ = ["MASKED", "REACHED", "UPDATABLE", "is_in_progress", "stack_findings"]

UPDATABLE = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
})  # fmt: skip
"""The states of a stack in which CloudFormation takes a change set (botocore 1.43.106, shape ``StackStatus``)."""

REACHED = "SUCCEEDED"
"""The state of an instance that has what the StackSet gives it."""

_ON_ITS_WAY = frozenset({"PENDING", "RUNNING"})
_DRIFTED = {"MODIFIED": "modified", "DELETED": "deleted"}
MASKED = "****"
"""What CloudFormation shows for the value of a parameter with ``NoEcho``."""
_MOST_SHOWN = 5
_MOST_CHARACTERS = 200


def is_in_progress(status: str) -> bool:
    """Tell whether a stack is on its way to another state."""
    return status.endswith("_IN_PROGRESS")


def stack_findings(observation: Observation, baseline: Baseline) -> Iterator[Finding]:
    """Find what is wrong with the member stack and its resources.

    Args:
        observation: What was seen.
        baseline: What the StackSet says.
    """
    for unreadable in observation.unreadable:
        yield Finding(
            "unknown",
            "unreadable",
            unreadable.part,
            f"{unreadable.part} could not be read: {unreadable.reason}",
            "none",
        )
    yield from _instance_findings(observation.instance)
    if observation.is_gone:
        explanation = (
            "the member stack does not exist any more, with all its resources. Let the StackSet make it again: "
            "delete this stack instance with RetainStacks and deploy to the account again"
        )
        yield Finding("declared", "stack-gone", observation.instance.stack_id, explanation, "human")
    stack = observation.stack
    if stack is not None:
        yield from _status_findings(stack)
        yield from _template_findings(observation.instance, stack, baseline, observation.overrides)
    for drift in observation.drifts or ():
        yield from _drift_findings(drift)


def _instance_findings(instance: StackInstance) -> Iterator[Finding]:
    if instance.status == "INOPERABLE":
        explanation = (
            f"StackSets calls the stack instance INOPERABLE ({instance.reason or 'no reason given'}) and updates it no "
            "more. Delete the stack instance with RetainStacks, delete the stack by hand, deploy to the account again"
        )
        yield Finding("unknown", "inoperable", instance.stack_id, explanation, "human")
    elif instance.status == "SKIPPED_SUSPENDED_ACCOUNT":
        explanation = "the account is suspended: nothing in it can be read"
        yield Finding("unknown", "suspended", instance.account, explanation, "none")
    elif not instance.stack_id:
        reason = instance.reason or "no reason given"
        explanation = f"the stack instance is {instance.status or 'there'} and has no stack: {reason}"
        yield Finding("unknown", "no-stack", instance.account, explanation, "human")


def _status_findings(stack: MemberStack) -> Iterator[Finding]:
    if stack.status in UPDATABLE:
        return
    if is_in_progress(stack.status):
        explanation = f"the member stack is {stack.status}: somebody changes it right now"
        yield Finding("unknown", "in-progress", stack.stack_id, explanation, "none")
        return
    explanation = (
        f"the member stack is {stack.status} ({stack.reason or 'no reason given'}): CloudFormation changes nothing in "
        "it until a human has continued the rollback or deleted the stack"
    )
    yield Finding("declared", "stack-status", stack.stack_id, explanation, "human")


def _template_findings(
    instance: StackInstance, stack: MemberStack, baseline: Baseline, overrides: Mapping[str, str]
) -> Iterator[Finding]:
    """Find another template and other parameters; where an operation has not reached the instance, that is no drift."""
    found: list[Finding] = []
    if stack.template != baseline.template:
        explanation = "the member stack has another template than the StackSet: somebody updated the stack itself"
        found.append(Finding("template", "template", stack.stack_id, explanation, "template", stack.stack_id))
    for name, difference in parameter_differences(stack, baseline, overrides).items():
        explanation = (
            f"the parameter {name} of the member stack is {difference.actual!r}; "
            f"the StackSet gives it {difference.expected!r}"
        )
        found.append(Finding("template", "parameter", name, explanation, "template", stack.stack_id))
    if not found or instance.status == REACHED:
        yield from found
    elif instance.status in _ON_ITS_WAY:
        explanation = f"an operation of the StackSet is about to change the member stack: it is {instance.status}"
        yield Finding("unknown", "in-progress", stack.stack_id, explanation, "none")
    else:
        explanation = (
            f"the StackSet's last operation did not reach the member stack, which is {instance.status or 'outdated'} "
            f"({instance.reason or 'no reason given'}). Go on with the rollout: drift remediation does not overtake it"
        )
        yield Finding("template", "outdated", stack.stack_id, explanation, "human", stack.stack_id)


@dataclass(frozen=True, slots=True)
class ParameterDifference:
    """A parameter whose value is another than the StackSet's."""

    expected: str
    actual: str


def parameter_differences(
    stack: MemberStack, baseline: Baseline, overrides: Mapping[str, str]
) -> dict[str, ParameterDifference]:
    """Return the parameters with other values than the StackSet and the instance's overrides give them.

    What CloudFormation masks (``NoEcho``) cannot be compared and is left out; what only the template gives a default
    is compared with nothing.
    """
    expected = {**baseline.parameters, **overrides}
    return {
        name: ParameterDifference(expected[name], actual)
        for name, actual in sorted(stack.parameters.items())
        if name in expected and actual != expected[name] and MASKED not in actual + expected[name]
    }


def _drift_findings(drift: ResourceDrift) -> Iterator[Finding]:
    kind, is_of_iam = _DRIFTED.get(drift.status), drift.resource_type.startswith("AWS::IAM::")
    if kind == "deleted":
        explanation = f"{drift.logical_id} ({drift.resource_type}) was deleted"
        yield Finding("declared", kind, drift.logical_id, explanation, "revert", drift.physical_id, is_of_iam=is_of_iam)
    elif kind == "modified":
        shown = [
            f"{one.path} is {_shown(one.actual)}, should be {_shown(one.expected)}"
            for one in drift.differences[:_MOST_SHOWN]
        ]
        more = len(drift.differences) - len(shown)
        parts = "; ".join(shown) + (f"; and {more} more" if more > 0 else "")
        explanation = f"{drift.logical_id} ({drift.resource_type}) was changed: {parts or 'no difference is named'}"
        yield Finding("declared", kind, drift.logical_id, explanation, "revert", drift.physical_id, is_of_iam=is_of_iam)
    elif drift.status != "IN_SYNC":
        explanation = (
            f"CloudFormation cannot say whether {drift.logical_id} ({drift.resource_type}) drifted: {drift.status}"
        )
        yield Finding("unknown", "not-checked", drift.logical_id, explanation, "none", drift.physical_id)


def _shown(value: str) -> str:
    """Return a value, shortened: policy documents have thousands of characters."""
    return value[:_MOST_CHARACTERS] + "…" if len(value) > _MOST_CHARACTERS else value or "absent"
