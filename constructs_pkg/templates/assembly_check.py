"""Applies every rule to every template of an assembly, and sums the answers up."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from constructs_pkg.rules.checking import check_template, not_understood, policy_violation
from constructs_pkg.rules.code_property import FUNCTION_TYPES, LAYER_TYPES
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.report import CheckReport
from constructs_pkg.rules.template import Template
from constructs_pkg.rules.violation import Violation
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.templates.archive_verdicts import ArchiveVerdicts
from constructs_pkg.templates.assembly import Assembly

__all__ = ["check_assemblies", "check_assembly"]


def check_assembly(assembly: Assembly, policy: CodeSigningPolicy | None, at: datetime) -> CheckReport:
    """Judge every template of an assembly by every rule.

    Args:
        assembly: What was read.
        policy: The organization's policy; None judges by the rules about structure alone.
        at: The moment of the deployment, aware.

    Returns:
        The report, false when anything fails. It raises nothing: a policy that cannot be used and a template that
        cannot be understood are violations.
    """
    return check_assemblies([assembly], policy, at)


def check_assemblies(
    assemblies: Iterable[Assembly],
    policy: CodeSigningPolicy | None,
    at: datetime,
    *,
    advance: Callable[[Assembly], None] = lambda _: None,
) -> CheckReport:
    """Judge several assemblies and plain templates; one that fails does not stop the others.

    Args:
        assemblies: What was read; each is let go of before the next one is asked for.
        policy: As for `check_assembly`.
        at: As for `check_assembly`.
        advance: Called after each assembly.
    """
    unusable = policy_violation("", CheckContext(policy, at))
    total = CheckReport(at, () if unusable is None else (unusable,), (), was_judged_by_policy=policy is not None)
    judged: dict[int, ArchiveVerdicts] = {}
    for assembly in assemblies:
        judged[id(assembly.artifacts.verdicts)] = assembly.artifacts.verdicts
        found = _checked(assembly, policy, at, is_usable=unusable is None)
        total = replace(
            total,
            violations=(*total.violations, *found.violations),
            templates=(*total.templates, *found.templates),
            functions=total.functions + found.functions,
            layers=total.layers + found.layers,
        )
        advance(assembly)
    return replace(total, archives=sum(verdicts.archive_count for verdicts in judged.values()))


def _checked(assembly: Assembly, policy: CodeSigningPolicy | None, at: datetime, *, is_usable: bool) -> CheckReport:
    violations: list[Violation] = [not_understood(path, reason) for path, reason in assembly.unread]
    for template in assembly.templates if is_usable else ():
        context = CheckContext(policy, at, assembly.artifacts, template.region, template.account)
        violations += check_template(template, context=context)
    return CheckReport(
        at,
        tuple(violations),
        tuple(template.path for template in assembly.templates),
        _count(assembly.templates, FUNCTION_TYPES),
        _count(assembly.templates, LAYER_TYPES),
    )


def _count(templates: list[Template], types: tuple[str, ...]) -> int:
    """Count resources; a template that cannot be understood has none, and is a violation."""
    total = 0
    for template in templates:
        try:
            total += sum(len(template.by_type.get(kind, ())) for kind in types)
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return total
