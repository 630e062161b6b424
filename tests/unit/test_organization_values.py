"""Each value of an organization file that is wrong by itself: the whole list of problems is compared."""

import pytest

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import read_organization
from tests.unit.organization_text import AT, spoiled

Changes = list[tuple[str, str]]

CASES: dict[str, tuple[Changes, list[Problem]]] = {
    "account id with 11 digits": (
        [('security_account = "222222222222"', 'security_account = "22222222222"')],
        [
            Problem(
                "organization.security_account",
                "'22222222222' is not an account id",
                "Write its 12 digits in quotes, with the zeros in front",
            ),
        ],
    ),
    "account id in Arabic digits": (
        [('security_account = "222222222222"', 'security_account = "٢٢٢٢٢٢٢٢٢٢٢٢"')],
        [
            Problem(
                "organization.security_account",
                "'٢٢٢٢٢٢٢٢٢٢٢٢' is not an account id",
                "Write its 12 digits in quotes, with the zeros in front",
            ),
        ],
    ),
    "organization id": (
        [('"o-a1b2c3d4e5"', '"o-A1B2"')],
        [
            Problem(
                "organization.id",
                "'o-A1B2' is not an organization id",
                "It looks like 'o-a1b2c3d4e5'; 'aws organizations describe-organization' prints it",
            ),
        ],
    ),
    "organization name too long for profile names": (
        [('name = "acme"', 'name = "acme-retail"')],
        [
            Problem(
                "organization.name",
                "'acme-retail' is not a name that signing profile names can begin with",
                "Use 2 to 20 lower-case letters and digits, a letter first",
            ),
        ],
    ),
    "unit id": (
        [('"ou-a1b2-00000001"', '"r-a1b2"')],
        [
            Problem(
                "organizational_units[0].id (sandbox)",
                "'r-a1b2' is not an organizational unit id",
                (
                    "It looks like 'ou-a1b2-12345678'; 'aws organizations list-organizational-units-for-parent' "
                    "prints it"
                ),
            ),
        ],
    ),
    "element name in upper case": (
        [('name = "shop"', 'name = "Shop"')],
        [
            Problem(
                "accounts[0].name (Shop)",
                "'Shop' is not a name that can be used here",
                ("Use a lower-case letter first, then lower-case letters, digits, '-' and '_', at most 40 characters"),
            ),
        ],
    ),
    "unknown Region": (
        [('home_region = "eu-west-1"', 'home_region = "eu-west-9"')],
        [
            Problem(
                "organization.home_region",
                "'eu-west-9' is not an AWS Region",
                "Regions near it that AWS Signer serves: eu-west-1, eu-west-2, eu-west-3",
            ),
        ],
    ),
    "Region that Signer does not serve": (
        [
            (
                'target_regions = ["eu-west-1", "us-east-1"]',
                'target_regions = ["eu-west-1", "us-east-1", "me-central-1"]',
            ),
            ('region_order = ["us-east-1", "eu-west-1"]', ""),
        ],
        [
            Problem(
                "organization.target_regions[2]",
                "AWS Signer does not serve the Region 'me-central-1', so no Lambda code can be signed for it",
                "Regions near it that AWS Signer serves: me-south-1",
            ),
        ],
    ),
    "mode in lower case": (
        [('mode = "Warn"', 'mode = "warn"')],
        [
            Problem("waves[0].mode (first)", "'warn' is none of the known words", "Write 'Warn' or 'Enforce'"),
        ],
    ),
    "percentage out of range": (
        [("max_concurrent_percentage = 25", "max_concurrent_percentage = 0\nfailure_tolerance_percentage = 101")],
        [
            Problem(
                "waves[0].preferences.max_concurrent_percentage (first)",
                "0 is too small",
                "Write a number of at least 1",
            ),
            Problem(
                "waves[0].preferences.failure_tolerance_percentage (first)",
                "101 is too large",
                "Write a number of at most 100",
            ),
        ],
    ),
    "generation zero": (
        [("generation = 2", "generation = 0")],
        [
            Problem(
                "signing_profiles[1].generation (payments generation 0)",
                "0 is too small",
                "Write a number of at least 1",
            ),
        ],
    ),
    "unknown state": (
        [('state = "retiring"', 'state = "retireing"')],
        [
            Problem(
                "signing_profiles[0].state (payments generation 1)",
                "'retireing' is none of the known words",
                "Write 'announced', 'active', 'retiring' or 'retired'",
            ),
        ],
    ),
    "validity of 136 months": (
        [('"135 months"', '"136 months"')],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "'136 months' is not a validity that AWS Signer has",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "validity of 12 years": (
        [('"135 months"', '"12 years"')],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "'12 years' is not a validity that AWS Signer has",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "validity of 4107 days": (
        [('"135 months"', '"4107 days"')],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "'4107 days' is not a validity that AWS Signer has",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "validity of no days": (
        [('"135 months"', '"0 days"')],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "'0 days' is not a validity that AWS Signer has",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "validity in weeks": (
        [('"135 months"', '"3 weeks"')],
        [
            Problem(
                "signing_profiles[0].validity (payments generation 1)",
                "'3 weeks' is not a validity",
                'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"',
            ),
        ],
    ),
    "profile version of 9 characters": (
        [('state = "retiring"', 'state = "retiring"\nversion = "AbCdEf123"')],
        [
            Problem(
                "signing_profiles[0].version (payments generation 1)",
                "'AbCdEf123' is not a signing profile version",
                ("It has exactly 10 letters and digits; 'aws signer get-signing-profile' prints it as profileVersion"),
            ),
        ],
    ),
    "signer role with a path": (
        [("role/payments-release", "role/ci/payments-release")],
        [
            Problem(
                "applications[0].signers.roles[0] (payments)",
                (
                    "'arn:aws:iam::444444444444:role/ci/payments-release' has the path '/ci/', and AWS Signer "
                    "refuses a role with a path as a principal"
                ),
                "Name a role without a path, or put the whole account '444444444444' into signers.accounts",
            ),
        ],
    ),
    "signer that is no role": (
        [("role/payments-release", "user/payments-release")],
        [
            Problem(
                "applications[0].signers.roles[0] (payments)",
                "'arn:aws:iam::444444444444:user/payments-release' is not an IAM role ARN",
                "It looks like arn:aws:iam::123456789012:role/NAME",
            ),
        ],
    ),
    "owner that is no address": (
        [('"payments@acme.example"', '"payments"')],
        [
            Problem(
                "applications[0].owners[0] (payments)",
                "'payments' is not an email address",
                "Write one address such as 'team@acme.example'",
            ),
        ],
    ),
    "ARN mistake: profile instead of version": (
        [("/ObservatoryLayers/a1B2c3D4e5", "/ObservatoryLayers")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                (
                    "'arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers' is a signing "
                    "profile ARN, not a signing profile version ARN: it ends after the name"
                ),
                "Use profileVersionArn from 'aws signer get-signing-profile'",
            ),
        ],
    ),
    "ARN mistake: two slashes": (
        [(":/signing-profiles/", "://signing-profiles/")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                (
                    "'arn:aws:signer:us-east-1:777777777777://signing-profiles/ObservatoryLayers/a1B2c3D4e5' has "
                    "two slashes before 'signing-profiles'"
                ),
                "Write ':/signing-profiles/' with one",
            ),
        ],
    ),
    "ARN mistake: no version": (
        [("/a1B2c3D4e5", "/")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                (
                    "'arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/' has no version "
                    "after the last '/'"
                ),
                "Use profileVersionArn from 'aws signer get-signing-profile', with its 10-character version",
            ),
        ],
    ),
    "ARN mistake: singular": (
        [("/signing-profiles/", "/signing-profile/")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                (
                    "'arn:aws:signer:us-east-1:777777777777:/signing-profile/ObservatoryLayers/a1B2c3D4e5' says "
                    "'signing-profile'"
                ),
                "Write ':/signing-profiles/', in the plural",
            ),
        ],
    ),
    "ARN mistake: version of another length": (
        [("/a1B2c3D4e5", "/a1B2c3D4e")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                (
                    "'arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e' has "
                    "the version 'a1B2c3D4e' of 9 characters; a signing profile version is exactly 10 letters "
                    "and digits"
                ),
                "Copy it again from AWS Signer",
            ),
        ],
    ),
    "publisher in a Region without Signer": (
        [("arn:aws:signer:us-east-1", "arn:aws:signer:eu-south-2")],
        [
            Problem(
                "external_publishers[0].profile_version_arn (observatory)",
                "AWS Signer does not serve the Region 'eu-south-2', so no Lambda code can be signed for it",
                (
                    "Regions near it that AWS Signer serves: eu-central-1, eu-north-1, eu-south-1, eu-west-1, "
                    "eu-west-2, eu-west-3"
                ),
            ),
        ],
    ),
    "reason without words": (
        [('reason = "telemetry layer"', 'reason = "  "')],
        [
            Problem(
                "external_publishers[0].reason (observatory)",
                "'  ' is not one line of readable text",
                "Write a few words on one line",
            ),
        ],
    ),
    "function pattern for everything": (
        [('"aws-controltower-*"', '"**"')],
        [
            Problem(
                "exemptions[0].functions (**)",
                "'**' matches every function",
                "Write what the names begin with, such as 'payments-*'",
            ),
        ],
    ),
    "function pattern with a question mark": (
        [('functions = ["payments-*"]', 'functions = ["payments-?"]')],
        [
            Problem(
                "developer_guardrails[0].functions[0] (payments)",
                "'payments-?' is not a pattern of function names",
                ("Use letters, digits, '-', '_' and the wildcard '*', at most 64 characters, such as 'payments-*'"),
            ),
        ],
    ),
    "execution role for everything": (
        [('"payments-*-execution"', '"*"')],
        [
            Problem(
                "developer_guardrails[0].execution_roles[0] (payments)",
                "'*' matches every role",
                "Write what the names begin with, such as 'payments-*-execution'",
            ),
        ],
    ),
    "execution role with a path": (
        [('"payments-*-execution"', '"service-role/payments-*"')],
        [
            Problem(
                "developer_guardrails[0].execution_roles[0] (payments)",
                "'service-role/payments-*' is not a pattern of role names",
                "Write the role's name alone, without an ARN or a path, such as 'payments-*-execution'",
            ),
        ],
    ),
    "layer of any account": (
        [("*:222222222222:layer", "*:*:layer")],
        [
            Problem(
                "developer_guardrails[0].layers[0] (payments)",
                "'arn:aws:lambda:*:*:layer:payments-*:*' is not a pattern of layer version ARNs",
                (
                    "It looks like 'arn:aws:lambda:*:222222222222:layer:payments-*:*': the Region and the "
                    "version may be '*', the account may not"
                ),
            ),
        ],
    ),
    "layer of an unknown partition": (
        [("arn:aws:lambda:*", "arn:aws-moon:lambda:*")],
        [
            Problem(
                "developer_guardrails[0].layers[0] (payments)",
                "'arn:aws-moon:lambda:*:222222222222:layer:payments-*:*' has the partition 'aws-moon'",
                ("Known partitions: aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc"),
            ),
        ],
    ),
    "layer of an unknown Region": (
        [("arn:aws:lambda:*", "arn:aws:lambda:eu-west-9")],
        [
            Problem(
                "developer_guardrails[0].layers[0] (payments)",
                "'eu-west-9' is not a Region of the partition 'aws'",
                "Write a Region in full, or '*'",
            ),
        ],
    ),
    "owner with two dots": (
        [('"payments@acme.example"', '"pay..ments@acme.example"')],
        [
            Problem(
                "applications[0].owners[0] (payments)",
                "'pay..ments@acme.example' is not an email address",
                "Write one address such as 'team@acme.example'",
            ),
        ],
    ),
    "owner with an empty domain label": (
        [('"payments@acme.example"', '"payments@.acme.example"')],
        [
            Problem(
                "applications[0].owners[0] (payments)",
                "'payments@.acme.example' is not an email address",
                "Write one address such as 'team@acme.example'",
            ),
        ],
    ),
    "reason of 501 characters": (
        [('reason = "telemetry layer"', 'reason = "' + 501 * "x" + '"')],
        [
            Problem(
                "external_publishers[0].reason (observatory)",
                (
                    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'… has 501 "
                    "characters"
                ),
                "Write at most 500",
            ),
        ],
    ),
    "reason on two lines": (
        [('reason = "telemetry layer"', 'reason = "telemetry\\nlayer"')],
        [
            Problem(
                "external_publishers[0].reason (observatory)",
                "'telemetry\\nlayer' is not one line of readable text",
                "Write a few words on one line",
            ),
        ],
    ),
}


@pytest.mark.parametrize(("changes", "problems"), CASES.values(), ids=CASES.keys())
def test_it_is_refused_with_exactly_these_problems(changes: Changes, problems: list[Problem]):
    with pytest.raises(OrganizationError) as caught:
        read_organization(spoiled(*changes), "acme.toml", at=AT)
    assert list(caught.value.problems) == problems
