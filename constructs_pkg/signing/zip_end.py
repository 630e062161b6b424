"""Where a ZIP's central directory lies: the end records, read so that there is only one answer."""

from dataclasses import dataclass

from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect, defect
from constructs_pkg.signing.zip_records import (
    CENTRAL_SIGNATURE,
    END_RECORD,
    END_SIGNATURE,
    MAX_16_BITS,
    MAX_32_BITS,
    ZIP64_END_RECORD,
    ZIP64_END_SIGNATURE,
    ZIP64_LOCATOR,
    ZIP64_LOCATOR_SIGNATURE,
)

__all__ = ["DirectoryExtent", "locate_directory"]


@dataclass(frozen=True, slots=True)
class DirectoryExtent:
    """What the end of an archive says about its central directory.

    Attributes:
        start: Offset of the directory, in bytes.
        length: Its size in bytes; what follows it is the end records and nothing else.
        entry_count: How many entries it says that it has.
        comment: The archive comment.
    """

    start: int
    length: int
    entry_count: int
    comment: bytes


def locate_directory(archive: ArchiveBytes) -> DirectoryExtent:
    """Find the central directory, which must reach exactly to the end records, and they to the end of the archive.

    The entries of the directory are not read.

    Args:
        archive: The whole archive.

    Raises:
        ArchiveError: There is no end record, there could be two, or the records contradict each other.
    """
    end = _find_end_record(archive)
    record = archive.view(end, archive.size - end)
    _, disk, directory_disk, count_here, count, length, start, _ = END_RECORD.unpack_from(record)
    fields = (disk, directory_disk, count_here, count, length, start)
    directory_end = end
    zip64 = _zip64_fields(archive, end)
    if zip64 is not None:
        directory_end = end - ZIP64_LOCATOR.size - ZIP64_END_RECORD.size
        fields = _merge(fields, zip64)
    disk, directory_disk, count_here, count, length, start = fields
    if disk or directory_disk or count_here != count:
        raise defect(
            ArchiveDefect.MULTI_DISK,
            f"the end record speaks of disk {disk}, a directory on disk {directory_disk} and {count_here} of {count} "
            "entries here: an archive in several parts cannot be deployed. Package it as one file",
        )
    _check_extent(archive, start, length, directory_end)
    return DirectoryExtent(start, length, count, bytes(record[END_RECORD.size :]))


def _find_end_record(archive: ArchiveBytes) -> int:
    """Return the offset of the only end record whose comment reaches exactly to the end of the archive."""
    tail_start = max(0, archive.size - END_RECORD.size - MAX_16_BITS)
    tail = bytes(archive.view(tail_start, archive.size - tail_start))
    places = _occurrences(tail, END_SIGNATURE)
    if not places:
        raise defect(
            ArchiveDefect.NOT_A_ZIP,
            f"no end record in the last {len(tail)} bytes: this is not a ZIP archive, or it was cut off",
        )
    ends = {place: _end_of_record(tail, place) for place in places}
    fitting = [place for place, end in ends.items() if end == len(tail)]
    if not fitting:
        _refuse_last(tail_start + places[-1], tail_start + ends[places[-1]], archive.size)
    if len(fitting) > 1 or fitting[0] != places[-1]:
        listed = ", ".join(str(tail_start + place) for place in places)
        raise defect(
            ArchiveDefect.SECOND_END_RECORD,
            f"more than one end record could be meant (at bytes {listed}): readers disagree on which one counts. "
            "Remove the archive comment or package again",
        )
    return tail_start + fitting[0]


def _occurrences(data: bytes, wanted: bytes) -> list[int]:
    places: list[int] = []
    place = data.find(wanted)
    while place >= 0:
        places.append(place)
        place = data.find(wanted, place + 1)
    return places


def _end_of_record(tail: bytes, place: int) -> int:
    if place + END_RECORD.size > len(tail):
        return place + END_RECORD.size
    return place + END_RECORD.size + END_RECORD.unpack_from(tail, place)[-1]


def _refuse_last(start: int, end: int, size: int) -> None:
    if end > size:
        raise defect(
            ArchiveDefect.TRUNCATED,
            f"the end record at byte {start} reaches to byte {end}, the archive has {size} bytes: it was cut off",
        )
    raise defect(
        ArchiveDefect.DATA_AFTER_END_RECORD,
        f"{size - end} bytes follow the end record, which ends at byte {end}. Package again instead of appending",
    )


def _zip64_fields(archive: ArchiveBytes, end: int) -> tuple[int, ...] | None:
    """Return the fields of the Zip64 end record, or None where no locator stands before the end record."""
    locator_start = end - ZIP64_LOCATOR.size
    if locator_start < 0:
        return None
    locator = archive.view(locator_start, ZIP64_LOCATOR.size)
    signature, record_disk, record_start, disks = ZIP64_LOCATOR.unpack(locator)
    if signature != ZIP64_LOCATOR_SIGNATURE:
        return None
    expected_start = locator_start - ZIP64_END_RECORD.size
    if record_disk != 0 or disks != 1:
        raise defect(ArchiveDefect.MULTI_DISK, f"the Zip64 locator speaks of disk {record_disk} of {disks}")
    if record_start != expected_start or expected_start < 0:
        raise defect(
            ArchiveDefect.ZIP64_INCONSISTENT,
            f"the Zip64 locator points at byte {record_start}; the record it means must be at byte {expected_start}",
        )
    record = archive.view(record_start, ZIP64_END_RECORD.size)
    signature, rest, _, _, *fields = ZIP64_END_RECORD.unpack(record)
    if signature != ZIP64_END_SIGNATURE or rest != ZIP64_END_RECORD.size - 12:
        raise defect(
            ArchiveDefect.ZIP64_INCONSISTENT,
            f"at byte {record_start} there is no Zip64 end record of {ZIP64_END_RECORD.size} bytes",
        )
    return tuple(fields)


def _merge(fields: tuple[int, ...], zip64: tuple[int, ...]) -> tuple[int, ...]:
    """Return the Zip64 fields, once each short field either defers to them (all bits set) or says the same."""
    ceilings = (MAX_16_BITS, MAX_16_BITS, MAX_16_BITS, MAX_16_BITS, MAX_32_BITS, MAX_32_BITS)
    names = ("disk", "directory's disk", "entries on this disk", "entries", "directory size", "directory offset")
    for name, short, long, ceiling in zip(names, fields, zip64, ceilings, strict=True):
        if short not in (long, ceiling):
            raise defect(
                ArchiveDefect.ZIP64_INCONSISTENT,
                f"the end record says {short} for '{name}', the Zip64 end record {long}",
            )
    return zip64


def _check_extent(archive: ArchiveBytes, start: int, length: int, directory_end: int) -> None:
    """Check that the directory begins where it is said to and ends where the end records begin."""
    if start + length == directory_end:
        return
    where = f"the central directory is said to lie at bytes {start} to {start + length}"
    if start + length > directory_end:
        raise defect(ArchiveDefect.DIRECTORY_MALFORMED, f"{where}, but the end records begin at byte {directory_end}")
    after = bytes(archive.view(start + length, min(4, directory_end - start - length)))
    if after in (END_SIGNATURE, ZIP64_END_SIGNATURE):
        raise defect(ArchiveDefect.SECOND_END_RECORD, f"{where}, and another end record follows it")
    shifted = directory_end - length
    if not _is_directory(archive, start, length) and _is_directory(archive, shifted, length):
        raise defect(
            ArchiveDefect.DATA_BEFORE_FIRST_ENTRY,
            f"{where}, but it is at byte {shifted}: {shifted - start} bytes were put in front of the archive",
        )
    raise defect(
        ArchiveDefect.UNREFERENCED_BYTES,
        f"{where}, and {directory_end - start - length} bytes that belong to nothing lie behind it",
    )


def _is_directory(archive: ArchiveBytes, start: int, length: int) -> bool:
    return length == 0 or bytes(archive.view(start, min(4, length))) == CENTRAL_SIGNATURE
