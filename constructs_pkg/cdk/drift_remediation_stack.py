"""The stack of the reference deployment that looks for drift and watches code signing, in the security account."""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pkg.cdk.code_without_signer import CodeWithoutSigner
from constructs_pkg.cdk.drift_remediation import DriftRemediation
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning
from constructs_pkg.cdk.signing_monitor import SigningMonitor
from constructs_pkg.organization import DriftRemediationTable, Organization
from constructs_pkg.organization.rollout import planned_stack_sets

__all__ = ["DriftRemediationStack", "code_signing_parameter"]

_REMEDY = (
    "Synthesize again with a signer and the policy that trusts it: cdk deploy -c signer=aws:bucket=NAME -c policy=FILE"
)


def code_signing_parameter(application: str) -> str:
    """Return the SSM parameter that holds the ARN of an application's config."""
    return f"/lambda-code-signing/code-signing-configs/{application}/arn"


class DriftRemediationStack(cdk.Stack):
    """Drift remediation and the signing monitor of an organization, from its file.

    The functions' config is the central one of the application that the file names, by its SSM parameter.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization of which something is rolled out.
        table: Its ``[drift_remediation]``.
        code: The functions' signed code; None for a template to read, which cannot be deployed.

    Attributes:
        remediation: Finds and reverts.
        monitor: Shows and tells.
        signed_by: Who signs the functions' code, in words.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization: Organization,
        table: DriftRemediationTable,
        code: lambda_.Code | None,
    ) -> None:
        name = f"{organization.name}-drift-remediation"
        super().__init__(
            scope,
            construct_id,
            stack_name=name,
            description=f"Finds, explains and reverts drift of code signing in the accounts of {organization.name}",
            env=cdk.Environment(account=organization.security_account, region=organization.home_region),
            termination_protection=True,
        )
        profile = organization.active_profile_of(table.application).profile_name(organization)
        self.signed_by = f"{profile}, when cdk deploy publishes it" if code else "nobody yet: cdk deploy will refuse it"
        code = code or CodeWithoutSigner(label=f"the code of {name}", remedy=_REMEDY)
        config = cdk.CfnParameter(
            self,
            "CodeSigningConfigArn",
            type="AWS::SSM::Parameter::Value<String>",
            default=code_signing_parameter(table.application),
            description=f"Where the ARN of the code signing config of {table.application} is kept",
        )
        code_signing = EnforcedCodeSigning.from_config_arn(self, "CodeSigning", config.value_as_string)
        stack_sets = [plan.name for plan in planned_stack_sets(organization)]
        is_self_managed = organization.rollout.permission_model == "self-managed"
        in_management = organization.management_account == organization.security_account
        event_bus_name = f"{organization.name}-code-signing"
        self.remediation = DriftRemediation(
            self,
            "Remediation",
            organization=organization.name,
            organization_id=organization.id,
            stack_sets=stack_sets,
            stack_set_account=organization.security_account if is_self_managed else organization.management_account,
            call_as="SELF" if is_self_managed or in_management else "DELEGATED_ADMIN",
            code=code,
            code_signing=code_signing,
            event_bus_name=event_bus_name,
            every=cdk.Duration.minutes(table.every_minutes),
            max_concurrency=table.max_concurrency,
            tolerated_failure_percentage=table.tolerated_failure_percentage,
            most_repairs=table.most_repairs,
            missing_periods=table.missing_periods,
            emails=organization.notifications.emails,
        )
        owns_profiles = organization.publisher_account == organization.security_account
        self.monitor = SigningMonitor(
            self,
            "Monitor",
            organization=organization.name,
            event_bus_name=event_bus_name,
            stack_sets=stack_sets,
            storage=self.remediation.storage,
            code=code if owns_profiles else None,
            code_signing=code_signing if owns_profiles else None,
            expiring_days=table.expiring_days,
        )
