"""The signing profile ARNs in a text that are not what they should be, each with the message of its own mistake."""

import re

from constructs_pkg.arns import SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.errors import ArnError
from constructs_pkg.explanations.meaning import Explanation

__all__ = ["explain_wrong_arns"]

_PROFILE_ARN = re.compile(
    r"arn:[a-z-]*:signer:[^\s\"'<>()\[\]{},;]*signing-profile[^\s\"'<>()\[\]{},;]*", re.IGNORECASE
)
_WHERE_VERSIONS_BELONG = re.compile(
    r"SigningProfileVersionArn|signing_profile_version_arn|AllowedPublishers|allowed_publishers", re.IGNORECASE
)
_MAX_ARNS = 50
_REMEDY = "Copy it again: aws signer get-signing-profile --profile-name NAME --query profileVersionArn"


def explain_wrong_arns(text: str) -> tuple[Explanation, ...]:
    """Explain the wrong profile ARNs of a text, the first 50 at most.

    A profile ARN without a version is right in some places. It is taken for a mistake where the text speaks of profile
    versions or publishers, and where it is all there is. Patterns and templates (``*``, ``${…}``) are left alone.

    Args:
        text: The text as it came.
    """
    wants_version = _WHERE_VERSIONS_BELONG.search(text) is not None
    found: dict[str, Explanation] = {}
    for match in list(_PROFILE_ARN.finditer(text))[:_MAX_ARNS]:
        arn = match.group().rstrip(".:")
        if "*" in arn or "$" in arn or arn in found:
            continue
        mistake = _mistake(arn, wants_version=wants_version or text.strip() == arn)
        if mistake is not None:
            found[arn] = Explanation(
                "wrong_profile_arn",
                "This is not the ARN of a signing profile version",
                mistake,
                (_REMEDY, "In CDK and CloudFormation use the attribute ProfileVersionArn instead of a copied text"),
                arn,
                "botocore 1.43.106, lambda and signer service models; reports: hashicorp/terraform-provider-aws#42800",
            )
    return tuple(found.values())


def _mistake(arn: str, *, wants_version: bool) -> str | None:
    """Return what is wrong with an ARN, or None."""
    try:
        SigningProfileVersionArn.parse(arn)
    except ArnError as error:
        return None if not wants_version and _is_profile(arn) else str(error)
    return None


def _is_profile(arn: str) -> bool:
    try:
        SigningProfileArn.parse(arn)
    except ArnError:
        return False
    return True
