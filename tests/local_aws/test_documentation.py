"""``docs/local-aws.md`` tells of the behaviours what the code tells, and its example works in somebody's own tests."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from constructs_pkg.testing.local_aws.behaviours import BEHAVIOURS, Origin, markdown_table

DOCUMENT = (Path(__file__).parents[2] / "docs" / "local-aws.md").read_text("utf-8")
TABLE = DOCUMENT.split("## What we know, and what we assume\n")[1]


def test_table_of_the_document_is_that_of_the_code() -> None:
    written = "\n".join(line for line in TABLE.splitlines() if line.startswith("|"))
    assert written == markdown_table()


def test_every_behaviour_says_where_it_is_known_from() -> None:
    origins = get_args(Origin)
    assert [row for row in BEHAVIOURS if row[1] not in origins or not row[2]] == []
    assert len({row[0] for row in BEHAVIOURS}) == len(BEHAVIOURS)
    assert [origin for origin in origins if f"- **{origin}**" not in TABLE] == []


def test_example_works_in_somebodys_own_tests(tmp_path: Path) -> None:
    examples = [block for block in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL) if "pytest_plugins" in block]
    assert len(examples) == 1
    (tmp_path / "test_example.py").write_text(examples[0].replace("pytest_plugins", "PLUGINS"), "utf-8")
    (tmp_path / "conftest.py").write_text("".join(re.findall(r"(?m)^pytest_plugins = .*$", examples[0])), "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
