"""Layers that another stack or account made."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.cdk.layer_attachment import attach_layer, require_function, seen_by_cdk
from constructs_pkg.errors import ArnError, ConstructError

__all__ = ["ImportedSignedLayer"]


class ImportedSignedLayer(Construct):
    """A layer version that this App does not make; made by ``SignedLayer.from_version_arn``.

    Its ARN does not tell who signed it, nor whether anybody did.

    Attributes:
        version_arn: The layer version's ARN.
        publisher: Who signed it: a version ARN or a token; None where nobody said.
        layer_version: The layer as aws-cdk-lib sees it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        version_arn: str | LayerVersionArn,
        *,
        publisher: str | SigningProfileVersionArn | None,
        compatible_runtimes: Sequence[lambda_.Runtime],
    ) -> None:
        text = str(version_arn)
        try:
            self._arn = None if cdk.Token.is_unresolved(text) else LayerVersionArn.parse(text)
        except ArnError as error:
            raise ConstructError(f"version_arn: {error}") from error
        try:
            if publisher is not None and not cdk.Token.is_unresolved(str(publisher)):
                publisher = SigningProfileVersionArn.parse(str(publisher))
        except ArnError as error:
            raise ConstructError(f"publisher: {error}") from error
        super().__init__(scope, construct_id)
        self.version_arn = text
        self.publisher = publisher
        self.layer_version = seen_by_cdk(self, text, compatible_runtimes)

    def attach_to(self, function: lambda_.Function | lambda_.CfnFunction) -> None:
        """Add this layer version to a function; attaching it again changes nothing.

        Args:
            function: The function, as the L2 or the L1.

        Raises:
            ConstructError: The layer is known to be of another Region, the function is a container image, or it has
                another runtime or five layers already.
        """
        require_function(function)
        region = cdk.Stack.of(function).region
        if self._arn is not None and not cdk.Token.is_unresolved(region) and self._arn.region != region:
            raise ConstructError(
                f"function={function.node.path} is in {region}, the layer {self._arn} in {self._arn.region}. Lambda "
                "takes layers of the function's own Region only: use the layer's version there"
            )
        attach_layer(self.layer_version, function)
