"""Adding entries to an archive as AWS Signer does: what is there stays as it is, byte for byte."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import BinaryIO

from constructs_pkg.signing.archive import DEFAULT_LIMITS, ArchiveLimits, open_directory
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.entry_names import distinct_paths, entry_path
from constructs_pkg.signing.inflate import FASTEST
from constructs_pkg.signing.zip_directory import ZipDirectory
from constructs_pkg.signing.zip_records import STORED, WrittenEntry, dos_date_and_time, end_records

__all__ = ["append_entries"]

_FILE_MODE = 0o100644
_DIRECTORY_MODE = 0o040755


def append_entries(
    source: bytes | BinaryIO,
    target: BinaryIO,
    entries: Sequence[tuple[str, bytes]],
    *,
    at: datetime,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> None:
    """Copy an archive and append stored entries to it, without recompressing anything.

    All bytes up to the old central directory, its records and the archive comment are kept; new bodies follow
    the old ones, new records the old records. Bodies and local headers of the source are NOT checked: read it first.

    Args:
        source: The archive, or a seekable file open for reading bytes, whose position is moved.
        target: Where the new archive is written, from its current position on; it need not be seekable.
        entries: Names and bodies; a name that ends with a slash is a directory and has an empty body.
        at: The time of the new entries, aware; ZIP keeps it in steps of two seconds.
        limits: When to give up on the source.

    Raises:
        ArchiveError: The source's directory breaks a rule, or a new name is there already or is not acceptable.
        ValueError: ``at`` has no time zone.
    """
    archive = ArchiveBytes(source)
    extent, directory = open_directory(archive, limits)
    _check_new_names(directory, entries, limits)
    added = list(_placed(entries, extent.start, at))
    target.writelines(archive.pieces(0, extent.start))
    target.writelines(entry.local_header() + body for entry, body in added)
    target.writelines(archive.pieces(extent.start, extent.length))
    records = b"".join(entry.central_record() for entry, _ in added)
    target.write(records)
    directory_start = extent.start + sum(len(entry.local_header()) + len(body) for entry, body in added)
    count = extent.entry_count + len(added)
    target.write(end_records(count, directory_start, extent.length + len(records), extent.comment))


def _check_new_names(directory: ZipDirectory, entries: Sequence[tuple[str, bytes]], limits: ArchiveLimits) -> None:
    paths = distinct_paths(directory.names, limits.max_name_bytes)
    for name, body in entries:
        raw = name.encode()
        path = entry_path(raw, limits.max_name_bytes)
        if path in paths:
            raise defect(ArchiveDefect.DUPLICATE_NAME, f"the archive already has an entry {shown(raw)}")
        if body and name.endswith("/"):
            raise defect(ArchiveDefect.DIRECTORY_WITH_BODY, f"directory entry {shown(raw)} cannot have a body")
        paths.add(path)


def _placed(entries: Sequence[tuple[str, bytes]], start: int, at: datetime) -> Iterator[tuple[WrittenEntry, bytes]]:
    dos_date, dos_time = dos_date_and_time(at)
    for name, body in entries:
        entry = WrittenEntry(
            name=name,
            method=STORED,
            mode=_DIRECTORY_MODE if name.endswith("/") else _FILE_MODE,
            dos_date=dos_date,
            dos_time=dos_time,
            crc32=FASTEST.crc32(body, 0),
            compressed_bytes=len(body),
            expanded_bytes=len(body),
            start=start,
        )
        yield entry, body
        start += len(entry.local_header()) + len(body)
