"""Reading a deployment package within bounds: the digest of its content, its signature, and what to look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_bytes import WINDOW_BYTES, ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.archive_limits import DEFAULT_LIMITS, ArchiveLimits
from constructs_pkg.signing.content_hash import ContentHash
from constructs_pkg.signing.inflate import (
    CHUNK_BYTES,
    FASTEST,
    DeflateLibrary,
    expanded_too_large,
    inflate,
    inflate_small,
)
from constructs_pkg.signing.local_entries import body_extent
from constructs_pkg.signing.ordinary_archive import read_ordinary
from constructs_pkg.signing.zip_directory import DirectoryEntry, ZipDirectory, read_directory
from constructs_pkg.signing.zip_end import DirectoryExtent, locate_directory
from constructs_pkg.signing.zip_records import STORED

__all__ = [
    "DEFAULT_LIMITS",
    "SIGNATURE_DIRECTORY",
    "SIGNATURE_ENTRY",
    "ArchiveLimits",
    "ArchiveNote",
    "ArchiveReading",
    "open_directory",
    "read_archive",
]

SIGNATURE_DIRECTORY = "META_INF/"
SIGNATURE_ENTRY = "META_INF/aws_signer_signature_v1.0.SF"
_SIGNATURE_NAME = SIGNATURE_ENTRY.encode()
_NAMES_IN_A_NOTE = 5


@dataclass(frozen=True, slots=True)
class ArchiveNote:
    """Something about an archive that is no reason to refuse it, but that a reviewer should see.

    Attributes:
        code: ``symlink_entry``, ``backslash_in_name`` or ``name_without_utf8_flag``.
        entry_count: How many entries it concerns.
        first_names: The first of them, at most five.
        message: What it means, naming the first of them.
    """

    code: str
    entry_count: int
    first_names: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class ArchiveReading:
    """What an archive holds, as far as its signature is concerned.

    Attributes:
        content_digest: 48 bytes: SHA-384 over name and body of each entry in the order of the central directory, the
            signature entry left out. This is what a signature in the archive must be about.
        digest_to_sign: The content digest that the archive will have once it is signed: AWS Signer appends the
            directory ``META_INF/`` where it is missing, and hashes it.
        signature: The body of the signature entry, or None where the archive is unsigned.
        raw_names: The entries' names as UTF-8, in the order of the central directory, the signature entry's included.
            Kept as bytes, since 100,000 hostile names as text would take four times the memory.
        expanded_bytes: All bodies together, the signature's included.
        archive_bytes: The archive itself.
        notes: What a reviewer should see.
    """

    content_digest: bytes
    digest_to_sign: bytes
    signature: bytes | None
    raw_names: tuple[bytes, ...]
    expanded_bytes: int
    archive_bytes: int
    notes: tuple[ArchiveNote, ...]

    @property
    def entry_count(self) -> int:
        """Return the number of entries, the signature's included."""
        return len(self.raw_names)

    @property
    def entry_names(self) -> tuple[str, ...]:
        """Return the names as text, decoded anew at each call."""
        return tuple(name.decode() for name in self.raw_names)


def read_archive(
    source: bytes | BinaryIO, limits: ArchiveLimits = DEFAULT_LIMITS, *, library: DeflateLibrary = FASTEST
) -> ArchiveReading:
    """Read a ZIP archive in the order of its central directory, and hash what AWS Signer signs.

    It is read once if it is ordinary, see ``ordinary_archive``, and begun anew if not. Nothing is extracted to disk.
    Memory does not grow with the archive's size, only with its number of entries and the length of their names, both
    limited. The records are checked so strictly that any reader of ZIP files sees the same entries; ``ArchiveDefect``
    lists what is refused. Accepted are stored and deflated entries, directories, data descriptors of each of the four
    forms, Zip64, an archive comment, any extra fields, and entries that lie in another order than the directory lists
    them in.

    NOT checked: the signature itself; times, permissions, comments and extra fields, which the format does not sign;
    and where a name ends and a body begins, which the format's digest cannot tell ("ab" + "c" is "a" + "bc").

    Args:
        source: The archive, or a seekable file open for reading bytes, whose position is moved.
        limits: When to give up.
        library: What inflates; the verdict is the same with each.

    Raises:
        ArchiveError: The archive is refused; ``reason`` is one of ``ArchiveDefect``.
    """
    archive = ArchiveBytes(source)
    extent = _locate(archive, limits)
    with ContentHash() as content:
        found = read_ordinary(archive, extent, content, limits, library, _SIGNATURE_NAME)
        if found is not None:
            return _reading(archive, content, found.names, found.expanded_bytes, found.signature, ())
    directory = read_directory(archive, extent, limits.max_name_bytes)
    with ContentHash() as content:
        bodies = _Bodies(archive, limits, library)
        for entry in directory:
            if entry.name == _SIGNATURE_NAME:
                bodies.read_signature(entry)
                continue
            content.update(entry.name)
            for piece in bodies.read(entry, limits.max_expanded_bytes - bodies.expanded_bytes):
                content.update(piece)
        notes = tuple(_notes(directory))
        return _reading(archive, content, directory.names, bodies.expanded_bytes, bodies.signature, notes)


def _reading(
    archive: ArchiveBytes,
    content: ContentHash,
    names: list[bytes],
    expanded_bytes: int,
    signature: bytes | None,
    notes: tuple[ArchiveNote, ...],
) -> ArchiveReading:
    digest = content.digest()
    if SIGNATURE_DIRECTORY.encode() not in names:
        content.update(SIGNATURE_DIRECTORY.encode())
    return ArchiveReading(
        content_digest=digest,
        digest_to_sign=content.digest(),
        signature=signature,
        raw_names=tuple(names),
        expanded_bytes=expanded_bytes + len(signature or b""),
        archive_bytes=archive.size,
        notes=notes,
    )


def open_directory(archive: ArchiveBytes, limits: ArchiveLimits) -> tuple[DirectoryExtent, ZipDirectory]:
    """Read the central directory of an archive under its limits, without looking at any body.

    Args:
        archive: The whole archive.
        limits: When to give up.

    Raises:
        ArchiveError: The archive, its directory or the number of its entries is too large, or a record breaks a rule.
    """
    extent = _locate(archive, limits)
    return extent, read_directory(archive, extent, limits.max_name_bytes)


def _locate(archive: ArchiveBytes, limits: ArchiveLimits) -> DirectoryExtent:
    _check_limit(ArchiveDefect.ARCHIVE_TOO_LARGE, "archive has", archive.size, limits.max_archive_bytes, "bytes")
    extent = locate_directory(archive)
    _check_limit(ArchiveDefect.TOO_MANY_ENTRIES, "archive has", extent.entry_count, limits.max_entries, "entries")
    maximum = limits.max_directory_bytes
    _check_limit(ArchiveDefect.DIRECTORY_TOO_LARGE, "central directory has", extent.length, maximum, "bytes")
    return extent


def _check_limit(reason: ArchiveDefect, what: str, value: int, maximum: int, unit: str) -> None:
    if value > maximum:
        raise defect(reason, f"the {what} {value} {unit}; the limit is {maximum}. Leave something out")


class _Bodies:
    """Reads bodies and counts what all but the signature's expand to."""

    def __init__(self, archive: ArchiveBytes, limits: ArchiveLimits, library: DeflateLibrary) -> None:
        self._archive = archive
        self._limits = limits
        self._library = library
        self.expanded_bytes = 0
        self.signature: bytes | None = None

    def read(self, entry: DirectoryEntry, allowed_bytes: int) -> Iterator[bytes | memoryview]:
        """Yield a body piece by piece, and at its end refuse it where its checksum is wrong."""
        start, length = body_extent(self._archive, entry)
        if entry.method == STORED and entry.expanded_bytes > allowed_bytes:
            raise expanded_too_large(entry.name, allowed_bytes)
        pieces = self._archive.pieces(start, length)
        chunks: Iterator[bytes | memoryview] = pieces
        if entry.method != STORED:
            chunks = self._inflated(entry, start, length, allowed_bytes)
        elif length < WINDOW_BYTES:  # a copy, since a view of one byte would keep the whole window around it in memory
            chunks = map(bytes, pieces)
        crc = 0
        for chunk in chunks:
            crc = self._library.crc32(chunk, crc)
            yield chunk
        if crc != entry.crc32:
            raise defect(
                ArchiveDefect.CRC_MISMATCH,
                f"entry {shown(entry.name)} has the CRC {crc:#010x} instead of {entry.crc32:#010x}: it was damaged",
            )
        if entry.name != _SIGNATURE_NAME:
            self.expanded_bytes += entry.expanded_bytes

    def _inflated(self, entry: DirectoryEntry, start: int, length: int, allowed_bytes: int) -> Iterator[bytes]:
        declared = entry.expanded_bytes
        if length <= WINDOW_BYTES and declared <= min(CHUNK_BYTES, allowed_bytes):
            body = inflate_small(self._archive.view(start, length), declared, self._library)
            if body is not None:
                return iter((body,))
        return inflate(entry.name, self._archive.pieces(start, length), declared, allowed_bytes, self._library)

    def read_signature(self, entry: DirectoryEntry) -> None:
        """Keep the body of the signature entry."""
        maximum = self._limits.max_signature_bytes
        if min(entry.expanded_bytes, entry.compressed_bytes) > maximum:
            raise _signature_too_large(maximum)
        body = bytearray()
        for chunk in self.read(entry, maximum + 1):
            body += chunk
            if len(body) > maximum:
                raise _signature_too_large(maximum)
        self.signature = bytes(body)


def _signature_too_large(maximum: int) -> ArchiveError:
    message = f"the signature entry {SIGNATURE_ENTRY} expands to more than {maximum} bytes; a signature has about 6,000"
    return defect(ArchiveDefect.SIGNATURE_TOO_LARGE, message)


def _notes(directory: ZipDirectory) -> Iterator[ArchiveNote]:
    backslashes = [name for name in directory.names if b"\\" in name]
    found = {
        "symlink_entry": (
            directory.symlinks,
            "a symbolic link by its attributes, which nothing signs: anybody could have set them",
        ),
        "backslash_in_name": (
            backslashes,
            "on Lambda a backslash is part of a file's name and no separator",
        ),
        "name_without_utf8_flag": (
            directory.unflagged,
            "read as UTF-8, without the flag that says so; some readers assume CP437",
        ),
    }
    for code, (names, message) in found.items():
        if names:
            first = tuple(name.decode() for name in names[:_NAMES_IN_A_NOTE])
            more = f" and {len(names) - len(first)} more" if len(names) > len(first) else ""
            yield ArchiveNote(code, len(names), first, f"{', '.join(map(repr, first))}{more}: {message}")
