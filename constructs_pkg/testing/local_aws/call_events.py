"""CloudTrail's events on EventBridge for the calls that attach, change and delete code signing configs.

The envelope is documented (EventBridge user guide, "AWS service events delivered via AWS CloudTrail"). Everybody has a
trail here. Calls that IAM refuses, and what CloudFormation does by itself, make no event: on AWS they do.
"""

# The operations of botocore's models, and JSON, have no types.
# ruff: noqa: ANN401

import json
from typing import Any, cast
from uuid import uuid4

from constructs_pkg.testing.local_aws.callers import caller_arn, role_arn_of_session
from constructs_pkg.testing.local_aws.overlay import Overlay, Proceed, Request, Response
from constructs_pkg.testing.local_aws.rest_json import Router

__all__ = ["install"]

_OPERATIONS = (
    "CreateCodeSigningConfig",
    "CreateFunction",
    "DeleteCodeSigningConfig",
    "DeleteFunctionCodeSigningConfig",
    "PutFunctionCodeSigningConfig",
    "UpdateCodeSigningConfig",
)
_DATED = {"CreateFunction": "CreateFunction20150331"}
"""The names that differ from the operation's: Lambda's guide, same page, lists calls on configs without a date."""
_HIDDEN = frozenset({"Code", "Environment"})
"""What CloudTrail leaves out of CreateFunction (Lambda guide, "Logging AWS Lambda API calls using AWS CloudTrail").

A record of 2024 has empty objects there.
"""
_OK = 300


def install(overlay: Overlay) -> None:
    """Tell EventBridge of each call once it is answered.

    Args:
        overlay: The registry; ``code_signing`` comes before this.
    """
    router = Router("lambda", _OPERATIONS)

    async def serve(request: Request, proceed: Proceed) -> Response:
        found = router.find(request.method, request.path)
        response = await proceed(request)
        if found is not None:
            record = _record(overlay, request, response, *found)
            overlay.emit_event("aws.lambda", "AWS API Call via CloudTrail", record, [])
        return response

    overlay.add_service("lambda", serve)


def _record(
    overlay: Overlay, request: Request, response: Response, operation: Any, parts: dict[str, str]
) -> dict[str, Any]:
    asked = {**_json(request.body), **parts}
    shown: dict[str, Any] = {key: {} if key in _HIDDEN else item for key, item in asked.items()}
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(caller_arn(request), request.account),
        "eventTime": overlay.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "lambda.amazonaws.com",
        "eventName": _DATED.get(operation.name, operation.name),
        "awsRegion": request.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": request.headers.get("user-agent", ""),
        "requestParameters": _with_small_letters(shown),
        "responseElements": None,
        "eventID": str(uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": request.account,
        "eventCategory": "Management",
    }
    if response[0] >= _OK:
        answer = _json(response[2])
        record["errorCode"] = str(answer.get("__type", answer.get("Code", "InternalFailure"))).rpartition("#")[2]
        record["errorMessage"] = str(answer.get("message", answer.get("Message", "")))
    return record


def _identity(arn: str, account: str) -> dict[str, Any]:
    """Return who called (CloudTrail guide, "CloudTrail userIdentity element")."""
    role = role_arn_of_session(arn)
    if role != arn:
        issuer = {"type": "Role", "arn": role, "accountId": account, "userName": role.rpartition("/")[2]}
        return {
            "type": "AssumedRole",
            "arn": arn,
            "accountId": account,
            "sessionContext": {"sessionIssuer": issuer},
        }
    if arn.endswith(":root"):
        return {"type": "Root", "arn": arn, "accountId": account}
    return {"type": "IAMUser", "arn": arn, "accountId": account, "userName": arn.rpartition("/")[2]}


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return {}  # the service has refused it
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _with_small_letters(value: Any) -> Any:
    """Return a request as CloudTrail shows it: the names of members begin with a small letter."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {f"{key[:1].lower()}{key[1:]}": _with_small_letters(item) for key, item in items}
    if isinstance(value, list):
        return [_with_small_letters(item) for item in cast("list[Any]", value)]
    return value
