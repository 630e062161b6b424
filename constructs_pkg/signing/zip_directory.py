"""The central directory: every entry checked against the rules, and against its neighbours, before any is inflated."""

from array import array
from collections.abc import Iterator
from operator import add
from typing import NamedTuple

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.entry_names import distinct_paths
from constructs_pkg.signing.extra_fields import read_extra_fields, zip64_values
from constructs_pkg.signing.zip_end import DirectoryExtent
from constructs_pkg.signing.zip_records import (
    CENTRAL_FIELDS,
    CENTRAL_SIGNATURE,
    DEFLATED,
    FLAG_DATA_DESCRIPTOR,
    FLAG_UTF8,
    LOCAL_HEADER,
    MAX_16_BITS,
    MAX_32_BITS,
    NEWEST_VERSION,
    STORED,
)

__all__ = ["DirectoryEntry", "ZipDirectory", "check_kind", "check_version", "is_symlink", "read_directory"]

_FLAG_ENCRYPTED = 0x0001
_FLAG_STRONGLY_ENCRYPTED = 0x0040
_FLAG_MASKED_HEADERS = 0x2000
_ENCRYPTION = _FLAG_ENCRYPTED | _FLAG_STRONGLY_ENCRYPTED | _FLAG_MASKED_HEADERS
_FLAGS_DEFLATE_EFFORT = 0x0006
_KNOWN_FLAGS = _FLAGS_DEFLATE_EFFORT | FLAG_DATA_DESCRIPTOR | FLAG_UTF8

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
    """The entries of an archive. Their records are kept as they are, so that 100,000 entries stay small.

    Args:
        records: The whole central directory.
        start: Its offset.

    Attributes:
        names: The raw names, in the order of the directory.
        symlinks: Those which the attributes call symbolic links.
        unflagged: Those that are not ASCII and lack the flag that says UTF-8.
    """

    def __init__(self, records: bytes, start: int) -> None:
        self.names: list[bytes] = []
        self.symlinks: list[bytes] = []
        self.unflagged: list[bytes] = []
        self._records = records
        self._start = start
        self._positions = array("L")
        self._starts = array("Q")
        self._needs = array("Q")
        self._limits = array("Q")

    def __iter__(self) -> Iterator[DirectoryEntry]:
        """Yield the entries in the order of the directory."""
        records, fields, entry = self._records, CENTRAL_FIELDS.unpack_from, DirectoryEntry._make
        for name, position, start, limit in zip(self.names, self._positions, self._starts, self._limits, strict=True):
            _, _, flags, method, crc, compressed, expanded, _, _, _, _, _, _ = fields(records, position)
            if compressed == MAX_32_BITS or expanded == MAX_32_BITS:
                expanded, compressed, *_ = _numbers(records, position)
            yield entry((name, flags, method, crc, compressed, expanded, start, limit))

    def read(self, entry_count: int) -> None:
        """Read and check all records, each by itself.

        Args:
            entry_count: How many there must be.

        Raises:
            ArchiveError: A record breaks a rule; the message names the entry.
        """
        records = self._records
        position, end = 0, len(records)
        last_kind: tuple[int, ...] = ()
        for number in range(entry_count):
            if end - position < CENTRAL_FIELDS.size:
                raise _too_few(number, entry_count)
            fields = CENTRAL_FIELDS.unpack_from(records, position)
            signature, version, flags, method, _, compressed, expanded, name_bytes, *rest = fields
            extra_bytes, comment_bytes, disk, attributes, start = rest
            name_start = position + CENTRAL_FIELDS.size
            name_end = name_start + name_bytes
            following = name_end + extra_bytes + comment_bytes
            if signature != CENTRAL_SIGNATURE or following > end:
                raise _incomplete(position)
            name = records[name_start:name_end]
            if extra_bytes or disk == MAX_16_BITS or MAX_32_BITS in (expanded, compressed, start):
                expanded, compressed, start, disk = _numbers(records, position)
            is_directory = name[-1:] == b"/"
            kind = (version, disk, flags, method, attributes, is_directory)
            if kind != last_kind:  # neighbours are mostly alike, and the checks cost as much as all the rest
                check_kind(name, version, flags, method, disk, attributes, is_directory=is_directory)
                last_kind = kind
            if (compressed != expanded and method == STORED) or (is_directory and expanded):
                raise _wrong_size(name, method, compressed, expanded)
            if is_symlink(attributes):
                self.symlinks.append(name)
            if not (flags & FLAG_UTF8 or name.isascii()):
                self.unflagged.append(name)
            self.names.append(name)
            self._positions.append(position)
            self._starts.append(start)
            self._needs.append(LOCAL_HEADER.size + name_bytes + compressed)
            position = following
        if position != end:
            raise _too_long(end - position, entry_count)

    def settle(self) -> None:
        """Find out where each entry must end: where the next one, or the central directory, begins.

        Entries may lie in another order than the directory lists them in (the signature hashes the directory's order);
        they must not overlap, and the first byte of the archive must be that of an entry.

        Raises:
            ArchiveError: Entries overlap, lie outside of the archive or have something in front of them.
        """
        ordered = sorted(self._starts)
        ordered.append(self._start)
        if ordered[0] != 0:
            what = "first entry begins" if self.names else "empty central directory lies"
            raise defect(ArchiveDefect.DATA_BEFORE_FIRST_ENTRY, f"the {what} at byte {ordered[0]} instead of 0")
        ends = ordered[1:]
        # Of two entries at one place, the first to be seen from behind is overwritten: both get that place as their
        # limit, which leaves them no room.
        following = dict(zip(reversed(ordered[:-1]), reversed(ends), strict=True))
        self._limits.extend(map(following.__getitem__, self._starts))
        for index, end in enumerate(map(add, self._starts, self._needs)):
            if end > self._limits[index]:
                raise self._no_room(index, end)

    def _no_room(self, index: int, end: int) -> ArchiveError:
        where = f"entry {shown(self.names[index])} lies at bytes {self._starts[index]} to {end} at least"
        if end > self._start:
            reason = f"{where}; the room for entries ends at byte {self._start}"
            return defect(ArchiveDefect.ENTRY_OUTSIDE_ARCHIVE, reason)
        return defect(ArchiveDefect.OVERLAPPING_ENTRIES, f"{where}; another entry begins at byte {self._limits[index]}")


def read_directory(archive: ArchiveBytes, extent: DirectoryExtent, max_name_bytes: int) -> ZipDirectory:
    """Read all entries of the central directory.

    Local headers and bodies are not looked at.

    Args:
        archive: The whole archive.
        extent: Where the directory lies; all of it is held in memory.
        max_name_bytes: The longest name that is accepted.

    Raises:
        ArchiveError: The directory breaks a rule; the message names the entry.
    """
    directory = ZipDirectory(archive.read(extent.start, extent.length), extent.start)
    directory.read(extent.entry_count)
    distinct_paths(directory.names, max_name_bytes)
    directory.settle()
    return directory


def _numbers(records: bytes, position: int) -> tuple[int, ...]:
    """Return expanded and compressed size, offset and disk of a record, from its Zip64 field where they defer to it."""
    _, _, _, _, _, compressed, expanded, name_bytes, extra_bytes, _, disk, _, start = CENTRAL_FIELDS.unpack_from(
        records, position
    )
    name_start = position + CENTRAL_FIELDS.size
    name_end = name_start + name_bytes
    name = records[name_start:name_end]
    zip64 = read_extra_fields(name, records[name_end : name_end + extra_bytes])
    return zip64_values(name, zip64, (expanded, compressed, start, disk))


def _too_few(number: int, entry_count: int) -> ArchiveError:
    message = f"the central directory ends after {number} of the {entry_count} entries announced"
    return defect(ArchiveDefect.DIRECTORY_MALFORMED, message)


def _too_long(left_bytes: int, entry_count: int) -> ArchiveError:
    message = f"{left_bytes} bytes follow the last of {entry_count} entries in the central directory"
    return defect(ArchiveDefect.DIRECTORY_MALFORMED, message)


def _incomplete(position: int) -> ArchiveError:
    message = f"at byte {position} of the central directory there is no complete record of an entry"
    return defect(ArchiveDefect.DIRECTORY_MALFORMED, message)


def _wrong_size(name: bytes, method: int, compressed: int, expanded: int) -> ArchiveError:
    if method == STORED and compressed != expanded:
        sizes = f"{compressed} bytes inside and {expanded} outside"
        return defect(ArchiveDefect.SIZE_MISMATCH, f"entry {shown(name)} is stored, yet has {sizes}")
    return defect(ArchiveDefect.DIRECTORY_WITH_BODY, f"directory {shown(name)} has a body of {expanded} bytes")


def check_kind(
    name: bytes, version: int, flags: int, method: int, disk: int, attributes: int, *, is_directory: bool
) -> None:
    """Check what entries of one archive mostly have in common.

    Args:
        name: The raw name, for messages.
        version: The lower byte of the version needed.
        flags: The general purpose bit flags.
        method: The compression method.
        disk: The disk on which the entry is said to begin.
        attributes: The external attributes.
        is_directory: Whether the name is that of a directory.

    Raises:
        ArchiveError: They break a rule.
    """
    check_version(name, version)
    _check_flags(name, flags, method, disk)
    _check_attributes(name, attributes, is_directory=is_directory)


def check_version(name: bytes, version: int) -> None:
    """Refuse an entry that is said to need a version of the format that nobody has.

    Args:
        name: The raw name, for the message.
        version: The lower byte of the version needed, of either header.

    Raises:
        ArchiveError: ``version_too_new``.
    """
    if version > NEWEST_VERSION:
        needed = f"is said to need version {version / 10} of the ZIP format; the newest is {NEWEST_VERSION / 10}"
        raise defect(ArchiveDefect.VERSION_TOO_NEW, f"entry {shown(name)} {needed}. Package again")


def is_symlink(attributes: int) -> bool:
    """Tell whether the external attributes call an entry a symbolic link."""
    return attributes >> 28 == _TYPE_SYMLINK


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
