"""The keys of the local AWS Signer, its roots and what it revoked. UNSAFE FOR PRODUCTION, as its certificates say.

One secret seed for the whole server: all accounts of a Region share its certificates, as with AWS.
"""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.regions import partition_of_region
from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.authority_certificates import SEED_BYTES
from constructs_pkg.signing.authority_records import SigningProfile
from constructs_pkg.signing.policy import Revocations, RevokedJob, RevokedProfileVersion
from constructs_pkg.signing.signer import SignedArtifact
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.validity import LONGEST_VALIDITY, Validity

__all__ = ["SigningAuthority", "partition_of", "validity_of"]


class SigningAuthority:
    """Signs for all accounts and Regions, and knows what was revoked.

    Args:
        overlay: Where the seed and the revocations are kept.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._secrets = overlay.global_store("signing_authority")
        self._revocations = overlay.global_store("revocations")
        self._roots: dict[str, TrustStore] = {}

    def sign(self, archive: bytes, target: BinaryIO, profile: dict[str, Any], *, job_id: str) -> SignedArtifact:
        """Sign an archive.

        Args:
            archive: The unsigned ZIP.
            target: Where the signed one goes.
            profile: The record of an active signing profile, as AWS's API shows it.
            job_id: The job's UUID.

        Raises:
            SigningError: The archive is empty, malformed, too large or signed already.
        """
        arn = SigningProfileVersionArn.parse(profile["profileVersionArn"])
        name, version = profile["profileName"], profile["profileVersion"]
        records = (SigningProfile(name, version, validity_of(profile)),)
        authority = self._authority(arn.region, arn.account, records)
        return authority.sign(archive, target, profile=name, at=self._overlay.now(), job_id=job_id)

    @property
    def trust(self) -> TrustStore:
        """Return the roots of all Regions that signed, or whose root was asked for, since the first start."""
        regions = self._secrets.setdefault("regions", [])
        for region in regions:
            if region not in self._roots:
                self._roots[region] = self._authority(region, "000000000000", ()).trust
        roots = [root for region in regions for root in self._roots[region].roots]
        return TrustStore(tuple(roots))

    def use_region(self, region: str) -> None:
        """Trust the root of a Region from now on, whether it signed or not.

        Raises:
            SigningError: AWS Signer does not serve it.
        """
        self._authority(region, "000000000000", ())

    def revoke_job(self, arn: str, reason: str) -> None:
        """Revoke one signature.

        Args:
            arn: The signing job's.
            reason: Why.
        """
        self._revocations[arn] = {"reason": reason}

    def revoke_profile_version(self, arn: str, effective_time: datetime, reason: str) -> None:
        """Revoke what a profile version signed from a moment on.

        Args:
            arn: The profile version's.
            effective_time: The moment, aware.
            reason: Why.
        """
        self._revocations[arn] = {"reason": reason, "effective_time": effective_time.isoformat()}

    @property
    def revocations(self) -> Revocations:
        """Return everything that was revoked, in all accounts and Regions of the partition."""
        jobs: list[RevokedJob] = []
        versions: list[RevokedProfileVersion] = []
        for arn, record in self._revocations.items():
            if "effective_time" in record:
                effective_time = datetime.fromisoformat(record["effective_time"])
                versions.append(
                    RevokedProfileVersion(SigningProfileVersionArn.parse(arn), effective_time, record["reason"])
                )
            else:
                jobs.append(RevokedJob(SigningJobArn.parse(arn), record["reason"]))
        return Revocations(tuple(jobs), tuple(versions))

    def _authority(self, region: str, account: str, profiles: tuple[SigningProfile, ...]) -> LocalAuthority:
        seed = self._secrets.setdefault("seed", secrets.token_hex(SEED_BYTES))
        created_at = datetime.fromisoformat(self._secrets.setdefault("created_at", self._beginning()))
        authority = LocalAuthority(
            bytes.fromhex(seed), created_at=created_at, region=region, account=account, profiles=profiles
        )
        regions = self._secrets.setdefault("regions", [])
        if region not in regions:
            regions.append(region)
        return authority

    def _beginning(self) -> str:
        return self._overlay.now().astimezone(UTC).replace(microsecond=0).isoformat()

    def __iter__(self) -> Iterator[str]:
        """Iterate over the Regions whose roots are trusted."""
        return iter(self._secrets.get("regions", []))


def validity_of(profile: dict[str, Any]) -> Validity:
    """Return the validity period of a profile record.

    Raises:
        ValidityError: It is not one that AWS Signer has.
    """
    period = profile.get("signatureValidityPeriod")
    if not period:
        return LONGEST_VALIDITY
    return Validity(period.get("value", LONGEST_VALIDITY.value), period.get("type", LONGEST_VALIDITY.unit))


def partition_of(region: str) -> str:
    """Return the partition of a Region, ``aws`` where it is not known."""
    return partition_of_region(region) or "aws"
