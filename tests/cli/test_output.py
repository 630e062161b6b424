"""What is printed cannot steer a terminal; progress shows only where somebody waits at one."""

import io
from pathlib import Path

import pytest

from constructs_pkg.cli.output import one_line, printable
from constructs_pkg.cli.progress import Progress, open_with_progress


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode …", "plain ünïcode …"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\tc\x7f\x9b", "a\\x0db\\x09c\\x7f\\x9b"),
        ("right\u202eleft\u200b", "right\\u202eleft\\u200b"),
        ("\udcff", "\\udcff"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_what_an_encoding_lacks_is_escaped() -> None:
    assert printable("…", "ascii") == "\\u2026"


def test_one_line_is_one_line() -> None:
    assert one_line("a\nb") == "a\\nb"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_progress_is_silent_for_two_seconds_and_removes_itself() -> None:
    terminal, clock = Terminal(), Clock()
    progress = Progress("verifying a.zip", 200, terminal, clock)
    for clock.seconds in (0.0, 1.0, 1.9):
        progress.advance(20)
    assert terminal.getvalue() == ""
    for clock.seconds in (2.0, 2.1, 2.3):
        progress.advance(20)
    assert terminal.getvalue() == "\rverifying a.zip …  40 %\rverifying a.zip …  60 %"
    progress.close()
    assert terminal.getvalue().endswith("\r\033[K")


def test_progress_never_exceeds_a_hundred_percent() -> None:
    terminal, clock = Terminal(), Clock()
    progress = Progress("a", 0, terminal, clock)
    clock.seconds = 3.0
    progress.advance(10)
    assert terminal.getvalue() == "\ra … 100 %"


def test_progress_is_silent_where_nobody_looks() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress("a", 10, stream, clock)
    clock.seconds = 100.0
    progress.advance(5)
    progress.close()
    assert stream.getvalue() == ""


def test_progress_that_was_not_shown_removes_nothing() -> None:
    terminal = Terminal()
    Progress("a", 10, terminal, Clock()).close()
    assert terminal.getvalue() == ""


def test_name_in_the_progress_cannot_steer_the_terminal() -> None:
    terminal, clock = Terminal(), Clock()
    progress = Progress("\x1b[2J\n", 10, terminal, clock)
    clock.seconds = 3.0
    progress.advance(5)
    assert terminal.getvalue() == "\r\\x1b[2J  …  50 %"


def test_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    with open_with_progress(tmp_path / "f", "reading") as file:
        assert (file.read(2), file.read(), file.seek(0), file.read()) == (b"ab", b"c", 0, b"abc")
