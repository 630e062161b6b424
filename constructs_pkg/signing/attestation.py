"""What is known of a signed archive that lies in S3: written down when it was uploaded, judged at synth without AWS.

An attestation names one *version* of one object, which S3 never changes, and holds the archive's own signature entry
and the digest of its content. Publisher, job, times and the certificate chain are therefore judged as they are in the
archive itself. What remains a claim is that this object version holds that archive: nothing in an attestation proves
it. Lambda reads the object itself, so that a false claim fails the deployment instead of passing it.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

from constructs_pkg.errors import ArchiveError, AttestationError, PolicyError
from constructs_pkg.signing.archive import ArchiveReading, read_archive
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.json_object import JsonObject, parse_json_object
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import Note, VerificationReport
from constructs_pkg.signing.verifier import verify_archive

__all__ = [
    "ATTESTATION_VERSION",
    "MAX_ATTESTATION_BYTES",
    "Attestation",
    "attest_archive",
    "check_object_name",
    "format_attestation",
    "parse_attestation",
    "verify_attestation",
]

ATTESTATION_VERSION = 1
"""The version of the form; an attestation of another version is refused."""

MAX_ATTESTATION_BYTES = 64 * 1024
"""The longest text of an attestation that is read. A signature entry has about 8 KB."""

_MAX_SIZE_BYTES = 1024**4
# The rules for names of general purpose buckets, and the longest key and version id ("Object key", "ListObjectVersions"
# in the Amazon S3 documentation: 1,024 bytes each).
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Attestation:
    """A signed archive in S3.

    Attributes:
        bucket: The bucket's name.
        key: The object's key.
        object_version: The object's version id. ``null``, which S3 gives where there is no versioning, is refused.
        sha256: The digest of the file, in hexadecimal, for people who compare.
        content_digest: 48 bytes: what the signature is about.
        signature: The body of the signature entry.
        archive_bytes: The size of the file.
        expanded_bytes: The size of all entries.
        entry_count: How many entries there are.
    """

    bucket: str
    key: str
    object_version: str
    sha256: str
    content_digest: bytes
    signature: bytes
    archive_bytes: int
    expanded_bytes: int
    entry_count: int

    def require_object(self, bucket: str | None, key: str | None, object_version: str | None) -> None:
        """Refuse to speak for another object.

        Args:
            bucket: The bucket that the function names; None where only the deployment knows it.
            key: The key, likewise.
            object_version: The version, likewise.

        Raises:
            AttestationError: It is another one.
        """
        for what, given, own in (
            ("bucket", bucket, self.bucket),
            ("key", key, self.key),
            ("object version", object_version, self.object_version),
        ):
            if given is not None and given != own:
                raise AttestationError(
                    f"the attestation is about the {what} {own!r}, the function asks for {given!r}. Use the "
                    "attestation that was written when that object was uploaded"
                )


def attest_archive(source: bytes | BinaryIO, *, bucket: str, key: str, object_version: str) -> Attestation:
    """Write down what is known of a signed archive that was uploaded.

    It does *not* ask S3 whether the object is there, nor judge the signature.

    Args:
        source: The very file that was uploaded: its bytes, or a seekable binary file.
        bucket: The bucket's name.
        key: The object's key.
        object_version: The ``VersionId`` that ``PutObject`` answered.

    Raises:
        AttestationError: The archive is malformed or not signed, or a name is not one of S3.
    """
    check_object_name(bucket, key, object_version)
    try:
        reading = read_archive(source)
    except ArchiveError as error:
        raise AttestationError(f"the archive cannot be attested: {error}") from error
    if reading.signature is None:
        raise AttestationError("the archive is not signed. Sign it, upload the signed file, and attest that one")
    attestation = Attestation(
        bucket,
        key,
        object_version,
        sha256_of(source).hex(),
        reading.content_digest,
        reading.signature,
        reading.archive_bytes,
        reading.expanded_bytes,
        reading.entry_count,
    )
    return parse_attestation(format_attestation(attestation))


def check_object_name(bucket: str, key: str, object_version: str) -> None:
    """Refuse what cannot name a version of an object in S3.

    Raises:
        AttestationError: It cannot; names every problem.
    """
    problems: list[str] = []
    for name, text, parse in (
        ("bucket", bucket, _bucket),
        ("key", key, _key),
        ("version", object_version, _object_version),
    ):
        try:
            parse(text)
        except ValueError as error:
            problems.append(f"the {name} {error}")
    if problems:
        raise AttestationError("; ".join(problems))


def format_attestation(attestation: Attestation) -> str:
    """Return an attestation as text on one line, which reads back to an equal one."""
    return json.dumps(
        {
            "version": ATTESTATION_VERSION,
            "bucket": attestation.bucket,
            "key": attestation.key,
            "object_version": attestation.object_version,
            "sha256": attestation.sha256,
            "content_digest": attestation.content_digest.hex(),
            "archive_bytes": attestation.archive_bytes,
            "expanded_bytes": attestation.expanded_bytes,
            "entry_count": attestation.entry_count,
            "signature": base64.b64encode(attestation.signature).decode(),
        }
    )


def parse_attestation(text: bytes | str, source: str = "attestation") -> Attestation:
    """Read an attestation.

    Args:
        text: As `format_attestation` writes it, at most `MAX_ATTESTATION_BYTES`.
        source: What the error calls it.

    Raises:
        AttestationError: It is not one; names every problem.
    """
    try:
        document = parse_json_object(text, source, MAX_ATTESTATION_BYTES)
    except PolicyError as error:
        raise AttestationError(str(error)) from error
    document.known_keys(*_KEYS)
    document.number("version", ATTESTATION_VERSION, ATTESTATION_VERSION, is_required=True)
    attestation = Attestation(
        document.parsed("bucket", _bucket, is_required=True) or "",
        document.parsed("key", _key, is_required=True) or "",
        document.parsed("object_version", _object_version, is_required=True) or "",
        (document.parsed("sha256", _digest(32), is_required=True) or b"").hex(),
        document.parsed("content_digest", _digest(48), is_required=True) or b"",
        document.parsed("signature", _signature, is_required=True) or b"",
        *(_size(document, key) for key in ("archive_bytes", "expanded_bytes", "entry_count")),
    )
    if document.problems:
        lines = "\n".join(f"  {problem}" for problem in document.problems)
        raise AttestationError(f"{source} is not an attestation that this release reads\n{lines}")
    return attestation


def verify_attestation(
    attestation: Attestation, policy: CodeSigningPolicy, at: datetime, *, artifact: str
) -> VerificationReport:
    """Judge an attested archive as the archive itself would be judged, but for what the module's description says.

    Args:
        attestation: The attestation.
        policy: Whom to trust.
        at: The moment of the deployment, aware.
        artifact: What the report calls it.

    Raises:
        PolicyError: No verdict can be reached, as in `constructs_pkg.signing.verifier.verify_archive`.
    """
    reading = ArchiveReading(
        content_digest=attestation.content_digest,
        digest_to_sign=attestation.content_digest,
        signature=attestation.signature,
        raw_names=(),
        expanded_bytes=attestation.expanded_bytes,
        archive_bytes=attestation.archive_bytes,
        notes=(),
    )
    report = verify_archive(reading, policy, at, artifact=artifact)
    note = Note(
        "attested",
        f"judged by its attestation; that s3://{attestation.bucket}/{attestation.key} in the version "
        f"{attestation.object_version} is this archive was not looked up",
    )
    return replace(report, entry_count=attestation.entry_count, notes=(*report.notes, note))


_KEYS = (
    "version",
    "bucket",
    "key",
    "object_version",
    "sha256",
    "content_digest",
    "archive_bytes",
    "expanded_bytes",
    "entry_count",
    "signature",
)


def _bucket(text: str) -> str:
    if _BUCKET.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is not the name of an S3 bucket")
    return text


def _key(text: str) -> str:
    if not 1 <= len(text.encode()) <= _MAX_KEY_BYTES:
        raise ValueError(f"has {len(text.encode())} bytes; a key has 1 to {_MAX_KEY_BYTES}")
    return text


def _object_version(text: str) -> str:
    if text == "null":
        raise ValueError("is 'null': the bucket has no versioning, so that the object can change. Switch it on")
    return _key(text)


def _digest(size_bytes: int) -> Callable[[str], bytes]:
    def parse(text: str) -> bytes:
        if re.fullmatch(rf"[0-9a-f]{{{2 * size_bytes}}}", text) is None:
            raise ValueError(f"{text[:40]!r} is not a digest of {size_bytes} bytes in lower-case hexadecimal")
        return bytes.fromhex(text)

    return parse


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{text[:40]!r} is not Base64") from error


def _size(document: JsonObject, key: str) -> int:
    return document.number(key, 0, _MAX_SIZE_BYTES, is_required=True) or 0
