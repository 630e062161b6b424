"""What the organization file says reaches the drift functions unchanged."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from constructs_pkg.clock import now
from constructs_pkg.organization import Organization, load_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.runtime.drift.expectations import (
    Exemption,
    ExpectedApplication,
    ExpectedStackSet,
    parse_expectations,
)
from constructs_pkg.runtime.drift.settings import Settings, SettingsError
from constructs_pkg.runtime.drift.values import DocumentError

ROOT = Path(__file__).parents[2]
APPLICATIONS = ("payments", "checkout", "customer-notices")


def example() -> Organization:
    """The example organization, without what others add to it."""
    whole = load_organization(ROOT / "organization.toml", at=now())

    def chosen(elements, key: str):
        return tuple(one for one in elements if getattr(one, key) in APPLICATIONS)

    return whole.model_copy(
        update={
            "applications": chosen(whole.applications, "name"),
            "signing_profiles": chosen(whole.signing_profiles, "application"),
            "developer_guardrails": chosen(whole.developer_guardrails, "application"),
        }
    )


DOCUMENT = drift_expectations(example())


def test_an_organization_file_becomes_what_the_functions_expect() -> None:
    found = parse_expectations(DOCUMENT)
    assert found.stack_sets == (
        ExpectedStackSet("acme-code-signing-first", "first", "Warn", "remediate", APPLICATIONS),
        ExpectedStackSet("acme-code-signing-second", "second", "Enforce", "propose", APPLICATIONS),
    )
    assert found.applications == (
        ExpectedApplication("payments", ("payments-*",)),
        ExpectedApplication("checkout", ("checkout-*", "basket-*")),
        ExpectedApplication("customer-notices", ("notices-*",)),
    )
    reason = "made by AWS Control Tower, which does not sign"
    exemption = Exemption("aws-controltower-*", "platform@acme.example", reason, date(2031, 12, 31))
    assert found.exemptions == (exemption,)
    profiles = ("acme_payments_g1", "acme_payments_g2", "acme_checkout_g1", "acme_customer_notices_g1")
    assert found.signing_profiles == profiles
    assert (found.organization, found.organization_id, found.partition) == ("acme", "o-a1b2c3d4e5", "aws")
    assert (found.security_account, found.publisher_account) == ("222222222222", "222222222222")
    assert (found.home_region, found.member_role, found.external_id) == (
        "eu-west-1",
        "acme-drift-remediator",
        "o-a1b2c3d4e5/drift",
    )


def test_patterns_match_as_iam_does_and_an_exemption_holds_until_the_end_of_its_day() -> None:
    found = parse_expectations(DOCUMENT)
    last, after = datetime(2031, 12, 31, 23, 59, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
    assert found.exemption_of("aws-controltower-Notify", last) == found.exemptions[0]
    assert found.exemption_of("aws-controltower-Notify", after) is None
    assert found.exemption_of("AWS-controltower-Notify", last) is None
    assert [one.name for one in found.applications_of("basket-add")] == ["checkout"]
    assert found.applications_of("my-basket-add") == ()
    one = ExpectedApplication("a", ("a?c.*",))
    assert [one.owns(name) for name in ("abc.", "abc.d", "abcd", "ac.", "xabc.")] == [True, True, False, False, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 2, this program reads 1"),
        ({"organization": 7}, "'organization' is 7, not a text"),
        ({"stack_sets": [{"name": "a", "wave": "a", "enforcement": "Warn", "drift": "yes"}]}, "drift='yes'"),
        ({"exemptions": [{"functions": "a", "owner": "b", "reason": "c", "expires": "soon"}]}, "'soon', which is no"),
        ({"applications": "all"}, "'applications' is 'all', not a list of objects"),
        ({"signing_profiles": [1]}, r"'signing_profiles' is \[1\], not a list of texts"),
    ],
)
def test_expectations_of_another_form_are_refused(change, message) -> None:
    with pytest.raises(DocumentError, match=message):
        parse_expectations({**DOCUMENT, **change})


def test_settings_are_read_from_the_environment_with_their_bounds() -> None:
    environment = {"DRIFT_BUCKET": "runs", "DRIFT_CALL_AS": "SELF", "DRIFT_MOST_REPAIRS": "0", "DRIFT_TOPIC_ARN": "t"}
    assert Settings.from_environment(environment) == Settings(
        bucket="runs", topic_arn="t", call_as="SELF", most_repairs=0, batch_instances=20, wait_seconds=15
    )


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "DRIFT_BUCKET is not set"),
        ({"DRIFT_BUCKET": "b", "DRIFT_CALL_AS": "ROOT"}, "DRIFT_CALL_AS='ROOT'"),
        ({"DRIFT_BUCKET": "b", "DRIFT_BATCH_INSTANCES": "0"}, "DRIFT_BATCH_INSTANCES='0'. Use a whole number from 1"),
        ({"DRIFT_BUCKET": "b", "DRIFT_MOST_REPAIRS": "-1"}, "DRIFT_MOST_REPAIRS='-1'"),
        ({"DRIFT_BUCKET": "b", "DRIFT_WAIT_SECONDS": "\u0661"}, "DRIFT_WAIT_SECONDS"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(environment, message) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(environment)


def test_parts_of_the_applications_are_stack_sets_of_their_own() -> None:
    organization = example()
    payments, *others = organization.applications
    divided = organization.model_copy(update={"applications": (payments.model_copy(update={"part": 2}), *others)})
    found = parse_expectations(drift_expectations(divided))
    assert [(one.name, one.part, one.applications) for one in found.stack_sets[:2]] == [
        ("acme-code-signing-first", 1, ("checkout", "customer-notices")),
        ("acme-code-signing-first-part-2", 2, ("payments",)),
    ]
    assert found.siblings_of(found.stack_sets[0]) == (found.stack_sets[1],)
