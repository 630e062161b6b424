"""How commands read and write files: bounded, atomically, and never over what is there without being told to."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from constructs_pkg.errors import FileAccessError

__all__ = ["read_file", "refuse_existing", "write_file"]

_T = TypeVar("_T")


def read_file(path: Path, max_bytes: int, what: str) -> bytes:
    """Read a whole file.

    Args:
        path: The file.
        max_bytes: How much is read at most.
        what: What the file is, for the messages.

    Raises:
        FileAccessError: It cannot be read, or it is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise FileAccessError(f"{what} {path} cannot be read: {_reason(error)}. Check the path") from error
    if len(data) > max_bytes:
        raise FileAccessError(f"{what} {path} is larger than {max_bytes:,} bytes. Is it the right file?")
    return data


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse before any work is done what `write_file` would refuse after it.

    Args:
        path: The file to be written.
        force: Whether it may be replaced.

    Raises:
        FileAccessError: It is there already, is a directory, or nothing can be written where it would lie.
    """
    if path.is_dir():
        raise FileAccessError(f"{path} is a directory. Name the file to write")
    if not path.parent.is_dir():
        raise FileAccessError(f"{path} cannot be written: {path.parent} is no directory. Make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileAccessError(f"{path} cannot be written: {path.parent} is closed to you. Name another directory")
    if not force and (path.exists() or path.is_symlink()):
        raise FileAccessError(f"{path} exists already. Choose another name, or replace it with --force")


def write_file(path: Path, write: Callable[[BinaryIO], _T], *, force: bool) -> _T:
    """Write a file so that it appears complete or not at all, whatever goes wrong.

    Args:
        path: The file; its directory exists.
        write: Writes the content to the seekable file that it is given.
        force: Whether a file that is there may be replaced. Where it may not, one that appears meanwhile is safe too.

    Returns:
        What ``write`` returns.

    Raises:
        FileAccessError: It is there already, or it cannot be written.
    """
    refuse_existing(path, force=force)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    try:
        try:
            with temporary.open("x+b") as file:
                result = write(file)
                file.flush()
                os.fsync(file.fileno())
            _publish(temporary, path, force=force)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise FileAccessError(f"{path} cannot be written: {_reason(error)}. Check the directory") from error
    return result


def _publish(temporary: Path, path: Path, *, force: bool) -> None:
    """Give the file its name in one step: by replacing, or by linking, which fails where the name is taken."""
    if force:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        refuse_existing(path, force=False)
        raise
    except OSError:
        # This file system has no hard links: look once more, and accept the moment in between.
        refuse_existing(path, force=False)
        temporary.replace(path)


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
