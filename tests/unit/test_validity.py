"""The validity period of a signing profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_pkg.errors import LambdaCodeSigningError, ValidityError
from constructs_pkg.validity import LONGEST_VALIDITY, Validity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("135 months", Validity(135, "MONTHS")),
        ("1 month", Validity(1, "MONTHS")),
        ("1 day", Validity(1, "DAYS")),
        ("4106 days", Validity(4106, "DAYS")),
        ("11 YEARS", Validity(11, "YEARS")),
        ("  90   Days ", Validity(90, "DAYS")),
    ],
)
def test_a_period_is_read_as_people_write_it(text, expected):
    assert Validity.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "validity '' is not a period"),
        ("months", "validity 'months' is not a period"),
        ("12", "validity '12' is not a period"),
        ("12months", "validity '12months' is not a period"),
        ("-1 days", "validity '-1 days' is not a period"),
        ("1.5 years", "validity '1.5 years' is not a period"),
        ("٣ days", "validity '٣ days' is not a period"),
        ("1 day\nbar", "validity '1 day\\nbar' is not a period"),
        ("12 hours", "validity '12 hours' has the unit 'hours'"),
        ("9" * 5000 + " days", "validity '9999999999999999999999999999999999999999' is not a period"),
        ("0 days", "validity of 0 DAYS is outside of 1 to 4106 DAYS"),
        ("4107 days", "validity of 4107 DAYS is outside of 1 to 4106 DAYS"),
        ("136 months", "validity of 136 MONTHS is outside of 1 to 135 MONTHS"),
        ("12 years", "validity of 12 YEARS is outside of 1 to 11 YEARS"),
    ],
)
def test_anything_else_is_refused_with_the_text_and_the_remedy(text, message):
    with pytest.raises(ValidityError) as caught:
        Validity.parse(text)
    remedy = "A signature is valid for 1 day to 135 months: write it like '90 days', '24 months' or '10 years'"
    assert str(caught.value) == f"{message}. {remedy}"


def test_a_unit_that_signer_does_not_have_is_refused():
    with pytest.raises(ValidityError, match="unit 'WEEKS'; use one of DAYS, MONTHS, YEARS"):
        Validity(2, "WEEKS")  # pyright: ignore[reportArgumentType]: what an untyped caller can pass


@pytest.mark.parametrize("value", [True, 1.0, "3", None])
def test_a_value_that_is_not_a_whole_number_is_refused(value):
    with pytest.raises(ValidityError, match="not a whole number"):
        Validity(value, "DAYS")


def test_the_error_is_caught_as_a_value_error_and_as_this_package_s_own():
    with pytest.raises(ValueError, match="is not a period") as caught:
        Validity.parse("for ever")
    assert isinstance(caught.value, LambdaCodeSigningError)


def test_twelve_months_and_a_year_are_different_profiles_for_cloudformation():
    assert Validity.parse("12 months") != Validity.parse("1 year")


def test_the_longest_validity_is_135_months():
    assert str(LONGEST_VALIDITY) == "135 months"


@given(
    st.sampled_from([("DAYS", 4106), ("MONTHS", 135), ("YEARS", 11)]).flatmap(
        lambda bound: st.builds(Validity, st.integers(1, bound[1]), st.just(bound[0]))
    )
)
def test_what_is_printed_is_read_back_as_the_same_period(validity):
    assert Validity.parse(str(validity)) == validity
