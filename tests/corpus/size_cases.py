"""Bombs, and archives exactly at and just over a limit; none is committed, each takes well under a second to build."""

import functools
import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.corpus.corpus_case import OURS, CorpusCase
from tests.corpus.raw_zip import MARKER, RawEntry, build, deflate, end_record, zip64_end
from tests.corpus.signed_entries import SIGNATURE_DIRECTORY, SIGNATURE_NAME, signature_of, signed, signed_list
from tests.corpus.zip_cases import GOOD_ENTRIES

LIMITS = {
    "expanded_bytes": 250 * 1024 * 1024,
    "signature_bytes": 1024 * 1024,
    "entries": 100_000,
    "directory_bytes": 16 * 1024 * 1024,
    "name_bytes": 4096,
}
"""All bodies but the signature's together as inflated, the signature's body, all entries, the records, one name."""

_MIB = bytes(1024 * 1024)


@functools.cache
def _mebibyte_of_zeros() -> bytes:
    """Return a mebibyte as deflate blocks that can be repeated: a full flush forgets what came before."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(_MIB) + stream.flush(zlib.Z_FULL_FLUSH)


@functools.cache
def _crc_of_zeros(mebibytes: int) -> int:
    crc = 0
    for _ in range(mebibytes):
        crc = zlib.crc32(_MIB, crc)
    return crc


def _zeros(mebibytes: int, more: bytes = b"") -> bytes:
    """Return the deflate stream of so many mebibytes of zeros, and of a few bytes after them."""
    return _mebibyte_of_zeros() * mebibytes + deflate(more)


def _zeros_entry(name: bytes, mebibytes: int, more: bytes = b"", **says: int) -> RawEntry:
    crc = 0 if "crc" in says else zlib.crc32(more, _crc_of_zeros(mebibytes))
    fields: dict[str, int | bytes] = {"crc": crc, "expanded": (mebibytes << 20) + len(more), **says}
    return RawEntry(name, method=8, data=_zeros(mebibytes, more), local=fields, central=fields)


@functools.cache
def _sha384_of_zeros() -> "hashlib._Hash":
    """Return the hash of an entry of 250 MiB of zeros, to be copied."""
    digest = hashlib.sha384(b"zeros")
    for _ in range(250):
        digest.update(_MIB)
    return digest


def _signed_zeros(more: bytes) -> bytes:
    """250 MiB of zeros in one deflated entry, and a few bytes more; signed."""
    digest = _sha384_of_zeros().copy()
    digest.update(more + SIGNATURE_DIRECTORY.name)
    signature = RawEntry(SIGNATURE_NAME, signature_of(digest.digest()))
    return build([_zeros_entry(b"zeros", 250, more), SIGNATURE_DIRECTORY, signature])


def _many_empty(count: int) -> bytes:
    """Return a signed archive of so many entries, the signature and its directory among them; all others are empty."""
    names = [b"%06d" % number for number in range(count - 2)]
    digest = hashlib.sha384(b"".join(names) + SIGNATURE_DIRECTORY.name).digest()
    local = RawEntry(names[0]).local_part()[: -len(names[0])]
    central = RawEntry(names[0]).central_part(0)[: -len(names[0]) - 4]
    size = len(local) + len(names[0])
    bodies = bytearray(b"".join(local + name for name in names))
    records = bytearray(b"".join(central + struct.pack("<L", i * size) + name for i, name in enumerate(names)))
    for entry in (SIGNATURE_DIRECTORY, RawEntry(SIGNATURE_NAME, signature_of(digest))):
        records += entry.central_part(len(bodies))
        bodies += entry.local_part()
    numbers = (count, len(records), len(bodies))
    markers = {"here": 0xFFFF, "total": 0xFFFF, "size": MARKER, "offset": MARKER}
    return bytes(bodies + records) + zip64_end(*numbers, {}) + end_record(*numbers, b"", markers)


def _signature_of_exactly_a_mebibyte() -> bytes:
    """White space around the PEM block is fine, so that a signature can have any size."""
    *content, signature = signed_list(GOOD_ENTRIES)
    return build([*content, RawEntry(SIGNATURE_NAME, signature.body.ljust(LIMITS["signature_bytes"], b"\n"), method=8)])


def _signature_bomb() -> bytes:
    return build([*signed_list(GOOD_ENTRIES)[:-1], _zeros_entry(SIGNATURE_NAME, 1024, crc=0)])


def _overlapping_bomb() -> bytes:
    """A thousand names for one body of a mebibyte: the directory sends each to where the first one lies."""
    first = _zeros_entry(b"0000", 1)
    central = {**first.central, "compressed": len(first.stored), "offset": 0}
    others = [replace(first, name=b"%04d" % number, data=b"", central=central) for number in range(1, 1000)]
    return build([first, *others])


def _nested_bomb() -> bytes:
    """An archive in the archive, in which a gibibyte is waiting: bytes like any others, which nobody unpacks."""
    return signed([*GOOD_ENTRIES, RawEntry(b"layer.zip", build([_zeros_entry(b"zeros", 1024, crc=0)]), method=8)])


def _large_directory() -> bytes:
    """260 entries with comments of 65,535 bytes, which together exceed 16 MiB."""
    comment = {"comment": bytes(65_535)}
    return build([RawEntry(b"%03d" % number, central=comment) for number in range(260)])


def _announces_four_billion_entries() -> bytes:
    return build(signed_list(GOOD_ENTRIES), zip64={"here": 1 << 32, "total": 1 << 32})


TOO_LARGE = ("integrity: expanded_too_large",)
_SIZES: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "expands_to_exactly_250_mib": (lambda: _signed_zeros(b""), ()),
    "expands_to_a_byte_over_250_mib": (lambda: _signed_zeros(b"\0"), TOO_LARGE),
    "bomb_of_a_gibibyte": (lambda: build([_zeros_entry(b"zeros", 1024, crc=0)]), TOO_LARGE),
    "bomb_of_many_entries": (
        lambda: build([_zeros_entry(b"%03d" % number, 1) for number in range(300)]),
        TOO_LARGE,
    ),
    "bomb_that_declares_ten_bytes": (
        lambda: build([_zeros_entry(b"zeros", 1024, crc=0, expanded=10)]),
        ("integrity: size_mismatch",),
    ),
    "bomb_of_overlapping_entries": (_overlapping_bomb, ("integrity: overlapping_entries",)),
    "bomb_in_an_archive_inside": (_nested_bomb, ()),
    "bomb_in_place_of_the_signature": (_signature_bomb, ("integrity: signature_too_large",)),
    "signature_of_exactly_a_mebibyte": (_signature_of_exactly_a_mebibyte, ()),
    "100000_entries": (lambda: _many_empty(100_000), ()),
    "100001_entries": (lambda: _many_empty(100_001), ("integrity: too_many_entries",)),
    "65535_entries": (lambda: _many_empty(65_535), ()),
    "announces_four_billion_entries": (_announces_four_billion_entries, ("integrity: too_many_entries",)),
    "directory_over_16_mib": (_large_directory, ("integrity: directory_too_large",)),
}

SIZE_CASES = tuple(CorpusCase(f"size/{name}", make, findings, OURS) for name, (make, findings) in _SIZES.items())
