"""The signing pipeline of the reference deployment: a stack of the publisher account in the home Region."""

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.cdk.signing_pipeline import SigningPipeline
from constructs_pkg.cdk.signing_profile import version_arn_parameter_name
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication
from constructs_pkg.organization import Application, Organization

__all__ = ["SigningPipelineStack"]


class SigningPipelineStack(cdk.Stack):
    """Signs what every application of the organization uploads, with its active signing profile.

    An application's signers of the organization file are its writers: who may sign may upload, and nobody else.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization that has a ``[signing_pipeline]``.

    Attributes:
        pipeline: The pipeline.

    Raises:
        ConstructError: The organization has no ``[signing_pipeline]``.
    """

    def __init__(self, scope: Construct, construct_id: str, *, organization: Organization) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-signing-pipeline",
            description=f"Signs the code that applications of {organization.name} upload",
            env=cdk.Environment(account=organization.publisher_account, region=organization.home_region),
            termination_protection=True,
        )
        settings = organization.signing_pipeline
        if settings is None:
            raise ConstructError(f"the organization {organization.name} has no [signing_pipeline]. Add the table")
        self.pipeline = SigningPipeline(
            self,
            "Pipeline",
            name_prefix=organization.name,
            organization_id=organization.id,
            applications=[self._application(one, organization) for one in organization.applications],
            emails=organization.notifications.emails,
            keep_uploads_days=settings.keep_uploads_days,
            lock_signed_days=settings.lock_signed_days,
        )

    def _application(self, application: Application, organization: Organization) -> PipelineApplication:
        profile = organization.active_profile_of(application.name)
        name = profile.profile_name(organization)
        signers = application.signers
        recorded = profile.profile_version_arn(organization)
        return PipelineApplication(
            name=application.name,
            profile_name=name,
            profile_version=self._deployed_version(name) if recorded is None else recorded.profile_version,
            writer_roles=tuple(str(role) for role in (*signers.roles, signers.oidc_role) if role is not None),
            writer_accounts=signers.accounts,
        )

    def _deployed_version(self, profile_name: str) -> str:
        """Return the version that the signing authority wrote to SSM, at the end of the version's ARN."""
        parameter = cdk.CfnParameter(
            self,
            f"{profile_name}-version-arn",
            type="AWS::SSM::Parameter::Value<String>",
            default=version_arn_parameter_name(profile_name),
            description=f"Where the signing authority keeps the version ARN of {profile_name}",
        )
        return cdk.Fn.select(3, cdk.Fn.split("/", parameter.value_as_string))
