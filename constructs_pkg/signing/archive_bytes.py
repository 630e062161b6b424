"""Bounded random access to an archive that lies in memory or in a file."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from constructs_pkg.signing.archive_defects import ArchiveDefect, defect

__all__ = ["WINDOW_BYTES", "ArchiveBytes", "sha256_of"]

WINDOW_BYTES = 256 * 1024
"""How much of a file is held at once; more than the largest header (30 + 2 * 65,535 bytes) and than the largest end."""


class ArchiveBytes:
    """The bytes of an archive, of which a file's are read a window at a time.

    Args:
        source: The archive itself, or a seekable file open for reading bytes. The file's position is moved.

    Attributes:
        size: The length in bytes.

    Raises:
        ArchiveError: ``unreadable``: the operating system refuses.
    """

    def __init__(self, source: bytes | bytearray | memoryview | BinaryIO) -> None:
        self._file: BinaryIO | None = None
        self._window = memoryview(b"")
        self._window_start = 0
        if isinstance(source, bytes | bytearray | memoryview):
            self._window = memoryview(source).cast("B")
            self.size = len(self._window)
            return
        self._file = source
        try:
            self.size = source.seek(0, 2)
        except OSError as error:
            raise defect(ArchiveDefect.UNREADABLE, f"the archive cannot be read: {error}") from error

    def view(self, start: int, length: int) -> memoryview:
        """Return some of the archive's bytes, which stay what they are after later calls.

        Args:
            start: Where they begin.
            length: How many, at most ``WINDOW_BYTES``.

        Raises:
            ArchiveError: ``truncated``: the archive ends before; ``unreadable``: the operating system refuses.
        """
        offset = start - self._window_start
        if offset < 0 or offset + length > len(self._window):
            self._fill(start, length)
            offset = start - self._window_start
        return self._window[offset : offset + length]

    def read(self, start: int, length: int) -> bytes:
        """Return a copy of some of the archive's bytes, however many; memory is the caller's to bound.

        Args:
            start: Where they begin.
            length: How many.

        Raises:
            ArchiveError: As ``view`` does.
        """
        return b"".join(self.pieces(start, length))

    def pieces(self, start: int, length: int) -> Iterator[memoryview]:
        """Yield some of the archive's bytes, however many, a window at a time.

        Args:
            start: Where they begin.
            length: How many.

        Raises:
            ArchiveError: As ``view`` does.
        """
        end = start + length
        for at in range(start, end, WINDOW_BYTES):
            yield self.view(at, min(WINDOW_BYTES, end - at))

    def _fill(self, start: int, length: int) -> None:
        end = f"the archive of {self.size} bytes ends before byte {start + length}, which its records speak of"
        if self._file is None or start < 0 or start + length > self.size:
            raise defect(ArchiveDefect.TRUNCATED, end)
        try:
            self._file.seek(start)
            window = self._file.read(WINDOW_BYTES)
            while len(window) < length:  # an unbuffered file may return less than was asked for
                more = self._file.read(WINDOW_BYTES)
                if not more:
                    raise defect(ArchiveDefect.TRUNCATED, f"{end}: the file became shorter while it was read")
                window += more
        except OSError as error:
            raise defect(ArchiveDefect.UNREADABLE, f"the archive cannot be read: {error}") from error
        self._window, self._window_start = memoryview(window), start


def sha256_of(source: bytes | BinaryIO) -> bytes:
    """Return the SHA-256 of an archive.

    Args:
        source: The archive itself, or a seekable file open for reading bytes, whose position is moved.
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    source.seek(0)
    # What BinaryIO does not promise, every file open for reading bytes has: readinto.
    return hashlib.file_digest(source, "sha256").digest()  # pyright: ignore[reportArgumentType]
