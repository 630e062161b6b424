"""Rules LCS601 and LCS901 to LCS905: the check itself, and exemptions that ran out."""

from collections.abc import Iterator

from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.template import Resource, Template
from constructs_pkg.rules.values import text_of
from constructs_pkg.rules.violation import Hit, Rule, Severity

__all__ = [
    "CRASHED",
    "EXEMPTION_EXPIRED",
    "MACRO",
    "NOT_UNDERSTOOD",
    "POLICY_UNUSABLE",
    "RULES",
    "UNREAD_TEMPLATE",
    "check_macros",
    "check_nested",
]

EXEMPTION_EXPIRED = Rule(
    "LCS601",
    "An exemption has run out",
    Severity.FATAL,
    "What it let pass fails again from that day on.",
    "Sign the code, or have its owner agree on another day with the security team",
)
CRASHED = Rule(
    "LCS901",
    "A rule could not be applied",
    Severity.FATAL,
    "A rule that fails has not said yes. The template has a form that the rule does not expect, or the rule is wrong.",
    "Correct the property that the message names; if it is right, report the message to the maintainers",
)
NOT_UNDERSTOOD = Rule(
    "LCS902",
    "A template or an assembly cannot be understood",
    Severity.FATAL,
    "What cannot be read may hold anything.",
    "Synthesize again with a supported release of AWS CDK, or correct the file at the place that the message names",
)
POLICY_UNUSABLE = Rule(
    "LCS903",
    "The code signing policy cannot be used",
    Severity.FATAL,
    "Without a policy that is fresh and knows its roots no signature can be judged.",
    "Fetch the present policy file from where your platform team publishes it",
)
UNREAD_TEMPLATE = Rule(
    "LCS904",
    "A nested template cannot be read",
    Severity.FATAL,
    "Its functions are deployed with this one, and nobody has looked at them.",
    "Use a nested stack of the same app or a local file, or have it exempted with owner, reason and last day",
)
MACRO = Rule(
    "LCS905",
    "A macro rewrites the template before it is deployed",
    Severity.WARNING,
    "It may add functions that this check does not see.",
    "Make sure that the macro is the organization's own, or expand it before the check",
)
RULES = (EXEMPTION_EXPIRED, CRASHED, NOT_UNDERSTOOD, POLICY_UNUSABLE, UNREAD_TEMPLATE, MACRO)

_KNOWN_TRANSFORMS = {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::CodeDeployBlueGreen"}


def check_nested(stack: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Refuse a nested stack or a StackSet whose template was not read; one that was is judged by itself."""
    if stack.logical_id in stack.template.nested:
        return
    body, url = stack.properties.get("TemplateBody"), stack.properties.get("TemplateURL")
    shown = "in TemplateBody" if body is not None else f"at {text_of(stack.template, url)}"
    yield Hit(UNREAD_TEMPLATE, f"The template {shown} cannot be read", "Properties")


def check_macros(template: Template) -> Iterator[Hit]:
    """Tell of macros that may add resources."""
    for name in template.transforms:
        if name not in _KNOWN_TRANSFORMS:
            yield Hit(MACRO, f"The template is rewritten by {name}", "Transform")
    for logical_id, resource in template.resources.items():
        if logical_id.startswith("Fn::Transform"):
            yield Hit(MACRO, "The template includes resources from elsewhere with Fn::Transform", "Resources")
        elif resource.type.endswith("::MODULE"):
            yield Hit(MACRO, f"{logical_id} is a module, {resource.type}, with resources of its own", "Resources")
