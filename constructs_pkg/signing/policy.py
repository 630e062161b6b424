"""The code signing policy: whom to trust, as a value that the verifier judges by.

It says what a code signing config says (publishers, mode), and what AWS knows besides: the trust roots and what was
revoked. `constructs_pkg.signing.policy_file` reads and writes it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from constructs_pkg.arns import CodeSigningConfigArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError, Problem
from constructs_pkg.signing.template_terms import TemplateTerms
from constructs_pkg.signing.trust import TrustStore

__all__ = [
    "MAX_PUBLISHERS",
    "MAX_REVOCATIONS",
    "CodeSigningPolicy",
    "Mode",
    "PolicyOrigin",
    "Revocations",
    "RevokedJob",
    "RevokedProfileVersion",
]

MAX_PUBLISHERS = 20
"""How many profile versions a code signing config lists at most (botocore 1.43.106, ``lambda``)."""

MAX_REVOCATIONS = 10_000
"""How many revoked jobs, and how many revoked profile versions, a policy holds at most."""


class Mode(StrEnum):
    """What Lambda does with an untrusted artifact: ``UntrustedArtifactOnDeployment`` of a code signing config."""

    ENFORCE = "Enforce"
    WARN = "Warn"


@dataclass(frozen=True, slots=True)
class RevokedJob:
    """One signature that was revoked, whenever it was made.

    Attributes:
        job_arn: The signing job.
        reason: Why, for the reader.
    """

    job_arn: SigningJobArn
    reason: str | None = None

    code: ClassVar[str] = "job_revoked"

    def __str__(self) -> str:
        """Return what was revoked and why."""
        return f"the signing job {self.job_arn} was revoked{_because(self.reason)}"


@dataclass(frozen=True, slots=True)
class RevokedProfileVersion:
    """A profile version whose signatures are revoked from a moment on.

    Attributes:
        profile_version_arn: The signing profile version.
        effective_time: Signatures made at this moment or later are revoked; those made before stay good.
        reason: Why, for the reader.
    """

    profile_version_arn: SigningProfileVersionArn
    effective_time: datetime
    reason: str | None = None

    code: ClassVar[str] = "profile_version_revoked"

    def __str__(self) -> str:
        """Return what was revoked, from when on, and why."""
        return (
            f"the signing profile version {self.profile_version_arn} was revoked for all signatures from "
            f"{self.effective_time.isoformat()} on{_because(self.reason)}"
        )


@dataclass(frozen=True, slots=True)
class Revocations:
    """What was revoked. AWS knows it by itself; offline it has to be told.

    Attributes:
        jobs: Single signatures.
        profile_versions: Publishers, each from a moment on.
    """

    jobs: tuple[RevokedJob, ...] = ()
    profile_versions: tuple[RevokedProfileVersion, ...] = ()

    def __or__(self, other: "Revocations") -> "Revocations":
        """Return what either of the two revokes."""
        return Revocations(
            tuple(dict.fromkeys(self.jobs + other.jobs)),
            tuple(dict.fromkeys(self.profile_versions + other.profile_versions)),
        )

    def matching(
        self, job: SigningJobArn, profile_version: SigningProfileVersionArn, signed_at: datetime
    ) -> tuple[RevokedJob | RevokedProfileVersion, ...]:
        """Return every revocation that a signature falls under.

        Args:
            job: The job that made the signature.
            profile_version: Its publisher.
            signed_at: When it was made. AWS: signatures made after the effective time are untrusted (AWS Signer
                developer guide, revocation); one made in that very moment is taken for revoked too.
        """
        return (
            *(item for item in self.jobs if item.job_arn == job),
            *(
                item
                for item in self.profile_versions
                if item.profile_version_arn == profile_version and signed_at >= item.effective_time
            ),
        )


@dataclass(frozen=True, slots=True)
class PolicyOrigin:
    """Where a policy was taken from.

    Attributes:
        code_signing_config_arn: The config, where there is one.
        retrieved_at: When it was read, aware.
        fetch_from: Where to fetch the present one, in words or as a URL, for the reader; None where nobody said.
    """

    code_signing_config_arn: CodeSigningConfigArn | None
    retrieved_at: datetime
    fetch_from: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSigningPolicy:
    """Whom to trust.

    Attributes:
        allowed_publishers: The profile versions that may have signed, 1 to `MAX_PUBLISHERS`.
        mode: What happens to an archive that fails mismatch, expiry or revocation; a failed integrity check rejects
            under both.
        trust: The roots. A policy without any can be made and combined, but judges nothing: see `require_usable`.
        revocations: What was revoked.
        origin: Where the policy was taken from.
        max_age_days: How many days after ``origin.retrieved_at`` the policy may be used; None for ever.
        templates: What the organization asks of templates besides; archives are judged without it.

    Raises:
        PolicyError: There are no publishers or too many, one is there twice, or the age is without an origin.
    """

    allowed_publishers: tuple[SigningProfileVersionArn, ...]
    mode: Mode = Mode.ENFORCE
    trust: TrustStore = field(default_factory=TrustStore)
    revocations: Revocations = field(default_factory=Revocations)
    origin: PolicyOrigin | None = None
    max_age_days: int | None = None
    templates: TemplateTerms = field(default_factory=TemplateTerms)

    def __post_init__(self) -> None:
        """Refuse what no code signing config could say."""
        problems: list[Problem] = []
        if not 1 <= len(self.allowed_publishers) <= MAX_PUBLISHERS:
            found = len(self.allowed_publishers)
            problems.append(
                Problem("allowed_publishers", f"{found} publishers", f"List 1 to {MAX_PUBLISHERS} profile versions")
            )
        if len(set(self.allowed_publishers)) != len(self.allowed_publishers):
            problems.append(Problem("allowed_publishers", "a publisher is listed twice", "List each once"))
        if self.max_age_days is not None and (self.max_age_days < 1 or self.origin is None):
            problems.append(
                Problem("max_age_days", f"{self.max_age_days} days", "Give at least 1 day, and an origin with its date")
            )
        if problems:
            raise PolicyError("code signing policy", tuple(problems))

    def require_usable(self, at: datetime) -> None:
        """Refuse to judge by a policy that is too old or knows no trust root.

        Args:
            at: The moment of the verdict, aware.

        Raises:
            PolicyError: It is too old, or there is no trust root.
        """
        problems: list[Problem] = []
        if not self.trust:
            problems.append(
                Problem(
                    "trust_roots",
                    "no trust root is known, so no signature can be judged",
                    "Pin the root of an archive that AWS Signer has just signed for your own account",
                )
            )
        if self.origin is not None and self.max_age_days is not None:
            end = self.origin.retrieved_at + timedelta(days=self.max_age_days)
            if at > end:
                problems.append(
                    Problem(
                        "origin.retrieved_at",
                        f"the policy was retrieved at {self.origin.retrieved_at.isoformat()} and is good for "
                        f"{self.max_age_days} days, until {end.isoformat()}",
                        f"Fetch the present one from {self.origin.fetch_from}"
                        if self.origin.fetch_from
                        else "Ask the platform team for the present one",
                    )
                )
        if problems:
            raise PolicyError("code signing policy", tuple(problems))


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""
