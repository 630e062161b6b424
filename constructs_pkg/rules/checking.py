"""Applies every rule to one template: by type, each once, a crash being a violation, exemptions honoured last."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from constructs_pkg.errors import PolicyError
from constructs_pkg.rules.cdk_helpers import with_helper_named
from constructs_pkg.rules.check_rules import CRASHED, EXEMPTION_EXPIRED, NOT_UNDERSTOOD, POLICY_UNUSABLE, check_macros
from constructs_pkg.rules.code_property import FUNCTION_TYPES
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.registry import CHECKS, Check
from constructs_pkg.rules.template import Resource, Template
from constructs_pkg.rules.values import Known, resolve
from constructs_pkg.rules.violation import Hit, Violation

__all__ = ["check_template", "not_understood", "policy_violation"]

_MAX_CRASH_CHARACTERS = 300


def check_template(template: Template | Mapping[str, object], *, context: CheckContext) -> tuple[Violation, ...]:
    """Judge one template by every rule.

    Templates nested in it are judged by a call of their own; `constructs_pkg.templates.check_assembly` makes these
    calls. Does *not* ask AWS anything, and does not evaluate conditions: what is possible in either branch counts.

    Args:
        template: A template that was read, or the plain dict of one, intrinsic functions in their long form.
        context: The policy, the moment, and who finds artifacts. Its Region and account are those of a plain dict.

    Returns:
        The violations in the order of the resources, those that fail nothing included. It raises nothing: a policy
        that cannot be used, a template that cannot be understood and a rule that crashes are violations.
    """
    if not isinstance(template, Template):
        template = Template(template, region=context.region, account=context.account)
    unusable = policy_violation(template.path, context)
    if unusable is not None:
        return (unusable,)
    try:
        resources = list(template.resources.values())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        return (not_understood(template.path, _in_short(error)),)
    found = [_violation(hit, template, None) for hit in check_macros(template)]
    for resource in resources:
        found += _exempted(list(_violations(resource, context)), resource, context)
    return tuple(found)


def policy_violation(path: str, context: CheckContext) -> Violation | None:
    """Return the violation that a policy which cannot be used is, or None."""
    if context.policy is None:
        return None
    try:
        context.policy.require_usable(context.at)
    except PolicyError as error:
        remedy = "; ".join(problem.remedy for problem in error.problems)
        message = "; ".join(f"{problem.where}: {problem.message}" for problem in error.problems)
        rule = POLICY_UNUSABLE
        return Violation(rule, rule.severity, message, remedy or rule.remedy, "", path, None, "")
    return None


def not_understood(path: str, message: str) -> Violation:
    """Return the violation that something which cannot be understood is.

    Args:
        path: The file.
        message: Why, naming the place.
    """
    rule = NOT_UNDERSTOOD
    return Violation(rule, rule.severity, message, rule.remedy, "", path, None, "")


def _violations(resource: Resource, context: CheckContext) -> Iterator[Violation]:
    hits = [hit for check in CHECKS.get(resource.type, ()) for hit in _applied(check, resource, context)]
    if resource.type in FUNCTION_TYPES:
        hits = list(with_helper_named(resource, hits))
    for hit in hits:
        yield _violation(hit, resource.template, resource)


def _applied(check: Check, resource: Resource, context: CheckContext) -> list[Hit]:
    """Apply one check; what it did not expect is a violation, never a silent pass and never the end of the others."""
    try:
        return list(check(resource, context))
    except Exception as error:  # noqa: BLE001 (a rule that crashes is a violation, whatever it stumbles over)
        return [Hit(CRASHED, f"{check.__name__} failed: {_in_short(error)}")]


def _violation(hit: Hit, template: Template, resource: Resource | None) -> Violation:
    return Violation(
        rule=hit.rule,
        severity=hit.severity or hit.rule.severity,
        message=hit.message,
        remedy=hit.remedy or hit.rule.remedy,
        logical_id="" if resource is None else resource.logical_id,
        template_path=template.path,
        construct_path=None if resource is None else resource.construct_path,
        location=hit.location,
    )


def _exempted(violations: list[Violation], resource: Resource, context: CheckContext) -> Iterator[Violation]:
    """Let pass what an exemption is for, and tell of those that ran out."""
    exemptions = () if context.policy is None or not violations else context.policy.templates.exemptions
    if not exemptions:
        yield from violations
        return
    name = _function_name(resource)
    expired: dict[str, None] = {}
    for violation in violations:
        fitting = [item for item in exemptions if item.is_for(violation.rule.id, name, resource.place)]
        holding = next((item for item in fitting if item.holds(context.at)), None)
        if violation.severity.fails and holding is not None:
            yield replace(violation, exempted_by=str(holding))
            continue
        if violation.severity.fails:
            expired.update(dict.fromkeys(map(str, fitting)))
        yield violation
    for text in expired:
        yield _violation(Hit(EXEMPTION_EXPIRED, f"No longer holds: {text}", ""), resource.template, resource)


def _function_name(resource: Resource) -> str | None:
    if resource.type not in FUNCTION_TYPES:
        return None
    names = resolve(resource.template, resource.properties.get("FunctionName"))
    known = names[0] if len(names) == 1 else None
    return known.value if isinstance(known, Known) and known.is_complete and isinstance(known.value, str) else None


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_MAX_CRASH_CHARACTERS]
