"""The archive reader gives every hostile and every unusual ZIP the verdict that it deserves, whatever inflates."""

import hashlib
import os
import sys
import zipfile
import zlib
from dataclasses import replace
from io import BytesIO, RawIOBase

import pytest

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing import inflate
from constructs_pkg.signing.archive import (
    SIGNATURE_ENTRY,
    ArchiveLimits,
    ArchiveNote,
    ArchiveReading,
    read_archive,
)
from constructs_pkg.signing.archive_bytes import ArchiveBytes
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.inflate import FASTEST, STANDARD, DeflateLibrary
from tests.corpus.raw_zip import RawEntry, build, deflate
from tests.corpus.zip_cases import (
    ACCEPTED,
    BOUNDARY_SHIFTED,
    CODE,
    FIRST,
    GOOD,
    GOOD_ENTRIES,
    INCOMPLETE_HUFFMAN,
    REFUSED,
    SMALL_LIMITS,
    TRANSFORMATIONS,
    Transformation,
    ZipCase,
)

LIMITS = ArchiveLimits(**SMALL_LIMITS)
LIBRARIES = {library.name: library for library in (STANDARD, FASTEST)}


def digest_of(*pieces: bytes) -> bytes:
    return hashlib.sha384(b"".join(pieces)).digest()


def digest_by_zipfile(archive: bytes) -> bytes:
    with zipfile.ZipFile(BytesIO(archive)) as opened:
        # zipfile rewrites some names on reading; the raw bytes are what was flagged UTF-8, or CP437 as it sees it.
        entries = [(i.orig_filename.encode("utf-8" if i.flag_bits & 0x800 else "cp437"), i) for i in opened.infolist()]
        kept = [(name, opened.read(info)) for name, info in entries if name != SIGNATURE_ENTRY.encode()]
    return digest_of(*(piece for pair in kept for piece in pair))


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refuses_the_archive_for_its_reason(case: ZipCase, library: DeflateLibrary):
    with pytest.raises(ArchiveError) as caught:
        read_archive(case.build(), LIMITS, library=library)

    assert caught.value.reason == case.reason
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_accepts_the_archive_and_hashes_what_zipfile_sees(case: ZipCase, library: DeflateLibrary):
    archive = case.build()

    assert read_archive(archive, LIMITS, library=library).content_digest == digest_by_zipfile(archive)
    assert read_archive(BytesIO(archive), LIMITS, library=library) == read_archive(archive, LIMITS, library=library)


def test_every_defect_has_a_case_except_a_file_that_the_operating_system_cannot_read():
    assert {case.reason for case in REFUSED} == {defect.value for defect in ArchiveDefect} - {"unreadable"}
    assert len({case.name for case in (*REFUSED, *ACCEPTED)}) == len(REFUSED) + len(ACCEPTED)


def test_reads_everything_that_a_signature_is_about():
    archive = build([*GOOD_ENTRIES, RawEntry(SIGNATURE_ENTRY.encode(), b"-----BEGIN PKCS7-----")])

    content = (b"handler.py", CODE, b"lib/", b"lib/data.bin", bytes(range(256)))
    assert read_archive(archive) == ArchiveReading(
        content_digest=digest_of(*content),
        digest_to_sign=digest_of(*content, b"META_INF/"),
        signature=b"-----BEGIN PKCS7-----",
        raw_names=(b"handler.py", b"lib/", b"lib/data.bin", SIGNATURE_ENTRY.encode()),
        expanded_bytes=len(CODE) + 256 + 21,
        archive_bytes=len(archive),
        notes=(),
    )
    assert read_archive(archive).entry_names == ("handler.py", "lib/", "lib/data.bin", SIGNATURE_ENTRY)
    assert read_archive(archive).entry_count == 4


def test_the_digest_to_sign_is_the_content_digest_where_the_signatures_directory_is_there():
    reading = read_archive(build([FIRST, RawEntry(b"META_INF/")]))

    assert reading.digest_to_sign == reading.content_digest == digest_of(b"handler.py", CODE, b"META_INF/")
    assert reading.signature is None


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda transformation: transformation.name)
def test_the_digest_changes_with_the_content_and_with_nothing_else(transformation: Transformation):
    changed = transformation.apply(GOOD)

    assert changed != GOOD or transformation.name == "rewritten"
    same = read_archive(changed).content_digest == read_archive(GOOD).content_digest
    assert same is transformation.keeps_content


def test_the_digest_cannot_see_where_a_name_ends_and_its_body_begins():
    shifted = read_archive(BOUNDARY_SHIFTED.apply(GOOD))

    assert shifted.content_digest == read_archive(GOOD).content_digest
    assert shifted.entry_names == ("handler.pyd", "lib/", "lib/data.bin")


def test_the_order_of_the_directory_is_hashed_and_not_that_of_the_bodies():
    reading = read_archive(build(GOOD_ENTRIES, physical_order=(2, 1, 0)))

    assert reading == read_archive(GOOD)


def test_notes_what_a_reviewer_should_see():
    links = [RawEntry(b"link%d" % number, b"x", attributes=0o120777 << 16) for number in range(6)]
    archive = build([*links, RawEntry(b"a\\b", b"x"), RawEntry("é".encode(), b"x"), RawEntry(b"c", b"x")])

    assert read_archive(archive).notes == (
        ArchiveNote(
            "symlink_entry",
            6,
            ("link0", "link1", "link2", "link3", "link4"),
            "'link0', 'link1', 'link2', 'link3', 'link4' and 1 more: "
            "a symbolic link by its attributes, which nothing signs: anybody could have set them",
        ),
        ArchiveNote(
            "backslash_in_name",
            1,
            ("a\\b",),
            "'a\\\\b': on Lambda a backslash is part of a file's name and no separator",
        ),
        ArchiveNote(
            "name_without_utf8_flag",
            1,
            ("é",),
            "'é': read as UTF-8, without the flag that says so; some readers assume CP437",
        ),
    )


def test_a_message_names_the_entry_without_its_control_characters():
    hostile = build([RawEntry(b"a\x1b[2Jb", b"x", central={"crc": 1}, local={"crc": 1})])

    with pytest.raises(ArchiveError) as caught:
        read_archive(hostile)

    assert (
        str(caught.value)
        == f"entry 'a\\x1b[2Jb' has the CRC {zlib.crc32(b'x'):#010x} instead of 0x00000001: it was damaged"
    )


def test_zlib_and_the_fast_library_agree_that_incomplete_huffman_codes_are_malformed():
    for library in LIBRARIES.values():
        with pytest.raises(library.error):
            library.decompressobj(-15).decompress(INCOMPLETE_HUFFMAN, 10)


def test_the_fast_library_is_the_one_under_test_where_the_extra_is_installed():
    pytest.importorskip("zlib_ng", reason="the extra 'fast' is not installed")

    assert FASTEST.name == "zlib_ng"


def test_without_the_extra_the_standard_library_inflates(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "zlib_ng.zlib_ng", None)

    assert inflate.fastest() is STANDARD


def test_an_entry_larger_than_every_buffer_is_hashed_like_a_small_one():
    body = bytes(range(256)) * 20_000
    entries = [RawEntry(b"stored", body), RawEntry(b"deflated", body, method=8), RawEntry(b"small", b"end")]

    assert read_archive(BytesIO(build(entries))).content_digest == digest_by_zipfile(build(entries))


def test_more_entries_than_the_short_end_record_can_count():
    entries = [RawEntry(b"%d" % number) for number in range(65_600)]

    reading = read_archive(build(entries, zip64={}))

    assert reading.entry_count == 65_600
    assert reading.content_digest == digest_of(*(entry.name for entry in entries))


class HalfReading(RawIOBase):
    """A file whose reads return less than was asked for, as unbuffered files and network mounts do."""

    def __init__(self, data: bytes) -> None:
        self._inner = BytesIO(data)

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._inner.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(max(1, size // 3000))


def test_a_file_may_return_less_than_was_asked_for():
    assert read_archive(HalfReading(GOOD)) == read_archive(GOOD)


class Failing(BytesIO):
    """A file on a disk that fails after some reads."""

    def __init__(self, data: bytes, good_reads: int) -> None:
        super().__init__(data)
        self._good_reads = good_reads

    def read(self, size: int | None = -1, /) -> bytes:
        self._good_reads -= 1
        if self._good_reads < 0:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("good_reads", [0, 1])
def test_an_error_of_the_operating_system_is_its_own_reason_and_keeps_its_cause(good_reads: int):
    large = build([RawEntry(b"a", bytes(900_000))])

    with pytest.raises(ArchiveError) as caught:
        read_archive(Failing(large, good_reads))

    assert caught.value.reason == "unreadable"
    assert isinstance(caught.value.__cause__, OSError)


def test_bytes_beyond_the_end_are_truncated():
    for source in (b"abc", BytesIO(b"abc")):
        with pytest.raises(ArchiveError) as caught:
            ArchiveBytes(source).view(1, 3)
        assert caught.value.reason == "truncated"


def test_a_pipe_cannot_be_read_as_an_archive():
    read_end, write_end = os.pipe()
    os.close(write_end)

    with os.fdopen(read_end, "rb") as pipe, pytest.raises(ArchiveError) as caught:
        read_archive(pipe)

    assert caught.value.reason == "unreadable"


class Shrinking(BytesIO):
    """A file that is cut off after its size was asked for."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        end = super().seek(offset, whence)
        if whence == 2:
            self.truncate(end - 30)
        return end


def test_a_file_that_becomes_shorter_while_it_is_read_is_truncated():
    with pytest.raises(ArchiveError) as caught:
        read_archive(Shrinking(GOOD))

    assert caught.value.reason == "truncated"


def test_each_limit_is_inclusive():
    archive = build([FIRST, RawEntry(SIGNATURE_ENTRY.encode(), b"signature", method=8)])
    directory_bytes = len(archive) - 22 - archive.index(b"PK\1\2")
    exact = ArchiveLimits(
        max_archive_bytes=len(archive),
        max_directory_bytes=directory_bytes,
        max_entries=2,
        max_name_bytes=len(SIGNATURE_ENTRY),
        max_expanded_bytes=len(CODE),
        max_signature_bytes=9,
    )
    reasons = {
        "max_archive_bytes": "archive_too_large",
        "max_directory_bytes": "directory_too_large",
        "max_entries": "too_many_entries",
        "max_name_bytes": "name_too_long",
        "max_expanded_bytes": "expanded_too_large",
        "max_signature_bytes": "signature_too_large",
    }

    assert read_archive(archive, exact).signature == b"signature"
    for limit, reason in reasons.items():
        with pytest.raises(ArchiveError) as caught:
            read_archive(archive, replace(exact, **{limit: getattr(exact, limit) - 1}))
        assert (limit, caught.value.reason) == (limit, reason)


def test_a_bomb_is_cut_off_at_the_limit_and_not_inflated_to_its_end():
    inflated = 0

    class Counting:
        def __init__(self) -> None:
            self._inner = zlib.decompressobj(-15)

        def __getattr__(self, name: str):
            return getattr(self._inner, name)

        def decompress(self, data: bytes, limit: int) -> bytes:
            nonlocal inflated
            chunk = self._inner.decompress(data, limit)
            inflated += len(chunk)
            return chunk

    counting = DeflateLibrary("counting", lambda _: Counting(), zlib.crc32, zlib.error)
    for declared, expected in ((32 << 20, (4 << 20) + 1), (10, 11 * 3)):
        says = {"expanded": declared}
        bomb = RawEntry(b"zeros", method=8, data=deflate(bytes(32 << 20)), local=says, central=says)
        inflated = 0
        with pytest.raises(ArchiveError):
            read_archive(build([bomb]), LIMITS, library=counting)
        assert inflated == expected
