"""Archives that two readers of ZIP files could read in two ways: with a genuine signature over one of the readings.

The attacker has a good signed archive and no key. Each case keeps everything that was signed where a verifier may look,
and puts something else where another reader may look.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

from tests.corpus.corpus_case import FORMAT, OURS, CorpusCase
from tests.corpus.raw_zip import MARKER, RawEntry, build, deflate, described
from tests.corpus.signed_entries import SIGNATURE_NAME, signed, signed_archive, signed_list
from tests.corpus.zip_cases import ACCEPTED, CODE, GOOD_ENTRIES, REFUSED

EVIL = b"evil = True\n"
EVIL_HANDLER = RawEntry(b"handler.py", EVIL)


def _signed_list() -> list[RawEntry]:
    return signed_list(GOOD_ENTRIES)


def _first_with(**changes: object) -> Callable[[], bytes]:
    """Return a signed archive whose first entry, the code, is written differently."""

    def make() -> bytes:
        first, *rest = _signed_list()
        return build([replace(first, **changes), *rest])

    return make


def _hidden_between() -> bytes:
    first, second, *rest = _signed_list()
    return build([first, replace(second, gap=EVIL_HANDLER.local_part()), *rest])


def _evil_archive_behind() -> bytes:
    good = signed(GOOD_ENTRIES)
    return build([replace(EVIL_HANDLER, central={"offset": len(good)})], prefix=good)


def _evil_archive_in_front() -> bytes:
    return build(_signed_list(), prefix=build([EVIL_HANDLER]))


def _evil_archive_in_the_comment() -> bytes:
    good = signed(GOOD_ENTRIES)
    record = EVIL_HANDLER.central_part(len(good))
    start = len(good) + len(EVIL_HANDLER.local_part())
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(record), start, 0)
    return build(_signed_list(), comment=EVIL_HANDLER.local_part() + record + end)


def _end_record_of_an_archive_inside() -> bytes:
    """A signed file is itself an archive, and its end record stands once more behind the good one."""
    inner = build([EVIL_HANDLER])
    return signed([*GOOD_ENTRIES, RawEntry(b"vendor.zip", inner)]) + inner[inner.rindex(b"PK\5\6") :]


def _second_directory_in_a_gap() -> bytes:
    """A directory of the evil entry stands right before the good one; a reader that counts backwards meets it."""
    entries = _signed_list()
    return build(entries, before_directory=EVIL_HANDLER.central_part(0))


def _zip64_says_otherwise() -> bytes:
    """The header gives the signed size, the Zip64 field a shorter one."""
    first, *rest = _signed_list()
    field = struct.pack("<HHQQ", 1, 16, 5, len(first.stored))
    return build([replace(first, central={"extra": field}), *rest])


def _zip64_end_says_otherwise() -> bytes:
    entries = _signed_list()
    return build(entries, zip64={"here": 1, "total": 1}, here=len(entries), total=len(entries))


def _described_otherwise() -> bytes:
    first, *rest = _signed_list()
    good = described(first, signature=True, wide=False)
    return build([replace(good, descriptor=good.descriptor[:8] + struct.pack("<2L", 5, 5)), *rest])


def _unicode_path(path: bytes, name: bytes) -> bytes:
    value = struct.pack("<BL", 1, zlib.crc32(name)) + path
    return struct.pack("<HH", 0x7075, len(value)) + value


def _second_signature(name: bytes) -> bytes:
    entries = _signed_list()
    return build([*entries, replace(entries[-1], name=name)])


def _one_entry_at_anothers_place() -> bytes:
    first, second, third, *rest = _signed_list()
    return build([first, second, replace(third, central={"offset": 0}), *rest])


def _with(*entries: RawEntry) -> Callable[[], bytes]:
    return lambda: signed([*GOOD_ENTRIES, *entries])


ATTACKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "evil_entry_between_entries": (_hidden_between, "unreferenced_bytes"),
    "evil_directory_before_the_directory": (_second_directory_in_a_gap, "unreferenced_bytes"),
    "evil_archive_behind": (_evil_archive_behind, "data_before_first_entry"),
    "evil_archive_in_front": (_evil_archive_in_front, "data_before_first_entry"),
    "evil_archive_in_the_comment": (_evil_archive_in_the_comment, "second_end_record"),
    "end_record_of_an_archive_inside": (_end_record_of_an_archive_inside, "unreferenced_bytes"),
    "script_behind": (lambda: signed(GOOD_ENTRIES) + b"#!/bin/sh\n", "data_after_end_record"),
    "cut_off": (lambda: signed(GOOD_ENTRIES)[:-1], "truncated"),
    "evil_twin_last": (lambda: build([*_signed_list(), EVIL_HANDLER]), "duplicate_name"),
    "evil_twin_first": (lambda: build([EVIL_HANDLER, *_signed_list()]), "duplicate_name"),
    "evil_twin_behind_a_dot": (
        lambda: build([*_signed_list(), replace(EVIL_HANDLER, name=b"./handler.py")]),
        "duplicate_name",
    ),
    "signature_twice": (lambda: _second_signature(SIGNATURE_NAME), "duplicate_name"),
    "signature_twice_behind_a_dot": (lambda: _second_signature(b"./" + SIGNATURE_NAME), "duplicate_name"),
    "local_header_names_another_file": (_first_with(local={"name": b"evil_er.py"}), "local_header_disagrees"),
    "local_header_says_stored": (_first_with(local={"method": 0}), "local_header_disagrees"),
    "local_header_has_another_size": (_first_with(local={"expanded": 5}), "local_header_disagrees"),
    "local_header_has_another_crc": (_first_with(local={"crc": zlib.crc32(EVIL)}), "local_header_disagrees"),
    "data_descriptor_has_another_size": (_described_otherwise, "data_descriptor_disagrees"),
    "zip64_field_has_another_size": (_zip64_says_otherwise, "zip64_inconsistent"),
    "zip64_end_record_has_another_count": (_zip64_end_says_otherwise, "zip64_inconsistent"),
    "unicode_path_gives_a_second_name": (
        _first_with(extra=_unicode_path(b"evil.py", b"handler.py")),
        "unicode_path_disagrees",
    ),
    "attributes_say_directory": (_first_with(attributes=0o40755 << 16 | 0x10), "entry_type_disagrees"),
    "attributes_say_device": (_first_with(attributes=0o20644 << 16), "entry_type_disagrees"),
    "flag_says_encrypted": (_first_with(flags=1), "encrypted_entry"),
    "code_behind_the_deflate_stream": (_first_with(data=deflate(CODE) + deflate(EVIL)), "bytes_after_deflate_stream"),
    "crc_of_other_code": (_first_with(local={"crc": 1}, central={"crc": 1}), "crc_mismatch"),
    "declares_less_than_it_holds": (_first_with(local={"expanded": 5}, central={"expanded": 5}), "size_mismatch"),
    "one_entry_at_anothers_place": (_one_entry_at_anothers_place, "overlapping_entries"),
    "last_entry_not_announced": (lambda: build(_signed_list(), here=4, total=4), "directory_malformed"),
    "on_two_disks": (lambda: build(_signed_list(), disk=1), "multi_disk"),
    # Signed like that: the signature is good, and no two readers agree on what to extract.
    "signed_name_with_nul": (_with(RawEntry(b"evil.py\0.txt", EVIL)), "name_with_nul"),
    "signed_name_outside_of_the_function": (_with(RawEntry(b"../evil.py", EVIL)), "name_leaves_directory"),
    "signed_absolute_name": (_with(RawEntry(b"/opt/evil.py", EVIL)), "name_leaves_directory"),
    "signed_twins": (_with(EVIL_HANDLER), "duplicate_name"),
    "signed_name_not_utf8": (_with(RawEntry(b"caf\xe9.py", EVIL)), "name_not_utf8"),
    "signed_method_unknown": (_with(RawEntry(b"evil.py", EVIL, method=93, data=EVIL)), "unknown_method"),
    "signed_size_beyond_the_archive": (
        _with(RawEntry(b"x", EVIL, central={"offset": MARKER - 1})),
        "entry_outside_archive",
    ),
}

_NEEDS_SMALL_LIMITS = {
    "one_byte_over_the_archive_limit",
    "bomb_of_one_entry",
    "bomb_of_many_entries",
    "stored_over_the_limit",
    "one_entry_over_the_limit",
    "directory_over_the_limit",
    "as_many_entries_as_the_limit",
    "expanded_to_exactly_the_limit",
}
"""Boundaries of limits that the reader's own tests set low; ``size_cases`` has those of the real ones."""

_NOT_TO_BE_SIGNED = {"no_entries", "signature_of_the_largest_size"}
"""AWS Signer refuses an empty archive and one that has a signature entry."""

_NOTES = {
    "name_in_utf8_without_its_flag": ("name_without_utf8_flag",),
    "name_with_a_backslash": ("backslash_in_name",),
    "symbolic_link": ("symlink_entry",),
}

DIFFERENTIAL_CASES = (
    *(
        CorpusCase(f"differential/{name}", make, (f"integrity: {reason}",), OURS)
        for name, (make, reason) in ATTACKS.items()
    ),
    *(
        CorpusCase(f"malformed/{case.name}", case.build, (f"integrity: {case.reason}",), OURS)
        for case in REFUSED
        if case.name not in _NEEDS_SMALL_LIMITS
    ),
    *(
        CorpusCase(
            f"liberty/{case.name}",
            lambda case=case: signed_archive(case.build()),
            basis=FORMAT,
            notes=_NOTES.get(case.name, ()),
        )
        for case in ACCEPTED
        if case.name not in _NEEDS_SMALL_LIMITS | _NOT_TO_BE_SIGNED
    ),
    CorpusCase("malformed/nothing_but_an_end_record", lambda: build([]), ("mismatch: unsigned",), OURS),
)
"""Attacks with a genuine signature, malformed archives without any, and signed ones that only look unusual."""
