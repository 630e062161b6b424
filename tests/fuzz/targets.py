"""What is fuzzed: each target takes any bytes and fails on anything but a value or an error of ours.

A target also holds every value that it gets against somebody else's word: another library, another reader of ZIP
files, the signatures that were really made.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable
from unittest.mock import patch

from constructs_pkg.errors import ArchiveError, CmsError, TrustError
from constructs_pkg.signing import archive
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, ArchiveLimits, ArchiveReading, read_archive
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.ber import MAX_INDEFINITE_DEPTH, to_der
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import SignatureEnvelope, parse_signature
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.inflate import FASTEST, STANDARD, DeflateLibrary
from constructs_pkg.signing.trust import TrustDefect, TrustStore
from tests.corpus.cms_cases import CMS_CASES, CONTENT_DIGEST, ROOT_PEM
from tests.corpus.independent_cms import armored

LIMITS = ArchiveLimits(
    max_archive_bytes=1 << 20, max_directory_bytes=1 << 18, max_entries=2_000, max_expanded_bytes=1 << 20
)
"""Low, so that what is read fits into the memory that a fuzzer allows; the code is the same at any limit."""

_ARCHIVE_REASONS = {str(reason) for reason in ArchiveDefect}
_SIGNATURE_REASONS = {str(reason) for reason in (*CmsDefect, *TrustDefect)}
_TRUST = TrustStore.from_pem(ROOT_PEM)
_GENUINE = {parse_signature(case.build()).signed_attributes_der for case in CMS_CASES if case.reason is None}
"""What the test key really signed and is good. No input can hold anything else that is accepted: that is a forgery."""


def fuzz_zip(data: bytes) -> None:
    """Read an archive with both libraries and both ways; accepted, it has the entries that the standard library has."""
    outcome = _archive_outcome(data, STANDARD)
    assert outcome == _archive_outcome(data, FASTEST), "the libraries that inflate disagree"
    with patch.object(archive, "read_ordinary", return_value=None):
        assert outcome == _archive_outcome(data, STANDARD), "the two ways through an archive disagree"
    if isinstance(outcome, str):
        assert outcome in _ARCHIVE_REASONS
        return
    assert outcome.archive_bytes == len(data)
    assert outcome.entry_count <= LIMITS.max_entries
    assert outcome.expanded_bytes <= LIMITS.max_expanded_bytes + LIMITS.max_signature_bytes
    seen = _digest_by_zipfile(data)
    assert seen == outcome.content_digest, "the standard library sees other entries"


def fuzz_ber(data: bytes) -> None:
    """Rewrite BER wrappers; what comes out is hardly longer, and stays as it is when it is rewritten again."""
    reason, der = None, b""
    try:
        der = to_der(data)
    except CmsError as error:
        reason = error.reason
    assert reason is None or reason in _SIGNATURE_REASONS
    if reason is None:
        assert len(der) <= len(data) + 4 * MAX_INDEFINITE_DEPTH
        assert to_der(der) == der


def fuzz_cms(data: bytes) -> None:
    """Read and judge a signature, given as it stands and in PEM; only what was really signed is accepted."""
    for entry in (data, armored(data)):
        envelope = _accepted(entry)
        assert envelope is None or envelope.signed_attributes_der in _GENUINE, "this is a forgery"


TARGETS: dict[str, Callable[[bytes], None]] = {"zip": fuzz_zip, "ber": fuzz_ber, "cms": fuzz_cms}


def _archive_outcome(data: bytes, library: DeflateLibrary) -> ArchiveReading | str:
    try:
        return read_archive(data, LIMITS, library=library)
    except ArchiveError as error:
        return error.reason


def _digest_by_zipfile(data: bytes) -> bytes:
    """Return the digest of what another reader sees."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        digest = hashlib.sha384()
        for info in opened.infolist():
            name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
            if name != SIGNATURE_ENTRY.encode():
                digest.update(name + opened.read(info))
    return digest.digest()


def _accepted(entry: bytes) -> SignatureEnvelope | None:
    """Return the envelope where everything about it is good."""
    envelope, reason = None, None
    try:
        envelope = parse_signature(entry)
        envelope.check(CONTENT_DIGEST)
        verify_chain(envelope.signer_certificate, envelope.certificates, _TRUST, envelope.signed_at)
    except (CmsError, TrustError) as error:
        reason = error.reason
    assert reason is None or reason in _SIGNATURE_REASONS
    return envelope if reason is None else None
