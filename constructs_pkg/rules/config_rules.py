"""Rules LCS101 to LCS105: whether a function has a code signing config, and whether it is the organization's."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from constructs_pkg.arns import CodeSigningConfigArn
from constructs_pkg.errors import ArnError
from constructs_pkg.rules.artifact import ArtifactKind
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import Absent, AttributeOf, Known, Outside, Possible, resolve
from constructs_pkg.rules.violation import Hit, Rule, Severity
from constructs_pkg.signing.policy import Mode

__all__ = ["CONFIG_TYPE", "RULES", "ConfigOfFunction", "check_config_mode", "check_function_config", "config_of"]

CONFIG_TYPE = "AWS::Lambda::CodeSigningConfig"
_LOCATION = "Properties/CodeSigningConfigArn"
_MODE_LOCATION = "Properties/CodeSigningPolicies"
_REMEDY_APPROVED = (
    "Use the config that your platform team made for this account and Region, or have it added to approved_configs of "
    "the policy file"
)

NO_CONFIG = Rule(
    "LCS101",
    "A function has no code signing config",
    Severity.FATAL,
    "Lambda checks no signature on a function without a config, so that anybody's code runs.",
    "Set CodeSigningConfigArn to the organization's config; in CDK, apply RequireCodeSigning to the app",
)
FOREIGN_CONFIG = Rule(
    "LCS102",
    "A code signing config is not the organization's",
    Severity.FATAL,
    "Somebody else's config trusts somebody else's publishers, and may only warn.",
    _REMEDY_APPROVED,
)
UNDECIDED_CONFIG = Rule(
    "LCS103",
    "Which code signing config a function gets is open until the deployment",
    Severity.FATAL,
    "Whoever deploys decides what the config is; a config that nobody can name now cannot be approved now.",
    "Write the config's ARN, refer to a config of the same app, or to an SSM parameter or export that the policy "
    "file's approved_configs name",
)
WARN_MODE = Rule(
    "LCS104",
    "A code signing config only warns where the policy enforces",
    Severity.FATAL,
    "Under Warn, Lambda deploys untrusted code and counts it.",
    "Set CodeSigningPolicies.UntrustedArtifactOnDeployment to Enforce",
)
UNDECLARED_MODE = Rule(
    "LCS105",
    "A code signing config does not declare its policy",
    Severity.ERROR,
    "CloudFormation's default is Warn, and drift detection compares declared properties only.",
    "Declare CodeSigningPolicies.UntrustedArtifactOnDeployment: Enforce",
)
RULES = (NO_CONFIG, FOREIGN_CONFIG, UNDECIDED_CONFIG, WARN_MODE, UNDECLARED_MODE)


@dataclass(frozen=True, slots=True)
class ConfigOfFunction:
    """The configs that a function may get.

    Attributes:
        possible: Everything that the property can turn out to be.
    """

    possible: tuple[Possible, ...]

    @property
    def made_here(self) -> tuple[Resource, ...]:
        """Return the configs of the same app among them."""
        return tuple(
            item.resource
            for item in self.possible
            if isinstance(item, AttributeOf) and item.resource.type == CONFIG_TYPE
        )

    @property
    def is_present(self) -> bool:
        """Tell whether there is a config in every case."""
        return not any(isinstance(item, Absent) or item == Known("") for item in self.possible)


def config_of(function: Resource) -> ConfigOfFunction:
    """Return the configs that a function may get."""
    value = function.properties.get("CodeSigningConfigArn")
    return ConfigOfFunction((Absent(),) if value is None else resolve(function.template, value))


def check_function_config(function: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge the config of one function; an image can have none and is judged by the rules about code."""
    if context.artifacts.artifact_of(function).kind is ArtifactKind.IMAGE:
        return
    config = config_of(function)
    if not config.is_present:
        branch = " in one branch of a condition" if len(config.possible) > 1 else ""
        yield Hit(NO_CONFIG, f"The function has no code signing config{branch}", _LOCATION)
    for item in config.possible:
        yield from _judged(item, context)


def check_config_mode(config: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge what a config made in this app does with untrusted code."""
    required = Mode.ENFORCE if context.policy is None else context.policy.mode
    policies = config.properties.get("CodeSigningPolicies")
    modes = resolve(config.template, as_mapping(policies).get("UntrustedArtifactOnDeployment"))
    if policies is None or modes == (Known(None),):
        yield Hit(UNDECLARED_MODE, "CodeSigningPolicies is not declared, so that the config only warns", _MODE_LOCATION)
    elif required is Mode.ENFORCE and modes != (Known("Enforce"),):
        found = " or ".join(repr(item.value) if isinstance(item, Known) else str(item) for item in modes)
        yield Hit(WARN_MODE, f"UntrustedArtifactOnDeployment is {found}, not 'Enforce'", _MODE_LOCATION)


def _judged(item: Possible, context: CheckContext) -> Iterator[Hit]:
    if isinstance(item, Absent) or item == Known(""):
        return
    if isinstance(item, AttributeOf):
        if item.resource.type != CONFIG_TYPE:
            message = f"CodeSigningConfigArn is {item}, of a {item.resource.type or 'resource without a type'}"
            yield Hit(FOREIGN_CONFIG, message, _LOCATION)
        elif item.attribute not in {"Ref", "CodeSigningConfigArn"}:
            message = f"CodeSigningConfigArn is {item}, which is not the config's ARN"
            yield Hit(FOREIGN_CONFIG, message, _LOCATION, "Use its attribute CodeSigningConfigArn")
    elif isinstance(item, Outside):
        yield from _judged_outside(item, context)
    else:
        yield from _judged_literal(item, context)


def _judged_outside(item: Outside, context: CheckContext) -> Iterator[Hit]:
    approved = () if context.policy is None else context.policy.templates.approved_configs
    if not any((config.kind, config.name) == (item.kind, item.name) for config in approved):
        yield Hit(UNDECIDED_CONFIG, f"CodeSigningConfigArn is {item}, which the policy does not approve", _LOCATION)


@lru_cache(maxsize=256)  # hundreds of functions have the same config
def _parsed(text: str) -> CodeSigningConfigArn:
    return CodeSigningConfigArn.parse(text)


def _judged_literal(item: Known, context: CheckContext) -> Iterator[Hit]:
    if not item.is_complete:
        yield Hit(UNDECIDED_CONFIG, f"CodeSigningConfigArn is {item.value}, which holds what is open", _LOCATION)
        return
    try:
        arn = _parsed(str(item.value))
    except ArnError as error:
        yield Hit(FOREIGN_CONFIG, str(error), _LOCATION)
        return
    if context.policy is None:
        return  # without a policy no config is known, and none is foreign
    approved = {config.name for config in context.policy.templates.approved_configs if config.kind == "arn"}
    origin = context.policy.origin
    if origin is not None and origin.code_signing_config_arn is not None:
        approved.add(str(origin.code_signing_config_arn))
    if str(arn) not in approved:
        names = f"; it approves {', '.join(sorted(approved)[:3])}" if approved else ", which approves none by ARN"
        yield Hit(FOREIGN_CONFIG, f"The config {arn} is not one that the policy approves{names}", _LOCATION)
