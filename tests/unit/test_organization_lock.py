"""The ledger of signing profile names: what it refuses, what it records, and how it is read."""

import json
from dataclasses import replace
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
    unrecorded_rollout,
    warnings_of,
)
from constructs_pkg.organization.lock import MOST_LOCK_BYTES, parse_lock
from constructs_pkg.organization.recorded_rollout import RecordedRollout
from tests.unit.organization_text import AT, GOOD, spoiled

REMEDY = "Restore the ledger from version control; only 'lambda-code-signing organization lock' writes it"
RECORDED = ProfileLock(
    {
        "acme_payments_g1": Validity(135, "MONTHS"),
        "acme_payments_g2": Validity(12, "MONTHS"),
        "acme_check_out_g1": Validity(90, "DAYS"),
    },
    RecordedRollout(
        home_region="eu-west-1",
        permission_model="service-managed",
        units={"ou-a1b2-00000001": "acme-code-signing-first", "ou-a1b2-00000002": "acme-code-signing-second"},
        parts={"check-out": 1, "payments": 1},
    ),
)
ROLLOUT = {"home_region": None, "permission_model": None, "units": {}, "parts": {}}
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
    rollout = (
        '{"home_region": "eu-west-1", "permission_model": "service-managed", '
        '"units": {"ou-a1b2-00000001": "acme-code-signing-first", "ou-a1b2-00000002": "acme-code-signing-second"}, '
        '"parts": {"check-out": 1, "payments": 1}}'
    )
    assert " ".join(text.split()).replace("{ ", "{").replace(" }", "}") == (
        f'{{"version": 2, "profiles": {{{expected}}}, "rollout": {rollout}}}'
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


def test_renaming_the_organization_is_refused_in_one_line_that_tells_of_examples_too():
    """Who makes an example file their own meets its ledger first."""
    (problem,) = lock_problems(_organization(('name = "acme"', 'name = "other"')), RECORDED)
    assert problem.message == "the ledger records other names only: 'acme_check_out_g1' and 2 others"
    assert problem.remedy.startswith("Remove it if it came with an example")
    assert "names that can never be used again" in problem.remedy


def test_recording_never_overwrites_what_is_recorded():
    with pytest.raises(OrganizationError, match="can never be changed"):
        record_profiles(_organization(('"135 months"', '"24 months"')), RECORDED)


FORGET = "lambda-code-signing organization lock --forget"
TAKEN_IN_ACCOUNTS = "would meet policies and roles whose names are taken in its accounts"
STEPS = (
    "Leave it in its wave, and the wave its name. To move it: take it out of every wave, deploy, delete what is left "
    f"in its accounts, run '{FORGET} units.{{}}', put it in, deploy"
)


def _moved(unit: str, wave: tuple[int, str], name: str, *, was: str) -> Problem:
    return Problem(
        f"waves[{wave[0]}].organizational_units ({wave[1]})",
        f"the unit {name!r} was rolled out by the StackSet acme-code-signing-{was}; acme-code-signing-"
        f"{wave[1]} {TAKEN_IN_ACCOUNTS}",
        STEPS.format(unit),
    )


def test_a_unit_that_moves_to_another_wave_is_refused_with_the_order_of_steps():
    both = 'organizational_units = ["production", "sandbox"]'
    first = GOOD[GOOD.index("[[waves]]") : GOOD.index("[[waves]]", GOOD.index("[[waves]]") + 1)]
    moved = _organization(('organizational_units = ["production"]', both), (first, ""))
    assert lock_problems(moved, RECORDED) == (_moved("ou-a1b2-00000001", (0, "second"), "sandbox", was="first"),)


def test_a_wave_that_is_renamed_is_refused_and_an_underscore_for_a_dash_is_the_same_name():
    renamed = _organization(('name = "second"', 'name = "later"'))
    assert lock_problems(renamed, RECORDED) == (_moved("ou-a1b2-00000002", (1, "later"), "production", was="second"),)
    dash = replace(RECORDED.rollout, units={"ou-a1b2-00000002": "acme-code-signing-second-wave"})
    same = _organization(('name = "second"', 'name = "second_wave"'))
    assert lock_problems(same, replace(RECORDED, rollout=dash)) == ()


def test_an_application_that_moves_to_another_part_is_refused():
    moved = _organization(('owners = ["checkout@acme.example"]', 'owners = ["checkout@acme.example"]\npart = 2'))
    assert lock_problems(moved, RECORDED) == (
        Problem(
            "applications[1].part (check-out)",
            "2 is not the recorded 1: the StackSets of the other part would meet policies and parameters whose names "
            "are taken",
            "Write part = 1, and another part for applications that were never rolled out. If this one never was, run "
            f"'{FORGET} parts.check-out'",
        ),
    )
    assert lock_problems(moved, RECORDED.without("parts.check-out")) == ()


def test_a_home_region_and_a_permission_model_that_change_are_refused():
    changed = _organization(
        ('home_region = "eu-west-1"', 'home_region = "us-east-1"'),
        ("[[waves]]", '[rollout]\npermission_model = "self-managed"\n\n[[waves]]'),
    )
    assert lock_problems(changed, RECORDED) == (
        Problem(
            "organization.home_region",
            "'us-east-1' is not the recorded 'eu-west-1': the signing profiles, the StackSets and the event bus are "
            "there, and names of roles and policies that would be made anew are taken",
            f"Write 'eu-west-1' again. If nothing was ever deployed, run '{FORGET} home_region'",
        ),
        Problem(
            "rollout.permission_model",
            "'self-managed' is not the recorded 'service-managed': CloudFormation would make the StackSets anew, "
            "under names that are taken",
            f"Write 'service-managed' again. If the StackSets are gone or never were, run '{FORGET} permission_model'",
        ),
    )
    assert lock_problems(changed, RECORDED.without("home_region").without("permission_model")) == ()


def test_a_unit_that_is_taken_out_is_no_contradiction_but_is_told_of():
    first = GOOD[GOOD.index("[[waves]]") : GOOD.index("[[waves]]", GOOD.index("[[waves]]") + 1)]
    gone = _organization((first, ""))
    assert lock_problems(gone, RECORDED) == ()
    told = [one for one in warnings_of(gone, at=AT, lock=RECORDED) if "ou-a1b2-00000001" in one.message]
    assert told == [
        Problem(
            "waves",
            "the unit ou-a1b2-00000001 was rolled out by acme-code-signing-first and is in no wave now: the wave is "
            "gone, too, so that the StackSet and its stacks stay",
            f"Once nothing is left in its accounts, run '{FORGET} units.ou-a1b2-00000001'",
        )
    ]
    both = replace(RECORDED.rollout, units={**RECORDED.rollout.units, "ou-a1b2-00000009": "acme-code-signing-first"})
    (left,) = [
        one.message
        for one in warnings_of(_organization(), at=AT, lock=replace(RECORDED, rollout=both))
        if "ou-a1b2-00000009" in one.message
    ]
    assert left.endswith("the next deployment deletes its stacks, which fails where a function still has a config")


def test_a_ledger_of_version_1_knows_of_no_rollout_and_lock_adds_it():
    old = parse_lock(json.dumps({"version": 1, "profiles": {"acme_payments_g1": PROFILE}}).encode(), "acme.lock.json")
    assert old.rollout == RecordedRollout()
    assert unrecorded_rollout(_organization(), old) == RECORDED.rollout.keys
    assert record_profiles(_organization(), ProfileLock(RECORDED.validities)) == RECORDED


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
    with pytest.raises(OrganizationError, match="more than 1,048,576 bytes"):
        read_lock(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("document", "where", "message"),
    [
        ([], "file", "a list is not an object"),
        ({}, "file", "its keys are none, not profiles, rollout, version"),
        ({"version": 1}, "file", "its keys are 'version', not profiles, version"),
        (
            {"version": 1, "profiles": {}, "more": 1},
            "file",
            "its keys are 'more', 'profiles', 'version', not profiles, version",
        ),
        ({"version": 2, "profiles": {}}, "file", "its keys are 'profiles', 'version', not profiles, rollout, version"),
        ({"version": 3, "profiles": {}}, "version", "3 is neither 1 nor 2, the versions that are known here"),
        ({"version": True, "profiles": {}}, "version", "true is neither 1 nor 2, the versions that are known here"),
        ({"version": 1.0, "profiles": {}}, "version", "1.0 is neither 1 nor 2, the versions that are known here"),
        (
            {"version": None, "profiles": {}, "rollout": ROLLOUT},
            "version",
            "None is neither 1 nor 2, the versions that are known here",
        ),
        ({"version": 2, "profiles": {}, "rollout": []}, "rollout", "a list is not an object"),
        (
            {"version": 2, "profiles": {}, "rollout": ROLLOUT | {"home_region": 1}},
            "rollout.home_region",
            "1 is neither a text nor null",
        ),
        ({"version": 2, "profiles": {}, "rollout": ROLLOUT | {"units": 1}}, "rollout.units", "1 is not an object"),
        (
            {"version": 2, "profiles": {}, "rollout": ROLLOUT | {"units": {"ou": 1}}},
            "rollout.units.'ou'",
            "1 is not a text",
        ),
        (
            {"version": 2, "profiles": {}, "rollout": ROLLOUT | {"parts": {"payments": True}}},
            "rollout.parts.'payments'",
            "true is not a number",
        ),
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
        (b" " * (MOST_LOCK_BYTES + 1), "more than 1,048,576 bytes"),
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
                st.sampled_from(["version", "profiles", "rollout", "units", "platform", "validity", "x"]), nested
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
