"""What a signer gives back is looked at before it is used: each way to cheat is found, by its own name."""

import io
import zipfile
from dataclasses import replace
from datetime import timedelta

import pytest

from constructs_pkg.arns import SigningJobArn
from constructs_pkg.errors import PolicyError, SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY
from constructs_pkg.signing.signing_result import ResultDefect, check_signing_result
from constructs_pkg.signing.trust import TrustStore
from tests.signing.signed_archives import SIGNED_AT, archive_of, new_authority, rewritten, sign

AUTHORITY = new_authority("team_app", "other_app")
SOURCE = archive_of(a__py=b"one", b__py=b"two")
RESULT = sign(AUTHORITY, SOURCE)
PUBLISHER = AUTHORITY.profile_version_arn("team_app")
JOB = SigningJobArn("aws", "eu-west-1", "123456789012", AUTHORITY.jobs[0].job_id)
POLICY = AUTHORITY.export_policy(at=SIGNED_AT, profiles=["team_app"])


def check(result=RESULT, *, source=SOURCE, publisher=PUBLISHER, job_id=JOB.job_id, policy=POLICY, at=SIGNED_AT):
    return check_signing_result(source, result, publisher=publisher, job_id=job_id, policy=policy, at=at, name="app")


def test_the_right_result_is_verified_where_a_root_was_pinned() -> None:
    checked = check()
    assert (checked.signing_job_arn, checked.signing_profile_version_arn) == (JOB, PUBLISHER)
    assert (checked.signed_at, checked.is_verified) == (SIGNED_AT, True)


def test_without_a_pinned_root_nothing_is_called_verified() -> None:
    checked = check(policy=None)
    assert checked == replace(check(), is_verified=False)


def test_files_are_read_like_bytes() -> None:
    assert check(io.BytesIO(RESULT), source=io.BytesIO(SOURCE)) == check()


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (b"garbage", ResultDefect.MALFORMED),
        (SOURCE, ResultDefect.NOT_SIGNED),
        (sign(AUTHORITY, SOURCE, "other_app"), ResultDefect.OTHER_PUBLISHER),
        (sign(AUTHORITY, SOURCE, at=SIGNED_AT + timedelta(seconds=1)), ResultDefect.OTHER_JOB),
        (sign(AUTHORITY, archive_of(a__py=b"one", b__py=b"2wo")), ResultDefect.CONTENT_CHANGED),
        # The digest sees no boundary between these, the comparison does.
        (sign(AUTHORITY, archive_of(a__py=b"oneb", __py=b"two")), ResultDefect.CONTENT_CHANGED),
        (sign(AUTHORITY, archive_of(a__py=b"one")), ResultDefect.CONTENT_CHANGED),
        (sign(AUTHORITY, archive_of(a__py=b"one", b__py=b"two", c__py=b"")), ResultDefect.CONTENT_CHANGED),
        (rewritten(RESULT, lambda items: items[::-1]), ResultDefect.CONTENT_CHANGED),
        (
            rewritten(RESULT, lambda items: [(n, b"1ne" if n == "a.py" else b) for n, b in items]),
            ResultDefect.CONTENT_CHANGED,
        ),
        (
            rewritten(RESULT, lambda items: [(n, b"not a signature" if n == SIGNATURE_ENTRY else b) for n, b in items]),
            ResultDefect.MALFORMED,
        ),
    ],
)
@pytest.mark.parametrize("policy", [POLICY, None])
def test_what_was_not_asked_for_is_refused_with_and_without_a_policy(result, reason, policy) -> None:
    with pytest.raises(SigningError, match=r"what was signed for app is not what was asked for") as caught:
        check(result, policy=policy)
    assert caught.value.reason == reason


def test_a_signature_taken_from_another_archive_is_refused() -> None:
    other = rewritten(sign(AUTHORITY, archive_of(x__py=b"x")), list)
    with zipfile.ZipFile(io.BytesIO(other)) as archive:
        foreign = archive.read(SIGNATURE_ENTRY)
    forged = rewritten(RESULT, lambda items: [(n, foreign if n == SIGNATURE_ENTRY else b) for n, b in items])
    with pytest.raises(SigningError, match="not what was signed") as caught:
        check(forged, policy=None)
    assert caught.value.reason == ResultDefect.SIGNATURE_INVALID


def test_any_job_will_do_where_none_was_named() -> None:
    assert check(sign(AUTHORITY, SOURCE, at=SIGNED_AT + timedelta(seconds=1)), job_id=None).is_verified


def test_a_clock_that_is_behind_is_tolerated_for_a_quarter_of_an_hour() -> None:
    assert check(at=SIGNED_AT - timedelta(minutes=15)).is_verified
    with pytest.raises(SigningError, match="says that it was signed at 2026-09-28") as caught:
        check(at=SIGNED_AT - timedelta(minutes=16))
    assert caught.value.reason == ResultDefect.SIGNATURE_INVALID


def test_a_policy_decides_over_root_publisher_and_revocation() -> None:
    other = replace(AUTHORITY.export_policy(at=SIGNED_AT, profiles=["other_app"]))
    foreign_root = replace(POLICY, trust=type(AUTHORITY)(b"z" * 48, created_at=AUTHORITY.created_at).trust)
    for policy, words in ((other, "not allowed"), (foreign_root, "not one of the trust roots")):
        with pytest.raises(SigningError, match=words) as caught:
            check(policy=policy)
        assert caught.value.reason == ResultDefect.REFUSED_BY_POLICY
    with pytest.raises(PolicyError, match="no trust root"):
        check(policy=replace(POLICY, trust=TrustStore()))
