"""Rules about IAM statements: each way around code signing is found, and nobody is accused who closes it."""

import json
from typing import Any

import pytest

from constructs_pkg.guardrails.boundary import permissions_boundary
from constructs_pkg.guardrails.developer import developer_policies
from constructs_pkg.guardrails.service_control import service_control_policies
from constructs_pkg.rules import Severity
from tests.guardrails.intents import INTENT
from tests.rules.judging import CSC, broken, judge

KEY = "lambda:CodeSigningConfigArn"


def allow(*actions: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions, **more), "Effect": "Deny"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": list(statements)}}}


STATEMENTS: dict[str, tuple[Any, list[str]]] = {
    "detach": ([allow("lambda:DeleteFunctionCodeSigningConfig")], ["LCS501"]),
    "in-any-case": ([allow("LAMBDA:deletefunctionCODESIGNINGconfig")], ["LCS501"]),
    "weaken": ([allow("lambda:UpdateCodeSigningConfig")], ["LCS501"]),
    "own-config": ([allow("lambda:CreateCodeSigningConfig")], ["LCS501"]),
    "replace": ([allow("lambda:PutFunctionCodeSigningConfig")], ["LCS501"]),
    "wildcard": ([allow("lambda:*")], ["LCS501"]),
    "half-a-wildcard": ([allow("lambda:Update*")], ["LCS501"]),
    "question-marks": ([allow("lambda:?elete*SigningConfig")], ["LCS501"]),
    "everything": ([allow("*")], ["LCS501", "LCS502"]),
    "everything-but": ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ["LCS501", "LCS502"]),
    "everything-but-lambda-and-signer": (
        [{"Effect": "Allow", "NotAction": ["lambda:*", "signer:*"], "Resource": "*"}],
        [],
    ),
    "in-a-branch": ([{"Fn::If": ["C", allow("lambda:*"), {"Ref": "AWS::NoValue"}]}], ["LCS501"]),
    "statement-list-in-a-branch": ({"Fn::If": ["C", [allow("lambda:*")], []]}, ["LCS501"]),
    "actions-in-a-branch": ([allow({"Fn::If": ["C", ["lambda:*"], "s3:Get*"]})], ["LCS501"]),
    "effect-in-a-branch": ([{**allow("lambda:*"), "Effect": {"Fn::If": ["C", "Allow", "Deny"]}}], ["LCS501"]),
    "action-parameter": ([allow({"Ref": "P"})], ["LCS501", "LCS502"]),
    "grant": ([allow("signer:AddProfilePermission")], ["LCS502"]),
    "grant-by-wildcard": ([allow("signer:*")], ["LCS502"]),
    "create": ([allow("lambda:CreateFunction")], ["LCS505"]),
    "create-with-condition": ([allow("lambda:CreateFunction", Condition={"StringEquals": {KEY: CSC}})], []),
    "replace-with-condition": (
        [allow("lambda:PutFunctionCodeSigningConfig", Condition={"ArnLike": {KEY: [CSC]}})],
        [],
    ),
    "create-with-any-config": ([allow("lambda:CreateFunction", Condition={"ArnLike": {KEY: "*"}})], ["LCS505"]),
    "create-with-another-condition": (
        [allow("lambda:CreateFunction", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})],
        ["LCS505"],
    ),
    "detach-with-the-key-it-has-not": (
        [allow("lambda:DeleteFunctionCodeSigningConfig", Condition={"StringEquals": {KEY: CSC}})],
        ["LCS501"],
    ),
    "dead-key": (
        [allow("lambda:CreateFunction", Condition={"StringEquals": {"lambda:CodeSigningConfig": CSC}})],
        ["LCS503", "LCS505"],
    ),
    "dead-key-in-a-deny": (
        [deny("lambda:CreateFunction", Condition={"StringNotEquals": {"lambda:CodeSigningConfig": CSC}})],
        ["LCS503"],
    ),
    "if-exists": (
        [allow("lambda:CreateFunction", Condition={"StringEqualsIfExists": {KEY: CSC}})],
        ["LCS504", "LCS505"],
    ),
    "for-any-value-in-a-deny": (
        [deny("lambda:CreateFunction", Condition={"ForAnyValue:StringNotEquals": {KEY: CSC}})],
        ["LCS504"],
    ),
    "for-all-values": (
        [allow("lambda:CreateFunction", Condition={"ForAllValues:StringEquals": {KEY: CSC}})],
        ["LCS504", "LCS505"],
    ),
    "denied-beside-it": (
        [
            allow("lambda:*"),
            deny("lambda:*CodeSigningConfig"),
            deny("lambda:CreateFunction", Condition={"StringNotEquals": {KEY: CSC}}),
        ],
        [],
    ),
    "denied-for-one-function-only": (
        [allow("lambda:*"), deny("lambda:*CodeSigningConfig", Resource="arn:aws:lambda:*:*:function:one")],
        ["LCS501"],
    ),
    "denied-under-a-condition": (
        [allow("lambda:*"), deny("lambda:*CodeSigningConfig", Condition={"Bool": {"aws:SecureTransport": "false"}})],
        ["LCS501"],
    ),
    "daily-work": (
        [allow("lambda:InvokeFunction", "lambda:GetFunction", "lambda:UpdateFunctionCode", "signer:StartSigningJob")],
        [],
    ),
    "everything-on-a-bucket": ([allow("*", Resource="arn:aws:s3:::bucket/*")], []),
    "everything-on-a-table": ([allow("*", Resource={"Fn::GetAtt": ["Table", "Arn"]})], []),
    "everything-on-a-function": ([allow("*", Resource={"Fn::GetAtt": ["F", "Arn"]})], ["LCS501"]),
    "everything-on-a-parameter": ([allow("*", Resource={"Ref": "P"})], ["LCS501", "LCS502"]),
    "everything-on-nested-resources": ([allow("*", Resource=[["arn:aws:s3:::a"], {"Ref": "P"}])], ["LCS501", "LCS502"]),
    "no-statement": ([], []),
}
BESIDE: dict[str, Any] = {
    "Table": {"Type": "AWS::DynamoDB::Table"},
    "F": {"Type": "AWS::Lambda::Version"},
}


@pytest.mark.parametrize(("statements", "expected"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_leads_around_code_signing_or_does_not(statements: Any, expected: list[str]) -> None:
    document = policy(*statements) if isinstance(statements, list) else policy()
    if isinstance(statements, dict):
        document["Properties"]["PolicyDocument"]["Statement"] = statements
    found = broken({"X": document, **BESIDE}, Parameters={"P": {"Type": "String"}})
    assert found == [f"{rule} X" for rule in expected]


DOCUMENT = {"Statement": allow("lambda:DeleteFunctionCodeSigningConfig")}


@pytest.mark.parametrize(
    "resource",
    [
        {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}},
        {"Type": "AWS::IAM::RolePolicy", "Properties": {"PolicyDocument": DOCUMENT}},
        {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": DOCUMENT}]}},
        {"Type": "AWS::IAM::Role", "Properties": {"Policies": {"Fn::If": ["C", [{"PolicyDocument": DOCUMENT}], []]}}},
        {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"Fn::If": ["C", {"PolicyDocument": DOCUMENT}, {}]}]}},
        {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Fn::If": ["C", DOCUMENT, {}]}}},
        {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Fn::Sub": json.dumps(DOCUMENT)}}},
        {"Type": "AWS::IAM::User", "Properties": {"Policies": [{"PolicyDocument": DOCUMENT}]}},
        {"Type": "AWS::IAM::Group", "Properties": {"Policies": [{"PolicyDocument": DOCUMENT}]}},
        {"Type": "AWS::Serverless::StateMachine", "Properties": {"Policies": [DOCUMENT]}},
        {"Type": "AWS::Serverless::StateMachine", "Properties": {"Policies": DOCUMENT}},
        {"Type": "AWS::SSO::PermissionSet", "Properties": {"InlinePolicy": DOCUMENT}},
        {"Type": "AWS::SSO::PermissionSet", "Properties": {"InlinePolicy": json.dumps(DOCUMENT)}},
        {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:*", "Principal": "999999999999"}},
    ],
    ids=lambda resource: resource["Type"],
)
def test_it_is_found_wherever_a_template_can_hold_it(resource: dict[str, Any]) -> None:
    assert broken({"X": resource}) == ["LCS501 X"]


@pytest.mark.parametrize("document", [{"Ref": "P"}, {"Fn::ImportValue": "policy"}, "{", {"Fn::Sub": "${P}"}])
def test_a_policy_that_is_open_until_the_deployment_is_not_accepted(document: Any) -> None:
    resources = {"X": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}}
    assert broken(resources, Parameters={"P": {"Type": "String"}}) == ["LCS507 X"]


def test_inviting_a_caller_is_no_way_around_code_signing() -> None:
    invoke = {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "Principal": "x"}}
    assert broken({"X": invoke}) == []


def test_a_managed_policy_of_aws_that_allows_it_is_told_and_fails_nothing() -> None:
    arn = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/AdministratorAccess"]]}
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [arn]}}
    (found,) = judge({"R": role})
    assert (found.rule.id, found.severity) == ("LCS506", Severity.WARNING)


def test_a_permissions_boundary_that_nobody_is_attached_to_is_told_and_fails_nothing() -> None:
    boundary = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Statement": [allow("*"), deny("iam:DeleteRolePermissionsBoundary")]}},
    }
    assert [item.severity for item in judge({"B": boundary})] == [Severity.WARNING, Severity.WARNING]
    attached = {**boundary, "Properties": {**boundary["Properties"], "Roles": ["r"]}}
    assert [item.severity for item in judge({"B": attached})] == [Severity.FATAL, Severity.FATAL]


def test_our_own_guardrails_are_not_accused() -> None:
    documents = (*developer_policies(INTENT), permissions_boundary(INTENT))
    resources = {
        f"D{number}": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document.to_dict()}}
        for number, document in enumerate(documents)
    }
    controls = {
        f"S{number}": {"Type": "AWS::Organizations::Policy", "Properties": {"Content": document.to_dict()}}
        for number, document in enumerate(service_control_policies(INTENT))
    }
    assert len(resources) >= 2
    assert broken({**resources, **controls}) == []
