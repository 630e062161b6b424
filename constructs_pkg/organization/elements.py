"""Takes a parsed TOML document apart into elements, judges each on its own, and keeps whatever part of it is sound.

That is how all problems come out at once: an element with a broken value still takes part, with its other values, in
the checks that compare elements with each other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from constructs_pkg.errors import Problem
from constructs_pkg.organization.nearest_words import did_you_mean, nearest
from constructs_pkg.organization.schema_problems import problem_of, telling_errors
from constructs_pkg.organization.tables import (
    Account,
    Application,
    DeveloperGuardrail,
    DriftRemediationTable,
    Exemption,
    ExternalPublisher,
    Notifications,
    OrganizationalUnit,
    OrganizationTable,
    Rollout,
    SigningPipeline,
    SigningProfile,
    Wave,
)
from constructs_pkg.organization.values import shown

__all__ = ["ARRAYS", "TABLES", "Element", "Elements", "examine", "frozen"]

Elements = Mapping[str, tuple["Element", ...]]

TABLES: dict[str, type[BaseModel]] = {
    "organization": OrganizationTable,
    "rollout": Rollout,
    "drift_remediation": DriftRemediationTable,
    "notifications": Notifications,
    "signing_pipeline": SigningPipeline,
}
"""What is written once, as ``[name]``."""

ARRAYS: dict[str, type[BaseModel]] = {
    "organizational_units": OrganizationalUnit,
    "accounts": Account,
    "applications": Application,
    "signing_profiles": SigningProfile,
    "external_publishers": ExternalPublisher,
    "waves": Wave,
    "developer_guardrails": DeveloperGuardrail,
    "exemptions": Exemption,
}
"""What is written as often as needed, as ``[[name]]``."""

_DEEPEST = 4
"""No table of ours nests deeper; what does is wrong anyway and is not followed, however deep it goes."""

MOST_TABLES = 2000
"""How many tables of one name a file may have: as many as AWS Organizations has organizational units at most."""

_SAFE_LABEL = re.compile(r"[A-Za-z0-9_*-]{1,64}")


@dataclass(frozen=True, slots=True)
class Element:
    """One table of the file with the values that are sound on their own.

    Attributes:
        table: Its name, such as ``signing_profiles``.
        index: Its place among the tables of this name, from 0; None for one that is written once.
        raw: The values as they stand in the file, empty where it is no table at all.
        values: The same without what is broken: a key is missing, an item of a list is None (which TOML has not).
    """

    table: str
    index: int | None
    raw: Mapping[str, object]
    values: Mapping[str, object] = field(default_factory=dict[str, object])

    def where(self, *path: str | int) -> str:
        """Return the key path of a value, with the element's name behind it: ``accounts[2].id (payments)``."""
        text = self.table if self.index is None else f"{self.table}[{self.index}]"
        for key in path:
            text += f"[{key}]" if isinstance(key, int) else f".{_key(key)}"
        return f"{text} ({self.label})" if self.label else text

    @property
    def label(self) -> str:
        """Return the name by which people know the element, empty where it has none that can be printed."""
        if self.table == "signing_profiles":
            application, generation = self.raw.get("application"), self.raw.get("generation")
            # bool is an int, and an int of 5000 digits cannot be printed
            if type(generation) is not int or not 0 <= generation <= 9999:
                return _printable(application)
            return f"{_printable(application)} generation {generation}".lstrip()
        key = {"developer_guardrails": "application", "exemptions": "functions"}.get(self.table, "name")
        return "" if self.index is None else _printable(self.raw.get(key))

    def text(self, *path: str) -> str | None:
        """Return a text that is sound, None where it is missing or broken."""
        value = self._at(path)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        """Return a whole number that is sound, None where it is missing or broken."""
        value = self.values.get(key)
        return value if isinstance(value, int) else None

    def day(self, key: str) -> date | None:
        """Return a date that is sound, None where it is missing or broken."""
        value = self.values.get(key)
        return value if isinstance(value, date) else None

    def flag(self, *path: str) -> bool:
        """Return a truth value, False where it is missing or broken."""
        return self._at(path) is True

    def texts(self, *path: str) -> tuple[tuple[int, str], ...]:
        """Return the sound texts of a list, each with its place in the file."""
        value = self._at(path)
        items = cast("list[object]", value) if isinstance(value, list) else []
        return tuple((index, item) for index, item in enumerate(items) if isinstance(item, str))

    def is_sound(self, *path: str) -> bool:
        """Tell whether a value is there and nothing in it is broken."""
        value = self._at(path)
        return value is not None and not (isinstance(value, list) and None in cast("list[object]", value))

    def _at(self, path: tuple[str, ...]) -> object:
        *tables, key = path
        values = self.values
        for table in tables:
            nested = values.get(table)
            if not isinstance(nested, dict):
                return None
            values = cast("dict[str, object]", nested)
        return values.get(key)


def examine(document: Mapping[str, object]) -> tuple[Elements, list[Problem]]:
    """Judge every table of a document on its own.

    Args:
        document: What a TOML parser returned; it is not changed.

    Returns:
        The elements by table (every known table has an entry), and the problems that were found.
    """
    known = TABLES | ARRAYS
    unknown = [name for name in document if name not in known]
    problems = [_unknown_table(name) for name in unknown]
    meant = {nearest(name, known) for name in unknown}
    elements: dict[str, tuple[Element, ...]] = {}
    for name, model in known.items():
        if name in document:
            elements[name], its_problems = _examine_table(name, document[name], model)
            problems.extend(its_problems)
        elif name in meant:
            elements[name] = (_unreadable(name),)  # it is there, under a mistyped name
        else:
            elements[name] = ()
    if not elements["organization"]:
        remedy = "Add it; it says who you are in AWS"
        problems.append(Problem("organization", "the table [organization] is missing", remedy))
    return elements, problems


def frozen(value: object, *, depth: int = 0) -> object:
    """Return a TOML value with tuples for lists, as the strict models want it; what nests too deep is left as it is."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: frozen(item, depth=depth + 1) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return tuple(frozen(item, depth=depth + 1) for item in cast("list[object]", value))
    return value


def _unreadable(name: str) -> Element:
    """Return an element without values: it says that something is there, and that nothing is known about it."""
    return Element(name, None if name in TABLES else 0, {})


def _examine_table(name: str, value: object, model: type[BaseModel]) -> tuple[tuple[Element, ...], list[Problem]]:
    """Judge everything that stands under one name of the document."""
    if name in ARRAYS and isinstance(value, list):
        number = len(cast("list[object]", value))
        if number > MOST_TABLES:
            message, remedy = f"there are {number} of them", f"Write at most {MOST_TABLES} [[{name}]]"
            return (_unreadable(name),), [Problem(name, message, remedy)]
        examined = [_examine_element(name, i, raw, model) for i, raw in enumerate(cast("list[object]", value))]
    elif name in TABLES and isinstance(value, dict):
        examined = [_examine_element(name, None, cast("object", value), model)]
    else:
        form = f"[{name}], once" if name in TABLES else f"[[{name}]], in double brackets, once for each of them"
        return (_unreadable(name),), [Problem(name, f"{shown(value)} stands where it cannot", f"Write {form}")]
    problems = [problem for _, its_problems in examined for problem in its_problems]
    return tuple(element for element, _ in examined), problems


def _examine_element(
    name: str, index: int | None, raw: object, model: type[BaseModel]
) -> tuple[Element, list[Problem]]:
    """Judge one table; what is broken in it is taken out of the element's values."""
    if not isinstance(raw, dict):
        element = Element(name, index, {})
        return element, [Problem(element.where(), f"{shown(raw)} is not a table", f"Write [[{name}]] and its keys")]
    values = cast("dict[str, object]", raw)
    try:
        model.model_validate(frozen(values))
    except ValidationError as error:
        errors = telling_errors(error.errors(), model)
        broken = [one["loc"] for one in error.errors()]
    else:
        errors, broken = [], []
    element = Element(name, index, values, _pruned(values, broken))
    problems = [problem_of(one, element.where(*one["loc"]), model) for one in errors]
    problems.extend(_listed_twice(element, element.values))
    return element, problems


def _pruned(raw: Mapping[str, object], broken: Iterable[tuple[str | int, ...]]) -> dict[str, object]:
    """Return a copy without the broken values: keys are removed, items of lists become None."""
    copy = cast("dict[str, object]", _copied(raw, 0))
    for path in broken:
        container: Any = copy
        for key in path[:-1]:
            container = container[key]
        if isinstance(path[-1], int):
            container[path[-1]] = None
        else:
            container.pop(path[-1], None)  # a missing key is an error, too
    return copy


def _copied(value: object, depth: int) -> object:
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: _copied(item, depth + 1) for key, item in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list):
        return [_copied(item, depth + 1) for item in cast("list[object]", value)]
    return value


def _listed_twice(element: Element, values: Mapping[str, object], *path: str) -> Iterator[Problem]:
    """Find texts that a list says twice; no list of an organization file may."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _listed_twice(element, cast("Mapping[str, object]", value), *path, key)
        seen: set[str] = set()
        for index, text in element.texts(*path, key):
            if text in seen:
                yield Problem(element.where(*path, key, index), f"{shown(text)} is listed twice", "Name it once")
            seen.add(text)


def _unknown_table(name: str) -> Problem:
    known = [*TABLES, *ARRAYS]
    return Problem(
        _key(name),
        f"{shown(name)} is not a table of an organization file",
        did_you_mean(name, known, f"The tables are: {', '.join(known)}"),
    )


def _key(key: str) -> str:
    """Return a key as TOML writes it: bare where that is allowed, otherwise quoted and bounded."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", key) else shown(key)


def _printable(value: object) -> str:
    return value if isinstance(value, str) and _SAFE_LABEL.fullmatch(value) else ""
