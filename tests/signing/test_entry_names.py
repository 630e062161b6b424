"""Names looked at all at once mean what each of them means by itself."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.entry_names import distinct_paths, entry_path

MAX_NAME_BYTES = 12
PARTS = st.sampled_from([b"a", b"b", b".", b"..", b"/", b"\\", b"\0", b"\xc3", b"\xa4", b"long name"])
NAMES = st.lists(PARTS, max_size=6).map(b"".join)


def one_by_one(names: Sequence[bytes]) -> set[bytes] | str:
    try:
        paths = [entry_path(name, MAX_NAME_BYTES) for name in names]
    except ArchiveError as error:
        return str(error)
    return set(paths) if len(set(paths)) == len(paths) else "twice"


def all_at_once(names: Sequence[bytes]) -> set[bytes] | str:
    try:
        return distinct_paths(names, MAX_NAME_BYTES)
    except ArchiveError as error:
        return "twice" if error.reason == "duplicate_name" else str(error)


@given(st.lists(NAMES, max_size=4))
@example([])
@example([b""])
@example([b"/"])
@example([b"a", b"/b"])
@example([b"\xc3", b"\xa4"])
@example([b"a/", b"a"])
def test_a_name_is_refused_among_others_for_the_reason_for_which_it_is_refused_alone(names: list[bytes]):
    assert all_at_once(names) == one_by_one(names)


def test_the_message_names_the_second_of_two_names_that_mean_the_same():
    with pytest.raises(ArchiveError, match=r"entry 'lib/./a\.py' is there twice") as raised:
        distinct_paths([b"lib/a.py", b"lib/b.py", b"lib/./a.py", b"lib/b.py"], 100)

    assert raised.value.reason == "duplicate_name"
