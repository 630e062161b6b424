"""Declares the reference deployment of an organization in an App, and tells in words what it holds."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aws_cdk as cdk

from constructs_pkg.cdk.pipeline_stack import SigningPipelineStack
from constructs_pkg.cdk.signing_profile import RecordedProfile
from constructs_pkg.cdk.stacks import CodeSigningStack, SigningAuthorityStack
from constructs_pkg.organization import Organization, ProfileLock, warnings_of
from constructs_pkg.tables import format_table

__all__ = ["Deployment", "declare_deployment"]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What was declared.

    Attributes:
        organization: What it was declared from.
        authority: The stack of the signing profiles.
        code_signing: The stack of the configs and guardrails.
        pipeline: The stack of the signing pipeline; None where the organization has none.
        warnings: What deserves a second look, in words.
    """

    organization: Organization
    authority: SigningAuthorityStack
    code_signing: CodeSigningStack
    pipeline: SigningPipelineStack | None
    warnings: tuple[str, ...]

    def summary(self, assembly: Path) -> str:
        """Return the tables that a person reads after a synth.

        Args:
            assembly: The folder that the App was synthesized into; the sizes of the templates are read from it.
        """
        parts = [
            f"{self.organization.name} ({self.organization.id}), home Region {self.organization.home_region}",
            "Stacks\n" + self._stacks(assembly),
            "Signing profiles\n" + self._profiles(),
            "Code signing configs\n" + self._configs(),
        ]
        if self.code_signing.guardrails:
            parts.append("Guardrails\n" + self._guardrails())
        if self.warnings:
            parts.append("Warnings\n" + "\n".join(f"  {warning}" for warning in self.warnings))
        return "\n\n".join(parts) + f"\n\nTemplates are in {assembly}"

    def _stacks(self, assembly: Path) -> str:
        rows: list[list[str]] = []
        pipeline = [] if self.pipeline is None else [self.pipeline]
        for stack in (self.authority, self.code_signing, *pipeline):
            size_bytes = (assembly / stack.template_file).stat().st_size
            rows.append([stack.stack_name, stack.account, stack.region, f"{size_bytes:,} bytes"])
        return format_table(["name", "account", "Region", "template"], rows)

    def _profiles(self) -> str:
        rows: list[list[str]] = []
        for profile in self.organization.signing_profiles:
            signers = self.organization.application(profile.application).signers
            count = len(signers.accounts) + len(signers.roles) + (signers.oidc_role is not None)
            may_sign = f"{count} principal{'s' if count != 1 else ''}" if profile.state == "active" else "nobody"
            rows.append([profile.profile_name(self.organization), profile.state, str(profile.validity), may_sign])
        return format_table(["name", "state", "validity", "may sign"], rows)

    def _configs(self) -> str:
        rows: list[list[str]] = []
        for name, config in self.code_signing.configs.items():
            own = [profile.profile_name(self.organization) for profile in self.organization.accepted_profiles_of(name)]
            external = [publisher.name for publisher in self.organization.external_publishers_of(name)]
            rows.append([name, config.mode, f"{len(config.publishers)} of 20", ", ".join([*own, *external])])
        return format_table(["application", "untrusted code", "publishers", "who"], rows)

    def _guardrails(self) -> str:
        sizes = dict.fromkeys(size for guardrail in self.code_signing.guardrails.values() for size in guardrail.sizes)
        in_order = sorted(sizes, key=lambda size: size.kind == "service control policy")  # one set for all applications
        rows = [[size.kind, size.name, f"{size.characters:,} of {size.limit_characters:,}"] for size in in_order]
        return format_table(["document", "policy name", "characters"], rows)


def declare_deployment(app: cdk.App, organization: Organization, *, lock: ProfileLock, at: datetime) -> Deployment:
    """Declare the stacks of an organization: signing authority, configs with their guardrails, signing pipeline.

    Args:
        app: Where to.
        organization: A loaded organization.
        lock: The ledger of profile names that lies beside the organization file.
        at: The moment that the dates of the organization are compared with, aware.

    Raises:
        ConstructError: A profile's validity is not the one that the ledger holds.
        GuardrailError: A policy document outgrows IAM's limits.
    """
    recorded = {name: RecordedProfile(validity) for name, validity in lock.validities.items()}
    authority = SigningAuthorityStack(app, "SigningAuthority", organization=organization, recorded=recorded)
    code_signing = CodeSigningStack(app, "CodeSigning", organization=organization)
    if organization.publisher_account == organization.security_account:
        code_signing.add_stack_dependency(authority, "it reads the version ARNs that the authority writes to SSM")
    pipeline = None
    if organization.signing_pipeline is not None:
        pipeline = SigningPipelineStack(app, "SigningPipeline", organization=organization)
        pipeline.add_stack_dependency(authority, "it reads the version ARNs that the authority writes to SSM")
    warnings = [str(problem) for problem in warnings_of(organization, at=at, lock=lock)]
    return Deployment(
        organization=organization,
        authority=authority,
        code_signing=code_signing,
        pipeline=pipeline,
        warnings=(*code_signing.left_out, *warnings),
    )
