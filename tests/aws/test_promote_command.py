"""promote and audit as their user runs them, over a fake organization: what they print, and the exit codes."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from constructs_pkg.cli import surveying
from constructs_pkg.organization.running_code import read_running_code
from tests.aws.estate import AT, CHECKOUT, DEVELOPMENT, ROLE, SANDBOX, SECURITY, STRANGER, VENDOR, Estate


@pytest.fixture
def estate(monkeypatch) -> Estate:
    made = Estate()
    monkeypatch.setattr(surveying, "home", lambda: made.members)
    made.function("payments-charge", layers=(made.layer("observatory", VENDOR),))
    made.function("basket-view", application="checkout", signer=CHECKOUT, at=(DEVELOPMENT, "us-east-1"))
    made.function("aws-controltower-notifications", config="none", signer=None, at=(DEVELOPMENT, "eu-west-1"))
    return made


@pytest.mark.usefixtures("estate")
def test_nothing_in_the_way_shows_the_one_line_that_promotes(run_here) -> None:
    ran = run_here("promote", "first")
    assert (ran.code, ran.err) == (0, "")
    assert "Wave first (Warn): 2 accounts, as AWS Organizations has them" in ran.out
    assert "6 of 6 accounts and Regions read, 3 functions" in ran.out
    number = Path("organization.toml").read_text("utf-8").splitlines().index(_line()) + 1
    assert f'READY: change one line of organization.toml and deploy\n  {number} - mode = "Warn"' in ran.out
    assert f'  {number} + mode = "Enforce"' in ran.out
    assert re.search(
        r"(?m)^  444444444402  eu-west-1  aws-controltower-notifications  platform@\S+  2031-12-31$", ran.out
    )


def _line() -> str:
    return 'mode = "Warn"                           # untrusted code is deployed and logged'


@pytest.mark.usefixtures("estate")
def test_the_line_that_is_shown_makes_the_file_say_so(run_here) -> None:
    change = run_here("promote", "first", "--format", "json").json["change"]
    lines = Path("organization.toml").read_text("utf-8").splitlines()
    assert lines[change["line"] - 1] == change["before"]
    lines[change["line"] - 1] = change["after"]
    Path("organization.toml").write_text("\n".join(lines), "utf-8")
    after = run_here("promote", "first", "--format", "json").json
    assert (after["mode"], after["verdict"]) == ("Enforce", "blocked")  # the file enforces, the accounts not yet
    assert {one["kind"] for one in after["obstructions"]} == {"config_still_warns"}


def test_what_is_in_the_way_is_listed_with_owners_and_exits_with_1(estate, run_here) -> None:
    estate.function("payments-old", signer=None)
    estate.function("basket-odd", config="none", signer=STRANGER)
    estate.deployment("payments-charge", "MISMATCH", AT - timedelta(days=1))
    estate.counted({"FunctionName": "payments-charge"}, 1.0, AT - timedelta(days=1))
    ran = run_here("promote", "first", "--format", "json")
    assert (ran.code, ran.json["verdict"], ran.json["complete"], ran.json["change"]) == (1, "blocked", True, None)
    assert sorted((one["function"], one["kind"], one["application"]) for one in ran.json["obstructions"]) == [
        ("basket-odd", "no_config", "checkout"),
        ("payments-charge", "untrusted_deployment", "payments"),
        ("payments-charge", "validation_errors", "payments"),
        ("payments-old", "code_unsigned", "payments"),
    ]
    assert {one["function"]: one["owners"] for one in ran.json["obstructions"]}["basket-odd"] == [
        "checkout@acme.example"
    ]
    text = run_here("promote", "first")
    assert text.code == 1
    assert "BLOCKED: 4 in the way" in text.out
    assert "code_unsigned: Sign its package and deploy it" in text.out


def test_fewer_days_forget_what_is_older(estate, run_here) -> None:
    estate.deployment("payments-charge", "MISMATCH", AT - timedelta(days=3))
    assert [run_here("promote", "first", "--days", days).code for days in ("2", "4")] == [0, 1]
    assert run_here("promote", "first", "--days", "15").code == 2


FAULTS = {
    "denied": lambda faults: faults.denied_roles.add((SANDBOX, ROLE)),
    "account_closed": lambda faults: faults.closed_accounts.add(SANDBOX),
    "region_off": lambda faults: faults.regions_off.add((SANDBOX, "us-east-1")),
    "throttled": lambda faults: faults.throttled.update({(SANDBOX, "us-east-1", "lambda:ListFunctions"): 10**6}),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_reported_and_makes_the_answer_unknown(estate, run_here, kind) -> None:
    FAULTS[kind](estate.aws.faults)
    ran = run_here("promote", "first", "--format", "json")
    assert (ran.code, ran.json["verdict"], ran.json["complete"], ran.json["change"]) == (3, "unknown", False, None)
    (failure,) = ran.json["failures"]
    assert (failure["account"], failure["kind"]) == (SANDBOX, kind)
    assert {place["account"] for place in ran.json["places"]} >= {DEVELOPMENT}
    text = run_here("promote", "first")
    assert text.code == 3
    assert "UNKNOWN: not everything could be read; do not promote" in text.out
    assert kind in text.out


def test_a_part_that_is_refused_makes_the_answer_unknown_even_where_something_is_in_the_way(estate, run_here) -> None:
    estate.function("payments-old", signer=None)
    estate.aws.faults.denied_actions.add((SANDBOX, "cloudtrail:LookupEvents"))
    ran = run_here("promote", "first", "--format", "json")
    assert (ran.code, ran.json["verdict"]) == (3, "unknown")
    assert [(gap["account"], gap["part"], gap["kind"]) for gap in ran.json["gaps"]] == [
        (SANDBOX, "deployments", "denied")
    ] * 3
    assert [one["kind"] for one in ran.json["obstructions"]] == ["code_unsigned"]
    assert [place["complete"] for place in ran.json["places"] if place["account"] == SANDBOX] == [False] * 3


def test_a_run_goes_on_from_its_state(estate, run_here) -> None:
    estate.aws.faults.regions_off.add((SANDBOX, "us-east-1"))
    assert run_here("promote", "first", "--state", "kept").code == 3
    assert "--resume" in run_here("promote", "first", "--state", "kept").err
    estate.aws.faults.regions_off.clear()
    estate.aws.calls.clear()
    assert run_here("promote", "first", "--state", "kept", "--resume").code == 0
    assert estate.aws.calls["lambda:ListFunctions"] == 1
    other = run_here("promote", "first", "--days", "3", "--state", "kept", "--resume")
    assert (other.code, "holds what another command, other options" in other.err) == (2, True)
    assert run_here("promote", "first", "--resume").code == 2


def test_accounts_of_the_file_are_said_to_be_those_of_the_file(estate, run_here) -> None:
    estate.aws.add_account("444444444499", "ou-a1b2-00000001", roles=[ROLE])  # not in the file
    from_file = run_here("promote", "first", "--accounts-from", "file")
    assert (from_file.code, "the units may hold others" in from_file.out) == (0, True)
    from_aws = run_here("promote", "first", "--format", "json").json
    assert (from_aws["accounts"], from_aws["accounts_from"], from_aws["verdict"]) == (3, "organizations", "blocked")
    assert {one["kind"] for one in from_aws["obstructions"]} == {"approved_config_missing"}


@pytest.mark.usefixtures("estate")
def test_a_wave_that_does_not_exist_or_has_no_accounts_gets_no_answer(run_here) -> None:
    unknown = run_here("promote", "third")
    assert (unknown.code, "There are: first, second" in unknown.err) == (2, True)
    empty = run_here("promote", "second")
    assert (empty.code, "has no accounts" in empty.err) == (3, True)


@pytest.mark.parametrize("words", [("promote", "third"), ("rollout", "status", "--wave", "third")])
def test_a_mistyped_wave_is_told_before_anybody_is_asked_for_credentials(run_here, monkeypatch, words) -> None:
    monkeypatch.setattr(surveying, "aws_errors", lambda _doing: pytest.fail("AWS was asked"))
    ran = run_here(*words)
    assert (ran.code, "'third' is no wave of the organization acme" in ran.err) == (2, True)


def test_who_reads_from_another_account_is_told(estate, run_here, monkeypatch) -> None:
    members = estate.members
    members.home = type(members.home)(estate.aws.session(DEVELOPMENT))
    monkeypatch.setattr(surveying, "home", lambda: members)
    ran = run_here("promote", "first", "--accounts-from", "file")
    assert f"You are in the account {DEVELOPMENT}; the auditor roles trust {SECURITY}" in ran.err


@pytest.mark.usefixtures("estate")
def test_audit_writes_whose_code_runs_where(run_here) -> None:
    ran = run_here("audit", "-o", "audit.json")
    assert (ran.code, ran.err) == (0, "")
    assert "audit.json: 3 signed artifacts of 3 accounts" in ran.out
    assert read_running_code(Path("audit.json")).problems(at=AT) == ()
    document = json.loads(Path("audit.json").read_text("ascii"))
    functions = document.pop("functions")
    assert document == {"version": 1, "at": "2026-11-23T12:00:00Z", "complete": True}
    assert functions[2] == {
        "account": DEVELOPMENT,
        "region": "us-east-1",
        "function": "basket-view",
        "artifact": "function",
        "profile_version_arn": CHECKOUT,
    }
    assert [(one["artifact"].rpartition(":")[0][-11:], one["profile_version_arn"]) for one in functions[1:2]] == [
        ("observatory", VENDOR)
    ]
    assert run_here("audit", "-o", "audit.json").code == 2  # it is there


def test_an_audit_that_could_not_read_everything_is_not_complete(estate, run_here) -> None:
    estate.aws.faults.denied_roles.add((SANDBOX, ROLE))
    ran = run_here("audit", "-o", "audit.json", "--format", "json")
    assert (ran.code, ran.json["complete"], len(ran.json["failures"])) == (3, False, 1)
    (problem,) = read_running_code(Path("audit.json")).problems(at=AT)
    assert problem.where == "audit.complete"


def test_an_audit_has_gaps_and_accounts_that_nobody_vouches_for(estate, run_here) -> None:
    from_file = run_here("audit", "-o", "file.json", "--accounts-from", "file", "--format", "json")
    assert (from_file.code, from_file.json["complete"]) == (3, False)  # the accounts of "second" are not there either
    estate.aws.faults.denied_actions.add((SANDBOX, "lambda:ListCodeSigningConfigs"))
    assert run_here("audit", "-o", "gaps.json", "--format", "json").json["gaps"][0]["account"] == SANDBOX


def test_documented_json_has_the_keys_of_the_real_answer(estate, run_here) -> None:
    text = (Path(__file__).parents[2] / "docs" / "promotion.md").read_text("utf-8")
    documented = json.loads(re.findall(r"(?ms)^```json\n(.*?)^```", text)[0])
    estate.function("payments-old", signer=None)
    estate.aws.faults.regions_off.add((SANDBOX, "us-east-1"))
    estate.aws.faults.denied_actions.add((SANDBOX, "cloudtrail:LookupEvents"))
    real = run_here("promote", "first", "--format", "json").json
    assert list(documented) == list(real)
    for key in ("places", "obstructions", "exempted", "failures", "gaps"):
        assert list(documented[key][0]) == list(real[key][0])


@pytest.mark.usefixtures("estate")
def test_a_wave_that_no_single_line_promotes_is_told_in_words(run_here) -> None:
    text = Path("organization.toml").read_text("utf-8")
    Path("organization.toml").write_text(text.replace('mode = "Warn"', '"mode" = "Warn"'), "utf-8")
    ran = run_here("promote", "first")
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        'READY: write mode = "Enforce" for the wave first in organization.toml, and deploy',
    )


def test_a_wave_that_enforces_already_is_told_so(monkeypatch, run_here) -> None:
    enforced = Estate(mode="Enforce")
    monkeypatch.setattr(surveying, "home", lambda: enforced.members)
    text = Path("organization.toml").read_text("utf-8")
    Path("organization.toml").write_text(text.replace('mode = "Warn"', 'mode = "Enforce"'), "utf-8")
    ran = run_here("promote", "first")
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        "READY: the wave first enforces already, and nothing is in its way",
    )


def test_the_management_account_which_no_stack_set_reaches_is_left_out(estate, run_here) -> None:
    estate.aws.add_account("111111111111", "ou-a1b2-00000001")
    ran = run_here("promote", "first", "--format", "json")
    assert (ran.code, ran.json["accounts"], ran.json["failures"]) == (0, 2, [])
