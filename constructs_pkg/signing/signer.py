"""What every signer can do: the local authority today, AWS Signer behind the same protocol."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol, runtime_checkable

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn

__all__ = ["SignedArtifact", "Signer"]


@dataclass(frozen=True, slots=True)
class SignedArtifact:
    """What a signer tells about an archive that it signed.

    Attributes:
        signing_job_arn: The job.
        signing_profile_version_arn: The publisher that a code signing config has to list.
        signed_at: The signing time in the signature, UTC, with milliseconds.
        expires_at: When the signature runs out, UTC, with milliseconds.
    """

    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime
    expires_at: datetime


@runtime_checkable
class Signer(Protocol):
    """Signs Lambda archives."""

    def sign(self, source: bytes | BinaryIO, target: BinaryIO, *, profile: str, at: datetime) -> SignedArtifact:
        """Sign an archive: every entry copied as it stands, the signature entry at the end.

        Args:
            source: The unsigned archive: its bytes, or a seekable binary file.
            target: Where the signed archive is written, a seekable binary file. What was written by the time of an
                error is worthless.
            profile: The name of the signing profile.
            at: The time of signing, aware. A service that has its own clock takes it as the start of its wait.

        Raises:
            SigningError: The signer refuses; ``reason`` says why.
            AwsError: AWS was not reached, refused a request, or needed longer than was waited for.
        """
        ...
