"""The functions that AWS CDK makes by itself are recognised: in what today's aws-cdk-lib really synthesizes."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import custom_resources, triggers

from constructs_pkg.rules import CheckReport, Violation
from constructs_pkg.templates import check_assembly, read_assembly
from tests.rules.judging import POLICY, VERIFIED_AT

ENVIRONMENT = cdk.Environment(account="123456789012", region="eu-west-1")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> CheckReport:
    folder = tmp_path_factory.mktemp("helpers")
    app = cdk.App(outdir=str(folder), analytics_reporting=False, builtin_cloud_formation_validation=False)
    stack = cdk.Stack(app, "Shop", env=ENVIRONMENT)
    own = lambda_.Function(
        stack,
        "Own",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("x"),
        log_retention=logs.RetentionDays.ONE_DAY,
    )
    bucket = s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.LambdaDestination(own))
    deployment.BucketDeployment(stack, "Files", sources=[deployment.Source.data("a", "b")], destination_bucket=bucket)
    custom_resources.Provider(stack, "Provider", on_event_handler=own, is_complete_handler=own)
    custom_resources.AwsCustomResource(
        stack,
        "Call",
        on_create=custom_resources.AwsSdkCall(
            service="STS",
            action="getCallerIdentity",
            physical_resource_id=custom_resources.PhysicalResourceId.of("x"),
        ),
        policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"]),
    )
    ec2.Vpc(stack, "Vpc", restrict_default_security_group=True, nat_gateways=0)
    iam.OpenIdConnectProvider(stack, "Oidc", url="https://ci.example")
    triggers.Trigger(stack, "Trigger", handler=own)
    ecr.Repository(stack, "Images", auto_delete_images=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    there = cdk.Stack(
        app, "There", env=cdk.Environment(account="123456789012", region="us-east-1"), cross_region_references=True
    )
    here = cdk.Stack(app, "Here", env=ENVIRONMENT, cross_region_references=True)
    cdk.CfnOutput(here, "Name", value=s3.Bucket(there, "Far").bucket_name)
    app.synth()
    return check_assembly(read_assembly(Path(folder)), POLICY, VERIFIED_AT)


def _named(violation: Violation) -> str:
    return violation.message.removeprefix("AWS CDK makes this function by itself: it is ").partition(" (LCS")[0]


def test_every_helper_is_named_once_by_its_construct_path(report: CheckReport) -> None:
    helpers = {item.construct_path: _named(item) for item in report.violations if item.rule.id == "LCS120"}
    assert helpers == {
        "Shop/LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a/Resource": "the log retention function",
        "Shop/Custom::S3AutoDeleteObjectsCustomResourceProvider/Handler": "the bucket emptier (auto_delete_objects)",
        "Shop/BucketNotificationsHandler050a0587b7544547bf325f094a3db834/Resource": "the bucket notifications handler",
        "Shop/Custom::CDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C/Resource": "the function of BucketDeployment",
        "Shop/Provider/framework-onEvent/Resource": "the Provider framework of custom resources",
        "Shop/Provider/framework-isComplete/Resource": "the Provider framework of custom resources",
        "Shop/Provider/framework-onTimeout/Resource": "the Provider framework of custom resources",
        "Shop/AWS679f53fac002430cb0da5b7982bd2287/Resource": "the function of AwsCustomResource",
        "Shop/Custom::VpcRestrictDefaultSGCustomResourceProvider/Handler": (
            "the default security group restrictor (restrict_default_security_group)"
        ),
        "Shop/Custom::AWSCDKOpenIdConnectProviderCustomResourceProvider/Handler": (
            "the function of OpenIdConnectProvider"
        ),
        "Shop/AWSCDK.TriggerCustomResourceProviderCustomResourceProvider/Handler": "the function of Trigger",
        "Shop/Custom::ECRAutoDeleteImagesCustomResourceProvider/Handler": (
            "the image repository emptier (empty_on_delete, auto_delete_images)"
        ),
        "There/Custom::CrossRegionExportWriterCustomResourceProvider/Handler": (
            "the cross-Region reference function (cross_region_references)"
        ),
        "Here/Custom::CrossRegionExportReaderCustomResourceProvider/Handler": (
            "the cross-Region reference function (cross_region_references)"
        ),
    }


def test_the_teams_own_function_is_not_taken_for_a_helper(report: CheckReport) -> None:
    own = [item.rule.id for item in report.violations if item.construct_path == "Shop/Own/Resource"]
    assert own == ["LCS101", "LCS207"]


def test_the_roles_of_helpers_are_not_accused_and_nothing_crashes(report: CheckReport) -> None:
    others = {(item.rule.id, item.construct_path) for item in report.violations if item.rule.id != "LCS120"}
    assert others == {
        ("LCS101", "Shop/Own/Resource"),
        ("LCS207", "Shop/Own/Resource"),
        ("LCS301", "Shop/Files/AwsCliLayer/Resource"),  # BucketDeployment's layer, which nobody signed
    }
