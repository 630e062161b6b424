"""SHA-384 over many pieces, large amounts of it in a thread of its own while the next piece is being inflated."""

import hashlib
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:  # loaded when the first large archive comes: small ones are checked without the cost
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["ContentHash"]

_BLOCK_BYTES = 1024 * 1024
_BLOCKS_WAITING = 4


class ContentHash:
    """The digest of the pieces given to it, in their order.

    Pieces are gathered into blocks of a mebibyte; hashing a block releases the interpreter's lock. What does not fill
    one is hashed in the calling thread: for small archives a thread costs more than it gives. At most four blocks wait,
    which bounds the memory. A context manager, since the thread must end.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha384()
        self._pieces: list[bytes | memoryview] = []
        self._gathered_bytes = 0
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
        self._pieces += pieces
        for piece in pieces:
            self._gathered_bytes += len(piece)
        if self._gathered_bytes >= _BLOCK_BYTES:
            self._hash_elsewhere(self._taken())

    def digest(self) -> bytes:
        """Return the 48 bytes of the digest so far; more pieces may follow."""
        while self._waiting:
            self._waiting.popleft().result()
        self._hash_block(self._taken())
        return self._hash.digest()

    def _taken(self) -> list[bytes | memoryview]:
        pieces, self._pieces, self._gathered_bytes = self._pieces, [], 0
        return pieces

    def _hash_elsewhere(self, pieces: list[bytes | memoryview]) -> None:
        if self._executor is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 (see above)

            self._executor = ThreadPoolExecutor(1, "content-hash")
        if len(self._waiting) >= _BLOCKS_WAITING:
            self._waiting.popleft().result()
        self._waiting.append(self._executor.submit(self._hash_block, pieces))

    def _hash_block(self, pieces: list[bytes | memoryview]) -> None:
        self._hash.update(pieces[0] if len(pieces) == 1 else b"".join(pieces))
