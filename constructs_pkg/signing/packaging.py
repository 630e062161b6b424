"""Making a deployment package from a directory, so that the same tree gives the same bytes on any machine."""

import os
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from constructs_pkg.errors import PackagingError
from constructs_pkg.signing.archive import DEFAULT_LIMITS, ArchiveLimits
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.exclude_patterns import DEFAULT_EXCLUDES, ExcludePatterns
from constructs_pkg.signing.source_tree import SourceTree, TreeFile, open_regular
from constructs_pkg.signing.zip_records import DEFLATED, STORED, WrittenEntry, end_records

__all__ = ["DEFAULT_EXCLUDES", "Package", "is_inside", "package", "write_package"]

_CHUNK_BYTES = 256 * 1024
_FILE_MODE = 0o100644
_EXECUTABLE_MODE = 0o100755
_DOS_DATE_1980_01_01 = 0x21


@dataclass(frozen=True, slots=True)
class Package:
    """What was packaged.

    Attributes:
        entry_names: The files, in the order of the archive.
        excluded: The paths that a pattern left out; a directory stands for everything below it and ends with a slash.
        expanded_bytes: All files together.
        archive_bytes: The archive.
        sha256: 32 bytes: the digest of the archive, for a name made from its content.
    """

    entry_names: tuple[str, ...]
    excluded: tuple[str, ...]
    expanded_bytes: int
    archive_bytes: int
    sha256: bytes


def is_inside(path: Path, directory: Path) -> bool:
    """Tell whether a path lies in a directory, or is it, once links are followed; a link in a circle leads nowhere."""
    # not Path.resolve(), which raises a RuntimeError for such a link before Python 3.13
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(directory))


def package(
    directory: Path,
    target: Path,
    *,
    excludes: Iterable[str] = DEFAULT_EXCLUDES,
    compression_level: int | None = None,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> Package:
    """Package a directory into a ZIP file, which appears complete or not at all.

    See ``write_package`` for what the archive is like, the arguments and the errors.

    Args:
        directory: What to package.
        target: Where the archive goes; a file that is there is replaced.
        excludes: As for ``write_package``.
        compression_level: As for ``write_package``.
        limits: As for ``write_package``.

    Raises:
        PackagingError: As ``write_package``; or the target lies in the directory, where it would become part of itself,
            or cannot be written.
    """
    if is_inside(target, directory):
        raise PackagingError(f"{target} lies in {directory} and would become part of itself. Write it elsewhere")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("x+b") as file:
            result = write_package(
                directory, file, excludes=excludes, compression_level=compression_level, limits=limits
            )
        temporary.replace(target)
    except OSError as error:
        raise PackagingError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return result


def write_package(
    directory: Path,
    target: BinaryIO,
    *,
    excludes: Iterable[str] = DEFAULT_EXCLUDES,
    compression_level: int | None = None,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> Package:
    """Package a directory into an open file, deterministically.

    Names and bodies of the files, and whether their owner may execute them, decide every byte. Files are sorted by
    their names' UTF-8 bytes; times are 1980-01-01 00:00, modes 0644 or 0755; there are no directory entries (an empty
    directory is left out, as git does), no extra fields, no comments. A link to a file in the tree becomes its copy.

    Bodies are *stored*, not compressed, unless a level is given: deflate's output is not specified, and zlib, zlib-ng
    and the versions of both give different bytes, so that compressing gives the same bytes only with the same library.
    Storing costs little here: what is signed goes through S3 and never through the 50 MB limit of a direct upload, and
    it verifies faster. It does count in full against an account's quota of code storage, which is the reason for
    ``compression_level``; the content digest, and so the signature, is the same either way.

    NOT the same on any machine: the executable bit where the file system has none (Windows).

    Args:
        directory: What to package.
        target: A seekable file open for reading and writing bytes, positioned at its start.
        excludes: Patterns of what stays out, ``ExcludePatterns`` says how; ``(*DEFAULT_EXCLUDES, "tests/")`` adds one.
        compression_level: None to store; 0 to 9 to deflate with this machine's zlib.
        limits: What the package must stay within.

    Raises:
        PackagingError: The directory is missing, empty or too large; a name is not acceptable; a file cannot be read,
            is neither file nor directory, changes meanwhile, or is a link that leaves the tree or leads to a directory
            or to something that is left out; or there is a signature already.
    """
    if compression_level is not None and not 0 <= compression_level <= 9:
        raise PackagingError(f"the compression level is {compression_level}. Use 0 to 9, or None to store")
    tree = SourceTree(directory, ExcludePatterns(excludes), limits)
    written = list(_write_files(tree.files(), target, compression_level, limits))
    directory_start = target.tell()
    directory_bytes = sum(target.write(entry.central_record()) for entry in written)
    target.write(end_records(len(written), directory_start, directory_bytes))
    size = target.tell()
    _check_limit("central directory would have", directory_bytes, limits.max_directory_bytes)
    _check_limit("archive would have", size, limits.max_archive_bytes)
    return Package(
        entry_names=tuple(entry.name for entry in written),
        excluded=tuple(sorted(tree.excluded)),
        expanded_bytes=sum(entry.expanded_bytes for entry in written),
        archive_bytes=size,
        sha256=sha256_of(target),
    )


def _check_limit(what: str, value: int, maximum: int) -> None:
    if value > maximum:
        raise PackagingError(f"the {what} {value} bytes; the limit is {maximum}. Exclude what is not needed")


def _write_files(
    files: list[TreeFile], target: BinaryIO, compression_level: int | None, limits: ArchiveLimits
) -> Iterator[WrittenEntry]:
    left = limits.max_expanded_bytes
    for file in files:
        with open_regular(file.path) as source:
            status = os.fstat(source.fileno())
            entry = WrittenEntry(
                name=file.name,
                method=STORED if compression_level is None else DEFLATED,
                mode=_EXECUTABLE_MODE if status.st_mode & stat.S_IXUSR else _FILE_MODE,
                dos_date=_DOS_DATE_1980_01_01,
                dos_time=0,
                crc32=0,
                compressed_bytes=0,
                expanded_bytes=0,
                start=target.tell(),
            )
            target.write(entry.local_header())
            try:
                entry = _write_body(entry, source, target, compression_level, left)
            except OSError as error:
                raise PackagingError(f"{file.path} cannot be copied: {error.strerror}. Package again") from error
        if entry.expanded_bytes != status.st_size:
            raise PackagingError(f"{file.path} changed while it was packaged. Package again")
        left -= entry.expanded_bytes
        end = target.tell()
        target.seek(entry.start)
        target.write(entry.local_header())
        target.seek(end)
        yield entry


def _write_body(
    entry: WrittenEntry, source: BinaryIO, target: BinaryIO, compression_level: int | None, left: int
) -> WrittenEntry:
    """Write a body and return the entry with what is known of it now."""
    deflate = None if compression_level is None else zlib.compressobj(compression_level, zlib.DEFLATED, -zlib.MAX_WBITS)
    crc = expanded = compressed = 0
    while chunk := source.read(_CHUNK_BYTES):
        crc = zlib.crc32(chunk, crc)
        expanded += len(chunk)
        if expanded > left:
            raise PackagingError(
                f"with {entry.name} the package exceeds its limit by {expanded - left} bytes or more: Lambda takes up "
                "to 250 MB expanded, layers included. Exclude what is not needed"
            )
        compressed += target.write(chunk if deflate is None else deflate.compress(chunk))
    if deflate is not None:
        compressed += target.write(deflate.flush())
    return replace(entry, crc32=crc, compressed_bytes=compressed, expanded_bytes=expanded)
