"""Gets assets into a stack whatever its synthesizer, or says why that one cannot take them."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pkg.errors import ConstructError

__all__ = ["add_archive_asset", "add_executable_asset"]

_PROBE = "LambdaCodeSigningAssets"
_LEGACY_PARAMETER = "AssetParameters"


def add_archive_asset(scope: Construct, code: lambda_.AssetCode) -> lambda_.CodeConfig:
    """Add an archive to the stack of a function or layer.

    Args:
        scope: The function or layer.
        code: The archive as code of CDK, which belongs to this one stack.

    Raises:
        ConstructError: The stack's synthesizer takes no files, or no check can find them again.
    """
    try:
        config = code.bind(scope)
    except RuntimeError as error:
        raise _refused(scope, error) from error
    location = config.s3_location
    assert location is not None, "an asset has a place in S3"
    _require_found_again(scope, location.bucket_name)
    return config


def add_executable_asset(
    scope: Construct, *, source_hash: str, command: Sequence[str], display_name: str
) -> cdk.FileAssetLocation:
    """Add a file asset that a command makes on publication.

    Goes through a nested stack, which is taken out of the tree again before anything is synthesized: where a
    synthesizer was made in Python, ``stack.synthesizer`` is the object as it was before the stack took it, because jsii
    gives both the same identity (aws-cdk-lib 2.275, jsii 1.142). A nested stack's synthesizer hands its assets to the
    right one, inside of Node.js.

    Args:
        scope: The function or layer.
        source_hash: What the object's key is made of.
        command: The program with its arguments; its standard output will be the path of the file.
        display_name: What the CDK calls the asset.

    Raises:
        ConstructError: The stack's synthesizer takes no such files, or no check can find them again.
    """
    stack = cdk.Stack.of(scope)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    nested = cdk.NestedStack(stack, _PROBE)
    try:
        location = nested.synthesizer.add_file_asset(
            source_hash=source_hash, executable=list(command), display_name=display_name
        )
    except RuntimeError as error:
        raise _refused(scope, error) from error
    finally:
        stack.node.try_remove_child(_PROBE)
        stack.node.try_remove_child(f"{_PROBE}.NestedStack")
    _require_found_again(scope, location.bucket_name)
    return location


def _refused(scope: Construct, error: RuntimeError) -> ConstructError:
    reason = str(error).strip().splitlines()[-1]
    return ConstructError(
        f"function={scope.node.path}: the synthesizer of its stack does not take this file: {reason}. Use "
        "cdk.DefaultStackSynthesizer, or SignedCode.from_signed_bucket, which needs no files"
    )


def _require_found_again(scope: Construct, bucket_name: str) -> None:
    bucket = cast("object", cdk.Stack.of(scope).resolve(bucket_name))
    reference = cast("dict[str, object]", bucket).get("Ref") if isinstance(bucket, dict) else None
    if isinstance(reference, str) and reference.startswith(_LEGACY_PARAMETER):
        raise ConstructError(
            f"function={scope.node.path}: the LegacyStackSynthesizer of its stack hands files over as parameters, so "
            "that no check can tell which file the function gets. Use cdk.DefaultStackSynthesizer"
        )
