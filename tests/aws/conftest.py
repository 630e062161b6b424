"""Runs the command line in this process, over a fake organization, in a folder with the organization file."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from constructs_pkg.cli.main import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run_here(tmp_path, monkeypatch, capsys) -> Callable[..., Ran]:
    """Run one command in a folder that has organization.toml; standard input is no terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("organization.toml", "organization.lock.json"):
        shutil.copy(ROOT / name, tmp_path)

    def run_command(*words: object, answers: str | None = None) -> Ran:
        stdin = io.TextIOWrapper(io.BytesIO((answers or "").encode()))
        if answers is not None:
            stdin.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", stdin)
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run_command
