"""AWS Regions by partition, and which of them AWS Signer serves.

Source: the endpoint data of botocore 1.43.106 (``data/endpoints.json``), services ``signer`` and ``lambda``; it agrees
with the endpoint table of the AWS General Reference for Signer. A test compares both tables with the installed
botocore, so that they cannot fall behind unnoticed.
"""

import difflib

__all__ = ["REGIONS_BY_PARTITION", "SIGNER_REGIONS", "URL_SUFFIXES", "near_signer_regions", "partition_of_region"]

REGIONS_BY_PARTITION: dict[str, frozenset[str]] = {
    "aws": frozenset(
        {
            "af-south-1",
            "ap-east-1",
            "ap-east-2",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-south-1",
            "ap-south-2",
            "ap-southeast-1",
            "ap-southeast-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-central-2",
            "eu-north-1",
            "eu-south-1",
            "eu-south-2",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "me-south-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
        }
    ),
    "aws-cn": frozenset({"cn-north-1", "cn-northwest-1"}),
    "aws-us-gov": frozenset({"us-gov-east-1", "us-gov-west-1"}),
    "aws-iso": frozenset({"us-iso-east-1", "us-iso-west-1"}),
    "aws-iso-b": frozenset({"us-isob-east-1", "us-isob-west-1"}),
    "aws-iso-e": frozenset({"eu-isoe-west-1"}),
    "aws-iso-f": frozenset({"us-isof-east-1", "us-isof-south-1"}),
    "aws-eusc": frozenset({"eusc-de-east-1"}),
}
"""Every known Region with Lambda, by partition."""

URL_SUFFIXES: dict[str, str] = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
"""How the host names of AWS end, by partition."""

SIGNER_REGIONS: frozenset[str] = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "me-south-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "cn-north-1",
        "cn-northwest-1",
        "us-gov-east-1",
        "us-gov-west-1",
        "eusc-de-east-1",
    }
)
"""The Regions that have an AWS Signer endpoint, in all partitions."""


def partition_of_region(region: str) -> str | None:
    """Return the partition of a Region such as ``eu-west-1``, or None where the Region is not known."""
    for partition, regions in REGIONS_BY_PARTITION.items():
        if region in regions:
            return partition
    return None


def near_signer_regions(region: str) -> tuple[str, ...]:
    """Return Regions to offer in place of one that is mistyped or that AWS Signer does not serve.

    Args:
        region: Any text that somebody wrote as a Region.

    Returns:
        Sorted: the Signer Regions whose spelling is close, where the Region is not known at all; otherwise those of the
        same continent (the part before the first ``-``); otherwise all of the same partition, ``aws`` where that is
        not known either. Nearness is by name, not by distance or latency.
    """
    partition = partition_of_region(region)
    if partition is None and (close := difflib.get_close_matches(region, sorted(SIGNER_REGIONS), n=3, cutoff=0.75)):
        return tuple(sorted(close))
    served = SIGNER_REGIONS & REGIONS_BY_PARTITION[partition or "aws"]
    continent = region.partition("-")[0] + "-"
    return tuple(sorted(name for name in served if name.startswith(continent)) or sorted(served))
