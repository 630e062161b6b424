"""Building a signature envelope byte for byte as AWS Signer writes it: BER wrappers outside, DER inside."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.signing.ber import der_element, indefinite_element

__all__ = ["SignatureClaims", "build_signature"]

_SEQUENCE, _SET, _CONTEXT_0, _CONTEXT_1 = 0x30, 0x31, 0xA0, 0xA1
_INTEGER, _OCTET_STRING, _UTF8_STRING, _GENERALIZED_TIME, _OID = 0x02, 0x04, 0x0C, 0x18, 0x06
_PEM_LINE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class SignatureClaims:
    """What a signature says besides the content.

    Attributes:
        signing_job_arn: The job.
        signing_profile_version_arn: The publisher, in the job's partition, Region and account.
        signed_at: The signing time, aware; milliseconds count.
        expires_at: When the signature runs out, aware, later; milliseconds count.
    """

    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime
    expires_at: datetime


def build_signature(
    content_digest: bytes,
    claims: SignatureClaims,
    key: ec.EllipticCurvePrivateKey,
    leaf: x509.Certificate,
    certificates: Sequence[x509.Certificate],
) -> bytes:
    """Return the body of the signature entry, the same for the same arguments (deterministic ECDSA, RFC 6979).

    Does *not* check that the claims make sense or that the key is the leaf's: `constructs_pkg.signing.cms` does.

    Args:
        content_digest: The archive's inner hash, 48 bytes (``ArchiveReading.digest_to_sign``).
        claims: What the signature says.
        key: The leaf's P-384 key.
        leaf: The signer's certificate.
        certificates: The whole chain with the leaf, in any order.
    """
    attributes = _signed_attributes(content_digest, claims)
    signed = der_element(_SET, *attributes)
    signature = key.sign(signed, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    issuer_and_serial = der_element(_SEQUENCE, leaf.issuer.public_bytes(), _integer(leaf.serial_number))
    signer_info = der_element(
        _SEQUENCE,
        _integer(1),
        issuer_and_serial,
        _SHA384,
        der_element(_CONTEXT_0, *attributes),
        _ECDSA_WITH_SHA384,
        der_element(_OCTET_STRING, signature),
    )
    signed_data = der_element(
        _SEQUENCE,
        _integer(1),
        der_element(_SET, _SHA384),
        der_element(_SEQUENCE, _DATA),
        der_element(_CONTEXT_0, *sorted(certificate.public_bytes(Encoding.DER) for certificate in certificates)),
        der_element(_SET, signer_info),
    )
    return _armored(indefinite_element(_SEQUENCE, _SIGNED_DATA, indefinite_element(_CONTEXT_0, signed_data)))


def _signed_attributes(content_digest: bytes, claims: SignatureClaims) -> list[bytes]:
    """Return the attributes in DER order, which is that of their encodings."""
    digest = hashlib.sha384(content_digest).digest()
    return sorted(
        (
            _attribute("1.2.840.113549.1.9.3", _DATA),
            _attribute("1.2.840.113549.1.9.4", der_element(_OCTET_STRING, digest)),
            _attribute("1.2.840.113549.1.9.5", _time(claims.signed_at)),
            _attribute("1.3.187.137.1.3", _time(claims.expires_at)),
            _attribute("1.3.187.137.1.2", der_element(_UTF8_STRING, str(claims.signing_job_arn).encode())),
            _attribute("1.3.187.137.1.4", der_element(_UTF8_STRING, str(claims.signing_profile_version_arn).encode())),
            _attribute("1.2.840.113549.1.9.52", der_element(_SEQUENCE, _SHA384, _ECDSA_IN_PROTECTION)),
        )
    )


def _attribute(dotted: str, value: bytes) -> bytes:
    return der_element(_SEQUENCE, _oid(dotted), der_element(_SET, value))


def _oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray()
    for number in (40 * first + second, *rest):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | number & 0x7F)
        body += bytes(reversed(septets))
    return der_element(_OID, bytes(body))


def _integer(value: int) -> bytes:
    return der_element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _time(at: datetime) -> bytes:
    """Write a GeneralizedTime with milliseconds, without the trailing zeros that DER forbids (X.690, section 11.7)."""
    utc = at.astimezone(UTC)
    text = f"{utc:%Y%m%d%H%M%S}.{utc.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return der_element(_GENERALIZED_TIME, f"{text}Z".encode())


def _armored(data: bytes) -> bytes:
    text = base64.b64encode(data).decode("ascii")
    lines = [text[start : start + _PEM_LINE_CHARACTERS] for start in range(0, len(text), _PEM_LINE_CHARACTERS)]
    return "\n".join(("-----BEGIN PKCS7-----", *lines, "-----END PKCS7-----", "")).encode("ascii")


_DATA = _oid("1.2.840.113549.1.7.1")
_SIGNED_DATA = _oid("1.2.840.113549.1.7.2")
_SHA384 = der_element(_SEQUENCE, _oid("2.16.840.1.101.3.4.2.2"))
_ECDSA_WITH_SHA384 = der_element(_SEQUENCE, _oid("1.2.840.10045.4.3.3"))
_ECDSA_IN_PROTECTION = der_element(_CONTEXT_1, _oid("1.2.840.10045.4.3.3"))
