"""Hostile bytes in: our own error or a value out, and never another meaning under an intact signature."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import CmsError, TrustError
from constructs_pkg.signing.ber import MAX_INDEFINITE_DEPTH, to_der
from constructs_pkg.signing.certificate_chain import verify_chain
from constructs_pkg.signing.cms import MAX_SIGNATURE_BYTES, SignatureEnvelope, parse_signature
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.trust import TrustDefect, TrustStore
from tests.corpus import cms_cases as corpus
from tests.corpus import independent_cms as cms
from tests.corpus.independent_cms import Parts

TRUST = TrustStore.from_pem(corpus.ROOT_PEM)
GOOD = corpus.good_entry()
GOOD_DATA = base64.b64decode(b"".join(GOOD.split()[2:-2]))
REASONS = {*CmsDefect, *TrustDefect}


def accepted(entry: bytes) -> SignatureEnvelope | None:
    """Return the envelope where everything about it is good; anything but our own errors fails the test."""
    envelope, reason = None, None
    try:
        envelope = parse_signature(entry)
        envelope.check(corpus.CONTENT_DIGEST)
        verify_chain(envelope.signer_certificate, envelope.certificates, TRUST, envelope.signed_at)
    except (CmsError, TrustError) as error:
        reason = error.reason
    assert reason in {None, *REASONS}
    return envelope if reason is None else None


def test_the_good_envelope_is_accepted() -> None:
    assert accepted(GOOD) is not None


def test_an_entry_above_the_limit_is_not_even_looked_at() -> None:
    with pytest.raises(CmsError) as caught:
        parse_signature(GOOD.ljust(MAX_SIGNATURE_BYTES + 1))
    assert (caught.value.reason, accepted(GOOD.ljust(MAX_SIGNATURE_BYTES)) is not None) == ("signature_too_large", True)


def with_flipped_bit(position: int) -> bytes:
    """Flip one bit, another one from byte to byte."""
    flipped = GOOD_DATA[position] ^ (1 << position % 8)
    return cms.armored(GOOD_DATA[:position] + bytes([flipped]) + GOOD_DATA[position + 1 :])


def test_no_envelope_with_a_flipped_bit_in_any_byte_is_accepted() -> None:
    assert [position for position in range(len(GOOD_DATA)) if accepted(with_flipped_bit(position))] == []


@given(position=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_no_changed_character_of_the_entry_changes_the_meaning(position: int, byte: int) -> None:
    envelope = accepted(GOOD[:position] + bytes([byte]) + GOOD[position + 1 :])
    assert envelope in {None, parse_signature(GOOD)}


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_in_pem_give_our_error(data: bytes) -> None:
    assert accepted(cms.armored(data)) is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_arbitrary_entries_give_our_error(entry: bytes) -> None:
    assert accepted(entry) is None


@given(position=st.integers(0, len(GOOD_DATA)), length=st.integers(0, 40), replacement=st.binary(max_size=40))
@settings(max_examples=400, deadline=None)
def test_spliced_envelopes_give_our_error_or_the_same_meaning(position: int, length: int, replacement: bytes) -> None:
    entry = cms.armored(GOOD_DATA[:position] + replacement + GOOD_DATA[position + length :])
    assert accepted(entry) in {None, parse_signature(GOOD)}


OIDS = st.sampled_from([cms.CONTENT_TYPE, cms.SIGNING_TIME_OID, cms.JOB_OID, cms.EXPIRY_OID, cms.ALGORITHM_PROTECTION])
VALUES = st.sampled_from([cms.DATA, cms.utf8(cms.JOB), cms.NULL, cms.generalized_time(cms.EXPIRY)]) | st.binary(
    max_size=30
).map(lambda body: cms.tlv(0x30, body))


@given(st.dictionaries(OIDS, st.lists(VALUES, max_size=2), min_size=1))
@settings(max_examples=150, deadline=None)
def test_well_signed_nonsense_in_the_attributes_gives_our_error_or_a_value(changes: dict[str, list[bytes]]) -> None:
    parts = Parts(corpus.CONTENT_DIGEST, corpus.GOOD_CHAIN)
    parts.attributes.update(changes)
    accepted(parts.entry())


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_ber_of_arbitrary_bytes_gives_our_error_or_at_most_a_few_bytes_more(data: bytes) -> None:
    size, reason = 0, None
    try:
        size = len(to_der(data))
    except CmsError as error:
        reason = error.reason
    assert reason in {None, *REASONS}
    assert size <= len(data) + 4 * MAX_INDEFINITE_DEPTH
