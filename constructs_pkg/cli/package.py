"""``lambda-code-signing package``: a directory becomes a ZIP, the same bytes on any machine."""

from pathlib import Path

import click

from constructs_pkg.cli.parameters import PATH, examples, force_option, format_option

__all__ = ["command"]


@click.command(
    name="package",
    epilog=examples(
        "lambda-code-signing package src/payments -o payments.zip",
        "lambda-code-signing package src/payments -o payments.zip --exclude tests/ --entries payments.entries",
    ),
)
@click.argument("directory", metavar="DIR", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, metavar="ZIP", help="The archive to write, outside of DIR.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PATTERN",
    help="What to leave out besides the usual (.git, caches), such as 'tests/' or '*.md'. Repeatable.",
)
@click.option("--no-default-excludes", is_flag=True, help="Leave nothing out but what --exclude says.")
@click.option(
    "--compression-level",
    type=click.IntRange(0, 9),
    help="Compress; the same bytes then need the same zlib. Stored where left out.",
)
@click.option("--entries", type=PATH, metavar="FILE", help="Also write the names of the entries, for verify --entries.")
@force_option
@format_option("text", "json")
def command(
    *,
    directory: Path,
    output: Path,
    excludes: tuple[str, ...],
    no_default_excludes: bool,
    compression_level: int | None,
    entries: Path | None,
    force: bool,
    output_format: str,
) -> int:
    """Package DIR into a ZIP that can be signed and deployed.

    Names, bodies and the executable bit decide every byte; times and owners do not count. A link that leaves DIR is
    refused.

    Exit codes: 0 written, 2 wrong usage, or DIR cannot be packaged as it is.
    """
    # The packager is loaded to be used, not to be described by --help.
    from constructs_pkg.cli.making import package_directory  # noqa: PLC0415 (said above)

    return package_directory(
        directory,
        output,
        excludes,
        has_default_excludes=not no_default_excludes,
        compression_level=compression_level,
        entries=entries,
        force=force,
        as_json=output_format == "json",
    )
