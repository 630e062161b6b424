"""Serve operations of a REST-JSON service by its botocore model: route, read and check requests, write answers.

A request that the model refuses never reaches our code, and an answer that does not fit the model is a mistake of ours
that shows at once. What botocore checks only on the client's side, or nowhere (patterns, enumerations, maxima), is
checked here.
"""

# What goes over the wire is of any type until it is checked; botocore's models have no types.
# ruff: noqa: ANN401

import functools
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from inspect import isawaitable
from typing import Any, cast
from urllib.parse import unquote

from botocore.validate import ParamValidator

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.overlay import Proceed, Request, Response

__all__ = ["Operation", "RestJsonService", "Router", "service_model"]

Answer = dict[str, Any] | None
Operation = Callable[[dict[str, Any], Request], Answer | Awaitable[Answer]]
"""Serves one operation: gets the parameters as botocore's client takes them, returns what the client returns."""

_MAX_SHOWN_CHARACTERS = 80
_PLACEHOLDER = re.compile(r"\{([^}+]+)\+?\}")


@functools.cache
def service_model(service: str) -> Any:
    """Return botocore's model of a service."""
    session: Any = import_module("botocore.session").get_session()
    return session.get_service_model(service)


class Router:
    """Finds the operation that a request asks for.

    Args:
        service: botocore's name of a REST service.
        names: The operations to find among; all of them where left out.
    """

    def __init__(self, service: str, names: Sequence[str] | None = None) -> None:
        model = service_model(service)
        operations = [model.operation_model(name) for name in (model.operation_names if names is None else names)]
        # The longer literal first: /signing-jobs/with-payload is no job, /signing-profiles/NAME/revoke no profile.
        operations.sort(key=lambda operation: -_literal_characters(operation))
        self._routes = [(_route(operation), operation) for operation in operations]

    def find(self, method: str, path: str) -> tuple[Any, dict[str, str]] | None:
        """Return the operation and the parts of the path, None where there is no such operation.

        Args:
            method: The HTTP method.
            path: The decoded path.
        """
        for pattern, operation in self._routes:
            if operation.http["method"] == method:
                match = pattern.fullmatch(path)
                if match:
                    return operation, match.groupdict()
        return None


class RestJsonService:
    """Some operations of a service.

    Args:
        service: botocore's name of it.
        operations: By operation name. What is not among them is passed on, or refused.
        invalid_code: The error code for requests that the model refuses.
        refuses_others: Whether an operation that the model has and we have not is refused instead of passed on.
    """

    def __init__(
        self,
        service: str,
        operations: Mapping[str, Operation],
        *,
        invalid_code: str = "ValidationException",
        refuses_others: bool = False,
    ) -> None:
        self._service = service
        self._operations = dict(operations)
        self._invalid_code = invalid_code
        self._refuses_others = refuses_others
        names = service_model(service).operation_names if refuses_others else list(operations)
        self._router = Router(service, names)

    async def __call__(self, request: Request, proceed: Proceed) -> Response:
        """Serve a request, or pass it on."""
        found = self.find(request)
        if found is None:
            if self._refuses_others:
                raise ServiceError(
                    "UnknownOperationException",
                    f"no operation of {self._service}: {request.method} {request.path}",
                    404,
                )
            return await proceed(request)
        operation, parts = found
        if operation.name not in self._operations:
            raise ServiceError(
                "NotImplementedException", f"the local AWS does not implement {self._service}:{operation.name}", 501
            )
        parameters = self._parameters(operation, parts, request)
        answer = self._operations[operation.name](parameters, request)
        if isawaitable(answer):
            answer = await answer
        return _response(operation, answer or {})

    def find(self, request: Request) -> tuple[Any, dict[str, str]] | None:
        """Return the operation that a request asks for, with the parts of its path; None where it is none of ours."""
        return self._router.find(request.method, request.path)

    def _parameters(self, operation: Any, parts: dict[str, str], request: Request) -> dict[str, Any]:
        shape = operation.input_shape
        if shape is None:
            return {}
        body = request.json()
        parameters: dict[str, Any] = {}
        for name, member in shape.members.items():
            value = _located(name, member, parts, request, body)
            if value is not None:
                parameters[name] = _from_json(member, value)
        problems = _problems(parameters, shape)
        if problems:
            noun = "error" if len(problems) == 1 else "errors"
            raise ServiceError(
                self._invalid_code, f"{len(problems)} validation {noun} detected: " + "; ".join(problems)
            )
        return parameters


def _route(operation: Any) -> re.Pattern[str]:
    path = operation.http["requestUri"].split("?")[0]
    pieces = _PLACEHOLDER.split(path)
    # ARNs in a path hold slashes, some of them encoded: a placeholder takes what it gets, the check comes later.
    return re.compile("".join(re.escape(piece) if n % 2 == 0 else f"(?P<{piece}>.+)" for n, piece in enumerate(pieces)))


def _literal_characters(operation: Any) -> int:
    return len(_PLACEHOLDER.sub("", operation.http["requestUri"]))


def _located(name: str, member: Any, parts: dict[str, str], request: Request, body: dict[str, Any]) -> Any:
    location = member.serialization.get("location")
    wire_name = member.serialization.get("name", name)
    if location == "uri":
        return unquote(parts[wire_name])
    if location == "querystring":
        values = request.query.get(wire_name)
        return values if values is None or member.type_name == "list" else values[0]
    if location == "header":
        return request.headers.get(wire_name.lower())
    return body.get(wire_name)


def _from_json(shape: Any, value: Any) -> Any:
    """Turn a value of the wire into one of botocore's clients; what does not fit is left for the check to find."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        return {
            name: _from_json(member, given[member.serialization.get("name", name)])
            for name, member in shape.members.items()
            if given.get(member.serialization.get("name", name)) is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_from_json(shape.member, item) for item in cast("list[Any]", value)]
    if kind == "map" and isinstance(value, dict):
        return {key: _from_json(shape.value, item) for key, item in cast("dict[str, Any]", value).items()}
    if kind == "timestamp":
        return _time(value)
    if isinstance(value, str) and kind in {"integer", "long"} and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, str) and kind == "boolean" and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    return value


def _time(value: Any) -> Any:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class _TimeStrictValidator(ParamValidator):
    """botocore's own, which takes almost any text for a time."""

    def _validate_timestamp(self, param: Any, shape: Any, errors: Any, name: str) -> None:  # noqa: ARG002 (botocore calls it)
        if not isinstance(param, datetime):
            errors.report(name, "invalid type", param=param, valid_types=["timestamp"])


def _problems(parameters: dict[str, Any], shape: Any) -> list[str]:
    validator: Any = _TimeStrictValidator()
    report = validator.validate(parameters, shape)
    if report.has_errors():
        return [line for line in report.generate_report().splitlines() if line]
    return _constraint_problems(parameters, shape, "")


def _constraint_problems(value: Any, shape: Any, where: str) -> list[str]:
    """Check what botocore does not: enumerations, patterns and maxima, in AWS's words."""
    if shape.type_name == "structure":
        return [
            problem
            for name, item in value.items()
            for problem in _constraint_problems(item, shape.members[name], f"{where}.{name}" if where else name)
        ]
    if shape.type_name == "list":
        problems = _size_problems(value, shape, where)
        return problems + [
            p
            for n, item in enumerate(value, 1)
            for p in _constraint_problems(item, shape.member, f"{where}.{n}.member")
        ]
    if shape.type_name == "map":
        problems = _size_problems(value, shape, where)
        for key, item in value.items():
            problems += _constraint_problems(key, shape.key, f"{where}.key")
            problems += _constraint_problems(item, shape.value, f"{where}.{key}")
        return problems
    return _scalar_problems(value, shape, where)


def _scalar_problems(value: Any, shape: Any, where: str) -> list[str]:
    metadata = shape.metadata
    problems: list[str] = []
    if isinstance(value, str):
        problems += _size_problems(value, shape, where)
        enumeration = metadata.get("enum")
        if enumeration and value not in enumeration:
            problems.append(_problem(value, where, f"Member must satisfy enum value set: [{', '.join(enumeration)}]"))
        pattern = metadata.get("pattern")
        if pattern and _compiled(pattern).fullmatch(value) is None:
            problems.append(_problem(value, where, f"Member must satisfy regular expression pattern: {pattern}"))
    elif isinstance(value, int) and not isinstance(value, bool) and value > metadata.get("max", value):
        problems.append(_problem(value, where, f"Member must have value less than or equal to {metadata['max']}"))
    return problems


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the model: Java's, meaning the whole text; Python lacks its Unicode properties."""
    for java, python in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s")):
        pattern = pattern.replace(java, python)
    return re.compile(pattern.removeprefix("^").removesuffix("$"))


def _size_problems(value: Any, shape: Any, where: str) -> list[str]:
    maximum = shape.metadata.get("max")
    if maximum is None or len(value) <= maximum:
        return []
    return [_problem(value, where, f"Member must have length less than or equal to {maximum}")]


def _problem(value: Any, where: str, demand: str) -> str:
    shown = str(value)[:_MAX_SHOWN_CHARACTERS]
    return f"Value '{shown}' at '{where}' failed to satisfy constraint: {demand}"


def _response(operation: Any, answer: dict[str, Any]) -> Response:
    status = int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if shape is None:
        return status, {"Content-Type": "application/json"}, b""
    body = json.dumps(_to_json(shape, answer)).encode()
    return status, {"Content-Type": "application/json"}, body


def _to_json(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure":
        unknown = value.keys() - shape.members.keys()
        assert not unknown, f"{shape.name} has no {', '.join(sorted(unknown))}"
        return {
            member.serialization.get("name", name): _to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if shape.type_name == "list":
        return [_to_json(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.timestamp()
    return value
