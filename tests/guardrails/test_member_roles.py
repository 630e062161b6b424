"""The roles in a member account: whom they trust, and that none of them can be turned against what it guards."""

import json
import re

import pytest

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import (
    Condition,
    MemberAccount,
    TrustPolicy,
    auditor_policies,
    forwarder_policies,
    remediator_policies,
)
from tests.guardrails.asking import ask
from tests.guardrails.iam_evaluator import DATA, Request, action_details, evaluate, glob
from tests.guardrails.scenarios import as_data

ACCOUNT = "444444444404"
MEMBER = MemberAccount(
    prefix="acme",
    organization_id="o-a1b2c3d4e5",
    partition="aws",
    account=ACCOUNT,
    security_account="222222222222",
    home_region="eu-west-1",
)
DOCUMENTS = {
    "remediator": as_data(remediator_policies(MEMBER)),
    "auditor": as_data(auditor_policies(MEMBER)),
    "forwarder": as_data(forwarder_policies(MEMBER)),
}
STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/StackSet-acme-code-signing-first-1a2b/0c0d"
OTHER_STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/payments/0c0d"
CONFIG = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
FOREIGN_CONFIG = CONFIG.replace(ACCOUNT, "999999999999")
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:payments-api"
ITSELF = f"arn:aws:iam::{ACCOUNT}:role/acme-drift-remediator"
OWN_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/acme-guardrail-remediator-1"
DEVELOPER_POLICY = f"arn:aws:iam::{ACCOUNT}:policy/acme-guardrail-payments-developer"
AUDITOR = f"arn:aws:iam::{ACCOUNT}:role/acme-code-signing-auditor"
FORWARDER = f"arn:aws:iam::{ACCOUNT}:role/acme-code-signing-forwarder-eu-west-1"
RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/acme-code-signing-changes"


def statements(kind: str) -> list[dict]:
    return [statement for document in DOCUMENTS[kind] for statement in document["Statement"]]


def through_cloudformation(action: str, *arns: str, **context) -> Request:
    context["aws__CalledVia"] = ("cloudformation.amazonaws.com",)
    return ask(action, *arns, extra_keys=("aws:CalledVia",), **context)


def attach(config: str) -> Request:
    return ask("lambda:PutFunctionCodeSigningConfig", config, FUNCTION, lambda__CodeSigningConfigArn=config)


def change_set(stack: str, name: str = "drift-0123", **context) -> Request:
    return ask("cloudformation:CreateChangeSet", stack, cloudformation__ChangeSetName=name, **context)


def execution(name: str) -> Request:
    return ask("cloudformation:ExecuteChangeSet", STACK, cloudformation__ChangeSetName=name)


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
REMEDIATOR_MAY = [
    ("find drift in our stack", ask("cloudformation:DetectStackDrift", STACK)),
    ("propose to revert it", change_set(STACK)),
    ("revert it", execution("drift-0123")),
    ("put an approved config back onto a function", attach(CONFIG)),
    (
        "have CloudFormation put the policy of a config back",
        through_cloudformation("lambda:UpdateCodeSigningConfig", CONFIG),
    ),
    ("have CloudFormation make a lost config again", through_cloudformation("lambda:CreateCodeSigningConfig")),
    ("have CloudFormation put a guardrail back", through_cloudformation("iam:CreatePolicyVersion", DEVELOPER_POLICY)),
    (
        "have CloudFormation give the auditor its policy back",
        through_cloudformation(
            "iam:AttachRolePolicy", AUDITOR, iam__PolicyARN=f"arn:aws:iam::{ACCOUNT}:policy/acme-guardrail-auditor-1"
        ),
    ),
    ("have CloudFormation put a rule back", through_cloudformation("events:PutRule", RULE)),
    (
        "give the rule its role",
        through_cloudformation("iam:PassRole", FORWARDER, iam__PassedToService="events.amazonaws.com"),
    ),
]
REMEDIATOR_MAY_NOT = [
    ("change another stack", change_set(OTHER_STACK)),
    (
        "hand the work to a stronger role",
        change_set(STACK, cloudformation__RoleArn=f"arn:aws:iam::{ACCOUNT}:role/admin"),
    ),
    ("bring a template of its own from S3", change_set(STACK, cloudformation__TemplateUrl="https://evil/template")),
    ("execute somebody else's change set", execution("evil")),
    ("put a foreign config onto a function", attach(FOREIGN_CONFIG)),
    ("loosen a config by itself", ask("lambda:UpdateCodeSigningConfig", CONFIG)),
    ("delete a config by itself", ask("lambda:DeleteCodeSigningConfig", CONFIG)),
    ("detach a config", through_cloudformation("lambda:DeleteFunctionCodeSigningConfig", FUNCTION)),
    ("deploy code", through_cloudformation("lambda:UpdateFunctionCode", FUNCTION)),
    ("rewrite a guardrail by itself", ask("iam:CreatePolicyVersion", DEVELOPER_POLICY)),
    ("rewrite its own policy", through_cloudformation("iam:CreatePolicyVersion", OWN_POLICY)),
    ("widen its own trust", through_cloudformation("iam:UpdateAssumeRolePolicy", ITSELF)),
    ("attach a policy to itself", through_cloudformation("iam:AttachRolePolicy", ITSELF, iam__PolicyARN=OWN_POLICY)),
    (
        "make an administrator of the auditor",
        through_cloudformation("iam:AttachRolePolicy", AUDITOR, iam__PolicyARN=ADMINISTRATOR),
    ),
    ("give the auditor rights inline", through_cloudformation("iam:PutRolePolicy", AUDITOR)),
    (
        "pass the forwarder to a function",
        through_cloudformation("iam:PassRole", FORWARDER, iam__PassedToService="lambda.amazonaws.com"),
    ),
    ("sign", ask("signer:StartSigningJob", "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2")),
]


@pytest.mark.parametrize(("_why", "request_"), REMEDIATOR_MAY, ids=[why for why, _ in REMEDIATOR_MAY])
def test_the_remediator_may(_why: str, request_: Request) -> None:
    assert evaluate(request_, DOCUMENTS["remediator"]).allowed


@pytest.mark.parametrize(("_why", "request_"), REMEDIATOR_MAY_NOT, ids=[why for why, _ in REMEDIATOR_MAY_NOT])
def test_the_remediator_may_not(_why: str, request_: Request) -> None:
    assert not evaluate(request_, DOCUMENTS["remediator"]).allowed


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_action_and_service_key_is_in_the_authorization_data(kind: str) -> None:
    for statement in statements(kind):
        patterns = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        for pattern in patterns:
            service, _, name = pattern.partition(":")
            found = [one for one in DATA.actions.get_actions_for_service(service) if glob(name.lower(), one.lower())]
            assert found, pattern
            for key in (key for keys in statement.get("Condition", {}).values() for key in keys):
                supported = [key for one in found for key in action_details(f"{service}:{one}")["conditionKeys"]]
                assert key.startswith("aws:") or any(
                    glob(re.sub(r"\$\{\w+\}", "*", template), key) for template in supported
                ), (pattern, key)


def test_the_auditor_changes_nothing_and_never_gets_at_code() -> None:
    allowed = {action for statement in statements("auditor") for action in statement["Action"]}
    levels = {action: action_details(action)["accessLevel"] for action in allowed}
    assert {action: level for action, level in levels.items() if level not in {"Read", "List"}} == {}
    assert not allowed & {"lambda:GetFunction", "lambda:GetLayerVersion", "lambda:GetLayerVersionByArn"}


def test_the_forwarder_reaches_the_central_bus_alone() -> None:
    assert statements("forwarder") == [
        {
            "Sid": "SendHome",
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": "arn:aws:events:eu-west-1:222222222222:event-bus/acme-code-signing",
        }
    ]


def test_each_role_trusts_exactly_one_party_and_states_its_conditions() -> None:
    root = {"AWS": "arn:aws:iam::222222222222:root"}
    trusts = [MEMBER.remediator_trust, MEMBER.auditor_trust, MEMBER.forwarder_trust]
    statements = [json.loads(json.dumps(trust.to_dict()))["Statement"] for trust in trusts]
    assert [(one["Principal"], one["Action"], one["Condition"]) for (one,) in statements] == [
        (
            root,
            "sts:AssumeRole",
            {
                "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/acme-drift-remediation"},
                "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "sts:ExternalId": "o-a1b2c3d4e5/drift"},
            },
        ),
        (root, "sts:AssumeRole", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        (
            {"Service": "events.amazonaws.com"},
            "sts:AssumeRole",
            {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{ACCOUNT}:rule/acme-code-signing-*"},
            },
        ),
    ]


def test_a_trust_in_everybody_or_without_conditions_is_refused() -> None:
    condition = Condition("StringEquals", "aws:PrincipalOrgID", ("o-a1b2c3d4e5",))
    with pytest.raises(GuardrailError, match="trusts everybody"):
        TrustPolicy(kind="AWS", principal="*", conditions=(condition,))
    with pytest.raises(GuardrailError, match="no conditions"):
        TrustPolicy(kind="AWS", principal="arn:aws:iam::222222222222:root", conditions=())


LENT = "https://s3.eu-west-1.amazonaws.com/acme-drift-remediation-222222222222-eu-west-1/templates/0123.json"
LENT_OBJECT = "arn:aws:s3:::acme-drift-remediation-222222222222-eu-west-1/templates/0123.json"


@pytest.mark.parametrize(
    ("request_", "large", "small"),
    [
        (change_set(STACK), True, True),
        (change_set(STACK, cloudformation__TemplateUrl=LENT), True, False),
        (ask("s3:GetObject", LENT_OBJECT), True, False),
        (change_set(OTHER_STACK, cloudformation__TemplateUrl=LENT), False, False),
        (change_set(STACK, "evil", cloudformation__TemplateUrl=LENT), False, False),
        (change_set(STACK, cloudformation__TemplateUrl=LENT, cloudformation__RoleArn=ITSELF), False, False),
        (change_set(STACK, cloudformation__TemplateUrl=LENT.replace("acme-", "evil-")), False, False),
        (change_set(STACK, cloudformation__TemplateUrl=LENT.replace("/templates/", "/runs/")), False, False),
        (change_set(STACK, cloudformation__TemplateUrl=f"https://evil/?{LENT}"), False, False),
        (ask("s3:GetObject", LENT_OBJECT.replace("/templates/", "/runs/")), False, False),
        (ask("s3:PutObject", LENT_OBJECT), False, False),
    ],
)
def test_a_template_from_s3_is_only_one_that_is_lent_and_only_where_templates_are_large(request_, large, small) -> None:
    for large_templates, expected in ((True, large), (False, small)):
        documents = as_data(remediator_policies(MEMBER, large_templates=large_templates))
        assert evaluate(request_, identity=documents).allowed == expected


def test_even_the_longest_organization_name_fits_into_one_policy_each() -> None:
    longest = MemberAccount(
        prefix="a" * 20,
        organization_id="o-" + "a" * 32,
        partition="aws-us-gov",
        account="${Token[AWS.AccountId.7]}",
        security_account="222222222222",
        home_region="ap-southeast-1",
    )
    assert [len(make(longest)) for make in (remediator_policies, auditor_policies, forwarder_policies)] == [2, 1, 1]
    assert len(remediator_policies(longest, large_templates=True)) == 2
