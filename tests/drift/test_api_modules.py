"""The modules that ask AWS: exactly these requests, in botocore's shapes (Stubber), and what is made of the answers."""

import io
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from constructs_pkg.runtime.drift.access import RETRIES, Access, Refused
from constructs_pkg.runtime.drift.finding import Author, Finding
from constructs_pkg.runtime.drift.functions import Functions, signing_profiles
from constructs_pkg.runtime.drift.member_stacks import MemberStacks
from constructs_pkg.runtime.drift.observations import (
    Difference,
    MemberStack,
    ObservedConfig,
    ObservedFunction,
    ObservedProfile,
    ResourceDrift,
    StackInstance,
)
from constructs_pkg.runtime.drift.settings import Settings
from constructs_pkg.runtime.drift.stack_sets import DetectionOperation, StackSets
from constructs_pkg.runtime.drift.storage import BucketStore, Conflict, MemoryStore
from constructs_pkg.runtime.drift.surroundings import MAX_TEMPLATE_BYTES
from constructs_pkg.runtime.drift.trail import with_authors
from constructs_pkg.runtime.drift.values import digest
from tests.drift.world import BUCKET, PUBLISHER, STACK_SET, World

REGION, ACCOUNT = "eu-west-1", "444444444403"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/StackSet-{STACK_SET}-1/1"
CHANGE_SET = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/drift-1/1"
CONFIG = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-00000000000000001"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:payments-api"
AT = datetime(2026, 11, 23, tzinfo=UTC)
SESSION = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
INSTANCE = StackInstance(ACCOUNT, REGION, STACK, "SUCCEEDED", "", "DRIFTED")
WHO = {"StackSetName": STACK_SET, "CallAs": "DELEGATED_ADMIN"}
OF_STACK = {"StackName": STACK}


@contextmanager
def stubbed(service: str, *calls: tuple[str, dict[str, Any], dict[str, Any] | str]):
    """A client that gets exactly these calls: name, request, and answer or the code and message of an error."""
    client = SESSION.client(service)
    with Stubber(client) as stub:
        for name, request, answer in calls:
            if isinstance(answer, str):
                code, _, message = answer.partition(": ")
                stub.add_client_error(name, code, message, expected_params=request)
            else:
                stub.add_response(name, answer, request)
        yield client
        stub.assert_no_pending_responses()


def creation(**more: Any) -> dict[str, Any]:
    return {
        **OF_STACK,
        "ChangeSetName": "drift-1",
        "ChangeSetType": "UPDATE",
        "Description": ANY,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "ClientToken": f"drift-1-{digest(STACK)[:16]}",
        **more,
    }


def test_a_drift_aware_change_set_keeps_template_and_parameters() -> None:
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Mode", "Other")]
    request = creation(UsePreviousTemplate=True, DeploymentMode="REVERT_DRIFT", Parameters=kept)
    with stubbed("cloudformation", ("create_change_set", request, {})) as client:
        MemberStacks(client, STACK).create_revert("drift-1", ["Other", "Mode"])


def test_back_to_the_stack_set_gives_its_template_and_keeps_what_is_masked() -> None:
    given = [
        {"ParameterKey": "Mode", "ParameterValue": "Enforce"},
        {"ParameterKey": "Secret", "UsePreviousValue": True},
    ]
    with stubbed("cloudformation", ("create_change_set", creation(TemplateBody="{}", Parameters=given), {})) as client:
        MemberStacks(client, STACK).create_from(
            "drift-1", {"TemplateBody": "{}"}, {"Mode": "Enforce", "Secret": "****"}
        )


def test_a_template_that_fits_a_request_is_given_itself() -> None:
    world = World(accounts=1)
    largest = "ä" * (MAX_TEMPLATE_BYTES // 2)
    assert world.around.template_to_give(largest) == {"TemplateBody": largest}
    assert world.aws.buckets[BUCKET] == {}


def test_a_template_that_is_too_large_is_lent_under_the_name_of_its_content() -> None:
    key = f"templates/{digest('x' * 51_201)}.json"
    request = {"Bucket": "reports", "Key": key, "Body": b"x" * 51_201, "ServerSideEncryption": "AES256"}
    settings = Settings(bucket="reports", templates_url="https://s3.eu-west-1.amazonaws.com/reports/templates/")
    with stubbed("s3", ("put_object", request, {})) as client:
        around = replace(World(accounts=1).around, settings=settings, store=BucketStore(client, "reports"))
        given = around.template_to_give("x" * 51_201)
    assert given == {"TemplateURL": f"https://s3.eu-west-1.amazonaws.com/reports/{key}"}


def test_a_template_that_is_too_large_is_told_with_what_to_run_where_nothing_can_be_lent() -> None:
    with pytest.raises(Refused, match=r"TemplateTooLarge: it has 51,201 bytes.* Run UpdateStackInstances"):
        World(accounts=1).around.template_to_give("x" * 51_201)


def test_a_change_set_is_listed_read_executed_and_deleted() -> None:
    change = {"Type": "Resource", "ResourceChange": {"Action": "Modify", "LogicalResourceId": "A"}}
    reading = {**OF_STACK, "ChangeSetName": "drift-1", "IncludePropertyValues": True}
    head = {"ChangeSetName": "drift-1", "ChangeSetId": CHANGE_SET, "ExecutionStatus": "AVAILABLE"}
    listed = {"Summaries": [{"ChangeSetName": "a", "Status": "FAILED"}], "NextToken": "n"}
    deleted = {"Summaries": [{"ChangeSetName": "b", "Status": "DELETE_COMPLETE"}]}
    token = f"drift-{digest(CHANGE_SET)[:16]}"
    with stubbed(
        "cloudformation",
        ("list_change_sets", OF_STACK, listed),
        ("list_change_sets", {**OF_STACK, "NextToken": "n"}, deleted),
        ("describe_change_set", reading, {**head, "Changes": [change], "NextToken": "n"}),
        ("describe_change_set", {**reading, "NextToken": "n"}, {**head, "Changes": [change]}),
        ("execute_change_set", {**OF_STACK, "ChangeSetName": "drift-1", "ClientRequestToken": token}, {}),
        ("delete_change_set", {**OF_STACK, "ChangeSetName": "drift-1"}, {}),
    ) as client:
        stack = MemberStacks(client, STACK)
        assert stack.change_sets() == {"a": "FAILED"}
        found = stack.change_set("drift-1")
        assert found is not None
        assert (found.change_set_id, len(found.changes)) == (CHANGE_SET, 2)
        stack.execute("drift-1", found.change_set_id)
        stack.delete(["drift-1"])


@pytest.mark.parametrize(("code", "is_refused"), [("ChangeSetNotFound", False), ("AccessDenied", True)])
def test_a_change_set_that_is_not_there_is_no_refusal(code: str, is_refused: bool) -> None:
    request = {**OF_STACK, "ChangeSetName": "drift-1", "IncludePropertyValues": True}
    with stubbed("cloudformation", ("describe_change_set", request, f"{code}: no")) as client:
        stack = MemberStacks(client, STACK)
        if is_refused:
            with pytest.raises(Refused, match=code):
                stack.change_set("drift-1")
        else:
            assert stack.change_set("drift-1") is None


def test_a_member_stack_is_read_with_template_parameters_and_resources() -> None:
    described = {
        "StackId": STACK,
        "StackName": "s",
        "CreationTime": AT,
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": "Mode", "ParameterValue": "Enforce"}],
    }
    resource = {"LogicalResourceId": "A", "PhysicalResourceId": CONFIG, "ResourceType": "T", "LastUpdatedTimestamp": AT}
    gone = {**resource, "LogicalResourceId": "B", "ResourceStatus": "DELETE_COMPLETE"}
    resources = [{**resource, "ResourceStatus": "CREATE_COMPLETE"}, gone]
    with stubbed(
        "cloudformation",
        ("describe_stacks", OF_STACK, {"Stacks": [described]}),
        ("get_template", {**OF_STACK, "TemplateStage": "Original"}, {"TemplateBody": '{"Resources": {}}'}),
        ("list_stack_resources", OF_STACK, {"StackResourceSummaries": resources}),
    ) as client:
        found = MemberStacks(client, STACK).read()
    expected = MemberStack(STACK, "UPDATE_COMPLETE", "", {"Resources": {}}, {"Mode": "Enforce"}, {"A": CONFIG})
    assert found == expected


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (f"ValidationError: Stack with id {STACK} does not exist", "gone"),
        ("ValidationError: something else", "refused"),
        ("AccessDenied: no", "refused"),
        ({"Stacks": [{"StackName": "s", "CreationTime": AT, "StackStatus": "DELETE_COMPLETE"}]}, "gone"),
    ],
)
def test_a_stack_that_is_gone_is_no_refusal(answer, outcome) -> None:
    with stubbed("cloudformation", ("describe_stacks", OF_STACK, answer)) as client:
        stack = MemberStacks(client, STACK)
        if outcome == "gone":
            assert stack.read() is None
        else:
            with pytest.raises(Refused, match=r"^cannot read the stack "):
                stack.read()


def test_drift_of_a_member_stack_is_detected_and_read() -> None:
    difference = {
        "PropertyPath": "/Description",
        "ExpectedValue": "a",
        "ActualValue": "b",
        "DifferenceType": "NOT_EQUAL",
    }
    of_resource = {"StackId": STACK, "ResourceType": "T", "Timestamp": AT, "PhysicalResourceId": "p"}
    drifts = [
        {**of_resource, "LogicalResourceId": "B", "StackResourceDriftStatus": "DELETED"},
        {**of_resource, "LogicalResourceId": "A", "StackResourceDriftStatus": "IN_SYNC"},
        {
            **of_resource,
            "LogicalResourceId": "A2",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [difference],
        },
    ]
    status = {"StackId": STACK, "StackDriftDetectionId": "d", "Timestamp": AT, "DetectionStatus": "DETECTION_FAILED"}
    with stubbed(
        "cloudformation",
        ("detect_stack_drift", OF_STACK, {"StackDriftDetectionId": "d"}),
        (
            "describe_stack_drift_detection_status",
            {"StackDriftDetectionId": "d"},
            {**status, "DetectionStatusReason": "denied"},
        ),
        ("describe_stack_resource_drifts", {**OF_STACK, "MaxResults": 100}, {"StackResourceDrifts": drifts}),
    ) as client:
        stack = MemberStacks(client, STACK)
        detection = stack.detection(stack.start_detection())
        assert (detection.status, detection.reason) == ("DETECTION_FAILED", "denied")
        assert stack.drifts() == (
            ResourceDrift("A2", "p", "T", "MODIFIED", (Difference("/Description", "a", "b", "NOT_EQUAL"),)),
            ResourceDrift("B", "p", "T", "DELETED"),
        )


def test_a_stack_set_is_asked_as_the_delegated_administrator() -> None:
    preferences = {
        "RegionConcurrencyType": "PARALLEL",
        "MaxConcurrentPercentage": 100,
        "FailureTolerancePercentage": 100,
    }
    at_instance = {**WHO, "StackInstanceAccount": ACCOUNT, "StackInstanceRegion": REGION}
    summary = {
        "Account": ACCOUNT,
        "Region": REGION,
        "StackId": STACK,
        "Status": "CURRENT",
        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
        "DriftStatus": "DRIFTED",
    }
    inoperable = {**summary, "Region": "us-east-1", "Status": "INOPERABLE", "DriftStatus": "UNKNOWN"}
    overrides = [{"ParameterKey": "Mode", "ParameterValue": "Warn"}]
    with stubbed(
        "cloudformation",
        ("detect_stack_set_drift", {**WHO, "OperationId": "o", "OperationPreferences": preferences}, {}),
        (
            "list_stack_set_operations",
            {**WHO, "MaxResults": 100},
            {"Summaries": [{"OperationId": "o", "Action": "DETECT_DRIFT", "Status": "QUEUED"}]},
        ),
        ("list_stack_instances", {**WHO, "MaxResults": 100}, {"Summaries": [summary, inoperable, summary]}),
        (
            "list_stack_instance_resource_drifts",
            {**at_instance, "OperationId": "o", "MaxResults": 100},
            {"Summaries": []},
        ),
        ("describe_stack_instance", at_instance, {"StackInstance": {"ParameterOverrides": overrides}}),
    ) as client:
        stack_set = StackSets(client, STACK_SET, "DELEGATED_ADMIN")
        stack_set.detect_drift("o")
        (operation,) = stack_set.operations()
        assert (operation, operation.is_running) == (DetectionOperation("o", "DETECT_DRIFT", "QUEUED"), True)
        one, two = stack_set.instances()
        assert (one, two.status) == (INSTANCE, "INOPERABLE")
        assert stack_set.drifts(INSTANCE, "o") == ()
        assert stack_set.overrides(INSTANCE) == {"Mode": "Warn"}


@pytest.mark.parametrize(
    ("status", "detailed", "shown"),
    [
        ("CURRENT", "SUCCEEDED", "SUCCEEDED"),
        ("CURRENT", "FAILED", "SUCCEEDED"),  # of a drift detection
        ("CURRENT", "RUNNING", "RUNNING"),
        ("CURRENT", "SKIPPED_SUSPENDED_ACCOUNT", "SKIPPED_SUSPENDED_ACCOUNT"),
        ("OUTDATED", "FAILED", "FAILED"),
        ("OUTDATED", "SUCCEEDED", "OUTDATED"),
        ("OUTDATED", "PENDING", "PENDING"),
        ("INOPERABLE", "SUCCEEDED", "INOPERABLE"),
    ],
)
def test_an_instance_is_up_to_date_or_told_how_it_stands(status: str, detailed: str, shown: str) -> None:
    found = {
        "Account": ACCOUNT,
        "Region": REGION,
        "Status": status,
        "StackInstanceStatus": {"DetailedStatus": detailed},
    }
    at_instance = {**WHO, "StackInstanceAccount": ACCOUNT, "StackInstanceRegion": REGION}
    with stubbed("cloudformation", ("describe_stack_instance", at_instance, {"StackInstance": found})) as client:
        assert StackSets(client, STACK_SET, "DELEGATED_ADMIN").status(INSTANCE) == shown


@pytest.mark.parametrize("answer", ["StackSetNotFoundException: no", {"StackSet": {"Status": "DELETED"}}])
def test_a_stack_set_that_is_gone_has_no_baseline(answer) -> None:
    with stubbed("cloudformation", ("describe_stack_set", WHO, answer), ("describe_stack_set", WHO, answer)) as client:
        assert StackSets(client, STACK_SET, "DELEGATED_ADMIN").baseline() is None
        with pytest.raises(Refused, match="it does not exist"):
            StackSets(client, STACK_SET, "DELEGATED_ADMIN").template()


def test_an_operation_is_asked_for_by_its_id() -> None:
    request = {**WHO, "OperationId": "o"}
    with stubbed(
        "cloudformation",
        ("describe_stack_set_operation", request, {"StackSetOperation": {"Action": "UPDATE", "Status": "FAILED"}}),
        ("describe_stack_set_operation", request, "OperationNotFoundException: no"),
        ("describe_stack_set_operation", request, "AccessDenied: no"),
    ) as client:
        stack_set = StackSets(client, STACK_SET, "DELEGATED_ADMIN")
        found = stack_set.operation("o")
        assert found is not None
        assert (found, found.is_running) == (DetectionOperation("o", "UPDATE", "FAILED"), False)
        assert stack_set.operation("o") is None
        with pytest.raises(Refused, match="AccessDenied"):
            stack_set.operation("o")


@pytest.mark.parametrize(
    "answer", [{"CodeSigningConfigArn": "", "FunctionName": "a"}, "CodeSigningConfigNotFoundException: none"]
)
def test_a_function_without_a_config_is_told_either_way(answer) -> None:
    with stubbed("lambda", ("get_function_code_signing_config", {"FunctionName": "a"}, answer)) as client:
        assert Functions(client).config_of("a") == ""


def test_functions_are_read_from_the_configs_downwards() -> None:
    config = {
        "CodeSigningConfigId": "csc-00000000000000001",
        "CodeSigningConfigArn": CONFIG,
        "AllowedPublishers": {"SigningProfileVersionArns": [PUBLISHER]},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
        "LastModified": "2026-11-01T00:00:00.000+0000",
    }
    under = {"CodeSigningConfigArn": CONFIG, "MaxItems": 50}
    with stubbed(
        "lambda",
        ("list_functions", {"MaxItems": 50}, {"Functions": [{"FunctionName": "b"}], "NextMarker": "m"}),
        (
            "list_functions",
            {"MaxItems": 50, "Marker": "m"},
            {"Functions": [{"FunctionName": "a", "PackageType": "Image"}, {"FunctionName": "b", "PackageType": "Zip"}]},
        ),
        ("list_code_signing_configs", {"MaxItems": 50}, {"CodeSigningConfigs": [config]}),
        ("list_functions_by_code_signing_config", under, {"FunctionArns": [FUNCTION, f"{FUNCTION}:live"]}),
        ("get_function_code_signing_config", {"FunctionName": "a"}, {"CodeSigningConfigArn": "", "FunctionName": "a"}),
        (
            "put_function_code_signing_config",
            {"FunctionName": "a", "CodeSigningConfigArn": CONFIG},
            {"FunctionName": "a", "CodeSigningConfigArn": CONFIG},
        ),
    ) as client:
        functions = Functions(client)
        assert functions.listed() == (ObservedFunction("a", "Image"), ObservedFunction("b", "Zip"))
        assert functions.configs() == (ObservedConfig(CONFIG, "Enforce", (PUBLISHER,), "", ("payments-api",)),)
        assert functions.config_of("a") == ""
        functions.attach("a", CONFIG)


def test_only_signing_profiles_that_can_sign_for_lambda_are_listed() -> None:
    request = {"includeCanceled": False, "platformId": "AWSLambda-SHA384-ECDSA", "maxResults": 25}
    profiles = [
        {"profileName": "somebody", "profileVersionArn": PUBLISHER, "status": "Active"},
        {"profileName": "old", "profileVersionArn": PUBLISHER, "status": "Revoked"},
    ]
    with stubbed("signer", ("list_signing_profiles", request, {"profiles": profiles})) as client:
        assert signing_profiles(client) == (ObservedProfile("somebody", PUBLISHER),)


def test_a_page_that_comes_again_ends_the_listing_with_an_error() -> None:
    page = {"Functions": [], "NextMarker": "m"}
    with (
        stubbed(
            "lambda",
            ("list_functions", {"MaxItems": 50}, page),
            ("list_functions", {"MaxItems": 50, "Marker": "m"}, page),
        ) as client,
        pytest.raises(Refused, match="RepeatedPage: a page of the listing came again"),
    ):
        Functions(client).listed()


def test_who_changed_something_is_asked_of_cloudtrail_and_we_are_no_answer() -> None:
    request = {
        "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": CONFIG}],
        "StartTime": AT - timedelta(days=90),
        "EndTime": AT,
        "MaxResults": 50,
    }
    ours = '{"userIdentity": {"arn": "arn:aws:sts::444444444403:assumed-role/acme-drift-remediator/drift"}}'
    events = [
        {"EventName": "UpdateCodeSigningConfig", "Username": "drift", "CloudTrailEvent": ours, "EventTime": AT},
        {"EventName": "GetCodeSigningConfig", "Username": "eve", "ReadOnly": "true", "EventTime": AT},
        {"EventName": "UpdateCodeSigningConfig", "Username": "mallory", "ReadOnly": "false", "EventTime": AT},
    ]
    finding = Finding("declared", "modified", "Config", "changed", "revert", CONFIG)
    unasked = Finding("unknown", "unreadable", "functions", "denied", "none")
    with stubbed(
        "cloudtrail", ("lookup_events", request, {"Events": events}), ("lookup_events", request, {"Events": []})
    ) as client:
        found, same = with_authors([finding, unasked], lambda _: client, at=AT, ours="acme-drift-remediator")
        (nobody,) = with_authors([finding], lambda _: client, at=AT, ours="acme-drift-remediator")
    assert found.author == Author("mallory", "2026-11-23T00:00:00Z", "UpdateCodeSigningConfig")
    assert same == unasked
    assert nobody.author == Author(problem="CloudTrail's event history names nobody")


def test_a_trail_that_is_closed_is_told_and_many_findings_are_not_all_asked() -> None:
    findings = [Finding("declared", "modified", f"r{number}", "changed", "revert", CONFIG) for number in range(8)]
    request = dict.fromkeys(("LookupAttributes", "StartTime", "EndTime", "MaxResults"), ANY)
    denied = [("lookup_events", request, "AccessDeniedException: no")] * 6
    with stubbed("cloudtrail", *denied) as client:
        told = with_authors(findings, lambda _: client, at=AT, ours="x")
    problems = [one.author.problem for one in told if one.author is not None]
    assert problems[0] == f"cannot ask CloudTrail about {CONFIG}: AccessDeniedException: no"
    assert problems[6:] == ["not asked: too many findings"] * 2


def test_documents_in_a_bucket_are_written_under_conditions() -> None:
    def put(**condition: str) -> dict[str, Any]:
        return {"Bucket": "b", "Key": "k", "Body": b'{"a": 1}', "ContentType": "application/json", **condition}

    with stubbed(
        "s3",
        ("get_object", {"Bucket": "b", "Key": "k"}, "NoSuchKey: no"),
        ("put_object", put(IfNoneMatch="*"), {"ETag": '"1"'}),
        ("put_object", put(IfNoneMatch="*"), "PreconditionFailed: there is one"),
        ("put_object", put(IfMatch='"1"'), "ConditionalRequestConflict: busy"),
        ("put_object", put(IfMatch='"1"'), "AccessDenied: no"),
        ("get_object", {"Bucket": "b", "Key": "k"}, {"Body": io.BytesIO(b'{"a": 1}'), "ETag": '"1"'}),
    ) as client:
        store = BucketStore(client, "b")
        assert store.read("k") is None
        store.write_if("k", {"a": 1}, None)
        with pytest.raises(Conflict):
            store.write_if("k", {"a": 1}, None)
        with pytest.raises(Conflict):
            store.write_if("k", {"a": 1}, '"1"')
        with pytest.raises(Refused, match="AccessDenied"):
            store.write_if("k", {"a": 1}, '"1"')
        assert store.read("k") == ({"a": 1}, '"1"')


def test_documents_in_memory_obey_the_same_conditions() -> None:
    store = MemoryStore()
    store.write_if("k", {"a": 1}, None)
    document, version = store.read("k") or ({}, "")
    with pytest.raises(Conflict):
        store.write_if("k", {}, None)
    store.write_if("k", {"a": 2}, version)
    with pytest.raises(Conflict):
        store.write_if("k", {}, version)
    assert (document, list(store.keys("")), (store.read("k") or [{}])[0]) == ({"a": 1}, ["k"], {"a": 2})
    store.delete("k")
    assert store.read("k") is None


class Moments:
    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        return self.at


class CountingSession:
    """A session whose STS answers, and which counts the clients that it makes."""

    def __init__(self, clock: Moments) -> None:
        self.clock = clock
        self.made: list[tuple[str, str, str | None]] = []
        self.assumed: list[dict[str, Any]] = []

    def client(self, service: str, *, region_name: str, config: Any, aws_access_key_id: str | None = None, **_: Any):
        assert config is RETRIES
        self.made.append((service, region_name, aws_access_key_id))
        return self

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.assumed.append(request)
        keys = {"AccessKeyId": f"key{len(self.assumed)}", "SecretAccessKey": "s", "SessionToken": "t"}
        return {"Credentials": {**keys, "Expiration": self.clock.at + timedelta(hours=1)}}


def test_the_members_role_is_assumed_once_an_hour_with_the_external_id() -> None:
    clock = Moments()
    session = CountingSession(clock)
    access = Access(
        session,
        central_region=REGION,
        member_role=lambda account: f"arn:aws:iam::{account}:role/acme-drift-remediator",
        external_id="o-a1b2c3d4e5/drift",
        session_name="code-signing-drift",
        now=clock.now,
    )
    access.member(ACCOUNT, "lambda", "us-east-1")
    access.member(ACCOUNT, "lambda", "us-east-1")
    access.member(ACCOUNT, "signer", "us-east-1")
    expected = {
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/acme-drift-remediator",
        "RoleSessionName": "code-signing-drift",
        "DurationSeconds": 3600,
        "ExternalId": "o-a1b2c3d4e5/drift",
    }
    assert session.assumed == [expected]
    assert session.made == [("sts", REGION, None), ("lambda", "us-east-1", "key1"), ("signer", "us-east-1", "key1")]
    clock.at += timedelta(minutes=56)  # credentials that end within five minutes are not used any more
    access.member(ACCOUNT, "lambda", "us-east-1")
    assert session.made[3:] == [("lambda", "us-east-1", "key2")]
    access.forget(ACCOUNT)
    access.member(ACCOUNT, "lambda", "us-east-1")
    assert len(session.assumed) == 3


def test_throttling_is_sat_out_by_boto3() -> None:
    assert RETRIES.retries == {"mode": "standard", "total_max_attempts": 8}
