"""The layer registry file: JSON in, a `LayerRegistry` or all of the file's problems out.

The form is published as JSON Schema in ``layer_registry.schema.json`` beside this module; a test holds them together.
"""

import json
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any, cast

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.errors import LayerRegistryError, PolicyError, Problem
from constructs_pkg.regions import near_signer_regions, partition_of_region
from constructs_pkg.signing.json_object import JsonObject, parse_json_object
from constructs_pkg.signing.layer_registry import (
    MAX_LAYERS,
    MAX_PUBLISHERS_OF_A_LAYER,
    KnownLayer,
    KnownPublisher,
    LayerRegistry,
)
from constructs_pkg.signing.template_terms import layer_pattern

__all__ = ["MAX_REGISTRY_BYTES", "REGISTRY_VERSION", "layer_registry_schema", "parse_layer_registry"]

REGISTRY_VERSION = 1
"""The version of the file's form; a file of another version is refused."""

MAX_REGISTRY_BYTES = 1024 * 1024
"""The largest file that is read, in bytes."""

_MAX_TEXT_CHARACTERS = 500
_MAX_LICENSE_CHARACTERS = 512
_MAX_REGIONS = 60


def parse_layer_registry(text: bytes | str, source: str = "layer registry", *, at: datetime) -> LayerRegistry:
    """Read a layer registry file.

    Args:
        text: The file's content, at most `MAX_REGISTRY_BYTES`.
        source: What the errors call it.
        at: The present moment, aware: nobody has read anything tomorrow.

    Raises:
        LayerRegistryError: It is not such a file; holds every problem.
    """
    try:
        document = parse_json_object(text, source, MAX_REGISTRY_BYTES)
    except PolicyError as error:
        raise LayerRegistryError(source, error.problems) from error
    document.known_keys("$schema", "version", "layers")
    document.text("$schema")  # for editors
    if document.number("version", REGISTRY_VERSION, REGISTRY_VERSION, is_required=True) is None:
        raise LayerRegistryError(source, tuple(document.problems))
    if "layers" not in document.values:
        document.problem("layers", "is missing", "Add it: a list, which may be empty")
    today = at.astimezone(UTC).date()
    layers = [_layer(item, today) for item in document.children("layers", MAX_LAYERS)]
    if document.problems:
        raise LayerRegistryError(source, tuple(document.problems))
    return LayerRegistry(tuple(layer for layer in layers if layer is not None))


def layer_registry_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    text = files("constructs_pkg.signing").joinpath("layer_registry.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _layer(item: JsonObject, today: date) -> KnownLayer | None:
    item.known_keys("vendor", "layer", "publishers", "license_info", "note")
    before = len(item.problems)
    vendor = _text(item, "vendor", _MAX_TEXT_CHARACTERS, is_required=True)
    layer = item.parsed("layer", layer_pattern, is_required=True)
    license_info = _text(item, "license_info", _MAX_LICENSE_CHARACTERS)
    note = _text(item, "note", _MAX_TEXT_CHARACTERS)
    if "publishers" not in item.values:
        item.problem("publishers", "is missing", "Add it: a list of who signs the layer")
    publishers = [_publisher(child, today) for child in item.children("publishers", MAX_PUBLISHERS_OF_A_LAYER)]
    if len(item.problems) > before or vendor is None or layer is None:
        return None
    found = tuple(publisher for publisher in publishers if publisher is not None)
    try:
        return KnownLayer(vendor, layer, found, license_info, note)
    except LayerRegistryError as error:
        # The value checks itself; what it calls wrong gets its place in the file here.
        item.problems.extend(
            Problem(item.where + problem.where, problem.message, problem.remedy) for problem in error.problems
        )
        return None


def _publisher(item: JsonObject, today: date) -> KnownPublisher | None:
    item.known_keys("profile_version_arn", "regions", "read_from", "read_on")
    before = len(item.problems)
    arn = item.parsed("profile_version_arn", SigningProfileVersionArn.parse, is_required=True)
    regions = item.parsed_items("regions", _region, 1, _MAX_REGIONS) if "regions" in item.values else []
    read_from = item.parsed("read_from", LayerVersionArn.parse, is_required=True)
    read_on = item.parsed("read_on", lambda text: _day(text, today), is_required=True)
    if len(set(regions)) != len(regions):
        item.problem("regions", "a Region is there twice", "List each once")
    if len(item.problems) > before or arn is None or read_from is None or read_on is None:
        return None
    return KnownPublisher(arn, tuple(regions), read_from, read_on)


def _text(item: JsonObject, key: str, at_most: int, *, is_required: bool = False) -> str | None:
    def checked(text: str) -> str:
        if not 1 <= len(text.strip()) <= at_most or len(text) > at_most:
            raise ValueError(f"has {len(text)} characters. Write 1 to {at_most}")
        return text

    return item.parsed(key, checked, is_required=is_required)


def _region(text: str) -> str:
    if partition_of_region(text) is None:
        near = ", ".join(near_signer_regions(text[:40]))
        raise ValueError(f"{text[:40]!r} is no Region that this release knows. Near it are {near}")
    return text


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a day. Write one such as '2026-11-23'") from error
    if day > today:
        raise ValueError(f"{text[:40]} is after today, {today.isoformat()}. Write the day on which it was read")
    return day
