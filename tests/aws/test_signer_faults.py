"""Signing with AWS: what is refused, jobs that do not end well, and the rate of requests."""

import io
import json
from datetime import timedelta

import pytest

from constructs_pkg.aws.pacing import Waiting
from constructs_pkg.aws.signing_bucket import SigningBucket
from constructs_pkg.errors import AwsError, ProvenanceError, SigningError
from constructs_pkg.signing.signed_object import Outcome
from constructs_pkg.signing.signer_reference import AwsSignerReference
from tests.aws.fake_signing import (
    ACCOUNT,
    BUCKET,
    OTHER_ACCOUNT,
    PROFILE,
    REGION,
    SHA256,
    SOURCE,
    START,
    Killed,
    changed_body,
    key_of,
    new_limits,
    new_world,
    put,
    refusal,
    refused,
    sign,
)
from tests.signing.signed_archives import archive_of, rewritten

# Refusals


@pytest.mark.parametrize(
    ("more", "reason", "words"),
    [
        ({"versioning": None}, "bucket_not_versioned", "is off. .*put-bucket-versioning --bucket signing"),
        ({"versioning": "Suspended"}, "bucket_not_versioned", "is suspended"),
        ({"bucket_region": "eu-central-1"}, "bucket_in_other_region", "is in eu-central-1"),
    ],
)
def test_a_bucket_that_cannot_serve_is_refused_before_anything_is_sent(more, reason, words) -> None:
    world = new_world(**more)
    with pytest.raises(SigningError, match=words) as caught:
        sign(world)
    assert caught.value.reason == reason
    assert world.objects == world.jobs == {}


def test_a_bucket_that_is_missing_or_somebody_elses_is_refused_with_the_remedy() -> None:
    missing = refused(new_world(), reference=AwsSignerReference())
    assert f"there is no bucket lambda-code-signing-{ACCOUNT}-eu-west-1" in str(missing)
    assert "LocationConstraint=eu-west-1" in str(missing)
    with pytest.raises(AwsError, match=r"belong to account 222222222222.*--bucket-owner") as caught:
        sign(new_world(), reference=AwsSignerReference(BUCKET, bucket_owner=OTHER_ACCOUNT))
    assert caught.value.code == "403"


def test_a_right_that_is_missing_is_named() -> None:
    world = new_world()
    world.before["HeadObject"] = [refusal("403", "Forbidden")]
    with pytest.raises(AwsError, match="s3:ListBucket where there may be no object"):
        sign(world)


def test_an_object_that_is_too_large_is_not_downloaded_to_its_end() -> None:
    world, target = new_world(), io.BytesIO()
    put(world, "big.zip", b"x" * 11)
    bucket = SigningBucket(world, REGION, BUCKET, ACCOUNT, Waiting())
    with pytest.raises(AwsError, match=r"cannot download s3://signing/big\.zip: it has more than 10 bytes"):
        bucket.download("big.zip", None, target, 10)
    assert target.getvalue() == b""


def test_archives_that_aws_signer_would_refuse_are_not_even_uploaded() -> None:
    world = new_world()
    signed = io.BytesIO()
    world.authority.sign(SOURCE, signed, profile=PROFILE, at=START)
    for source, reason in (
        (signed.getvalue(), "already_signed"),
        (b"PK\x05\x06" + b"\0" * 18, "archive_empty"),
        (b"garbage", "archive_malformed"),
    ):
        assert refused(world, source=source).reason == reason
    assert world.objects == {}


@pytest.mark.parametrize("state", ["canceled", "revoked"])
def test_a_profile_that_signs_no_more_is_refused(state) -> None:
    world = new_world()
    if state == "canceled":
        world.authority.cancel_profile(PROFILE)
    else:
        world.authority.revoke_profile(PROFILE, reason="lost", effective_time=START, at=START)
    assert refused(world).reason == f"profile_{state}"


def test_what_a_revoked_profile_signed_is_not_reused_whatever_the_profile_is_called_by() -> None:
    world = new_world()
    arn = str(sign(world).signature.signing_profile_version_arn)
    policy = world.authority.export_policy(at=START)
    world.authority.revoke_profile(PROFILE, reason="lost", effective_time=START, at=START)
    for more in ({}, {"profile": arn}, {"policy": policy}):
        assert refused(world, **more).reason == "profile_revoked"


def test_a_profile_of_another_platform_and_an_answer_that_is_no_arn_are_refused() -> None:
    world = new_world()
    world.answers["GetSigningProfile"] = {"platformId": "AWSIoTDeviceManagement-SHA256-ECDSA"}
    assert "is for the platform 'AWSIoTDeviceManagement-SHA256-ECDSA'" in str(refused(world))
    world.answers["GetSigningProfile"] = {"profileVersionArn": "nonsense"}
    with pytest.raises(AwsError, match="'nonsense' is not an ARN"):
        sign(world)


def test_a_request_that_aws_signer_does_not_take_is_a_refusal() -> None:
    world = new_world()
    world.before["StartSigningJob"] = [refusal("ValidationException", "bad source")]
    error = refused(world)
    assert (error.reason, "bad source" in str(error)) == ("request_refused", True)


def test_a_provenance_that_somebody_spoilt_is_written_anew() -> None:
    world = new_world()
    key = sign(world).key.replace(".zip", ".json")
    right = world.body(key)
    for wrong in (
        b"{}",
        right.replace(SHA256.encode(), b"0" * 64, 1),
        right.replace(b"/signing-jobs/0", b"/signing-jobs/f"),
    ):
        put(world, key, wrong)
        assert sign(world).outcome is Outcome.REUSED
        assert world.body(key) == right


def test_a_profile_that_is_not_there_or_not_granted_is_told_with_the_remedy() -> None:
    error = refused(new_world(), profile="nobody_g1")
    assert (error.reason, "--profile-owner" in str(error)) == ("profile_not_found", True)
    assert "no name of a signing profile" in str(refused(new_world(), profile="no-body"))
    world = new_world()
    world.before["GetSigningProfile"] = [refusal("AccessDeniedException")]
    with pytest.raises(AwsError, match="has to grant signer:StartSigningJob"):
        sign(world)


def test_a_profile_of_another_region_or_owner_is_refused() -> None:
    arn = f"arn:aws:signer:us-east-1:{ACCOUNT}:/signing-profiles/{PROFILE}/a1B2c3D4e5"
    assert "sign with --region us-east-1" in str(refused(new_world(), profile=arn))
    owned = AwsSignerReference(BUCKET, profile_owner=OTHER_ACCOUNT)
    assert "does not belong to 222222222222" in str(refused(new_world(), profile=arn, reference=owned))
    nowhere = AwsSignerReference(BUCKET, region="eu-south-2")
    assert "does not serve the Region 'eu-south-2'" in str(refused(new_world(), reference=nowhere))


def test_a_policy_that_does_not_allow_the_publisher_is_told_before_anything_is_signed() -> None:
    world = new_world()
    policy = world.authority.export_policy(at=START, profiles=["other_g1"])
    assert refused(world, policy=policy).reason == "publisher_not_allowed"
    assert world.objects == {}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"tamper": lambda signed: rewritten(signed, changed_body)}, "result_content_changed"),
        ({"tamper": lambda _signed: archive_of(x__py=b"x")}, "result_not_signed"),
        ({"sign_as": "other_g1"}, "result_of_other_publisher"),
    ],
)
def test_a_result_that_is_not_what_was_asked_for_is_neither_stored_nor_written(fault, reason) -> None:
    world, target = new_world(**fault), io.BytesIO()
    error = refused(world, target=target)
    assert error.reason == reason
    assert (key_of(world) in world.objects, target.getvalue()) == (False, b"")


def test_what_somebody_else_put_under_the_name_is_not_used_and_not_overwritten() -> None:
    world = new_world()
    for body, reason in ((archive_of(app__py=b"evil"), "result_not_signed"), (b"evil", "result_malformed")):
        put(world, key_of(world), body)
        error = refused(world)
        assert error.reason == reason
        assert f"s3://signing/{key_of(world)}" in str(error)
        assert world.body(key_of(world)) == body
    assert world.jobs == {}


def test_a_source_that_somebody_else_put_under_the_digest_is_never_signed() -> None:
    world = new_world()
    evil = archive_of(app__py=b"evil")
    put(world, f"unsigned/{SHA256}.zip", evil)
    put(world, f"unsigned/{SHA256}.zip", evil, ChecksumSHA256="bm90IHRoZSBvbmU=")
    assert sign(world).outcome is Outcome.SIGNED
    assert next(iter(world.jobs.values()))["request"]["source"]["s3"]["version"] == "v3"


def test_a_commit_or_note_that_cannot_be_written_down_is_told_before_anything_is_signed() -> None:
    world = new_world()
    with pytest.raises(ProvenanceError, match="commit: 'a b' is not a commit"):
        sign(world, commit="a b")
    with pytest.raises(ProvenanceError, match=r"annotations\.note: has 0 characters"):
        world.signer().sign_object(
            SOURCE, None, profile=PROFILE, at=START, name="app", annotations={"note": "", "licence": "MIT"}
        )
    assert world.objects == {}


# Jobs that do not end well


def test_the_reason_of_a_failed_job_is_told() -> None:
    error = refused(new_world(job_failure="Access denied to the destination"))
    assert (error.reason, str(error)) == (
        "job_failed",
        "AWS Signer did not sign app: Access denied to the destination",
    )


def test_a_job_that_failed_before_does_not_stand_in_the_way_of_the_next_run() -> None:
    world = new_world(job_failure="Access denied to the destination")
    refused(world)
    refused(world)
    world.job_failure = None
    assert sign(world).outcome is Outcome.SIGNED
    assert world.signed_jobs == 1


def test_a_job_whose_object_was_cleared_away_is_done_again() -> None:
    world = new_world()
    world.after["DescribeSigningJob"] = [Killed()]
    with pytest.raises(Killed):
        sign(world)
    del world.objects[next(key for key in world.objects if key.startswith("jobs/"))]
    assert sign(world).outcome is Outcome.SIGNED
    assert len(world.jobs) == 2


def test_a_job_that_never_ends_ends_the_wait_and_the_next_run_goes_on_with_it() -> None:
    world = new_world(looks_until_done=10**6)
    with pytest.raises(AwsError, match=r"took longer than 60 s; at last: status InProgress") as caught:
        sign(world)
    assert caught.value.code == "Timeout"
    assert 60 <= world.seconds < 75
    world.looks_until_done = 1
    assert (sign(world).outcome, len(world.jobs)) == (Outcome.SIGNED, 1)


def test_pauses_grow_to_ten_seconds() -> None:
    world = new_world(looks_until_done=12)
    sign(world, reference=AwsSignerReference(BUCKET, timeout_seconds=600))
    pauses = [seconds for seconds in world.slept if seconds > 0]
    assert 0.8 <= pauses[0] <= 1.2
    assert 8 <= pauses[-1] <= 12
    assert max(pauses) <= 12


def test_a_revoked_signature_is_neither_reused_nor_made_again() -> None:
    world = new_world()
    signed = sign(world)
    world.jobs[signed.signature.signing_job_arn.job_id]["revocationRecord"] = {"reason": "wrong branch"}
    assert refused(world).reason == "signature_revoked"
    del world.objects[signed.key]
    error = refused(world)
    assert (error.reason, "wrong branch" in str(error)) == ("signature_revoked", True)
    assert len(world.jobs) == 1


def test_a_signature_whose_job_cannot_be_looked_at_is_not_reused() -> None:
    world = new_world()
    sign(world)
    world.before["DescribeSigningJob"] = [refusal("AccessDeniedException", "DescribeSigningJob")]
    with pytest.raises(
        AwsError, match=r"cannot look at the signing job.*was revoked is therefore not known.*delete the object"
    ):
        sign(world)


def test_a_job_that_takes_hours_does_not_look_signed_in_the_future() -> None:
    world = new_world()
    world.before["StartSigningJob"] = [lambda: setattr(world, "seconds", 7200.0)]
    assert sign(world).signature.signed_at == START + timedelta(hours=2)


# The rate


def test_throttling_by_others_is_sat_out_with_growing_pauses() -> None:
    world = new_world()
    for operation in ("GetSigningProfile", "StartSigningJob", "DescribeSigningJob"):
        world.before[operation] = [refusal("TooManyRequestsException")] * 3
    assert sign(world).outcome is Outcome.SIGNED
    assert len(world.jobs) == 1
    assert world.seconds > 3 * 3


def test_throttling_without_end_ends_the_wait() -> None:
    world = new_world()
    world.before["StartSigningJob"] = [refusal("TooManyRequestsException")] * 1000
    with pytest.raises(AwsError, match=r"took longer than 60 s; at last: cannot start.*TooManyRequestsException"):
        sign(world)


def test_forty_archives_in_a_row_are_never_throttled() -> None:
    world = new_world(looks_until_done=2)
    world.limits = new_limits(world)
    signer = world.signer()
    for number in range(40):
        source = archive_of(app__py=str(number).encode())
        signer.sign_object(source, None, profile=PROFILE, at=world.now(), name=str(number))
    assert (world.signed_jobs, world.count("StartSigningJob")) == (40, 40)


def test_who_stops_the_signer_waits_no_longer() -> None:
    world = new_world(looks_until_done=10**6)
    signer = world.signer()
    world.before["DescribeSigningJob"] = [None, None, signer.stop]
    with pytest.raises(AwsError, match="Run the same again to go on") as caught:
        signer.sign_object(SOURCE, None, profile=PROFILE, at=START, name="app")
    assert (caught.value.code, world.count("DescribeSigningJob")) == ("Interrupted", 3)


def test_the_statement_in_the_bucket_is_the_documented_json() -> None:
    world = new_world()
    signed = sign(world)
    statement = json.loads(world.body(signed.key.replace(".zip", ".json")))
    assert (statement["_type"], statement["subject"][0]["name"]) == ("https://in-toto.io/Statement/v1", signed.key)
