"""Reads what became of deployments: CloudTrail's records, and the metric of what Warn let through."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from constructs_pkg.aws.member_place import MemberPlace
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import DeploymentReading, MetricReading

__all__ = [
    "DEPLOYMENT_EVENTS",
    "LONGEST_DAYS",
    "deployment_of",
    "deployments",
    "errors_of",
    "function_name",
    "validation_errors",
]

LONGEST_DAYS = 14
"""ListMetrics tells only metrics that had data in the past two weeks (botocore); LookupEvents goes back 90 days."""

DEPLOYMENT_EVENTS = (
    "CreateFunction20150331",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "CreateFunction",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
)
"""CloudTrail's names of the three calls by which Lambda checks signatures.

Records from 2016 to 2026 have the date. AWS announced in 2021 that it would go, and LookupEvents compares whole names:
were only one form asked for, the other would be found by nobody.
"""

_METRIC = "SignatureValidationErrors"
_MOST_QUERIES = 500
_DAY_SECONDS = 86400
_MOST_NESTING = 30


def deployments(place: MemberPlace, since: datetime, until: datetime) -> Iterator[DeploymentReading]:
    """Yield the deployments of a time whose signatures were not valid; of others nothing is said.

    Args:
        place: Where.
        since: The first moment; CloudTrail goes back 90 days.
        until: The last one. What happened in the 15 minutes before now may be missing.

    Raises:
        AwsError: CloudTrail refused or was not reached, or a record is no JSON.
    """
    for name in DEPLOYMENT_EVENTS:
        events = place.pages(
            "cloudtrail",
            "lookup_events",
            "Events",
            token="NextToken",  # noqa: S106
            next_token="NextToken",  # noqa: S106
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
            StartTime=since,
            EndTime=until,
        )
        for event in events:
            deployment = deployment_of(event)
            if deployment is not None:
                yield deployment


def validation_errors(place: MemberPlace, since: datetime, until: datetime) -> Iterator[MetricReading]:
    """Yield what CloudWatch counted under Warn, in whole days (UTC) so that none is cut off.

    Args:
        place: Where.
        since: A moment of the first day, at most 14 days ago.
        until: The last moment.

    Raises:
        AwsError: CloudWatch refused, was not reached, or did not answer completely.
    """
    listed = place.pages(
        "cloudwatch",
        "list_metrics",
        "Metrics",
        token="NextToken",  # noqa: S106
        next_token="NextToken",  # noqa: S106
        Namespace="AWS/Lambda",
        MetricName=_METRIC,
    )
    metrics = list(listed)
    sums: list[float] = []
    for begin in range(0, len(metrics), _MOST_QUERIES):
        sums += _sums(place, metrics[begin : begin + _MOST_QUERIES], since, until)
    yield from errors_of(zip(metrics, sums, strict=True))


def _sums(place: MemberPlace, metrics: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[float]:
    """Return the sum of each metric."""
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": _METRIC, "Dimensions": metric["Dimensions"]},
                "Period": _DAY_SECONDS,
                "Stat": "Sum",
            },
        }
        for number, metric in enumerate(metrics)
    ]
    results = place.pages(
        "cloudwatch",
        "get_metric_data",
        "MetricDataResults",
        token="NextToken",  # noqa: S106
        next_token="NextToken",  # noqa: S106
        MetricDataQueries=queries,
        StartTime=since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        EndTime=until,
    )
    sums, status = [0.0] * len(metrics), ["missing"] * len(metrics)
    for result in results:
        number = int(str(result["Id"])[1:])
        sums[number] += sum(result.get("Values", ()))
        status[number] = str(result.get("StatusCode"))
    incomplete = sorted({one for one in status if one != "Complete"})
    if incomplete:
        raise AwsError(
            "PartialData",
            f"cannot read the metric {_METRIC} in {place.account}/{place.region}: CloudWatch answered "
            f"with {', '.join(incomplete)}. Try again",
        )
    return sums


def deployment_of(event: Mapping[str, Any]) -> DeploymentReading | None:
    """Return what CloudTrail says against a deployment, None where it says nothing against it.

    AWS documents no field of it. The one public record has ``signatureStatus`` in ``additionalEventData``, so it is
    looked for wherever it stands. Any word but ``VALID`` counts against the deployment. ``VALID``, which that record
    says of an unsigned layer where no config applied, and no word at all say nothing for it either: whether code is
    signed is never taken from here.

    Args:
        event: One of the ``Events`` of LookupEvents.

    Raises:
        AwsError: The record is no JSON object.
    """
    try:
        record = json.loads(event["CloudTrailEvent"])
    except (KeyError, ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        raise AwsError("UnreadableRecord", f"the CloudTrail event {event.get('EventId')} is no JSON object. Look at it")
    members = cast("dict[str, Any]", record)
    statuses = {status for status in _signature_statuses(members, 0) if status != "VALID"}
    error_code = members.get("errorCode")
    is_refused = isinstance(error_code, str) and error_code.startswith(
        ("CodeVerificationFailed", "InvalidCodeSignature")
    )
    if not statuses and not is_refused:
        return None
    parameters = members.get("requestParameters")
    name: object = cast("dict[str, Any]", parameters).get("functionName") if isinstance(parameters, dict) else None
    return DeploymentReading(
        function=function_name(name) if isinstance(name, str) else None,
        at=event["EventTime"].astimezone(UTC),
        event_name=str(event.get("EventName", members.get("eventName"))),
        statuses=tuple(sorted(statuses)),
        error_code=error_code if isinstance(error_code, str) else None,
    )


def errors_of(sums: Iterable[tuple[Mapping[str, Any], float]]) -> tuple[MetricReading, ...]:
    """Return the count of each function, and of what is counted without naming one.

    AWS does not document the dimensions of this metric. Lambda counts others once for each of several sets of
    dimensions, so that of a function's metrics the largest counts, and of those without a function only what all
    functions together do not explain.

    Args:
        sums: Metrics as ListMetrics tells them, and their sums.
    """
    by_function: dict[str, float] = {}
    of_nobody = 0.0
    for metric, total in sums:
        dimensions = {one["Name"]: one["Value"] for one in metric["Dimensions"]}
        name = dimensions.get("FunctionName")
        if name is None:
            of_nobody = max(of_nobody, total)
        else:
            by_function[name] = max(by_function.get(name, 0.0), total)
    found = [MetricReading(name, round(total)) for name, total in by_function.items() if total > 0]
    unexplained = round(of_nobody - sum(by_function.values()))
    return (*found, MetricReading(None, unexplained)) if unexplained > 0 else tuple(found)


def function_name(reference: str) -> str:
    """Return the function's name of what CloudTrail and listings have: a name, an ARN, a part of an ARN."""
    parts = reference.split(":")
    if "function" in parts[:-1]:
        return parts[parts.index("function") + 1]
    return parts[0]


def _signature_statuses(value: object, depth: int) -> Iterator[str]:
    if depth > _MOST_NESTING:
        return
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            if key == "signatureStatus":
                yield item if isinstance(item, str) else json.dumps(item)[:100]
            else:
                yield from _signature_statuses(item, depth + 1)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _signature_statuses(item, depth + 1)
