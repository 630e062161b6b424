"""Violations of templates as SARIF 2.1.0, which code scanning services read."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from constructs_pkg._version import __version__
from constructs_pkg.rules import RULES, CheckReport, Rule, Severity, Violation
from constructs_pkg.signing.report import iso_time

__all__ = ["check_sarif_log"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.FATAL: "error", Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_Json = dict[str, object]


def check_sarif_log(report: CheckReport, unread: Sequence[str]) -> dict[str, object]:
    """Return a log with one run: a result for each violation, those that are exempted as suppressed ones.

    Args:
        report: The answer.
        unread: What no verdict could be reached on, each with the reason.
    """
    used = sorted({violation.rule.id for violation in report.violations})
    run: _Json = {
        "tool": {
            "driver": {
                "name": "lambda-code-signing check",
                "semanticVersion": __version__,
                "rules": [_rule(RULES[rule]) for rule in used],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not unread,
                "toolExecutionNotifications": [{"level": "error", "message": {"text": reason}} for reason in unread],
                "properties": {"at": iso_time(report.at), "judged_by_policy": report.was_judged_by_policy},
            }
        ],
        "results": [_result(violation) for violation in report.violations],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> _Json:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.remedy}. See {rule.documentation}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(violation: Violation) -> _Json:
    name = violation.construct_path or violation.logical_id
    logical = [{"fullyQualifiedName": name, "kind": "resource"}] if name else []
    result: _Json = {
        "ruleId": violation.rule.id,
        "level": _LEVELS[violation.severity],
        "message": {"text": f"{violation.message}. {violation.remedy}."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _uri(violation.template_path)}},
                "logicalLocations": logical,
            }
        ],
        "properties": {"location": violation.location, "severity": str(violation.severity)},
    }
    if violation.exempted_by is not None:
        result["suppressions"] = [{"kind": "external", "justification": violation.exempted_by}]
    return result


def _uri(path: str) -> str:
    file = Path(path)
    # A URI reference: what was given relative stays relative. Bytes of a name that are no UTF-8 are quoted as they are.
    return file.as_uri() if file.is_absolute() else quote(file.as_posix().encode("utf-8", "surrogateescape"))
