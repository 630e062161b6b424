"""Signing raw entries and whole archives as AWS Signer does, with envelopes that share no line with the package."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence

from tests.corpus.cms_cases import GOOD_CHAIN, SIGNATURE_ENTRY
from tests.corpus.independent_cms import Parts
from tests.corpus.raw_zip import MARKER, RawEntry, build, end_record, zip64_end

SIGNATURE_NAME = SIGNATURE_ENTRY.encode()
SIGNATURE_DIRECTORY = RawEntry(b"META_INF/", attributes=0o40755 << 16 | 0x10)


def digest_of(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the inner hash of names and bodies in their order, the signature entry left out."""
    return hashlib.sha384(b"".join(name + body for name, body in pairs if name != SIGNATURE_NAME)).digest()


def signature_of(digest: bytes, change: Callable[[Parts], object] = lambda _: None) -> bytes:
    """Return the body of a signature entry over an inner hash, good but for the change."""
    parts = Parts(digest, GOOD_CHAIN)
    change(parts)
    return parts.entry()


def signed_list(entries: Sequence[RawEntry], change: Callable[[Parts], object] = lambda _: None) -> list[RawEntry]:
    """Return the entries with what signing appends: the directory ``META_INF/`` where it is missing, the signature."""
    has_directory = any(entry.name == SIGNATURE_DIRECTORY.name for entry in entries)
    content = [*entries] if has_directory else [*entries, SIGNATURE_DIRECTORY]
    signature = signature_of(digest_of((entry.name, entry.body) for entry in content), change)
    return [*content, RawEntry(SIGNATURE_NAME, signature)]


def signed(entries: Sequence[RawEntry], change: Callable[[Parts], object] = lambda _: None) -> bytes:
    """Return the signed archive of some entries."""
    return build(signed_list(entries, change))


def signed_archive(archive: bytes) -> bytes:
    """Return an archive with a good signature appended and every liberty that its records take kept."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        start, comment = opened.start_dir, opened.comment
        raw = [_raw_name(info) for info in opened.infolist()]
        added = [entry for entry in (SIGNATURE_DIRECTORY,) if entry.name not in raw]
        pairs = [(name, opened.read(info)) for name, info in zip(raw, opened.infolist(), strict=True)]
    digest = digest_of([*pairs, *((entry.name, b"") for entry in added)])
    added.append(RawEntry(SIGNATURE_NAME, signature_of(digest)))
    end = archive.rindex(b"PK\5\6")
    has_zip64 = archive[end - 20 : end - 16] == b"PK\6\7"
    defers = archive[end + 16 : end + 20] == b"\xff" * 4
    bodies, records = bytearray(archive[:start]), bytearray(archive[start : end - (76 if has_zip64 else 0)])
    for entry in added:
        records += entry.central_part(len(bodies))
        bodies += entry.local_part()
    numbers = (len(raw) + len(added), len(records), len(bodies))
    markers = {"here": 0xFFFF, "total": 0xFFFF, "size": MARKER, "offset": MARKER}
    tail = zip64_end(*numbers, {}) if has_zip64 else b""
    return bytes(bodies + records) + tail + end_record(*numbers, comment, markers if defers else {})


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
