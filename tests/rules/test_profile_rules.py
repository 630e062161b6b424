"""Rules about signing profiles: their names, their validity, and what can never change about them."""

from dataclasses import replace
from typing import Any

import pytest

from constructs_pkg.arns import SigningProfileArn
from constructs_pkg.signing.template_terms import ProfileRecord
from constructs_pkg.validity import Validity
from tests.rules.judging import POLICY, broken, profile

ARN = SigningProfileArn("aws", "eu-west-1", "123456789012", "acme_g1")
PLATFORM = "AWSLambda-SHA384-ECDSA"


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (None, []),
        ({"Value": 135, "Type": "MONTHS"}, []),
        ({"Value": "12", "Type": "MONTHS"}, []),
        ({"Value": {"Ref": "P"}, "Type": "DAYS"}, []),
        ({"Value": 136, "Type": "MONTHS"}, ["LCS402 P"]),
        ({"Value": 0, "Type": "DAYS"}, ["LCS402 P"]),
        ({"Value": 12, "Type": "YEARS"}, ["LCS402 P"]),
        ({"Value": 12, "Type": "WEEKS"}, ["LCS402 P"]),
        ({"Value": 1.5, "Type": "DAYS"}, ["LCS402 P"]),
        ("forever", ["LCS402 P"]),
    ],
)
def test_a_validity_is_within_the_bounds_of_aws_signer(period: Any, expected: list[str]) -> None:
    properties = {} if period is None else {"SignatureValidityPeriod": period}
    assert broken({"P": profile(**properties)}) == expected


def test_two_profiles_of_one_template_cannot_have_one_name() -> None:
    assert broken({"A": profile(ProfileName="acme_g1"), "B": profile(ProfileName="acme_g1")}) == ["LCS401 B"]


@pytest.mark.parametrize(
    ("record", "properties", "expected"),
    [
        (ProfileRecord(ARN, "Canceled"), {}, ["LCS401 P"]),
        (ProfileRecord(ARN, "Revoked"), {}, ["LCS401 P"]),
        (ProfileRecord(replace(ARN, account="999999999999"), "Canceled"), {}, []),
        (ProfileRecord(replace(ARN, region="us-east-1"), "Canceled"), {}, []),
        (ProfileRecord(replace(ARN, name="acme_g2"), "Canceled"), {}, []),
        (ProfileRecord(ARN, "Active", Validity(12, "MONTHS"), PLATFORM), {}, ["LCS403 P"]),
        (
            ProfileRecord(ARN, "Active", Validity(12, "MONTHS"), PLATFORM),
            {"SignatureValidityPeriod": {"Value": 12, "Type": "MONTHS"}},
            [],
        ),
        (ProfileRecord(ARN, "Active", Validity(135, "MONTHS")), {}, []),
        (ProfileRecord(ARN, "Active", None, PLATFORM), {"PlatformId": "Notation-OCI-SHA384-ECDSA"}, ["LCS403 P"]),
    ],
)
def test_a_profile_is_held_against_what_is_recorded_of_it(
    record: ProfileRecord, properties: dict[str, Any], expected: list[str]
) -> None:
    policy = replace(POLICY, templates=replace(POLICY.templates, recorded_profiles=(record,)))
    assert broken({"P": profile(ProfileName="acme_g1", **properties)}, policy) == expected
