"""What MiniStack drops or refuses of its own resource types and templates, and what we deploy needs.

A role's permissions boundary is set, and an alarm on metric queries is stored. Such an alarm never leaves
``INSUFFICIENT_DATA``: nothing evaluates queries here. Conditions know pseudo parameters such as ``AWS::Region``.
"""

from importlib import import_module
from typing import Any

from constructs_pkg.testing.local_aws.internals import RESPONSES

__all__ = ["install"]

# MiniStack ships no types.
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_IAM: Any = import_module("ministack.services.iam")
_CHANGESETS: Any = import_module("ministack.services.cloudformation.changesets")
_ENGINE: Any = import_module("ministack.services.cloudformation.engine")
_HANDLERS: Any = import_module("ministack.services.cloudformation.handlers")
_STACKS: Any = import_module("ministack.services.cloudformation.stacks")

_BOUNDARY = "PermissionsBoundary"
_ROLE = "AWS::IAM::Role"
_STORED_INSTEAD = {"MetricName": "query", "Namespace": "query"}


def install() -> None:
    """Close the gaps."""
    role_type = _PROVISIONERS._RESOURCE_HANDLERS[_ROLE]  # noqa: SLF001
    for operation in ("create", "update"):
        role_type[operation] = _with_boundary(role_type[operation], position=1 if operation == "create" else 2)
    record = _PROVISIONERS._cw_metric_alarm_record  # noqa: SLF001

    def record_with_queries(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        queries = properties.get("Metrics")
        if not queries:
            return record(name, properties)
        if properties.get("MetricName") or properties.get("Namespace"):
            raise ValueError("AWS::CloudWatch::Alarm has either Metrics or MetricName and Namespace")
        plain = {key: value for key, value in properties.items() if key != "Metrics"} | _STORED_INSTEAD
        return {**record(name, plain), "MetricName": None, "Namespace": None, "Statistic": None, "Metrics": queries}

    _PROVISIONERS._cw_metric_alarm_record = record_with_queries  # noqa: SLF001
    # Each of these modules has imported the function under its own name.
    _ENGINE._evaluate_conditions = _with_pseudo_parameters(_ENGINE._evaluate_conditions)  # noqa: SLF001
    _CHANGESETS._evaluate_conditions = _ENGINE._evaluate_conditions  # noqa: SLF001
    _HANDLERS._evaluate_conditions = _ENGINE._evaluate_conditions  # noqa: SLF001
    _STACKS._evaluate_conditions = _ENGINE._evaluate_conditions  # noqa: SLF001


def _with_pseudo_parameters(evaluate: Any) -> Any:  # noqa: ANN401 (MiniStack's functions)
    def evaluate_with_them(template: dict[str, Any], params: dict[str, Any]) -> dict[str, bool]:
        pseudo = {
            "AWS::AccountId": RESPONSES.get_account_id(),
            "AWS::Partition": "aws",
            "AWS::Region": RESPONSES.get_region(),
            "AWS::URLSuffix": "amazonaws.com",
        }
        return evaluate(template, {**{name: {"Value": value} for name, value in pseudo.items()}, **params})

    return evaluate_with_them


def _with_boundary(operation: Any, position: int) -> Any:  # noqa: ANN401 (MiniStack's functions)
    def with_boundary(*arguments: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401
        physical_id, attributes = operation(*arguments)
        boundary = arguments[position].get(_BOUNDARY)
        _IAM._roles[physical_id][_BOUNDARY] = boundary  # noqa: SLF001
        return physical_id, attributes

    return with_boundary
