"""What several commands have in common: kinds of values, ``--organization``, ``--format``, ``--force``, examples."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["ACCOUNT", "MOMENT", "PATH", "examples", "force_option", "format_option", "organization_option"]

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_Function = TypeVar("_Function", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
"""A path; whether something is there is for the command to find out, which says it in its own words."""


class _Moment(click.ParamType[datetime]):
    """An ISO 8601 time with its zone, such as ``2026-11-23T12:00:00Z``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401 (click's)
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            missing = "is not a time" if at is None else "has no time zone"
            self.fail(f"{value!r} {missing}. Write one such as 2026-11-23T12:00:00Z", param, ctx)
        try:
            return at.astimezone(UTC)
        except OverflowError:
            self.fail(f"{value!r} is outside of the years 1 to 9999 in UTC", param, ctx)


MOMENT = _Moment()
"""An aware moment."""


class _Account(click.ParamType[str]):
    """The id of an account."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 (click's)
        if _ACCOUNT_ID.fullmatch(value) is None:
            self.fail(f"{value!r} is no account id. Write its 12 digits", param, ctx)
        return value


ACCOUNT = _Account()
"""The 12 digits of an account."""


def format_option(*names: str) -> Callable[[_Function], _Function]:
    """Return the option ``--format``, whose default is the first name."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="How to answer.",
    )


def examples(*commands: str) -> str:
    """Return the epilog of a command's help: lines as they are typed, which click leaves alone after its mark."""
    lines = "".join(f"\n  {command}" for command in commands)
    return f"\b\nExample{'s' if len(commands) > 1 else ''}:{lines}"


force_option = click.option("--force", is_flag=True, help="Replace the output file where it exists.")

organization_option = click.option(
    "--organization",
    "organization_file",
    type=PATH,
    metavar="FILE",
    default="organization.toml",
    show_default=True,
    help="The organization file.",
)
"""The organization file of commands that do nothing without one."""
