"""What commands print: the answer on standard output, without anything that could steer the reader's terminal."""

import json
import sys
import unicodedata

import click

__all__ = ["EXIT_NO", "EXIT_NO_VERDICT", "EXIT_YES", "one_line", "printable", "say", "say_json", "tell"]

EXIT_YES = 0
EXIT_NO = 1
EXIT_NO_VERDICT = 3
"""No answer could be reached; 2 is for wrong usage and bad input, as everywhere in this program."""


def say(text: str) -> None:
    """Print part of the answer on standard output, made `printable`."""
    click.echo(printable(text, sys.stdout.encoding))


def tell(text: str) -> None:
    """Print something beside the answer on standard error, made `printable`."""
    click.echo(printable(text, sys.stderr.encoding), err=True)


def say_json(value: object) -> None:
    """Print the answer as JSON, in ASCII, so that no encoding can spoil it."""
    click.echo(json.dumps(value, indent=2))


def printable(text: str, encoding: str | None = "utf-8") -> str:
    r"""Replace what a terminal would obey instead of show: control and format characters, lone surrogates.

    Names of entries and of certificates come from whoever made the archive. Line feeds are kept: see `one_line`.

    Args:
        text: The text.
        encoding: What the reader's terminal can show; the rest is written as ``\xNN`` or ``\uNNNN`` too.
    """
    shown = "".join(
        character if character == "\n" or unicodedata.category(character)[0] != "C" else _escaped(character)
        for character in text
    )
    return shown.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def one_line(text: str) -> str:
    r"""Write line feeds as ``\n``, for what comes from outside and must not begin a line of its own."""
    return text.replace("\n", "\\n")


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
