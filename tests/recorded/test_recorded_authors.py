"""Whom a report names for each recorded call; it passes over readers, the refused, StackSets and ourselves."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from constructs_pkg.runtime.drift.callers import caller_of, own_role_of
from constructs_pkg.runtime.drift.events import Foreign, parse_event
from constructs_pkg.runtime.drift.finding import Author, Finding
from constructs_pkg.runtime.drift.trail import with_authors
from tests.drift.world import EXPECTATIONS
from tests.recorded.recordings import ACCOUNT, RECORDS, enveloped, looked_up, record_of, varied

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
OURS = "acme-drift-remediator"
STACK_SETS = "stacksets-exec-c2f6a349c14169d235450f9b214de3d1"
NOBODY = Author(problem="CloudTrail's event history names nobody")
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role"
CALLS = tuple(name for name in RECORDS if "eventName" in record_of(name))
OTHERS = {
    "AttachRolePolicy-root-for-a-service": f"arn:aws:iam::{ACCOUNT}:root",
    "CreateFunction-2016": f"{SESSION}/PowerUser/alice",
    "DetachRolePolicy-by-a-service": f"{SESSION}/AWSServiceRoleForSSO/AWS-SSO",
    "PublishLayerVersion": f"{SESSION}/AWSReservedSSO_AdministratorAccess/alice",
    "PutRolePolicy-by-CloudFormation": f"{SESSION}/Admin/alice@example.com",
    "UpdateInstanceInformation": f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/ExampleRole/i-example1234567890",
}
"""Everything else that changed something was done by Alice."""


class Trail:
    """CloudTrail's client, with the newest event first."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self._events = events

    def lookup_events(self, **_request: Any) -> dict[str, Any]:
        return {"Events": list(self._events)}


def author(*events: dict[str, Any]) -> Author | None:
    finding = Finding("declared", "modified", "Config", "changed", "revert", "an-arn")
    (told,) = with_authors([finding], lambda _: Trail(*events), at=AT, ours=OURS)
    return told.author


def session_of(role: str, account: str = ACCOUNT) -> dict[str, Any]:
    """Return the call that CloudFormation made for a stack, as recorded, had it succeeded and been this role's."""
    record = record_of("DeleteFunction-by-CloudFormation-failed")
    made = {key: value for key, value in record.items() if key not in {"errorCode", "errorMessage"}}
    made["userIdentity"] = json.loads(
        json.dumps(made["userIdentity"]).replace("payments-deployment", role).replace(ACCOUNT, account)
    )
    return made


@pytest.mark.parametrize("name", CALLS)
def test_a_recorded_call_names_its_author_unless_it_changed_nothing(name: str) -> None:
    record = record_of(name)
    changed = "errorCode" not in record and record.get("readOnly") is not True
    expected = Author(OTHERS.get(name, ALICE), "2026-11-23T08:00:00Z", record["eventName"]) if changed else NOBODY
    assert author(looked_up(record, AT)) == expected


def test_what_was_refused_does_not_hide_who_did_it() -> None:
    refused = looked_up(record_of("DeleteFunction-by-CloudFormation-failed"), AT)
    assert author(refused, looked_up(record_of("DetachRolePolicy"), AT)) == Author(
        ALICE, "2026-11-23T08:00:00Z", "DetachRolePolicy"
    )


@pytest.mark.parametrize("role", [OURS, STACK_SETS])
def test_we_and_stack_sets_are_no_authors_and_start_no_run(role: str) -> None:
    made = session_of(role)
    assert author(looked_up(made, AT)) == NOBODY
    assert parse_event(enveloped(made), EXPECTATIONS) == Foreign(
        f"lambda:DeleteFunction was made by {role}: by us, or by StackSets"
    )
    without_session = varied(
        made, userIdentity={k: v for k, v in made["userIdentity"].items() if k != "sessionContext"}
    )
    assert (own_role_of(without_session, OURS, ACCOUNT), author(looked_up(without_session, AT))) == (role, NOBODY)


@pytest.mark.parametrize(
    ("role", "account"),
    [(OURS, "999999999999"), (STACK_SETS, "999999999999"), ("stacksets-exec-evil", ACCOUNT), (f"{OURS}-2", ACCOUNT)],
)
def test_a_role_that_is_called_like_ours_is_somebody(role: str, account: str) -> None:
    made = session_of(role, account)
    arn = f"arn:aws:sts::{account}:assumed-role/{role}/AWSCloudFormation"
    assert author(looked_up(made, AT)) == Author(arn, "2026-11-23T08:00:00Z", "DeleteFunction20150331")
    assert getattr(parse_event(enveloped(made), EXPECTATIONS), "by", None) == arn


# Kinds of callers, with the members that CloudTrail's guide and public readers of real records tell of; not recorded.
@pytest.mark.parametrize(
    ("identity", "named"),
    [
        ({"type": "IAMUser", "arn": ALICE, "userName": "alice"}, ALICE),
        ({"type": "IAMUser", "userName": "alice", "accessKeyId": ""}, "alice"),
        (
            {"type": "WebIdentityUser", "principalId": "provider:x", "userName": "organization:acme"},
            "organization:acme",
        ),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}, "principalId": "p-1"}, "u-1"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "999999999999"}, "AIDAEXAMPLE"),
        ({"accountId": ACCOUNT}, ACCOUNT),
        ({"type": "Unknown", "principalId": "", "arn": "", "accountId": ACCOUNT}, ACCOUNT),
        ({"type": "AWSService", "invokedBy": "eks.amazonaws.com"}, "eks.amazonaws.com"),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_caller_without_an_arn_is_named_by_the_next_best(identity: object, named: str) -> None:
    record = varied(record_of("PutParameter"), userIdentity=identity)
    assert caller_of(record) == named
    assert getattr(parse_event(enveloped(record), EXPECTATIONS), "by", None) == (
        named or "somebody whom the event does not name"
    )
    event = looked_up(record_of("PutParameter"), AT, CloudTrailEvent=json.dumps(record))
    assert author(event) == Author(named or "alice", "2026-11-23T08:00:00Z", "PutParameter")


@pytest.mark.parametrize("record", ["", "no json", "[]", "[" * 100_000, '{"userIdentity": ["x"]}'])
def test_a_record_that_cannot_be_read_leaves_the_name_of_the_listing(record: str) -> None:
    event = looked_up(record_of("PutParameter"), AT, CloudTrailEvent=record)
    assert author(event) == Author("alice", "2026-11-23T08:00:00Z", "PutParameter")
