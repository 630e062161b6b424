"""Reads every account and Region of a list, many at a time; what cannot be read is a value, and the rest goes on."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from constructs_pkg.aws.accounts import ListedAccount, MemberAccounts
from constructs_pkg.aws.inventory import Wanted, read_place
from constructs_pkg.aws.member_place import kind_of
from constructs_pkg.aws.survey_state import SurveyState
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import Failure, FailureKind, Gap, Place, PlaceReading

__all__ = ["WORKERS", "Judged", "Survey"]

_T = TypeVar("_T")

WORKERS = 32
"""How many accounts are read at a time: each waits most of the time, for AWS and for its own turn."""


@dataclass(frozen=True, slots=True)
class Judged(Generic[_T]):
    """What was made of a place's reading, which is let go of: together they hold hundreds of thousands of functions.

    Attributes:
        place: Where.
        gaps: What of the place is not known.
        judgement: What the caller's ``judge`` made of the reading.
    """

    place: Place
    gaps: tuple[Gap, ...]
    judgement: _T


@dataclass(frozen=True)
class Survey(Generic[_T]):
    """What is read, and how.

    Attributes:
        members: Makes the clients.
        accounts: The accounts; one that is not open is not asked.
        regions: The Regions of each, read one after the other.
        wanted: What is read of each.
        judge: Makes something smaller of a reading; called in any thread.
        workers: How many accounts are read at a time.
        state: Where readings are kept and taken from; None to keep nothing.
        on_account: Called after each account, in any thread.
    """

    members: MemberAccounts
    accounts: Sequence[ListedAccount]
    regions: Sequence[str]
    wanted: Wanted
    judge: Callable[[PlaceReading], _T]
    workers: int = WORKERS
    state: SurveyState | None = None
    on_account: Callable[[], None] = lambda: None
    _is_over: threading.Event = field(default_factory=threading.Event, init=False)

    def results(self) -> Iterator[Judged[_T] | Failure]:
        """Yield what was made of each place, or a failure of it or of its account, in the order of the accounts.

        Whoever stops listening, or is interrupted, waits for the Regions that are being read, no longer.

        Raises:
            FileAccessError: The state cannot be read or written.
        """
        executor = self.members.pace.executor(self.workers)
        try:
            for results in executor.map(self._read_account, self.accounts):
                yield from results
        finally:
            self._is_over.set()
            executor.shutdown(wait=True, cancel_futures=True)

    def _read_account(self, account: ListedAccount) -> list[Judged[_T] | Failure]:
        try:
            return list(self._places_of(account))
        finally:
            self.members.forget(account.account)
            self.on_account()

    def _places_of(self, account: ListedAccount) -> Iterator[Judged[_T] | Failure]:
        number = account.account
        if not account.is_open:
            message = f"the account {number} is not active (closed, suspended, not activated), AWS Organizations says"
            yield Failure(number, None, FailureKind.ACCOUNT_CLOSED, message)
            return
        is_assumed = False
        for region in self.regions:
            if self._is_over.is_set():
                return
            known = self.state.reading(Place(number, region)) if self.state else None
            if known is not None:
                yield self._judged(known)
                continue
            if not is_assumed:
                try:
                    self.members.clients(number)
                except AwsError as error:
                    yield _role_failure(number, error)
                    return
                is_assumed = True
            yield self._read(Place(number, region))

    def _read(self, place: Place) -> Judged[_T] | Failure:
        try:
            reading = read_place(self.members.place(place.account, place.region), self.wanted, self.members.pace.at())
        except AwsError as error:
            kind = kind_of(error.code)
            message = str(error) if kind is not FailureKind.REGION_OFF else _region_off(place, error.code)
            return Failure(place.account, place.region, kind, message)
        if self.state:
            self.state.keep(reading)
        return self._judged(reading)

    def _judged(self, reading: PlaceReading) -> Judged[_T]:
        return Judged(reading.place, reading.gaps, self.judge(reading))


def _role_failure(account: str, error: AwsError) -> Failure:
    kind = kind_of(error.code)
    # STS refuses credentials like a Region that is off; that of the caller is on.
    return Failure(account, None, FailureKind.FAILED if kind is FailureKind.REGION_OFF else kind, str(error))


def _region_off(place: Place, code: str) -> str:
    return (
        f"{place.region} does not take the credentials that the account {place.account} just gave out ({code}): the "
        "Region is off there. Switch it on, or take it out of target_regions"
    )
