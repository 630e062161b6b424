"""``lambda-code-signing authority``: a throwaway AWS Signer in a directory. UNSAFE FOR PRODUCTION."""

from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.parameters import ACCOUNT, MOMENT, PATH, examples, force_option, format_option

__all__ = ["command"]

_DIRECTORY = click.argument("directory", metavar="DIR", type=PATH)


@click.group(name="authority", epilog=examples("lambda-code-signing authority init .authority"))
def command() -> None:
    """Run a throwaway AWS Signer in a directory. UNSAFE FOR PRODUCTION.

    For tests, demonstrations and learning: whoever can read the directory can sign anything in its name. AWS knows
    nothing of it, and Lambda refuses what it signs. Every command says so again on standard error.
    """


@command.command(
    short_help="Make an authority in a new directory.",
    epilog=examples(
        "lambda-code-signing authority init .authority",
        "lambda-code-signing authority init .authority --region us-east-1 --account 111111111111",
    ),
)
@_DIRECTORY
@click.option("--region", default="eu-west-1", show_default=True, help="The Region that it pretends to be in.")
@click.option(
    "--account",
    type=ACCOUNT,
    metavar="ID",
    default="123456789012",
    show_default=True,
    help="The account that it pretends to be in.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="Its beginning; now where left out. Nothing is signed before.")
def init(*, directory: Path, region: str, account: str, at: datetime | None) -> int:
    """Make an authority in DIR, which is new or empty and becomes private to you.

    Exit codes: 0 made, 2 wrong usage or refused.
    """
    from constructs_pkg.cli.authorities import init_authority  # noqa: PLC0415 (not loaded for --help)

    return init_authority(directory, region, account, at)


@command.command(
    short_help="Make a signing profile, or cancel one.",
    epilog=examples(
        'lambda-code-signing authority profile .authority payments --validity "90 days"',
        "lambda-code-signing authority profile .authority payments --cancel",
    ),
)
@_DIRECTORY
@click.argument("name")
@click.option("--validity", metavar="PERIOD", help="How long its signatures are valid; 135 months where left out.")
@click.option("--cancel", is_flag=True, help="Cancel the profile instead: it signs no more, its signatures stay good.")
def profile(*, directory: Path, name: str, validity: str | None, cancel: bool) -> int:
    """Make the signing profile NAME, and print its profile version ARN.

    A name is used once, cancelled profiles included, as with AWS Signer.

    Exit codes: 0 made or cancelled, 2 wrong usage or refused.
    """
    from constructs_pkg.cli.authorities import cancel_profile, put_profile  # noqa: PLC0415 (not loaded for --help)

    if cancel and validity is not None:
        raise click.UsageError("--validity is for a new profile; a profile's validity never changes.")
    return cancel_profile(directory, name) if cancel else put_profile(directory, name, validity)


@command.command(
    epilog=examples(
        'lambda-code-signing authority revoke .authority --job JOB-ARN --reason "built from the wrong branch"',
        'lambda-code-signing authority revoke .authority --profile payments --reason "laptop stolen"',
    )
)
@_DIRECTORY
@click.option("--job", metavar="ARN|ID", help="Revoke one signature: its signing job.")
@click.option("--profile", "profile_name", metavar="NAME", help="Revoke what a profile signed, from --from on.")
@click.option(
    "--from", "effective_time", type=MOMENT, metavar="TIME", help="With --profile: from when on; now where left out."
)
@click.option("--reason", required=True, help="Why, 1 to 500 characters.")
def revoke(
    *, directory: Path, job: str | None, profile_name: str | None, effective_time: datetime | None, reason: str
) -> int:
    """Revoke a signature, or the signatures of a profile. It cannot be undone.

    A policy knows of it once it is exported again.

    Exit codes: 0 revoked, 2 wrong usage or refused.
    """
    if (job is None) == (profile_name is None):
        raise click.UsageError("Give exactly one of --job and --profile.")
    if effective_time is not None and profile_name is None:
        raise click.UsageError("--from goes with --profile: a job is revoked altogether.")
    from constructs_pkg.cli.authorities import revoke_job, revoke_profile  # noqa: PLC0415 (not loaded for --help)

    if job is not None:
        return revoke_job(directory, job, reason)
    assert profile_name is not None, "one of the two is given"
    return revoke_profile(directory, profile_name, effective_time, reason)


@command.command(
    "export-policy",
    short_help="Write the policy file that trusts an authority.",
    epilog=examples(
        "lambda-code-signing authority export-policy .authority -o policy.json",
        "lambda-code-signing authority export-policy .authority --profile payments --mode warn",
    ),
)
@_DIRECTORY
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Where to write it; standard output where left out.")
@click.option("--mode", type=click.Choice(["enforce", "warn"]), default="enforce", show_default=True, help="The mode.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="An allowed publisher; all where left out.")
@click.option("--max-age-days", type=click.IntRange(1), metavar="DAYS", help="How long it may be used.")
@click.option(
    "--config-arn",
    "config_arns",
    multiple=True,
    metavar="ARN",
    help="A code signing config that templates may name; repeatable.",
)
@force_option
def export_policy(
    *,
    directory: Path,
    output: Path | None,
    mode: str,
    profiles: tuple[str, ...],
    max_age_days: int | None,
    config_arns: tuple[str, ...],
    force: bool,
) -> int:
    """Write the code signing policy file that trusts this authority, with all that was revoked.

    Exit codes: 0 written, 2 wrong usage or refused.
    """
    from constructs_pkg.cli.authorities import export  # noqa: PLC0415 (not loaded for --help)

    return export(directory, output, mode, profiles, max_age_days, config_arns, force=force)


@command.command(epilog=examples("lambda-code-signing authority show .authority"))
@_DIRECTORY
@format_option("text", "json")
def show(*, directory: Path, output_format: str) -> int:
    """Show the root, the profiles and the jobs of an authority.

    Exit codes: 0 shown, 2 wrong usage, or there is no authority.
    """
    from constructs_pkg.cli.authorities import show_authority  # noqa: PLC0415 (not loaded for --help)

    return show_authority(directory, as_json=output_format == "json")
