"""Verdicts as SARIF 2.1.0, which code scanning services read (OASIS, "Static Analysis Results Interchange Format")."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from constructs_pkg._version import __version__
from constructs_pkg.signing.report import Decision, VerificationReport, iso_time

__all__ = ["sarif_log"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_Json = dict[str, object]


def sarif_log(
    reports: Sequence[VerificationReport], unjudged: Sequence[tuple[str, str]], at: datetime
) -> dict[str, object]:
    """Return a log with one run: a result for each finding and note, a notification for each missing verdict.

    Findings are errors where the archive is rejected and warnings where it is let through. An archive that is accepted
    has a result of kind ``pass``, so that a reader can tell it from one that was not looked at.

    Args:
        reports: The verdicts.
        unjudged: Archives without a verdict, each with the reason.
        at: The moment of the verdicts, aware.
    """
    results = [result for report in reports for result in _results(report)]
    rules = sorted({str(result["ruleId"]) for result in results})
    run: _Json = {
        "tool": {
            "driver": {
                "name": "lambda-code-signing",
                "semanticVersion": __version__,
                "rules": [{"id": rule, "name": _name(rule)} for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not unjudged,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": reason}, "locations": [_location(artifact)]}
                    for artifact, reason in unjudged
                ],
                "properties": {"at": iso_time(at)},
            }
        ],
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _results(report: VerificationReport) -> list[_Json]:
    level = "error" if report.decision is Decision.REJECTED else "warning"
    results = [
        _result(f"{finding.check}/{finding.code}", level, f"{finding.message}. {finding.remedy}.", report)
        for finding in report.findings
    ]
    results += [_result(f"note/{note.code}", "note", note.message, report) for note in report.notes]
    if report.decision is Decision.ACCEPTED:
        accepted = _result("accepted", "none", f"accepted: signed by {report.signing_profile_version_arn}", report)
        results.append({**accepted, "kind": "pass"})
    return results


def _result(rule: str, level: str, text: str, report: VerificationReport) -> _Json:
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": text},
        "locations": [_location(report.artifact)],
        "properties": {"decision": str(report.decision), "signature_status": str(report.signature_status)},
    }


def _location(artifact: str) -> _Json:
    path = Path(artifact)
    # A URI reference: what was given relative stays relative. Bytes of a name that are no UTF-8 are quoted as they are.
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix().encode("utf-8", "surrogateescape"))
    return {"physicalLocation": {"artifactLocation": {"uri": uri}}}


def _name(rule: str) -> str:
    return "".join(part.capitalize() for part in rule.replace("/", "_").split("_"))
