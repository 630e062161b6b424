"""Trust roots: what a user decided to trust, and how people compare certificates.

A root that an archive brings is never trusted for being there: it is a root only where a `TrustStore` knows that very
certificate, or its SHA-256 fingerprint.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from constructs_pkg.errors import TrustError
from constructs_pkg.signing.certificate_reading import extension_of, load_certificates, name_of

__all__ = [
    "DOCUMENTED_COMMERCIAL_ROOT_SHA256",
    "MAX_PEM_BYTES",
    "MAX_ROOTS",
    "CertificateSummary",
    "TrustDefect",
    "TrustStore",
    "fingerprint_text",
    "parse_fingerprint",
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


def _require_root(root: x509.Certificate) -> None:
    """Refuse a trust root that is not a self-signed certification authority."""
    try:
        root.verify_directly_issued_by(root)
        constraints = extension_of(root.extensions, x509.BasicConstraints)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, f"{name_of(root)} is not self-signed; use the root certificate itself"
        ) from error
    if constraints is None or not constraints.ca:
        raise TrustError(
            TrustDefect.ROOT_MALFORMED, f"{name_of(root)} is not a certification authority; use the root certificate"
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
