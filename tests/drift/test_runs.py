"""Whole runs against the fake organization: what can be reverted is, a human gets the rest, nothing is lost."""

from tests.drift.world import STACK_SET, Machine, World, kinds, outcomes, rows_of

NIGHTLY = {"kind": "schedule", "wave": "second"}


def test_everything_at_once_is_reverted_or_told() -> None:
    """A config edited by hand, one deleted, a function detached, an unmanaged one, an exempt one, a closed role."""
    world = World(accounts=7)
    edited, deleted, detached, foreign, exempt, denied, clean = world.member_accounts
    world.weaken(edited)
    world.add_event(edited, "UpdateCodeSigningConfig20200422", world.config(edited))
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
        "call": "UpdateCodeSigningConfig20200422",
    }
    # the parameter's expected value is the config that is gone: it comes right with the new one
    assert list(kinds(rows[deleted], "before")) == [("declared", "deleted"), ("attachment", "detached")]
    assert [one["resource"] for one in rows[foreign]["findings"]] == [unmanaged]
    assert rows[exempt]["findings"][0]["exemption"]["owner"] == "platform@acme.example"
    assert "cannot assume" in rows[denied]["findings"][0]["explanation"]


def test_nothing_is_done_and_nobody_is_told_where_all_is_well() -> None:
    world = World(accounts=5)
    machine = Machine(world)
    answer = machine.run(NIGHTLY)
    assert answer["summary"] == f"{STACK_SET}: 5 clean"
    assert world.aws.messages == []
    assert "repair" not in machine.log
    assert not {"cloudformation:CreateChangeSet", "lambda:PutFunctionCodeSigningConfig"} & set(world.aws.calls)
