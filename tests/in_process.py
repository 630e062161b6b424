"""Runs a Python program in this process, which has AWS CDK and its Node.js at work already: that is most of their time.

Whether a program can be started at all, with nothing loaded, is for one test of each to show.
"""

import contextlib
import io
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock


def run_in_process(
    program: Path, *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Do what ``python program arguments`` does in a folder; what it prints by itself comes back."""
    said, complained = io.StringIO(), io.StringIO()
    code = 0
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment or {}),
        mock.patch.object(sys, "argv", [str(program), *arguments]),
        _modules_beside(program.parent),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            runpy.run_path(str(program), run_name="__main__")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return subprocess.CompletedProcess([str(program), *arguments], code, said.getvalue(), complained.getvalue())


@contextlib.contextmanager
def _modules_beside(folder: Path) -> Iterator[None]:
    """Import from a program's folder first, and forget those modules: the next program has others of the same names."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder) + os.sep):
                del sys.modules[name]
