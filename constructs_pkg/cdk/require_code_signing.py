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
            item.node.path.removesuffix(_ANCHOR)
            for item in everything
            if isinstance(item, _Anchor) and item.node.path != anchor.node.path
        )
        stages = tuple(
            f"{item.node.path}/"
            for item in everything
            if isinstance(item, cdk.Stage) and item.node.path != scope.node.path
        )
        checked: set[cdk.Stack] = set()
        for resource in filter(_is_function, everything):
            path = resource.node.path
            if path.startswith(nearer):
                continue
            if path.startswith(stages):  # stages are synthesized before what they lie in: too late for this one
                raise ConstructError(
                    f"function={path} is in a stage that was added after RequireCodeSigning.apply_to. Call apply_to "
                    "last, or call it for that stage too"
                )
            self._attach(resource, path, checked)

    def _attach(self, resource: cdk.CfnResource, path: str, checked: set[cdk.Stack]) -> None:
        if _has_config(resource):
            return
        if _is_image(resource):
            self.skipped.append(path)
            cdk.Annotations.of(resource).add_warning_v2(
                _IMAGE_NOTE,
                "This function is a container image, which Lambda code signing does not cover: it gets no code signing "
                "config, and nothing checks who made it. Deploy it from a signed archive, or have it exempted",
            )
            return
        stack = resource.stack
        if stack not in checked:  # one Python object mostly stands for one construct; twice does no harm
            self._require_same_environment(stack, path)
            checked.add(stack)
        if isinstance(resource, _TYPED):
            resource.code_signing_config_arn = self._config_arn
        else:
            resource.add_property_override(_CONFIG, self._config_arn)
        self.attached.append(path)

    def _require_same_environment(self, stack: cdk.Stack, path: str) -> None:
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


def _is_function(node: IConstruct) -> TypeGuard[cdk.CfnResource]:
    return isinstance(node, _TYPED) or (
        isinstance(node, cdk.CfnResource)
        and type(node) is cdk.CfnResource
        and node.cfn_resource_type in _FUNCTION_TYPES
    )


def _has_config(resource: cdk.CfnResource) -> bool:
    if isinstance(resource, _TYPED):
        return resource.code_signing_config_arn is not None
    return _untyped_properties(resource).get(_CONFIG) is not None


def _is_image(resource: cdk.CfnResource) -> bool:
    """Tell a container image from a ZIP. A runtime is for ZIPs only, and is quicker to ask for than the code."""
    if not isinstance(resource, _TYPED):
        properties = _untyped_properties(resource)
        return properties.get("PackageType") == "Image" or _names_an_image(properties.get("Code"), properties)
    if resource.runtime is not None:
        return False
    if isinstance(resource, sam.CfnFunction):
        return resource.package_type == "Image" or resource.image_uri is not None
    code = cast("object", resource.stack.resolve(resource.code))
    return resource.package_type == "Image" or _names_an_image(code, {})


def _names_an_image(*values: object) -> bool:
    # An L1 takes its code as a struct or as a dict, in either spelling.
    keys = {key for value in values if isinstance(value, dict) for key in cast("dict[str, object]", value)}
    return "imageuri" in {key.lower().replace("_", "") for key in keys}


def _untyped_properties(resource: cdk.CfnResource) -> dict[str, object]:
    """Return the properties of a resource that CDK makes without a class of its own, as for its custom resources."""
    # jsii spells "protected" with an underscore.
    properties = resource._cfn_properties  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return cast("dict[str, object]", properties)
