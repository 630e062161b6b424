"""One case of the conformance corpus, and the five outcomes that there are: what a test compares is said here.

A case states its findings by hand where it is built. Nothing in here, nor in any module that builds a case, imports the
package under test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

VERIFIED_AT = "2026-11-23T00:00:00Z"
AWS_ERROR_CODE = "CodeVerificationFailedException"
OBSERVED, FORMAT, OURS = "observed", "format", "ours"
"""How we know: AWS was seen to decide so; it follows from the format; AWS's decision is unknown and this is ours."""


class Outcome(NamedTuple):
    """AWS's ``signatureStatus`` (our own word for integrity, which AWS never logs), and the decision by mode."""

    signature_status: str
    enforce: str
    warn: str


OUTCOMES: dict[str | None, Outcome] = {
    None: Outcome("VALID", "accepted", "accepted"),
    "integrity": Outcome("INTEGRITY", "rejected", "rejected"),
    "mismatch": Outcome("MISMATCH", "rejected", "warned"),
    "expiry": Outcome("EXPIRED", "rejected", "warned"),
    "revocation": Outcome("REVOKED", "rejected", "warned"),
}
"""By the first check that fails."""


@dataclass(frozen=True)
class CorpusCase:
    """One archive and the verdict that it deserves.

    Attributes:
        name: ``group/what_is_wrong``.
        build: Makes the archive.
        findings: ``check: code`` of everything that is wrong, in the order of the checks; the first one decides.
        basis: ``OBSERVED``, ``FORMAT`` or ``OURS``.
        policy: The name of the policy that it is judged under.
        at: The moment that it is judged for.
        notes: The codes of what deserves a word and changes no decision.
        expected_entries: The names that were built, where the case is about knowing them.
    """

    name: str
    build: Callable[[], bytes]
    findings: tuple[str, ...] = ()
    basis: str = FORMAT
    policy: str = "allowed"
    at: str = VERIFIED_AT
    notes: tuple[str, ...] = ()
    expected_entries: tuple[str, ...] | None = None

    @property
    def archive_path(self) -> str:
        return f"archives/{self.name}.zip"

    def document(self) -> dict[str, object]:
        """Return the case as it stands in ``expected.json``."""
        findings = [dict(zip(("check", "code"), finding.split(": "), strict=True)) for finding in self.findings]
        failed_check, reason = (findings[0]["check"], findings[0]["code"]) if findings else (None, None)
        outcome = OUTCOMES[failed_check]
        return {
            "name": self.name,
            "archive": self.archive_path,
            "policy": self.policy,
            "at": self.at,
            "expected_entries": None if self.expected_entries is None else list(self.expected_entries),
            "basis": self.basis,
            "expected": {
                "signature_status": outcome.signature_status,
                "failed_check": failed_check,
                "reason": reason,
                "findings": findings,
                "notes": list(self.notes),
                "enforce": _by_mode(outcome.enforce),
                "warn": _by_mode(outcome.warn),
            },
        }


def _by_mode(decision: str) -> dict[str, str | None]:
    return {"decision": decision, "aws_error_code": AWS_ERROR_CODE if decision == "rejected" else None}
