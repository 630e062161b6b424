"""Where things lie in a bucket for signing: every key says what is under it, so that nobody has to keep a list."""

from constructs_pkg.arns import SigningProfileVersionArn

__all__ = ["JOB_PREFIX", "provenance_key", "signed_key", "unsigned_key"]

JOB_PREFIX = "jobs/"
"""Where AWS Signer writes: it names an object after its job, which says nothing to anybody else."""


def unsigned_key(source_sha256: str) -> str:
    """Return the key of an archive that is to be signed.

    Args:
        source_sha256: Its SHA-256, 64 hexadecimal digits in lower case.
    """
    return f"unsigned/{source_sha256}.zip"


def signed_key(source_sha256: str, publisher: SigningProfileVersionArn) -> str:
    """Return the key of a signed archive, which tells content and publisher.

    The name leaves out account and Region of the profile: a bucket serves one Region, and two accounts do not share a
    profile version (10 characters that AWS chooses).

    Args:
        source_sha256: The SHA-256 of the *unsigned* archive, 64 hexadecimal digits in lower case.
        publisher: The signing profile version.
    """
    return f"signed/{source_sha256}/{publisher.name}-{publisher.profile_version}.zip"


def provenance_key(key: str) -> str:
    """Return the key of the provenance that lies beside a signed archive.

    Args:
        key: As `signed_key` returns it.
    """
    return f"{key.removesuffix('.zip')}.json"
