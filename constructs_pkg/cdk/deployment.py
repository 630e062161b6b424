"""Declares the reference deployment of an organization in an App, and tells in words what it holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.cdk.drift_remediation_stack import DriftRemediationStack
from constructs_pkg.cdk.organization_guardrail import OrganizationGuardrailStack, organization_intent
from constructs_pkg.cdk.pipeline_stack import SigningPipelineStack
from constructs_pkg.cdk.rollout_stack import CodeSigningRolloutStack, PublisherWatchStack
from constructs_pkg.cdk.signing_profile import RecordedProfile
from constructs_pkg.cdk.stack_set_template import MOST_BYTES
from constructs_pkg.cdk.stacks import CodeSigningStack, SigningAuthorityStack
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import PolicyDocument, service_control_policies
from constructs_pkg.organization import Organization, ProfileLock, warnings_of
from constructs_pkg.organization.rollout import is_deployable, planned_stack_sets
from constructs_pkg.organization.rollout_diagram import rollout_svg
from constructs_pkg.organization.rollout_mermaid import rollout_mermaid
from constructs_pkg.plurals import counted
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
        rollout: The stack of the StackSets; None where there are no waves, or no publisher is known yet.
        publisher_watch: The stack that watches the publisher account; None where that is the security account.
        organization_guardrail: The stack of the service control policies; None where no wave attaches them.
        drift_remediation: What looks for drift; None where the file does not ask for it, or where it cannot be yet.
        warnings: What deserves a second look, in words.
    """

    organization: Organization
    authority: SigningAuthorityStack
    code_signing: CodeSigningStack
    pipeline: SigningPipelineStack | None
    rollout: CodeSigningRolloutStack | None
    publisher_watch: PublisherWatchStack | None
    organization_guardrail: OrganizationGuardrailStack | None
    drift_remediation: DriftRemediationStack | None
    warnings: tuple[str, ...]

    @property
    def stacks(self) -> tuple[cdk.Stack, ...]:
        """Return all stacks in the order of their deployment."""
        every = (
            self.authority,
            self.code_signing,
            self.pipeline,
            self.rollout,
            self.publisher_watch,
            self.organization_guardrail,
            self.drift_remediation,
        )
        return tuple(stack for stack in every if stack is not None)

    def synthesize(self, app: cdk.App) -> Path:
        """Synthesize the App and return the folder of the assembly.

        Args:
            app: The App in which this was declared.

        Raises:
            ConstructError: A template, of a stack or of a StackSet, is larger than CloudFormation takes.
        """
        try:
            assembly = Path(app.synth().directory)
        except RuntimeError as error:
            problem = None if self.rollout is None else self.rollout.rollout.problem
            if problem is None:
                raise
            raise problem from error
        for stack in self.stacks:
            size_bytes = (assembly / stack.template_file).stat().st_size
            if size_bytes > MOST_BYTES["s3"]:
                raise ConstructError(
                    f"the template of {stack.stack_name} has {size_bytes:,} bytes; CloudFormation takes "
                    f'{MOST_BYTES["s3"]:,}. Write template = "s3" in [rollout], so that it does not hold those of the '
                    "waves, or divide the organization between two files"
                )
        return assembly

    def draw(self, assembly: Path) -> tuple[Path, ...]:
        """Write beside the templates what is for people, and return the files.

        The picture of the rollout as SVG and as Mermaid text, and the documents of the service control policies,
        whether a wave attaches them or not.

        Args:
            assembly: The folder that the App was synthesized into.
        """
        if self.rollout is None:
            return ()
        files = {"rollout.svg": rollout_svg(self.organization), "rollout.mmd": rollout_mermaid(self.organization)}
        files |= {
            f"{name}.json": document.to_json(indent=2) + "\n" for name, document in self._control_policies.items()
        }
        for name, text in files.items():
            (assembly / name).write_text(text, "utf-8")
        return tuple(assembly / name for name in files)

    @property
    def _control_policies(self) -> dict[str, PolicyDocument]:
        if self.rollout is None or not self.organization.developer_guardrails:
            return {}
        intent = organization_intent(self.organization)
        documents = service_control_policies(intent)
        return {intent.service_control_policy_name(number): one for number, one in enumerate(documents, start=1)}

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
        if self.drift_remediation is not None:
            parts.append("Drift remediation\n" + self._drift(self.drift_remediation))
        if self.code_signing.guardrails:
            parts.append("Guardrails\n" + self._guardrails())
        if self.rollout is not None:
            parts.append("Rollout\n" + "\n".join(self._rollout(self.rollout)))
        if self.warnings:
            parts.append("Warnings\n" + "\n".join(f"  {warning}" for warning in self.warnings))
        return "\n\n".join(parts) + f"\n\nTemplates are in {assembly}"

    def _stacks(self, assembly: Path) -> str:
        rows: list[list[str]] = []
        for stack in self.stacks:
            size_bytes = (assembly / stack.template_file).stat().st_size
            rows.append([stack.stack_name, stack.account, stack.region, f"{size_bytes:,} bytes"])
        return format_table(["name", "account", "Region", "template"], rows)

    def _profiles(self) -> str:
        rows: list[list[str]] = []
        for profile in self.organization.signing_profiles:
            signers = self.organization.application(profile.application).signers
            count = len(signers.accounts) + len(signers.roles) + (signers.oidc_role is not None)
            may_sign = counted(count, "principal") if profile.state == "active" else "nobody"
            rows.append([profile.profile_name(self.organization), profile.state, str(profile.validity), may_sign])
        return format_table(["name", "state", "validity", "may sign"], rows)

    def _configs(self) -> str:
        rows: list[list[str]] = []
        organization = self.organization
        is_central = organization.publisher_account == organization.security_account
        for name, config in self.code_signing.configs.items():
            own = [
                profile.profile_name(organization)
                for profile in organization.accepted_profiles_of(name)
                if is_central or profile.profile_version_arn(organization) is not None
            ]
            external = [publisher.name for publisher in organization.external_publishers_of(name)]
            rows.append([name, config.mode, f"{len(config.publishers)} of 20", ", ".join([*own, *external])])
        return format_table(["application", "untrusted code", "publishers", "who"], rows)

    def _drift(self, stack: DriftRemediationStack) -> str:
        rows = [[wave.name, wave.drift, stack.signed_by] for wave in self.organization.waves]
        return format_table(["wave", "what is done", "its functions are signed by"], rows)

    def _guardrails(self) -> str:
        sizes = dict.fromkeys(size for guardrail in self.code_signing.guardrails.values() for size in guardrail.sizes)
        in_order = sorted(sizes, key=lambda size: size.kind == "service control policy")  # one set for all applications
        rows = [[size.kind, size.name, f"{size.characters:,} of {size.limit_characters:,}"] for size in in_order]
        return format_table(["document", "policy name", "characters"], rows)

    def _rollout(self, stack: CodeSigningRolloutStack) -> Iterator[str]:
        organization = self.organization
        plans = {plan.name: plan for plan in planned_stack_sets(organization)}
        guardrails = {wave.name: wave.guardrail for wave in organization.waves}
        rows: list[list[str]] = []
        for stack_set in stack.rollout.stack_sets:
            plan = plans[stack_set.name]
            size = f"{len((stack_set.template.text or '').encode()):,} of {stack_set.template.most_bytes:,}"
            accounts = f"{len(plan.accounts)} known in {counted(len(plan.unit_ids), 'unit')}"
            policy = "attached" if guardrails[plan.wave] == "attach" else "dry run"
            applications = str(len(plan.applications))
            rows.append([plan.name, plan.mode, accounts, str(len(plan.regions)), applications, size, policy])
        yield format_table(
            [
                "StackSet",
                "untrusted code",
                "accounts",
                "Regions",
                "applications",
                "template bytes",
                "organization guardrail",
            ],
            rows,
        )
        most = max(stack_set.baseline.policies_a_developer_has for stack_set in stack.rollout.stack_sets)
        if most:
            yield f"  A developer's role has {most} of 10 managed policies in the end."
        dry = [wave.name for wave in organization.waves if wave.guardrail == "dry-run"]
        if dry and self._control_policies:
            names = ", ".join(f"{name}.json" for name in self._control_policies)
            yield f"  Attached to nothing in {', '.join(dry)} (dry run): {names} beside the templates."
        if organization.rollout.permission_model == "service-managed":
            yield (
                f"  The management account {organization.management_account} is never reached by service-managed "
                "StackSets."
            )


def declare_deployment(
    app: cdk.App,
    organization: Organization,
    *,
    lock: ProfileLock,
    at: datetime,
    drift_code: lambda_.Code | None = None,
) -> Deployment:
    """Declare the stacks of an organization: authority, configs with guardrails, pipeline, rollout, drift.

    Args:
        app: Where to.
        organization: A loaded organization.
        lock: The ledger that lies beside the organization file.
        at: The moment that the dates of the organization are compared with, aware.
        drift_code: The signed code of drift remediation; without it, its template can be read but not deployed.

    Raises:
        ConstructError: A profile's validity is not the one that the ledger holds.
        ConstructError: The rollout breaks a quota of CloudFormation.
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
    rollout = None
    if organization.waves and any(is_deployable(organization, one) for one in organization.applications):
        rollout = CodeSigningRolloutStack(app, "CodeSigningRollout", organization=organization)
        if organization.publisher_account == organization.security_account:
            rollout.add_stack_dependency(authority, "it reads the version ARNs that the authority writes to SSM")
    elif organization.waves:
        warnings.insert(0, "nothing is rolled out yet: no version of any publisher is known")
    publisher_watch = None
    if rollout is not None and organization.publisher_account != organization.security_account:
        publisher_watch = PublisherWatchStack(app, "PublisherWatch", organization=organization)
        publisher_watch.add_stack_dependency(rollout, "it sends to the event bus that the rollout makes")
    organization_guardrail = None
    if rollout is not None and any(wave.guardrail == "attach" for wave in organization.waves):
        organization_guardrail = OrganizationGuardrailStack(app, "OrganizationGuardrail", organization=organization)
        organization_guardrail.add_stack_dependency(rollout, "it forbids in member accounts what the rollout makes")
    drift, left_out = _declare_drift(app, organization, code_signing, rollout, drift_code)
    return Deployment(
        organization=organization,
        authority=authority,
        code_signing=code_signing,
        pipeline=pipeline,
        rollout=rollout,
        publisher_watch=publisher_watch,
        organization_guardrail=organization_guardrail,
        drift_remediation=drift,
        warnings=(*code_signing.left_out, *left_out, *warnings),
    )


def _declare_drift(
    app: cdk.App,
    organization: Organization,
    code_signing: CodeSigningStack,
    rollout: CodeSigningRolloutStack | None,
    code: lambda_.Code | None,
) -> tuple[DriftRemediationStack | None, list[str]]:
    """Return the stack, or none and why in words: it needs something to watch, and a config for its functions."""
    table = organization.drift_remediation
    if table is None:
        return None, []
    if rollout is None:
        return None, ["nobody looks for drift yet: nothing is rolled out"]
    if table.application not in code_signing.configs:
        reason = f"{table.application} has no config that its functions could be under"
        return None, [f"nobody looks for drift yet: {reason}"]
    stack = DriftRemediationStack(app, "DriftRemediation", organization=organization, table=table, code=code)
    stack.add_stack_dependency(code_signing, "it reads the config's ARN that is written to SSM there")
    stack.add_stack_dependency(rollout, "it listens on the central event bus, and watches the StackSets")
    return stack, []
