"""YAML as CloudFormation takes it: the short forms of intrinsic functions, no other tag, and bounds on everything."""

from collections.abc import Hashable
from typing import Any, TypeAlias, cast

import yaml

from constructs_pkg.errors import TemplateError

__all__ = ["parse_yaml"]

_MAX_DEPTH = 100
_MAX_NODES = 1_000_000
_Node: TypeAlias = "yaml.ScalarNode | yaml.SequenceNode | yaml.MappingNode"

# libyaml reads some twenty times faster; PyYAML comes without it on platforms that have no wheel.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """PyYAML's safe loader, which makes nothing but plain values, with CloudFormation's tags and without timestamps."""

    # A date such as the version of an IAM policy stays text, as CloudFormation reads it.
    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's class attribute)
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        """Make a dict whose keys are texts, refusing a key that is there twice."""
        self.flatten_mapping(node)
        found: dict[Hashable, object] = {}
        for key_node, value_node in node.value:
            # 'Ref: AWS::Region' under 'yes:' is text to CloudFormation, whatever YAML 1.1 makes of the word.
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise yaml.constructor.ConstructorError(None, None, "a key is no text", key_node.start_mark)
            if key in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {str(key)[:60]!r} is there twice", key_node.start_mark
                )
            found[key] = self.construct_object(value_node, deep=deep)
        return found

    def construct_yaml_map(self, node: yaml.MappingNode) -> dict[Hashable, object]:
        """Make a dict at once: nothing here refers to itself, which was checked before."""
        return self.construct_mapping(node, deep=True)


def _intrinsic(loader: Any, suffix: str, node: _Node) -> dict[str, object]:  # noqa: ANN401 (PyYAML's loader)
    """Turn ``!Sub text`` into ``{"Fn::Sub": text}``, and the like; ``Ref`` and ``Condition`` have no ``Fn::``."""
    if isinstance(node, yaml.ScalarNode):
        value: object = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = list(value.split(".", 1))
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_yaml_map)
_Loader.add_multi_constructor("!", _intrinsic)


def parse_yaml(text: str, name: str) -> object:
    """Read one YAML document.

    Args:
        text: The YAML.
        name: What errors call it.

    Raises:
        TemplateError: It is no YAML, holds several documents, has a key twice or an unknown tag, is nested too deeply,
            or grows too large once its aliases are followed.
    """
    try:
        _require_bounded(text)
        return cast("object", yaml.load(text, Loader=_Loader))  # noqa: S506 (a subclass of the safe loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise TemplateError(f"{name} is no template in YAML: {reason}. Correct it there") from error


def _require_bounded(text: str) -> None:
    """Go through the events, which takes constant memory, before any value is made of them.

    An alias counts as much as what it stands for: nine lines of aliases to aliases would otherwise be a billion values.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # the anchor and the size of everything inside so far
    total = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            anchor, size = open_nodes.pop()
            total = _closed(sizes, open_nodes, anchor, size)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"the alias {str(event.anchor)[:60]!r} stands for nothing, or for itself")
            total = _closed(sizes, open_nodes, None, sizes[event.anchor])
        elif isinstance(event, yaml.ScalarEvent):
            total = _closed(sizes, open_nodes, event.anchor, 1)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            open_nodes.append((event.anchor, 1))
            if len(open_nodes) > _MAX_DEPTH:
                raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
        if total > _MAX_NODES:
            raise ValueError(f"more than {_MAX_NODES:,} values, aliases followed")


def _closed(sizes: dict[str, int], open_nodes: list[tuple[str | None, int]], anchor: str | None, size: int) -> int:
    """Note how large a node is, and add it to the one that it stands in; return the larger of the two."""
    if anchor is not None:
        sizes[anchor] = size
    if not open_nodes:
        return size
    outer, around = open_nodes[-1]
    open_nodes[-1] = (outer, around + size)
    return around + size
