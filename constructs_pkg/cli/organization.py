"""``lambda-code-signing organization``: check the file, keep its ledger, print the JSON Schema."""

import os
import secrets
from pathlib import Path
from typing import Any

import click

from constructs_pkg.cli.output import say, say_json, tell
from constructs_pkg.cli.parameters import examples, format_option
from constructs_pkg.clock import now
from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import (
    Organization,
    json_schema,
    load_organization,
    lock_path,
    read_lock,
    record_profiles,
    unrecorded_profiles,
    unrecorded_rollout,
    warnings_of,
)
from constructs_pkg.tables import format_table

__all__ = ["command"]

_FILE = click.argument("file", type=click.Path(path_type=Path), default="organization.toml")
_EXIT_NO = 1
_EXIT_BAD_INPUT = 2


@click.group(name="organization", epilog=examples("lambda-code-signing organization check organization.toml"))
def command() -> None:
    """Check an organization file and keep its ledger."""


@command.command(
    epilog=examples(
        "lambda-code-signing organization check",
        "lambda-code-signing organization check examples/single-account.toml --format json",
    )
)
@_FILE
@format_option("text", "json")
def check(file: Path, output_format: str) -> int:
    """Say what FILE describes, or everything that is wrong with it.

    FILE is organization.toml where it is left away. All problems come at once, on standard error, with exit code 2;
    --format json also prints them on standard output. Warnings leave the exit code at 0. A ledger beside the file
    (organization.lock.json) is compared with it. Nothing is asked of AWS.
    """
    at = now()
    try:
        organization = load_organization(file, at=at)
        warnings = warnings_of(organization, at=at, lock=read_lock(lock_path(file)))
    except OrganizationError as error:
        if output_format == "json":
            say_json({"version": 1, "file": str(file), "valid": False, "problems": _listed(error.problems)})
        tell(f"Error: {error}")
        return _EXIT_BAD_INPUT
    if output_format == "json":
        say_json({"version": 1, "file": str(file), "valid": True, **_summary(organization, warnings)})
    else:
        say(_text(file, organization, warnings))
    return 0


@command.command(
    short_help="Record names and places in the ledger.",
    epilog=examples(
        "lambda-code-signing organization lock",
        "lambda-code-signing organization lock --check",
        "lambda-code-signing organization lock --forget units.ou-a1b2-00000001",
    ),
)
@_FILE
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if something is not recorded.")
@click.option(
    "--forget",
    metavar="KEY",
    help="Forget where something is rolled out, once nothing of it is left there: units.ID, parts.APPLICATION, "
    "home_region or permission_model. Nothing is asked of AWS.",
)
def lock(file: Path, *, only_check: bool, forget: str | None) -> int:
    """Record the signing profile names of FILE, and where it rolls out, in its ledger.

    A profile's name can never be used again in AWS and its validity never changes; a unit that moves to another wave
    meets names that are taken. So the ledger (organization.lock.json beside organization.toml) remembers both. Commit
    it. What it holds is never overwritten, and of the rollout only forgotten with --forget.
    """
    path = lock_path(file)
    if forget is not None:
        if only_check:
            raise click.UsageError("--check writes nothing and --forget does: give one of them")
        return _forget(path, forget)
    organization = load_organization(file, at=now())
    recorded = read_lock(path)
    names = (*unrecorded_profiles(organization, recorded), *unrecorded_rollout(organization, recorded))
    if not names:
        say(f"{path} holds all signing profiles of {file} and where it is rolled out")
        return 0
    listed = ", ".join(names)
    if only_check:
        say(f"not in {path}: {listed}. Run 'lambda-code-signing organization lock {file}' and commit the ledger")
        return _EXIT_NO
    _write(path, record_profiles(organization, recorded).to_json())
    say(f"recorded in {path}: {listed}")
    return 0


def _forget(path: Path, key: str) -> int:
    recorded = read_lock(path)
    try:
        changed = recorded.without(key)
    except KeyError as error:
        known = ", ".join(recorded.rollout.keys) or "nothing"
        raise click.UsageError(f"{path} holds no {key!r} that can be forgotten. There is: {known}") from error
    _write(path, changed.to_json())
    say(f"forgotten in {path}: {key}")
    return 0


@command.command(epilog=examples("lambda-code-signing organization schema > organization.schema.json"))
def schema() -> None:
    """Print the JSON Schema of organization.toml, for editors.

    Even Better TOML and Taplo use it when the file begins with '#:schema PATH-OR-URL'.
    """
    say_json(json_schema())


def _text(file: Path, organization: Organization, warnings: tuple[Problem, ...]) -> str:
    accounts = [
        ("management", organization.management_account, ""),
        ("security", organization.security_account, ""),
        ("publisher", organization.publisher_account, ""),
        *((account.name, account.id, account.organizational_unit or "") for account in organization.accounts),
    ]
    applications = [
        (
            application.name,
            ", ".join(
                f"{profile.profile_name(organization)} ({profile.state}, {profile.validity})"
                for profile in organization.profiles_of(application.name)
            ),
            str(len(organization.publishers_of(application.name))),
            "yes" if organization.guardrail_of(application.name) else "no",
        )
        for application in organization.applications
    ]
    waves = [
        (
            wave.name,
            wave.mode,
            ", ".join(wave.organizational_units),
            (" + " if wave.preferences.regions_in_parallel else " > ").join(organization.region_order_of(wave)),
        )
        for wave in organization.waves
    ]
    home = f"home Region {organization.home_region}, functions in {', '.join(organization.target_regions)}"
    parts = [
        f"{file}: {organization.name} ({organization.id}), {home}",
        f"Accounts\n{format_table(('name', 'id', 'organizational unit'), accounts)}",
        "Applications\n" + format_table(("name", "signing profiles", "publishers", "guardrail"), applications),
    ]
    if waves:
        parts.append("Waves\n" + format_table(("name", "mode", "organizational units", "Regions"), waves))
    if warnings:
        parts.append(f"Warnings ({len(warnings)})\n" + "\n".join(f"  {warning}" for warning in warnings))
    else:
        parts.append("No warnings")
    return "\n\n".join(parts)


def _summary(organization: Organization, warnings: tuple[Problem, ...]) -> dict[str, Any]:
    return {
        "organization": {
            "id": organization.id,
            "name": organization.name,
            "partition": organization.partition,
            "management_account": organization.management_account,
            "security_account": organization.security_account,
            "publisher_account": organization.publisher_account,
            "home_region": organization.home_region,
            "target_regions": list(organization.target_regions),
        },
        "applications": [
            {
                "name": application.name,
                "signing_profiles": [
                    {
                        "name": profile.profile_name(organization),
                        "generation": profile.generation,
                        "state": profile.state,
                        "validity": str(profile.validity),
                    }
                    for profile in organization.profiles_of(application.name)
                ],
                "external_publishers": [
                    str(publisher.profile_version_arn)
                    for publisher in organization.external_publishers_of(application.name)
                ],
                "publishers": len(organization.publishers_of(application.name)),
                "guardrail": organization.guardrail_of(application.name) is not None,
            }
            for application in organization.applications
        ],
        "waves": [
            {
                "name": wave.name,
                "mode": wave.mode,
                "organizational_units": list(wave.organizational_units),
                "region_order": list(organization.region_order_of(wave)),
                "regions_in_parallel": wave.preferences.regions_in_parallel,
            }
            for wave in organization.waves
        ],
        "warnings": _listed(warnings),
    }


def _listed(problems: tuple[Problem, ...]) -> list[dict[str, str]]:
    return [{"where": one.where, "message": one.message, "remedy": one.remedy} for one in problems]


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, so that whoever reads it sees the old text or the new one, never a part."""
    path = path.resolve()  # a link stays a link
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise click.ClickException(
            f"{path} cannot be written: {error.strerror}. Make its directory writable"
        ) from error
