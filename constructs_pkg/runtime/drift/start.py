"""The first task: what does the event ask for, and may it run now?"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from .events import Approval, Foreign, Manual, Operation, Schedule, Tampering, Target, parse_event
from .leases import acquire
from .runs import Approved, Run, proposal_key, run_id_of
from .siblings import start_siblings
from .surroundings import Surroundings, serve
from .values import DocumentError, moment

__all__ = ["handler", "run"]

_PATIENCE = timedelta(minutes=30)
_WAIT_SECONDS = 60


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    return serve("start", run, event)


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Say whether a run begins.

    Args:
        event: ``event`` (the input of the execution), ``execution`` (its ARN), ``started_at`` (its beginning).
        around: Everything outside.

    Returns:
        ``status``: ``GO`` with ``run``; ``WAITING`` with ``wait_seconds``; ``BUSY`` or ``IGNORED``; with ``reason``.
    """
    asked = parse_event(event.get("event"), around.expectations)
    if isinstance(asked, Foreign):
        return {"status": "IGNORED", "reason": asked.reason}
    execution, started_at = str(event["execution"]), _moment(event.get("started_at"), around)
    found = _Asked(around, execution).resolve(asked)
    if isinstance(found, str):
        return {"status": "IGNORED", "reason": found}
    stack_set, mode, trigger, scope, approved = found
    expected = around.expectations.stack_set(stack_set)
    assert expected is not None, "every resolved event names a StackSet of the organization"
    beginning = Run(
        run_id=run_id_of(expected.wave, execution, started_at),
        stack_set=expected.name,
        wave=expected.wave,
        mode=mode or expected.drift,
        trigger=trigger,
        scope=scope,
        approved=approved,
        execution=execution,
        started_at=started_at,
    )
    holder = acquire(beginning, around)
    if holder is None:
        around.store.write(beginning.keys.of("run.json"), beginning.document())
        return {"status": "GO", "run": beginning.document()}
    reason = f"a run of {expected.name} is in progress: {holder}"
    # The run in progress may be past that account already, so that a change must not be forgotten.
    if isinstance(asked, Schedule) or around.now() - started_at > _PATIENCE:
        return {"status": "BUSY", "reason": reason}
    return {"status": "WAITING", "wait_seconds": _WAIT_SECONDS, "reason": reason}


_Scope = tuple[tuple[str, str], ...] | None
_Resolved = tuple[str, str | None, str, _Scope, Approved | None]


class _Asked:
    """Finds the StackSet that an event is about, or the reason why it is about none."""

    def __init__(self, around: Surroundings, execution: str) -> None:
        self._around = around
        self._execution = execution

    def resolve(self, asked: Schedule | Tampering | Operation | Manual | Approval) -> _Resolved | str:
        match asked:
            case Schedule():
                return asked.wave, None, "schedule", None, None
            case Tampering():
                return self._tampering(asked)
            case Operation():
                return self._operation(asked)
            case Manual():
                return self._manual(asked)
            case Approval():
                return self._approval(asked)
        assert_never(asked)

    def _tampering(self, asked: Tampering) -> _Resolved | str:
        known = self._around.expectations.stack_sets
        scopes = {
            one.name: scope
            for one in known
            if asked.stack_set in {None, one.name}
            if (scope := self._instances(one.name, (asked.target,)))
        }
        if scopes:
            first, *others = scopes
            # before the lease is asked for: what waits or ends here must not keep the others waiting
            change = {
                "kind": "tampering",
                "account": asked.target.account,
                "region": asked.target.region,
                "call": asked.call,
                "by": asked.by,
                "event_id": asked.event_id,
            }
            start_siblings(({**change, "stack_set": one} for one in others), self._execution, self._around)
            trigger = f"{asked.call} by {asked.by} in {asked.target.account} (event {asked.event_id or 'without id'})"
            return first, None, trigger, scopes[first], None
        where = f"{asked.target.account} in {asked.target.region or 'any Region'}"
        return f"{asked.call} happened in {where}, where there is no stack instance of ours"

    def _operation(self, asked: Operation) -> _Resolved | str:
        found = self._around.stack_sets(asked.stack_set).operation(asked.operation_id)
        if found is None:
            return f"the operation {asked.operation_id} is none of {asked.stack_set}"
        if found.action == "DETECT_DRIFT":
            return f"the operation {asked.operation_id} is a drift detection, and changed nothing"
        trigger = f"the operation {found.action} {asked.operation_id} ended {asked.status}"
        return asked.stack_set, None, trigger, None, None

    def _manual(self, asked: Manual) -> _Resolved | str:
        known = self._around.expectations.stack_sets
        scopes = {one.name: self._scope(one.name, asked) for one in known if asked.wave in {one.name, one.wave}}
        found = {name: scope for name, scope in scopes.items() if scope != ()}
        if not found:
            return f"there is no stack instance of {' or '.join(scopes)} in these accounts and Regions"
        first, *others = found
        wish = {"kind": "manual", "mode": asked.mode or "", "accounts": asked.accounts, "regions": asked.regions}
        start_siblings(({**wish, "wave": one} for one in others), self._execution, self._around)
        return first, asked.mode, "a human", found[first], None

    def _scope(self, stack_set: str, asked: Manual) -> _Scope:
        """Return the stack instances that a human asks for; None for all of them, which need not be listed."""
        if not asked.accounts and not asked.regions:
            return None
        targets = [Target(account, None) for account in asked.accounts] or [Target("", None)]
        found = self._instances(stack_set, targets)
        return tuple(one for one in found if not asked.regions or one[1] in asked.regions)

    def _approval(self, asked: Approval) -> _Resolved | str:
        for expected in self._around.expectations.stack_sets:
            found = self._around.store.read(proposal_key(expected.name, asked.account, asked.region))
            if found is None or found[0].get("digest") != asked.digest:
                continue
            approved = Approved(asked.account, asked.region, asked.digest)
            trigger = f"approval of the proposal of the run {asked.run_id}"
            return expected.name, None, trigger, ((asked.account, asked.region),), approved
        return (
            f"there is no such proposal (any more) for {asked.account} in {asked.region}: what was found has changed, "
            "or it was reverted already. Look at the latest report"
        )

    def _instances(self, stack_set: str, targets: tuple[Target, ...] | list[Target]) -> tuple[tuple[str, str], ...]:
        asked = self._around.stack_sets(stack_set)
        return tuple(
            (one.account, one.region)
            for target in targets
            for one in asked.instances(target.account or None, target.region)
        )


def _moment(value: object, around: Surroundings) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    try:
        return moment(str(value))
    except DocumentError:
        return around.now()
