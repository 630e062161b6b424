"""Certificate chains, good ones and ones with one flaw each, built without any code of the package under test.

Every key is derived from its label, and signatures are deterministic, so that the same zoo stands on every machine.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SIGNED_AT = datetime(2026, 9, 28, 9, 19, 26, 806000, tzinfo=UTC)
CA_START = datetime(2020, 7, 16, tzinfo=UTC)
CA_END = datetime(2120, 7, 16, tzinfo=UTC)
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
LEVELS = ("root", "parent", "regional", "leaf")


def key(label: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    curve = curve or ec.SECP384R1()
    number = int.from_bytes(hashlib.sha512(f"public test key {label}".encode()).digest(), "big")
    return ec.derive_private_key(number % (curve.group_order - 1) + 1, curve)


def usage(**allowed: bool) -> x509.KeyUsage:
    nothing = dict.fromkeys(KEY_USAGES, False)
    return x509.KeyUsage(**{**nothing, **allowed})


@dataclass(frozen=True)
class Plan:
    """One certificate that is going to be made."""

    label: str
    key: ec.EllipticCurvePrivateKey
    issuer_label: str
    issuer_key: ec.EllipticCurvePrivateKey
    start: datetime
    end: datetime
    extensions: dict[str, tuple[x509.ExtensionType, bool]]
    hash: hashes.HashAlgorithm = field(default_factory=hashes.SHA384)
    serial: int = 0

    def make(self) -> x509.Certificate:
        serial = self.serial or int.from_bytes(hashlib.sha256(self.label.encode()).digest()[:8], "big") >> 1
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(self.label))
            .issuer_name(name(self.issuer_label))
            .public_key(self.key.public_key())
            .serial_number(serial)
            .not_valid_before(self.start)
            .not_valid_after(self.end)
        )
        for extension, is_critical in self.extensions.values():
            builder = builder.add_extension(extension, is_critical)
        return builder.sign(self.issuer_key, self.hash, ecdsa_deterministic=True)

    def extended(self, **extensions: tuple[x509.ExtensionType, bool] | None) -> "Plan":
        """Return the plan with extensions replaced, added, or left out where None."""
        merged = {**self.extensions, **extensions}
        return replace(self, extensions={key: value for key, value in merged.items() if value is not None})


@dataclass(frozen=True)
class Chain:
    """What a signature needs: the leaf's key, and the certificates, leaf first."""

    key: ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def root(self) -> x509.Certificate:
        return self.certificates[-1]


def name(label: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"Conformance corpus {label}"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Public test keys"),
        ]
    )


def plans() -> dict[str, Plan]:
    """Return the four good certificates by level."""
    made: dict[str, Plan] = {}
    for index, level in enumerate(LEVELS):
        issuer = LEVELS[max(index - 1, 0)]
        if level == "leaf":
            extensions: dict[str, tuple[x509.ExtensionType, bool]] = {
                "constraints": (x509.BasicConstraints(ca=False, path_length=None), True),
                "usage": (usage(digital_signature=True), True),
                "purposes": (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), True),
            }
        else:
            extensions = {
                "constraints": (x509.BasicConstraints(ca=True, path_length=2 - index), True),
                "usage": (usage(key_cert_sign=True, crl_sign=True), True),
            }
        start, end = (
            (CA_START, CA_END)
            if level != "leaf"
            else (SIGNED_AT - timedelta(days=1, hours=1), SIGNED_AT + timedelta(days=4))
        )
        made[level] = Plan(level, key(level), issuer, key(issuer), start.replace(microsecond=0), end, extensions)
    return made


def chain(change: Callable[[dict[str, Plan]], None] = lambda _: None) -> Chain:
    """Return a chain, made from the good plans after a change."""
    made = plans()
    change(made)
    return Chain(made["leaf"].key, tuple(made[level].make() for level in reversed(LEVELS)))


def changed(level: str, **fields: object) -> Callable[[dict[str, Plan]], None]:
    """Return a change of one certificate's fields."""

    def change(made: dict[str, Plan]) -> None:
        made[level] = replace(made[level], **fields)

    return change


def extended(level: str, **extensions: tuple[x509.ExtensionType, bool] | None) -> Callable[[dict[str, Plan]], None]:
    """Return a change of one certificate's extensions."""

    def change(made: dict[str, Plan]) -> None:
        made[level] = made[level].extended(**extensions)

    return change


def other_root() -> Chain:
    """Return a chain that is good in itself, under a root of other names and keys."""
    made = plans()
    for level in LEVELS:
        issuer = made[level].issuer_label
        made[level] = replace(
            made[level],
            label=f"other {level}",
            key=key(f"other {level}"),
            issuer_label=f"other {issuer}",
            issuer_key=key(f"other {issuer}"),
        )
    return Chain(made["leaf"].key, tuple(made[level].make() for level in reversed(LEVELS)))


def impostor_root() -> Chain:
    """Return a chain whose root has the trusted root's name and another key."""
    made = plans()
    made["root"] = replace(made["root"], key=key("impostor"), issuer_key=key("impostor"))
    made["parent"] = replace(made["parent"], issuer_key=key("impostor"))
    return Chain(made["leaf"].key, tuple(made[level].make() for level in reversed(LEVELS)))


def with_stranger() -> Chain:
    """Return a chain of three, and a good CA certificate that has nothing to do with it."""
    made = plans()
    made["leaf"] = replace(made["leaf"], issuer_label="parent", issuer_key=key("parent"))
    return Chain(made["leaf"].key, tuple(made[level].make() for level in reversed(LEVELS)))


def der_sorted(certificates: Sequence[x509.Certificate]) -> list[bytes]:
    return sorted(certificate.public_bytes(Encoding.DER) for certificate in certificates)
