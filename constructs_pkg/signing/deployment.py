"""A function with its layers, judged together: Lambda checks each of them like the function's own code."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from constructs_pkg.arns import FunctionArn, LayerVersionArn
from constructs_pkg.signing.aws_messages import AwsError
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import REPORT_VERSION, Decision, VerificationReport
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["Artifact", "DeploymentDecision", "decide_deployment"]

_SEVERITY = {Decision.ACCEPTED: 0, Decision.WARNED: 1, Decision.REJECTED: 2}


@dataclass(frozen=True, slots=True)
class Artifact:
    """One archive of a deployment.

    Attributes:
        name: What the reports call it, such as its file name.
        source: The archive: its bytes, or a seekable binary file.
        resource_arn: The function or layer version that AWS's message would name; None where it does not exist yet.
        expected_entries: As for `constructs_pkg.signing.verifier.verify_archive`.
    """

    name: str
    source: bytes | BinaryIO
    resource_arn: FunctionArn | LayerVersionArn | None = None
    expected_entries: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class DeploymentDecision:
    """The verdict on a function with its layers. False when any of them has a finding.

    Attributes:
        function: The report on the function's own code.
        layers: The reports on the layers, in their order.
    """

    function: VerificationReport
    layers: tuple[VerificationReport, ...]

    @property
    def reports(self) -> tuple[VerificationReport, ...]:
        """Return all reports, the function's first."""
        return (self.function, *self.layers)

    @property
    def decision(self) -> Decision:
        """Return the worst decision of them all: one rejected layer rejects the deployment."""
        return max((report.decision for report in self.reports), key=_SEVERITY.__getitem__)

    @property
    def at_fault(self) -> tuple[str, ...]:
        """Return the names of the function and the layers that brought the decision about; none when accepted."""
        if self.decision is Decision.ACCEPTED:
            return ()
        return tuple(report.artifact for report in self.reports if report.decision is self.decision)

    @property
    def aws_error(self) -> AwsError | None:
        """Return what the deployment would show: the error of the first one at fault, the function before its layers.

        In which order Lambda goes through a function and its layers was not observed.
        """
        return next((report.aws_error for report in self.reports if report.aws_error is not None), None)

    @property
    def allows_deployment(self) -> bool:
        """Tell whether Lambda would deploy, warned or not."""
        return self.decision is not Decision.REJECTED

    def __bool__(self) -> bool:
        """Tell whether there is no finding at all."""
        return all(self.reports)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON values; ``function`` and ``layers`` are reports."""
        error = self.aws_error
        return {
            "version": REPORT_VERSION,
            "decision": str(self.decision),
            "at_fault": list(self.at_fault),
            "aws_error": None if error is None else {"code": error.code, "message": error.message},
            "function": self.function.to_dict(),
            "layers": [report.to_dict() for report in self.layers],
        }

    def __str__(self) -> str:
        """Return the verdict as readable lines."""
        fault = f", at fault: {', '.join(self.at_fault)}" if self.at_fault else ""
        return "\n".join([f"deployment: {self.decision.upper()}{fault}", *map(str, self.reports)])


def decide_deployment(
    function_archive: Artifact | bytes | BinaryIO,
    layers: Sequence[Artifact | bytes | BinaryIO],
    policy: CodeSigningPolicy,
    at: datetime,
) -> DeploymentDecision:
    """Decide as Lambda decides over a function and its layers, under the one config of the function.

    Does *not* check what Lambda checks besides signatures, such as the number or the joint size of layers.

    Args:
        function_archive: The function's code; a bare source is called ``function``.
        layers: The layers' archives in the order of the function's configuration; bare ones are called ``layer 1``, …
        policy: Whom to trust.
        at: The moment of the deployment, aware.

    Raises:
        PolicyError: No verdict can be reached, as in `constructs_pkg.signing.verifier.verify_archive`.
    """
    function = _report(_artifact(function_archive, "function"), policy, at)
    reports = [_report(_artifact(layer, f"layer {number}"), policy, at) for number, layer in enumerate(layers, 1)]
    return DeploymentDecision(function, tuple(reports))


def _artifact(given: Artifact | bytes | BinaryIO, name: str) -> Artifact:
    return given if isinstance(given, Artifact) else Artifact(name, given)


def _report(artifact: Artifact, policy: CodeSigningPolicy, at: datetime) -> VerificationReport:
    return verify_archive(
        artifact.source,
        policy,
        at,
        artifact=artifact.name,
        resource_arn=artifact.resource_arn,
        expected_entries=artifact.expected_entries,
    )
