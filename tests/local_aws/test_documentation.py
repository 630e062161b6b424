"""``docs/local-aws.md`` tells of the behaviours what the code tells."""

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
