"""What is to be signed: ZIPs as they are, directories packaged, layers looked at, and where each result goes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from constructs_pkg.cli.files import refuse_existing
from constructs_pkg.errors import ArchiveError, FileAccessError, SigningError
from constructs_pkg.signing.archive import DEFAULT_LIMITS, open_directory
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.layer_tree import layer_problems
from constructs_pkg.signing.packaging import package

__all__ = ["NOT_A_LAYER", "SourceToSign", "prepare_sources"]

NOT_A_LAYER = "not_a_layer"
"""The ``reason`` of the refusal."""


@dataclass(frozen=True, slots=True)
class SourceToSign:
    """One archive.

    Attributes:
        source: What the user named.
        archive: The ZIP: the source itself, or what was packaged from it.
        target: Where the signed archive goes; None where it stays in S3.
        refusal: Why it is not to be signed; None where it is.
    """

    source: Path
    archive: Path
    target: Path | None
    refusal: SigningError | None = None


def prepare_sources(
    sources: Sequence[Path], output: Path | None, workspace: Path, *, is_layer: bool, force: bool
) -> list[SourceToSign]:
    """Package what has to be packaged, before anything is signed.

    Args:
        sources: ZIPs and directories.
        output: The signed archive, the directory for several, or None.
        workspace: An empty directory for packages.
        is_layer: Whether they have to be layers.
        force: Whether results may replace files.

    Raises:
        click.UsageError: Several results would be one file.
        FileAccessError: A source cannot be read, or a result is there already.
        PackagingError: A directory cannot be packaged.
    """
    targets = _targets(sources, output)
    for target in targets:
        if target is not None:
            refuse_existing(target, force=force)
    archives = [_archive(source, workspace) for source in sources]
    return [
        SourceToSign(source, archive, target, _layer_refusal(archive) if is_layer else None)
        for source, archive, target in zip(sources, archives, targets, strict=True)
    ]


def _targets(sources: Sequence[Path], output: Path | None) -> list[Path | None]:
    if output is None:
        return [None] * len(sources)
    if not output.is_dir():
        if len(sources) > 1:
            raise click.UsageError(f"{output} is not a directory. Make it, to hold {len(sources)} signed archives.")
        return [output]
    targets: list[Path | None] = [output / _result_name(source) for source in sources]
    if len(set(targets)) != len(targets):
        raise click.UsageError(f"Two SOURCEs have the same name and would be one file in {output}.")
    return targets


def _result_name(source: Path) -> str:
    return f"{source.resolve().name}.zip" if source.is_dir() else source.name


def _archive(source: Path, workspace: Path) -> Path:
    if source.is_dir():
        # Two directories of the same name are two packages.
        name = hashlib.sha256(str(source.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
        archive = workspace / f"{name}.zip"
        package(source, archive)
        return archive
    try:
        with source.open("rb"):
            return source
    except OSError as error:
        raise FileAccessError(f"{source} cannot be read: {error.strerror}. Check the path") from error


def _layer_refusal(archive: Path) -> SigningError | None:
    try:
        with archive.open("rb") as file:
            _, directory = open_directory(ArchiveBytes(file), DEFAULT_LIMITS)
            names = [name.decode() for name in directory.names]
    except ArchiveError:
        return None  # the signer refuses it, in its own words
    except OSError as error:
        raise FileAccessError(f"{archive} cannot be read: {error.strerror}. Check the path") from error
    problems = layer_problems(names)
    return SigningError(NOT_A_LAYER, "this is not a layer: " + "; ".join(problems)) if problems else None
