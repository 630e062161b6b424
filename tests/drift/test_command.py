"""``lambda-code-signing drift`` as its user runs it: what it prints, how it ends, that it changes nothing itself."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from constructs_pkg.cli import drifting
from constructs_pkg.cli.main import main
from constructs_pkg.testing.fake_organization import ServiceAnswer
from constructs_pkg.testing.fake_organization.run_services import StepFunctionsService
from tests.drift.test_runs import CHANGES, NIGHTLY, in_mode, ran
from tests.drift.world import REGION, SECURITY, STACK_SET, Machine, World, outcomes

ROOT = Path(__file__).parents[2]
AUDITOR = "acme-code-signing-auditor"


class DeployedMachine(StepFunctionsService):
    """Runs the state machine when an execution is started, and shows its output afterwards."""

    world: World
    outputs: dict[str, Any]

    def start_execution(self, *, stateMachineArn: str, input: str) -> dict[str, Any]:  # noqa: A002, N803 (as boto3)
        expected = "arn:aws:states:eu-west-1:222222222222:stateMachine:acme-drift-remediation"
        assert (stateMachineArn, self.account) == (expected, SECURITY)
        execution = f"human-{len(self.outputs)}"
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{execution}"
        self.outputs[arn] = Machine(self.world).run(json.loads(input), execution)
        return {"executionArn": arn, "startDate": self.organization.clock.now()}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 (as boto3)
        known = super().describe_execution(executionArn=executionArn)
        output = self.outputs.get(executionArn)
        return known if output is None else {**known, "output": json.dumps(output)}


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder with the example organization, over a fake organization."""
    monkeypatch.chdir(tmp_path)
    for name in ("organization.toml", "organization.lock.json"):
        shutil.copy(ROOT / name, tmp_path)

    def run(world: World, *words: str) -> tuple[int, str, str]:
        handler = type("Deployed", (DeployedMachine,), {"world": world, "outputs": {}})
        world.aws.serve("stepfunctions", handler)
        outside = drifting.Surroundings(world.aws.session(SECURITY, REGION), world.clock.now, world.clock.sleep)
        monkeypatch.setattr(drifting, "surroundings", lambda: outside)
        code = main(["drift", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_it_tells_what_drifted_and_changes_nothing(command) -> None:
    world = World(accounts=4)
    edited, detached, exempt, _ = world.member_accounts
    world.weaken(edited)
    world.add_event(edited, "UpdateCodeSigningConfig", world.config(edited))
    world.detach(detached)
    world.add_function(exempt, "aws-controltower-notify", None)
    before = world.aws.calls.copy()
    code, out, _ = command(world, "--wave", "second")
    config = world.config(edited)
    assert code == 0
    assert out == (
        "acme-code-signing-second (wave second): 2 detected, 1 exempt, 1 clean\n"
        f"  444444444401 {REGION}: detected\n"
        "    declared: PaymentsConfig (AWS::Lambda::CodeSigningConfig) was changed: "
        "/CodeSigningPolicies/UntrustedArtifactOnDeployment is Warn, should be Enforce "
        "[mallory, 2026-11-23T12:00:00Z, UpdateCodeSigningConfig]\n"
        f"    attachment: the config {config} of payments lets untrusted code pass (Warn) in a wave that enforces "
        "[mallory, 2026-11-23T12:00:00Z, UpdateCodeSigningConfig]\n"
        f"  444444444402 {REGION}: detected\n"
        "    attachment: the function payments-api is under no code signing config; it belongs under that of payments\n"
        f"  444444444403 {REGION}: exempt\n"
        "    attachment: the function aws-controltower-notify is under no code signing config, and no application's "
        "patterns claim it (exempt until 2031-12-31, platform@acme.example)\n"
    )
    made = {name for name in world.aws.calls if world.aws.calls[name] > before[name]}
    assert not CHANGES & made
    assert not [name for name in made if name.split(":")[1].startswith(("Put", "Create", "Delete", "Execute", "Start"))]


@pytest.mark.parametrize(
    ("drifts", "denied", "fail", "code"),
    [
        (False, False, True, 0),
        (True, False, True, 1),
        (True, True, True, 1),
        (False, True, True, 3),
        (True, True, False, 0),
    ],
)
def test_the_exit_code_says_no_and_not_known_where_it_is_asked_to(command, drifts, denied, fail, code) -> None:
    world = World(accounts=2)
    drifted, closed = world.member_accounts
    if drifts:
        world.detach(drifted)
    if denied:
        world.aws.faults.denied_roles.add((closed, AUDITOR))
    words = ["--wave", "second", "--format", "json", *(["--fail"] if fail else [])]
    found, out, _ = command(world, *words)
    assert found == code
    (report,) = json.loads(out)["reports"]
    expected = {drifted: "detected" if drifts else "clean", closed: "unknown" if denied else "clean"}
    assert outcomes(report) == expected


def test_the_last_detection_is_used_where_it_is_asked_for(command) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    code, out, _ = command(world, "--wave", "second", "--last-detection")
    assert (code, "there was no drift detection that could be looked at" in out) == (3, True)
    ran(world)
    detections = world.aws.calls["cloudformation:DetectStackSetDrift"]
    world.add_function(account, "payments-batch", None)
    code, out, _ = command(world, "--wave", "second", "--last-detection", "--fail")
    assert (code, "payments-batch" in out) == (1, True)
    assert world.aws.calls["cloudformation:DetectStackSetDrift"] == detections


def test_all_waves_or_a_few_accounts_are_looked_at(command) -> None:
    world = World(accounts=3)
    code, out, _ = command(world, "--format", "json")
    assert code == 0
    names = [report["run"]["stack_set"] for report in json.loads(out)["reports"]]
    assert names == ["acme-code-signing-first", STACK_SET]
    code, out, _ = command(world, "--wave", "second", "--account", world.member_accounts[1], "--format", "json")
    (report,) = json.loads(out)["reports"]
    assert (code, outcomes(report)) == (0, {world.member_accounts[1]: "clean"})


def test_accounts_are_looked_for_in_all_waves_and_what_is_in_none_is_no_clean_answer(command) -> None:
    world = World(accounts=2)
    account, _ = world.member_accounts
    code, out, _ = command(world, "--account", account, "--format", "json")
    (report,) = json.loads(out)["reports"]  # the first wave has no stack in it
    assert (code, outcomes(report)) == (0, {account: "clean"})
    code, out, err = command(world, "--account", account, "--account", "999999999999")
    assert (code, "1 clean" in out) == (3, True)
    assert err == "Not looked at: 999999999999, where no StackSet that was asked about has a stack\n"
    code, out, err = command(world, "--account", "999999999999")
    assert (code, out) == (3, "")
    assert err == "Error: there is no stack instance of acme-code-signing-second in these accounts and Regions\n"
    code, _, err = command(world, "--account", "4444")
    assert (code, "'4444' is no account id. Write its 12 digits" in err) == (2, True)


def test_remediate_starts_the_state_machine_and_shows_its_report(command) -> None:
    world = in_mode("detect", accounts=2)
    drifted, other = world.member_accounts
    world.weaken(drifted)
    code, out, err = command(world, "--wave", "second", "--remediate", "--yes")
    assert code == 0, err
    assert out.startswith("acme-code-signing-second (wave second): 1 reverted, 1 clean\n")
    assert f"    done: executed the change set {world.stack(drifted).executed[0]}" in out
    assert "Started arn:aws:states:" in err
    assert world.drifted(drifted) == world.drifted(other) == []


def test_remediate_asks_first_and_needs_one_wave(command) -> None:
    world = World(accounts=1)
    code, _, err = command(world, "--wave", "second", "--remediate")
    assert (code, "nobody can be asked here. Confirm with --yes" in err) == (2, True)
    code, _, err = command(world, "--remediate", "--yes")
    assert (code, "name it with --wave" in err) == (2, True)
    code, _, err = command(world, "--wave", "second", "--remediate", "--last-detection")
    assert (code, "exclude each other" in err) == (2, True)
    code, _, err = command(world, "--wave", "third", "--remediate", "--yes")
    assert (code, "'third' is no wave of the organization acme" in err) == (2, True)


def test_no_on_the_terminal_starts_nothing(command, monkeypatch) -> None:
    world = World(accounts=1)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_args, **_more: False)
    code, out, err = command(world, "--wave", "second", "--remediate")
    assert (code, out, err) == (1, "", "Nothing was started\n")


def test_a_proposal_is_shown_and_approved(command) -> None:
    world = in_mode("propose", accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    run_id = ran(world)["run"]["run_id"]
    code, out, err = command(world, "approve", run_id, f"{account}/{REGION}", "--yes")
    assert code == 0, err
    assert f"{account} in {REGION}: a human has to decide because\n  the wave asks for a human\nIt would\n" in err
    assert "  changes: Modify PaymentsConfig (AWS::Lambda::CodeSigningConfig), replacement: False\n" in err
    assert out.startswith("acme-code-signing-second (wave second): 1 reverted\n")
    assert world.drifted(account) == []
    code, _, err = command(world, "approve", run_id, f"{account}/{REGION}", "--yes")
    assert code == 1
    assert "Nothing was done: IGNORED: there is no such proposal (any more)" in err


def test_there_is_nothing_to_approve_where_nothing_was_proposed(command) -> None:
    world = World(accounts=1)
    run_id = ran(world)["run"]["run_id"]
    code, _, err = command(world, "approve", run_id, f"{world.member_accounts[0]}/{REGION}", "--yes")
    assert (code, "proposed nothing for" in err) == (2, True)
    assert command(world, "approve", run_id, "everything")[0] == 2
    assert command(world, "approve", "../../leases/x", f"{world.member_accounts[0]}/{REGION}")[0] == 2
    code, _, err = command(world, "approve", "20260101T000000Z-no", f"{world.member_accounts[0]}/{REGION}", "--yes")
    assert (code, "there is no run 20260101T000000Z-no. The report and" in err) == (2, True)


def test_what_cannot_be_read_at_all_is_no_verdict(command) -> None:
    world = World(accounts=1)
    denied = ServiceAnswer("AccessDenied", "not allowed", 403)
    world.aws.faults.failing[SECURITY, REGION, "cloudformation:DescribeStackSet"] = denied
    code, out, err = command(world, "--wave", "second")
    assert (code, out) == (3, "")
    assert err.startswith(f"Error: cannot read the StackSet {STACK_SET}: AccessDenied: not allowed")
    assert command(world, "--wave", "third")[0] == 2


def test_names_from_outside_cannot_steer_the_terminal(command) -> None:
    world = World(accounts=1)
    (account,) = world.member_accounts
    world.weaken(account)
    evil = "mallory\x1b[2J\nall is well"
    world.add_event(account, "UpdateCodeSigningConfig", world.config(account), by=evil)
    _, out, _ = command(world, "--wave", "second")
    assert "\x1b" not in out
    assert "\nall is well" not in out


def test_a_run_on_this_machine_uses_what_the_functions_use(command) -> None:
    """The same detection and plan: what the state machine would find is what the command finds."""
    world = World(accounts=3)
    for account in world.member_accounts[:2]:
        world.weaken(account)
    _, out, _ = command(world, "--wave", "second", "--format", "json")
    (local,) = json.loads(out)["reports"]
    world.expectations = in_mode("detect").expectations
    deployed = ran(world, NIGHTLY)

    def findings(report):
        return [(row["account"], row["outcome"], row["findings"]) for row in report["rows"]]

    assert findings(local) == findings(deployed)


def test_the_commands_of_the_page_do_what_it_says(command, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_args, **_more: True)
    world = in_mode("propose", accounts=3)
    world.weaken("444444444403")
    proposed = ran(world)
    tokens = MarkdownIt().parse((ROOT / "docs" / "drift.md").read_text("utf-8"))
    blocks = [token.content for token in tokens if token.type == "fence" and token.info == "sh"]
    commands = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert [words[:2] for words in commands] == [["lambda-code-signing", "drift"]] * 4
    run_id = next(words[3] for words in commands if words[2] == "approve")
    assert re.fullmatch(r"\d{8}T\d{6}Z-second-[0-9a-f]{8}", run_id)
    codes = [
        command(world, *(proposed["run"]["run_id"] if one == run_id else one for one in words[2:]))[0]
        for words in commands
    ]
    assert codes == [0, 1, 0, 0], "told, drifted, approved, put back"
    assert world.drifted("444444444403") == []
