"""Would Lambda deploy it? Asked about a stack, an assembly, a template or single archives, and answered in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from constructs_pkg.clock import now
from constructs_pkg.errors import FileAccessError
from constructs_pkg.rules import CheckContext, CheckReport, Violation, check_template
from constructs_pkg.signing.deployment import Artifact, DeploymentDecision, decide_deployment
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.templates import check_assembly, read_assembly, read_template

if TYPE_CHECKING:  # who has a stack has loaded aws_cdk already; everybody else does without its second
    import aws_cdk as cdk
    from aws_cdk.assertions import Template

__all__ = ["assert_deployable", "lambda_verdict"]


def assert_deployable(
    what: cdk.Stack | cdk.Stage | Template | Mapping[str, object] | Path | str,
    policy: CodeSigningPolicy,
    *,
    at: datetime | None = None,
) -> CheckReport:
    """Assert that nothing about code signing stands in the way of a deployment.

    A stack is judged with its nested stacks, an App or a stage with all of its stacks; all are synthesized. A path is
    a ``cdk.out`` directory or a template file. A ``Template`` of ``aws_cdk.assertions`` and a plain dict come without
    their files, so that code from a file is a violation there: give the stack instead.

    It does *not* ask AWS anything, and does not look at what has nothing to do with code signing.

    Args:
        what: What is to be deployed.
        policy: Whom to trust.
        at: The moment of the deployment, aware; now where left out.

    Returns:
        The report, with what was accepted but deserves a look.

    Raises:
        AssertionError: It would not be deployed; lists every reason with construct, rule and remedy. Also where the App
            does not synthesize.
        TypeError: ``what`` is none of these.
    """
    moment = at or now()
    report = _report(what, policy, moment)
    if not report:
        found = "\n".join(str(violation) for violation in report.failures)
        count = len(report.failures)
        raise AssertionError(
            f"{count} {'reason' if count == 1 else 'reasons'} why this would not be deployed\n{found}\n{report.summary}"
        )
    return report


def lambda_verdict(
    code: Path | str | bytes,
    policy: CodeSigningPolicy,
    *,
    layers: Sequence[Path | str | bytes] = (),
    at: datetime | None = None,
) -> DeploymentDecision:
    """Return what Lambda would say about an archive, together with the layers of its function.

    Args:
        code: The function's archive: its path or its bytes.
        policy: Whom to trust.
        layers: The layers' archives, likewise.
        at: The moment of the deployment, aware; now where left out.

    Returns:
        The decision: false when there is any finding; ``allows_deployment`` says what Lambda does.

    Raises:
        FileAccessError: A file cannot be read.
        PolicyError: The policy can judge nothing.
    """
    function, *others = [
        _artifact(item, "function" if number == 0 else f"layer {number}") for number, item in enumerate((code, *layers))
    ]
    return decide_deployment(function, others, policy, at or now())


def _artifact(source: Path | str | bytes, name: str) -> Artifact:
    if isinstance(source, bytes):
        return Artifact(name, source)
    try:
        return Artifact(str(source), Path(source).read_bytes())
    except OSError as error:
        raise FileAccessError(f"{source} cannot be read: {error.strerror}. Check the path") from error


def _report(what: object, policy: CodeSigningPolicy, at: datetime) -> CheckReport:
    if isinstance(what, (str, Path)):
        path = Path(what)
        assembly = read_assembly(path) if path.is_dir() else read_template(path)
        return check_assembly(assembly, policy, at)
    if isinstance(what, Mapping):
        return _report_on_template(cast("Mapping[str, object]", what), policy, at)
    if hasattr(what, "to_json"):
        return _report_on_template(cast("Template", what).to_json(), policy, at)
    return _report_on_construct(what, policy, at)


def _report_on_template(template: Mapping[str, object], policy: CodeSigningPolicy, at: datetime) -> CheckReport:
    if not isinstance(template.get("Resources"), Mapping):
        raise TypeError("what is to be deployed is no template: it has no object 'Resources'")
    violations = check_template(template, context=CheckContext(policy, at))
    return CheckReport(at=at, violations=violations, templates=("template",))


def _report_on_construct(construct: object, policy: CodeSigningPolicy, at: datetime) -> CheckReport:
    import aws_cdk as cdk  # noqa: PLC0415 (loaded by whoever made the construct)

    if not isinstance(construct, (cdk.Stack, cdk.Stage)):
        raise TypeError(f"{type(construct).__name__} is no stack, stage, template, dict or path")
    stage = construct if isinstance(construct, cdk.Stage) else cdk.Stage.of(construct)
    if stage is None:
        raise TypeError(f"the stack {construct.node.path} is in no App; make it with cdk.Stack(cdk.App(), …)")
    try:
        directory = stage.synth().directory
    except RuntimeError as error:  # what Node.js raises, the report of a validation plugin among it
        raise AssertionError(f"the App does not synthesize\n{error}") from error
    report = check_assembly(read_assembly(Path(directory)), policy, at)
    return report if isinstance(construct, cdk.Stage) else _of_stack(report, construct, stage)


def _of_stack(report: CheckReport, stack: cdk.Stack, stage: cdk.Stage) -> CheckReport:
    """Leave out what is about other stacks; what cannot be told apart stays."""
    import aws_cdk as cdk  # noqa: PLC0415 (loaded already)

    def templates_in(scope: cdk.Stack | cdk.Stage) -> set[str]:
        return {item.template_file for item in scope.node.find_all() if isinstance(item, cdk.Stack)}

    others = templates_in(stage) - templates_in(stack)

    def is_about_another(violation: Violation) -> bool:
        return Path(violation.template_path).name.partition("#")[0] in others

    kept = tuple(violation for violation in report.violations if not is_about_another(violation))
    return CheckReport(
        at=report.at,
        violations=kept,
        templates=tuple(name for name in report.templates if Path(name).name not in others),
        functions=report.functions,
        layers=report.layers,
        archives=report.archives,
        was_judged_by_policy=report.was_judged_by_policy,
    )
