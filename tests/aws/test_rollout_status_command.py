"""rollout status as its user runs it: waves, instances, drift and the last operation, and what is not known."""

from datetime import timedelta

import pytest

from constructs_pkg.cli import surveying
from constructs_pkg.testing.fake_organization.stack_records import FakeOperation, FakeStackInstance, FakeStackSet
from tests.aws.estate import DEVELOPMENT, REGIONS, SANDBOX, Estate

PRODUCTION = ("444444444403", "444444444404")
FIRST, SECOND = "acme-code-signing-first", "acme-code-signing-second"


def stack_set(name, mode, accounts) -> FakeStackSet:
    instances = {
        (account, region): FakeStackInstance(account, region, f"stack-{account}-{region}", drift_status="IN_SYNC")
        for account in accounts
        for region in REGIONS
    }
    return FakeStackSet(name, "{}", {"Mode": mode}, instances, [FakeOperation("op-1", "UPDATE", 0.0, "SUCCEEDED")])


@pytest.fixture
def estate(monkeypatch) -> Estate:
    made = Estate()
    made.aws.stack_sets = {
        FIRST: stack_set(FIRST, "Warn", (SANDBOX, DEVELOPMENT)),
        SECOND: stack_set(SECOND, "Enforce", PRODUCTION),
    }
    monkeypatch.setattr(surveying, "home", lambda: made.members)
    return made


@pytest.mark.usefixtures("estate")
def test_everything_up_to_date_and_in_sync_is_a_yes(run_here) -> None:
    ran = run_here("rollout", "status")
    assert (ran.code, ran.err) == (0, "")
    assert " ".join(ran.out.splitlines()[2].split()) == f"first {FIRST} Warn 6 CURRENT 6 IN_SYNC UPDATE SUCCEEDED"
    assert ran.out.endswith("Everything is up to date and in sync\n")
    assert run_here("rollout", "status", "--format", "json").json["stack_sets"][1] == {
        "wave": "second",
        "name": SECOND,
        "mode": "Enforce",
        "exists": True,
        "deployed_mode": "Enforce",
        "instances": {"CURRENT": 6},
        "drift": {"IN_SYNC": 6},
        "missing": [],
        "not_current": [],
        "drifted": [],
        "last_operation": {
            "id": "op-1",
            "action": "UPDATE",
            "status": "SUCCEEDED",
            "began_at": None,
            "ended_at": None,
            "reason": "",
        },
        "problems": [],
        "unknown": [],
    }


def first(run_here, code):
    ran = run_here("rollout", "status", "--wave", "first", "--format", "json")
    assert ran.code == code
    (found,) = ran.json["stack_sets"]
    return found


def test_a_wave_that_is_not_deployed_is_wrong(estate, run_here) -> None:
    del estate.aws.stack_sets[FIRST]
    found = first(run_here, 1)
    assert (found["exists"], found["problems"]) == (False, [f"there is no StackSet {FIRST}: deploy the rollout"])
    assert "not deployed" in run_here("rollout", "status").out


def test_drift_instances_behind_and_missing_ones_are_named(estate, run_here) -> None:
    instances = estate.aws.stack_sets[FIRST].instances
    instances[SANDBOX, "eu-west-1"].drift_status = "DRIFTED"
    instances[SANDBOX, "us-east-1"].status = "INOPERABLE"
    instances[SANDBOX, "us-east-1"].reason = "suspended"
    del instances[DEVELOPMENT, "eu-central-1"]
    estate.aws.stack_sets[FIRST].parameters["Mode"] = "Enforce"
    estate.aws.stack_sets[FIRST].operations[0].status = "FAILED"
    found = first(run_here, 1)
    assert found["problems"] == [
        "it has Mode Enforce, the organization file says Warn: deploy the rollout",
        f"1 account and Region of the file without an instance: {DEVELOPMENT}/eu-central-1",
        f"1 instance is not up to date: {SANDBOX}/us-east-1",
        f"1 instance has drifted: {SANDBOX}/eu-west-1",
        "the last operation, UPDATE op-1, ended FAILED",
    ]
    assert found["not_current"][0]["reason"] == "suspended"
    assert found["drifted"] == [{"account": SANDBOX, "region": "eu-west-1", "checked_at": None}]
    assert found["missing"] == [{"account": DEVELOPMENT, "region": "eu-central-1"}]


@pytest.mark.parametrize("drift", ["NOT_CHECKED", "UNKNOWN"])
def test_drift_that_is_not_known_is_not_in_sync(estate, run_here, drift) -> None:
    estate.aws.stack_sets[FIRST].instances[SANDBOX, "eu-west-1"].drift_status = drift
    found = first(run_here, 3)
    assert (found["problems"], len(found["unknown"])) == ([], 1)
    assert "Not known\n" in run_here("rollout", "status").out


def test_an_operation_that_runs_leaves_it_open(estate, run_here) -> None:
    stack_set_ = estate.aws.stack_sets[FIRST]
    stack_set_.operations.insert(0, FakeOperation("op-2", "UPDATE", timedelta(days=1).total_seconds()))
    assert first(run_here, 3)["unknown"] == ["an operation, UPDATE op-2, is RUNNING"]


def test_a_stack_set_without_instances_is_not_up_to_date(estate, run_here) -> None:
    estate.aws.stack_sets[FIRST].instances.clear()
    found = first(run_here, 1)
    assert (len(found["missing"]), found["unknown"]) == (6, ["it has no instances"])


def test_a_listing_in_pages_that_repeat_counts_each_instance_once(estate, run_here) -> None:
    estate.aws.faults.repeated_pages.add("cloudformation:ListStackInstances")
    assert first(run_here, 0)["instances"] == {"CURRENT": 6}


def test_what_cloudformation_refuses_ends_without_a_verdict(estate, run_here) -> None:
    estate.aws.faults.denied_actions.add(("222222222222", "cloudformation:ListStackInstances"))
    ran = run_here("rollout", "status")
    assert (ran.code, ran.out, "AccessDenied" in ran.err) == (3, "", True)


@pytest.mark.usefixtures("estate")
def test_a_wave_that_is_none_is_refused(run_here) -> None:
    ran = run_here("rollout", "status", "--wave", "third")
    assert (ran.code, "There are: first, second" in ran.err) == (2, True)
