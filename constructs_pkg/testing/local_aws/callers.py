"""Who makes a request: the ARN of the caller, as AWS writes it."""

import re

from ministack.core.iam_evaluator import PrincipalInfo, resolve_principal
from ministack.core.router import extract_access_key_id

from constructs_pkg.testing.local_aws.overlay import Request

__all__ = ["caller_arn", "role_of_session"]

_SESSION = re.compile(r"arn:(?P<partition>[^:]+):sts::(?P<account>[0-9]{12}):assumed-role/(?P<role>[^/]+)/.+")


def caller_arn(request: Request) -> str:
    """Return the ARN of the caller; the account's root where the credentials name nobody else."""
    principal = resolve_principal(extract_access_key_id(request.headers, request.query), request.account)
    if isinstance(principal, PrincipalInfo) and principal.arn:
        return principal.arn
    return f"arn:aws:iam::{request.account}:root"


def role_of_session(arn: str) -> str:
    """Return the role of an assumed-role session; any other ARN stays as it is. The role's path is not known here."""
    match = _SESSION.fullmatch(arn)
    return arn if match is None else f"arn:{match['partition']}:iam::{match['account']}:role/{match['role']}"
