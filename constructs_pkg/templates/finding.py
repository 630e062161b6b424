"""Finds cloud assemblies and templates below a directory, bounded, and tells templates from other files."""

import os
from collections.abc import Iterator
from pathlib import Path

from constructs_pkg.errors import TemplateError
from constructs_pkg.templates.documents import MAX_TEMPLATE_BYTES, read_bounded
from constructs_pkg.templates.reading import MANIFEST

__all__ = ["MAX_FILES", "find_templates", "is_assembly"]

MAX_FILES = 100_000
"""How many files below one directory are looked at."""

_SUFFIXES = {".json", ".yaml", ".yml", ".template"}
_IGNORED = {".git", ".venv", "node_modules", "__pycache__", ".aws-sam"}
_SIGNS = (b"AWSTemplateFormatVersion", b"AWS::Serverless-2016-10-31")


def is_assembly(path: Path) -> bool:
    """Tell whether a directory is a cloud assembly."""
    return (path / MANIFEST).is_file() and _mentions(path / MANIFEST, (b'"artifacts"',))


def find_templates(path: Path) -> Iterator[Path]:
    """Yield the cloud assemblies (directories) and template files below a directory, sorted.

    A file counts as a template where it says so (``AWSTemplateFormatVersion``, SAM's transform) or holds ``Resources``
    with a type of AWS, whether it can be understood or not. Assemblies are not entered: they are read as a whole.

    Args:
        path: A directory. A file or an assembly is yielded as it is, whatever it holds.

    Raises:
        TemplateError: There are more than `MAX_FILES` files.
    """
    if path.is_file() or not path.is_dir() or is_assembly(path):
        yield path
        return
    count = 0
    for directory, directories, files in os.walk(path):
        here = Path(directory)
        assemblies = [name for name in directories if is_assembly(here / name)]
        directories[:] = sorted(name for name in directories if name not in _IGNORED and name not in assemblies)
        yield from sorted(here / name for name in assemblies)
        count += len(files)
        if count > MAX_FILES:
            raise TemplateError(f"{path} holds more than {MAX_FILES:,} files. Name a smaller directory")
        candidates = sorted(here / name for name in files if Path(name).suffix.lower() in _SUFFIXES)
        yield from (file for file in candidates if _is_template(file))


def _is_template(file: Path) -> bool:
    try:
        data = read_bounded(file, MAX_TEMPLATE_BYTES)
    except TemplateError:
        return False  # too large to be deployed, or not ours to read
    return any(sign in data for sign in _SIGNS) or (b"Resources" in data and b"AWS::" in data and b"Type" in data)


def _mentions(file: Path, signs: tuple[bytes, ...]) -> bool:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_TEMPLATE_BYTES)
    except OSError:
        return False
    return any(sign in data for sign in signs)
