"""The central roles of drift remediation: each may do what its functions do, and none can be turned against anybody."""

import pytest

from constructs_pkg.guardrails import DriftRights
from tests.guardrails.asking import ask
from tests.guardrails.iam_evaluator import Request, action_details, evaluate

SECURITY, MANAGEMENT, MEMBER = "222222222222", "111111111111", "444444444404"
RIGHTS = DriftRights(
    partition="aws",
    region="eu-west-1",
    account=SECURITY,
    stack_set_account=MANAGEMENT,
    organization="acme",
    organization_id="o-a1b2c3d4e5",
    stack_sets=("acme-code-signing-first", "acme-code-signing-second"),
    functions=("acme-drift-start", "acme-drift-repair"),
    bucket="acme-drift-remediation-222222222222-eu-west-1",
    key_arn=f"arn:aws:kms:eu-west-1:{SECURITY}:key/0c0d",
    topic_arn=f"arn:aws:sns:eu-west-1:{SECURITY}:acme-drift-remediation",
    dead_letters_arn=f"arn:aws:sqs:eu-west-1:{SECURITY}:acme-drift-remediation-dead-letters",
)
DOCUMENTS = {
    "beginning": RIGHTS.beginning().to_dict(),
    "repairing": RIGHTS.repairing().to_dict(),
    "bookkeeping": RIGHTS.bookkeeping().to_dict(),
    "state machine": RIGHTS.state_machine().to_dict(),
    "starting": RIGHTS.starting().to_dict(),
}
REMEDIATOR = f"arn:aws:iam::{MEMBER}:role/acme-drift-remediator"
STACK_SET = f"arn:aws:cloudformation:eu-west-1:{MANAGEMENT}:stackset/acme-code-signing-first:0c0d"
OTHER_SET = f"arn:aws:cloudformation:eu-west-1:{MANAGEMENT}:stackset/payments:0c0d"
MACHINE = f"arn:aws:states:eu-west-1:{SECURITY}:stateMachine:acme-drift-remediation"
EXECUTION = f"arn:aws:states:eu-west-1:{SECURITY}:execution:acme-drift-remediation:1a2b"
CHILD = f"arn:aws:states:eu-west-1:{SECURITY}:execution:acme-drift-remediation/Repair:1a2b"
BUCKET = f"arn:aws:s3:::{RIGHTS.bucket}"
STREAM = f"arn:aws:logs:eu-west-1:{SECURITY}:log-group:/aws/lambda/acme-drift-repair:log-stream:2026/11/23"


def assume(role: str, organization: str = "o-a1b2c3d4e5", external_id: str = "o-a1b2c3d4e5/drift") -> Request:
    keys = {"aws__ResourceOrgID": organization, "sts__ExternalId": external_id}
    return ask("sts:AssumeRole", role, extra_keys=("aws:ResourceOrgID",), **keys)


def stack_set(operation: str, arn: str = STACK_SET) -> Request:
    return ask(f"cloudformation:{operation}", arn)


def item(action: str, key: str) -> Request:
    return ask(f"s3:{action}", f"{BUCKET}/{key}")


def invoke(name: str) -> Request:
    return ask("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{SECURITY}:function:{name}")


# Executions are of one of two types in the authorization data, which lists both as required.
SEE = ask("states:DescribeExecution", EXECUTION, beyond_data=True)
DECRYPT = ask("kms:Decrypt", RIGHTS.key_arn)
DATA_KEY = ask("kms:GenerateDataKey", RIGHTS.key_arn)
LOG = ask("logs:PutLogEvents", STREAM)
TELL = ask("sns:Publish", RIGHTS.topic_arn)
MAY = [
    ("beginning", "ask what an operation was", stack_set("DescribeStackSetOperation")),
    ("beginning", "see whose account it is", stack_set("ListStackInstances")),
    ("beginning", "take a lease", item("PutObject", "leases/acme-code-signing-first.json")),
    ("beginning", "read what was approved", item("GetObject", "proposals/acme-code-signing-first/1/eu-west-1.json")),
    ("beginning", "see what is missing", ask("s3:ListBucket", BUCKET)),
    ("beginning", "see whether the holder still runs", SEE),
    ("beginning", "start a run for another StackSet of the wave", ask("states:StartExecution", MACHINE)),
    ("beginning", "read what is encrypted", DECRYPT),
    ("beginning", "write its log", LOG),
    ("repairing", "become the remediator of a member", assume(REMEDIATOR)),
    ("repairing", "read which resources drifted", stack_set("ListStackInstanceResourceDrifts")),
    ("repairing", "write its row", item("PutObject", "runs/r1/repairs/444444444404-eu-west-1.json")),
    (
        "repairing",
        "keep a proposal",
        item("PutObject", "proposals/acme-code-signing-first/444444444404/eu-west-1.json"),
    ),
    ("repairing", "read the StackSet's template", stack_set("DescribeStackSet")),
    ("repairing", "lend a template that is too large for a request", item("PutObject", "templates/0123.json")),
    ("repairing", "read an instance's own parameters", stack_set("DescribeStackInstance")),
    ("repairing", "read what is encrypted", DECRYPT),
    ("repairing", "write what is encrypted", DATA_KEY),
    ("repairing", "see that a row is missing", ask("s3:ListBucket", BUCKET)),
    ("repairing", "write its log", LOG),
    ("bookkeeping", "start the detection", stack_set("DetectStackSetDrift")),
    ("bookkeeping", "ask how far it is", stack_set("DescribeStackSetOperation")),
    ("bookkeeping", "see that the StackSet is there", stack_set("DescribeStackSet")),
    ("bookkeeping", "list the instances", stack_set("ListStackInstances")),
    ("bookkeeping", "give a lease back", item("PutObject", "leases/acme-code-signing-first.json")),
    ("bookkeeping", "see what is missing", ask("s3:ListBucket", BUCKET)),
    ("bookkeeping", "tell", TELL),
    ("bookkeeping", "read what is encrypted", DECRYPT),
    ("bookkeeping", "write what is encrypted", DATA_KEY),
    ("bookkeeping", "write its log", LOG),
    ("state machine", "call a function", invoke("acme-drift-repair")),
    ("state machine", "read what to map over", item("GetObject", "runs/r1/batches.json")),
    ("state machine", "read it decrypted", DECRYPT),
    ("state machine", "start children", ask("states:StartExecution", MACHINE)),
    ("state machine", "stop children", ask("states:StopExecution", CHILD)),
    ("state machine", "log", ask("logs:CreateLogDelivery")),
    ("state machine", "trace", ask("xray:PutTraceSegments")),
    ("starting", "start a run", ask("states:StartExecution", MACHINE)),
    ("starting", "leave a dead letter", ask("sqs:SendMessage", RIGHTS.dead_letters_arn)),
    ("starting", "leave it encrypted", DATA_KEY),
]
MAY_NOT = [
    ("beginning", "become the remediator of a member", assume(REMEDIATOR)),
    ("beginning", "start another state machine", ask("states:StartExecution", MACHINE.replace("acme", "other"))),
    ("beginning", "change what was proposed", item("PutObject", "proposals/acme-code-signing-first/1/eu-west-1.json")),
    ("beginning", "detect drift", stack_set("DetectStackSetDrift")),
    ("beginning", "write a report", item("PutObject", "latest/acme-code-signing-first.json")),
    ("bookkeeping", "read proposals", item("GetObject", "proposals/acme-code-signing-first/1/eu-west-1.json")),
    ("repairing", "become another role of a member", assume(REMEDIATOR.replace("drift-remediator", "admin"))),
    ("repairing", "become a remediator outside of the organization", assume(REMEDIATOR, organization="o-evil")),
    ("repairing", "come without the external id", assume(REMEDIATOR, external_id="o-a1b2c3d4e5")),
    ("repairing", "take or break a lease", item("PutObject", "leases/acme-code-signing-first.json")),
    ("repairing", "overwrite a report", item("PutObject", "latest/acme-code-signing-first.json")),
    ("repairing", "delete a row", item("DeleteObject", "runs/r1/repairs/444444444404-eu-west-1.json")),
    ("repairing", "delete a proposal", item("DeleteObject", "proposals/acme-code-signing-first/1/eu-west-1.json")),
    ("repairing", "start a run", ask("states:StartExecution", MACHINE)),
    ("repairing", "change a StackSet", stack_set("UpdateStackSet")),
    ("bookkeeping", "become the remediator of a member", assume(REMEDIATOR)),
    ("bookkeeping", "look at a foreign StackSet", stack_set("ListStackInstances", OTHER_SET)),
    (
        "bookkeeping",
        "change what was approved",
        item("PutObject", "proposals/acme-code-signing-first/1/eu-west-1.json"),
    ),
    ("bookkeeping", "delete a report", item("DeleteObject", "runs/r1/report.json")),
    ("bookkeeping", "delete instances", stack_set("DeleteStackInstances")),
    ("bookkeeping", "start a run", ask("states:StartExecution", MACHINE)),
    ("bookkeeping", "tell another topic", ask("sns:Publish", RIGHTS.topic_arn.replace("acme", "other"))),
    ("state machine", "call another function", invoke("payments-api")),
    ("state machine", "become the remediator of a member", assume(REMEDIATOR)),
    ("state machine", "write into the bucket", item("PutObject", "runs/r1/report.json")),
    ("starting", "start another state machine", ask("states:StartExecution", MACHINE.replace("acme", "other"))),
    ("starting", "call a function", invoke("acme-drift-repair")),
]


@pytest.mark.parametrize(("role", "why", "request_"), MAY, ids=[f"{role}: {why}" for role, why, _ in MAY])
def test_role_may_do_what_its_functions_do(role: str, why: str, request_: Request) -> None:
    assert evaluate(request_, identity=[DOCUMENTS[role]]).allowed, why


@pytest.mark.parametrize(("role", "why", "request_"), MAY_NOT, ids=[f"{role}: {why}" for role, why, _ in MAY_NOT])
def test_role_may_not(role: str, why: str, request_: Request) -> None:
    assert not evaluate(request_, identity=[DOCUMENTS[role]]).allowed, why


@pytest.mark.parametrize("role", DOCUMENTS)
def test_every_right_is_needed_by_a_row_of_the_table(role: str) -> None:
    """Taking any one statement away is noticed."""
    statements = DOCUMENTS[role]["Statement"]
    needed = [request for of, _, request in MAY if of == role]
    for left_out in statements:
        document = {"Version": "2012-10-17", "Statement": [one for one in statements if one is not left_out]}
        denied = [request for request in needed if not evaluate(request, identity=[document]).allowed]
        assert denied, f"nobody misses {left_out['Sid']}"


def test_everything_stands_on_resources_where_the_service_has_any() -> None:
    on_everything = {
        action
        for document in DOCUMENTS.values()
        for statement in document["Statement"]
        if statement["Resource"] == "*"
        for action in statement["Action"]
    }
    # CloudWatch Logs knows log groups for DescribeLogGroups, but AWS Step Functions asks for all of them.
    assert {action for action in on_everything if action_details(action)["resourceTypes"]} <= {"logs:DescribeLogGroups"}
