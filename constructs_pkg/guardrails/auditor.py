"""What the auditor and the forwarder may do in a member account: read what code signing is about; send events home."""

from constructs_pkg.guardrails.documents import PolicyDocument, Statement
from constructs_pkg.guardrails.fitting import MANAGED_POLICY, fit
from constructs_pkg.guardrails.member_account import MemberAccount

__all__ = ["auditor_policies", "forwarder_policies"]


def auditor_policies(member: MemberAccount) -> tuple[PolicyDocument, ...]:
    """Return the documents of the auditor's managed policies: reading, and starting a search for drift.

    ``lambda:GetFunction`` and ``lambda:GetLayerVersion`` are not among them: they answer with a link to the code.

    Args:
        member: Which account.
    """
    statements = (
        Statement(
            sid="ReadFunctions",
            effect="Allow",
            actions=(
                "lambda:GetCodeSigningConfig",
                "lambda:GetFunctionCodeSigningConfig",
                "lambda:GetFunctionConfiguration",
                "lambda:ListAliases",
                "lambda:ListCodeSigningConfigs",
                "lambda:ListFunctions",
                "lambda:ListFunctionsByCodeSigningConfig",
                "lambda:ListLayerVersions",
                "lambda:ListLayers",
                "lambda:ListTags",
                "lambda:ListVersionsByFunction",
            ),
            resources=("*",),
        ),
        Statement(
            sid="ReadSigning",
            effect="Allow",
            actions=(
                "signer:DescribeSigningJob",
                "signer:GetRevocationStatus",
                "signer:GetSigningProfile",
                "signer:ListProfilePermissions",
                "signer:ListSigningJobs",
                "signer:ListSigningProfiles",
            ),
            resources=("*",),
        ),
        Statement(
            sid="ReadRecords",
            effect="Allow",
            actions=(
                "cloudtrail:LookupEvents",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "tag:GetResources",
            ),
            resources=("*",),
        ),
        Statement(
            sid="ReadStacks",
            effect="Allow",
            actions=(
                "cloudformation:DescribeChangeSet",
                "cloudformation:DescribeStackResourceDrifts",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:DetectStackDrift",
                "cloudformation:DetectStackResourceDrift",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
            ),
            resources=(member.stack_arns,),
        ),
        Statement(
            sid="ReadDriftDetection",
            effect="Allow",
            actions=(
                "cloudformation:BatchDescribeTypeConfigurations",
                "cloudformation:DescribeStackDriftDetectionStatus",
                "cloudformation:ListStacks",
            ),
            resources=("*",),
        ),
        Statement(
            sid="ReadParameters",
            effect="Allow",
            actions=("ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "ssm:ListTagsForResource"),
            resources=(member.parameter_arns,),
        ),
    )
    return fit(statements, MANAGED_POLICY, what="auditor policy", advice=lambda: "Shorten the organization's name")


def forwarder_policies(member: MemberAccount) -> tuple[PolicyDocument, ...]:
    """Return the document of the forwarder's managed policy: put events onto the central bus, and nothing else."""
    sending = Statement(
        sid="SendHome", effect="Allow", actions=("events:PutEvents",), resources=(member.event_bus_arn,)
    )
    return (PolicyDocument((sending,)),)
