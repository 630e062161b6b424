"""May our functions take this layer on? Judged by what AWS Lambda says of it, and by its archive if that is there."""

from dataclasses import dataclass

from constructs_pkg.arns import LayerVersionArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.signing.layer_registry import LayerRegistry
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport

__all__ = ["LayerFinding", "LayerVerdict", "judge_layer"]


@dataclass(frozen=True, slots=True)
class LayerFinding:
    """One reason against a layer.

    Attributes:
        code: The stable machine-readable code, such as ``unsigned``.
        message: What is wrong, naming the value.
        remedy: What to do about it.
    """

    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return the finding on one line."""
        return f"{self.message}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class LayerVerdict:
    """The verdict on one layer version. False when there is any finding.

    Attributes:
        layer: The layer version.
        publisher: Who signed it; None where nobody did.
        findings: Every reason against it.
        report: The verdict on its archive; None where only AWS's word was judged, which says nothing about integrity,
            expiry and the chain of certificates.
    """

    layer: LayerVersionArn
    publisher: SigningProfileVersionArn | None
    findings: tuple[LayerFinding, ...]
    report: VerificationReport | None = None

    def __bool__(self) -> bool:
        """Tell whether nothing speaks against the layer."""
        return not self.findings


def judge_layer(
    layer: LayerVersionArn,
    publisher: SigningProfileVersionArn | None,
    signing_job_arn: SigningJobArn | None,
    *,
    policy: CodeSigningPolicy | None,
    registry: LayerRegistry | None,
    report: VerificationReport | None = None,
) -> LayerVerdict:
    """Judge a layer version.

    With a policy, its publisher has to be allowed and not revoked. With a registry, the registry has to know the layer
    and to name this very publisher for its Region. A mode of Warn changes nothing: what Lambda would deploy with
    a warning is not allowed.

    Args:
        layer: The layer version.
        publisher: Who signed it, as AWS Lambda says.
        signing_job_arn: The job, likewise.
        policy: Whom to trust; may be left out where there is a registry.
        registry: Who signs which layer; may be left out where there is a policy.
        report: The verdict on its archive under the policy.

    Raises:
        ValueError: There is neither policy nor registry, so that nobody would be trusted or refused.
    """
    if policy is None and registry is None:
        raise ValueError("policy and registry are both None: give one, or there is nothing to judge by")
    if publisher is None:
        findings = [_unsigned(layer)]
    else:
        findings = [
            *(_policy_findings(layer, publisher, signing_job_arn, policy, report) if policy is not None else ()),
            *(_registry_findings(layer, publisher, registry) if registry is not None else ()),
        ]
    if report is not None:
        said = {finding.code for finding in findings}
        findings += [finding for finding in _report_findings(publisher, report) if finding.code not in said]
    return LayerVerdict(layer, publisher, tuple(findings), report)


def _unsigned(layer: LayerVersionArn) -> LayerFinding:
    return LayerFinding(
        "unsigned",
        "AWS Lambda names no signer: the layer is unsigned, or was changed after it was signed",
        f"Sign a copy of your own with 'lambda-code-signing layer resign {layer}'",
    )


def _policy_findings(
    layer: LayerVersionArn,
    publisher: SigningProfileVersionArn,
    job: SigningJobArn | None,
    policy: CodeSigningPolicy,
    report: VerificationReport | None,
) -> list[LayerFinding]:
    findings: list[LayerFinding] = []
    if publisher not in policy.allowed_publishers:
        remedy = "Have the security team admit the publisher, or sign a copy of your own ('layer resign')"
        message = f"the policy does not allow the publisher {publisher}"
        findings.append(LayerFinding("publisher_not_allowed", message, remedy))
    named = [item for item in policy.templates.external_layers if item.matches(str(layer))]
    if named and all(item.profile_version_arn != publisher for item in named):
        message = f"the policy's external_layers name {named[0].profile_version_arn} for it, not {publisher}"
        remedy = "Ask the vendor whether the profile was changed, and have the policy corrected"
        findings.append(LayerFinding("publisher_differs_from_policy", message, remedy))
    if report is None:
        findings += _revocations(publisher, job, policy)
    return findings


def _revocations(
    publisher: SigningProfileVersionArn, job: SigningJobArn | None, policy: CodeSigningPolicy
) -> list[LayerFinding]:
    """Find revocations without the archive, and so without the time of signing: whichever may count, counts."""
    remedy = "Use another version of the layer; --download tells whether this one was signed before"
    found = [item for item in policy.revocations.profile_versions if item.profile_version_arn == publisher]
    revoked_jobs = [item for item in policy.revocations.jobs if item.job_arn == job]
    return [
        *(LayerFinding(item.code, str(item), remedy) for item in found),
        *(LayerFinding(item.code, str(item), "Use another version of the layer") for item in revoked_jobs),
    ]


def _registry_findings(
    layer: LayerVersionArn, publisher: SigningProfileVersionArn, registry: LayerRegistry
) -> list[LayerFinding]:
    entries = registry.entries_of(layer)
    if not entries:
        return [
            LayerFinding(
                "layer_not_registered",
                f"the registry does not know the layer {layer}",
                "Add it with this publisher, if it is one that you want to trust",
            )
        ]
    known = registry.publishers_of(layer)
    if publisher in known:
        return []
    expected = ", ".join(map(str, known)) or f"nobody in {layer.region}"
    return [
        LayerFinding(
            "publisher_differs_from_registry",
            f"the registry names {expected} for this layer of {entries[0].vendor}, and {publisher} signed it",
            "Ask the vendor whether the profile was changed before you correct the registry",
        )
    ]


def _report_findings(publisher: SigningProfileVersionArn | None, report: VerificationReport) -> list[LayerFinding]:
    findings: list[LayerFinding] = []
    if report.signing_profile_version_arn != publisher:
        signer = report.signing_profile_version_arn or "nobody"
        message = f"the archive is signed by {signer}, and AWS Lambda says {publisher or 'nobody'}"
        findings.append(LayerFinding("publisher_differs_from_archive", message, "Do not use it; ask its publisher"))
    return [*findings, *(LayerFinding(item.code, item.message, item.remedy) for item in report.findings)]
