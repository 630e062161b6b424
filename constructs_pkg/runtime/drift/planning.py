"""What to do about what was found in one member account and Region. Decides, and touches nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .expectations import Expectations, ExpectedStackSet
from .finding import Finding
from .function_findings import approved_configs, function_findings
from .observations import Baseline, Observation
from .stack_findings import UPDATABLE, parameter_differences, stack_findings
from .values import digest

__all__ = ["Action", "Attach", "Outcome", "Plan", "RevertByChangeSet", "outcome_of", "plan"]

Outcome = Literal["clean", "exempt", "reverted", "detected", "proposed", "needs_human", "failed", "unknown"]
Decision = Literal["do", "propose"]


@dataclass(frozen=True, slots=True)
class RevertByChangeSet:
    """A change set on the member stack.

    Attributes:
        kind: ``revert`` (drift-aware, with the stack's own template) or ``template`` (the StackSet's template and
            parameters).
        name: The change set's name: the same for the same drift of the same stack.
        reason: Why, for a human.
        decision: Whether it may be executed (unless it replaces or deletes something) or only be proposed.
    """

    kind: Literal["revert", "template"]
    name: str
    reason: str
    decision: Decision

    @property
    def key(self) -> str:
        """Return what an approval calls it."""
        return f"change-set:{self.name}"


@dataclass(frozen=True, slots=True)
class Attach:
    """A function goes under its application's config.

    Attributes:
        function: Its name.
        application: Whose config.
        config_arn: The config, or None where it must first be made again.
        reason: Why, for a human.
        decision: Whether it may be done or only be proposed.
    """

    function: str
    application: str
    config_arn: str | None
    reason: str
    decision: Decision

    @property
    def key(self) -> str:
        """Return what an approval calls it."""
        return f"attach:{self.function}:{self.application}"


Action = RevertByChangeSet | Attach


@dataclass(frozen=True, slots=True)
class Plan:
    """Findings, and what to do about them, in this order."""

    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]


def plan(
    observation: Observation,
    baseline: Baseline,
    expectations: Expectations,
    stack_set: ExpectedStackSet,
    *,
    mode: str,
    at: datetime,
    approved: frozenset[str] = frozenset(),
) -> Plan:
    """Decide.

    A change set comes before attachments, because a config that it makes again has a new ARN; the StackSet's template
    before drift, because drift is measured against the stack's own template. One change set at a time: what is left
    afterwards is found by looking again.

    Args:
        observation: What was seen.
        baseline: What the StackSet says.
        expectations: What the organization says.
        stack_set: What it says about this wave.
        mode: ``detect``, ``propose`` or ``remediate``.
        at: The moment at which exemptions hold, aware.
        approved: Keys of the actions that a human has approved: these are done in every mode.

    Returns:
        The plan. It has no action where nobody but a human can help, where the state of the stack forbids it, or where
        nothing may be done.
    """
    findings = (
        *stack_findings(observation, baseline),
        *function_findings(observation, baseline, expectations, stack_set, at=at),
    )
    if mode == "detect" and not approved:
        return Plan(findings, ())

    def decision(key: str) -> Decision:
        return "do" if key in approved or mode == "remediate" else "propose"

    change_set = _change_set(observation, baseline, findings)
    actions: list[Action] = []
    if change_set is not None:
        kind, name, reason = change_set
        actions.append(RevertByChangeSet(kind, name, reason, decision(f"change-set:{name}")))
    configs = approved_configs(observation, baseline)
    for finding in findings:
        if finding.repair != "attach" or finding.exemption is not None:
            continue
        application = expectations.applications_of(finding.resource)[0].name
        config = configs.get(application)
        attach = Attach(finding.resource, application, config and config.arn, finding.explanation, "propose")
        actions.append(Attach(attach.function, application, attach.config_arn, attach.reason, decision(attach.key)))
    return Plan(findings, tuple(actions))


def _change_set(
    observation: Observation, baseline: Baseline, findings: Iterable[Finding]
) -> tuple[Literal["revert", "template"], str, str] | None:
    """Return kind, name and reason of the change set that comes next."""
    stack = observation.stack
    if stack is None or stack.status not in UPDATABLE:
        return None
    of_template = [one for one in findings if one.repair == "template"]
    of_drift = [one for one in findings if one.repair == "revert"]
    kind: Literal["revert", "template"] = "template" if of_template else "revert"
    chosen = of_template or of_drift
    if not chosen:
        return None
    what: Any
    if kind == "template":
        differences = parameter_differences(stack, baseline, observation.overrides)
        what = [
            stack.template,
            baseline.template,
            {name: [one.actual, one.expected] for name, one in differences.items()},
        ]
    else:
        drifts = sorted(observation.drifts or (), key=lambda drift: drift.logical_id)
        what = [
            [one.logical_id, one.status, [[part.path, part.actual, part.expected] for part in one.differences]]
            for one in drifts
            if one.status != "IN_SYNC"
        ] + [one.resource for one in chosen if one.kind == "warn"]
    name = f"drift-{digest([stack.stack_id, kind, what])[:16]}"
    return kind, name, "; ".join(one.explanation for one in chosen)


def outcome_of(
    findings: tuple[Finding, ...], *, mode: str, did: bool, proposed: bool = False, failed: bool = False
) -> Outcome:
    """Return the one word of a row.

    Args:
        findings: What is left, after everything that was done.
        mode: The mode of the run.
        did: Whether something was reverted.
        proposed: Whether something waits for an approval.
        failed: Whether something that should have been done could not be.

    Returns:
        The worst that holds: what is not known is never clean, whatever else went well.
    """
    open_findings = [one for one in findings if one.exemption is None]
    if failed:
        return "failed"
    if proposed:
        return "proposed"
    if mode == "detect" and any(one.tier != "unknown" for one in open_findings):
        return "detected"
    if any(one.repair != "none" for one in open_findings):
        return "needs_human"
    if open_findings:
        return "unknown"
    if did:
        return "reverted"
    return "exempt" if findings else "clean"
