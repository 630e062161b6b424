"""The service control policies in the management account: attached where a wave says so, as they were proved."""

import json
from pathlib import Path

import aws_cdk as cdk
import pytest

from constructs_pkg.cdk.organization_guardrail import (
    OrganizationGuardrail,
    OrganizationGuardrailStack,
    organization_intent,
)
from constructs_pkg.errors import ConstructError
from constructs_pkg.organization import read_organization
from tests.cdk.conftest import FLAGS, new_app
from tests.cdk.test_code_signing_rollout import AT, EXAMPLE
from tests.guardrails.intents import INTENT
from tests.guardrails.request_table import ROWS
from tests.guardrails.scenarios import SCENARIOS

UNITS = ["ou-a1b2-00000003", "ou-a1b2-00000004"]


def policies_of(app: cdk.App, stack: cdk.Stack) -> list[dict]:
    template = json.loads(Path(app.synth().directory, stack.template_file).read_text("utf-8"))
    found = [one for one in template.get("Resources", {}).values() if one["Type"] == "AWS::Organizations::Policy"]
    return [one["Properties"] for one in found]


def test_policies_are_attached_to_the_units_of_the_waves_that_say_so_and_to_no_other() -> None:
    app = new_app(FLAGS)
    stack = OrganizationGuardrailStack(app, "Guardrail", organization=read_organization(EXAMPLE, "test.toml", at=AT))
    policies = policies_of(app, stack)
    assert (stack.account, stack.termination_protection) == ("111111111111", True)
    assert [(one["Name"], one["Type"], one["TargetIds"]) for one in policies] == [
        ("acme-guardrail-1", "SERVICE_CONTROL_POLICY", UNITS),
        ("acme-guardrail-2", "SERVICE_CONTROL_POLICY", UNITS),
    ]
    documents = stack.guardrail.documents
    assert {one["Name"]: one["Content"] for one in policies} == {
        name: document.to_json() for name, document in documents.items()
    }
    assert [size.characters for size in stack.guardrail.sizes] == [len(one["Content"]) for one in policies]
    assert all(size.characters <= size.limit_characters for size in stack.guardrail.sizes)


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.kind == "scp"], ids=lambda one: one.name)
def test_what_is_attached_gives_every_request_of_the_table_the_answer_that_it_must_get(scenario) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Management")
    OrganizationGuardrail(stack, "Guardrail", intent=INTENT, target_ids=UNITS)
    documents = [json.loads(one["Content"]) for one in policies_of(app, stack)]
    asked = [row for row in ROWS if scenario.expectation(row) is not None]
    wrong = {row.why for row in asked if scenario.decision(documents, row) != scenario.expectation(row)}
    assert wrong == set()
    assert len(asked) > 80


def test_a_dry_run_attaches_nothing_and_has_the_documents() -> None:
    app = new_app()
    stack = cdk.Stack(app, "Management")
    guardrail = OrganizationGuardrail(stack, "Guardrail", intent=INTENT, target_ids=[], dry_run=True)
    assert policies_of(app, stack) == []
    assert list(guardrail.documents) == ["acme-guardrail-1", "acme-guardrail-2"]


def test_nothing_to_attach_to_and_nobody_to_guard_are_refused() -> None:
    with pytest.raises(ConstructError, match="target_ids is empty"):
        OrganizationGuardrail(cdk.Stack(new_app(), "Stack"), "Guardrail", intent=INTENT, target_ids=[])
    text = EXAMPLE[: EXAMPLE.index("[[developer_guardrails]]")] + EXAMPLE[EXAMPLE.index("[[exemptions]]") :]
    with pytest.raises(ConstructError, match=r"no \[\[developer_guardrails\]\]"):
        organization_intent(read_organization(text, "test.toml", at=AT))
