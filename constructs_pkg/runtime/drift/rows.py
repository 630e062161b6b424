"""Rows of the report: exactly one for each stack instance."""

from collections.abc import Iterable, Mapping
from typing import Any

from .finding import TIERS, Finding
from .observations import StackInstance
from .planning import Outcome

__all__ = ["OUTCOMES", "row", "unknown_row"]

OUTCOMES: tuple[Outcome, ...] = (
    "clean",
    "exempt",
    "reverted",
    "detected",
    "proposed",
    "needs_human",
    "failed",
    "unknown",
)


def row(
    instance: StackInstance,
    outcome: Outcome,
    findings: Iterable[Finding],
    *,
    did: Iterable[str] = (),
    explanation: str = "",
    proposal: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a row.

    Args:
        instance: The stack instance.
        outcome: The one word.
        findings: What was found, what was reverted since included.
        did: What was done, a sentence each.
        explanation: What else a human has to know.
        proposal: What waits for an approval.
    """
    listed = list(findings)
    tiers = {finding.tier for finding in listed}
    return {
        "account": instance.account,
        "region": instance.region,
        "stack_id": instance.stack_id,
        "outcome": outcome,
        "tiers": [tier for tier in TIERS if tier in tiers],
        "findings": [finding.document() for finding in listed],
        "actions": list(did),
        "explanation": explanation,
        "proposal": None if proposal is None else dict(proposal),
    }


def unknown_row(instance: StackInstance, explanation: str) -> dict[str, Any]:
    """Return the row of an instance that nobody looked at."""
    return row(instance, "unknown", [Finding("unknown", "not-looked-at", instance.account, explanation, "none")])
