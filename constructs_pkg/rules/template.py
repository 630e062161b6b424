"""One template as a value: its resources by type, SAM's globals and loops folded in, and its place among the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from constructs_pkg.rules.loops import unrolled

__all__ = ["MAX_RESOURCES", "Resource", "Template", "as_mapping"]

MAX_RESOURCES = 10_000
"""How many resources of one template are looked at, loops included; CloudFormation itself takes 500."""

_SAM_SECTIONS = {"AWS::Serverless::Function": "Function", "AWS::Serverless::LayerVersion": "LayerVersion"}


def as_mapping(value: object) -> Mapping[str, object]:
    """Return a value where it is a JSON object, and an empty one where it is anything else."""
    # dict comes first because it is what nearly all are, and asking the abstract class takes five times as long.
    return cast("Mapping[str, object]", value) if isinstance(value, (dict, Mapping)) else {}


@dataclass(frozen=True, eq=False, slots=True)
class Resource:
    """One resource of a template.

    Attributes:
        template: The template that it is in.
        logical_id: Its name there.
        type: Such as ``AWS::Lambda::Function``; empty where the template says none.
        properties: Its properties, with SAM's globals folded in.
        body: The whole resource, with ``Metadata`` and the like.
    """

    template: "Template"
    logical_id: str
    type: str
    properties: Mapping[str, object]
    body: Mapping[str, object]

    @property
    def metadata(self) -> Mapping[str, object]:
        """Return the resource's metadata, empty where there is none."""
        return as_mapping(self.body.get("Metadata"))

    @property
    def construct_path(self) -> str | None:
        """Return where in the construct tree it was made, or None where neither template nor assembly tells."""
        path = self.metadata.get("aws:cdk:path")
        return path if isinstance(path, str) else self.template.path_of(self.logical_id)

    @property
    def place(self) -> str:
        """Return the construct path, or else the template's name and the logical id, such as ``orders/Handler``.

        This is what the path patterns of exemptions are compared with.
        """
        return self.construct_path or f"{self.template.stem}/{self.logical_id}"


@dataclass(eq=False)
class Template:
    """One template, parsed once.

    Templates refer to each other: a nested one has a parent, which gives values to its parameters, and all templates of
    an assembly see each other's exports and SSM parameters. A reader sets these after it has read all of them.

    Attributes:
        document: The template with intrinsic functions in their long form.
        path: What messages call it.
        region: The Region that it is deployed to; None where that is not known.
        account: The account; None where that is not known.
        paths: Gives the construct path of a logical id, where an assembly knows it; called only when needed.
        parent: The ``AWS::CloudFormation::Stack`` that this template is nested in.
        nested: The templates nested in this one, by the logical id of their stack.
        exports: What the templates of an assembly export, by name: the template, and the value in it.
        stored: What they put into SSM parameters with a literal name, likewise.
    """

    document: Mapping[str, object]
    path: str = "template"
    region: str | None = None
    account: str | None = None
    paths: Callable[[str], str | None] | None = None
    parent: Resource | None = None
    nested: dict[str, "Template"] = field(default_factory=dict[str, "Template"])
    exports: dict[str, tuple["Template", object]] = field(default_factory=dict[str, tuple["Template", object]])
    stored: dict[str, tuple["Template", object]] = field(default_factory=dict[str, tuple["Template", object]])

    @property
    def stem(self) -> str:
        """Return the name of the template's file without folder and endings; ``FILE#StackSet`` for one within it."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        file, mark, within = name.partition("#") if self.parent is not None else (name, "", "")
        return (file.partition(".")[0] or file) + mark + within or self.path

    @cached_property
    def resources(self) -> Mapping[str, Resource]:
        """Return the resources by logical id."""
        return {item.logical_id: item for item in self._all_resources()}

    @cached_property
    def by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        """Return the resources by type."""
        found: dict[str, list[Resource]] = {}
        for resource in self.resources.values():
            found.setdefault(resource.type, []).append(resource)
        return {kind: tuple(resources) for kind, resources in found.items()}

    def of_types(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these types."""
        for kind in types:
            yield from self.by_type.get(kind, ())

    @cached_property
    def parameters(self) -> Mapping[str, object]:
        """Return the template's parameters."""
        return as_mapping(self.document.get("Parameters"))

    @cached_property
    def mappings(self) -> Mapping[str, object]:
        """Return the template's mappings."""
        return as_mapping(self.document.get("Mappings"))

    @cached_property
    def outputs(self) -> Mapping[str, object]:
        """Return the template's outputs."""
        return as_mapping(self.document.get("Outputs"))

    @cached_property
    def transforms(self) -> tuple[str, ...]:
        """Return the names of the macros that rewrite the template before it is deployed."""
        found = self.document.get("Transform")
        items = cast("list[object]", found) if isinstance(found, list) else [found] if found else []
        return tuple(item if isinstance(item, str) else str(as_mapping(item).get("Name", "?")) for item in items)

    def path_of(self, logical_id: str) -> str | None:
        """Return the construct path of a resource, or None where no assembly tells."""
        return None if self.paths is None else self.paths(logical_id)

    def _all_resources(self) -> Iterator[Resource]:
        globals_ = as_mapping(self.document.get("Globals"))
        for number, (logical_id, written) in enumerate(unrolled(as_mapping(self.document.get("Resources")))):
            if number >= MAX_RESOURCES:
                raise ValueError(f"more than {MAX_RESOURCES} resources. Split the template")
            body = as_mapping(written)
            kind = body.get("Type")
            name = kind if isinstance(kind, str) else ""
            properties = as_mapping(body.get("Properties"))
            section = _SAM_SECTIONS.get(name)
            if section is not None and globals_:
                properties = _with_globals(properties, as_mapping(globals_.get(section)))
            yield Resource(self, logical_id, name, properties, body)


def _with_globals(own: Mapping[str, object], shared: Mapping[str, object]) -> Mapping[str, object]:
    """Fold SAM's globals in: lists are joined, all else is the resource's own where it has it (SAM, "Globals")."""
    merged = {**shared, **own}
    for key, value in shared.items():
        mine = own.get(key)
        if isinstance(value, list) and isinstance(mine, list):
            merged[key] = [*cast("list[object]", value), *cast("list[object]", mine)]
    return merged
