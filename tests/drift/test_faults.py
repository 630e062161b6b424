"""What goes wrong, one thing at a time: it is told, the others are looked at, each instance has exactly one row."""

import json
from typing import Any

import pytest

from constructs_pkg.runtime.drift import repair, steps
from constructs_pkg.testing.fake_organization import ServiceAnswer
from constructs_pkg.testing.fake_organization.stack_records import FakeOperation
from tests.drift.test_runs import NIGHTLY, only_row, ran
from tests.drift.world import MACHINE, REGION, STACK_SET, Killed, Machine, World, outcomes, rows_of


def test_a_stack_set_that_is_gone_fails_the_run_and_says_so() -> None:
    world = World(accounts=1)
    world.aws.stack_sets[STACK_SET].status = "DELETED"
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert (answer["status"], machine.report(answer)["rows"]) == ("FAILED", [])
    assert answer["summary"].startswith(f"RUN FAILED (the StackSet {STACK_SET} does not exist.")
    assert len(world.aws.messages) == 1


def test_an_operation_in_progress_is_waited_for() -> None:
    world = World(accounts=1)
    ready_at = world.clock.monotonic() + 600
    world.aws.stack_sets[STACK_SET].operations.append(FakeOperation("update-1", "UPDATE", ready_at))
    report = ran(world)
    assert outcomes(report) == {world.member_accounts[0]: "clean"}
    assert world.clock.monotonic() > ready_at


def test_an_operation_that_never_ends_does_not_hide_the_other_tiers() -> None:
    world = World(accounts=2)
    world.settings = world.settings.__class__(bucket=world.settings.bucket, wait_seconds=3600)
    detached, other = world.member_accounts
    world.detach(detached)
    world.aws.stack_sets[STACK_SET].operations.append(FakeOperation("update-1", "UPDATE", 1e9))
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert answer["status"] == "FAILED"
    assert "was not over after 4:00:00" in answer["summary"]
    # each stack was then looked at by itself
    assert outcomes(machine.report(answer)) == {detached: "reverted", other: "clean"}


def test_an_inoperable_instance_and_a_suspended_account_are_told() -> None:
    world = World(accounts=3)
    inoperable, suspended, clean = world.member_accounts
    instances = world.aws.stack_sets[STACK_SET].instances
    instances[inoperable, REGION].status = "INOPERABLE"
    instances[suspended, REGION].status = "SKIPPED_SUSPENDED_ACCOUNT"
    assert outcomes(ran(world)) == {inoperable: "needs_human", suspended: "unknown", clean: "clean"}


def test_a_stack_that_takes_no_change_is_left_alone() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.stack(account).status = "UPDATE_ROLLBACK_FAILED"
    row = only_row(ran(world))
    assert row["outcome"] == "needs_human"
    assert "until a human has continued the rollback" in row["findings"][0]["explanation"]
    assert world.aws.calls["cloudformation:CreateChangeSet"] == 0


def test_a_stack_that_was_rolled_back_is_repaired() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.stack(account).status = "UPDATE_ROLLBACK_COMPLETE"
    assert only_row(ran(world))["outcome"] == "reverted"


def test_a_stack_that_is_gone_is_told() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.place(account).stacks.clear()
    row = only_row(ran(world))
    assert row["outcome"] == "needs_human"
    assert row["findings"][0]["kind"] == "stack-gone"


def test_a_stack_that_somebody_updates_is_waited_for() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)

    def busy(task: str, count: int) -> None:
        if (task, count) == ("repair", 1):
            world.stack(account).settles_at = world.clock.monotonic() + 200

    machine = Machine(world)
    machine.on_task = busy
    assert only_row(machine.report(machine.run(NIGHTLY)))["outcome"] == "reverted"


def changed_stack(world: World) -> str:
    (account,) = world.member_accounts
    world.stack(account).parameters["Mode"] = "Warn"
    world.weaken(account)
    world.weaken(account, "checkout")
    return account


def test_a_stack_set_that_is_updated_during_a_run_is_not_taken_back() -> None:
    """The member stack must not get the template that the StackSet had when the run began."""
    world = World(accounts=1)
    account = changed_stack(world)

    def rollout(task: str, count: int) -> None:
        if (task, count) == ("repair", 1):
            world.aws.stack_sets[STACK_SET].parameters["Mode"] = "Warn"

    machine = Machine(world)
    machine.on_task = rollout
    row = only_row(machine.report(machine.run(NIGHTLY)))
    assert row["outcome"] == "unknown"
    assert "StackSetChanged" in row["findings"][0]["explanation"]
    assert world.stack(account).executed == []


def test_a_rollout_that_begins_during_a_run_is_not_overtaken() -> None:
    world = World(accounts=1)
    account = changed_stack(world)

    def rollout(task: str, count: int) -> None:
        if (task, count) == ("repair", 1):
            world.aws.stack_sets[STACK_SET].instances[account, REGION].status = "PENDING"

    machine = Machine(world)
    machine.on_task = rollout
    row = only_row(machine.report(machine.run(NIGHTLY)))
    assert (row["outcome"], "RolloutInProgress" in row["findings"][0]["explanation"]) == ("unknown", True)
    assert world.stack(account).executed == []


def test_a_stack_that_never_settles_is_given_up() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.detach(account)

    def busy(task: str, _count: int) -> None:
        if task == "repair":
            world.stack(account).settles_at = 1e9

    machine = Machine(world)
    machine.on_task = busy
    row = only_row(machine.report(machine.run(NIGHTLY)))
    assert row["outcome"] == "failed"
    assert row["explanation"].startswith("given up: the stack is UPDATE_IN_PROGRESS")
    assert machine.log.count("repair") == repair.MOST_ATTEMPTS


def test_an_update_that_is_rolled_back_is_not_tried_again_in_the_same_run() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.aws.faults.failing_updates.add((account, REGION))
    row = only_row(ran(world))
    assert row["outcome"] == "failed"
    assert "UPDATE_ROLLBACK_COMPLETE: a resource could not be updated" in row["explanation"]
    assert len(world.stack(account).executed) == 1
    world.aws.faults.failing_updates.clear()
    assert only_row(ran(world))["outcome"] == "reverted", "the next run makes the failed change set again"
    assert len(world.stack(account).executed) == 2


@pytest.mark.parametrize("stays", [False, True])
def test_the_same_drift_that_comes_back_is_reverted_again(stays: bool) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.aws.faults.keeps_executed_change_sets = stays
    for times in (1, 2, 3):
        world.weaken(account)
        assert only_row(ran(world))["outcome"] == "reverted"
        assert len(world.stack(account).executed) == times
    assert len(set(world.stack(account).executed)) == 1, "the same drift has the same name"


def test_a_change_set_with_nothing_to_change_is_for_a_human(monkeypatch) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    from constructs_pkg.testing.fake_organization import stack_calls  # noqa: PLC0415 (used here alone)

    monkeypatch.setattr(stack_calls, "changes_of", lambda *_: [])
    row = only_row(ran(world))
    assert row["outcome"] == "needs_human"
    assert row["explanation"].startswith("CloudFormation cannot revert this: The submitted information didn't contain")
    assert world.stack(account).change_sets == {}


def test_drift_that_went_away_by_itself_is_no_failure() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)

    def heal(task: str, _count: int) -> None:
        if task == "repair" and world.aws.calls["cloudformation:CreateChangeSet"]:
            world.place(account).configs[world.config(account)].mode = "Enforce"

    machine = Machine(world)
    machine.on_task = heal
    assert only_row(machine.report(machine.run(NIGHTLY)))["outcome"] == "clean"
    assert world.stack(account).executed == []


def test_throttling_in_the_middle_is_unknown_and_not_clean() -> None:
    world = World(accounts=2)
    throttled, clean = world.member_accounts
    world.aws.faults.throttled[throttled, REGION, "lambda:ListFunctions"] = 99
    report = ran(world)
    assert outcomes(report) == {throttled: "unknown", clean: "clean"}
    assert "Rate exceeded" in rows_of(report)[throttled]["findings"][0]["explanation"]


@pytest.mark.parametrize(
    "action",
    [
        "cloudformation:DescribeStacks",
        "cloudformation:GetTemplate",
        "cloudformation:ListStackResources",
        "lambda:ListFunctions",
        "lambda:ListCodeSigningConfigs",
        "lambda:ListFunctionsByCodeSigningConfig",
        "signer:ListSigningProfiles",
    ],
)
def test_a_reading_right_that_is_missing_is_unknown(action: str) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.aws.faults.denied_actions.add((account, action))
    row = only_row(ran(world))
    assert row["outcome"] == "unknown"
    assert action in row["findings"][0]["explanation"]


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("cloudformation:DetectStackDrift", "unknown"),
        ("cloudformation:DescribeStackDriftDetectionStatus", "unknown"),
        ("cloudformation:DescribeStackResourceDrifts", "unknown"),
        ("cloudformation:CreateChangeSet", "unknown"),
        ("cloudformation:DescribeChangeSet", "unknown"),
        ("cloudformation:ExecuteChangeSet", "unknown"),
        ("lambda:GetFunctionCodeSigningConfig", "failed"),
        ("lambda:PutFunctionCodeSigningConfig", "failed"),
        ("cloudtrail:LookupEvents", "reverted"),
    ],
)
def test_a_repairing_right_that_is_missing_is_told(action: str, outcome: str) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.detach(account, "checkout-api")
    world.aws.faults.denied_actions.add((account, action))
    row = only_row(ran(world))
    assert (row["outcome"], outcome) == (outcome, row["outcome"])
    assert action in json.dumps(row)


def test_pages_that_come_twice_make_no_instance_twice() -> None:
    world = World(accounts=2)
    world.aws.faults.repeated_pages |= {"cloudformation:ListStackInstances", "lambda:ListFunctions"}
    assert set(outcomes(ran(world)).values()) == {"clean"}


def test_a_listing_that_goes_round_in_circles_fails_the_run_and_keeps_what_it_told() -> None:
    world = World(accounts=2)
    world.aws.faults.endless_pages.add("cloudformation:ListStackInstances")
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert answer["status"] == "FAILED"
    assert "a page of the listing came again" in answer["summary"]
    assert set(outcomes(machine.report(answer)).values()) == {"clean"}


def test_a_batch_that_fails_loses_no_row() -> None:
    world = World(accounts=4)
    machine = Machine(world)

    def broken(task: str, count: int) -> None:
        if (task, count) == ("inspect_batch", 1):
            raise MemoryError("the function was killed")

    machine.on_task = broken
    report = machine.report(machine.run(NIGHTLY))
    assert list(outcomes(report).values()) == ["unknown", "unknown", "clean", "clean"]


def test_a_repair_that_fails_loses_no_row() -> None:
    world = World(accounts=1)
    world.weaken(world.member_accounts[0])
    machine = Machine(world)

    def broken(task: str, _count: int) -> None:
        if task == "repair":
            raise MemoryError("the function was killed")

    machine.on_task = broken
    row = only_row(machine.report(machine.run(NIGHTLY)))
    assert (row["outcome"], row["explanation"]) == (
        "failed",
        "the repair did not come to an end: see the log of repair",
    )


def test_a_task_that_fails_for_good_still_ends_in_a_report_and_gives_the_lease_back() -> None:
    world = World(accounts=2)
    machine = Machine(world)

    def broken(task: str, _count: int) -> None:
        if task == "gather":
            raise MemoryError("too much")

    machine.on_task = broken
    answer = machine.run(NIGHTLY)
    assert (answer["status"], answer["summary"]) == (
        "FAILED",
        f"RUN FAILED (MemoryError: too much): {STACK_SET}: 2 clean",
    )
    machine.on_task = lambda _task, _count: None
    assert machine.run(NIGHTLY, "two")["status"] == "SUCCEEDED"


def test_listings_that_lag_behind_cause_nothing_twice() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.detach(account)
    world.weaken(account)
    world.aws.faults.config_lag_seconds = 3600
    world.aws.faults.change_set_lag_seconds = 40
    # what is there from the beginning has been known for long
    for function in world.place(account).functions.values():
        function.config_since = -1e6
    assert only_row(ran(world))["outcome"] == "reverted"
    assert world.aws.calls["lambda:PutFunctionCodeSigningConfig"] == 1
    assert len(world.stack(account).executed) == 1


def test_a_function_that_was_never_detached_in_truth_is_not_attached_again() -> None:
    world = World(accounts=1)
    world.aws.faults.config_lag_seconds = 3600  # the listings know of no function at all yet
    assert only_row(ran(world))["outcome"] == "reverted"
    assert world.aws.calls["lambda:PutFunctionCodeSigningConfig"] == 0


# -- twice, and killed -------------------------------------------------------------------------------------------------


def two_drifts() -> World:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.delete_config(account)
    world.detach(account, "checkout-api")
    return world


def test_a_second_schedule_finds_the_first_run_busy() -> None:
    world = World(accounts=1)
    world.aws.executions[f"{MACHINE}:other"] = "RUNNING"
    lease = {"execution": f"{MACHINE}:other", "run_id": "x", "until": "2030-01-01T00:00:00Z"}
    world.store.write(f"leases/{STACK_SET}.json", lease)
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert answer == {"status": "BUSY", "reason": f"a run of {STACK_SET} is in progress: {MACHINE}:other"}
    world.aws.executions[f"{MACHINE}:other"] = "TIMED_OUT"
    assert machine.run(NIGHTLY)["status"] == "SUCCEEDED", "a dead execution holds nothing"


def test_a_second_run_at_any_moment_of_the_first_does_nothing() -> None:
    world = two_drifts()
    (account,) = world.member_accounts
    first, second = Machine(world), Machine(world)
    answers: list[str] = []

    def again(task: str, _count: int) -> None:
        if task != "start":
            answers.append(second.run(NIGHTLY, f"second-{len(answers)}")["status"])

    first.on_task = again
    assert only_row(first.report(first.run(NIGHTLY)))["outcome"] == "reverted"
    assert set(answers) == {"BUSY"}
    assert len(answers) == len(first.log) - 1
    assert set(second.log) == {"start"}
    assert len(world.stack(account).executed) == 1
    assert second.run(NIGHTLY, "afterwards")["status"] == "SUCCEEDED"


def test_what_somebody_changed_waits_for_the_run_in_progress_and_is_not_lost() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.aws.executions[f"{MACHINE}:other"] = "RUNNING"
    lease = {"execution": f"{MACHINE}:other", "run_id": "x", "until": "2030-01-01T00:00:00Z"}
    world.store.write(f"leases/{STACK_SET}.json", lease)
    machine = Machine(world)

    def over(task: str, count: int) -> None:
        if (task, count) == ("start", 4):
            world.aws.executions[f"{MACHINE}:other"] = "SUCCEEDED"

    machine.on_task = over
    event = {"kind": "manual", "wave": "second", "accounts": [account]}
    assert only_row(machine.report(machine.run(event)))["outcome"] == "reverted"
    assert machine.log.count("start") == 4


def test_who_comes_first_has_the_lease() -> None:
    world = World(accounts=1)
    store = world.store
    real = store.write_if

    def late(key: str, document: object, version: str | None) -> None:
        store.write(key, {"execution": f"{MACHINE}:quick", "run_id": "x", "until": "2030-01-01T00:00:00Z"})
        real(key, document, version)

    from constructs_pkg.runtime.drift import start  # noqa: PLC0415 (used here alone)
    from constructs_pkg.runtime.drift.surroundings import surroundings  # noqa: PLC0415 (used here alone)

    store.write_if = late  # type: ignore[method-assign]
    around = surroundings(
        world.aws.session("222222222222", REGION), world.settings, world.expectations, now=world.clock.now, store=store
    )
    event = {"event": NIGHTLY, "execution": f"{MACHINE}:slow", "started_at": world.clock.now().isoformat()}
    assert start.run(event, around)["status"] == "BUSY"


def length_of_a_run() -> int:
    machine = Machine(two_drifts())
    machine.run(NIGHTLY)
    return len(machine.log)


@pytest.mark.parametrize("loses_answer", [False, True], ids=["before a task", "before its answer arrived"])
def test_killed_anywhere_and_started_again_the_end_is_the_same_and_nothing_is_done_twice(loses_answer: bool) -> None:
    for place in range(length_of_a_run()):
        world = two_drifts()
        (account,) = world.member_accounts
        machine = Machine(world)
        with pytest.raises(Killed):
            kill(machine, place, loses_answer=loses_answer)
        second = Machine(world)
        row = only_row(second.report(second.run(NIGHTLY, "two")))
        assert row["outcome"] in {"reverted", "clean"}, (place, row)
        assert world.drifted(account) == [], place
        assert len(world.stack(account).executed) == 1, place
        assert world.aws.calls["lambda:PutFunctionCodeSigningConfig"] == 2, place
        assert world.config_of(account, "payments-api") == world.config(account), place
        assert world.config_of(account, "checkout-api") == world.config(account, "checkout"), place


def kill(machine: Machine, place: int, *, loses_answer: bool) -> None:
    if not loses_answer:
        machine.kill_before = place
    else:
        original = machine.task

        def lost(name: str, event: Any) -> dict[str, Any]:
            answer = original(name, event)
            if len(machine.log) > place:
                raise Killed
            return answer

        machine.task = lost  # type: ignore[method-assign]
    machine.run(NIGHTLY)


def test_a_repeated_task_changes_nothing() -> None:
    """Lambda may run a task twice although its answer is heard only once."""
    for place in range(length_of_a_run()):
        world = two_drifts()
        (account,) = world.member_accounts
        machine = Machine(world)
        repeat(machine, place)
        answer = machine.run(NIGHTLY)
        assert only_row(machine.report(answer))["outcome"] in {"reverted", "clean"}, place
        assert world.drifted(account) == [], place
        assert len(world.stack(account).executed) == 1, place
        assert world.aws.calls["lambda:PutFunctionCodeSigningConfig"] == 2, place
        assert len(world.aws.messages) <= 1, place


def repeat(machine: Machine, place: int) -> None:
    original = machine.task

    def repeated(name: str, event: Any) -> dict[str, Any]:
        if len(machine.log) == place:
            original(name, event)
        return original(name, event)

    machine.task = repeated  # type: ignore[method-assign]


def test_a_service_that_fails_oddly_is_told_like_any_other() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    odd = ServiceAnswer("InternalFailure", "we are sorry", 500)
    world.aws.faults.failing[account, REGION, "cloudformation:CreateChangeSet"] = odd
    row = only_row(ran(world))
    assert (row["outcome"], "we are sorry" in row["findings"][0]["explanation"]) == ("unknown", True)
    assert steps.CHANGE_SET_PREFIX == "drift-"


def test_what_the_state_machine_carries_stays_small_however_many_functions_there_are() -> None:
    """Step Functions takes 256 KiB in a state."""
    world = World(accounts=1)
    (account,) = world.member_accounts
    for number in range(300):
        world.add_function(account, f"payments-{number:03}-{'x' * 50}", None)
    machine = Machine(world)
    sizes: list[int] = []
    original = machine.task

    def measured(name: str, event: Any) -> dict[str, Any]:
        answer = original(name, event)
        sizes.append(len(json.dumps(event)) + len(json.dumps(answer)))
        return answer

    machine.task = measured  # type: ignore[method-assign]
    row = only_row(machine.report(machine.run(NIGHTLY)))
    assert (row["outcome"], len(row["actions"])) == ("reverted", 300)
    assert world.aws.calls["lambda:PutFunctionCodeSigningConfig"] == 300
    assert max(sizes) < 5_000
    assert world.aws.calls["lambda:GetFunctionCodeSigningConfig"] == 300, (
        "each is asked for once, before it is attached"
    )
