"""The proof once more, for the policies of the member template with the account's own config in them."""

import json
from dataclasses import replace

import aws_cdk as cdk
import pytest

from constructs_pkg.cdk.member_baseline import MemberApplication, MemberBaseline
from constructs_pkg.cdk.stack_set_template import StackSetTemplate
from tests.cdk.conftest import new_app
from tests.cdk.resolving import resolved
from tests.guardrails.asking import Row, ask, create, function
from tests.guardrails.intents import ACCOUNT, APPROVED, APPROVED_TOO, INTENT
from tests.guardrails.request_table import ROWS
from tests.guardrails.scenarios import SCENARIOS
from tests.guardrails.test_member_roles import MEMBER

FLOOR = "DenyForeignConfig"
REGIONS = ("eu-west-1", "eu-central-1")
SHARED, OWN, BOUNDARY = (
    "acme-guardrail-developer-1",
    "acme-guardrail-payments-developer",
    "acme-guardrail-payments-boundary",
)


@pytest.fixture(scope="module")
def template() -> dict:
    """The member template of the table's intent, for two Regions."""
    app = new_app()
    stack = cdk.Stack(app, "Stack")
    intent = replace(INTENT, account=cdk.Aws.ACCOUNT_ID, regions=REGIONS, sibling_regions=(), approved_configs=())
    written = StackSetTemplate(stack, "Template", name="test")
    member = replace(MEMBER, account=cdk.Aws.ACCOUNT_ID)
    MemberBaseline(written, "Baseline", member=member, applications=[MemberApplication(name="payments", intent=intent)])
    cdk.CfnStackSet(
        stack,
        "StackSet",
        stack_set_name="test",
        permission_model="SERVICE_MANAGED",
        template_body=written.template_body,
    )
    app.synth()
    return json.loads(written.text)


def policies(template: dict, region: str, configs: list[str]) -> dict[str, dict]:
    """The managed policies that one Region's stack makes, by name; a config is what its GetAtt gives."""
    resources = resolved(
        template,
        account=ACCOUNT,
        region=region,
        parameters={"IamRegion": "eu-west-1", "Mode": "Enforce", "PaymentsPublishers": []},
        attributes={
            "PaymentsConfig.CodeSigningConfigArn": configs if len(configs) > 1 else configs[0],
            "WatchForwarderRole.Arn": "arn",
        },
    )
    return {
        one["Properties"]["ManagedPolicyName"]: one["Properties"]["PolicyDocument"]
        for one in resources.values()
        if one["Type"] == "AWS::IAM::ManagedPolicy"
    }


def flattened(document: dict) -> dict:
    """A config that stands for two makes a list in a list."""

    def flat(item):
        if isinstance(item, list):
            return [one for entry in item for one in (flat(entry) if isinstance(entry, list) else [flat(entry)])]
        return {key: flat(value) for key, value in item.items()} if isinstance(item, dict) else item

    return flat(document)


@pytest.fixture(scope="module")
def documents(template) -> dict[str, list[dict]]:
    """What a developer and a bounded role have; the table approves two configs where a member account has one."""
    found = {name: flattened(one) for name, one in policies(template, "eu-west-1", [APPROVED, APPROVED_TOO]).items()}
    return {
        "developer": [found[SHARED], found[f"{OWN}-1"], found[f"{OWN}-eu-west-1"]],
        "boundary": [found[f"{BOUNDARY}-eu-west-1"]],
    }


@pytest.mark.parametrize(
    "scenario", [one for one in SCENARIOS if one.kind != "scp"], ids=lambda scenario: scenario.name
)
def test_member_policies_give_every_request_of_the_table_the_answer_that_it_must_get(scenario, documents) -> None:
    asked = [row for row in ROWS if scenario.expectation(row) is not None]
    wrong = {}
    for row in asked:
        found, wanted = scenario.decision(documents[scenario.kind], row), scenario.expectation(row)
        if wanted.denied_by:  # the floor below the regional policies stops some of what those stop
            found = replace(found, denied_by=found.denied_by - {FLOOR})
        if found != wanted:
            wrong[row.why] = (found, wanted)
    assert wrong == {}
    assert len(asked) > 80


def test_both_regions_together_hold_each_to_its_own_config(template) -> None:
    there = APPROVED.replace("eu-west-1", "eu-central-1")
    here, other = policies(template, "eu-west-1", [APPROVED]), policies(template, "eu-central-1", [there])
    attached = [here[SHARED], here[f"{OWN}-1"], here[f"{OWN}-eu-west-1"], other[f"{OWN}-eu-central-1"]]

    def allowed(request, documents=attached) -> bool:
        return SCENARIOS[0].decision(documents, Row("", request)).allowed

    assert allowed(create())
    assert allowed(create(config=there, region="eu-central-1"))
    assert allowed(ask("lambda:UpdateFunctionCode", function(region="eu-central-1"), region="eu-central-1"))
    assert not allowed(create(config=APPROVED, region="eu-central-1"))
    assert not allowed(create(config=APPROVED_TOO))
    assert not allowed(create(config=None, region="eu-central-1"))
    assert not allowed(ask("lambda:UpdateFunctionCode", function(region="us-west-2"), region="us-west-2"))


def test_where_a_regional_policy_is_missing_an_administrator_is_still_held_to_a_config_of_the_account(template) -> None:
    found = policies(template, "eu-west-1", [APPROVED])
    without = [found[SHARED], found[f"{OWN}-1"]]
    beside_administrator = SCENARIOS[1]

    def allowed(request) -> bool:
        return beside_administrator.decision(without, Row("", request)).allowed

    assert not allowed(create(config=None))
    assert not allowed(create(config=APPROVED.replace(ACCOUNT, "999999999999")))
    assert allowed(create())


def test_what_iam_has_once_is_made_by_one_region_and_no_name_is_made_twice(template) -> None:
    regions = [set(policies(template, region, [APPROVED])) for region in ("eu-west-1", "eu-central-1", "us-east-1")]
    assert regions[0] & regions[1] == regions[1] & regions[2] == set()
    assert regions[0] - {name for name in regions[0] if name.endswith("-eu-west-1")} == {
        SHARED,
        f"{OWN}-1",
        "acme-guardrail-auditor-1",
        "acme-guardrail-remediator-1",
    }
    assert regions[1] == {
        f"{OWN}-eu-central-1",
        f"{BOUNDARY}-eu-central-1",
        "acme-guardrail-forwarder-eu-central-1",
    }
