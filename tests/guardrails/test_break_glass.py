"""Signing in an emergency: who gets in, what the role can do, and everything that it cannot."""

import json

import pytest

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import BreakGlassAccess
from tests.guardrails.asking import ask
from tests.guardrails.iam_evaluator import Request, Resource, action_details, evaluate

ACCOUNT, REGION = "222222222222", "eu-west-1"
ALICE, BOB = f"arn:aws:iam::{ACCOUNT}:user/break-glass/alice", f"arn:aws:iam::{ACCOUNT}:user/break-glass/bob"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/acme_payments_emergency_g1"
BUCKET = "arn:aws:s3:::acme-emergency"
GIVEN = {
    "prefix": "acme",
    "application": "payments",
    "partition": "aws",
    "account": ACCOUNT,
    "region": REGION,
    "principals": (ALICE, BOB),
    "profile_arn": PROFILE,
    "bucket_arn": BUCKET,
}
ACCESS = BreakGlassAccess(**GIVEN)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme-break-glass-payments"


# What the role can do


MAY = [
    ("sign with the emergency profile", ask("signer:StartSigningJob", PROFILE)),
    ("look it up", ask("signer:GetSigningProfile", PROFILE)),
    ("watch the job", ask("signer:DescribeSigningJob", f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/uuid")),
    ("upload what is to be signed", ask("s3:PutObject", f"{BUCKET}/unsigned/x.zip")),
    ("fetch what was signed", ask("s3:GetObject", f"{BUCKET}/signed/x/p-v.zip")),
    ("let AWS Signer write", ask("s3:PutObject", f"{BUCKET}/jobs/uuid.zip")),
    ("see that the bucket has versions", ask("s3:GetBucketVersioning", BUCKET)),
]
MAY_NOT = [
    ("sign with the application's own profile", ask("signer:StartSigningJob", PROFILE.replace("emergency_g1", "g2"))),
    ("sign for another application", ask("signer:StartSigningJob", PROFILE.replace("payments", "checkout"))),
    ("let others sign", ask("signer:AddProfilePermission", PROFILE)),
    ("cancel the profile", ask("signer:CancelSigningProfile", PROFILE)),
    ("revoke what it signed", ask("signer:RevokeSigningProfile", PROFILE)),
    ("make another profile", ask("signer:PutSigningProfile")),
    (
        "turn a config to Warn",
        ask(
            "lambda:UpdateCodeSigningConfig",
            f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0",
        ),
    ),
    (
        "detach a config",
        ask("lambda:DeleteFunctionCodeSigningConfig", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:payments-api"),
    ),
    ("deploy", ask("lambda:UpdateFunctionCode", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:payments-api")),
    ("widen its own trust", ask("iam:UpdateAssumeRolePolicy", ROLE)),
    ("widen its own rights", ask("iam:PutRolePolicy", ROLE)),
    ("become the remediator", ask("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/acme-drift-remediator")),
    ("silence the alarm", ask("events:DisableRule", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/x")),
    ("delete what was signed", ask("s3:DeleteObject", f"{BUCKET}/signed/x/p-v.zip")),
    ("write elsewhere in the bucket", ask("s3:PutObject", f"{BUCKET}/payments/x.zip")),
]


@pytest.mark.parametrize(("_why", "request_"), MAY, ids=[why for why, _ in MAY])
def test_the_role_may(_why: str, request_: Request) -> None:
    assert evaluate(request_, [ACCESS.policy().to_dict()]).allowed


@pytest.mark.parametrize(("_why", "request_"), MAY_NOT, ids=[why for why, _ in MAY_NOT])
def test_the_role_may_not(_why: str, request_: Request) -> None:
    assert not evaluate(request_, [ACCESS.policy().to_dict()]).allowed


def test_every_action_of_the_role_exists() -> None:
    for statement in ACCESS.policy().statements:
        for action in statement.actions:
            assert action_details(action)


# Who gets in

GOOD = {
    "aws:MultiFactorAuthPresent": ("true",),
    "aws:RequestTag/incident": ("INC-12",),
    "aws:TagKeys": ("incident",),
    "sts:RoleSessionName": ("alice",),
}


def gets_in(region: str = REGION, action: str = "sts:AssumeRole", **changed: tuple[str, ...] | None) -> bool:
    """Whether Alice gets in, with some of her context changed; None takes a key out."""
    context = {**GOOD, **{key.replace("__", ":").replace("_SLASH_", "/"): value for key, value in changed.items()}}
    request = Request(
        principal=ALICE,
        action=action,
        resources=(Resource(ROLE),),
        region=region,
        context=tuple((key, value) for key, value in context.items() if value is not None),
        extra_keys=("aws:MultiFactorAuthPresent",),
    )
    document = json.loads(json.dumps(ACCESS.trust_policy()).replace("${aws:username}", "alice"))
    statements = []
    for statement in document["Statement"]:
        assert statement.pop("Principal") == {"AWS": [ALICE, BOB]}
        statements.append({**statement, "Resource": "*"})
    return evaluate(request, [{**document, "Statement": statements}]).allowed


def test_a_named_person_with_mfa_and_an_incident_gets_in() -> None:
    assert gets_in()
    assert gets_in(action="sts:TagSession")


@pytest.mark.parametrize(
    "changed",
    [
        {"aws__MultiFactorAuthPresent": ("false",)},
        {"aws__MultiFactorAuthPresent": None},
        {"aws__RequestTag_SLASH_incident": None},
        {"aws__RequestTag_SLASH_incident": ("",)},
        {"sts__RoleSessionName": ("bob",)},
        {"sts__RoleSessionName": None},
    ],
    ids=["without MFA", "with nothing known of MFA", "without incident", "empty incident", "as Bob", "nameless"],
)
def test_whoever_lacks_one_of_these_does_not(changed: dict[str, tuple[str, ...] | None]) -> None:
    assert not gets_in(**changed)


def test_nobody_gets_in_where_the_alarm_does_not_listen() -> None:
    assert not gets_in(region="us-east-1")


def test_a_session_takes_no_other_tags_along() -> None:
    assert not gets_in(action="sts:TagSession", aws__TagKeys=("incident", "team"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"principals": ()}, "is empty or names somebody twice"),
        ({"principals": (ALICE, ALICE)}, "is empty or names somebody twice"),
        ({"principals": ("*",)}, "is not the ARN of one IAM user"),
        ({"principals": (f"arn:aws:iam::{ACCOUNT}:root",)}, "is not the ARN of one IAM user"),
        ({"principals": (f"arn:aws:iam::{ACCOUNT}:role/oncall",)}, "cannot prove MFA when they assume a role"),
        ({"application": "pay ments"}, "application: 'pay ments' cannot be used"),
        ({"prefix": "x" * 40, "application": "y" * 40}, "make the role name"),
    ],
)
def test_what_cannot_be_safe_is_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(GuardrailError, match=message.replace("*", r"\*")):
        BreakGlassAccess(**{**GIVEN, **changed})
