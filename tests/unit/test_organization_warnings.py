"""What is allowed and still warned of: the whole list of warnings is compared."""

from datetime import UTC, datetime

import pytest

from constructs_pkg.errors import Problem
from constructs_pkg.organization import ProfileLock, read_organization, record_profiles, warnings_of
from tests.unit.organization_text import AT, spoiled

QUIET = (
    (
        'owners = ["checkout@acme.example"]',
        'owners = ["checkout@acme.example"]\n[applications.signers]\naccounts = ["444444444444"]',
    ),
)
"""The good file has one application without signers; with them, nothing is left to warn of."""

CHECK_OUT_GUARDRAIL = """
[[developer_guardrails]]
application = "check-out"
functions = ["checkout-*"]
execution_roles = ["checkout-*-execution"]
"""

SECOND_WAVE = (
    """
[[waves]]
name = "second"
mode = "Enforce"
organizational_units = ["production"]
""",
    "",
)

MANAGEMENT_ACCOUNT = """[[accounts]]
name = "management"
id = "111111111111"
organizational_unit = "production"

"""

CASES: dict[str, tuple[tuple[tuple[str, str], ...], list[Problem]]] = {
    "nothing": ((), []),
    "service control policies on a wave that only warns": (
        (('guardrail = "dry-run"', 'guardrail = "attach"'),),
        [
            Problem(
                "waves[0].guardrail (first)",
                "the service control policy refuses functions without a config at once, while the wave only warns",
                'Write guardrail = "dry-run" until the wave enforces, unless that is what you want',
            )
        ],
    ),
    "management account in a wave": (
        (
            (
                "[[applications]]",
                MANAGEMENT_ACCOUNT + "[[applications]]",
            ),
        ),
        [
            Problem(
                "waves[1] (second)",
                "111111111111 (management) is the management account, which neither service-managed StackSets nor "
                "service control policies reach",
                "Keep functions out of it",
            )
        ],
    ),
    "security account is the management account": (
        (('management_account = "111111111111"', 'management_account = "222222222222"'),),
        [
            Problem(
                "organization.security_account",
                "222222222222 is the management account, too, which no service control policy binds",
                "Make another account the delegated administrator",
            )
        ],
    ),
    "IAM's Region is no target": (
        (
            ('target_regions = ["eu-west-1", "us-east-1"]', 'target_regions = ["eu-west-1", "eu-central-1"]'),
            ('region_order = ["us-east-1", "eu-west-1"]', 'region_order = ["eu-central-1", "eu-west-1"]'),
        ),
        [
            Problem(
                "organization.target_regions",
                "events of IAM exist in us-east-1 only, where no rule of ours forwards them: what somebody does to "
                "roles and policies in member accounts is found by the schedule of the drift remediation, not at once",
                'Add "us-east-1", unless that is soon enough',
            )
        ],
    ),
    "application without guardrail": (
        ((CHECK_OUT_GUARDRAIL, ""),),
        [
            Problem(
                "applications[1] (check-out)",
                "'check-out' has no guardrail: nothing keeps its developers from unsigned functions",
                "Add a [[developer_guardrails]] for it",
            )
        ],
    ),
    "publisher account without recorded versions": (
        (
            ("home_region", 'publisher_account = "333333333333"\nhome_region'),
            ('state = "retiring"', 'state = "retired"'),
            (
                'validity = "12 months"\nstate = "active"',
                'validity = "12 months"\nstate = "active"\nversion = "AbCdEf1234"',
            ),
        ),
        [
            Problem(
                "signing_profiles[2].version (check-out generation 1)",
                "acme_check_out_g1 is made in the account 333333333333, so its version is not known here, and the "
                "configs cannot accept it yet",
                "Deploy the signing authority, then record the version that its output shows",
            )
        ],
    ),
    "publisher of every application": (
        (('applications = ["payments"]\n', ""),),
        [
            Problem(
                "external_publishers[0].applications (observatory)",
                "code of 'Observatory Ltd' is accepted by all 2 applications",
                "Name the applications that need it",
            )
        ],
    ),
    "review within 30 days": (
        (("2030-06-30", "2026-12-23"),),
        [
            Problem(
                "external_publishers[0].review_by (observatory)",
                "2026-12-23 is in 30 days; from the day after, the file is refused",
                "Review it and set a new date",
            )
        ],
    ),
    "review in 31 days": ((("2030-06-30", "2026-12-24"),), []),
    "exemption ends tomorrow": (
        (("2030-12-31", "2026-11-24"),),
        [
            Problem(
                "exemptions[0].expires (aws-controltower-*)",
                "the exemption ends on 2026-11-24, in 1 day; from the day after, the file is refused",
                "Sign these functions, or have it approved again with a new date",
            )
        ],
    ),
    "exemption of an application's own functions": (
        (('functions = "aws-controltower-*"', 'functions = "pay*-legacy"'),),
        [
            Problem(
                "exemptions[0].functions (pay*-legacy)",
                "it also covers functions that match 'payments-*' of payments: the service control policies let "
                "administrators make these without a config",
                "Write a narrower pattern, unless these are the functions that cannot be signed",
            )
        ],
    ),
    "exemption ends in 31 days": ((("2030-12-31", "2026-12-24"),), []),
    "first wave enforces": (
        (('mode = "Warn"', 'mode = "Enforce"'),),
        [
            Problem(
                "waves[0].mode (first)",
                "the first wave already enforces: unsigned code that nobody knows of is refused from the first day",
                "Begin with Warn and watch what it logs",
            )
        ],
    ),
    "unit in no wave": (
        (('organizational_units = ["sandbox"]', 'organizational_units = ["production"]'), SECOND_WAVE),
        [
            Problem(
                "organizational_units[0] (sandbox)",
                "'sandbox' is in no wave, so nothing is rolled out to it",
                "Add it to a wave",
            )
        ],
    ),
    "nobody is notified": (
        (('emails = ["security@acme.example"]', "emails = []"),),
        [Problem("notifications.emails", "nobody is told about findings", "Add an address")],
    ),
}


@pytest.mark.parametrize(("changes", "warnings"), CASES.values(), ids=CASES.keys())
def test_it_is_warned_of_and_of_nothing_else(changes: tuple[tuple[str, str], ...], warnings: list[Problem]):
    organization = read_organization(spoiled(*QUIET, *changes), "acme.toml", at=AT)
    assert list(warnings_of(organization, at=AT)) == warnings


def test_an_application_without_signers_is_warned_of():
    organization = read_organization(spoiled(), "acme.toml", at=AT)
    assert warnings_of(organization, at=AT) == (
        Problem(
            "applications[1].signers (check-out)",
            "nobody outside of the account 222222222222 may sign for 'check-out'",
            "Name accounts, roles or an oidc_role, unless its code is signed in that account",
        ),
    )


def test_profiles_that_the_ledger_lacks_are_warned_of_where_a_ledger_is_given():
    organization = read_organization(spoiled(*QUIET), "acme.toml", at=AT)
    recorded = record_profiles(organization, ProfileLock())
    without_first = ProfileLock(
        {name: recorded.validities[name] for name in list(recorded.validities)[1:]}, recorded.rollout
    )
    assert warnings_of(organization, at=AT, lock=recorded) == ()
    assert warnings_of(organization, at=AT, lock=without_first) == (
        Problem(
            "signing_profiles[0] (payments generation 1)",
            "acme_payments_g1 is not in the ledger yet",
            "Run 'lambda-code-signing organization lock' and commit the ledger",
        ),
    )


def test_promoting_a_first_wave_that_the_ledger_has_is_not_warned_of_as_a_beginning():
    before = read_organization(spoiled(*QUIET), "acme.toml", at=AT)
    promoted = read_organization(spoiled(*QUIET, ('mode = "Warn"', 'mode = "Enforce"')), "acme.toml", at=AT)
    assert warnings_of(promoted, at=AT, lock=record_profiles(before, ProfileLock())) == ()
    assert "waves[0].mode (first)" in {problem.where for problem in warnings_of(promoted, at=AT, lock=ProfileLock())}


def test_a_rollout_that_the_ledger_lacks_is_warned_of_in_one_line():
    organization = read_organization(spoiled(*QUIET), "acme.toml", at=AT)
    without = ProfileLock(record_profiles(organization, ProfileLock()).validities)
    assert warnings_of(organization, at=AT, lock=without) == (
        Problem(
            "waves",
            "not in the ledger yet: home_region, permission_model, units.ou-a1b2-00000001 and 3 more",
            "Run 'lambda-code-signing organization lock' before the deployment, and commit the ledger",
        ),
    )


def test_days_are_counted_in_utc():
    organization = read_organization(spoiled(*QUIET, ("2030-12-31", "2026-12-24")), "acme.toml", at=AT)
    assert warnings_of(organization, at=datetime(2026, 11, 23, 23, 59, tzinfo=UTC)) == ()
    assert len(warnings_of(organization, at=datetime(2026, 11, 24, tzinfo=UTC))) == 1
