"""One run: for which StackSet, in which mode, why; and where its documents lie."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .observations import StackInstance
from .values import digest, mapping, mappings, moment, text, texts, timestamp

__all__ = [
    "Approved",
    "Keys",
    "Run",
    "instance_document",
    "latest_key",
    "lease_key",
    "proposal_key",
    "read_instance",
    "read_run",
    "run_id_of",
]


@dataclass(frozen=True, slots=True)
class Approved:
    """The one proposal that a human has approved."""

    account: str
    region: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What the state machine hands from task to task.

    Attributes:
        run_id: The same for the same execution.
        stack_set: The StackSet.
        wave: Its wave.
        mode: ``detect``, ``propose`` or ``remediate``.
        trigger: Why it runs, for a human.
        scope: Account and Region pairs to look at; None for all.
        approved: What a human has approved.
        execution: The ARN of the execution, or another name of who runs.
        started_at: When it began, aware.
    """

    run_id: str
    stack_set: str
    wave: str
    mode: str
    trigger: str
    scope: tuple[tuple[str, str], ...] | None = None
    approved: Approved | None = None
    execution: str
    started_at: datetime

    @property
    def keys(self) -> "Keys":
        """Return where its documents lie."""
        return Keys(self.run_id)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        approved = self.approved
        return {
            "run_id": self.run_id,
            "stack_set": self.stack_set,
            "wave": self.wave,
            "mode": self.mode,
            "trigger": self.trigger,
            "scope": None
            if self.scope is None
            else [{"account": account, "region": region} for account, region in self.scope],
            "approval": None
            if approved is None
            else {"account": approved.account, "region": approved.region, "digest": approved.digest},
            "execution": self.execution,
            "started_at": timestamp(self.started_at),
        }

    def in_mode(self, mode: str) -> "Run":
        """Return the same run in another mode."""
        return replace(self, mode=mode)


def read_run(document: Mapping[str, object]) -> Run:
    """Read what `Run.document` wrote.

    Raises:
        DocumentError: It is something else.
    """
    approval = mapping(document, "approval")
    return Run(
        run_id=text(document, "run_id"),
        stack_set=text(document, "stack_set"),
        wave=text(document, "wave"),
        mode=text(document, "mode"),
        trigger=text(document, "trigger"),
        scope=None
        if document.get("scope") is None
        else tuple((text(one, "account"), text(one, "region")) for one in mappings(document, "scope")),
        approved=Approved(text(approval, "account"), text(approval, "region"), text(approval, "digest"))
        if approval
        else None,
        execution=text(document, "execution"),
        started_at=moment(text(document, "started_at")),
    )


def run_id_of(wave: str, execution: str, started_at: datetime) -> str:
    """Return the id of a run: it sorts by time, and a repeated task gets the same one."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{wave}-{digest(execution)[:8]}"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one run's documents."""

    run_id: str

    def of(self, name: str) -> str:
        """Return the key of a document, such as ``report.json``."""
        return f"runs/{self.run_id}/{name}"

    def inspection(self, batch: int) -> str:
        """Return the key of what one batch found."""
        return self.of(f"inspections/{batch:05}.json")

    def repair(self, account: str, region: str) -> str:
        """Return the key of what became of one stack instance."""
        return self.of(f"repairs/{account}-{region}.json")

    def memory(self, account: str, region: str) -> str:
        """Return the key of what the steps of a repair remember."""
        return self.of(f"repairs/{account}-{region}.memory.json")


def lease_key(stack_set: str) -> str:
    """Return the key of who may run for a StackSet."""
    return f"leases/{stack_set}.json"


def proposal_key(stack_set: str, account: str, region: str) -> str:
    """Return the key of what waits for an approval in one account and Region."""
    return f"proposals/{stack_set}/{account}/{region}.json"


def latest_key(stack_set: str) -> str:
    """Return the key of the last report of a StackSet."""
    return f"latest/{stack_set}.json"


def instance_document(instance: StackInstance) -> dict[str, Any]:
    """Return a stack instance as JSON."""
    return {
        "account": instance.account,
        "region": instance.region,
        "stack_id": instance.stack_id,
        "status": instance.status,
        "reason": instance.reason,
        "drift_status": instance.drift_status,
        "sibling_stacks": list(instance.sibling_stacks),
    }


def read_instance(document: Mapping[str, object]) -> StackInstance:
    """Read what `instance_document` wrote.

    Raises:
        DocumentError: It is something else.
    """
    return StackInstance(
        account=text(document, "account"),
        region=text(document, "region"),
        stack_id=text(document, "stack_id"),
        status=text(document, "status"),
        reason=text(document, "reason"),
        drift_status=text(document, "drift_status"),
        sibling_stacks=texts(document, "sibling_stacks"),
    )
