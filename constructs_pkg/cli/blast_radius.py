"""``lambda-code-signing blast-radius``: what hangs on a signing job or a signing profile version, everywhere."""

from pathlib import Path

import click

from constructs_pkg.cli.output import say, say_json
from constructs_pkg.cli.parameters import examples, format_option
from constructs_pkg.cli.radius_answer import radius_of
from constructs_pkg.cli.revocation_target import target_of, target_options
from constructs_pkg.cli.surveying import reader_of, require_state, survey_options, without_option

__all__ = ["command"]


@click.command(
    name="blast-radius",
    epilog=examples(
        "lambda-code-signing blast-radius --profile-version "
        "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/a1B2c3D4e5",
        "lambda-code-signing blast-radius --format json --job "
        "arn:aws:signer:eu-west-1:222222222222:/signing-jobs/12345678-1234-1234-1234-123456789012",
    ),
)
@target_options
@without_option
@survey_options
@format_option("text", "json")
def command(
    *,
    job: str | None,
    profile_version: str | None,
    published_layers: bool,
    without: tuple[str, ...],
    organization_file: Path,
    accounts_from: str,
    state: Path | None,
    resume: bool,
    workers: int,
    output_format: str,
) -> int:
    """Say which functions and layers run code signed by a job or a profile version, and what a revocation would do.

    Reads all accounts and Regions of the organization, published versions of functions too. Changes nothing. A
    revocation stops no running code: it refuses the next deployment where a config enforces.

    Exit code 0: nothing hangs on it. 1: something does. 3: something could not be read, which may be anything,
    or nobody has ever heard of the ARN.
    """
    target = target_of(job, profile_version)
    require_state(state, resume=resume)
    answer = radius_of(
        reader_of(organization_file),
        target,
        accounts_from=accounts_from,
        without=without,
        published_layers=published_layers,
        state=state,
        resume=resume,
        workers=workers,
    )
    if output_format == "json":
        say_json(answer.document())
    else:
        say(answer.text())
    return answer.exit_code
