"""Packages directories, each output appearing complete or not at all."""

from collections.abc import Sequence
from pathlib import Path

from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_YES, say, say_json
from constructs_pkg.errors import PackagingError
from constructs_pkg.plurals import counted
from constructs_pkg.signing.packaging import DEFAULT_EXCLUDES, is_inside, write_package

__all__ = ["PACKAGE_VERSION", "package_directory"]

PACKAGE_VERSION = 1
"""The version of the JSON form of ``package``: it grows by one when a key changes its meaning or goes away."""


def package_directory(
    directory: Path,
    output: Path,
    excludes: Sequence[str],
    *,
    has_default_excludes: bool,
    compression_level: int | None,
    entries: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Package a directory and say what was packaged.

    Args:
        directory: What to package.
        output: The archive to write.
        excludes: Patterns of what to leave out.
        has_default_excludes: Whether the usual is left out too.
        compression_level: 0 to 9, or None to store.
        entries: Where to write the names of the entries, or None.
        force: Whether to replace files.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    for path in (output, entries):
        if path is not None:
            refuse_existing(path, force=force)
            _refuse_inside(path, directory)
    patterns = (*(DEFAULT_EXCLUDES if has_default_excludes else ()), *excludes)
    made = write_file(
        output,
        lambda target: write_package(directory, target, excludes=patterns, compression_level=compression_level),
        force=force,
    )
    if entries is not None:
        names = "".join(f"{name}\n" for name in made.entry_names).encode("utf-8")
        write_file(entries, lambda target: target.write(names), force=force)
    if as_json:
        say_json(
            {
                "version": PACKAGE_VERSION,
                "archive": str(output),
                "sha256": made.sha256.hex(),
                "archive_bytes": made.archive_bytes,
                "expanded_bytes": made.expanded_bytes,
                "entries": list(made.entry_names),
                "excluded": list(made.excluded),
            }
        )
    else:
        left_out = f", {counted(len(made.excluded), 'path')} left out" if made.excluded else ""
        say(
            f"{output}: {counted(len(made.entry_names), 'file')}, {made.archive_bytes:,} bytes{left_out}\n"
            f"  SHA-256 {made.sha256.hex()}"
        )
    return EXIT_YES


def _refuse_inside(path: Path, directory: Path) -> None:
    """Refuse an output that would become part of itself."""
    if is_inside(path, directory):
        raise PackagingError(f"{path} lies in {directory} and would become part of the package. Write it elsewhere")
