"""Runs the command line in this process, in a folder of its own, beside archives that a throwaway authority signed."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from constructs_pkg.cli.main import main
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy_file import format_policy
from constructs_pkg.validity import Validity

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2026, 1, 2, tzinfo=UTC)
BODY = b"def handler(event, context): return 1\n"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def signed_things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of two profiles, unsigned and signed archives, and policies."""
    folder = tmp_path_factory.mktemp("signed-things")
    authority = AuthorityDirectory.init(
        folder / "authority", region="eu-west-1", account="123456789012", at=BEGINNING, seed=b"s" * 48
    )
    with authority.changing() as inside:
        inside.put_profile("payments", validity=Validity(90, "DAYS"))
        inside.put_profile("website", validity=Validity(90, "DAYS"))
    with zipfile.ZipFile(folder / "unsigned.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), BODY)
    for name, profile in (("signed.zip", "payments"), ("other.zip", "website")):
        with (folder / "unsigned.zip").open("rb") as source, (folder / name).open("w+b") as target:
            authority.sign(source, target, profile=profile, at=SIGNED_AT)
    rezip(folder / "signed.zip", folder / "tampered.zip", {"app.py": BODY.replace(b"1", b"2")})
    shutil.copy(folder / "authority" / "root.pem", folder / "root.pem")
    policy = authority.read().export_policy(at=SIGNED_AT, profiles=["payments"])
    (folder / "policy.json").write_text(format_policy(policy))
    return folder


@pytest.fixture
def workspace(signed_things: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the signed things, which is the current folder."""
    shutil.copytree(signed_things, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: ARG001
    """Runs one command in the workspace; standard input is no terminal."""

    def run_command(*words: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run_command


def rezip(source: Path, target: Path, bodies: dict[str, bytes]) -> None:
    """Write an archive anew, with some bodies changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, bodies.get(entry.filename, old.read(entry)))


@pytest.fixture
def process(workspace: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs the installed program in a process of its own."""
    program = Path(sys.executable).parent / "lambda-code-signing"

    def run_process(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        options = {"capture_output": True, "stdin": subprocess.DEVNULL, "env": environment, **options}
        return subprocess.run([program, *words], cwd=workspace, **options)

    return run_process
