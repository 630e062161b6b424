"""Time that only passes when everybody waits: minutes of waiting in many threads cost no waiting at all."""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

__all__ = ["SimulatedClock", "SimulatedThreads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)


class SimulatedClock:
    """A clock that moves on to the next waker as soon as all threads of work sleep.

    Alone, ``sleep`` just moves the clock. With a `SimulatedThreads`, it blocks until every other thread that has work
    sleeps as well; then the earliest of them goes on. What is computed takes no simulated time.

    Args:
        at: The moment that it begins with, aware.
    """

    def __init__(self, at: datetime = _BEGIN) -> None:
        self._begin = at
        self._seconds = 0.0
        self._condition = threading.Condition()
        self._sleepers: list[tuple[float, int]] = []
        self._ticket = itertools.count()
        self._holds = 0
        self._pending = 0
        self._threads = 1

    def now(self) -> datetime:
        """Return the present moment, aware."""
        return self._begin + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Return the seconds since the clock began."""
        return self._seconds

    def sleep(self, seconds: float) -> None:
        """Wait, in simulated time."""
        with self._condition:
            mine = (self._seconds + max(seconds, 0.0), next(self._ticket))
            heapq.heappush(self._sleepers, mine)
            self._move_on()
            while mine in self._sleepers:
                self._condition.wait()

    def hold(self, change: int) -> None:
        """Keep the clock from moving (1), or let it again (-1), while work is handed out."""
        with self._condition:
            self._holds += change
            self._move_on()

    def expect(self, change: int, threads: int) -> None:
        """Note that a piece of work was handed out (1) or is done (-1).

        Args:
            change: How many pieces.
            threads: How many pieces are worked on at a time at most.
        """
        with self._condition:
            self._pending += change
            self._threads = threads
            self._move_on()

    def _move_on(self) -> None:
        """Wake the earliest sleeper where nobody else has anything to do."""
        busy = max(min(self._pending, self._threads), 1)
        if self._sleepers and not self._holds and len(self._sleepers) >= busy:
            at, _ = heapq.heappop(self._sleepers)
            self._seconds = max(self._seconds, at)
            self._condition.notify_all()


class SimulatedThreads(ThreadPoolExecutor):
    """Threads whose waiting is that of a `SimulatedClock`: hand it to what takes an executor.

    Args:
        clock: The clock.
        max_workers: How many threads.
    """

    def __init__(self, clock: SimulatedClock, max_workers: int) -> None:
        super().__init__(max_workers)
        self._clock = clock
        self._size = max_workers

    def submit(self, fn: Callable[..., _Result], /, *args: Any, **kwargs: Any) -> Future[_Result]:  # noqa: ANN401
        """Hand out a piece of work; the clock counts it until it is done."""
        self._clock.expect(1, self._size)

        def work() -> _Result:
            try:
                return fn(*args, **kwargs)
            finally:
                self._clock.expect(-1, self._size)

        return super().submit(work)

    def map(  # pyright: ignore[reportIncompatibleMethodOverride] (one iterable is all that is used)
        self, fn: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Hand out all pieces before the clock moves, and yield their results in order."""
        self._clock.hold(1)
        try:
            futures = [self.submit(fn, item) for item in items]
        finally:
            self._clock.hold(-1)
        return (future.result() for future in futures)
