"""rotation plan: tables, JSON, and the exit codes that a pipeline goes by."""

import json
from pathlib import Path

import pytest

from constructs_pkg.clock import now

FILE = str(Path(__file__).parents[2] / "organization.toml")
G1 = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/a1B2c3D4e5"


@pytest.fixture
def audit(workspace: Path) -> Path:
    def write(*publishers: str, complete: bool = True) -> str:
        functions = [
            {
                "account": "444444444404",
                "region": "eu-west-1",
                "function": "payments-api",
                "artifact": "function",
                "profile_version_arn": publisher,
            }
            for publisher in publishers
        ]
        document = {"version": 1, "at": now().isoformat(), "complete": complete, "functions": functions}
        (workspace / "audit.json").write_text(json.dumps(document))
        return "audit.json"

    return write


def test_the_plan_is_a_table_for_each_application(run) -> None:
    ran = run("rotation", "plan", FILE, "--application", "payments")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "payments: generation 1 to 2, 3 of 20 publishers"
    assert [line.split()[1:3] for line in ran.out.splitlines() if line[2:3].isdigit()] == [
        ["announce", "done"],
        ["accept", "done"],
        ["switch", "done"],
        ["overlap", "now"],
        ["retire", "blocked"],
    ]


def test_an_audit_opens_or_blocks_the_last_step(run, audit) -> None:
    used = run("rotation", "plan", FILE, "--application", "payments", "--audit", audit(G1), "--format", "json")
    assert (used.code, used.json["rotations"][0]["steps"][4]["status"]) == (1, "blocked")
    assert used.json["rotations"][0]["steps"][3]["reason"].startswith("1 artifact still runs code of acme_payments_g1")
    unused = run("rotation", "plan", FILE, "--application", "payments", "--audit", audit(), "--format", "json")
    assert (unused.code, unused.json["rotations"][0]["steps"][4]["status"], unused.json["stranded"]) == (0, "now", [])


def test_what_is_stranded_already_is_told(run, audit, workspace: Path) -> None:
    text = Path(FILE).read_text("utf-8").replace('state = "retiring"', 'state = "retired"')
    (workspace / "retired.toml").write_text(text)
    ran = run("rotation", "plan", "retired.toml", "--audit", audit(G1))
    assert ran.code == 1
    assert "Stranded: their next deployment would be refused" in ran.out


def test_an_audit_that_is_not_complete_is_bad_input(run, audit) -> None:
    ran = run("rotation", "plan", FILE, "--audit", audit(complete=False))
    assert (ran.code, ran.out) == (2, "")
    assert "could not read every account and Region" in ran.err


def test_an_unknown_application_is_bad_input(run) -> None:
    ran = run("rotation", "plan", FILE, "--application", "paymnets")
    assert (ran.code, ran.out) == (2, "")
    assert "'paymnets' is no application" in ran.err
