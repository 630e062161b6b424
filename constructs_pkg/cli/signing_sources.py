"""What is to be signed: ZIPs as they are, directories packaged, layers looked at, and where each result goes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from constructs_pkg.cli.files import refuse_existing
from constructs_pkg.errors import ArchiveError, FileAccessError, SigningError
from constructs_pkg.signing.archive import DEFAULT_LIMITS, open_directory, read_archive
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
        may_replace: Whether it may take the place of a file.
        refusal: Why it is not to be signed; None where it is.
    """

    source: Path
    archive: Path
    target: Path | None
    may_replace: bool
    refusal: SigningError | None = None


def prepare_sources(
    sources: Sequence[Path],
    output: Path | None,
    workspace: Path,
    *,
    is_layer: bool,
    force: bool,
    is_continued: bool = False,
) -> list[SourceToSign]:
    """Package what has to be packaged, before anything is signed.

    Args:
        sources: ZIPs and directories.
        output: The signed archive, the directory for several, or None.
        workspace: An empty directory for packages.
        is_layer: Whether they have to be layers.
        force: Whether results may replace files.
        is_continued: Whether they may replace results of an earlier run: signed archives of the same content.

    Raises:
        click.UsageError: Several results would be one file.
        FileAccessError: A source cannot be read, or a result is there already.
        PackagingError: A directory cannot be packaged.
    """
    prepared: list[SourceToSign] = []
    for source, target in zip(sources, _targets(sources, output), strict=True):
        if target is not None and not is_continued:
            refuse_existing(target, force=force)
        archive = _archive(source, workspace)
        may_replace = force
        if target is not None and is_continued:
            may_replace = force or _is_result(target, archive)
            refuse_existing(target, force=may_replace)
        prepared.append(
            SourceToSign(source, archive, target, may_replace, _layer_refusal(archive) if is_layer else None)
        )
    return prepared


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


def _is_result(target: Path, archive: Path) -> bool:
    """Tell whether a file is a signed archive of this content, whoever signed it."""
    try:
        with target.open("rb") as found, archive.open("rb") as unsigned:
            result = read_archive(found)
            return result.signature is not None and result.content_digest == read_archive(unsigned).digest_to_sign
    except (OSError, ArchiveError):
        return False
