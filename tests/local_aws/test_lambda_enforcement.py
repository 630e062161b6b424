"""Code reaches a function only past the verifier: each way in, each kind of bad code, under Enforce and Warn."""

import base64
import json
import urllib.request
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.code_builders import archive, tampered

IMPROPER = (
    "Lambda cannot deploy the function. The function or layer code is not properly signed. This can mean that the code "
    "was signed incorrectly or modified after it was signed. Check the provided signature for {}."
)
UNTRUSTED = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for {}."
)


def refusal(call, *arguments, **keywords):
    """The error code and message that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **keywords)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def arn_of(desk, name):
    return f"arn:aws:lambda:eu-west-1:{desk.account}:function:{name}"


def warnings_of(desk, name):
    now = datetime.now(UTC)
    statistics = desk.aws.client("cloudwatch", account=desk.account).get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="SignatureValidationErrors",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in statistics["Datapoints"])


def audit_of(desk, name):
    """What CloudTrail recorded of a function's deployments, the oldest first: the status, and the error."""
    trail = desk.aws.client("cloudtrail", account=desk.account)
    found = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn_of(desk, name)}]
    )["Events"]
    events = [json.loads(event["CloudTrailEvent"]) for event in found]
    events.sort(key=lambda event: event["eventTime"])
    return [
        (
            event["eventName"],
            event["additionalEventData"].get("signatureStatus"),
            event.get("errorCode"),
        )
        for event in events
    ]


@pytest.fixture
def enforced(desk):
    """A profile, and a config that enforces it."""
    profile, publisher = desk.profile()
    return profile, publisher, desk.config(publisher)


def test_signed_code_deploys_from_a_zip_file_and_says_who_signed_it(desk, enforced):
    profile, publisher, config = enforced
    code, job = desk.signed(profile)
    made = desk.function(code, config)
    expected = (publisher, f"arn:aws:signer:eu-west-1:{desk.account}:/signing-jobs/{job}")
    shown = desk.lambda_.get_function(FunctionName=made["FunctionName"])["Configuration"]
    assert (made["SigningProfileVersionArn"], made["SigningJobArn"]) == expected
    assert (shown["SigningProfileVersionArn"], shown["SigningJobArn"]) == expected
    assert audit_of(desk, made["FunctionName"]) == [("CreateFunction20150331", "VALID", None)]
    assert (
        desk.lambda_.get_function_code_signing_config(FunctionName=made["FunctionName"])["CodeSigningConfigArn"]
        == config
    )


def test_signed_code_runs(desk, enforced):
    code, _ = desk.signed(enforced[0])
    made = desk.function(code, enforced[2])
    answer = desk.lambda_.invoke(FunctionName=made["FunctionName"])
    assert json.loads(answer["Payload"].read()) == "ok"


def test_signed_code_deploys_from_any_version_of_an_s3_object(desk, enforced):
    code, _ = desk.signed(enforced[0])
    good = desk.upload(code, "deploy.zip")
    bad = desk.upload(archive(), "deploy.zip")
    source = {"S3Bucket": desk.bucket, "S3Key": "deploy.zip"}
    desk.function({**source, "S3ObjectVersion": good}, enforced[2])
    for unsigned in ({**source, "S3ObjectVersion": bad}, source):
        assert refusal(desk.function, unsigned, enforced[2], FunctionName="from-s3") == (
            "CodeVerificationFailedException",
            UNTRUSTED.format(arn_of(desk, "from-s3")),
        )


@pytest.mark.parametrize("config", [True, False])
def test_code_that_is_not_in_s3_is_refused_with_a_config_and_without(desk, enforced, config):
    code = {"S3Bucket": desk.bucket, "S3Key": "missing.zip"}
    assert refusal(desk.function, code, enforced[2] if config else None)[0] == "InvalidParameterValueException"


def bad_codes(desk, profile):
    """Each kind of code that a config refuses, with the status in the audit record and the message."""
    stranger, _ = desk.profile()
    revoked, job = desk.signed(profile, archive("revoked = True\n"))
    desk.signer.revoke_signature(jobId=job, reason="leaked")
    return {
        "unsigned": (archive(), "MISMATCH", UNTRUSTED),
        "stranger": (desk.signed(stranger)[0], "MISMATCH", UNTRUSTED),
        "revoked": (revoked, "REVOKED", UNTRUSTED),
        "tampered": (tampered(desk.signed(profile)[0]), "INTEGRITY", IMPROPER),
    }


def test_bad_code_is_refused_under_enforce_in_the_words_of_aws(desk, enforced):
    profile, _, config = enforced
    for kind, (code, status, message) in bad_codes(desk, profile).items():
        assert refusal(desk.function, code, config, FunctionName=kind) == (
            "CodeVerificationFailedException",
            message.format(arn_of(desk, kind)),
        )
        logged = None if status == "INTEGRITY" else status  # which is our word, and no status that AWS logs
        assert audit_of(desk, kind) == [("CreateFunction20150331", logged, "CodeVerificationFailedException")]
        assert refusal(desk.lambda_.get_function, FunctionName=kind)[0] == "ResourceNotFoundException"
        assert warnings_of(desk, kind) == 0


def test_bad_code_passes_under_warn_with_metric_and_record_but_never_what_fails_integrity(desk):
    profile, publisher = desk.profile()
    config = desk.config(publisher, mode="Warn")
    for kind, (code, status, message) in bad_codes(desk, profile).items():
        if status == "INTEGRITY":
            assert refusal(desk.function, code, config, FunctionName=kind)[1] == message.format(arn_of(desk, kind))
            continue
        desk.function(code, config, FunctionName=kind)
        assert audit_of(desk, kind) == [("CreateFunction20150331", status, None)]
        assert warnings_of(desk, kind) == 1


def test_a_revoked_profile_takes_what_it_signed_from_that_moment_on_with_it(desk, enforced):
    profile, publisher, config = enforced
    code, _ = desk.signed(profile)
    version = publisher.rsplit("/", 1)[1]
    at = datetime.now(UTC)
    revoke = desk.signer.revoke_signing_profile
    revoke(profileName=profile, profileVersion=version, reason="lost", effectiveTime=at)
    desk.function(code, config)
    revoke(profileName=profile, profileVersion=version, reason="lost", effectiveTime=at - timedelta(hours=1))
    assert refusal(desk.function, code, config)[0] == "CodeVerificationFailedException"


def test_canceling_a_profile_leaves_what_it_signed_good(desk, enforced):
    code, _ = desk.signed(enforced[0])
    desk.signer.cancel_signing_profile(profileName=enforced[0])
    desk.function(code, enforced[2])


def test_an_update_of_the_code_is_checked_and_a_dry_run_too(desk, enforced):
    profile, _, config = enforced
    name = desk.function(desk.signed(profile)[0], config)["FunctionName"]
    before = desk.lambda_.get_function_configuration(FunctionName=name)["CodeSha256"]
    update = desk.lambda_.update_function_code
    for dry_run in (True, False):
        code, message = refusal(update, FunctionName=name, ZipFile=archive(), DryRun=dry_run)
        assert (code, message) == ("CodeVerificationFailedException", UNTRUSTED.format(arn_of(desk, name)))
    signed, job = desk.signed(profile, archive("def handler(event, context):\n    return 'new'\n"))
    tried = update(FunctionName=name, ZipFile=signed, DryRun=True)
    assert tried["CodeSha256"] != before
    assert desk.lambda_.get_function_configuration(FunctionName=name)["CodeSha256"] == before
    done = update(FunctionName=name, ZipFile=signed)
    assert done["CodeSha256"] == tried["CodeSha256"]
    assert done["SigningJobArn"].endswith(job)
    statuses = [status for _, status, _ in audit_of(desk, name)]
    assert sorted(statuses) == ["MISMATCH", "MISMATCH", "VALID", "VALID", "VALID"]


def test_without_a_config_anything_deploys_and_unsigned_code_says_nothing_of_a_signer(desk):
    made = desk.function(archive())
    assert "SigningProfileVersionArn" not in made
    profile, publisher = desk.profile()
    updated = desk.lambda_.update_function_code(FunctionName=made["FunctionName"], ZipFile=desk.signed(profile)[0])
    assert updated["SigningProfileVersionArn"] == publisher
    back = desk.lambda_.update_function_code(FunctionName=made["FunctionName"], ZipFile=archive())
    assert "SigningProfileVersionArn" not in back


def test_a_layer_publishes_unchecked_and_is_checked_where_it_is_attached(desk, enforced):
    profile, publisher, config = enforced
    signed, _ = desk.signed(profile)
    layers = {
        "good": desk.layer(desk.signed(profile, archive(name="python/lib.py"))[0]),
        "unsigned": desk.layer(archive(name="python/lib.py")),
        "tampered": desk.layer(tampered(signed)),
    }
    assert layers["good"]["Content"]["SigningProfileVersionArn"] == publisher
    assert "SigningProfileVersionArn" not in layers["unsigned"]["Content"]
    assert "SigningProfileVersionArn" not in layers["tampered"]["Content"]
    arns = {kind: layer["LayerVersionArn"] for kind, layer in layers.items()}
    made = desk.function(signed, config, Layers=[arns["good"]])
    assert [layer["SigningProfileVersionArn"] for layer in made["Layers"]] == [publisher]
    for kind, message in (("unsigned", UNTRUSTED), ("tampered", IMPROPER)):
        expected = ("CodeVerificationFailedException", message.format(arns[kind]))
        assert refusal(desk.function, signed, config, Layers=[arns["good"], arns[kind]]) == expected
        update = desk.lambda_.update_function_configuration
        assert refusal(update, FunctionName=made["FunctionName"], Layers=[arns[kind]]) == expected
    shown = desk.lambda_.get_function_configuration(FunctionName=made["FunctionName"])["Layers"]
    assert [layer["Arn"] for layer in shown] == [arns["good"]]


def test_a_layer_of_another_account_is_checked_too(desk, other_desk, enforced):
    profile, _, config = enforced
    signed, _ = desk.signed(profile)
    layer = other_desk.layer(archive(name="python/lib.py"))
    attach = {"code": signed, "config": config, "Layers": [layer["LayerVersionArn"]]}
    assert refusal(desk.function, **attach)[0] == "AccessDeniedException"
    other_desk.lambda_.add_layer_version_permission(
        LayerName=layer["LayerArn"].rsplit(":", 1)[1],
        VersionNumber=1,
        StatementId="all",
        Action="lambda:GetLayerVersion",
        Principal=desk.account,
    )
    assert refusal(desk.function, **attach) == (
        "CodeVerificationFailedException",
        UNTRUSTED.format(layer["LayerVersionArn"]),
    )


def test_images_are_refused_with_a_config(desk, enforced):
    image = {"ImageUri": f"{desk.account}.dkr.ecr.eu-west-1.amazonaws.com/image:1"}
    keywords = {"Role": f"arn:aws:iam::{desk.account}:role/x", "PackageType": "Image", "Code": image}
    call = desk.lambda_.create_function
    assert refusal(call, FunctionName="image", CodeSigningConfigArn=enforced[2], **keywords)[0] == (
        "InvalidParameterValueException"
    )
    call(FunctionName="image", **keywords)
    attach = desk.lambda_.put_function_code_signing_config
    assert (
        refusal(attach, FunctionName="image", CodeSigningConfigArn=enforced[2])[0] == "InvalidParameterValueException"
    )


def test_a_config_that_does_not_exist_is_refused(desk):
    missing = f"arn:aws:lambda:eu-west-1:{desk.account}:code-signing-config:csc-{'0' * 17}"
    assert refusal(desk.function, archive(), missing)[0] == "CodeSigningConfigNotFoundException"


def test_a_new_config_takes_effect_at_the_next_deployment(desk, enforced):
    name = desk.function(archive())["FunctionName"]
    desk.lambda_.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=enforced[2])
    assert json.loads(desk.lambda_.invoke(FunctionName=name)["Payload"].read()) == "ok"
    assert refusal(desk.lambda_.update_function_code, FunctionName=name, ZipFile=archive())[0] == (
        "CodeVerificationFailedException"
    )


def test_a_zip_bomb_and_garbage_as_code_are_refused_and_the_server_goes_on(desk, enforced):
    bomb = archive("\0" * (260 * 1024 * 1024))
    assert len(bomb) < 2 * 1024 * 1024
    for code in (bomb, b"garbage", b"", zlib.compress(b"x" * 1000)):
        assert refusal(desk.function, code, enforced[2])[0] in {
            "CodeVerificationFailedException",
            "InvalidParameterValueException",
        }
        assert refusal(desk.function, code)[0] == "InvalidParameterValueException"
    assert desk.lambda_.list_functions()["Functions"] == []


def test_code_that_is_not_base64_is_refused(desk):
    body = {"FunctionName": "x", "Code": {"ZipFile": "*" + base64.b64encode(b"x").decode()}, "Role": "r"}
    request = urllib.request.Request(
        f"{desk.aws.endpoint_url}/2015-03-31/functions",
        json.dumps(body).encode(),
        {"Authorization": f"AWS4-HMAC-SHA256 Credential={desk.account}/20260101/eu-west-1/lambda/aws4_request"},
    )
    with pytest.raises(urllib.request.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as response:
        assert (response.code, json.load(response)["__type"]) == (400, "SerializationException")
