"""Names looked at all at once are plain only where each of them is."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.entry_names import are_plain, distinct_paths

MAX_NAME_BYTES = 12
PARTS = st.sampled_from([b"a", b"b", b".", b"..", b"/", b"\\", b"\0", b"\xc3", b"\xa4", b"long name"])
NAMES = st.lists(PARTS, max_size=6).map(b"".join)


def paths_of(names: Sequence[bytes]) -> set[bytes] | str:
    try:
        return distinct_paths(names, MAX_NAME_BYTES)
    except ArchiveError as error:
        return error.reason


@given(st.lists(NAMES, max_size=4))
@example([])
@example([b""])
@example([b"/"])
@example([b"a", b"/b"])
@example([b"\xc3", b"\xa4"])
@example([b"a/", b"a"])
def test_names_that_are_plain_are_their_own_paths(names: list[bytes]):
    if are_plain(names, MAX_NAME_BYTES):
        assert paths_of(names) == {name.removesuffix(b"/") for name in names}
        assert all(name.isascii() and b"\\" not in name for name in names)


@pytest.mark.parametrize(
    "names",
    [
        [b""],
        [b"/"],
        [b"/a"],
        [b"a//b"],
        [b"./a"],
        [b"a/.."],
        [b"a\\b"],
        [b"a\0b"],
        [b"\xc3\xa4"],
        [b"a", b"a/"],
        [b"x" * 13],
    ],
)
def test_names_that_are_refused_or_noted_are_not_plain(names: list[bytes]):
    assert not are_plain(names, MAX_NAME_BYTES)


def test_usual_names_are_plain():
    assert are_plain([b"a/", b"a/.hidden", b"a/b..py", b"...", b".b/c"], MAX_NAME_BYTES)


def test_the_message_names_the_second_of_two_names_that_mean_the_same():
    with pytest.raises(ArchiveError, match=r"entry 'lib/./a\.py' is there twice") as raised:
        distinct_paths([b"lib/a.py", b"lib/b.py", b"lib/./a.py", b"lib/b.py"], 100)

    assert raised.value.reason == "duplicate_name"
