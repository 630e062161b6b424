"""Where a signed archive comes from: made from the archive, and held against it.

A statement is not signed: what it says of publisher, job and times can be checked against the archive's own signature
(`check_provenance`), what it says of the source is a claim of whoever may write to the bucket.
"""

from collections.abc import Mapping
from typing import BinaryIO

from constructs_pkg.errors import ArchiveError, CmsError, ProvenanceError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.provenance_statement import Provenance, format_provenance, parse_provenance

__all__ = ["check_provenance", "contradictions", "provenance_of"]


def provenance_of(
    archive: bytes | BinaryIO,
    *,
    name: str,
    source_name: str,
    source_sha256: str,
    commit: str | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Provenance:
    """Return the provenance of a signed archive: job, publisher and times are taken from its signature.

    It does *not* judge the signature.

    Args:
        archive: The signed archive: its bytes, or a seekable binary file.
        name: As in `Provenance`.
        source_name: As in `Provenance`.
        source_sha256: As in `Provenance`.
        commit: As in `Provenance`.
        annotations: As in `Provenance`.

    Raises:
        ProvenanceError: The archive has no signature that can be read, or an argument has another form.
    """
    try:
        reading = read_archive(archive)
        if reading.signature is None:
            raise ProvenanceError(f"{name} is not signed. Sign it first")
        envelope = parse_signature(reading.signature)
    except (ArchiveError, CmsError) as error:
        raise ProvenanceError(f"{name} has no signature that can be read: {error}") from error
    provenance = Provenance(
        name,
        sha256_of(archive).hex(),
        reading.content_digest.hex(),
        source_name,
        source_sha256,
        commit,
        envelope.signing_job_arn,
        envelope.signing_profile_version_arn,
        envelope.signed_at,
        envelope.expires_at,
        dict(annotations or {}),
    )
    return parse_provenance(format_provenance(provenance), name)


def check_provenance(provenance: Provenance, archive: bytes | BinaryIO) -> tuple[str, ...]:
    """Say in what a provenance contradicts its archive; nothing where it does not.

    Name and source are not in an archive: they remain claims. What the provenance leaves out is not compared. Whether
    the signature deserves trust is not looked at.

    Args:
        provenance: The provenance.
        archive: The signed archive: its bytes, or a seekable binary file.

    Raises:
        ProvenanceError: The archive has no signature that can be read.
    """
    real = provenance_of(
        archive,
        name=provenance.name,
        source_name=provenance.source_name,
        source_sha256=provenance.source_sha256,
    )
    return contradictions(provenance, real)


def contradictions(provenance: Provenance, real: Provenance) -> tuple[str, ...]:
    """Say in what a provenance contradicts one that was made from the archive, as `check_provenance` does.

    Args:
        provenance: The provenance.
        real: What `provenance_of` made of the archive.
    """
    compared = (
        "sha256",
        "content_sha384",
        "signing_job_arn",
        "signing_profile_version_arn",
        "signed_at",
        "expires_at",
    )
    return tuple(
        f"{key} is {getattr(provenance, key)}, and {getattr(real, key)} in the archive"
        for key in compared
        if getattr(provenance, key) not in {None, getattr(real, key)}
    )
