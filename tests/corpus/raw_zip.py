"""A ZIP writer that writes whatever it is told, right or wrong; independent of the code under test."""

import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO

MARKER = 0xFFFFFFFF


def deflate(body: bytes, level: int = 6) -> bytes:
    """Return the raw deflate stream of some bytes."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -15)
    return stream.compress(body) + stream.flush()


@dataclass(frozen=True)
class RawEntry:
    """One entry; ``local`` and ``central`` override single fields of the two headers by name.

    The fields are ``signature``, ``version``, ``flags``, ``method``, ``time``, ``date``, ``crc``, ``compressed``,
    ``expanded``, ``name``, ``extra`` and, of the central record, ``disk``, ``attributes``, ``comment`` and ``offset``.
    """

    name: bytes
    body: bytes = b""
    method: int = 0
    flags: int = 0
    data: bytes | None = None
    descriptor: bytes = b""
    gap: bytes = b""
    attributes: int = 0
    time: int = 0
    date: int = 0x21
    extra: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    @property
    def stored(self) -> bytes:
        """Return the body as it lies in the archive."""
        if self.data is not None:
            return self.data
        return deflate(self.body) if self.method == 8 else self.body

    def _fields(self, overrides: dict[str, int | bytes], offset: int) -> dict:
        plain = {
            "version": 20,
            "flags": self.flags,
            "method": self.method,
            "time": self.time,
            "date": self.date,
            "crc": zlib.crc32(self.body),
            "compressed": len(self.stored),
            "expanded": len(self.body),
            "name": self.name,
            "extra": self.extra,
            "disk": 0,
            "attributes": self.attributes,
            "comment": b"",
            "offset": offset,
        }
        return plain | overrides

    def local_part(self) -> bytes:
        """Return local header, body and data descriptor."""
        f = self._fields(self.local, 0)
        numbers = [f[key] for key in ("version", "flags", "method", "time", "date", "crc", "compressed", "expanded")]
        header = struct.pack("<4s5H3L2H", f.get("signature", b"PK\3\4"), *numbers, len(f["name"]), len(f["extra"]))
        return header + f["name"] + f["extra"] + self.stored + self.descriptor

    def central_part(self, offset: int) -> bytes:
        """Return the record in the central directory."""
        f = self._fields(self.central, offset)
        numbers = [f[key] for key in ("version", "flags", "method", "time", "date", "crc", "compressed", "expanded")]
        lengths = [len(f[key]) for key in ("name", "extra", "comment")]
        fixed = struct.pack(
            "<4s6H3L5H2L",
            f.get("signature", b"PK\1\2"),
            0x0314,
            *numbers,
            *lengths,
            f["disk"],
            0,
            f["attributes"],
            f["offset"],
        )
        return fixed + f["name"] + f["extra"] + f["comment"]


def end_record(count: int, size: int, offset: int, comment: bytes, overrides: dict[str, int]) -> bytes:
    """Return the end record, with single fields overridden by name."""
    plain = {"disk": 0, "directory_disk": 0, "here": count, "total": count, "size": size, "offset": offset}
    f = plain | {"comment_length": len(comment)} | overrides
    return struct.pack("<4s4H2LH", b"PK\5\6", *(f[key] for key in (*plain, "comment_length"))) + comment


def zip64_end(count: int, size: int, offset: int, overrides: dict[str, int]) -> bytes:
    """Return Zip64 end record and locator, with single fields overridden by name."""
    plain = {"rest": 44, "disk": 0, "directory_disk": 0, "here": count, "total": count, "size": size, "offset": offset}
    f = plain | {"locator_disk": 0, "record": offset + size, "disks": 1} | overrides
    record = struct.pack(
        "<4sQ2H2L4Q",
        b"PK\6\6",
        f["rest"],
        45,
        45,
        f["disk"],
        f["directory_disk"],
        f["here"],
        f["total"],
        f["size"],
        f["offset"],
    )
    return record + struct.pack("<4sLQL", b"PK\6\7", f["locator_disk"], f["record"], f["disks"])


def build(
    entries: Sequence[RawEntry],
    *,
    prefix: bytes = b"",
    before_directory: bytes = b"",
    after_directory: bytes = b"",
    comment: bytes = b"",
    physical_order: Sequence[int] | None = None,
    zip64: dict[str, int] | None = None,
    **end: int,
) -> bytes:
    """Return an archive of the entries, in the directory's order; ``zip64`` (even empty) asks for the Zip64 records."""
    out = bytearray(prefix)
    offsets: dict[int, int] = {}
    for index in physical_order if physical_order is not None else range(len(entries)):
        out += entries[index].gap
        offsets[index] = len(out)
        out += entries[index].local_part()
    out += before_directory
    offset = len(out)
    for index, entry in enumerate(entries):
        out += entry.central_part(offsets[index])
    size = len(out) - offset
    out += after_directory
    if zip64 is not None:
        out += zip64_end(len(entries), size, offset, zip64)
        markers = {"here": 0xFFFF, "total": 0xFFFF, "size": MARKER, "offset": MARKER}
        end = markers | end
    return bytes(out) + end_record(len(entries), size, offset, comment, end)


def entries_of(archive: bytes) -> list[RawEntry]:
    """Return the entries of a good archive, stored or deflated as they were, without extra fields."""
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        return [
            RawEntry(
                name=info.orig_filename.encode(),
                body=opened.read(info),
                method=info.compress_type,
                flags=0 if info.orig_filename.isascii() else 0x800,
                attributes=info.external_attr,
            )
            for info in opened.infolist()
        ]


def described(entry: RawEntry, *, signature: bool, wide: bool, sizes_in_header: bool = False) -> RawEntry:
    """Return an entry with one of the four forms of data descriptor."""
    numbers = struct.pack("<L2Q" if wide else "<L2L", zlib.crc32(entry.body), len(entry.stored), len(entry.body))
    local = {} if sizes_in_header else {"crc": 0, "compressed": 0, "expanded": 0}
    return replace(
        entry,
        flags=entry.flags | 8,
        descriptor=(b"PK\7\x08" if signature else b"") + numbers,
        local=entry.local | local,
    )


def zip64_entry(entry: RawEntry) -> RawEntry:
    """Return an entry whose sizes stand in Zip64 fields only (its offset stays short)."""
    sizes = struct.pack("<HHQQ", 1, 16, len(entry.body), len(entry.stored))
    markers: dict[str, int | bytes] = {"compressed": MARKER, "expanded": MARKER, "extra": sizes}
    return replace(entry, local=entry.local | markers, central=entry.central | markers)
