"""The steps of a repair: detect, compare, revert by a change set, attach, and look again until nothing is left."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .access import Refused
from .change_sets import ChangeSet, reasons_for_a_human
from .finding import Finding
from .function_findings import approved_configs
from .functions import Functions
from .inspect_batch import read_baseline
from .member_stacks import CHANGE_SET_PREFIX, MemberStacks
from .memory import Memory
from .observations import Baseline, Observation, ObservedConfig, StackInstance, Unreadable
from .observing import observe
from .planning import Action, Attach, Outcome, Plan, RevertByChangeSet, outcome_of, plan
from .preparing import prepare, reasons_of_uselessness
from .proposals import approved_keys, proposal_of, retract, submit
from .rows import row, unknown_row
from .runs import Run
from .stack_findings import REACHED, UPDATABLE, is_in_progress
from .surroundings import Surroundings, log
from .trail import with_authors

__all__ = ["Steps"]

_MOST_ATTACHED = 50
"""In one step: Lambda's control plane takes 15 requests a second in an account and Region (Lambda's quotas)."""

Answer = dict[str, Any] | str
"""A row, or what is waited for."""


class Steps:
    """One stack instance under repair.

    Args:
        run: The run, in the mode of this repair.
        instance: The stack instance.
        around: Everything outside.
        memory: What the last step remembered; what this step remembers is in it afterwards.
    """

    def __init__(self, run: Run, instance: StackInstance, around: Surroundings, memory: Memory) -> None:
        expected = around.expectations.stack_set(run.stack_set)
        assert expected is not None, "start only lets StackSets of the organization pass"
        self._run = run
        self._instance = instance
        self._around = around
        self._expected = expected
        self._stack_set = around.stack_sets(run.stack_set)
        self._memory = memory
        self._undetected = ""
        self._approved, self._approved_content = approved_keys(run, instance.account, instance.region, around)

    def take(self, *, is_last: bool) -> Answer:
        """Take one step.

        Args:
            is_last: Whether nobody comes back: what is not over by now is given up.

        Raises:
            Refused: AWS refused something without which there is no going on.
        """
        stack = MemberStacks(self._client("cloudformation"), self._instance.stack_id)
        described = stack.status()
        status = "" if described is None else str(described["StackStatus"])
        # A step that is repeated may not remember that it changed the stack: then its detection is of another one.
        state = f"{status} {(described or {}).get('LastUpdatedTime', '')}"
        if state != self._memory.detected:
            self._memory.detection, self._memory.detected = "", state
        if is_in_progress(status):
            return self._wait(f"the stack is {status}", is_last=is_last)
        if status in UPDATABLE:
            waiting = self._detect(stack)
            if waiting is not None:
                return self._wait(waiting, is_last=is_last)
        else:
            self._undetected = f"the stack is {status or 'gone'}, so that its drift was not detected"
        baseline = read_baseline(self._run, self._around)
        seen = self._corrected(self._see(stack, baseline), baseline)
        planned = self._plan(seen, baseline)
        if not self._memory.before:
            self._memory.before = [finding.document() for finding in self._told(planned.findings)]
        answer = self._act(stack, seen, baseline, planned)
        return self._wait(answer, is_last=is_last) if isinstance(answer, str) else answer

    def refused(self, refused: Refused) -> dict[str, Any]:
        """Return the row of an instance that AWS did not let us look at or repair."""
        if self._memory.done:
            finding = Finding("unknown", "unreadable", self._instance.account, str(refused), "none")
            return self._row("failed", (finding,), str(refused))
        return unknown_row(self._instance, str(refused))

    def _client(self, service: str) -> Any:  # noqa: ANN401 (boto3 makes its types at run time)
        return self._around.access.member(self._instance.account, service, self._instance.region)

    def _wait(self, reason: str, *, is_last: bool) -> Answer:
        if not is_last:
            return reason
        explanation = f"given up: {reason}, and it was looked at often enough"
        finding = Finding("unknown", "in-progress", self._instance.stack_id, explanation, "none")
        return self._row("failed", (finding,), explanation)

    def _detect(self, stack: MemberStacks) -> str | None:
        """Compare the stack with its template, once after each change of it; return what is waited for."""
        if not self._memory.detection:
            try:
                self._memory.detection = stack.start_detection()
            except Refused as refused:
                if refused.code in {"AccessDenied", "AccessDeniedException"}:
                    raise
                return f"another drift detection runs: {refused}"
        found = stack.detection(self._memory.detection)
        if found.status == "DETECTION_IN_PROGRESS":
            return "the drift detection of the stack is in progress"
        if found.status != "DETECTION_COMPLETE":  # some resources were looked at all the same
            self._undetected = f"the drift detection ended {found.status}: {found.reason or 'no reason given'}"
        return None

    def _see(self, stack: MemberStacks, baseline: Baseline) -> Observation:
        seen = observe(self._instance, self._around, self._stack_set, baseline, stack.drifts)
        if not self._undetected:
            return seen
        return replace(seen, unreadable=(*seen.unreadable, Unreadable("drift", self._undetected)))

    def _plan(self, seen: Observation, baseline: Baseline) -> Plan:
        return plan(
            seen,
            baseline,
            self._around.expectations,
            self._expected,
            mode=self._run.mode,
            at=self._around.now(),
            approved=self._approved,
        )

    def _corrected(self, seen: Observation, baseline: Baseline) -> Observation:
        """Ask about functions that we attached and that no listing shows so: listings lag behind for a while."""
        approved = approved_configs(seen, baseline)
        keys = [key.split(":")[1:] for key in self._memory.done if key.startswith("attach:")]
        missing = [name for name, application in keys if not _is_under(name, approved.get(application))]
        if seen.configs is None or not missing:
            return seen
        functions = Functions(self._client("lambda"))
        real = {name: functions.config_of(name) for name in missing}

        def corrected(config: ObservedConfig) -> ObservedConfig:
            kept = {name for name in config.functions if real.get(name, config.arn) == config.arn}
            kept |= {name for name, arn in real.items() if arn == config.arn}
            return replace(config, functions=tuple(sorted(kept)))

        return replace(seen, configs=tuple(corrected(config) for config in seen.configs))

    def _act(self, stack: MemberStacks, seen: Observation, baseline: Baseline, planned: Plan) -> Answer:
        """Do the first thing that there is to do; without any, the row."""
        change: RevertByChangeSet | None = None
        attachments: list[Attach] = []
        for action in planned.actions:
            if isinstance(action, RevertByChangeSet):
                change = action
            else:
                attachments.append(action)
        if change is not None:
            answer = self._change_set(stack, seen, baseline, planned, change)
            if answer is not None:
                return answer
        return self._attach(stack, planned, attachments, is_blocked=change is not None)

    # -- change sets ---------------------------------------------------------------------------------------------------

    def _change_set(
        self, stack: MemberStacks, seen: Observation, baseline: Baseline, planned: Plan, action: RevertByChangeSet
    ) -> Answer | None:
        """Make, read and execute a change set; None where CloudFormation finds nothing that it would change."""
        if action.key in self._memory.done:
            status = stack.status() or {}
            why = f"the change set {action.name} was executed and the same drift is there again; the stack is "
            why += f"{status.get('StackStatus', 'gone')}: {status.get('StackStatusReason') or 'no reason given'}"
            return self._row("failed", planned.findings, why)
        found = prepare(stack, self._memory, action.name, lambda: self._make(stack, seen, baseline, action))
        if isinstance(found, ChangeSet):
            return self._decide(stack, planned, action, found)
        return found

    def _make(self, stack: MemberStacks, seen: Observation, baseline: Baseline, action: RevertByChangeSet) -> None:
        assert seen.stack is not None, "a change set is planned for a stack that was read"
        if action.kind == "revert":
            stack.create_revert(action.name, seen.stack.parameters)
            return
        self._require_at_rest(baseline)
        parameters = {**baseline.parameters, **seen.overrides}
        stack.create_from(action.name, self._around.template_to_give(self._stack_set.template()), parameters)

    def _require_at_rest(self, baseline: Baseline) -> None:
        """Refuse to bring a stack to what the StackSet was before, or to what a rollout has not brought it yet."""
        doing = f"give {self._instance.account} in {self._instance.region} the StackSet's template"
        if self._stack_set.baseline() != baseline:
            raise Refused(doing, "StackSetChanged", "the StackSet has changed since this run began: the next one looks")
        status = self._stack_set.status(self._instance)
        if status != REACHED:
            raise Refused(doing, "RolloutInProgress", f"the stack instance is {status}: the rollout comes first")

    def _decide(self, stack: MemberStacks, planned: Plan, action: RevertByChangeSet, found: ChangeSet) -> Answer:
        reasons = reasons_for_a_human(found, action.kind)
        is_approved = action.key in self._approved and found.digest == self._approved_content
        if is_approved or (action.decision == "do" and action.key not in self._approved and not reasons):
            stack.execute(found.name, found.change_set_id)
            self._memory.done[action.key] = f"executed the change set {found.name}: {action.reason}"
            self._memory.detection = ""  # the stack is another one now
            return f"the change set {found.name} is executed"
        if self._run.approved is not None and action.key in self._approved:
            reasons = ("it is not the change set that was approved: its changes are others", *reasons)
        if self._attach_some(planned.actions):
            return "functions were attached: looking again"
        return self._propose(planned, planned.actions, found, reasons or ("the wave asks for a human",), stack)

    # -- attachments ---------------------------------------------------------------------------------------------------

    def _attach(self, stack: MemberStacks, planned: Plan, attachments: list[Attach], *, is_blocked: bool) -> Answer:
        if self._attach_some(attachments):
            return "functions were attached: looking again"
        undone = [one for one in attachments if one.key in self._memory.done]
        if undone:
            names = ", ".join(one.function for one in undone)
            return self._row("failed", planned.findings, f"attached, and not under the config when read again: {names}")
        waiting: list[Action] = [one for one in attachments if one.decision == "propose" and one.config_arn is not None]
        if waiting:
            return self._propose(planned, tuple(waiting), None, ("the wave asks for a human",), None)
        return self._finish(stack, planned, is_blocked=is_blocked)

    def _attach_some(self, actions: Iterable[Action]) -> bool:
        """Attach what may be attached, not too many at a time; return whether there was anything."""
        ready = [
            (one, one.config_arn)
            for one in actions
            if isinstance(one, Attach) and one.config_arn and one.decision == "do" and one.key not in self._memory.done
        ]
        functions = Functions(self._client("lambda"))
        for one, config_arn in ready[:_MOST_ATTACHED]:
            if functions.config_of(one.function) != config_arn:
                functions.attach(one.function, config_arn)
            self._memory.done[one.key] = f"put the function {one.function} under {config_arn}"
        return bool(ready)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def _propose(
        self,
        planned: Plan,
        actions: tuple[Action, ...],
        change_set: ChangeSet | None,
        reasons: tuple[str, ...],
        stack: MemberStacks | None,
    ) -> dict[str, Any]:
        where = self._instance.account, self._instance.region
        made = proposal_of(self._run, *where, self._instance.stack_id, actions, change_set, reasons, self._around)
        proposal = submit(made, self._around)
        if stack is not None and change_set is not None:
            self._tidy(stack, but=change_set.name)
        return self._row("proposed", planned.findings, "; ".join(reasons), proposal)

    def _finish(self, stack: MemberStacks, planned: Plan, *, is_blocked: bool) -> dict[str, Any]:
        outcome = outcome_of(planned.findings, mode=self._run.mode, did=bool(self._memory.done))
        account, region = self._instance.account, self._instance.region
        if self._run.mode != "detect" and retract(self._run, account, region, self._around):
            self._tidy(stack, but="")
        explanation = ""
        if is_blocked:
            explanation = f"CloudFormation cannot revert this: {'; '.join(reasons_of_uselessness(self._memory))}"
        return self._row(outcome, planned.findings, explanation)

    def _tidy(self, stack: MemberStacks, *, but: str) -> None:
        """Delete our change sets about drift that is not there any more; that this fails harms nothing."""
        try:
            stack.delete(name for name in stack.change_sets() if name.startswith(CHANGE_SET_PREFIX) and name != but)
        except Refused as refused:
            log("WARNING", str(refused), account=self._instance.account, region=self._instance.region)

    def _row(
        self,
        outcome: Outcome,
        findings: tuple[Finding, ...],
        explanation: str = "",
        proposal: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        told = self._told(findings)
        made = row(
            self._instance, outcome, told, did=self._memory.done.values(), explanation=explanation, proposal=proposal
        )
        return {**made, "before": self._memory.before}

    def _told(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return with_authors(
            findings,
            self._around.trail_of(self._instance.account, self._instance.region),
            at=self._around.now(),
            ours=self._around.expectations.member_role,
        )


def _is_under(function: str, config: ObservedConfig | None) -> bool:
    return config is not None and function in config.functions
