"""What a value in a template can turn out to be, as far as templates tell: every possibility, or who else decides."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import cast

from constructs_pkg.regions import partition_of_region
from constructs_pkg.rules.possible import Absent, AttributeOf, Known, Outside, Possible
from constructs_pkg.rules.template import Resource, Template, as_mapping

__all__ = ["Absent", "AttributeOf", "Known", "Outside", "Possible", "as_items", "flattened", "resolve", "text_of"]

_MAX_DEPTH = 24
_MAX_POSSIBILITIES = 100
_SSM = re.compile(r"\{\{resolve:ssm:(?P<name>[^}:]+)(?::[0-9]+)?\}\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")
_LISTS = ("CommaDelimitedList", "List<", "AWS::SSM::Parameter::Value<List<")
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[^!}][^}]*)\}")


def resolve(template: Template, value: object) -> tuple[Possible, ...]:
    """Return everything that a value can be, at least one thing.

    Conditions are not evaluated: both branches of an ``Fn::If`` are possible. A parameter is what its
    ``AllowedValues`` say or what the parent stack passes; its default decides nothing, since whoever deploys may pass
    something else.

    Args:
        template: Where the value stands.
        value: The value, intrinsic functions in their long form.
    """
    # Most values of a template are plain: they are not worth a detour.
    if type(value) not in {str, dict} or (isinstance(value, str) and not value.startswith("{{")):
        return (Known(value),)
    found: list[Possible] = []
    for item in _possibilities(template, value, 0):
        if item not in found:
            found.append(item)
        if len(found) > _MAX_POSSIBILITIES:
            return (Outside("intrinsic", "a choice among more values than are looked at"),)
    return tuple(found) or (Outside("intrinsic", "an empty choice"),)


def flattened(template: Template, value: object) -> Iterator[Possible]:
    """Yield everything that the elements of a list can be: lists in branches are opened, absent elements left out.

    Args:
        template: Where the value stands.
        value: A list, an intrinsic function that gives one, or one element alone, as many properties take it.
    """
    for item in resolve(template, value):
        if isinstance(item, Known) and isinstance(item.value, list):
            for element in cast("list[object]", item.value):
                yield from flattened(template, element)
        elif not isinstance(item, Absent) and item != Known(None):
            yield item


def text_of(template: Template, value: object) -> str:
    """Return a value as one text with ``${…}`` for what is open, so that two spellings of it compare equal."""
    if isinstance(value, str) and not value.startswith("{{"):
        return value
    found = resolve(template, value)
    return _as_text(found[0]) if len(found) == 1 else f"${{one of {len(found)}}}"


def as_items(value: object) -> list[object]:
    """Return the elements of a list, one element for anything else, and none for None."""
    if isinstance(value, list):
        return cast("list[object]", value)
    return [] if value is None else [value]


def _possibilities(template: Template, value: object, depth: int) -> Iterable[Possible]:
    if depth > _MAX_DEPTH:
        return [Outside("intrinsic", "intrinsic functions nested deeper than are looked at")]
    if isinstance(value, str):
        return _literal(template, value, depth)
    body = as_mapping(value)
    if len(body) != 1:
        return [Known(value)]
    ((name, argument),) = body.items()
    if name == "Ref":
        return _reference(template, str(argument), depth)
    if not name.startswith("Fn::"):
        return [Known(value)]
    return _function(template, name, argument, depth)


def _function(template: Template, name: str, argument: object, depth: int) -> Iterable[Possible]:
    items = as_items(argument)
    if name == "Fn::If" and len(items) == 3:
        return [found for branch in items[1:] for found in _possibilities(template, branch, depth + 1)]
    if name == "Fn::Sub":
        return _substituted(template, argument, depth)
    if name == "Fn::Join" and len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], list):
        return _joined(template, items[0], cast("list[object]", items[1]), depth)
    if name == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else items
        if len(parts) == 2 and all(isinstance(part, str) for part in parts):
            return _attribute(template, str(parts[0]), str(parts[1]), depth)
    if name == "Fn::ImportValue":
        return _imported(template, text_of(template, argument), depth)
    if name == "Fn::FindInMap" and len(items) >= 3:
        return _mapped(template, items, depth)
    if name == "Fn::Select" and len(items) == 2:
        return _selected(template, items[0], items[1], depth)
    return [Outside("intrinsic", name)]


def _reference(template: Template, name: str, depth: int) -> Iterable[Possible]:
    if name == "AWS::NoValue":
        return [Absent()]
    if name.startswith("AWS::"):
        partition = partition_of_region(template.region or "")
        known = {"AWS::Region": template.region, "AWS::AccountId": template.account, "AWS::Partition": partition}
        return [Known(known.get(name) or f"${{{name}}}")]
    if name in template.parameters:
        return _parameter(template, name, depth)
    resource = template.resources.get(name)
    return [Outside("intrinsic", f"Ref {name}") if resource is None else AttributeOf(resource, "Ref")]


def _parameter(template: Template, name: str, depth: int) -> Iterable[Possible]:
    declaration = as_mapping(template.parameters[name])
    if template.parent is not None:
        passed = _passed(template.parent)
        if name in passed:
            values = _listed(passed[name]) if str(declaration.get("Type")).startswith(_LISTS) else [passed[name]]
            parent = template.parent.template
            return [found for value in values for found in _possibilities(parent, value, depth + 1)]
    kind, default = declaration.get("Type"), declaration.get("Default")
    if isinstance(kind, str) and kind.startswith("AWS::SSM::Parameter::Value<") and isinstance(default, str):
        return _stored(template, default, depth)
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list) and allowed:
        return [found for item in cast("list[object]", allowed) for found in _possibilities(template, item, depth + 1)]
    return [Outside("parameter", name)]


def _listed(value: object) -> list[object]:
    """Return the elements of what a list parameter is given: a text with commas, or texts joined by commas."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    join = as_items(as_mapping(value).get("Fn::Join"))
    if len(join) == 2 and join[0] == "," and isinstance(join[1], list):
        return [element for item in cast("list[object]", join[1]) for element in _listed(item)]
    return [value]


def _passed(parent: Resource) -> Mapping[str, object]:
    """Return the parameters that a nested stack or a StackSet passes, without those that its instances override."""
    passed = parent.properties.get("Parameters")
    if not isinstance(passed, list):
        return as_mapping(passed)
    pairs = [as_mapping(item) for item in cast("list[object]", passed)]
    groups = [as_mapping(group) for group in as_items(parent.properties.get("StackInstancesGroup"))]
    overridden = {
        as_mapping(item).get("ParameterKey") for group in groups for item in as_items(group.get("ParameterOverrides"))
    }
    return {
        str(pair.get("ParameterKey")): pair.get("ParameterValue")
        for pair in pairs
        if pair.get("ParameterKey") not in overridden
    }


def _attribute(template: Template, logical_id: str, attribute: str, depth: int) -> Iterable[Possible]:
    nested = template.nested.get(logical_id)
    if nested is not None and attribute.startswith("Outputs."):
        output = as_mapping(nested.outputs.get(attribute.removeprefix("Outputs.")))
        if "Value" in output:
            return _possibilities(nested, output["Value"], depth + 1)
    resource = template.resources.get(logical_id)
    # What a nested stack that was not read or a custom resource answers is known to the deployment alone.
    if resource is None or resource.type.startswith(("AWS::CloudFormation::", "Custom::")):
        return [Outside("intrinsic", f"Fn::GetAtt {logical_id}.{attribute}")]
    return [AttributeOf(resource, attribute)]


def _imported(template: Template, name: str, depth: int) -> Iterable[Possible]:
    if name in template.exports:
        exporter, value = template.exports[name]
        return _possibilities(exporter, value, depth + 1)
    return [Outside("export", name)]


def _mapped(template: Template, items: Sequence[object], depth: int) -> Iterable[Possible]:
    """Look a mapping up; where a key is open, every value under it is possible."""
    level: list[object] = [template.mappings]
    for key in items[:3]:
        text = text_of(template, key)
        level = [
            child
            for node in level
            for child in ([as_mapping(node)[text]] if text in as_mapping(node) else as_mapping(node).values())
            if "${" in text or text in as_mapping(node)
        ]
    fallback = as_mapping(items[3]).get("DefaultValue") if len(items) > 3 else None
    leaves = level if fallback is None else [*level, fallback]
    return [found for leaf in leaves for found in _possibilities(template, leaf, depth + 1)]


def _selected(template: Template, index: object, choices: object, depth: int) -> Iterable[Possible]:
    split = as_items(as_mapping(choices).get("Fn::Split"))
    if len(split) == 2 and isinstance(split[0], str):
        choices = text_of(template, split[1]).split(split[0])
        choices = [] if any("${" in part for part in choices) else choices
    number = int(text) if (text := str(index)).isdecimal() and len(text) < 6 else -1
    items = cast("list[object]", choices) if isinstance(choices, list) else []
    if 0 <= number < len(items):
        return _possibilities(template, items[number], depth + 1)
    return [Outside("intrinsic", "Fn::Select")]


def _substituted(template: Template, argument: object, depth: int) -> Iterable[Possible]:
    items = as_items(argument)
    text = items[0] if items and isinstance(items[0], str) else ""
    variables = as_mapping(items[1] if len(items) > 1 else None)
    if not variables:
        # Thousands of functions name CDK's one bucket like this: their text is made once and not part by part.
        plain, open_places = _with_pseudo_parameters(text, template.region, template.account)
        if open_places == 0:
            return _literal(template, plain, depth)
    parts: list[object] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        name = match["name"].strip()
        parts += [text[end : match.start()], variables.get(name) or _named(name)]
        end = match.end()
    return _joined(template, "", [part for part in [*parts, text[end:]] if part != ""], depth)


@lru_cache(maxsize=1024)
def _with_pseudo_parameters(text: str, region: str | None, account: str | None) -> tuple[str, int]:
    """Put in the pseudo parameters as far as they are known, and count the placeholders of anything else."""
    known = {"AWS::Region": region, "AWS::AccountId": account, "AWS::Partition": partition_of_region(region or "")}
    others = 0

    def value_of(match: re.Match[str]) -> str:
        nonlocal others
        name = match["name"].strip()
        others += name not in known
        return known.get(name) or f"${{{name}}}"

    return _PLACEHOLDER.sub(value_of, text), others


def _named(name: str) -> object:
    return {"Fn::GetAtt": name} if "." in name else {"Ref": name}


def _joined(template: Template, separator: str, parts: list[object], depth: int) -> Iterable[Possible]:
    if len(parts) == 1:
        return _possibilities(template, parts[0], depth + 1)
    plain = _without_choices(template, separator, parts)
    if plain is not None:
        return _literal(template, plain, depth)
    choices = [list(_possibilities(template, part, depth + 1)) for part in parts]
    combinations = itertools.islice(itertools.product(*choices), _MAX_POSSIBILITIES + 1)
    texts = [separator.join(map(_as_text, combination)) for combination in combinations]
    return [found for text in texts for found in _literal(template, text, depth)]


def _without_choices(template: Template, separator: str, parts: list[object]) -> str | None:
    """Join texts and pseudo parameters, which is what nearly all joins are of; None where a part is anything else."""
    texts: list[str] = []
    for part in parts:
        body = as_mapping(part)
        name = body.get("Ref") if len(body) == 1 else None
        if isinstance(part, str) and not part.startswith("{{resolve:"):
            texts.append(part)
        elif isinstance(name, str) and name.startswith("AWS::") and name != "AWS::NoValue":
            texts.append(_with_pseudo_parameters(f"${{{name}}}", template.region, template.account)[0])
        else:
            return None
    return separator.join(texts)


def _literal(template: Template, text: str, depth: int) -> Iterable[Possible]:
    if not text.startswith("{{resolve:"):
        return [Known(text)]
    parameter = _SSM.fullmatch(text)
    if parameter is not None:
        return _stored(template, parameter["name"], depth)
    return [Outside("intrinsic", text) if _DYNAMIC.fullmatch(text) else Known(text)]


def _stored(template: Template, parameter: str, depth: int) -> Iterable[Possible]:
    """Read an SSM parameter that the same assembly writes; another one is known to the deployment alone."""
    if parameter in template.stored:
        writer, value = template.stored[parameter]
        return _possibilities(writer, value, depth + 1)
    return [Outside("ssm", parameter)]


def _as_text(found: Possible) -> str:
    if isinstance(found, Known):
        return found.value if isinstance(found.value, str) else str(found.value)
    if isinstance(found, AttributeOf):
        return f"${{{found.resource.logical_id}}}" if found.attribute == "Ref" else f"${{{found}}}"
    return "" if isinstance(found, Absent) else f"${{{found.name}}}"
