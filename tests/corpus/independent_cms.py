"""A second way to write AWS Signer's envelope, sharing no line with the package: its own DER, each part replaceable.

The defaults are the good envelope. A case changes one part; the signature is made after the change, so that the change
is all that is wrong.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.corpus.certificate_zoo import Chain, der_sorted

JOB = "arn:aws:signer:eu-west-1:123456789012:/signing-jobs/0f0f0f0f-1111-4222-8333-444444444444"
PROFILE_VERSION = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/team_app/AbCdEfGh12"
SIGNING_TIME = b"20260928091926.806Z"
EXPIRY = b"20371228091926.806Z"


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) <= 0x7F:
        return bytes([tag, len(body)]) + body
    size = f"{len(body):x}"
    octets = bytes.fromhex(size.rjust(len(size) + len(size) % 2, "0"))
    return bytes([tag, 0x80 + len(octets)]) + octets + body


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes) -> bytes:
    return tlv(0x31, *sorted(parts))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes((value.bit_length() + 8) // 8, "big", signed=value < 0))


def oid(dotted: str) -> bytes:
    arcs = [int(arc) for arc in dotted.split(".")]
    body = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        base128 = [arc % 128]
        rest = arc // 128
        while rest:
            base128.insert(0, rest % 128 + 128)
            rest //= 128
        body += bytes(base128)
    return tlv(0x06, body)


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def utf8(value: str) -> bytes:
    return tlv(0x0C, value.encode())


def generalized_time(value: bytes) -> bytes:
    return tlv(0x18, value)


def attribute(dotted: str, *values: bytes) -> bytes:
    return seq(oid(dotted), set_of(*values))


DATA = oid("1.2.840.113549.1.7.1")
SIGNED_DATA = oid("1.2.840.113549.1.7.2")
NULL = tlv(0x05)
SHA256 = seq(oid("2.16.840.1.101.3.4.2.1"))
SHA384 = seq(oid("2.16.840.1.101.3.4.2.2"))
SHA512 = seq(oid("2.16.840.1.101.3.4.2.3"))
ECDSA_SHA256 = seq(oid("1.2.840.10045.4.3.2"))
ECDSA_SHA384 = seq(oid("1.2.840.10045.4.3.3"))

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME_OID = "1.2.840.113549.1.9.5"
ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
JOB_OID = "1.3.187.137.1.2"
EXPIRY_OID = "1.3.187.137.1.3"
PROFILE_VERSION_OID = "1.3.187.137.1.4"


def ber_wrapped(content_type: bytes, signed_data: bytes) -> bytes:
    return b"\x30\x80" + content_type + b"\xa0\x80" + signed_data + b"\0\0" + b"\0\0"


def der_wrapped(content_type: bytes, signed_data: bytes) -> bytes:
    return seq(content_type, tlv(0xA0, signed_data))


def armored(data: bytes, label: str = "PKCS7", line_end: str = "\n") -> bytes:
    text = base64.encodebytes(data).decode().split()
    return line_end.join([f"-----BEGIN {label}-----", *text, f"-----END {label}-----", ""]).encode()


def protection(digest: bytes = SHA384, signature: bytes = ECDSA_SHA384, *more: bytes) -> bytes:
    # [1] IMPLICIT AlgorithmIdentifier: the SEQUENCE's own tag gives way to the context tag.
    return seq(digest, b"\xa1" + signature[1:], *more)


@dataclass
class Parts:
    """Every part of the envelope."""

    content_digest: bytes
    chain: Chain
    attributes: dict[str, list[bytes]] = field(default_factory=dict)
    arrange_attributes: Callable[[list[bytes]], list[bytes]] = sorted
    content_type: bytes = SIGNED_DATA
    version: int = 1
    digest_algorithms: bytes = field(default_factory=lambda: set_of(SHA384))
    encapsulated: bytes = field(default_factory=lambda: seq(DATA))
    certificates: list[bytes] | None = None
    revocation_lists: bytes = b""
    signer_version: int = 1
    signer_identifier: bytes = b""
    signer_digest: bytes = SHA384
    signature_algorithm: bytes = ECDSA_SHA384
    has_signed_attributes: bool = True
    unsigned_attributes: bytes = b""
    signing_key: ec.EllipticCurvePrivateKey | None = None
    signed_tag: int = 0x31
    change_signature: Callable[[bytes], bytes] = octets
    signer_infos: Callable[[bytes], bytes] = lambda signer: tlv(0x31, signer)
    wrap: Callable[[bytes, bytes], bytes] = ber_wrapped
    armor: Callable[[bytes], bytes] = armored

    def __post_init__(self) -> None:
        digest = hashlib.sha384(self.content_digest).digest()
        self.attributes = {
            CONTENT_TYPE: [DATA],
            MESSAGE_DIGEST: [octets(digest)],
            SIGNING_TIME_OID: [generalized_time(SIGNING_TIME)],
            EXPIRY_OID: [generalized_time(EXPIRY)],
            JOB_OID: [utf8(JOB)],
            PROFILE_VERSION_OID: [utf8(PROFILE_VERSION)],
            ALGORITHM_PROTECTION: [protection()],
        }
        self.certificates = der_sorted(self.chain.certificates)
        leaf = self.chain.leaf
        self.signer_identifier = seq(leaf.issuer.public_bytes(), integer(leaf.serial_number))

    def encoded_attributes(self) -> list[bytes]:
        return self.arrange_attributes([attribute(dotted, *values) for dotted, values in self.attributes.items()])

    def signed_data(self) -> bytes:
        attributes = self.encoded_attributes()
        signed = tlv(self.signed_tag, *attributes) if self.has_signed_attributes else self.content_digest
        key = self.signing_key or self.chain.key
        signature = key.sign(signed, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
        signer = seq(
            integer(self.signer_version),
            self.signer_identifier,
            self.signer_digest,
            tlv(0xA0, *attributes) if self.has_signed_attributes else b"",
            self.signature_algorithm,
            self.change_signature(signature),
            self.unsigned_attributes,
        )
        return seq(
            integer(self.version),
            self.digest_algorithms,
            self.encapsulated,
            b"" if self.certificates is None else tlv(0xA0, *self.certificates),
            self.revocation_lists,
            self.signer_infos(signer),
        )

    def entry(self) -> bytes:
        return self.armor(self.wrap(self.content_type, self.signed_data()))
