"""The ASN.1 of the envelope (RFC 5652, RFC 6211) and of a certificate's frame (RFC 5280), as far as AWS Signer uses it.

Sets whose order has a finding of its own are declared as lists: their encoding differs in nothing but the order, which
`constructs_pkg.signing.cms` checks itself. ``cryptography.hazmat.asn1`` is declared unstable by its authors, so only
its oldest features are used here: reading, with ``TLV`` for what is looked at later (cryptography 47 has them all).
"""

from typing import Annotated, TypeVar

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from constructs_pkg.errors import CmsError
from constructs_pkg.signing.ber import der_element
from constructs_pkg.signing.cms_defects import CmsDefect

__all__ = [
    "AlgorithmIdentifier",
    "AlgorithmProtection",
    "Attribute",
    "CertificateFrame",
    "ContentInfo",
    "EncapsulatedContentInfo",
    "IssuerAndSerialNumber",
    "Oid",
    "SignedData",
    "SignerInfo",
    "TbsCertificate",
    "decode",
    "require_ecdsa_with_sha384",
    "require_sha384",
    "set_elements",
    "tlv_bytes",
    "unexpected",
]

_T = TypeVar("_T")


class Oid:
    """The object identifiers of AWS Signer's Lambda signatures."""

    DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
    SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
    SHA384 = ObjectIdentifier("2.16.840.1.101.3.4.2.2")
    ECDSA_WITH_SHA384 = ObjectIdentifier("1.2.840.10045.4.3.3")
    CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
    MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
    SIGNING_TIME = ObjectIdentifier("1.2.840.113549.1.9.5")
    ALGORITHM_PROTECTION = ObjectIdentifier("1.2.840.113549.1.9.52")
    SIGNING_JOB = ObjectIdentifier("1.3.187.137.1.2")
    SIGNATURE_EXPIRY = ObjectIdentifier("1.3.187.137.1.3")
    SIGNING_PROFILE_VERSION = ObjectIdentifier("1.3.187.137.1.4")


@asn1.sequence
class AlgorithmIdentifier:
    """An algorithm with absent or NULL parameters: the only ones that this format has."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class AlgorithmProtection:
    """CMSAlgorithmProtection (RFC 6211) as the signer writes it: the digest, and in ``[1]`` the signature algorithm."""

    digest: AlgorithmIdentifier
    signature: Annotated[AlgorithmIdentifier | None, asn1.Implicit(1)]


@asn1.sequence
class Attribute:
    """One attribute and its values."""

    type: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class IssuerAndSerialNumber:
    """How the signer is named."""

    issuer: asn1.TLV
    serial_number: int


@asn1.sequence
class SignerInfo:
    """One signer; the fields that AWS never writes are here so that they can be refused by name."""

    version: int
    sid: IssuerAndSerialNumber | Annotated[bytes, asn1.Implicit(0)]
    digest_algorithm: AlgorithmIdentifier
    signed_attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned_attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class EncapsulatedContentInfo:
    """What is signed: the type, and the content where it is not detached."""

    content_type: ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """The envelope; the fields that AWS never writes are here so that they can be refused by name."""

    version: int
    digest_algorithms: asn1.SetOf[AlgorithmIdentifier]
    encapsulated_content: EncapsulatedContentInfo
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    revocation_lists: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signer_infos: asn1.SetOf[SignerInfo]


@asn1.sequence
class ContentInfo:
    """The outermost wrapper."""

    content_type: ObjectIdentifier
    content: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class TbsCertificate:
    """The signed part of an X.509 v3 certificate, down to the fields that are compared byte by byte."""

    version: Annotated[int, asn1.Explicit(0)]
    serial_number: int
    signature_algorithm: AlgorithmIdentifier
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key: asn1.TLV
    extensions: Annotated[list[asn1.TLV], asn1.Explicit(3)]


@asn1.sequence
class CertificateFrame:
    """A certificate."""

    tbs: TbsCertificate
    signature_algorithm: AlgorithmIdentifier
    signature: asn1.BitString


def tlv_bytes(element: asn1.TLV) -> bytes:
    """Return the complete encoding of an element; exact, because the parser takes nothing but DER's shortest length."""
    tag = element.tag_bytes
    if len(tag) != 1:
        # Never reached with this format's tags; a tag of several bytes has no business in it.
        raise ValueError(f"tag of {len(tag)} bytes")
    return der_element(tag[0], bytes(element.data))


def require_sha384(found: AlgorithmIdentifier) -> None:
    """Refuse any other digest. Absent and NULL parameters are alike, as RFC 5754, section 2, has it."""
    if found.algorithm != Oid.SHA384:
        raise unexpected(CmsDefect.DIGEST_ALGORITHM, "digest algorithm", found.algorithm.dotted_string)


def require_ecdsa_with_sha384(found: AlgorithmIdentifier | None) -> None:
    """Refuse any other signature algorithm. Parameters are absent, as RFC 5754, section 3.3, has it."""
    if found is None or found.algorithm != Oid.ECDSA_WITH_SHA384 or found.parameters is not None:
        name = "none" if found is None else found.algorithm.dotted_string
        raise unexpected(CmsDefect.SIGNATURE_ALGORITHM, "signature algorithm", name)


def set_elements(elements: list[asn1.TLV], disorder: CmsDefect, duplicate: CmsDefect, name: str) -> list[bytes]:
    """Return the encodings of a DER set's elements, which ascend (X.690, section 11.6) and differ.

    Args:
        elements: The elements in the order of the envelope.
        disorder: What to call another order.
        duplicate: What to call two equal ones.
        name: What the elements are, for the message.

    Raises:
        CmsError: They do not ascend, or two are equal.
    """
    try:
        encoded = [tlv_bytes(element) for element in elements]
    except ValueError as error:
        raise CmsError(CmsDefect.MALFORMED, f"the {name} of the signature are malformed ({error})") from error
    if encoded != sorted(encoded):
        raise CmsError(
            disorder, f"the {name} of the signature are not in the order of a DER set. Sign the archive again"
        )
    if len(set(encoded)) != len(encoded):
        raise CmsError(duplicate, f"one of the {name} of the signature is there twice. Sign the archive again")
    return encoded


def decode(kind: type[_T], der: bytes, defect: CmsDefect = CmsDefect.MALFORMED) -> _T:
    """Return the value that some DER holds, all of it.

    Args:
        kind: Its type.
        der: Its encoding.
        defect: What to call anything else.

    Raises:
        CmsError: It is not DER, not of this type, or bytes follow.
    """
    try:
        return asn1.decode_der(kind, der)
    except ValueError as error:
        raise CmsError(
            defect, f"the signature is not the DER of AWS Signer's structure ({error}). Sign the archive again"
        ) from error


def unexpected(defect: CmsDefect, name: str, value: object) -> CmsError:
    """Return the error for a field that does not have the value which AWS Signer writes, for the caller to raise."""
    return CmsError(
        defect, f"the signature has the {name} {value}, which AWS Signer never writes. Sign the archive again"
    )
