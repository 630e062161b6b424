"""Inflating one entry in bounded steps, with the fastest library at hand whose verdicts are those of zlib."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown

__all__ = [
    "CHUNK_BYTES",
    "FASTEST",
    "STANDARD",
    "DeflateLibrary",
    "expanded_too_large",
    "fastest",
    "inflate",
    "inflate_small",
]

CHUNK_BYTES = 1024 * 1024
"""How much is inflated at once, in bytes of output."""


class _Inflating(Protocol):
    """What ``zlib.decompressobj`` returns."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class DeflateLibrary:
    """A library with the interface of the standard library's ``zlib``.

    Attributes:
        name: Of its module.
        decompressobj: Begins to inflate; takes the window bits.
        crc32: The checksum of some bytes, continuing another.
        error: What it raises on a malformed stream.
    """

    name: str
    decompressobj: Callable[[int], _Inflating]
    crc32: Callable[[bytes | memoryview, int], int]
    error: type[Exception]


STANDARD = DeflateLibrary("zlib", zlib.decompressobj, zlib.crc32, zlib.error)


def fastest() -> DeflateLibrary:
    """Return zlib-ng where it is installed (the extra ``fast``), else zlib.

    isal inflates about a tenth faster still, but accepts what zlib and zlib-ng refuse: incomplete Huffman codes. A
    verdict must not depend on what happens to be installed, so isal is not used.
    """
    try:
        zlib_ng: Any = import_module("zlib_ng.zlib_ng")
    except ImportError:
        return STANDARD
    return DeflateLibrary("zlib_ng", zlib_ng.decompressobj, zlib_ng.crc32, zlib_ng.error)


FASTEST = fastest()


def inflate_small(body: memoryview, declared_bytes: int, library: DeflateLibrary) -> bytes | None:
    """Return what ``inflate`` yields, for a compressed body in one piece with which all is well; else None.

    Most entries of most packages are so small that the steps of ``inflate`` cost as much as the inflating.

    Args:
        body: The compressed body.
        declared_bytes: The expanded size that the headers declare, which is the caller's to bound.
        library: What inflates.
    """
    stream = library.decompressobj(-zlib.MAX_WBITS)
    try:
        expanded = stream.decompress(body, declared_bytes + 1)
    except library.error:
        return None
    return expanded if len(expanded) == declared_bytes and stream.eof and not stream.unused_data else None


def inflate(
    name: bytes, pieces: Iterator[memoryview], declared_bytes: int, allowed_bytes: int, library: DeflateLibrary
) -> Iterator[bytes]:
    """Yield an entry's expanded body, and never more of it than is allowed, whatever it claims to be.

    The checksum is not verified.

    Args:
        name: Of the entry, for messages.
        pieces: The compressed body.
        declared_bytes: The expanded size that the headers declare.
        allowed_bytes: How much it may become before it is cut off.
        library: What inflates.

    Raises:
        ArchiveError: The stream is malformed, has something behind it, or its output has another size than declared or
            is larger than allowed.
    """
    stream = library.decompressobj(-zlib.MAX_WBITS)
    ceiling = min(declared_bytes, allowed_bytes)
    produced = 0
    pending: bytes | memoryview = b""
    while not stream.eof:
        pending = pending or next(pieces, b"")
        exhausted = not pending
        try:
            chunk = stream.decompress(pending, min(CHUNK_BYTES, ceiling - produced + 1))
        except library.error as error:
            raise _malformed(name, error) from error
        pending = stream.unconsumed_tail
        produced += len(chunk)
        if produced > ceiling:
            raise _too_much(name, declared_bytes, allowed_bytes)
        if chunk:
            yield chunk
        elif exhausted and not stream.eof:
            raise defect(
                ArchiveDefect.DEFLATE_MALFORMED, f"entry {shown(name)} ends in the middle of its deflate stream"
            )
    if stream.unused_data or next(pieces, b""):
        raise defect(
            ArchiveDefect.BYTES_AFTER_DEFLATE_STREAM,
            f"entry {shown(name)} has bytes behind the end of its deflate stream",
        )
    if produced != declared_bytes:
        raise defect(
            ArchiveDefect.SIZE_MISMATCH,
            f"entry {shown(name)} expands to {produced} bytes and declares {declared_bytes}",
        )


def _malformed(name: bytes, error: Exception) -> ArchiveError:
    return defect(ArchiveDefect.DEFLATE_MALFORMED, f"entry {shown(name)} cannot be inflated: {error}")


def _too_much(name: bytes, declared_bytes: int, allowed_bytes: int) -> ArchiveError:
    if declared_bytes <= allowed_bytes:
        return defect(
            ArchiveDefect.SIZE_MISMATCH,
            f"entry {shown(name)} expands to more than the {declared_bytes} bytes that it declares",
        )
    return expanded_too_large(name, allowed_bytes)


def expanded_too_large(name: bytes, allowed_bytes: int) -> ArchiveError:
    """Return the error for an entry that exceeds what is left of the limit, for the caller to raise.

    Args:
        name: Of the entry.
        allowed_bytes: How much it might have had.
    """
    return defect(
        ArchiveDefect.EXPANDED_TOO_LARGE,
        f"entry {shown(name)} expands to more than the {allowed_bytes} bytes that the limit leaves for it. "
        "Lambda takes up to 250 MB expanded, layers included: leave something out",
    )
