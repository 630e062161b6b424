"""Rules LCS201 to LCS216, LCS301 and LCS302: what stands behind a function or layer, and the verdict on it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from constructs_pkg.errors import AttestationError
from constructs_pkg.rules.artifact import Artifact, ArtifactKind
from constructs_pkg.rules.code_property import FUNCTION_TYPES, LAYER_TYPES, code_location
from constructs_pkg.rules.code_rule_texts import (
    ATTESTATION_WANTED,
    DIRECTORY,
    EXPIRED,
    EXPIRES_SOON,
    IMAGE,
    IMAGE_UNDER_CONFIG,
    INLINE,
    INTEGRITY,
    LAYER_UNSIGNED,
    LAYER_WRONG_PUBLISHER,
    MISSING,
    NOT_JUDGED,
    REVOKED,
    RULES,
    SIGNED_AT_PUBLISH,
    UNDECIDED,
    UNSIGNED,
    VERSION_WANTED,
    WRONG_PUBLISHER,
)
from constructs_pkg.rules.config_rules import config_of
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.publisher_rules import publishers_of
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import Known, resolve
from constructs_pkg.rules.violation import Hit, Rule, Severity
from constructs_pkg.signing.attestation import parse_attestation, verify_attestation
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode
from constructs_pkg.signing.report import CheckName, Decision, Finding, VerificationReport, iso_time

__all__ = ["RULES", "check_code", "effective_policy", "hits_of_report"]

_RULE_BY_CHECK = {
    CheckName.INTEGRITY: INTEGRITY,
    CheckName.EXPIRY: EXPIRED,
    CheckName.REVOCATION: REVOKED,
}


def check_code(resource: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge the code of one function or layer version of this app."""
    artifact = context.artifacts.artifact_of(resource)
    location = code_location(resource)
    if artifact.kind is ArtifactKind.IMAGE:
        yield _image_hit(resource, artifact, location)
    elif artifact.kind is ArtifactKind.FOREIGN_OBJECT:
        yield from _foreign_hits(resource, artifact, context, location)
    elif artifact.kind is ArtifactKind.ARCHIVE:
        yield from _verdict_hits(resource, artifact, context, location)
    else:
        rule, text = _WITHOUT_VERDICT[artifact.kind]
        detail = f" ({artifact.detail})" if artifact.detail else ""
        yield Hit(rule, f"{text.format(artifact.name)}{detail}", location)


_WITHOUT_VERDICT: dict[ArtifactKind, tuple[Rule, str]] = {
    ArtifactKind.INLINE: (INLINE, "The code is {}, which nobody can sign"),
    ArtifactKind.DIRECTORY: (
        DIRECTORY,
        "The code is the directory {}, zipped on upload, so that nobody signs it",
    ),
    ArtifactKind.SIGNED_AT_PUBLISH: (SIGNED_AT_PUBLISH, "The code is made by a command when it is published: {}"),
    ArtifactKind.UNDECIDED: (UNDECIDED, "Where the code comes from is open until the deployment: {}"),
    ArtifactKind.MISSING: (MISSING, "The file {} cannot be judged"),
}


def effective_policy(resource: Resource, policy: CodeSigningPolicy) -> CodeSigningPolicy:
    """Return the policy that Lambda will judge a function's code by, as strict as its config and the organization's.

    A config made in this app may trust fewer publishers than the organization does, or enforce where the organization
    only warns. What it trusts beyond the policy is a violation of its own and widens nothing here.
    """
    if resource.type not in FUNCTION_TYPES:
        return policy
    for config in config_of(resource).made_here:
        listed = {item.value for item in publishers_of(config) if isinstance(item, Known)}
        both = tuple(item for item in policy.allowed_publishers if str(item) in listed)
        if both and all(isinstance(item, Known) for item in publishers_of(config)):
            policy = replace(policy, allowed_publishers=both)
        declared = as_mapping(config.properties.get("CodeSigningPolicies")).get("UntrustedArtifactOnDeployment")
        if Known("Enforce") in resolve(config.template, declared):
            policy = replace(policy, mode=Mode.ENFORCE)
    return policy


def hits_of_report(
    report: VerificationReport, policy: CodeSigningPolicy, *, name: str, location: str, is_layer: bool = False
) -> Iterator[Hit]:
    """Turn the verifier's report into what the rules say: never another decision than the verifier's.

    A rejected archive gives at least one hit that fails, a warned one only warnings, an accepted one at most that it
    expires soon.

    Args:
        report: The verdict.
        policy: The policy that it was reached by.
        name: What messages call the archive.
        location: The place in the resource.
        is_layer: Whether the archive is a layer's.
    """
    severity = Severity.WARNING if report.decision is Decision.WARNED else None
    for finding in report.findings:
        message = f"{name}: {finding.message}"
        yield Hit(_rule_of(finding, is_layer=is_layer), message, location, finding.remedy, severity)
    days = policy.templates.expires_within_days
    if report and days and report.expires_at is not None and report.expires_at <= report.at + timedelta(days=days):
        message = f"{name}: the signature runs out at {iso_time(report.expires_at)}, within {days} days"
        yield Hit(EXPIRES_SOON, message, location)


def _rule_of(finding: Finding, *, is_layer: bool) -> Rule:
    if finding.check is not CheckName.MISMATCH:
        return _RULE_BY_CHECK[finding.check]
    if finding.code == "unsigned":
        return LAYER_UNSIGNED if is_layer else UNSIGNED
    return LAYER_WRONG_PUBLISHER if is_layer else WRONG_PUBLISHER


def _image_hit(resource: Resource, artifact: Artifact, location: str) -> Hit:
    if resource.properties.get("CodeSigningConfigArn") is not None:
        message = f"The function is the container image {artifact.name}, and has a config"
        return Hit(IMAGE_UNDER_CONFIG, message, location)
    return Hit(IMAGE, f"The function is the container image {artifact.name}", location)


def _foreign_hits(resource: Resource, artifact: Artifact, context: CheckContext, location: str) -> Iterator[Hit]:
    if artifact.object_version is None:
        yield Hit(VERSION_WANTED, f"{artifact.name} has no object version, so that it can be replaced", location)
    if artifact.attestation is None:
        yield Hit(ATTESTATION_WANTED, f"{artifact.name} comes without an attestation", location)
    else:
        yield from _verdict_hits(resource, artifact, context, location)


def _verdict_hits(resource: Resource, artifact: Artifact, context: CheckContext, location: str) -> Iterator[Hit]:
    if context.policy is None:
        yield Hit(NOT_JUDGED, f"{artifact.name} was not judged, because no policy was given", location)
        return
    policy = effective_policy(resource, context.policy)
    if artifact.attestation is None:
        report = context.artifacts.report_on(artifact, policy, context.at)
    else:
        try:
            report = _attested(artifact, artifact.attestation, policy, context)
        except AttestationError as error:
            yield Hit(ATTESTATION_WANTED, f"{artifact.name}: {error}", location)
            return
    if report is None:
        yield Hit(MISSING, f"{artifact.name} cannot be read", location)
        return
    is_layer = resource.type in LAYER_TYPES
    yield from hits_of_report(report, policy, name=artifact.name, location=location, is_layer=is_layer)


def _attested(artifact: Artifact, text: str, policy: CodeSigningPolicy, context: CheckContext) -> VerificationReport:
    """Judge what an attestation says of an object; Lambda judges the object itself."""
    attestation = parse_attestation(text, f"the attestation of {artifact.name}")
    attestation.require_object(artifact.bucket, artifact.key, artifact.object_version)
    return verify_attestation(attestation, policy, context.at, artifact=artifact.name)
