"""The test file of docs/testing.md runs as it stands, in a project of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.repo.test_documentation import ROOT, blocks_of


def test_test_file_of_the_documentation_passes(tmp_path: Path) -> None:
    (block,) = (item for item in blocks_of(ROOT / "docs" / "testing.md") if "pytest_plugins" in item.text)
    (tmp_path / "test_payments.py").write_text(block.text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr
