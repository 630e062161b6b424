"""docs/rules.md tells of every rule what the rule itself says, and of no other rule."""

import re
from pathlib import Path

import pytest

from constructs_pkg.rules import RULES, Rule, Severity
from constructs_pkg.signing.policy_file import parse_policy

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
SECTIONS = {
    match["id"]: match["body"]
    for match in re.finditer(r"^### (?P<id>LCS\d{3})\n(?P<body>.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
}


def test_every_rule_has_its_section_in_the_order_of_the_ids() -> None:
    assert list(SECTIONS) == sorted(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_section_says_what_the_rule_says(rule: Rule) -> None:
    passing = {
        Severity.FATAL: "Cannot be acknowledged.",
        Severity.ERROR: "Can be acknowledged.",
        Severity.WARNING: "Fails nothing.",
        Severity.NOTE: "Fails nothing.",
    }[rule.severity]
    section = " ".join(SECTIONS[rule.id].split())
    assert section.startswith(
        f"**{rule.title}.** *{rule.severity.capitalize()}.* {passing} {rule.why} **Remedy:** {rule.remedy}."
    )


def test_ids_say_what_rules_are_about_and_link_to_their_section() -> None:
    for rule_id, rule in RULES.items():
        assert re.fullmatch(r"LCS[1-69]\d\d", rule_id)
        assert rule.id == rule_id
        assert rule.documentation == f"docs/rules.md#{rule_id.lower()}"
        assert not rule.title.endswith(".")
        assert not rule.remedy.endswith(".")
        assert rule.why.endswith(".")


def test_the_policy_file_of_the_documentation_is_one() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    terms = parse_policy(example).templates
    assert [len(part) for part in (terms.approved_configs, terms.external_layers, terms.exemptions)] == [3, 1, 2]
    assert {rule for item in terms.exemptions for rule in item.rules} <= RULES.keys()
