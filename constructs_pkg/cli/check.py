"""``lambda-code-signing check``: would these templates ship code that nobody signed?"""

from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.parameters import MOMENT, PATH, examples, format_option

__all__ = ["command"]


@click.command(
    name="check",
    epilog=examples(
        "lambda-code-signing check cdk.out --policy policy.json",
        "lambda-code-signing check template.yaml --policy policy.json --format json",
        "lambda-code-signing check templates/ --policy policy.json --format sarif > results.sarif",
    ),
)
@click.argument("paths", metavar="PATH...", type=PATH, nargs=-1, required=True)
@click.option("--policy", type=PATH, metavar="FILE", help="The code signing policy file of your platform team.")
@click.option("--at", type=MOMENT, metavar="TIME", help="The moment of the deployment; now where left out.")
@format_option("text", "json", "sarif")
def command(*, paths: tuple[Path, ...], policy: Path | None, at: datetime | None, output_format: str) -> int:
    """Say whether CloudFormation templates, SAM templates and CDK apps would ship code that nobody signed.

    Each PATH is a template, a directory of templates, or a 'cdk.out' that AWS CDK has synthesized. Code is judged where
    it is there as a file: build and sign before the check. AWS is not asked.

    Without --policy only structure decides: no signature is judged, no config and no layer is known, and what would
    have to be judged fails with LCS216 or LCS303. docs/rules.md explains every rule.

    Exit codes: 0 nothing fails, 1 something fails, 2 wrong usage, 3 no verdict: the policy cannot be used, a PATH
    cannot be read, or there is no template.
    """
    # The rules are loaded to be used, not to be described by --help.
    from constructs_pkg.cli.checking import check  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)

    return check(paths, policy, at or now(), output_format)
