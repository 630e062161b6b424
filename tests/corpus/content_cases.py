"""What the signature covers and where it stands: changes to a signed archive, other digests, other places."""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.corpus.corpus_case import FORMAT, OBSERVED, OURS, CorpusCase
from tests.corpus.raw_zip import RawEntry, build, deflate, entries_of
from tests.corpus.signed_entries import SIGNATURE_NAME, digest_of, signature_of, signed, signed_list
from tests.corpus.zip_cases import BOUNDARY_SHIFTED, CODE, DIRECTORY, FIRST, GOOD_ENTRIES, LAST, TRANSFORMATIONS

CHANGED, UNSIGNED = "integrity: content_changed", "mismatch: unsigned"
DIFFERENT_ENTRIES = ("entries_differ",)
_SEEN_ON_AWS = {
    "recompressed",
    "retimed",
    "directory_reordered",
    "renamed",
    "entry_added",
    "entry_removed",
    "body_changed",
}


def _signed() -> bytes:
    return signed(GOOD_ENTRIES)


def _changed_list(change: Callable[[list[RawEntry]], list[RawEntry]]) -> Callable[[], bytes]:
    return lambda: build(change(signed_list(GOOD_ENTRIES)))


def _renamed(old: bytes, new: bytes) -> Callable[[list[RawEntry]], list[RawEntry]]:
    return lambda entries: [replace(entry, name=new) if entry.name == old else entry for entry in entries]


def _without(name: bytes) -> Callable[[list[RawEntry]], list[RawEntry]]:
    return lambda entries: [entry for entry in entries if entry.name != name]


def _with_signature_of_another_archive(entries: list[RawEntry]) -> list[RawEntry]:
    return [*entries[:-1], signed_list([FIRST])[-1]]


_MORE_CHANGES: dict[str, tuple[Callable[[list[RawEntry]], list[RawEntry]], tuple[str, ...]]] = {
    "case_of_a_name_changed": (_renamed(b"handler.py", b"Handler.py"), (CHANGED,)),
    "dot_put_before_a_name": (_renamed(b"handler.py", b"./handler.py"), (CHANGED,)),
    "directory_of_the_signature_removed": (_without(b"META_INF/"), (CHANGED,)),
    "signature_removed": (_without(SIGNATURE_NAME), (UNSIGNED,)),
    "signature_of_another_archive": (_with_signature_of_another_archive, (CHANGED,)),
    "signature_moved_to_the_front": (lambda entries: [entries[-1], *entries[:-1]], ()),
}

TRANSFORMATION_CASES = (
    *(
        CorpusCase(
            f"transformation/{item.name}",
            lambda item=item: item.apply(_signed()),
            () if item.keeps_content else (CHANGED,),
            OBSERVED if item.name in _SEEN_ON_AWS else FORMAT,
        )
        for item in TRANSFORMATIONS
    ),
    *(
        CorpusCase(f"transformation/{name}", _changed_list(change), findings)
        for name, (change, findings) in _MORE_CHANGES.items()
    ),
)
"""Changes to one good signed archive. Those that keep names, bodies and their order keep the signature good."""


# The weakness of the format: names and bodies are hashed without a boundary between them.

_NOTES = RawEntry(b"notes.txt", b"see lib/evil.pyimport os\n")
_MERGEABLE = (FIRST, DIRECTORY, LAST)


def _boundary_shifted() -> bytes:
    return BOUNDARY_SHIFTED.apply(_signed())


def _split_out_of_a_body() -> bytes:
    """A file appears that was never there: its name and its code are cut out of another file's body."""
    head, tail = replace(_NOTES, body=b"see "), RawEntry(b"lib/evil.py", b"import os\n")
    return build([head, tail, *signed_list([_NOTES])[1:]])


def _merged_into_the_next_name() -> bytes:
    """The directory's name becomes part of the name of the file after it, which moves to lib/lib/."""
    merged = replace(LAST, name=DIRECTORY.name + LAST.name)
    return build([FIRST, merged, *signed_list(_MERGEABLE)[3:]])


def _swallowed_by_the_body_before() -> bytes:
    """A file disappears: its name and its body become the end of the body of the file before it."""
    swallowed = RawEntry(FIRST.name, FIRST.body + DIRECTORY.name + LAST.name + LAST.body)
    return build([swallowed, *signed_list(_MERGEABLE)[3:]])


_SHIFTS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "byte_moved_from_body_to_name": (_boundary_shifted, ("handler.py", "lib/", "lib/data.bin")),
    "file_split_out_of_a_body": (_split_out_of_a_body, ("notes.txt",)),
    "directory_merged_into_the_next_name": (_merged_into_the_next_name, ("handler.py", "lib/", "lib/data.bin")),
    "file_swallowed_by_the_body_before": (_swallowed_by_the_body_before, ("handler.py", "lib/", "lib/data.bin")),
}

SHIFT_CASES = (
    *(CorpusCase(f"boundary/{name}", make) for name, (make, _) in _SHIFTS.items()),
    *(
        CorpusCase(
            f"boundary/{name}_with_entries_known", make, notes=DIFFERENT_ENTRIES, basis=OURS, expected_entries=entries
        )
        for name, (make, entries) in _SHIFTS.items()
    ),
    CorpusCase(
        "boundary/nothing_moved_with_entries_known",
        _signed,
        basis=OURS,
        expected_entries=("handler.py", "lib/", "lib/data.bin"),
    ),
)
"""What the format cannot see: accepted, and noted only where the entries that were built are known."""


# Other ways to compute the digest, each of which would be good under a verifier that hashes wrongly.

_META = RawEntry(b"META_INF/")
_CONTENT = (*GOOD_ENTRIES, _META)


def _pairs(entries: Sequence[RawEntry] = _CONTENT) -> list[tuple[bytes, bytes]]:
    return [(entry.name, entry.body) for entry in entries]


def _with_digest(digest: bytes, **options: Sequence[int]) -> bytes:
    return build([*_CONTENT, RawEntry(SIGNATURE_NAME, signature_of(digest))], **options)


_PLAIN = b"".join(name + body for name, body in _pairs())
_FRAMED = b"".join(len(name).to_bytes(4, "big") + name + len(body).to_bytes(4, "big") + body for name, body in _pairs())
_OTHER_DIGESTS: dict[str, Callable[[], bytes]] = {
    "without_directories": lambda: _with_digest(digest_of(pair for pair in _pairs() if not pair[0].endswith(b"/"))),
    "of_bodies_alone": lambda: _with_digest(digest_of((b"", body) for _, body in _pairs())),
    "of_sorted_names": lambda: _with_digest(digest_of(sorted(_pairs()))),
    "in_the_order_of_the_bodies": lambda: _with_digest(
        digest_of(_pairs([_META, LAST, DIRECTORY, FIRST])), physical_order=(4, 3, 2, 1, 0)
    ),
    "of_compressed_bodies": lambda: _with_digest(digest_of((entry.name, entry.stored) for entry in _CONTENT)),
    "with_lengths_between": lambda: _with_digest(hashlib.sha384(_FRAMED).digest()),
    "in_hexadecimal": lambda: _with_digest(digest_of(_pairs()).hex().encode()),
    "of_sha512": lambda: _with_digest(hashlib.sha512(_PLAIN).digest()),
    "of_the_content_itself": lambda: _with_digest(_PLAIN),
    "of_the_file_before_signing": lambda: _with_digest(hashlib.sha384(build(_CONTENT)).digest()),
    "without_the_directory_of_the_signature": lambda: _with_digest(digest_of(_pairs(GOOD_ENTRIES))),
}
_ACCENTED = RawEntry(unicodedata.normalize("NFC", "möbel.py").encode(), CODE, flags=0x800)


def _decomposed() -> bytes:
    """The name looks the same and is written in other code points than were signed."""
    other = replace(_ACCENTED, name=unicodedata.normalize("NFD", "möbel.py").encode())
    return build([other, *signed_list([_ACCENTED])[1:]])


DIGEST_CASES = (
    *(CorpusCase(f"digest/{name}", make, (CHANGED,)) for name, make in _OTHER_DIGESTS.items()),
    CorpusCase("digest/name_in_utf8", lambda: signed([_ACCENTED])),
    CorpusCase("digest/name_in_another_unicode_normalization", _decomposed, (CHANGED,)),
    CorpusCase("digest/empty_bodies", lambda: signed([RawEntry(b"a"), RawEntry(b"b/")])),
)
"""Every signature is authentic; only the digest that it is about differs."""


# Where the signature stands.


def _signature_at(name: bytes, **fields: int) -> Callable[[], bytes]:
    def make() -> bytes:
        *content, signature = signed_list(GOOD_ENTRIES)
        return build([*content, replace(signature, name=name, **fields)])

    return make


def _directory_came_first() -> bytes:
    return signed([_META, *GOOD_ENTRIES])


def _directory_with_other_files() -> bytes:
    return signed([*GOOD_ENTRIES, _META, RawEntry(b"META_INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")])


def _never_a_directory() -> bytes:
    """The directory entry is not there and was not hashed, which AWS Signer does not write."""
    return build([*GOOD_ENTRIES, RawEntry(SIGNATURE_NAME, signature_of(digest_of(_pairs(GOOD_ENTRIES))))])


def _deflated_signature() -> bytes:
    *content, signature = signed_list(GOOD_ENTRIES)
    return build([*content, replace(signature, method=8, data=deflate(signature.body))])


def _resigned() -> bytes:
    """A signed archive is signed again: the second signature entry replaces the first."""
    return signed([entry for entry in entries_of(_signed()) if entry.name != SIGNATURE_NAME])


_ELSEWHERE = {
    "in_the_directory_of_jars": b"META-INF/aws_signer_signature_v1.0.SF",
    "in_lower_case": b"meta_inf/aws_signer_signature_v1.0.sf",
    "of_version_2": b"META_INF/aws_signer_signature_v2.0.SF",
    "below_another_directory": b"lib/META_INF/aws_signer_signature_v1.0.SF",
    "behind_a_dot": b"./META_INF/aws_signer_signature_v1.0.SF",
    "at_the_top": b"aws_signer_signature_v1.0.SF",
}

PLACE_CASES = (
    *(CorpusCase(f"place/signature_{name}", _signature_at(raw), (UNSIGNED,), OURS) for name, raw in _ELSEWHERE.items()),
    CorpusCase(
        "place/signature_behind_a_backslash",
        _signature_at(b"META_INF\\aws_signer_signature_v1.0.SF"),
        (UNSIGNED,),
        OURS,
        notes=("backslash_in_name",),
    ),
    CorpusCase("place/directory_in_front", _directory_came_first),
    CorpusCase("place/directory_with_other_files", _directory_with_other_files),
    CorpusCase("place/directory_never_there", _never_a_directory, basis=OURS),
    CorpusCase("place/signature_deflated", _deflated_signature),
    CorpusCase("place/signed_twice_in_a_row", _resigned),
)
"""The signature counts under exactly one name, wherever in the archive that entry stands."""

CONTENT_CASES = (*TRANSFORMATION_CASES, *SHIFT_CASES, *DIGEST_CASES, *PLACE_CASES)
