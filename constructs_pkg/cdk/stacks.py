"""The two stacks of the reference deployment: the signing authority, and the central configs with their guardrails."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.cdk.developer_guardrail import DeveloperGuardrail
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning
from constructs_pkg.cdk.known_publishers import KnownPublishers
from constructs_pkg.cdk.signing_profile import LambdaSigningProfile, RecordedProfile
from constructs_pkg.organization import Application, Organization, SigningProfile
from constructs_pkg.organization_guardrails import guardrail_intent

__all__ = ["CodeSigningStack", "SigningAuthorityStack"]


class SigningAuthorityStack(cdk.Stack):
    """Every signing profile of the organization, in the publisher account and the home Region.

    Retired generations stay declared, without permissions: taking one out of the template would leave a profile that
    nobody watches.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization.
        recorded: What the ledger knows of profile names, see ``LambdaSigningProfile``.

    Attributes:
        profiles: The constructs by the profile's AWS name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization: Organization,
        recorded: Mapping[str, RecordedProfile],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-signing-authority",
            description=f"Signing profiles of {organization.name}: whose Lambda code is trusted",
            env=cdk.Environment(account=organization.publisher_account, region=organization.home_region),
            termination_protection=True,
        )
        self.profiles: dict[str, LambdaSigningProfile] = {}
        for application in organization.applications:
            for generation in organization.profiles_of(application.name):
                profile = self._declare(application, generation, organization, recorded)
                self.profiles[generation.profile_name(organization)] = profile

    def _declare(
        self,
        application: Application,
        generation: SigningProfile,
        organization: Organization,
        recorded: Mapping[str, RecordedProfile],
    ) -> LambdaSigningProfile:
        name = generation.profile_name(organization)
        profile = LambdaSigningProfile(
            self,
            name,
            name_prefix=name.removesuffix(f"_g{generation.generation}"),
            generation=generation.generation,
            validity=generation.validity,
            recorded=recorded,
        )
        if generation.state == "active":
            signers = application.signers
            principals = [*signers.accounts, *signers.roles, *([signers.oidc_role] if signers.oidc_role else [])]
            for principal in principals:
                profile.grant_sign(principal)
                profile.grant_read(principal)
        return profile


class CodeSigningStack(cdk.Stack):
    """An approved code signing config for every application, and the guardrail of its developers.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization.

    Attributes:
        configs: The configs by application.
        guardrails: The guardrails by application, for those that the organization gives one.
        left_out: Which applications have no config yet and why, in words.
    """

    def __init__(self, scope: Construct, construct_id: str, *, organization: Organization) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-code-signing",
            description=f"Approved code signing configs of {organization.name} and the guardrails of its developers",
            env=cdk.Environment(account=organization.security_account, region=organization.home_region),
            termination_protection=True,
        )
        self.configs: dict[str, EnforcedCodeSigning] = {}
        self.guardrails: dict[str, DeveloperGuardrail] = {}
        self.left_out: list[str] = []
        self._publishers = KnownPublishers(self, organization=organization)
        for application in organization.applications:
            self._declare(application, organization)

    def _declare(self, application: Application, organization: Organization) -> None:
        publishers = self._publishers.of(application)
        if not publishers:
            self.left_out.append(
                f"{application.name} gets no config and no guardrail yet: no version of its publishers is known"
            )
            return
        config = EnforcedCodeSigning(
            self,
            f"{application.name}-config",
            publishers=publishers,
            mode=application.mode,
            description=f"{organization.name}: code of {application.name}",
            parameter_name=f"/lambda-code-signing/code-signing-configs/{application.name}/arn",
        )
        self.configs[application.name] = config
        guardrail = organization.guardrail_of(application.name)
        if guardrail is not None:
            self.guardrails[application.name] = DeveloperGuardrail(
                self,
                f"{application.name}-guardrail",
                intent=guardrail_intent(
                    organization,
                    application.name,
                    account=self.account,
                    region=self.region,
                    approved_configs=(config.config_arn,),
                ),
            )
