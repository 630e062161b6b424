"""What a throwaway authority remembers, and the names of its refusals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from constructs_pkg.validity import Validity

__all__ = ["ProfileStatus", "SigningJob", "SigningProfile", "SigningRefusal"]


class SigningRefusal(StrEnum):
    """Why an authority refuses; the values are API and the ``reason`` of `constructs_pkg.errors.SigningError`."""

    ARCHIVE_EMPTY = "archive_empty"
    ARCHIVE_MALFORMED = "archive_malformed"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    ALREADY_SIGNED = "already_signed"
    PROFILE_NOT_FOUND = "profile_not_found"
    PROFILE_EXISTS = "profile_exists"
    PROFILE_CANCELED = "profile_canceled"
    PROFILE_REVOKED = "profile_revoked"
    JOB_NOT_FOUND = "job_not_found"
    JOB_EXISTS = "job_exists"
    ARGUMENT = "argument_invalid"
    TIME = "time_out_of_range"
    STATE = "authority_state_unusable"
    """The directory of an authority is missing, there already, open to others, or damaged."""


class ProfileStatus(StrEnum):
    """AWS Signer's words (botocore 1.43.106, shape ``SigningProfileStatus``)."""

    ACTIVE = "Active"
    CANCELED = "Canceled"
    REVOKED = "Revoked"


@dataclass(frozen=True, slots=True)
class SigningProfile:
    """A signing profile, which has one version here: AWS documents no way to a second one.

    Attributes:
        name: 2 to 64 letters, digits and underscores.
        profile_version: 10 letters and digits.
        validity: How long its signatures are valid.
        status: Whether it can sign.
        revoked_from: Signatures made at this moment or later are revoked; None where it is not revoked.
        reason: Why it was revoked.
    """

    name: str
    profile_version: str
    validity: Validity
    status: ProfileStatus = ProfileStatus.ACTIVE
    revoked_from: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SigningJob:
    """A signature that was made.

    Attributes:
        job_id: A UUID.
        profile_name: The profile.
        signed_at: UTC, with milliseconds.
        content_digest: What was signed, 48 bytes.
        is_revoked: Whether it was revoked.
        reason: Why.
    """

    job_id: str
    profile_name: str
    signed_at: datetime
    content_digest: bytes
    is_revoked: bool = False
    reason: str | None = None
