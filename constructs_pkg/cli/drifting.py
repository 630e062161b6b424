"""Does what ``lambda-code-signing drift`` is asked for: reads, starts the state machine, shows reports."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from constructs_pkg.aws.clients import aws_errors
from constructs_pkg.aws.drift import NOTHING_TO_READ, DriftReader
from constructs_pkg.cli.drift_answer import document, exit_code_of, one_row, proposal_text, text
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, say, say_json, tell
from constructs_pkg.cli.progress import Progress
from constructs_pkg.clock import now
from constructs_pkg.errors import AwsError, LambdaCodeSigningError
from constructs_pkg.organization import Organization, load_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.organization_guardrails import member_account

__all__ = ["Asked", "Surroundings", "approve_proposal", "remediate_wave", "show", "surroundings"]

_ITEM = re.compile(r"(?P<account>\d{12})/(?P<region>[a-z]{2}(?:-[a-z0-9]{1,12}){2,3})")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_LOOK_SECONDS = 5.0
_OVER = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass(frozen=True)
class Surroundings:
    """What is outside: a boto3 session, the clock, waiting."""

    session: Any
    now: Callable[[], Any]
    sleep: Callable[[float], None]


def surroundings() -> Surroundings:
    """Return what is outside; the seam where tests put their own."""
    return Surroundings(import_module("boto3.session").Session(), now, time.sleep)


@dataclass(frozen=True)
class Asked:
    """What the caller asked for.

    Attributes:
        organization_file: The organization file.
        wave: The wave, None for all.
        accounts: Only these, if any.
        output_format: ``text`` or ``json``.
        fail: Whether drift is a "no".
    """

    organization_file: Path
    wave: str | None
    accounts: tuple[str, ...]
    output_format: str
    fail: bool

    def organization(self, outside: Surroundings) -> Organization:
        """Load the organization file.

        Raises:
            OrganizationError: It cannot be used.
        """
        return load_organization(self.organization_file, at=outside.now())


def show(asked: Asked, *, last_detection: bool) -> int:
    """Read and show; see the command."""
    outside = surroundings()
    organization = asked.organization(outside)
    reader = DriftReader(
        outside.session,
        drift_expectations(organization),
        member_role=member_account(organization, account=organization.security_account).auditor_role,
        call_as=_call_as(organization),
        now=outside.now,
        sleep=outside.sleep,
    )
    reports: list[dict[str, Any]] = []
    elsewhere: AwsError | None = None
    for name in _stack_sets(organization, reader, asked.wave):
        progress = Progress(f"Looking at {name}", 1)

        def count(done: int, everything: int, progress: Progress = progress) -> None:
            progress.reach(done, everything)

        try:
            found = reader.read(name, accounts=asked.accounts, detects=not last_detection, tell=_tell, count=count)
        except AwsError as error:
            if error.code != NOTHING_TO_READ or not asked.accounts:
                raise
            elsewhere = error  # the accounts may be those of another wave
        else:
            reports.append(found)
        finally:
            progress.close()
    if elsewhere is not None and not reports:
        raise elsewhere
    code = _show(reports, asked)
    seen = {row["account"] for report in reports for row in report["rows"]}
    unseen = [account for account in asked.accounts if account not in seen]
    if not unseen or code != EXIT_YES:
        return code
    tell(f"Not looked at: {', '.join(unseen)}, where no StackSet that was asked about has a stack")
    return EXIT_NO_VERDICT


def remediate_wave(asked: Asked, *, yes: bool) -> int:
    """Start the state machine for a wave; see the command."""
    outside = surroundings()
    organization = asked.organization(outside)
    if asked.wave is None:
        raise click.UsageError("--remediate is for one wave: name it with --wave")
    wave = organization.wave(asked.wave)
    parts = [one["name"] for one in drift_expectations(organization)["stack_sets"] if one["wave"] == wave.name]
    where = ", ".join(asked.accounts) or "all its accounts"
    if not _confirmed(f"Put back what drifted in the wave {wave.name} ({where})?", yes=yes):
        tell("Nothing was started")
        return EXIT_NO
    machine = _Machine(outside, organization)
    events = [{"kind": "manual", "wave": part, "mode": "remediate", "accounts": list(asked.accounts)} for part in parts]
    reports = [report for event in events if (report := machine.run(event)) is not None]
    if len(reports) < len(events):
        return EXIT_NO_VERDICT
    return _show(reports, asked)


def approve_proposal(asked: Asked, run_id: str, item: str, *, yes: bool) -> int:
    """Show a proposal, ask, and have it done; see the command."""
    match = _ITEM.fullmatch(item)
    if match is None:
        raise click.UsageError(f"{item!r} is no ACCOUNT/REGION, such as 444444444402/eu-west-1")
    if _RUN_ID.fullmatch(run_id) is None:
        raise click.UsageError(f"{run_id!r} is no id of a run. The report and the notification tell it")
    outside = surroundings()
    machine = _Machine(outside, asked.organization(outside))
    try:
        report = machine.report(f"runs/{run_id}/report.json")
    except AwsError as error:
        if error.code != "NoSuchKey":
            raise
        raise LambdaCodeSigningError(
            f"there is no run {run_id}. The report and the notification tell its id"
        ) from error
    row = one_row(report, match["account"], match["region"])
    proposal = None if row is None else row["proposal"]
    if proposal is None:
        raise LambdaCodeSigningError(f"the run {run_id} proposed nothing for {item}. Look at its report")
    tell(proposal_text(proposal))
    if not _confirmed(f"Approve this for {item}?", yes=yes):
        tell("Nothing was approved")
        return EXIT_NO
    done = machine.run({"kind": "approval", "run_id": run_id, **match.groupdict(), "digest": proposal["digest"]})
    return EXIT_NO if done is None else _show([done], asked)


class _Machine:
    """The deployed state machine and its bucket, by the names that ``DriftRemediation`` gives them."""

    def __init__(self, outside: Surroundings, organization: Organization) -> None:
        name, account, region = (
            f"{organization.name}-drift-remediation",
            organization.security_account,
            organization.home_region,
        )
        self._arn = f"arn:{organization.partition}:states:{region}:{account}:stateMachine:{name}"
        self._bucket = f"{name}-{account}-{region}"
        self._states = outside.session.client("stepfunctions", region_name=region)
        self._s3 = outside.session.client("s3", region_name=region)
        self._sleep = outside.sleep

    def report(self, key: str) -> dict[str, Any]:
        """Read a report from the bucket of the runs.

        Raises:
            AwsError: It is not there, or may not be read.
        """
        with aws_errors(f"read s3://{self._bucket}/{key}"):
            return json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def run(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """Start an execution, wait for its end, and return its report; None where it did nothing, and say why.

        Raises:
            AwsError: AWS refused, or the execution failed.
        """
        with aws_errors(f"start {self._arn}"):
            execution = self._states.start_execution(stateMachineArn=self._arn, input=json.dumps(event))["executionArn"]
        tell(f"Started {execution}")
        while True:
            with aws_errors(f"read {execution}"):
                found = self._states.describe_execution(executionArn=execution)
            if found["status"] in _OVER:
                break
            self._sleep(_LOOK_SECONDS)
        answer: dict[str, Any] = json.loads(found.get("output") or "{}")
        if "report_key" in answer:
            return self.report(answer["report_key"])
        if found["status"] != "SUCCEEDED":
            cause = f"{found.get('error', '')}: {found.get('cause', '')}"[:500]
            raise AwsError(
                "ExecutionFailed", f"the run ended {found['status']} ({cause}). Look at the execution {execution}"
            )
        tell(f"Nothing was done: {_reason(answer)}")
        return None


def _reason(answer: Any) -> str:
    """Return why an execution did nothing: its output is the answer of ``start``, perhaps below its key."""
    known: Mapping[str, Any] = answer.get("start", answer)
    return f"{known.get('status', 'no status')}: {known.get('reason', 'no reason was given')}"


def _show(reports: Sequence[dict[str, Any]], asked: Asked) -> int:
    if asked.output_format == "json":
        say_json(document(reports))
    else:
        say(text(reports))
    if any(report["problem"] for report in reports):
        return EXIT_NO_VERDICT
    return exit_code_of(reports) if asked.fail else EXIT_YES


def _stack_sets(organization: Organization, reader: DriftReader, wave: str | None) -> list[str]:
    if wave is not None:
        organization.wave(wave)
    chosen = [one.name for one in reader.expectations.stack_sets if wave in {None, one.wave}]
    if not chosen:
        raise LambdaCodeSigningError(f"the organization {organization.name} has no waves: nothing is rolled out")
    return chosen


def _call_as(organization: Organization) -> str:
    """StackSets that the management account administers itself, and self-managed ones, are asked as SELF."""
    is_own = organization.security_account == organization.management_account
    return "SELF" if is_own or organization.rollout.permission_model == "self-managed" else "DELEGATED_ADMIN"


def _confirmed(question: str, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here. Confirm with --yes")
    return click.confirm(question, default=False, err=True)


def _tell(sentence: str) -> None:
    if sys.stderr.isatty():
        tell(sentence)
