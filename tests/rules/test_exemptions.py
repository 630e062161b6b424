"""Exemptions are honoured, reported, and turn into violations when they run out; a crash is a violation."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from constructs_pkg.rules import CheckContext, Resource, Template, check_template
from constructs_pkg.signing.policy import CodeSigningPolicy, PolicyOrigin
from constructs_pkg.signing.template_terms import TemplateExemption
from constructs_pkg.signing.trust import TrustStore
from tests.rules.judging import POLICY, VERIFIED_AT, broken, function, judge

UNSIGNED: dict[str, Any] = {"F": {**function(Code="unsigned.zip", FunctionName="legacy-import")}}
LAST_DAY = date(2026, 11, 23)


def exempting(**values: Any) -> CodeSigningPolicy:
    item = TemplateExemption(**{"owner": "a@b.c", "reason": "vendor", "expires": LAST_DAY, **values})
    return replace(POLICY, templates=replace(POLICY.templates, exemptions=(item,)))


@pytest.mark.parametrize(
    "values",
    [
        {"functions": "legacy-*"},
        {"functions": "legacy-import"},
        {"construct_path": "app/*"},
        {"construct_path": "*/F", "rules": ("LCS201",)},
    ],
)
def test_what_is_exempted_passes_and_is_reported(values: dict[str, Any]) -> None:
    (found,) = judge(UNSIGNED, exempting(**values))
    (pattern,) = [value for value in values.values() if isinstance(value, str)]
    kind = "functions" if "functions" in values else "construct path"
    assert (found.rule.id, found.fails) == ("LCS201", False)
    assert found.exempted_by == f"exemption for {kind} {pattern} by a@b.c until 2026-11-23: vendor"


@pytest.mark.parametrize(
    "values",
    [
        {"functions": "import*"},
        {"functions": "LEGACY-*"},
        {"construct_path": "app/*/F"},
        {"functions": "legacy-*", "rules": ("LCS101",)},
    ],
)
def test_what_is_not_meant_fails_as_before(values: dict[str, Any]) -> None:
    assert [item.fails for item in judge(UNSIGNED, exempting(**values))] == [True]


def test_a_name_that_only_the_deployment_knows_is_not_exempted_by_name() -> None:
    for name in ({"Ref": "P"}, {"Fn::Sub": "legacy-${P}"}, {"Fn::If": ["C", "legacy-a", "legacy-b"]}):
        resources = {"F": function(Code="unsigned.zip", FunctionName=name)}
        found = judge(resources, exempting(functions="legacy-*"), Parameters={"P": {"Type": "String"}})
        assert [item.fails for item in found] == [True]


def test_the_construct_path_is_the_one_of_the_template_where_it_says_so() -> None:
    resources = {"F": {**UNSIGNED["F"], "Metadata": {"aws:cdk:path": "Shop/Import/Resource"}}}
    assert [item.fails for item in judge(resources, exempting(construct_path="Shop/Import/*"))] == [False]
    assert [item.fails for item in judge(resources, exempting(construct_path="app/*"))] == [True]


def test_an_exemption_holds_on_its_last_day_and_is_a_violation_from_the_next_on() -> None:
    policy = exempting(functions="legacy-*")
    last, after = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
    assert [(item.rule.id, item.fails) for item in judge(UNSIGNED, policy, last)] == [("LCS201", False)]
    found = judge(UNSIGNED, policy, after)
    assert [(item.rule.id, item.fails) for item in found] == [("LCS201", True), ("LCS601", True)]
    assert found[1].message == ("No longer holds: exemption for functions legacy-* by a@b.c until 2026-11-23: vendor")


def test_another_exemption_that_holds_takes_the_place_of_one_that_ran_out() -> None:
    old = exempting(functions="legacy-*", expires=date(2026, 1, 1)).templates.exemptions
    new = exempting(functions="legacy-import", expires=date(2027, 1, 1)).templates.exemptions
    policy = replace(POLICY, templates=replace(POLICY.templates, exemptions=(*old, *new)))
    assert [item.fails for item in judge(UNSIGNED, policy)] == [False]


def test_a_rule_that_crashes_is_a_violation_that_nothing_exempts_from_and_the_others_go_on() -> None:
    class Crashing:
        def artifact_of(self, resource: Resource) -> Any:
            raise RuntimeError(f"no idea about {resource.logical_id}")

    policy = exempting(construct_path="app/*")
    template = Template({"Resources": {"F": function(Layers=["arn:x"])}}, "app.json")
    found = check_template(template, context=CheckContext(policy, VERIFIED_AT, Crashing()))
    assert [(item.rule.id, item.fails) for item in found] == [("LCS901", True), ("LCS901", True), ("LCS307", False)]
    assert found[1].message == "check_code failed: RuntimeError: no idea about F"


@pytest.mark.parametrize(
    ("policy", "message", "remedy"),
    [
        (
            replace(
                POLICY,
                origin=PolicyOrigin(None, datetime(2026, 1, 1, tzinfo=UTC), "s3://x/policy.json"),
                max_age_days=9,
            ),
            (
                "origin.retrieved_at: the policy was retrieved at 2026-01-01T00:00:00+00:00 and is good for 9 days, "
                "until 2026-01-10T00:00:00+00:00"
            ),
            "Fetch the present one from s3://x/policy.json",
        ),
        (
            replace(POLICY, trust=TrustStore()),
            "trust_roots: no trust root is known, so no signature can be judged",
            "Pin the root of an archive that AWS Signer has just signed for your own account",
        ),
    ],
    ids=["stale", "without-root"],
)
def test_a_policy_that_cannot_be_used_is_a_violation_which_says_what_to_fetch(
    policy: CodeSigningPolicy, message: str, remedy: str
) -> None:
    (found,) = judge({"F": function()}, policy)
    assert (found.rule.id, found.fails, found.message, found.remedy) == ("LCS903", True, message, remedy)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, []),
        ({"Resources": None}, []),
        ({"Resources": {"F": None}}, []),
        ({"Resources": {"F": {"Type": 7}}}, []),
        ({"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}, ["LCS101", "LCS213"]),
        ({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": []}}}, ["LCS101", "LCS213"]),
        ({"Resources": {"Fn::ForEach::X": ["only"]}}, ["LCS902"]),
        ({"Resources": {f"R{number}": {} for number in range(10_001)}}, ["LCS902"]),
        ({"Resources": {"Fn::Transform": {"Name": "AWS::Include"}}}, ["LCS905"]),
        ({"Transform": "MyMacro", "Resources": {}}, ["LCS905"]),
        ({"Resources": {"M": {"Type": "Acme::Shop::Handler::MODULE"}}}, ["LCS905"]),
        ({"Transform": ["AWS::Serverless-2016-10-31", {"Name": "AWS::LanguageExtensions"}]}, []),
    ],
)
def test_odd_templates_give_violations_and_no_exception(document: dict[str, Any], expected: list[str]) -> None:
    found = check_template(document, context=CheckContext(POLICY, VERIFIED_AT))
    assert [item.rule.id for item in found] == expected


def test_a_loop_gives_each_function_its_own_verdict() -> None:
    body = {"${Name}Handler": function(Code={"Fn::Sub": "${Name}.zip"}, Role={"Ref": "Name"})}
    resources = {"Fn::ForEach::Handlers": ["Name", ["signed", "unsigned"], body]}
    assert broken(resources) == ["LCS201 unsignedHandler"]
    assert broken({"Fn::ForEach::Handlers": ["Name", {"Ref": "Names"}, body]}) == ["LCS213 ${Name}Handler"]
