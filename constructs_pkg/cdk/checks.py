"""The code signing rules as a validation plugin of the CDK: it adapts, and decides nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import aws_cdk as cdk
import jsii

from constructs_pkg._version import __version__
from constructs_pkg.cdk.policy_reading import PolicySource, read_policy
from constructs_pkg.clock import now
from constructs_pkg.rules import RULES, CheckReport, Severity, Violation
from constructs_pkg.templates import check_assembly, read_assembly

__all__ = ["CodeSigningChecks"]

_NAME = "lambda-code-signing"
_CRASHED = "LCS901"
_SEVERITY = {
    Severity.FATAL: "fatal",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "info",
}


@jsii.implements(cdk.IPolicyValidationPlugin)
class CodeSigningChecks:
    """Fails the synth where Lambda would refuse the code, or where the app loosens code signing.

    ``cdk.Validations.of(app).add_plugins(CodeSigningChecks("code-signing-policy.json"))`` reads every template of the
    assembly and judges the very bytes that will be uploaded, by `constructs_pkg.rules`. It gives the same verdict under
    ``python app.py``, ``cdk synth`` and pytest, makes no AWS calls and writes nothing. Fatal violations cannot be
    acknowledged in the app; the others can, with ``cdk.Validations.of(scope).acknowledge(...)`` and the id
    ``lambda-code-signing::LCS…``. Whatever goes wrong inside fails the synth.

    It does *not* see code that is signed at publish or deployed by other means, nor what AWS knows and the policy file
    does not, such as revocations since it was written.

    Args:
        policy: Whom to trust: a policy, or the path of a policy file, which is read at once.
        fetch_from: Where your organization publishes the policy file, in words or as an address; part of the message
            when the file cannot be used.
        at: The moment of the deployment, aware; the moment of the synth where left out.

    Attributes:
        report: What the last synth found; None before the first.

    Raises:
        PolicyError: The policy file is missing, of an unknown version, damaged or too old; says what to fetch.
    """

    def __init__(self, policy: PolicySource, *, fetch_from: str | None = None, at: datetime | None = None) -> None:
        self._policy = read_policy(policy, at=at or now(), fetch_from=fetch_from)
        self._at = at
        self.report: CheckReport | None = None

    @property
    def name(self) -> str:
        """Return the plugin's name, the namespace of acknowledgements."""
        return _NAME

    @property
    def version(self) -> str:
        """Return the version of this package."""
        return __version__

    @property
    def rule_ids(self) -> list[str]:
        """Return the ids of all rules."""
        return list(RULES)

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge the assembly; called by CDK.

        Args:
            context: Where the templates are.
        """
        self.report = None
        try:
            paths = [Path(path) for path in context.template_paths]  # one call into Node.js, not one a stack
            reports = [self._check(directory) for directory in _assemblies(paths)]
        except Exception as error:  # noqa: BLE001 (whatever goes wrong must fail the synth, on every road alike)
            return _failed(error)
        self.report = reports[0] if len(reports) == 1 else _joined(reports)
        return _plugin_report(self.report)

    def _check(self, directory: Path) -> CheckReport:
        return check_assembly(read_assembly(directory), self._policy, self._at or now())


def _assemblies(template_paths: Iterable[Path]) -> list[Path]:
    """Return the directories that hold the templates, those inside of others left out: assemblies name their own."""
    folders = sorted({path.absolute().parent for path in template_paths})
    outermost: list[Path] = []
    for folder in folders:
        if not any(folder.is_relative_to(other) for other in outermost):
            outermost.append(folder)
    return outermost


def _joined(reports: Sequence[CheckReport]) -> CheckReport:
    return CheckReport(
        at=reports[0].at,
        violations=tuple(violation for report in reports for violation in report.violations),
        templates=tuple(name for report in reports for name in report.templates),
        functions=sum(report.functions for report in reports),
        layers=sum(report.layers for report in reports),
        archives=sum(report.archives for report in reports),
        was_judged_by_policy=all(report.was_judged_by_policy for report in reports),
    )


def _plugin_report(report: CheckReport) -> cdk.PolicyValidationPluginReport:
    return cdk.PolicyValidationPluginReport(
        success=bool(report),
        violations=[_violation(violation) for violation in report.violations],
        plugin_version=__version__,
        metadata={"summary": report.summary},
    )


def _violation(violation: Violation) -> cdk.PolicyViolation:
    rule = violation.rule
    exempted = "" if violation.exempted_by is None else f" Passes: {violation.exempted_by}"
    return cdk.PolicyViolation(
        rule_name=rule.id,
        description=f"{rule.title}: {violation.message}.{exempted}",
        fix=violation.remedy,
        severity="info" if violation.exempted_by is not None else _SEVERITY[violation.severity],
        rule_metadata={"documentation": rule.documentation, "why": rule.why},
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=violation.logical_id or None,
                template_path=violation.template_path or None,
                construct_path=violation.construct_path,
                locations=[violation.location] if violation.location else [],
            )
        ],
    )


def _failed(error: Exception) -> cdk.PolicyValidationPluginReport:
    rule = RULES[_CRASHED]
    text = f"{type(error).__name__}: {error}"
    return cdk.PolicyValidationPluginReport(
        success=False,
        violations=[
            cdk.PolicyViolation(
                rule_name=rule.id,
                description=f"{rule.title}: {text}",
                fix=rule.remedy,
                severity="fatal",
                violating_resources=[cdk.PolicyViolatingResource(locations=[])],
            )
        ],
        plugin_version=__version__,
    )
