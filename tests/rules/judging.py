"""A policy, archives by path, and one call that says which rules a template breaks, for the tests of rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from constructs_pkg.rules import Artifact, ArtifactKind, CheckContext, Resource, Template, Violation, check_template
from constructs_pkg.rules.code_property import artifact_in_template
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.signing.template_terms import ApprovedConfig, TemplateTerms
from constructs_pkg.signing.verifier import verify_archive
from tests.signing.signed_archives import VERIFIED_AT, Signed, archive_of, new_authority, sign, signed_archive

SIGNED: Signed = signed_archive()
CSC = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
OTHER_CSC = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-aaaaaaaaaaaaaaaaa"
PUBLISHER = str(SIGNED.policy.allowed_publishers[0])
POLICY = replace(SIGNED.policy, templates=TemplateTerms(approved_configs=(ApprovedConfig("arn", CSC),)))
UNSIGNED = archive_of(handler__py=b"x = 1\n")
OF_OTHER_PUBLISHER = sign(SIGNED.authority, UNSIGNED, profile="other_app")
TAMPERED = SIGNED.archive.replace(b"handler.py", b"handles.py")
ARCHIVES = {
    "signed.zip": SIGNED.archive,
    "unsigned.zip": UNSIGNED,
    "other.zip": OF_OTHER_PUBLISHER,
    "tampered.zip": TAMPERED,
    "foreign.zip": sign(new_authority("team_app"), UNSIGNED),
}
assert str(new_authority("team_app").export_policy(at=VERIFIED_AT).allowed_publishers[0]) == PUBLISHER


@dataclass
class ArchivesByPath:
    """Finds archives in memory; whatever else a template names is what the template alone says it is."""

    archives: Mapping[str, bytes]
    judged: list[str] = field(default_factory=list)

    def artifact_of(self, resource: Resource) -> Artifact:
        artifact = artifact_in_template(resource)
        if artifact.path in self.archives:
            return replace(artifact, kind=ArtifactKind.ARCHIVE)
        return artifact

    def report_on(self, artifact: Artifact, policy: CodeSigningPolicy, at: datetime) -> VerificationReport | None:
        self.judged.append(artifact.name)
        return verify_archive(self.archives[artifact.path or ""], policy, at, artifact=artifact.name)


def function(**properties: Any) -> dict[str, Any]:
    """Return a function that breaks no rule, with other properties; None leaves one away."""
    body = {"Code": "signed.zip", "CodeSigningConfigArn": CSC, **properties}
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {key: value for key, value in body.items() if value is not None},
    }


def config(*publishers: Any, mode: Any = "Enforce") -> dict[str, Any]:
    policies = {} if mode is None else {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": mode}}
    listed = {"AllowedPublishers": {"SigningProfileVersionArns": list(publishers or (PUBLISHER,))}}
    return {"Type": "AWS::Lambda::CodeSigningConfig", "Properties": {**listed, **policies}}


def profile(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Signer::SigningProfile", "Properties": {"PlatformId": "AWSLambda-SHA384-ECDSA", **properties}}


def judge(
    resources: Mapping[str, Any],
    policy: CodeSigningPolicy | None = POLICY,
    at: datetime = VERIFIED_AT,
    **sections: Any,
) -> tuple[Violation, ...]:
    template = Template({"Resources": resources, **sections}, "app.json", "eu-west-1", "123456789012")
    return check_template(template, context=CheckContext(policy, at, ArchivesByPath(ARCHIVES)))


def broken(resources: Mapping[str, Any], policy: CodeSigningPolicy | None = POLICY, **sections: Any) -> list[str]:
    """Return the broken rules, each with its resource: ``LCS101 F``."""
    return [f"{item.rule.id} {item.logical_id}".strip() for item in judge(resources, policy, **sections)]
