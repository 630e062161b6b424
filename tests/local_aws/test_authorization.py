"""The guardrail by real calls: what a developer's role may do, what nobody in a member account may, and AWS's keys."""

import io
import json
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.errors import AwsError
from constructs_pkg.guardrails import BreakGlassAccess, developer_policies, permissions_boundary
from constructs_pkg.organization import read_organization
from constructs_pkg.organization_guardrails import guardrail_intent
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.signer_reference import AwsSignerReference
from constructs_pkg.testing.local_aws import LocalAws
from tests.local_aws.code_builders import PLATFORM, archive
from tests.unit.organization_text import GOOD

MANAGEMENT, SECURITY, MEMBER = "111111111111", "222222222222", "444444444444"
ROLE = "payments-developer"
EXECUTION = f"arn:aws:iam::{MEMBER}:role/payments-api-execution"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MEMBER}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
EXECUTION_TRUST = TRUST.replace(f'"AWS": "arn:aws:iam::{MEMBER}:root"', '"Service": "lambda.amazonaws.com"')


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    path = tmp_path_factory.mktemp("organization") / "organization.toml"
    path.write_text(GOOD)
    with LocalAws(organization=path, is_strict=True) as running:
        yield running


@pytest.fixture(scope="module")
def remediator(aws):
    """The role that SCPs exempt, which makes what developers cannot; rolled out before the SCPs protect it."""
    organizations = aws.client("organizations", account=MANAGEMENT)
    policies = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    attached = [
        (policy["Id"], target["TargetId"])
        for policy in policies
        if policy["Name"].startswith("acme-")
        for target in organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]
    ]
    for policy, target in attached:
        organizations.detach_policy(PolicyId=policy, TargetId=target)
    made = administrator(aws, "acme-drift-remediator")
    for policy, target in attached:
        organizations.attach_policy(PolicyId=policy, TargetId=target)
    assert {target for _, target in attached} == {"ou-a1b2-00000001", "ou-a1b2-00000002"}
    return made


@pytest.fixture(scope="module")
def configs(remediator):
    """An approved config and another one, both in the member account."""
    made = [
        remediator("lambda").create_code_signing_config(
            AllowedPublishers={
                "SigningProfileVersionArns": [
                    f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-profiles/{name}/0123456789"
                ]
            },
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"},
        )["CodeSigningConfig"]["CodeSigningConfigArn"]
        for name in ("payments", "others")
    ]
    return tuple(made)


@pytest.fixture(scope="module")
def developer(aws, configs):
    """A session of a role that has the generated guardrail and its boundary and nothing else."""
    organization = read_organization(GOOD, "organization.toml", at=datetime.now(UTC))
    intent = guardrail_intent(
        organization, "payments", account=MEMBER, region="eu-west-1", approved_configs=(configs[0],)
    )
    iam = aws.client("iam", account=MEMBER)
    iam.create_role(RoleName="payments-api-execution", AssumeRolePolicyDocument=EXECUTION_TRUST)
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=permissions_boundary(intent).to_json())[
        "Policy"
    ]["Arn"]
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)
    for number, document in enumerate(developer_policies(intent)):
        policy = iam.create_policy(PolicyName=f"guardrail-{number}", PolicyDocument=document.to_json())
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy["Policy"]["Arn"])
    return session(aws, ROLE)


def administrator(aws, name):
    iam = aws.client("iam", account=MEMBER)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(everything))
    return session(aws, name)


def session(aws, role):
    """A function that makes clients for a role of the member account."""
    credentials = aws.client("sts", account=MEMBER).assume_role(
        RoleArn=f"arn:aws:iam::{MEMBER}:role/{role}", RoleSessionName="test"
    )["Credentials"]
    return lambda service: aws.client(service, credentials=credentials)


def create(client, config, name="payments-api", role=EXECUTION):
    keywords = {} if config is None else {"CodeSigningConfigArn": config}
    return client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": archive()},
        **keywords,
    )


def is_denied(call, *arguments, **keywords):
    """Whether IAM denies a call; any other error is an error of the test."""
    try:
        call(*arguments, **keywords)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}:
            raise
        return True
    return False


def test_a_developer_creates_functions_under_the_approved_config_alone(developer, configs):
    client = developer("lambda")
    assert is_denied(create, client, None)
    assert is_denied(create, client, configs[1])
    assert is_denied(create, client, configs[0], name="billing-api")
    assert is_denied(create, client, configs[0], role=f"arn:aws:iam::{MEMBER}:role/admin")
    assert create(client, configs[0])["FunctionName"] == "payments-api"
    deadline = time.monotonic() + 10
    while client.get_function_configuration(FunctionName="payments-api")["LastUpdateStatus"] == "InProgress":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    client.update_function_code(FunctionName="payments-api", ZipFile=archive())


def test_a_developer_can_neither_make_nor_change_nor_detach_a_config(developer, configs):
    client = developer("lambda")
    publishers = {"SigningProfileVersionArns": [f"arn:aws:signer:eu-west-1:{MEMBER}:/signing-profiles/own/0123456789"]}
    assert is_denied(client.create_code_signing_config, AllowedPublishers=publishers)
    assert is_denied(client.update_code_signing_config, CodeSigningConfigArn=configs[0], AllowedPublishers=publishers)
    assert is_denied(client.delete_code_signing_config, CodeSigningConfigArn=configs[1])
    assert is_denied(client.tag_resource, Resource=configs[0], Tags={"a": "b"})
    assert is_denied(client.delete_function_code_signing_config, FunctionName="payments-api")
    put = client.put_function_code_signing_config
    assert is_denied(put, FunctionName="payments-api", CodeSigningConfigArn=configs[1])
    assert not is_denied(put, FunctionName="payments-api", CodeSigningConfigArn=configs[0])
    assert not is_denied(client.get_function_code_signing_config, FunctionName="payments-api")


def test_a_developer_can_make_no_signing_profile(developer):
    call = developer("signer").put_signing_profile
    assert is_denied(call, profileName="own", platformId=PLATFORM)


def test_a_developer_of_a_frozen_function_is_stopped(developer, remediator):
    arn = f"arn:aws:lambda:eu-west-1:{MEMBER}:function:payments-frozen"
    organization = read_organization(GOOD, "organization.toml", at=datetime.now(UTC))
    quarantine = guardrail_intent(
        organization, "payments", account=MEMBER, region="eu-west-1", approved_configs=()
    ).quarantine_tag
    create(remediator("lambda"), None, name="payments-frozen")
    update = developer("lambda").update_function_code
    assert not is_denied(update, FunctionName="payments-frozen", ZipFile=archive())
    tag = {"Resource": arn, "Tags": {quarantine: "now"}}
    assert is_denied(developer("lambda").tag_resource, **tag)
    remediator("lambda").tag_resource(**tag)
    assert is_denied(update, FunctionName="payments-frozen", ZipFile=archive())


def test_the_policies_of_the_organization_bind_even_administrators_and_the_root_user(aws, configs):
    for client in (administrator(aws, "admin")("lambda"), aws.client("lambda", account=MEMBER)):
        assert is_denied(create, client, None, name="anything")
        assert is_denied(client.delete_function_code_signing_config, FunctionName="payments-api")
        assert is_denied(client.delete_code_signing_config, CodeSigningConfigArn=configs[1])
    aws.client("iam", account=SECURITY).create_role(RoleName="execution", AssumeRolePolicyDocument=EXECUTION_TRUST)
    in_security = aws.client("lambda", account=SECURITY)
    assert not is_denied(create, in_security, None, role=f"arn:aws:iam::{SECURITY}:role/execution")


RULE, ALARM = "acme-code-signing-changes", "acme-code-signing-errors"
METRIC = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1}


@pytest.mark.parametrize(
    ("service", "method", "request_"),
    [
        ("events", "disable_rule", {"Name": RULE}),
        ("events", "disable_rule", {"Name": RULE, "EventBusName": "default"}),
        (
            "events",
            "disable_rule",
            {"Name": RULE, "EventBusName": f"arn:aws:events:eu-west-1:{MEMBER}:event-bus/default"},
        ),
        ("events", "delete_rule", {"Name": RULE, "Force": True}),
        ("events", "put_rule", {"Name": RULE, "ScheduleExpression": "rate(1 day)"}),
        ("events", "put_targets", {"Rule": RULE, "Targets": [{"Id": "1", "Arn": EXECUTION}]}),
        ("events", "remove_targets", {"Rule": RULE, "Ids": ["1"]}),
        ("cloudwatch", "delete_alarms", {"AlarmNames": [ALARM]}),
        ("cloudwatch", "delete_alarms", {"AlarmNames": ["others", ALARM]}),
        ("cloudwatch", "disable_alarm_actions", {"AlarmNames": [ALARM]}),
        ("cloudwatch", "set_alarm_state", {"AlarmName": ALARM, "StateValue": "OK", "StateReason": "quiet"}),
        (
            "cloudwatch",
            "put_metric_alarm",
            {"AlarmName": ALARM, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum", **METRIC},
        ),
        ("ssm", "put_parameter", {"Name": "/lambda-code-signing/a", "Value": "b", "Overwrite": True}),
        ("ssm", "delete_parameters", {"Names": ["/other", "/lambda-code-signing/a"]}),
    ],
)
def test_nobody_in_a_member_account_silences_what_watches_it(aws, service, method, request_):
    assert is_denied(getattr(aws.client(service, account=MEMBER), method), **request_)


def test_nobody_in_a_member_account_takes_the_name_of_an_exempt_role_neither_alone_nor_as_a_path(aws):
    iam = aws.client("iam", account=MEMBER)
    trust = {"AssumeRolePolicyDocument": TRUST}
    assert is_denied(iam.create_role, RoleName="stacksets-exec-0a1b2c", **trust)
    assert is_denied(iam.create_role, RoleName="admin", Path="/stacksets-exec-evil/", **trust)
    assert not is_denied(iam.create_role, RoleName="somebody", Path="/teams/", **trust)
    attached = {"RoleName": "somebody", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert not is_denied(iam.attach_role_policy, **attached)


def test_rules_alarms_and_parameters_of_others_are_their_own_business(aws):
    events, cloudwatch, ssm = (aws.client(service, account=MEMBER) for service in ("events", "cloudwatch", "ssm"))
    assert not is_denied(events.put_rule, Name="nightly", ScheduleExpression="rate(1 day)")
    assert not is_denied(events.disable_rule, Name="nightly")
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum", **METRIC}
    assert not is_denied(cloudwatch.put_metric_alarm, AlarmName="others", **alarm)
    assert not is_denied(cloudwatch.delete_alarms, AlarmNames=["others"])
    assert not is_denied(ssm.put_parameter, Name="/other", Value="b", Type="String")


def test_policies_that_are_attached_by_calls_bind_at_once_and_never_the_management_account(aws):
    organizations = aws.client("organizations", account=MANAGEMENT)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}
    policy = organizations.create_policy(
        Name="no-queues", Description="none", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(document)
    )["Policy"]["PolicySummary"]["Id"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    assert not is_denied(aws.client("sqs", account=MEMBER).list_queues)
    organizations.attach_policy(PolicyId=policy, TargetId=root)
    assert is_denied(aws.client("sqs", account=MEMBER).list_queues)
    assert not is_denied(aws.client("sqs", account=MANAGEMENT).list_queues)
    organizations.detach_policy(PolicyId=policy, TargetId=root)
    assert not is_denied(aws.client("sqs", account=MEMBER).list_queues)


def role_with(aws, name, *statements):
    """A session of a role of the security account, which no SCP of ours binds, with these statements."""
    iam = aws.client("iam", account=SECURITY)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST.replace(MEMBER, SECURITY))
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", **statement} for statement in statements],
    }
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(document))
    credentials = aws.client("sts", account=SECURITY).assume_role(
        RoleArn=f"arn:aws:iam::{SECURITY}:role/{name}", RoleSessionName="test"
    )["Credentials"]
    return lambda service: aws.client(service, credentials=credentials)


class SessionOfARole:
    """As much of a ``boto3.session.Session`` as `Clients` needs, for a session of a role."""

    def __init__(self, client_of):
        self.client_of = client_of

    def client(self, service, **_):
        return self.client_of(service)


def test_whoever_breaks_the_glass_signs_with_the_emergency_profile_and_does_nothing_else(aws):
    """The rights of the role suffice for the real signer; its trust asks for MFA, which no local AWS knows."""
    owner, s3 = aws.client("signer", account=SECURITY), aws.client("s3", account=SECURITY)
    for name in ("acme_payments_emergency_g1", "acme_payments_usual_g1"):
        owner.put_signing_profile(profileName=name, platformId=PLATFORM)
    s3.create_bucket(Bucket="emergency", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="emergency", VersioningConfiguration={"Status": "Enabled"})
    access = BreakGlassAccess(
        prefix="acme",
        application="payments",
        partition="aws",
        account=SECURITY,
        region="eu-west-1",
        principals=(f"arn:aws:iam::{SECURITY}:user/alice",),
        profile_arn=f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-profiles/acme_payments_emergency_g1",
        bucket_arn="arn:aws:s3:::emergency",
    )
    only = [statement.to_dict() for statement in access.policy().statements]
    client_of = role_with(aws, access.role_name, *only)
    signer = AwsSigner(
        AwsSignerReference(bucket="emergency", region="eu-west-1"), clients=Clients(SessionOfARole(client_of))
    )
    signed = io.BytesIO()
    made = signer.sign(archive(), signed, profile="acme_payments_emergency_g1", at=datetime.now(UTC))
    assert made.signing_profile_version_arn.name == "acme_payments_emergency_g1"
    assert read_archive(signed.getvalue()).signature is not None
    with pytest.raises(AwsError, match="AccessDenied"):
        signer.sign(archive(), io.BytesIO(), profile="acme_payments_usual_g1", at=datetime.now(UTC))
    assert is_denied(client_of("signer").cancel_signing_profile, profileName="acme_payments_emergency_g1")
    assert is_denied(client_of("lambda").list_functions)


def test_the_profile_version_is_a_condition_key_of_signing(aws):
    owner = aws.client("signer", account=SECURITY)
    versions = {
        name: owner.put_signing_profile(profileName=name, platformId=PLATFORM)["profileVersion"]
        for name in ("first", "second")
    }
    condition = {"StringEquals": {"signer:ProfileVersion": versions["first"]}}
    signer = role_with(
        aws, "signer-of-one-version", {"Action": "signer:GetSigningProfile", "Resource": "*", "Condition": condition}
    )("signer")
    assert not is_denied(signer.get_signing_profile, profileName="first")
    assert is_denied(signer.get_signing_profile, profileName="second")


def test_reading_parameters_is_asked_about_the_path_and_about_each_name(aws):
    ours = f"arn:aws:ssm:eu-west-1:{SECURITY}:parameter/lambda-code-signing/*"
    actions = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
    ssm = role_with(aws, "reader-of-parameters", {"Action": actions, "Resource": ours})("ssm")
    assert not is_denied(ssm.get_parameters_by_path, Path="/lambda-code-signing/code-signing-configs")
    assert not is_denied(ssm.get_parameters, Names=["/lambda-code-signing/a", "/lambda-code-signing/b"])
    assert is_denied(ssm.get_parameters_by_path, Path="/other")
    assert is_denied(ssm.get_parameters_by_path, Path="/")
    assert is_denied(ssm.get_parameters, Names=["/lambda-code-signing/a", "/other"])


def test_tags_of_requests_and_resources_are_condition_keys_of_configs(aws):
    publishers = {
        "SigningProfileVersionArns": [f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-profiles/own/0123456789"]
    }
    maker = role_with(
        aws,
        "tagging-maker",
        {
            "Action": "lambda:*",
            "Resource": "*",
            "Condition": {"StringEqualsIfExists": {"aws:RequestTag/team": "a", "aws:ResourceTag/team": "a"}},
        },
    )("lambda")
    make = maker.create_code_signing_config
    arn = make(AllowedPublishers=publishers, Tags={"team": "a"})["CodeSigningConfig"]["CodeSigningConfigArn"]
    assert is_denied(make, AllowedPublishers=publishers, Tags={"team": "b"})
    assert not is_denied(maker.get_code_signing_config, CodeSigningConfigArn=arn)
    aws.client("lambda", account=SECURITY).tag_resource(Resource=arn, Tags={"team": "b"})
    assert is_denied(maker.get_code_signing_config, CodeSigningConfigArn=arn)


def test_a_wrong_secret_an_unknown_key_and_an_unknown_account_are_refused(aws):
    iam = aws.client("iam", account=SECURITY)
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]["AccessKeyId"]
    for key_id, code in (
        (key, "InvalidSignatureException"),
        ("AKIAUNKNOWNUNKNOWN00", "UnrecognizedClientException"),
        ("999999999999", "UnrecognizedClientException"),
    ):
        client = aws.client("lambda", credentials={"AccessKeyId": key_id, "SecretAccessKey": "wrong"})
        with pytest.raises(ClientError) as caught:
            client.list_functions()
        assert caught.value.response["Error"]["Code"] == code
