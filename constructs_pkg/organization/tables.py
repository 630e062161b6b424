"""The tables of an organization file as frozen values: every class is a table, every attribute a key.

The descriptions are those of ``docs/organization-file.md`` and of the JSON Schema. What a single value may be stands in
``values``; what several values may be together stands in ``checks``: a table that somebody builds by hand has passed
the former only.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from constructs_pkg.arns import SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.organization.values import (
    AccountId,
    ApplicationName,
    Email,
    FunctionPattern,
    LayerVersionPattern,
    Name,
    OrganizationalUnitId,
    OrganizationId,
    OrganizationName,
    ProfileVersion,
    ProfileVersionArnValue,
    Reason,
    Region,
    RoleArnValue,
    RoleNamePattern,
    ValidityValue,
)
from constructs_pkg.regions import partition_of_region

__all__ = [
    "LAMBDA_PLATFORM",
    "Account",
    "Application",
    "DeveloperGuardrail",
    "DriftRemediationTable",
    "Exemption",
    "ExternalPublisher",
    "Notifications",
    "OrganizationTable",
    "OrganizationalUnit",
    "Preferences",
    "Rollout",
    "Signers",
    "SigningPipeline",
    "SigningProfile",
    "Table",
    "Wave",
    "profile_name",
]

LAMBDA_PLATFORM = "AWSLambda-SHA384-ECDSA"
"""AWS Signer's platform for Lambda code (botocore 1.43.106, ``signer`` model); every profile of ours has it."""


def profile_name(organization: str, application: str, generation: int) -> str:
    """Return the AWS name of a signing profile: ``acme``, ``check-out``, 2 give ``acme_check_out_g2``.

    Profile names know no ``-``, so that each becomes ``_``. The generation is part of the name because AWS never gives
    a name free again, not even after its profile was cancelled. Does not check that the name fits.
    """
    return f"{organization}_{application.replace('-', '_')}_g{generation}"


class Table(BaseModel):
    """What all tables have in common: frozen, no unknown keys, no value of one type taken for another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class OrganizationTable(Table):
    """``[organization]``: who you are in AWS, and where Lambda functions run."""

    id: Annotated[OrganizationId, Field(description="The id of the organization in AWS Organizations.")]
    name: Annotated[OrganizationName, Field(description="A short name; the name of every resource begins with it.")]
    management_account: Annotated[AccountId, Field(description="The organization's management account.")]
    security_account: Annotated[
        AccountId,
        Field(description="The delegated administrator: owns the central configs, the guardrails and their rollout."),
    ]
    publisher_account: Annotated[
        AccountId,
        Field(
            default_factory=lambda values: values.get("security_account", ""),
            description="The account that owns the signing profiles; without it, the security account does.",
        ),
    ]
    home_region: Annotated[Region, Field(description="The Region of the signing profiles. Signer must serve it.")]
    target_regions: Annotated[
        tuple[Region, ...],
        Field(
            min_length=1, description="The Regions that Lambda functions run in, all of the partition of home_region."
        ),
    ]

    @property
    def partition(self) -> str:
        """Return the partition of all Regions, such as ``aws`` or ``aws-cn``."""
        partition = partition_of_region(self.home_region)
        assert partition is not None, "Region admits known Regions only"
        return partition


class OrganizationalUnit(Table):
    """``[[organizational_units]]``: a part of the organization that a wave can name."""

    name: Annotated[Name, Field(description="How this file calls it.")]
    id: Annotated[OrganizationalUnitId, Field(description="Its id in AWS Organizations.")]


class Account(Table):
    """``[[accounts]]``: a member account; only accounts of this file may sign."""

    name: Annotated[Name, Field(description="How this file calls it.")]
    id: Annotated[AccountId, Field(description="Its 12 digits.")]
    organizational_unit: Annotated[
        Name | None,
        Field(description="The name of the unit that it is in; leave it away for an account that is in none of them."),
    ] = None


class Signers(Table):
    """``[applications.signers]``: whom AWS Signer lets sign with the application's profiles."""

    accounts: Annotated[
        tuple[AccountId, ...],
        Field(description="Whole accounts, whose own policies then decide. Each must be an account of this file."),
    ] = ()
    roles: Annotated[
        tuple[RoleArnValue, ...],
        Field(description="Roles by ARN, of accounts of this file. AWS Signer refuses a role with a path."),
    ] = ()
    oidc_role: Annotated[
        RoleArnValue | None,
        Field(description="The role that the CI system assumes through OpenID Connect; the rules of roles hold."),
    ] = None


class Application(Table):
    """``[[applications]]``: what is built, signed and approved as one."""

    name: Annotated[
        ApplicationName,
        Field(description="How this file calls it; part of the profile names, where '-' becomes '_'."),
    ]
    owners: Annotated[tuple[Email, ...], Field(min_length=1, description="Email addresses of the people to ask.")]
    mode: Annotated[
        Literal["Warn", "Enforce"],
        Field(
            description="What the application's central config does with untrusted code; in member accounts, their "
            "wave says so. Enforce: it is refused. Warn: it is deployed and logged."
        ),
    ] = "Enforce"
    part: Annotated[
        int,
        Field(
            ge=1,
            le=99,
            description="In which of a wave's StackSets its config is. Only where one template cannot hold all "
            "applications; an application that was rolled out stays in its part.",
        ),
    ] = 1
    signers: Annotated[Signers, Field(description="Who may sign, see the next table.")] = Signers()


class SigningProfile(Table):
    """``[[signing_profiles]]``: one generation of an application's signing profile."""

    application: Annotated[ApplicationName, Field(description="The name of an application.")]
    generation: Annotated[
        int,
        Field(ge=1, le=9999, description="Part of the profile's name. A change of validity needs the next generation."),
    ]
    validity: Annotated[
        ValidityValue,
        Field(
            description='How long a signature is valid, such as "135 months": 1 day to 4106 days, 135 months, 11 years.'
        ),
    ]
    state: Annotated[
        Literal["announced", "active", "retiring", "retired"],
        Field(
            description="announced: is accepted, signs nothing yet. active: signs and is accepted, exactly one an "
            "application. retiring: is accepted, signs nothing new. retired: neither, but stays here because its name "
            "can never be used again."
        ),
    ]
    version: Annotated[
        ProfileVersion | None,
        Field(
            description="The version that AWS gave the profile (10 letters and digits). Needed only where the "
            "publisher account is another than the security account."
        ),
    ] = None

    @property
    def is_accepted(self) -> bool:
        """Tell whether code signing configs accept what this generation signed: it is announced, active or retiring."""
        return self.state != "retired"

    def profile_name(self, organization: OrganizationTable) -> str:
        """Return the profile's name in AWS, such as ``acme_payments_g2``."""
        return profile_name(organization.name, self.application, self.generation)

    def profile_arn(self, organization: OrganizationTable) -> SigningProfileArn:
        """Return the profile's ARN, in the publisher account and the home Region."""
        return SigningProfileArn(
            organization.partition,
            organization.home_region,
            organization.publisher_account,
            self.profile_name(organization),
        )

    def profile_version_arn(self, organization: OrganizationTable) -> SigningProfileVersionArn | None:
        """Return the profile version's ARN, or None where the file does not record the version."""
        return None if self.version is None else self.profile_arn(organization).version(self.version)


class ExternalPublisher(Table):
    """``[[external_publishers]]``: a vendor whose signed code, mostly layers, is accepted."""

    name: Annotated[Name, Field(description="How this file calls it.")]
    vendor: Annotated[Reason, Field(description="Who signs.")]
    profile_version_arn: Annotated[
        ProfileVersionArnValue,
        Field(description="The full signing profile version ARN, as the vendor publishes it."),
    ]
    applications: Annotated[
        tuple[ApplicationName, ...] | None,
        Field(min_length=1, description="The applications that accept it; without this key, every application does."),
    ] = None
    reason: Annotated[Reason, Field(description="What it is needed for.")]
    review_by: Annotated[
        date, Field(description="The day by which somebody has to ask again whether it is needed; not in the past.")
    ]

    def serves(self, application: str) -> bool:
        """Tell whether an application, given by name, accepts this publisher."""
        return self.applications is None or application in self.applications


class Preferences(Table):
    """``[waves.preferences]``: how a wave is rolled out (CloudFormation's StackSet operation preferences)."""

    max_concurrent_percentage: Annotated[
        int,
        Field(
            ge=1, le=100, description="How many percent of the accounts are changed at a time, at least one account."
        ),
    ] = 10
    failure_tolerance_percentage: Annotated[
        int,
        Field(ge=0, le=100, description="How many percent of a Region's accounts may fail before the wave stops."),
    ] = 0
    region_order: Annotated[
        tuple[Region, ...],
        Field(description="All target Regions in the order to follow; without it, the order of target_regions."),
    ] = ()
    regions_in_parallel: Annotated[
        bool, Field(description="All Regions at a time; then there is no order to state.")
    ] = False


class Wave(Table):
    """``[[waves]]``: organizational units that are changed together, in the order of the file."""

    name: Annotated[Name, Field(description="How this file calls it.")]
    mode: Annotated[
        Literal["Warn", "Enforce"],
        Field(description="What happens to untrusted code. Warn: it is deployed and logged. Enforce: it is refused."),
    ]
    organizational_units: Annotated[
        tuple[Name, ...],
        Field(min_length=1, description="Names of organizational units; each is in one wave at most."),
    ]
    drift: Annotated[
        Literal["detect", "propose", "remediate"],
        Field(
            description="What is done about drift. detect: it is reported. propose: what would revert it is prepared, "
            "a human approves. remediate: it is reverted, unless something would be replaced or deleted."
        ),
    ] = "propose"
    guardrail: Annotated[
        Literal["attach", "dry-run"],
        Field(
            description="Whether the service control policies are attached to the units. dry-run: they are printed and "
            "attached to nothing."
        ),
    ] = "attach"
    preferences: Annotated[Preferences, Field(description="How it is rolled out, see the next table.")] = Preferences()


class Rollout(Table):
    """``[rollout]``: how the StackSets work that carry code signing into member accounts."""

    permission_model: Annotated[
        Literal["service-managed", "self-managed"],
        Field(
            description="service-managed: AWS Organizations lets the security account, a delegated administrator, into "
            "the units; accounts that join later are covered. self-managed: by roles that you make, into the accounts "
            "of this file."
        ),
    ] = "service-managed"
    template: Annotated[
        Literal["inline", "s3"],
        Field(
            description="inline: the template is part of the request and has at most 51,200 bytes. s3: it lies in the "
            "bucket of the CDK bootstrap stack of the security account and has up to 1,000,000."
        ),
    ] = "inline"


class DeveloperGuardrail(Table):
    """``[[developer_guardrails]]``: what an application's developers may touch; at most one an application."""

    application: Annotated[ApplicationName, Field(description="The name of an application.")]
    functions: Annotated[
        tuple[FunctionPattern, ...],
        Field(min_length=1, description="Patterns of function names with the wildcard '*', which cannot stand alone."),
    ]
    execution_roles: Annotated[
        tuple[RoleNamePattern, ...],
        Field(
            min_length=1,
            description="Patterns of role names, without a path, that functions may be given; '*' cannot stand alone.",
        ),
    ]
    layers: Annotated[
        tuple[LayerVersionPattern, ...],
        Field(description="Patterns of layer version ARNs; Region, name and version may hold '*', the account not."),
    ] = ()


class Exemption(Table):
    """``[[exemptions]]``: functions that may stay unsigned for a while."""

    functions: Annotated[FunctionPattern, Field(description="A pattern of function names, '*' cannot stand alone.")]
    owner: Annotated[Email, Field(description="The email address of who answers for it.")]
    reason: Annotated[Reason, Field(description="Why they cannot be signed.")]
    expires: Annotated[date, Field(description="The last day (UTC) on which it holds; not in the past.")]


class DriftRemediationTable(Table):
    """``[drift_remediation]``: how often somebody looks for drift in member accounts, and how much is done at once."""

    application: Annotated[
        ApplicationName,
        Field(description="Whose config the functions are under and whose signing profile signs them."),
    ]
    every_minutes: Annotated[
        int, Field(ge=15, le=1440, description="How often each StackSet is looked at, beside what events start.")
    ] = 60
    max_concurrency: Annotated[
        int, Field(ge=1, le=1000, description="How many batches of instances, or repairs, run at a time.")
    ] = 40
    tolerated_failure_percentage: Annotated[
        int, Field(ge=0, le=100, description="How many percent of them may fail before a run stops.")
    ] = 10
    most_repairs: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            description="How many instances one run puts back without a human; where more would be, all are proposed.",
        ),
    ] = 100
    missing_periods: Annotated[
        int, Field(ge=1, le=7, description="After how many periods without a finished run somebody is told.")
    ] = 2
    expiring_days: Annotated[
        int, Field(ge=1, le=1000, description="How many days ahead to look for signatures that expire.")
    ] = 30


class Notifications(Table):
    """``[notifications]``: who is told."""

    emails: Annotated[tuple[Email, ...], Field(description="Email addresses.")] = ()


class SigningPipeline(Table):
    """``[signing_pipeline]``: signs what applications upload; without the table there is no pipeline."""

    keep_uploads_days: Annotated[
        int, Field(ge=1, le=3650, description="After how many days an upload is deleted; signed code stays.")
    ] = 30
    lock_signed_days: Annotated[
        int | None,
        Field(
            ge=1,
            le=3650,
            description="How many days S3 Object Lock (governance mode) keeps signed code from being deleted; decide "
            "before the first deployment.",
        ),
    ] = None
