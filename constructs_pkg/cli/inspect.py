"""``lambda-code-signing inspect``: everything that a signature says, each thing marked as verified or not."""

from pathlib import Path

import click

from constructs_pkg.cli.parameters import PATH, examples, format_option

__all__ = ["command"]


@click.command(
    name="inspect",
    epilog=examples(
        "lambda-code-signing inspect function.zip",
        "lambda-code-signing inspect function.zip --trust-root aws-root.pem --format json",
    ),
)
@click.argument("artifact", metavar="ARTIFACT", type=PATH)
@click.option(
    "--trust-root",
    "trust_roots",
    type=PATH,
    multiple=True,
    metavar="PEM",
    help="Roots to trust. Repeatable. Without any, everything stays UNVERIFIED.",
)
@format_option("tree", "json")
def command(*, artifact: Path, trust_roots: tuple[Path, ...], output_format: str) -> int:
    """Show everything in the signature of ARTIFACT.

    What the archive says of itself is marked UNVERIFIED, unless the signature fits the content and its certificates end
    in a root that you trust. This is no verdict: publisher, expiry and revocation are for 'verify' to judge.

    Exit codes: 0 shown, 1 not signed, or archive or signature malformed, 2 wrong usage, 3 a file cannot be read.
    """
    # The parsers are loaded to be used, not to be described by --help.
    from constructs_pkg.cli.inspection import inspect_archive  # noqa: PLC0415 (said above)

    return inspect_archive(artifact, trust_roots, as_json=output_format == "json")
