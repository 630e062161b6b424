"""Which events leave a member account: every kind of tampering, and nothing of daily work.

The events have what the patterns look at; events as AWS recorded them are in ``tests/recorded``.
"""

import json

import pytest

from constructs_pkg.cdk.tampering_rules import MOST_PATTERN_CHARACTERS, tampering_patterns
from constructs_pkg.guardrails import MemberAccount
from tests.cdk.event_patterns import pattern_matches

ACCOUNT = "444444444404"
MEMBER = MemberAccount(
    prefix="acme",
    organization_id="o-a1b2c3d4e5",
    partition="aws",
    account=ACCOUNT,
    security_account="222222222222",
    home_region="eu-west-1",
)
PATTERNS = tampering_patterns(MEMBER)
CONFIG = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
MEMBER_STACK = "StackSet-acme-code-signing-first-0c0d"


def call(service: str, name: str, **detail) -> dict:
    record = {"eventSource": f"{service}.amazonaws.com", "eventName": name, **detail}
    return {"source": f"aws.{service}", "detail-type": "AWS API Call via CloudTrail", "detail": record}


def deployed(status: str, **detail) -> dict:
    return call("lambda", "UpdateFunctionCode20150331v2", additionalEventData={"signatureStatus": status}, **detail)


def created(**parameters) -> dict:
    return call("lambda", "CreateFunction20150331", requestParameters={"functionName": "payments-api", **parameters})


def alarm(name: str, state: str = "ALARM") -> dict:
    detail = {"alarmName": name, "state": {"value": state}}
    return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": detail}


def policy_call(name: str, policy: str) -> dict:
    return call("iam", name, requestParameters={"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/{policy}"})


FORWARDED = [
    ("a publisher is added to a config", "changes", call("lambda", "UpdateCodeSigningConfig")),
    ("the same, should CloudTrail write the API's date", "changes", call("lambda", "UpdateCodeSigningConfig20200422")),
    ("a config is deleted", "changes", call("lambda", "DeleteCodeSigningConfig")),
    ("a config is detached", "changes", call("lambda", "DeleteFunctionCodeSigningConfig")),
    ("a config is exchanged", "changes", call("lambda", "PutFunctionCodeSigningConfig")),
    ("somebody makes a config", "changes", call("lambda", "CreateCodeSigningConfig")),
    ("a profile is cancelled", "changes", call("signer", "CancelSigningProfile")),
    ("a profile is revoked", "changes", call("signer", "RevokeSigningProfile")),
    ("a signature is revoked", "changes", call("signer", "RevokeSignature")),
    ("a profile is shared", "changes", call("signer", "AddProfilePermission")),
    ("a permission is taken away", "changes", call("signer", "RemoveProfilePermission")),
    ("a function comes without a config", "deployments", created()),
    ("unsigned code is warned of", "deployments", deployed("MISMATCH")),
    ("expired code is warned of", "deployments", deployed("EXPIRED")),
    ("revoked code is warned of", "deployments", deployed("REVOKED")),
    (
        "the status stands in a list",
        "deployments",
        call(
            "lambda",
            "UpdateFunctionConfiguration20150331v2",
            additionalEventData={"codeSigning": [{"signatureStatus": "VALID"}, {"signatureStatus": "MISMATCH"}]},
        ),
    ),
    (
        "untrusted code is refused",
        "deployments",
        call("lambda", "UpdateFunctionCode20150331v2", errorCode="CodeVerificationFailedException"),
    ),
    (
        "changed code is refused",
        "deployments",
        call(
            "lambda",
            "CreateFunction20150331",
            errorCode="InvalidCodeSignatureException",
            requestParameters={"codeSigningConfigArn": CONFIG},
        ),
    ),
    (
        "a member stack is updated by its name",
        "guards",
        call("cloudformation", "UpdateStack", requestParameters={"stackName": MEMBER_STACK}),
    ),
    (
        "a member stack is deleted by its ARN",
        "guards",
        call(
            "cloudformation",
            "DeleteStack",
            requestParameters={"stackName": f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{MEMBER_STACK}/1"},
        ),
    ),
    ("a guardrail is rewritten", "guards", policy_call("CreatePolicyVersion", "acme-guardrail-payments-developer-1")),
    ("a guardrail is detached", "guards", policy_call("DetachRolePolicy", "acme-guardrail-developer-1")),
    (
        "a published ARN is exchanged",
        "guards",
        call(
            "ssm", "PutParameter", requestParameters={"name": "/lambda-code-signing/code-signing-configs/payments/arn"}
        ),
    ),
    ("our alarm goes off", "alarms", alarm("acme-code-signing-errors")),
]
NOT_FORWARDED = [
    ("a signed function is created", created(codeSigningConfigArn=CONFIG)),
    ("signed code is deployed", deployed("VALID")),
    (
        "a deployment fails for another reason",
        call("lambda", "UpdateFunctionCode20150331v2", errorCode="ResourceNotFoundException"),
    ),
    (
        "a function URL is made",
        call("lambda", "CreateFunctionUrlConfig", requestParameters={"functionName": "payments-api"}),
    ),
    ("somebody signs", call("signer", "StartSigningJob")),
    ("somebody may not change a config", call("lambda", "UpdateCodeSigningConfig", errorCode="AccessDeniedException")),
    (
        "a creation is refused",
        call("lambda", "CreateFunction20150331", errorCode="AccessDenied", requestParameters=None),
    ),
    ("another stack is updated", call("cloudformation", "UpdateStack", requestParameters={"stackName": "payments"})),
    ("another policy is attached", policy_call("AttachRolePolicy", "payments-tables")),
    ("another parameter is written", call("ssm", "PutParameter", requestParameters={"name": "/payments/url"})),
    ("another alarm goes off", alarm("payments-latency")),
    ("our alarm calms down", alarm("acme-code-signing-errors", "OK")),
]


@pytest.mark.parametrize(("_why", "rule", "event"), FORWARDED, ids=[why for why, _, _ in FORWARDED])
def test_exactly_one_rule_forwards(_why: str, rule: str, event: dict) -> None:
    assert [name for name, pattern in PATTERNS.items() if pattern_matches(pattern, event)] == [rule]


@pytest.mark.parametrize(("_why", "event"), NOT_FORWARDED, ids=[why for why, _ in NOT_FORWARDED])
def test_no_rule_forwards(_why: str, event: dict) -> None:
    assert [name for name, pattern in PATTERNS.items() if pattern_matches(pattern, event)] == []


def test_every_pattern_is_within_the_limit_even_for_the_longest_name() -> None:
    longest = MemberAccount(
        prefix="a" * 20,
        organization_id="o",
        partition="aws",
        account=ACCOUNT,
        security_account=ACCOUNT,
        home_region="x",
    )
    sizes = {name: len(json.dumps(pattern)) for name, pattern in tampering_patterns(longest).items()}
    assert {name: size for name, size in sizes.items() if size > MOST_PATTERN_CHARACTERS} == {}
