"""What MiniStack's IAM evaluation lacks for our guardrails: right actions, resources and keys, variables, and SCPs.

It only matters with ``--strict-auth``; without it, nothing is authorized at all.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import dataclasses
import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast

from constructs_pkg.testing.local_aws.authorization_requests import checks_of, iam_action_of
from constructs_pkg.testing.local_aws.callers import role_arn_of_session
from constructs_pkg.testing.local_aws.code_signing_configs import CodeSigningConfigs
from constructs_pkg.testing.local_aws.internals import APP, IAM_ACTIONS, IAM_EVALUATOR, ORGANIZATIONS, ROUTER
from constructs_pkg.testing.local_aws.overlay import Overlay, Request, Response
from constructs_pkg.testing.local_aws.query_requests import stack_set_arn

__all__ = ["install"]

_VARIABLE = re.compile(r"\$\{([^}]{1,200})\}")
_NO_VALUE = "\0no value"
"""What a variable without a value becomes: it equals nothing."""
_EVERYTHING: dict[str, Any] = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
_MAX_DEPTH = 8
_READERS = frozenset({"cloudformation", "lambda", "s3"})
"""Which services read another account's bucket as who calls."""
_request: ContextVar[Request | None] = ContextVar("authorized_request", default=None)


def install(overlay: Overlay) -> None:
    """Complete MiniStack's IAM evaluation.

    Args:
        overlay: The registry; without strict authorization nothing is changed.
    """
    if not overlay.settings.is_strict:
        return
    APP._dispatch_service_request = _remembering_request(APP._dispatch_service_request)
    IAM_ACTIONS.extract_iam_action = _right_action(IAM_ACTIONS.extract_iam_action)
    management_account = None if overlay.organization is None else overlay.organization.management_account
    stack_sets = overlay.global_store("cloudformation-stack-sets")

    def resource_of(request: Request, resource: str) -> str:
        if request.service != "cloudformation":
            return resource
        return stack_set_arn(request, stack_sets, management_account) or resource

    IAM_EVALUATOR.enforce = _checking_all(IAM_EVALUATOR.enforce, overlay.part(CodeSigningConfigs).tags_of, resource_of)
    IAM_EVALUATOR._resolve_condition_key = _with_global_keys(IAM_EVALUATOR._resolve_condition_key)
    IAM_EVALUATOR._first_match = _filling_in_variables(IAM_EVALUATOR._first_match)
    IAM_EVALUATOR.evaluate_resource_policy = _as_who_calls(IAM_EVALUATOR.evaluate_resource_policy)
    organization = overlay.organization
    if organization is not None:
        management = organization.management_account
        IAM_EVALUATOR.resolve_principal = _limited_by_policies(IAM_EVALUATOR.resolve_principal, management)

        def organization_id(account: str) -> str | None:
            is_member = ORGANIZATIONS._accounts.get_scoped(management, None, account) is not None
            return organization.id if is_member else None

        IAM_EVALUATOR._principal_org_id = organization_id


def _remembering_request(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Keep the request for `_checking_all`, which MiniStack tells only part of it."""

    async def dispatching(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Response:
        service = ROUTER.detect_service(method, path, headers, query)
        token = _request.set(Request(service, method, path, headers, body, query))
        try:
            return await dispatch(method, path, headers, body, query, request_id)
        finally:
            _request.reset(token)

    return dispatching


def _right_action(original: Callable[..., str | None]) -> Callable[..., str | None]:
    """Name the action of a Lambda request by the API's model; MiniStack takes a Put of a config for a Get."""

    def action(service: str, method: str, path: str, *more: Any, **keywords: Any) -> str | None:
        return iam_action_of(service, method, path) or original(service, method, path, *more, **keywords)

    return action


def _checking_all(
    original: Callable[..., Any],
    config_tags: Callable[[str], dict[str, str]],
    resource_of: Callable[[Request, str], str],
) -> Callable[..., Any]:
    """Check a request on every resource that it names, with the condition keys of each."""

    def enforce(
        access_key: str,
        action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        request = _request.get()
        given = service_context or {}
        if request is None or request.service != service:
            return original(access_key, action, service, region, resource_arn=resource_arn, service_context=given)
        for check in checks_of(request, action, resource_of(request, resource_arn), config_tags):
            denied = original(
                access_key,
                check.action,
                service if check.action == action else check.action.split(":")[0],
                region,
                resource_arn=check.resource,
                service_context={**given, **check.keys},
            )
            if denied:
                return denied
        return None

    return enforce


def _with_global_keys(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``aws:PrincipalArn`` of a session be its role's ARN, as AWS does, and every request one with TLS.

    ``aws:ResourceOrgID`` is that of the account in the resource's ARN (IAM guide, "AWS global condition context keys").
    """

    def value(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn" and context.principal_type == "AssumedRole":
            return role_arn_of_session(context.principal_arn)
        if key.lower() == "aws:securetransport":
            return "true"  # loopback needs no TLS, and the CDK's bootstrap bucket denies everything without it
        if key.lower() == "aws:resourceorgid":
            account = str(context.resource_arn).split(":")[4:5]
            return IAM_EVALUATOR._principal_org_id(account[0]) if account else None
        return original(key, context)

    return value


def _as_who_calls(original: Callable[..., Any]) -> Callable[..., Any]:
    """Hold the policy of another account's bucket against the role that calls, whom MiniStack takes for its account."""

    def evaluate(document: Any, context: Any, *more: Any, **named: Any) -> Any:
        request = _request.get()
        if request is not None and request.service in _READERS and context.principal_type == "Root":
            access_key = ROUTER.extract_access_key_id(request.headers, request.query)
            principal = IAM_EVALUATOR.resolve_principal(access_key, context.principal_account)
            if isinstance(principal, IAM_EVALUATOR.PrincipalInfo):
                context = dataclasses.replace(context, principal_arn=principal.arn, principal_type=principal.type)
        return original(document, context, *more, **named)

    return evaluate


def _filling_in_variables(original: Callable[..., Any]) -> Callable[..., Any]:
    """Fill in policy variables such as ``${aws:PrincipalAccount}`` before statements are matched."""

    def first_match(context: Any, statements: list[Any], effect: str) -> Any:
        return original(context, [_filled_in(statement, context) for statement in statements], effect)

    return first_match


def _filled_in(statement: Any, context: Any) -> Any:
    fields = {
        name: getattr(statement, name)
        for name in ("resources", "not_resources", "conditions")
        if "${" in json.dumps(getattr(statement, name))
    }
    if not fields:
        return statement
    return dataclasses.replace(statement, **{name: _substituted(value, context, 0) for name, value in fields.items()})


def _substituted(value: Any, context: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _variable(match[1], context), value)
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, list):
        return [_substituted(item, context, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _substituted(item, context, depth + 1) for key, item in items}
    return value


def _variable(name: str, context: Any) -> str:
    if name in {"*", "?", "$"}:
        return name
    key, _, default = name.partition(",")
    found = IAM_EVALUATOR._resolve_condition_key(key.strip(), context)
    if isinstance(found, str):
        return found
    return default.strip().strip("'") or _NO_VALUE


def _limited_by_policies(original: Callable[..., Any], management: str) -> Callable[..., Any]:
    """Add the SCPs above an account to what limits its principals, the root user too; not the management account."""

    def resolve(access_key: str, account: str, credential: Any = None) -> Any:
        principal = original(access_key, account, credential)
        if not isinstance(principal, IAM_EVALUATOR.PrincipalInfo) or principal.account == management:
            return principal
        limits = _service_control_policies(principal.account, management)
        if not limits:
            return principal
        policies = principal.policies
        if policies is None:
            policies = [IAM_EVALUATOR.parse_policy_document(_EVERYTHING)]
        return dataclasses.replace(principal, policies=policies, limits=[*principal.limits, *limits])

    return resolve


def _service_control_policies(account: str, management: str) -> list[list[list[Any]]]:
    """Return the parsed SCPs at each level, from the account up to the root; every level has to allow."""
    levels: list[list[list[Any]]] = []
    place: str | None = account
    while place is not None and len(levels) <= _MAX_DEPTH:
        documents = [
            policy["_Content"]
            for (owner, policy_id), targets in ORGANIZATIONS._attachments._data.items()
            if owner == management and place in targets
            for policy in [ORGANIZATIONS._policies.get_scoped(management, None, policy_id)]
            if policy is not None and policy["Type"] == "SERVICE_CONTROL_POLICY"
        ]
        if documents:
            levels.append([IAM_EVALUATOR.parse_policy_document(document) for document in documents])
        place = _parent(place, management)
    return levels


def _parent(place: str, management: str) -> str | None:
    account = ORGANIZATIONS._accounts.get_scoped(management, None, place)
    if account is not None:
        return account.get("_ParentId")
    unit = ORGANIZATIONS._ous.get_scoped(management, None, place)
    return None if unit is None else unit.get("ParentId")
