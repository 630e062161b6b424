"""The record of a revocation: who wanted what and why, what it would reach, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

__all__ = ["IncidentRecord", "Outcome"]


class Outcome(StrEnum):
    """What became of a revocation."""

    INTENDED = "intended"
    REVOKED = "revoked"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentRecord:
    """One revocation; written down before AWS is asked, and again after.

    Attributes:
        kind: ``job`` or ``profile_version``.
        arn: What is revoked.
        reason: Why, as AWS is told, too.
        effective_time: From when on signatures of a profile version count as revoked; None for a job.
        who: The ARN of the caller.
        intended_at: When the caller had confirmed it.
        reach: What it reaches, in numbers.
        complete: Whether everything was read that was to be read.
        left_out: Accounts that the caller asked not to read.
        outcome: What became of it; ``intended`` in a file means that the program ended before it knew: look.
        ended_at: When that was known.
        message: What AWS said, where it did not simply do it.
        confirmed: Whether AWS Signer showed the revocation afterwards; None where that could not be read.
    """

    kind: str
    arn: str
    reason: str
    effective_time: datetime | None
    who: str
    intended_at: datetime
    reach: dict[str, int]
    complete: bool
    left_out: tuple[str, ...] = ()
    outcome: Outcome = Outcome.INTENDED
    ended_at: datetime | None = None
    message: str | None = None
    confirmed: bool | None = None

    def ended(
        self, outcome: Outcome, at: datetime, *, message: str | None = None, confirmed: bool | None = None
    ) -> Self:
        """Return the record with what became of it."""
        return replace(self, outcome=outcome, ended_at=at, message=message, confirmed=confirmed)

    def document(self) -> dict[str, Any]:
        """Return the record for its file."""
        return {
            "version": 1,
            "kind": self.kind,
            "arn": self.arn,
            "reason": self.reason,
            "effective_time": _time(self.effective_time),
            "who": self.who,
            "intended_at": _time(self.intended_at),
            "reach": self.reach,
            "complete": self.complete,
            "left_out": list(self.left_out),
            "outcome": str(self.outcome),
            "ended_at": _time(self.ended_at),
            "message": self.message,
            "confirmed": self.confirmed,
        }


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"
