"""The signed attributes: each once, with one value, in DER order, and what they say about a signature."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat import asn1

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import ArnError, CmsError
from constructs_pkg.signing.ber import der_element
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.cms_structure import (
    AlgorithmProtection,
    Attribute,
    Oid,
    decode,
    require_ecdsa_with_sha384,
    require_sha384,
    set_elements,
    tlv_bytes,
    unexpected,
)

__all__ = ["SignedAttributes", "read_signed_attributes"]

_GENERALIZED_TIME = re.compile(rb"(\d{14})(?:\.(\d{1,3}))?Z")
_GENERALIZED_TIME_TAG = b"\x18"
_MESSAGE_DIGEST_BYTES = 48
_REQUIRED_ATTRIBUTES = {
    Oid.CONTENT_TYPE: "contentType",
    Oid.MESSAGE_DIGEST: "messageDigest",
    Oid.SIGNING_TIME: "signingTime",
    Oid.SIGNATURE_EXPIRY: "signature expiry",
    Oid.SIGNING_JOB: "signing job",
    Oid.SIGNING_PROFILE_VERSION: "signing profile version",
}
_KNOWN_ATTRIBUTES = {*_REQUIRED_ATTRIBUTES, Oid.ALGORITHM_PROTECTION}
_SET = 0x31
_Values = Mapping[x509.ObjectIdentifier, asn1.TLV]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SignedAttributes:
    """What the signed attributes say.

    Attributes:
        signing_job_arn: The job.
        signing_profile_version_arn: The publisher, in the partition, Region and account of the job.
        signed_at: UTC, with milliseconds.
        expires_at: UTC, with milliseconds, later than ``signed_at``.
        message_digest: 48 bytes.
        has_algorithm_protection: Whether the optional CMSAlgorithmProtection attribute is there (it agrees then).
        der: The bytes that the signature covers: the DER ``SET OF`` attributes.
    """

    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime
    expires_at: datetime
    message_digest: bytes
    has_algorithm_protection: bool
    der: bytes


def read_signed_attributes(elements: list[asn1.TLV]) -> SignedAttributes:
    """Read the signed attributes of a signer.

    Args:
        elements: The attributes in the order of the envelope.

    Raises:
        CmsError: One is unknown, missing, there twice, without exactly one value of the right type, or in the wrong
            place; or they contradict each other.
    """
    encoded = set_elements(elements, CmsDefect.ATTRIBUTE_ORDER, CmsDefect.ATTRIBUTE_DUPLICATE, "signed attributes")
    values = _attributes(encoded)
    signed_at, expires_at = _times(values)
    job, profile_version = _arns(values)
    return SignedAttributes(
        signing_job_arn=job,
        signing_profile_version_arn=profile_version,
        signed_at=signed_at,
        expires_at=expires_at,
        message_digest=_message_digest(values),
        has_algorithm_protection=_has_algorithm_protection(values),
        der=der_element(_SET, *encoded),
    )


def _attributes(encoded: list[bytes]) -> _Values:
    """Return the one value of each signed attribute."""
    found: dict[x509.ObjectIdentifier, asn1.TLV] = {}
    for der in encoded:
        attribute = decode(Attribute, der)
        name = attribute.type.dotted_string
        if attribute.type not in _KNOWN_ATTRIBUTES:
            raise unexpected(CmsDefect.ATTRIBUTE_UNKNOWN, "signed attribute", name)
        if attribute.type in found:
            raise unexpected(CmsDefect.ATTRIBUTE_DUPLICATE, "signed attribute, twice,", name)
        values = attribute.values.as_list()
        if len(values) != 1:
            raise unexpected(CmsDefect.ATTRIBUTE_VALUE_COUNT, f"number of values of attribute {name}", len(values))
        found[attribute.type] = values[0]
    missing = [name for oid, name in _REQUIRED_ATTRIBUTES.items() if oid not in found]
    if missing:
        raise unexpected(CmsDefect.ATTRIBUTE_MISSING, "missing signed attributes", ", ".join(missing))
    if _value(found, Oid.CONTENT_TYPE, x509.ObjectIdentifier, CmsDefect.CONTENT_TYPE) != Oid.DATA:
        raise unexpected(CmsDefect.CONTENT_TYPE, "signed content type", "other than data")
    return found


def _times(attributes: _Values) -> tuple[datetime, datetime]:
    """Return the signing time and the expiry."""
    signed_at = _time(attributes[Oid.SIGNING_TIME], "signing time")
    expires_at = _time(attributes[Oid.SIGNATURE_EXPIRY], "signature expiry")
    if expires_at <= signed_at:
        raise unexpected(
            CmsDefect.EXPIRY_NOT_AFTER_SIGNING, f"expiry {expires_at.isoformat()}, signing time", signed_at.isoformat()
        )
    return signed_at, expires_at


def _time(value: asn1.TLV, name: str) -> datetime:
    """Read a GeneralizedTime in UTC with up to three digits of a second.

    DER forbids trailing zeros there. Whether AWS drops them is not known; since the attribute is signed byte for byte
    and both forms mean the same moment, both are taken.
    """
    match = _GENERALIZED_TIME.fullmatch(bytes(value.data)) if value.tag_bytes == _GENERALIZED_TIME_TAG else None
    if match is None:
        raise unexpected(CmsDefect.TIME, name, bytes(value.data[:32]))
    try:
        whole = datetime.strptime(match[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise unexpected(CmsDefect.TIME, name, bytes(value.data[:32])) from error
    return whole.replace(microsecond=int((match[2] or b"0").ljust(6, b"0")))


def _arns(attributes: _Values) -> tuple[SigningJobArn, SigningProfileVersionArn]:
    """Return the signing job and the signing profile version, which belong to one account and Region."""
    job_text = _value(attributes, Oid.SIGNING_JOB, str, CmsDefect.SIGNING_JOB_ARN)
    profile_text = _value(attributes, Oid.SIGNING_PROFILE_VERSION, str, CmsDefect.SIGNING_PROFILE_VERSION_ARN)
    try:
        job = SigningJobArn.parse(job_text)
    except ArnError as error:
        raise CmsError(CmsDefect.SIGNING_JOB_ARN, f"the signed signing job is wrong: {error}") from error
    try:
        profile = SigningProfileVersionArn.parse(profile_text)
    except ArnError as error:
        raise CmsError(
            CmsDefect.SIGNING_PROFILE_VERSION_ARN, f"the signed profile version is wrong: {error}"
        ) from error
    if (job.partition, job.region, job.account) != (profile.partition, profile.region, profile.account):
        raise unexpected(CmsDefect.ARN_DISAGREEMENT, f"signing job {job}, signing profile version", profile)
    return job, profile


def _message_digest(attributes: _Values) -> bytes:
    digest = _value(attributes, Oid.MESSAGE_DIGEST, bytes, CmsDefect.MESSAGE_DIGEST)
    if len(digest) != _MESSAGE_DIGEST_BYTES:
        raise unexpected(CmsDefect.MESSAGE_DIGEST, "length of the message digest in bytes", len(digest))
    return digest


def _has_algorithm_protection(attributes: _Values) -> bool:
    """Tell whether the algorithms are protected, after checking that the protection names the ones in use."""
    if Oid.ALGORITHM_PROTECTION not in attributes:
        return False
    protection = _value(attributes, Oid.ALGORITHM_PROTECTION, AlgorithmProtection, CmsDefect.ALGORITHM_PROTECTION)
    try:
        require_sha384(protection.digest)
        require_ecdsa_with_sha384(protection.signature)
    except CmsError as error:
        raise CmsError(CmsDefect.ALGORITHM_PROTECTION, f"the algorithm protection disagrees: {error}") from error
    return True


def _value(attributes: _Values, oid: x509.ObjectIdentifier, kind: type[_T], defect: CmsDefect) -> _T:
    """Read the value of a signed attribute as the type that it must have."""
    return decode(kind, tlv_bytes(attributes[oid]), defect)
