"""Archives named after what is wrong with them, or after the liberty they take, with the verdict they deserve.

``REFUSED`` and ``ACCEPTED`` are built from scratch and unsigned. ``TRANSFORMATIONS`` turn any good archive, a signed
one too, into another and say whether that keeps what AWS Signer signs.
"""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.corpus.raw_zip import (
    MARKER,
    RawEntry,
    build,
    deflate,
    described,
    entries_of,
    zip64_entry,
)

CODE = b"def handler(event, context):\n    return 'ok'\n" * 4
GOOD_ENTRIES = (
    RawEntry(b"handler.py", CODE, method=8),
    RawEntry(b"lib/", attributes=0o40755 << 16 | 0x10),
    RawEntry(b"lib/data.bin", bytes(range(256))),
)
FIRST, DIRECTORY, LAST = GOOD_ENTRIES
GOOD = build(GOOD_ENTRIES)
NOISE = random.Random(7).randbytes(300_000) + bytes(400_000)
NESTED = build([RawEntry(b"inner.txt", b"inner")])


@dataclass(frozen=True)
class ZipCase:
    """One archive and what a reader must say about it; ``reason`` is None where it must be accepted."""

    name: str
    build: Callable[[], bytes]
    reason: str | None


@dataclass(frozen=True)
class Transformation:
    """A change to a good archive; ``keeps_content`` says whether names, bodies and their order stay the same."""

    name: str
    apply: Callable[[bytes], bytes]
    keeps_content: bool


def _with_first(**changes: object) -> bytes:
    return build([replace(FIRST, **changes), DIRECTORY, LAST])


def _with_last(**changes: object) -> bytes:
    return build([FIRST, DIRECTORY, replace(LAST, **changes)])


def _dynamic_block(literal_lengths: dict[int, int], bits_after: str) -> bytes:
    """Return a deflate stream of one dynamic block whose code lengths are given, followed by some bits."""
    bits = "1" + "01"  # last block; dynamic, least significant bit first
    lengths = [literal_lengths.get(symbol, 0) for symbol in range(257)] + [0]
    bits += f"{0:05b}" + f"{0:05b}" + f"{15:04b}"[::-1]
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15):
        bits += "000" if symbol >= 16 else "001"  # every code length is itself coded with four bits
    bits += "".join(f"{length:04b}" for length in lengths)
    bits += bits_after
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))


# Two codes of two bits where four would fit: zlib refuses the set as incomplete, isal inflates it to b"AA".
INCOMPLETE_HUFFMAN = _dynamic_block({65: 2, 256: 2}, "00" + "00" + "01")
COMPLETE_HUFFMAN = _dynamic_block({65: 1, 256: 1}, "0" + "0" + "1")


def _overlapping_twins() -> bytes:
    """Two records of the directory share one local entry, as quadratic bombs do."""
    return build([FIRST, RawEntry(b"other.py", CODE, method=8, central={"offset": 0})])


def _overlap_inside_a_body() -> bytes:
    """The second entry lies inside the stored body of the first."""
    inner = RawEntry(b"b.py", b"evil = True\n")
    outer = RawEntry(b"a.py", inner.local_part())
    offset = 30 + len(outer.name)
    archive = build([outer])
    directory = len(outer.local_part())
    records = outer.central_part(0) + inner.central_part(offset)
    return archive[:directory] + records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, len(records), directory, 0)


def _bomb(expanded_bytes: int, declared: int | None = None) -> bytes:
    """A body of zeros that is far smaller in the archive."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    crc, data = 0, b""
    for _ in range(expanded_bytes >> 20):
        crc = zlib.crc32(block, crc)
        data += stream.compress(block)
    data += stream.flush()
    says: dict[str, int | bytes] = {"crc": crc, "expanded": expanded_bytes if declared is None else declared}
    return build([RawEntry(b"zeros", method=8, data=data, local=says, central=says)])


def _second_end_in_comment() -> bytes:
    """The comment is another archive, whose end record is the last one of the file."""
    other = RawEntry(b"evil.py", b"evil = True\n")
    start = len(GOOD) + len(other.local_part())
    record = other.central_part(len(GOOD))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(record), start, 0)
    return build(GOOD_ENTRIES, comment=other.local_part() + record + end)


def _two_end_records() -> bytes:
    return GOOD + GOOD[GOOD.rindex(b"PK\5\6") :]


def _two_archives() -> bytes:
    """Two archives one behind the other; the second's offsets are right."""
    last = RawEntry(b"evil.py", b"evil = True\n", central={"offset": len(GOOD)})
    return build([last], prefix=GOOD)


def _end_record_in_last_body() -> bytes:
    """A stored body holds an end record whose comment reaches exactly to the end: a forward search stops there."""
    tail_length = len(RawEntry(b"a.bin").central_part(0)) + 22
    decoy = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, tail_length)
    return build([RawEntry(b"a.bin", decoy)])


def _hidden_local_entry() -> bytes:
    """A reader that walks local headers finds an entry between two listed ones."""
    hidden = RawEntry(b"handler.py", b"evil = True\n").local_part()
    return build([RawEntry(b"handler.py", CODE), replace(LAST, gap=hidden)])


def _unicode_path(path: bytes, name: bytes) -> bytes:
    value = struct.pack("<BL", 1, zlib.crc32(name)) + path
    return struct.pack("<HH", 0x7075, len(value)) + value


def _zip64_offset() -> bytes:
    """All three numbers of the second entry stand in its Zip64 field."""
    second = zip64_entry(RawEntry(b"b", b"bb"))
    offset = len(RawEntry(b"a", b"a").local_part())
    extra = struct.pack("<HHQQQ", 1, 24, 2, 2, offset)
    second = replace(second, central=second.central | {"offset": MARKER, "extra": extra})
    return build([RawEntry(b"a", b"a"), second], zip64={})


def _many(count: int) -> list[RawEntry]:
    return [RawEntry(b"%05d.txt" % number, b"%d" % number) for number in range(count)]


def _short_directory() -> bytes:
    """The last record's name is said to be longer than what is left of the directory."""
    end = GOOD.rindex(b"PK\1\2")
    return GOOD[: end + 28] + struct.pack("<H", len(LAST.name) + 1) + GOOD[end + 30 :]


def _pushed_body() -> bytes:
    """By the directory the body fits; the local header has an extra field that moves it by a few bytes."""
    archive = bytearray(build([RawEntry(b"a", b"body"), RawEntry(b"b", b"next")]))
    struct.pack_into("<H", archive, 28, 4)
    archive[31:35] = struct.pack("<HH", 0x5455, 0)
    return bytes(archive)


def _repeated_zip64() -> bytes:
    """As Info-ZIP writes an archive that it streamed: Zip64 records, and the short fields filled in all the same."""
    size = sum(len(entry.central_part(0)) for entry in GOOD_ENTRIES)
    offset = sum(len(entry.local_part()) for entry in GOOD_ENTRIES)
    return build(GOOD_ENTRIES, zip64={}, here=3, total=3, size=size, offset=offset)


def _two_blocks(body: bytes) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(body) + stream.flush(zlib.Z_FULL_FLUSH) + stream.compress(body) + stream.flush()


_OTHER_NAME = _unicode_path(b"evil.py", b"handler.py")
_SAME_NAME = _unicode_path(b"handler.py", b"handler.py")
_ZIP64_SIZES = struct.pack("<HHQQ", 1, 16, len(CODE), len(deflate(CODE)))


def _refused(reason: str, **builders: Callable[[], bytes]) -> list[ZipCase]:
    return [ZipCase(name, builder, reason) for name, builder in builders.items()]


REFUSED: tuple[ZipCase, ...] = (
    *_refused(
        "not_a_zip",
        empty_file=lambda: b"",
        text_instead_of_zip=lambda: b"not a zip\n" * 9,
        gzip_instead_of_zip=lambda: b"\x1f\x8b\x08" + bytes(60),
        directory_cut_off=lambda: GOOD[: GOOD.rindex(b"PK\5\6") - 1],
    ),
    *_refused(
        "truncated",
        last_byte_missing=lambda: GOOD[:-1],
        comment_cut_off=lambda: build(GOOD_ENTRIES, comment=b"release")[:-2],
    ),
    *_refused(
        "archive_too_large", one_byte_over_the_archive_limit=lambda: build([RawEntry(b"a", bytes((8 << 20) + 1 - 100))])
    ),
    *_refused(
        "second_end_record",
        comment_with_another_archive=_second_end_in_comment,
        comment_with_an_end_signature=lambda: build(GOOD_ENTRIES, comment=b"see PK\5\6"),
        two_end_records=_two_end_records,
        end_record_in_the_last_body=_end_record_in_last_body,
    ),
    *_refused(
        "data_after_end_record",
        newline_after_the_end=lambda: GOOD + b"\n",
        script_after_the_end=lambda: GOOD + b"#!/bin/sh\nrm -rf /\n",
    ),
    *_refused(
        "data_before_first_entry",
        self_extracting_stub_with_right_offsets=lambda: build(GOOD_ENTRIES, prefix=b"#!/bin/sh\nexec unzip $0\n"),
        self_extracting_stub_with_old_offsets=lambda: b"#!/bin/sh\nexec unzip $0\n" + GOOD,
        one_archive_behind_another=_two_archives,
        nothing_but_a_stub=lambda: build([], prefix=b"stub"),
    ),
    *_refused(
        "unreferenced_bytes",
        hidden_local_entry_between_entries=_hidden_local_entry,
        gap_of_one_byte_between_entries=lambda: _with_last(gap=b"\0"),
        gap_before_the_directory=lambda: build(GOOD_ENTRIES, before_directory=b"archive extra data"),
        gap_after_the_directory=lambda: build(GOOD_ENTRIES, after_directory=b"PK\5\5\0\0"),
        entry_left_out_of_the_directory=lambda: build([FIRST, replace(LAST, gap=DIRECTORY.local_part())]),
        gap_behind_a_data_descriptor=lambda: build(
            [described(FIRST, signature=True, wide=True), replace(LAST, gap=b"a gap")]
        ),
    ),
    *_refused(
        "multi_disk",
        second_disk_of_two=lambda: build(GOOD_ENTRIES, disk=1),
        directory_on_another_disk=lambda: build(GOOD_ENTRIES, directory_disk=1),
        entries_on_other_disks=lambda: build(GOOD_ENTRIES, here=2),
        entry_on_another_disk=lambda: _with_first(central={"disk": 1}),
        zip64_locator_of_two_disks=lambda: build(GOOD_ENTRIES, zip64={"disks": 2}),
        zip64_directory_on_another_disk=lambda: build(GOOD_ENTRIES, zip64={"directory_disk": 3}, directory_disk=0xFFFF),
    ),
    *_refused(
        "zip64_inconsistent",
        zip64_count_disagrees_with_the_end_record=lambda: build(GOOD_ENTRIES, zip64={}, total=2, here=2),
        zip64_offset_disagrees_with_the_end_record=lambda: build(GOOD_ENTRIES, zip64={}, offset=1),
        zip64_locator_points_elsewhere=lambda: build(GOOD_ENTRIES, zip64={"record": 0}),
        zip64_record_with_an_extension=lambda: build(GOOD_ENTRIES, zip64={"rest": 60}),
        zip64_field_missing=lambda: _with_first(central={"expanded": MARKER}),
        zip64_field_too_short=lambda: _with_first(
            central={"expanded": MARKER, "compressed": MARKER, "extra": struct.pack("<HHQ", 1, 8, len(CODE))}
        ),
        zip64_field_says_something_else=lambda: _with_first(
            central={"extra": struct.pack("<HHQQ", 1, 16, len(CODE) + 1, len(deflate(CODE)))}
        ),
        zip64_field_with_bytes_too_many=lambda: _with_first(
            central={"expanded": MARKER, "extra": struct.pack("<HHQQ", 1, 16, len(CODE), 0)}
        ),
    ),
    *_refused(
        "directory_malformed",
        one_entry_more_announced=lambda: build(GOOD_ENTRIES, here=4, total=4),
        one_entry_fewer_announced=lambda: build(GOOD_ENTRIES, here=2, total=2),
        directory_record_without_signature=lambda: _with_first(central={"signature": b"PK\1\3"}),
        directory_beyond_the_end_record=lambda: build(GOOD_ENTRIES, size=5000),
        name_longer_than_the_directory=_short_directory,
    ),
    *_refused(
        "extra_field_malformed",
        extra_field_cut_off=lambda: _with_first(central={"extra": struct.pack("<HH", 0x5455, 9)}),
        extra_field_of_three_bytes=lambda: _with_first(local={"extra": b"\0\0\0"}),
        two_zip64_fields=lambda: _with_first(central={"extra": _ZIP64_SIZES * 2}),
        unicode_path_cut_off=lambda: _with_first(extra=struct.pack("<HHB", 0x7075, 1, 1)),
        two_unicode_paths=lambda: _with_first(extra=_SAME_NAME * 2),
    ),
    *_refused(
        "duplicate_name",
        same_name_twice=lambda: build([*GOOD_ENTRIES, RawEntry(b"handler.py", b"evil = True\n")]),
        same_name_twice_same_body=lambda: build([*GOOD_ENTRIES, FIRST]),
        file_and_directory_of_one_name=lambda: build([*GOOD_ENTRIES, RawEntry(b"lib", b"evil")]),
        same_path_with_a_dot=lambda: build([*GOOD_ENTRIES, RawEntry(b"./handler.py", b"evil = True\n")]),
        same_path_with_two_slashes=lambda: build([*GOOD_ENTRIES, RawEntry(b"lib//data.bin", b"evil")]),
    ),
    *_refused("name_empty", entry_without_a_name=lambda: build([*GOOD_ENTRIES, RawEntry(b"", b"x")])),
    *_refused("name_too_long", name_of_4097_bytes=lambda: build([RawEntry(b"n" * 4097, b"x")])),
    *_refused(
        "name_not_utf8",
        name_in_latin_1=lambda: build([RawEntry("caf\xe9.py".encode("latin-1"), b"x")]),
        name_in_latin_1_flagged_as_utf8=lambda: build([RawEntry("caf\xe9.py".encode("latin-1"), b"x", flags=0x800)]),
        name_with_a_surrogate=lambda: build([RawEntry(b"a\xed\xa0\x80", b"x", flags=0x800)]),
        name_with_an_overlong_slash=lambda: build([RawEntry(b"..\xc0\xafevil", b"x", flags=0x800)]),
    ),
    *_refused("name_with_nul", name_cut_short_by_a_nul=lambda: build([RawEntry(b"handler.py\0.txt", b"x")])),
    *_refused(
        "name_leaves_directory",
        absolute_name=lambda: build([RawEntry(b"/etc/passwd", b"x")]),
        name_with_two_dots=lambda: build([RawEntry(b"lib/../../evil.py", b"x")]),
        name_of_two_dots=lambda: build([RawEntry(b"..", b"x")]),
        name_with_two_dots_and_backslashes=lambda: build([RawEntry(b"lib\\..\\..\\evil.py", b"x")]),
        name_of_a_slash=lambda: build([RawEntry(b"/")]),
    ),
    *_refused(
        "unicode_path_disagrees",
        second_name_in_the_directory=lambda: _with_first(central={"extra": _OTHER_NAME}),
        second_name_in_the_local_header=lambda: _with_first(local={"extra": _OTHER_NAME}),
        second_name_with_a_wrong_checksum=lambda: _with_first(extra=_unicode_path(b"handler.py", b"evil.py")),
    ),
    *_refused(
        "entry_type_disagrees",
        file_that_is_a_device=lambda: _with_first(attributes=0o020644 << 16),
        file_that_is_a_pipe=lambda: _with_first(attributes=0o010644 << 16),
        file_with_the_mode_of_a_directory=lambda: _with_first(attributes=0o040755 << 16),
        file_with_the_attribute_of_a_directory=lambda: _with_first(attributes=0x10),
        directory_that_is_a_link=lambda: build([RawEntry(b"lib/", attributes=0o120777 << 16)]),
    ),
    *_refused("directory_with_body", directory_with_a_body=lambda: build([RawEntry(b"lib/", b"hidden")])),
    *_refused(
        "encrypted_entry",
        encrypted_entry=lambda: _with_first(flags=0x0001),
        strongly_encrypted_entry=lambda: _with_first(flags=0x0041),
        masked_local_headers=lambda: _with_first(flags=0x2000),
    ),
    *_refused(
        "version_too_new",
        directory_needs_version_8_4=lambda: _with_first(central={"version": 84}),
        local_header_needs_version_6_4=lambda: _with_first(local={"version": 64}),
        both_headers_need_version_8_4=lambda: _with_first(local={"version": 84}, central={"version": 84}),
    ),
    *_refused(
        "unsupported_flags",
        patch_data=lambda: _with_first(flags=0x0020),
        enhanced_deflating=lambda: _with_first(flags=0x0010),
    ),
    *_refused(
        "unknown_method",
        method_bzip2=lambda: _with_first(method=12, data=b"BZh9"),
        method_deflate64=lambda: _with_first(method=9, data=deflate(CODE)),
        method_zstandard=lambda: _with_first(method=93, data=b"\x28\xb5\x2f\xfd"),
        method_aes=lambda: _with_first(method=99, data=b"secret"),
    ),
    *_refused(
        "entry_outside_archive",
        entry_behind_the_directory=lambda: _with_last(central={"offset": 9_999_999}),
        body_reaches_into_the_directory=lambda: _with_last(
            local={"compressed": 400, "expanded": 400}, central={"compressed": 400, "expanded": 400}
        ),
    ),
    *_refused(
        "overlapping_entries",
        two_records_for_one_entry=_overlapping_twins,
        entry_inside_a_stored_body=_overlap_inside_a_body,
        body_reaches_into_the_next_entry=lambda: build(
            [replace(FIRST, local={"compressed": 200}, central={"compressed": 200}), DIRECTORY, LAST]
        ),
        local_extra_field_pushes_the_body_into_the_next_entry=_pushed_body,
    ),
    *_refused(
        "local_header_missing",
        local_header_without_signature=lambda: _with_first(local={"signature": b"PK\3\3"}),
    ),
    *_refused(
        "local_header_disagrees",
        local_name_differs=lambda: _with_first(local={"name": b"evil_er.py"}),
        local_name_longer=lambda: _with_first(local={"name": b"handler.pyc"}),
        local_method_differs=lambda: _with_first(local={"method": 0}),
        local_flags_differ=lambda: _with_first(local={"flags": 0x0800}),
        local_expanded_size_differs=lambda: _with_first(local={"expanded": len(CODE) - 1}),
        local_compressed_size_differs=lambda: _with_first(local={"compressed": 5}),
        local_crc_differs=lambda: _with_first(local={"crc": 1}),
        local_size_differs_although_described=lambda: build(
            [replace(described(FIRST, signature=True, wide=False), local={"crc": 0, "compressed": 0, "expanded": 7})]
        ),
    ),
    *_refused(
        "data_descriptor_disagrees",
        data_descriptor_missing=lambda: _with_first(flags=8),
        data_descriptor_with_another_crc=lambda: _with_first(
            flags=8, descriptor=struct.pack("<4s3L", b"PK\7\x08", 1, len(deflate(CODE)), len(CODE))
        ),
        data_descriptor_with_another_size=lambda: _with_first(
            flags=8, descriptor=struct.pack("<3L", zlib.crc32(CODE), len(deflate(CODE)), 1)
        ),
        data_descriptor_with_another_signature=lambda: _with_first(
            flags=8, descriptor=struct.pack("<4s3L", b"PK\7\7", zlib.crc32(CODE), len(deflate(CODE)), len(CODE))
        ),
        data_descriptor_of_seven_bytes=lambda: _with_first(flags=8, descriptor=b"PK\7\x08abc"),
    ),
    *_refused(
        "deflate_malformed",
        deflate_with_a_reserved_block=lambda: _with_first(data=b"\x07" + bytes(9)),
        deflate_cut_off=lambda: _with_first(data=deflate(CODE)[:-3]),
        large_deflate_damaged=lambda: build(
            [RawEntry(b"noise", NOISE, method=8, data=deflate(NOISE)[:200_000] + b"\xff" * 80_000)]
        ),
        large_deflate_cut_off=lambda: build([RawEntry(b"noise", NOISE, method=8, data=deflate(NOISE)[:-3])]),
        deflate_of_nothing=lambda: build([RawEntry(b"empty", method=8, data=b"")]),
        deflate_with_a_distance_too_far=lambda: _with_first(data=bytes.fromhex("4b04a200")),
        deflate_with_incomplete_huffman_codes=lambda: build([RawEntry(b"a", b"AA", method=8, data=INCOMPLETE_HUFFMAN)]),
    ),
    *_refused(
        "bytes_after_deflate_stream",
        bytes_after_a_small_deflate_stream=lambda: _with_first(data=deflate(CODE) + b"evil"),
        second_deflate_stream=lambda: _with_first(data=deflate(CODE) + deflate(b"evil")),
        bytes_after_a_large_deflate_stream=lambda: build(
            [RawEntry(b"zeros", bytes(700_000), method=8, data=deflate(bytes(700_000)) + bytes(300_000))]
        ),
    ),
    *_refused(
        "size_mismatch",
        declares_less_than_it_expands_to=lambda: _with_first(local={"expanded": 5}, central={"expanded": 5}),
        declares_more_than_it_expands_to=lambda: _with_first(local={"expanded": 500}, central={"expanded": 500}),
        declares_terabytes=lambda: _with_first(local={"expanded": MARKER - 1}, central={"expanded": MARKER - 1}),
        stored_with_two_sizes=lambda: _with_last(local={"expanded": 255}, central={"expanded": 255}),
        bomb_that_declares_ten_bytes=lambda: _bomb(64 << 20, declared=10),
    ),
    *_refused(
        "crc_mismatch",
        stored_body_changed=lambda: _with_last(data=bytes(256)),
        deflated_body_changed=lambda: _with_first(data=deflate(CODE.replace(b"ok", b"no"))),
        crc_of_zero=lambda: _with_first(local={"crc": 0}, central={"crc": 0}),
    ),
    *_refused(
        "expanded_too_large",
        bomb_of_one_entry=lambda: _bomb(8 << 20),
        bomb_of_many_entries=lambda: build([RawEntry(b"%d" % number, bytes(1 << 19), method=8) for number in range(9)]),
        stored_over_the_limit=lambda: build([RawEntry(b"big", bytes((4 << 20) + 1))]),
    ),
    *_refused(
        "signature_too_large",
        signature_bomb=lambda: build(
            [FIRST, RawEntry(b"META_INF/aws_signer_signature_v1.0.SF", bytes((1 << 20) + 1), method=8)]
        ),
        stored_signature_over_the_limit=lambda: build(
            [FIRST, RawEntry(b"META_INF/aws_signer_signature_v1.0.SF", bytes((1 << 20) + 1))]
        ),
    ),
    *_refused("too_many_entries", one_entry_over_the_limit=lambda: build(_many(41))),
    *_refused(
        "directory_too_large",
        directory_over_the_limit=lambda: build(
            [replace(entry, central={"comment": bytes(6000)}) for entry in _many(4)]
        ),
    ),
)
"""Archives that must be refused, each for its reason; read with ``SMALL_LIMITS``."""

SMALL_LIMITS = {
    "max_archive_bytes": 8 << 20,
    "max_expanded_bytes": 4 << 20,
    "max_entries": 40,
    "max_directory_bytes": 20_000,
}
"""Limits under which the boundary cases stay small."""


ACCEPTED: tuple[ZipCase, ...] = tuple(
    ZipCase(name, builder, None)
    for name, builder in {
        "plain_archive": lambda: GOOD,
        "no_entries": lambda: build([]),
        "archive_comment": lambda: build(GOOD_ENTRIES, comment=b"release 7"),
        "archive_comment_of_65535_bytes": lambda: build(GOOD_ENTRIES, comment=b"c" * 65535),
        "entry_comment": lambda: _with_first(central={"comment": b"main"}),
        "descriptor_signed": lambda: build([described(FIRST, signature=True, wide=False), DIRECTORY, LAST]),
        "descriptor_bare": lambda: build([described(FIRST, signature=False, wide=False), DIRECTORY, LAST]),
        "descriptor_signed_wide": lambda: build([described(FIRST, signature=True, wide=True), DIRECTORY, LAST]),
        "descriptor_bare_wide": lambda: build([described(FIRST, signature=False, wide=True), DIRECTORY, LAST]),
        "descriptor_after_a_stored_body": lambda: build([FIRST, described(LAST, signature=True, wide=False)]),
        "descriptor_and_sizes_in_the_header": lambda: build(
            [described(FIRST, signature=True, wide=False, sizes_in_header=True), DIRECTORY, LAST]
        ),
        "deflated_directory_as_java_writes_it": lambda: build(
            [described(RawEntry(b"lib/", method=8), signature=True, wide=False), LAST]
        ),
        "zip64_sizes": lambda: build([zip64_entry(FIRST), DIRECTORY, zip64_entry(LAST)]),
        "zip64_sizes_in_the_local_header_only": lambda: build([replace(zip64_entry(FIRST), central={}), LAST]),
        "zip64_offset": _zip64_offset,
        "zip64_field_that_repeats_the_header": lambda: _with_first(central={"extra": _ZIP64_SIZES}),
        "zip64_end_records": lambda: build(GOOD_ENTRIES, zip64={}),
        "zip64_end_records_that_repeat_the_end_record": _repeated_zip64,
        "directory_attributes_of_a_regular_file": lambda: build([RawEntry(b"lib/", attributes=0o100644 << 16), LAST]),
        "unicode_path_that_agrees": lambda: _with_first(extra=_SAME_NAME),
        "unknown_extra_field": lambda: _with_first(extra=struct.pack("<HH4s", 0xCAFE, 4, b"java")),
        "deflate_effort_flags": lambda: _with_first(flags=0x0002, local={"flags": 0x0004}),
        "local_order_differs_from_the_directory": lambda: build(GOOD_ENTRIES, physical_order=(2, 0, 1)),
        "stored_archive_inside": lambda: build([FIRST, RawEntry(b"layer.zip", NESTED)]),
        "name_in_utf8": lambda: build([RawEntry("ünïcödé/日本.py".encode(), CODE, flags=0x800)]),
        "name_in_utf8_without_its_flag": lambda: build([RawEntry("ünïcödé.py".encode(), CODE)]),
        "name_with_a_backslash": lambda: build([RawEntry(b"lib\\module.py", CODE)]),
        "name_with_dots_in_a_component": lambda: build([RawEntry(b"lib/..hidden../a..b", CODE)]),
        "name_beginning_with_a_dot": lambda: build([RawEntry(b"./", b""), RawEntry(b"./handler.py", CODE)]),
        "name_of_4096_bytes": lambda: build([RawEntry(b"n" * 4096, b"x")]),
        "names_that_differ_in_case": lambda: build([RawEntry(b"A.py", b"1"), RawEntry(b"a.py", b"2")]),
        "symbolic_link": lambda: build([FIRST, RawEntry(b"link", b"handler.py", attributes=0o120777 << 16)]),
        "empty_bodies": lambda: build([RawEntry(b"stored"), RawEntry(b"deflated", method=8)]),
        "several_deflate_blocks": lambda: build([RawEntry(b"a", CODE * 2, method=8, data=_two_blocks(CODE))]),
        "complete_huffman_codes": lambda: build([RawEntry(b"a", b"AA", method=8, data=COMPLETE_HUFFMAN)]),
        "signature_of_the_largest_size": lambda: build(
            [FIRST, RawEntry(b"META_INF/aws_signer_signature_v1.0.SF", bytes(1 << 20), method=8)]
        ),
        "as_many_entries_as_the_limit": lambda: build(_many(40)),
        "expanded_to_exactly_the_limit": lambda: build(
            [RawEntry(b"a", bytes(3 << 20), method=8), RawEntry(b"b", bytes(1 << 20))]
        ),
    }.items()
)
"""Archives that take a liberty which the format grants; read with ``SMALL_LIMITS``."""


def _map_entries(change: Callable[[RawEntry], RawEntry]) -> Callable[[bytes], bytes]:
    return lambda archive: build([change(entry) for entry in entries_of(archive)])


def _change_list(change: Callable[[list[RawEntry]], list[RawEntry]]) -> Callable[[bytes], bytes]:
    return lambda archive: build(change(entries_of(archive)))


def _first_file(entries: list[RawEntry]) -> int:
    return next(index for index, entry in enumerate(entries) if entry.body)


def _change_first_file(change: Callable[[RawEntry], RawEntry]) -> Callable[[bytes], bytes]:
    def apply(entries: list[RawEntry]) -> list[RawEntry]:
        place = _first_file(entries)
        return [*entries[:place], change(entries[place]), *entries[place + 1 :]]

    return _change_list(apply)


def _shift_boundary(entry: RawEntry) -> RawEntry:
    """Move the first byte of the body to the end of the name: the digest has no boundary between them."""
    return replace(entry, name=entry.name + entry.body[:1], body=entry.body[1:])


TRANSFORMATIONS: tuple[Transformation, ...] = (
    Transformation("rewritten", _map_entries(lambda entry: entry), keeps_content=True),
    Transformation(
        "recompressed",
        _map_entries(lambda entry: replace(entry, method=8, data=deflate(entry.body, 1))),
        keeps_content=True,
    ),
    Transformation("stored", _map_entries(lambda entry: replace(entry, method=0)), keeps_content=True),
    Transformation(
        "methods_swapped", _map_entries(lambda entry: replace(entry, method=8 - entry.method)), keeps_content=True
    ),
    Transformation("retimed", _map_entries(lambda entry: replace(entry, time=0x6000, date=0x5A21)), keeps_content=True),
    Transformation(
        "permissions_changed",
        _map_entries(lambda entry: replace(entry, attributes=entry.attributes & ~(0o777 << 16) | 0o711 << 16)),
        keeps_content=True,
    ),
    Transformation(
        "extra_fields_added",
        _map_entries(lambda entry: replace(entry, extra=struct.pack("<HHBL", 0x5455, 5, 1, 1_700_000_000))),
        keeps_content=True,
    ),
    Transformation(
        "comment_added", lambda archive: build(entries_of(archive), comment=b"built by hand"), keeps_content=True
    ),
    Transformation(
        "entry_comments_added",
        _map_entries(lambda entry: replace(entry, central={"comment": b"note"})),
        keeps_content=True,
    ),
    Transformation(
        "data_descriptors_added",
        _map_entries(lambda entry: described(entry, signature=True, wide=False)),
        keeps_content=True,
    ),
    Transformation(
        "made_zip64",
        lambda archive: build([zip64_entry(entry) for entry in entries_of(archive)], zip64={}),
        keeps_content=True,
    ),
    Transformation(
        "bodies_reordered_directory_kept",
        lambda archive: build(entries_of(archive), physical_order=range(len(entries_of(archive)))[::-1]),
        keeps_content=True,
    ),
    Transformation("directory_reordered", _change_list(lambda entries: entries[::-1]), keeps_content=False),
    Transformation(
        "renamed", _change_first_file(lambda entry: replace(entry, name=b"x" + entry.name)), keeps_content=False
    ),
    Transformation(
        "entry_added",
        _change_list(lambda entries: [*entries, RawEntry(b"evil.py", b"evil = True\n")]),
        keeps_content=False,
    ),
    Transformation(
        "empty_entry_added", _change_list(lambda entries: [*entries, RawEntry(b"evil.pth")]), keeps_content=False
    ),
    Transformation(
        "directory_added", _change_list(lambda entries: [*entries, RawEntry(b"evil/")]), keeps_content=False
    ),
    Transformation(
        "entry_removed",
        _change_list(lambda entries: entries[: _first_file(entries)] + entries[_first_file(entries) + 1 :]),
        keeps_content=False,
    ),
    Transformation(
        "body_changed",
        _change_first_file(lambda entry: replace(entry, body=bytes([entry.body[0] ^ 1]) + entry.body[1:])),
        keeps_content=False,
    ),
    Transformation(
        "body_lengthened",
        _change_first_file(lambda entry: replace(entry, body=entry.body + b"\n")),
        keeps_content=False,
    ),
    Transformation("body_emptied", _change_first_file(lambda entry: replace(entry, body=b"")), keeps_content=False),
)
"""Changes to a good archive; those with ``keeps_content=False`` change what Lambda would run."""

BOUNDARY_SHIFTED = Transformation("boundary_between_name_and_body_shifted", _change_first_file(_shift_boundary), False)
"""The one change of content that the format's digest cannot see."""
