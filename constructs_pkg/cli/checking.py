"""Finds and reads templates, has them judged, and prints the answer; every judgement is made in ``rules``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from constructs_pkg.cli.check_sarif import check_sarif_log
from constructs_pkg.cli.files import read_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.cli.progress import Progress
from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.rules import CheckReport, Violation
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import MAX_POLICY_BYTES, parse_policy
from constructs_pkg.templates import (
    ArchiveVerdicts,
    Assembly,
    check_assemblies,
    find_templates,
    is_assembly,
    read_assembly,
    read_template,
)

__all__ = ["check"]


def check(paths: Sequence[Path], policy_file: Path | None, at: datetime, output_format: str) -> int:
    """Judge templates and print the answer.

    Args:
        paths: Templates, directories of templates, cloud assemblies.
        policy_file: The policy file, or None.
        at: The moment of the deployment, aware.
        output_format: ``text``, ``json`` or ``sarif``.

    Returns:
        The exit code.
    """
    unread: list[str] = []
    try:
        policy = None if policy_file is None else _read_policy(policy_file, at)
    except LambdaCodeSigningError as error:
        unread.append(str(error))
        report = CheckReport(at, (), (), was_judged_by_policy=False)
    else:
        found = [template for path in paths for template in _found(path, unread)]
        report = _judged(found, policy, at)
        if not found and not unread:
            unread.append(f"{', '.join(map(str, paths))}: there is no template. Name a template or a 'cdk.out'")
    for reason in unread:
        tell(f"Error: {reason}")
    _print(report, unread, output_format)
    return EXIT_NO_VERDICT if unread else EXIT_YES if report else EXIT_NO


def _read_policy(path: Path, at: datetime) -> CodeSigningPolicy:
    policy = parse_policy(read_file(path, MAX_POLICY_BYTES, "the policy"), str(path))
    policy.require_usable(at)
    return policy


def _found(path: Path, unread: list[str]) -> Iterator[Path]:
    if not path.exists():
        unread.append(f"{path} does not exist. Check the path; 'cdk synth' makes cdk.out")
        return
    try:
        yield from find_templates(path)
    except LambdaCodeSigningError as error:
        unread.append(str(error))


def _judged(paths: Sequence[Path], policy: CodeSigningPolicy | None, at: datetime) -> CheckReport:
    progress = Progress("checking templates", len(paths))
    try:
        return check_assemblies(_read(paths), policy, at, advance=lambda _: progress.advance(1))
    finally:
        progress.close()


def _read(paths: Sequence[Path]) -> Iterator[Assembly]:
    verdicts = ArchiveVerdicts()
    for path in paths:
        yield read_assembly(path, verdicts) if is_assembly(path) else read_template(path, verdicts)


def _print(report: CheckReport, unread: Sequence[str], output_format: str) -> None:
    if output_format == "sarif":
        say_json(check_sarif_log(report, unread))
    elif output_format == "json":
        say_json({**report.to_dict(), "passes": bool(report) and not unread, "no_verdict": list(unread)})
    else:
        for violation in report.violations:
            say(str(_in_single_lines(violation)))
        if report.templates or report.violations:
            say(report.summary)


def _in_single_lines(violation: Violation) -> Violation:
    """Return a violation whose texts cannot begin a line of their own, and so cannot pass for a verdict of ours."""
    return replace(
        violation,
        message=one_line(violation.message),
        remedy=one_line(violation.remedy),
        logical_id=one_line(violation.logical_id),
        template_path=one_line(violation.template_path),
        construct_path=None if violation.construct_path is None else one_line(violation.construct_path),
        location=one_line(violation.location),
    )
