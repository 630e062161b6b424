"""Every command that takes a name, a path or a text meets what nobody should give it, and answers instead of breaking.

An exception that leaves ``main`` fails the test by itself; what may leave is a code and a sentence.
"""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OBJECT = ("--bucket", "signed-code", "--key", "k", "--object-version", "v")
ANY = object()
COMMANDS = (
    ("verify", ANY, "--policy", "policy.json"),
    ("verify", "signed.zip", "--policy", ANY),
    ("verify", "signed.zip", "--csc", ANY, "--trust-root", "root.pem"),
    ("verify", "signed.zip", "--policy", "policy.json", "--trust-root", ANY),
    ("verify", "signed.zip", "--policy", "policy.json", "--revocations", ANY),
    ("verify", "signed.zip", "--policy", "policy.json", "--entries", ANY),
    ("check", ANY),
    ("check", "signed.zip", "--policy", ANY),
    ("inspect", ANY),
    ("explain", ANY),
    ("package", ANY, "-o", "made"),
    ("package", "authority", "-o", ANY),
    ("sign", ANY, "--authority", "authority", "--profile", "payments", "-o", "made"),
    ("sign", "unsigned.zip", "--authority", ANY, "--profile", "payments", "-o", "made"),
    ("sign", "unsigned.zip", "--authority", "authority", "--profile", ANY, "-o", "made"),
    ("attest", ANY, *OBJECT, "-o", "made"),
    ("attest", "signed.zip", "--bucket", ANY, "--key", ANY, "--object-version", ANY, "-o", "made"),
    ("layer", "registry", ANY),
    ("layer", "inspect", ANY, "--policy", "policy.json"),
    ("trust", "pin", ANY, "-o", "made", "--expect-fingerprint", "ab" * 32),
    ("trust", "show", ANY),
    ("authority", "init", ANY, "--region", "moon"),
    ("authority", "profile", "authority", ANY),
    ("authority", "profile", "authority", "other", "--validity", ANY),
    ("authority", "revoke", "authority", "--job", ANY, "--reason", ANY),
    ("authority", "show", ANY),
    ("guardrail", "show", ANY),
    ("guardrail", "show", "payments", "--config-arn", ANY),
    ("promote", ANY),
    ("promote", "first", "--organization", ANY),
    ("rollout", "status", "--wave", ANY),
    ("audit", "-o", "made", "--organization", ANY),
    ("blast-radius", "--job", ANY),
    ("revoke", "--job", ANY, "--reason", "x", "--yes"),
    ("drift", "--wave", ANY),
    ("drift", "--account", ANY),
    ("rotation", "plan", ANY),
    ("rotation", "plan", "--audit", ANY),
    ("organization", "check", ANY),
    ("organization", "lock", ANY),
    ("organization", "lock", "--forget", ANY),
)
WORDS = {
    "nothing": "",
    "a directory": "hostile/directory",
    "an empty file": "hostile/empty",
    "bytes": "hostile/bytes",
    "a link in a circle": "hostile/circle",
    "no UTF-8": os.fsdecode(b"\xff"),
    "two lines": "hostile\nname",
    "deep brackets": "hostile/deep",
    "a number without end": "hostile/number",
    "an alias bomb": "hostile/aliases",
    "a wrong type": "hostile/list",
}


@pytest.fixture
def hostile(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("organization.toml", "organization.lock.json"):
        shutil.copy(ROOT / name, workspace)
    folder = workspace / "hostile"
    (folder / "directory").mkdir(parents=True)
    (folder / "circle").symlink_to("circle")
    for name, content in {
        "empty": b"",
        "bytes": bytes(range(256)) * 8,
        "deep": b"[" * 100_000,
        "number": b'{"version": ' + b"9" * 5_000 + b"}",
        "aliases": b"a: &a [x]\nb: &b [*a, *a]\nResources: {A: {Type: 'AWS::Lambda::Function', Properties: *b}}\n",
        "list": b"[null]",
    }.items():
        (folder / name).write_bytes(content)
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_no_command_breaks_on_it_or_leaves_half_a_file(run, workspace: Path, word: str) -> None:
    before = {path.name for path in workspace.iterdir()}
    for command in COMMANDS:
        ran = run(*(word if part is ANY else part for part in command))
        assert ran.code in {0, 1, 2, 3}, command
        assert ran.out or ran.err, command
        assert "Traceback" not in ran.err, command
        if ran.code == 0:  # what was written under a strange name before is good input for the next
            (workspace / "made").unlink(missing_ok=True)
        assert not (workspace / "made").exists(), command
    appeared = {path.name for path in workspace.iterdir()} - before
    assert [name for name in appeared if name.startswith(".")] == []
