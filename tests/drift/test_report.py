"""The report for people: complete, bounded, and without markup from outside."""

import json
from datetime import UTC, datetime
from typing import Any

from markdown_it import MarkdownIt

from constructs_pkg.runtime.drift import report
from constructs_pkg.runtime.drift.summary import as_html, as_markdown, notification
from constructs_pkg.runtime.drift.surroundings import log
from tests.drift.test_runs import NIGHTLY
from tests.drift.world import BUCKET, REGION, STACK_SET, Machine, World

EVIL = "<script>alert(1)</script> | [click](https://evil.example) `x`\n# heading"


def evil_report() -> tuple[World, dict[str, Any]]:
    world = World(accounts=2)
    account = world.member_accounts[0]
    world.weaken(account)
    world.add_event(account, "UpdateCodeSigningConfig", world.config(account), by=EVIL)
    machine = Machine(world)
    return world, machine.report(machine.run(NIGHTLY))


def test_nothing_from_outside_becomes_markup() -> None:
    _, found = evil_report()
    assert found["rows"][0]["before"][0]["author"]["by"] == EVIL
    page, text = as_html(found), as_markdown(found)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    tokens = MarkdownIt().enable("table").parse(text)
    assert [token.content for token in tokens if token.type == "html_block"] == []
    inside = [child.type for token in tokens for child in token.children or ()]
    assert "link_open" not in inside
    assert "html_inline" not in inside
    assert sum(token.type == "heading_open" for token in tokens) == 1
    assert sum(one.type == "td_open" for one in tokens) == 5, "one row of five cells"


def test_the_three_forms_lie_in_the_bucket() -> None:
    world, found = evil_report()
    prefix = f"runs/{found['run']['run_id']}/report"
    objects = world.aws.buckets[BUCKET]
    assert json.loads(objects[f"{prefix}.json"][0]) == found
    assert objects[f"{prefix}.md"][0].decode() == as_markdown(found)
    assert objects[f"{prefix}.html"][0].decode() == as_html(found)
    assert json.loads(objects[f"latest/{STACK_SET}.json"][0])["report_key"] == f"{prefix}.json"


def test_a_subject_is_what_sns_takes_and_the_text_is_bounded() -> None:
    _, found = evil_report()
    many = {**found, "rows": [found["rows"][0]] * 500, "problem": "Größe\nzwei " + "x" * 200}
    subject, text = notification(many, "s3://b/k")
    assert len(subject) == 100
    assert subject.isascii()
    assert "\n" not in subject
    assert sum(line.startswith("444444444401 ") for line in text.splitlines()) == 20
    assert "\n# heading" not in text
    assert "… and 480 more" in text
    assert "And 300 more in report.json" in as_markdown(many)
    assert "And 300 more in report.json" in as_html(many)


def test_an_account_with_many_findings_is_told_in_a_few() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    for number in range(40):
        world.add_function(account, f"tool-{number:02}", None)
    machine = Machine(world)
    found = machine.report(machine.run(NIGHTLY))
    _, text = notification(found, "s3://b/k")
    assert "tool-09" in text
    assert "tool-10" not in text
    assert "; and 30 more" in text
    assert len(found["rows"][0]["findings"]) == 40, "the whole truth is in report.json"


def test_a_page_reads_like_this() -> None:
    world = World(accounts=1)
    world.detach(world.member_accounts[0])
    machine = Machine(world)
    found = machine.report(machine.run(NIGHTLY))
    run_id = found["run"]["run_id"]
    config = world.config(world.member_accounts[0])
    assert as_markdown(found) == (
        f"# Drift of {STACK_SET}\n\n{STACK_SET}: 1 reverted\n\n"
        f"Run `{run_id}`, mode remediate, because of: schedule.\n"
        f"From {found['run']['started_at']} to {found['finished_at']}.\n\n"
        "| account | Region | outcome | what | who and when |\n|---|---|---|---|---|\n"
        f"| 444444444401 | {REGION} | reverted | was: the function payments-api is under no code signing config; it "
        f"belongs under that of payments; put the function payments-api under {config} |  |\n"
    )


def test_metrics_are_in_the_embedded_format() -> None:
    answer = {"status": "FAILED", "outcomes": {"clean": 7, "needs_human": 2, "unknown": 1, "exempt": 0}}
    found = report.metrics(answer, STACK_SET, at=datetime(2026, 11, 23, tzinfo=UTC), is_whole=False)
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("LambdaCodeSigning/Drift", [["StackSet"]])
    assert found["_aws"]["Timestamp"] == 1_795_392_000_000
    values = {one["Name"]: found[one["Name"]] for one in directive["Metrics"]}
    assert values == {
        "Instances": 10,
        "Drifted": 2,
        "Clean": 7,
        "Exempt": 0,
        "NeedsHuman": 2,
        "Unknown": 1,
        "RunsFinished": 1,
        "WholeRunsFinished": 0,
        "RunsFailed": 1,
    }


def test_a_line_of_the_log_is_json(capsys) -> None:
    log("INFO", "done", run_id="r", at=datetime(2026, 11, 23, tzinfo=UTC))
    line = json.loads(capsys.readouterr().out)
    assert line == {"level": "INFO", "message": "done", "run_id": "r", "at": "2026-11-23 00:00:00+00:00"}


def test_a_handler_serves_from_its_environment_and_logs(monkeypatch, capsys) -> None:
    world = World(accounts=1)
    monkeypatch.setattr("constructs_pkg.runtime.drift.surroundings.of_this_function", lambda: world.around)
    from constructs_pkg.runtime.drift import detect, start  # noqa: PLC0415 (used here alone)

    answer = start.handler({"event": {"kind": "nonsense"}, "execution": "x", "started_at": "now"}, None)
    assert answer["status"] == "IGNORED"
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["task"], line["answer"]["status"]) == ("INFO", "start", "IGNORED")
    try:
        detect.handler({"run": {"run_id": "r"}}, None)
    except ValueError:
        line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["error"], line["run_id"]) == ("ERROR", "DocumentError", "r")
