"""Rotation: the steps from a file, what an audit changes about them, and what would be stranded."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from constructs_pkg.errors import OrganizationError
from constructs_pkg.organization import read_organization
from constructs_pkg.organization.rotation import refuse_to_strand, rotation_plan, stranded
from constructs_pkg.organization.running_code import RunningCode, read_running_code
from tests.unit.organization_text import AT, spoiled

AT_REST = [('state = "retiring"', 'state = "retired"')]
ANNOUNCED = [
    ('state = "retiring"', 'state = "retired"'),
    (
        '[[signing_profiles]]\napplication = "check-out"',
        (
            '[[signing_profiles]]\napplication = "payments"\ngeneration = 3\nvalidity = "12 months"\n'
            'state = "announced"\n\n[[signing_profiles]]\napplication = "check-out"'
        ),
    ),
]
VENDOR = "arn:aws:signer:us-east-1:999999999999:/signing-profiles/Stranger/a1B2c3D4e5"


def organization(*changes):
    return read_organization(spoiled(*changes), "acme.toml", at=AT)


def own(name: str) -> str:
    return f"arn:aws:signer:eu-west-1:222222222222:/signing-profiles/{name}/a1B2c3D4e5"


def document(*artifacts: tuple[str, str], **more) -> dict:
    functions = [
        {
            "account": "444444444444",
            "region": "eu-west-1",
            "function": function,
            "artifact": "function",
            "profile_version_arn": publisher,
        }
        for function, publisher in artifacts
    ]
    return {"version": 1, "at": AT.isoformat(), "complete": True, "functions": functions, **more}


def running(*artifacts: tuple[str, str], **more) -> RunningCode:
    return RunningCode.model_validate_json(json.dumps(document(*artifacts, **more)))


def statuses(plan, application: str = "payments") -> tuple[int, int, list[str]]:
    (rotation,) = [one for one in plan if one.application == application]
    return rotation.old, rotation.new, [step.status for step in rotation.steps]


def test_at_rest_the_next_generation_is_announced_first() -> None:
    plan = rotation_plan(organization(*AT_REST))
    assert statuses(plan) == (2, 3, ["now", "later", "later", "later", "later"])
    first = plan[0].steps[0]
    assert first.change == 'add generation 3 with validity = "12 months" and state = "announced"'
    assert first.commands == ("lambda-code-signing organization lock", "cdk deploy SigningAuthority")


def test_an_announced_generation_is_accepted_everywhere_before_it_signs() -> None:
    loaded = organization(*ANNOUNCED)
    assert [profile.generation for profile in loaded.accepted_profiles_of("payments")] == [2, 3]
    assert loaded.active_profile_of("payments").generation == 2
    assert statuses(rotation_plan(loaded)) == (2, 3, ["done", "now", "now", "later", "later"])
    assert rotation_plan(loaded)[0].steps[1].commands[0] == "cdk deploy CodeSigning CodeSigningRollout"


def test_a_retiring_generation_cannot_be_retired_without_an_audit() -> None:
    plan = rotation_plan(organization())
    assert statuses(plan) == (1, 2, ["done", "done", "done", "now", "blocked"])
    # what was announced is told with its own validity, not with that of the generation before
    assert plan[0].steps[0].change == 'add generation 2 with validity = "12 months" and state = "announced"'


def test_a_retiring_generation_stays_while_something_runs_its_code() -> None:
    used = running(("payments-api", own("acme_payments_g1")), ("payments-api", own("acme_payments_g2")))
    (rotation, _) = rotation_plan(organization(), used)
    assert [step.status for step in rotation.steps] == ["done", "done", "done", "now", "blocked"]
    assert rotation.steps[3].reason == (
        "1 artifact still runs code of acme_payments_g1: 1 in 444444444444. Deploy what is left again"
    )
    unused = running(("payments-api", own("acme_payments_g2")))
    assert statuses(rotation_plan(organization(), unused)) == (1, 2, ["done", "done", "done", "done", "now"])


def test_a_full_config_takes_no_further_generation() -> None:
    vendors = "".join(
        f'\n[[external_publishers]]\nname = "v{number}"\nvendor = "V"\nprofile_version_arn = '
        f'"{VENDOR.replace("Stranger", f"V{number:03}")}"\napplications = ["payments"]\nreason = "a layer of theirs"\n'
        "review_by = 2031-01-01\n"
        for number in range(18)
    )
    loaded = read_organization(spoiled(*AT_REST) + vendors, "acme.toml", at=AT)
    (rotation, _) = rotation_plan(loaded)
    assert (rotation.publishers, rotation.steps[0].status) == (20, "blocked")
    assert "lists at most 20 publishers, and this one has 20" in rotation.steps[0].reason


def test_announcing_what_is_older_than_the_signing_generation_is_refused() -> None:
    with pytest.raises(OrganizationError, match="'announced' is what comes next, and 2 already signs"):
        organization(('state = "retiring"', 'state = "announced"'))


STRANDED = {
    "a retired generation of ours": (AT_REST, ("anything", own("acme_payments_g1")), ["payments"]),
    "a generation that the file has forgotten, in a function of a known application": (
        [],
        ("checkout-api", own("acme_check_out_g9")),
        ["check-out"],
    ),
    "another application's code in a guarded function": ([], ("checkout-api", own("acme_payments_g2")), ["check-out"]),
    "a vendor who left, in a guarded function": ([], ("checkout-api", VENDOR), ["check-out"]),
    "an accepted generation": ([], ("payments-api", own("acme_payments_g1")), []),
    "a stranger's function that nobody guards": ([], ("legacy", VENDOR), []),
    "a profile of the same name in another account": (
        AT_REST,
        ("legacy", own("acme_payments_g1").replace("222222222222", "999999999999")),
        [],
    ),
}


@pytest.mark.parametrize(("changes", "artifact", "applications"), STRANDED.values(), ids=STRANDED.keys())
def test_what_runs_without_an_accepted_publisher_is_stranded(changes, artifact, applications) -> None:
    found = stranded(organization(*changes), running(artifact))
    assert [one.application for one in found] == applications


def test_synth_refuses_to_strand_and_names_every_artifact(tmp_path: Path) -> None:
    audit = tmp_path / "audit.json"
    audit.write_text(json.dumps(document(("a", own("acme_payments_g1")), ("b", own("acme_payments_g1")))))
    with pytest.raises(OrganizationError) as refusal:
        refuse_to_strand(organization(*AT_REST), audit, at=AT)
    assert [problem.where for problem in refusal.value.problems] == [
        "444444444444/eu-west-1 a (function)",
        "444444444444/eu-west-1 b (function)",
    ]
    assert "which payments no longer accepts" in str(refusal.value)
    refuse_to_strand(organization(), audit, at=AT)


def test_a_refusal_names_some_of_many_and_counts_the_others(tmp_path: Path) -> None:
    audit = tmp_path / "audit.json"
    audit.write_text(json.dumps(document(*((f"f-{number}", own("acme_payments_g1")) for number in range(1200)))))
    with pytest.raises(OrganizationError) as refusal:
        refuse_to_strand(organization(*AT_REST), audit, at=AT)
    assert len(refusal.value.problems) == 51
    assert refusal.value.problems[-1].message == "1,150 more artifacts would be stranded"


def test_an_audit_that_proves_nothing_is_refused(tmp_path: Path) -> None:
    audit = tmp_path / "audit.json"
    audit.write_text(json.dumps(document(complete=False)))
    with pytest.raises(OrganizationError, match="could not read every account and Region"):
        refuse_to_strand(organization(), audit, at=AT)
    audit.write_text(json.dumps(document()))
    with pytest.raises(OrganizationError, match="an audit holds for 7 days"):
        refuse_to_strand(organization(), audit, at=AT + timedelta(days=8))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON"),
        (json.dumps({**document(), "version": 2}), "version"),
        (json.dumps({**document(), "more": 1}), "more"),
        (json.dumps(document(at="2026-11-23T12:00:00")), "timezone"),
        (
            json.dumps(document(("a", "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/x"))),
            "profile_version_arn",
        ),
    ],
)
def test_what_is_no_audit_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    audit = tmp_path / "audit.json"
    audit.write_text(text)
    with pytest.raises(OrganizationError, match=message):
        read_running_code(audit)
