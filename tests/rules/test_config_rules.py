"""Rules about code signing configs and their publishers."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_pkg.signing.policy import Mode
from constructs_pkg.signing.template_terms import ApprovedConfig, TemplateTerms
from tests.rules.judging import CSC, OTHER_CSC, POLICY, PUBLISHER, broken, config, function, judge, profile

GET = "Fn::GetAtt"
OF_CONFIG = {GET: ["C", "CodeSigningConfigArn"]}

FUNCTIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "approved": ({"F": function()}, []),
    "none": ({"F": function(CodeSigningConfigArn=None)}, ["LCS101 F"]),
    "empty": ({"F": function(CodeSigningConfigArn="")}, ["LCS101 F"]),
    "no-value": ({"F": function(CodeSigningConfigArn={"Ref": "AWS::NoValue"})}, ["LCS101 F"]),
    "one-branch-only": (
        {"F": function(CodeSigningConfigArn={"Fn::If": ["IsProd", CSC, {"Ref": "AWS::NoValue"}]})},
        ["LCS101 F"],
    ),
    "foreign": ({"F": function(CodeSigningConfigArn=OTHER_CSC)}, ["LCS102 F"]),
    "foreign-in-one-branch": (
        {"F": function(CodeSigningConfigArn={"Fn::If": ["IsProd", CSC, OTHER_CSC]})},
        ["LCS102 F"],
    ),
    "of-a-function": ({"F": function(CodeSigningConfigArn=f"{CSC[:35]}:function:f")}, ["LCS102 F"]),
    "parameter": ({"F": function(CodeSigningConfigArn={"Ref": "Config"})}, ["LCS103 F"]),
    "import": ({"F": function(CodeSigningConfigArn={"Fn::ImportValue": "config"})}, ["LCS103 F"]),
    "ssm": ({"F": function(CodeSigningConfigArn="{{resolve:ssm:/config}}")}, ["LCS103 F"]),
    "half-open": ({"F": function(CodeSigningConfigArn={"Fn::Sub": "arn:aws:lambda:${Where}:x"})}, ["LCS103 F"]),
    "made-here": ({"F": function(CodeSigningConfigArn=OF_CONFIG), "C": config()}, []),
    "made-here-by-ref": ({"F": function(CodeSigningConfigArn={"Ref": "C"}), "C": config()}, []),
    "made-here-by-sub": (
        {"F": function(CodeSigningConfigArn={"Fn::Sub": "${C.CodeSigningConfigArn}"}), "C": config()},
        [],
    ),
    "id-for-arn": (
        {"F": function(CodeSigningConfigArn={GET: ["C", "CodeSigningConfigId"]}), "C": config()},
        ["LCS102 F"],
    ),
    "not-a-config": (
        {"F": function(CodeSigningConfigArn={GET: ["Q", "Arn"]}), "Q": {"Type": "AWS::SQS::Queue"}},
        ["LCS102 F"],
    ),
    "by-mapping": (
        {"F": function(CodeSigningConfigArn={"Fn::FindInMap": ["M", {"Ref": "Stage"}, "csc"]})},
        ["LCS102 F"],
    ),
    "allowed-values": ({"F": function(CodeSigningConfigArn={"Ref": "Chosen"})}, []),
    "microvm": ({"M": {"Type": "AWS::Lambda::MicrovmImage", "Properties": {}}}, ["LCS106 M"]),
}
SECTIONS: dict[str, Any] = {
    "Parameters": {
        "Config": {"Type": "String", "Default": CSC},
        "Where": {"Type": "String"},
        "Stage": {"Type": "String"},
        "Chosen": {"Type": "String", "AllowedValues": [CSC]},
    },
    "Mappings": {"M": {"dev": {"csc": CSC}, "prod": {"csc": OTHER_CSC}}},
}


@pytest.mark.parametrize(("resources", "expected"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_function_needs_the_organizations_config(resources: dict[str, Any], expected: list[str]) -> None:
    assert broken(resources, **SECTIONS) == expected


@pytest.mark.parametrize(
    ("approved", "value"),
    [
        (ApprovedConfig("ssm", "/config"), "{{resolve:ssm:/config}}"),
        (ApprovedConfig("ssm", "/config"), "{{resolve:ssm:/config:3}}"),
        (ApprovedConfig("ssm", "/config"), {"Ref": "P"}),
        (ApprovedConfig("export", "config"), {"Fn::ImportValue": "config"}),
        (ApprovedConfig("export", "config-x"), {"Fn::ImportValue": {"Fn::Sub": "config-x"}}),
    ],
)
def test_what_holds_the_configs_arn_can_be_approved_by_its_name(approved: ApprovedConfig, value: Any) -> None:
    policy = replace(POLICY, templates=TemplateTerms(approved_configs=(approved,)))
    parameters = {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/config"}}
    assert broken({"F": function(CodeSigningConfigArn=value)}, policy, Parameters=parameters) == []


CONFIGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "good": ({"C": config()}, []),
    "warns": ({"C": config(mode="Warn")}, ["LCS104 C"]),
    "mode-is-a-parameter": ({"C": config(mode={"Ref": "P"})}, ["LCS104 C"]),
    "undeclared": ({"C": config(mode=None)}, ["LCS105 C"]),
    "unknown": ({"C": config(PUBLISHER.replace("team_app", "evil_app"))}, ["LCS118 C"]),
    "parameter": ({"C": config({"Ref": "P"})}, ["LCS119 C"]),
    "own-profile": ({"C": config({GET: ["P", "ProfileVersionArn"]}), "P": profile()}, ["LCS118 C"]),
    "own-profile-name": ({"C": config({GET: ["P", "ProfileName"]}), "P": profile()}, ["LCS116 C"]),
    "known-profile-made-here": (
        {"C": config({GET: ["P", "ProfileVersionArn"]}), "P": profile(ProfileName="team_app")},
        [],
    ),
    "no-arn": ({"C": config("MyProfile-profileVersionArn")}, ["LCS116 C"]),
    "none": ({"C": config({"Ref": "AWS::NoValue"})}, ["LCS117 C"]),
    "21": (
        {"C": config(*[f"{PUBLISHER[:-2]}{number}" for number in range(10, 31)])},
        ["LCS117 C", *["LCS118 C"] * 21],
    ),
    "notation-profile": (
        {
            "C": config({GET: ["P", "ProfileVersionArn"]}),
            "P": profile(ProfileName="team_app", PlatformId="Notation-OCI-SHA384-ECDSA"),
        },
        ["LCS405 C"],
    ),
    "notation-profile-nobody-trusts": ({"P": profile(PlatformId="Notation-OCI-SHA384-ECDSA")}, []),
}


@pytest.mark.parametrize(("resources", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_trusts_known_publishers_and_enforces(resources: dict[str, Any], expected: list[str]) -> None:
    assert broken(resources, Parameters={"P": {"Type": "String"}} if "P" not in resources else {}) == expected


def test_a_config_may_warn_where_the_organization_only_warns() -> None:
    policy = replace(POLICY, mode=Mode.WARN)
    assert broken({"C": config(mode="Warn")}, policy) == []
    assert broken({"C": config(mode=None)}, policy) == ["LCS105 C"]


def test_a_profile_of_the_allowed_name_in_another_account_is_not_the_allowed_one() -> None:
    stranger = replace(POLICY, allowed_publishers=(replace(POLICY.allowed_publishers[0], account="999999999999"),))
    resources = {"C": config({GET: ["P", "ProfileVersionArn"]}), "P": profile(ProfileName="team_app")}
    assert broken(resources, stranger) == ["LCS118 C"]


def test_a_violation_tells_all_that_a_person_needs() -> None:
    (violation,) = judge({"F": {**function(CodeSigningConfigArn=None), "Metadata": {"aws:cdk:path": "S/F/Resource"}}})
    assert violation.to_dict() == {
        "rule": "LCS101",
        "title": "A function has no code signing config",
        "severity": "fatal",
        "fails": True,
        "message": "The function has no code signing config",
        "remedy": "Set CodeSigningConfigArn to the organization's config; in CDK, apply RequireCodeSigning to the app",
        "logical_id": "F",
        "template": "app.json",
        "construct_path": "S/F/Resource",
        "location": "Properties/CodeSigningConfigArn",
        "exempted_by": None,
        "documentation": "docs/rules.md#lcs101",
    }
    assert str(violation).splitlines()[0] == "FATAL LCS101 app.json: S/F/Resource (Properties/CodeSigningConfigArn)"
