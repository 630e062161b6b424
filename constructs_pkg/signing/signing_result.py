"""Is what a signer gave back the archive that it was given, signed by whom it was asked for?

A service is not believed: what it returns may be another's object, or come from another's job. Judged are, in this
order: the content, entry by entry; the signature over it; the publisher; the job; and the chain of certificates, as far
as anybody has said which root to trust.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import ArchiveError, CmsError, SigningError, TrustError
from constructs_pkg.signing.archive import (
    DEFAULT_LIMITS,
    SIGNATURE_DIRECTORY,
    SIGNATURE_ENTRY,
    ArchiveReading,
    open_directory,
    read_archive,
)
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import shown
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import SignatureEnvelope, parse_signature
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["CheckedSignature", "ResultDefect", "check_signing_result"]

_CLOCK_SKEW = timedelta(minutes=15)
"""How far this machine's clock may be behind AWS's: AWS refuses requests of clocks that differ by more."""

_SIGNATURE_NAME = SIGNATURE_ENTRY.encode()
_DIRECTORY_NAME = SIGNATURE_DIRECTORY.encode()


class ResultDefect(StrEnum):
    """What is wrong with what came back; the values are API and the ``reason`` of a `SigningError`."""

    MALFORMED = "result_malformed"
    NOT_SIGNED = "result_not_signed"
    CONTENT_CHANGED = "result_content_changed"
    SIGNATURE_INVALID = "result_signature_invalid"
    OTHER_PUBLISHER = "result_of_other_publisher"
    OTHER_JOB = "result_of_other_job"
    REFUSED_BY_POLICY = "result_refused_by_policy"


@dataclass(frozen=True, slots=True)
class CheckedSignature:
    """A signature over the content that was to be signed, in the name of the publisher that was asked for.

    Attributes:
        signing_job_arn: The job.
        signing_profile_version_arn: The publisher.
        signed_at: UTC, with milliseconds.
        expires_at: UTC, with milliseconds.
        is_verified: Whether the chain ends in a root that the caller trusts. Where it is False, no root was given:
            the signature fits the archive and itself, and *anybody* could have made it.
        root_sha256: The fingerprint of the root that the signature brings, in lower-case hexadecimal; for people who
            compare it before they pin it.
    """

    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime
    expires_at: datetime
    is_verified: bool
    root_sha256: str


def check_signing_result(
    source: bytes | BinaryIO,
    result: bytes | BinaryIO,
    *,
    publisher: SigningProfileVersionArn,
    job_id: str | None,
    policy: CodeSigningPolicy | None,
    at: datetime,
    name: str,
) -> CheckedSignature:
    """Check what came back against what was sent.

    Does *not* compare what a signature does not cover: compression, times, permissions of entries. Does *not* ask
    whether the signature has run out: that is for whoever finds an older one.

    Args:
        source: The unsigned archive: its bytes, or a seekable binary file.
        result: The signed one.
        publisher: The signing profile version that was asked for.
        job_id: The UUID of the job that was to make it; None where any job will do, as for an archive that is there
            already.
        policy: Whom to trust; None where nobody said: see `CheckedSignature.is_verified`.
        at: The present moment, aware. A signature made up to 15 minutes later is taken for a difference of clocks.
        name: What is signed, for the messages.

    Raises:
        SigningError: It is not what was asked for; ``reason`` is a `ResultDefect`.
        PolicyError: The policy can judge nothing.
    """
    reading, envelope = _read(result, name)
    _compare_entries(source, result, reading.content_digest, name)
    try:
        envelope.check(reading.content_digest)
    except CmsError as error:
        raise _refusal(ResultDefect.SIGNATURE_INVALID, name, str(error)) from error
    found = envelope.signing_profile_version_arn
    if found != publisher:
        raise _refusal(ResultDefect.OTHER_PUBLISHER, name, f"its publisher is {found}, not {publisher}")
    if job_id not in {None, envelope.signing_job_arn.job_id}:
        raise _refusal(ResultDefect.OTHER_JOB, name, f"it comes from {envelope.signing_job_arn}, not from {job_id}")
    if envelope.signed_at - at > _CLOCK_SKEW:
        raise _refusal(
            ResultDefect.SIGNATURE_INVALID, name, f"it says that it was signed at {envelope.signed_at.isoformat()}"
        )
    if policy is not None:
        policy.require_usable(at)
        report = verify_archive(reading, policy, envelope.signed_at, artifact=name)
        if report.findings:
            finding = report.findings[0]
            raise _refusal(ResultDefect.REFUSED_BY_POLICY, name, f"{finding.message}. {finding.remedy}")
    root = _own_root(envelope, name)
    return CheckedSignature(
        envelope.signing_job_arn,
        found,
        envelope.signed_at,
        envelope.expires_at,
        policy is not None,
        root.fingerprint(hashes.SHA256()).hex(),
    )


def _read(result: bytes | BinaryIO, name: str) -> tuple[ArchiveReading, SignatureEnvelope]:
    try:
        reading = read_archive(result)
        if reading.signature is None:
            raise _refusal(ResultDefect.NOT_SIGNED, name, f"it has no entry {SIGNATURE_ENTRY}")
        return reading, parse_signature(reading.signature)
    except (ArchiveError, CmsError) as error:
        raise _refusal(ResultDefect.MALFORMED, name, str(error)) from error


def _compare_entries(source: bytes | BinaryIO, result: bytes | BinaryIO, content_digest: bytes, name: str) -> None:
    """Make sure that both archives hold the same entries with the same bodies, but for what a signature adds.

    The digest runs over names and bodies without a boundary; with names and lengths equal one by one, equal digests
    mean equal bodies.
    """
    unsigned = read_archive(source)
    expected = list(_entries(source))
    if _DIRECTORY_NAME not in unsigned.raw_names:
        expected.append((_DIRECTORY_NAME, 0, 0))
    found = list(_entries(result))
    for before, after in zip(expected, found, strict=False):
        if before != after:
            raise _refusal(
                ResultDefect.CONTENT_CHANGED,
                name,
                f"where {shown(before[0])} was ({before[1]} bytes) there is {shown(after[0])} ({after[1]} bytes)"
                + (" with another body" if before[:2] == after[:2] else ""),
            )
    if len(expected) != len(found):
        raise _refusal(ResultDefect.CONTENT_CHANGED, name, f"{len(expected)} entries were expected, {len(found)} came")
    if content_digest != unsigned.digest_to_sign:
        raise _refusal(ResultDefect.CONTENT_CHANGED, name, "an entry has another body")


def _entries(archive: bytes | BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, expanded size and CRC of every entry but the signature; that they are true was checked before."""
    _, directory = open_directory(ArchiveBytes(archive), DEFAULT_LIMITS)
    for entry in directory:
        if entry.name != _SIGNATURE_NAME:
            yield entry.name, entry.expanded_bytes, entry.crc32


def _own_root(envelope: SignatureEnvelope, name: str) -> x509.Certificate:
    """Return the root that a signature brings, to which its chain leads; that makes it nobody's to trust yet."""
    roots = [item for item in envelope.certificates if item.issuer == item.subject]
    try:
        if len(roots) == 1:
            verify_chain(
                envelope.signer_certificate, envelope.certificates, TrustStore((roots[0],)), envelope.signed_at
            )
            return roots[0]
    except TrustError as error:
        raise _refusal(ResultDefect.SIGNATURE_INVALID, name, str(error)) from error
    raise _refusal(ResultDefect.SIGNATURE_INVALID, name, f"it brings {len(roots)} roots instead of one")


def _refusal(reason: ResultDefect, name: str, message: str) -> SigningError:
    return SigningError(
        reason,
        f"what was signed for {name} is not what was asked for: {message}. It is not used; find out who writes to the "
        "bucket and who starts jobs with this profile",
    )
