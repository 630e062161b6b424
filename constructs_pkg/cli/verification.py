"""Reads policy and archives, has them judged, and prints the verdicts; every judgement is made in ``signing``."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cli.files import read_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.cli.progress import open_with_progress
from constructs_pkg.cli.sarif import sarif_log
from constructs_pkg.errors import ArchiveError, ArnError, LambdaCodeSigningError, TrustError
from constructs_pkg.signing.deployment import DeploymentDecision
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode, Revocations
from constructs_pkg.signing.policy_file import (
    MAX_POLICY_BYTES,
    parse_code_signing_config,
    parse_policy,
    parse_revocations,
)
from constructs_pkg.signing.report import Decision, VerificationReport, iso_time
from constructs_pkg.signing.trust import MAX_PEM_BYTES, TrustStore
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["VERIFICATION_VERSION", "PolicySources", "read_trust_roots", "verify"]

VERIFICATION_VERSION = 1
"""The version of the JSON answer: it grows by one when a key changes its meaning or goes away."""

_MAX_ENTRIES_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PolicySources:
    """Where the policy comes from, as the options of ``verify`` say it; exactly one of the first three is given.

    Attributes:
        policy: The policy file.
        csc: The output of ``aws lambda get-code-signing-config``.
        publishers: Signing profile version ARNs.
        mode: ``enforce``, ``warn`` or None.
        trust_roots: PEM files.
        revocations: A file with revocations.
    """

    policy: Path | None
    csc: Path | None
    publishers: tuple[str, ...]
    mode: str | None
    trust_roots: tuple[Path, ...]
    revocations: Path | None

    def load(self) -> CodeSigningPolicy:
        """Read everything and put it together.

        Raises:
            LambdaCodeSigningError: A file cannot be read or used.
            click.BadParameter: A publisher is not a profile version ARN.
        """
        revocations = Revocations()
        if self.revocations is not None:
            text = read_file(self.revocations, MAX_POLICY_BYTES, "the revocations")
            revocations = parse_revocations(text, str(self.revocations))
        policy = self._base()
        return replace(
            policy,
            trust=policy.trust | read_trust_roots(self.trust_roots),
            revocations=policy.revocations | revocations,
            mode=policy.mode if self.mode is None else Mode(self.mode.capitalize()),
        )

    def _base(self) -> CodeSigningPolicy:
        if self.policy is not None:
            return parse_policy(read_file(self.policy, MAX_POLICY_BYTES, "the policy"), str(self.policy))
        if self.csc is not None:
            text = read_file(self.csc, MAX_POLICY_BYTES, "the code signing config")
            # AWS's output does not say when it was fetched; the file's own time is what is known of it.
            retrieved_at = datetime.fromtimestamp(self.csc.stat().st_mtime, UTC)
            return parse_code_signing_config(text, retrieved_at=retrieved_at, source=str(self.csc))
        return CodeSigningPolicy(tuple(map(_publisher, self.publishers)))


@dataclass(slots=True)
class _Answer:
    """The verdicts, and what no verdict could be reached on, in the order of the arguments."""

    reports: list[VerificationReport] = field(default_factory=list[VerificationReport])
    unjudged: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def exit_code(self) -> int:
        if self.unjudged:
            return EXIT_NO_VERDICT
        return EXIT_YES if all(report.allows_deployment for report in self.reports) else EXIT_NO


def verify(
    artifacts: Sequence[Path],
    layers: Sequence[Path],
    sources: PolicySources,
    entries: Path | None,
    at: datetime,
    output_format: str,
) -> int:
    """Judge archives and print the answer.

    Args:
        artifacts: The archives, at least one; exactly one where there are layers.
        layers: The layers of that one.
        sources: Where the policy comes from.
        entries: A file with the entry names that were built, one a line, or None.
        at: The moment of the verdict, aware.
        output_format: ``text``, ``json`` or ``sarif``.

    Returns:
        The exit code.
    """
    answer = _Answer()
    paths = [*artifacts, *layers]
    try:
        policy = sources.load()
        policy.require_usable(at)
        expected = None if entries is None else _entry_names(entries)
    except LambdaCodeSigningError as error:
        answer.unjudged = [(str(path), str(error)) for path in paths]
        tell(f"Error: {error}")
    else:
        for number, path in enumerate(paths):
            _judge(answer, path, policy, at, expected if number == 0 else None)
    deployment = None
    if layers and not answer.unjudged:
        deployment = DeploymentDecision(answer.reports[0], tuple(answer.reports[1:]))
    _print(answer, deployment, at, output_format)
    return answer.exit_code


def read_trust_roots(paths: Sequence[Path]) -> TrustStore:
    """Read PEM files of roots.

    Args:
        paths: The files.

    Raises:
        FileAccessError: One cannot be read.
        TrustError: One holds no root, or something that cannot be one.
    """
    trust = TrustStore()
    for path in paths:
        data = read_file(path, MAX_PEM_BYTES, "the trust root")
        try:
            trust |= TrustStore.from_pem(data)
        except TrustError as error:
            raise TrustError(error.reason, f"{path}: {error}") from error
    return trust


def _judge(
    answer: _Answer, path: Path, policy: CodeSigningPolicy, at: datetime, expected: frozenset[str] | None
) -> None:
    """Judge one archive. One that the operating system does not let us read gets no verdict, and is not rejected."""
    try:
        with open_with_progress(path, f"verifying {path.name}") as file:
            answer.reports.append(verify_archive(file, policy, at, artifact=str(path), expected_entries=expected))
    except ArchiveError as error:
        _note_unjudged(answer, path, f"{path}: {error}. Give a regular file, not a pipe")
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        _note_unjudged(answer, path, f"{path} cannot be read: {reason}. Check the path")


def _note_unjudged(answer: _Answer, path: Path, message: str) -> None:
    answer.unjudged.append((str(path), message))
    tell(f"Error: {one_line(message)}")


def _print(answer: _Answer, deployment: DeploymentDecision | None, at: datetime, output_format: str) -> None:
    if output_format == "sarif":
        say_json(sarif_log(answer.reports, answer.unjudged, at))
    elif output_format == "json":
        say_json(_json(answer, deployment, at))
    else:
        for report in answer.reports:
            say(str(_in_single_lines(report)))
        if deployment is not None:
            fault = f", at fault: {one_line(', '.join(deployment.at_fault))}" if deployment.at_fault else ""
            say(f"function with its layers: {deployment.decision.upper()}{fault}")
        elif len(answer.reports) + len(answer.unjudged) > 1:
            say(_summary(answer))


def _json(answer: _Answer, deployment: DeploymentDecision | None, at: datetime) -> dict[str, object]:
    return {
        "version": VERIFICATION_VERSION,
        "at": iso_time(at),
        "exit_code": answer.exit_code,
        "artifacts": [report.to_dict() for report in answer.reports],
        "no_verdict": [{"artifact": artifact, "reason": reason} for artifact, reason in answer.unjudged],
        # A decision is false when there is any finding, so only None may be asked for.
        "deployment": None if deployment is None else _deployment_json(deployment),
    }


def _deployment_json(deployment: DeploymentDecision) -> dict[str, object]:
    error = deployment.aws_error
    return {
        "decision": str(deployment.decision),
        "at_fault": list(deployment.at_fault),
        "aws_error": None if error is None else {"code": error.code, "message": error.message},
    }


def _in_single_lines(report: VerificationReport) -> VerificationReport:
    """Return a report whose texts cannot begin a line of their own, and so cannot pass for a verdict of ours."""
    return replace(
        report,
        artifact=one_line(report.artifact),
        checks={name: replace(check, reason=one_line(check.reason)) for name, check in report.checks.items()},
        findings=tuple(replace(item, message=one_line(item.message)) for item in report.findings),
        notes=tuple(replace(note, message=one_line(note.message)) for note in report.notes),
    )


def _summary(answer: _Answer) -> str:
    counts = [
        f"{sum(report.decision is decision for report in answer.reports)} {decision}"
        for decision in (Decision.ACCEPTED, Decision.WARNED, Decision.REJECTED)
    ]
    total = len(answer.reports) + len(answer.unjudged)
    return f"{total} archives: {', '.join(counts)}, {len(answer.unjudged)} without a verdict"


def _publisher(text: str) -> SigningProfileVersionArn:
    try:
        return SigningProfileVersionArn.parse(text)
    except ArnError as error:
        raise click.BadParameter(str(error), param_hint="--publisher") from error


def _entry_names(path: Path) -> frozenset[str]:
    """Read names, one a line. Bytes that are no UTF-8 become names that no archive has, and so show in the note."""
    data = read_file(path, _MAX_ENTRIES_BYTES, "the list of entries")
    return frozenset(line for line in data.decode("utf-8", "surrogateescape").split("\n") if line)
