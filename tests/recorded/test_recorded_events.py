"""What each recorded event means to drift remediation: whole values, none left out."""

import json
import re

import pytest

from constructs_pkg.runtime.drift.events import Event, Foreign, Tampering, Target, parse_event
from tests.drift.world import EXPECTATIONS
from tests.recorded.recordings import ACCOUNT, ANSWERS, HERE, RECORDS, event_of, record_of

ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role"
ADMINISTRATOR = f"{SESSION}/AWSReservedSSO_AdministratorAccess/alice"


def tampering(name: str, call: str, region: str | None, by: str = ALICE) -> Event:
    return Tampering(Target(ACCOUNT, region), call, by, record_of(name)["eventID"])


def refused(call: str, code: str) -> Event:
    return Foreign(f"{call} was refused ({code}): nothing changed")


STACK_STATUS = Foreign("the event 'CloudFormation Stack Status Change' of aws.cloudformation starts no run")
MEANINGS: dict[str, Event] = {
    "AddLayerVersionPermission-failed": refused("lambda:AddLayerVersionPermission", "ResourceNotFoundException"),
    "AddPermission": tampering("AddPermission", "lambda:AddPermission", "us-east-1"),
    # IAM's events are those of us-east-1, wherever the stack is
    "AttachRolePolicy": tampering("AttachRolePolicy", "iam:AttachRolePolicy", None),
    "AlarmStateChange-calmed": Foreign("the event 'CloudWatch Alarm State Change' of aws.cloudwatch starts no run"),
    "AttachRolePolicy-root-for-a-service": tampering(
        "AttachRolePolicy-root-for-a-service", "iam:AttachRolePolicy", None, f"arn:aws:iam::{ACCOUNT}:root"
    ),
    "CreateFunction": tampering("CreateFunction", "lambda:CreateFunction", "us-east-1"),
    # neither readOnly nor managementEvent in 2016
    "CreateFunction-2016": tampering(
        "CreateFunction-2016", "lambda:CreateFunction", "eu-west-1", f"{SESSION}/PowerUser/alice"
    ),
    "CreateFunction-denied": refused("lambda:CreateFunction", "AccessDenied"),
    "CreateFunctionUrlConfig-failed": refused("lambda:CreateFunctionUrlConfig", "ResourceNotFoundException"),
    # the session of a console user has an empty sessionIssuer
    "CreatePolicyVersion": tampering("CreatePolicyVersion", "iam:CreatePolicyVersion", None),
    "CreateStack": tampering("CreateStack", "cloudformation:CreateStack", "us-east-1"),
    "CreateStackSet": tampering("CreateStackSet", "cloudformation:CreateStackSet", "us-east-1"),
    # no recipientAccountId in 2018: the account is that of the envelope
    "CreateUser-2018": tampering("CreateUser-2018", "iam:CreateUser", None),
    "DeleteFunction-by-CloudFormation-failed": refused("lambda:DeleteFunction", "ResourceNotFoundException"),
    "DeletePolicy": tampering("DeletePolicy", "iam:DeletePolicy", None),
    "DeleteRole": tampering("DeleteRole", "iam:DeleteRole", None),
    "DeleteRolePermissionsBoundary-denied": refused("iam:DeleteRolePermissionsBoundary", "AccessDenied"),
    "DeleteRolePolicy": tampering("DeleteRolePolicy", "iam:DeleteRolePolicy", None),
    "DeleteRule": tampering("DeleteRule", "events:DeleteRule", "us-east-1"),
    "DetachRolePolicy": tampering("DetachRolePolicy", "iam:DetachRolePolicy", None),
    "DetachRolePolicy-by-a-service": tampering(
        "DetachRolePolicy-by-a-service", "iam:DetachRolePolicy", None, f"{SESSION}/AWSServiceRoleForSSO/AWS-SSO"
    ),
    "DisableRule-denied": refused("events:DisableRule", "AccessDenied"),
    "GetParameters": Foreign("ssm:GetParameters only reads"),
    "PublishLayerVersion": tampering("PublishLayerVersion", "lambda:PublishLayerVersion", "us-east-1", ADMINISTRATOR),
    # neither readOnly nor recipientAccountId: its author left them away
    "PutParameter": tampering("PutParameter", "ssm:PutParameter", "us-east-1"),
    "PutRolePolicy": tampering("PutRolePolicy", "iam:PutRolePolicy", None),
    # CloudFormation without a role of its own calls with the session of whoever called it
    "PutRolePolicy-by-CloudFormation": tampering(
        "PutRolePolicy-by-CloudFormation", "iam:PutRolePolicy", None, f"{SESSION}/Admin/alice@example.com"
    ),
    "RemoveTargets-denied": refused("events:RemoveTargets", "AccessDenied"),
    "ScheduledEvent": Foreign("the event is malformed: 'detail' is '{}', not an object"),
    "SetDefaultPolicyVersion-denied": refused("iam:SetDefaultPolicyVersion", "AccessDenied"),
    "StackStatusChange-created": STACK_STATUS,
    "StackStatusChange-deleted": STACK_STATUS,
    "StackStatusChange-updated": STACK_STATUS,
    "UpdateAssumeRolePolicy": tampering("UpdateAssumeRolePolicy", "iam:UpdateAssumeRolePolicy", None),
    "UpdateFunctionCode": tampering("UpdateFunctionCode", "lambda:UpdateFunctionCode", "eu-central-1"),
    "UpdateFunctionCode-2017": tampering("UpdateFunctionCode-2017", "lambda:UpdateFunctionCode", "eu-central-1"),
    "UpdateFunctionCode-denied": refused("lambda:UpdateFunctionCode", "AccessDenied"),
    "UpdateFunctionConfiguration": tampering(
        "UpdateFunctionConfiguration", "lambda:UpdateFunctionConfiguration", "eu-central-1"
    ),
    "UpdateInstanceInformation": tampering(
        "UpdateInstanceInformation",
        "ssm:UpdateInstanceInformation",
        "us-gov-east-1",
        f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/ExampleRole/i-example1234567890",
    ),
    "UpdateStack-failed": refused("cloudformation:UpdateStack", "ValidationException"),
}


def test_every_recording_has_its_meaning_here() -> None:
    assert sorted(MEANINGS) == list(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_event_means(name: str) -> None:
    assert parse_event(event_of(name), EXPECTATIONS) == MEANINGS[name]


@pytest.mark.parametrize("name", [*RECORDS, *ANSWERS])
def test_a_recording_tells_its_source_and_names_no_account_but_ours(name: str) -> None:
    text = (HERE / f"{name}.json").read_text()
    assert sorted(json.loads(text)) == ["record", "source"]
    found = set(re.findall(r"(?<![0-9a-zA-Z-])[0-9]{12}(?![0-9a-zA-Z])", text))
    assert found <= {ACCOUNT}
