"""What AWS Signer takes: an archive that is sound, holds something, and is not signed yet."""

from typing import BinaryIO

from constructs_pkg.errors import ArchiveError, SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, ArchiveReading, read_archive
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.authority_records import SigningRefusal

__all__ = ["read_unsigned", "refused_archive"]


def read_unsigned(source: bytes | BinaryIO) -> ArchiveReading:
    """Read an archive that can be signed. AWS Signer: signing fails for an empty, signed or malformed archive.

    Args:
        source: The archive: its bytes, or a seekable binary file.

    Raises:
        SigningError: It is empty, malformed, too large, or signed already.
        ArchiveError: The operating system could not read it.
    """
    try:
        reading = read_archive(source)
    except ArchiveError as error:
        if error.reason == ArchiveDefect.UNREADABLE:
            raise
        raise refused_archive(error) from error
    if reading.signature is not None:
        raise SigningError(
            SigningRefusal.ALREADY_SIGNED, f"the archive is signed already: it has the entry {SIGNATURE_ENTRY}"
        )
    if not reading.entry_names:
        raise SigningError(SigningRefusal.ARCHIVE_EMPTY, "the archive is empty; add the code and sign again")
    return reading


def refused_archive(error: ArchiveError) -> SigningError:
    """Return a defect of an archive as the refusal to sign it."""
    too_large = {
        ArchiveDefect.ARCHIVE_TOO_LARGE,
        ArchiveDefect.EXPANDED_TOO_LARGE,
        ArchiveDefect.TOO_MANY_ENTRIES,
        ArchiveDefect.DIRECTORY_TOO_LARGE,
    }
    if error.reason in too_large:
        return SigningError(SigningRefusal.ARCHIVE_TOO_LARGE, f"the archive is too large to sign: {error}")
    return SigningError(SigningRefusal.ARCHIVE_MALFORMED, f"the archive is malformed and cannot be signed: {error}")
