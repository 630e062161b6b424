"""Would Lambda accept this archive under this policy? Four checks, in the order in which Lambda makes them.

1. Integrity: the archive can be read in one way only, and its signature is authentic and covers this content.
2. Mismatch: it is signed, by a publisher that the policy allows.
3. Expiry: the signature has not run out.
4. Revocation: neither its job nor its profile version was revoked.

The first check that fails decides. The later ones are evaluated all the same, so that a report holds everything there
is to know. A failed integrity check rejects under Enforce and Warn; the other three reject under Enforce only.

The order is the one that was documented with the observations of this format; the Lambda developer guide numbers
expiry before mismatch without promising an order of evaluation. It shows in ``signature_status`` alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from constructs_pkg.arns import FunctionArn, LayerVersionArn
from constructs_pkg.errors import ArchiveError, CmsError, PolicyError, Problem, TrustError
from constructs_pkg.signing.archive import (
    SIGNATURE_DIRECTORY,
    SIGNATURE_ENTRY,
    ArchiveLimits,
    ArchiveReading,
    read_archive,
)
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.aws_messages import AwsError, improperly_signed, signature_not_accepted
from constructs_pkg.signing.certificate_chain import CertificateChain, verify_chain
from constructs_pkg.signing.cms import SignatureEnvelope, parse_signature
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode
from constructs_pkg.signing.report import (
    Check,
    CheckName,
    CheckStatus,
    Decision,
    Finding,
    Note,
    SignatureStatus,
    VerificationReport,
    iso_time,
)

__all__ = ["verify_archive"]

_DEFAULT_LIMITS = ArchiveLimits()
_LISTED_NAMES = 5
_STATUS_BY_FAILED_CHECK = {
    CheckName.INTEGRITY: SignatureStatus.INTEGRITY,
    CheckName.MISMATCH: SignatureStatus.MISMATCH,
    CheckName.EXPIRY: SignatureStatus.EXPIRED,
    CheckName.REVOCATION: SignatureStatus.REVOKED,
}
_REMEDY_BUILD_AGAIN = (
    "Build the archive again with an ordinary ZIP writer, sign it, and deploy the signed file unchanged"
)
_REMEDY_SIGN_AGAIN = "Sign the archive again with an allowed signing profile, and deploy the signed file unchanged"
_REMEDY_SIGN = "Sign the archive with an allowed signing profile, and deploy the signed file unchanged"
_REMEDY_PUBLISHER = "Have it signed by one of the allowed publishers, or ask the security team to admit this one"


@dataclass(slots=True)
class _Evidence:
    """What could be learnt about an archive, as far as each step got."""

    findings: list[Finding] = field(default_factory=list[Finding])
    reading: ArchiveReading | None = None
    envelope: SignatureEnvelope | None = None
    chain: CertificateChain | None = None
    is_signature_authentic: bool = False


def verify_archive(
    source: bytes | BinaryIO | ArchiveReading,
    policy: CodeSigningPolicy,
    at: datetime,
    *,
    artifact: str = "archive",
    resource_arn: FunctionArn | LayerVersionArn | None = None,
    expected_entries: Collection[str] | None = None,
    limits: ArchiveLimits = _DEFAULT_LIMITS,
) -> VerificationReport:
    """Decide as Lambda decides over one archive.

    Does *not* ask AWS anything: what was revoked since the policy was made is not known here. Does not look at what
    the signature does not cover: compression, times, permissions and other metadata of entries.

    Args:
        source: The archive: its bytes, or a seekable binary file. Or what somebody else read of it, as an attestation
            tells: the verdict is then about what they say that they read.
        policy: Whom to trust.
        at: The moment of the deployment, aware.
        artifact: What the report calls the archive.
        resource_arn: The function or layer version that AWS's message would name.
        expected_entries: The names of the entries that were built, in any order, for a note where the archive has
            others: the format hashes names and bodies without framing and cannot see a boundary that moved.
            ``META_INF/`` and the signature entry may be left out.
        limits: Bounds on what is read.

    Raises:
        PolicyError: The policy is too old or knows no trust root, or ``at`` is not aware: no verdict can be reached.
        ArchiveError: The operating system could not read the file. An archive that is malformed is rejected instead.
    """
    _require_aware(at)
    policy.require_usable(at)
    evidence = _examine(source, policy, at, limits)
    outcomes: dict[CheckName, list[Finding] | None] = {
        CheckName.INTEGRITY: evidence.findings,
        CheckName.MISMATCH: _mismatch(evidence, policy),
        CheckName.EXPIRY: _expiry(evidence, at),
        CheckName.REVOCATION: _revocation(evidence, policy),
    }
    checks = _checks(outcomes, evidence)
    failed = next((name for name, check in checks.items() if check.status is CheckStatus.FAILED), None)
    decision = _decision(failed, policy.mode)
    reading, envelope = evidence.reading, evidence.envelope
    return VerificationReport(
        artifact=artifact,
        decision=decision,
        signature_status=SignatureStatus.VALID if failed is None else _STATUS_BY_FAILED_CHECK[failed],
        mode=str(policy.mode),
        at=at,
        checks=checks,
        findings=tuple(finding for found in outcomes.values() for finding in found or ()),
        notes=_notes(reading, expected_entries, failed, decision),
        claims_verified=evidence.is_signature_authentic and evidence.chain is not None,
        signing_profile_version_arn=envelope and envelope.signing_profile_version_arn,
        signing_job_arn=envelope and envelope.signing_job_arn,
        signed_at=envelope and envelope.signed_at,
        expires_at=envelope and envelope.expires_at,
        certificate_chain=evidence.chain.summary if evidence.chain else (),
        certificate_hashes=evidence.chain.certificate_hashes if evidence.chain else (),
        archive_bytes=reading and reading.archive_bytes,
        expanded_bytes=reading and reading.expanded_bytes,
        entry_count=reading and reading.entry_count,
        aws_error=_aws_error(failed, decision, resource_arn),
    )


# 1. Integrity


def _examine(
    source: bytes | BinaryIO | ArchiveReading, policy: CodeSigningPolicy, at: datetime, limits: ArchiveLimits
) -> _Evidence:
    """Read the archive and its signature, and collect everything that speaks against their integrity."""
    evidence = _Evidence()
    try:
        evidence.reading = source if isinstance(source, ArchiveReading) else read_archive(source, limits)
    except ArchiveError as error:
        if error.reason == ArchiveDefect.UNREADABLE:
            raise
        evidence.findings.append(Finding(CheckName.INTEGRITY, error.reason, str(error), _REMEDY_BUILD_AGAIN))
        return evidence
    if evidence.reading.signature is None:
        return evidence
    try:
        evidence.envelope = parse_signature(evidence.reading.signature)
    except CmsError as error:
        evidence.findings.append(_integrity_finding(error))
        return evidence
    _examine_signature(evidence, evidence.envelope, evidence.reading.content_digest, policy, at)
    return evidence


def _examine_signature(
    evidence: _Evidence, envelope: SignatureEnvelope, content_digest: bytes, policy: CodeSigningPolicy, at: datetime
) -> None:
    """Check content, signature, chain and signing time, each whatever the others say."""
    try:
        envelope.check_content(content_digest)
    except CmsError as error:
        evidence.findings.append(_integrity_finding(error))
    try:
        envelope.check_signature()
        evidence.is_signature_authentic = True
    except CmsError as error:
        evidence.findings.append(_integrity_finding(error))
    try:
        evidence.chain = verify_chain(
            envelope.signer_certificate, envelope.certificates, policy.trust, envelope.signed_at
        )
    except TrustError as error:
        evidence.findings.append(_integrity_finding(error))
    if envelope.signed_at > at:
        evidence.findings.append(
            Finding(
                CheckName.INTEGRITY,
                "signed_in_the_future",
                f"the signing time {iso_time(envelope.signed_at)} is later than the verdict's moment, {iso_time(at)}",
                "Check the clock of this machine; if it is right, sign the archive again",
            )
        )


def _integrity_finding(error: CmsError | TrustError) -> Finding:
    return Finding(CheckName.INTEGRITY, error.reason, str(error), _REMEDY_SIGN_AGAIN)


# 2. Mismatch


def _mismatch(evidence: _Evidence, policy: CodeSigningPolicy) -> list[Finding] | None:
    """Judge the publisher; an unsigned archive has none."""
    if evidence.reading is not None and evidence.reading.signature is None:
        message = f"the archive is not signed: it has no entry {SIGNATURE_ENTRY}"
        return [Finding(CheckName.MISMATCH, "unsigned", message, _REMEDY_SIGN)]
    if evidence.envelope is None:
        return None
    publisher = evidence.envelope.signing_profile_version_arn
    if publisher in policy.allowed_publishers:
        return []
    count = len(policy.allowed_publishers)
    listed = "one publisher" if count == 1 else f"{count} publishers"
    same_profile = [item for item in policy.allowed_publishers if item.profile == publisher.profile]
    hint = f"; of the same profile, {', '.join(map(str, same_profile))} is allowed" if same_profile else ""
    message = f"the publisher {publisher} is not allowed by the policy, which lists {listed}{hint}"
    return [Finding(CheckName.MISMATCH, "publisher_not_allowed", message, _REMEDY_PUBLISHER)]


# 3. Expiry


def _expiry(evidence: _Evidence, at: datetime) -> list[Finding] | None:
    """Judge the signed expiry; the certificates' own validity counts at the signing time only."""
    if evidence.envelope is None:
        return None
    expires_at = evidence.envelope.expires_at
    if at < expires_at:
        return []
    message = f"the signature ran out at {iso_time(expires_at)}; the verdict is for {iso_time(at)}"
    return [Finding(CheckName.EXPIRY, "signature_expired", message, _REMEDY_SIGN_AGAIN)]


# 4. Revocation


def _revocation(evidence: _Evidence, policy: CodeSigningPolicy) -> list[Finding] | None:
    """Judge by the revocations that the policy lists."""
    envelope = evidence.envelope
    if envelope is None:
        return None
    matching = policy.revocations.matching(
        envelope.signing_job_arn, envelope.signing_profile_version_arn, envelope.signed_at
    )
    remedy = "Find out why it was revoked; then build the archive from reviewed sources and sign it again"
    return [Finding(CheckName.REVOCATION, item.code, str(item), remedy) for item in matching]


# The verdict


def _checks(outcomes: dict[CheckName, list[Finding] | None], evidence: _Evidence) -> dict[CheckName, Check]:
    """Tell how each check ended: none is reached after the first that failed."""
    checks: dict[CheckName, Check] = {}
    is_decided = False
    for name, found in outcomes.items():
        outcome = None if found is None else CheckStatus.FAILED if found else CheckStatus.PASSED
        # An unsigned archive has nothing to run out or to be revoked: its mismatch decided before.
        status = CheckStatus.NOT_REACHED if is_decided or outcome is None else outcome
        checks[name] = Check(status, outcome, found[0].message if found else _reason(name, outcome, evidence))
        is_decided = is_decided or bool(found)
    return checks


def _reason(name: CheckName, outcome: CheckStatus | None, evidence: _Evidence) -> str:
    """Say why a check passed or could not be evaluated."""
    envelope = evidence.envelope
    if name is CheckName.INTEGRITY and envelope is None:
        return "the archive is well formed; it has no signature that could contradict its content"
    if evidence.reading is None:
        return "the archive could not be read, so that its signature was not looked at"
    if outcome is None or envelope is None:
        return "there is no readable signature to evaluate"
    return {
        CheckName.INTEGRITY: "the content is what was signed, by a signer whose chain ends in a trust root",
        CheckName.MISMATCH: f"the publisher {envelope.signing_profile_version_arn} is allowed",
        CheckName.EXPIRY: f"the signature is valid until {iso_time(envelope.expires_at)}",
        CheckName.REVOCATION: "the policy revokes neither the signing job nor the signing profile version",
    }[name]


def _decision(failed: CheckName | None, mode: Mode) -> Decision:
    if failed is None:
        return Decision.ACCEPTED
    return Decision.WARNED if mode is Mode.WARN and failed is not CheckName.INTEGRITY else Decision.REJECTED


def _aws_error(
    failed: CheckName | None, decision: Decision, resource_arn: FunctionArn | LayerVersionArn | None
) -> AwsError | None:
    if decision is not Decision.REJECTED:
        return None
    return improperly_signed(resource_arn) if failed is CheckName.INTEGRITY else signature_not_accepted(resource_arn)


def _notes(
    reading: ArchiveReading | None,
    expected_entries: Collection[str] | None,
    failed: CheckName | None,
    decision: Decision,
) -> tuple[Note, ...]:
    notes: list[Note] = []
    if reading is not None:
        notes += [Note(note.code, note.message) for note in reading.notes]
        if expected_entries is not None:
            notes += _entry_notes(reading.entry_names, expected_entries)
    elif decision is Decision.REJECTED:
        notes.append(
            Note(
                "aws_error_assumed",
                "Lambda may refuse an archive that it cannot unzip with InvalidParameterValueException before it looks "
                "at any signature; which of the two it shows for this one was not observed",
            )
        )
    if decision is Decision.REJECTED and failed in {CheckName.EXPIRY, CheckName.REVOCATION}:
        notes.append(
            Note("aws_error_assumed", f"the exception was observed for {failed}, its text only for a mismatch")
        )
    return tuple(notes)


def _entry_notes(entry_names: Collection[str], expected_entries: Collection[str]) -> list[Note]:
    """Compare the entries with those that were built, where somebody knows them."""
    own = {SIGNATURE_DIRECTORY, SIGNATURE_ENTRY}
    found, expected = set(entry_names) - own, set(expected_entries) - own
    if found == expected:
        return []
    message = (
        f"the entries are not the expected ones: {_listed('missing', expected - found)}; "
        f"{_listed('unexpected', found - expected)}. The signature hashes names and bodies without framing, so that a "
        "boundary moved between a name and a body goes unseen by it; compare the archive with what was built"
    )
    return [Note("entries_differ", message)]


def _listed(label: str, names: set[str]) -> str:
    """Name the first few."""
    if not names:
        return f"none {label}"
    more = f" and {len(names) - _LISTED_NAMES} more" if len(names) > _LISTED_NAMES else ""
    return f"{label} {', '.join(repr(name) for name in sorted(names)[:_LISTED_NAMES])}{more}"


def _require_aware(at: datetime) -> None:
    if at.tzinfo is None:
        raise PolicyError(
            "moment of the verdict",
            (Problem("at", f"{at.isoformat()} has no time zone", "Give an aware datetime, such as one in UTC"),),
        )
