"""Gets assets into a stack whatever its synthesizer, or says why that one cannot take them."""

from collections.abc import Sequence

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.errors import ConstructError

__all__ = ["add_executable_asset", "require_asset_synthesizer"]

_PROBE = "LambdaCodeSigningAssets"


def require_asset_synthesizer(scope: Construct) -> None:
    """Refuse a stack that takes no assets, or whose assets no check can find again.

    Args:
        scope: A construct of the stack.

    Raises:
        ConstructError: Its synthesizer is the legacy or the bootstrapless one.
    """
    stack = _outermost(cdk.Stack.of(scope))
    synthesizer = stack.synthesizer
    if isinstance(synthesizer, cdk.LegacyStackSynthesizer):
        raise ConstructError(
            f"stack={stack.node.path} has the LegacyStackSynthesizer, which hands files over as parameters, so that no "
            "check can tell which file a function gets. Use cdk.DefaultStackSynthesizer, or drop the context key "
            "'@aws-cdk/core:newStyleStackSynthesis'"
        )
    if isinstance(synthesizer, cdk.BootstraplessSynthesizer):
        raise ConstructError(
            f"stack={stack.node.path} has the BootstraplessSynthesizer, which takes no files. Use "
            "cdk.DefaultStackSynthesizer, or SignedCode.from_signed_bucket"
        )


def add_executable_asset(
    scope: Construct, *, source_hash: str, command: Sequence[str], display_name: str
) -> cdk.FileAssetLocation:
    """Add a file asset that a command makes on publication.

    Args:
        scope: A construct of the stack.
        source_hash: What the object's key is made of.
        command: The program with its arguments; its standard output will be the path of the file.
        display_name: What the CDK calls the asset.

    Raises:
        ConstructError: The stack's synthesizer takes no such asset.
    """
    stack = cdk.Stack.of(scope)
    try:
        try:
            return _add(stack.synthesizer, source_hash, command, display_name)
        except RuntimeError as error:
            if "StackSynthesizerBoundStackFirst" not in str(error):
                raise
            return _add_through_a_nested_stack(_outermost(stack), source_hash, command, display_name)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConstructError(
            f"stack={stack.node.path}: its {type(stack.synthesizer).__name__} takes no file that a command makes: "
            f"{reason}. Use cdk.DefaultStackSynthesizer, or SignedCode.from_artifact"
        ) from error


def _add(
    synthesizer: cdk.IStackSynthesizer, source_hash: str, command: Sequence[str], display_name: str
) -> cdk.FileAssetLocation:
    return synthesizer.add_file_asset(source_hash=source_hash, executable=list(command), display_name=display_name)


def _add_through_a_nested_stack(
    stack: cdk.Stack, source_hash: str, command: Sequence[str], display_name: str
) -> cdk.FileAssetLocation:
    """Add an asset to a stack whose synthesizer was made in Python.

    ``stack.synthesizer`` then is the object as it was before the stack took it, because jsii gives both the same
    identity (aws-cdk-lib 2.275, jsii 1.142). A nested stack hands its assets to the right one, inside of Node.js; it is
    taken out of the tree again before anything is synthesized.
    """
    nested = cdk.NestedStack(stack, _PROBE)
    try:
        return _add(nested.synthesizer, source_hash, command, display_name)
    finally:
        stack.node.try_remove_child(_PROBE)
        stack.node.try_remove_child(f"{_PROBE}.NestedStack")


def _outermost(stack: cdk.Stack) -> cdk.Stack:
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack
