"""A whole organization: all tables of an organization file, and the questions that its users ask."""

from typing import Annotated

from pydantic import Field

from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.organization.tables import (
    Account,
    Application,
    DeveloperGuardrail,
    DriftRemediationTable,
    Exemption,
    ExternalPublisher,
    Notifications,
    OrganizationalUnit,
    OrganizationTable,
    Rollout,
    SigningPipeline,
    SigningProfile,
    Table,
    Wave,
)

__all__ = ["Organization", "OrganizationFile"]


class _Tables(Table):
    organizational_units: tuple[OrganizationalUnit, ...] = ()
    accounts: tuple[Account, ...] = ()
    applications: Annotated[tuple[Application, ...], Field(min_length=1)]
    signing_profiles: Annotated[tuple[SigningProfile, ...], Field(min_length=1)]
    external_publishers: tuple[ExternalPublisher, ...] = ()
    rollout: Rollout = Rollout()
    waves: tuple[Wave, ...] = ()
    developer_guardrails: tuple[DeveloperGuardrail, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    drift_remediation: DriftRemediationTable | None = None
    notifications: Notifications = Notifications()
    signing_pipeline: SigningPipeline | None = None


class OrganizationFile(_Tables):
    """An organization file as it is written: the shape of its JSON Schema."""

    organization: OrganizationTable


class Organization(OrganizationTable, _Tables):
    """A whole organization: the keys of ``[organization]`` and all other tables.

    Load it with ``load_organization`` or ``read_organization``: what this class alone checks is that each value is
    well-formed, not that names refer to something or that dates lie ahead.
    """

    def application(self, name: str) -> Application:
        """Return the application of this name.

        Raises:
            LambdaCodeSigningError: There is none.
        """
        for application in self.applications:
            if application.name == name:
                return application
        known = ", ".join(application.name for application in self.applications)
        raise LambdaCodeSigningError(f"{name!r} is no application of the organization {self.name}. There are: {known}")

    def wave(self, name: str) -> Wave:
        """Return the wave of this name.

        Raises:
            LambdaCodeSigningError: There is none.
        """
        for wave in self.waves:
            if wave.name == name:
                return wave
        known = ", ".join(wave.name for wave in self.waves) or "none"
        raise LambdaCodeSigningError(f"{name!r} is no wave of the organization {self.name}. There are: {known}")

    def profiles_of(self, application: str) -> tuple[SigningProfile, ...]:
        """Return all generations of an application's signing profile, retired ones too, the oldest first."""
        profiles = (profile for profile in self.signing_profiles if profile.application == application)
        return tuple(sorted(profiles, key=lambda profile: profile.generation))

    def active_profile_of(self, application: str) -> SigningProfile:
        """Return the generation that signs; a loaded organization has exactly one for each application.

        Raises:
            LambdaCodeSigningError: There is none: no such application, or a model that was built by hand.
        """
        for profile in self.profiles_of(application):
            if profile.state == "active":
                return profile
        raise LambdaCodeSigningError(f"the application {application!r} has no active signing profile")

    def accepted_profiles_of(self, application: str) -> tuple[SigningProfile, ...]:
        """Return the generations whose code is accepted (announced, active and retiring), the oldest first."""
        return tuple(profile for profile in self.profiles_of(application) if profile.is_accepted)

    def external_publishers_of(self, application: str) -> tuple[ExternalPublisher, ...]:
        """Return the external publishers that an application accepts, in the order of the file."""
        return tuple(publisher for publisher in self.external_publishers if publisher.serves(application))

    def publishers_of(self, application: str) -> tuple[SigningProfile | ExternalPublisher, ...]:
        """Return everybody whose code an application's config accepts: own generations first, then external ones."""
        return (*self.accepted_profiles_of(application), *self.external_publishers_of(application))

    def guardrail_of(self, application: str) -> DeveloperGuardrail | None:
        """Return the guardrail of an application's developers, or None where the file has none."""
        return next((found for found in self.developer_guardrails if found.application == application), None)

    def organizational_unit(self, name: str) -> OrganizationalUnit:
        """Return the organizational unit of this name.

        Raises:
            LambdaCodeSigningError: There is none.
        """
        for unit in self.organizational_units:
            if unit.name == name:
                return unit
        raise LambdaCodeSigningError(f"{name!r} is no organizational unit of the organization {self.name}")

    def stack_set_name(self, wave: Wave, part: int = 1) -> str:
        """Return the name of a wave's StackSet for one part of the applications; ``_`` becomes ``-`` there."""
        name = f"{self.name}-code-signing-{wave.name.replace('_', '-')}"
        return name if part == 1 else f"{name}-part-{part}"

    def accounts_of(self, wave: Wave) -> tuple[Account, ...]:
        """Return the accounts of this file that are in the units of a wave; AWS may know more."""
        return tuple(account for account in self.accounts if account.organizational_unit in wave.organizational_units)

    @property
    def iam_region(self) -> str:
        """Return the Region whose stack makes what IAM has once an account: the home Region, or else the first."""
        return self.home_region if self.home_region in self.target_regions else self.target_regions[0]

    def region_order_of(self, wave: Wave) -> tuple[str, ...]:
        """Return the Regions in the order in which a wave goes through them."""
        return wave.preferences.region_order or self.target_regions
