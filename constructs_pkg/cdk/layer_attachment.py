"""Adds a layer version to a function, whether it is CDK's own or the CloudFormation resource."""

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pkg.errors import ConstructError

__all__ = ["attach_layer", "require_function", "seen_by_cdk"]

_MAX_LAYERS = 5
"""AWS Lambda developer guide, "Lambda quotas": function layers, five."""
_ATTACHED = "lambda-code-signing:attached-layer"


def attach_layer(layer: lambda_.ILayerVersion, function: lambda_.Function | lambda_.CfnFunction) -> None:
    """Add a layer version to a function once.

    Args:
        layer: The layer version.
        function: The function.

    Raises:
        ConstructError: It is a container image, has another runtime, or has five layers already.
    """
    if isinstance(function, lambda_.CfnFunction):
        _attach_to_resource(layer.layer_version_arn, function)
        return
    # Which layers a function of CDK has cannot be read; metadata of the construct is in no template.
    if any(entry.type == _ATTACHED and entry.data == layer.node.path for entry in function.node.metadata):
        return
    try:
        function.add_layers(layer)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ConstructError(f"function={function.node.path} does not take the layer: {reason}") from error
    function.node.add_metadata(_ATTACHED, layer.node.path)


def require_function(function: object) -> None:
    """Refuse what is no function of this App: the annotation of an argument stops nobody at run time.

    Args:
        function: What was given.

    Raises:
        ConstructError: It is neither an ``aws_lambda.Function`` nor a ``CfnFunction``.
    """
    if not isinstance(function, lambda_.Function | lambda_.CfnFunction):
        raise ConstructError(
            f"function is a {type(function).__name__}; attach_to takes an aws_lambda.Function or CfnFunction of this "
            "App. For an imported function attach the layer in the stack that makes it"
        )


def _attach_to_resource(arn: str, function: lambda_.CfnFunction) -> None:
    if function.package_type == "Image":
        raise ConstructError(
            f"function={function.node.path} is a container image, which takes no layers. Copy the layer's content "
            "into the image, or deploy the function from a signed archive"
        )
    layers = function.layers
    if layers is not None and not isinstance(layers, list):  # pyright: ignore[reportUnnecessaryIsInstance] (an IResolvable)
        raise ConstructError(
            f"function={function.node.path} has layers that only the deployment knows. Attach the layer to the "
            "construct of aws_lambda.Function, or list all layers there"
        )
    stack = cdk.Stack.of(function)
    present = cast("list[object]", stack.resolve(layers or []))
    if stack.resolve(arn) in present:
        return
    if len(present) >= _MAX_LAYERS:
        raise ConstructError(
            f"function={function.node.path} has {len(present)} layers already; Lambda takes {_MAX_LAYERS}"
        )
    function.layers = [*(layers or []), arn]


def seen_by_cdk(scope: Construct, arn: str, runtimes: Sequence[lambda_.Runtime]) -> lambda_.ILayerVersion:
    """Return a layer version as aws-cdk-lib takes layers: imported, so that it makes no resource.

    Args:
        scope: The construct that stands for the layer.
        arn: The layer version's ARN, which may be a token.
        runtimes: What it is made for; any where empty.
    """
    return lambda_.LayerVersion.from_layer_version_attributes(
        scope, "LayerVersion", layer_version_arn=arn, compatible_runtimes=list(runtimes) or None
    )
