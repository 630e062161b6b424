"""Trust roots and what they are compared by."""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from constructs_pkg.errors import TrustError
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.trust import (
    DOCUMENTED_COMMERCIAL_ROOT_SHA256,
    MAX_PEM_BYTES,
    MAX_ROOTS,
    CertificateSummary,
    TrustStore,
    fingerprint_text,
    parse_fingerprint,
)
from tests.corpus import certificate_zoo as zoo
from tests.corpus import cms_cases as corpus

ENVELOPE = parse_signature(corpus.good_entry())
ROOT_SHA256 = hashlib.sha256(corpus.GOOD_CHAIN.root.public_bytes(Encoding.DER)).hexdigest()


def _judge(trust: TrustStore) -> tuple[str, ...]:
    chain = verify_chain(ENVELOPE.signer_certificate, ENVELOPE.certificates, trust, ENVELOPE.signed_at)
    return tuple(summary.subject for summary in chain.summary)


SUBJECTS = tuple(
    f"O=Public test keys,CN=Conformance corpus {level}" for level in ("leaf", "regional", "parent", "root")
)


@pytest.mark.parametrize(
    "trust",
    [
        TrustStore.from_pem(corpus.ROOT_PEM),
        TrustStore.from_pem(corpus.ROOT_PEM.decode()),
        TrustStore(fingerprints=frozenset({ROOT_SHA256})),
        TrustStore.from_pem(zoo.other_root().root.public_bytes(Encoding.PEM), fingerprints=[ROOT_SHA256.upper()]),
        TrustStore.from_pem(zoo.other_root().root.public_bytes(Encoding.PEM)) | TrustStore.from_pem(corpus.ROOT_PEM),
    ],
    ids=["pem", "text", "fingerprint", "fingerprint-beside-another-root", "union"],
)
def test_the_chain_is_leaf_first_under_any_way_to_trust_the_root(trust: TrustStore) -> None:
    assert _judge(trust) == SUBJECTS


@pytest.mark.parametrize(
    "trust",
    [
        TrustStore(),
        TrustStore(fingerprints=frozenset({DOCUMENTED_COMMERCIAL_ROOT_SHA256})),
        TrustStore(fingerprints=frozenset({hashlib.sha256(b"").hexdigest()})),
        TrustStore.from_pem(zoo.other_root().root.public_bytes(Encoding.PEM)),
    ],
    ids=["nothing", "documented-root", "other-fingerprint", "other-root"],
)
def test_the_root_that_the_archive_brings_is_not_trusted_for_being_there(trust: TrustStore) -> None:
    with pytest.raises(TrustError) as caught:
        _judge(trust)
    assert caught.value.reason == "root_untrusted"
    assert fingerprint_text(ROOT_SHA256) in str(caught.value)


def test_a_fingerprint_of_a_certificate_that_is_no_root_makes_nothing_a_root() -> None:
    leaf = hashlib.sha256(corpus.GOOD_CHAIN.leaf.public_bytes(Encoding.DER)).hexdigest()
    with pytest.raises(TrustError) as caught:
        _judge(TrustStore(fingerprints=frozenset({leaf})))
    assert caught.value.reason == "root_untrusted"


def test_no_store_holds_the_documented_root_unless_it_was_put_there() -> None:
    assert (bool(TrustStore()), TrustStore().fingerprints, TrustStore().roots) == (False, frozenset(), ())


def test_certificate_hashes_are_those_of_the_revocation_lookup() -> None:
    chain = verify_chain(
        ENVELOPE.signer_certificate, ENVELOPE.certificates, TrustStore.from_pem(corpus.ROOT_PEM), ENVELOPE.signed_at
    )
    leaf, regional, parent, root = (
        hashlib.sha384(certificate.tbs_certificate_bytes).hexdigest() for certificate in corpus.GOOD_CHAIN.certificates
    )
    assert chain.certificate_hashes == (leaf + regional, regional + parent, parent + root, root + root)


def test_a_summary_holds_what_people_compare() -> None:
    summary = CertificateSummary.of(corpus.GOOD_CHAIN.root)
    assert summary == CertificateSummary(
        SUBJECTS[-1],
        SUBJECTS[-1],
        f"{corpus.GOOD_CHAIN.root.serial_number:x}",
        zoo.CA_START,
        zoo.CA_END,
        fingerprint_text(ROOT_SHA256),
    )


@pytest.mark.parametrize("text", [ROOT_SHA256, ROOT_SHA256.upper(), fingerprint_text(ROOT_SHA256)])
def test_fingerprints_are_read_in_any_of_their_forms(text: str) -> None:
    assert parse_fingerprint(text) == ROOT_SHA256


@pytest.mark.parametrize(
    "text",
    ["", "ab", ROOT_SHA256[:-1], ROOT_SHA256 + "00", "g" * 64, ":".join(ROOT_SHA256), ROOT_SHA256 + "\n", "é" * 64],
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(TrustError) as caught:
        parse_fingerprint(text)
    assert caught.value.reason == "fingerprint_malformed"


PRIVATE_KEY = zoo.key("root").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


SELF_SIGNED = zoo.plans()["root"].extended(constraints=(x509.BasicConstraints(ca=False, path_length=None), True))


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not PEM",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        corpus.GOOD_CHAIN.leaf.public_bytes(Encoding.PEM),
        corpus.GOOD_CHAIN.certificates[1].public_bytes(Encoding.PEM),
        SELF_SIGNED.make().public_bytes(Encoding.PEM),
        SELF_SIGNED.extended(constraints=None).make().public_bytes(Encoding.PEM),
        corpus.ROOT_PEM + PRIVATE_KEY,
        corpus.ROOT_PEM + b"#" * MAX_PEM_BYTES,
    ],
    ids=["empty", "text", "garbage", "leaf", "intermediate", "no-ca", "silent", "with-private-key", "too-large"],
)
def test_what_cannot_be_a_root_is_refused_when_the_store_is_made(pem: bytes) -> None:
    with pytest.raises(TrustError) as caught:
        TrustStore.from_pem(pem)
    assert caught.value.reason == "root_malformed"


def test_a_store_has_a_bound() -> None:
    fingerprints = [hashlib.sha256(bytes([number])).hexdigest() for number in range(MAX_ROOTS + 1)]
    with pytest.raises(TrustError, match="21 trust roots"):
        TrustStore(fingerprints=frozenset(fingerprints))
    assert len(TrustStore(fingerprints=frozenset(fingerprints[1:])).fingerprints) == MAX_ROOTS


def test_a_store_writes_the_pem_that_it_reads() -> None:
    store = TrustStore.from_pem(corpus.ROOT_PEM)
    assert TrustStore.from_pem(store.pem) == store
