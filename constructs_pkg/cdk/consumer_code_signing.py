"""The code signing config of an account that uses layers of others: its own publishers and those of the layers."""

import json
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.arns import LayerVersionArn
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, UntrustedArtifactPolicy
from constructs_pkg.cdk.imported_signed_layer import ImportedSignedLayer
from constructs_pkg.cdk.publishers import Publisher, publisher_arns
from constructs_pkg.cdk.signed_layer import SignedLayer
from constructs_pkg.errors import ArnError, ConstructError
from constructs_pkg.signing.layer_registry import KnownLayer, LayerRegistry

__all__ = ["ConsumerCodeSigning", "ConsumerLayer"]

ConsumerLayer = SignedLayer | ImportedSignedLayer | LayerVersionArn | KnownLayer | Publisher
"""A layer, or its publisher: anything that names one, as `ConsumerCodeSigning` takes it."""


class ConsumerCodeSigning(EnforcedCodeSigning):
    """A code signing config that trusts the account's own publishers and, beside them, those of the layers it uses.

    Lambda checks every layer of a function like the function's own code, under the function's one config. A config
    that lists only the account's own publishers refuses each layer of others; one that was copied together by hand
    forgets one. Here the layers are named, and their publishers follow. Everything else is `EnforcedCodeSigning`'s.

    What it does not check: that the layers really are signed by these publishers (``lambda-code-signing layer inspect``
    asks AWS), and that functions use no other layers.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        publishers: Whose function code is trusted, as for `EnforcedCodeSigning`; no list token.
        layers: The layers, at least one: a `SignedLayer` or an imported one; the literal ARN of a layer version, which
            the registry has to know; an entry of a registry; or a publisher itself, as in ``publishers``. Publishers
            that are there already are listed once.
        registry: Who signs the layers of others, where ARNs of layer versions are given.
        mode: ``Enforce`` or ``Warn``.
        description: Up to 256 characters.
        parameter_name: As for `EnforcedCodeSigning`.

    Attributes:
        layer_publishers: The publishers of the layers as ARNs, each once, those among ``publishers`` too.

    Raises:
        ConstructError: Nobody knows who signed a layer, there are no layers, or together there are more than 20
            publishers; or as for `EnforcedCodeSigning`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        publishers: Sequence[Publisher],
        layers: Sequence[ConsumerLayer],
        registry: LayerRegistry | None = None,
        mode: UntrustedArtifactPolicy = "Enforce",
        description: str | None = None,
        parameter_name: str | None = None,
    ) -> None:
        own = publisher_arns(scope, publishers)
        if cdk.Token.is_unresolved(own) and not any(map(cdk.Token.is_unresolved, own)):
            raise ConstructError(
                "publishers is a list token, which cannot be joined with the publishers of layers. Pass a list of "
                "them, or pass all of them to EnforcedCodeSigning as one token"
            )
        if isinstance(layers, str) or not layers:
            raise ConstructError(
                f"layers={layers!r} names no layer. Pass a list of them; without layers of others use "
                "EnforcedCodeSigning"
            )
        found = [
            publisher
            for index, layer in enumerate(layers)
            for publisher in _publishers_of(scope, layer, f"layers[{index}]", registry)
        ]
        self.layer_publishers = tuple(_distinct(scope, found))
        super().__init__(
            scope,
            construct_id,
            publishers=_distinct(scope, [*own, *found]),
            mode=mode,
            description=description,
            parameter_name=parameter_name,
        )


def _publishers_of(scope: Construct, layer: ConsumerLayer, where: str, registry: LayerRegistry | None) -> list[str]:
    if isinstance(layer, SignedLayer):
        return [str(layer.publisher)]
    if isinstance(layer, ImportedSignedLayer) and layer.publisher is not None:
        return [str(layer.publisher)]
    if isinstance(layer, KnownLayer):
        return _publishers_here(scope, layer, where)
    arn = _layer_arn(layer, where)
    if arn is not None:
        return _registered(arn, where, registry)
    try:
        return publisher_arns(scope, [cast("Publisher", layer)])
    except ConstructError as error:
        raise ConstructError(str(error).replace("publishers[0]", where)) from error


def _publishers_here(scope: Construct, layer: KnownLayer, where: str) -> list[str]:
    region = cdk.Stack.of(scope).region
    if cdk.Token.is_unresolved(region) and any(publisher.regions for publisher in layer.publishers):
        raise ConstructError(
            f"{where}: the publishers of {layer.layer} depend on the Region, which the stack does not know. Give the "
            "stack an env with its region"
        )
    found = layer.publishers_in(region)
    if not found:
        raise ConstructError(f"{where}: the registry names nobody who signs {layer.layer} in {region}")
    return [str(publisher) for publisher in found]


def _layer_arn(layer: ConsumerLayer, where: str) -> LayerVersionArn | None:
    """Return the ARN of what is a layer rather than a publisher."""
    if isinstance(layer, LayerVersionArn):
        return layer
    text = layer.version_arn if isinstance(layer, ImportedSignedLayer) else layer
    if not isinstance(text, str):
        return None
    if cdk.Token.is_unresolved(text):
        if isinstance(layer, ImportedSignedLayer):
            raise ConstructError(
                f"{where}, the layer {layer.node.path}, has an ARN that only the deployment knows, and no publisher. "
                "Pass publisher= to SignedLayer.from_version_arn"
            )
        return None  # a publisher that only the deployment knows
    if ":layer:" not in text:
        return None
    try:
        return LayerVersionArn.parse(text)
    except ArnError as error:
        raise ConstructError(f"{where}: {error}") from error


def _registered(arn: LayerVersionArn, where: str, registry: LayerRegistry | None) -> list[str]:
    remedy = (
        f"Ask AWS with 'lambda-code-signing layer inspect {arn}'. If it is signed, add its publisher to the registry; "
        "if it is not, sign a copy of your own with 'lambda-code-signing layer resign'"
    )
    if registry is None:
        raise ConstructError(
            f"{where}: nothing says who signed the layer {arn}. Pass registry=, or the layer with its publisher as "
            f"SignedLayer.from_version_arn(..., publisher=...). {remedy}"
        )
    found = registry.publishers_of(arn)
    if not found:
        raise ConstructError(f"{where}: the registry does not know who signed the layer {arn}. {remedy}")
    return [str(publisher) for publisher in found]


def _distinct(scope: Construct, arns: Sequence[str]) -> list[str]:
    stack = cdk.Stack.of(scope)
    distinct: dict[str, str] = {}
    for arn in arns:
        distinct.setdefault(json.dumps(stack.resolve(arn), sort_keys=True), arn)
    return list(distinct.values())
