"""The permissions boundary for pipelines and for the role that CloudFormation deploys with."""

from dataclasses import replace

from constructs_pkg.guardrails import code_denies, escape_denies
from constructs_pkg.guardrails.actions import LISTED
from constructs_pkg.guardrails.advice import advice
from constructs_pkg.guardrails.documents import PolicyDocument, Statement
from constructs_pkg.guardrails.fitting import PERMISSIONS_BOUNDARY, fit
from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = ["permissions_boundary"]

_IAM = (
    "iam:AttachRolePolicy",
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateServiceLinkedRole",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:Get*",
    "iam:List*",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagPolicy",
    "iam:TagRole",
    "iam:UntagPolicy",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
"""What a stack with roles and policies needs; no users, no groups, no identity providers."""


def permissions_boundary(intent: GuardrailIntent) -> PolicyDocument:
    """Return the document of the permissions boundary; put it on pipelines' roles and on CloudFormation's.

    A boundary grants nothing: a role may do what both its policies and the boundary allow. It lists services and, of
    Lambda, IAM and AWS Signer, single actions, so that what AWS adds is out until somebody adds it. Its denies narrow
    what the lists name. One denies what no list names, changes of configs: an *implicit* deny in a boundary does not
    limit what a resource policy grants a session (IAM User Guide, "Permissions boundaries"), and functions have those.

    A role has one boundary, so that no other one stands beside it: the intent's sibling Regions, which a guardrail of
    their own would bind, are closed like any other Region.

    Args:
        intent: Whose functions, configs, roles, layers and profiles, and which services.

    Raises:
        GuardrailError: It does not fit into 6,144 characters without white space, even in its shortest form.
    """
    (document,) = fit(
        _statements(intent), PERMISSIONS_BOUNDARY, what="permissions boundary", advice=lambda: advice(intent, _size)
    )
    return document


def _size(intent: GuardrailIntent) -> int:
    return PolicyDocument(_statements(intent)).characters


def _statements(intent: GuardrailIntent) -> tuple[Statement, ...]:
    services = tuple(entry if ":" in entry else f"{entry}:*" for entry in intent.pipeline_services)
    deployment_roles = f"arn:{intent.partition}:iam::{intent.account}:role/cdk-*"
    return (
        Statement(sid="AllowServices", effect="Allow", actions=services, resources=("*",)),
        Statement(
            sid="AllowLambda",
            effect="Allow",
            actions=LISTED,
            resources=("*",),
        ),
        Statement(sid="AllowIam", effect="Allow", actions=_IAM, resources=("*",)),
        Statement(
            sid="AllowSigner",
            effect="Allow",
            actions=("signer:Describe*", "signer:Get*", "signer:List*", "signer:StartSigningJob"),
            resources=("*",),
        ),
        Statement(
            sid="AllowDeploymentRoles", effect="Allow", actions=("sts:AssumeRole",), resources=(deployment_roles,)
        ),
        code_denies.unapproved_config(intent),
        code_denies.other_regions(replace(intent, sibling_regions=())),
        code_denies.other_functions(intent),
        code_denies.frozen_functions(intent),
        code_denies.quarantine_tag(intent),
        code_denies.signing_config_changes(),
        code_denies.signing_config_tags(intent),
        code_denies.foreign_signing(intent),
        code_denies.foreign_layers(intent),
        escape_denies.outside_principals(intent),
        escape_denies.public_urls(),
        escape_denies.passing_other_roles(intent),
        escape_denies.passing_to_other_services(intent),
        escape_denies.guard_changes(intent, intent.account),
        escape_denies.detaching(intent, intent.account),
        escape_denies.unbounded_principals(intent, and_users=False),
    )
