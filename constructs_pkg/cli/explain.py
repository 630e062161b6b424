"""``lambda-code-signing explain``: what a message or record of AWS about code signing means, and what to do."""

import click

from constructs_pkg.cli.parameters import examples

__all__ = ["command"]


@click.command(
    name="explain",
    epilog=examples(
        "lambda-code-signing explain CodeSigningConfigNotFoundException",
        "lambda-code-signing explain trail-record.json --format json",
        "aws cloudformation describe-stack-events --stack-name payments | lambda-code-signing explain -",
    ),
)
@click.argument("message", metavar="TEXT|FILE|-")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(message: str, output_format: str) -> int:
    """Say what an error of AWS about code signing means, and what to do.

    TEXT is the error message as you see it, line breaks and all. FILE holds one, or a CloudFormation event, a
    CloudTrail record, an EventBridge event or output of the AWS CLI as JSON; - reads standard input. At most 1 MiB.
    Nothing is sent anywhere.

    Exit codes: 0 explained, 2 wrong usage, 3 not recognised or not readable.
    """
    # The table is loaded to be used, not to be described by --help.
    from constructs_pkg.cli.explaining import explain_message  # noqa: PLC0415 (said above)

    return explain_message(message, as_json=output_format == "json")
