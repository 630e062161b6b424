"""One account in one Region, called in a row: every call waits its turn and sits throttling out."""

# boto3's clients, and their types, are made at run time.
# ruff: noqa: ANN401

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.clock import now
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import FailureKind

__all__ = ["MemberPlace", "Pace", "kind_of"]

_SECONDS_BETWEEN: Mapping[str, float] = {
    "lambda": 0.1,
    "cloudtrail": 0.6,
    "signer": 0.4,
}
"""At least so long between two calls of a service in one account and Region.

Lambda's control plane takes 15 requests a second there, LookupEvents 2 (see `read_place`), Signer 3: a third is left to
those who deploy at the same time.
"""

_ATTEMPTS = 8
_UNREACHED_ATTEMPTS = 3
_LONGEST_WAIT_SECONDS = 20.0
_MOST_PAGES = 10_000
_THROTTLED = frozenset(
    {"TooManyRequestsException", "ThrottlingException", "Throttling", "ThrottledException", "RequestLimitExceeded"}
)
_PASSING = frozenset({"ServiceException", "ServiceUnavailable", "InternalFailure", "InternalServerError"})
_EXPIRED = frozenset({"ExpiredTokenException", "ExpiredToken", "RequestExpired"})
_REGION_OFF = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "OptInRequired", "AuthFailure", "RegionDisabledException"}
)
_DENIED = ("AccessDenied", "UnauthorizedOperation", "NotAuthorized")
_UNREACHABLE = ("EndpointConnectionError", "Timeout", "ConnectionClosed", "ConnectionError", "SSLError", "ProxyError")


def kind_of(code: str) -> FailureKind:
    """Return what an error of AWS, given by its code, means for a reading."""
    if code in _THROTTLED:
        return FailureKind.THROTTLED
    if code in _REGION_OFF:
        return FailureKind.REGION_OFF
    if any(word in code for word in _DENIED):
        return FailureKind.DENIED
    if any(word in code for word in _UNREACHABLE):
        return FailureKind.UNREACHABLE
    return FailureKind.FAILED


def _threads(workers: int) -> Executor:
    return ThreadPoolExecutor(workers, thread_name_prefix="accounts")


@dataclass(frozen=True)
class Pace:
    """How time passes and how work is spread; tests bring their own.

    Attributes:
        monotonic: Seconds of a clock that never goes back.
        sleep: Waits for that many seconds.
        at: The present moment.
        jitter: A number from 0 to 1, by which waits are spread.
        executor: Makes what runs that many pieces of work at a time.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    at: Callable[[], datetime] = now
    jitter: Callable[[], float] = random.random
    executor: Callable[[int], Executor] = _threads


class MemberPlace:
    """An account in one Region, called in a row: every call waits its turn and sits throttling out.

    Args:
        clients: Returns the account's clients, with credentials that are still good.
        account: 12 digits.
        region: The Region.
        pace: How time passes.
        renew: Lets go of credentials that have expired all the same, as those of a laptop that slept.
    """

    def __init__(
        self,
        clients: Callable[[], Clients],
        account: str,
        region: str,
        pace: Pace,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        self._clients, self._renew = clients, renew
        self.account, self.region = account, region
        self._pace = pace
        self._next: dict[str, float] = {}

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        """Call one operation.

        Args:
            service: As boto3 names it.
            method: The method of boto3's client.
            parameters: Its parameters.

        Raises:
            AwsError: AWS refused, was not reached, or went on throttling.
        """
        doing = f"{method.replace('_', ' ')} ({service}) in {self.account}/{self.region}"
        attempt = 1
        while True:
            self._wait_for_turn(service)
            try:
                client = self._clients().client(service, self.region, attempts=1)
                with aws_errors(doing):
                    return getattr(client, method)(**parameters)
            except AwsError as error:
                if error.code in _EXPIRED and attempt == 1:
                    self._renew()
                elif attempt >= _attempts(error.code):
                    raise
            self._pace.sleep(_wait_seconds(attempt, self._pace.jitter()))
            attempt += 1

    def pages(
        self, service: str, method: str, key: str, *, token: str, next_token: str, **parameters: Any
    ) -> Iterator[Any]:
        """Yield the items of a listing, page by page.

        Args:
            service: As boto3 names it.
            method: The method of boto3's client.
            key: How the answer calls the items.
            token: How the request calls the token.
            next_token: How the answer calls the token of the next page.
            parameters: Further parameters.

        Raises:
            AwsError: A call failed, or the listing does not end.
        """
        seen: set[str] = set()
        more: dict[str, Any] = {}
        while True:
            answer = self.call(service, method, **parameters, **more)
            yield from answer.get(key) or ()
            following = answer.get(next_token)
            if not following:
                return
            if following in seen or len(seen) >= _MOST_PAGES:
                raise AwsError(
                    "PaginationError",
                    f"cannot {method.replace('_', ' ')} in {self.account}/{self.region}: the listing does not end (a "
                    f"page is announced again after {len(seen) + 1} pages). Try again; tell AWS if it stays",
                )
            seen.add(following)
            more = {token: following}

    def _wait_for_turn(self, service: str) -> None:
        between = _SECONDS_BETWEEN.get(service, 0.0)
        wait = self._next.get(service, 0.0) - self._pace.monotonic()
        if wait > 0:
            self._pace.sleep(wait)
        self._next[service] = self._pace.monotonic() + between


def _attempts(code: str) -> int:
    """Return how often a call is tried that failed so."""
    if code in _THROTTLED | _PASSING:
        return _ATTEMPTS
    return _UNREACHED_ATTEMPTS if kind_of(code) is FailureKind.UNREACHABLE else 1


def _wait_seconds(attempt: int, jitter: float) -> float:
    """Return how long to wait before the next attempt: doubled each time, half of it spread."""
    return min(2.0**attempt / 2, _LONGEST_WAIT_SECONDS) * (0.5 + jitter / 2)
