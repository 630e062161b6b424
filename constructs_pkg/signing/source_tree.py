"""The files of a directory that go into a package, and the refusal of everything that is not plainly one of them."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from constructs_pkg.errors import ArchiveError, PackagingError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, ArchiveLimits
from constructs_pkg.signing.entry_names import entry_path
from constructs_pkg.signing.exclude_patterns import ExcludePatterns

__all__ = ["SourceTree", "TreeFile", "open_regular"]

# Without O_NOFOLLOW a file could become a link between being looked at and being opened; without O_NONBLOCK opening
# what has become a pipe would wait for ever. Windows has neither, and needs O_BINARY.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file to package.

    Attributes:
        name: Of its entry.
        path: Of the file; for a link, of what it leads to.
    """

    name: str
    path: Path


class SourceTree:
    """A directory that is going to be packaged.

    Args:
        directory: The directory.
        excludes: What stays out.
        limits: How many files there may be and how long their names.

    Attributes:
        excluded: The paths that stayed out so far; a directory's ends with a slash.
    """

    def __init__(self, directory: Path, excludes: ExcludePatterns, limits: ArchiveLimits) -> None:
        self._directory = directory
        self._excludes = excludes
        self._limits = limits
        self._root = Path(os.path.realpath(directory))
        self.excluded: list[str] = []

    def files(self) -> list[TreeFile]:
        """Return the files, sorted by the UTF-8 bytes of their names.

        Raises:
            PackagingError: There are none or too many; or one of them cannot be packaged.
        """
        files: list[TreeFile] = []
        pending = [("", self._directory)]
        while pending:
            prefix, folder = pending.pop()
            for item in _list(folder):
                name, path = prefix + item.name, Path(item.path)
                is_directory = item.is_dir(follow_symlinks=False)
                if self._excludes(name, is_directory=is_directory):
                    self.excluded.append(f"{name}/" if is_directory else name)
                elif is_directory:
                    pending.append((f"{name}/", path))
                else:
                    self._check_name(name, path)
                    files.append(TreeFile(name, self._target(name, path) if item.is_symlink() else path))
            if len(files) > self._limits.max_entries:
                raise PackagingError(f"{self._directory} has more than {self._limits.max_entries} files to package")
        if not files:
            raise PackagingError(f"{self._directory} holds no file to package. Name the directory with the code")
        return sorted(files, key=lambda file: file.name.encode())

    def _check_name(self, name: str, path: Path) -> None:
        try:
            raw = name.encode()
            entry_path(raw, self._limits.max_name_bytes)
        except UnicodeEncodeError as error:
            raise PackagingError(f"{str(path)!r} has a name that is not UTF-8. Rename the file") from error
        except ArchiveError as error:
            raise PackagingError(f"{path}: {error}") from error
        if "\\" in name:
            raise PackagingError(f"{path} has a backslash in its name, which is a separator elsewhere. Rename the file")
        if name == SIGNATURE_ENTRY:
            raise PackagingError(f"{path} is the signature of an earlier package. Delete it, or exclude 'META_INF/'")

    def _target(self, name: str, link: Path) -> Path:
        """Return where a link leads: to a file in the tree that does not stay out."""
        try:
            target = Path(os.path.realpath(link, strict=True))
        except OSError as error:
            raise PackagingError(f"{link} is a link that leads nowhere: {error.strerror}. Delete it") from error
        if not target.is_relative_to(self._root):
            raise PackagingError(f"{link} is a link out of the tree, to {target}. Replace it by a copy")
        if target.is_dir():
            raise PackagingError(
                f"{link} is a link to the directory {target}. Replace it by a copy, or exclude {name!r}"
            )
        parts = target.relative_to(self._root).parts
        for length in range(1, len(parts) + 1):
            if self._excludes("/".join(parts[:length]), is_directory=length < len(parts)):
                raise PackagingError(f"{link} is a link to {target}, which is excluded. Exclude {name!r} too")
        return target


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading, following no link.

    Args:
        path: Of the file.

    Raises:
        PackagingError: It cannot be read, or is no regular file.
    """
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):  # a socket, or a device without its driver
            raise _not_regular(path) from error
        raise PackagingError(
            f"{path} cannot be read: {error.strerror}. Change its permissions, or exclude it"
        ) from error
    file = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise _not_regular(path)
    return file


def _not_regular(path: Path) -> PackagingError:
    return PackagingError(f"{path} is neither a file nor a directory, but a pipe, a socket or a device. Exclude it")


def _list(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise PackagingError(
            f"{folder} cannot be listed: {error.strerror}. Name a directory that can be read"
        ) from error
