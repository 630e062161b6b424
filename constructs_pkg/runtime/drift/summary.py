"""The report for people: Markdown, HTML, and the text of the notification."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["as_html", "as_markdown", "headline", "notification"]

_SHOWN_ROWS = 200
_NOTIFIED_ROWS = 20
_TOLD_PARTS = 10
_WORDS = {
    "failed": "failed",
    "unknown": "unknown",
    "needs_human": "for a human",
    "proposed": "proposed",
    "detected": "detected",
    "reverted": "reverted",
    "exempt": "exempt",
    "clean": "clean",
}
"""Outcomes in the order in which a human wants to read them, and how they are called there."""


def headline(report: Mapping[str, Any]) -> str:
    """Return one line: what came of a run."""
    outcomes: Mapping[str, int] = report["outcomes"]
    parts = [f"{outcomes[one]} {word}" for one, word in _WORDS.items() if outcomes.get(one)]
    found = ", ".join(parts) or "no stack instances"
    failed = f"RUN FAILED ({report['problem']}): " if report["problem"] else ""
    return f"{failed}{report['run']['stack_set']}: {found}"


def as_markdown(report: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    run: Mapping[str, Any] = report["run"]
    lines = [
        f"# Drift of {_inline(run['stack_set'])}",
        "",
        _inline(headline(report)),
        "",
        f"Run `{run['run_id']}`, mode {run['mode']}, because of: {_inline(run['trigger'])}.",
        f"From {run['started_at']} to {report['finished_at']}.",
    ]
    rows = _interesting(report["rows"])
    if rows:
        lines += ["", "| account | Region | outcome | what | who and when |", "|---|---|---|---|---|"]
        lines += [
            "| "
            + " | ".join(_inline(cell) for cell in (row["account"], row["region"], row["outcome"], *_told(row)))
            + " |"
            for row in rows[:_SHOWN_ROWS]
        ]
    if len(rows) > _SHOWN_ROWS:
        lines += ["", f"And {len(rows) - _SHOWN_ROWS} more in report.json."]
    commands = _commands(report)
    if commands:
        lines += ["", "## To approve", "", "```sh", *commands, "```"]
    return "\n".join(lines) + "\n"


def as_html(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML page, without scripts and without anything from elsewhere."""
    run: Mapping[str, Any] = report["run"]
    rows = _interesting(report["rows"])
    cells = "\n".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(str(cell))}</td>"
            for cell in (row["account"], row["region"], row["outcome"], *_told(row))
        )
        + f"<td>{_link(row)}</td></tr>"
        for row in rows[:_SHOWN_ROWS]
    )
    more = f"<p>And {len(rows) - _SHOWN_ROWS} more in report.json.</p>" if len(rows) > _SHOWN_ROWS else ""
    head = "".join(
        f"<th>{name}</th>" for name in ("account", "Region", "outcome", "what", "who and when", "to approve")
    )
    title = html.escape(f"Drift of {run['stack_set']}")
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{font-family: sans-serif}}
td, th {{text-align: left; vertical-align: top; padding: 0.2em 1em 0.2em 0}}
</style></head>
<body>
<h1>{title}</h1>
<p>{html.escape(headline(report))}</p>
<p>Run {html.escape(run["run_id"])}, mode {html.escape(run["mode"])}, because of: {html.escape(run["trigger"])}.
From {html.escape(run["started_at"])} to {html.escape(report["finished_at"])}.</p>
<table><tr>{head}</tr>
{cells}
</table>
{more}
</body>
</html>
"""


def notification(report: Mapping[str, Any], location: str) -> tuple[str, str]:
    """Return subject (at most 100 ASCII characters, as SNS wants it) and text of the message.

    Args:
        report: The report.
        location: Where the whole report lies.
    """
    line = headline(report)
    subject = f"Drift in {line}".encode("ascii", "replace").decode().replace("\n", " ")
    rows = _interesting(report["rows"])
    parts = [line, ""]
    for row in rows[:_NOTIFIED_ROWS]:
        what, who = _told(row)
        parts.append(f"{row['account']} {row['region']} {row['outcome']}: {what}" + (f" [{who}]" if who else ""))
    if len(rows) > _NOTIFIED_ROWS:
        parts.append(f"… and {len(rows) - _NOTIFIED_ROWS} more")
    commands = _commands(report)
    if commands:
        parts += ["", "To approve:", *commands[:_NOTIFIED_ROWS]]
    parts += ["", f"The whole report: {location}"]
    return subject[:100], "\n".join(parts)


def _interesting(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows that somebody should read, the worst first."""
    order = list(_WORDS)
    chosen = [row for row in rows if row["outcome"] not in {"clean", "exempt"}]
    return sorted(chosen, key=lambda row: (order.index(row["outcome"]), row["account"], row["region"]))


def _told(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was found and done, and who had done it."""
    findings: list[Mapping[str, Any]] = [*row["findings"]]
    known = {(one["tier"], one["kind"], one["resource"]) for one in findings}
    reverted = [one for one in row.get("before") or () if (one["tier"], one["kind"], one["resource"]) not in known]
    what = [str(one["explanation"]) + (" (exempt)" if one["exemption"] else "") for one in findings]
    what += [f"was: {one['explanation']}" for one in reverted]
    what += [str(one) for one in row["actions"]]
    if row["explanation"]:
        what.append(str(row["explanation"]))
    authors = [one["author"] for one in [*findings, *reverted] if one["author"] and not one["author"].get("problem")]
    who = [f"{one['by']}, {one['at']} ({one['call']})" for one in authors]
    return _joined(what), _joined(who)


def _joined(parts: Sequence[str]) -> str:
    """Return different parts in one line, the first of them where there are many: an account has many functions."""
    different = list(dict.fromkeys(" ".join(part.split()) for part in parts))
    more = [f"and {len(different) - _TOLD_PARTS} more"] if len(different) > _TOLD_PARTS else []
    return "; ".join(different[:_TOLD_PARTS] + more)


def _commands(report: Mapping[str, Any]) -> list[str]:
    return [
        f"lambda-code-signing drift approve {report['run']['run_id']} {row['account']}/{row['region']}"
        for row in report["rows"]
        if row["proposal"] is not None
    ]


def _link(row: Mapping[str, Any]) -> str:
    proposal: Mapping[str, Any] = row["proposal"] or {}
    change_set: Mapping[str, Any] = proposal.get("change_set") or {}
    link = str(change_set.get("link", ""))
    return f'<a href="{html.escape(link)}">change set</a>' if link.startswith("https://") else ""


def _inline(value: object) -> str:
    """Return a text that cannot leave its cell or its line of Markdown, and brings no markup along."""
    text = " ".join(str(value).split())
    return (
        html.escape(text, quote=False).replace("\\", "\\\\").replace("|", "\\|").replace("`", "'").replace("[", "\\[")
    )
