"""The signing pipeline end to end: the reviewed template on a strict local AWS with AWS Signer's rate limits.

Every defence meets its attack or its accident: strangers, overwriting, throttling, lost and duplicate events, archives
that cannot be signed, executions that are stopped half way.
"""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.provenance import check_provenance
from constructs_pkg.signing.provenance_statement import parse_provenance
from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.pipeline_bench import BUILD, MANAGEMENT, PUBLISHER, ROOT, SIGNED, UPLOADS, PipelineBench, package


@pytest.fixture(scope="module")
def bench():
    environment = PipelineBench.environment(wait_scale=0.02)
    organization = ROOT / "organization.toml"
    with LocalAws(organization=organization, is_strict=True, limits_rates=True, environment=environment) as aws:
        yield PipelineBench(aws)


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_an_upload_becomes_signed_code_that_lambda_takes_under_enforce_and_the_original_is_refused(bench):
    body = package("refunds")
    version = bench.upload(body, "payments/refunds.zip", Metadata={"commit": "4f0c2a1"})
    key = bench.signed_key(body)
    signed, statement = bench.filed(key)

    provenance = parse_provenance(statement)
    assert check_provenance(provenance, signed) == ()
    assert (provenance.name, provenance.commit, provenance.source_sha256, provenance.source_name) == (
        key,
        "4f0c2a1",
        key.split("/")[1],
        f"s3://{UPLOADS}/payments/refunds.zip",
    )
    assert provenance.annotations == {"application": "payments", "upload_version": version}
    tags = bench.s3.get_object_tagging(Bucket=SIGNED, Key=key)["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "application": "payments",
        "signing-profile": "acme_payments_g2",
    }

    # The management account, which no SCP keeps from making a config of its own.
    bench.session(MANAGEMENT, "refunds")
    functions = bench.aws.client("lambda", account=MANAGEMENT)
    config = functions.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [str(provenance.signing_profile_version_arn)]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    common = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{MANAGEMENT}:role/refunds",
        "CodeSigningConfigArn": config,
    }
    made = functions.create_function(FunctionName="refunds", Code={"S3Bucket": SIGNED, "S3Key": key}, **common)
    assert made["SigningJobArn"] == str(provenance.signing_job_arn)
    unsigned = {"FunctionName": "unsigned", **common}
    code = refused(functions.create_function, Code={"ZipFile": body}, **unsigned)
    assert code == "CodeVerificationFailedException"
    # The bucket of uploads shares nothing with anybody.
    uploaded = {"S3Bucket": UPLOADS, "S3Key": "payments/refunds.zip"}
    assert refused(functions.create_function, Code=uploaded, **unsigned) == "InvalidParameterValueException"


def test_only_an_applications_principals_write_its_prefix_and_nobody_the_pipelines(bench):
    writer, stranger = bench.writer, bench.session(BUILD, "somebody")
    neighbour, administrator = bench.session(BUILD, "checkout-ci"), bench.session(PUBLISHER, "administrator")
    for client in (stranger, neighbour, administrator):
        assert refused(client.put_object, Bucket=UPLOADS, Key="payments/evil.zip", Body=b"x") == "AccessDenied"
    for key in ("checkout/evil.zip", "_pipeline/staged/evil.zip", "_pipeline/jobs/evil.zip", "elsewhere.zip"):
        assert refused(writer.put_object, Bucket=UPLOADS, Key=key, Body=b"x") == "AccessDenied"
        assert refused(administrator.put_object, Bucket=UPLOADS, Key=key, Body=b"x") == "AccessDenied"


def test_nobody_replaces_or_deletes_what_is_signed(bench):
    body = package("kept")
    bench.upload(body, "payments/kept.zip")
    key = bench.signed_key(body)
    signed, _ = bench.filed(key)
    version = bench.s3.head_object(Bucket=SIGNED, Key=key)["VersionId"]
    finishing = bench.session(PUBLISHER, "acme-signing-finish")
    for client in (bench.writer, bench.session(PUBLISHER, "administrator"), finishing):
        assert refused(client.put_object, Bucket=SIGNED, Key=key, Body=b"x") == "AccessDenied"
        assert refused(client.delete_object, Bucket=SIGNED, Key=key) == "AccessDenied"
        assert refused(client.delete_object, Bucket=SIGNED, Key=key, VersionId=version) == "AccessDenied"
    code = refused(finishing.put_object, Bucket=SIGNED, Key=key, Body=b"x", IfNoneMatch="*")
    assert code == "PreconditionFailed"
    assert bench.s3.get_object(Bucket=SIGNED, Key=key)["Body"].read() == signed


def test_many_uploads_at_once_are_all_signed_once_within_the_rate_limits(bench):
    bodies = {f"payments/many-{number}.zip": package(f"many {number}") for number in range(12)}
    before = len(bench.jobs())
    versions = bench.upload_many(bodies)
    assert {key: bench.ended(key, version)["status"] for key, version in versions.items()} == dict.fromkeys(
        bodies, "SUCCEEDED"
    )
    assert len(bench.jobs()) == before + len(bodies)
    assert [bench.versions(bench.signed_key(body)) for body in bodies.values()] == [1] * len(bodies)
    assert bench.dead_letters() == 0


def test_content_that_was_signed_before_is_not_signed_again(bench):
    body = package("twice")
    first = bench.upload(body, "payments/first.zip")
    bench.filed(bench.signed_key(body))
    bench.ended("payments/first.zip", first)
    before = len(bench.jobs())
    second = bench.upload(body, "payments/second.zip")
    ended = bench.ended("payments/second.zip", second)
    assert json.loads(ended["output"]) == {"bucket": SIGNED, "key": bench.signed_key(body)}
    assert len(bench.jobs()) == before


def test_an_upload_in_parts_is_named_by_the_hash_of_the_whole(bench):
    body = package("parts " + "x" * 6_000_000)
    upload = bench.writer.create_multipart_upload(Bucket=UPLOADS, Key="payments/parts.zip")["UploadId"]
    where = {"Bucket": UPLOADS, "Key": "payments/parts.zip", "UploadId": upload}
    parts = []
    for number, part in enumerate((body[:5_500_000], body[5_500_000:]), 1):
        made = bench.writer.upload_part(PartNumber=number, Body=part, **where)
        parts.append({"PartNumber": number, "ETag": made["ETag"]})
    bench.writer.complete_multipart_upload(MultipartUpload={"Parts": parts}, **where)
    signed, _ = bench.filed(bench.signed_key(body))
    assert read_archive(signed).signature is not None


def test_a_lost_event_of_aws_signer_is_made_good_by_asking(bench):
    body = package("lost")
    bench.events.disable_rule(Name="acme-signing-ended")
    try:
        version = bench.upload(body, "payments/lost.zip")
        assert bench.ended("payments/lost.zip", version)["status"] == "SUCCEEDED"
    finally:
        bench.events.enable_rule(Name="acme-signing-ended")
    assert bench.versions(bench.signed_key(body)) == 1


def test_events_that_come_twice_change_nothing(bench):
    body = package("again")
    version = bench.upload(body, "payments/again.zip")
    key = bench.signed_key(body)
    bench.filed(key)
    bench.ended("payments/again.zip", version)
    job = bench.jobs()[0]["jobId"]
    before, seen = len(bench.jobs()), bench.versions(key)
    event = {
        "detail": {"bucket": {"name": UPLOADS}, "object": {"key": "payments/again.zip", "version-id": version}},
        "id": "another",
    }
    queue = bench.sqs.get_queue_url(QueueName="acme-signing-uploads.fifo")["QueueUrl"]
    bench.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event), MessageGroupId="uploads")
    finish = f"arn:aws:states:eu-west-1:{PUBLISHER}:stateMachine:acme-signing-finish"
    started = bench.states.start_execution(stateMachineArn=finish, input=json.dumps({"job": job}))["executionArn"]
    bench.until(lambda: bench.states.describe_execution(executionArn=started)["status"] == "SUCCEEDED")
    bench.until(lambda: is_empty(bench, queue))
    assert (len(bench.jobs()), bench.versions(key), bench.dead_letters()) == (before, seen, 0)


def is_empty(bench, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counted = bench.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(counted[name] == "0" for name in names)


def test_what_cannot_be_taken_in_ends_in_the_dead_letters_and_holds_up_nobody(bench):
    queue = bench.sqs.get_queue_url(QueueName="acme-signing-uploads.fifo")["QueueUrl"]
    dead = bench.sqs.get_queue_url(QueueName="acme-signing-uploads-dead.fifo")["QueueUrl"]
    hidden = bench.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    bench.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})  # or it would take minutes
    try:
        # The pipe may be waiting with the old timeout: this one ends that wait.
        version = bench.upload(package("before"), "payments/before.zip")
        bench.ended("payments/before.zip", version)
        bench.sqs.send_message(QueueUrl=queue, MessageBody="no event", MessageGroupId="uploads")
        body = package("behind")
        version = bench.upload(body, "payments/behind.zip")
        assert bench.ended("payments/behind.zip", version)["status"] == "SUCCEEDED"
        bench.until(lambda: "no event" in bodies_of(bench, dead))
        assert bench.versions(bench.signed_key(body)) == 1
    finally:
        bench.sqs.set_queue_attributes(QueueUrl=queue, Attributes=hidden)
        bench.sqs.purge_queue(QueueUrl=dead)


def bodies_of(bench, url):
    """Look at a queue; a batch is repeated as a whole, so that a neighbour may lie beside what failed."""
    received = bench.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [message["Body"] for message in received.get("Messages", [])]


def signed_already():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "pass")
        archive.writestr("META_INF/aws_signer_signature_v1.0.SF", b"a signature")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("key", "body", "error"),
    [
        ("payments/malformed.zip", b"no archive", "NotSigned"),
        ("payments/signed-already.zip", signed_already(), "NotSigned"),
        ("payments/notes.txt", b"no archive by name", "NotAdmissible"),
        ("payments/a space.zip", b"a name that is not taken", "NotAdmissible"),
    ],
)
def test_what_cannot_be_signed_fails_with_the_reason_and_is_told(bench, key, body, error):
    version = bench.upload(body, key)
    failed, cause = bench.failure(key, version)
    assert failed == error
    assert (key if error == "NotAdmissible" else "AWS Signer job ") in cause
    told = bench.told_of(key)
    assert f"An upload was not signed (FAILED). {error}: " in told


def test_an_execution_that_is_stopped_is_told_and_a_new_one_signs_nothing_twice(bench):
    body = package("stopped")
    bench.events.disable_rule(Name="acme-signing-ended")
    try:
        version = bench.upload(body, "payments/stopped.zip")
        arn = bench.execution("payments/stopped.zip", version)
        bench.until(lambda: is_waiting(bench, arn))
        bench.states.stop_execution(executionArn=arn, error="Stopped", cause="by a test")
        assert "(ABORTED)" in bench.told_of("payments/stopped.zip")
        jobs = [job for job in bench.jobs() if job["source"]["s3"]["key"].endswith(f"{arn.rpartition(':')[2]}.zip")]
        assert len(jobs) == 1
    finally:
        bench.events.enable_rule(Name="acme-signing-ended")
    again = bench.upload(body, "payments/stopped.zip")
    assert bench.ended("payments/stopped.zip", again)["status"] == "SUCCEEDED"
    assert bench.versions(bench.signed_key(body)) == 1


def is_waiting(bench, arn):
    try:
        events = bench.states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    except bench.states.exceptions.ExecutionDoesNotExist:
        return False
    return any(event["type"] == "WaitStateEntered" for event in events)


def test_filing_that_stopped_between_archive_and_provenance_is_finished_from_what_is_filed(bench):
    body = package("half")
    version = bench.upload(body, "payments/half.zip")
    key = bench.signed_key(body)
    signed, statement = bench.filed(key)
    bench.ended("payments/half.zip", version)
    # What an administrator can do and nobody else: take the denies away first.
    policy = bench.s3.get_bucket_policy(Bucket=SIGNED)["Policy"]
    bench.s3.delete_bucket_policy(Bucket=SIGNED)
    bench.s3.delete_object(Bucket=SIGNED, Key=key.replace(".zip", ".json"))
    bench.s3.put_bucket_policy(Bucket=SIGNED, Policy=policy)
    job = next(job["jobId"] for job in bench.jobs() if job["jobId"] in statement.decode())
    finish = f"arn:aws:states:eu-west-1:{PUBLISHER}:stateMachine:acme-signing-finish"
    bench.states.start_execution(stateMachineArn=finish, input=json.dumps({"job": job}))
    assert bench.filed(key) == (signed, statement)
