"""What to look for with ``aws_cdk.assertions``: parts of templates that show that code signing is on.

These look at templates alone. Whether the code is really signed, only `constructs_pkg.testing.assert_deployable` tells.
"""

from collections.abc import Sequence
from typing import Any

from constructs_pkg.node import ensure_node

ensure_node()

# aws_cdk starts Node.js at once: it has to be found first.
from aws_cdk.assertions import Match  # noqa: E402

__all__ = ["enforcing_config", "function_under_config", "signed_code"]


def enforcing_config(publishers: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the properties of a code signing config that enforces, for ``template.has_resource_properties``.

    Args:
        publishers: The signing profile version ARNs that it lists, all of them in their order; any where left out.
    """
    arns: Any = Match.any_value() if publishers is None else list(publishers)
    return {
        "AllowedPublishers": {"SigningProfileVersionArns": arns},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
    }


def function_under_config(config_arn: Any = None) -> dict[str, Any]:  # noqa: ANN401 (a template's value: text or intrinsic)
    """Return the properties of a function with a code signing config, for ``template.all_resources_properties``.

    Args:
        config_arn: The config's ARN as the template says it, a text or an intrinsic function; any where left out.
    """
    return {"CodeSigningConfigArn": Match.any_value() if config_arn is None else config_arn}


def signed_code(publisher: str | None = None) -> dict[str, Any]:
    """Return a function or layer whose code came from ``SignedCode``, for ``template.has_resource``.

    Args:
        publisher: The signing profile version ARN that signed it; any where left out.
    """
    arn: Any = Match.any_value() if publisher is None else publisher
    return {"Metadata": {"LambdaCodeSigning": Match.object_like({"SigningProfileVersionArn": arn})}}
