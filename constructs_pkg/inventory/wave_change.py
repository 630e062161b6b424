"""The one line of an organization file that promotes a wave: found in its text, proven by reading the changed text."""

import re
import tomllib
from dataclasses import dataclass
from typing import Any

__all__ = ["LineChange", "promotion_change"]

_MODE = re.compile(r"""(?P<key>\s*mode\s*=\s*)(?P<value>"Warn"|'Warn')""")
_COMMENT = re.compile(r"\A[ \t]*#[^\r\n]*(?P<ending>\r?\n?)\Z")


@dataclass(frozen=True, slots=True)
class LineChange:
    """One changed line.

    Attributes:
        number: Its number, from 1.
        before: The line as it is.
        after: The line as it would be.
    """

    number: int
    before: str
    after: str


def promotion_change(text: str, wave: str) -> LineChange | None:
    """Return the change of one line that makes a wave enforce and changes nothing else.

    Args:
        text: A valid organization file.
        wave: The name of one of its waves, which warns.

    Returns:
        None where no single line does it, such as for a wave that is written as an inline table.
    """
    lines = text.splitlines(keepends=True)
    wanted = _document(text, wave)
    for number, line in enumerate(lines, 1):
        match = _MODE.match(line)
        if match is None:
            continue
        rest = line[match.end() :]
        # A comment behind the old value is about the old value; anything else there stays.
        ending = _COMMENT.sub(r"\g<ending>", rest)
        changed = f'{match["key"]}"Enforce"{ending}'
        try:
            document = tomllib.loads("".join([*lines[: number - 1], changed, *lines[number:]]))
        except tomllib.TOMLDecodeError:
            continue
        if document == wanted:
            return LineChange(number, line.rstrip("\r\n"), changed.rstrip("\r\n"))
    return None


def _document(text: str, wave: str) -> dict[str, Any]:
    """Return what the file would say after the change."""
    document = tomllib.loads(text)
    for table in document.get("waves", ()):
        if table.get("name") == wave:
            table["mode"] = "Enforce"
    return document
