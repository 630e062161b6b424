"""How fast AWS Signer is asked, and how long anybody waits for it."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from constructs_pkg.errors import AwsError

__all__ = ["SIGNER_LIMITS", "Patience", "SignerRate", "Waiting"]

SIGNER_LIMITS: Mapping[str, int] = {"StartSigningJob": 3, "GetSigningProfile": 3, "DescribeSigningJob": 6}
"""Requests a second, for each account and Region (AWS General Reference, "AWS Signer endpoints and quotas")."""

_WINDOW_SECONDS = 1.1
"""A tenth more than the second that AWS counts, because requests do not arrive as evenly as they are sent."""

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 10.0
_GROWTH = 1.5


class Waiting:
    """The clock and the sleep of a task, which somebody else can end.

    Args:
        monotonic: Seconds of a monotonic clock.
        sleep: Sleeps so many seconds; where left out, `stop` wakes whoever sleeps.
        on_wait: Is called before each sleep, in the thread that sleeps.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        on_wait: Callable[[], object] | None = None,
    ) -> None:
        self.monotonic = monotonic
        self._on_wait = on_wait
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait

    def stop(self) -> None:
        """Make everybody who waits, or will wait, give up."""
        self._stopped.set()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            AwsError: `stop` was called; ``code`` is ``Interrupted``.
        """
        if seconds > 0 and not self._stopped.is_set():
            if self._on_wait is not None:
                self._on_wait()
            self._sleep(seconds)
        if self._stopped.is_set():
            raise AwsError("Interrupted", "the wait for AWS Signer was interrupted. Run the same again to go on")


class SignerRate:
    """Spreads requests so that no second holds more than AWS takes; safe to use from several threads.

    Other processes of the account count too, of which nothing is known here: refusals for the rate remain possible.

    Args:
        limits: Requests a second by operation.
    """

    def __init__(self, limits: Mapping[str, int] = SIGNER_LIMITS) -> None:
        self._limits = limits
        self._granted: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, region: str, operation: str, waiting: Waiting) -> None:
        """Wait until a request may be sent.

        Args:
            region: The Region that is asked.
            operation: The operation, one of the limits'.
            waiting: The caller's clock; callers that share a rate have the same.
        """
        limit = self._limits[operation]
        with self._lock:
            granted = self._granted.setdefault((region, operation), deque(maxlen=limit))
            now = waiting.monotonic()
            at = max(now, granted[0] + _WINDOW_SECONDS) if len(granted) == limit else now
            granted.append(at)
        waiting.sleep(at - now)


@dataclass(slots=True)
class Patience:
    """Growing pauses up to an end.

    Attributes:
        waiting: Clock and sleep.
        timeout_seconds: After how long patience ends, from now on.
        what: What is waited for, for the message.
        pause_seconds: The next pause; grows by half each time, up to 10 s.
    """

    waiting: Waiting
    timeout_seconds: float
    what: str
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        """Note when it ends."""
        self._end = self.waiting.monotonic() + self.timeout_seconds

    def pause(self, last: str) -> None:
        """Wait a while, a little less or more each time so that several do not go in step.

        Args:
            last: What was seen last, for the message.

        Raises:
            AwsError: The time is over; ``code`` is ``Timeout``.
        """
        left = self._end - self.waiting.monotonic()
        if left <= 0:
            raise AwsError(
                "Timeout",
                f"{self.what} took longer than {self.timeout_seconds:g} s; at last: {last}. Run the same again: it "
                "goes on with the job that runs; or wait longer with --timeout",
            )
        seconds = self.pause_seconds * random.uniform(0.8, 1.2)  # noqa: S311 (no secret depends on it)
        self.waiting.sleep(min(seconds, left))
        self.pause_seconds = min(self.pause_seconds * _GROWTH, _LONGEST_PAUSE_SECONDS)
