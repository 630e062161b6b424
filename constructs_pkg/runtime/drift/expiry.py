"""Which signatures and signing profiles run out soon, as metrics: an expired signature stops the next deployment.

AWS Signer's own lists are asked, in the account and Region of the organization's profiles. Jobs of deleted functions
are among them: a signature that nobody deploys any more may expire in peace.
"""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import json
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .access import RETRIES, default_session
from .expiry_settings import METRICS, NAMESPACE, days_of
from .paging import pages

__all__ = ["Expiring", "find_expiring", "handler", "metric_line"]

_PLATFORM = "AWSLambda-SHA384-ECDSA"


@dataclass(frozen=True, slots=True)
class Expiring:
    """What runs out.

    Attributes:
        signatures: By profile, how many of its signatures expire within the days.
        not_renewed: Profiles of these that have no signature which lasts longer.
        not_active: Profiles that are cancelled or revoked.
    """

    signatures: dict[str, int]
    not_renewed: tuple[str, ...]
    not_active: tuple[str, ...]


def handler(event: object, context: object) -> dict[str, object]:
    """Look, print one line of CloudWatch's embedded metric format, return what it says; called by AWS Lambda."""
    del event, context
    at = datetime.now(UTC)
    signer = default_session().client("signer", config=RETRIES)
    line = metric_line(find_expiring(signer, at=at, days=days_of(os.environ)), at=at)
    print(json.dumps(line))
    return line


def find_expiring(signer: Any, *, at: datetime, days: int) -> Expiring:
    """Ask AWS Signer.

    Args:
        signer: boto3's client.
        at: Now, aware.
        days: How far ahead to look.

    Raises:
        Refused: AWS did not answer.
    """
    until = at + timedelta(days=days)
    found = Counter(
        job["profileName"]
        for job in _jobs(signer, signatureExpiresAfter=at, signatureExpiresBefore=until)
        if not job.get("isRevoked")
    )
    not_renewed = set(found)
    if not_renewed:
        for job in _jobs(signer, signatureExpiresAfter=until):
            not_renewed.discard(job["profileName"])
            if not not_renewed:
                break
    listed = pages(
        "list the signing profiles",
        signer.list_signing_profiles,
        marker="nextToken",
        includeCanceled=True,
        platformId=_PLATFORM,
    )
    profiles = [profile for page in listed for profile in page["profiles"]]
    return Expiring(
        dict(sorted(found.items())),
        tuple(sorted(not_renewed)),
        tuple(sorted(one["profileName"] for one in profiles if one["status"] != "Active")),
    )


def _jobs(signer: Any, **filters: Any) -> Any:
    listed = pages(
        "list the signing jobs",
        signer.list_signing_jobs,
        marker="nextToken",
        status="Succeeded",
        platformId=_PLATFORM,
        **filters,
    )
    return (job for page in listed for job in page["jobs"])


def metric_line(expiring: Expiring, *, at: datetime) -> dict[str, object]:
    """Return the metrics in CloudWatch's embedded format (CloudWatch guide, "Embedded metric format specification").

    Args:
        expiring: What runs out; which profiles these are stands beside the metrics.
        at: The moment that it was found, aware.
    """
    numbers = (sum(expiring.signatures.values()), len(expiring.not_renewed), len(expiring.not_active), 1)
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [[]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS],
                }
            ],
        },
        **dict(zip(METRICS, numbers, strict=True)),
        "signatures": expiring.signatures,
        "not_renewed": expiring.not_renewed,
        "not_active": expiring.not_active,
    }
