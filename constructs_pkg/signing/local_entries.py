"""Where an entry's body lies, once its local header and data descriptor say what the central directory says."""

import struct

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive_bytes import WINDOW_BYTES, ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown
from constructs_pkg.signing.extra_fields import read_extra_fields, zip64_values
from constructs_pkg.signing.zip_directory import DirectoryEntry, check_version
from constructs_pkg.signing.zip_records import FLAG_DATA_DESCRIPTOR, LOCAL_HEADER, LOCAL_SIGNATURE

__all__ = ["body_extent"]

_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
# A descriptor's form follows from the room that is left for it, so there is never a second way to read it.
_DESCRIPTORS = {
    12: struct.Struct("<L2L"),
    16: struct.Struct("<4sL2L"),
    20: struct.Struct("<L2Q"),
    24: struct.Struct("<4sL2Q"),
}
_FLAGS_DEFLATE_EFFORT = 0x0006


def body_extent(archive: ArchiveBytes, entry: DirectoryEntry) -> tuple[int, int]:
    """Return offset and compressed size of an entry's body.

    Header, body and descriptor must fill the room up to the next entry exactly. Times and the version needed may differ
    between local header and directory: nothing signs them, and up to 6.3 the version changes no content.

    Args:
        archive: The whole archive.
        entry: What the central directory says.

    Raises:
        ArchiveError: The local header is missing or disagrees, or the entry's parts do not fill its room.
    """
    name, flags, method, crc, compressed, expanded, start, limit = entry
    room = limit - start
    header = archive.view(start, min(room, WINDOW_BYTES))
    signature, version, local_flags, local_method, _, _, *rest = LOCAL_HEADER.unpack_from(header)
    *numbers, name_bytes, extra_bytes = rest
    if signature != LOCAL_SIGNATURE:
        raise defect(ArchiveDefect.LOCAL_HEADER_MISSING, f"entry {shown(name)} has no local header at byte {start}")
    check_version(name, version & 0xFF)
    name_end = LOCAL_HEADER.size + name_bytes
    local_name = bytes(header[LOCAL_HEADER.size : name_end])
    if local_name != name:
        raise _disagrees(entry, f"the name {shown(local_name)}")
    if local_method != method or (local_flags ^ flags) & ~_FLAGS_DEFLATE_EFFORT:
        raise _disagrees(entry, f"flags {local_flags:#06x} and method {local_method} (not {flags:#06x} and {method})")
    body = name_end + extra_bytes
    if extra_bytes:
        zip64 = read_extra_fields(name, bytes(header[name_end:body]))
        numbers[2], numbers[1] = zip64_values(name, zip64, (numbers[2], numbers[1]))
    if numbers != [crc, compressed, expanded]:
        _check_numbers(entry, numbers)
    left = room - body - compressed
    if left < 0:
        reach = f"entry {shown(name)} reaches {-left} bytes into what begins at byte {limit}"
        raise defect(ArchiveDefect.OVERLAPPING_ENTRIES, reach)
    if flags & FLAG_DATA_DESCRIPTOR:
        _check_descriptor(archive, entry, left)
    elif left:
        raise _unreferenced(entry, left)
    return start + body, compressed


def _check_numbers(entry: DirectoryEntry, local: list[int]) -> None:
    """Compare CRC and sizes; with a data descriptor each may also be 0, for "not known yet"."""
    expected = [entry.crc32, entry.compressed_bytes, entry.expanded_bytes]
    known = local
    if entry.flags & FLAG_DATA_DESCRIPTOR:
        known = [value or right for value, right in zip(local, expected, strict=True)]
    if known != expected:
        raise _disagrees(entry, f"CRC, compressed and expanded size {local} (not {expected})")


def _check_descriptor(archive: ArchiveBytes, entry: DirectoryEntry, length: int) -> None:
    layout = _DESCRIPTORS.get(length)
    if layout is None and length > max(_DESCRIPTORS):
        raise _unreferenced(entry, length)
    expected = (entry.crc32, entry.compressed_bytes, entry.expanded_bytes)
    found: tuple[int | bytes, ...] = ()
    if layout is not None:
        found = layout.unpack(archive.view(entry.limit - length, length))
        if len(found) > len(expected):
            expected = (_DESCRIPTOR_SIGNATURE, *expected)
    if found != expected:
        raise defect(
            ArchiveDefect.DATA_DESCRIPTOR_DISAGREES,
            f"entry {shown(entry.name)} has {length} bytes after its body that are not the data descriptor {expected}",
        )


def _disagrees(entry: DirectoryEntry, found: str) -> ArchiveError:
    return defect(
        ArchiveDefect.LOCAL_HEADER_DISAGREES,
        f"entry {shown(entry.name)} has another local header than the central directory says: {found}. Package again",
    )


def _unreferenced(entry: DirectoryEntry, length: int) -> ArchiveError:
    return defect(
        ArchiveDefect.UNREFERENCED_BYTES,
        f"{length} bytes between entry {shown(entry.name)} and what begins at byte {entry.limit} belong to nothing: "
        "some readers would find an entry there. Package again",
    )
