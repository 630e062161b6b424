"""``lambda-code-signing promote``: what would break if a wave enforced, and the one line that promotes it."""

from pathlib import Path

import click

from constructs_pkg.aws.deployments import LONGEST_DAYS
from constructs_pkg.aws.inventory import Wanted
from constructs_pkg.cli.files import read_file
from constructs_pkg.cli.output import say, say_json
from constructs_pkg.cli.parameters import examples, format_option
from constructs_pkg.cli.promotion_answer import PromotionAnswer
from constructs_pkg.cli.surveying import (
    reader_of,
    require_accounts,
    require_state,
    survey_options,
    units_of,
)
from constructs_pkg.inventory.wave_change import promotion_change

__all__ = ["command"]

_MOST_FILE_BYTES = 4 * 1024 * 1024


@click.command(
    name="promote",
    epilog=examples(
        "lambda-code-signing promote first",
        "lambda-code-signing promote first --format json --state promote.state",
        "lambda-code-signing promote first --state promote.state --resume",
    ),
)
@click.argument("wave_name", metavar="WAVE")
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST_DAYS),
    default=LONGEST_DAYS,
    show_default=True,
    help="How far back untrusted deployments count.",
)
@survey_options
@format_option("text", "json")
def command(
    *,
    wave_name: str,
    days: int,
    organization_file: Path,
    accounts_from: str,
    state: Path | None,
    resume: bool,
    workers: int,
    output_format: str,
) -> int:
    """Say what would break if WAVE enforced.

    Reads every account and Region of the wave through the auditor role: functions without a config, unsigned code and
    layers, publishers that no config lists, and what was deployed untrusted lately. Changes nothing. Run it in the
    security account.

    Exit code 0: nothing is in the way, and the line of the organization file that promotes the wave is shown.
    1: something is. 3: something could not be read, which may be anything.
    """
    require_state(state, resume=resume)
    reader = reader_of(organization_file, wave_name)
    wave = reader.organization.wave(wave_name)
    surveyed = units_of(reader, [wave], accounts_from)
    require_accounts(surveyed, f"the wave {wave.name!r}")
    at = reader.pace.at()
    answer = PromotionAnswer(reader, wave, surveyed, days, at)
    wanted = Wanted(deployment_days=days)
    with reader.reading(surveyed, wanted, answer.judge, state=state, resume=resume, workers=workers) as results:
        for result in results:
            answer.add(result)
    if not answer.obstructions and answer.is_complete and wave.mode == "Warn":
        text = read_file(organization_file, _MOST_FILE_BYTES, "the organization file").decode("utf-8")
        answer.change = promotion_change(text, wave.name)
    if output_format == "json":
        say_json(answer.document(organization_file))
    else:
        say(answer.text(organization_file))
    return answer.exit_code
