"""Rules LCS401 to LCS405: signing profiles and their permissions."""

from collections.abc import Iterator

from constructs_pkg.arns import RoleArn
from constructs_pkg.errors import ArnError, ValidityError
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.publisher_rules import PROFILE_TYPE, profiles_of
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import AttributeOf, Known, resolve, text_of
from constructs_pkg.rules.violation import Hit, Rule, Severity
from constructs_pkg.signing.template_terms import ProfileRecord
from constructs_pkg.validity import LONGEST_VALIDITY, Validity, ValidityUnit

__all__ = [
    "PERMISSION_TYPE",
    "RULES",
    "check_platform",
    "check_profile_name",
    "check_profile_permission",
    "check_profile_validity",
]

PERMISSION_TYPE = "AWS::Signer::ProfilePermission"
_LAMBDA_PLATFORM = "AWSLambda-SHA384-ECDSA"
_VALIDITY_LOCATION = "Properties/SignatureValidityPeriod"

USED_NAME = Rule(
    "LCS401",
    "A signing profile with a name that was used before",
    Severity.ERROR,
    "AWS Signer gives no profile name free again, not even after the profile was canceled: the deployment fails.",
    "Use the name of the next generation, such as NAME_g3",
)
VALIDITY = Rule(
    "LCS402",
    "A signature validity outside of AWS Signer's bounds",
    Severity.ERROR,
    "AWS Signer takes 1 day to 135 months; AWS CDK checks nothing.",
    "Use 1 to 4106 DAYS, 1 to 135 MONTHS or 1 to 11 YEARS",
)
CREATE_ONLY = Rule(
    "LCS403",
    "A change of a signing profile that only a new profile can have",
    Severity.ERROR,
    "Everything but a profile's tags is create-only: CloudFormation cancels the profile, and with it who is trusted.",
    "Leave the profile as it is and add one of the next generation; accept both until the old signatures have run out",
)
ROLE_WITH_PATH = Rule(
    "LCS404",
    "A permission of a signing profile for a role with a path",
    Severity.ERROR,
    "AWS Signer refuses the ARN of a role with a path as principal.",
    "Name the account instead and narrow it with the role's own policy, or use a role without a path",
)
PLATFORM = Rule(
    "LCS405",
    "A code signing config trusts a profile of another platform",
    Severity.ERROR,
    "Only a profile of the platform AWSLambda-SHA384-ECDSA signs archives for Lambda.",
    "Set PlatformId to AWSLambda-SHA384-ECDSA",
)
RULES = (USED_NAME, VALIDITY, CREATE_ONLY, ROLE_WITH_PATH, PLATFORM)


def check_profile_name(profile: Resource, context: CheckContext) -> Iterator[Hit]:
    """Compare a profile with those that the policy records, and with the others of its template."""
    name = profile.properties.get("ProfileName")
    if not isinstance(name, str):
        return
    for record in _records(profile, name, context):
        if record.status != "Active":
            yield Hit(
                USED_NAME, f"The profile {record.profile_arn} was {record.status.lower()}", "Properties/ProfileName"
            )
        else:
            yield from _changes(profile, record)
    twins = [
        item.logical_id
        for item in profile.template.of_types(PROFILE_TYPE)
        if item.properties.get("ProfileName") == name
    ]
    if len(twins) > 1 and twins[0] != profile.logical_id:
        yield Hit(USED_NAME, f"{name} is the name of {twins[0]} too", "Properties/ProfileName")


def check_profile_validity(profile: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Judge the signature validity period of a profile; without one it has the longest."""
    declared = profile.properties.get("SignatureValidityPeriod")
    if declared is None or _as_validity(declared) is not None:
        return
    value, unit = as_mapping(declared).get("Value"), as_mapping(declared).get("Type")
    if isinstance(value, dict) or isinstance(unit, dict):
        return  # a parameter; AWS Signer judges it
    try:
        Validity(_whole(value), str(unit))  # pyright: ignore[reportArgumentType] (the class checks the unit)
    except ValidityError as error:
        yield Hit(VALIDITY, str(error), _VALIDITY_LOCATION)


def check_platform(config: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Judge the platforms of the profiles that a config lists; a profile that no config lists may have any."""
    for profile in profiles_of(config):
        platforms = resolve(profile.template, profile.properties.get("PlatformId"))
        if platforms != (Known(_LAMBDA_PLATFORM),):
            shown = text_of(profile.template, profile.properties.get("PlatformId"))
            yield Hit(
                PLATFORM, f"The profile {profile.logical_id} has the platform {shown}", "Properties/AllowedPublishers"
            )


def check_profile_permission(permission: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Judge the principal of a profile permission."""
    for principal in resolve(permission.template, permission.properties.get("Principal")):
        if isinstance(principal, AttributeOf) and principal.resource.type == "AWS::IAM::Role":
            path = text_of(principal.resource.template, principal.resource.properties.get("Path", "/"))
            if path != "/":
                message = f"The role {principal.resource.logical_id} has the path {path}"
                yield Hit(ROLE_WITH_PATH, message, "Properties/Principal")
        elif isinstance(principal, Known) and isinstance(principal.value, str) and _has_path(principal.value):
            yield Hit(ROLE_WITH_PATH, f"The principal {principal.value} has a path", "Properties/Principal")


def _records(profile: Resource, name: str, context: CheckContext) -> Iterator[ProfileRecord]:
    """Yield what the policy records under a name, for this account and Region as far as they are known."""
    account, region = profile.template.account, profile.template.region
    for record in () if context.policy is None else context.policy.templates.recorded_profiles:
        arn = record.profile_arn
        if arn.name == name and account in {None, arn.account} and region in {None, arn.region}:
            yield record


def _changes(profile: Resource, record: ProfileRecord) -> Iterator[Hit]:
    declared = profile.properties.get("SignatureValidityPeriod")
    validity = LONGEST_VALIDITY if declared is None else _as_validity(declared)
    if record.validity is not None and validity is not None and validity != record.validity:
        message = f"The profile {record.profile_arn} has a validity of {record.validity}; this template says {validity}"
        yield Hit(CREATE_ONLY, message, _VALIDITY_LOCATION)
    platform = profile.properties.get("PlatformId")
    if record.platform_id is not None and isinstance(platform, str) and platform != record.platform_id:
        message = (
            f"The profile {record.profile_arn} has the platform {record.platform_id}; this template says {platform}"
        )
        yield Hit(CREATE_ONLY, message, "Properties/PlatformId")


def _as_validity(declared: object) -> Validity | None:
    value, unit = as_mapping(declared).get("Value"), as_mapping(declared).get("Type")
    units: dict[object, ValidityUnit] = {"DAYS": "DAYS", "MONTHS": "MONTHS", "YEARS": "YEARS"}
    try:
        return Validity(_whole(value), units[unit]) if isinstance(unit, str) and unit in units else None
    except ValidityError:
        return None


def _whole(value: object) -> int:
    """Return a whole number, which templates write as a text too; anything else as a number out of bounds."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _has_path(principal: str) -> bool:
    """Tell whether a principal is a role with a path; what is open in its ARN is taken for one name."""
    text = principal.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "123456789012")
    try:
        return RoleArn.parse(text).has_path
    except ArnError:
        return False  # an account, or something that AWS Signer will judge
