"""SHA-384 over many pieces, large amounts of it in a thread of its own while the next piece is being inflated."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from io import BytesIO
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:  # loaded when the first large archive comes: small ones are checked without the cost
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["ContentHash"]

_T = TypeVar("_T")

_BLOCK_BYTES = 1024 * 1024
_LARGE_BYTES = 256 * 1024
_BLOCKS_WAITING = 4


class ContentHash:
    """The digest of the pieces given to it, in their order.

    Small pieces are copied into blocks of about a mebibyte, so that their memory, which is still in the processor's
    cache, serves for the next ones; hashing a block releases the interpreter's lock. What does not fill a block is
    hashed in the calling thread: for small archives a thread costs more than it gives. At most four blocks wait, which
    bounds the memory. A context manager, since the thread must end.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha384()
        self._block = BytesIO()
        self._free: list[BytesIO] = []
        self._executor: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the thread, if there is one."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def update(self, *pieces: bytes | memoryview) -> None:
        """Add pieces.

        Args:
            pieces: Which must not change afterwards.
        """
        if len(pieces) == 1 and len(pieces[0]) >= _LARGE_BYTES:
            self._flush()
            self._elsewhere(self._hash.update, pieces[0])
            return
        self._block.writelines(pieces)
        if self._block.tell() >= _BLOCK_BYTES:
            self._flush()

    @property
    def has_time(self) -> bool:
        """Tell whether the thread runs and will soon have nothing to do."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft().result()
        return self._executor is not None and len(self._waiting) <= 1

    def update_later(self, make: Callable[[], Iterable[bytes]]) -> None:
        """Add pieces that the thread makes, when it is their turn.

        Args:
            make: Makes them; what it raises is raised by a later call of whatever method.
        """
        self._flush()
        self._elsewhere(self._hash_made, make)

    def wait(self) -> None:
        """Wait until the thread has nothing to do."""
        while self._waiting:
            self._waiting.popleft().result()

    def digest(self) -> bytes:
        """Return the 48 bytes of the digest so far; more pieces may follow."""
        self.wait()
        self._hash_block(self._block)
        self._block = self._free.pop()
        return self._hash.digest()

    def _flush(self) -> None:
        if self._block.tell():
            self._elsewhere(self._hash_block, self._block)
            self._block = self._free.pop() if self._free else BytesIO()

    def _elsewhere(self, run: Callable[[_T], None], block: _T) -> None:
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (see above)

            self._executor = ThreadPoolExecutor(1, "content-hash")
        if len(self._waiting) >= _BLOCKS_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._executor.submit(run, block))

    def _hash_block(self, block: BytesIO) -> None:
        with block.getbuffer() as whole, whole[: block.tell()] as part:
            self._hash.update(part)
        block.seek(0)
        self._free.append(block)

    def _hash_made(self, make: Callable[[], Iterable[bytes]]) -> None:
        self._hash.update(b"".join(make()))
