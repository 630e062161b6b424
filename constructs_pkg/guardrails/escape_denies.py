"""The explicit denies that keep a principal inside the guardrail, one function a statement; each tells its attack.

``code_denies`` says which rules of IAM shape them.
"""

from dataclasses import replace

from constructs_pkg.guardrails.documents import Condition, Statement
from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = [
    "ANY_ACCOUNT",
    "boundary_removal",
    "detaching",
    "except_for",
    "foreign_credentials",
    "grants",
    "guard_changes",
    "outside_principals",
    "passing_other_roles",
    "passing_to_other_services",
    "public_urls",
    "unbounded_principals",
]


ANY_ACCOUNT = "*"
_READING = (
    "cloudformation:Describe*",
    "cloudformation:Detect*",
    "cloudformation:Get*",
    "cloudformation:List*",
    "iam:Get*",
    "iam:List*",
    "ssm:Get*",
)


def except_for(statement: Statement, principals: tuple[str, ...]) -> Statement:
    """Return a statement that does not bind some principals, given by role ARN patterns."""
    exemption = Condition("ArnNotLike", "aws:PrincipalArn", principals)
    return replace(statement, conditions=(*statement.conditions, exemption))


def outside_principals(intent: GuardrailIntent) -> Statement:
    """Grant another account ``lambda:*`` on a function, from where none of these denies binds, or grant it to all."""
    suffixes = {"aws-cn": ("com", "com.cn"), "aws-eusc": ("com", "eu")}.get(intent.partition, ("com",))
    services = tuple(f"*.amazonaws.{suffix}" for suffix in suffixes)
    return Statement(
        sid="DenyOutsidePrincipals",
        effect="Deny",
        actions=("lambda:AddPermission",),
        resources=("*",),
        conditions=(Condition("StringNotLike", "lambda:Principal", (*services, *intent.invoking_principals)),),
    )


def grants() -> Statement:
    """Replace a function's whole resource policy, or share a layer: the other ways to let outsiders in."""
    return Statement(
        sid="DenyGrants",
        effect="Deny",
        actions=(
            "lambda:AddLayerVersionPermission",
            "lambda:DeleteResourcePolicy",
            "lambda:PutResourcePolicy",
            "lambda:RemoveLayerVersionPermission",
        ),
        resources=("*",),
    )


def public_urls() -> Statement:
    """Open a function to the internet by a URL without authentication."""
    return Statement(
        sid="DenyPublicUrls",
        effect="Deny",
        actions=("lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"),
        resources=("*",),
        conditions=(Condition("StringNotEquals", "lambda:FunctionUrlAuthType", ("AWS_IAM",)),),
    )


def passing_other_roles(intent: GuardrailIntent) -> Statement:
    """Give a stronger role to a function and act as that role."""
    return Statement(
        sid="DenyPassingOtherRoles",
        effect="Deny",
        actions=("iam:PassRole",),
        not_resources=intent.execution_role_arns,
    )


def passing_to_other_services(intent: GuardrailIntent) -> Statement:
    """Give an execution role to a service that runs code which nobody signed, or to CloudFormation."""
    return Statement(
        sid="DenyPassingElsewhere",
        effect="Deny",
        actions=("iam:PassRole",),
        resources=("*",),
        conditions=(Condition("StringNotEquals", "iam:PassedToService", intent.pass_roles_to),),
    )


def guard_changes(intent: GuardrailIntent, account: str) -> Statement:
    """Do anything but look at what guards: policies, exempt roles, member stacks, published ARNs. Four attacks in one.

    * Rewrite the guardrail (a new policy version), delete it, or make a policy of its name before it is there.
    * Become an exempt role, change whom it trusts, or make a role whose name is exempt (``stacksets-exec-evil``).
    * Update the stack that a StackSet made here: drift detection compares a stack with its own template only. Where
      such a stack keeps the execution role it was made with, an update acts as that role, which is exempt.
    * Point the next deployment at one's own profile: configs are made from the profile version ARNs in the SSM
      parameters below ``/lambda-code-signing/``, where the constructs of this package write them.

    One statement, because these resources are of different services: none of the excepted actions of one is an action
    on another.
    """
    partition = intent.partition
    return Statement(
        sid="DenyGuardChanges",
        effect="Deny",
        not_actions=_READING,
        resources=(
            intent.guardrail_arns(account),
            *intent.protected_role_arns(account),
            f"arn:{partition}:cloudformation:*:{account}:stack/StackSet-{intent.prefix}-*",
            f"arn:{partition}:ssm:*:{account}:parameter/lambda-code-signing/*",
        ),
    )


def detaching(intent: GuardrailIntent, account: str) -> Statement:
    """Detach the guardrail from oneself."""
    return Statement(
        sid="DenyDetaching",
        effect="Deny",
        actions=("iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"),
        resources=("*",),
        conditions=(Condition("ArnLike", "iam:PolicyARN", (intent.guardrail_arns(account),)),),
    )


def boundary_removal(boundaries: str | None) -> Statement:
    """Take the boundary off a role and be bound no more.

    Args:
        boundaries: The pattern of the boundaries that must stay; None protects every boundary.
    """
    conditions = () if boundaries is None else (Condition("ArnLike", "iam:PermissionsBoundary", (boundaries,)),)
    return Statement(
        sid="DenyBoundaryRemoval",
        effect="Deny",
        actions=("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
        resources=("*",),
        conditions=conditions,
    )


def unbounded_principals(intent: GuardrailIntent, *, and_users: bool) -> Statement:
    """Make a role that no guardrail binds (or take over one that is there) and become it.

    ``iam:PermissionsBoundary`` is the boundary in the request where one is created or put, and the boundary that the
    role or user already has for the other actions (service authorization data for IAM).

    Args:
        intent: Whose boundary a role must have.
        and_users: Also IAM users, which the permissions boundary does not let a pipeline make at all.
    """
    roles = (
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
    )
    users = ("iam:AttachUserPolicy", "iam:CreateUser", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy")
    return Statement(
        sid="DenyUnboundedPrincipals",
        effect="Deny",
        actions=(*roles, *users) if and_users else roles,
        resources=("*",),
        conditions=(Condition("ArnNotLike", "iam:PermissionsBoundary", (intent.boundary_arns,)),),
    )


def foreign_credentials() -> Statement:
    """Make keys or a password for a user who is not bound, and become that user."""
    return Statement(
        sid="DenyForeignCredentials",
        effect="Deny",
        actions=("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"),
        resources=("*",),
    )
