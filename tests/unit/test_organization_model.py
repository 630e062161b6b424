"""The questions that an organization answers, and that nothing in it can be changed."""

import pytest
from pydantic import ValidationError

from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.organization import Organization, read_organization
from tests.unit.organization_text import AT, GOOD


@pytest.fixture(scope="module")
def acme() -> Organization:
    return read_organization(GOOD, "acme.toml", at=AT)


def test_profile_names_replace_hyphens_and_carry_the_generation(acme: Organization):
    names = [profile.profile_name(acme) for profile in acme.signing_profiles]
    assert names == ["acme_payments_g1", "acme_payments_g2", "acme_check_out_g1"]


def test_the_publishers_of_an_application_are_its_accepted_generations_and_its_external_publishers(acme: Organization):
    assert acme.publishers_of("payments") == (*acme.profiles_of("payments"), acme.external_publishers[0])
    assert acme.publishers_of("check-out") == acme.profiles_of("check-out")


def test_a_publisher_without_a_list_of_applications_serves_all():
    organization = read_organization(GOOD.replace('applications = ["payments"]\n', ""), "acme.toml", at=AT)
    assert [organization.external_publishers_of(name) for name in ("payments", "check-out")] == [
        organization.external_publishers,
        organization.external_publishers,
    ]


def test_a_retired_generation_is_a_profile_and_no_publisher():
    organization = read_organization(GOOD.replace('"retiring"', '"retired"'), "acme.toml", at=AT)
    assert [profile.generation for profile in organization.profiles_of("payments")] == [1, 2]
    assert [profile.generation for profile in organization.accepted_profiles_of("payments")] == [2]


def test_profiles_are_sorted_by_generation_whatever_the_order_of_the_file():
    text = GOOD.replace("generation = 2", "generation = 0x3").replace("generation = 1\n", "generation = 7\n", 1)
    organization = read_organization(text, "acme.toml", at=AT)
    assert [profile.generation for profile in organization.profiles_of("payments")] == [3, 7]
    assert organization.active_profile_of("payments").generation == 3


def test_a_recorded_version_gives_the_version_arn_and_none_gives_none(acme: Organization):
    text = GOOD.replace('state = "retiring"', 'state = "retiring"\nversion = "AbCdEf1234"')
    organization = read_organization(text, "acme.toml", at=AT)
    assert str(organization.profiles_of("payments")[0].profile_version_arn(organization)) == (
        "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/AbCdEf1234"
    )
    assert acme.profiles_of("payments")[0].profile_version_arn(acme) is None


def test_the_partition_follows_the_home_region():
    text = (
        GOOD.replace("eu-west-1", "cn-north-1")
        .replace("us-east-1", "cn-northwest-1")
        .replace("arn:aws:", "arn:aws-cn:")
    )
    organization = read_organization(text, "acme.toml", at=AT)
    assert organization.partition == "aws-cn"
    assert str(organization.active_profile_of("check-out").profile_arn(organization)).startswith(
        "arn:aws-cn:signer:cn-"
    )


def test_guardrails_and_units_are_found_by_name(acme: Organization):
    assert acme.guardrail_of("payments") == acme.developer_guardrails[0]
    assert acme.guardrail_of("nothing") is None
    assert acme.organizational_unit("production").id == "ou-a1b2-00000002"


@pytest.mark.parametrize("question", ["application", "active_profile_of", "organizational_unit"])
def test_asking_for_something_that_is_not_there_names_it(acme: Organization, question: str):
    with pytest.raises(LambdaCodeSigningError, match="'nothing'"):
        getattr(acme, question)("nothing")


def test_an_organization_cannot_be_changed_and_can_be_hashed(acme: Organization):
    with pytest.raises(ValidationError, match="frozen"):
        acme.name = "other"
    with pytest.raises(ValidationError, match="frozen"):
        acme.applications[0].signers.accounts = ()
    assert hash(acme) == hash(read_organization(GOOD, "other.toml", at=AT))
