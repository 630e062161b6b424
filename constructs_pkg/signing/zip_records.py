"""The fixed-size records of the ZIP format, as read and as written (PKWARE APPNOTE.TXT 6.3.10, sections 4.3, 4.4)."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = [
    "CENTRAL_FIELDS",
    "CENTRAL_RECORD",
    "CENTRAL_SIGNATURE",
    "DEFLATED",
    "END_RECORD",
    "END_SIGNATURE",
    "FLAG_DATA_DESCRIPTOR",
    "FLAG_UTF8",
    "LOCAL_HEADER",
    "LOCAL_SIGNATURE",
    "MAX_16_BITS",
    "MAX_32_BITS",
    "NEWEST_VERSION",
    "STORED",
    "ZIP64_END_RECORD",
    "ZIP64_END_SIGNATURE",
    "ZIP64_LOCATOR",
    "ZIP64_LOCATOR_SIGNATURE",
    "WrittenEntry",
    "dos_date_and_time",
    "end_records",
]

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
ZIP64_END_SIGNATURE = b"PK\x06\x06"
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
"""Signature, version needed, flags, method, time, date, CRC, compressed and expanded size, name and extra length."""
CENTRAL_RECORD = struct.Struct("<4s6H3L5H2L")
"""Signature, version made by, as the local header, comment length, disk, internal, external attributes, offset."""
CENTRAL_FIELDS = struct.Struct("<4s2xBx2H4x3L4H2x2L")
"""The same record without what a reader has no use for: version made by, time, date and internal attributes. Of the
version needed there is the lower byte, which alone means something (section 4.4.3)."""
END_RECORD = struct.Struct("<4s4H2LH")
"""Signature, this disk, directory's disk, entries here, entries in all, directory size and offset, comment length."""
ZIP64_LOCATOR = struct.Struct("<4sLQL")
"""Signature, disk of the Zip64 end record, its offset, number of disks."""
ZIP64_END_RECORD = struct.Struct("<4sQ2H2L4Q")
"""Signature, size of the rest, versions made by and needed, then as the end record, without a comment."""

NEWEST_VERSION = 63
"""The newest version of the format that an entry may need: 6.3, ten times (section 4.4.3)."""
STORED = 0
DEFLATED = 8
FLAG_DATA_DESCRIPTOR = 0x0008
FLAG_UTF8 = 0x0800
MAX_16_BITS = 0xFFFF
MAX_32_BITS = 0xFFFFFFFF

_MADE_BY_UNIX = 3 << 8 | 20
_VERSION_NEEDED = 20
_VERSION_NEEDED_ZIP64 = 45
_DIRECTORY_ATTRIBUTE = 0x10


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """One entry as this package writes it: no extra fields, no data descriptor, no comment, below 4 GiB.

    Attributes:
        name: With forward slashes; a directory's ends with one.
        method: ``STORED`` or ``DEFLATED``.
        mode: The Unix mode with its file type, such as ``0o100644``.
        dos_date, dos_time: As ``dos_date_and_time`` gives them.
        crc32: Of the expanded body.
        compressed_bytes, expanded_bytes: Sizes of the body.
        start: Offset of the local header in the archive, in bytes.
    """

    name: str
    method: int
    mode: int
    dos_date: int
    dos_time: int
    crc32: int
    compressed_bytes: int
    expanded_bytes: int
    start: int

    def local_header(self) -> bytes:
        """Return what stands in front of the body."""
        name = self.name.encode()
        return LOCAL_HEADER.pack(LOCAL_SIGNATURE, _VERSION_NEEDED, *self._shared(), len(name), 0) + name

    def central_record(self) -> bytes:
        """Return what stands in the central directory."""
        name = self.name.encode()
        attributes = self.mode << 16 | (_DIRECTORY_ATTRIBUTE if self.name.endswith("/") else 0)
        fixed = CENTRAL_RECORD.pack(
            CENTRAL_SIGNATURE,
            _MADE_BY_UNIX,
            _VERSION_NEEDED,
            *self._shared(),
            len(name),
            0,
            0,
            0,
            0,
            attributes,
            self.start,
        )
        return fixed + name

    def _shared(self) -> tuple[int, ...]:
        flags = 0 if self.name.isascii() else FLAG_UTF8
        sizes = (self.crc32, self.compressed_bytes, self.expanded_bytes)
        return (flags, self.method, self.dos_time, self.dos_date, *sizes)


def dos_date_and_time(at: datetime) -> tuple[int, int]:
    """Return a moment as ZIP's two 16-bit fields, in UTC and in steps of two seconds.

    Args:
        at: An aware datetime; a year before 1980 or after 2107, which the fields cannot hold, becomes the nearest.

    Raises:
        ValueError: ``at`` has no time zone.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; give an aware datetime")
    earliest, latest = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    moment = min(max(at.astimezone(UTC), earliest), latest)
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


def end_records(entry_count: int, directory_start: int, directory_bytes: int, comment: bytes = b"") -> bytes:
    """Return everything behind the central directory, with the Zip64 records where a number needs them.

    Args:
        entry_count: Entries in the directory.
        directory_start: Offset of the directory in the archive, in bytes.
        directory_bytes: Its size.
        comment: The archive comment, up to 65,535 bytes.
    """
    zip64 = b""
    if entry_count >= MAX_16_BITS or max(directory_start, directory_bytes) >= MAX_32_BITS:
        versions = (_VERSION_NEEDED_ZIP64, _VERSION_NEEDED_ZIP64)
        totals = (entry_count, entry_count, directory_bytes, directory_start)
        zip64 = ZIP64_END_RECORD.pack(ZIP64_END_SIGNATURE, ZIP64_END_RECORD.size - 12, *versions, 0, 0, *totals)
        zip64 += ZIP64_LOCATOR.pack(ZIP64_LOCATOR_SIGNATURE, 0, directory_start + directory_bytes, 1)
    count = min(entry_count, MAX_16_BITS)
    sizes = (min(directory_bytes, MAX_32_BITS), min(directory_start, MAX_32_BITS))
    return zip64 + END_RECORD.pack(END_SIGNATURE, 0, 0, count, count, *sizes, len(comment)) + comment
