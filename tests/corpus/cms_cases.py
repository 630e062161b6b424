"""Signatures named after what is wrong with them, or after the liberty they take, with the finding that they deserve.

``CMS_CASES`` change one part of a good envelope and sign afterwards; ``CHAIN_CASES`` sign a good envelope with a flawed
certificate chain. All are entries for one archive, `archive_with`; the trust root is `ROOT_PEM`.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from tests.corpus import certificate_zoo as zoo
from tests.corpus import independent_cms as cms
from tests.corpus.independent_cms import Parts

SIGNATURE_ENTRY = "META_INF/aws_signer_signature_v1.0.SF"
CONTENT = (("handler.py", b"def handler(event, context):\n    return 'ok'\n"), ("META_INF/", b""))
CONTENT_DIGEST = hashlib.sha384(b"".join(name.encode() + body for name, body in CONTENT)).digest()
OTHER_DIGEST = hashlib.sha384(b"other content").digest()
GOOD_CHAIN = zoo.chain()
ROOT_PEM = GOOD_CHAIN.root.public_bytes(Encoding.PEM)
SIGNED_AT = zoo.SIGNED_AT
VERIFIED_AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class CmsCase:
    """One signature entry and the code of its only finding; ``reason`` is None where it must be accepted."""

    name: str
    build: Callable[[], bytes]
    reason: str | None

    def archive(self) -> bytes:
        return archive_with(self.build())


def archive_with(entry: bytes) -> bytes:
    """Return the archive with a signature entry."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, body in (*CONTENT, (SIGNATURE_ENTRY, entry)):
            archive.writestr(zipfile.ZipInfo(name), body)
    return target.getvalue()


def good_entry() -> bytes:
    return Parts(CONTENT_DIGEST, GOOD_CHAIN).entry()


def _case(name: str, reason: str | None, change: Callable[[Parts], object] = lambda _: None) -> CmsCase:
    def build() -> bytes:
        parts = Parts(CONTENT_DIGEST, GOOD_CHAIN)
        change(parts)
        return parts.entry()

    return CmsCase(name, build, reason)


def _entry_case(name: str, reason: str | None, change: Callable[[bytes], bytes]) -> CmsCase:
    """Return a case that changes the finished text."""
    return CmsCase(name, lambda: change(good_entry()), reason)


def _data_case(name: str, reason: str | None, change: Callable[[bytes], bytes]) -> CmsCase:
    """Return a case that changes the bytes inside of the PEM block."""
    return _case(name, reason, lambda parts: setattr(parts, "armor", lambda data: cms.armored(change(data))))


def _field(name: str, reason: str | None, **fields: object) -> CmsCase:
    """Return a case that sets fields."""
    return _case(name, reason, lambda parts: [setattr(parts, field, value) for field, value in fields.items()])


def _value(name: str, reason: str | None, dotted: str, *values: bytes) -> CmsCase:
    """Return a case that sets the values of one signed attribute; no values at all leave it out."""

    def change(parts: Parts) -> None:
        del parts.attributes[dotted]
        if values:
            parts.attributes[dotted] = list(values)

    return _case(name, reason, change)


def _time(name: str, reason: str | None, text: bytes, dotted: str = cms.SIGNING_TIME_OID) -> CmsCase:
    return _value(name, reason, dotted, cms.generalized_time(text))


def _reversed(encoded: list[bytes]) -> list[bytes]:
    return sorted(encoded, reverse=True)


def _with_duplicate(encoded: list[bytes]) -> list[bytes]:
    return sorted([*encoded, encoded[0]])


def _with_second_job(encoded: list[bytes]) -> list[bytes]:
    other = cms.JOB.replace("0f0f0f0f", "1e1e1e1e")
    return sorted([*encoded, cms.attribute(cms.JOB_OID, cms.utf8(other))])


def _with_unknown(encoded: list[bytes]) -> list[bytes]:
    return sorted([*encoded, cms.attribute("1.3.187.137.1.5", cms.utf8("new"))])


def _arn(name: str, reason: str, old: str, new: str) -> CmsCase:
    return _value(name, reason, cms.JOB_OID, cms.utf8(cms.JOB.replace(old, new)))


def _profile(name: str, reason: str, text: str) -> CmsCase:
    return _value(name, reason, cms.PROFILE_VERSION_OID, cms.utf8(text))


def _digest_value(name: str, reason: str, value: bytes) -> CmsCase:
    return _value(name, reason, cms.MESSAGE_DIGEST, value)


def _base64_with_loose_bits(entry: bytes) -> bytes:
    """Set a bit of the last character that no byte takes."""
    text = "".join(entry.decode().split()[2:-2])
    digits = text.rstrip("=")
    assert digits != text, "the good entry must need padding for this case"
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = alphabet[alphabet.index(digits[-1]) + 1]
    return _block(digits[:-1] + loose + "=" * (len(text) - len(digits)))


def _block(text: str) -> bytes:
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PKCS7-----", *lines, "-----END PKCS7-----", ""]).encode()


def _three_indefinite(content_type: bytes, signed_data: bytes) -> bytes:
    header = 4 if signed_data[1] == 0x82 else 3
    return b"\x30\x80" + content_type + b"\xa0\x80\x30\x80" + signed_data[header:] + b"\0\0" * 3


def _long_length(content_type: bytes, signed_data: bytes) -> bytes:
    """Write the SignedData's length with a leading zero, which DER forbids."""
    assert signed_data[1] == 0x82
    return cms.ber_wrapped(content_type, b"\x30\x83\x00" + signed_data[2:])


def _indefinite_certificates(parts: Parts) -> None:
    """Give the certificates, inside of the DER, an indefinite length of their own."""
    assert parts.certificates is not None
    parts.revocation_lists = b"\xa0\x80" + b"".join(parts.certificates) + b"\0\0"
    parts.certificates = None


def _constructed_signature(signature: bytes) -> bytes:
    return cms.tlv(0x24, cms.octets(signature[:20]), cms.octets(signature[20:]))


def _flipped(signature: bytes) -> bytes:
    return cms.octets(signature[:-1] + bytes([signature[-1] ^ 1]))


def _with_certificate(data: bytes) -> Callable[[Parts], None]:
    """Return a change that puts something else in the place of the root, which nothing but the chain needs."""

    def change(parts: Parts) -> None:
        root = GOOD_CHAIN.root.public_bytes(Encoding.DER)
        parts.certificates = sorted([*(der for der in parts.certificates or [] if der != root), data])

    return change


def _certificate_of_version_1() -> bytes:
    """Return the root without version and extensions; its signature is of no matter."""
    root = GOOD_CHAIN.root
    algorithm = cms.ECDSA_SHA384
    validity = cms.seq(cms.tlv(0x17, b"200716000000Z"), cms.generalized_time(b"21200716000000Z"))
    name = root.subject.public_bytes()
    public_key = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    tbs = cms.seq(cms.integer(root.serial_number), algorithm, name, validity, name, public_key)
    return cms.seq(tbs, algorithm, cms.tlv(0x03, b"\0", root.signature))


def _with_broken_signature_octets(parts: Parts) -> None:
    """Declare the last bit of the regional certificate's signature unused, which changes nothing for a lax reader."""
    regional = GOOD_CHAIN.certificates[1]
    der = regional.public_bytes(Encoding.DER)
    assert not regional.signature[-1] & 1, "the last bit must be 0 for this case"
    broken = der.replace(b"\0" + regional.signature, b"\1" + regional.signature)
    parts.certificates = sorted([broken if item == der else item for item in parts.certificates or []])


def _certificate_with_negative_serial() -> bytes:
    """Turn the root's serial number negative by its first byte."""
    der = GOOD_CHAIN.root.public_bytes(Encoding.DER)
    serial = cms.integer(GOOD_CHAIN.root.serial_number)
    assert der.count(serial) == 1
    return der.replace(serial, serial[:2] + bytes([serial[2] | 0x80]) + serial[3:])


CMS_CASES: tuple[CmsCase, ...] = (
    # Good ones
    _case("good", None),
    _field("good_der_wrappers", None, wrap=cms.der_wrapped),
    _field(
        "good_only_outer_wrapper_indefinite",
        None,
        wrap=lambda kind, data: b"\x30\x80" + kind + cms.tlv(0xA0, data) + b"\0\0",
    ),
    _value("good_without_algorithm_protection", None, cms.ALGORITHM_PROTECTION),
    _field("good_digest_algorithm_with_null", None, signer_digest=cms.seq(cms.SHA384[2:], cms.NULL)),
    _time("good_signing_time_without_fraction", None, b"20260928091926Z"),
    _time("good_signing_time_with_trailing_zero", None, b"20260928091926.800Z"),
    _entry_case("good_pem_with_crlf", None, lambda entry: entry.replace(b"\n", b"\r\n")),
    _entry_case("good_pem_in_white_space", None, lambda entry: b" \t\r\n" + entry + b"\n\n \t"),
    _entry_case("good_pem_without_final_line_end", None, bytes.rstrip),
    # PEM
    _entry_case("empty_entry", "signature_pem_malformed", lambda _: b""),
    _entry_case("der_without_pem", "signature_pem_malformed", lambda e: base64.b64decode(b"".join(e.split()[2:-2]))),
    _field("pem_label_cms", "signature_pem_malformed", armor=lambda data: cms.armored(data, "CMS")),
    _field("pem_label_certificate", "signature_pem_malformed", armor=lambda data: cms.armored(data, "CERTIFICATE")),
    _entry_case(
        "pem_with_header", "signature_pem_malformed", lambda e: e.replace(b"-\n", b"-\nProc-Type: 4,CLEAR\n\n", 1)
    ),
    _entry_case("pem_with_text_before", "signature_pem_malformed", lambda entry: b"Signature:\n" + entry),
    _entry_case("pem_with_text_after", "signature_pem_malformed", lambda entry: entry + b"end"),
    _entry_case("pem_with_nul_after", "signature_pem_malformed", lambda entry: entry + b"\0"),
    _entry_case("pem_block_twice", "signature_pem_malformed", lambda entry: entry + entry),
    _entry_case("pem_with_blank_line", "signature_pem_malformed", lambda entry: entry.replace(b"\n", b"\n\n", 2)),
    _entry_case("pem_truncated", "signature_pem_malformed", lambda entry: entry[: len(entry) // 2]),
    _entry_case("pem_with_padding_inside", "signature_pem_malformed", lambda e: e.replace(b"\nMI", b"\nM=I", 1)),
    _entry_case("pem_not_canonical_base64", "signature_pem_malformed", _base64_with_loose_bits),
    _entry_case("pem_with_empty_block", "signature_pem_malformed", lambda _: _block("")),
    _entry_case("entry_of_1_mib_and_a_byte", "signature_too_large", lambda entry: entry.ljust(1024 * 1024 + 1)),
    # BER and DER
    _data_case("bytes_after_the_end", "signature_trailing_data", lambda data: data + b"\0"),
    _data_case("end_of_contents_missing", "signature_malformed", lambda data: data[:-2]),
    _data_case("data_cut_in_half", "signature_malformed", lambda data: data[: len(data) // 2]),
    _data_case("data_of_one_byte", "signature_malformed", lambda _: b"\x30"),
    _data_case("data_of_garbage", "signature_malformed", lambda _: b"\x30\x03abc"),
    _data_case("tag_of_several_bytes", "signature_malformed", lambda data: b"\x30\x80\x1f\x81\x01\x00" + data[2:]),
    _data_case("length_of_nine_bytes", "signature_malformed", lambda data: b"\x30\x89" + b"\xff" * 9 + data[2:]),
    _data_case("primitive_of_indefinite_length", "signature_malformed", lambda data: b"\x30\x80\x04\x80" + data[2:]),
    _data_case("wrappers_nested_a_hundred_deep", "signature_ber_too_deep", lambda _: b"\x30\x80" * 100 + b"\0\0" * 100),
    _field("signed_data_of_indefinite_length", "signature_ber_too_deep", wrap=_three_indefinite),
    _case("certificates_of_indefinite_length", "signature_malformed", _indefinite_certificates),
    _field("length_not_the_shortest", "signature_malformed", wrap=_long_length),
    _field("signature_octets_constructed", "signature_malformed", change_signature=_constructed_signature),
    # Fixed fields
    _field("enveloped_data", "content_type", content_type=cms.oid("1.2.840.113549.1.7.3")),
    _field("content_of_type_tst_info", "content_type", encapsulated=cms.seq(cms.oid("1.2.840.113549.1.9.16.1.4"))),
    _field(
        "content_attached",
        "content_not_detached",
        encapsulated=cms.seq(cms.DATA, cms.tlv(0xA0, cms.octets(CONTENT_DIGEST))),
    ),
    _field("signed_data_version_3", "signature_version", version=3),
    _field("signer_info_version_3", "signature_version", signer_version=3),
    _field("digest_sha256", "digest_algorithm", digest_algorithms=cms.set_of(cms.SHA256)),
    _field("digest_sha512_beside_sha384", "digest_algorithm", digest_algorithms=cms.set_of(cms.SHA384, cms.SHA512)),
    _field("no_digest_algorithm", "digest_algorithm", digest_algorithms=cms.set_of()),
    _field("signer_digest_sha256", "digest_algorithm", signer_digest=cms.SHA256),
    _field("signature_algorithm_ecdsa_sha256", "signature_algorithm", signature_algorithm=cms.ECDSA_SHA256),
    _field(
        "signature_algorithm_rsa", "signature_algorithm", signature_algorithm=cms.seq(cms.oid("1.2.840.113549.1.1.12"))
    ),
    _field(
        "signature_algorithm_with_null",
        "signature_algorithm",
        signature_algorithm=cms.seq(cms.ECDSA_SHA384[2:], cms.NULL),
    ),
    _field("revocation_lists", "revocation_lists_present", revocation_lists=cms.tlv(0xA1, cms.seq())),
    _field("no_signer", "signer_count", signer_infos=lambda _: cms.set_of()),
    _field("signer_twice", "signer_count", signer_infos=lambda signer: cms.tlv(0x31, signer, signer)),
    _field("signer_by_key_identifier", "signer_identifier", signer_identifier=cms.tlv(0x80, b"k" * 20)),
    _field(
        "signer_with_unknown_serial",
        "signer_identifier",
        signer_identifier=cms.seq(GOOD_CHAIN.leaf.issuer.public_bytes(), cms.integer(4711)),
    ),
    _field(
        "signer_with_unknown_issuer",
        "signer_identifier",
        signer_identifier=cms.seq(zoo.name("nobody").public_bytes(), cms.integer(GOOD_CHAIN.leaf.serial_number)),
    ),
    _field(
        "unsigned_attributes",
        "unsigned_attributes_present",
        unsigned_attributes=cms.tlv(0xA1, cms.attribute("1.2.3.4", cms.utf8("timestamp"))),
    ),
    _field("no_signed_attributes", "signed_attributes_missing", has_signed_attributes=False),
    # Signed attributes
    _field("attributes_in_reverse_order", "attribute_order", arrange_attributes=_reversed),
    _field("attribute_twice", "attribute_duplicate", arrange_attributes=_with_duplicate),
    _field("two_signing_jobs", "attribute_duplicate", arrange_attributes=_with_second_job),
    _field("attribute_unknown", "attribute_unknown", arrange_attributes=_with_unknown),
    _value("content_type_missing", "attribute_missing", cms.CONTENT_TYPE),
    _value("message_digest_missing", "attribute_missing", cms.MESSAGE_DIGEST),
    _value("signing_time_missing", "attribute_missing", cms.SIGNING_TIME_OID),
    _value("expiry_missing", "attribute_missing", cms.EXPIRY_OID),
    _value("signing_job_missing", "attribute_missing", cms.JOB_OID),
    _value("signing_profile_version_missing", "attribute_missing", cms.PROFILE_VERSION_OID),
    _value(
        "two_values_of_profile_version",
        "attribute_value_count",
        cms.PROFILE_VERSION_OID,
        cms.utf8(cms.PROFILE_VERSION),
        cms.utf8(cms.PROFILE_VERSION.replace("team_app", "other_app")),
    ),
    _case(
        "no_value_of_signing_time",
        "attribute_value_count",
        lambda parts: parts.attributes.update({cms.SIGNING_TIME_OID: []}),
    ),
    _value("content_type_not_data", "content_type", cms.CONTENT_TYPE, cms.SIGNED_DATA),
    _digest_value("message_digest_of_32_bytes", "message_digest_malformed", cms.octets(b"d" * 32)),
    _digest_value("message_digest_not_octets", "message_digest_malformed", cms.utf8("d" * 48)),
    _digest_value("message_digest_is_inner_hash_itself", "content_changed", cms.octets(CONTENT_DIGEST)),
    _value("signing_time_as_utc_time", "time_malformed", cms.SIGNING_TIME_OID, cms.tlv(0x17, b"260928091926Z")),
    _time("signing_time_without_z", "time_malformed", b"20260928091926.806"),
    _time("signing_time_with_offset", "time_malformed", b"20260928111926.806+0200"),
    _time("signing_time_with_microseconds", "time_malformed", b"20260928091926.806123Z"),
    _time("signing_time_without_seconds", "time_malformed", b"202609280919Z"),
    _time("signing_time_with_comma", "time_malformed", b"20260928091926,806Z"),
    _time("signing_time_on_30_february", "time_malformed", b"20260230091926.806Z"),
    _time("expiry_in_hour_25", "time_malformed", b"20371228251926.806Z", cms.EXPIRY_OID),
    _time("expiry_at_signing_time", "expiry_not_after_signing", cms.SIGNING_TIME, cms.EXPIRY_OID),
    _time("expiry_before_signing_time", "expiry_not_after_signing", b"20260928091926.805Z", cms.EXPIRY_OID),
    _value("signing_job_as_printable_string", "signing_job_arn", cms.JOB_OID, cms.tlv(0x13, cms.JOB.encode())),
    _value("signing_job_not_utf8", "signing_job_arn", cms.JOB_OID, cms.tlv(0x0C, b"\xff\xfe")),
    _arn("signing_job_without_uuid", "signing_job_arn", "0f0f0f0f-1111-4222-8333-444444444444", "latest"),
    _arn("signing_job_of_other_service", "signing_job_arn", ":signer:", ":lambda:"),
    _profile("signing_profile_without_version", "signing_profile_version_arn", cms.PROFILE_VERSION.rpartition("/")[0]),
    _profile(
        "signing_profile_with_two_slashes",
        "signing_profile_version_arn",
        cms.PROFILE_VERSION.replace(":/signing", "://signing"),
    ),
    _profile("signing_profile_version_with_line_feed", "signing_profile_version_arn", cms.PROFILE_VERSION + "\n"),
    _arn("accounts_disagree", "arns_disagree", ":123456789012:", ":999999999999:"),
    _arn("regions_disagree", "arns_disagree", ":eu-west-1:", ":us-east-1:"),
    _arn("partitions_disagree", "arns_disagree", "arn:aws:signer:eu-west-1:", "arn:aws-cn:signer:cn-north-1:"),
    _arn("signing_job_in_region_of_another_partition", "signing_job_arn", "arn:aws:", "arn:aws-cn:"),
    _value(
        "algorithm_protection_of_sha256",
        "algorithm_protection",
        cms.ALGORITHM_PROTECTION,
        cms.protection(cms.SHA256),
    ),
    _value(
        "algorithm_protection_of_ecdsa_sha256",
        "algorithm_protection",
        cms.ALGORITHM_PROTECTION,
        cms.protection(cms.SHA384, cms.ECDSA_SHA256),
    ),
    _value(
        "algorithm_protection_with_mac",
        "algorithm_protection",
        cms.ALGORITHM_PROTECTION,
        cms.protection(cms.SHA384, cms.ECDSA_SHA384, b"\xa2" + cms.SHA384[1:]),
    ),
    _value(
        "algorithm_protection_without_signature",
        "algorithm_protection",
        cms.ALGORITHM_PROTECTION,
        cms.seq(cms.SHA384),
    ),
    # Certificates
    _field("no_certificates", "certificate_count", certificates=None),
    _case("three_certificates", "certificate_count", lambda parts: parts.certificates.pop()),
    _case(
        "five_certificates",
        "certificate_count",
        lambda parts: setattr(
            parts, "certificates", sorted([*parts.certificates, *zoo.der_sorted([zoo.other_root().root])])
        ),
    ),
    _case("certificates_leaf_first", "certificate_order", lambda parts: parts.certificates.reverse()),
    _case(
        "certificate_twice",
        "certificate_duplicate",
        lambda parts: setattr(parts, "certificates", sorted([*parts.certificates[1:], parts.certificates[1]])),
    ),
    _case("certificate_of_garbage", "certificate_malformed", _with_certificate(cms.seq(cms.integer(1)))),
    _case("certificate_of_version_1", "certificate_malformed", _with_certificate(_certificate_of_version_1())),
    _case(
        "certificate_with_negative_serial",
        "certificate_malformed",
        _with_certificate(_certificate_with_negative_serial()),
    ),
    _case("certificate_with_signature_of_broken_octets", "certificate_malformed", _with_broken_signature_octets),
    _case("certificate_with_tag_of_several_bytes", "signature_malformed", _with_certificate(b"\xbf\x1f\x02\x05\x00")),
    _case("attribute_certificate", "certificate_malformed", _with_certificate(cms.tlv(0xA2, cms.integer(1)))),
    # Signature
    _field("signature_bit_flipped", "signature_invalid", change_signature=_flipped),
    _field(
        "signature_of_zero",
        "signature_invalid",
        change_signature=lambda _: cms.octets(cms.seq(cms.integer(0), cms.integer(0))),
    ),
    _field("signature_empty", "signature_invalid", change_signature=lambda _: cms.octets(b"")),
    _field("signed_by_another_key", "signature_invalid", signing_key=zoo.key("somebody else")),
    _field("signed_with_the_implicit_tag", "signature_invalid", signed_tag=0xA0),
    CmsCase("other_content_signed", lambda: Parts(OTHER_DIGEST, GOOD_CHAIN).entry(), "content_changed"),
)


def _chain_case(name: str, reason: str | None, chain: Callable[[], zoo.Chain]) -> CmsCase:
    return CmsCase(name, lambda: Parts(CONTENT_DIGEST, chain()).entry(), reason)


def _flaw(name: str, reason: str | None, *changes: Callable[[dict[str, zoo.Plan]], None]) -> CmsCase:
    def change(made: dict[str, zoo.Plan]) -> None:
        for one in changes:
            one(made)

    return _chain_case(name, reason, lambda: zoo.chain(change))


def _purposes(*oids: ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage(list(oids)), True


def _leaf_with_p256_key() -> bytes:
    key = zoo.key("p256", ec.SECP256R1())
    return Parts(CONTENT_DIGEST, zoo.chain(zoo.changed("leaf", key=key))).entry()


def _signed_after_the_verdict() -> bytes:
    parts = Parts(CONTENT_DIGEST, zoo.chain(zoo.changed("leaf", end=zoo.CA_END)))
    parts.attributes[cms.SIGNING_TIME_OID] = [cms.generalized_time(b"20370928091926.806Z")]
    return parts.entry()


_UNKNOWN_EXTENSION = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\0")

CHAIN_CASES: tuple[CmsCase, ...] = (
    _flaw("leaf_run_out_before_the_verdict_but_not_before_signing", None),
    CmsCase("signed_after_the_verdict", _signed_after_the_verdict, "signed_in_the_future"),
    _flaw("leaf_with_unknown_extension_not_critical", None, zoo.extended("leaf", unknown=(_UNKNOWN_EXTENSION, False))),
    _flaw(
        "leaf_for_code_signing_and_more",
        None,
        zoo.extended("leaf", purposes=_purposes(ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING)),
    ),
    CmsCase("leaf_with_p256_key", _leaf_with_p256_key, "signer_key"),
    _chain_case("root_not_trusted", "root_untrusted", zoo.other_root),
    _chain_case("root_with_trusted_name_and_other_key", "root_untrusted", zoo.impostor_root),
    _chain_case("certificate_outside_of_the_chain", "certificate_unused", zoo.with_stranger),
    _flaw(
        "leaf_is_a_ca",
        "leaf_is_ca",
        zoo.extended("leaf", constraints=(x509.BasicConstraints(ca=True, path_length=None), True)),
    ),
    _flaw("leaf_without_basic_constraints", "leaf_is_ca", zoo.extended("leaf", constraints=None)),
    _flaw("leaf_without_key_usage", "leaf_key_usage", zoo.extended("leaf", usage=None)),
    _flaw(
        "leaf_not_for_digital_signatures",
        "leaf_key_usage",
        zoo.extended("leaf", usage=(zoo.usage(key_agreement=True), True)),
    ),
    _flaw("leaf_without_extended_key_usage", "leaf_extended_key_usage", zoo.extended("leaf", purposes=None)),
    _flaw(
        "leaf_for_servers",
        "leaf_extended_key_usage",
        zoo.extended("leaf", purposes=_purposes(ExtendedKeyUsageOID.SERVER_AUTH)),
    ),
    _flaw(
        "leaf_for_any_purpose",
        "leaf_extended_key_usage",
        zoo.extended("leaf", purposes=_purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)),
    ),
    _flaw(
        "leaf_run_out_at_signing",
        "certificate_not_valid_at_signing",
        zoo.changed("leaf", end=SIGNED_AT - timedelta(hours=1)),
    ),
    _flaw(
        "leaf_not_valid_yet_at_signing",
        "certificate_not_valid_at_signing",
        zoo.changed("leaf", start=SIGNED_AT + timedelta(hours=1)),
    ),
    _flaw(
        "regional_run_out_at_signing",
        "certificate_not_valid_at_signing",
        zoo.changed("regional", end=SIGNED_AT - timedelta(hours=1)),
    ),
    _flaw(
        "parent_is_no_ca",
        "chain_invalid",
        zoo.extended("parent", constraints=(x509.BasicConstraints(ca=False, path_length=None), True)),
    ),
    _flaw("parent_without_basic_constraints", "chain_invalid", zoo.extended("parent", constraints=None)),
    _flaw("parent_without_key_usage", "chain_invalid", zoo.extended("parent", usage=None)),
    _flaw(
        "parent_may_not_sign_certificates",
        "chain_invalid",
        zoo.extended("parent", usage=(zoo.usage(crl_sign=True), True)),
    ),
    _flaw(
        "path_longer_than_the_parent_allows",
        "chain_invalid",
        zoo.extended("parent", constraints=(x509.BasicConstraints(ca=True, path_length=0), True)),
    ),
    _flaw("regional_signed_by_somebody_else", "chain_invalid", zoo.changed("regional", issuer_key=zoo.key("somebody"))),
    _flaw("leaf_signed_by_somebody_else", "chain_invalid", zoo.changed("leaf", issuer_key=zoo.key("somebody"))),
    _flaw("leaf_of_an_issuer_with_another_name", "chain_invalid", zoo.changed("leaf", issuer_label="nobody")),
    _flaw(
        "leaf_with_unknown_critical_extension",
        "chain_invalid",
        zoo.extended("leaf", unknown=(_UNKNOWN_EXTENSION, True)),
    ),
    _flaw(
        "regional_with_unknown_critical_extension",
        "chain_invalid",
        zoo.extended("regional", unknown=(_UNKNOWN_EXTENSION, True)),
    ),
    _flaw(
        "regional_only_for_servers",
        "chain_invalid",
        zoo.extended("regional", purposes=_purposes(ExtendedKeyUsageOID.SERVER_AUTH)),
    ),
    _flaw(
        "regional_for_code_signing_alone",
        None,
        zoo.extended("regional", purposes=_purposes(ExtendedKeyUsageOID.CODE_SIGNING)),
    ),
    _flaw("leaf_signed_with_sha224", "chain_invalid", zoo.changed("leaf", hash=hashes.SHA224())),
)
