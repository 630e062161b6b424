"""Alarms that tell a topic, and the widgets of dashboards."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

__all__ = ["Metric", "Place", "alarm_on", "metric_widget", "search_widget"]

Metric = tuple[str, str, Mapping[str, str]]
"""Namespace, name and dimensions."""

Place = tuple[int, int, int, int]
"""Column, row, width and height of a widget; a row has 24 columns."""


def alarm_on(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    description: str,
    topic_arn: str,
    metrics: Sequence[Metric],
    statistic: str = "Sum",
    period_seconds: int = 300,
    threshold: float = 1,
    comparison: str = "GreaterThanOrEqualToThreshold",
    periods: int = 1,
    missing: str = "notBreaching",
) -> cloudwatch.CfnAlarm:
    """Return an alarm on a metric, or on the sum of several, that tells a topic when it begins and when it ends.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        name: The alarm's name.
        description: What has happened and where to look.
        topic_arn: Who hears of it.
        metrics: Up to ten; one without data counts as nothing in a sum.
        statistic: Such as ``Sum``.
        period_seconds: The length of a period.
        threshold: What the result is compared with.
        comparison: How.
        periods: In how many periods on end.
        missing: What a period without data means.
    """
    measured: dict[str, Any]
    if len(metrics) == 1:
        ((namespace, metric_name, dimensions),) = metrics
        measured = {
            "namespace": namespace,
            "metric_name": metric_name,
            "dimensions": _dimensions(dimensions),
            "statistic": statistic,
            "period": period_seconds,
        }
    else:
        measured = {"metrics": _sum_of(metrics, statistic, period_seconds)}
    return cloudwatch.CfnAlarm(
        scope,
        construct_id,
        alarm_name=name,
        alarm_description=description,
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        comparison_operator=comparison,
        evaluation_periods=periods,
        threshold=threshold,
        treat_missing_data=missing,
        **measured,
    )


def _sum_of(
    metrics: Sequence[Metric], statistic: str, period_seconds: int
) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    query = cloudwatch.CfnAlarm.MetricDataQueryProperty
    queries = [
        query(
            id=f"m{number}",
            return_data=False,
            metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                metric=cloudwatch.CfnAlarm.MetricProperty(
                    namespace=namespace, metric_name=name, dimensions=_dimensions(dimensions)
                ),
                period=period_seconds,
                stat=statistic,
            ),
        )
        for number, (namespace, name, dimensions) in enumerate(metrics)
    ]
    total = " + ".join(f"FILL(m{number}, 0)" for number in range(len(metrics)))
    return [*queries, query(id="total", expression=total, label="total", return_data=True)]


def _dimensions(values: Mapping[str, str]) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
    return [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in values.items()]


def metric_widget(
    title: str,
    region: str,
    metrics: Sequence[Metric],
    *,
    place: Place,
    statistic: str = "Sum",
) -> dict[str, object]:
    """Return a widget of a dashboard with one line for each metric.

    Args:
        title: Above it.
        region: Where the metrics are.
        metrics: Namespace, name and dimensions of each.
        place: Column, row, width and height.
        statistic: Such as ``Sum``.
    """
    lines: list[object] = [
        [namespace, name, *(word for pair in dimensions.items() for word in pair)]
        for namespace, name, dimensions in metrics
    ]
    return _widget(title, region, lines, place, statistic)


def search_widget(
    title: str, region: str, namespace: str, dimensions: Sequence[str], metric: str, *, place: Place
) -> dict[str, object]:
    """Return a widget with a line for each value of the dimensions that CloudWatch knows, such as for each account.

    Args:
        title: Above it.
        region: Where the metrics are.
        namespace: Their namespace.
        dimensions: All names of their dimensions.
        metric: Their name.
        place: Column, row, width and height.
    """
    schema = ",".join([namespace, *dimensions])
    search = f"SEARCH('{{{schema}}} MetricName=\"{metric}\"', 'Sum', 300)"
    return _widget(title, region, [[{"expression": search, "id": "each"}]], place, "Sum")


def _widget(title: str, region: str, metrics: list[object], place: Place, statistic: str) -> dict[str, object]:
    x, y, width, height = place
    return {
        "type": "metric",
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "stat": statistic,
            "period": 300,
            "metrics": metrics,
        },
    }
