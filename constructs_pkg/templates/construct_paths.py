"""Where in the construct tree the resources of a stack were made: the assembly's metadata, read when needed."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from constructs_pkg.errors import TemplateError
from constructs_pkg.rules.template import as_mapping
from constructs_pkg.rules.values import as_items
from constructs_pkg.templates.documents import MAX_JSON_BYTES, parse_json, read_bounded

__all__ = ["ConstructPaths"]

_NESTED = ".NestedStackResource"


class ConstructPaths:
    """The construct paths of one stack and of those nested in it.

    AWS CDK writes all of them into the metadata of the outermost stack, where the same logical id stands for several
    resources: which one is meant shows in the beginning of the path.

    Args:
        file: The metadata file, or None.
        inline: The metadata in the manifest, as older assemblies have it.
    """

    def __init__(self, file: Path | None, inline: Mapping[str, object]) -> None:
        self._file = file
        self._inline = inline

    def of(self, logical_id: str, nested_in: str) -> str | None:
        """Return the construct path of a resource, or None.

        Args:
            logical_id: The resource.
            nested_in: The path of the nested stack that it is in, as `nested_path` returns it; empty for the stack.
        """
        return self._paths.get((nested_in, logical_id))

    def nested_path(self, stack: str | None) -> str:
        """Return the path of a nested stack, from the construct path of its ``AWS::CloudFormation::Stack``."""
        if stack is None or not stack.endswith(_NESTED):
            return ""
        return stack.rpartition("/")[0].removesuffix(".NestedStack")

    @cached_property
    def _paths(self) -> dict[tuple[str, str], str]:
        pairs = [
            (path.removeprefix("/"), str(as_mapping(entry).get("data")))
            for path, entries in {**self._inline, **self._read()}.items()
            for entry in as_items(entries)
            if as_mapping(entry).get("type") == "aws:cdk:logicalId"
        ]
        nested = {prefix for path, _ in pairs if (prefix := self.nested_path(path))}
        return {(_innermost(path, nested), logical_id): path for path, logical_id in pairs}

    def _read(self) -> Mapping[str, object]:
        """Read the metadata file. Paths only explain: where it cannot be read, messages name logical ids."""
        if self._file is None:
            return {}
        try:
            return as_mapping(parse_json(read_bounded(self._file, MAX_JSON_BYTES).decode(), str(self._file)))
        except (TemplateError, UnicodeDecodeError):
            return {}


def _innermost(path: str, nested: set[str]) -> str:
    """Return the innermost nested stack that a path is in, or an empty text."""
    parts = path.split("/")
    for end in range(len(parts) - 1, 0, -1):
        prefix = "/".join(parts[:end])
        if prefix in nested:
            return prefix
    return ""
