"""AWS Signer's signature envelope: CMS SignedData (RFC 5652), read strictly and judged against the content.

AWS publishes no specification. The structure here is that of artifacts which AWS Signer made; whatever it does not
list is refused. Reading an envelope proves nothing yet: `SignatureEnvelope.check` does, and even then the certificate
of the signer is only as good as its chain (`constructs_pkg.signing.trust`).
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import CmsError
from constructs_pkg.signing.ber import to_der
from constructs_pkg.signing.certificate_reading import load_certificate
from constructs_pkg.signing.cms_attributes import read_signed_attributes
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.cms_structure import (
    AlgorithmIdentifier,
    CertificateFrame,
    ContentInfo,
    IssuerAndSerialNumber,
    Oid,
    SignedData,
    SignerInfo,
    decode,
    require_ecdsa_with_sha384,
    require_sha384,
    set_elements,
    tlv_bytes,
    unexpected,
)

__all__ = ["CERTIFICATE_COUNT", "MAX_SIGNATURE_BYTES", "SignatureEnvelope", "parse_signature"]

MAX_SIGNATURE_BYTES = 1024 * 1024
"""The largest signature entry that is read, in bytes; a real one has about 6,000."""

CERTIFICATE_COUNT = 4
"""Leaf, regional, parent and root: the whole chain, which AWS puts into each signature."""

_PEM = re.compile(
    rb"[ \t\r\n]*-----BEGIN PKCS7-----\r?\n(?P<base64>(?:[A-Za-z0-9+/=]+\r?\n)+)-----END PKCS7-----[ \t\r\n]*"
)


@dataclass(frozen=True, slots=True)
class SignatureEnvelope:
    """What a signature says. Everything here is a claim until `check` and the trust in the chain say otherwise.

    Attributes:
        signing_job_arn: The job that made the signature.
        signing_profile_version_arn: The publisher: what a code signing config lists.
        signed_at: When it was signed, UTC, with milliseconds.
        expires_at: When the signature runs out, UTC, with milliseconds; later than ``signed_at``.
        message_digest: SHA-384 of the archive's content digest, 48 bytes.
        has_algorithm_protection: Whether the optional CMSAlgorithmProtection attribute is there (it agrees then).
        certificates: All four, in the envelope's own order, which is that of a DER set and not leaf first.
        signer_certificate: The one of them that the signer names by issuer and serial number.
        signed_attributes_der: The bytes that the signature covers: the DER ``SET OF`` signed attributes.
        signature: The ECDSA signature, DER.
    """

    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime
    expires_at: datetime
    message_digest: bytes
    has_algorithm_protection: bool
    certificates: tuple[x509.Certificate, ...]
    signer_certificate: x509.Certificate
    signed_attributes_der: bytes
    signature: bytes

    def check(self, content_digest: bytes) -> None:
        """Check that the signer's key signed exactly this content.

        Does *not* check whether the signer's certificate deserves any trust, nor any time.

        Args:
            content_digest: The archive's inner hash, 48 bytes (``ArchiveReading.content_digest``).

        Raises:
            CmsError: The content is another, the key is not ECDSA P-384, or the signature does not verify.
        """
        self.check_signature()
        self.check_content(content_digest)

    def check_content(self, content_digest: bytes) -> None:
        """Check the signed message digest against an archive's inner hash of 48 bytes, and nothing else.

        Raises:
            CmsError: They differ.
        """
        if not hmac.compare_digest(hashlib.sha384(content_digest).digest(), self.message_digest):
            raise CmsError(
                CmsDefect.CONTENT_CHANGED,
                "the content of the archive is not what was signed: an entry was changed, renamed, reordered, added or "
                "removed after signing",
            )

    def check_signature(self) -> None:
        """Check the signature over the signed attributes with the key of the signer's certificate, and nothing else.

        Raises:
            CmsError: The key is not ECDSA P-384, or the signature does not verify.
        """
        try:
            key = self.signer_certificate.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CmsError(CmsDefect.SIGNER_KEY, "the signer's certificate holds a key that cannot be read") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
            raise CmsError(CmsDefect.SIGNER_KEY, "the signer's certificate does not hold an ECDSA P-384 key")
        try:
            key.verify(self.signature, self.signed_attributes_der, ec.ECDSA(hashes.SHA384()))
        except InvalidSignature as error:
            raise CmsError(
                CmsDefect.SIGNATURE_INVALID,
                "the signature was not made by the signer's key over these signed attributes: the signature entry was "
                "changed or forged. Sign the archive again",
            ) from error


def parse_signature(entry: bytes) -> SignatureEnvelope:
    """Read the body of an archive's signature entry.

    Checks the structure to the last byte: one PEM block, DER inside of at most two BER wrappers, one signer, the four
    certificates, each signed attribute once with one value in DER order, detached content, SHA-384 and ECDSA with
    SHA-384. Does *not* check the signature, the content, the chain or any time: see `SignatureEnvelope.check`.

    Args:
        entry: The body of ``META_INF/aws_signer_signature_v1.0.SF``, at most `MAX_SIGNATURE_BYTES`.

    Raises:
        CmsError: Anything is not as AWS Signer writes it; ``reason`` is a member of `CmsDefect`.
    """
    signed_data = _signed_data(to_der(_unarmored(entry)))
    signer = _only_signer(signed_data)
    certificates = _certificates(signed_data)
    attributes = read_signed_attributes(signer.signed_attributes or [])
    return SignatureEnvelope(
        signing_job_arn=attributes.signing_job_arn,
        signing_profile_version_arn=attributes.signing_profile_version_arn,
        signed_at=attributes.signed_at,
        expires_at=attributes.expires_at,
        message_digest=attributes.message_digest,
        has_algorithm_protection=attributes.has_algorithm_protection,
        certificates=tuple(certificate for certificate, _ in certificates),
        signer_certificate=_signer_certificate(signer, certificates),
        signed_attributes_der=attributes.der,
        signature=signer.signature,
    )


def _unarmored(entry: bytes) -> bytes:
    """Return what the PEM block holds."""
    if len(entry) > MAX_SIGNATURE_BYTES:
        raise CmsError(
            CmsDefect.TOO_LARGE,
            f"the signature entry has {len(entry)} bytes; at most {MAX_SIGNATURE_BYTES} are read",
        )
    match = _PEM.fullmatch(entry)
    if match is None:
        raise CmsError(
            CmsDefect.PEM,
            "the signature entry is not exactly one PEM block labelled PKCS7 without headers. Sign the archive again",
        )
    text = match["base64"].replace(b"\r", b"").replace(b"\n", b"")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise CmsError(
            CmsDefect.PEM, "the base64 of the signature entry is malformed. Sign the archive again"
        ) from error
    # Python ignores bits that are left over in the last character, so that two texts could mean the same bytes.
    if base64.b64encode(data) != text:
        raise CmsError(CmsDefect.PEM, "the base64 of the signature entry is not canonical. Sign the archive again")
    return data


def _signed_data(der: bytes) -> SignedData:
    """Return the signed data, its fixed fields checked."""
    info = decode(ContentInfo, der)
    if info.content_type != Oid.SIGNED_DATA:
        raise unexpected(CmsDefect.CONTENT_TYPE, "content type", info.content_type.dotted_string)
    signed_data = info.content
    if signed_data.version != 1:
        raise unexpected(CmsDefect.VERSION, "SignedData version", signed_data.version)
    content = signed_data.encapsulated_content
    if content.content_type != Oid.DATA:
        raise unexpected(CmsDefect.CONTENT_TYPE, "encapsulated content type", content.content_type.dotted_string)
    if content.content is not None:
        raise unexpected(CmsDefect.CONTENT_NOT_DETACHED, "content of its own, bytes", len(content.content))
    if signed_data.revocation_lists is not None:
        raise unexpected(CmsDefect.REVOCATION_LISTS, "revocation lists", len(signed_data.revocation_lists))
    digests = signed_data.digest_algorithms.as_list()
    if len(digests) != 1:
        raise unexpected(CmsDefect.DIGEST_ALGORITHM, "number of digest algorithms", len(digests))
    require_sha384(digests[0])
    return signed_data


def _only_signer(signed_data: SignedData) -> SignerInfo:
    """Return the signer, its fixed fields checked."""
    signers = signed_data.signer_infos.as_list()
    if len(signers) != 1:
        raise unexpected(CmsDefect.SIGNER_COUNT, "number of signers", len(signers))
    signer = signers[0]
    if signer.version != 1:
        raise unexpected(CmsDefect.VERSION, "SignerInfo version", signer.version)
    require_sha384(signer.digest_algorithm)
    require_ecdsa_with_sha384(signer.signature_algorithm)
    if signer.unsigned_attributes is not None:
        raise unexpected(CmsDefect.UNSIGNED_ATTRIBUTES, "unsigned attributes", len(signer.unsigned_attributes))
    if signer.signed_attributes is None:
        raise unexpected(CmsDefect.SIGNED_ATTRIBUTES_MISSING, "signed attributes", None)
    return signer


def _certificates(signed_data: SignedData) -> list[tuple[x509.Certificate, CertificateFrame]]:
    """Return the certificates, each parsed by the library and, for its frame, by us."""
    elements = signed_data.certificates or []
    if len(elements) != CERTIFICATE_COUNT:
        raise unexpected(CmsDefect.CERTIFICATE_COUNT, "number of certificates", len(elements))
    encoded = set_elements(elements, CmsDefect.CERTIFICATE_ORDER, CmsDefect.CERTIFICATE_DUPLICATE, "certificates")
    return [_certificate(der) for der in encoded]


def _certificate(der: bytes) -> tuple[x509.Certificate, CertificateFrame]:
    """Parse one certificate; the frame first, because the library only warns of what is refused here."""
    try:
        frame = asn1.decode_der(CertificateFrame, der)
        tbs = frame.tbs
        if tbs.version != 2 or tbs.serial_number <= 0 or not _same_algorithm(tbs.signature_algorithm, frame):
            raise ValueError("version, serial number or signature algorithm")  # noqa: TRY301 (it joins the library's)
        if frame.signature.padding_bits():
            # The library ignores them, so that one certificate would have several encodings.
            raise ValueError("a signature of broken octets")  # noqa: TRY301 (it joins the library's)
        certificate = load_certificate(der)
    except ValueError as error:
        raise CmsError(
            CmsDefect.CERTIFICATE_MALFORMED,
            f"a certificate of the signature is not a well-formed X.509 v3 certificate: {error}",
        ) from error
    return certificate, frame


def _same_algorithm(inner: AlgorithmIdentifier, frame: CertificateFrame) -> bool:
    """Tell whether a certificate names one signature algorithm, with NULL parameters only where RSA has them."""
    outer = frame.signature_algorithm
    is_rsa = inner.algorithm.dotted_string.startswith("1.2.840.113549.1.1.")
    return (
        inner.algorithm == outer.algorithm
        and (inner.parameters is None) == (outer.parameters is None)
        and (inner.parameters is None or is_rsa)
    )


def _signer_certificate(
    signer: SignerInfo, certificates: list[tuple[x509.Certificate, CertificateFrame]]
) -> x509.Certificate:
    """Return the certificate that the signer names, compared by the encoded issuer and the serial number."""
    sid = signer.sid
    if not isinstance(sid, IssuerAndSerialNumber):
        raise unexpected(CmsDefect.SIGNER_IDENTIFIER, "signer identifier", "a subject key identifier")
    issuer = tlv_bytes(sid.issuer)
    named = [
        certificate
        for certificate, frame in certificates
        if frame.tbs.serial_number == sid.serial_number and tlv_bytes(frame.tbs.issuer) == issuer
    ]
    if len(named) != 1:
        raise unexpected(CmsDefect.SIGNER_IDENTIFIER, "number of certificates that the signer names", len(named))
    return named[0]
