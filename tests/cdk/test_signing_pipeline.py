"""SigningPipeline: its workflows against the models of the APIs that they call, and what every resource promises."""

import base64
import json
import random
import re
import string
from datetime import UTC, datetime
from pathlib import Path

import aws_cdk as cdk
import jsonata
import pytest
from aws_cdk.assertions import Template
from botocore.loaders import Loader
from botocore.model import ServiceModel

from constructs_pkg.cdk import PipelineApplication, SigningPipeline
from constructs_pkg.cdk.pipeline_filing import finish_workflow
from constructs_pkg.cdk.pipeline_stack import SigningPipelineStack
from constructs_pkg.cdk.pipeline_workflows import intake_workflow, sign_workflow
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails.signing_pipeline import SigningPipelineNames
from constructs_pkg.organization import load_organization
from tests.cdk.conftest import ENVIRONMENT, new_app

PAYMENTS = PipelineApplication(
    name="payments",
    profile_name="acme_payments_g2",
    profile_version="a1B2c3D4e5",
    writer_roles=("arn:aws:iam::444444444405:role/payments-ci",),
)
NAMES = SigningPipelineNames(prefix="acme", partition="aws", account="111122223333", region="eu-west-1")
WORKFLOWS = {
    "intake": intake_workflow(NAMES),
    "sign": sign_workflow(NAMES, [PAYMENTS]),
    "finish": finish_workflow(NAMES),
}


def pipeline(*, env: cdk.Environment | None = ENVIRONMENT, **more) -> cdk.Stack:
    stack = cdk.Stack(new_app(), "Stack", env=env)
    given = {"name_prefix": "acme", "organization_id": "o-a1b2c3d4e5", "applications": [PAYMENTS], **more}
    SigningPipeline(stack, "Pipeline", **given)
    return stack


@pytest.fixture(scope="module")
def resources() -> dict[str, dict]:
    """The template's resources, with a lock, by logical id."""
    return Template.from_stack(pipeline(lock_signed_days=30, emails=["a@acme.example"])).to_json()["Resources"]


def of_type(resources: dict[str, dict], name: str) -> dict[str, dict]:
    return {key: value for key, value in resources.items() if value["Type"] == name}


# Workflows


def tasks(states: dict) -> dict[str, dict]:
    """Return every task by name, those inside of a Map, too."""
    found = {name: state for name, state in states.items() if state["Type"] == "Task"}
    for state in states.values():
        found |= tasks(state.get("ItemProcessor", {}).get("States", {}))
    return found


def unknown_members(arguments: object, shape, path: str = "") -> list[str]:
    """Return the members that the API's model does not have; JSONata stands for a value that is not looked at."""
    if not isinstance(arguments, dict) or shape.type_name != "structure":
        return []
    by_name = {name[0].upper() + name[1:]: member for name, member in shape.members.items()}
    unknown = [f"{path}/{name}" for name in arguments if name not in by_name]
    for name, value in arguments.items():
        if name in by_name:
            unknown += unknown_members(value, by_name[name], f"{path}/{name}")
    missing = {name[0].upper() + name[1:] for name in shape.required_members} - set(arguments)
    # Step Functions' own: botocore fills a missing token in, Step Functions does not.
    return [*unknown, *(f"{path}/{name} is missing" for name in sorted(missing))]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_task_calls_an_action_that_exists_with_members_that_it_has(name: str) -> None:
    services = {"s3": "s3", "signer": "signer", "sfn": "stepfunctions"}
    wrong, seen = {}, 0
    for state, task in tasks(WORKFLOWS[name]["States"]).items():
        service, action = task["Resource"].removeprefix("arn:aws:states:::aws-sdk:").split(":")
        model = ServiceModel(Loader().load_service_model(services[service], "service-2"))
        operation = model.operation_model(action[0].upper() + action[1:])
        if found := unknown_members(task["Arguments"], operation.input_shape):
            wrong[state] = found
        seen += 1
    assert wrong == {}
    assert seen > 0


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_state_is_reached_and_every_expression_is_jsonata(name: str) -> None:
    text = json.dumps(WORKFLOWS[name])
    named = set(re.findall(r'"(?:Next|Default|StartAt)": "(\w+)"', text))
    assert named == all_states(WORKFLOWS[name])
    for expression in re.findall(r'"\{% (.*?) %\}"', text):
        jsonata.Jsonata(json.loads(f'"{expression}"'))


def all_states(machine: dict) -> set[str]:
    inner = [state["ItemProcessor"] for state in machine["States"].values() if "ItemProcessor" in state]
    return set(machine["States"]).union(*map(all_states, inner))


def test_a_task_that_must_not_be_lost_is_tried_for_long_and_a_refusal_of_the_request_is_not() -> None:
    for state in (WORKFLOWS["sign"]["States"]["Sign"], WORKFLOWS["finish"]["States"]["Describe"]):
        final, patient = state["Retry"]
        assert final["MaxAttempts"] == 0
        assert "Signer.ValidationException" in final["ErrorEquals"]
        assert (patient["ErrorEquals"], patient["MaxAttempts"], patient["JitterStrategy"]) == (
            ["States.TaskFailed"],
            70,
            "FULL",
        )


def evaluated(expression: str, **bindings: object) -> object:
    """Evaluate an expression of a deployed workflow."""
    return jsonata.Jsonata(expression.removeprefix("{% ").removesuffix(" %}")).evaluate(None, bindings)


def hexadecimal(digest: bytes) -> object:
    expression = WORKFLOWS["sign"]["States"]["Name"]["Assign"]["sha256"]
    return evaluated(expression, checksum=base64.b64encode(digest).decode())


def test_the_version_of_an_upload_cannot_add_to_the_source_of_the_copy() -> None:
    expression = WORKFLOWS["sign"]["States"]["Stage"]["Arguments"]["CopySource"]
    given = {"input": {"key": "payments/a.zip", "version": "3/L4k+x&y=?z"}}
    assert evaluated(expression, states=given) == (
        "acme-code-uploads-111122223333-eu-west-1/payments/a.zip?versionId=3%2FL4k%2Bx%26y%3D%3Fz"
    )


@pytest.mark.parametrize(
    ("status", "bucket", "key", "expected"),
    [
        ("Succeeded", NAMES.upload_bucket, "_pipeline/staged/a.zip", True),
        ("Failed", NAMES.upload_bucket, "_pipeline/staged/a.zip", False),
        ("Succeeded", "another", "_pipeline/staged/a.zip", False),
        ("Succeeded", NAMES.upload_bucket, "payments/_pipeline/staged/a.zip", False),
        ("Succeeded", NAMES.upload_bucket, "payments/a.zip", False),
    ],
)
def test_only_what_the_pipeline_staged_itself_is_filed(status: str, bucket: str, key: str, *, expected: bool) -> None:
    condition = WORKFLOWS["finish"]["States"]["IsOurs"]["Choices"][0]["Condition"]
    job = {"Status": status, "Source": {"S3": {"BucketName": bucket, "Key": key}}}
    assert evaluated(condition, job=job) is expected


def test_the_hash_that_s3_gives_in_base64_becomes_the_hexadecimal_one() -> None:
    generator = random.Random(20261125)
    digests = [bytes(32), b"\xff" * 32, bytes(range(32)), *(generator.randbytes(32) for _ in range(20))]
    assert [hexadecimal(digest) for digest in digests] == [digest.hex() for digest in digests]


def is_admissible(key: str) -> bool:
    condition = WORKFLOWS["sign"]["States"]["IsAdmissible"]["Choices"][0]["Condition"]
    profiles = WORKFLOWS["sign"]["States"]["Begin"]["Assign"]["profiles"]
    return bool(evaluated(condition, states={"input": {"key": key}}, profiles=profiles))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("payments/refunds.zip", True),
        ("payments/2026/11/refunds-1.2_3.zip", True),
        ("payments/refunds.ZIP", False),
        ("payments/refunds.zip.exe", False),
        ("payments/.zip", False),
        ("payments/a.zip?versionId=other", False),
        ("payments/a%2Fb.zip", False),
        ("payments/a b.zip", False),
        ("payments/ä.zip", False),
        ("payments/a.zip\n", False),
        ("checkout/refunds.zip", False),
        ("refunds.zip", False),
        ("_pipeline/staged/a.zip", False),
        ("", False),
    ],
)
def test_only_plain_names_below_a_known_application_are_signed(key: str, expected: bool) -> None:
    assert is_admissible(key) is expected


def test_no_printable_sign_but_the_plain_ones_gets_into_the_source_of_a_copy() -> None:
    taken = {sign for sign in string.printable if is_admissible(f"payments/a{sign}b.zip")}
    assert taken == set(string.ascii_letters + string.digits + "._/-")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"commit": "4f0c2a1"}, {"commit": "4f0c2a1"}),
        ({"commit": "release/1.2_3-rc"}, {"commit": "release/1.2_3-rc"}),
        ({"commit": "4f0c2a1\n"}, {}),
        ({"commit": "a b"}, {}),
        ({"commit": "-x"}, {}),
        ({"commit": ""}, {}),
        ({"commit": "a" * 129}, {}),
        ({"other": "4f0c2a1"}, {}),
        ({}, {}),
    ],
)
def test_a_commit_is_taken_over_where_it_looks_like_one(metadata: dict, expected: dict) -> None:
    expression = WORKFLOWS["sign"]["States"]["Look"]["Assign"]["commit"]
    assert evaluated(expression, states={"result": {"Metadata": metadata}}) == expected


# Resources


def test_there_is_no_lambda_function_and_no_custom_resource(resources: dict[str, dict]) -> None:
    types = {value["Type"] for value in resources.values()}
    assert {name for name in types if name.startswith(("AWS::Lambda", "Custom::", "AWS::CloudFormation"))} == set()


def test_buckets_keep_versions_are_encrypted_private_and_logged_and_outlive_their_stack(
    resources: dict[str, dict],
) -> None:
    buckets = of_type(resources, "AWS::S3::Bucket")
    assert len(buckets) == 3
    for bucket in buckets.values():
        properties = bucket["Properties"]
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        encryption = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert encryption == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    logs = {name for name, one in buckets.items() if one["Properties"]["BucketName"].startswith("acme-code-logs-")}
    assert {name for name, one in buckets.items() if "LoggingConfiguration" not in one["Properties"]} == logs
    policies = of_type(resources, "AWS::S3::BucketPolicy").values()
    assert {policy["Properties"]["Bucket"] for policy in policies} == {
        one["Properties"]["BucketName"] for one in buckets.values()
    }
    for policy in policies:
        first = policy["Properties"]["PolicyDocument"]["Statement"][0]
        assert (first["Effect"], first["Action"], first["Principal"]) == ("Deny", "s3:*", "*")
        assert first["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_uploads_expire_and_signed_code_does_not(resources: dict[str, dict]) -> None:
    days = {
        bucket["Properties"]["BucketName"].rsplit("-", 4)[0]: [
            (rule.get("Prefix", ""), rule.get("ExpirationInDays"))
            for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        ]
        for bucket in of_type(resources, "AWS::S3::Bucket").values()
    }
    assert days == {
        "acme-code-logs": [("", 400)],
        "acme-code-uploads": [("", 30), ("_pipeline/", 7)],
        "acme-signed-code": [("", None)],
    }


def test_object_lock_is_on_the_signed_bucket_where_it_is_asked_for(resources: dict[str, dict]) -> None:
    locked = [one["Properties"] for one in resources.values() if one.get("Properties", {}).get("ObjectLockEnabled")]
    assert [one["BucketName"] for one in locked] == ["acme-signed-code-111122223333-eu-west-1"]
    retention = locked[0]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": "GOVERNANCE", "Days": 30}
    assert "ObjectLock" not in json.dumps(Template.from_stack(pipeline()).to_json())


def test_uploads_go_through_one_group_of_a_queue_a_few_at_a_time(resources: dict[str, dict]) -> None:
    (pipe,) = of_type(resources, "AWS::Pipes::Pipe").values()
    assert pipe["Properties"]["SourceParameters"] == {"SqsQueueParameters": {"BatchSize": 2}}
    parameters = pipe["Properties"]["TargetParameters"]["StepFunctionStateMachineParameters"]
    assert parameters == {"InvocationType": "REQUEST_RESPONSE"}
    queue = resources[pipe["Properties"]["Source"]["Fn::GetAtt"][0]]["Properties"]
    assert (queue["FifoQueue"], queue["RedrivePolicy"]["maxReceiveCount"]) == (True, 5)
    machine = resources[pipe["Properties"]["Target"]["Fn::GetAtt"][0]]["Properties"]
    assert machine["StateMachineType"] == "EXPRESS"
    # The pipe waits for intake, and intake for this: never more than BATCH in a second.
    assert machine["Definition"]["States"]["Pace"] == {"Type": "Wait", "Seconds": 1, "End": True}
    rule = rule_named(resources, "acme-signing-uploaded")
    assert rule["Targets"][0]["SqsParameters"] == {"MessageGroupId": "uploads"}
    longest = machine["Definition"]["TimeoutSeconds"]
    assert queue["VisibilityTimeout"] >= 2 * longest


def rule_named(resources: dict[str, dict], name: str) -> dict:
    rules = of_type(resources, "AWS::Events::Rule").values()
    return next(rule["Properties"] for rule in rules if rule["Properties"]["Name"] == name)


def test_nobody_may_upload_before_somebody_listens(resources: dict[str, dict]) -> None:
    policy = next(one for key, one in resources.items() if "UploadsPolicy" in key and "DependsOn" in one)
    assert {resources[name]["Type"] for name in policy["DependsOn"]} == {
        "AWS::S3::Bucket",
        "AWS::Events::Rule",
        "AWS::Pipes::Pipe",
    }


def test_every_rule_has_dead_letters_and_what_the_pipeline_writes_is_no_upload(resources: dict[str, dict]) -> None:
    rules = of_type(resources, "AWS::Events::Rule").values()
    assert len(rules) == 3
    assert all("DeadLetterConfig" in target for rule in rules for target in rule["Properties"]["Targets"])
    key = rule_named(resources, "acme-signing-uploaded")["EventPattern"]["detail"]["object"]["key"]
    assert key == [{"anything-but": {"prefix": "_pipeline/"}}]


def test_every_failure_has_an_alarm_that_is_told_to_an_encrypted_topic(resources: dict[str, dict]) -> None:
    alarms = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
    }
    assert sorted(alarms) == [
        f"acme-signing-{what}"
        for what in (
            "dead-events",
            "dead-uploads",
            "finish-failed",
            "finish-timed-out",
            "late",
            "sign-failed",
            "sign-timed-out",
        )
    ]
    (topic,) = of_type(resources, "AWS::SNS::Topic")
    assert all(alarm["AlarmActions"] == [{"Ref": topic}] for alarm in alarms.values())
    key = resources[resources[topic]["Properties"]["KmsMasterKeyId"]["Fn::GetAtt"][0]]["Properties"]
    assert key["EnableKeyRotation"] is True
    senders = next(one for one in key["KeyPolicy"]["Statement"] if one["Sid"] == "AllowSenders")
    assert senders["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
    failed = rule_named(resources, "acme-signing-not-signed")["EventPattern"]["detail"]["status"]
    assert failed == ["FAILED", "TIMED_OUT", "ABORTED"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"env": None}, "env.account of the stack Stack is not known"),
        ({"env": cdk.Environment(account="111122223333", region="il-central-1")}, "has no AWS Signer"),
        ({"env": cdk.Environment(account="111122223333", region="mars-east-1")}, "is no known Region"),
        ({"applications": []}, "applications is empty"),
        ({"applications": [PAYMENTS, PAYMENTS]}, "applications: payments occur twice"),
        ({"keep_uploads_days": 0}, "keep_uploads_days=0 is out of range"),
        ({"lock_signed_days": 4000}, "lock_signed_days=4000 is out of range"),
        ({"name_prefix": "a" * 40}, "name_prefix: prefix='a+' makes the bucket name"),
        (
            {
                "applications": [
                    PipelineApplication(name=name, profile_name="p", profile_version="a1B2c3D4e5")
                    for name in ("a-b", "a_b")
                ]
            },
            "applications: the Sids DenyOthersThanAB occur twice",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_synth(given: dict, message: str) -> None:
    with pytest.raises(ConstructError, match=message):
        pipeline(**given)


def test_two_pipelines_of_one_name_are_refused() -> None:
    stack = pipeline()
    with pytest.raises(ConstructError, match="Give each pipeline its own name_prefix"):
        SigningPipeline(stack, "Second", name_prefix="acme", organization_id="o-a1b2c3d4e5", applications=[PAYMENTS])


def test_the_stack_needs_its_table_in_the_organization_file() -> None:
    path = Path(__file__).parents[2] / "examples/single-account.toml"
    without = load_organization(path, at=datetime(2026, 11, 23, tzinfo=UTC))
    with pytest.raises(ConstructError, match=r"has no \[signing_pipeline\]"):
        SigningPipelineStack(new_app(), "Pipeline", organization=without)
