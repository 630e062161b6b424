"""Who makes a request: the ARN of the caller, as AWS writes it."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import re

from constructs_pkg.testing.local_aws.internals import IAM, IAM_EVALUATOR, ROUTER
from constructs_pkg.testing.local_aws.overlay import Request

__all__ = ["caller_arn", "role_arn_of_session"]

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[^/]+)/.+")


def caller_arn(request: Request) -> str:
    """Return the ARN of the caller; the account's root where the credentials name nobody else."""
    principal = IAM_EVALUATOR.resolve_principal(
        ROUTER.extract_access_key_id(request.headers, request.query), request.account
    )
    if isinstance(principal, IAM_EVALUATOR.PrincipalInfo) and principal.arn:
        return principal.arn
    return f"arn:aws:iam::{request.account}:root"


def role_arn_of_session(arn: str) -> str:
    """Return the ARN of the role of an assumed-role session, with its path; any other ARN stays as it is."""
    match = _SESSION.fullmatch(arn)
    if match is None:
        return arn
    role = IAM._roles.get_scoped(match["account"], None, match["role"])
    fallback = f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}"
    return fallback if role is None else str(role.get("Arn", fallback))
