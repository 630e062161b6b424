"""The proof: every request of the table, to every guardrail, for everybody whom it binds or exempts."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guardrails.asking import FOREIGN_LAYER, LAYER, Row, ask, create, function, profile, role
from tests.guardrails.iam_evaluator import DATA, action_details, glob
from tests.guardrails.intents import APPROVED, INTENT, LEAST, SELF_MANAGED
from tests.guardrails.request_table import ROWS
from tests.guardrails.scenarios import SCENARIOS, documents_of

DOCUMENTS = {kind: documents_of(kind, INTENT) for kind in ("developer", "boundary", "scp")}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_request_of_the_table_gets_the_answer_that_it_must_get(scenario) -> None:
    asked = [row for row in ROWS if scenario.expectation(row) is not None]
    wrong = {
        row.why: (decision, scenario.expectation(row))
        for row in asked
        if (decision := scenario.decision(DOCUMENTS[scenario.kind], row)) != scenario.expectation(row)
    }
    assert wrong == {}
    assert len(asked) > 80


def test_no_two_rows_tell_the_same_story() -> None:
    stories = [row.why for row in ROWS]
    assert sorted(set(stories)) == sorted(stories)


def sids(kind: str) -> set[str]:
    return {statement["Sid"] for document in DOCUMENTS[kind] for statement in document["Statement"]}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_deny_of_a_document_answers_an_attack_of_the_table(kind: str) -> None:
    answered = set().union(*(getattr(row, kind).denied_by for row in ROWS if getattr(row, kind) is not None))
    assert {sid for sid in sids(kind) if sid.startswith("Deny")} == answered


def actions_of(kind: str) -> set[str]:
    found: set[str] = set()
    for document in DOCUMENTS[kind]:
        for statement in document["Statement"]:
            for name in ("Action", "NotAction"):
                value = statement.get(name, [])
                found |= {value} if isinstance(value, str) else set(value)
    return found


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_action_is_in_the_service_authorization_data(kind: str) -> None:
    unknown = []
    for action in sorted(actions_of(kind)):
        service, _, name = action.partition(":")
        known = DATA.actions.get_actions_for_service(service) if DATA.services.service_exists(service) else []
        if not any(glob(name.lower(), other.lower()) for other in known):
            unknown.append(action)
    assert unknown == []


def statement_actions(statement) -> list[str]:
    value = statement.get("Action", [])
    patterns = [value] if isinstance(value, str) else value
    return [
        f"{service}:{name}"
        for service, _, pattern in (entry.partition(":") for entry in patterns)
        for name in DATA.actions.get_actions_for_service(service)
        if glob(pattern.lower(), name.lower())
    ]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_service_condition_key_is_one_that_all_actions_of_its_statement_have(kind: str) -> None:
    """A negated operator on a key that an action lacks would deny that action always, and a positive one never."""
    missing = []
    for document in DOCUMENTS[kind]:
        for statement in document["Statement"]:
            keys = {key for values in statement.get("Condition", {}).values() for key in values}
            for action in statement_actions(statement):
                supported = action_details(action)["conditionKeys"]
                missing += [
                    (statement["Sid"], action, key)
                    for key in keys
                    if not key.startswith("aws:") or key == "aws:TagKeys"
                    if not any(glob(re.sub(r"\$\{\w+\}", "*", template), key) for template in supported)
                ]
    assert missing == []


def test_the_key_of_the_blog_post_does_not_exist() -> None:
    assert DATA.conditions.condition_key_exists("lambda", "lambda:CodeSigningConfigArn")
    assert not DATA.conditions.condition_key_exists("lambda", "lambda:CodeSigningConfig")


BESIDE_ADMINISTRATOR_ACCESS = {"developer": SCENARIOS[1], "boundary": SCENARIOS[2], "scp": SCENARIOS[3]}


def beside_administrator_access(kind: str, intent, request) -> bool:
    return BESIDE_ADMINISTRATOR_ACCESS[kind].decision(documents_of(kind, intent), Row("", request)).allowed


def test_without_layers_no_function_may_have_one() -> None:
    with_layer = create(lambda__Layer=(LAYER,))
    assert not beside_administrator_access("developer", LEAST, with_layer)
    assert not beside_administrator_access("developer", LEAST, create(lambda__Layer=(FOREIGN_LAYER,)))
    assert beside_administrator_access("developer", LEAST, create())


def test_without_profiles_nobody_signs() -> None:
    request = ask("signer:StartSigningJob", profile("acme_payments_g2"))
    assert beside_administrator_access("developer", INTENT, request)
    assert not beside_administrator_access("developer", LEAST, request)


def test_without_exemptions_the_service_control_policy_lets_nobody_create_an_unsigned_function() -> None:
    request = create("aws-controltower-forwarder", config=None)
    assert beside_administrator_access("scp", INTENT, request)
    assert not beside_administrator_access("scp", LEAST, request)


def test_the_role_of_self_managed_stack_sets_is_exempt_only_where_the_intent_says_so() -> None:
    name = "AWSCloudFormationStackSetExecutionRole"
    make_it = ask("iam:CreateRole", role(name))
    as_it = replace(ask("lambda:CreateCodeSigningConfig"), principal=role(name))
    scp = SCENARIOS[3]
    for intent, exempt in ((INTENT, False), (SELF_MANAGED, True)):
        documents = documents_of("scp", intent)
        assert replace(scp, principal=role(name)).decision(documents, Row("", as_it)).allowed is exempt
        assert scp.decision(documents, Row("", make_it)).allowed is not exempt


def test_a_sibling_guardrail_beside_this_one_takes_nothing_away() -> None:
    """Two Regions, two guardrails on one role: each must leave the other's Region to the other."""
    there = APPROVED.replace("eu-west-1", "eu-central-1")
    sibling = replace(INTENT, regions=("eu-central-1",), sibling_regions=("eu-west-1",), approved_configs=(there,))
    both = [*documents_of("developer", INTENT), *documents_of("developer", sibling)]
    alone = SCENARIOS[0]

    def allowed(request) -> bool:
        return alone.decision(both, Row("", request)).allowed

    assert allowed(create())
    assert allowed(create(config=there, region="eu-central-1"))
    assert not allowed(create(config=APPROVED, region="eu-central-1"))
    assert not allowed(create(config=there))
    assert not allowed(create(config=None, region="eu-central-1"))
    assert not allowed(ask("lambda:UpdateFunctionCode", function(region="us-west-2"), region="us-west-2"))


def test_the_guide_lists_every_deny_with_the_documents_that_hold_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "guardrails.md").read_text("utf-8")
    letters = {"developer": "D", "boundary": "B", "scp": "S"}
    denies = sorted(
        set().union(*map(sids, letters)) - {sid for kind in letters for sid in sids(kind) if "Allow" in sid}
    )
    expected = {sid: " ".join(letter for kind, letter in letters.items() if sid in sids(kind)) for sid in denies}
    assert dict(re.findall(r"(?m)^\| (Deny\w+) \| ([DBS ]+) \|", text)) == expected
