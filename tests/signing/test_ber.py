"""The step from AWS's two BER wrappers to DER."""

import pytest

from constructs_pkg.errors import CmsError
from constructs_pkg.signing.ber import der_element, indefinite_element, to_der

INNER = bytes.fromhex("020101")


@pytest.mark.parametrize(
    ("ber", "der"),
    [
        ("3003020101", "3003020101"),
        ("30800201010000", "3003020101"),
        ("3080a0800201010000" + "0000", "3005a003020101"),
        ("30800000", "3000"),
        # What has a definite length is copied and never looked into, not even where DER would forbid it.
        ("308030810302010100 00", "30063081030201 01"),
        ("3080 3004 30800000 0000", "3006 3004 30800000"),
    ],
)
def test_two_wrappers_become_definite_and_everything_else_is_copied(ber: str, der: str) -> None:
    assert to_der(bytes.fromhex(ber)).hex() == bytes.fromhex(der).hex()


@pytest.mark.parametrize(
    ("ber", "reason"),
    [
        ("", "signature_malformed"),
        ("30", "signature_malformed"),
        ("3005020101", "signature_malformed"),
        ("30850000000000", "signature_malformed"),
        ("3084ffffffff", "signature_malformed"),
        ("3082", "signature_malformed"),
        ("3080020101", "signature_malformed"),
        ("308002010100", "signature_malformed"),
        ("04800201010000", "signature_malformed"),
        ("1f8101020304", "signature_malformed"),
        ("308030803080000000000000", "signature_ber_too_deep"),
        ("300302010100", "signature_trailing_data"),
        ("308002010100000000", "signature_trailing_data"),
    ],
)
def test_what_is_not_one_bounded_element_is_refused(ber: str, reason: str) -> None:
    with pytest.raises(CmsError) as caught:
        to_der(bytes.fromhex(ber))
    assert caught.value.reason == reason


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_elements_of_any_length_are_written_in_the_shortest_form(length: int) -> None:
    element = der_element(0x04, b"x" * length)
    header = {0: 2, 1: 2, 127: 2, 128: 3, 255: 3, 256: 4, 65535: 4, 65536: 5}[length]
    assert (len(element), to_der(indefinite_element(0x30, element))) == (header + length, der_element(0x30, element))


def test_a_wrapper_with_a_hundred_thousand_children_is_read_in_one_pass() -> None:
    children = INNER * 100_000
    assert to_der(indefinite_element(0x30, children)) == der_element(0x30, children)
