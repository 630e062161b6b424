"""What the verifier answers: a value that is printable, serializable, and false when there is any finding."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.signing.aws_messages import AwsError
from constructs_pkg.signing.trust import CertificateSummary

__all__ = [
    "REPORT_VERSION",
    "Check",
    "CheckName",
    "CheckStatus",
    "Decision",
    "Finding",
    "Note",
    "SignatureStatus",
    "VerificationReport",
    "iso_time",
]

REPORT_VERSION = 1
"""The version of `VerificationReport.to_dict`: it grows by one when a key changes its meaning or goes away."""


class CheckName(StrEnum):
    """The four checks, in the order in which they are judged."""

    INTEGRITY = "integrity"
    MISMATCH = "mismatch"
    EXPIRY = "expiry"
    REVOCATION = "revocation"


class CheckStatus(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    """An earlier check failed, which decided the matter; what this one would have said is in ``outcome``."""


class Decision(StrEnum):
    """What Lambda does with the deployment."""

    ACCEPTED = "accepted"
    WARNED = "warned"
    REJECTED = "rejected"


class SignatureStatus(StrEnum):
    """The word for the first failed check: AWS's ``signatureStatus``, and ours for integrity, which AWS never logs."""

    VALID = "VALID"
    INTEGRITY = "INTEGRITY"
    MISMATCH = "MISMATCH"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: The check that it belongs to.
        code: The stable machine-readable code.
        message: What is wrong, naming the value.
        remedy: What to do; never to loosen the policy.
    """

    check: CheckName
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing that changes no decision.

    Attributes:
        code: The stable machine-readable code.
        message: What was seen.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        status: How it ended, as Lambda goes through the checks.
        outcome: What it found whether reached or not: passed, failed, or None where nothing could be said.
        reason: One sentence.
    """

    status: CheckStatus
    outcome: CheckStatus | None
    reason: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The verdict on one archive. False when there is any finding; see `allows_deployment` for what Lambda does.

    Attributes:
        artifact: What the caller named the archive.
        decision: What Lambda does with it.
        signature_status: The word for the first failed check.
        mode: ``Enforce`` or ``Warn``, from the policy.
        at: The moment that the verdict is for.
        checks: All four, in their order.
        findings: Everything that is wrong, not only what decided.
        notes: What changes no decision.
        claims_verified: Whether the signature entry itself is authentic: made by the key of a certificate whose chain
            ends in a trust root. Where it is False, the next four fields are only what the archive says of itself.
        signing_profile_version_arn: The publisher; None without a readable signature, like the next three.
        signing_job_arn: The job.
        signed_at: UTC.
        expires_at: UTC.
        certificate_chain: Leaf first, where the chain was verified; else empty.
        certificate_hashes: For ``signer-data:GetRevocationStatus``, where the chain was verified; else empty.
        archive_bytes: Size of the file; None where it could not be read, like the next two.
        expanded_bytes: Size of all entries, inflated.
        entry_count: Entries, the signature entry included.
        aws_error: What a deployment would show; None where it would go through.
    """

    artifact: str
    decision: Decision
    signature_status: SignatureStatus
    mode: str
    at: datetime
    checks: dict[CheckName, Check]
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    claims_verified: bool = False
    signing_profile_version_arn: SigningProfileVersionArn | None = None
    signing_job_arn: SigningJobArn | None = None
    signed_at: datetime | None = None
    expires_at: datetime | None = None
    certificate_chain: tuple[CertificateSummary, ...] = ()
    certificate_hashes: tuple[str, ...] = field(default=(), repr=False)
    archive_bytes: int | None = None
    expanded_bytes: int | None = None
    entry_count: int | None = None
    aws_error: AwsError | None = None

    def __bool__(self) -> bool:
        """Tell whether there is no finding at all: an archive that Lambda lets pass with a warning is false too."""
        return not self.findings

    @property
    def allows_deployment(self) -> bool:
        """Tell whether Lambda would deploy the archive, warned or not."""
        return self.decision is not Decision.REJECTED

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values: keys as the attributes, times in ISO 8601, and ``version``.

        ``checks`` is an object by check name, each with ``status``, ``outcome`` and ``reason``; ``aws_error`` is null
        or an object with ``code`` and ``message``.
        """
        return {
            "version": REPORT_VERSION,
            "artifact": self.artifact,
            "decision": str(self.decision),
            "signature_status": str(self.signature_status),
            "mode": self.mode,
            "at": iso_time(self.at),
            "checks": {
                str(name): {"status": str(check.status), "outcome": _text(check.outcome), "reason": check.reason}
                for name, check in self.checks.items()
            },
            "findings": [
                {"check": str(item.check), "code": item.code, "message": item.message, "remedy": item.remedy}
                for item in self.findings
            ],
            "notes": [{"code": note.code, "message": note.message} for note in self.notes],
            "claims_verified": self.claims_verified,
            "signing_profile_version_arn": _text(self.signing_profile_version_arn),
            "signing_job_arn": _text(self.signing_job_arn),
            "signed_at": iso_time(self.signed_at),
            "expires_at": iso_time(self.expires_at),
            "certificate_chain": [
                {
                    "subject": item.subject,
                    "issuer": item.issuer,
                    "serial_number": item.serial_number,
                    "not_before": iso_time(item.not_before),
                    "not_after": iso_time(item.not_after),
                    "sha256": item.sha256,
                }
                for item in self.certificate_chain
            ],
            "certificate_hashes": list(self.certificate_hashes),
            "archive_bytes": self.archive_bytes,
            "expanded_bytes": self.expanded_bytes,
            "entry_count": self.entry_count,
            "aws_error": None
            if self.aws_error is None
            else {"code": self.aws_error.code, "message": self.aws_error.message},
        }

    def __str__(self) -> str:
        """Return the verdict as readable lines."""
        lines = [f"{self.artifact}: {self.decision.upper()} ({self.signature_status}, mode {self.mode})"]
        for name, check in self.checks.items():
            lines.append(f"  {name + ':':<12} {check.status.replace('_', ' '):<12} {check.reason}")
        claims = "" if self.claims_verified else " (not verified: only what the archive says of itself)"
        for label, value in (
            ("publisher", self.signing_profile_version_arn),
            ("signing job", self.signing_job_arn),
            ("signed", iso_time(self.signed_at)),
            ("expires", iso_time(self.expires_at)),
        ):
            if value is not None:
                lines.append(f"  {label + ':':<12} {value}{claims}")
        for finding in self.findings:
            lines += [f"  finding {finding.code}: {finding.message}", f"    {finding.remedy}"]
        lines += [f"  note {note.code}: {note.message}" for note in self.notes]
        if self.aws_error is not None:
            lines.append(f"  AWS would say: {self.aws_error.code}: {self.aws_error.message}")
        return "\n".join(lines)


def iso_time(at: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC with ``Z``, with milliseconds where there are any; None stays None."""
    if at is None:
        return None
    text = at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
