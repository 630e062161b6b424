"""Mutants of a policy statement: every single thing that somebody could take away, widen or soften in it.

Left out are changes that mean the same by IAM's rules, such as ``IfExists`` on a negated operator, which is true for an
absent key either way (``test_iam_evaluator.py`` says so), and those that let a deny stop more than before.
"""

import copy
from collections.abc import Iterator, Mapping

SOFTENED = {"StringEquals", "StringLike", "ArnEquals", "ArnLike", "StringEqualsIgnoreCase", "Bool"}


def mutants_of(statement: Mapping) -> Iterator[tuple[str, Mapping | None]]:
    """Yield what was changed, and the statement as it is then; None is a statement that is gone."""
    sid = statement["Sid"]
    yield f"{sid}: dropped", None
    yield f"{sid}: effect turned", {**statement, "Effect": "Allow" if statement["Effect"] == "Deny" else "Deny"}
    for element in ("Action", "NotAction", "Resource", "NotResource"):
        if element in statement:
            yield from list_mutants(statement, element)
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            yield from condition_mutants(statement, operator, key)


def list_mutants(statement: Mapping, element: str) -> Iterator[tuple[str, Mapping]]:
    values = many(statement[element])
    where = f"{statement['Sid']}.{element}"
    if len(values) > 1:
        for value in values:
            yield f"{where}: without {value}", {**statement, element: [other for other in values if other != value]}
    if (statement["Effect"] == "Deny") != element.startswith("Not"):
        return  # a deny about more, or an Allow of "all but less": stricter
    if "*" not in values:
        yield f"{where}: with *", {**statement, element: [*values, "*"]}
    for value in values:
        for wider in widened(element, value):
            yield f"{where}: {value} widened to {wider}", {**statement, element: [*values, wider]}


def widened(element: str, value: str) -> Iterator[str]:
    """What an impatient person writes: the whole service, any account, any name."""
    if "Action" in element and not value.endswith(":*"):
        yield f"{value.partition(':')[0]}:*"
    if "Resource" in element and value.startswith("arn:"):
        parts = value.split(":", 5)
        for index in (4, 5):
            if parts[index] not in {"*", ""}:
                yield ":".join([*parts[:index], "*", *parts[index + 1 :]])


def condition_mutants(statement: Mapping, operator: str, key: str) -> Iterator[tuple[str, Mapping]]:
    where = f"{statement['Sid']}.{operator}.{key}"
    values = many(statement["Condition"][operator][key])

    def changed(new_operator: str | None, new_values: list[str]) -> Mapping:
        result = copy.deepcopy(dict(statement))
        del result["Condition"][operator][key]
        result["Condition"] = {name: keys for name, keys in result["Condition"].items() if keys}
        if new_operator is not None:
            result["Condition"].setdefault(new_operator, {})[key] = new_values
        return result

    yield f"{where}: dropped", changed(None, [])
    if len(values) > 1:
        for value in values:
            yield f"{where}: without {value}", changed(operator, [other for other in values if other != value])
    if (operator in SOFTENED and statement["Effect"] == "Allow") or operator == "ForAnyValue:StringNotLike":
        yield f"{where}: IfExists", changed(f"{operator}IfExists", values)
    if "Like" in operator:
        anything = "arn:*:*:*:*:*" if operator.startswith("Arn") else "*"
        yield f"{where}: with {anything}", changed(operator, [*values, anything])
    if operator == "Null":
        yield f"{where}: turned", changed(operator, ["true"])
    if operator.startswith("ForAnyValue:"):
        yield f"{where}: ForAllValues", changed(operator.replace("ForAnyValue", "ForAllValues"), values)
    if operator == "ForAnyValue:StringEqualsIgnoreCase":
        yield f"{where}: minding the case", changed("ForAnyValue:StringEquals", values)


def many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
