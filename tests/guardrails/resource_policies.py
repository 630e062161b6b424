"""How a resource's policy and the caller's own policies come together, for the table of the signing pipeline.

Source: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", "AWS JSON policy elements:
Principal". An explicit deny of either ends it; within an account either may allow, between accounts both must. An
account as principal hands the decision to that account: within the resource's account it allows nothing by itself.
"""

from collections.abc import Mapping, Sequence

from tests.guardrails.iam_evaluator import (
    Decision,
    NotUnderstoodError,
    Request,
    grants,
    match,
    matches,
    statements_of,
)


def evaluate_on_resource(
    request: Request, identity: Sequence[Mapping], resource_policy: Mapping, owner: str
) -> Decision:
    """Decide about a request to a resource of the account ``owner``."""
    of_identity = matches(identity, request)
    of_resource = [
        (statement["Principal"], match(without_principal(statement), request))
        for statement in statements_of(resource_policy)
        if is_meant(statement["Principal"], request.principal)
    ]
    everything = [*of_identity, *(found for _, found in of_resource)]
    denied_by = {found.sid for found in everything if found.effect == "Deny" and any(found.by_resource)}
    is_own = request.principal.split(":")[4] == owner
    by_resource = grants([m for principal, m in of_resource if not (is_own and names_account(principal))])
    granted = (grants(of_identity) or by_resource) if is_own else (grants(of_identity) and by_resource)
    return Decision(granted, frozenset(denied_by))


def without_principal(statement: Mapping) -> Mapping:
    return {name: value for name, value in statement.items() if name != "Principal"}


def is_meant(principal: str | Mapping, caller: str) -> bool:
    """Whether a statement is about a caller, who is a role or an account's root user."""
    if principal == "*":
        return True
    if isinstance(principal, str) or set(principal) - {"AWS", "Service"}:
        raise NotUnderstoodError(f"principal {principal}")
    return any(arn == caller or arn == root_of(caller) for arn in arns_of(principal))


def names_account(principal: str | Mapping) -> bool:
    """Whether a principal is one or several accounts; a mixture with roles has no rule here."""
    if principal == "*":
        return False
    roots = [arn.endswith(":root") for arn in arns_of(principal)]
    if any(roots) != all(roots):
        raise NotUnderstoodError(f"principal {principal}")
    return any(roots)


def arns_of(principal: str | Mapping) -> list[str]:
    listed = principal.get("AWS", []) if isinstance(principal, Mapping) else []
    return [listed] if isinstance(listed, str) else list(listed)


def root_of(caller: str) -> str:
    partition, account = caller.split(":")[1], caller.split(":")[4]
    return f"arn:{partition}:iam::{account}:root"
