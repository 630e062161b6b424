"""Which rules each recorded event meets: those of the member, of drift remediation, of the monitor."""

import pytest

from constructs_pkg.cdk import drift_triggers, signing_monitor
from constructs_pkg.cdk.tampering_rules import tampering_patterns
from constructs_pkg.guardrails import MemberAccount
from tests.cdk.event_patterns import pattern_matches
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
    "CreateFunction": "deployments",
    "CreateFunction-2016": "deployments",
    "CreatePolicyVersion": "guards",
    "DetachRolePolicy": "guards",
    "PutParameter": "guards",
}
"""All other recorded events stay in their account."""


def rules_of(event: dict) -> list[str]:
    return [name for name, pattern in PATTERNS.items() if pattern_matches(pattern, event)]


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_event_is_forwarded_by(name: str) -> None:
    assert rules_of(event_of(name)) == ([FORWARDED[name]] if name in FORWARDED else [])


@pytest.mark.parametrize("name", FORWARDED)
def test_what_is_forwarded_of_recorded_changes_starts_a_run(name: str) -> None:
    (started,) = (one for one, pattern in drift_triggers._PATTERNS.items() if pattern_matches(pattern, event_of(name)))
    assert started == {"deployments": "Configs"}.get(FORWARDED[name], "Baseline")


DEPLOYMENTS = {name for name in RECORDS if name.startswith(("CreateFunction", "UpdateFunction"))}


@pytest.mark.parametrize("name", RECORDS)
def test_the_monitor_keeps_recorded_deployments(name: str) -> None:
    kept = [one for one, pattern in signing_monitor._EVENTS.items() if pattern_matches(pattern, event_of(name))]
    assert kept == (["Deployments"] if name in DEPLOYMENTS else [])


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
