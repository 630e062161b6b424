"""What the functions call in member accounts is what the roles there allow: not less, and of repairs not more."""

from pathlib import Path

from constructs_pkg.clock import now
from constructs_pkg.guardrails.auditor import auditor_policies
from constructs_pkg.guardrails.documents import PolicyDocument
from constructs_pkg.guardrails.drift_roles import DriftRights
from constructs_pkg.guardrails.remediator import CHANGE_SETS, remediator_policies
from constructs_pkg.organization import load_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.organization_guardrails import member_account
from constructs_pkg.runtime.drift.expectations import parse_expectations
from constructs_pkg.runtime.drift.member_stacks import CHANGE_SET_PREFIX
from tests.drift.test_command import command as command_fixture
from tests.drift.test_runs import NIGHTLY, add_part, in_mode, ran, tampered
from tests.drift.world import MACHINE, Machine, World

command = command_fixture
ORGANIZATION = load_organization(Path(__file__).parents[2] / "organization.toml", at=now())
MEMBER = member_account(ORGANIZATION, account="444444444403")
CENTRAL = ("s3:", "sns:", "sts:", "stepfunctions:")


def allowed(documents: tuple[PolicyDocument, ...]) -> set[str]:
    statements = [one for document in documents for one in document.statements]
    return {action for one in statements if one.effect == "Allow" for action in one.actions}


def called_in_members(world: World) -> set[str]:
    of_stack_sets = ("StackSet", "StackInstance")
    return {
        name
        for name in world.aws.calls
        if not name.startswith(CENTRAL) and not any(one in name for one in of_stack_sets)
    }


def test_the_remediators_role_allows_every_call_of_a_run_that_does_everything() -> None:
    world = in_mode("propose", accounts=3)
    edited, deleted, changed = world.member_accounts
    world.weaken(edited)
    world.delete_config(deleted)
    world.stack(changed).parameters["Mode"] = "Warn"
    world.weaken(edited, "checkout")
    report = ran(world)
    for row in report["rows"]:
        approval = {key: row["proposal"][key] for key in ("run_id", "account", "region", "digest")}
        ran(world, {"kind": "approval", **approval})
    called = called_in_members(world)
    assert {"cloudformation:ExecuteChangeSet", "lambda:PutFunctionCodeSigningConfig"} <= called
    assert called <= allowed(remediator_policies(MEMBER)), called - allowed(remediator_policies(MEMBER))


def test_only_the_tasks_of_the_repairing_role_reach_members_and_they_ask_for_no_more_than_it_has() -> None:
    """Three central roles: what decides what begins, what assumes roles in members, and what keeps the books."""
    roles = DriftRights(
        partition="aws",
        region="eu-west-1",
        account="222222222222",
        stack_set_account="111111111111",
        organization="acme",
        organization_id="o-a1b2c3d4e5",
        stack_sets=("acme-code-signing-second",),
        functions=("acme-drift-start",),
        bucket="b",
        key_arn="k",
        topic_arn="t",
        dead_letters_arn="d",
    )
    repairing, bookkeeping = allowed((roles.repairing(),)), allowed((roles.bookkeeping(),))
    beginning = allowed((roles.beginning(),))
    of_s3 = {"s3:ListObjectsV2": "s3:ListBucket"}
    called: dict[str, set[str]] = {}
    world = in_mode("propose", accounts=2)
    for account in world.member_accounts:
        world.weaken(account)
    machine = Machine(world)
    original = machine.task

    def watched(name: str, event):
        before = world.aws.calls.copy()
        answer = original(name, event)
        made = {of_s3.get(one, one) for one in world.aws.calls - before}
        called.setdefault(name, set()).update(one.replace("stepfunctions:", "states:") for one in made)
        return answer

    machine.task = watched  # type: ignore[method-assign]
    report = machine.report(machine.run(NIGHTLY, "one"))
    proposal = report["rows"][0]["proposal"]
    approval = {key: proposal[key] for key in ("run_id", "account", "region", "digest")}
    world.aws.executions[f"{MACHINE}:one"] = "RUNNING"
    machine.run({"kind": "approval", **approval}, "two")
    add_part(world)
    machine.run(tampered(world.member_accounts[0]), "three")
    assert "states:StartExecution" in called["start"]
    in_members = {"inspect_batch", "repair"}
    for task, calls in called.items():
        central = {
            one
            for one in calls
            if one.startswith(("s3:", "sns:", "states:", "sts:"))
            or ("Stack" in one and ("StackSet" in one or "StackInstance" in one))
        }
        assert central <= (repairing if task in in_members else beginning if task == "start" else bookkeeping), task
        if task not in in_members:
            assert calls == central, f"{task} reaches into member accounts"


def test_the_auditors_role_allows_every_call_of_the_command(command) -> None:
    world = World(accounts=2)
    edited, detached = world.member_accounts
    world.weaken(edited)
    world.detach(detached)
    world.add_foreign_config(detached)
    assert command(world, "--wave", "second")[0] == 0
    called = called_in_members(world)
    assert called <= allowed(auditor_policies(MEMBER)), called - allowed(auditor_policies(MEMBER))
    changing = {"CreateChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "PutFunctionCodeSigningConfig"}
    assert not {one for one in allowed(auditor_policies(MEMBER)) if one.split(":")[1] in changing}


def test_names_of_roles_and_change_sets_are_those_of_the_rollout() -> None:
    expectations = parse_expectations(drift_expectations(ORGANIZATION))
    assert expectations.member_role == MEMBER.remediator_role
    assert expectations.external_id == MEMBER.drift_external_id
    assert all(one.name.startswith(MEMBER.stack_set_prefix) for one in expectations.stack_sets)
    assert f"{CHANGE_SET_PREFIX}*" == CHANGE_SETS
    assert NIGHTLY["kind"] == "schedule"
