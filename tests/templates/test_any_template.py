"""Whatever a template holds, there is a report, and never an exception."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.rules import RULES
from constructs_pkg.templates import check_assembly, read_template
from tests.rules.judging import POLICY, VERIFIED_AT

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(
        ["Ref", "C", "AWS::NoValue", "arn:aws:lambda:x", "*", "signed.zip", "${A}", "{{resolve:ssm:/a}}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::Sub",
                    "Fn::GetAtt",
                    "Fn::Join",
                    "Fn::If",
                    "Fn::Select",
                    "Fn::Split",
                    "Fn::FindInMap",
                    "Fn::ImportValue",
                    "Statement",
                    "Effect",
                    "Action",
                    "Condition",
                    "StringEquals",
                    "Resource",
                    "Value",
                    "S3Bucket",
                    "S3Key",
                    "TemplateBody",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "AWS::Lambda::Function",
        "AWS::Serverless::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::CodeSigningConfig",
        "AWS::Signer::SigningProfile",
        "AWS::Signer::ProfilePermission",
        "AWS::IAM::Role",
        "AWS::IAM::Policy",
        "AWS::Lambda::Permission",
        "AWS::CloudFormation::Stack",
        "AWS::CloudFormation::StackSet",
        "AWS::Serverless::Application",
    ]
)
KEYS = st.sampled_from(
    [
        "Code",
        "Content",
        "CodeUri",
        "Layers",
        "CodeSigningConfigArn",
        "AllowedPublishers",
        "CodeSigningPolicies",
        "PackageType",
        "Policies",
        "PolicyDocument",
        "Principal",
        "ProfileName",
        "SignatureValidityPeriod",
        "Parameters",
        "TemplateURL",
        "TemplateBody",
        "FunctionName",
        "ManagedPolicyArns",
        "Action",
        "Location",
        "Path",
    ]
)
RESOURCES = st.dictionaries(
    st.sampled_from(["A", "B", "C", "Fn::ForEach::L"]),
    st.fixed_dictionaries({"Type": TYPES, "Properties": st.dictionaries(KEYS, JSON, max_size=5)}) | JSON,
    max_size=4,
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "any.json"


@given(RESOURCES, JSON, JSON)
@settings(max_examples=300, deadline=None)
def test_any_template_gives_a_report_and_never_an_exception(
    scratch: Path, resources: dict[str, Any], parameters: Any, mappings: Any
) -> None:
    scratch.write_text(json.dumps({"Resources": resources, "Parameters": parameters, "Mappings": mappings}))
    report = check_assembly(read_template(scratch), POLICY, VERIFIED_AT)
    assert {item.rule.id for item in report.violations} <= RULES.keys()
    assert json.loads(json.dumps(report.to_dict()))["passes"] is bool(report)


@pytest.mark.parametrize("depth", [90, 300])
@pytest.mark.parametrize(
    "place",
    [
        lambda deep: {"Fn::ForEach::L": ["N", ["a"], {"F${N}": {"Type": "AWS::Lambda::Function", "Properties": deep}}]},
        lambda deep: {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": deep, "Layers": deep}}},
        lambda deep: {"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": deep}}}},
        lambda deep: {"S": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": deep}}},
    ],
    ids=["loop", "function", "policy", "stack"],
)
def test_deep_nesting_is_a_violation_and_no_exception(scratch: Path, place: Any, depth: int) -> None:
    deep: Any = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for _ in range(depth):
        deep = {"Fn::If": ["C", [deep], "y"]}
    scratch.write_text(json.dumps({"Resources": place(deep)}))
    assert not check_assembly(read_template(scratch), POLICY, VERIFIED_AT)


def test_a_nested_template_whose_name_is_too_long_for_any_file_is_elsewhere(scratch: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "n" * 300}}
    scratch.write_text(json.dumps({"Resources": {"S": nested}}))
    violations = check_assembly(read_template(scratch), POLICY, VERIFIED_AT).violations
    assert [item.rule.id for item in violations] == ["LCS904"]
