"""Removing or loosening any single thing in any guardrail makes at least one row of the table fail."""

from collections.abc import Mapping

import pytest

from tests.guardrails.iam_evaluator import Match, match, matches, statements_of
from tests.guardrails.intents import INTENT
from tests.guardrails.mutants import mutants_of
from tests.guardrails.request_table import ROWS
from tests.guardrails.scenarios import ADMINISTRATOR_ACCESS, SCENARIOS, documents_of


class Case:
    """One row asked of one scenario, with the answers of all statements remembered: a mutant changes only one."""

    def __init__(self, scenario, row, statements: list[Mapping]) -> None:
        self.scenario = scenario
        self.request = scenario.request(row)
        self.expected = scenario.expectation(row)
        self.administrator = matches([ADMINISTRATOR_ACCESS], self.request)
        self.ours = [match(statement, self.request) for statement in statements]

    def decision(self, ours: list[Match]):
        return self.scenario.decide(ours, self.administrator)

    def notices(self, index: int, mutant: Mapping | None) -> bool:
        replacement = [] if mutant is None else [match(mutant, self.request)]
        if mutant is not None and replacement[0] == self.ours[index]:
            return False
        return self.decision([*self.ours[:index], *replacement, *self.ours[index + 1 :]]) != self.expected


@pytest.mark.parametrize("kind", ["developer", "boundary", "scp"])
def test_no_mutant_of_a_guardrail_survives_the_table(kind: str) -> None:
    statements = [statement for document in documents_of(kind, INTENT) for statement in statements_of(document)]
    cases = [
        Case(scenario, row, statements)
        for scenario in SCENARIOS
        if scenario.kind == kind
        for row in ROWS
        if scenario.expectation(row) is not None
    ]
    assert all(case.decision(case.ours) == case.expected for case in cases)
    mutants = [(index, *found) for index, statement in enumerate(statements) for found in mutants_of(statement)]
    survivors = [name for index, name, mutant in mutants if not any(case.notices(index, mutant) for case in cases)]
    assert survivors == []
    assert len(mutants) > 4 * len(statements)
