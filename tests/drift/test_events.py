"""What starts a run: events as AWS documents them, a human's requests; all else is foreign, and said so.

Events as AWS recorded them are in ``tests/recorded``.
"""

import copy
import re
from typing import Any

import pytest

from constructs_pkg.runtime.drift.events import (
    Approval,
    Foreign,
    Manual,
    Operation,
    Schedule,
    Tampering,
    Target,
    parse_event,
)
from tests.drift.world import EXPECTATIONS

# EventBridge's envelope, and a record of CloudTrail as in Lambda's guide, "Logging Lambda API calls using CloudTrail".
TAMPERING: dict[str, Any] = {
    "version": "0",
    "id": "36eb8523-97d0-4518-b33d-ee3579ff19f0",
    "detail-type": "AWS API Call via CloudTrail",
    "source": "aws.lambda",
    "account": "444444444403",
    "time": "2026-11-23T08:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:alice",
            "arn": "arn:aws:sts::444444444403:assumed-role/Developer/alice",
            "accountId": "444444444403",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": "arn:aws:iam::444444444403:role/Developer",
                    "userName": "Developer",
                },
            },
        },
        "eventTime": "2026-11-23T08:00:00Z",
        "eventSource": "lambda.amazonaws.com",
        "eventName": "DeleteFunctionCodeSigningConfig",
        "awsRegion": "eu-central-1",
        "requestParameters": {"functionName": "payments-api"},
        "responseElements": None,
        "readOnly": False,
        "eventID": "a1b2c3d4-0000-4000-8000-000000000000",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "444444444403",
    },
}
# CloudFormation's guide, "Event detail reference": there is no action in it.
OPERATION: dict[str, Any] = {
    "version": "0",
    "id": "29c4ef1a-0000-4000-8000-000000000000",
    "detail-type": "CloudFormation StackSet Operation Status Change",
    "source": "aws.cloudformation",
    "account": "111111111111",
    "time": "2026-11-23T08:00:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {
        "stack-set-arn": "arn:aws:cloudformation:eu-west-1:111111111111:stackset/acme-code-signing-second:1-2-3",
        "stack-set-operation-id": "abcdef-1",
        "status-details": {"status": "SUCCEEDED"},
    },
}
DIGEST = "0123456789abcdef" * 4
APPROVAL = {
    "kind": "approval",
    "run_id": "20261123T120000Z-second-1a2b3c4d",
    "account": "444444444403",
    "region": "eu-west-1",
    "digest": DIGEST,
}


def changed(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    copied = copy.deepcopy(event)
    *parents, last = path.split("/")
    place = copied
    for key in parents:
        place = place[key]
    place[last] = value
    return copied


BY = "arn:aws:sts::444444444403:assumed-role/Developer/alice"
EVENT_ID = "a1b2c3d4-0000-4000-8000-000000000000"
CALL = "lambda:DeleteFunctionCodeSigningConfig"
SECOND = "acme-code-signing-second"
SIBLING = {
    "kind": "tampering",
    "stack_set": SECOND,
    "account": "444444444403",
    "region": "eu-central-1",
    "call": CALL,
    "by": BY,
    "event_id": EVENT_ID,
}


@pytest.mark.parametrize(
    ("event", "meaning"),
    [
        ({"kind": "schedule", "wave": "second"}, Schedule("second")),
        ({"kind": "manual", "wave": "first"}, Manual("first", None, (), ())),
        (
            {
                "kind": "manual",
                "wave": "first",
                "mode": "remediate",
                "accounts": ["444444444403"],
                "regions": ["eu-west-1"],
            },
            Manual("first", "remediate", ("444444444403",), ("eu-west-1",)),
        ),
        (APPROVAL, Approval(APPROVAL["run_id"], "444444444403", "eu-west-1", DIGEST)),
        (TAMPERING, Tampering(Target("444444444403", "eu-central-1"), CALL, BY, EVENT_ID)),
        (
            # IAM records what it does in one Region, wherever the stack is
            changed(changed(TAMPERING, "detail/eventSource", "iam.amazonaws.com"), "detail/eventName", "DeletePolicy"),
            Tampering(Target("444444444403", None), "iam:DeletePolicy", BY, EVENT_ID),
        ),
        (SIBLING, Tampering(Target("444444444403", "eu-central-1"), CALL, BY, EVENT_ID, "acme-code-signing-second")),
        ({**SIBLING, "region": None}, Tampering(Target("444444444403", None), CALL, BY, EVENT_ID, SECOND)),
        (OPERATION, Operation("acme-code-signing-second", "abcdef-1", "SUCCEEDED")),
        (
            changed(OPERATION, "detail/status-details/status", "FAILED"),
            Operation("acme-code-signing-second", "abcdef-1", "FAILED"),
        ),
    ],
)
def test_an_event_means(event, meaning) -> None:
    assert parse_event(event, EXPECTATIONS) == meaning


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (None, "no JSON object but NoneType"),
        ([1], "no JSON object but list"),
        ({}, "'kind' is None, not a text"),
        ({"kind": ["schedule"]}, r"'kind' is \['schedule'\], not a text"),
        ({"kind": "destroy"}, "the kind 'destroy'"),
        ({"kind": "schedule", "wave": "third"}, "no wave 'third'; it has first, second"),
        ({"kind": "manual", "wave": "first", "mode": "everything"}, "mode='everything'"),
        ({"kind": "manual", "wave": "first", "accounts": ["root"]}, "'accounts' is 'root'"),
        ({"kind": "manual", "wave": "first", "regions": ["../.."]}, "'regions' is"),
        ({"kind": "manual", "wave": "first", "accounts": "444444444403"}, "not a list of texts"),
        ({**SIBLING, "stack_set": "second"}, "'second' is none of the organization's"),
        ({**SIBLING, "account": "*"}, "'account' is"),
        ({**SIBLING, "region": "../.."}, "'region' is"),
        ({**APPROVAL, "digest": "yes"}, "'digest' is 'yes'"),
        ({**APPROVAL, "run_id": "../../leases"}, "'run_id' is"),
        ({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}, "starts no run"),
        (changed(TAMPERING, "detail", "none"), "'detail' is 'none', not an object"),
        (changed(TAMPERING, "detail/eventName", None), "'eventName' is None"),
        (changed(TAMPERING, "detail/readOnly", True), "only reads"),
        (changed(TAMPERING, "detail/errorCode", "AccessDenied"), r"was refused \(AccessDenied\)"),
        (changed(TAMPERING, "detail/eventSource", "s3.amazonaws.com"), "changes nothing of ours"),
        (changed(TAMPERING, "detail/recipientAccountId", "everybody"), "'account' is 'everybody'"),
        (
            changed(TAMPERING, "detail/userIdentity/sessionContext/sessionIssuer/userName", "acme-drift-remediator"),
            "by us",
        ),
        (
            changed(
                TAMPERING, "detail/userIdentity/sessionContext/sessionIssuer/userName", f"stacksets-exec-{'0a' * 16}"
            ),
            "StackSets",
        ),
        (changed(OPERATION, "detail/status-details/status", "RUNNING"), "it is not over"),
        (
            changed(OPERATION, "detail/stack-set-arn", "arn:aws:cloudformation:eu-west-1:1:stackset/x:1"),
            "none of the organ",
        ),
        (
            changed(
                OPERATION, "detail/stack-set-arn", "arn:aws:cloudformation:eu-west-1:111111111111:stackset/network:1"
            ),
            "'network' is none of the organization's",
        ),
        # What somebody puts on a bus is never a human's request, whatever it says.
        (
            {**APPROVAL, "source": "my.app", "detail-type": "approval", "detail": APPROVAL},
            "from 'my.app', not from AWS",
        ),
        ({**APPROVAL, "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda"}, "malformed"),
    ],
)
def test_what_is_foreign_or_malformed_starts_nothing_and_says_why(event, reason) -> None:
    found = parse_event(event, EXPECTATIONS)
    assert isinstance(found, Foreign)
    assert re.search(reason, found.reason), found.reason


def test_a_role_that_is_only_called_like_that_of_stack_sets_is_somebody() -> None:
    path = "detail/userIdentity/sessionContext/sessionIssuer/userName"
    assert isinstance(parse_event(changed(TAMPERING, path, "stacksets-exec-evil"), EXPECTATIONS), Tampering)
