"""The command line: its lazy start, its exit codes, and the commands of 'organization'."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from constructs_pkg.cli import main as cli_main
from constructs_pkg.cli.main import COMMANDS, main
from constructs_pkg.cli.organization import command
from constructs_pkg.errors import NodeError
from constructs_pkg.organization import json_schema
from tests.unit.organization_text import GOOD, spoiled

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "constructs_pkg.cli.main"]
NAMES = (
    "acme_payments_g1, acme_payments_g2, acme_check_out_g1, home_region, permission_model, "
    "units.ou-a1b2-00000001, units.ou-a1b2-00000002, parts.check-out, parts.payments"
)


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the good file as organization.toml, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "organization.toml"
    path.write_text(GOOD)
    return path


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nonsense"], []])
def test_neither_help_nor_a_slip_loads_pydantic_or_an_sdk(arguments: list[str]):
    code = (
        "import sys\n"
        "from constructs_pkg.cli.main import main\n"
        f"main({arguments!r})\n"
        "loaded = {'pydantic', 'boto3', 'botocore', 'aws_cdk', 'jsii', 'cryptography'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for name, lazy in COMMANDS.items():
        assert f"{name} " in printed
        assert lazy.help in " ".join(printed.split())
    assert "_LAMBDA_CODE_SIGNING_COMPLETE=bash_source" in printed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_explains_itself_and_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]):
    assert main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert f"lambda-code-signing {name}" in printed
    assert "..." not in printed.partition("\nCommands:")[2]  # no line of a subcommand is cut off


@pytest.mark.parametrize("name", command.commands)
def test_every_command_of_organization_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]):
    assert main(["organization", name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert "Example" in printed
    assert f"  lambda-code-signing organization {name}" in printed


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "lambda-code-signing, version 0.1.0\n"


def test_a_mistyped_command_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]):
    assert main(["guardrial", "check"]) == 2
    assert "No such command 'guardrial'. Did you mean 'guardrail'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--nonsense"], ["organization", "check", "a", "b"], ["organization", "fly"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Error: " in printed.err


def test_completion_offers_the_commands_without_loading_them():
    done = _run(_LAMBDA_CODE_SIGNING_COMPLETE="bash_complete", COMP_WORDS="lambda-code-signing org", COMP_CWORD="1")
    assert (done.stdout, done.stderr, done.returncode) == ("plain,organization\n", "", 0)


def test_completion_offers_the_commands_of_a_command():
    done = _run(
        _LAMBDA_CODE_SIGNING_COMPLETE="bash_complete", COMP_WORDS="lambda-code-signing organization ", COMP_CWORD="2"
    )
    assert done.stdout.split() == ["plain,check", "plain,lock", "plain,schema"]


def test_completion_behind_an_unknown_command_offers_the_commands_again():
    done = _run(_LAMBDA_CODE_SIGNING_COMPLETE="bash_complete", COMP_WORDS="lambda-code-signing x ", COMP_CWORD="2")
    assert (done.stdout.split(), done.stderr) == ([f"plain,{name}" for name in COMMANDS], "")


def test_a_reader_that_leaves_early_is_no_traceback_and_no_verdict():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PROGRAM, "organization", "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_help_for_a_reader_that_leaves_early_is_no_verdict_either():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PROGRAM, "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_an_answer_that_cannot_be_written_is_neither_yes_nor_no():
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM, "organization", "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3
    assert done.stderr == (
        b"Error: the answer cannot be written: No space left on device. What is there may be cut off\n"
    )


@pytest.mark.parametrize(("closed", "code"), [(">&- 2>&- <&-", 0), ("2>&-", 0)])
def test_closed_streams_change_no_exit_code(closed: str, code: int):
    shown = f"{shlex.join([*PROGRAM, 'organization', 'check', str(ROOT / 'organization.toml')])} {closed}"
    assert subprocess.run(["bash", "-c", shown], stdout=subprocess.DEVNULL, check=False).returncode == code


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """Tests that run in the background of a shell ignore the signal, and so would the programs that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_counts")
def test_ctrl_c_is_exit_code_130_without_a_traceback(tmp_path: Path):
    fifo = tmp_path / "organization.toml"
    os.mkfifo(fifo)
    arguments = [*PROGRAM, "organization", "check", str(fifo)]
    # the pipe opens once the program reads it, and stays open: the program waits for the rest
    with subprocess.Popen(arguments, stderr=subprocess.PIPE) as process, fifo.open("wb"):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"Interrupted\n")


def test_every_error_of_ours_is_a_message_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    @click.command()
    def broken() -> None:
        raise NodeError("no Node.js was found. Install it")

    monkeypatch.setitem(sys.modules, "fake_command", type(sys)("fake_command"))
    sys.modules["fake_command"].command = broken
    monkeypatch.setitem(COMMANDS, "broken", cli_main.LazyCommand("fake_command", "Fails."))
    assert main(["broken"]) == 2
    assert capsys.readouterr().err == "Error: no Node.js was found. Install it\n"


@pytest.mark.usefixtures("acme")
def test_check_describes_the_organization(capsys: pytest.CaptureFixture[str]):
    assert main(["organization", "check"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out == CHECKED


CHECKED = """\
organization.toml: acme (o-a1b2c3d4e5), home Region eu-west-1, functions in eu-west-1, us-east-1

Accounts
  name        id            organizational unit
  ----------  ------------  -------------------
  management  111111111111
  security    222222222222
  publisher   222222222222
  shop        444444444444  production

Applications
  name       signing profiles                                                               publishers  guardrail
  ---------  -----------------------------------------------------------------------------  ----------  ---------
  payments   acme_payments_g1 (retiring, 135 months), acme_payments_g2 (active, 12 months)  3           yes
  check-out  acme_check_out_g1 (active, 90 days)                                            1           yes

Waves
  name    mode     organizational units  Regions
  ------  -------  --------------------  ---------------------
  first   Warn     sandbox               us-east-1 > eu-west-1
  second  Enforce  production            eu-west-1 > us-east-1

Warnings (5)
  applications[1].signers (check-out): nobody outside of the account 222222222222 may sign for 'check-out'. \
Name accounts, roles or an oidc_role, unless its code is signed in that account
  signing_profiles[0] (payments generation 1): acme_payments_g1 is not in the ledger yet. \
Run 'lambda-code-signing organization lock' and commit the ledger
  signing_profiles[1] (payments generation 2): acme_payments_g2 is not in the ledger yet. \
Run 'lambda-code-signing organization lock' and commit the ledger
  signing_profiles[2] (check-out generation 1): acme_check_out_g1 is not in the ledger yet. \
Run 'lambda-code-signing organization lock' and commit the ledger
  waves: not in the ledger yet: home_region, permission_model, units.ou-a1b2-00000001 and 3 more. \
Run 'lambda-code-signing organization lock' before the deployment, and commit the ledger
"""


def test_check_without_waves_and_warnings_says_so(acme: Path, capsys: pytest.CaptureFixture[str]):
    start, end = GOOD.index("[[waves]]"), GOOD.index("[[developer_guardrails]]")
    text = GOOD[:start] + GOOD[end:]
    text = text.replace('["checkout@acme.example"]', '["checkout@acme.example"]\nsigners.accounts = ["444444444444"]')
    text = text.replace('[[organizational_units]]\nname = "sandbox"\nid = "ou-a1b2-00000001"\n', "")
    text = text.replace('[[organizational_units]]\nname = "production"\nid = "ou-a1b2-00000002"\n', "")
    acme.write_text(text.replace('organizational_unit = "production"\n', ""))
    assert main(["organization", "lock"]) == 0
    capsys.readouterr()
    assert main(["organization", "check"]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n\nNo warnings\n")
    assert "Waves" not in printed


@pytest.mark.usefixtures("acme")
def test_check_as_json_is_the_same_for_programs(capsys: pytest.CaptureFixture[str]):
    assert main(["organization", "check", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["version", "file", "valid", "organization", "applications", "waves", "warnings"]
    assert (answer["version"], answer["file"], answer["valid"]) == (1, "organization.toml", True)
    assert answer["organization"] == {
        "id": "o-a1b2c3d4e5",
        "name": "acme",
        "partition": "aws",
        "management_account": "111111111111",
        "security_account": "222222222222",
        "publisher_account": "222222222222",
        "home_region": "eu-west-1",
        "target_regions": ["eu-west-1", "us-east-1"],
    }
    assert answer["applications"][0] == {
        "name": "payments",
        "signing_profiles": [
            {"name": "acme_payments_g1", "generation": 1, "state": "retiring", "validity": "135 months"},
            {"name": "acme_payments_g2", "generation": 2, "state": "active", "validity": "12 months"},
        ],
        "external_publishers": ["arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"],
        "publishers": 3,
        "guardrail": True,
    }
    assert answer["waves"][0] == {
        "name": "first",
        "mode": "Warn",
        "organizational_units": ["sandbox"],
        "region_order": ["us-east-1", "eu-west-1"],
        "regions_in_parallel": False,
    }
    assert [warning["where"] for warning in answer["warnings"]] == [
        "applications[1].signers (check-out)",
        "signing_profiles[0] (payments generation 1)",
        "signing_profiles[1] (payments generation 2)",
        "signing_profiles[2] (check-out generation 1)",
        "waves",
    ]


BAD = spoiled(('"111111111111"', '"1"'), ('mode = "Warn"', 'mode = "warn"'))
BAD_MESSAGE = """\
Error: organization.toml: 2 problems
  organization.management_account: '1' is not an account id. Write its 12 digits in quotes, with the zeros in front
  waves[0].mode (first): 'warn' is none of the known words. Write 'Warn' or 'Enforce'
"""


def test_check_lists_all_problems_on_standard_error_with_exit_code_2(acme: Path, capsys: pytest.CaptureFixture[str]):
    acme.write_text(BAD)
    assert main(["organization", "check"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", BAD_MESSAGE)


def test_check_as_json_lists_all_problems_for_programs_too(acme: Path, capsys: pytest.CaptureFixture[str]):
    acme.write_text(BAD)
    assert main(["organization", "check", "--format", "json"]) == 2
    printed = capsys.readouterr()
    assert printed.err == BAD_MESSAGE
    assert json.loads(printed.out) == {
        "version": 1,
        "file": "organization.toml",
        "valid": False,
        "problems": [
            {
                "where": "organization.management_account",
                "message": "'1' is not an account id",
                "remedy": "Write its 12 digits in quotes, with the zeros in front",
            },
            {
                "where": "waves[0].mode (first)",
                "message": "'warn' is none of the known words",
                "remedy": "Write 'Warn' or 'Enforce'",
            },
        ],
    }


@pytest.mark.parametrize("subcommand", ["check", "lock"])
def test_a_missing_file_is_exit_code_2(tmp_path: Path, subcommand: str, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "none.toml"
    assert main(["organization", subcommand, str(path)]) == 2
    assert capsys.readouterr().err == (
        f"Error: {path}: 1 problem\n"
        "  file: it does not exist. Name another file. Start from examples/single-account.toml\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_lock_records_new_names_once_and_leaves_nothing_else_behind(acme: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["organization", "lock"]) == 0
    assert capsys.readouterr().out == f"recorded in organization.lock.json: {NAMES}\n"
    assert sorted(path.name for path in acme.parent.iterdir()) == ["organization.lock.json", "organization.toml"]
    written = (acme.parent / "organization.lock.json").stat()
    assert main(["organization", "lock"]) == 0
    assert capsys.readouterr().out == (
        "organization.lock.json holds all signing profiles of organization.toml and where it is rolled out\n"
    )
    again = (acme.parent / "organization.lock.json").stat()
    assert (written.st_ino, written.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)


def test_lock_check_writes_nothing_and_is_exit_code_1_while_a_name_is_missing(
    acme: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["organization", "lock", "--check"]) == 1
    assert capsys.readouterr().out == (
        f"not in organization.lock.json: {NAMES}. "
        "Run 'lambda-code-signing organization lock organization.toml' and commit the ledger\n"
    )
    assert [path.name for path in acme.parent.iterdir()] == ["organization.toml"]
    assert main(["organization", "lock"]) == 0
    assert main(["organization", "lock", "--check"]) == 0


@pytest.mark.parametrize("arguments", [["check"], ["lock"], ["lock", "--check"]])
def test_a_contradiction_of_the_ledger_is_exit_code_2_and_leaves_the_ledger_alone(
    acme: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
):
    assert main(["organization", "lock"]) == 0
    ledger = (acme.parent / "organization.lock.json").read_bytes()
    acme.write_text(spoiled(('"135 months"', '"24 months"')))
    capsys.readouterr()
    assert main(["organization", *arguments]) == 2
    assert "a signing profile's validity can never be changed" in capsys.readouterr().err
    assert (acme.parent / "organization.lock.json").read_bytes() == ledger


MOVED = GOOD.replace('organizational_units = ["sandbox"]', "HERE").replace(
    'organizational_units = ["production"]', 'organizational_units = ["sandbox"]'
)
MOVED = MOVED.replace("HERE", 'organizational_units = ["production"]')


def test_a_unit_moves_once_its_place_was_forgotten(acme: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["organization", "lock"]) == 0
    acme.write_text(MOVED)
    assert main(["organization", "lock"]) == 2
    assert "2 problems" in capsys.readouterr().err
    for unit in ("ou-a1b2-00000001", "ou-a1b2-00000002"):
        assert main(["organization", "lock", "--forget", f"units.{unit}"]) == 0
        assert capsys.readouterr().out == f"forgotten in organization.lock.json: units.{unit}\n"
    assert main(["organization", "lock"]) == 0
    assert capsys.readouterr().out == (
        "recorded in organization.lock.json: units.ou-a1b2-00000001, units.ou-a1b2-00000002\n"
    )
    assert main(["organization", "lock", "--check"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--forget", "units.ou-x"], "holds no 'units.ou-x' that can be forgotten. There is: home_region, permission"),
        (["--forget", "acme_payments_g1"], "holds no 'acme_payments_g1' that can be forgotten"),
        (["--forget", "home_region", "--check"], "--check writes nothing and --forget does"),
    ],
)
@pytest.mark.usefixtures("acme")
def test_what_cannot_be_forgotten_is_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["organization", "lock"]) == 0
    assert main(["organization", "lock", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_lock_follows_a_link_and_keeps_it(acme: Path):
    (acme.parent / "elsewhere").mkdir()
    link = acme.parent / "organization.lock.json"
    link.symlink_to("elsewhere/ledger.json")
    assert main(["organization", "lock"]) == 0
    assert link.is_symlink()
    assert "acme_payments_g1" in (acme.parent / "elsewhere/ledger.json").read_text()


def test_a_ledger_that_cannot_be_replaced_is_a_message_and_leaves_no_part_behind(
    acme: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["organization", "lock"]) == 2
    assert "organization.lock.json cannot be written: No space left on device" in capsys.readouterr().err
    assert [path.name for path in acme.parent.iterdir()] == ["organization.toml"]


def test_schema_prints_the_schema(capsys: pytest.CaptureFixture[str]):
    assert main(["organization", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()
