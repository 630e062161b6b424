"""DriftRemediation: one assertion for each promise of the construct, over one synthesized template."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.cdk import DriftRemediation, EnforcedCodeSigning
from constructs_pkg.cdk.drift_alarms import NAMESPACE
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import MemberAccount
from constructs_pkg.runtime.drift.report import METRICS_NAMESPACE, metrics
from constructs_pkg.runtime.drift.rows import OUTCOMES
from tests.cdk.conftest import FLAGS, new_app
from tests.cdk.event_patterns import pattern_matches

SECURITY, MANAGEMENT, REGION = "222222222222", "111111111111", "eu-west-1"
CONFIG = f"arn:aws:lambda:{REGION}:{SECURITY}:code-signing-config:csc-0123456789abcdef0"
STACK_SETS = ["acme-code-signing-first", "acme-code-signing-second"]
TASKS = ["detect", "gather", "inspect-batch", "list-instances", "repair", "report", "start"]


def declare(app: cdk.App, **changes: Any) -> cdk.Stack:
    stack = cdk.Stack(
        app,
        "Drift",
        env=cdk.Environment(account=SECURITY, region=REGION),
        synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    bucket = s3.Bucket.from_bucket_name(stack, "Signed", "signed-code")
    arguments: dict[str, Any] = {
        "organization": "acme",
        "organization_id": "o-a1b2c3d4e5",
        "stack_sets": STACK_SETS,
        "stack_set_account": MANAGEMENT,
        "code": lambda_.Code.from_bucket_v2(bucket, "drift.zip", object_version="v1"),
        "code_signing": EnforcedCodeSigning.from_config_arn(stack, "Config", CONFIG),
        "event_bus_name": "acme-code-signing",
        "emails": ["security@acme.example"],
    }
    DriftRemediation(stack, "DriftRemediation", **{**arguments, **changes})
    return stack


@pytest.fixture(scope="module")
def template(template_of) -> dict[str, Any]:
    return template_of(declare(new_app(FLAGS)))


@pytest.fixture(scope="module")
def of_type(template):
    def find(kind: str) -> dict[str, dict[str, Any]]:
        return {key: item for key, item in template["Resources"].items() if item["Type"] == kind}

    return find


@pytest.fixture(scope="module")
def definition(of_type) -> dict[str, Any]:
    (machine,) = of_type("AWS::StepFunctions::StateMachine").values()
    return json.loads(machine["Properties"]["DefinitionString"])


def states_of(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All states, those of the maps' children too."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in definition["States"].items():
        found[name] = state
        found.update(states_of(state["ItemProcessor"]) if state["Type"] == "Map" else {})
    return found


def test_cfn_lint_finds_nothing(template, lint) -> None:
    assert lint(template, REGION) == []


def test_feature_flags_of_the_user_change_nothing(template, template_of) -> None:
    assert template_of(declare(new_app())) == template


def test_functions_are_the_tasks_and_nothing_else_all_under_the_config(of_type) -> None:
    functions = {
        item["Properties"]["FunctionName"]: item["Properties"] for item in of_type("AWS::Lambda::Function").values()
    }
    assert sorted(functions) == [f"acme-drift-{task}" for task in TASKS]
    assert {properties["CodeSigningConfigArn"] for properties in functions.values()} == {CONFIG}
    assert {json.dumps(properties["Code"]) for properties in functions.values()} == {
        json.dumps({"S3Bucket": "signed-code", "S3Key": "drift.zip", "S3ObjectVersion": "v1"})
    }


def test_logs_are_encrypted_kept_for_a_while_and_made_before_the_functions(of_type) -> None:
    (key,) = of_type("AWS::KMS::Key")
    groups = of_type("AWS::Logs::LogGroup")
    assert {
        (item["Properties"]["LogGroupName"], item["Properties"]["RetentionInDays"], item["DeletionPolicy"])
        for item in groups.values()
    } == {(f"/aws/lambda/acme-drift-{task}", 365, "Retain") for task in TASKS} | {
        ("/aws/vendedlogs/states/acme-drift-remediation", 365, "Retain")
    }
    assert {json.dumps(item["Properties"]["KmsKeyId"]) for item in groups.values()} == {
        json.dumps({"Fn::GetAtt": [key, "Arn"]})
    }
    for function in of_type("AWS::Lambda::Function").values():
        (group,) = (name for name in function["DependsOn"] if name in groups)
        assert groups[group]["Properties"]["LogGroupName"] == f"/aws/lambda/{function['Properties']['FunctionName']}"


def test_two_functions_alone_have_the_role_that_becomes_a_members_remediator(of_type) -> None:
    roles = of_type("AWS::IAM::Role")
    assuming = [
        item["Properties"]["RoleName"]
        for item in roles.values()
        if '"sts:AssumeRole"' in json.dumps(item["Properties"]["Policies"])
    ]
    assert assuming == ["acme-drift-remediation"]
    having = {
        item["Properties"]["FunctionName"]
        for item in of_type("AWS::Lambda::Function").values()
        if roles[item["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]["RoleName"] == "acme-drift-remediation"
    }
    assert having == {"acme-drift-inspect-batch", "acme-drift-repair"}


def test_the_function_that_begins_runs_alone_may_start_them(of_type) -> None:
    """Starting an execution is how a human approves: of the functions, one may, and one state machine."""
    roles = of_type("AWS::IAM::Role")
    machine = f"arn:aws:states:{REGION}:{SECURITY}:stateMachine:acme-drift-remediation"
    starting = {}
    for item in of_type("AWS::Lambda::Function").values():
        role = roles[item["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]:
            if "states:StartExecution" in statement["Action"]:
                starting[item["Properties"]["FunctionName"]] = role["RoleName"], statement["Resource"]
    assert starting == {"acme-drift-start": ("acme-drift-start", machine)}


def test_services_other_than_lambda_are_trusted_for_this_account_only(of_type) -> None:
    trusts = {
        item["Properties"]["RoleName"]: item["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        for item in of_type("AWS::IAM::Role").values()
    }
    own = {"StringEquals": {"aws:SourceAccount": SECURITY}}
    assert {
        name: (statement["Principal"]["Service"], statement.get("Condition")) for name, (statement,) in trusts.items()
    } == {
        "acme-drift-remediation": ("lambda.amazonaws.com", None),
        "acme-drift-run": ("lambda.amazonaws.com", None),
        "acme-drift-start": ("lambda.amazonaws.com", None),
        "acme-drift-remediation-states": ("states.amazonaws.com", own),
        "acme-drift-schedule": ("scheduler.amazonaws.com", own),
        "acme-drift-events": ("events.amazonaws.com", own),
    }


def test_each_stack_set_has_an_hourly_schedule_whose_failures_are_kept(of_type) -> None:
    (queue,) = of_type("AWS::SQS::Queue")
    schedules = [item["Properties"] for item in of_type("AWS::Scheduler::Schedule").values()]
    assert [
        (one["Name"], one["ScheduleExpression"], one["State"], json.loads(one["Target"]["Input"])) for one in schedules
    ] == [(name, "rate(60 minutes)", "ENABLED", {"kind": "schedule", "wave": name}) for name in STACK_SETS]
    assert {json.dumps(one["Target"]["DeadLetterConfig"]) for one in schedules} == {
        json.dumps({"Arn": {"Fn::GetAtt": [queue, "Arn"]}})
    }


def test_tampering_starts_runs_and_deployments_and_alarms_do_not(of_type) -> None:
    (queue,) = of_type("AWS::SQS::Queue")
    rules = [item["Properties"] for item in of_type("AWS::Events::Rule").values()]
    patterns = {(one.get("EventBusName"), one["Name"]): one["EventPattern"] for one in rules}
    assert sorted(patterns, key=str, reverse=True) == [
        (None, "acme-drift-stacksetoperations"),
        ("acme-code-signing", "acme-drift-configs"),
        ("acme-code-signing", "acme-drift-baseline"),
    ]
    names = patterns["acme-code-signing", "acme-drift-configs"]["detail"]["eventName"]
    prefixes = tuple(name["prefix"] for name in names)
    assert patterns["acme-code-signing", "acme-drift-configs"]["detail"]["errorCode"] == [{"exists": False}]
    assert "DeleteFunctionCodeSigningConfig".startswith(prefixes)
    assert not "UpdateFunctionCode20150331v2".startswith(prefixes)
    assert {json.dumps(one["Targets"][0]["DeadLetterConfig"]) for one in rules} == {
        json.dumps({"Arn": {"Fn::GetAtt": [queue, "Arn"]}})
    }
    (policy,) = of_type("AWS::SQS::QueuePolicy").values()
    sources = policy["Properties"]["PolicyDocument"]["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {source["Fn::GetAtt"][0] for source in sources} == set(of_type("AWS::Events::Rule"))


def test_reports_are_versioned_encrypted_private_and_outlive_the_stack(of_type) -> None:
    (bucket,) = of_type("AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert properties["BucketName"] == f"acme-drift-remediation-{SECURITY}-{REGION}"
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert [one.get("ExpirationInDays") for one in properties["LifecycleConfiguration"]["Rules"]] == [365, 7, None]
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_templates_too_large_for_a_request_are_lent_to_the_remediators_of_the_organization_alone(of_type) -> None:
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    (allow,) = (one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Effect"] == "Allow")
    member = MemberAccount(
        prefix="acme",
        organization_id="o-a1b2c3d4e5",
        partition="aws",
        account="*",
        security_account=SECURITY,
        home_region=REGION,
    )
    assert {key: allow[key] for key in ("Principal", "Action", "Resource", "Condition")} == {
        "Principal": {"AWS": "*"},
        "Action": "s3:GetObject",
        "Resource": member.lent_templates_arn,
        "Condition": {
            "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
            "ArnLike": {"aws:PrincipalArn": member.role_arn(member.remediator_role)},
        },
    }
    addresses = {
        json.dumps(one["Properties"]["Environment"]["Variables"]["DRIFT_TEMPLATES_URL"])
        for one in of_type("AWS::Lambda::Function").values()
        if "DRIFT_BUCKET" in one["Properties"]["Environment"]["Variables"]
    }
    assert addresses == {json.dumps(member.lent_templates_url.removesuffix("*"))}


@pytest.mark.parametrize("kind", ["AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"])
def test_nobody_reaches_bucket_topic_and_queue_without_tls(kind: str, of_type) -> None:
    (policy,) = of_type(kind).values()
    (deny,) = (one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Effect"] == "Deny")
    assert (deny["Principal"], deny["Condition"]) == ({"AWS": "*"}, {"Bool": {"aws:SecureTransport": "false"}})


def test_alarms_tell_of_failures_dead_letters_and_of_runs_that_do_not_finish(of_type) -> None:
    (topic,) = of_type("AWS::SNS::Topic")
    alarms = {
        item["Properties"]["AlarmName"]: item["Properties"] for item in of_type("AWS::CloudWatch::Alarm").values()
    }
    assert sorted(alarms) == [
        "acme-drift-remediation-dead-letters",
        "acme-drift-remediation-functions-fail",
        *(f"acme-drift-remediation-no-run-finished-{name}" for name in STACK_SETS),
        "acme-drift-remediation-runs-fail",
    ]
    assert {json.dumps(one["AlarmActions"]) for one in alarms.values()} == {
        json.dumps([{"Fn::GetAtt": [topic, "TopicArn"]}])
    }
    missing = alarms["acme-drift-remediation-no-run-finished-acme-code-signing-first"]
    assert {
        key: missing[key]
        for key in ("Namespace", "MetricName", "Dimensions", "Period", "EvaluationPeriods", "TreatMissingData")
    } == {
        "Namespace": "LambdaCodeSigning/Drift",
        "MetricName": "WholeRunsFinished",
        "Dimensions": [{"Name": "StackSet", "Value": "acme-code-signing-first"}],
        "Period": 3600,
        "EvaluationPeriods": 2,
        "TreatMissingData": "breaching",
    }
    (key,) = of_type("AWS::KMS::Key").values()
    services = [one["Principal"].get("Service") for one in key["Properties"]["KeyPolicy"]["Statement"]]
    assert ["cloudwatch.amazonaws.com", "events.amazonaws.com"] in services


def test_dashboard_shows_each_stack_set_by_outcome(of_type) -> None:
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for name in STACK_SETS:
        assert all(re.search(rf"{metric}[^\]]+{name}", body) for metric in ("Reverted", "NeedsHuman", "Unknown"))


def test_metrics_that_are_shown_and_alarmed_on_are_those_that_the_report_tells(of_type) -> None:
    answer = {"outcomes": dict.fromkeys(OUTCOMES, 0), "status": "SUCCEEDED"}
    at = datetime(2026, 11, 23, tzinfo=UTC)
    told = metrics(answer, STACK_SETS[0], at=at, is_whole=True)
    assert told["_aws"]["CloudWatchMetrics"][0]["Namespace"] == NAMESPACE == METRICS_NAMESPACE
    assert (told["WholeRunsFinished"], metrics(answer, "s", at=at, is_whole=False)["WholeRunsFinished"]) == (1, 0)
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"]).replace("\\", "")
    named = set(re.findall(rf'"{NAMESPACE}","(\w+)"', body)) | {"WholeRunsFinished"}
    assert named > {"Reverted", "Unknown"}
    assert named <= set(told)


def test_every_task_is_retried_and_ends_in_the_report_when_it_fails_for_good(definition) -> None:
    tasks = {name: state for name, state in states_of(definition).items() if state["Type"] == "Task"}
    assert len(tasks) == len(TASKS)
    assert {retry["MaxAttempts"] for state in tasks.values() for retry in state["Retry"]} == {4}
    caught = {
        name: [(one["ErrorEquals"], one["Next"]) for one in state["Catch"]]
        for name, state in definition["States"].items()
        if "Catch" in state
    }
    names = ["Detect", "Gather", "Inspect batches", "List instances", "Repair instances"]
    assert caught == {name: [(["States.ALL"], "Report")] for name in names}


def test_nothing_waits_in_a_running_function(definition) -> None:
    waits = {name: state for name, state in states_of(definition).items() if state["Type"] == "Wait"}
    assert {name: state["Next"] for name, state in waits.items()} == {
        "Wait for our turn": "Start",
        "Wait for the detection": "Detect",
        "Wait for the stack": "Repair",
    }


def test_maps_are_distributed_with_the_limits_of_the_user(template_of) -> None:
    stack = declare(new_app(FLAGS), max_concurrency=7, tolerated_failure_percentage=5)
    resources = template_of(stack)["Resources"].values()
    (text,) = (
        item["Properties"]["DefinitionString"] for item in resources if "DefinitionString" in item.get("Properties", {})
    )
    maps = [state for state in json.loads(text)["States"].values() if state["Type"] == "Map"]
    assert [
        (
            one["MaxConcurrency"],
            one["ToleratedFailurePercentage"],
            one["ItemProcessor"]["ProcessorConfig"],
            one["ItemReader"]["Parameters"],
        )
        for one in maps
    ] == [
        (7, 5.0, {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, {"Bucket.$": bucket, "Key.$": key})
        for bucket, key in (
            ("$.list.bucket", "$.list.batches_key"),
            ("$.gathered.bucket", "$.gathered.repairs_key"),
        )
    ]
    # Interpreters that take fractions only have to parse it.
    assert text.count('"ToleratedFailurePercentage": 5.0') == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"every": cdk.Duration.minutes(1)}, "every=1 minutes is out of range. Use 15 to 1440 minutes"),
        ({"max_concurrency": 0}, "max_concurrency=0 at a time is out of range"),
        ({"tolerated_failure_percentage": 101}, "tolerated_failure_percentage=101 percent is out of range"),
        ({"most_repairs": -1}, "most_repairs=-1 instances is out of range"),
        ({"missing_periods": 8}, "missing_periods=8 periods is out of range"),
        ({"longest_run": cdk.Duration.days(2)}, "longest_run=2880 minutes is out of range"),
        ({"call_as": "ROOT"}, "call_as='ROOT'. Use 'DELEGATED_ADMIN' or 'SELF'"),
        ({"stack_sets": []}, "name at least one StackSet, each once"),
        ({"stack_sets": ["one", "one"]}, "name at least one StackSet, each once"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_argument_out_of_its_range_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConstructError, match=re.escape(message)):
        declare(new_app(), **changes)


def test_two_for_one_organization_are_refused() -> None:
    stack = declare(new_app())
    bucket = s3.Bucket.from_bucket_name(stack, "More", "signed-code")
    with pytest.raises(ConstructError, match="Declare one drift remediation for each organization"):
        DriftRemediation(
            stack,
            "Again",
            organization="acme",
            organization_id="o-a1b2c3d4e5",
            stack_sets=STACK_SETS,
            stack_set_account=MANAGEMENT,
            code=lambda_.Code.from_bucket_v2(bucket, "drift.zip", object_version="v1"),
            code_signing=EnforcedCodeSigning.from_config_arn(stack, "AgainConfig", CONFIG),
        )


def forwarded(source: str, name: str, **detail: Any) -> dict[str, Any]:
    """What the rule of a member account forwards."""
    return {
        "source": source,
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {"eventName": name, "requestParameters": {}, **detail},
    }


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        (forwarded("aws.lambda", "UpdateCodeSigningConfig"), True),
        (forwarded("aws.lambda", "DeleteFunctionCodeSigningConfig"), True),
        (forwarded("aws.lambda", "CreateFunction20150331"), True),
        (forwarded("aws.iam", "CreatePolicyVersion"), True),
        (forwarded("aws.cloudformation", "UpdateStack"), True),
        (forwarded("aws.lambda", "UpdateFunctionCode20150331v2"), False),
        (forwarded("aws.lambda", "CreateFunction20150331", errorCode="CodeVerificationFailedException"), False),
        (forwarded("aws.iam", "CreatePolicyVersion", errorCode="AccessDenied"), False),
        ({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": {}}, False),
    ],
    ids=lambda value: value.get("detail", {}).get("eventName", "alarm") if isinstance(value, dict) else str(value),
)
def test_what_member_accounts_forward_starts_a_run_where_something_was_changed(
    event: dict[str, Any], starts: bool, of_type
) -> None:
    rules = [item["Properties"] for item in of_type("AWS::Events::Rule").values()]
    patterns = [one["EventPattern"] for one in rules if one.get("EventBusName") == "acme-code-signing"]
    assert any(pattern_matches(pattern, event) for pattern in patterns) == starts
