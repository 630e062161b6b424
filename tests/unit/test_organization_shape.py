"""Keys and tables of an organization file that are unknown, missing or of another type: all problems are compared."""

import pytest

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import read_organization
from tests.unit.organization_text import AT, spoiled

Changes = list[tuple[str, str]]

CASES: dict[str, tuple[Changes, list[Problem]]] = {
    "account id as a number": (
        [('id = "444444444444"', "id = 444444444444")],
        [
            Problem("accounts[0].id (shop)", "444444444444 is not a text", "Write a text in quotes"),
        ],
    ),
    "no target Regions": (
        [('target_regions = ["eu-west-1", "us-east-1"]', "target_regions = []")],
        [
            Problem("organization.target_regions", "the list is empty", "Name at least one"),
        ],
    ),
    "unknown key in organization": (
        [("home_region =", "home_regoin =")],
        [
            Problem(
                "organization.home_regoin", "'home_regoin' is not a key of this table", "Did you mean 'home_region'?"
            ),
        ],
    ),
    "unknown key without a near one": (
        [('name = "shop"', 'name = "shop"\ncolour = "red"')],
        [
            Problem(
                "accounts[0].colour (shop)",
                "'colour' is not a key of this table",
                "The keys are: name, id, organizational_unit",
            ),
        ],
    ),
    "unknown key in a nested table": (
        [("max_concurrent_percentage", "max_concurent_percentage")],
        [
            Problem(
                "waves[0].preferences.max_concurent_percentage (first)",
                "'max_concurent_percentage' is not a key of this table",
                "Did you mean 'max_concurrent_percentage'?",
            ),
        ],
    ),
    "unknown table": (
        [("[[accounts]]", "[[acounts]]")],
        [
            Problem("acounts", "'acounts' is not a table of an organization file", "Did you mean 'accounts'?"),
        ],
    ),
    "unknown table without a near one": (
        [("[notifications]", "[zzz]")],
        [
            Problem(
                "zzz",
                "'zzz' is not a table of an organization file",
                (
                    "The tables are: organization, rollout, drift_remediation, notifications, signing_pipeline, "
                    "organizational_units, accounts, applications, signing_profiles, external_publishers, waves, "
                    "developer_guardrails, exemptions"
                ),
            ),
        ],
    ),
    "quoted odd key": (
        [('name = "shop"', 'name = "shop"\n"a\\u0007 b" = 1')],
        [
            Problem(
                "accounts[0].'a\\x07 b' (shop)",
                "'a\\x07 b' is not a key of this table",
                "The keys are: name, id, organizational_unit",
            ),
        ],
    ),
    "wave without units": (
        [('organizational_units = ["sandbox"]', "organizational_units = []")],
        [
            Problem("waves[0].organizational_units (first)", "the list is empty", "Name at least one"),
        ],
    ),
    "boolean for a number": (
        [("max_concurrent_percentage = 25", "max_concurrent_percentage = true")],
        [
            Problem(
                "waves[0].preferences.max_concurrent_percentage (first)",
                "true is not a whole number",
                "Write digits without quotes and without a fraction",
            ),
        ],
    ),
    "number for a boolean": (
        [("max_concurrent_percentage = 25", "regions_in_parallel = 1")],
        [
            Problem(
                "waves[0].preferences.regions_in_parallel (first)",
                "1 is neither true nor false",
                "Write true or false, without quotes",
            ),
        ],
    ),
    "fraction for a number": (
        [("generation = 2", "generation = 2.0")],
        [
            Problem(
                "signing_profiles[1].generation (payments)",
                "2.0 is not a whole number",
                "Write digits without quotes and without a fraction",
            ),
        ],
    ),
    "validity as a number": (
        [('"135 months"', "135")],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "135 is not a validity",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "owners empty": (
        [('owners = ["payments@acme.example"]', "owners = []")],
        [
            Problem("applications[0].owners (payments)", "the list is empty", "Name at least one"),
        ],
    ),
    "owners as a text": (
        [('owners = ["payments@acme.example"]', 'owners = "payments@acme.example"')],
        [
            Problem(
                "applications[0].owners (payments)",
                "'payments@acme.example' is not a list",
                'Write a list in brackets, such as ["one", "two"]',
            ),
        ],
    ),
    "signers as a text": (
        [('[[applications]]\nname = "check-out"\n', '[[applications]]\nname = "check-out"\nsigners = "all"\n')],
        [
            Problem(
                "applications[1].signers (check-out)",
                "'all' is not a table",
                "Write 'signers' as a table of its own, with its keys below",
            ),
        ],
    ),
    "publisher for no application": (
        [('applications = ["payments"]', "applications = []")],
        [
            Problem(
                "external_publishers[0].applications (observatory)",
                "the list is empty",
                "Name at least one, or leave the key away",
            ),
        ],
    ),
    "date in quotes": (
        [("2030-12-31", '"2030-12-31"')],
        [
            Problem(
                "exemptions[0].expires (aws-controltower-*)",
                "'2030-12-31' is not a date",
                "Write the date alone and without quotes, such as 2030-12-31",
            ),
        ],
    ),
    "date with a time": (
        [("2030-12-31", "2030-12-31T00:00:00Z")],
        [
            Problem(
                "exemptions[0].expires (aws-controltower-*)",
                "2030-12-31 00:00:00+00:00 has a time of day",
                "Write the date alone and without quotes, such as 2030-12-31",
            ),
        ],
    ),
    "missing keys": (
        [('id = "444444444444"\n', ""), ('mode = "Warn"\n', "")],
        [
            Problem("accounts[0].id (shop)", "the key is missing", "Add it: Its 12 digits"),
            Problem(
                "waves[0].mode (first)",
                "the key is missing",
                ("Add it: What happens to untrusted code. Warn: it is deployed and logged. Enforce: it is refused"),
            ),
        ],
    ),
    "table missing": (
        [("[organization]", "[organisation]")],
        [
            Problem(
                "organisation", "'organisation' is not a table of an organization file", "Did you mean 'organization'?"
            ),
        ],
    ),
    "table for an array": (
        [("[[exemptions]]", "[exemptions]")],
        [
            Problem(
                "exemptions",
                "a table stands where it cannot",
                "Write [[exemptions]], in double brackets, once for each of them",
            ),
        ],
    ),
    "array for a table": (
        [("[notifications]", "[[notifications]]")],
        [
            Problem("notifications", "a list stands where it cannot", "Write [notifications], once"),
        ],
    ),
    "number for an array": (
        [
            (
                (
                    '[[exemptions]]\nfunctions = "aws-controltower-*"\nowner = "platform@acme.example"\nreason = '
                    '"made by AWS Control Tower"\nexpires = 2030-12-31'
                ),
                "",
            ),
            ("[organization]", "exemptions = [1]\n[organization]"),
        ],
        [
            Problem("exemptions[0]", "1 is not a table", "Write [[exemptions]] and its keys"),
        ],
    ),
    "number that cannot be printed": (
        [("generation = 2", "generation = 0x" + 5000 * "f")],
        [
            Problem(
                "signing_profiles[1].generation (payments)",
                "a very large number is too large",
                "Write a number of at most 9999",
            ),
        ],
    ),
    "role as a number": (
        [('oidc_role = "arn:aws:iam::222222222222:role/payments-ci"', "oidc_role = 1")],
        [
            Problem(
                "applications[0].signers.oidc_role (payments)",
                "1 is not a text",
                'Write the role\'s ARN in quotes: "arn:aws:iam::123456789012:role/NAME"',
            ),
        ],
    ),
    "publisher ARN as a list": (
        [('"arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"', "[]")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                "a list is not a text",
                "Write the vendor's signing profile version ARN in quotes",
            ),
        ],
    ),
    "account that is no table": (
        [
            ('[[accounts]]\nname = "shop"\nid = "444444444444"\norganizational_unit = "production"\n', ""),
            ("[organization]", "accounts = [1]\n[organization]"),
        ],
        [
            Problem("accounts[0]", "1 is not a table", "Write [[accounts]] and its keys"),
        ],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), CASES.values(), ids=CASES.keys())
def test_it_is_refused_with_exactly_these_problems(changes: Changes, problems: list[Problem]):
    with pytest.raises(OrganizationError) as caught:
        read_organization(spoiled(*changes), "acme.toml", at=AT)
    assert list(caught.value.problems) == problems
