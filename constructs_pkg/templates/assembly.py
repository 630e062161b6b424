"""A set of templates that belong together, with what is behind their functions: what `check_assembly` judges."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from constructs_pkg.rules.template import Template, as_mapping
from constructs_pkg.rules.values import text_of
from constructs_pkg.templates.asset_manifest import AssetIndex
from constructs_pkg.templates.construct_paths import ConstructPaths
from constructs_pkg.templates.file_artifacts import FileArtifacts

__all__ = ["Assembly", "StackFiles"]

_Place: TypeAlias = "tuple[str | None, str | None]"
_Values: TypeAlias = "dict[str, tuple[Template, object]]"


@dataclass(eq=False)
class Assembly:
    """Templates that were read.

    Attributes:
        path: The directory or file, as the user named it.
        templates: Every template, a nested one after the one that it is nested in.
        unread: What could not be understood: the file, and why. Each is a violation.
        artifacts: Finds what is behind functions and layers.
    """

    path: Path
    templates: list[Template] = field(default_factory=list[Template])
    unread: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    artifacts: FileArtifacts = field(default_factory=FileArtifacts)

    def share_values(self) -> None:
        """Let every template see what others of its account and Region export, and put into SSM parameters."""
        exports: dict[_Place, _Values] = {}
        stored: dict[_Place, _Values] = {}
        for template in self.templates:
            place = (template.account, template.region)
            exports.setdefault(place, {}).update(_exports_of(template))
            stored.setdefault(place, {}).update(_stored_by(template))
        for template in self.templates:
            place = (template.account, template.region)
            template.exports, template.stored = exports[place], stored[place]


def _exports_of(template: Template) -> _Values:
    outputs = [as_mapping(output) for output in template.outputs.values()]
    names = [as_mapping(output.get("Export")).get("Name") for output in outputs]
    return {
        text_of(template, name): (template, output.get("Value"))
        for name, output in zip(names, outputs, strict=True)
        if name is not None
    }


def _stored_by(template: Template) -> _Values:
    try:
        parameters = list(template.of_types("AWS::SSM::Parameter"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}  # the check of this template says that it cannot be understood
    names = [(parameter.properties.get("Name"), parameter) for parameter in parameters]
    return {name: (template, parameter.properties.get("Value")) for name, parameter in names if isinstance(name, str)}


@dataclass(frozen=True, slots=True)
class StackFiles:
    """What all templates of one stack, the nested ones included, are read with.

    Attributes:
        directory: The directory that local paths are relative to, for a plain template; None in a cloud assembly.
        assets: The stack's assets, in a cloud assembly.
        paths: The construct paths, in a cloud assembly.
    """

    directory: Path | None = None
    assets: AssetIndex | None = None
    paths: ConstructPaths | None = None
