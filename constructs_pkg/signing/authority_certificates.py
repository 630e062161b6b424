"""The certificates of the throwaway authority: AWS's four levels, names that nobody takes for AWS's.

Everything is derived from one secret seed: keys, serial numbers and, with deterministic ECDSA (RFC 6979), signatures.
So the same seed gives the same certificates on every machine, and nothing but the seed has to be kept.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["SEED_BYTES", "AuthorityCertificates", "SigningCredentials", "derived_bytes"]

SEED_BYTES = 48
"""The length of the secret that everything is derived from."""

_LEAF_WINDOW = timedelta(days=3)
_LEAF_MARGIN = timedelta(days=1)
_CA_YEARS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURVE = ec.SECP384R1()


@dataclass(frozen=True, slots=True)
class SigningCredentials:
    """A leaf with its key and its chain.

    Attributes:
        key: The leaf's P-384 key.
        leaf: The leaf.
        chain: Leaf, regional, parent and root.
    """

    key: ec.EllipticCurvePrivateKey
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]


class AuthorityCertificates:
    """Root, parent and regional authorities for a Region, and short-lived leaves on demand.

    Args:
        seed: The secret, `SEED_BYTES` long.
        region: Such as ``eu-west-1``; part of the names.
        created_at: From when on the authorities are valid, aware; whole seconds count.
    """

    def __init__(self, seed: bytes, region: str, created_at: datetime) -> None:
        self._seed = seed
        self._region = region
        self._not_before = created_at.astimezone(UTC).replace(microsecond=0)
        self.root = self._authority("ROOT", "ROOT", 2)
        self.parent = self._authority("PARENT", "ROOT", 1)
        self.regional = self._authority("REGIONAL", "PARENT", 0)

    def credentials(self, at: datetime) -> SigningCredentials:
        """Return the leaf for a moment: valid for five days around it, the same for all moments of three days.

        Args:
            at: The signing time, aware, not before the authorities' own beginning.
        """
        window = (at - _EPOCH) // _LEAF_WINDOW
        start = _EPOCH + window * _LEAF_WINDOW
        label = f"LEAF {window}"
        regional_key = self._key("REGIONAL")
        leaf = (
            self._builder(label, _subject(self._region, "CODE SIGNING"), self.regional.subject, regional_key)
            .not_valid_before(max(start - _LEAF_MARGIN, self._not_before))
            .not_valid_after(start + _LEAF_WINDOW + _LEAF_MARGIN)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(is_ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=True)
            .sign(regional_key, hashes.SHA384(), ecdsa_deterministic=True)
        )
        return SigningCredentials(self._key(label), leaf, (leaf, self.regional, self.parent, self.root))

    def _authority(self, label: str, issuer_label: str, path_length: int) -> x509.Certificate:
        subject, issuer = (_subject(self._region, f"{name} CA") for name in (label, issuer_label))
        issuer_key = self._key(issuer_label)
        return (
            self._builder(label, subject, issuer, issuer_key)
            .not_valid_before(self._not_before)
            .not_valid_after(_years_later(self._not_before, _CA_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(is_ca=True), critical=True)
            .sign(issuer_key, hashes.SHA384(), ecdsa_deterministic=True)
        )

    def _builder(
        self, label: str, subject: x509.Name, issuer: x509.Name, issuer_key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        key = self._key(label)
        serial = int.from_bytes(derived_bytes(self._seed, f"serial {label}", 16), "big") >> 1
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(serial)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )

    def _key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Derive a P-384 key. 64 bytes for 48 make the modulo's bias negligible."""
        number = int.from_bytes(derived_bytes(self._seed, f"key {label}", 64), "big")
        return ec.derive_private_key(number % (_CURVE.group_order - 1) + 1, _CURVE)


def derived_bytes(seed: bytes, label: str, length: int) -> bytes:
    """Return bytes that only who knows the seed can derive, others for each label.

    Args:
        seed: The secret.
        label: What they are for.
        length: How many, at most 64.
    """
    return hmac.digest(seed, label.encode(), hashlib.sha512)[:length]


def _subject(region: str, role: str) -> x509.Name:
    """Name a certificate in AWS's pattern, and say what it is."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Signer {region} {role}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "UNSAFE FOR PRODUCTION"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Local signing authority (not AWS)"),
        ]
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _years_later(at: datetime, years: int) -> datetime:
    """Return the same day some years later; 28 February for a 29th that does not exist then."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)
