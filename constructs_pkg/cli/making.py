"""Makes archives: packages directories and has archives signed, each output appearing complete or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, say, say_json, tell
from constructs_pkg.cli.progress import open_with_progress
from constructs_pkg.errors import FileAccessError, PackagingError, SigningError
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.packaging import DEFAULT_EXCLUDES, write_package
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.signer import SignedArtifact, Signer

__all__ = ["PACKAGE_VERSION", "SIGNING_VERSION", "package_directory", "sign_archives"]

PACKAGE_VERSION = 1
"""The version of the JSON form of ``package``: it grows by one when a key changes its meaning or goes away."""

SIGNING_VERSION = 1
"""The version of the JSON form of ``sign``, likewise."""

_REFUSALS_OF_AN_ARCHIVE = {
    SigningRefusal.ALREADY_SIGNED,
    SigningRefusal.ARCHIVE_EMPTY,
    SigningRefusal.ARCHIVE_MALFORMED,
    SigningRefusal.ARCHIVE_TOO_LARGE,
}


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
        left_out = f", {len(made.excluded)} paths left out" if made.excluded else ""
        say(
            f"{output}: {len(made.entry_names)} files, {made.archive_bytes:,} bytes{left_out}\n"
            f"  SHA-256 {made.sha256.hex()}"
        )
    return EXIT_YES


@dataclass(frozen=True, slots=True)
class _Signing:
    """One archive to sign: where it is, where it goes, and what came of it."""

    source: Path
    target: Path
    artifact: SignedArtifact | None = None
    refusal: SigningError | None = None


def sign_archives(
    sources: Sequence[Path],
    signer: Signer,
    profile: str,
    output: Path,
    at: datetime,
    *,
    force: bool,
    as_json: bool,
) -> int:
    """Have archives signed and say by which jobs.

    Args:
        sources: The archives.
        signer: Who signs.
        profile: The signing profile's name.
        output: The signed archive, or the directory for several.
        at: The signing time, aware.
        force: Whether to replace files.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    targets = _targets(sources, output)
    for target in targets:
        refuse_existing(target, force=force)
    results = [
        _sign(source, target, signer, profile, at, force=force) for source, target in zip(sources, targets, strict=True)
    ]
    if as_json:
        say_json({"version": SIGNING_VERSION, "artifacts": [_json(result) for result in results]})
    for result in results:
        if result.refusal is not None:
            tell(f"Error: {result.source}: {result.refusal}")
        elif not as_json:
            say(_text(result))
    return EXIT_NO if any(result.refusal is not None for result in results) else EXIT_YES


def _targets(sources: Sequence[Path], output: Path) -> list[Path]:
    if not output.is_dir():
        if len(sources) > 1:
            raise click.UsageError(f"{output} is not a directory. Make it, to hold {len(sources)} signed archives.")
        return [output]
    targets = [output / source.name for source in sources]
    if len(set(targets)) != len(targets):
        raise click.UsageError(f"Two SOURCEs have the same name and would be one file in {output}.")
    return targets


def _sign(source: Path, target: Path, signer: Signer, profile: str, at: datetime, *, force: bool) -> _Signing:
    try:
        with open_with_progress(source, f"signing {source.name}") as file:
            artifact = write_file(target, lambda opened: signer.sign(file, opened, profile=profile, at=at), force=force)
    except SigningError as error:
        if error.reason not in _REFUSALS_OF_AN_ARCHIVE:
            raise
        return _Signing(source, target, refusal=error)
    except OSError as error:
        raise FileAccessError(f"{source} cannot be read: {error.strerror}. Check the path") from error
    return _Signing(source, target, artifact=artifact)


def _text(result: _Signing) -> str:
    artifact = result.artifact
    assert artifact is not None, "there is an artifact where nothing was refused"
    return (
        f"{result.target}: signed until {iso_time(artifact.expires_at)}\n"
        f"  publisher    {artifact.signing_profile_version_arn}\n"
        f"  signing job  {artifact.signing_job_arn}"
    )


def _json(result: _Signing) -> dict[str, object]:
    artifact, refusal = result.artifact, result.refusal
    return {
        "source": str(result.source),
        "artifact": None if artifact is None else str(result.target),
        "signing_profile_version_arn": artifact and str(artifact.signing_profile_version_arn),
        "signing_job_arn": artifact and str(artifact.signing_job_arn),
        "signed_at": artifact and iso_time(artifact.signed_at),
        "expires_at": artifact and iso_time(artifact.expires_at),
        "refusal": refusal and {"reason": refusal.reason, "message": str(refusal)},
    }


def _refuse_inside(path: Path, directory: Path) -> None:
    """Refuse an output that would become part of itself."""
    if path.resolve().is_relative_to(directory.resolve()):
        raise PackagingError(f"{path} lies in {directory} and would become part of the package. Write it elsewhere")
