"""trust: a root is written only after somebody has said so, and only from a sound archive."""

import os
import pty
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from constructs_pkg.signing.authority_directory import AuthorityDirectory

REPORTED = "41:02:20:A7:2B:BA:45:76:76:7B:A5:94:1B:69:4A:9B:DD:C4:08:17:F7:69:57:F6:91:9F:DA:C8:9A:78:49:C7"


@pytest.fixture
def fingerprint(workspace: Path) -> str:
    root = AuthorityDirectory(workspace / "authority").read().root
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 (this fixture alone needs it)

    return root.fingerprint(hashes.SHA256()).hex()


def test_expected_fingerprint_writes_the_root(run, workspace: Path, fingerprint: str) -> None:
    ran = run("trust", "pin", "signed.zip", "-o", "pinned.pem", "--expect-fingerprint", fingerprint)
    assert (ran.code, ran.err) == (0, "")
    assert (workspace / "pinned.pem").read_bytes() == (workspace / "root.pem").read_bytes()
    assert run("verify", "signed.zip", "--policy", "policy.json", "--trust-root", "pinned.pem").code in {0, 1}


def test_fingerprint_is_shown_beside_the_reported_one_marked_unverified(run, fingerprint: str) -> None:
    shown = run("trust", "pin", "signed.zip", "-o", "p.pem", "--expect-fingerprint", fingerprint).out.splitlines()
    pairs = ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    assert "  SHA-256:  " + pairs in shown
    assert [line for line in shown if REPORTED in line and "UNVERIFIED" in line]
    assert [line for line in shown if line.startswith("  subject:  ") and "not AWS" in line]
    assert [line for line in shown if line.startswith("  valid:    2026-01-01T00:00:00Z to ")]


def test_another_fingerprint_writes_nothing(run, workspace: Path) -> None:
    ran = run("trust", "pin", "signed.zip", "-o", "pinned.pem", "--expect-fingerprint", REPORTED)
    assert ran.code == 1
    assert f"not {REPORTED}" in ran.err
    assert not (workspace / "pinned.pem").exists()


def test_nothing_is_pinned_where_nobody_can_be_asked(run, workspace: Path) -> None:
    ran = run("trust", "pin", "signed.zip", "-o", "pinned.pem", stdin=b"y\n")
    assert (ran.code, ran.out) == (2, "")
    assert "--expect-fingerprint" in ran.err
    assert not (workspace / "pinned.pem").exists()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_question_on_a_terminal_decides(workspace: Path, answer: bytes, code: int) -> None:
    controller, terminal = pty.openpty()
    os.write(controller, answer)
    program = Path(sys.executable).parent / "lambda-code-signing"
    done = subprocess.run(
        [program, "trust", "pin", "signed.zip", "-o", "pinned.pem"], cwd=workspace, stdin=terminal, capture_output=True
    )
    os.close(controller)
    os.close(terminal)
    assert done.returncode == code
    assert b"do you trust this root? [y/N]" in done.stderr
    assert (workspace / "pinned.pem").exists() is (code == 0)


@pytest.mark.parametrize("name", ["unsigned.zip", "tampered.zip", "policy.json"])
def test_unsound_archive_is_not_pinned_from(run, workspace: Path, name: str, fingerprint: str) -> None:
    ran = run("trust", "pin", name, "-o", "pinned.pem", "--expect-fingerprint", fingerprint)
    assert (ran.code, ran.out) == (1, "")
    assert not (workspace / "pinned.pem").exists()


def test_archive_with_a_signature_that_is_none_is_not_pinned_from(run, workspace: Path, fingerprint: str) -> None:
    with zipfile.ZipFile(workspace / "bad.zip", "w") as archive:
        archive.writestr("META_INF/aws_signer_signature_v1.0.SF", "x")
    assert run("trust", "pin", "bad.zip", "-o", "pinned.pem", "--expect-fingerprint", fingerprint).code == 1


def test_missing_archive_is_no_answer(run, fingerprint: str) -> None:
    assert run("trust", "pin", "missing.zip", "-o", "pinned.pem", "--expect-fingerprint", fingerprint).code == 3


def test_existing_file_is_kept_without_force(run, workspace: Path, fingerprint: str) -> None:
    (workspace / "pinned.pem").write_text("mine")
    arguments = ("trust", "pin", "signed.zip", "-o", "pinned.pem", "--expect-fingerprint", fingerprint)
    ran = run(*arguments)
    assert (ran.code, ran.out, (workspace / "pinned.pem").read_text()) == (2, "", "mine")
    assert run(*arguments, "--force").code == 0


def test_fingerprint_of_another_form_is_wrong_usage(run) -> None:
    ran = run("trust", "pin", "signed.zip", "-o", "p.pem", "--expect-fingerprint", "41:02")
    assert (ran.code, ran.out) == (2, "")
    assert "is not a SHA-256 fingerprint" in ran.err


def test_show_lists_roots_and_compares_with_the_reported_one(run, fingerprint: str) -> None:
    ran = run("trust", "show", "root.pem")
    assert ran.code == 0
    assert REPORTED in ran.out
    (root,) = run("trust", "show", "root.pem", "--format", "json").json["roots"]
    assert (root["file"], root["is_publicly_reported"]) == ("root.pem", False)
    assert root["sha256"].replace(":", "").lower() == fingerprint


@pytest.mark.parametrize("name", ["missing.pem", "policy.json"])
def test_show_of_something_else_is_no_answer(run, name: str) -> None:
    ran = run("trust", "show", "root.pem", name)
    assert (ran.code, ran.out) == (3, "")
