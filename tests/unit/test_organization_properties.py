"""Whatever stands in an organization file, the answer is an organization or an OrganizationError with plain words."""

import copy
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization import Organization, json_schema, read_organization
from constructs_pkg.organization.elements import ARRAYS, TABLES
from constructs_pkg.organization.reading import organization_from
from tests.unit.organization_text import AT, GOOD

DOCUMENT = tomllib.loads(GOOD)
SCHEMA = json_schema()
KEYWORDS = {
    *("$defs", "$schema", "additionalProperties", "default", "description", "enum", "format", "items", "maximum"),
    *("minItems", "minimum", "pattern", "properties", "required", "title", "type"),
}
KEYS = sorted({*TABLES, *ARRAYS, *(key for model in (TABLES | ARRAYS).values() for key in model.model_fields)})
JARGON = {"pydantic", "input", "validation", "int", "str", "tuple", "dict", "none", "null", "dataclass"}

scalars = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["payments", "sandbox", "eu-west-1", "2" * 12, "active", "*", "arn:aws:iam::222222222222:role/a/b"]
    ),
    st.integers(),
    st.integers().map(lambda number: number**400),
    st.booleans(),
    st.floats(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.times(),
)
keys = st.one_of(st.sampled_from(KEYS), st.text(max_size=10))
values = st.recursive(
    scalars, lambda nested: st.one_of(st.lists(nested, max_size=4), st.dictionaries(keys, nested, max_size=4))
)


@st.composite
def mutated_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Change the good document in up to four places: replace, remove, rename or repeat something."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(_places(document)))
        match draw(st.sampled_from(["replace", "remove", "rename", "repeat"])):
            case "replace":
                container[key] = draw(values)
            case "remove":
                del container[key]
            case "rename" if isinstance(container, dict):
                container[draw(keys)] = container.pop(key)
            case _ if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _:
                container[key] = [container[key]]
        if not _places(document):
            break
    return document


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container and key at which something stands, at any depth."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


def _problems_of(read: Callable[[], Organization]) -> tuple[Problem, ...]:
    """Return the problems of a refusal, none of an organization; every other error fails the test."""
    try:
        organization = read()
    except OrganizationError as error:
        return error.problems or (Problem("", "", ""),)
    assert isinstance(organization, Organization)
    return ()


def _judge(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    problems = _problems_of(lambda: organization_from(document, "acme.toml", at=AT))
    for problem in problems:
        text = str(problem)
        assert text.isprintable()
        assert len(text) < 1000
        assert problem.where
        assert problem.message
        assert problem.remedy
        assert not set(re.findall(r"[a-z_]+", problem.remedy.lower())) & JARGON
    assert len(set(problems)) == len(problems)
    assert document == before
    assert problems or list(_refusals(SCHEMA, document)) == [], "an editor refuses what the loader admits"


def _refusals(schema: dict[str, Any], value: Any) -> Iterator[str]:
    """Judge a value by the part of JSON Schema that our schema uses; a keyword beyond that part is an error."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    assert set(schema) <= KEYWORDS, schema
    kind = {"object": dict, "array": list, "integer": int, "boolean": bool}.get(schema.get("type", ""), (str, date))
    if not isinstance(value, kind):
        yield f"{value!r} is no {schema}"
    elif isinstance(value, dict):
        yield from (f"{key} is unknown" for key in value.keys() - schema["properties"].keys())
        yield from (f"{key} is missing" for key in set(schema.get("required", ())) - value.keys())
        for key in value.keys() & schema["properties"].keys():
            yield from _refusals(schema["properties"][key], value[key])
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield "too few"
        for item in value:
            yield from _refusals(schema["items"], item)
    elif not _admits(schema, value):
        yield f"{value!r} is not admitted by {schema}"


def _admits(schema: dict[str, Any], value: str | int | date) -> bool:
    if isinstance(value, str):
        return bool(re.search(schema.get("pattern", ""), value)) and value in schema.get("enum", [value])
    return isinstance(value, date) or schema.get("minimum", value) <= value <= schema.get("maximum", value)


@settings(max_examples=200, deadline=None)
@given(mutated_documents())
def test_a_changed_document_is_an_organization_or_a_list_of_problems(document: dict[str, Any]):
    _judge(document)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(keys, values, max_size=6))
def test_any_document_is_an_organization_or_a_list_of_problems(document: dict[str, Any]):
    _judge(document)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.integers(0, len(GOOD)))
def test_any_text_in_any_place_is_an_organization_or_a_list_of_problems(text: str, place: int):
    spoiled = GOOD[:place] + text + GOOD[place:]
    assert all(problem.where for problem in _problems_of(lambda: read_organization(spoiled, "acme.toml", at=AT)))


def test_the_schema_admits_the_good_file_and_refuses_a_spoiled_one():
    assert list(_refusals(SCHEMA, DOCUMENT)) == []
    for table, key, value in [("organization", "id", "x"), ("organization", "home_region", "x"), ("waves", 0, {})]:
        document = copy.deepcopy(DOCUMENT)
        document[table][key] = value
        assert list(_refusals(SCHEMA, document))


def test_the_strategy_reaches_every_type_that_toml_has():
    # a guard for the strategies above: TOML's types are those that tomllib returns
    assert {
        type(value)
        for value in tomllib.loads(
            'a="x"\nb=1\nc=true\nd=1.5\ne=2030-01-01\nf=2030-01-01T00:00:00Z\ng=07:00:00\nh=[]\ni={}'
        ).values()
    } == {str, int, bool, float, date, datetime, time, list, dict}
