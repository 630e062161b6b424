"""Which rules each recorded event meets: those of the member, of drift remediation, of the monitor."""

import json

import pytest

from constructs_pkg.cdk import drift_triggers, signing_monitor
from constructs_pkg.cdk.tampering_rules import tampering_patterns
from constructs_pkg.guardrails import MemberAccount
from constructs_pkg.runtime.drift.events import Tampering, Target, parse_event
from tests.cdk.event_patterns import pattern_matches
from tests.drift.world import EXPECTATIONS
from tests.recorded.recordings import ACCOUNT, RECORDS, event_of, varied

PATTERNS = tampering_patterns(
    MemberAccount(
        prefix="acme",
        organization_id="o-a1b2c3d4e5",
        partition="aws",
        account=ACCOUNT,
        security_account="222222222222",
        home_region="eu-west-1",
    )
)
FORWARDED = {
    "AttachRolePolicy": "guards",  # to the auditor
    "CreateFunction": "deployments",
    "CreateFunction-2016": "deployments",
    "CreatePolicyVersion": "guards",  # of a guardrail
    "DeletePolicy": "guards",  # a guardrail
    "DeleteRolePolicy": "guards",  # of the remediator
    "DeleteRule": "guards",  # of the rule "changes"
    "DetachRolePolicy": "guards",  # a guardrail from a developer
    "PutParameter": "guards",
    "UpdateAssumeRolePolicy": "guards",  # of the remediator
}
"""All other recorded events stay in their account."""
OUR_NAMES = ("acme-guardrail-", "acme-drift-", "acme-code-signing-", "/lambda-code-signing/")


def rules_of(event: dict) -> list[str]:
    return [name for name, pattern in PATTERNS.items() if pattern_matches(pattern, event)]


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_event_is_forwarded_by(name: str) -> None:
    assert rules_of(event_of(name)) == ([FORWARDED[name]] if name in FORWARDED else [])


@pytest.mark.parametrize("name", FORWARDED)
def test_what_is_forwarded_of_recorded_changes_starts_a_run(name: str) -> None:
    (started,) = (one for one, pattern in drift_triggers._PATTERNS.items() if pattern_matches(pattern, event_of(name)))
    assert started == {"deployments": "Configs"}.get(FORWARDED[name], "Baseline")


@pytest.mark.parametrize("name", [name for name, rule in FORWARDED.items() if rule == "guards"])
def test_the_same_call_on_what_belongs_to_somebody_else_is_not_forwarded(name: str) -> None:
    text = json.dumps(event_of(name))
    for ours in OUR_NAMES:
        text = text.replace(ours, "payments-")
    assert rules_of(json.loads(text)) == []


@pytest.mark.parametrize("name", FORWARDED)
def test_the_same_call_is_not_forwarded_where_it_was_refused(name: str) -> None:
    event = event_of(name)
    assert rules_of(varied(event, detail=event["detail"] | {"errorCode": "AccessDenied"})) == []


ROLE_CALLS = {
    "AttachRolePolicy": "AttachRolePolicy",
    "DeleteRole": "DeleteRole",
    "DeleteRolePolicy": "DeleteRolePolicy",
    "DetachRolePolicy": "DetachRolePolicy",
    "PutRolePolicy": "PutRolePolicy",
    "UpdateAssumeRolePolicy": "UpdateAssumeRolePolicy",
    # Only refused ones were recorded, without parameters: these have the parameters that botocore's model tells.
    "PutRolePermissionsBoundary": "DeleteRolePolicy",
    "DeleteRolePermissionsBoundary": "DeleteRolePolicy",
    "UpdateRole": "DeleteRolePolicy",
}


@pytest.mark.parametrize("call", ROLE_CALLS)
@pytest.mark.parametrize(
    ("role", "rules"),
    [
        ("acme-drift-remediator", ["guards"]),
        ("acme-code-signing-auditor", ["guards"]),
        ("acme-code-signing-forwarder-eu-west-1", ["guards"]),
        ("acme-drift-remediator-2", []),
        ("payments-execution", []),
    ],
)
def test_whatever_is_done_to_a_role_of_ours_is_forwarded_and_starts_a_run(call: str, role: str, rules: list) -> None:
    event = event_of(ROLE_CALLS[call])
    parameters = event["detail"]["requestParameters"] | {"roleName": role}
    if "policyArn" in parameters:
        parameters["policyArn"] = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    made = varied(event, detail=varied(event["detail"], eventName=call, requestParameters=parameters))
    assert rules_of(made) == rules
    (started,) = (one for one, pattern in drift_triggers._PATTERNS.items() if pattern_matches(pattern, made))
    assert started == "Baseline"
    assert parse_event(made, EXPECTATIONS) == Tampering(
        Target(ACCOUNT, None), f"iam:{call}", f"arn:aws:iam::{ACCOUNT}:user/alice", event["detail"]["eventID"]
    )


@pytest.mark.parametrize(
    ("rule", "watched_by"),
    [("changes", "guards"), ("deployments", "guards"), ("alarms", "guards"), ("guards", "changes")],
)
@pytest.mark.parametrize("call", ["DeleteRule", "DisableRule", "PutRule", "PutTargets", "RemoveTargets"])
def test_a_rule_is_watched_by_another_one(call: str, rule: str, watched_by: str) -> None:
    """Only DeleteRule was recorded with its members; the others have those of botocore's model."""
    event = event_of("DeleteRule")
    key = "rule" if call.endswith("Targets") else "name"
    for name, rules in ((f"acme-code-signing-{rule}", [watched_by]), ("acme-code-signing-dashboard", [])):
        record = varied(event["detail"], eventName=call, requestParameters={key: name})
        assert rules_of(varied(event, detail=record)) == rules
    assert watched_by != rule


def test_every_rule_is_watched() -> None:
    assert sorted(PATTERNS) == ["alarms", "changes", "deployments", "guards"]


@pytest.mark.parametrize(
    ("call", "parameters", "rules"),
    [
        ("DeleteParameter", {"name": "/lambda-code-signing/code-signing-configs/payments/arn"}, ["guards"]),
        ("DeleteParameters", {"names": ["/payments", "/lambda-code-signing/x"]}, ["guards"]),
        ("DeleteParameters", {"names": ["/payments", "/notices"]}, []),
        ("DeleteParameter", {"name": "/payments"}, []),
    ],
)
def test_parameters_that_are_deleted_one_by_one_or_together_are_told(call: str, parameters: dict, rules: list) -> None:
    """The list ``names`` is that of the recorded GetParameters; no deletion was recorded."""
    assert list(event_of("GetParameters")["detail"]["requestParameters"]) == ["names"]
    event = event_of("PutParameter")
    assert (
        rules_of(varied(event, detail=varied(event["detail"], eventName=call, requestParameters=parameters))) == rules
    )


CHANGE_SET = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:changeSet/x/a1b2c3d4-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("call", "parameters", "rules"),
    [
        ("ExecuteChangeSet", {"changeSetName": CHANGE_SET}, ["guards"]),
        ("ExecuteChangeSet", {"changeSetName": "x", "stackName": "StackSet-acme-code-signing-first-0c0d"}, ["guards"]),
        ("ExecuteChangeSet", {"changeSetName": CHANGE_SET, "stackName": "payments"}, []),
        ("ExecuteStackRefactor", {"stackRefactorId": "a1b2c3d4-0000-4000-8000-000000000001"}, ["guards"]),
        ("UpdateStack", {}, []),
    ],
)
def test_a_change_set_that_may_be_of_our_stack_is_told(call: str, parameters: dict, rules: list) -> None:
    """No execution of a change set was recorded: the envelope is that of CreateStack, members as botocore's model."""
    event = event_of("CreateStack")
    assert (
        rules_of(varied(event, detail=varied(event["detail"], eventName=call, requestParameters=parameters))) == rules
    )


DEPLOYMENTS = {name for name in RECORDS if name.startswith(("CreateFunction", "UpdateFunction"))}


@pytest.mark.parametrize("name", RECORDS)
def test_the_monitor_keeps_recorded_deployments(name: str) -> None:
    kept = [one for one, pattern in signing_monitor._EVENTS.items() if pattern_matches(pattern, event_of(name))]
    assert kept == (["Deployments"] if name in DEPLOYMENTS else ["MemberAlarms"] if name.startswith("Alarm") else [])


@pytest.mark.parametrize(("state", "rules"), [("ALARM", ["alarms"]), ("OK", []), ("INSUFFICIENT_DATA", [])])
def test_an_alarm_of_ours_is_forwarded_when_it_goes_off(state: str, rules: list) -> None:
    """Recorded is one that calmed down."""
    event = event_of("AlarmStateChange-calmed")
    detail = varied(event["detail"], state=event["detail"]["state"] | {"value": state})
    assert rules_of(varied(event, detail=detail)) == rules
    assert rules_of(varied(event, detail=varied(detail, alarmName="payments-errors"))) == []


@pytest.mark.parametrize("status", ["MISMATCH", "EXPIRED", "REVOKED", "SOMETHING_NEW"])
def test_a_status_where_one_was_recorded_is_forwarded_unless_it_is_valid(status: str) -> None:
    event = event_of("UpdateFunctionCode")
    bad = varied(event, detail=varied(event["detail"], additionalEventData={"signatureStatus": status}))
    assert rules_of(bad) == ["deployments"]
    assert rules_of(varied(event, detail=event["detail"] | {"additionalEventData": {"signatureStatus": "VALID"}})) == []


@pytest.mark.parametrize("code", ["CodeVerificationFailedException", "InvalidCodeSignatureException"])
def test_a_deployment_that_lambda_refuses_for_its_signature_is_forwarded(code: str) -> None:
    event = event_of("UpdateFunctionCode-denied")
    assert rules_of(varied(event, detail=varied(event["detail"], errorCode=code))) == ["deployments"]
