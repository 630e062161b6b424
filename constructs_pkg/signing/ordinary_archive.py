"""The short way through an archive as most tools write it: one pass over the directory and the bodies side by side.

Looking at thousands of small files one step after another takes as long as inflating them. So an archive is first taken
to be ordinary: its entries lie one after another in the order of the directory, their local headers repeat its records,
and there are no extra fields, data descriptors, comments, links or unusual names. As soon as something is otherwise,
this way says nothing, and the archive is read the long way, which alone finds out what it is and whether it matters.
What the short way says is what the long way would say: the tests compare the two over the whole corpus.
"""

import zlib
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_bytes import WINDOW_BYTES, ArchiveBytes
from constructs_pkg.signing.archive_limits import ArchiveLimits
from constructs_pkg.signing.content_hash import ContentHash
from constructs_pkg.signing.entry_names import are_plain
from constructs_pkg.signing.inflate import CHUNK_BYTES, DeflateLibrary, inflate
from constructs_pkg.signing.zip_directory import check_kind, is_symlink
from constructs_pkg.signing.zip_end import DirectoryExtent
from constructs_pkg.signing.zip_records import (
    CENTRAL_FIELDS,
    CENTRAL_SIGNATURE,
    FLAG_DATA_DESCRIPTOR,
    LOCAL_SIGNATURE,
    STORED,
)

__all__ = ["OrdinaryArchive", "read_ordinary"]

_REPEATED_START, _REPEATED_END = 6, 30
"""Where a record has what the local header repeats: from the version needed to the length of the name."""
_PLAIN_HEADER = LOCAL_SIGNATURE + b"%b\0\0%b"
"""A local header without extra fields."""
_SMALL_BYTES = WINDOW_BYTES // 2
_BATCH_BYTES = 512 * 1024
"""How much is expanded at once, compressed and expanded bytes together."""


class OrdinaryArchive(NamedTuple):
    """What an ordinary archive holds.

    Attributes:
        names: The raw names, in the order of the directory.
        expanded_bytes: All bodies but the signature's together.
        signature: The body of the signature entry, or None where the archive is unsigned.
    """

    names: list[bytes]
    expanded_bytes: int
    signature: bytes | None


class _NotOrdinary(Exception):  # noqa: N818 (it is no error)
    """Something that the long way has to look at."""


_Entry = tuple[bytes, int, int, int, int, int, bytes | None]
"""Name, method, CRC, compressed and expanded size, where the body begins; and of a small entry the body as it lies."""


def read_ordinary(
    archive: ArchiveBytes,
    extent: DirectoryExtent,
    content: ContentHash,
    limits: ArchiveLimits,
    library: DeflateLibrary,
    signature_name: bytes,
) -> OrdinaryArchive | None:
    """Read and hash an archive if it is ordinary.

    Args:
        archive: The whole archive.
        extent: Where its directory lies.
        content: Is given name and body of each entry but the signature; of no use any more where None is returned.
        limits: When to give up.
        library: What inflates.
        signature_name: The name of the signature entry.

    Returns:
        What it holds; None where the archive is to be read the long way.
    """
    try:
        return _read(archive, extent, content, limits, library, signature_name)
    except (_NotOrdinary, ArchiveError, library.error):
        return None


def _read(
    archive: ArchiveBytes,
    extent: DirectoryExtent,
    content: ContentHash,
    limits: ArchiveLimits,
    library: DeflateLibrary,
    signature_name: bytes,
) -> OrdinaryArchive:
    names: list[bytes] = []
    batch: list[_Entry] = []
    batch_bytes, left_bytes = 0, limits.max_expanded_bytes
    signature: bytes | None = None
    for entry in _entries(archive, extent):
        name, _, _, compressed_bytes, expanded_bytes, _, body = entry
        names.append(name)
        if name == signature_name:
            _, signature = _expanded([entry], library)
            continue
        left_bytes -= expanded_bytes
        if body is None:
            content.update(*_expanded(batch, library), name)
            batch, batch_bytes = [], 0
            _hash_large(archive, entry, content, library, left_bytes)
            continue
        batch.append(entry)
        batch_bytes += compressed_bytes + expanded_bytes
        if batch_bytes > _BATCH_BYTES:
            _check_left(left_bytes)
            if content.has_time:
                content.update_later(partial(_expanded, batch, library))
            else:
                content.update(*_expanded(batch, library))
            batch, batch_bytes = [], 0
    _check_left(left_bytes)
    content.update(*_expanded(batch, library))
    content.wait()
    if not are_plain(names, limits.max_name_bytes) or len(signature or b"") > limits.max_signature_bytes:
        raise _NotOrdinary
    return OrdinaryArchive(names, limits.max_expanded_bytes - left_bytes, signature)


def _expanded(batch: list[_Entry], library: DeflateLibrary) -> list[bytes]:
    """Return names and bodies of small entries, one after another."""
    begin, crc32_of = library.decompressobj, library.crc32
    pieces: list[bytes] = []
    for name, method, crc32, _, expanded_bytes, _, body in batch:
        if body is None:
            raise _NotOrdinary
        expanded = body
        if method != STORED:
            stream = begin(-zlib.MAX_WBITS)
            expanded = stream.decompress(body, expanded_bytes + 1)
            if not stream.eof or stream.unused_data:
                raise _NotOrdinary
        if len(expanded) != expanded_bytes or crc32_of(expanded, 0) != crc32:
            raise _NotOrdinary
        pieces += (name, expanded)
    return pieces


def _check_left(left_bytes: int) -> None:
    if left_bytes < 0:
        raise _NotOrdinary


def _hash_large(
    archive: ArchiveBytes, entry: _Entry, content: ContentHash, library: DeflateLibrary, left_bytes: int
) -> None:
    _check_left(left_bytes)
    name, method, expected_crc32, compressed_bytes, expanded_bytes, body_start, _ = entry
    pieces = archive.pieces(body_start, compressed_bytes)
    chunks: Iterator[bytes | memoryview] = pieces
    if method != STORED:
        chunks = inflate(name, pieces, expanded_bytes, expanded_bytes, library)
    crc32 = 0
    for chunk in chunks:
        crc32 = library.crc32(chunk, crc32)
        content.update(chunk)
    if crc32 != expected_crc32:
        raise _NotOrdinary


def _entries(archive: ArchiveBytes, extent: DirectoryExtent) -> Iterator[_Entry]:
    """Yield the entries, each right behind the one before, the last one right in front of the directory."""
    records = archive.read(extent.start, extent.length)
    unpack = CENTRAL_FIELDS.unpack_from
    window, window_start, start, position = b"", 0, 0, 0
    last_kind: tuple[int, ...] = ()
    for _ in range(extent.entry_count):
        name_start = position + CENTRAL_FIELDS.size
        if name_start > len(records):
            raise _NotOrdinary
        mark, version, flags, method, crc32, compressed, expanded, length, extra, comment, disk, attributes, said = (
            unpack(records, position)
        )
        following = name_start + length
        name = records[name_start:following]
        kind = (flags, method, name[-1:] == b"/", version, extra, comment, disk, attributes)
        if kind != last_kind:
            _check_kind(name, kind)
            last_kind = kind
        header = _PLAIN_HEADER % (records[position + _REPEATED_START : position + _REPEATED_END], name)
        is_small = compressed <= _SMALL_BYTES and expanded <= CHUNK_BYTES
        offset = start - window_start
        body = offset + len(header)
        end = body + compressed if is_small else body
        if end > len(window):
            window, window_start = archive.read(start, min(WINDOW_BYTES, archive.size - start)), start
            offset, body, end = 0, body - offset, end - offset
        if (method == STORED and compressed != expanded) or (expanded and kind[2]):
            raise _NotOrdinary
        if said != start or mark != CENTRAL_SIGNATURE or not window.startswith(header, offset):
            raise _NotOrdinary
        start = window_start + body
        yield name, method, crc32, compressed, expanded, start, window[body:end] if is_small else None
        start += compressed
        position = following
    if position != len(records) or start != extent.start:
        raise _NotOrdinary


def _check_kind(name: bytes, kind: tuple[int, ...]) -> None:
    """Check what neighbours mostly have in common."""
    flags, method, is_directory, version, extra_bytes, comment_bytes, disk, attributes = kind
    check_kind(name, version, flags, method, disk, attributes, is_directory=bool(is_directory))
    if flags & FLAG_DATA_DESCRIPTOR or extra_bytes or comment_bytes or is_symlink(attributes):
        raise _NotOrdinary
