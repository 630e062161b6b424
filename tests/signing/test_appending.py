"""Appending entries keeps an archive byte for byte, and leaves one that every reader understands."""

import io
import zipfile
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.appending import append_entries
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, read_archive
from tests.corpus.raw_zip import RawEntry, build
from tests.corpus.zip_cases import ACCEPTED, GOOD, GOOD_ENTRIES, ZipCase

AT = datetime(2026, 5, 4, 13, 14, 16, tzinfo=UTC)
SIGNATURE = [("META_INF/", b""), (SIGNATURE_ENTRY, b"-----BEGIN PKCS7-----\n")]
SIGNABLE = [case for case in ACCEPTED if "limit" not in case.name and "signature" not in case.name]


def appended(source: bytes, entries: list[tuple[str, bytes]], at: datetime = AT) -> bytes:
    target = io.BytesIO()
    append_entries(source, target, entries, at=at)
    return target.getvalue()


@pytest.mark.parametrize("case", SIGNABLE, ids=lambda case: case.name)
def test_everything_that_was_there_stays_as_it_is(case: ZipCase):
    source = case.build()
    directory_start = source.index(b"PK\1\2", read_directory_start(source)) if read_archive(source).entry_count else 0

    signed = appended(source, SIGNATURE)

    before, after = read_archive(source), read_archive(signed)
    assert signed[:directory_start] == source[:directory_start]
    assert after.content_digest == before.digest_to_sign
    assert after.signature == b"-----BEGIN PKCS7-----\n"
    assert after.entry_names == (*before.entry_names, "META_INF/", SIGNATURE_ENTRY)
    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.testzip() is None
        with zipfile.ZipFile(io.BytesIO(source)) as original:
            assert archive.comment == original.comment
            kept = [vars_of(info) for info in archive.infolist()[:-2]]
            assert kept == [vars_of(info) for info in original.infolist()]


def read_directory_start(archive: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.start_dir


def vars_of(info: zipfile.ZipInfo) -> tuple[object, ...]:
    fields = (
        "orig_filename",
        "date_time",
        "external_attr",
        "extra",
        "comment",
        "header_offset",
        "CRC",
        "compress_size",
    )
    return tuple(getattr(info, field) for field in fields)


def test_the_new_entries_are_stored_behind_the_old_ones_at_the_given_time():
    east = AT.astimezone(timezone(timedelta(hours=2)))
    with zipfile.ZipFile(io.BytesIO(appended(GOOD, [("café.txt", b"body"), ("d/", b"")], at=east))) as archive:
        file, directory = archive.infolist()[-2:]
        body = archive.read(file)

    assert (file.filename, body, file.compress_type, file.flag_bits) == ("café.txt", b"body", 0, 0x800)
    assert (file.date_time, oct(file.external_attr >> 16)) == ((2026, 5, 4, 13, 14, 16), "0o100644")
    assert (directory.filename, hex(directory.external_attr)) == ("d/", hex(0o040755 << 16 | 0x10))


def test_the_same_arguments_give_the_same_bytes():
    assert appended(GOOD, SIGNATURE) == appended(GOOD, SIGNATURE)


def test_a_large_archive_is_copied_from_a_file():
    source = build([RawEntry(b"large", bytes(range(256)) * 4096), *GOOD_ENTRIES])
    target = io.BytesIO()

    append_entries(io.BytesIO(source), target, SIGNATURE, at=AT)

    assert target.getvalue() == appended(source, SIGNATURE)
    assert read_archive(target).content_digest == read_archive(source).digest_to_sign


@pytest.mark.parametrize("count", [65_533, 65_534])
def test_the_end_record_becomes_zip64_when_it_cannot_count_the_entries(count: int):
    signed = appended(build([RawEntry(b"%d" % number) for number in range(count)]), SIGNATURE)

    assert (b"PK\6\6" in signed[-120:]) is (count + 2 >= 65_535)
    assert read_archive(signed).entry_count == count + 2


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([("handler.py", b"evil")], "duplicate_name"),
        ([("./handler.py", b"evil")], "duplicate_name"),
        ([("new", b"1"), ("new", b"2")], "duplicate_name"),
        ([("../new", b"1")], "name_leaves_directory"),
        ([("new/", b"body")], "directory_with_body"),
    ],
)
def test_refuses_names_that_the_archive_could_not_be_read_with(entries: list[tuple[str, bytes]], reason: str):
    target = io.BytesIO()

    with pytest.raises(ArchiveError) as caught:
        append_entries(GOOD, target, entries, at=AT)

    assert (caught.value.reason, target.getvalue()) == (reason, b"")


def test_refuses_a_source_that_is_no_archive_and_a_time_without_zone():
    with pytest.raises(ArchiveError, match="no end record"):
        appended(b"text", SIGNATURE)
    with pytest.raises(ValueError, match="has no time zone"):
        appended(GOOD, SIGNATURE, at=datetime(2026, 1, 1))  # noqa: DTZ001 # the defence's attack


@pytest.mark.parametrize(("year", "expected"), [(1970, (1980, 1, 1, 0, 0, 0)), (2200, (2107, 12, 31, 23, 59, 58))])
def test_a_time_that_zip_cannot_hold_becomes_the_nearest(year: int, expected: tuple[int, ...]):
    signed = appended(GOOD, SIGNATURE, at=datetime(year, 6, 1, tzinfo=UTC))

    with zipfile.ZipFile(io.BytesIO(signed)) as archive:
        assert archive.infolist()[-1].date_time == expected


@given(st.lists(st.binary(max_size=50), max_size=5), st.lists(st.binary(max_size=50), max_size=5))
def test_appending_twice_is_appending_once(first: list[bytes], second: list[bytes]):
    one = [(f"a{number}", body) for number, body in enumerate(first)]
    two = [(f"b{number}", body) for number, body in enumerate(second)]

    assert appended(appended(GOOD, one), two) == appended(GOOD, one + two)
