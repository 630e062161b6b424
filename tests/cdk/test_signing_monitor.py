"""SigningMonitor: what it keeps, counts, shows and tells, over one synthesized template."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.cdk import EnforcedCodeSigning, SigningMonitor
from constructs_pkg.cdk.drift_storage import DriftStorage
from constructs_pkg.errors import ConstructError
from tests.cdk.conftest import FLAGS, new_app

SECURITY, REGION = "222222222222", "eu-west-1"
CONFIG = f"arn:aws:lambda:{REGION}:{SECURITY}:code-signing-config:csc-0123456789abcdef0"
STACK_SET = "acme-code-signing-first"


def declare(app: cdk.App, *, with_code: bool = True, **changes: Any) -> cdk.Stack:
    stack = cdk.Stack(
        app,
        "Monitor",
        env=cdk.Environment(account=SECURITY, region=REGION),
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    storage = DriftStorage(
        stack,
        "Storage",
        prefix="acme-drift-remediation",
        log_groups=["/aws/lambda/acme-drift-*"],
        emails=[],
        report_days=365,
        organization_id="o-a1b2c3d4e5",
        remediator_role="acme-drift-remediator",
    )
    code: dict[str, Any] = {}
    if with_code:
        bucket = s3.Bucket.from_bucket_name(stack, "Signed", "signed-code")
        code = {
            "code": lambda_.Code.from_bucket_v2(bucket, "drift.zip", object_version="v1"),
            "code_signing": EnforcedCodeSigning.from_config_arn(stack, "Config", CONFIG),
        }
    SigningMonitor(
        stack,
        "Monitor",
        **{
            "organization": "acme",
            "event_bus_name": "acme-code-signing",
            "stack_sets": [STACK_SET],
            "storage": storage,
            **code,
            **changes,
        },
    )
    return stack


@pytest.fixture(scope="module")
def template(template_of) -> dict[str, Any]:
    return template_of(declare(new_app(FLAGS)))


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item["Properties"] for item in template["Resources"].values() if item["Type"] == kind]


def test_cfn_lint_finds_nothing(template, lint) -> None:
    assert lint(template, REGION) == []


def test_feature_flags_of_the_user_change_nothing(template, template_of) -> None:
    assert template_of(declare(new_app())) == template


def test_events_of_the_central_bus_are_kept_encrypted(template) -> None:
    group = "/aws/events/acme-drift-remediation"
    assert group in [one["LogGroupName"] for one in of_type(template, "AWS::Logs::LogGroup")]
    rules = of_type(template, "AWS::Events::Rule")
    arn = f"arn:aws:logs:{REGION}:{SECURITY}:log-group:{group}"
    assert [(one["EventBusName"], one["Name"], one["Targets"][0]["Arn"]) for one in rules] == [
        ("acme-code-signing", "acme-code-signing-deployments", arn),
        ("acme-code-signing", "acme-code-signing-memberalarms", arn),
    ]
    (policy,) = of_type(template, "AWS::Logs::ResourcePolicy")
    (statement,) = json.loads(policy["PolicyDocument"])["Statement"]
    assert (statement["Resource"], statement["Condition"]) == (
        f"{arn}:*",
        {"StringEquals": {"aws:SourceAccount": SECURITY}},
    )
    (key,) = of_type(template, "AWS::KMS::Key")
    assert arn in json.dumps(key["KeyPolicy"])


def test_refused_and_tolerated_deployments_are_counted_in_all_and_by_account(template) -> None:
    filters = {one["FilterName"]: one for one in of_type(template, "AWS::Logs::MetricFilter")}
    assert sorted(filters) == sorted(
        name + suffix
        for name in ("RefusedDeployments", "ToleratedDeployments", "ValidationErrorAlarms")
        for suffix in ("", "ByAccount")
    )
    assert filters["RefusedDeployments"]["FilterPattern"] == (
        '{ ($.detail.errorCode = "CodeVerificationFailedException") || '
        '($.detail.errorCode = "InvalidCodeSignatureException") }'
    )
    status = "$.detail.additionalEventData.signatureStatus"
    assert f'({status} = "*" && {status} != "VALID")' in filters["ToleratedDeployments"]["FilterPattern"]
    assert filters["RefusedDeploymentsByAccount"]["MetricTransformations"] == [
        {
            "Dimensions": [{"Key": "Account", "Value": "$.account"}, {"Key": "Region", "Value": "$.region"}],
            "MetricName": "RefusedDeployments",
            "MetricNamespace": "LambdaCodeSigning/Deployments",
            "MetricValue": "1",
            "Unit": "Count",
        }
    ]
    assert {len(one["FilterPattern"]) <= 1024 for one in filters.values()} == {True}


def test_alarms_tell_of_refusals_warnings_unknown_drift_and_signatures_that_expire(template) -> None:
    alarms = {one["AlarmName"]: one for one in of_type(template, "AWS::CloudWatch::Alarm")}
    assert sorted(alarms) == [
        f"acme-code-signing-drift-not-known-{STACK_SET}",
        "acme-code-signing-expiry-not-checked",
        "acme-code-signing-refused-deployments",
        "acme-code-signing-signatures-expire",
        "acme-code-signing-tolerated-deployments",
    ]
    assert alarms["acme-code-signing-refused-deployments"]["Threshold"] == 10
    silent = alarms["acme-code-signing-expiry-not-checked"]
    assert (silent["MetricName"], silent["TreatMissingData"], silent["EvaluationPeriods"]) == (
        "ExpiryChecks",
        "breaching",
        2,
    )
    assert {len(one["AlarmActions"]) for one in alarms.values()} == {1}


def test_dashboard_shows_the_whole_thing(template) -> None:
    (dashboard,) = of_type(template, "AWS::CloudWatch::Dashboard")
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    assert [one["properties"]["title"] for one in widgets] == [
        "Deployments that Lambda refused, by account",
        "Untrusted code that was deployed (Warn), by account",
        "Alarms on validation errors, by account",
        "Drift found",
        "Drift reverted",
        "Waits for a human",
        "Not known or failed",
        "Signatures and profiles that run out",
    ]
    assert widgets[0]["properties"]["metrics"] == [
        [
            {
                "expression": "SEARCH('{LambdaCodeSigning/Deployments,Account,Region} "
                "MetricName=\"RefusedDeployments\"', 'Sum', 300)",
                "id": "each",
            }
        ]
    ]


def test_signatures_are_looked_at_daily_by_a_function_under_the_config(template) -> None:
    (function,) = of_type(template, "AWS::Lambda::Function")
    assert (function["FunctionName"], function["Handler"], function["CodeSigningConfigArn"]) == (
        "acme-drift-expiry",
        "drift.expiry.handler",
        CONFIG,
    )
    (schedule,) = of_type(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(1 day)"


def test_without_code_nobody_looks_at_signatures_and_no_alarm_waits_for_it(template_of) -> None:
    template = template_of(declare(new_app(FLAGS), with_code=False))
    assert of_type(template, "AWS::Lambda::Function") == []
    assert not [one for one in of_type(template, "AWS::CloudWatch::Alarm") if "expi" in one["AlarmName"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"refusals_per_hour": 0}, "refusals_per_hour=0 is out of range"),
        ({"expiring_days": 1001}, "expiring_days=1001 is out of range"),
        ({"code": None}, "code and code_signing belong together"),
    ],
    ids=["refusals", "days", "code"],
)
def test_argument_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        declare(new_app(), **changes)
