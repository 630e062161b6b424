"""Progress on standard error for what takes longer than two seconds; silent where nobody looks at a terminal."""

import io
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from constructs_pkg.cli.output import printable

__all__ = ["Progress", "open_with_progress"]

_QUIET_SECONDS = 2.0
_SECONDS_BETWEEN_UPDATES = 0.2


class Progress:
    """One line on a terminal that says how far something is.

    Args:
        label: What is being done.
        total_bytes: How many bytes there are to go through.
        stream: Where the line is shown; standard error unless a test says otherwise.
        monotonic: The clock that measures how long it takes, in seconds.
    """

    def __init__(
        self,
        label: str,
        total_bytes: int,
        stream: TextIO | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label = printable(label).replace("\n", " ")
        self._total_bytes = max(total_bytes, 1)
        self._stream = sys.stderr if stream is None else stream
        self._monotonic = monotonic
        self._done_bytes = 0
        self._next_update = monotonic() + _QUIET_SECONDS
        self._is_shown = False
        self._is_wanted = self._stream.isatty()

    def advance(self, count_bytes: int) -> None:
        """Note that more bytes are done."""
        self._done_bytes += count_bytes
        if not self._is_wanted or self._monotonic() < self._next_update:
            return
        self._next_update = self._monotonic() + _SECONDS_BETWEEN_UPDATES
        percent = min(100 * self._done_bytes // self._total_bytes, 100)
        self._stream.write(f"\r{self._label} … {percent:3} %")
        self._stream.flush()
        self._is_shown = True

    def reach(self, done: int, everything: int) -> None:
        """Note how much of everything is done, where that is only known on the way."""
        self._total_bytes = max(everything, 1)
        self.advance(done - self._done_bytes)

    def close(self) -> None:
        """Remove the line, so that the answer stands alone."""
        if self._is_shown:
            self._stream.write("\r\033[K")
            self._stream.flush()
            self._is_shown = False


class _CountedFile(io.FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self.progress: Progress | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.progress is not None:
            self.progress.advance(len(data))
        return data


@contextmanager
def open_with_progress(path: Path, label: str) -> Generator[BinaryIO]:
    """Open a file for reading and show, where it takes long, how much of it was read.

    Args:
        path: The file.
        label: What is being done with it.

    Raises:
        OSError: It cannot be opened.
    """
    with _CountedFile(path) as file:
        file.progress = Progress(label, path.stat().st_size)
        try:
            yield file
        finally:
            file.progress.close()
