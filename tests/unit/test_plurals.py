import re
from pathlib import Path

import pytest

from constructs_pkg.plurals import counted

PACKAGE = Path(__file__).parents[2] / "constructs_pkg"
COUNT_BEFORE_A_PLURAL = re.compile(r"\{len\([^{}]*\)(?::,)?\} (?!characters|bytes)(?:[a-z]+ ){0,2}[a-z]+s\b")


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("function",), "0 functions"),
        (1, ("function",), "1 function"),
        (2, ("function",), "2 functions"),
        (1204, ("function",), "1,204 functions"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_a_number_has_the_form_of_its_noun(number, words, text) -> None:
    assert counted(number, *words) == text


ALWAYS_SEVERAL = {"signing_sources.py", "verification.py"}
"""Their texts are for several archives only."""


@pytest.mark.parametrize("part", ["cli", "inventory", "organization", "rules"])
def test_what_people_read_counts_one_thing_in_the_singular(part) -> None:
    """A length before a plural is wrong for one: it goes through `counted`."""
    found = {
        f"{path.name}: {match.group()}"
        for path in sorted((PACKAGE / part).glob("*.py"))
        if path.name not in ALWAYS_SEVERAL
        for match in COUNT_BEFORE_A_PLURAL.finditer(path.read_text("utf-8"))
    }
    assert found == set()
