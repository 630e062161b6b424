"""The ledger of signing profile names: what it refuses, what it records, and how it is read."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import (
    Organization,
    ProfileLock,
    Validity,
    load_organization,
    lock_path,
    lock_problems,
    read_lock,
    read_organization,
    record_profiles,
    unrecorded_profiles,
)
from constructs_pkg.organization.lock import MOST_LOCK_BYTES, parse_lock
from tests.unit.organization_text import AT, GOOD, spoiled

REMEDY = "Restore the ledger from version control; only 'lambda-code-signing organization lock' writes it"
RECORDED = ProfileLock(
    {
        "acme_payments_g1": Validity(135, "MONTHS"),
        "acme_payments_g2": Validity(12, "MONTHS"),
        "acme_check_out_g1": Validity(90, "DAYS"),
    }
)
PROFILE = {"platform": "AWSLambda-SHA384-ECDSA", "validity": "90 days"}


def _organization(*changes: tuple[str, str]) -> Organization:
    return read_organization(spoiled(*changes), "acme.toml", at=AT)


def test_recording_an_organization_remembers_every_profile_and_nothing_is_left():
    lock = record_profiles(_organization(), ProfileLock())
    assert lock == RECORDED
    assert unrecorded_profiles(_organization(), lock) == ()
    assert unrecorded_profiles(_organization(), ProfileLock()) == tuple(RECORDED.validities)


def test_the_file_form_is_sorted_and_reads_back_the_same():
    profile = '"{}": {{"platform": "AWSLambda-SHA384-ECDSA", "validity": "{}"}}'
    expected = ", ".join(
        profile.format(*one)
        for one in [
            ("acme_check_out_g1", "90 days"),
            ("acme_payments_g1", "135 months"),
            ("acme_payments_g2", "12 months"),
        ]
    )
    text = RECORDED.to_json()
    assert (
        " ".join(text.split()).replace("{ ", "{").replace(" }", "}") == f'{{"version": 1, "profiles": {{{expected}}}}}'
    )
    assert text.endswith("}\n")
    assert parse_lock(RECORDED.to_json().encode(), "acme.lock.json") == RECORDED


def test_a_changed_validity_is_refused_with_the_next_free_generation():
    organization = _organization(('"135 months"', '"24 months"'))
    assert lock_problems(organization, RECORDED) == (
        Problem(
            "signing_profiles[0].validity (payments generation 1)",
            "'24 months' is not the recorded '135 months' of acme_payments_g1; "
            "a signing profile's validity can never be changed",
            "Write '135 months' again and add generation 3 with the new validity",
        ),
    )


def test_the_same_length_in_another_unit_is_a_change_too():
    organization = _organization(('"12 months"', '"1 year"'))
    assert [problem.where for problem in lock_problems(organization, RECORDED)] == [
        "signing_profiles[1].validity (payments generation 2)"
    ]


def test_a_removed_generation_is_refused_and_a_retired_one_is_not():
    first = (
        '[[signing_profiles]]\napplication = "payments"\ngeneration = 1\nvalidity = "135 months"\nstate = "retiring"\n'
    )
    assert lock_problems(_organization((first, "")), RECORDED) == (
        Problem(
            "signing_profiles",
            "'acme_payments_g1' is recorded in the ledger, but no signing profile of the file has this name any more",
            'Keep it with state = "retired": a name can never be used again. The names of the organization and of its '
            "applications are part of it and stay, too",
        ),
    )
    assert lock_problems(_organization(('"retiring"', '"retired"')), RECORDED) == ()


def test_renaming_the_organization_is_refused_for_every_profile():
    problems = lock_problems(_organization(('name = "acme"', 'name = "other"')), RECORDED)
    assert [problem.message.split("'")[1] for problem in problems] == sorted(RECORDED.validities)


def test_recording_never_overwrites_what_is_recorded():
    with pytest.raises(OrganizationError, match="can never be changed"):
        record_profiles(_organization(('"135 months"', '"24 months"')), RECORDED)


def test_loading_a_file_compares_it_with_the_ledger_beside_it(tmp_path: Path):
    path = tmp_path / "acme.toml"
    path.write_text(GOOD)
    (tmp_path / "acme.lock.json").write_text(RECORDED.to_json())
    assert load_organization(path, at=AT).name == "acme"
    path.write_text(spoiled(('"135 months"', '"24 months"')))
    with pytest.raises(OrganizationError) as caught:
        load_organization(path, at=AT)
    assert caught.value.source == str(path)
    assert [problem.where for problem in caught.value.problems] == [
        "signing_profiles[0].validity (payments generation 1)"
    ]


def test_loading_a_file_with_a_broken_ledger_names_the_ledger(tmp_path: Path):
    path = tmp_path / "acme.toml"
    path.write_text(GOOD)
    (tmp_path / "acme.lock.json").write_text("{}")
    with pytest.raises(OrganizationError) as caught:
        load_organization(path, at=AT)
    assert caught.value.source == str(tmp_path / "acme.lock.json")


def test_the_ledger_lies_beside_its_file():
    assert lock_path(Path("a/organization.toml")) == Path("a/organization.lock.json")
    assert lock_path(Path("solo")) == Path("solo.lock.json")


def test_a_ledger_that_does_not_exist_is_empty(tmp_path: Path):
    assert read_lock(tmp_path / "none.lock.json") == ProfileLock({})


def test_a_ledger_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(OrganizationError) as caught:
        read_lock(tmp_path)
    assert caught.value.problems == (Problem("file", "it cannot be read: Is a directory", REMEDY),)


def test_an_endless_ledger_is_read_up_to_the_limit_only():
    with pytest.raises(OrganizationError, match="more than 1048576 bytes"):
        read_lock(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("document", "where", "message"),
    [
        ([], "file", "a list is not an object"),
        ({}, "file", "its keys are none, not profiles, version"),
        ({"version": 1}, "file", "its keys are 'version', not profiles, version"),
        (
            {"version": 1, "profiles": {}, "more": 1},
            "file",
            "its keys are 'more', 'profiles', 'version', not profiles, version",
        ),
        ({"version": 2, "profiles": {}}, "version", "2 is not 1, the version that is known here"),
        ({"version": True, "profiles": {}}, "version", "true is not 1, the version that is known here"),
        ({"version": 1.0, "profiles": {}}, "version", "1.0 is not 1, the version that is known here"),
        ({"version": 1, "profiles": []}, "profiles", "a list is not an object"),
        ({"version": 1, "profiles": {"x": 1}}, "profiles.'x'", "1 is not an object"),
        ({"version": 1, "profiles": {"x": {}}}, "profiles.'x'", "its keys are none, not platform, validity"),
        (
            {"version": 1, "profiles": {"x": PROFILE | {"platform": "Notation-OCI-SHA384-ECDSA"}}},
            "profiles.'x'.platform",
            "'Notation-OCI-SHA384-ECDSA' is not 'AWSLambda-SHA384-ECDSA'",
        ),
        ({"version": 1, "profiles": {"x": PROFILE | {"validity": 3}}}, "profiles.'x'.validity", "3 is not a text"),
    ],
)
def test_a_ledger_of_another_form_is_refused(document: object, where: str, message: str):
    with pytest.raises(OrganizationError) as caught:
        parse_lock(json.dumps(document).encode(), "acme.lock.json")
    assert caught.value.problems == (Problem(where, message, REMEDY),)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"version": 1, "version": 1, "profiles": {}}', "the key 'version' is there twice"),
        (b"{", "it is not JSON"),
        (b"\xff", "it is not JSON in UTF-8"),
        (b"[" * 100_000, "it is not JSON in UTF-8"),
        (b" " * (MOST_LOCK_BYTES + 1), "more than 1048576 bytes"),
        (json.dumps({"version": 1, "profiles": {"x": PROFILE | {"validity": "200 years"}}}).encode(), "200 YEARS"),
    ],
)
def test_a_ledger_that_is_no_json_or_lies_is_refused(data: bytes, message: str):
    with pytest.raises(OrganizationError, match=message):
        parse_lock(data, "acme.lock.json")


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
            lambda nested: st.dictionaries(
                st.sampled_from(["version", "profiles", "platform", "validity", "x"]), nested
            ),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_bytes_are_a_ledger_or_refused(data: bytes):
    try:
        lock = parse_lock(data, "acme.lock.json")
    except OrganizationError:
        return
    assert parse_lock(lock.to_json().encode(), "again") == lock
