"""``lambda-code-signing sign``: sign archives, with a local authority for tests and demonstrations."""

from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.parameters import MOMENT, PATH, examples, force_option, format_option

__all__ = ["command"]


@click.command(
    name="sign",
    epilog=examples(
        "lambda-code-signing sign function.zip --authority .authority --profile payments -o signed.zip",
        "lambda-code-signing sign dist/*.zip --authority .authority --profile payments -o signed/",
    ),
)
@click.argument("sources", metavar="SOURCE...", type=PATH, nargs=-1, required=True)
@click.option(
    "--authority",
    type=PATH,
    required=True,
    metavar="DIR",
    help="A local authority, made by 'authority init'. UNSAFE FOR PRODUCTION: Lambda does not trust it.",
)
@click.option("--profile", required=True, metavar="NAME", help="The signing profile.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    metavar="PATH",
    help="The signed archive; for several SOURCEs a directory that exists.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="The signing time; now where left out.")
@force_option
@format_option("text", "json")
def command(
    *,
    sources: tuple[Path, ...],
    authority: Path,
    profile: str,
    output: Path,
    at: datetime | None,
    force: bool,
    output_format: str,
) -> int:
    """Sign each SOURCE (a ZIP) in AWS Signer's format.

    Entries are copied as they are, and the signature is added. What AWS Signer refuses is refused: empty, malformed and
    signed archives, profiles that are unknown, cancelled or revoked.

    Exit codes: 0 all signed, 1 at least one SOURCE was refused (the others are signed), 2 wrong usage, or authority,
    profile, a SOURCE or the output cannot be used.
    """
    # The signer is loaded to be used, not to be described by --help.
    from constructs_pkg.cli.making import sign_archives  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)
    from constructs_pkg.signing.authority_directory import AuthorityDirectory  # noqa: PLC0415 (said above)

    # Any other Signer takes this place: the rest does not know which one signs.
    signer = AuthorityDirectory(authority)
    return sign_archives(sources, signer, profile, output, at or now(), force=force, as_json=output_format == "json")
