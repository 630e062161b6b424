"""Trust roots, and the judgement of a signer's certificate chain at the moment of signing.

A root that an archive brings is never trusted for being there: it is a root only where a `TrustStore` knows that very
certificate, or its SHA-256 fingerprint.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from constructs_pkg.errors import TrustError
from constructs_pkg.signing.certificate_reading import load_certificates

__all__ = [
    "DOCUMENTED_COMMERCIAL_ROOT_SHA256",
    "MAX_PEM_BYTES",
    "MAX_ROOTS",
    "CertificateChain",
    "CertificateSummary",
    "TrustDefect",
    "TrustStore",
    "fingerprint_text",
    "parse_fingerprint",
    "verify_chain",
]

DOCUMENTED_COMMERCIAL_ROOT_SHA256 = "410220a72bba4576767ba5941b694a9bddc40817f76957f6919fdac89a7849c7"
"""What public material reports as the SHA-256 of the commercial partition's root. UNVERIFIED, for comparison only.

The subject reported with it is ``CN=Signer us-west-2 ROOT CA,ST=WA,OU=Cryptography,O=AWS,C=US``, valid from 2020-07-16
to 2120-07-16. It comes from one source and was not checked against AWS: no trust store holds it unless a user puts it
there.
"""

MAX_PEM_BYTES = 256 * 1024
"""The largest PEM text of trust roots that is read, in bytes."""

MAX_ROOTS = 20
"""How many roots and fingerprints a trust store holds at most."""

_MAX_INTERMEDIATES = 2
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class TrustDefect(StrEnum):
    """What is wrong with a chain or a trust root; the values are API and appear in reports."""

    ROOT_MALFORMED = "root_malformed"
    """A trust root is not a PEM certificate, not a self-signed CA, or there are none or too many."""
    FINGERPRINT_MALFORMED = "fingerprint_malformed"
    """A fingerprint is not the SHA-256 of a certificate."""
    ROOT_UNTRUSTED = "root_untrusted"
    """The signature's root is not one of the trust roots."""
    LEAF_IS_CA = "leaf_is_ca"
    """The signer's certificate is a certification authority, or does not say that it is none."""
    LEAF_KEY_USAGE = "leaf_key_usage"
    """The signer's certificate may not make digital signatures, or does not say that it may."""
    LEAF_EXTENDED_KEY_USAGE = "leaf_extended_key_usage"
    """The signer's certificate is not for code signing."""
    NOT_VALID_AT_SIGNING = "certificate_not_valid_at_signing"
    """A certificate was not valid yet, or not any more, at the signing time."""
    CHAIN = "chain_invalid"
    """The certificates do not make a chain from the signer to the root, each issued by an authority allowed to."""
    UNUSED_CERTIFICATE = "certificate_unused"
    """The signature carries a certificate that is no part of the chain."""


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """What a person compares of a certificate.

    Attributes:
        subject: The name, RFC 4514.
        issuer: The issuer's name, RFC 4514.
        serial_number: In hexadecimal.
        not_before: UTC.
        not_after: UTC.
        sha256: The fingerprint as `fingerprint_text` writes it.
    """

    subject: str
    issuer: str
    serial_number: str
    not_before: datetime
    not_after: datetime
    sha256: str

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Self:
        """Summarize a certificate."""
        return cls(
            certificate.subject.rfc4514_string(),
            certificate.issuer.rfc4514_string(),
            f"{certificate.serial_number:x}",
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            fingerprint_text(certificate.fingerprint(hashes.SHA256()).hex()),
        )


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """A chain that was verified: leaf, regional, parent, root.

    Attributes:
        certificates: Leaf first.
    """

    certificates: tuple[x509.Certificate, ...]

    @property
    def certificate_hashes(self) -> tuple[str, ...]:
        """Return what ``signer-data:GetRevocationStatus`` takes as ``certificateHashes``.

        For each certificate, leaf first, the hex of ``SHA-384(its TBSCertificate) || SHA-384(its issuer's)``; the root
        is its own issuer.
        """
        own = [hashlib.sha384(certificate.tbs_certificate_bytes).hexdigest() for certificate in self.certificates]
        return tuple(digest + issuer for digest, issuer in zip(own, [*own[1:], own[-1]], strict=True))

    @property
    def summary(self) -> tuple[CertificateSummary, ...]:
        """Return the summaries, leaf first."""
        return tuple(CertificateSummary.of(certificate) for certificate in self.certificates)


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The roots that a user decided to trust.

    Attributes:
        roots: Self-signed certificates of certification authorities.
        fingerprints: SHA-256 fingerprints in lower-case hex: a signature's own root is trusted where it has one.

    Raises:
        TrustError: A root is not a self-signed CA, a fingerprint is malformed, or there are more than `MAX_ROOTS`.
    """

    roots: tuple[x509.Certificate, ...] = ()
    fingerprints: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what could not serve as a root."""
        for root in self.roots:
            _require_root(root)
        object.__setattr__(self, "fingerprints", frozenset(parse_fingerprint(text) for text in self.fingerprints))
        if len(self.roots) + len(self.fingerprints) > MAX_ROOTS:
            raise TrustError(
                TrustDefect.ROOT_MALFORMED,
                f"there are {len(self.roots) + len(self.fingerprints)} trust roots; use at most {MAX_ROOTS}",
            )

    @classmethod
    def from_pem(cls, *texts: bytes | str, fingerprints: Iterable[str] = ()) -> Self:
        """Read PEM texts, each with one or more self-signed CA certificates and nothing else but comments.

        Args:
            texts: The contents of PEM files, at most `MAX_PEM_BYTES` each.
            fingerprints: Further roots by their SHA-256 fingerprint, as `parse_fingerprint` takes them.

        Raises:
            TrustError: A text holds no certificate, or one that could not serve as a root.
        """
        roots = [root for text in texts for root in _load_pem(text)]
        return cls(tuple(dict.fromkeys(roots)), frozenset(fingerprints))

    def __bool__(self) -> bool:
        """Tell whether there is any root at all."""
        return bool(self.roots or self.fingerprints)

    def __or__(self, other: "TrustStore") -> "TrustStore":
        """Return the roots of both."""
        return TrustStore(tuple(dict.fromkeys((*self.roots, *other.roots))), self.fingerprints | other.fingerprints)

    def trusts(self, root: x509.Certificate) -> bool:
        """Tell whether exactly this certificate is one of the roots, or has one of the fingerprints."""
        return root in self.roots or root.fingerprint(hashes.SHA256()).hex() in self.fingerprints

    @property
    def pem(self) -> str:
        """Return the roots as PEM text; those of which only the fingerprint is known are not in it."""
        return "".join(root.public_bytes(Encoding.PEM).decode("ascii") for root in self.roots)


def parse_fingerprint(text: str) -> str:
    """Read a SHA-256 fingerprint.

    Args:
        text: 64 hexadecimal digits, in either case, in pairs with colons between them or without.

    Returns:
        The digits in lower case without colons.

    Raises:
        TrustError: The text has another form.
    """
    pairs = text.split(":") if ":" in text else [text[i : i + 2] for i in range(0, len(text), 2)]
    digits = "".join(pairs).lower()
    if len(pairs) != 32 or any(len(pair) != 2 for pair in pairs) or not set(digits) <= set("0123456789abcdef"):
        raise TrustError(
            TrustDefect.FINGERPRINT_MALFORMED,
            f"{text[:100]!r} is not a SHA-256 fingerprint. Write 64 hexadecimal digits, with or without colons",
        )
    return digits


def fingerprint_text(digits: str) -> str:
    """Return a fingerprint of hexadecimal digits as people compare it: upper-case pairs with colons."""
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2)).upper()


def verify_chain(
    leaf: x509.Certificate, certificates: Sequence[x509.Certificate], trust: TrustStore, at: datetime
) -> CertificateChain:
    """Judge the signer's chain at the signing time.

    The leaf is no CA, may make digital signatures and is for code signing. Every certificate was valid at ``at``. The
    chain uses all the certificates, each issued by the next, which is a CA with a sufficient path length; it ends in a
    certificate that the trust store knows. The kind of the leaf's key is *not* judged here: the check of the signature
    does. No revocation list or responder is asked: AWS's own revocation is that of jobs and profiles.

    Args:
        leaf: The signer's certificate.
        certificates: All that the signature carries, the leaf and the root among them, in any order.
        trust: The roots of the user.
        at: The signing time, aware.

    Raises:
        TrustError: Any of it does not hold; ``reason`` is a member of `TrustDefect`.
    """
    _require_leaf(leaf)
    others = [certificate for certificate in certificates if certificate != leaf]
    roots = [certificate for certificate in others if certificate.subject == certificate.issuer]
    trusted = [root for root in roots if trust.trusts(root)]
    if not trusted:
        raise TrustError(TrustDefect.ROOT_UNTRUSTED, _untrusted(roots))
    for certificate in certificates:
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise TrustError(
                TrustDefect.NOT_VALID_AT_SIGNING,
                f"the certificate {_name(certificate)} is valid from {certificate.not_valid_before_utc.isoformat()} to "
                f"{certificate.not_valid_after_utc.isoformat()}, not at the signing time {at.isoformat()}",
            )
    chain = _chain(leaf, [certificate for certificate in others if certificate not in trusted], trusted, at)
    unused = [certificate for certificate in certificates if certificate not in chain]
    if unused:
        raise TrustError(
            TrustDefect.UNUSED_CERTIFICATE,
            f"the certificate {_name(unused[0])} is in the signature but no part of the signer's chain",
        )
    return CertificateChain(chain)


def _chain(
    leaf: x509.Certificate, intermediates: list[x509.Certificate], roots: list[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """Let the library build and verify the path; what the leaf is for was judged before, by name."""
    leaf_policy = verification.ExtensionPolicy.permit_all()
    try:
        verifier = (
            verification.PolicyBuilder()
            .time(at)
            .store(verification.Store(roots))
            .max_chain_depth(_MAX_INTERMEDIATES)
            .extension_policies(ca_policy=_ca_policy(), ee_policy=leaf_policy)
            .build_client_verifier()
        )
        return tuple(verifier.verify(leaf, intermediates).chain)
    except (verification.VerificationError, ValueError, UnsupportedAlgorithm) as error:
        raise TrustError(
            TrustDefect.CHAIN, f"the signer's certificates do not make a valid chain to the trust root: {error}"
        ) from error


def _ca_policy() -> verification.ExtensionPolicy:
    """Ask of each issuer what it has to say; whether it is a CA, and how long its path may be, the library judges."""
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
        .require_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _validate_ca_usage)
        .may_be_present(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _validate_ca_purposes)
    )


def _validate_ca_usage(_policy: verification.Policy, certificate: x509.Certificate, found: x509.KeyUsage) -> None:
    if not found.key_cert_sign:
        raise ValueError(f"the certificate {_name(certificate)} issued another and may not sign certificates")


def _validate_ca_purposes(
    _policy: verification.Policy, certificate: x509.Certificate, found: x509.ExtendedKeyUsage | None
) -> None:
    allowed = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if found is not None and allowed.isdisjoint(found):
        raise ValueError(f"the certificate {_name(certificate)} issued another for code signing and may not")


def _require_leaf(leaf: x509.Certificate) -> None:
    """Refuse a signer's certificate that is not one for code signing, each flaw by its own name."""
    extensions = leaf.extensions
    constraints = _extension(extensions, x509.BasicConstraints)
    if constraints is None or constraints.ca:
        raise TrustError(
            TrustDefect.LEAF_IS_CA, f"the signer's certificate {_name(leaf)} is a CA, or does not say that it is none"
        )
    usage = _extension(extensions, x509.KeyUsage)
    if usage is None or not usage.digital_signature:
        raise TrustError(
            TrustDefect.LEAF_KEY_USAGE, f"the signer's certificate {_name(leaf)} is not for digital signatures"
        )
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        raise TrustError(
            TrustDefect.LEAF_EXTENDED_KEY_USAGE, f"the signer's certificate {_name(leaf)} is not for code signing"
        )


def _extension(extensions: x509.Extensions, kind: type[_Extension]) -> _Extension | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _require_root(root: x509.Certificate) -> None:
    """Refuse a trust root that is not a self-signed certification authority."""
    try:
        root.verify_directly_issued_by(root)
        constraints = _extension(root.extensions, x509.BasicConstraints)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, f"{_name(root)} is not self-signed; use the root certificate itself"
        ) from error
    if constraints is None or not constraints.ca:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, f"{_name(root)} is not a certification authority; use the root certificate"
        )


def _load_pem(text: bytes | str) -> list[x509.Certificate]:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_PEM_BYTES:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, f"a PEM text has {len(data)} bytes; at most {MAX_PEM_BYTES} are read"
        )
    if b"PRIVATE KEY" in data:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, "a trust root's PEM text holds a private key; leave only the certificate"
        )
    try:
        return load_certificates(data)
    except ValueError as error:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED,
            "a trust root is not PEM text with a certificate ('-----BEGIN CERTIFICATE-----')",
        ) from error


def _untrusted(roots: Sequence[x509.Certificate]) -> str:
    if not roots:
        return "the signature carries no root certificate"
    found = fingerprint_text(roots[0].fingerprint(hashes.SHA256()).hex())
    return (
        f"the signature's root {_name(roots[0])} with the SHA-256 fingerprint {found} is not one of the trust roots. "
        "Was the archive signed by AWS Signer in the partition whose root you trust?"
    )


def _name(certificate: x509.Certificate) -> str:
    return f"'{certificate.subject.rfc4514_string()}'"
