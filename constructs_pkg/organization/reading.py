"""Reads an organization file, under limits, and returns an ``Organization`` or every problem of the file."""

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, cast

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization.checks import check_together
from constructs_pkg.organization.elements import ARRAYS, TABLES, examine, frozen
from constructs_pkg.organization.lock import lock_path, lock_problems, read_lock
from constructs_pkg.organization.model import Organization

__all__ = ["MOST_FILE_BYTES", "load_organization", "organization_from", "read_organization"]

MOST_FILE_BYTES = 1024 * 1024
"""No organization of 2,000 units and accounts comes near it; what is larger is not an organization file."""

_MOST_DOTS = 200
"""How many dots one line may have: tomllib's time grows with the square of the parts of a dotted key."""

_START = "Start from examples/single-account.toml"
_UTF8_MARK = b"\xef\xbb\xbf"
_PLACE = re.compile(r"(?P<message>.*?) \((?:at )?(?P<where>line \d+, column \d+|end of document)\)", re.DOTALL)
_TABLE_ORDER = [*TABLES, *ARRAYS]


def load_organization(path: Path, *, at: datetime) -> Organization:
    """Read an organization file, and the ledger beside it where there is one.

    Args:
        path: The TOML file; at most 1 MiB of UTF-8. ``NAME.lock.json`` in the same folder is its ledger.
        at: The moment to judge dates by, aware; a date holds until the end of its day in UTC.

    Returns:
        The organization, which holds no contradiction and contradicts its ledger nowhere.

    Raises:
        OrganizationError: With every problem. The file is compared with its ledger once it is sound in itself.
        ValueError: ``at`` is naive.
    """
    source = str(path)
    organization = read_organization(_read_text(path, source), source, at=at)
    lock_source = lock_path(path)
    problems = lock_problems(organization, read_lock(lock_source))
    if problems:
        raise OrganizationError(source, problems)
    return organization


def read_organization(text: str, source: str, *, at: datetime) -> Organization:
    """Read the text of an organization file, without a ledger.

    Args:
        text: TOML.
        source: How messages call the file.
        at: The moment to judge dates by, aware.

    Raises:
        OrganizationError: With every problem.
        ValueError: ``at`` is naive.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > _MOST_DOTS and not line.lstrip().startswith("#"):
            message, remedy = f"this line has more than {_MOST_DOTS} dots", "Write it on several lines"
            _refuse(source, f"line {number}", message, remedy)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.fullmatch(str(error))
        where, message = (match["where"], match["message"]) if match else ("syntax", str(error))
        _refuse(
            source, where, f"this is not TOML: {message}", "Correct it there; https://toml.io shows the syntax", error
        )
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or brackets in brackets in brackets: Python's own limits, not TOML's.
        reason = "it nests too deeply" if isinstance(error, RecursionError) else "it holds a number that is too long"
        _refuse(source, "syntax", f"this cannot be read: {reason}", _START, error)
    return organization_from(document, source, at=at)


def organization_from(document: Mapping[str, object], source: str, *, at: datetime) -> Organization:
    """Turn a parsed TOML document into an organization.

    Args:
        document: What a TOML parser returned; it is not changed.
        source: How messages call the file.
        at: The moment to judge dates by, aware.

    Raises:
        OrganizationError: With every problem, in the order of the tables.
        ValueError: ``at`` is naive.
    """
    if at.tzinfo is None:
        raise ValueError(f"at={at!r} has no time zone; pass an aware datetime such as datetime.now(UTC)")
    if not document:
        _refuse(source, "file", "it is empty", _START)
    elements, problems = examine(document)
    problems.extend(check_together(elements, today=at.astimezone(UTC).date()))
    if problems:
        raise OrganizationError(source, tuple(sorted(problems, key=_order)))
    tables = {key: value for key, value in document.items() if key != "organization"}
    # examine has a problem for everything but a table
    own = cast("dict[str, object]", document["organization"])
    return Organization.model_validate(frozen({**tables, **own}, depth=-1))


def _read_text(path: Path, source: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except FileNotFoundError as error:
        _refuse(source, "file", "it does not exist", f"Name another file. {_START}", error)
    except IsADirectoryError as error:
        _refuse(
            source, "file", "it is a directory", f"Name the file in it, such as {path / 'organization.toml'}", error
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(source, "file", f"it cannot be read: {reason}", "Name a file that you may read", error)
    if len(data) > MOST_FILE_BYTES:
        _refuse(
            source,
            "file",
            f"it has more than {MOST_FILE_BYTES:,} bytes",
            "Is it an organization file? Shorten it",
        )
    mark = len(_UTF8_MARK) if data.startswith(_UTF8_MARK) else 0  # some editors on Windows write one
    try:
        return data[mark:].decode("utf-8")
    except UnicodeDecodeError as error:
        place = error.start + mark
        message = f"it is not UTF-8: byte 0x{data[place]:02x} at position {place}"
        line = data.count(b"\n", 0, place) + 1
        _refuse(source, f"line {line}", message, "Save the file as UTF-8", error)


def _order(problem: Problem) -> tuple[int, int]:
    """Return the place of a problem in the file: its table, then its element."""
    match = re.match(r"(\w+)(?:\[(\d+)\])?", problem.where)
    table = match[1] if match else ""
    index = int(match[2]) if match and match[2] else -1
    return (_TABLE_ORDER.index(table) if table in _TABLE_ORDER else len(_TABLE_ORDER)), index


def _refuse(source: str, where: str, message: str, remedy: str, cause: Exception | None = None) -> NoReturn:
    raise OrganizationError(source, (Problem(where, message, remedy),)) from cause
