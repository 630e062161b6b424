"""``lambda-code-signing drift``: what is not as it should be in the member accounts, and who may put it back."""

from pathlib import Path

import click

from constructs_pkg.cli.parameters import ACCOUNT, examples, format_option, organization_option

__all__ = ["command"]


_YES = click.option("--yes", is_flag=True, help="Do not ask; needed where nobody looks at a terminal.")


@click.group(
    name="drift",
    invoke_without_command=True,
    epilog=examples(
        "lambda-code-signing drift --wave first",
        "lambda-code-signing drift --last-detection --fail --format json",
        "lambda-code-signing drift --wave first --remediate",
        "lambda-code-signing drift approve 20261123T080000Z-first-1a2b3c4d 444444444402/eu-west-1",
    ),
)
@click.option("--wave", "wave", metavar="NAME", help="Only this wave; all waves where left out.")
@click.option("--account", "accounts", type=ACCOUNT, metavar="ID", multiple=True, help="Only this account; repeatable.")
@click.option(
    "--last-detection",
    is_flag=True,
    help="Use what StackSets' last drift detection found, instead of starting one, which takes minutes.",
)
@click.option("--fail", is_flag=True, help="Exit with 1 where anything drifted, with 3 where something is not known.")
@click.option(
    "--remediate",
    is_flag=True,
    help="Let the deployed state machine put it back; replacing and deleting stay proposals.",
)
@_YES
@organization_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    wave: str | None,
    accounts: tuple[str, ...],
    last_detection: bool,
    fail: bool,
    remediate: bool,
    yes: bool,
    organization_file: Path,
    output_format: str,
) -> int | None:
    """Say what in the member accounts is not as the organization wants it.

    Compares resources with their templates, stacks with their StackSet, functions with the configs that they belong
    under, and names configs and signing profiles that the organization did not make; with who changed it and when, as
    far as CloudTrail tells. Reads through the auditor role, and changes nothing. Run it in the security account.

    With --remediate it starts the state machine of DriftRemediation for one wave, waits for it and shows its report:
    no role that can change a member account is ever yours. Interrupting it does not stop the run.

    Exit code 0: the report is there (with --fail: all is well). 1: with --fail, something drifted. 2: wrong usage. 3:
    no verdict: nothing could be read, the run failed, or with --fail something is not known.
    """
    if ctx.invoked_subcommand is not None:
        return None
    # boto3 and the drift functions are loaded to be used, not to be described by --help.
    from constructs_pkg.cli.drifting import Asked, remediate_wave, show  # noqa: PLC0415 (said above)

    asked = Asked(organization_file, wave, accounts, output_format, fail=fail)
    if remediate:
        if last_detection:
            raise click.UsageError("--last-detection and --remediate exclude each other: a repair looks for itself")
        return remediate_wave(asked, yes=yes)
    return show(asked, last_detection=last_detection)


@command.command(
    epilog=examples(
        "lambda-code-signing drift approve 20261123T080000Z-first-1a2b3c4d 444444444402/eu-west-1",
    )
)
@click.argument("run_id", metavar="RUN")
@click.argument("item", metavar="ACCOUNT/REGION")
@_YES
@organization_option
@format_option("text", "json")
def approve(*, run_id: str, item: str, yes: bool, organization_file: Path, output_format: str) -> int:
    """Approve what a run proposed for one account and Region.

    Shows what would be done and why a human has to decide, asks, and starts the state machine for exactly this: should
    anything have changed since, it is proposed anew instead. Who approved is in the security account's CloudTrail.
    Needs s3:GetObject on the bucket of the runs, kms:Decrypt with its key, and states:StartExecution and
    states:DescribeExecution on the state machine.

    Exit code 0: it was done. 1: it was not: you said no, or the proposal does not hold any more. 2: wrong usage, or
    there is no such proposal. 3: no verdict.
    """
    from constructs_pkg.cli.drifting import Asked, approve_proposal  # noqa: PLC0415 (boto3 is loaded to be used)

    return approve_proposal(Asked(organization_file, None, (), output_format, fail=True), run_id, item, yes=yes)
