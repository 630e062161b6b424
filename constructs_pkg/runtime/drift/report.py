"""The last task: one row for each stack instance, a report for machines and people, one message, and the lease back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .access import asking
from .leases import release
from .observations import StackInstance
from .rows import OUTCOMES, unknown_row
from .runs import Run, latest_key, read_instance, read_run
from .storage import Conflict
from .summary import as_html, as_markdown, headline, notification
from .surroundings import Surroundings, serve
from .values import timestamp

__all__ = ["METRICS_NAMESPACE", "handler", "metrics", "run"]

METRICS_NAMESPACE = "LambdaCodeSigning/Drift"
"""Where CloudWatch shows what came of the runs; the dimension is ``StackSet``."""

_QUIET = frozenset({"clean", "exempt"})
_MOST_CHARACTERS = 500


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Answer Lambda."""
    answer = serve("report", run, event)
    # one line in the log, which is how metrics reach CloudWatch without a call
    of_run = event["run"]
    print(json.dumps(metrics(answer, of_run["stack_set"], at=datetime.now(UTC), is_whole=of_run.get("scope") is None)))
    return answer


def run(event: Mapping[str, Any], around: Surroundings) -> dict[str, Any]:
    """Report.

    Args:
        event: ``run``; ``error``, what the state machine caught, where something failed.
        around: Everything outside.

    Returns:
        ``status``: ``SUCCEEDED``, or ``FAILED`` where the run as a whole did not do what it should; ``outcomes``, how
        many instances had which; ``bucket`` and ``report_key``; ``summary``, one line.
    """
    this = read_run(event["run"])
    instances, problem = _instances(this, around)
    caught: Mapping[str, Any] = event.get("error") or {}
    if caught:
        cause = f"{caught.get('Error', 'error')}: {caught.get('Cause', '')}"[:_MOST_CHARACTERS]
        problem = cause if problem is None else f"{problem}; {cause}"
    rows = _rows(this, instances, around)
    outcomes = {outcome: sum(row["outcome"] == outcome for row in rows) for outcome in OUTCOMES}
    report = {
        "version": 1,
        "run": this.document(),
        "finished_at": timestamp(around.now()),
        "problem": problem,
        "outcomes": outcomes,
        "rows": rows,
    }
    key = this.keys.of("report.json")
    around.store.write(key, report)
    around.store.write_text(this.keys.of("report.md"), as_markdown(report), "text/markdown; charset=utf-8")
    around.store.write_text(this.keys.of("report.html"), as_html(report), "text/html; charset=utf-8")
    around.store.write(latest_key(this.stack_set), {"run_id": this.run_id, "report_key": key, "outcomes": outcomes})
    _notify(this, report, around)
    release(this, around)
    return {
        "status": "SUCCEEDED" if problem is None else "FAILED",
        "outcomes": outcomes,
        "bucket": around.store.name,
        "report_key": key,
        "summary": headline(report),
    }


def metrics(answer: Mapping[str, Any], stack_set: str, *, at: datetime, is_whole: bool) -> dict[str, Any]:
    """Return what a run's answer says in CloudWatch's embedded metric format.

    Source: CloudWatch's guide, "Embedded metric format specification".

    Args:
        answer: What `run` returned.
        stack_set: The StackSet.
        at: The moment, aware.
        is_whole: Whether the run looked at the whole StackSet: one for a single account must not hide that the others
            end before their report.
    """
    outcomes: Mapping[str, int] = answer["outcomes"]
    values = {
        "Instances": sum(outcomes.values()),
        "Drifted": sum(count for outcome, count in outcomes.items() if outcome not in {*_QUIET, "unknown"}),
        **{"".join(word.title() for word in outcome.split("_")): count for outcome, count in outcomes.items()},
        "RunsFinished": 1,
        "WholeRunsFinished": int(is_whole),
        "RunsFailed": int(answer["status"] == "FAILED"),
    }
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": METRICS_NAMESPACE,
                    "Dimensions": [["StackSet"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
                }
            ],
        },
        "StackSet": stack_set,
        **values,
    }


def _instances(this: Run, around: Surroundings) -> tuple[list[StackInstance], str | None]:
    found = around.store.read(this.keys.of("instances.json"))
    if found is None:
        return [], "the stack instances were not listed"
    return [read_instance(one) for one in found[0]["instances"]], found[0]["problem"]


def _rows(this: Run, instances: list[StackInstance], around: Surroundings) -> list[dict[str, Any]]:
    """Return one row for each instance: that of its repair, else of its inspection, else that nobody looked."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for key in around.store.keys(this.keys.of("inspections/")):
        found = around.store.read(key)
        for row in found[0]["rows"] if found is not None else ():
            rows[row["account"], row["region"]] = row
    for item in (around.store.read(this.keys.of("repairs.json")) or ([], ""))[0]:
        where = item["instance"]["account"], item["instance"]["region"]
        found = around.store.read(this.keys.repair(*where))
        rows[where] = _unrepaired(rows[where]) if found is None else found[0]
    unseen = "the inspection of its batch failed: see the log of inspect_batch"
    return [rows.get((one.account, one.region)) or unknown_row(one, unseen) for one in instances]


def _unrepaired(row: dict[str, Any]) -> dict[str, Any]:
    outcome = "unknown" if row["outcome"] == "unknown" else "failed"
    return {**row, "outcome": outcome, "explanation": "the repair did not come to an end: see the log of repair"}


def _notify(this: Run, report: Mapping[str, Any], around: Surroundings) -> None:
    """Tell, once a run: a repeated report finds the mark of the first."""
    outcomes: Mapping[str, int] = report["outcomes"]
    is_quiet = report["problem"] is None and not any(outcomes[one] for one in outcomes if one not in _QUIET)
    mark = this.keys.of("notified.json")
    if is_quiet or not around.settings.topic_arn or around.store.read(mark) is not None:
        return
    location = f"s3://{around.store.name}/{this.keys.of('report.html')}"
    subject, text = notification(report, location)
    with asking(f"tell {around.settings.topic_arn}"):
        around.access.central("sns").publish(TopicArn=around.settings.topic_arn, Subject=subject, Message=text)
    try:
        around.store.write_if(mark, {"at": report["finished_at"]}, None)
    except Conflict:
        return  # a repetition came first, and told the same
