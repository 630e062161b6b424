"""What ``lambda-code-signing drift`` answers: reports of the drift functions, as text and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line

__all__ = ["document", "exit_code_of", "one_row", "proposal_text", "text"]

_WELL = frozenset({"clean", "exempt", "reverted"})
_ORDER = ("failed", "unknown", "needs_human", "proposed", "detected", "reverted", "exempt")
_WORDS = {"needs_human": "for a human"}


def document(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer as JSON: the reports as the drift functions write them."""
    return {"version": 1, "reports": list(reports)}


def exit_code_of(reports: Sequence[Mapping[str, Any]]) -> int:
    """Return 1 where something drifted (and is not put back), else 3 where something is not known, else 0."""
    rows = [row for report in reports for row in report["rows"]]
    if any(row["outcome"] not in {*_WELL, "unknown"} for row in rows):
        return EXIT_NO
    return EXIT_NO_VERDICT if any(row["outcome"] == "unknown" for row in rows) else EXIT_YES


def one_row(report: Mapping[str, Any], account: str, region: str) -> Mapping[str, Any] | None:
    """Return the row of an account and Region, None where there is none."""
    return next((row for row in report["rows"] if (row["account"], row["region"]) == (account, region)), None)


def text(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the answer as text."""
    return "\n\n".join("\n".join(_report(report)) for report in reports)


def proposal_text(proposal: Mapping[str, Any]) -> str:
    """Return what a human has to know before saying yes."""
    lines = [f"{proposal['account']} in {proposal['region']}: a human has to decide because"]
    lines += [f"  {one_line(str(reason))}" for reason in proposal["reasons"]]
    lines.append("It would")
    lines += [
        f"  {one_line(str(action['what']))}\n    because {one_line(str(action['reason']))}"
        for action in proposal["actions"]
    ]
    change_set: Mapping[str, Any] = proposal["change_set"] or {}
    for change in change_set.get("changes", ()):
        kind = f"{change['action']} {change['logical_id']} ({change['resource_type']})"
        replaced = f", replacement: {change['replacement']}" if change["replacement"] else ""
        lines.append(f"  changes: {one_line(kind)}{replaced}")
        lines += [f"    {one_line(str(detail))}" for detail in change["details"]]
    if change_set.get("link"):
        lines.append(f"  {change_set['link']}")
    return "\n".join(lines)


def _report(report: Mapping[str, Any]) -> Iterator[str]:
    outcomes: Mapping[str, int] = report["outcomes"]
    run: Mapping[str, Any] = report["run"]
    counts = [f"{outcomes[one]} {_WORDS.get(one, one)}" for one in (*_ORDER, "clean") if outcomes.get(one)]
    yield f"{run['stack_set']} (wave {run['wave']}): {', '.join(counts) or 'no stack instances'}"
    if report["problem"]:
        yield f"  NOT COMPLETE: {one_line(str(report['problem']))}"
    rows = [row for row in report["rows"] if row["outcome"] != "clean"]
    for row in sorted(rows, key=lambda row: (_ORDER.index(row["outcome"]), row["account"], row["region"])):
        yield f"  {row['account']} {row['region']}: {_WORDS.get(row['outcome'], row['outcome'])}"
        for finding in row["findings"]:
            yield f"    {finding['tier']}: {one_line(str(finding['explanation']))}{_exempt(finding)}{_author(finding)}"
        yield from (f"    done: {one_line(str(action))}" for action in row["actions"])
        if row["explanation"]:
            yield f"    {one_line(str(row['explanation']))}"
        if row["proposal"] is not None:
            item = f"{row['account']}/{row['region']}"
            yield f"    to approve: lambda-code-signing drift approve {run['run_id']} {item}"


def _exempt(finding: Mapping[str, Any]) -> str:
    exemption = finding["exemption"]
    return f" (exempt until {exemption['expires']}, {one_line(exemption['owner'])})" if exemption else ""


def _author(finding: Mapping[str, Any]) -> str:
    author = finding["author"]
    if not author or author.get("problem"):
        return ""
    return f" [{one_line(author['by'])}, {author['at']}, {author['call']}]"
