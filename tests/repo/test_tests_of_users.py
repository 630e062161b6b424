"""Tests that users have before them pass as they stand: the example app's, and the test files of the documentation."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.repo.test_documentation import ROOT, blocks_of


def file_of_tests_in(document: str) -> str:
    (block,) = (item for item in blocks_of(ROOT / "docs" / document) if "pytest_plugins" in item.text)
    return block.text


def test_they_pass_in_a_process_that_knows_nothing_of_this_repository(tmp_path: Path) -> None:
    """One process for all of them, because half of their time is its start."""
    shutil.copytree(ROOT / "examples" / "payments", tmp_path / "example", ignore=shutil.ignore_patterns("cdk.out"))
    (tmp_path / "test_of_testing.py").write_text(file_of_tests_in("testing.md"), "utf-8")
    of_local_aws = file_of_tests_in("local-aws.md")
    # The page says that the line belongs into the conftest.py at the top.
    (tmp_path / "conftest.py").write_text("".join(re.findall(r"(?m)^pytest_plugins = .*$", of_local_aws)), "utf-8")
    (tmp_path / "test_of_local_aws.py").write_text(of_local_aws.replace("pytest_plugins", "PLUGINS"), "utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.findall(r"(?m)^(\S+\.py)::\S+ PASSED", done.stdout)
    assert {name: passed.count(name) for name in passed} == {
        "example/tests/test_payments_stack.py": 2,
        "test_of_local_aws.py": 1,
        "test_of_testing.py": 4,
    }
