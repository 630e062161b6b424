"""Values of an organization file that are wrong together: the whole list of problems is compared."""

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import read_organization
from constructs_pkg.organization.reading import organization_from
from tests.unit.organization_text import AT, GOOD, spoiled

TOKYO = timezone(timedelta(hours=9))

Changes = list[tuple[str, str]]

CASES: dict[str, tuple[Changes, list[Problem]]] = {
    "Region of another partition": (
        [
            (
                'target_regions = ["eu-west-1", "us-east-1"]',
                'target_regions = ["eu-west-1", "us-east-1", "cn-north-1"]',
            ),
            ('region_order = ["us-east-1", "eu-west-1"]', ""),
        ],
        [
            Problem(
                "organization.target_regions[2]",
                "'cn-north-1' is in the partition 'aws-cn', home_region in 'aws'",
                "Write one organization file for each partition: they share no accounts and no profiles",
            ),
        ],
    ),
    "Region listed twice": (
        [('target_regions = ["eu-west-1", "us-east-1"]', 'target_regions = ["eu-west-1", "us-east-1", "eu-west-1"]')],
        [
            Problem("organization.target_regions[2]", "'eu-west-1' is listed twice", "Name it once"),
        ],
    ),
    "unknown organizational unit": (
        [('organizational_unit = "production"', 'organizational_unit = "prodution"')],
        [
            Problem(
                "accounts[0].organizational_unit (shop)",
                "'prodution' is not the name of any of the [[organizational_units]]",
                "Did you mean 'production'?",
            ),
        ],
    ),
    "unknown unit in a wave": (
        [('organizational_units = ["sandbox"]', 'organizational_units = ["elsewhere"]')],
        [
            Problem(
                "waves[0].organizational_units[0] (first)",
                "'elsewhere' is not the name of any of the [[organizational_units]]",
                "Add it to the [[organizational_units]]",
            ),
        ],
    ),
    "unit in two waves": (
        [('organizational_units = ["production"]', 'organizational_units = ["production", "sandbox"]')],
        [
            Problem(
                "waves[1].organizational_units[1] (second)",
                "'sandbox' is already in waves[0] (first)",
                "Leave each organizational unit in one wave; move it by moving its name",
            ),
        ],
    ),
    "region order with a Region that is no target": (
        [('region_order = ["us-east-1", "eu-west-1"]', 'region_order = ["us-east-1", "eu-west-1", "eu-north-1"]')],
        [
            Problem(
                "waves[0].preferences.region_order[2] (first)",
                "'eu-north-1' is not one of the target_regions",
                "Add it to organization.target_regions, or leave it away here",
            ),
        ],
    ),
    "region order that is incomplete": (
        [('region_order = ["us-east-1", "eu-west-1"]', 'region_order = ["us-east-1"]')],
        [
            Problem(
                "waves[0].preferences.region_order (first)",
                "'eu-west-1' of the target_regions is missing",
                "Name all target Regions, or leave region_order away to follow target_regions",
            ),
        ],
    ),
    "region order for Regions in parallel": (
        [("max_concurrent_percentage = 25", "regions_in_parallel = true")],
        [
            Problem(
                "waves[0].preferences.regions_in_parallel (first)",
                "true contradicts region_order: what happens at the same time has no order",
                "Leave one of the two away",
            ),
        ],
    ),
    "duplicate names and ids": (
        [
            ('name = "production"\nid = "ou-a1b2-00000002"', 'name = "sandbox"\nid = "ou-a1b2-00000001"'),
            ('organizational_unit = "production"\n', ""),
            ('organizational_units = ["production"]', 'organizational_units = ["sandbox"]'),
        ],
        [
            Problem(
                "organizational_units[1].name (sandbox)",
                "'sandbox' is also that of organizational_units[0] (sandbox)",
                "Name each thing once",
            ),
            Problem(
                "organizational_units[1].id (sandbox)",
                "'ou-a1b2-00000001' is also that of organizational_units[0] (sandbox)",
                "Name each thing once",
            ),
            Problem(
                "waves[1].organizational_units[0] (second)",
                "'sandbox' is already in waves[0] (first)",
                "Leave each organizational unit in one wave; move it by moving its name",
            ),
        ],
    ),
    "applications that share profile names": (
        [
            (
                'name = "check-out"',
                (
                    'name = "check_out"\nowners = ["a@acme.example"]\n[[signing_profiles]]\napplication = '
                    '"check_out"\ngeneration = 1\nvalidity = "1 day"\nstate = "active"\n[[applications]]\nname = '
                    '"check-out"'
                ),
            )
        ],
        [
            Problem(
                "applications[2].name (check-out)",
                ("'check-out' gives the same signing profile names as 'check_out', because '-' becomes '_' there"),
                "Rename one of the two",
            ),
        ],
    ),
    "application without active generation": (
        [
            (
                'generation = 2\nvalidity = "12 months"\nstate = "active"',
                'generation = 2\nvalidity = "12 months"\nstate = "retired"',
            )
        ],
        [
            Problem(
                "applications[0] (payments)",
                "the application 'payments' has no active signing profile, so nothing of it can be signed",
                'Add a [[signing_profiles]] with application = "payments" and state = "active"',
            ),
        ],
    ),
    "two active generations": (
        [('state = "retiring"', 'state = "active"')],
        [
            Problem(
                "signing_profiles[1].state (payments generation 2)",
                "'active' is also that of signing_profiles[0] (payments generation 1)",
                'Let one generation sign, and write state = "retiring" for the other',
            ),
        ],
    ),
    "generation twice": (
        [("generation = 2", "generation = 1")],
        [
            Problem(
                "signing_profiles[1].generation (payments generation 1)",
                "1 is also that of signing_profiles[0] (payments generation 1)",
                ("Give each generation its own number; a number is used once for ever, as the profile's name is"),
            ),
        ],
    ),
    "profile of an unknown application": (
        [('application = "payments"\ngeneration = 1', 'application = "paymnets"\ngeneration = 1')],
        [
            Problem(
                "signing_profiles[0].application (paymnets generation 1)",
                "'paymnets' is not the name of any of the [[applications]]",
                "Did you mean 'payments'?",
            ),
        ],
    ),
    "profile name of more than 64 characters": (
        [
            ('name = "acme"', 'name = "abcdefghijklmnopqrst"'),
            ('name = "check-out"', 'name = "a23456789-123456789-123456789-123456789-"'),
            (
                'application = "check-out"\ngeneration = 1',
                'application = "a23456789-123456789-123456789-123456789-"\ngeneration = 999',
            ),
            ('application = "check-out"', 'application = "a23456789-123456789-123456789-123456789-"'),
        ],
        [
            Problem(
                "signing_profiles[2] (a23456789-123456789-123456789-123456789- generation 999)",
                (
                    "its name in AWS would be "
                    "'abcdefghijklmnopqrst_a23456789_123456789_123456789_123456789__g999' with 66 characters"
                ),
                "Shorten the application's name: a profile name has at most 64 characters",
            ),
        ],
    ),
    "signer role of another partition": (
        [("arn:aws:iam::444444444444:role", "arn:aws-cn:iam::444444444444:role")],
        [
            Problem(
                "applications[0].signers.roles[0] (payments)",
                "the ARN is in the partition 'aws-cn', the organization's Regions are in 'aws'",
                "Name one that begins with 'arn:aws:': nothing can be shared between partitions",
            ),
        ],
    ),
    "signer account of a stranger": (
        [('accounts = ["444444444444"]', 'accounts = ["444444444445"]')],
        [
            Problem(
                "applications[0].signers.accounts[0] (payments)",
                "'444444444445' is no account of this file, so whoever owns it could sign",
                "Did you mean '444444444444'?",
            ),
        ],
    ),
    "OIDC role of a stranger": (
        [("arn:aws:iam::222222222222:role/payments-ci", "arn:aws:iam::999999999999:role/payments-ci")],
        [
            Problem(
                "applications[0].signers.oidc_role (payments)",
                "'999999999999' is no account of this file, so whoever owns it could sign",
                "Add it to the [[accounts]] if it is yours",
            ),
        ],
    ),
    "OIDC role among the roles": (
        [('role/payments-release"]', 'role/payments-release", "arn:aws:iam::222222222222:role/payments-ci"]')],
        [
            Problem(
                "applications[0].signers.oidc_role (payments)",
                "'arn:aws:iam::222222222222:role/payments-ci' is among the roles, too",
                "Name it once",
            ),
        ],
    ),
    "signer account listed twice": (
        [('accounts = ["444444444444"]', 'accounts = ["444444444444", "444444444444"]')],
        [
            Problem("applications[0].signers.accounts[1] (payments)", "'444444444444' is listed twice", "Name it once"),
        ],
    ),
    "publisher of another partition": (
        [("arn:aws:signer:us-east-1", "arn:aws-cn:signer:cn-north-1")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                "the ARN is in the partition 'aws-cn', the organization's Regions are in 'aws'",
                "Name one that begins with 'arn:aws:': nothing can be shared between partitions",
            ),
        ],
    ),
    "publisher for an unknown application": (
        [('applications = ["payments"]', 'applications = ["payment"]')],
        [
            Problem(
                "external_publishers[0].applications[0] (observatory)",
                "'payment' is not the name of any of the [[applications]]",
                "Did you mean 'payments'?",
            ),
        ],
    ),
    "publisher whose review is overdue": (
        [("2030-06-30", "2026-11-22")],
        [
            Problem(
                "external_publishers[0].review_by (observatory)",
                "2026-11-22 is past: nobody has asked whether this publisher is still needed",
                "Review it, then set a new date or remove the publisher",
            ),
        ],
    ),
    "exemption that expired": (
        [("2030-12-31", "2026-11-22")],
        [
            Problem(
                "exemptions[0].expires (aws-controltower-*)",
                "the exemption expired on 2026-11-22",
                "Sign these functions and remove the exemption, or have it approved again with a new date",
            ),
        ],
    ),
    "guardrail twice": (
        [('application = "check-out"\nfunctions', 'application = "payments"\nfunctions')],
        [
            Problem(
                "developer_guardrails[1].application (payments)",
                "'payments' is also that of developer_guardrails[0] (payments)",
                "Keep one guardrail and list everything there",
            ),
        ],
    ),
    "guardrail of an unknown application": (
        [('application = "check-out"\nfunctions', 'application = "shop"\nfunctions')],
        [
            Problem(
                "developer_guardrails[1].application (shop)",
                "'shop' is not the name of any of the [[applications]]",
                "Add it to the [[applications]]",
            ),
        ],
    ),
    "layer of another partition": (
        [("arn:aws:lambda:*", "arn:aws-cn:lambda:*")],
        [
            Problem(
                "developer_guardrails[0].layers[0] (payments)",
                "the ARN is in the partition 'aws-cn', the organization's Regions are in 'aws'",
                "Name one that begins with 'arn:aws:': nothing can be shared between partitions",
            ),
        ],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), CASES.values(), ids=CASES.keys())
def test_it_is_refused_with_exactly_these_problems(changes: Changes, problems: list[Problem]):
    with pytest.raises(OrganizationError) as caught:
        read_organization(spoiled(*changes), "acme.toml", at=AT)
    assert list(caught.value.problems) == problems


def _refused(text: str) -> list[Problem]:
    with pytest.raises(OrganizationError) as caught:
        read_organization(text, "acme.toml", at=AT)
    return list(caught.value.problems)


def _with_publishers(number: int) -> str:
    """Return a file whose application payments has so many publishers: 2 generations and external ones."""
    arn = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/Vendor/{:010d}"
    more = "".join(
        f"""
[[external_publishers]]
name = "vendor-{i}"
vendor = "Vendor"
profile_version_arn = "{arn.format(i)}"
applications = ["payments"]
reason = "layer"
review_by = 2030-01-01
"""
        for i in range(number - 3)
    )
    return GOOD + more


def test_twenty_publishers_fit_into_one_config():
    organization = read_organization(_with_publishers(20), "acme.toml", at=AT)
    assert len(organization.publishers_of("payments")) == 20


def test_the_twenty_first_publisher_is_refused_with_the_count_of_both_kinds():
    assert _refused(_with_publishers(21)) == [
        Problem(
            "applications[0] (payments)",
            "'payments' has 21 publishers (2 generations, 19 external)",
            "A code signing config lists at most 20: retire generations or limit external publishers to the "
            "applications that need them",
        )
    ]


def test_a_retired_generation_does_not_count_as_a_publisher():
    text = _with_publishers(21).replace('state = "retiring"', 'state = "retired"')
    assert len(read_organization(text, "acme.toml", at=AT).publishers_of("payments")) == 20


def test_a_publisher_of_every_application_counts_for_every_application():
    text = _with_publishers(21).replace('applications = ["payments"]\n', "", 18)
    wheres = [problem.where for problem in _refused(text)]
    assert wheres == ["applications[0] (payments)"]
    organization = read_organization(text.replace('state = "retiring"', 'state = "retired"'), "acme.toml", at=AT)
    assert len(organization.publishers_of("check-out")) == 1 + 18


def test_problems_of_different_tables_come_at_once_in_the_order_of_the_tables():
    text = spoiled(
        ('security_account = "222222222222"', 'security_account = "2222"'),
        ('name = "shop"', 'name = "shop"\ncolor = "red"'),
        ('organizational_unit = "production"', 'organizational_unit = "prod"'),
        ('application = "payments"\ngeneration = 1', 'application = "payment"\ngeneration = "1"'),
        ('"135 months"', '"200 months"'),
        ("2030-12-31", "2020-12-31"),
    )
    assert [problem.where for problem in _refused(text)] == [
        "organization.security_account",
        "accounts[0].color (shop)",
        "accounts[0].organizational_unit (shop)",
        "signing_profiles[0].generation (payment)",
        "signing_profiles[0].validity (payment)",
        "signing_profiles[0].application (payment)",
        "exemptions[0].expires (aws-controltower-*)",
    ]


FOLLOW_UPS: dict[str, tuple[Changes, list[str]]] = {
    "a unit with a broken id is known": ([('"ou-a1b2-00000001"', '"ou"')], ["organizational_units[0].id (sandbox)"]),
    "a unit with a broken name is known": (
        [('name = "sandbox"', 'name = "Sandbox"'), ('["sandbox"]', '["Sandbox"]')],
        ["organizational_units[0].name (Sandbox)", "waves[0].organizational_units[0] (first)"],
    ),
    "a unit without a name may be any": (
        [('name = "sandbox"', 'nmae = "sandbox"')],
        ["organizational_units[0].nmae"],
    ),
    "the accounts under a mistyped table may be any": ([("[[accounts]]", "[[account]]")], ["account"]),
    "the profiles under a mistyped table may be any": (
        [("[[signing_profiles]]", "[[signing_profile]]")] * 3,
        ["signing_profile"],
    ),
    "the organization under a mistyped table may hold any account and Region": (
        [("[organization]", "[organisation]")],
        ["organisation"],
    ),
    "a profile without a readable state may be the active one": (
        [('validity = "12 months"\nstate = "active"', 'validity = "12 months"\nstate = 1')],
        ["signing_profiles[1].state (payments generation 2)"],
    ),
    "a profile without an application may be the active one": (
        [('application = "payments"\ngeneration = 2', "generation = 2")],
        ["signing_profiles[1].application (generation 2)"],
    ),
    "a broken target Region is not missing from the order": (
        [('"eu-west-1", "us-east-1"]', '"eu-west-1", "us-est-1"]'), ('["us-east-1", "eu-west-1"]', '["eu-west-1"]')],
        ["organization.target_regions[1]", "waves[0].preferences.region_order (first)"],
    ),
    "a broken Region of the order hides nothing and misses nothing": (
        [('region_order = ["us-east-1", "eu-west-1"]', 'region_order = ["us-east-1", 1]')],
        ["waves[0].preferences.region_order[1] (first)"],
    ),
    "a broken home Region has no partition to disagree with": (
        [('home_region = "eu-west-1"', 'home_region = "nowhere"')],
        ["organization.home_region"],
    ),
    "a publisher with a broken list of applications counts for none": (
        [('applications = ["payments"]', "applications = 1")],
        ["external_publishers[0].applications (observatory)"],
    ),
}


@pytest.mark.parametrize(("changes", "wheres"), FOLLOW_UPS.values(), ids=FOLLOW_UPS.keys())
def test_one_mistake_is_reported_once_and_not_again_by_what_depends_on_it(changes: Changes, wheres: list[str]):
    assert [problem.where for problem in _refused(spoiled(*changes))] == wheres


def test_dates_hold_until_the_end_of_their_day_in_utc():
    text = spoiled(("2030-12-31", "2026-11-23"), ("2030-06-30", "2026-11-23"))
    for at in (AT, datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 24, 8, tzinfo=TOKYO)):
        assert read_organization(text, "acme.toml", at=at).exemptions[0].expires == date(2026, 11, 23)
    with pytest.raises(OrganizationError) as caught:
        read_organization(text, "acme.toml", at=datetime(2026, 11, 24, tzinfo=UTC))
    assert [problem.where for problem in caught.value.problems] == [
        "external_publishers[0].review_by (observatory)",
        "exemptions[0].expires (aws-controltower-*)",
    ]


def test_a_naive_time_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no time zone"):
        read_organization(GOOD, "acme.toml", at=datetime(2026, 11, 23))  # noqa: DTZ001 (it is what is tested)


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("organizational_units", ["name", "id"]),
        ("accounts", ["name", "id"]),
        ("applications", ["name"]),
        ("external_publishers", ["name", "profile_version_arn"]),
        ("waves", ["name", "organizational_units[0]"]),
        ("developer_guardrails", ["application"]),
        ("exemptions", ["functions"]),
    ],
)
def test_an_element_that_stands_there_twice_is_refused_for_each_key_that_must_be_its_own(table: str, keys: list[str]):
    document = tomllib.loads(GOOD)
    document[table].append(document[table][0])
    with pytest.raises(OrganizationError) as caught:
        organization_from(document, "acme.toml", at=AT)
    place = f"{table}[{len(document[table]) - 1}]"
    assert [problem.where.split(" ")[0] for problem in caught.value.problems] == [f"{place}.{key}" for key in keys]


def test_a_profile_name_of_sixty_four_characters_fits():
    document = tomllib.loads(GOOD)
    document["organization"]["name"] = "abcdefghijklmnopqrst"
    name = document["applications"][1]["name"] = "a" * 40
    document["signing_profiles"][2]["application"] = document["developer_guardrails"][1]["application"] = name
    profile = organization_from(document, "acme.toml", at=AT).active_profile_of(name)
    assert len(profile.profile_name(organization_from(document, "acme.toml", at=AT))) == 64


def test_a_reason_of_five_hundred_characters_fits():
    reason = "x" * 500
    organization = read_organization(spoiled(("telemetry layer", reason)), "acme.toml", at=AT)
    assert organization.external_publishers[0].reason == reason
