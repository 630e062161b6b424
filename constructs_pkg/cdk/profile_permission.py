"""The principals that may use a signing profile of another account, one chained CfnProfilePermission each."""

import hashlib
import json
import re
from typing import Literal, TypeGuard

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_signer as signer
from constructs import Construct

from constructs_pkg.arns import RoleArn
from constructs_pkg.errors import ArnError, ConstructError

__all__ = ["ProfileAction", "ProfilePermissions", "ProfilePrincipal"]

ProfileAction = Literal["signer:StartSigningJob", "signer:GetSigningProfile", "signer:RevokeSignature"]
"""What can be granted on a Lambda profile: AddProfilePermission's list (botocore 1.43.106) without ``SignPayload``,
which that list reserves for container images."""

ProfilePrincipal = str | RoleArn | iam.IRole
"""A 12-digit account id, the ARN of a role without a path, or a role of CDK. Strings may hold tokens."""

_VERBS: dict[ProfileAction, str] = {
    "signer:StartSigningJob": "Sign",
    "signer:GetSigningProfile": "Read",
    "signer:RevokeSignature": "Revoke",
}
_ACCOUNT = re.compile(r"[0-9]{12}")


class ProfilePermissions:
    """The permissions of one profile, created one after the other.

    AWS Signer keeps a revision of a profile's policy and answers ``ConflictException`` to concurrent changes, so that
    each permission waits for the one before it.

    Args:
        scope: Where the permissions are made.
        profile: The profile.
    """

    def __init__(self, scope: Construct, profile: signer.CfnSigningProfile) -> None:
        self._scope = scope
        self._profile = profile
        self._by_statement_id: dict[str, signer.CfnProfilePermission] = {}

    def allow(self, action: ProfileAction, principal: ProfilePrincipal) -> signer.CfnProfilePermission:
        """Allow one action to one principal; asking twice gives the same permission.

        Args:
            action: The action.
            principal: An account id, or a role without a path.

        Raises:
            ConstructError: The principal is neither, or a role with a path.
        """
        principal_text = _principal_text(principal)
        statement_id = f"{_VERBS[action]}-{self._principal_id(principal_text)}"
        existing = self._by_statement_id.get(statement_id)
        if existing is not None:
            return existing
        permission = signer.CfnProfilePermission(
            self._scope,
            statement_id,
            action=action,
            principal=principal_text,
            profile_name=self._profile.attr_profile_name,
            statement_id=statement_id,
        )
        for previous in list(self._by_statement_id.values())[-1:]:
            permission.node.add_dependency(previous)
        self._by_statement_id[statement_id] = permission
        return permission

    def _principal_id(self, principal: str) -> str:
        """Return what names the principal in a statement id: the same in every synthesis, free of odd characters."""
        if cdk.Token.is_unresolved(principal):
            resolved = json.dumps(cdk.Stack.of(self._scope).resolve(principal), sort_keys=True)
            return _digest(resolved, 12)
        if _ACCOUNT.fullmatch(principal):
            return principal
        role = RoleArn.parse(principal)
        return f"{role.account}-{re.sub('[^A-Za-z0-9_-]', '-', role.name)[:32]}-{_digest(principal, 8)}"


def _principal_text(principal: ProfilePrincipal) -> str:
    """Return the principal as AWS Signer wants it, or refuse it with the reason."""
    if _is_cdk_role(principal):
        _refuse_path(principal.role_arn, _declared_path(principal))
        text = principal.role_arn
    else:
        text = str(principal)
    if cdk.Token.is_unresolved(text) or _ACCOUNT.fullmatch(text):
        return text
    try:
        role = RoleArn.parse(text)
    except ArnError as error:
        raise ConstructError(
            f"principal={text!r} is neither a 12-digit account id nor the ARN of an IAM role, "
            f"the two that AWS Signer takes: {error}"
        ) from error
    _refuse_path(text, role.path)
    return text


def _is_cdk_role(principal: ProfilePrincipal) -> TypeGuard[iam.IRole]:
    # jsii's interfaces are Protocols that isinstance() refuses, and an imported role has no class of its own.
    return not isinstance(principal, str | RoleArn)


def _declared_path(role: iam.IRole) -> str:
    """Return the path of a role of this App; that of an imported role is in its ARN."""
    resource = role.node.default_child
    if not isinstance(resource, iam.CfnRole):
        return "/"
    path = resource.path or "/"
    return "/" if cdk.Token.is_unresolved(path) else path


def _refuse_path(role: str, path: str) -> None:
    if path == "/":
        return
    account = role.split(":")[4] if role.startswith("arn:") and not cdk.Token.is_unresolved(role) else "its account"
    raise ConstructError(
        f"principal={role!r} is a role with the path {path!r}, which AWS Signer's AddProfilePermission refuses. "
        f"Use a role without a path, or grant to the account ({account}) and let its IAM policies choose the role"
    )


def _digest(text: str, characters: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:characters]
