"""Takes the signature out of an archive whose signature is intact, so that somebody else can sign the same content."""

import shutil
import zipfile
from typing import BinaryIO

from constructs_pkg.errors import ArchiveError, CmsError, SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, read_archive
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.cms import SignatureEnvelope, parse_signature

__all__ = ["remove_signature"]


def remove_signature(source: BinaryIO, target: BinaryIO) -> SignatureEnvelope:
    """Copy an archive without its signature entry.

    What the signature covers, names, bodies and their order, stays as it is, which is compared afterwards; entries are
    compressed anew. The signature has to fit the archive: one that does not tells that somebody changed it. Whether its
    publisher deserves trust is *not* looked at.

    Args:
        source: The signed archive, a seekable file.
        target: Where the unsigned copy is written, a seekable file.

    Returns:
        What the signature said.

    Raises:
        SigningError: The archive is not signed, or is not what was signed.
    """
    try:
        reading = read_archive(source)
        if reading.signature is None:
            raise SigningError(SigningRefusal.ARGUMENT, "the archive has no signature that could be taken out")
        envelope = parse_signature(reading.signature)
        envelope.check(reading.content_digest)
    except (ArchiveError, CmsError) as error:
        raise SigningError(
            SigningRefusal.ARCHIVE_MALFORMED,
            f"the archive is not what its publisher signed: {error}. Do not use it, and tell the publisher",
        ) from error
    # Strictly read above: zipfile sees the same entries.
    with zipfile.ZipFile(source) as signed, zipfile.ZipFile(target, "w") as unsigned:
        for entry in signed.infolist():
            if entry.filename != SIGNATURE_ENTRY:
                with signed.open(entry) as body, unsigned.open(entry, "w") as copy:
                    shutil.copyfileobj(body, copy)
    if read_archive(target).content_digest != reading.content_digest:
        raise SigningError(
            SigningRefusal.ARCHIVE_MALFORMED,
            "the archive cannot be copied without changing its content. Ask its publisher for an unsigned one",
        )
    return envelope
