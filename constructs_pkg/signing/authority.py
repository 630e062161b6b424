"""A throwaway AWS Signer for tests and demonstrations. UNSAFE FOR PRODUCTION: whoever has its seed can sign anything.

It signs in AWS's format, refuses what AWS Signer refuses, and its certificates say that they are not AWS's. This module
keeps everything in memory; `constructs_pkg.signing.authority_directory` keeps it on disk.
"""

import calendar
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from cryptography import x509

from constructs_pkg.arns import SigningJobArn, SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.errors import ArchiveError, ArnError, SigningError
from constructs_pkg.regions import SIGNER_REGIONS, partition_of_region
from constructs_pkg.signing.appending import append_entries
from constructs_pkg.signing.archive import SIGNATURE_DIRECTORY, SIGNATURE_ENTRY
from constructs_pkg.signing.authority_certificates import SEED_BYTES, AuthorityCertificates, derived_bytes
from constructs_pkg.signing.authority_records import ProfileStatus, SigningJob, SigningProfile, SigningRefusal
from constructs_pkg.signing.cms_building import SignatureClaims, build_signature
from constructs_pkg.signing.policy import (
    CodeSigningPolicy,
    Mode,
    PolicyOrigin,
    Revocations,
    RevokedJob,
    RevokedProfileVersion,
)
from constructs_pkg.signing.signer import SignedArtifact
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.unsigned_archive import read_unsigned, refused_archive
from constructs_pkg.validity import LONGEST_VALIDITY, Validity

__all__ = ["LocalAuthority"]

_YEARS = range(1970, 9800)
_MAX_REASON_CHARACTERS = 500
_VERSION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VERSION_CHARACTERS = 10


class LocalAuthority:
    """A throwaway AWS Signer in one account and Region.

    Args:
        seed: The secret that keys, certificates and identifiers are derived from, `SEED_BYTES` long. The same seed
            gives the same signatures.
        created_at: From when on the certificates are valid, aware; nothing can be signed before.
        region: A Region that AWS Signer serves.
        account: Twelve digits.
        profiles: The profiles that it begins with.
        jobs: The jobs that it begins with.

    Raises:
        SigningError: An argument is not of this form.
    """

    def __init__(
        self,
        seed: bytes,
        *,
        created_at: datetime,
        region: str = "eu-west-1",
        account: str = "123456789012",
        profiles: Iterable[SigningProfile] = (),
        jobs: Iterable[SigningJob] = (),
    ) -> None:
        partition = partition_of_region(region)
        if len(seed) != SEED_BYTES:
            raise SigningError(
                SigningRefusal.ARGUMENT, f"the seed has {len(seed)} bytes; give {SEED_BYTES} random ones"
            )
        if partition is None or region not in SIGNER_REGIONS:
            raise SigningError(SigningRefusal.ARGUMENT, f"AWS Signer does not serve the Region {region!r}; use another")
        self.seed = seed
        self.created_at = _milliseconds(created_at)
        self.region = region
        self.account = account
        self._partition = partition
        self._profiles = {profile.name: profile for profile in profiles}
        self._jobs = {job.job_id: job for job in jobs}
        self._profile_arn("xx")  # refuses an account of another form
        self._certificates = AuthorityCertificates(seed, region, self.created_at)

    @property
    def root(self) -> x509.Certificate:
        """Return the root certificate, for a trust store in tests."""
        return self._certificates.root

    @property
    def trust(self) -> TrustStore:
        """Return a trust store that holds the root alone."""
        return TrustStore((self.root,))

    @property
    def profiles(self) -> tuple[SigningProfile, ...]:
        """Return all profiles in the order of their making; cancelled and revoked ones stay listed, as with AWS."""
        return tuple(self._profiles.values())

    @property
    def jobs(self) -> tuple[SigningJob, ...]:
        """Return all jobs in the order of their making."""
        return tuple(self._jobs.values())

    def profile(self, name: str) -> SigningProfile:
        """Return a profile.

        Raises:
            SigningError: There is none of this name.
        """
        if name not in self._profiles:
            known = ", ".join(self._profiles) or "none yet"
            raise SigningError(
                SigningRefusal.PROFILE_NOT_FOUND, f"the signing profile {name!r} does not exist; there are: {known}"
            )
        return self._profiles[name]

    def profile_version_arn(self, name: str) -> SigningProfileVersionArn:
        """Return the ARN that a code signing config lists for a profile.

        Raises:
            SigningError: There is none of this name.
        """
        return self._profile_arn(name).version(self.profile(name).profile_version)

    def put_profile(self, name: str, *, validity: Validity = LONGEST_VALIDITY) -> SigningProfile:
        """Make a signing profile (``PutSigningProfile``).

        Args:
            name: 2 to 64 letters, digits and underscores, used for no profile before, cancelled ones included.
            validity: How long its signatures will be valid.

        Raises:
            SigningError: The name has another form or was used.
        """
        if name in self._profiles:
            raise SigningError(
                SigningRefusal.PROFILE_EXISTS, f"the signing profile {name!r} exists already; a name is used once"
            )
        self._profile_arn(name)
        digits = derived_bytes(self.seed, f"profile version {name}", _VERSION_CHARACTERS)
        version = "".join(_VERSION_ALPHABET[digit % len(_VERSION_ALPHABET)] for digit in digits)
        self._profiles[name] = SigningProfile(name, version, validity)
        return self._profiles[name]

    def cancel_profile(self, name: str) -> SigningProfile:
        """Take a profile its right to sign (``CancelSigningProfile``); what it signed stays good.

        Raises:
            SigningError: There is none of this name, or it is revoked.
        """
        profile = self.profile(name)
        if profile.status is ProfileStatus.REVOKED:
            raise SigningError(SigningRefusal.PROFILE_REVOKED, f"the signing profile {name!r} is revoked already")
        self._profiles[name] = replace(profile, status=ProfileStatus.CANCELED)
        return self._profiles[name]

    def revoke_profile(self, name: str, *, reason: str, effective_time: datetime, at: datetime) -> SigningProfile:
        """Revoke what a profile signed from a moment on (``RevokeSigningProfile``); it can never sign again.

        Args:
            name: The profile.
            reason: Why, 1 to 500 characters.
            effective_time: From when on, aware and not after ``at``. Repeating moves it earlier, never later.
            at: The present moment, aware.

        Raises:
            SigningError: There is no such profile, the time lies ahead or would be moved later, or the reason is empty.
        """
        profile = self.profile(name)
        _require_reason(reason)
        effective_time = _milliseconds(effective_time)
        if effective_time > _milliseconds(at):
            raise SigningError(
                SigningRefusal.TIME, f"the effective time {effective_time.isoformat()} lies ahead; give one in the past"
            )
        if profile.revoked_from is not None and effective_time > profile.revoked_from:
            raise SigningError(
                SigningRefusal.TIME,
                f"the signing profile {name!r} is revoked from {profile.revoked_from.isoformat()} on; that can be "
                "moved earlier, never later",
            )
        self._profiles[name] = replace(
            profile, status=ProfileStatus.REVOKED, revoked_from=effective_time, reason=reason
        )
        return self._profiles[name]

    def revoke_job(self, job_id: str, *, reason: str) -> SigningJob:
        """Revoke one signature (``RevokeSignature``), whenever it was made.

        Args:
            job_id: The UUID of the job.
            reason: Why, 1 to 500 characters.

        Raises:
            SigningError: There is no such job, or the reason is empty.
        """
        _require_reason(reason)
        if job_id not in self._jobs:
            raise SigningError(SigningRefusal.JOB_NOT_FOUND, f"the signing job {job_id!r} does not exist")
        self._jobs[job_id] = replace(self._jobs[job_id], is_revoked=True, reason=reason)
        return self._jobs[job_id]

    def sign(
        self,
        source: bytes | BinaryIO,
        target: BinaryIO,
        *,
        profile: str,
        at: datetime,
        job_id: str | None = None,
    ) -> SignedArtifact:
        """Sign an archive in AWS Signer's format; the same arguments give the same bytes.

        Args:
            source: The unsigned archive: its bytes, or a seekable binary file.
            target: Where the signed archive is written, from the position on at which it stands.
            profile: The name of the signing profile.
            at: The signing time, aware; milliseconds count.
            job_id: The UUID of the job; derived from the other arguments where it is left out.

        Raises:
            SigningError: The archive is empty, malformed, too large or signed already; the profile does not exist, is
                cancelled or revoked; the time is before the authority's own beginning; or the job id was used for
                something else.
        """
        signing_profile = self._active_profile(profile)
        signed_at = _milliseconds(at)
        if signed_at < self.created_at:
            raise SigningError(
                SigningRefusal.TIME,
                f"the signing time {signed_at.isoformat()} is before the authority's beginning, "
                f"{self.created_at.isoformat()}; sign later, or make an authority with an earlier beginning",
            )
        reading = read_unsigned(source)
        job = self._job(signing_profile, signed_at, reading.digest_to_sign, job_id)
        claims = SignatureClaims(
            SigningJobArn(self._partition, self.region, self.account, job.job_id),
            self.profile_version_arn(profile),
            signed_at,
            _expiry(signed_at, signing_profile.validity),
        )
        credentials = self._certificates.credentials(signed_at)
        signature = build_signature(
            reading.digest_to_sign, claims, credentials.key, credentials.leaf, credentials.chain
        )
        directory = [] if SIGNATURE_DIRECTORY in reading.entry_names else [(SIGNATURE_DIRECTORY, b"")]
        try:
            append_entries(source, target, [*directory, (SIGNATURE_ENTRY, signature)], at=signed_at)
        except ArchiveError as error:
            raise refused_archive(error) from error
        self._jobs[job.job_id] = job
        return SignedArtifact(
            claims.signing_job_arn, claims.signing_profile_version_arn, claims.signed_at, claims.expires_at
        )

    def export_policy(
        self,
        *,
        at: datetime,
        mode: Mode = Mode.ENFORCE,
        profiles: Iterable[str] | None = None,
        max_age_days: int | None = None,
    ) -> CodeSigningPolicy:
        """Return the policy that trusts this authority, with everything that was revoked.

        Args:
            at: The present moment, aware; becomes the origin's date.
            mode: What the policy says.
            profiles: The allowed publishers by profile name; all profiles where left out.
            max_age_days: For how many days it may be used; None for ever.

        Raises:
            SigningError: A profile does not exist.
            PolicyError: There are no profiles, or more than a code signing config can list.
        """
        names = [profile.name for profile in self.profiles] if profiles is None else list(profiles)
        return CodeSigningPolicy(
            tuple(self.profile_version_arn(name) for name in names),
            mode,
            self.trust,
            self.revocations(),
            PolicyOrigin(None, at),
            max_age_days,
        )

    def revocations(self) -> Revocations:
        """Return everything that was revoked."""
        return Revocations(
            tuple(
                RevokedJob(SigningJobArn(self._partition, self.region, self.account, job.job_id), job.reason)
                for job in self.jobs
                if job.is_revoked
            ),
            tuple(
                RevokedProfileVersion(self.profile_version_arn(profile.name), profile.revoked_from, profile.reason)
                for profile in self.profiles
                if profile.revoked_from is not None
            ),
        )

    def _active_profile(self, name: str) -> SigningProfile:
        profile = self.profile(name)
        if profile.status is ProfileStatus.CANCELED:
            raise SigningError(SigningRefusal.PROFILE_CANCELED, f"the signing profile {name!r} is canceled")
        if profile.status is ProfileStatus.REVOKED:
            raise SigningError(SigningRefusal.PROFILE_REVOKED, f"the signing profile {name!r} is revoked")
        return profile

    def _job(self, profile: SigningProfile, signed_at: datetime, digest: bytes, job_id: str | None) -> SigningJob:
        """Return the record of a job that is about to run."""
        if job_id is None:
            label = f"job {profile.name} {signed_at.isoformat()} {digest.hex()}"
            job_id = str(uuid.UUID(bytes=derived_bytes(self.seed, label, 16), version=4))
        else:
            _require_job_id(job_id)
        job = SigningJob(job_id, profile.name, signed_at, digest)
        known = self._jobs.get(job_id, job)
        if replace(known, is_revoked=False, reason=None) != job:
            raise SigningError(SigningRefusal.JOB_EXISTS, f"the signing job {job_id} signed something else already")
        return known

    def _profile_arn(self, name: str) -> SigningProfileArn:
        """Return a profile's ARN, refusing names and accounts of another form in passing."""
        text = f"arn:{self._partition}:signer:{self.region}:{self.account}:/signing-profiles/{name}"
        try:
            return SigningProfileArn.parse(text)
        except ArnError as error:
            raise SigningError(SigningRefusal.ARGUMENT, str(error)) from error


def _expiry(signed_at: datetime, validity: Validity) -> datetime:
    """Return when a signature runs out: calendar months and years, the last day of a shorter month where needed."""
    if validity.unit == "DAYS":
        return signed_at + timedelta(days=validity.value)
    months = validity.value * (12 if validity.unit == "YEARS" else 1)
    year, month = divmod(signed_at.year * 12 + signed_at.month - 1 + months, 12)
    day = min(signed_at.day, calendar.monthrange(year, month + 1)[1])
    return signed_at.replace(year=year, month=month + 1, day=day)


def _milliseconds(at: datetime) -> datetime:
    """Return a moment as the format can say it."""
    if at.tzinfo is None:
        raise SigningError(SigningRefusal.TIME, f"{at.isoformat()} has no time zone; give an aware datetime")
    if at.year not in _YEARS:
        raise SigningError(SigningRefusal.TIME, f"the year {at.year} is outside of {_YEARS.start} to {_YEARS.stop - 1}")
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def _require_reason(reason: str) -> None:
    if not 1 <= len(reason) <= _MAX_REASON_CHARACTERS:
        raise SigningError(
            SigningRefusal.ARGUMENT, f"the reason has {len(reason)} characters; give 1 to {_MAX_REASON_CHARACTERS}"
        )


def _require_job_id(job_id: str) -> None:
    try:
        SigningJobArn.parse(f"arn:aws:signer:eu-west-1:123456789012:/signing-jobs/{job_id}")
    except ArnError as error:
        raise SigningError(SigningRefusal.ARGUMENT, f"the job id {job_id!r} is not a UUID in lower case") from error
