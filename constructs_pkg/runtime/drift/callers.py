"""Who made a call that CloudTrail recorded: named for a human, and told apart from ourselves and from StackSets."""

import re
from collections.abc import Mapping

from .values import mapping, text

__all__ = ["caller_of", "own_role_of"]

_STACK_SETS_ROLE = re.compile(r"stacksets-exec-[0-9a-f]{32}")
"""The role with which service-managed StackSets work in a member account; 32 digits are what has been seen."""
_SESSION = re.compile(r"arn:[a-z-]+:sts::\d{12}:assumed-role/(?P<role>[^/]+)/[^/]+")
_NAMED_BY = ("principalId", "accountId", "invokedBy")


def caller_of(record: Mapping[str, object]) -> str:
    """Return the best name of whoever made a call, empty where the record has none.

    Only some identities have an ARN: those of IAM Identity Center, of web identity and SAML federation, of other
    accounts and of AWS services have none or an empty one (CloudTrail user guide, "userIdentity element").

    Args:
        record: CloudTrail's record.

    Raises:
        DocumentError: The identity is no object, or a member of it no text.
    """
    identity = mapping(record, "userIdentity")
    names = [
        text(identity, "arn", ""),
        text(identity, "userName", ""),
        text(mapping(identity, "onBehalfOf"), "userId", ""),
    ]
    names += [text(identity, key, "") for key in _NAMED_BY]
    return next((name for name in names if name), "")


def own_role_of(record: Mapping[str, object], member_role: str, account: str) -> str:
    """Return the role of ours, or of StackSets, that made a call in an account; empty where it was somebody else.

    The role is the issuer of the session; without one, as in the session of a console user, the ARN tells it. A role of
    the same name in another account is somebody else.

    Args:
        record: CloudTrail's record.
        member_role: The name of our role in member accounts.
        account: Where the call was made; empty where the record does not tell.

    Raises:
        DocumentError: The identity is no object, or a member of it no text.
    """
    identity = mapping(record, "userIdentity")
    session = _SESSION.fullmatch(text(identity, "arn", ""))
    issuer = text(mapping(mapping(identity, "sessionContext"), "sessionIssuer"), "userName", "")
    role = issuer or (session["role"] if session else "")
    is_ours = role == member_role or _STACK_SETS_ROLE.fullmatch(role) is not None
    is_here = not account or (text(identity, "accountId", "") or account) == account
    return role if is_ours and is_here else ""
