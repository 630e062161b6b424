"""The text of a template, JSON or YAML, as a plain dict with intrinsic functions in their long form."""

import json
from pathlib import Path
from typing import cast

from constructs_pkg.errors import TemplateError
from constructs_pkg.json_keys import unique_keys
from constructs_pkg.templates.intrinsic_yaml import parse_yaml

__all__ = ["MAX_JSON_BYTES", "MAX_TEMPLATE_BYTES", "parse_json", "parse_template", "read_bounded"]

MAX_TEMPLATE_BYTES = 16 * 1024 * 1024
"""The largest template that is read, in bytes. CloudFormation takes 1 MB; SAM's may be larger before it is packaged."""

MAX_JSON_BYTES = 256 * 1024 * 1024
"""The largest other file of an assembly that is read, in bytes; the metadata of a large app is tens of megabytes."""


def parse_template(data: bytes, name: str) -> dict[str, object]:
    """Read a template.

    Args:
        data: The file's content in UTF-8, at most `MAX_TEMPLATE_BYTES`.
        name: What errors call it.

    Raises:
        TemplateError: It is neither JSON nor YAML, has a key twice, is nested too deeply, or is no object.
    """
    if len(data) > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"{name} has {len(data):,} bytes; {MAX_TEMPLATE_BYTES:,} are read at most")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"{name} is not UTF-8: {error}. Save it in UTF-8") from error
    document = parse_json(text, name) if text.lstrip()[:1] == "{" else parse_yaml(text, name)
    if not isinstance(document, dict):
        raise TemplateError(f"{name} is no template: it holds no object at the top")
    return cast("dict[str, object]", document)


def parse_json(text: str, name: str) -> object:
    """Read JSON in which no key is there twice.

    Args:
        text: The JSON.
        name: What errors call it.

    Raises:
        TemplateError: It is no JSON, or a key is there twice, or it is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise TemplateError(f"{name} is no JSON: {reason}. Correct it there") from error


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Read a whole file.

    Args:
        path: The file.
        max_bytes: How much is read at most.

    Raises:
        TemplateError: It cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise TemplateError(f"{path} cannot be read: {reason}. Check the path") from error
    if len(data) > max_bytes:
        raise TemplateError(f"{path} is larger than {max_bytes:,} bytes. Is it the right file?")
    return data
