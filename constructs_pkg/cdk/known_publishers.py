"""The publishers of an organization's applications as one stack knows them: recorded in the file, or through SSM."""

import aws_cdk as cdk

from constructs_pkg.cdk.signing_profile import version_arn_parameter_name
from constructs_pkg.organization import Application, Organization, SigningProfile

__all__ = ["KnownPublishers"]


class KnownPublishers:
    """Signing profile version ARNs of applications, as values or as parameters of a stack.

    Args:
        stack: In the security account and the home Region, where the signing authority writes to SSM.
        organization: A loaded organization.
    """

    def __init__(self, stack: cdk.Stack, *, organization: Organization) -> None:
        self._stack = stack
        self._organization = organization

    def of(self, application: Application) -> list[str]:
        """Return whose code an application accepts: own generations first; what is not known yet is left out."""
        organization = self._organization
        accepted = organization.accepted_profiles_of(application.name)
        own = [arn for profile in accepted if (arn := self._version_arn(profile)) is not None]
        external = organization.external_publishers_of(application.name)
        return [*own, *(str(publisher.profile_version_arn) for publisher in external)]

    def _version_arn(self, profile: SigningProfile) -> str | None:
        """Return a profile's version ARN: recorded in the file, or by SSM where the profile is in this account."""
        organization = self._organization
        recorded = profile.profile_version_arn(organization)
        if recorded is not None:
            return str(recorded)
        name = profile.profile_name(organization)
        if organization.publisher_account != organization.security_account:
            return None  # its random version is not known yet, as organization.warnings says
        parameter = cdk.CfnParameter(
            self._stack,
            f"{name}-version-arn",
            type="AWS::SSM::Parameter::Value<String>",
            default=version_arn_parameter_name(name),
            description=f"Where the signing authority keeps the version ARN of {name}",
        )
        return parameter.value_as_string
