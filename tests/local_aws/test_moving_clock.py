"""The clock of a local AWS moves forward when it is told to, and on no other word."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from constructs_pkg.testing.local_aws import LocalAws


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as local_aws:
        yield local_aws


def ask(aws: LocalAws, body: bytes, method: str = "POST") -> tuple[int, dict]:
    request = urllib.request.Request(f"{aws.endpoint_url}/_local-aws/clock", body, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_clock_moves_by_what_was_asked_for_and_stays_moved(aws: LocalAws) -> None:
    first = datetime.fromisoformat(ask(aws, b'{"advance_days": 2}')[1]["now"])
    second = datetime.fromisoformat(ask(aws, b'{"advance_days": 1}')[1]["now"])
    assert timedelta(days=1) <= second - first < timedelta(days=1, minutes=1)
    assert timedelta(days=3) - (second - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("body", "method"),
    [
        (b'{"advance_days": -1}', "POST"),
        (b'{"advance_days": 0}', "POST"),
        (b'{"advance_days": 99999}', "POST"),
        (b'{"advance_days": true}', "POST"),
        (b'{"advance_days": 1.5}', "POST"),
        (b'{"advance_hours": 1}', "POST"),
        (b"[" * 1000, "POST"),
        (b" " * 100_000 + b'{"advance_days": 1}', "POST"),
        (b"\xff", "POST"),
        (b'{"advance_days": 1}', "PUT"),
    ],
)
def test_clock_refuses_every_other_word(aws: LocalAws, body: bytes, method: str) -> None:
    message = 'expected POST with {"advance_days": N}, N a whole number from 1 to 7320'
    assert ask(aws, body, method) == (400, {"message": message})
