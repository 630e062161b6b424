"""AWS Signer's word on a signing job or profile version, and the two calls that revoke them for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.aws.member_place import MemberPlace

__all__ = ["SignerRecord", "Target", "revoke", "signer_record"]

Target = SigningJobArn | SigningProfileVersionArn


@dataclass(frozen=True, slots=True)
class SignerRecord:
    """What AWS Signer knows.

    Attributes:
        status: Such as ``Succeeded`` of a job, ``Active``, ``Canceled`` or ``Revoked`` of a profile.
        publisher: The signing profile version ARN; None where a job's is not told.
        signed_at: When the job was completed; None for a profile.
        expires_at: When the job's signature expires; None for a profile.
        revoked_at: When it was revoked, None where it was not.
        revoked_from: From when on signatures of a profile version count as revoked.
    """

    status: str
    publisher: str | None
    signed_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_from: datetime | None = None


def signer_record(place: MemberPlace, target: Target) -> SignerRecord | None:
    """Ask AWS Signer about a job or a profile version.

    Args:
        place: The account and Region of the target's ARN.
        target: The target.

    Returns:
        None for a profile whose present version is another one: Signer tells nothing of former ones.

    Raises:
        AwsError: Signer refused, does not know it, or was not reached.
    """
    if isinstance(target, SigningJobArn):
        answer = place.call("signer", "describe_signing_job", jobId=target.job_id)
        owner = answer.get("jobOwner") or target.account
        name, version = answer.get("profileName"), answer.get("profileVersion")
        publisher = SigningProfileVersionArn(target.partition, target.region, owner, str(name), str(version))
        revocation: Mapping[str, Any] = answer.get("revocationRecord") or {}
        return SignerRecord(
            str(answer.get("status")),
            str(publisher) if name and version else None,
            signed_at=_utc(answer.get("completedAt")),
            expires_at=_utc(answer.get("signatureExpiresAt")),
            revoked_at=_utc(revocation.get("revokedAt")),
        )
    answer = place.call("signer", "get_signing_profile", profileName=target.name)
    if answer.get("profileVersion") != target.profile_version:
        return None
    revocation = answer.get("revocationRecord") or {}
    return SignerRecord(
        str(answer.get("status")),
        str(target),
        revoked_at=_utc(revocation.get("revokedAt")),
        revoked_from=_utc(revocation.get("revocationEffectiveFrom")),
    )


def revoke(place: MemberPlace, target: Target, reason: str, effective_time: datetime | None) -> None:
    """Revoke a job's signature, or what a profile version signed after a moment. It cannot be undone.

    Args:
        place: The caller's account in the Region of the target's ARN.
        target: The target.
        reason: 1 to 500 characters (botocore).
        effective_time: For a profile version, in the past; repeating it may move it earlier, never later (AWS Signer
            Developer Guide, "Revocation").

    Raises:
        AwsError: Signer refused or was not reached; where it was not reached, it may have revoked all the same.
    """
    if isinstance(target, SigningJobArn):
        owner = {"jobOwner": target.account} if target.account != place.account else {}
        place.call("signer", "revoke_signature", jobId=target.job_id, reason=reason, **owner)
        return
    assert effective_time is not None, "the caller has asked for it"
    place.call(
        "signer",
        "revoke_signing_profile",
        profileName=target.name,
        profileVersion=target.profile_version,
        reason=reason,
        effectiveTime=effective_time,
    )


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC)
