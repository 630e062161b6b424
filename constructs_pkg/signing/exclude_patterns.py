"""Patterns that leave files out of a package, in the part of gitignore's language that needs no order."""

import re
from collections.abc import Iterable

from constructs_pkg.errors import PackagingError

__all__ = ["DEFAULT_EXCLUDES", "ExcludePatterns"]

DEFAULT_EXCLUDES = (
    "__pycache__/",
    "*.py[co]",
    ".git",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".hg/",
    ".svn/",
    ".DS_Store",
    "Thumbs.db",
    ".venv/",
    ".tox/",
    ".nox/",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".idea/",
    ".vscode/",
    ".env",
    ".aws/",
)
"""What no deployment package needs, what differs from machine to machine, and where credentials tend to lie."""

_WILDCARDS = {"**/": "(?:[^/]+/)*", "/**": "/.+", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_TOKEN = re.compile(r"\*\*/|/\*\*$|\*\*|\*|\?|\[!?[^\]/]+\]|.", re.DOTALL)


class ExcludePatterns:
    """Decides which paths stay out.

    As in gitignore: ``*`` and ``?`` stop at slashes, ``[...]`` is a set of characters (``[!...]`` the others), ``**``
    crosses slashes, a trailing slash means directories only, and a pattern with another slash begins at the packaged
    directory while one without matches at any depth. A directory that stays out takes everything below it along.
    Unlike gitignore there are no comments, no escapes and no ``!`` to take something back in.

    Args:
        patterns: The patterns; their order does not matter.

    Raises:
        PackagingError: A pattern is empty, begins with ``!`` or contains a backslash.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [(_expression(pattern), pattern.endswith("/")) for pattern in patterns]

    def __call__(self, path: str, *, is_directory: bool) -> bool:
        """Tell whether a path stays out; its parents were asked about before.

        Args:
            path: Relative to the packaged directory, with forward slashes and none at the end.
            is_directory: Whether it is one.
        """
        return any(
            expression.fullmatch(path) is not None
            for expression, only_directories in self._patterns
            if is_directory or not only_directories
        )


def _expression(pattern: str) -> re.Pattern[str]:
    core = pattern.removesuffix("/")
    if not core or core == "/":
        raise PackagingError(f"the exclude pattern {pattern!r} names nothing. Leave it away")
    if core.startswith("!") or "\\" in core:
        raise PackagingError(f"the exclude pattern {pattern!r} has a '!' or a '\\'. Write what stays out, with '/'")
    anywhere = "" if "/" in core else "(?:.*/)?"
    return re.compile(anywhere + "".join(map(_translate, _TOKEN.findall(core.removeprefix("/")))), re.DOTALL)


def _translate(token: str) -> str:
    if token in _WILDCARDS:
        return _WILDCARDS[token]
    if len(token) > 1:
        negated = token[1] == "!"
        members = re.sub(r"([\\^&~|\[])", r"\\\1", token[2 if negated else 1 : -1])
        return f"[{'^/' if negated else ''}{members}]"
    return re.escape(token)
