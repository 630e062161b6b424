"""docs/organization-file.md and docs/organization.schema.json say what the model says, and the examples obey both."""

import datetime as dt
import json
import re
import tomllib
import types
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from constructs_pkg.organization import json_schema, load_organization, lock_path, read_lock, warnings_of
from constructs_pkg.organization.elements import ARRAYS, TABLES
from constructs_pkg.organization.lock import unrecorded_profiles
from constructs_pkg.organization.model import OrganizationFile
from constructs_pkg.organization.tables import Preferences, Signers
from tests.unit.organization_text import AT

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/organization-file.md").read_text("utf-8")
SECTIONS: dict[str, type[BaseModel]] = {
    **{f"[{name}]": model for name, model in TABLES.items()},
    **{f"[[{name}]]": model for name, model in ARRAYS.items()},
    "[applications.signers]": Signers,
    "[waves.preferences]": Preferences,
}
EXAMPLES = [ROOT / "organization.toml", ROOT / "examples/single-account.toml"]


def _kind(annotation: object) -> str:
    """Say in the words of the document what TOML writes for a type."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f'`"{word}"`' for word in arguments)
    if isinstance(annotation, types.UnionType):
        return _kind(next(argument for argument in arguments if argument is not type(None)))
    if typing.get_origin(annotation) is tuple:
        return f"list of {_kind(arguments[0])}s"
    if typing.get_origin(annotation) is typing.Annotated:
        return _kind(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return {bool: "true or false", int: "number", dt.date: "date"}.get(typing.cast("type", annotation), "text")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "security_account"
    if field.default is None or isinstance(field.default, BaseModel):
        return "none"
    return json.dumps(field.default)


def _rows(model: type[BaseModel]) -> list[str]:
    return [
        f"| `{key}` | {_kind(field.annotation)} | {_default(field)} | {field.description} |"
        for key, field in model.model_fields.items()
    ]


def _documented() -> dict[str, list[str]]:
    """Return the rows of the first table of every section, by heading."""
    parts = re.split(r"^## `(\[.*?\]+)`$", DOC, flags=re.MULTILINE)
    rows = {
        heading: re.findall(r"^\| `.*\|$", body, re.MULTILINE)
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {heading: found for heading, found in rows.items() if found}


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_document_lists_exactly_the_keys_of_a_table_with_type_default_and_rule(heading: str):
    assert _documented().get(heading) == _rows(SECTIONS[heading])


def test_the_document_has_a_section_for_every_table_and_no_other():
    assert _documented().keys() == SECTIONS.keys()


def test_the_tables_that_are_read_are_those_of_the_model():
    assert set(TABLES) | set(ARRAYS) == set(OrganizationFile.model_fields)


def test_the_committed_schema_is_that_of_the_model():
    # mend it with: lambda-code-signing organization schema > docs/organization.schema.json
    assert json.loads((ROOT / "docs/organization.schema.json").read_text("utf-8")) == json_schema()


def test_the_schema_describes_every_key_and_admits_no_other():
    schema = json_schema()
    objects = [schema, *schema["$defs"].values()]
    assert [one for one in objects if one["additionalProperties"] is not False] == []
    described = [("description" in value) for one in objects[1:] for value in one["properties"].values()]
    assert described
    assert all(described)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL))
def test_the_examples_of_the_document_are_toml_with_known_tables(block: str):
    assert set(tomllib.loads(block)) <= set(OrganizationFile.model_fields)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_sound_recorded_and_without_warnings(path: Path):
    organization = load_organization(path, at=AT)
    lock = read_lock(lock_path(path))
    assert unrecorded_profiles(organization, lock) == ()
    assert warnings_of(organization, at=AT, lock=lock) == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_dates_of_an_example_lie_years_ahead(path: Path):
    organization = load_organization(path, at=AT)
    dates = [publisher.review_by for publisher in organization.external_publishers]
    dates += [exemption.expires for exemption in organization.exemptions]
    assert all(day >= dt.date(2030, 1, 1) for day in dates)


def test_the_example_organization_shows_everything_that_the_file_can_say():
    organization = load_organization(ROOT / "organization.toml", at=AT)
    assert len(organization.applications) == 4
    assert len(organization.organizational_units) == 4
    assert len(organization.target_regions) == 3
    assert [wave.mode for wave in organization.waves] == ["Warn", "Enforce"]
    assert len(organization.external_publishers) == len(organization.exemptions) == 1
    assert {profile.state for profile in organization.profiles_of("payments")} == {"retiring", "active"}
