"""Signatures that run out: asked of AWS Signer with botocore's shapes, told in CloudWatch's embedded metric format."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from constructs_pkg.runtime.drift.access import Refused
from constructs_pkg.runtime.drift.expiry import Expiring, find_expiring, metric_line
from constructs_pkg.runtime.drift.expiry_settings import HANDLER, METRICS, days_of
from constructs_pkg.runtime.drift.settings import SettingsError

AT = datetime(2026, 11, 23, tzinfo=UTC)
UNTIL = AT + timedelta(days=30)
PLATFORM = "AWSLambda-SHA384-ECDSA"
COMMON = {"status": "Succeeded", "platformId": PLATFORM}
PROFILES = {"includeCanceled": True, "platformId": PLATFORM}


def job(profile: str, **more: Any) -> dict[str, Any]:
    return {"jobId": "0" * 8, "profileName": profile, **more}


@pytest.fixture
def signer():
    client = boto3.client("signer", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def expect(stub: Stubber, expiring: list[list[dict]], longer: list[list[dict]], profiles: list[dict[str, Any]]) -> None:
    for filters, pages in (
        ({"signatureExpiresAfter": AT, "signatureExpiresBefore": UNTIL}, expiring),
        ({"signatureExpiresAfter": UNTIL}, longer),
    ):
        for number, jobs in enumerate(pages):
            asked = {**COMMON, **filters, **({"nextToken": str(number)} if number else {})}
            following = {"nextToken": str(number + 1)} if number + 1 < len(pages) else {}
            stub.add_response("list_signing_jobs", {"jobs": jobs, **following}, asked)
    stub.add_response("list_signing_profiles", {"profiles": profiles}, PROFILES)


def test_profiles_all_of_whose_signatures_expire_are_told_and_revoked_signatures_do_not_count(signer) -> None:
    client, stub = signer
    expect(
        stub,
        expiring=[[job("payments_g1"), job("payments_g1")], [job("checkout_g1"), job("old_g1", isRevoked=True)]],
        longer=[[job("checkout_g1")], [job("other_g1")]],
        profiles=[
            {"profileName": "payments_g1", "status": "Active"},
            {"profileName": "gone_g1", "status": "Canceled"},
            {"profileName": "bad_g1", "status": "Revoked"},
        ],
    )
    assert find_expiring(client, at=AT, days=30) == Expiring(
        signatures={"checkout_g1": 1, "payments_g1": 2},
        not_renewed=("payments_g1",),
        not_active=("bad_g1", "gone_g1"),
    )


def test_nobody_reads_all_jobs_once_every_profile_has_a_longer_signature(signer) -> None:
    client, stub = signer
    expect(stub, expiring=[[job("payments_g1")]], longer=[[job("payments_g1")]], profiles=[])
    assert find_expiring(client, at=AT, days=30).not_renewed == ()


def test_where_nothing_expires_nothing_more_is_asked(signer) -> None:
    client, stub = signer
    expect(stub, expiring=[[]], longer=[], profiles=[])
    assert find_expiring(client, at=AT, days=30) == Expiring({}, (), ())


def test_no_answer_is_never_nothing_found(signer) -> None:
    client, stub = signer
    stub.add_client_error(
        "list_signing_jobs",
        "AccessDeniedException",
        expected_params={**COMMON, "signatureExpiresAfter": ANY, "signatureExpiresBefore": ANY},
    )
    with pytest.raises(Refused, match="cannot list the signing jobs: AccessDeniedException"):
        find_expiring(client, at=AT, days=30)


def test_metrics_are_told_in_the_embedded_format_with_their_names_beside() -> None:
    line = metric_line(Expiring({"payments_g1": 2, "checkout_g1": 1}, ("payments_g1",), ()), at=AT)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "LambdaCodeSigning/Signatures"
    assert [one["Name"] for one in directive["Metrics"]] == list(METRICS)
    assert line["_aws"]["Timestamp"] == int(AT.timestamp() * 1000)
    assert {name: line[name] for name in METRICS} == {
        "SignaturesExpiring": 3,
        "ProfilesWithoutNewerSignature": 1,
        "ProfilesNotActive": 0,
        "ExpiryChecks": 1,
    }


def test_days_are_a_number_that_makes_sense() -> None:
    assert [days_of({}), days_of({"DRIFT_EXPIRING_DAYS": "90"})] == [30, 90]
    for text in ("0", "-1", "many", "100000", "²"):
        with pytest.raises(SettingsError, match="DRIFT_EXPIRING_DAYS"):
            days_of({"DRIFT_EXPIRING_DAYS": text})
    assert HANDLER.handler == "drift.expiry.handler"
