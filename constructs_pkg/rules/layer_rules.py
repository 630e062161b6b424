"""Rules LCS303 to LCS307: the layers that a function names and this app does not make."""

from collections.abc import Iterator

from constructs_pkg.arns import LayerVersionArn
from constructs_pkg.errors import ArnError
from constructs_pkg.plurals import counted
from constructs_pkg.rules.artifact import ArtifactKind
from constructs_pkg.rules.code_property import LAYER_TYPES
from constructs_pkg.rules.code_rules import effective_policy, hits_of_report
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.template import Resource
from constructs_pkg.rules.values import AttributeOf, Known, Possible, flattened
from constructs_pkg.rules.violation import Hit, Rule, Severity
from constructs_pkg.signing.policy import CodeSigningPolicy

__all__ = ["RULES", "check_layers"]

_LOCATION = "Properties/Layers"

UNKNOWN_LAYER = Rule(
    "LCS303",
    "A layer of somebody else's, whose publisher nobody knows",
    Severity.FATAL,
    "A function with a config takes a layer only where one of the config's publishers signed it.",
    "Ask 'lambda-code-signing layer inspect' who signed it, and have it added to external_layers of the policy file; "
    "where nobody did, publish a copy of your own that 'layer resign' has signed",
)
FOREIGN_PUBLISHER = Rule(
    "LCS304",
    "A layer of somebody else's, whose publisher is not allowed",
    Severity.FATAL,
    "The policy knows who signs this layer, and does not trust that publisher, or the function's config does not.",
    "Ask the security team to admit the publisher, or publish a copy of your own ('lambda-code-signing layer resign')",
)
OTHER_REGION = Rule(
    "LCS305",
    "A layer version of another Region",
    Severity.ERROR,
    "Lambda takes layers of the function's own Region only.",
    "Use the layer version of the stack's Region",
)
UNDECIDED_LAYER = Rule(
    "LCS306",
    "Which layer a function gets is open until the deployment",
    Severity.FATAL,
    "Whoever deploys decides what code it is.",
    "Write the layer version's ARN, or AllowedValues for the parameter",
)
NO_LAYER_ARN = Rule(
    "LCS307",
    "A layer is no layer version ARN",
    Severity.ERROR,
    "Lambda takes the ARN of one version of a layer.",
    "Write arn:PARTITION:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
)
RULES = (UNKNOWN_LAYER, FOREIGN_PUBLISHER, OTHER_REGION, UNDECIDED_LAYER, NO_LAYER_ARN)


def check_layers(function: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge the layers of one function; those that this app makes are judged as resources of their own."""
    for layer in flattened(function.template, function.properties.get("Layers")):
        yield from _judged(layer, function, context)


def _judged(layer: Possible, function: Resource, context: CheckContext) -> Iterator[Hit]:
    if isinstance(layer, Known):
        yield from _judged_arn(str(layer.value), function, context)
    elif isinstance(layer, AttributeOf) and layer.resource.type in LAYER_TYPES:
        yield from _judged_under_config(layer.resource, function, context)
    else:
        yield Hit(UNDECIDED_LAYER, f"A layer is {layer}", _LOCATION)


def _judged_under_config(layer: Resource, function: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge a layer of this app again where the function's own config is stricter than the organization's policy."""
    if context.policy is None:
        return
    policy = effective_policy(function, context.policy)
    artifact = context.artifacts.artifact_of(layer)
    if policy == context.policy or artifact.kind is not ArtifactKind.ARCHIVE:
        return
    report = context.artifacts.report_on(artifact, policy, context.at)
    if report is not None:
        # What the organization's policy says of it as well is said of the layer itself.
        known = context.artifacts.report_on(artifact, context.policy, context.at)
        if known is not None and known.decision is not report.decision:
            name = f"the layer {layer.logical_id}"
            yield from hits_of_report(report, policy, name=name, location=_LOCATION, is_layer=True)


def _judged_arn(text: str, function: Resource, context: CheckContext) -> Iterator[Hit]:
    if text.startswith("${"):
        yield Hit(UNDECIDED_LAYER, f"The layer {text!r} is open", _LOCATION)
        return
    try:
        arn = LayerVersionArn.parse(text) if "${" not in text else None
    except ArnError as error:
        yield Hit(NO_LAYER_ARN, str(error), _LOCATION)
        return
    region = function.template.region
    if arn is not None and region is not None and arn.region != region:
        yield Hit(OTHER_REGION, f"The layer {text} is of {arn.region}, the function of {region}", _LOCATION)
    if context.policy is not None:
        yield from _judged_publisher(text, effective_policy(function, context.policy))
    elif "${" in text.replace("${AWS::", ""):
        yield Hit(UNDECIDED_LAYER, f"The layer {text!r} holds what is open", _LOCATION)
    else:
        yield Hit(UNKNOWN_LAYER, f"The layer {text} was not judged, because no policy was given", _LOCATION)


def _judged_publisher(text: str, policy: CodeSigningPolicy) -> Iterator[Hit]:
    known = [item for item in policy.templates.external_layers if item.matches(text)]
    if not known:
        yield Hit(UNKNOWN_LAYER, f"The layer {text} is none of the policy's {_count(policy)}", _LOCATION)
    # Several patterns may match: one that names a publisher who is not allowed is enough to refuse.
    for item in known:
        if item.profile_version_arn not in policy.allowed_publishers:
            message = f"The layer {text} is signed by {item.vendor} with {item.profile_version_arn}"
            yield Hit(FOREIGN_PUBLISHER, f"{message}, which is not allowed", _LOCATION)


def _count(policy: CodeSigningPolicy) -> str:
    return counted(len(policy.templates.external_layers), "external layer")
