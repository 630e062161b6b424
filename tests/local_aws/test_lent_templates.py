"""A template too large for a request reaches a member's stack from the drift bucket: by real calls, IAM enforced."""

import json
import time
from datetime import UTC, datetime

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from botocore.exceptions import ClientError

from constructs_pkg.cdk.drift_storage import DriftStorage
from constructs_pkg.guardrails import DriftRights, MemberAccount, remediator_policies
from constructs_pkg.organization import read_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.runtime.drift.access import Refused
from constructs_pkg.runtime.drift.expectations import parse_expectations
from constructs_pkg.runtime.drift.member_stacks import MemberStacks
from constructs_pkg.runtime.drift.settings import Settings
from constructs_pkg.runtime.drift.surroundings import surroundings
from constructs_pkg.testing.local_aws import LocalAws
from tests.cdk.conftest import new_app
from tests.unit.organization_text import GOOD

MEMBER = MemberAccount(
    prefix="acme",
    organization_id="o-a1b2c3d4e5",
    partition="aws",
    account="444444444444",
    security_account="222222222222",
    home_region="eu-west-1",
)
BUCKET = "acme-drift-remediation-222222222222-eu-west-1"
STACK = "StackSet-acme-code-signing-first-0123"
NAME = "/lambda-code-signing/code-signing-configs/payments/mode"


def template(value: str, padding: int) -> str:
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": NAME, "Value": value}}
    return json.dumps({"Metadata": {"Padding": "x" * padding}, "Resources": {"Mode": parameter}})


LARGE = template("Enforce", 60_000)
SMALL = template("Warn", 0)


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    path = tmp_path_factory.mktemp("organization") / "organization.toml"
    path.write_text(GOOD)
    with LocalAws(organization=path, is_strict=True) as running:
        organizations = running.client("organizations", account="111111111111")
        policies = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        for policy in (one for one in policies if one["Name"].startswith("acme-")):  # they let nobody make our roles
            for target in organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]:
                organizations.detach_policy(PolicyId=policy["Id"], TargetId=target["TargetId"])
        yield running


@pytest.fixture(scope="module")
def central(aws):
    """The surroundings of the central repair function: its role's session, the bucket, its policy."""
    stack = cdk.Stack(new_app(), "Stack", env=cdk.Environment(account=MEMBER.security_account, region="eu-west-1"))
    storage = DriftStorage(
        stack,
        "Storage",
        prefix="acme-drift-remediation",
        log_groups=[],
        emails=[],
        report_days=365,
        organization_id=MEMBER.organization_id,
        remediator_role=MEMBER.remediator_role,
    )
    policies = Template.from_stack(stack).find_resources("AWS::S3::BucketPolicy").values()
    (policy,) = [one["Properties"]["PolicyDocument"] for one in policies]
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Allow"]  # the other is about TLS
    s3 = aws.client("s3", account=MEMBER.security_account, region="eu-west-1")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    rights = DriftRights(
        partition="aws",
        region="eu-west-1",
        account=MEMBER.security_account,
        stack_set_account="111111111111",
        organization="acme",
        organization_id=MEMBER.organization_id,
        stack_sets=("acme-code-signing-first",),
        functions=("acme-drift-repair",),
        bucket=BUCKET,
        key_arn="arn:aws:kms:eu-west-1:222222222222:key/0",
        topic_arn="arn:aws:sns:eu-west-1:222222222222:acme",
        dead_letters_arn="arn:aws:sqs:eu-west-1:222222222222:acme",
    )
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "sts:AssumeRole"}
    make_role(aws, MEMBER.security_account, "acme-drift-remediation", [trust], [rights.repairing()])
    credentials = aws.client("sts", account=MEMBER.security_account).assume_role(
        RoleArn=MEMBER.central_drift_role_arn, RoleSessionName="test"
    )["Credentials"]
    organization = read_organization(GOOD, "organization.toml", at=datetime.now(UTC))
    return surroundings(
        Session(aws, credentials),
        Settings(bucket=BUCKET, templates_url=storage.templates_url),
        parse_expectations(drift_expectations(organization)),
        now=lambda: datetime.now(UTC),
    )


class Session:
    """What boto3's session does, at the local AWS."""

    def __init__(self, aws: LocalAws, credentials) -> None:
        self.aws, self.credentials = aws, credentials

    def client(self, service: str, region_name: str = "eu-west-1", **keys):
        keys.pop("config", None)
        given = {
            "AccessKeyId": keys.get("aws_access_key_id"),
            "SecretAccessKey": keys.get("aws_secret_access_key"),
            "SessionToken": keys.get("aws_session_token"),
        }
        credentials = given if given["AccessKeyId"] else self.credentials
        return self.aws.client(service, region=region_name, credentials=credentials)


def make_role(aws, account, name, trust, documents):
    iam = aws.client("iam", account=account)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}))
    for number, document in enumerate(documents):
        iam.put_role_policy(RoleName=name, PolicyName=str(number), PolicyDocument=document.to_json())


@pytest.fixture
def member(aws, central, request):
    """A member's stack that a local administrator changed, and the remediator; its name is the test's alone."""
    large_templates = getattr(request, "param", True)
    iam = aws.client("iam", account=MEMBER.account)
    documents = remediator_policies(MEMBER, large_templates=large_templates)
    trust = MEMBER.remediator_trust.to_dict()["Statement"]
    make_role(aws, MEMBER.account, MEMBER.remediator_role, trust, documents)
    cloudformation = aws.client("cloudformation", account=MEMBER.account)
    cloudformation.create_stack(StackName=STACK, TemplateBody=SMALL)
    stack_id = settled(cloudformation, STACK)["StackId"]
    central.access.forget(MEMBER.account)
    yield MemberStacks(central.access.member(MEMBER.account, "cloudformation", "eu-west-1"), stack_id)
    cloudformation.delete_stack(StackName=STACK)
    for number in range(len(documents)):
        iam.delete_role_policy(RoleName=MEMBER.remediator_role, PolicyName=str(number))
    iam.delete_role(RoleName=MEMBER.remediator_role)


def settled(cloudformation, stack):
    for _ in range(500):
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        time.sleep(0.01)
    raise AssertionError(f"{stack} is still {found['StackStatus']}")


def test_a_large_template_is_put_back_through_the_bucket(aws, central, member):
    member.create_from("drift-1", central.template_to_give(LARGE), {})
    found = wait_for_change_set(member, "drift-1")
    member.execute(found.name, found.change_set_id)

    cloudformation = aws.client("cloudformation", account=MEMBER.account)
    assert settled(cloudformation, STACK)["StackStatus"] == "UPDATE_COMPLETE"
    body = cloudformation.get_template(StackName=STACK)["TemplateBody"]
    assert (body if isinstance(body, dict) else json.loads(body)) == json.loads(LARGE)
    ssm = aws.client("ssm", account=MEMBER.account)
    assert ssm.get_parameter(Name=NAME)["Parameter"]["Value"] == "Enforce"


def wait_for_change_set(member, name):
    for _ in range(500):
        found = member.change_set(name)
        if found is not None and found.status == "CREATE_COMPLETE":
            return found
        time.sleep(0.01)
    raise AssertionError(f"{name} is {found}")


@pytest.mark.parametrize("member", [False], indirect=True)
def test_where_templates_are_small_the_remediator_takes_none_from_s3(central, member):
    with pytest.raises(Refused, match=r"AccessDenied.*cloudformation:CreateChangeSet"):
        member.create_from("drift-1", central.template_to_give(LARGE), {})


def test_a_template_elsewhere_in_s3_is_refused(central, member):
    lent = central.template_to_give(LARGE)["TemplateURL"]
    for elsewhere in (lent.replace("/templates/", "/runs/"), lent.replace("acme-drift", "evil-drift")):
        with pytest.raises(Refused, match=r"AccessDenied.*cloudformation:CreateChangeSet"):
            member.create_from("drift-1", {"TemplateURL": elsewhere}, {})


def test_nobody_else_of_the_organization_reads_what_is_lent(aws, central):
    lent = central.template_to_give(LARGE)["TemplateURL"]
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444444444444:root"}, "Action": "sts:AssumeRole"}
    make_role(aws, MEMBER.account, "somebody", [trust], [])
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    aws.client("iam", account=MEMBER.account).put_role_policy(
        RoleName="somebody", PolicyName="everything", PolicyDocument=json.dumps(everything)
    )
    credentials = aws.client("sts", account=MEMBER.account).assume_role(
        RoleArn="arn:aws:iam::444444444444:role/somebody", RoleSessionName="test"
    )["Credentials"]

    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client("s3", credentials=credentials).get_object(Bucket=BUCKET, Key=lent.partition(f"{BUCKET}/")[2])
    with pytest.raises(ClientError):
        aws.client("cloudformation", credentials=credentials).create_stack(StackName="copy", TemplateURL=lent)
