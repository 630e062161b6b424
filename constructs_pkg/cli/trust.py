"""``lambda-code-signing trust``: pin the root of an archive that AWS Signer signed for you, and look at roots."""

from pathlib import Path

import click

from constructs_pkg.cli.parameters import PATH, examples, force_option, format_option

__all__ = ["command"]


@click.group(name="trust", epilog=examples("lambda-code-signing trust pin just-signed.zip -o aws-root.pem"))
def command() -> None:
    """Choose the root certificates that signatures are judged by."""


@command.command(
    short_help="Write the root of an archive to a file, once confirmed.",
    epilog=examples(
        "lambda-code-signing trust pin just-signed.zip -o aws-root.pem",
        "lambda-code-signing trust pin just-signed.zip -o aws-root.pem --expect-fingerprint 41:02:20:…",
    ),
)
@click.argument("archive", metavar="ARCHIVE", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, metavar="PEM", help="Where to write the root certificate.")
@click.option(
    "--expect-fingerprint",
    metavar="HEX",
    help="The SHA-256 that the root must have, learnt elsewhere. Takes the place of the question.",
)
@force_option
def pin(*, archive: Path, output: Path, expect_fingerprint: str | None, force: bool) -> int:
    """Write the root certificate of ARCHIVE to a file, once you have confirmed its fingerprint.

    Use an archive that AWS Signer has just signed in your own account and that you fetched yourself over TLS: its root
    is then as good as your connection to AWS. Never pin from an archive that somebody sent you. The question is asked
    on a terminal only; scripts give --expect-fingerprint.

    Exit codes: 0 written, 1 refused: not confirmed, another fingerprint, or no sound signature; 2 wrong usage, or the
    file cannot be written; 3 the archive cannot be read.
    """
    # The parsers are loaded to be used, not to be described by --help.
    from constructs_pkg.cli.pinning import pin_root  # noqa: PLC0415 (said above)

    return pin_root(archive, output, expect_fingerprint, force=force)


@command.command(
    short_help="Show subject, validity and fingerprint of roots.",
    epilog=examples("lambda-code-signing trust show aws-root.pem"),
)
@click.argument("files", metavar="PEM...", type=PATH, nargs=-1, required=True)
@format_option("text", "json")
def show(*, files: tuple[Path, ...], output_format: str) -> int:
    """Show subject, validity and SHA-256 fingerprint of the roots in PEM files.

    Exit codes: 0 shown, 2 wrong usage, 3 a file cannot be read or holds something else.
    """
    # The parsers are loaded to be used, not to be described by --help.
    from constructs_pkg.cli.pinning import show_roots  # noqa: PLC0415 (said above)

    return show_roots(files, as_json=output_format == "json")
