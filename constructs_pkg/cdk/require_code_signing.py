"""Puts the organization's code signing config on every function of a scope that has none."""

from typing import TypeGuard, cast

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
_ANCHOR = "RequireCodeSigning"


class RequireCodeSigning:
    """Every function of a scope gets the config, whoever makes it and however.

    ``RequireCodeSigning(config).apply_to(app)`` reaches the L2 ``Function`` and its subclasses, L1s, SAM's functions,
    included templates, and the functions that CDK makes for itself. It works at synth, before any validation plugin
    looks, so that `constructs_pkg.cdk.CodeSigningChecks` judges the result. A function that has a config keeps it, and
    the checks judge whether it is the right one. A function from a container image gets none, because Lambda refuses
    that: it is listed in ``skipped`` and annotated with a warning. Where scopes overlap, the nearest one decides.

    What it does not do: look at the code. An unsigned function gets the config all the same, and Lambda will refuse
    its next deployment, which is the point. Not reached are functions that another aspect makes during the synth; an
    ``AWS::Serverless::Function`` whose package type comes from the template's ``Globals`` is taken for a ZIP; a config
    that was put on a resource of no class of its own by ``add_property_override`` is replaced. The checks find the
    first two.

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
        """Look after all functions that are in a scope when the App is synthesized.

        CDK's aspects do not cross into stages: stages that are in the scope by now are looked after too, and a function
        in a stage that is added later makes the synth fail. Call it last, or for each stage.

        Args:
            scope: An App, a stage, a stack or any construct.

        Raises:
            ConstructError: Another config is required in this very scope.
        """
        own = scope.node.try_find_child(_ANCHOR)
        if isinstance(own, _Anchor) and own.is_implied:
            scope.node.try_remove_child(_ANCHOR)
        elif own is not None:
            raise ConstructError(
                f"scope={scope.node.path or 'App'} has a RequireCodeSigning already. Apply one config to one scope"
            )
        self._anchor_in(scope, is_implied=False)
        for stage in scope.node.find_all():
            is_inside = isinstance(stage, cdk.Stage) and stage.node.path != scope.node.path
            if is_inside and stage.node.try_find_child(_ANCHOR) is None:
                self._anchor_in(stage, is_implied=True)

    def _anchor_in(self, scope: IConstruct, *, is_implied: bool) -> None:
        # An aspect of the scope itself would be called for each of its constructs, at a cost of seconds for a thousand
        # functions. This one is called once.
        anchor = _Anchor(cast("Construct", scope), _ANCHOR)
        anchor.is_implied = is_implied
        cdk.Aspects.of(anchor).add(_Once(self, anchor), priority=cdk.AspectPriority.MUTATING)

    def attach_in(self, anchor: "_Anchor") -> None:
        """Attach the config to each function around an anchor that has none; called once at synth.

        Args:
            anchor: What `apply_to` put into the scope.

        Raises:
            ConstructError: A function without a config is known to be in another account or Region, or is in a stage
                that was added after `apply_to`.
        """
        scope = anchor.node.scope
        assert scope is not None, "an anchor has a scope"
        everything = scope.node.find_all()
        nearer = tuple(
            f"{item.node.path.removesuffix(_ANCHOR)}"
            for item in everything
            if isinstance(item, _Anchor) and item.node.path != anchor.node.path
        )
        stage = cdk.Stage.of(scope)
        for resource in filter(_is_function, everything):
            path = resource.node.path
            if not path.startswith(nearer):
                _require_same_stage(resource, stage, path)
                self._attach(resource, path)

    def _attach(self, resource: cdk.CfnResource, path: str) -> None:
        properties = _properties(resource)
        if properties.get(_CONFIG) is not None:
            return
        if _is_image(properties):
            self.skipped.append(path)
            cdk.Annotations.of(resource).add_warning_v2(
                _IMAGE_NOTE,
                "This function is a container image, which Lambda code signing does not cover: it gets no code signing "
                "config, and nothing checks who made it. Deploy it from a signed archive, or have it exempted",
            )
            return
        self._require_same_environment(resource, path)
        if isinstance(resource, _TYPED):
            resource.code_signing_config_arn = self._config_arn
        else:
            resource.add_property_override(_CONFIG, self._config_arn)
        self.attached.append(path)

    def _require_same_environment(self, resource: cdk.CfnResource, path: str) -> None:
        if self._account is None and self._region is None:
            return
        stack = cdk.Stack.of(resource)
        for what, here, there in (("account", self._account, stack.account), ("Region", self._region, stack.region)):
            if here is not None and not cdk.Token.is_unresolved(there) and here != there:
                raise ConstructError(
                    f"function={path} is in the {what} {there}, the code signing config that it should get in {here}. "
                    f"Give RequireCodeSigning a config of the {what} {there} for that stack"
                )


class _Anchor(Construct):
    """Nothing but a place in the tree that an aspect can be on.

    Attributes:
        is_implied: Whether it is there because of a scope further out.
    """

    is_implied: bool


@jsii.implements(cdk.IAspect)
class _Once:
    """The aspect of one anchor, which has no children: called once."""

    def __init__(self, requirement: RequireCodeSigning, anchor: _Anchor) -> None:
        self._requirement = requirement
        self._anchor = anchor

    def visit(self, node: IConstruct) -> None:  # noqa: ARG002 (it is the anchor)
        """Attach the config; called by CDK."""
        self._requirement.attach_in(self._anchor)


_TYPED = (lambda_.CfnFunction, sam.CfnFunction)
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


def _is_function(node: IConstruct) -> TypeGuard[cdk.CfnResource]:
    return isinstance(node, _TYPED) or (
        isinstance(node, cdk.CfnResource) and type(node) is cdk.CfnResource and node.cfn_resource_type in _FUNCTION_TYPES
    )


def _require_same_stage(resource: cdk.CfnResource, stage: cdk.Stage | None, path: str) -> None:
    # Stages are synthesized before what they lie in: too late for this one's functions.
    own = cdk.Stage.of(resource)
    if own is not None and stage is not None and own.node.path != stage.node.path:
        raise ConstructError(
            f"function={path} is in the stage {own.node.path}, which was added after RequireCodeSigning.apply_to. "
            "Call apply_to last, or call it for that stage too"
        )


def _resolved(node: cdk.CfnResource, value: object) -> object:
    return cast("object", cdk.Stack.of(node).resolve(value))


def _is_image(properties: dict[str, object]) -> bool:
    code = properties.get("Code")
    keys = cast("dict[str, object]", code) if isinstance(code, dict) else {}
    names = {key.lower().replace("_", "") for key in keys} | {key.lower() for key, value in properties.items() if value}
    return properties.get("PackageType") == "Image" or "imageuri" in names
