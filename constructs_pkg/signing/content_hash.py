"""SHA-384 over many pieces, large amounts of it in a thread of its own while the next piece is being inflated."""

import hashlib
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # loaded when the first large archive comes: small ones are checked without the cost
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["ContentHash"]

_BLOCK_BYTES = 256 * 1024
_BLOCKS_WITHOUT_THREAD = 4
_BLOCKS_WAITING = 4


class ContentHash:
    """The digest of the pieces given to it, in their order.

    Small pieces are gathered into blocks; hashing a block releases the interpreter's lock. The first mebibyte is hashed
    in the calling thread: for small archives a thread costs more than it gives. At most four blocks wait, which bounds
    the memory. A context manager, since the thread must end.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha384()
        self._pieces: list[bytes | memoryview] = []
        self._gathered_bytes = 0
        self._blocks = 0
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

    def update(self, piece: bytes | memoryview) -> None:
        """Add a piece.

        Args:
            piece: Which must not change afterwards.
        """
        self._pieces.append(piece)
        self._gathered_bytes += len(piece)
        if self._gathered_bytes >= _BLOCK_BYTES:
            self._flush()

    def digest(self) -> bytes:
        """Return the 48 bytes of the digest so far; more pieces may follow."""
        self._flush()
        while self._waiting:
            self._waiting.popleft().result()
        return self._hash.digest()

    def _flush(self) -> None:
        pieces, self._pieces, self._gathered_bytes = self._pieces, [], 0
        self._blocks += 1
        if self._blocks <= _BLOCKS_WITHOUT_THREAD:
            self._hash_block(pieces)
            return
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (see above)

            self._executor = ThreadPoolExecutor(1, "content-hash")
        if len(self._waiting) >= _BLOCKS_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._executor.submit(self._hash_block, pieces))

    def _hash_block(self, pieces: list[bytes | memoryview]) -> None:
        self._hash.update(pieces[0] if len(pieces) == 1 else b"".join(pieces))
