"""Step Functions' ``aws-sdk:`` tasks and Pipes from queues on the local AWS, which MiniStack alone does not run."""

import base64
import hashlib
import json
import time
from uuid import uuid4

import pytest

from tests.local_aws.code_builders import archive

ROLE = "arn:aws:iam::{}:role/machine"


@pytest.fixture
def run(desk):
    """Run one task in a state machine; return the execution as DescribeExecution has it."""
    states = desk.aws.client("stepfunctions", account=desk.account)

    def running(action, arguments, *, fails=False):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::aws-sdk:{action}", "Arguments": arguments, "End": True}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": task}}
        machine = states.create_state_machine(
            name=f"m-{uuid4().hex[:12]}", definition=json.dumps(definition), roleArn=ROLE.format(desk.account)
        )["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=machine)["executionArn"]
        ended = until(lambda: ended_execution(states, execution))
        assert ended["status"] == ("FAILED" if fails else "SUCCEEDED")
        if not fails:
            return json.loads(ended["output"])
        last = states.get_execution_history(executionArn=execution)["events"][-1]["executionFailedEventDetails"]
        return last["error"], last["cause"]

    return running


def ended_execution(states, arn):
    found = states.describe_execution(executionArn=arn)
    return None if found["status"] == "RUNNING" else found


def until(look, seconds=20):
    """Look again until there is something, or the time is over."""
    end = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < end, "nothing to be seen in time"
        time.sleep(0.05)
    return found


def sha256(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_a_copy_has_the_checksum_of_its_bytes_and_is_made_once(desk, run):
    desk.upload(b"first", "code.zip")
    copy = {
        "Bucket": desk.bucket,
        "Key": "copy.zip",
        "CopySource": f"{desk.bucket}/code.zip",
        "ChecksumAlgorithm": "SHA256",
        "IfNoneMatch": "*",
    }
    made = run("s3:copyObject", copy)
    assert made["CopyObjectResult"]["ChecksumSHA256"] == sha256(b"first")
    desk.upload(b"second", "code.zip")
    error, cause = run("s3:copyObject", copy, fails=True)
    assert (error, "Status Code: 412" in cause) == ("S3.S3Exception", True)
    assert desk.read("copy.zip") == b"first"
    head = run(
        "s3:headObject",
        {"Bucket": desk.bucket, "Key": "copy.zip", "VersionId": made["VersionId"], "ChecksumMode": "ENABLED"},
    )
    assert head["ChecksumSHA256"] == sha256(b"first")


def test_a_body_that_is_an_object_is_written_as_json(desk, run):
    run("s3:putObject", {"Bucket": desk.bucket, "Key": "statement.json", "Body": {"subject": ["x"]}})
    assert json.loads(desk.read("statement.json")) == {"subject": ["x"]}


def test_a_missing_object_and_a_missing_job_fail_with_the_names_of_the_java_sdk(desk, run):
    error, _ = run("s3:headObject", {"Bucket": desk.bucket, "Key": "nothing"}, fails=True)
    assert error == "S3.NoSuchKeyException"
    error, _ = run("signer:describeSigningJob", {"JobId": str(uuid4())}, fails=True)
    assert error == "Signer.ResourceNotFoundException"


def test_a_field_that_the_action_does_not_have_is_refused(desk, run):
    error, cause = run("s3:headObject", {"Bucket": desk.bucket, "Key": "x", "Version": "1"}, fails=True)
    assert (error, cause) == ("States.Runtime", "The field(s) Version are not supported by Step Functions")


def test_a_signing_job_is_started_and_described_with_capital_names(desk, run):
    name, version_arn = desk.profile()
    version = desk.upload(archive())
    started = run(
        "signer:startSigningJob",
        {
            "Source": {"S3": {"BucketName": desk.bucket, "Key": "function.zip", "Version": version}},
            "Destination": {"S3": {"BucketName": desk.bucket, "Prefix": "signed/"}},
            "ProfileName": name,
            "ClientRequestToken": "token",
        },
    )
    job = run("signer:describeSigningJob", {"JobId": started["JobId"]})
    assert job["Status"] == "Succeeded"
    assert job["SignedObject"]["S3"] == {"BucketName": desk.bucket, "Key": f"signed/{started['JobId']}.zip"}
    assert version_arn.endswith(f"/{job['ProfileName']}/{job['ProfileVersion']}")
    assert job["SignatureExpiresAt"].endswith("Z")


def pipe_template(account):
    """A pipe from a FIFO queue to an Express machine that fails where a message says so."""
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Judge",
        "States": {
            "Judge": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input[0].body = 'good' %}", "Next": "Good"}],
                "Default": "Bad",
            },
            "Good": {"Type": "Succeed"},
            "Bad": {"Type": "Fail", "Error": "Bad"},
        },
    }
    fifo = {"FifoQueue": True, "ContentBasedDeduplication": True}
    return {
        "Resources": {
            "Dead": {"Type": "AWS::SQS::Queue", "Properties": fifo},
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    **fifo,
                    "VisibilityTimeout": 0,
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                        "maxReceiveCount": 2,
                    },
                },
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineType": "EXPRESS",
                    "RoleArn": ROLE.format(account),
                    "Definition": definition,
                },
            },
            "Pipe": {
                "Type": "AWS::Pipes::Pipe",
                "Properties": {
                    "RoleArn": ROLE.format(account),
                    "Source": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "SourceParameters": {"SqsQueueParameters": {"BatchSize": 1}},
                    "Target": {"Ref": "Machine"},
                    "TargetParameters": {"StepFunctionStateMachineParameters": {"InvocationType": "REQUEST_RESPONSE"}},
                },
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Dead", "Queue")},
    }


def test_a_pipe_hands_on_each_message_and_a_failing_one_ends_in_the_dead_letters(desk):
    cloudformation = desk.aws.client("cloudformation", account=desk.account)
    queues = desk.aws.client("sqs", account=desk.account)
    cloudformation.create_stack(StackName="pipe", TemplateBody=json.dumps(pipe_template(desk.account)))
    stack = until(lambda: created(cloudformation))
    url = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    for body in ("good", "bad"):
        queues.send_message(QueueUrl=url["Queue"], MessageBody=body, MessageGroupId="one")

    def dead():
        found = queues.receive_message(QueueUrl=url["Dead"], VisibilityTimeout=600).get("Messages")
        return found[0]["Body"] if found else None

    assert until(dead) == "bad"
    left = queues.get_queue_attributes(QueueUrl=url["Queue"], AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"
    cloudformation.delete_stack(StackName="pipe")


def created(cloudformation):
    stack = cloudformation.describe_stacks(StackName="pipe")["Stacks"][0]
    assert stack["StackStatus"] in {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}, stack
    return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None
