"""The installed program: what it loads, how it ends, and that nobody ever sees a traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

OURS = ("verify", "inspect", "explain", "package", "sign", "trust", "authority")
HEAVY = ("aws_cdk", "boto3", "botocore", "jsii", "pydantic")
LOADED = "import sys; from constructs_pkg.cli.main import main; code = main({!r}); print(*sys.modules); sys.exit(code)"


def loaded_by(workspace: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(list(words))], cwd=workspace, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {module.partition(".")[0] for module in done.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "signed.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z"),
        ("inspect", "signed.zip"),
        ("explain", "CodeVerificationFailedException"),
        ("authority", "show", "authority"),
    ],
)
def test_command_loads_neither_cdk_nor_aws_clients_nor_pydantic(workspace: Path, words: tuple[str, ...]) -> None:
    assert loaded_by(workspace, *words) & set(HEAVY) == set()


@pytest.mark.parametrize("command", OURS)
def test_help_does_not_even_load_cryptography(workspace: Path, command: str) -> None:
    assert loaded_by(workspace, command, "--help") & {*HEAVY, "cryptography"} == set()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("verify", "signed.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z"), 0),
        (("verify", "tampered.zip", "--policy", "policy.json"), 1),
        (("verify",), 2),
        (("verify", "signed.zip", "--policy", "missing.json"), 3),
        (("inspect", "unsigned.zip"), 1),
        (("explain", "no idea"), 3),
        (("sign", "signed.zip", "--authority", "authority", "--profile", "payments", "-o", "x.zip"), 1),
        (("authority", "show", "nowhere"), 2),
        (("trust", "pin", "signed.zip", "-o", "x.pem"), 2),
        (("nonsense",), 2),
    ],
)
def test_process_ends_with_the_code_and_without_a_traceback(process, words: tuple[str, ...], code: int) -> None:
    done = process(*words)
    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr


def test_reader_that_goes_away_is_no_error_of_ours(process) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = ("verify", "signed.zip", "--policy", "policy.json", "--format", "json")
    done = process(*words, capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_answer_can_be_shown_where_the_locale_knows_ascii_only(workspace: Path) -> None:
    program = Path(sys.executable).parent / "lambda-code-signing"
    (workspace / "é.zip").write_bytes((workspace / "unsigned.zip").read_bytes())
    done = subprocess.run(
        [program, "verify", "é.zip", "--policy", "policy.json"],
        cwd=workspace,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
    )
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, b"\\xe9.zip: REJECTED (MISMATCH, mode Enforce)")


def test_shell_completes_commands_and_options(process) -> None:
    def completions(words: str, number: int) -> set[str]:
        variables = {"_LAMBDA_CODE_SIGNING_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        done = process(env={**os.environ, **variables})
        return set(re.findall(r"plain,(\S+)", done.stdout.decode()))

    assert {"verify", "inspect", "explain", "sign"} <= completions("lambda-code-signing ", 1)
    assert {"--policy", "--csc", "--trust-root"} <= completions("lambda-code-signing verify --", 2)


@pytest.mark.parametrize("name", OURS)
def test_help_shows_examples_as_they_are_typed(run, name: str) -> None:
    ran = run(name, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if line.startswith(f"    lambda-code-signing {name} ")]
    assert "\\b" not in ran.out
