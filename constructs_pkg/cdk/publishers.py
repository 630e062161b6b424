"""The signing profile versions that a code signing config allows, as ARNs, out of everything that stands for one."""

import json
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_signer as signer
from constructs import Construct

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cdk.signing_profile import LAMBDA_PLATFORM_ID
from constructs_pkg.errors import ArnError, ConstructError
from constructs_pkg.regions import partition_of_region

__all__ = ["MAX_PUBLISHERS", "Publisher", "publisher_arns"]

MAX_PUBLISHERS = 20
"""The most profile versions of one config (botocore 1.43.106, ``lambda`` shape ``SigningProfileVersionArns``)."""

Publisher = signer.ISigningProfile | signer.CfnSigningProfile | SigningProfileVersionArn | str
"""A signing profile of this package or of aws-cdk-lib, or a signing profile version ARN, which may be a token."""


def publisher_arns(scope: Construct, publishers: Sequence[Publisher]) -> list[str]:
    """Return the version ARN of each publisher, in the order given.

    Args:
        scope: A construct in the stack of the code signing config.
        publishers: 1 to 20 different publishers; or a list token, such as a CommaDelimitedList parameter's value,
            which passes through unchecked.

    Raises:
        ConstructError: There are none or too many, one is given twice or is not a Lambda profile's version ARN in the
            stack's partition.
    """
    if isinstance(publishers, str):
        raise ConstructError(f"publishers={publishers!r} is a text. Pass a list, even of one publisher")
    if _is_list_token(publishers):
        return [cast("str", publisher) for publisher in publishers]
    if not 1 <= len(publishers) <= MAX_PUBLISHERS:
        raise ConstructError(
            f"publishers has {len(publishers)} signing profile versions; a code signing config takes 1 to "
            f"{MAX_PUBLISHERS}, counted over all generations and external publishers. Retire old generations, or "
            "divide the functions between several configs"
        )
    stack = cdk.Stack.of(scope)
    arns: list[str] = []
    seen: dict[str, int] = {}
    for index, publisher in enumerate(publishers):
        where = f"publishers[{index}]"
        arn = _version_arn(publisher, where)
        resolved = cast("object", stack.resolve(arn))
        _check(resolved, where, stack)
        first = seen.setdefault(json.dumps(resolved, sort_keys=True), index)
        if first != index:
            raise ConstructError(f"{where} is the same signing profile version as publishers[{first}]. Remove one")
        arns.append(arn)
    return arns


def _is_list_token(publishers: Sequence[Publisher]) -> bool:
    """Tell whether this is CDK's encoding of a list that only the deployment knows: one text of a certain form."""
    return len(publishers) == 1 and isinstance(publishers[0], str) and cdk.Token.is_unresolved([publishers[0]])


def _version_arn(publisher: Publisher, where: str) -> str:
    if isinstance(publisher, SigningProfileVersionArn | str):
        if _is_list_token([publisher]):
            raise ConstructError(f"{where} belongs to a list token, which stands for all publishers: pass it alone")
        return str(publisher)
    if isinstance(publisher, signer.CfnSigningProfile):
        _require_lambda_platform(publisher, where)
        return publisher.attr_profile_version_arn
    # jsii's interfaces are Protocols that isinstance() refuses.
    if not hasattr(publisher, "signing_profile_version_arn"):
        raise ConstructError(
            f"{where} is a {type(publisher).__name__}. Pass a LambdaSigningProfile, "
            "LambdaSigningProfile.from_version_arn(...), a profile of aws_cdk.aws_signer, or a version ARN"
        )
    resource = publisher.node.default_child
    if isinstance(resource, signer.CfnSigningProfile):
        _require_lambda_platform(resource, where)
    return publisher.signing_profile_version_arn


def _require_lambda_platform(profile: signer.CfnSigningProfile, where: str) -> None:
    platform_id = profile.platform_id
    if platform_id != LAMBDA_PLATFORM_ID and not cdk.Token.is_unresolved(platform_id):
        raise ConstructError(
            f"{where} is the signing profile {profile.node.path} of the platform {platform_id}, which cannot sign "
            f"Lambda archives. Use one of {LAMBDA_PLATFORM_ID}"
        )


def _check(resolved: object, where: str, stack: cdk.Stack) -> None:
    """Check what is known of an ARN: all of a literal, and of a token the one mistake that shows."""
    if not isinstance(resolved, str):
        if "://signing-profiles" in json.dumps(resolved):
            raise ConstructError(
                f"{where} has two slashes before 'signing-profiles', as aws-cdk-lib's "
                "SigningProfile.from_signing_profile_attributes writes it. Use LambdaSigningProfile.from_version_arn"
            )
        return
    try:
        arn = SigningProfileVersionArn.parse(resolved)
    except ArnError as error:
        raise ConstructError(f"{where}: {error}") from error
    partition = None if cdk.Token.is_unresolved(stack.region) else partition_of_region(stack.region)
    if partition is not None and arn.partition != partition:
        raise ConstructError(
            f"{where}: {arn} is in the partition {arn.partition}, the stack {stack.node.path} in {partition} "
            f"({stack.region}); partitions share no signing profiles. Use a profile of {partition}"
        )
