"""A signed archive in S3, as whoever had it signed tells of it."""

from dataclasses import dataclass
from enum import StrEnum

from constructs_pkg.signing.signing_result import CheckedSignature

__all__ = ["Outcome", "SignedObject"]


class Outcome(StrEnum):
    """How an archive came to its signature."""

    SIGNED = "signed"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class SignedObject:
    """A signed archive in the bucket, looked at before it was told of.

    Attributes:
        outcome: Whether it was signed now or was there already.
        bucket: The bucket.
        key: The object's key; its provenance lies beside it, under `constructs_pkg.signing.object_names`.
        version: The object's version.
        source_sha256: The digest of the unsigned archive, in hexadecimal.
        signature: What is known of the signature; ``is_verified`` says whether a trusted root vouches for it.
    """

    outcome: Outcome
    bucket: str
    key: str
    version: str
    source_sha256: str
    signature: CheckedSignature
