"""The JSON Schema of an organization file, for editors; made from the model, so that the two cannot disagree.

It knows each value's form but not what values must be together, nor dates and Regions in detail: a file that an editor
finds no fault with can still be refused by ``load_organization``, never the other way round.
"""

from typing import Any, cast

from constructs_pkg.organization.model import OrganizationFile

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) as plain JSON values."""
    schema = OrganizationFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles_and_nulls(schema),
        "title": "organization.toml of cdk-lambda-code-signing",
        "description": "Who may sign Lambda code, which configs are approved, and what developers may do.",
    }


def _without_titles_and_nulls(json: object) -> Any:  # noqa: ANN401 (JSON is any value)
    """Leave away what helps nobody: titles that repeat keys, defaults of whole tables, and null, which TOML has not."""
    if isinstance(json, list):
        return [_without_titles_and_nulls(item) for item in cast("list[object]", json)]
    if not isinstance(json, dict):
        return json
    kept = cast("dict[str, Any]", json).copy()
    if isinstance(kept.get("title"), str):
        del kept["title"]
    if "default" in kept and (kept["default"] is None or isinstance(kept["default"], dict)):
        del kept["default"]
    if "anyOf" in kept:
        options: list[dict[str, Any]] = [option for option in kept.pop("anyOf") if option != {"type": "null"}]
        assert len(options) == 1, "only 'a value or nothing' is a union in an organization file"
        kept |= options[0]
    return {key: _without_titles_and_nulls(item) for key, item in kept.items()}
