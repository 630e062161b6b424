"""``lambda-code-signing rollout``: how far the waves are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from constructs_pkg.aws.member_place import MemberPlace
from constructs_pkg.aws.stack_sets import read_stack_set
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json
from constructs_pkg.cli.parameters import examples, format_option, organization_option
from constructs_pkg.cli.surveying import Reader, reader_of
from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.inventory.rollout_status import StackSetStatus, status_of
from constructs_pkg.organization.rollout import planned_stack_sets
from constructs_pkg.tables import format_table

__all__ = ["command"]


@click.group(name="rollout", epilog=examples("lambda-code-signing rollout status"))
def command() -> None:
    """Follow the rollout of code signing to the member accounts."""


@command.command(
    epilog=examples(
        "lambda-code-signing rollout status", "lambda-code-signing rollout status --wave first --format json"
    )
)
@click.option("--wave", metavar="NAME", help="Only this wave; all waves where left out.")
@organization_option
@format_option("text", "json")
def status(*, wave: str | None, organization_file: Path, output_format: str) -> int:
    """Show waves, stack instances, drift and the last operation.

    Asks CloudFormation about the StackSet of each wave, in the home Region. Changes nothing and looks for no drift: it
    shows what the last drift detection found. Run it in the security account.

    Exit code 0: every instance is up to date and in sync. 1: something is wrong, such as a wave that is not deployed or
    an instance that has drifted. 3: nothing is known to be wrong, but something is not known, such as drift that was
    never looked for.
    """
    reader = reader_of(organization_file, wave)
    statuses = _statuses(reader, wave)
    if output_format == "json":
        say_json({"version": 1, "at": _time(reader.pace.at()), "stack_sets": [_document(one) for one in statuses]})
    else:
        say(_text(statuses))
    if any(one.problems for one in statuses):
        return EXIT_NO
    return EXIT_NO_VERDICT if any(one.unknown for one in statuses) else EXIT_YES


def _statuses(reader: Reader, wave: str | None) -> list[StackSetStatus]:
    organization = reader.organization
    plans = [plan for plan in planned_stack_sets(organization) if wave in {None, plan.wave}]
    if not plans:
        raise LambdaCodeSigningError(f"the organization {organization.name} has no waves: nothing is rolled out")
    account = reader.members.own_account or organization.security_account
    is_delegated = account != organization.management_account and (
        organization.rollout.permission_model == "service-managed"
    )
    place = MemberPlace(lambda: reader.members.home, account, organization.home_region, reader.pace)
    call_as = "DELEGATED_ADMIN" if is_delegated else "SELF"
    return [status_of(plan, read_stack_set(place, plan.name, call_as)) for plan in plans]


def _document(status: StackSetStatus) -> dict[str, Any]:
    reading = status.reading
    operation = reading.last_operation if reading else None
    return {
        "wave": status.plan.wave,
        "name": status.plan.name,
        "mode": status.plan.mode,
        "exists": reading is not None,
        "deployed_mode": reading.mode if reading else None,
        "instances": dict(status.statuses),
        "drift": dict(status.drifts),
        "missing": [{"account": account, "region": region} for account, region in status.missing],
        "not_current": [
            {
                "account": one.account,
                "region": one.region,
                "status": one.status,
                "detailed_status": one.detailed_status,
                "reason": one.reason,
            }
            for one in (reading.instances if reading else ())
            if one.status != "CURRENT"
        ],
        "drifted": [
            {"account": one.account, "region": one.region, "checked_at": _time(one.drift_checked_at)}
            for one in (reading.instances if reading else ())
            if one.drift == "DRIFTED"
        ],
        "last_operation": None
        if operation is None
        else {
            "id": operation.operation_id,
            "action": operation.action,
            "status": operation.status,
            "began_at": _time(operation.began_at),
            "ended_at": _time(operation.ended_at),
            "reason": operation.reason,
        },
        "problems": list(status.problems),
        "unknown": list(status.unknown),
    }


def _text(statuses: Sequence[StackSetStatus]) -> str:
    header = ("wave", "StackSet", "mode", "instances", "drift", "last operation")
    parts = [format_table(header, [_row(status) for status in statuses])]
    for title, lines in (
        ("Wrong", [(one.plan.name, text) for one in statuses for text in one.problems]),
        ("Not known", [(one.plan.name, text) for one in statuses for text in one.unknown]),
    ):
        if lines:
            parts.append(f"{title}\n" + "\n".join(f"  {name}: {one_line(text)}" for name, text in lines))
    if len(parts) == 1:
        parts.append("Everything is up to date and in sync")
    return "\n\n".join(parts)


def _row(status: StackSetStatus) -> tuple[str, ...]:
    plan, reading = status.plan, status.reading
    if reading is None:
        return plan.wave, plan.name, plan.mode, "not deployed", "-", "-"
    mode = plan.mode if reading.mode == plan.mode else f"{reading.mode} (file: {plan.mode})"
    operation = reading.last_operation
    latest = "none" if operation is None else f"{operation.action} {operation.status} {_time(operation.began_at) or ''}"
    return plan.wave, plan.name, mode, _counts(status.statuses), _counts(status.drifts), latest.rstrip()


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"


def _time(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
