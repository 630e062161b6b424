"""What AWS saw: CloudTrail's management events and CloudWatch's metrics of a fake organization."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer
from constructs_pkg.testing.fake_organization.records import EventRecord

__all__ = ["CloudTrailService", "CloudWatchService"]

_EVENT_DAYS = 90
_METRIC_DAYS = 14


class CloudTrailService(Service):
    """LookupEvents by event name, over the last 90 days."""

    def lookup_events(
        self,
        *,
        LookupAttributes: list[dict[str, str]] | None = None,
        StartTime: datetime | None = None,
        EndTime: datetime | None = None,
        MaxResults: int = 50,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return events, the newest first."""
        attributes = LookupAttributes or []
        if len(attributes) > 1 or any(one["AttributeKey"] not in {"EventName", "ResourceName"} for one in attributes):
            message = "one attribute, EventName or ResourceName, is served here"
            raise ServiceAnswer("InvalidLookupAttributesException", message)
        now = self.organization.clock.now()
        begin = max(StartTime or now - timedelta(days=_EVENT_DAYS), now - timedelta(days=_EVENT_DAYS))
        known_until = now - timedelta(seconds=self.organization.faults.event_lag_seconds)
        end = min(EndTime or now, known_until)
        found = sorted(
            (
                event
                for event in self.organization.place(self.account, self.region).events
                if begin <= event.at <= end and all(_matches(event, one) for one in attributes)
            ),
            key=lambda event: event.at,
            reverse=True,
        )
        items = [self._event(event, number) for number, event in enumerate(found)]
        name = "cloudtrail:LookupEvents"
        return self.page(name, items, min(MaxResults, 50), NextToken, key="Events", token_key="NextToken")  # noqa: S106

    def _event(self, event: EventRecord, number: int) -> dict[str, Any]:
        record = {
            "eventVersion": "1.11",
            "eventSource": "lambda.amazonaws.com",
            "eventName": event.name,
            "eventTime": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "awsRegion": self.region,
            "recipientAccountId": self.account,
            "eventID": f"{self.account}-{self.region}-{event.name}-{number}",
            **event.record,
        }
        return {
            "EventId": record["eventID"],
            "EventName": event.name,
            "EventSource": "lambda.amazonaws.com",
            "EventTime": event.at,
            "ReadOnly": "false",
            "Username": str(event.record.get("userIdentity", {}).get("userName", "")),
            "CloudTrailEvent": json.dumps(record),
        }


def _matches(event: EventRecord, attribute: Mapping[str, str]) -> bool:
    if attribute["AttributeKey"] == "EventName":
        return attribute["AttributeValue"] == event.name
    return attribute["AttributeValue"] in event.record.get("resourceNames", ())


class CloudWatchService(Service):
    """ListMetrics of the last two weeks, and sums of GetMetricData."""

    def list_metrics(
        self,
        *,
        Namespace: str = "AWS/Lambda",
        MetricName: str = "",
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """List the metrics that had data in the last two weeks."""
        since = self.organization.clock.now() - timedelta(days=_METRIC_DAYS)
        items = [
            {
                "Namespace": Namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            }
            for metric in self.organization.place(self.account, self.region).metrics
            if metric.name == (MetricName or metric.name) and any(at >= since for at, _ in metric.points)
        ]
        return self.page(
            "cloudwatch:ListMetrics",
            items,
            500,
            NextToken,
            key="Metrics",
            token_key="NextToken",  # noqa: S106
        )

    def get_metric_data(
        self,
        *,
        MetricDataQueries: list[dict[str, Any]],
        StartTime: datetime,
        EndTime: datetime,
        **_more: Any,
    ) -> dict[str, Any]:
        """Return the sum of each metric over the time, as one data point."""
        if len(MetricDataQueries) > 500:
            raise ServiceAnswer("ValidationError", "The collection MetricDataQueries must not have more than 500")
        is_partial = self.account in self.organization.faults.partial_metrics
        results = [self._result(query, StartTime, EndTime, is_partial=is_partial) for query in MetricDataQueries]
        return {"MetricDataResults": results}

    def _result(self, query: Mapping[str, Any], begin: datetime, end: datetime, *, is_partial: bool) -> dict[str, Any]:
        wanted = query["MetricStat"]["Metric"]
        dimensions = {(one["Name"], one["Value"]) for one in wanted.get("Dimensions", [])}
        values = [
            (at, value)
            for metric in self.organization.place(self.account, self.region).metrics
            if metric.name == wanted["MetricName"] and set(metric.dimensions) == dimensions
            for at, value in metric.points
            if begin <= at < end
        ]
        return {
            "Id": query["Id"],
            "Label": wanted["MetricName"],
            "Timestamps": [at for at, _ in values],
            "Values": [value for _, value in values],
            "StatusCode": "PartialData" if is_partial else "Complete",
        }
