"""What the monitor's metric filters count: recorded deployments, and what nobody recorded as variations of them."""

import pytest

from constructs_pkg.cdk.signing_monitor import _PATTERNS
from tests.cdk.filter_patterns import filter_matches
from tests.recorded.recordings import RECORDS, enveloped, event_of, record_of, varied

DEPLOYMENT = record_of("UpdateFunctionCode")
SEEN = "additionalEventData"


def counted(event: dict) -> set[str]:
    return {name for name, pattern in _PATTERNS.items() if filter_matches(pattern, event)}


@pytest.mark.parametrize("name", RECORDS)
def test_no_recorded_event_counts_as_refused_for_its_signature_or_as_let_through(name: str) -> None:
    assert counted(event_of(name)) == set()


REFUSED, TOLERATED = "RefusedDeployments", "ToleratedDeployments"
VARIATIONS = {
    "refused: not by a trusted publisher": ({"errorCode": "CodeVerificationFailedException"}, REFUSED),
    "refused: damaged": ({"errorCode": "InvalidCodeSignatureException"}, REFUSED),
    "refused for another reason": ({"errorCode": "AccessDenied", SEEN: {"signatureStatus": "MISMATCH"}}, None),
    "let through": ({SEEN: {"signatureStatus": "MISMATCH"}}, TOLERATED),
    "let through: expired": ({SEEN: {"signatureStatus": "EXPIRED"}}, TOLERATED),
    "let through: revoked": ({SEEN: {"signatureStatus": "REVOKED"}}, TOLERATED),
    "let through: a word that we do not know": ({SEEN: {"signatureStatus": "NEW"}}, TOLERATED),
    "let through: told in a list": ({SEEN: {"codeSigning": [{"signatureStatus": "EXPIRED"}]}}, TOLERATED),
    "let through: told in the answer": ({"responseElements": {"signatureStatus": "EXPIRED"}}, TOLERATED),
    "nothing found": ({SEEN: {"signatureStatus": "VALID"}}, None),
    "nothing said": ({SEEN: {"codeSigning": []}, "responseElements": None}, None),
}


@pytest.mark.parametrize(("members", "expected"), VARIATIONS.values(), ids=VARIATIONS)
def test_a_deployment_varied_counts_once_and_only_for_its_signature(members: dict, expected: str | None) -> None:
    assert counted(enveloped(varied(DEPLOYMENT, **members))) == ({expected} if expected else set())


@pytest.mark.parametrize(("state", "expected"), [("ALARM", {"ValidationErrorAlarms"}), ("OK", set())])
def test_an_alarm_of_a_member_counts_when_it_goes_off(state: str, expected: set[str]) -> None:
    """The shape is that of the CloudWatch guide, "Alarm events and EventBridge"."""
    event = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "account": "444444444403"}
    assert counted({**event, "detail": {"alarmName": "acme", "state": {"value": state}}}) == expected
