"""The rate: whatever the order and the moments of the requests, no second holds more of them than AWS takes."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_pkg.aws.pacing import SIGNER_LIMITS, SignerRate, Waiting
from constructs_pkg.errors import AwsError


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept = seconds


@given(st.lists(st.tuples(st.sampled_from(sorted(SIGNER_LIMITS)), st.floats(0, 0.8)), max_size=60))
def test_no_second_holds_more_requests_than_aws_takes(requests) -> None:
    """Each request comes a while after the one before; when it may go is when it came plus its sleep."""
    clock, rate = Clock(), SignerRate()
    waiting = Waiting(lambda: clock.seconds, clock.sleep)
    sent: dict[str, list[float]] = {operation: [] for operation in SIGNER_LIMITS}
    for operation, pause in requests:
        clock.seconds += pause
        clock.slept = 0.0
        rate.wait("eu-west-1", operation, waiting)
        sent[operation].append(clock.seconds + clock.slept)
    for operation, moments in sent.items():
        assert moments == sorted(moments)
        limit = SIGNER_LIMITS[operation]
        for first, later in zip(moments, moments[limit:], strict=False):
            assert later - first > 1.0


def test_nobody_waits_while_there_is_room_and_regions_do_not_share() -> None:
    clock, rate = Clock(), SignerRate()
    waiting = Waiting(lambda: clock.seconds, clock.sleep)
    for region in ("eu-west-1", "us-east-1"):
        for _ in range(3):
            rate.wait(region, "StartSigningJob", waiting)
        assert clock.slept == 0.0
    rate.wait("eu-west-1", "StartSigningJob", waiting)
    assert clock.slept > 1.0


def test_threads_share_one_rate() -> None:
    rate, granted, lock = SignerRate(), [], threading.Lock()

    def note(seconds: float) -> None:
        with lock:
            granted.append(seconds)

    waiting = Waiting(lambda: 0.0, note)
    threads = [
        threading.Thread(target=lambda: [rate.wait("eu-west-1", "StartSigningJob", waiting) for _ in range(5)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # 20 requests in threes: three at once, then three every 1.1 s.
    assert sorted(round(seconds / 1.1) for seconds in granted) == sorted([1, 2, 3, 4, 5] * 3 + [6, 6])


def test_a_stopped_wait_ends_at_once_also_for_who_sleeps_already() -> None:
    waiting = Waiting()
    timer = threading.Timer(0.05, waiting.stop)
    timer.start()
    with pytest.raises(AwsError, match="was interrupted"):
        waiting.sleep(60)
    with pytest.raises(AwsError, match="was interrupted"):
        waiting.sleep(0)
