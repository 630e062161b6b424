"""CloudFormation's query protocol: requests read, checked and answered by the shapes of botocore's own model.

One reader and one writer serve every operation that the overlay adds, so an answer cannot have a member that the
SDKs do not know, and a request that breaks a constraint of the model is refused before any handler sees it.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from constructs_pkg.errors import ServiceError

__all__ = ["Answer", "read_request", "refuse", "write_answer"]

Answer = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""

Shape = Any  # botocore ships no types
_Tree = dict[str, "_Tree | str"]

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_CONTENT_TYPE = {"Content-Type": "text/xml"}
_PROTOCOL_KEYS = frozenset({"Action", "Version"})
_ECHOED_CHARACTERS = 256
# What XML 1.0 cannot carry, even escaped: a template body or an error text may hold them.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@cache
def _model() -> Shape:
    session: Any = import_module("botocore.session").get_session()
    return session.get_service_model("cloudformation")


def read_request(action: str, form: Mapping[str, list[str] | str]) -> dict[str, Any]:
    """Return the members of a request as nested Python values.

    Args:
        action: The operation, as botocore names it.
        form: The decoded form: ``Regions.member.1`` and so on, each with a text or a list of one text.

    Raises:
        ServiceError: A member is unknown, missing or breaks a constraint of the model; all of them are named.
            What is *not* checked is how members relate to each other.
    """
    tree: _Tree = {}
    problems: list[str] = []
    for key, value in form.items():
        if key not in _PROTOCOL_KEYS:
            _plant(tree, key.split("."), value[0] if isinstance(value, list) else value, problems)
    values = _structure(_model().operation_model(action).input_shape, tree, "", problems)
    if problems:
        plural = "s" if len(problems) > 1 else ""
        text = f"{len(problems)} validation error{plural} detected: " + "; ".join(problems)
        raise ServiceError("ValidationError", text)
    return values


def _plant(tree: _Tree, path: list[str], text: str, problems: list[str]) -> None:
    node = tree
    for part in path[:-1]:
        below = node.setdefault(part, {})
        if not isinstance(below, dict):
            problems.append(f"Value at '{'.'.join(path)}' contradicts another member of the request")
            return
        node = below
    node[path[-1]] = text


def _structure(shape: Shape, tree: _Tree | str, where: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(tree, dict):
        problems.append(f"Value at '{where}' failed to satisfy constraint: Member must be a structure")
        return {}
    values: dict[str, Any] = {}
    for name in tree:
        if name not in shape.members:
            problems.append(f"Value at '{where}{name}' is no member of {shape.name}")
        else:
            values[name] = _value(shape.members[name], tree[name], f"{where}{name}", problems)
    missing = [name for name in shape.required_members if name not in tree]
    problems += [
        f"Value null at '{where}{name}' failed to satisfy constraint: Member must not be null" for name in missing
    ]
    return values


def _value(shape: Shape, tree: _Tree | str, where: str, problems: list[str]) -> object:
    match shape.type_name:
        case "structure":
            return _structure(shape, tree, f"{where}.", problems)
        case "list":
            return _list(shape, tree, where, problems)
        case _ if not isinstance(tree, str):
            problems.append(f"Value at '{where}' failed to satisfy constraint: Member must be a {shape.type_name}")
            return None
        case "boolean":
            return _boolean(tree, where, problems)
        case "integer":
            return _integer(shape, tree, where, problems)
        case _:
            _check_text(shape, tree, where, problems)
            return tree


def _list(shape: Shape, tree: _Tree | str, where: str, problems: list[str]) -> list[object]:
    # an empty list arrives as a member without a value
    nothing: _Tree = {}
    members = nothing if tree == "" else tree.get("member") if isinstance(tree, dict) and len(tree) == 1 else None
    if not isinstance(members, dict) or not all(number.isdecimal() and len(number) < 9 for number in members):
        problems.append(f"Value at '{where}' failed to satisfy constraint: Member must be a list")
        return []
    _check_size(shape, len(members), where, "length", problems)
    ordered = sorted(members, key=int)
    return [_value(shape.member, members[number], f"{where}.{number}.member", problems) for number in ordered]


def _boolean(text: str, where: str, problems: list[str]) -> bool:
    if text.lower() not in {"true", "false"}:
        problems.append(f"Value '{_echo(text)}' at '{where}' failed to satisfy constraint: Member must be a boolean")
    return text.lower() == "true"


def _integer(shape: Shape, text: str, where: str, problems: list[str]) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        problems.append(f"Value '{_echo(text)}' at '{where}' failed to satisfy constraint: Member must be an integer")
        return 0
    _check_size(shape, int(text), where, "value", problems)
    return int(text)


def _check_text(shape: Shape, text: str, where: str, problems: list[str]) -> None:
    _check_size(shape, len(text), where, "length", problems)
    beginning = f"Value '{_echo(text)}' at '{where}' failed to satisfy constraint: Member must satisfy"
    if shape.enum and text not in shape.enum:
        problems.append(f"{beginning} enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, text):
        problems.append(f"{beginning} regular expression pattern: {pattern}")


def _check_size(shape: Shape, size: int, where: str, what: str, problems: list[str]) -> None:
    smallest, largest = shape.metadata.get("min"), shape.metadata.get("max")
    beginning = f"Value at '{where}' failed to satisfy constraint: Member must have {what}"
    if smallest is not None and size < smallest:
        problems.append(f"{beginning} greater than or equal to {smallest}")
    if largest is not None and size > largest:
        problems.append(f"{beginning} less than or equal to {largest}")


def _echo(text: str) -> str:
    return text if len(text) <= _ECHOED_CHARACTERS else f"{text[:_ECHOED_CHARACTERS]}..."


def write_answer(action: str, members: Mapping[str, Any]) -> Answer:
    """Return the answer of an operation.

    Args:
        action: The operation, as botocore names it.
        members: The members of the output; a member whose value is ``None`` is left out. Timestamps are texts.

    Raises:
        KeyError: A member is none of the output shape: a mistake of the caller, not of the request.
    """
    shape = _model().operation_model(action).output_shape
    result = "" if shape is None else f"<{action}Result>{_members_xml(shape, members)}</{action}Result>"
    body = (
        f'<{action}Response xmlns="{_NAMESPACE}">{result}'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, dict(_CONTENT_TYPE), body.encode()


def _members_xml(shape: Shape, members: Mapping[str, Any]) -> str:
    given = {name: value for name, value in members.items() if value is not None}
    return "".join(f"<{name}>{_xml(shape.members[name], value)}</{name}>" for name, value in given.items())


def _xml(shape: Shape, value: Shape) -> str:
    match shape.type_name:
        case "structure":
            return _members_xml(shape, value)
        case "list":
            return "".join(f"<member>{_xml(shape.member, entry)}</member>" for entry in value)
        case "boolean":
            return "true" if value else "false"
        case _:
            return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def refuse(error: ServiceError) -> Answer:
    """Return the answer for a refused request."""
    who = "Sender" if error.status_code < 500 else "Receiver"
    message = escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(error)))
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{who}</Type><Code>{error.code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
    )
    return error.status_code, dict(_CONTENT_TYPE), body.encode()
