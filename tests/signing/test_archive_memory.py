"""Reading an archive takes bounded memory: of large bodies, of bombs and of hostile names."""

import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive import read_archive
from tests.corpus.raw_zip import RawEntry, build

MIB = 1 << 20


def write_stored_zeros(path: Path, size: int) -> None:
    """A sparse file, so that the body takes no disk."""
    crc = 0
    for _ in range(size // MIB):
        crc = zlib.crc32(bytes(MIB), crc)
    says = {"crc": crc, "compressed": size, "expanded": size}
    entry = RawEntry(b"zeros", local=says, central=says)
    header, record = entry.local_part(), entry.central_part(0)
    with path.open("wb") as file:
        file.write(header)
        file.seek(len(header) + size)
        file.write(record + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(record), len(header) + size, 0))


def write_deflated_zeros(path: Path, size: int) -> None:
    stream = zlib.compressobj(1, zlib.DEFLATED, -15)
    crc, data = 0, b""
    for _ in range(size // MIB):
        crc = zlib.crc32(bytes(MIB), crc)
        data += stream.compress(bytes(MIB))
    says = {"crc": crc, "expanded": size}
    path.write_bytes(build([RawEntry(b"zeros", method=8, data=data + stream.flush(), local=says, central=says)]))


def write_wide_names(path: Path, count: int) -> None:
    """Names of which one character makes Python keep four bytes for each of the others, as text."""
    wide = "\N{SNAKE}".encode() + b"n" * 1500
    path.write_bytes(build([RawEntry(b"%06d" % number + wide + b"/", flags=0x800) for number in range(count)]))


def write_bodies_among_padding(path: Path, count: int) -> None:
    """One byte of body in every 60 KiB of archive: whoever keeps the byte's surroundings keeps the archive."""
    padding = struct.pack("<HH", 0xCAFE, 60_000) + bytes(60_000)
    entries = [RawEntry(b"%06d" % number, b"x", local={"extra": padding}) for number in range(count)]
    path.write_bytes(build(entries))


def write_small_claims(path: Path, count: int) -> None:
    """Compressed bodies of 120 KiB that claim to expand to one byte: whoever goes by the claim gathers the archive."""
    entries = [
        RawEntry(b"%06d" % number, b"x", method=8, data=random.Random(number).randbytes(120 * 1024))
        for number in range(count)
    ]
    path.write_bytes(build(entries))


CASES = {
    "small_claims": (lambda path: write_small_claims(path, 900), "deflate_malformed"),
    "bodies_among_padding": (lambda path: write_bodies_among_padding(path, 2_000), 2_000),
    "stored_body_of_120_mib": (lambda path: write_stored_zeros(path, 120 * MIB), 1),
    "deflated_body_of_120_mib": (lambda path: write_deflated_zeros(path, 120 * MIB), 1),
    "bomb_of_260_mib": (lambda path: write_deflated_zeros(path, 260 * MIB), "expanded_too_large"),
    "largest_directory_of_wide_names": (lambda path: write_wide_names(path, 10_000), 10_000),
}


@pytest.mark.parametrize(("write", "expected"), CASES.values(), ids=CASES)
def test_reading_stays_below_80_mib(write: Callable[[Path], None], expected: int | str, tmp_path: Path):
    write(tmp_path / "archive.zip")

    tracemalloc.start()
    try:
        with (tmp_path / "archive.zip").open("rb") as file:
            outcome: int | str = read_archive(file).entry_count
    except ArchiveError as error:
        outcome = error.reason
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert outcome == expected
    assert peak_bytes < 80 * MIB
