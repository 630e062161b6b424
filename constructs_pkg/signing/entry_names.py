"""Which names an archive's entries may have, and which of them mean the same path."""

import re
from collections.abc import Sequence

from constructs_pkg.signing.archive_defects import ArchiveDefect, defect, shown

__all__ = ["distinct_paths", "entry_path"]

# An empty, '.' or '..' component, once the one slash that marks a directory is off. '\' counts as a separator here
# because some readers turn it into '/'.
_ODD_COMPONENT = re.compile(rb"(?:^|[/\\])\.{0,2}(?=[/\\]|\Z)")
_ODD_WHEN_JOINED = (b"//", b"/./", b"/../", b"\\", b"\0")


def are_plain(names: Sequence[bytes], max_name_bytes: int) -> bool:
    """Tell whether all names are ASCII, mean different paths, and ``entry_path`` would find nothing special in them.

    Looking at all of them at once takes a fifth of the time. False says nothing about any of them.

    Args:
        names: The raw names.
        max_name_bytes: The longest name that is accepted.
    """
    paths = [name.removesuffix(b"/") for name in names]
    joined = b"/".join((b"", *paths, b""))  # one of them is odd only where the whole is
    return (
        joined.isascii()
        and not any(part in joined for part in _ODD_WHEN_JOINED)
        and max(map(len, names), default=0) <= max_name_bytes
        and len(set(paths)) == len(paths)
    )


def distinct_paths(names: Sequence[bytes], max_name_bytes: int) -> set[bytes]:
    """Return the paths that the entries of an archive are extracted to, all of them different.

    Args:
        names: The raw names.
        max_name_bytes: The longest name that is accepted.

    Raises:
        ArchiveError: Two names mean the same path, or one of them is what ``entry_path`` refuses.
    """
    paths: set[bytes] = set()
    for name in names:
        path = entry_path(name, max_name_bytes)
        if path in paths:
            twice = f"entry {shown(name)} is there twice: readers disagree on which one counts. Package again"
            raise defect(ArchiveDefect.DUPLICATE_NAME, twice)
        paths.add(path)
    return paths


def entry_path(name: bytes, max_name_bytes: int) -> bytes:
    """Return the path that an entry is extracted to, for comparison with other entries.

    ``a``, ``a/``, ``./a`` and ``a//`` give the same path. Case and Unicode normalization are kept: Lambda's file system
    is Linux's, to which different bytes are different names.

    Args:
        name: The raw name.
        max_name_bytes: The longest name that is accepted.

    Raises:
        ArchiveError: The name is empty, too long, not UTF-8, holds a NUL, is absolute or contains ``..``.
    """
    if not name:
        raise defect(ArchiveDefect.NAME_EMPTY, "an entry has an empty name")
    if len(name) > max_name_bytes:
        start = f"the name that begins with {shown(name[:40])} has {len(name)} bytes"
        raise defect(ArchiveDefect.NAME_TOO_LONG, f"{start}; the limit is {max_name_bytes}")
    if b"\0" in name:
        raise defect(
            ArchiveDefect.NAME_WITH_NUL, f"entry {shown(name)} has a NUL in its name: readers cut such names off"
        )
    if not name.isascii():
        _check_utf8(name)
    path = name.removesuffix(b"/")
    # Searching for fixed bytes costs a tenth of the expression, and almost every name ends here.
    may_be_odd = b"/." in path or b"//" in path or b"\\" in path or path.startswith((b".", b"/")) or not path
    if not may_be_odd or _ODD_COMPONENT.search(path) is None:
        return path
    components = path.replace(b"\\", b"/").split(b"/")
    if b".." in components or path.startswith(b"/") or not path:
        raise defect(
            ArchiveDefect.NAME_LEAVES_DIRECTORY,
            f"entry {shown(name)} lies outside of the function's directory. Package again with relative names",
        )
    return b"/".join(component for component in path.split(b"/") if component not in (b"", b"."))


def _check_utf8(name: bytes) -> None:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise defect(
            ArchiveDefect.NAME_NOT_UTF8,
            f"entry {shown(name)} has a name that is not UTF-8: {error.reason}. Rename the file",
        ) from error
