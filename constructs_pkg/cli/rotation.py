"""``lambda-code-signing rotation``: the steps from one generation of a signing profile to the next."""

from pathlib import Path
from typing import Any

import click

from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, say, say_json
from constructs_pkg.cli.parameters import PATH, examples, format_option
from constructs_pkg.clock import now
from constructs_pkg.errors import OrganizationError
from constructs_pkg.organization import load_organization
from constructs_pkg.organization.rotation import Rotation, rotation_plan, stranded
from constructs_pkg.organization.running_code import read_running_code
from constructs_pkg.tables import format_table

__all__ = ["command"]


@click.group(name="rotation", epilog=examples("lambda-code-signing rotation plan --application payments"))
def command() -> None:
    """Change signing profiles without stranding signed code."""


@command.command(
    short_help="Print the steps to the next signing profile.",
    epilog=examples(
        "lambda-code-signing rotation plan",
        "lambda-code-signing rotation plan --application payments --format json",
        "lambda-code-signing rotation plan --audit audit.json",
    ),
)
@click.argument("file", type=PATH, default="organization.toml")
@click.option("--application", "chosen", metavar="NAME", help="Only this application.")
@click.option(
    "--audit", type=PATH, metavar="AUDIT", help="What runs, from 'audit'; without it, no generation may be retired."
)
@format_option("text", "json")
def plan(file: Path, *, chosen: str | None, audit: Path | None, output_format: str) -> int:
    """Print the steps of each application's rotation, from where FILE is now.

    FILE is organization.toml where it is left away. A new generation is announced, accepted by every config, then
    signs; the old one is retired when an audit says that nothing runs its code. Nothing is asked of AWS: whether a
    step has reached every account, 'rollout status' says.

    Exit code 1: the next step of an application is blocked, or the file has retired a publisher whose code still runs.
    """
    at = now()
    organization = load_organization(file, at=at)
    if chosen is not None:
        organization.application(chosen)
    running = None if audit is None else read_running_code(audit)
    if running is not None and (problems := running.problems(at=at)):
        raise OrganizationError(str(audit), problems)
    rotations = [one for one in rotation_plan(organization, running) if chosen in {None, one.application}]
    left = (
        [] if running is None else [one for one in stranded(organization, running) if chosen in {None, one.application}]
    )
    if output_format == "json":
        say_json(
            {
                "version": 1,
                "file": str(file),
                "rotations": [_shown(one) for one in rotations],
                "stranded": [{"application": one.application, **one.artifact.model_dump()} for one in left],
            }
        )
    else:
        say("\n\n".join([*(_text(one) for one in rotations), *_stranded_text(left)]))
    blocked = running is not None and any(one.is_blocked for one in rotations)
    full = any(one.steps[0].status == "blocked" for one in rotations)
    return EXIT_NO if blocked or full or left else EXIT_YES


def _shown(rotation: Rotation) -> dict[str, Any]:
    return {
        "application": rotation.application,
        "old_generation": rotation.old,
        "new_generation": rotation.new,
        "publishers": rotation.publishers,
        "steps": [
            {
                "title": step.title,
                "status": step.status,
                "change": step.change,
                "commands": list(step.commands),
                "reason": step.reason,
            }
            for step in rotation.steps
        ],
    }


def _text(rotation: Rotation) -> str:
    rows: list[list[str]] = []
    for number, step in enumerate(rotation.steps, start=1):
        first, *others = [line for line in (step.change, *(f"$ {one}" for one in step.commands), step.reason) if line]
        rows.append([str(number), step.title, step.status, first])
        rows.extend(["", "", "", line] for line in others)
    heading = (
        f"{rotation.application}: generation {rotation.old} to {rotation.new}, {rotation.publishers} of 20 publishers"
    )
    return f"{heading}\n{format_table(['step', '', 'status', 'what'], rows)}"


def _stranded_text(left: list[Any]) -> list[str]:
    if not left:
        return []
    rows = [
        [
            one.application,
            one.artifact.account,
            one.artifact.region,
            one.artifact.function,
            one.artifact.profile_version_arn,
        ]
        for one in left
    ]
    table = format_table(["application", "account", "Region", "function", "signed by"], rows)
    return [f"Stranded: their next deployment would be refused\n{table}"]
