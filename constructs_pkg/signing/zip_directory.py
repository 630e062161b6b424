"""The central directory: every entry checked against the rules, and against its neighbours, before any is inflated."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.entry_names import entry_path
from constructs_pkg.signing.extra_fields import read_extra_fields, zip64_values
from constructs_pkg.signing.zip_end import DirectoryExtent
from constructs_pkg.signing.zip_records import (
    CENTRAL_RECORD,
    CENTRAL_SIGNATURE,
    DEFLATED,
    FLAG_DATA_DESCRIPTOR,
    FLAG_UTF8,
    LOCAL_HEADER,
    MAX_16_BITS,
    MAX_32_BITS,
    STORED,
)

__all__ = ["DirectoryEntry", "ZipDirectory", "read_directory"]

_FLAG_ENCRYPTED = 0x0001
_FLAG_STRONGLY_ENCRYPTED = 0x0040
_FLAG_MASKED_HEADERS = 0x2000
_ENCRYPTION = _FLAG_ENCRYPTED | _FLAG_STRONGLY_ENCRYPTED | _FLAG_MASKED_HEADERS
_FLAGS_DEFLATE_EFFORT = 0x0006
_KNOWN_FLAGS = _FLAGS_DEFLATE_EFFORT | FLAG_DATA_DESCRIPTOR | FLAG_UTF8

_NUMBERS_PER_ENTRY = 6
_DIRECTORY_ATTRIBUTE = 0x10
_TYPE_UNSAID, _TYPE_DIRECTORY, _TYPE_REGULAR, _TYPE_SYMLINK = 0x0, 0x4, 0x8, 0xA


class DirectoryEntry(NamedTuple):
    """What the central directory says about one entry.

    Attributes:
        name: The raw bytes, known to be UTF-8.
        flags: The general purpose bit flags, only supported ones.
        method: 0 (stored) or 8 (deflated).
        crc32: Of the expanded body.
        compressed_bytes, expanded_bytes: Sizes of the body, as declared.
        start: Offset of the local header.
        limit: Offset at which the next entry, or the central directory, begins.
    """

    name: bytes
    flags: int
    method: int
    crc32: int
    compressed_bytes: int
    expanded_bytes: int
    start: int
    limit: int


class ZipDirectory:
    """The entries of an archive, their numbers in one array so that 100,000 entries stay small.

    Args:
        start: Offset of the central directory.

    Attributes:
        names: The raw names, in the order of the directory.
        symlinks: Those which the attributes call symbolic links.
        unflagged: Those that are not ASCII and lack the flag that says UTF-8.
        last_kind: Disk, flags, method, attributes and directory-by-name of the entry that was checked last.
    """

    def __init__(self, start: int) -> None:
        self.names: list[bytes] = []
        self.symlinks: list[bytes] = []
        self.unflagged: list[bytes] = []
        self.last_kind: tuple[int, ...] = ()
        self._start = start
        self._numbers = array("Q")
        self._limits = array("Q")

    def __iter__(self) -> Iterator[DirectoryEntry]:
        """Yield the entries in the order of the directory."""
        numbers = iter(self._numbers)
        rows = zip(self.names, *[numbers] * _NUMBERS_PER_ENTRY, self._limits, strict=True)
        return map(DirectoryEntry._make, rows)

    def add(self, name: bytes, numbers: tuple[int, int, int, int, int, int]) -> None:
        """Take one more entry.

        Args:
            name: Its raw name.
            numbers: Flags, method, CRC, compressed size, expanded size and offset.
        """
        self.names.append(name)
        self._numbers.extend(numbers)

    def settle(self) -> None:
        """Find out where each entry must end: where the next one, or the central directory, begins.

        Entries may lie in another order than the directory lists them in (the signature hashes the directory's order);
        they must not overlap, and the first byte of the archive must be that of an entry.

        Raises:
            ArchiveError: Entries overlap, lie outside of the archive or have something in front of them.
        """
        starts = self._numbers[_NUMBERS_PER_ENTRY - 1 :: _NUMBERS_PER_ENTRY]
        ordered = sorted(starts)
        ordered.append(self._start)
        if ordered[0] != 0:
            what = "first entry begins" if self.names else "empty central directory lies"
            raise defect(ArchiveDefect.DATA_BEFORE_FIRST_ENTRY, f"the {what} at byte {ordered[0]} instead of 0")
        ends = ordered[1:]
        # Of two entries at one place, the first to be seen from behind is overwritten: both get that place as their
        # limit, which leaves them no room.
        following = dict(zip(reversed(ordered[:-1]), reversed(ends), strict=True))
        self._limits.extend(map(following.__getitem__, starts))
        for entry in self:
            if entry.start + LOCAL_HEADER.size + len(entry.name) + entry.compressed_bytes > entry.limit:
                raise self._no_room(entry)

    def _no_room(self, entry: DirectoryEntry) -> ArchiveError:
        end = entry.start + LOCAL_HEADER.size + len(entry.name) + entry.compressed_bytes
        where = f"entry {shown(entry.name)} lies at bytes {entry.start} to {end} at least"
        if end > self._start:
            reason = f"{where}; the room for entries ends at byte {self._start}"
            return defect(ArchiveDefect.ENTRY_OUTSIDE_ARCHIVE, reason)
        return defect(ArchiveDefect.OVERLAPPING_ENTRIES, f"{where}; another entry begins at byte {entry.limit}")


def read_directory(archive: ArchiveBytes, extent: DirectoryExtent, max_name_bytes: int) -> ZipDirectory:
    """Read all entries of the central directory.

    Local headers and bodies are not looked at.

    Args:
        archive: The whole archive.
        extent: Where the directory lies; all of it is held in memory for the time being.
        max_name_bytes: The longest name that is accepted.

    Raises:
        ArchiveError: The directory breaks a rule; the message names the entry.
    """
    records = archive.read(extent.start, extent.length)
    directory = ZipDirectory(extent.start)
    paths: set[bytes] = set()
    position = 0
    for number in range(extent.entry_count):
        if len(records) - position < CENTRAL_RECORD.size:
            raise defect(
                ArchiveDefect.DIRECTORY_MALFORMED,
                f"the central directory ends after {number} of the {extent.entry_count} entries announced",
            )
        name, position = _read_entry(records, position, directory)
        path = entry_path(name, max_name_bytes)
        if path in paths:
            twice = f"entry {shown(name)} is there twice: readers disagree on which one counts. Package again"
            raise defect(ArchiveDefect.DUPLICATE_NAME, twice)
        paths.add(path)
    if position != len(records):
        raise defect(
            ArchiveDefect.DIRECTORY_MALFORMED,
            f"{len(records) - position} bytes follow the last of {extent.entry_count} entries in the central directory",
        )
    directory.settle()
    return directory


def _read_entry(records: bytes, position: int, directory: ZipDirectory) -> tuple[bytes, int]:
    """Read, check and add the entry at a position; return its name and the position of the next."""
    fields = CENTRAL_RECORD.unpack_from(records, position)
    signature, _, _, flags, method, _, _, crc, compressed, expanded, *lengths, disk, _, attributes, start = fields
    name_start = position + CENTRAL_RECORD.size
    following = name_start + sum(lengths)
    if signature != CENTRAL_SIGNATURE or following > len(records):
        raise defect(
            ArchiveDefect.DIRECTORY_MALFORMED,
            f"at byte {position} of the central directory there is no complete record of an entry",
        )
    name_end = name_start + lengths[0]
    name = records[name_start:name_end]
    zip64 = None
    if lengths[1]:
        zip64 = read_extra_fields(name, records[name_end : name_end + lengths[1]])
    if zip64 is not None or disk == MAX_16_BITS or MAX_32_BITS in (expanded, compressed, start):
        expanded, compressed, start, disk = zip64_values(name, zip64, (expanded, compressed, start, disk))
    is_directory = name[-1:] == b"/"
    kind = (disk, flags, method, attributes, is_directory)
    if kind != directory.last_kind:  # neighbours are mostly alike, and the checks cost as much as all the rest
        _check_flags(name, flags, method, disk)
        _check_attributes(name, attributes, is_directory=is_directory)
        directory.last_kind = kind
    if compressed != expanded and method == STORED:
        sizes = f"{compressed} bytes inside and {expanded} outside"
        raise defect(ArchiveDefect.SIZE_MISMATCH, f"entry {shown(name)} is stored, yet has {sizes}")
    if is_directory and expanded:
        raise defect(ArchiveDefect.DIRECTORY_WITH_BODY, f"directory {shown(name)} has a body of {expanded} bytes")
    directory.add(name, (flags, method, crc, compressed, expanded, start))
    if attributes >> 28 == _TYPE_SYMLINK:
        directory.symlinks.append(name)
    if not (name.isascii() or flags & FLAG_UTF8):
        directory.unflagged.append(name)
    return name, following


def _check_flags(name: bytes, flags: int, method: int, disk: int) -> None:
    if disk:
        raise defect(ArchiveDefect.MULTI_DISK, f"entry {shown(name)} is said to lie on disk {disk}")
    if flags & _ENCRYPTION:
        raise defect(ArchiveDefect.ENCRYPTED_ENTRY, f"entry {shown(name)} is encrypted; Lambda has no password for it")
    if flags & ~_KNOWN_FLAGS:
        raise defect(
            ArchiveDefect.UNSUPPORTED_FLAGS, f"entry {shown(name)} has unknown ones among its flags {flags:#06x}"
        )
    if method not in (STORED, DEFLATED):
        raise defect(
            ArchiveDefect.UNKNOWN_METHOD,
            f"entry {shown(name)} has the compression method {method}. Use 0 (stored) or 8 (deflated)",
        )


def _check_attributes(name: bytes, attributes: int, *, is_directory: bool) -> None:
    """Check that the attributes, which nothing signs, do not contradict what the name says."""
    kind = attributes >> 28
    if is_directory:
        agree = kind in (_TYPE_UNSAID, _TYPE_DIRECTORY, _TYPE_REGULAR)
    else:
        agree = kind in (_TYPE_UNSAID, _TYPE_REGULAR, _TYPE_SYMLINK) and not attributes & _DIRECTORY_ATTRIBUTE
    if not agree:
        raise defect(
            ArchiveDefect.ENTRY_TYPE_DISAGREES,
            f"entry {shown(name)} has the attributes {attributes:#010x}, which call it something else than its name",
        )
