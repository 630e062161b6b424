"""Puts the organization's code signing config on every function of a scope that has none."""

from typing import cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sam as sam
from constructs import Construct, IConstruct

from constructs_pkg.arns import CodeSigningConfigArn
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, ImportedCodeSigning
from constructs_pkg.errors import ArnError, ConstructError

__all__ = ["RequireCodeSigning"]

_FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_IMAGE_NOTE = "lambda-code-signing:image-without-config"
_CONFIG = "CodeSigningConfigArn"


@jsii.implements(cdk.IAspect)
class RequireCodeSigning:
    """Every function of a scope gets the config, whoever makes it and however: L2, its subclasses, L1, SAM, included
    templates, and the functions that CDK makes for itself.

    ``RequireCodeSigning(config).apply_to(app)`` is all. It works at synth, before any validation plugin looks, so that
    `constructs_pkg.cdk.CodeSigningChecks` judges the result; functions that are made later, by other aspects, are
    reached too. A function that has a config keeps it, and the checks judge whether it is the right one. A function
    from a container image gets none, because Lambda refuses that: it is listed in ``skipped`` and annotated with a
    warning.

    What it does not do: look at the code. An unsigned function gets the config all the same, and Lambda will refuse
    its next deployment, which is the point. An ``AWS::Serverless::Function`` whose package type comes from the
    template's ``Globals`` is taken for a ZIP.

    Args:
        config: An `EnforcedCodeSigning`, one that was imported, or the ARN of a config, which may be a token. A config
            serves functions of its own account and Region only.

    Attributes:
        attached: The paths of the functions that got the config, once the App was synthesized.
        skipped: The paths of the container image functions that got none, likewise.

    Raises:
        ConstructError: ``config`` is no code signing config's ARN.
    """

    def __init__(self, config: EnforcedCodeSigning | ImportedCodeSigning | str | CodeSigningConfigArn) -> None:
        self._config_arn = config.config_arn if isinstance(config, _CONSTRUCTS) else _checked(str(config))
        self._account, self._region = _environment(config, self._config_arn)
        self.attached: list[str] = []
        self.skipped: list[str] = []

    def apply_to(self, scope: Construct) -> None:
        """Look after all functions in a scope, those included that are added to it later.

        Args:
            scope: An App, a stage, a stack or any construct.
        """
        cdk.Aspects.of(scope).add(self, priority=cdk.AspectPriority.MUTATING)

    def visit(self, node: IConstruct) -> None:
        """Attach the config where it is missing; called by CDK for each construct.

        Args:
            node: Any construct.

        Raises:
            ConstructError: A function without a config is known to be in another account or Region.
        """
        if not isinstance(node, cdk.CfnResource) or node.cfn_resource_type not in _FUNCTION_TYPES:
            return
        properties = _properties(node)
        if properties.get(_CONFIG) is not None:
            return
        path = node.node.path
        if _is_image(properties):
            self.skipped.append(path)
            cdk.Annotations.of(node).add_warning_v2(
                _IMAGE_NOTE,
                "This function is a container image, which Lambda code signing does not cover: it gets no code signing "
                "config, and nothing checks who made it. Deploy it from a signed archive, or have it exempted",
            )
            return
        self._require_same_environment(node, path)
        node.add_property_override(_CONFIG, self._config_arn)
        self.attached.append(path)

    def _require_same_environment(self, node: cdk.CfnResource, path: str) -> None:
        stack = cdk.Stack.of(node)
        for what, here, there in (("account", self._account, stack.account), ("Region", self._region, stack.region)):
            if here is not None and not cdk.Token.is_unresolved(there) and here != there:
                raise ConstructError(
                    f"function={path} is in the {what} {there}, the code signing config that it should get in {here}. "
                    f"Give RequireCodeSigning a config of the {what} {there} for that stack"
                )


_CONSTRUCTS = (EnforcedCodeSigning, ImportedCodeSigning)


def _checked(text: str) -> str:
    if not cdk.Token.is_unresolved(text):
        try:
            CodeSigningConfigArn.parse(text)
        except ArnError as error:
            raise ConstructError(f"config: {error}") from error
    return text


def _environment(config: object, arn: str) -> tuple[str | None, str | None]:
    """Return account and Region of a config, each None where only the deployment knows."""
    if isinstance(config, _CONSTRUCTS):
        pair = (config.env.account, config.env.region)
    elif cdk.Token.is_unresolved(arn):
        return None, None
    else:
        parsed = CodeSigningConfigArn.parse(arn)
        pair = (parsed.account, parsed.region)
    known = [None if cdk.Token.is_unresolved(text) else text for text in pair]
    return known[0], known[1]


def _properties(node: cdk.CfnResource) -> dict[str, object]:
    """Return what matters of a function's properties in CloudFormation's spelling, whatever class it is of."""
    if isinstance(node, lambda_.CfnFunction):
        return {_CONFIG: node.code_signing_config_arn, "PackageType": node.package_type, "Code": _resolved(node, node.code)}
    if isinstance(node, sam.CfnFunction):
        return {
            _CONFIG: node.code_signing_config_arn,
            "PackageType": node.package_type,
            "ImageUri": node.image_uri,
        }
    # A resource without a class of its own, as CDK makes for its custom resources, keeps its properties as they are.
    return cast("dict[str, object]", node._cfn_properties)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] (jsii's spelling of protected)


def _resolved(node: cdk.CfnResource, value: object) -> object:
    return cast("object", cdk.Stack.of(node).resolve(value))


def _is_image(properties: dict[str, object]) -> bool:
    code = properties.get("Code")
    keys = cast("dict[str, object]", code) if isinstance(code, dict) else {}
    names = {key.lower().replace("_", "") for key in keys} | {key.lower() for key, value in properties.items() if value}
    return properties.get("PackageType") == "Image" or "imageuri" in names
