"""AWS Signer: profiles, permissions, jobs with real signatures, revocation, events, refusals."""

import io
import json
import time
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.code_builders import PLATFORM, SIGNATURE, archive


def refusal(call, *arguments, **keywords):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **keywords)
    return caught.value.response["Error"]["Code"]


def test_a_profile_has_the_default_validity_a_version_and_its_tags(desk):
    made = desk.signer.put_signing_profile(profileName="payments", platformId=PLATFORM, tags={"team": "a"})
    arn = f"arn:aws:signer:eu-west-1:{desk.account}:/signing-profiles/payments"
    version = made["profileVersion"]
    assert (made["arn"], made["profileVersionArn"], len(version)) == (arn, f"{arn}/{version}", 10)
    shown = desk.signer.get_signing_profile(profileName="payments")
    del shown["ResponseMetadata"]
    assert shown == {
        "profileName": "payments",
        "profileVersion": version,
        "profileVersionArn": f"{arn}/{version}",
        "arn": arn,
        "platformId": PLATFORM,
        "platformDisplayName": "AWS Lambda",
        "signatureValidityPeriod": {"type": "MONTHS", "value": 135},
        "status": "Active",
        "tags": {"team": "a"},
    }


def test_the_name_of_a_profile_is_used_once_for_ever(desk):
    name, _ = desk.profile()
    put = desk.signer.put_signing_profile
    assert refusal(put, profileName=name, platformId=PLATFORM) == "ValidationException"
    desk.signer.cancel_signing_profile(profileName=name)
    assert refusal(put, profileName=name, platformId=PLATFORM) == "ValidationException"
    assert desk.signer.list_signing_profiles()["profiles"] == []
    canceled = desk.signer.list_signing_profiles(includeCanceled=True)["profiles"]
    assert [(profile["profileName"], profile["status"]) for profile in canceled] == [(name, "Canceled")]


@pytest.mark.parametrize(
    "period", [(0, "DAYS"), (-1, "DAYS"), (136, "MONTHS"), (12, "YEARS"), (4200, "DAYS"), (1, "WEEKS")]
)
def test_a_validity_outside_of_a_day_to_135_months_is_refused(desk, period):
    value, unit = period
    call = desk.signer.put_signing_profile
    period = {"value": value, "type": unit}
    assert (
        refusal(call, profileName="payments", platformId=PLATFORM, signatureValidityPeriod=period)
        == "ValidationException"
    )


@pytest.mark.parametrize("name", ["pay-ments", "a" * 65, "a/b", "../etc", "a b"])
def test_a_name_of_another_form_is_refused(desk, name):
    assert refusal(desk.signer.put_signing_profile, profileName=name, platformId=PLATFORM) == "ValidationException"


def test_other_platforms_are_refused_rather_than_pretended(desk):
    call = desk.signer.put_signing_profile
    assert refusal(call, profileName="iot", platformId="AWSIoTDeviceManagement-SHA256-ECDSA") == "ValidationException"
    sign = desk.signer.sign_payload
    assert refusal(sign, profileName="iot", payload=b"x", payloadFormat="y") == "NotImplementedException"
    assert desk.signer.list_signing_platforms()["platforms"] == [
        {"platformId": PLATFORM, "displayName": "AWS Lambda", "revocationSupported": True}
    ]


def test_a_job_writes_a_really_signed_archive_under_its_own_name(desk):
    name, publisher = desk.profile(signatureValidityPeriod={"value": 90, "type": "DAYS"})
    job = desk.job(name, archive())
    arn = f"arn:aws:signer:eu-west-1:{desk.account}:/signing-jobs/{job['jobId']}"
    key = f"signed/{job['jobId']}.zip"
    assert (job["status"], job["signedObject"]) == ("Succeeded", {"s3": {"bucketName": desk.bucket, "key": key}})
    with zipfile.ZipFile(io.BytesIO(desk.read(key))) as signed:
        assert signed.namelist() == ["index.py", "META_INF/", SIGNATURE]
        envelope = parse_signature(signed.read(SIGNATURE))
    assert (str(envelope.signing_job_arn), str(envelope.signing_profile_version_arn)) == (arn, publisher)
    assert envelope.expires_at - envelope.signed_at == timedelta(days=90)
    assert job["signatureExpiresAt"] == envelope.expires_at
    assert (job["jobOwner"], job["jobInvoker"]) == (desk.account, desk.account)


def test_the_version_that_was_named_is_signed_and_not_the_newest(desk):
    name, _ = desk.profile()
    old = desk.upload(archive("old = True\n"))
    desk.upload(archive("new = True\n"))
    started = desk.signer.start_signing_job(
        source={"s3": {"bucketName": desk.bucket, "key": "function.zip", "version": old}},
        destination={"s3": {"bucketName": desk.bucket}},
        profileName=name,
    )
    with zipfile.ZipFile(io.BytesIO(desk.read(f"{started['jobId']}.zip"))) as signed:
        assert signed.read("index.py") == b"old = True\n"


def test_the_same_token_is_the_same_job_and_never_another_one(desk):
    name, _ = desk.profile()
    version = desk.upload(archive())
    request = {
        "source": {"s3": {"bucketName": desk.bucket, "key": "function.zip", "version": version}},
        "destination": {"s3": {"bucketName": desk.bucket}},
        "profileName": name,
        "clientRequestToken": "token",
    }
    first = desk.signer.start_signing_job(**request)
    second = desk.signer.start_signing_job(**request)
    assert first["jobId"] == second["jobId"]
    assert len(desk.signer.list_signing_jobs()["jobs"]) == 1
    request["destination"] = {"s3": {"bucketName": desk.bucket, "prefix": "other/"}}
    assert refusal(desk.signer.start_signing_job, **request) == "ValidationException"


def failed(desk, name, body=None, **source):
    version = desk.upload(archive() if body is None else body)
    given = {"bucketName": desk.bucket, "key": "function.zip", "version": version} | source
    job = desk.signer.start_signing_job(
        source={"s3": given}, destination={"s3": {"bucketName": desk.bucket}}, profileName=name
    )
    described = desk.signer.describe_signing_job(jobId=job["jobId"])
    assert "signedObject" not in described
    assert "signatureExpiresAt" not in described
    return described["status"], described["statusReason"]


def test_a_job_that_cannot_be_done_fails_with_its_reason(desk):
    name, _ = desk.profile()
    signed, _ = desk.signed(name)
    buffer = io.BytesIO()
    zipfile.ZipFile(buffer, "w").close()
    for body, reason in ((b"garbage", "not a ZIP"), (buffer.getvalue(), "empty"), (signed, "signed already")):
        status, found = failed(desk, name, body)
        assert (status, reason in found) == ("Failed", True), found
    assert failed(desk, name, version="no-such-version")[0] == "Failed"
    assert failed(desk, name, key="no-such-key")[0] == "Failed"
    assert failed(desk, name, bucketName="no-such-bucket")[0] == "Failed"
    listed = desk.signer.list_signing_jobs(status="Failed")["jobs"]
    assert len(listed) == 6


def test_a_source_without_versions_and_a_destination_that_is_not_there_fail_the_job(desk):
    name, _ = desk.profile()
    bucket = f"plain-{desk.account}"
    desk.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    desk.s3.put_object(Bucket=bucket, Key="function.zip", Body=archive())
    status, reason = failed(desk, name, bucketName=bucket, version="null")
    assert (status, "versioning is not enabled" in reason) == ("Failed", True)
    job = desk.signer.start_signing_job(
        source={"s3": {"bucketName": desk.bucket, "key": "function.zip", "version": desk.upload(archive())}},
        destination={"s3": {"bucketName": "no-such-bucket"}},
        profileName=name,
    )
    assert desk.signer.describe_signing_job(jobId=job["jobId"])["status"] == "Failed"


def test_a_canceled_and_a_revoked_profile_sign_no_more(desk):
    version = desk.upload(archive())
    request = {
        "source": {"s3": {"bucketName": desk.bucket, "key": "function.zip", "version": version}},
        "destination": {"s3": {"bucketName": desk.bucket}},
    }
    canceled, _ = desk.profile()
    desk.signer.cancel_signing_profile(profileName=canceled)
    revoked, arn = desk.profile()
    desk.signer.revoke_signing_profile(
        profileName=revoked, profileVersion=arn[-10:], reason="lost", effectiveTime=datetime.now(UTC)
    )
    for name in (canceled, revoked):
        assert refusal(desk.signer.start_signing_job, profileName=name, **request) == "ValidationException"
    assert refusal(desk.signer.start_signing_job, profileName="missing", **request) == "ResourceNotFoundException"
    assert refusal(desk.signer.cancel_signing_profile, profileName=revoked) == "ValidationException"


def test_a_revocation_takes_effect_in_the_past_and_moves_earlier_never_later(desk):
    name, arn = desk.profile()
    now = datetime.now(UTC).replace(microsecond=0)

    def revoke(effective_time, version=arn[-10:]):
        desk.signer.revoke_signing_profile(
            profileName=name, profileVersion=version, reason="lost", effectiveTime=effective_time
        )

    assert refusal(revoke, now + timedelta(hours=1)) == "ValidationException"
    assert refusal(revoke, now, "0000000000") == "ResourceNotFoundException"
    revoke(now - timedelta(hours=1))
    assert refusal(revoke, now) == "ValidationException"
    revoke(now - timedelta(hours=2))
    profile = desk.signer.get_signing_profile(profileName=name)
    assert profile["status"] == "Revoked"
    assert profile["revocationRecord"]["revocationEffectiveFrom"] == now - timedelta(hours=2)


def test_a_revoked_signature_says_so(desk):
    name, _ = desk.profile()
    _, job = desk.signed(name)
    _, other = desk.signed(name, archive("other = True\n"))
    desk.signer.revoke_signature(jobId=job, reason="leaked")
    record = desk.signer.describe_signing_job(jobId=job)["revocationRecord"]
    assert (record["reason"], record["revokedBy"]) == ("leaked", f"arn:aws:iam::{desk.account}:root")
    assert [item["jobId"] for item in desk.signer.list_signing_jobs(isRevoked=True)["jobs"]] == [job]
    assert [item["jobId"] for item in desk.signer.list_signing_jobs(isRevoked=False)["jobs"]] == [other]
    assert refusal(desk.signer.revoke_signature, jobId="missing", reason="x") == "ResourceNotFoundException"


@pytest.mark.parametrize("service", ["signer", "signer-data"])
def test_the_revocation_status_of_lambda_signatures_is_not_answered(desk, service):
    call = desk.aws.client(service, account=desk.account).get_revocation_status
    name, publisher = desk.profile()
    job = f"arn:aws:signer:eu-west-1:{desk.account}:/signing-jobs/{desk.signed(name)[1]}"
    parameters = {"profileVersionArn": publisher, "jobArn": job, "certificateHashes": ["00"]}
    assert refusal(call, signatureTimestamp=datetime.now(UTC), platformId=PLATFORM, **parameters) == (
        "ValidationException"
    )


def test_permissions_let_another_account_sign_in_the_owners_name_until_they_are_taken_back(desk, other_desk):
    name, publisher = desk.profile()
    owned = {"profileOwner": desk.account}
    assert refusal(other_desk.job, name, archive(), **owned) == "AccessDeniedException"
    add = desk.signer.add_profile_permission
    revision = add(profileName=name, action="signer:StartSigningJob", principal=other_desk.account, statementId="sign")[
        "revisionId"
    ]
    job = other_desk.job(name, archive(), **owned)
    assert (job["status"], job["jobOwner"], job["jobInvoker"]) == ("Succeeded", desk.account, other_desk.account)
    with zipfile.ZipFile(io.BytesIO(other_desk.read(job["signedObject"]["s3"]["key"]))) as signed:
        assert str(parse_signature(signed.read(SIGNATURE)).signing_profile_version_arn) == publisher
    assert desk.signer.describe_signing_job(jobId=job["jobId"])["jobInvoker"] == other_desk.account
    get = other_desk.signer.get_signing_profile
    assert refusal(get, profileName=name, **owned) == "AccessDeniedException"
    revision = add(
        profileName=name,
        action="signer:GetSigningProfile",
        principal=other_desk.account,
        statementId="get",
        revisionId=revision,
    )["revisionId"]
    assert get(profileName=name, **owned)["profileVersionArn"] == publisher
    assert (
        refusal(other_desk.signer.revoke_signature, jobId=job["jobId"], jobOwner=desk.account, reason="x")
        == "AccessDeniedException"
    )
    statements = desk.signer.list_profile_permissions(profileName=name)["permissions"]
    assert [statement["statementId"] for statement in statements] == ["sign", "get"]
    desk.signer.remove_profile_permission(profileName=name, revisionId=revision, statementId="sign")
    assert refusal(other_desk.job, name, archive(), **owned) == "AccessDeniedException"


def test_a_permission_for_one_role_is_for_nobody_else_of_its_account(desk, other_desk):
    name, _ = desk.profile()
    role = f"arn:aws:iam::{other_desk.account}:role/release"
    desk.signer.add_profile_permission(
        profileName=name, action="signer:StartSigningJob", principal=role, statementId="release"
    )
    owned = {"profileOwner": desk.account}
    assert refusal(other_desk.job, name, archive(), **owned) == "AccessDeniedException"
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    iam = desk.aws.client("iam", account=other_desk.account)
    sts = desk.aws.client("sts", account=other_desk.account)
    for role_name, is_allowed in (("release", True), ("other", False)):
        iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(trust))
        session = sts.assume_role(RoleArn=role.replace("release", role_name), RoleSessionName="session")["Credentials"]
        other_desk.signer = desk.aws.client("signer", credentials=session)
        if is_allowed:
            assert other_desk.job(name, archive(), **owned)["status"] == "Succeeded"
        else:
            assert refusal(other_desk.job, name, archive(), **owned) == "AccessDeniedException"


def test_tags_of_a_profile_are_set_listed_and_taken_away(desk):
    _, publisher = desk.profile(tags={"a": "1"})
    arn = publisher.rsplit("/", 1)[0]
    desk.signer.tag_resource(resourceArn=arn, tags={"b": "2"})
    desk.signer.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert desk.signer.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert refusal(desk.signer.list_tags_for_resource, resourceArn=f"{arn}X") == "NotFoundException"
    assert refusal(desk.signer.list_tags_for_resource, resourceArn="x" * 20) == "BadRequestException"


def test_jobs_are_listed_newest_first_and_page_by_page(desk):
    name, _ = desk.profile()
    made = [desk.signed(name, archive(f"number = {number}\n"))[1] for number in range(3)]
    pages = list(desk.signer.get_paginator("list_signing_jobs").paginate(PaginationConfig={"PageSize": 2}))
    assert [[job["jobId"] for job in page["jobs"]] for page in pages] == [made[:0:-1], made[:1]]
    assert refusal(desk.signer.list_signing_jobs, nextToken="nonsense") == "ValidationException"
    assert refusal(desk.signer.list_signing_jobs, status="Done") == "ValidationException"


def test_the_end_of_a_job_is_an_event_in_both_accounts(desk, other_desk):
    name, _ = desk.profile()
    desk.signer.add_profile_permission(
        profileName=name, action="signer:StartSigningJob", principal=other_desk.account, statementId="sign"
    )
    queues = [queue_of_events(side) for side in (desk, other_desk)]
    job = other_desk.job(name, archive(), profileOwner=desk.account)
    for sqs, url in queues:
        event = json.loads(message_of(sqs, url))
        assert (event["source"], event["detail-type"]) == ("aws.signer", "Signer Job Status Change")
        assert event["resources"] == [f"arn:aws:signer:eu-west-1:{desk.account}:/signing-jobs/{job['jobId']}"]
        assert event["detail"] == {
            "job_id": job["jobId"],
            "status": "Succeeded",
            "platform": PLATFORM,
            "source": job["source"]["s3"],
            "destination": job["signedObject"]["s3"],
        }


def queue_of_events(desk):
    sqs = desk.aws.client("sqs", account=desk.account)
    events = desk.aws.client("events", account=desk.account)
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    events.put_rule(Name="signer", EventPattern=json.dumps({"source": ["aws.signer"]}))
    arn = f"arn:aws:sqs:eu-west-1:{desk.account}:events"
    events.put_targets(Rule="signer", Targets=[{"Id": "queue", "Arn": arn}])
    return sqs, url


def message_of(sqs, url):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        messages = sqs.receive_message(QueueUrl=url).get("Messages", [])
        if messages:
            return messages[0]["Body"]
        time.sleep(0.05)
    raise AssertionError("no event came")


def test_path_tricks_in_keys_stay_inside_the_bucket(desk):
    name, _ = desk.profile()
    version = desk.upload(archive(), "../../../../etc/passwd.zip")
    job = desk.signer.start_signing_job(
        source={"s3": {"bucketName": desk.bucket, "key": "../../../../etc/passwd.zip", "version": version}},
        destination={"s3": {"bucketName": desk.bucket, "prefix": "../../../../tmp/"}},
        profileName=name,
    )
    assert desk.signer.describe_signing_job(jobId=job["jobId"])["signedObject"]["s3"]["key"] == (
        f"../../../../tmp/{job['jobId']}.zip"
    )


def test_rate_limits_apply_where_they_are_switched_on():
    with LocalAws(limits_rates=True) as aws:
        signer = aws.client("signer", account="111111111111")
        codes = []
        for number in range(5):
            try:
                signer.put_signing_profile(profileName=f"p{number}", platformId=PLATFORM)
            except ClientError as error:
                codes.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))
        assert codes == [("TooManyRequestsException", 429)] * 2
        aws.client("signer", account="222222222222").put_signing_profile(profileName="other", platformId=PLATFORM)
