"""The Region tables agree with the installed botocore, and near Regions are offered."""

import botocore.session
import pytest

from constructs_pkg.regions import (
    REGIONS_BY_PARTITION,
    SIGNER_REGIONS,
    URL_SUFFIXES,
    near_signer_regions,
    partition_of_region,
)
from constructs_pkg.runtime.drift.expectations import IAM_REGIONS


def _regions(service: str) -> dict[str, frozenset[str]]:
    session = botocore.session.get_session()
    return {
        partition: frozenset(session.get_available_regions(service, partition))
        for partition in session.get_available_partitions()
    }


def test_the_regions_of_every_partition_are_those_of_lambda_in_botocore():
    assert _regions("lambda") == REGIONS_BY_PARTITION


def test_the_ends_of_host_names_are_those_of_botocore():
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    assert {one["partition"]: one["dnsSuffix"] for one in partitions} == URL_SUFFIXES


def test_iam_is_recorded_in_the_region_of_its_endpoint_in_partitions_of_several_regions():
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    several = {
        one["partition"]: one["services"]["iam"]
        for one in partitions
        if len(REGIONS_BY_PARTITION[one["partition"]]) > 1
    }
    assert {
        partition: iam["endpoints"][iam["partitionEndpoint"]]["credentialScope"]["region"]
        for partition, iam in several.items()
    } == IAM_REGIONS


def test_the_signer_regions_are_those_of_botocore_in_all_partitions():
    assert frozenset().union(*_regions("signer").values()) == SIGNER_REGIONS


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("me-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-west-9", None),
        ("", None),
        ("EU-WEST-1", None),
    ],
)
def test_a_region_has_its_partition_and_an_unknown_one_has_none(region: str, partition: str | None):
    assert partition_of_region(region) == partition


@pytest.mark.parametrize(
    ("region", "near"),
    [
        ("eu-west-9", ("eu-west-1", "eu-west-2", "eu-west-3")),  # a slip of the pen
        ("me-central-1", ("me-south-1",)),  # known, not served: the same continent
        ("us-iso-east-1", ()),  # known, and its partition has no Signer
        ("eu-isoe-west-1", ()),
    ],
)
def test_near_regions_are_served_ones(region: str, near: tuple[str, ...]):
    assert near_signer_regions(region) == near


def test_where_no_name_is_near_all_served_regions_of_the_partition_are_offered():
    everywhere = tuple(sorted(SIGNER_REGIONS & REGIONS_BY_PARTITION["aws"]))
    assert near_signer_regions("il-central-1") == everywhere
    assert near_signer_regions("moon") == everywhere


@pytest.mark.parametrize("region", sorted(frozenset().union(*REGIONS_BY_PARTITION.values()) - SIGNER_REGIONS))
def test_whatever_is_offered_is_served_and_in_the_same_partition(region: str):
    offered = set(near_signer_regions(region))
    assert offered <= SIGNER_REGIONS & REGIONS_BY_PARTITION[partition_of_region(region) or "none"]
