"""Who asks: each guardrail by itself and beside AdministratorAccess, and what the table expects of it there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from constructs_pkg.guardrails import (
    GuardrailIntent,
    PolicyDocument,
    developer_policies,
    permissions_boundary,
    service_control_policies,
)
from tests.guardrails.asking import DEVELOPER, Expect, Row
from tests.guardrails.iam_evaluator import Decision, Match, decide, matches
from tests.guardrails.intents import ACCOUNT

ADMINISTRATOR_ACCESS: Mapping = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "AdministratorAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
STACK_SETS = f"arn:aws:iam::{ACCOUNT}:role/stacksets-exec-5a2b3c4d"
REMEDIATOR = f"arn:aws:iam::{ACCOUNT}:role/acme-drift-remediator"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/admin"
PIPELINE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-west-1"


@dataclass(frozen=True)
class Scenario:
    """One guardrail, one principal, and how the guardrail's statements come together with the others.

    ``kind`` names the column of the table. ``decide`` takes the matches of the guardrail's statements and those of
    AdministratorAccess. ``expected`` turns the table's expectation into the decision here.
    """

    name: str
    kind: str
    principal: str
    decide: Callable[[list[Match], list[Match]], Decision]
    expected: Callable[[Expect], Decision]

    def request(self, row: Row):
        return replace(row.request, principal=self.principal)

    def decision(self, documents: list[Mapping], row: Row) -> Decision:
        request = self.request(row)
        return self.decide(matches(documents, request), matches([ADMINISTRATOR_ACCESS], request))

    def expectation(self, row: Row) -> Decision | None:
        expected = getattr(row, self.kind)
        return None if expected is None else self.expected(expected)


def as_written(expect: Expect) -> Decision:
    return Decision(expect.granted, expect.denied_by)


def granted_by_somebody(expect: Expect) -> Decision:
    return Decision(granted=True, denied_by=expect.denied_by)


def always_allowed(_expect: Expect) -> Decision:
    return Decision(granted=True, denied_by=frozenset())


def under_service_control(ours: list[Match], administrator: list[Match]) -> Decision:
    """``FullAWSAccess`` says of every request what AdministratorAccess says, and stands at every level."""
    return decide(administrator, None, [administrator, [*administrator, *ours]])


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("developer policies alone", "developer", DEVELOPER, lambda ours, _: decide(ours, None, []), as_written),
    Scenario(
        "developer policies beside AdministratorAccess",
        "developer",
        DEVELOPER,
        lambda ours, administrator: decide([*ours, *administrator], None, []),
        granted_by_somebody,
    ),
    Scenario(
        "boundary of a pipeline with AdministratorAccess",
        "boundary",
        PIPELINE,
        lambda ours, administrator: decide(administrator, ours, []),
        as_written,
    ),
    Scenario("SCP, the account's administrator", "scp", ADMINISTRATOR, under_service_control, granted_by_somebody),
    Scenario("SCP, StackSets", "scp", STACK_SETS, under_service_control, always_allowed),
    Scenario("SCP, the remediator", "scp", REMEDIATOR, under_service_control, always_allowed),
)


def as_data(documents: tuple[PolicyDocument, ...]) -> list[Mapping]:
    """Return documents as IAM would read them: from their JSON."""
    return [json.loads(document.to_json()) for document in documents]


def documents_of(kind: str, intent: GuardrailIntent) -> list[Mapping]:
    make = {
        "developer": developer_policies,
        "boundary": lambda intent: (permissions_boundary(intent),),
        "scp": service_control_policies,
    }[kind]
    return as_data(make(intent))
