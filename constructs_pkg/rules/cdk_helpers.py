"""Rule LCS120: functions that AWS CDK makes by itself, recognised, named, and what to do about each.

They are unsigned assets of aws-cdk-lib. The names of their logical ids are those of aws-cdk-lib 2.275; a test
synthesizes the constructs and compares. Recognition explains and excuses nothing: names can be imitated.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from constructs_pkg.rules.template import Resource
from constructs_pkg.rules.violation import Hit, Rule, Severity

__all__ = ["RULES", "CdkHelper", "helper_of", "with_helper_named"]

CDK_HELPER = Rule(
    "LCS120",
    "A function that AWS CDK makes by itself is not signed",
    Severity.FATAL,
    "aws-cdk-lib ships its helpers unsigned, and they run with roles of your account.",
    "Replace the construct that brings it, or have it exempted with owner, reason and last day",
)
RULES = (CDK_HELPER,)

_REPLACED = {"LCS101", "LCS201", "LCS207", "LCS209", "LCS210", "LCS211", "LCS214", "LCS216"}
"""The rules that an unsigned helper breaks; what they say is said in one violation."""


@dataclass(frozen=True, slots=True)
class CdkHelper:
    """One kind of helper.

    Attributes:
        name: What it does.
        remedy: How to do without it.
        logical_id: What its logical id looks like.
    """

    name: str
    remedy: str
    logical_id: re.Pattern[str]


_PROVIDER = "CustomResourceProviderHandler[0-9A-F]{8}"


def _helper(name: str, remedy: str, logical_id: str) -> CdkHelper:
    return CdkHelper(name, remedy, re.compile(logical_id))


_HELPERS = (
    _helper(
        "the bucket emptier (auto_delete_objects)",
        "Set auto_delete_objects=False and empty the bucket with a lifecycle rule or by hand",
        rf"CustomS3AutoDeleteObjects{_PROVIDER}",
    ),
    _helper(
        "the image repository emptier (empty_on_delete, auto_delete_images)",
        "Use CloudFormation's EmptyOnDelete (empty_on_delete=True) in place of auto_delete_images",
        rf"CustomECRAutoDeleteImages{_PROVIDER}",
    ),
    _helper(
        "the log retention function",
        "Give the function a log_group of its own, or set @aws-cdk/aws-lambda:useCdkManagedLogGroup, instead of "
        "log_retention",
        r"LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a[0-9A-F]{8}",
    ),
    _helper(
        "the bucket notifications handler",
        "Send the bucket's events to EventBridge (event_bridge_enabled=True on a CfnBucket), or write "
        "NotificationConfiguration on the CfnBucket",
        r"BucketNotificationsHandler050a0587b7544547bf325f094a3db834[0-9A-F]{8}",
    ),
    _helper(
        "the function of AwsCustomResource",
        "Use a resource type of CloudFormation, or a custom resource of a signed function of your own",
        r"AWS679f53fac002430cb0da5b7982bd2287[0-9A-F]{8}",
    ),
    _helper(
        "the Provider framework of custom resources",
        "Give the custom resource a signed function of your own as service token, without custom_resources.Provider",
        r".*framework(onEvent|isComplete|onTimeout)[0-9A-F]{8}",
    ),
    _helper(
        "the cross-Region reference function (cross_region_references)",
        "Pass the value as a parameter or through SSM, without cross_region_references",
        rf"CustomCrossRegionExport(Writer|Reader){_PROVIDER}",
    ),
    _helper(
        "the default security group restrictor (restrict_default_security_group)",
        "Set restrict_default_security_group=False and close the group by an organization-wide rule",
        rf"CustomVpcRestrictDefaultSG{_PROVIDER}",
    ),
    _helper(
        "the function of BucketDeployment",
        "Copy the files in the pipeline with 'aws s3 sync'",
        r"CustomCDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C.*",
    ),
    _helper(
        "the function of OpenIdConnectProvider",
        "Use OidcProviderNative or CfnOIDCProvider",
        rf"CustomAWSCDKOpenIdConnectProvider{_PROVIDER}",
    ),
    _helper(
        "the function of Trigger",
        "Run the function in the pipeline after the deployment",
        rf"AWSCDKTriggerCustomResourceProvider{_PROVIDER}",
    ),
    _helper(
        "a custom resource provider of aws-cdk-lib",
        "Replace the construct that brings it",
        rf".*{_PROVIDER}",
    ),
)


def helper_of(function: Resource) -> CdkHelper | None:
    """Return which helper of AWS CDK a function is, or None."""
    return next((helper for helper in _HELPERS if helper.logical_id.fullmatch(function.logical_id)), None)


def with_helper_named(function: Resource, hits: Sequence[Hit]) -> Iterator[Hit]:
    """Say of a helper of AWS CDK in one violation what makes it undeployable; other functions' hits stay.

    Args:
        function: The function.
        hits: Everything that was found on it.
    """
    replaced = [hit for hit in hits if hit.rule.id in _REPLACED]
    helper = helper_of(function) if replaced else None
    if helper is None:
        yield from hits
        return
    causes = "; ".join(f"{hit.rule.id} {hit.rule.title.lower()}" for hit in replaced)
    remedy = f"{helper.remedy}; or have it exempted with owner, reason and last day"
    yield Hit(CDK_HELPER, f"AWS CDK makes this function by itself: it is {helper.name} ({causes})", "", remedy)
    yield from (hit for hit in hits if hit not in replaced)
