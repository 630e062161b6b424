"""``lambda-code-signing verify``: would Lambda accept these archives under this code signing config?"""

from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.parameters import MOMENT, PATH, examples, format_option

__all__ = ["command"]


@click.command(
    name="verify",
    epilog=examples(
        "lambda-code-signing verify function.zip --policy policy.json",
        "lambda-code-signing verify function.zip --layer layer.zip --policy policy.json --format json",
        "lambda-code-signing verify function.zip --csc config.json --trust-root aws-root.pem",
        "lambda-code-signing verify dist/*.zip --policy policy.json --format sarif > results.sarif",
    ),
)
@click.argument("artifacts", metavar="ARTIFACT...", type=PATH, nargs=-1, required=True)
@click.option("--policy", type=PATH, metavar="FILE", help="The code signing policy file of your platform team.")
@click.option("--csc", type=PATH, metavar="FILE", help="The output of 'aws lambda get-code-signing-config'.")
@click.option(
    "--publisher",
    "publishers",
    multiple=True,
    metavar="ARN",
    help="An allowed signing profile version, in place of --policy and --csc. Repeatable.",
)
@click.option(
    "--mode",
    type=click.Choice(["enforce", "warn"]),
    help="With --publisher (enforce by default); may tighten the mode of --policy and --csc to enforce.",
)
@click.option(
    "--trust-root", "trust_roots", type=PATH, multiple=True, metavar="PEM", help="Roots to trust. Repeatable."
)
@click.option("--revocations", type=PATH, metavar="FILE", help="What was revoked besides what the policy knows.")
@click.option(
    "--layer",
    "layers",
    type=PATH,
    multiple=True,
    metavar="ZIP",
    help="A layer of the one ARTIFACT, judged together with it. Repeatable.",
)
@click.option(
    "--entries",
    type=PATH,
    metavar="FILE",
    help="The names of the entries that were built into the one ARTIFACT, one a line; others give a note.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="The moment of the deployment; now where left out.")
@format_option("text", "json", "sarif")
def command(
    *,
    artifacts: tuple[Path, ...],
    policy: Path | None,
    csc: Path | None,
    publishers: tuple[str, ...],
    mode: str | None,
    trust_roots: tuple[Path, ...],
    revocations: Path | None,
    layers: tuple[Path, ...],
    entries: Path | None,
    at: datetime | None,
    output_format: str,
) -> int:
    """Say whether Lambda would accept each ARTIFACT (a function's or a layer's ZIP), and why not.

    Exactly one of --policy, --csc and --publisher says who may have signed. Trust roots come from the policy file and
    from --trust-root: without any there is no verdict. AWS is not asked.

    Exit codes: 0 all accepted (warned too), 1 any rejected, 2 wrong usage, 3 no verdict on any of them: a file is
    missing, the policy or a root cannot be used, no root is given. Where some have a verdict and others have none, 3
    wins, since a rejection can be read in the answer and a missing verdict must not pass for one.
    """
    if sum((policy is not None, csc is not None, bool(publishers))) != 1:
        raise click.UsageError("Give exactly one of --policy, --csc and --publisher.")
    if (layers or entries) and len(artifacts) != 1:
        raise click.UsageError("--layer and --entries belong to one ARTIFACT: verify the others by themselves.")
    if mode == "warn" and not publishers:
        raise click.UsageError("--mode warn goes with --publisher: it cannot loosen a policy or a config.")
    # The verifier is loaded to be used, not to be described by --help.
    from constructs_pkg.cli.verification import PolicySources, verify  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)

    sources = PolicySources(policy, csc, publishers, mode, trust_roots, revocations)
    return verify(artifacts, layers, sources, entries, at or now(), output_format)
