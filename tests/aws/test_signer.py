"""Signing with AWS: what comes out, and that it is signed once, whatever happens in between."""

import io
from datetime import timedelta

import pytest
from botocore.exceptions import ConnectionClosedError

from constructs_pkg.errors import AwsError
from constructs_pkg.signing.provenance import check_provenance
from constructs_pkg.signing.provenance_statement import parse_provenance
from constructs_pkg.signing.signed_object import Outcome
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.signing.verifier import verify_archive
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
    key_of,
    new_world,
    refusal,
    refused,
    sign,
)

# What comes out


def test_an_archive_ends_signed_under_its_content_with_its_provenance_beside_it() -> None:
    world, target = new_world(), io.BytesIO()
    signed = sign(world, target=target, commit="4f0c2a1", policy=world.authority.export_policy(at=START))
    key = key_of(world)
    assert (signed.outcome, signed.bucket, signed.key, signed.version) == (Outcome.SIGNED, BUCKET, key, "v1")
    assert (signed.source_sha256, signed.signature.is_verified) == (SHA256, True)
    assert verify_archive(world.body(key), world.authority.export_policy(at=START), START)
    assert target.getvalue() == world.body(key)
    publisher, job = signed.signature.signing_profile_version_arn, signed.signature.signing_job_arn
    assert world.objects[key][0][2] == {
        "Bucket": BUCKET,
        "ExpectedBucketOwner": ACCOUNT,
        "ContentType": "application/zip",
        "Metadata": {
            "source-sha256": SHA256,
            "signing-job-arn": str(job),
            "signing-profile-version-arn": str(publisher),
            "signed-at": "2026-11-23T09:00:00Z",
            "expires-at": "2038-02-23T09:00:00Z",
            "commit": "4f0c2a1",
        },
    }
    provenance = parse_provenance(world.body(key.replace(".zip", ".json")))
    assert check_provenance(provenance, world.body(key)) == ()
    assert (provenance.name, provenance.source_name, provenance.source_sha256) == (key, "app", SHA256)
    assert (provenance.commit, provenance.signing_job_arn) == ("4f0c2a1", job)
    assert set(world.objects) == {
        f"unsigned/{SHA256}.zip",
        f"jobs/{job.job_id}.zip",
        key,
        key.replace(".zip", ".json"),
    }


def test_it_is_a_signer_like_the_others() -> None:
    world, target = new_world(), io.BytesIO()
    signer = world.signer()
    assert isinstance(signer, Signer)
    artifact = signer.sign(io.BytesIO(SOURCE), target, profile=PROFILE, at=world.now())
    assert artifact.signing_profile_version_arn == world.authority.profile_version_arn(PROFILE)
    assert artifact.expires_at > artifact.signed_at == START
    assert target.getvalue() == world.body(key_of(world))


def test_without_a_root_to_trust_nothing_is_called_verified() -> None:
    assert not sign(new_world()).signature.is_verified
    world = new_world()
    assert sign(world, trust=world.authority.trust).signature.is_verified


def test_the_request_names_owner_version_and_a_token_of_content_and_publisher() -> None:
    worlds = [new_world(), new_world()]
    for world in worlds:
        sign(world)
    (first,), (second,) = (list(world.jobs.values()) for world in worlds)
    assert first["request"] == second["request"]
    token = first["request"].pop("clientRequestToken")
    assert len(token) == 36
    assert first["request"] == {
        "source": {"s3": {"bucketName": BUCKET, "key": f"unsigned/{SHA256}.zip", "version": "v1"}},
        "destination": {"s3": {"bucketName": BUCKET, "prefix": "jobs/"}},
        "profileName": PROFILE,
    }
    world = new_world()
    sign(world, profile="other_g1")
    assert token not in world.tokens


def test_a_version_arn_of_a_central_profile_says_who_owns_it() -> None:
    world = new_world()
    world.authority.account = OTHER_ACCOUNT
    arn = str(world.authority.profile_version_arn(PROFILE))
    assert str(sign(world, profile=arn).signature.signing_profile_version_arn) == arn
    assert next(iter(world.jobs.values()))["request"]["profileOwner"] == OTHER_ACCOUNT


def test_a_policy_says_which_profile_is_meant_by_a_name() -> None:
    world = new_world()
    world.authority.account = OTHER_ACCOUNT
    sign(world, policy=world.authority.export_policy(at=START))
    assert next(iter(world.jobs.values()))["request"]["profileOwner"] == OTHER_ACCOUNT


def test_a_version_that_signs_no_more_is_told_before_anything_is_signed() -> None:
    world = new_world()
    arn = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/{PROFILE}/0123456789"
    error = refused(world, profile=arn)
    assert (error.reason, f"not {arn}" in str(error)) == ("publisher_not_current", True)
    assert world.objects == {}


def test_the_owner_of_a_central_profile_is_passed_to_both_requests() -> None:
    world = new_world()
    world.authority.account = OTHER_ACCOUNT
    sign(world, reference=AwsSignerReference(BUCKET, profile_owner=OTHER_ACCOUNT))
    assert next(iter(world.jobs.values()))["request"]["profileOwner"] == OTHER_ACCOUNT


# Once


def test_the_same_content_is_signed_once_under_a_profile_version() -> None:
    world = new_world()
    first = sign(world)
    again = sign(world)
    assert (again.outcome, again.key, again.version) == (Outcome.REUSED, first.key, first.version)
    assert again.signature == first.signature
    other = sign(world, profile="other_g1")
    assert (other.outcome, world.signed_jobs) == (Outcome.SIGNED, 2)


@pytest.mark.parametrize(
    ("operation", "skipped"),
    [
        ("PutObject", 0),  # after the upload of the source
        ("StartSigningJob", 0),
        ("DescribeSigningJob", 0),
        ("GetObject", 0),
        ("PutObject", 1),  # after the signed object, before its provenance
        ("PutObject", 2),
    ],
)
def test_a_process_that_is_killed_and_started_again_signs_nothing_twice(operation, skipped) -> None:
    world = new_world()
    world.after[operation] = [None] * skipped + [Killed()]
    with pytest.raises(Killed):
        sign(world)
    signed = sign(world)
    assert (len(world.jobs), world.signed_jobs) == (1, 1)
    assert [len(versions) for versions in world.objects.values()] == [1, 1, 1, 1]
    assert (
        check_provenance(parse_provenance(world.body(signed.key.replace(".zip", ".json"))), world.body(signed.key))
        == ()
    )


def test_a_run_that_is_overtaken_takes_what_the_faster_one_stored() -> None:
    world = new_world()
    world.before["PutObject"] = [None, lambda: sign(world)]  # another run, just before the signed object is stored
    slow = sign(world)
    assert (slow.outcome, slow.version, world.signed_jobs) == (Outcome.REUSED, "v1", 1)
    world = new_world()
    world.before["PutObject"] = [lambda: sign(world)]  # and just before the source is uploaded
    assert (sign(world).outcome, world.signed_jobs, len(world.objects[f"unsigned/{SHA256}.zip"])) == (
        Outcome.REUSED,
        1,
        1,
    )


def test_another_write_that_is_going_on_is_waited_for() -> None:
    world = new_world()
    world.before["PutObject"] = [refusal("ConditionalRequestConflict")] * 3
    assert sign(world).outcome is Outcome.SIGNED
    world = new_world()
    world.before["PutObject"] = [refusal("ConditionalRequestConflict")] * 10
    with pytest.raises(AwsError, match="ConditionalRequestConflict"):
        sign(world)


def test_a_bucket_that_always_changes_is_not_fought_over() -> None:
    world = new_world()
    world.before["PutObject"] = [None, refusal("PreconditionFailed")]  # and then there is nothing
    with pytest.raises(AwsError, match=r"it changes meanwhile\. Run the same again"):
        sign(world)
    world = new_world()
    world.before["PutObject"] = [refusal("PreconditionFailed")]
    with pytest.raises(AwsError, match="somebody else writes there"):
        sign(world)


def test_a_lost_answer_to_the_start_of_a_job_starts_no_second_one() -> None:
    world = new_world()
    world.after["StartSigningJob"] = [ConnectionClosedError(endpoint_url="https://signer")] * 2
    assert sign(world).outcome is Outcome.SIGNED
    assert (world.count("StartSigningJob"), len(world.jobs)) == (3, 1)


def test_a_signature_that_runs_out_soon_is_made_anew_in_the_place_of_the_old_one() -> None:
    world = new_world()
    first = sign(world)
    world.seconds = (first.signature.expires_at - START - timedelta(days=29)).total_seconds()
    second = sign(world)
    assert (second.outcome, second.key, second.version) == (Outcome.SIGNED, first.key, "v2")
    assert second.signature.expires_at > first.signature.expires_at
    provenance = parse_provenance(world.body(second.key.replace(".zip", ".json")))
    assert provenance.signing_job_arn == second.signature.signing_job_arn
    world.seconds += timedelta(days=365 * 12).total_seconds()  # and one that has run out
    assert sign(world, policy=world.authority.export_policy(at=world.now())).version == "v3"
