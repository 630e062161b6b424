"""Reads what ``explain`` is to explain and prints the answer: for people, or as a versioned JSON object."""

import sys
import textwrap
from pathlib import Path

from constructs_pkg.cli.files import read_file
from constructs_pkg.cli.output import EXIT_NO_VERDICT, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.errors import FileAccessError
from constructs_pkg.explanations import MAX_INPUT_BYTES, Explained, explain

__all__ = ["EXPLANATION_VERSION", "explain_message"]

EXPLANATION_VERSION = 1
"""Grows by one when a key of the JSON form changes its meaning or goes away."""

_WIDTH = 100
_MAX_PATH_CHARACTERS = 1024
_RECORD_SUFFIXES = (".json", ".jsonl", ".log", ".txt")


def explain_message(message: str, *, as_json: bool) -> int:
    """Print what a message means.

    Args:
        message: A text, the path of a file, or ``-`` for standard input.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    text = _read(message)
    if text is None:
        return EXIT_NO_VERDICT
    found = explain(text)
    if as_json:
        say_json({"version": EXPLANATION_VERSION, "explanations": [_as_json(item) for item in found]})
    else:
        for item in found:
            say(_as_text(item))
    if not found:
        tell(
            "Not recognised: this says nothing about code signing that this program knows. Pass the whole message or "
            "record, with the exception's name. For an archive, use: lambda-code-signing verify ARTIFACT"
        )
        return EXIT_NO_VERDICT
    return EXIT_YES


def _read(message: str) -> str | None:
    """Return the text to explain, or None after saying why there is none."""
    if message == "-":
        data = sys.stdin.buffer.read(MAX_INPUT_BYTES + 1)
    elif _is_file(message):
        try:
            data = read_file(Path(message), MAX_INPUT_BYTES, "the file")
        except FileAccessError as error:
            tell(f"Error: {error}")
            return None
    else:
        data = message.encode("utf-8", "surrogateescape")
    if len(data) > MAX_INPUT_BYTES:
        tell(f"Error: the input is larger than {MAX_INPUT_BYTES:,} bytes. Pass the record in question alone")
        return None
    # What is not UTF-8 cannot be part of a message of AWS; the rest of the text still can.
    return data.decode("utf-8", "replace")


def _is_file(message: str) -> bool:
    """Tell whether an argument names a file: one that is there, or one that looks like nothing else."""
    if len(message) > _MAX_PATH_CHARACTERS or "\n" in message:
        return False
    looks_like_a_file = message.endswith(_RECORD_SUFFIXES) and not message.startswith(("{", "[")) and " " not in message
    return looks_like_a_file or Path(message).exists()


def _as_text(explained: Explained) -> str:
    """Return an explanation as readable lines, with an empty line at the end."""
    explanation = explained.explanation
    about = f": {explanation.subject}" if explanation.subject else ""
    origin = [f"[{one_line(explained.origin)}]"] if explained.origin else []
    remedies = [
        textwrap.fill(
            remedy,
            _WIDTH,
            initial_indent=f"  {number}. ",
            subsequent_indent="     ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, remedy in enumerate(explanation.remedies, 1)
    ]
    meaning = textwrap.fill(
        explanation.meaning,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = [*origin, f"{explanation.title}{about}", meaning, "What to do:", *remedies]
    return "\n".join([*lines, f"Known from: {explanation.source}", ""])


def _as_json(explained: Explained) -> dict[str, object]:
    """Return an explanation as JSON values."""
    explanation = explained.explanation
    return {
        "code": explanation.code,
        "title": explanation.title,
        "meaning": explanation.meaning,
        "remedies": list(explanation.remedies),
        "subject": explanation.subject or None,
        "origin": explained.origin or None,
        "source": explanation.source,
    }
