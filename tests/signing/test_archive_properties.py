"""What holds for every tree and for every damaged archive: one digest or our own error, never anything else."""

import contextlib
import hashlib
import io
import itertools
import random
import zipfile
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing import archive, ordinary_archive
from constructs_pkg.signing.archive import ArchiveLimits, ArchiveReading, read_archive
from constructs_pkg.signing.content_hash import ContentHash
from constructs_pkg.signing.inflate import FASTEST, STANDARD
from tests.corpus.raw_zip import RawEntry, build, described, end_record, zip64_entry
from tests.corpus.zip_cases import ACCEPTED, GOOD_ENTRIES, REFUSED

SMALL = ArchiveLimits(max_expanded_bytes=1 << 20, max_archive_bytes=1 << 20)
COMPONENTS = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..")
)
TREES = st.dictionaries(st.lists(COMPONENTS, min_size=1, max_size=3).map("/".join), st.binary(max_size=300), max_size=8)
SEEDS = [case.build() for case in ACCEPTED if "limit" not in case.name and "largest" not in case.name]
SEEDS = [seed for seed in SEEDS if len(seed) < 3000]
OFFSET = sum(len(entry.local_part()) for entry in GOOD_ENTRIES)
REFUSED_SEEDS = [seed for case in REFUSED if "too_" not in case.reason and len(seed := case.build()) < 3000]


def outcome(source: bytes, *, limits: ArchiveLimits = SMALL, **keywords: object) -> ArchiveReading | str:
    try:
        return read_archive(source, limits, **keywords)
    except ArchiveError as error:
        return error.reason


@given(TREES, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_any_tree_that_zipfile_writes_has_the_digest_of_its_names_and_bodies(tree: dict[str, bytes], method: int):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, body in tree.items():
            archive.writestr(zipfile.ZipInfo(name), body, method)

    reading = read_archive(written)

    expected = hashlib.sha384(b"".join(name.encode() + body for name, body in tree.items())).digest()
    assert (reading.content_digest, reading.entry_names) == (expected, tuple(tree))


@given(TREES, st.data())
def test_no_way_of_writing_the_same_entries_changes_the_digest(tree: dict[str, bytes], data: st.DataObject):
    plain = [RawEntry(name.encode(), body, flags=0x800) for name, body in tree.items()]
    ways = st.sampled_from(
        [
            lambda entry: entry,
            lambda entry: RawEntry(entry.name, entry.body, method=8, flags=0x800),
            lambda entry: described(entry, signature=data.draw(st.booleans()), wide=data.draw(st.booleans())),
            zip64_entry,
        ]
    )
    written = [data.draw(ways)(entry) for entry in plain]
    order = data.draw(st.permutations(range(len(written))))

    again = read_archive(build(written, physical_order=order, zip64=data.draw(st.sampled_from([None, {}]))))

    assert again.content_digest == read_archive(build(plain)).content_digest


@settings(max_examples=400)
@given(st.data())
def test_a_damaged_archive_gives_a_reading_or_our_error_and_the_same_with_both_libraries(data: st.DataObject):
    archive = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(archive) - 1))
        match data.draw(st.sampled_from(["set", "cut", "insert", "copy"])):
            case "set":
                archive[place] = data.draw(st.integers(0, 255))
            case "cut" if len(archive) > 30:
                del archive[place : place + data.draw(st.integers(1, 20))]
            case "insert":
                archive[place:place] = data.draw(st.sampled_from([b"PK\5\6", b"PK\3\4", b"\xff" * 8, b"\0"]))
            case _:
                archive[place : place + 4] = archive[-22:-18]
        archive = archive or bytearray(b"P")

    assert outcome(bytes(archive), library=STANDARD) == outcome(bytes(archive), library=FASTEST)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_not_an_archive(data: bytes):
    assert outcome(data) == "not_a_zip" or b"PK\5\6" in data


def test_no_flipped_bit_keeps_the_digest_unless_zipfile_still_sees_the_same_entries():
    entries = [*GOOD_ENTRIES[:2], described(RawEntry(b"b.py", b"x = 1\n"), signature=True, wide=False)]
    good = build(entries, comment=b"ok")
    digest, seen = read_archive(good).content_digest, contents(good)
    kept = 0

    for place in range(len(good)):
        for bit in range(8):
            flipped = good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :]
            with contextlib.suppress(ArchiveError):
                reading = read_archive(flipped)
                if reading.content_digest == digest:
                    kept += 1
                    assert contents(flipped) == seen, f"bit {bit} of byte {place}"

    assert kept > 0  # times, permissions and comments are not signed, so some flips must be harmless


def contents(source: bytes) -> list[tuple[str, bytes]]:
    """What another reader sees."""
    with zipfile.ZipFile(io.BytesIO(source)) as opened:
        return [(info.orig_filename, opened.read(info)) for info in opened.infolist()]


def test_no_flipped_byte_of_a_signed_body_or_name_keeps_the_digest():
    body = random.Random(384).randbytes(600)
    good = build([RawEntry(b"data.bin", body)])
    signed = [*range(30, 38 + len(body)), *range(good.index(b"PK\1\2") + 46, good.index(b"PK\1\2") + 54)]
    digest = read_archive(good).content_digest

    for place in signed:
        flipped = good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :]
        assert outcome(flipped) in {"crc_mismatch", "local_header_disagrees", "name_not_utf8"}
    assert read_archive(build([RawEntry(b"data.bin", body[:-1] + b"\0")])).content_digest != digest


def outcome_of_the_long_way(source: bytes) -> ArchiveReading | str:
    with patch.object(archive, "read_ordinary", return_value=None):
        return outcome(source)


def outcome_with_a_thread(source: bytes) -> ArchiveReading | str:
    """The short way, as it goes for large archives: a thread expands and hashes what it is given."""
    with patch.object(ContentHash, "has_time", new=True), patch.object(ordinary_archive, "_BATCH_BYTES", 0):
        return outcome(source)


@given(st.data())
def test_the_short_way_says_of_a_damaged_archive_what_the_long_way_says(data: st.DataObject):
    seed = data.draw(st.sampled_from([*SEEDS, *REFUSED_SEEDS]))
    position = data.draw(st.integers(0, len(seed)))
    damaged = seed[:position] + data.draw(st.binary(max_size=1)) + seed[position + 1 :]

    assert outcome(damaged) == outcome_with_a_thread(damaged) == outcome_of_the_long_way(damaged)


@pytest.mark.parametrize("seed", [*SEEDS, *REFUSED_SEEDS], ids=itertools.count())
def test_the_short_way_says_of_the_corpus_what_the_long_way_says(seed: bytes):
    assert outcome(seed) == outcome_with_a_thread(seed) == outcome_of_the_long_way(seed)


@given(TREES, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.data())
def test_the_short_way_says_of_any_tree_whose_bytes_are_flipped_what_the_long_way_says(
    tree: dict[str, bytes], method: int, data: st.DataObject
):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        for name, body in tree.items():
            written.writestr(name, body)
    source = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(0, 2))):
        source[data.draw(st.integers(0, len(source) - 1))] ^= data.draw(st.integers(1, 255))

    damaged = bytes(source)
    assert outcome(damaged) == outcome_with_a_thread(damaged) == outcome_of_the_long_way(damaged)


def hidden_record(*, where: str) -> bytes:
    """An archive of two entries, the second of which the directory has within the record of the first."""
    first, second = RawEntry(b"a.py", b"first"), RawEntry(b"b.py", b"second")
    bodies = first.local_part() + second.local_part()
    hidden = second.central_part(len(first.local_part()))
    directory = replace(first, central={where: hidden}).central_part(0)
    return bodies + directory + end_record(2, len(directory), len(bodies), b"", {})


ATTACKS = {
    "a record in an extra field": (hidden_record(where="extra"), "extra_field_malformed"),
    "a record in a comment": (hidden_record(where="comment"), "directory_malformed"),
    "bytes behind the last record": (
        build(GOOD_ENTRIES, after_directory=b"junk", size=len(build(GOOD_ENTRIES)) - OFFSET - 22 + 4),
        "directory_malformed",
    ),
    "a large stored body with two sizes": (
        build([RawEntry(b"a", bytes(300_000), local={"expanded": 5}, central={"expanded": 5})]),
        "size_mismatch",
    ),
    "a large stored body that is damaged": (
        build([RawEntry(b"a", bytes(300_000), local={"crc": 5}, central={"crc": 5})]),
        "crc_mismatch",
    ),
    "a large deflated body that is damaged": (
        build([RawEntry(b"a", bytes(2 << 20), method=8, local={"crc": 5}, central={"crc": 5})]),
        "crc_mismatch",
    ),
}


@pytest.mark.parametrize(("source", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_what_the_short_way_might_miss_is_refused(source: bytes, reason: str):
    assert outcome(source, limits=ArchiveLimits()) == reason


def test_an_archive_of_ours_is_read_the_short_way():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("lib/large.so", bytes(3 << 20))
        for number in range(3000):
            written.writestr(f"lib/{number}.py", random.Random(number).randbytes(1000))
    with patch.object(archive, "read_directory", side_effect=AssertionError):
        reading = read_archive(file.getvalue())
    with patch.object(archive, "read_ordinary", return_value=None):
        assert read_archive(file.getvalue()) == reading
