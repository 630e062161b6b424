"""The two extra fields that can change what an entry is: Zip64 (0x0001) and Info-ZIP's Unicode Path (0x7075)."""

import struct
import zlib

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.zip_records import MAX_16_BITS, MAX_32_BITS

__all__ = ["read_extra_fields", "zip64_values"]

_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_CEILINGS = (MAX_32_BITS, MAX_32_BITS, MAX_32_BITS, MAX_16_BITS)
_LAYOUT = "QQQL"
_HEADER = struct.Struct("<HH")
_UNICODE_PATH_HEADER = struct.Struct("<BL")


def read_extra_fields(name: bytes, extra: bytes) -> bytes | None:
    """Return the Zip64 extra field of one header, or None, once all of its extra fields are well formed.

    Other extra fields (times, owners, padding with an identifier) are neither signed nor read.

    Args:
        name: The raw name of the entry.
        extra: Its extra fields, from the central directory or the local header.

    Raises:
        ArchiveError: A field is cut off, Zip64 or Unicode Path is there twice, or the Unicode Path is another name.
    """
    zip64 = unicode_path = None
    position, end = 0, len(extra)
    while position < end:
        if end - position < _HEADER.size:
            raise _cut_off(name)
        identifier, length = _HEADER.unpack_from(extra, position)
        start, position = position + _HEADER.size, position + _HEADER.size + length
        if position > end:
            raise _cut_off(name)
        if identifier == _ZIP64:
            zip64 = _only(name, zip64, extra[start:position])
        elif identifier == _UNICODE_PATH:
            unicode_path = _only(name, unicode_path, extra[start:position])
    if unicode_path is not None:
        _check_unicode_path(name, unicode_path)
    return zip64


def zip64_values(name: bytes, field: bytes | None, short: tuple[int, ...]) -> tuple[int, ...]:
    """Return an entry's numbers with those replaced that defer to the Zip64 extra field by having all bits set.

    A Zip64 field that no number defers to is fine where it repeats them.

    Args:
        name: The raw name of the entry.
        field: The Zip64 field, if there is one.
        short: Expanded size, compressed size and, of a central record, offset and disk, as the header has them.

    Raises:
        ArchiveError: The field is missing, has another size than the deferring numbers need, or contradicts them.
    """
    deferring = [index for index, value in enumerate(short) if value == _CEILINGS[index]]
    if field is None:
        if deferring:
            raise defect(
                ArchiveDefect.ZIP64_INCONSISTENT, f"entry {shown(name)} defers to a Zip64 field that is not there"
            )
        return short
    present = deferring or list(range(min(len(short), len(field) // 8 + (len(field) % 8 == 4))))
    pattern = struct.Struct("<" + "".join(_LAYOUT[index] for index in present))
    if pattern.size != len(field):
        raise defect(
            ArchiveDefect.ZIP64_INCONSISTENT,
            f"entry {shown(name)} has a Zip64 field of {len(field)} bytes instead of {pattern.size}",
        )
    values = list(short)
    for index, value in zip(present, pattern.unpack(field), strict=True):
        if not deferring and value != values[index]:
            raise defect(
                ArchiveDefect.ZIP64_INCONSISTENT,
                f"entry {shown(name)} has {values[index]} in its header where its Zip64 field says {value}",
            )
        values[index] = value
    return tuple(values)


def _only(name: bytes, earlier: bytes | None, value: bytes) -> bytes:
    if earlier is not None:
        raise defect(ArchiveDefect.EXTRA_FIELD_MALFORMED, f"entry {shown(name)} has the same extra field twice")
    return value


def _cut_off(name: bytes) -> ArchiveError:
    return defect(ArchiveDefect.EXTRA_FIELD_MALFORMED, f"entry {shown(name)} has an extra field that is cut off")


def _check_unicode_path(name: bytes, value: bytes) -> None:
    """Refuse another name, a wrong checksum of the name (readers differ in ignoring it) and an unknown version."""
    if len(value) < _UNICODE_PATH_HEADER.size:
        raise _cut_off(name)
    version, checksum = _UNICODE_PATH_HEADER.unpack_from(value)
    path = value[_UNICODE_PATH_HEADER.size :]
    if version != 1 or checksum != zlib.crc32(name) or path != name:
        raise defect(
            ArchiveDefect.UNICODE_PATH_DISAGREES,
            f"entry {shown(name)} has a second name, {shown(path)}, as Unicode Path: readers disagree on which counts",
        )
