"""AWS Signer behind the protocol of every signer."""

import io
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from constructs_pkg.arns import SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.aws.pacing import SignerRate, Waiting
from constructs_pkg.aws.signing_bucket import SigningBucket
from constructs_pkg.aws.signing_service import SigningService
from constructs_pkg.aws.signing_task import SigningTask
from constructs_pkg.errors import ArnError, SigningError
from constructs_pkg.regions import SIGNER_REGIONS
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.provenance_statement import require_claims
from constructs_pkg.signing.signed_object import SignedObject
from constructs_pkg.signing.signer import SignedArtifact
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.signing.trust import TrustStore

__all__ = ["AwsSigner"]

_RATE = SignerRate()
"""Of this process: AWS counts the requests of an account and Region, whoever sends them."""

_NO_REFERENCE = AwsSignerReference()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where is signed: known once somebody signs."""

    service: SigningService
    bucket: SigningBucket
    account: str


class AwsSigner:
    """Signs with AWS Signer; safe to use from several threads. A `constructs_pkg.signing.signer.Signer`.

    Args:
        reference: Bucket, Region, owner of the profile, and how long to wait.
        clients: Whose credentials are used; those of the environment where left out.
        policy: Whom to trust; what comes back has to be acceptable under it.
        trust: Roots to trust, besides those of the policy. Without policy and roots nothing is *verified*: see
            `constructs_pkg.signing.signing_result.CheckedSignature`.
        commit: What the archives were built from, for their provenance.
        waiting: Clock and sleep.
        rate: How fast AWS Signer is asked; that of the process where left out.

    Raises:
        ProvenanceError: The commit cannot be written down.
    """

    def __init__(
        self,
        reference: AwsSignerReference = _NO_REFERENCE,
        *,
        clients: Clients | None = None,
        policy: CodeSigningPolicy | None = None,
        trust: TrustStore | None = None,
        commit: str | None = None,
        waiting: Waiting | None = None,
        rate: SignerRate = _RATE,
    ) -> None:
        require_claims("archive", commit, {})
        self._reference = reference
        self._clients = clients or Clients()
        self._policy = policy
        self._trust = trust or TrustStore()
        self._commit = commit
        self._waiting = waiting or Waiting()
        self._rate = rate
        self._lock = threading.Lock()
        self._known_place: _Place | None = None
        self._publishers: dict[str, SigningProfileVersionArn] = {}

    def sign(self, source: bytes | BinaryIO, target: BinaryIO, *, profile: str, at: datetime) -> SignedArtifact:
        """Sign an archive, or take it from the bucket where it is signed already; see `Signer`.

        Args:
            source: As for `Signer`.
            target: As for `Signer`.
            profile: The profile's name, or the ARN of the version that has to sign. A name means the version that the
                policy allows in the Region, where it allows one of this name.
            at: The present moment, aware.

        Raises:
            SigningError: As `SigningTask.run`; or the bucket or the profile cannot be used.
            PolicyError: The policy can judge nothing.
            AwsError: AWS was not reached, refuses the caller, or needs too long.
        """
        signature = self.sign_object(source, target, profile=profile, at=at, name=profile).signature
        return SignedArtifact(
            signature.signing_job_arn, signature.signing_profile_version_arn, signature.signed_at, signature.expires_at
        )

    def sign_object(
        self,
        source: bytes | BinaryIO,
        target: BinaryIO | None,
        *,
        profile: str,
        at: datetime,
        name: str,
        annotations: Mapping[str, str] | None = None,
    ) -> SignedObject:
        """Sign an archive as `sign` does, and tell where it lies.

        Args:
            source: As for `Signer`.
            target: Where the signed archive is written as well; None for nowhere.
            profile: As for `sign`.
            at: As for `sign`.
            name: What is signed, for people and for the provenance.
            annotations: Further texts for the provenance.

        Raises:
            SigningError: As `sign`.
            PolicyError: As `sign`.
            AwsError: As `sign`.
        """
        task = replace(self._task(profile, at), name=name, annotations=annotations or {})
        with tempfile.TemporaryFile() as work:
            signed = task.run(io.BytesIO(source) if isinstance(source, bytes) else source, work)
            if target is not None:
                work.seek(0)
                shutil.copyfileobj(work, target)
        return signed

    def require_ready(self, profile: str, at: datetime) -> SigningProfileVersionArn:
        """Find out before any work whether bucket, profile and policy can be used, and return the publisher.

        Args:
            profile: As for `sign`.
            at: As for `sign`.

        Raises:
            SigningError: As `sign`.
            PolicyError: As `sign`.
            AwsError: As `sign`.
        """
        return self._task(profile, at).publisher

    def stop(self) -> None:
        """Make every thread that waits for AWS Signer give up; jobs go on, and the next run finds them."""
        self._waiting.stop()

    def _task(self, profile: str, at: datetime) -> SigningTask:
        with self._lock:  # the first of many threads finds out for all
            place = self._known_place = self._known_place or self._open()
            publisher = self._publishers.get(profile) or self._publisher(profile, place)
            policy = self._usable_policy(publisher, at)
            self._publishers[profile] = publisher
        owner = None if publisher.account == place.account else publisher.account
        return SigningTask(
            place.service,
            place.bucket,
            publisher,
            owner,
            policy,
            at,
            self._waiting.monotonic(),
            name=publisher.name,
            commit=self._commit,
        )

    def _open(self) -> _Place:
        reference, clients = self._reference, self._clients
        service = SigningService(
            clients,
            reference.region,
            rate=self._rate,
            waiting=self._waiting,
            timeout_seconds=reference.timeout_seconds,
        )
        region = service.region
        if region not in SIGNER_REGIONS:
            raise SigningError(
                SigningRefusal.ARGUMENT, f"AWS Signer does not serve the Region {region!r}. Sign in one that it serves"
            )
        with aws_errors("find out whose credentials these are"):
            account = str(clients.client("sts", region).get_caller_identity()["Account"])
        name = reference.bucket or f"lambda-code-signing-{account}-{region}"
        bucket = SigningBucket(clients, region, name, reference.bucket_owner or account, self._waiting)
        bucket.require_usable()
        return _Place(service, bucket, account)

    def _publisher(self, profile: str, place: _Place) -> SigningProfileVersionArn:
        """Return the version of the profile that signs, known to be neither cancelled nor revoked."""
        wanted, owner = self._wanted(profile, place.service.region), self._reference.profile_owner
        if wanted is not None:
            profile, owner = wanted.name, wanted.account
        found = place.service.publisher(profile, None if owner == place.account else owner)
        if wanted not in {None, found}:
            raise SigningError(
                "publisher_not_current",
                f"{found} is what signs with the profile {profile!r} now, not {wanted}. Use this version, or fetch the "
                "present policy",
            )
        return found

    def _wanted(self, profile: str, region: str) -> SigningProfileVersionArn | None:
        """Return the version that has to sign; None where a name alone does not say which."""
        owner = self._reference.profile_owner
        if not profile.startswith("arn:"):
            _require_name(profile)
            meant = self._publishers_of_policy(profile, region, owner)
            return meant[0] if len(meant) == 1 else None
        wanted = SigningProfileVersionArn.parse(profile)
        if owner not in {None, wanted.account}:
            raise SigningError(
                SigningRefusal.ARGUMENT, f"the profile {profile} does not belong to {owner}. Leave --profile-owner away"
            )
        if wanted.region != region:
            raise SigningError(
                SigningRefusal.ARGUMENT,
                f"the profile {profile} is not in {region}, where the bucket is. AWS Signer signs within one Region: "
                f"sign with --region {wanted.region}",
            )
        return wanted

    def _publishers_of_policy(self, name: str, region: str, owner: str | None) -> list[SigningProfileVersionArn]:
        allowed = () if self._policy is None else self._policy.allowed_publishers
        return [
            item for item in allowed if (item.name, item.region) == (name, region) and owner in {None, item.account}
        ]

    def _usable_policy(self, publisher: SigningProfileVersionArn, at: datetime) -> CodeSigningPolicy | None:
        """Return the policy that results are judged by; None where nobody said whom to trust."""
        policy = self._policy
        if policy is None:
            return CodeSigningPolicy((publisher,), trust=self._trust) if self._trust else None
        policy = replace(policy, trust=policy.trust | self._trust)
        policy.require_usable(at)
        if publisher not in policy.allowed_publishers:
            allowed = ", ".join(map(str, policy.allowed_publishers))
            raise SigningError(
                "publisher_not_allowed",
                f"the policy does not allow {publisher}; it allows {allowed}. Sign with one of these, or fetch the "
                "present policy",
            )
        return policy


def _require_name(profile: str) -> None:
    try:
        SigningProfileArn.parse(f"arn:aws:signer:eu-west-1:123456789012:/signing-profiles/{profile}")
    except ArnError as error:
        raise SigningError(
            SigningRefusal.ARGUMENT,
            f"{profile[:100]!r} is no name of a signing profile. A name has 2 to 64 letters, digits and underscores",
        ) from error
