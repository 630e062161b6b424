"""BreakGlassSigning: short signatures, a narrow role, an alarm for each use, and no loosened config."""

import io
from datetime import UTC, datetime, timedelta

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from constructs_pkg.cdk import BreakGlassSigning, EnforcedCodeSigning
from constructs_pkg.errors import ConstructError
from constructs_pkg.signing.report import Decision, SignatureStatus
from constructs_pkg.signing.verifier import verify_archive
from constructs_pkg.validity import Validity
from tests.cdk.conftest import ENVIRONMENT, FLAGS, new_app
from tests.signing.signed_archives import archive_of, new_authority

USERS = ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"]


def declared(stack: cdk.Stack, **changed) -> BreakGlassSigning:
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    arguments = {
        "prefix": "acme",
        "application": "customer-notices",
        "principals": USERS,
        "bucket": s3.Bucket.from_bucket_name(stack, "Bucket", "acme-emergency"),
        "topic": sns.Topic(stack, "Alarms", master_key=key, enforce_ssl=True),
    }
    return BreakGlassSigning(stack, "BreakGlass", **{**arguments, **changed})


def of_type(template: dict, kind: str) -> list[dict]:
    return [item["Properties"] for item in template["Resources"].values() if item["Type"] == kind]


@pytest.fixture
def template(stack, template_of) -> dict:
    declared(stack)
    return template_of(stack)


def test_profile_is_the_applications_own_and_signs_for_three_days(template) -> None:
    assert of_type(template, "AWS::Signer::SigningProfile") == [
        {
            "PlatformId": "AWSLambda-SHA384-ECDSA",
            "ProfileName": "acme_customer_notices_emergency_g1",
            "SignatureValidityPeriod": {"Type": "DAYS", "Value": 3},
        }
    ]
    assert of_type(template, "AWS::Signer::ProfilePermission") == []


def test_role_is_for_an_hour_for_the_named_people_and_has_the_one_policy(stack, template_of) -> None:
    access = declared(stack).access
    template = template_of(stack)
    (role,) = of_type(template, "AWS::IAM::Role")
    assert (role["RoleName"], role["MaxSessionDuration"]) == ("acme-break-glass-customer-notices", 3600)
    assert role["AssumeRolePolicyDocument"] == stack.resolve(access.trust_policy())
    assert {key for key in role if "Polic" in key} == {"AssumeRolePolicyDocument", "ManagedPolicyArns"}
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy")
    assert policy["PolicyDocument"] == stack.resolve(access.policy().to_dict())
    assert len(role["ManagedPolicyArns"]) == 1


def test_every_use_of_role_and_profile_goes_to_the_topic(template) -> None:
    rules = {rule["EventPattern"]["source"][0]: rule for rule in of_type(template, "AWS::Events::Rule")}
    ((role, _),) = [(key, item) for key, item in template["Resources"].items() if item["Type"] == "AWS::IAM::Role"]
    arn = {"Fn::GetAtt": [role, "Arn"]}
    assert {source: (rule["State"], rule["EventPattern"]["detail"]) for source, rule in rules.items()} == {
        "aws.sts": (
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            {"eventName": ["AssumeRole"], "requestParameters": {"roleArn": [arn]}},
        ),
        "aws.signer": (
            "ENABLED",
            {
                "$or": [
                    {"requestParameters": {"profileName": ["acme_customer_notices_emergency_g1"]}},
                    {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [arn]}}}},
                ]
            },
        ),
    }
    (topic,) = of_type(template, "AWS::SNS::TopicPolicy")
    granted = [item for item in topic["PolicyDocument"]["Statement"] if item["Effect"] == "Allow"]
    names = [key for key, item in template["Resources"].items() if item["Type"] == "AWS::Events::Rule"]
    assert [item["Condition"]["ArnEquals"]["aws:SourceArn"] for item in granted] == [
        {"Fn::GetAtt": [name, "Arn"]} for name in names
    ]
    assert {target["Arn"]["Ref"] for rule in rules.values() for target in rule["Targets"]} == {
        item["Ref"] for item in topic["Topics"]
    }


def test_the_emergency_profile_goes_into_an_enforcing_config(stack, template_of) -> None:
    emergency = declared(stack)
    usual = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/acme_customer_notices_g1/AbCdEf1234"
    EnforcedCodeSigning(stack, "Config", publishers=[usual, emergency.profile])
    (config,) = of_type(template_of(stack), "AWS::Lambda::CodeSigningConfig")
    assert config["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert len(config["AllowedPublishers"]["SigningProfileVersionArns"]) == 2


def test_what_was_signed_in_an_emergency_cannot_be_deployed_again_after_days() -> None:
    authority = new_authority()
    authority.put_profile("emergency", validity=Validity(3, "DAYS"))
    signed_at = datetime(2026, 9, 28, tzinfo=UTC)
    target = io.BytesIO()
    authority.sign(archive_of(handler__py=b"fixed = True\n"), target, profile="emergency", at=signed_at)
    policy = authority.export_policy(at=signed_at, profiles=["emergency"])
    soon = verify_archive(target.getvalue(), policy, signed_at + timedelta(days=2))
    late = verify_archive(target.getvalue(), policy, signed_at + timedelta(days=4))
    assert soon.decision is Decision.ACCEPTED
    assert (late.decision, late.signature_status) == (Decision.REJECTED, SignatureStatus.EXPIRED)


@pytest.mark.parametrize("validity", ["8 days", "1 month", "1 year"])
def test_long_signatures_are_refused(stack, validity) -> None:
    with pytest.raises(ConstructError, match=f"validity={validity} is not 1 to 7 days"):
        declared(stack, validity=Validity.parse(validity))


def test_a_topic_that_would_swallow_the_alarm_is_refused(stack) -> None:
    foreign = sns.Topic.from_topic_arn(stack, "Foreign", "arn:aws:sns:eu-west-1:111122223333:alarms")
    with pytest.raises(ConstructError, match=r"only the policy of an aws_sns\.Topic of this App"):
        declared(stack, topic=foreign)
    managed = sns.Topic(stack, "Managed", master_key=kms.Alias.from_alias_name(stack, "AwsKey", "alias/aws/sns"))
    cfn = managed.node.default_child
    cfn.kms_master_key_id = "alias/aws/sns"
    with pytest.raises(ConstructError, match="lets Amazon EventBridge publish nothing"):
        BreakGlassSigning(
            stack,
            "Again",
            prefix="acme",
            application="x",
            principals=USERS,
            bucket=s3.Bucket.from_bucket_name(stack, "B", "acme-emergency"),
            topic=managed,
        )


def test_one_application_has_one(stack) -> None:
    declared(stack)
    other = cdk.Stack(stack.node.root, "Other", env=ENVIRONMENT)
    with pytest.raises(ConstructError, match="is already that of"):
        declared(other, generation=2)


def test_template_is_the_same_without_flags_and_clean_under_cfn_lint_and_cdk_nag(
    apps_without_and_with_flags, template_of, lint, synthesize_with_nag
) -> None:
    templates = []
    for app in apps_without_and_with_flags:
        stack = cdk.Stack(app, "Stack", env=ENVIRONMENT)
        declared(stack)
        templates.append(template_of(stack))
    # The key and the topic are the test's own, and aws-cdk-lib's.
    ours = [{key: item for key, item in made["Resources"].items() if "BreakGlass" in key} for made in templates]
    assert (len(ours[0]), ours[0]) == (6, ours[1])
    assert lint(templates[0]) == []
    app = new_app(FLAGS)
    stack = cdk.Stack(app, "Stack", env=ENVIRONMENT)
    made = declared(stack)
    wildcards = ["jobs/*", "signed/*", "unsigned/*"]
    found = [f"Resource::arn:<AWS::Partition>:s3:::acme-emergency/{item}" for item in wildcards]
    found.append("Resource::arn:<AWS::Partition>:signer:eu-west-1:111122223333:/signing-jobs/*")
    cdk.Validations.of(made).acknowledge(
        *[
            cdk.Acknowledgment(
                id=f"AwsSolutions::AwsSolutions-IAM5[{item}]", reason="names are made of digests and job ids"
            )
            for item in found
        ]
    )
    synthesize_with_nag(app)
