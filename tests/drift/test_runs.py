"""Whole runs against the fake organization: what can be reverted is, a human gets the rest, nothing is lost."""

import json
from dataclasses import replace
from typing import Any

import pytest

from constructs_pkg.runtime.drift.access import Refused
from constructs_pkg.runtime.drift.expectations import ExpectedStackSet
from constructs_pkg.runtime.drift.settings import Settings
from constructs_pkg.testing.fake_organization import ConfigRecord
from constructs_pkg.testing.fake_organization.stack_records import FakeStackSet
from constructs_pkg.testing.fake_organization.stack_state import deploy_stack_set
from tests.drift.world import (
    BUCKET,
    MACHINE,
    REGION,
    SECURITY,
    STACK_SET,
    Machine,
    World,
    config_resource,
    kinds,
    outcomes,
    rows_of,
)

NIGHTLY = {"kind": "schedule", "wave": "second"}
CHANGES = {
    "cloudformation:CreateChangeSet",
    "cloudformation:ExecuteChangeSet",
    "lambda:PutFunctionCodeSigningConfig",
}


def in_mode(mode: str, **settings: Any) -> World:
    world = World(**settings)
    first, second = world.expectations.stack_sets
    world.expectations = replace(world.expectations, stack_sets=(first, replace(second, drift=mode)))
    return world


def ran(world: World, event: Any = NIGHTLY) -> dict[str, Any]:
    machine = Machine(world)
    return machine.report(machine.run(event))


def tampered(account: str, event_id: str = "a1") -> dict[str, Any]:
    """Return CloudTrail's event of somebody who makes a config warn only, as EventBridge delivers it."""
    return {
        "source": "aws.lambda",
        "detail-type": "AWS API Call via CloudTrail",
        "detail": {
            "eventSource": "lambda.amazonaws.com",
            "eventName": "UpdateCodeSigningConfig",
            "recipientAccountId": account,
            "awsRegion": REGION,
            "readOnly": False,
            "eventID": event_id,
            "userIdentity": {"arn": f"arn:aws:sts::{account}:assumed-role/Admin/mallory"},
        },
    }


def add_part(world: World) -> ExpectedStackSet:
    """Give the second wave a second StackSet, with one config, in the first account."""
    first, second = world.expectations.stack_sets
    part = replace(second, name=f"{STACK_SET}-part-2", part=2, applications=("notices",))
    world.expectations = replace(world.expectations, stack_sets=(first, second, part))
    template = {"Resources": {"NoticesConfig": config_resource("Enforce")}}
    world.aws.stack_sets[part.name] = FakeStackSet(part.name, json.dumps(template), {})
    deploy_stack_set(world.aws, part.name, {world.member_accounts[0]: [REGION]})
    return part


def config_of_part(world: World, part: ExpectedStackSet) -> ConfigRecord:
    account = world.member_accounts[0]
    stack = world.aws.stack_sets[part.name].instances[account, REGION].stack_id
    place = world.place(account)
    return place.configs[place.stacks[stack].resources["NoticesConfig"].physical_id]


def only_row(report: dict[str, Any]) -> dict[str, Any]:
    (row,) = rows_of(report).values()
    return row


def approval_of(report: dict[str, Any]) -> dict[str, Any]:
    proposal = only_row(report)["proposal"]
    return {"kind": "approval", **{key: proposal[key] for key in ("run_id", "account", "region", "digest")}}


def test_everything_at_once_is_reverted_or_told() -> None:
    """A config edited by hand, one deleted, a function detached, an unmanaged one, an exempt one, a closed role."""
    world = World(accounts=7)
    edited, deleted, detached, foreign, exempt, denied, clean = world.member_accounts
    world.weaken(edited)
    world.add_event(edited, "UpdateCodeSigningConfig", world.config(edited))
    world.delete_config(deleted)
    world.detach(detached)
    unmanaged = world.add_foreign_config(foreign)
    world.add_function(exempt, "control-tower", None)
    world.aws.faults.denied_roles.add((denied, "acme-drift-remediator"))
    old_config = world.config(deleted)

    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    report = machine.report(answer)

    assert answer["status"] == "SUCCEEDED"
    assert outcomes(report) == {
        edited: "reverted",
        deleted: "reverted",
        detached: "reverted",
        foreign: "needs_human",
        exempt: "exempt",
        denied: "unknown",
        clean: "clean",
    }
    assert [world.drifted(account) for account in (edited, deleted, detached, clean)] == [[], [], [], []]
    new_config = world.config(deleted)
    assert new_config != old_config
    assert world.config_of(deleted, "payments-api") == new_config
    assert world.config_of(detached, "payments-api") == world.config(detached)
    rows = rows_of(report)
    assert list(kinds(rows[edited], "before")) == [("declared", "modified"), ("attachment", "warn")]
    assert rows[edited]["before"][0]["author"] == {
        "by": "mallory",
        "at": "2026-11-23T12:00:00Z",
        "call": "UpdateCodeSigningConfig",
    }
    assert list(kinds(rows[deleted], "before")) == [("declared", "deleted"), ("attachment", "detached")]
    assert [one["resource"] for one in rows[foreign]["findings"]] == [unmanaged]
    assert rows[exempt]["findings"][0]["exemption"]["owner"] == "platform@acme.example"
    assert "cannot assume" in rows[denied]["findings"][0]["explanation"]
    ((subject, message),) = world.aws.messages
    assert subject == f"Drift in {STACK_SET}: 1 unknown, 1 for a human, 3 reverted, 1 exempt, 1 clean"
    assert "[mallory, 2026-11-23T12:00:00Z (UpdateCodeSigningConfig)]" in message
    assert f"s3://{BUCKET}/runs/{report['run']['run_id']}/report.html" in message
    assert answer["outcomes"] == report["outcomes"]
    assert sum(report["outcomes"].values()) == 7


def test_nothing_is_done_and_nobody_is_told_where_all_is_well() -> None:
    world = World(accounts=5)
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert answer["summary"] == f"{STACK_SET}: 5 clean"
    assert world.aws.messages == []
    assert "repair" not in machine.log
    assert not CHANGES & set(world.aws.calls)


def test_in_the_mode_detect_nothing_is_touched() -> None:
    world = in_mode("detect", accounts=2)
    drifted, detached = world.member_accounts
    world.weaken(drifted)
    world.detach(detached)
    assert outcomes(ran(world)) == {drifted: "detected", detached: "detected"}
    assert not CHANGES & set(world.aws.calls)


def test_in_the_mode_propose_a_human_approves_and_then_it_is_done_once() -> None:
    world = in_mode("propose", accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    world.detach(account, "checkout-api")
    first = ran(world)
    row = only_row(first)
    assert row["outcome"] == "proposed"
    assert world.stack(account).executed == []
    assert [one["key"].partition(":")[0] for one in row["proposal"]["actions"]] == ["change-set", "attach"]
    link = row["proposal"]["change_set"]["link"]
    assert link.startswith(f"https://{REGION}.console.aws.amazon.com/cloudformation/home?region={REGION}#/stacks/")
    command = f"lambda-code-signing drift approve {first['run']['run_id']} {account}/{REGION}"
    assert command in world.aws.messages[0][1]

    again = only_row(ran(world))
    assert again["proposal"] == row["proposal"], "the same drift is the same proposal, which waits already"

    approved = ran(world, approval_of(first))
    assert only_row(approved)["outcome"] == "reverted"
    assert world.drifted(account) == []
    assert world.config_of(account, "checkout-api") == world.config(account, "checkout")
    assert len(world.stack(account).executed) == 1
    assert Machine(world).run(approval_of(first))["status"] == "IGNORED", "what was approved is used up"
    assert only_row(ran(world))["outcome"] == "clean"


def test_an_approval_does_not_reach_what_changed_since() -> None:
    world = in_mode("propose", accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    proposed = ran(world)
    world.weaken(account, "checkout")  # somebody goes on
    report = ran(world, approval_of(proposed))
    assert only_row(report)["outcome"] == "proposed"
    assert world.stack(account).executed == []
    assert Machine(world).run(approval_of(proposed))["status"] == "IGNORED"


def test_a_change_set_that_somebody_exchanged_is_not_executed() -> None:
    world = in_mode("propose", accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    proposed = ran(world)
    (change_set,) = world.stack(account).change_sets.values()
    assert change_set.changes is not None
    change_set.changes = [{**change_set.changes[0], "Action": "Remove"}]
    row = only_row(ran(world, approval_of(proposed)))
    assert row["outcome"] == "proposed"
    assert row["explanation"].startswith("it is not the change set that was approved")
    assert world.stack(account).executed == []


def with_policy(world: World, account: str, change: Any) -> None:
    """A local administrator updates the member stack itself: no drift to StackSets."""
    stack = world.stack(account)
    document = stack.document
    change(document["Resources"])
    stack.template = json.dumps(document)
    from constructs_pkg.testing.fake_organization.stack_state import apply_template  # noqa: PLC0415 (used here alone)

    apply_template(world.aws, world.place(account), stack)


def test_a_member_stack_with_another_parameter_gets_the_stack_sets_back() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.stack(account).parameters["Mode"] = "Warn"
    world.weaken(account)
    world.weaken(account, "checkout")
    report = ran(world)
    assert only_row(report)["outcome"] == "reverted"
    assert world.drifted(account) == []
    assert next(iter(kinds(only_row(report), "before"))) == ("template", "parameter")


def test_who_changed_a_policy_is_asked_where_iam_is_recorded() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    policy = world.stack(account).resources["Guardrail"]
    policy.actual = {**policy.actual, "PolicyDocument": {"Statement": []}}
    world.weaken(account)
    world.add_event(account, "CreatePolicyVersion", policy.physical_id, region="us-east-1")
    world.add_event(account, "CreatePolicyVersion", policy.physical_id, by="nobody")
    world.add_event(account, "UpdateCodeSigningConfig", world.config(account), by="eve")
    world.add_event(account, "UpdateCodeSigningConfig", world.config(account), by="nobody", region="us-east-1")
    report = ran(world)
    before = {one["resource"]: one["author"]["by"] for one in only_row(report)["before"] if one["tier"] == "declared"}
    assert before == {"PaymentsConfig": "eve", "Guardrail": "mallory"}
    assert only_row(report)["outcome"] == "reverted"


def test_a_template_too_large_for_a_request_is_put_back_from_the_bucket() -> None:
    address = f"https://s3.eu-west-1.amazonaws.com/{BUCKET}/templates/"
    world = World(accounts=1, settings=Settings(bucket=BUCKET, templates_url=address))
    (account,) = world.member_accounts
    large = {**world.stack(account).document, "Metadata": {"Padding": "x" * 60_000}}
    world.aws.stack_sets[STACK_SET].template = world.stack(account).template = json.dumps(large)
    world.stack(account).parameters["Mode"] = "Warn"
    world.weaken(account)
    report = ran(world)
    assert only_row(report)["outcome"] == "reverted"
    assert world.drifted(account) == []
    (lent,) = [key for key in world.aws.buckets[BUCKET] if key.startswith("templates/")]
    assert world.aws.buckets[BUCKET][lent][0].decode() == json.dumps(large)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda resources: resources.update(Extra={**resources["Guardrail"]}), "it would Remove Extra"),
        (
            lambda resources: resources["Guardrail"]["Properties"].update(ManagedPolicyName="other"),
            "it would or might replace Guardrail",
        ),
    ],
)
def test_what_would_delete_or_replace_needs_a_human_even_in_the_mode_remediate(change, reason) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    with_policy(world, account, change)
    proposed = ran(world)
    assert only_row(proposed)["outcome"] == "proposed"
    assert only_row(proposed)["explanation"].startswith(reason)
    assert world.stack(account).executed == []
    assert only_row(ran(world, approval_of(proposed)))["outcome"] == "reverted"
    assert world.drifted(account) == []


def test_too_many_repairs_are_proposed_and_none_is_done() -> None:
    world = World(accounts=3, settings=Settings(bucket=BUCKET, most_repairs=2))
    for account in world.member_accounts:
        world.weaken(account)
    assert set(outcomes(ran(world)).values()) == {"proposed"}
    assert [world.stack(account).executed for account in world.member_accounts] == [[], [], []]


def test_a_tampering_event_repairs_its_own_account_without_a_detection_of_the_whole_stack_set() -> None:
    world = World(accounts=4)
    account = world.member_accounts[2]
    world.weaken(account)
    event = tampered(account)
    report = ran(world, event)
    assert outcomes(report) == {account: "reverted"}
    assert world.aws.calls["cloudformation:DetectStackSetDrift"] == 0
    assert "mallory" in report["run"]["trigger"]
    elsewhere = {**event, "detail": {**event["detail"], "recipientAccountId": "999999999999"}}
    assert "no stack instance of ours" in Machine(world).run(elsewhere)["reason"]


def test_tampering_reaches_every_stack_set_of_the_account_even_while_the_first_one_waits_for_its_lease() -> None:
    world = World(accounts=2)
    account, other = world.member_accounts
    part = add_part(world)
    config_of_part(world, part).mode = "Warn"
    world.weaken(account)
    machine = Machine(world)
    event = {"event": tampered(account), "started_at": world.clock.now().isoformat()}
    world.aws.executions[f"{MACHINE}:nightly"] = "RUNNING"
    nightly = {"event": NIGHTLY, "execution": f"{MACHINE}:nightly", "started_at": event["started_at"]}
    assert machine.task("start", nightly)["status"] == "GO"
    for _ in range(2):  # a repeated task, or a state that waits and asks again
        assert machine.task("start", {**event, "execution": f"{MACHINE}:one"})["status"] == "WAITING"
    ((sibling, given),) = world.aws.execution_inputs.items()
    name = sibling.rpartition(":")[2]
    world.aws.executions[f"{MACHINE}:nightly"] = "SUCCEEDED"
    assert outcomes(machine.report(machine.run(tampered(account), "two"))) == {account: "reverted"}
    report = machine.report(machine.run(json.loads(given), name))
    assert (outcomes(report), report["run"]["stack_set"]) == ({account: "reverted"}, part.name)
    assert "mallory" in report["run"]["trigger"]
    assert config_of_part(world, part).mode == "Enforce"
    # delivered again, when all is over: the first StackSet looks once more, and the other one is not started again
    assert outcomes(machine.report(machine.run(tampered(account), "three"))) == {account: "clean"}
    assert list(world.aws.execution_inputs) == [sibling]
    # the next change is another one; and where the other StackSet has no stack, nothing is started for it
    machine.run(tampered(account, "a2"), "four")
    machine.run(tampered(other, "a3"), "five")
    assert len(world.aws.execution_inputs) == 2


def test_a_human_who_names_a_wave_reaches_all_of_its_stack_sets_and_who_names_a_stack_set_that_one() -> None:
    world = World(accounts=2)
    account, other = world.member_accounts
    part = add_part(world)
    config_of_part(world, part).mode = "Warn"
    world.weaken(account)
    machine = Machine(world)
    wish = {"kind": "manual", "wave": "second", "mode": "detect", "accounts": [account]}
    assert outcomes(machine.report(machine.run(wish, "one"))) == {account: "detected"}
    assert outcomes(machine.report(machine.run(wish, "one"))) == {account: "detected"}  # repeated
    ((sibling, given),) = world.aws.execution_inputs.items()
    assert json.loads(given) == {**wish, "wave": part.name, "regions": []}
    report = machine.report(machine.run(json.loads(given), sibling.rpartition(":")[2]))
    assert (outcomes(report), report["run"]["stack_set"]) == ({account: "detected"}, part.name)
    assert (world.stack(account).executed, config_of_part(world, part).mode) == ([], "Warn")
    # where only one of them has a stack, or one is named, no other is started
    machine.run({**wish, "accounts": [other]}, "two")
    machine.run({**wish, "wave": STACK_SET}, "three")
    assert list(world.aws.execution_inputs) == [sibling]
    machine.run({"kind": "manual", "wave": "second"}, "four")
    assert [json.loads(one)["accounts"] for one in world.aws.execution_inputs.values()] == [[account], []]


def test_a_sibling_that_cannot_be_started_fails_the_task_so_that_it_is_repeated() -> None:
    world = World(accounts=1)
    add_part(world)
    world.aws.faults.denied_actions.add((SECURITY, "stepfunctions:StartExecution"))
    event = {"event": tampered(world.member_accounts[0]), "execution": f"{MACHINE}:one", "started_at": ""}
    with pytest.raises(Refused, match=r"cannot start the execution tampering-[0-9a-f]{32} for .*-part-2"):
        Machine(world).task("start", event)


def test_an_operation_of_the_stack_set_is_followed_by_a_run_but_not_our_own_detection() -> None:
    world = World(accounts=1)
    machine = Machine(world)
    machine.run(NIGHTLY)
    (detection,) = world.aws.stack_sets[STACK_SET].operations

    def event(operation: str) -> dict[str, Any]:
        arn = f"arn:aws:cloudformation:{REGION}:111111111111:stackset/{STACK_SET}:1"
        detail = {"stack-set-arn": arn, "stack-set-operation-id": operation, "status-details": {"status": "SUCCEEDED"}}
        kind = "CloudFormation StackSet Operation Status Change"
        return {"source": "aws.cloudformation", "detail-type": kind, "detail": detail}

    assert "is a drift detection" in machine.run(event(detection.operation_id), "two")["reason"]
    assert "is none of" in machine.run(event("unheard-of"), "three")["reason"]
    update = replace(detection, operation_id="update-1", action="UPDATE")
    world.aws.stack_sets[STACK_SET].operations.insert(0, update)
    assert machine.run(event("update-1"), "four")["status"] == "SUCCEEDED"


def test_a_human_may_ask_for_another_mode_and_a_few_accounts() -> None:
    world = in_mode("detect", accounts=3)
    one, two, _ = world.member_accounts
    for account in world.member_accounts:
        world.weaken(account)
    event = {"kind": "manual", "wave": "second", "mode": "remediate", "accounts": [one, two], "regions": [REGION]}
    assert outcomes(ran(world, event)) == {one: "reverted", two: "reverted"}
    assert "no stack instance" in Machine(world).run({**event, "regions": ["us-east-1"]})["reason"]


def test_every_region_has_a_row_of_its_own() -> None:
    world = World(accounts=2, regions=(REGION, "us-east-1"))
    world.weaken(world.member_accounts[0], region="us-east-1")
    report = ran(world)
    assert [(row["account"][-1], row["region"], row["outcome"]) for row in report["rows"]] == [
        ("1", REGION, "clean"),
        ("2", REGION, "clean"),
        ("1", "us-east-1", "reverted"),
        ("2", "us-east-1", "clean"),
    ]


def test_two_stack_sets_of_a_wave_do_not_call_each_others_configs_foreign() -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    part = add_part(world)
    assert outcomes(ran(world)) == {account: "clean"}
    config_of_part(world, part).mode = "Warn"
    machine = Machine(world)
    report = machine.report(machine.run({"kind": "schedule", "wave": part.name}, "two"))
    assert outcomes(report) == {account: "reverted"}
    world.aws.faults.denied_actions.add((account, "cloudformation:ListStackResources"))
    assert outcomes(ran(world)) == {account: "unknown"}
