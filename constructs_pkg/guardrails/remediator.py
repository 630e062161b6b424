"""What the remediator may do in a member account: find drift in our stacks and put their resources back.

The actions of each resource are those that the handlers of its CloudFormation type need (resource schemas of cfn-lint
1.58, ``handlers``): without a role of its own, CloudFormation works with the rights of whoever executes a change set.
Such rights are tied to CloudFormation by ``aws:CalledVia``, so that the role cannot use them by itself.
"""

from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.fitting import MANAGED_POLICY, fit
from constructs_pkg.guardrails.member_account import MemberAccount

__all__ = ["CHANGE_SETS", "remediator_policies"]

CHANGE_SETS = "drift-*"
"""How the repair function's change sets are called; the role can execute no others."""

_THROUGH_CLOUDFORMATION = Condition("ForAnyValue:StringEquals", "aws:CalledVia", ("cloudformation.amazonaws.com",))


def remediator_policies(member: MemberAccount, *, large_templates: bool = False) -> tuple[PolicyDocument, ...]:
    """Return the documents of the remediator's managed policies.

    It can change our stacks by change sets without a role and without a template from S3, other than those that the
    central repair function lends. IAM cannot tell a change set that reverts drift from one with another template (there
    is no key for ``DeploymentMode``): the repair function looks at each change set before it executes it. The role can
    change neither itself nor its own policies, so that drift in those is reported and mended by StackSets.

    Args:
        member: Which account.
        large_templates: Whether the StackSets' templates may have more than the 51,200 bytes that a request takes; then
            they are lent in S3.

    Raises:
        GuardrailError: They outgrow IAM's limits.
    """
    lent = _lent_templates(member) if large_templates else ()
    statements = (*_stacks(member), *lent, *_direct(member), *_handlers(member), _itself(member))
    return fit(
        statements,
        MANAGED_POLICY,
        what="remediator policy",
        advice=lambda: "Shorten the organization's name, with which every pattern begins",
    )


def _stacks(member: MemberAccount) -> tuple[Statement, ...]:
    return (
        Statement(
            sid="FindDrift",
            effect="Allow",
            actions=(
                "cloudformation:DescribeStackResourceDrifts",
                "cloudformation:DescribeStacks",
                "cloudformation:DetectStackDrift",
                "cloudformation:DetectStackResourceDrift",
                "cloudformation:GetTemplate",
                "cloudformation:ListChangeSets",
                "cloudformation:ListStackResources",
            ),
            resources=(member.stack_arns,),
        ),
        Statement(
            sid="FindDriftAnywhere",
            effect="Allow",
            actions=(
                "cloudformation:BatchDescribeTypeConfigurations",
                "cloudformation:DescribeStackDriftDetectionStatus",
                "cloudtrail:LookupEvents",
            ),
            resources=("*",),  # none of them can be limited to a stack
        ),
        Statement(
            sid="ProposeRevert",
            effect="Allow",
            actions=("cloudformation:CreateChangeSet",),
            resources=(member.stack_arns,),
            conditions=(
                Condition("Null", "cloudformation:RoleArn", ("true",)),
                Condition("Null", "cloudformation:TemplateUrl", ("true",)),
                Condition("StringLike", "cloudformation:ChangeSetName", (CHANGE_SETS,)),
            ),
        ),
        Statement(
            sid="Revert",
            effect="Allow",
            actions=(
                "cloudformation:DeleteChangeSet",
                "cloudformation:DescribeChangeSet",
                "cloudformation:ExecuteChangeSet",
            ),
            resources=(member.stack_arns,),
            conditions=(Condition("StringLike", "cloudformation:ChangeSetName", (CHANGE_SETS,)),),
        ),
    )


def _lent_templates(member: MemberAccount) -> tuple[Statement, ...]:
    """Return what a template from the drift bucket takes; CloudFormation reads it with the rights of who asks."""
    return (
        Statement(
            sid="ProposeLentTemplate",
            effect="Allow",
            actions=("cloudformation:CreateChangeSet",),
            resources=(member.stack_arns,),
            conditions=(
                Condition("Null", "cloudformation:RoleArn", ("true",)),
                Condition("StringLike", "cloudformation:TemplateUrl", (member.lent_templates_url,)),
                Condition("StringLike", "cloudformation:ChangeSetName", (CHANGE_SETS,)),
            ),
        ),
        Statement(
            sid="ReadLentTemplates",
            effect="Allow",
            actions=("s3:GetObject",),
            resources=(member.lent_templates_arn,),
        ),
    )


def _direct(member: MemberAccount) -> tuple[Statement, ...]:
    """Return what the repair function calls itself: it looks at configs, and puts them back on functions."""
    functions = f"arn:{member.partition}:lambda:*:{member.account}:function:*"
    return (
        Statement(
            sid="ReadSigning",
            effect="Allow",
            actions=(
                "lambda:GetCodeSigningConfig",
                "lambda:GetFunctionCodeSigningConfig",
                "lambda:GetFunctionConfiguration",
                "lambda:ListCodeSigningConfigs",
                "lambda:ListFunctions",
                "lambda:ListFunctionsByCodeSigningConfig",
                "lambda:ListTags",
                "signer:GetSigningProfile",
                "signer:ListProfilePermissions",
                "signer:ListSigningProfiles",
            ),
            resources=("*",),
        ),
        Statement(
            sid="Reattach",
            effect="Allow",
            actions=("lambda:PutFunctionCodeSigningConfig",),
            resources=(functions, member.config_arns),
            conditions=(Condition("ArnLike", "lambda:CodeSigningConfigArn", (member.config_arns,)),),
        ),
    )


def _handlers(member: MemberAccount) -> tuple[Statement, ...]:
    roles = (member.role_arn(member.auditor_role), member.role_arn(member.forwarder_role("*")))
    per_resource: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("MakeConfigs", ("lambda:CreateCodeSigningConfig", "lambda:ListCodeSigningConfigs"), ("*",)),
        (
            "Configs",
            (
                "lambda:DeleteCodeSigningConfig",
                "lambda:TagResource",
                "lambda:UntagResource",
                "lambda:UpdateCodeSigningConfig",
            ),
            (member.config_arns,),
        ),
        (
            "Parameters",
            (
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameters",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ),
            (member.parameter_arns,),
        ),
        (
            "Policies",
            (
                "iam:CreatePolicy",
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:ListEntitiesForPolicy",
                "iam:ListPolicyVersions",
            ),
            (member.policy_arns(),),
        ),
        (
            "Roles",
            (
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ),
            roles,
        ),
        (
            "LookAtRoles",
            ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"),
            (*roles, member.role_arn(member.remediator_role)),
        ),
        (
            "Rules",
            (
                "events:DeleteRule",
                "events:DescribeRule",
                "events:ListTagsForResource",
                "events:ListTargetsByRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
                "events:TagResource",
                "events:UntagResource",
            ),
            (member.rule_arns,),
        ),
        (
            "Alarms",
            (
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ),
            (member.alarm_arns,),
        ),
    )
    return (
        *(
            Statement(
                sid=sid, effect="Allow", actions=actions, resources=resources, conditions=(_THROUGH_CLOUDFORMATION,)
            )
            for sid, actions, resources in per_resource
        ),
        Statement(
            sid="AttachOwnPolicies",
            effect="Allow",
            actions=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
            resources=roles,
            conditions=(
                _THROUGH_CLOUDFORMATION,
                Condition("ArnLike", "iam:PolicyARN", (member.policy_arns("auditor"), member.policy_arns("forwarder"))),
            ),
        ),
        Statement(
            sid="PassForwarder",
            effect="Allow",
            actions=("iam:PassRole",),
            resources=(member.role_arn(member.forwarder_role("*")),),
            conditions=(
                _THROUGH_CLOUDFORMATION,
                Condition("StringEquals", "iam:PassedToService", ("events.amazonaws.com",)),
            ),
        ),
    )


def _itself(member: MemberAccount) -> Statement:
    """Widen its own rights: by its own policies, or by its own trust."""
    return Statement(
        sid="DenyItself",
        effect="Deny",
        actions=(
            "iam:Add*",
            "iam:Attach*",
            "iam:Create*",
            "iam:Delete*",
            "iam:Detach*",
            "iam:PassRole",
            "iam:Put*",
            "iam:Set*",
            "iam:Update*",
        ),
        resources=(member.role_arn(member.remediator_role), member.policy_arns("remediator")),
    )
