"""Rules LCS111 to LCS119: the publishers that a code signing config made in this app trusts."""

import re
from collections.abc import Iterator

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.errors import ArnError
from constructs_pkg.plurals import counted
from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import AttributeOf, Known, Possible, flattened
from constructs_pkg.rules.violation import Hit, Rule, Severity
from constructs_pkg.signing.policy import MAX_PUBLISHERS

__all__ = ["PROFILE_TYPE", "RULES", "check_publishers", "profiles_of", "publishers_of"]

PROFILE_TYPE = "AWS::Signer::SigningProfile"
_LOCATION = "Properties/AllowedPublishers/SigningProfileVersionArns"
_WHY_ARN = "A config takes any text; with the wrong one it trusts nobody, and every deployment fails when it enforces."
_REMEDY_ARN = (
    "Use the attribute ProfileVersionArn, or profileVersionArn of 'aws signer get-signing-profile --profile-name NAME'"
)

PROFILE_ARN = Rule("LCS111", "A publisher is a profile, not a version of one", Severity.ERROR, _WHY_ARN, _REMEDY_ARN)
TWO_SLASHES = Rule(
    "LCS112",
    "A publisher's ARN has two slashes before 'signing-profiles'",
    Severity.ERROR,
    "aws-cdk-lib's SigningProfile.from_signing_profile_attributes renders it so, and for the stack's own account.",
    "Use LambdaSigningProfile.from_version_arn of this package, or write the ARN with one slash",
)
NO_VERSION = Rule(
    "LCS113", "A publisher's ARN ends where its version should stand", Severity.ERROR, _WHY_ARN, _REMEDY_ARN
)
SINGULAR = Rule(
    "LCS114",
    "A publisher's ARN says 'signing-profile', in the singular",
    Severity.ERROR,
    "AWS's own CloudFormation sample has this mistake. " + _WHY_ARN,
    "Write ':/signing-profiles/', in the plural",
)
WRONG_LENGTH = Rule(
    "LCS115", "A publisher's version does not have 10 letters and digits", Severity.ERROR, _WHY_ARN, _REMEDY_ARN
)
OTHER_ARN = Rule(
    "LCS116", "A publisher is no signing profile version ARN at all", Severity.ERROR, _WHY_ARN, _REMEDY_ARN
)
WRONG_NUMBER = Rule(
    "LCS117",
    "A code signing config has no publisher, or more than 20",
    Severity.ERROR,
    "AWS Lambda takes 1 to 20 (botocore 1.43.106, lambda service model).",
    "Keep the publishers that sign code for these functions, and make a second config for others",
)
UNKNOWN_PUBLISHER = Rule(
    "LCS118",
    "A code signing config trusts a publisher that the policy does not know",
    Severity.FATAL,
    "Whoever may sign with that profile gets code into these functions.",
    "Leave it away, or have the security team add it to allowed_publishers of the policy file",
)
UNDECIDED_PUBLISHER = Rule(
    "LCS119",
    "Whom a code signing config trusts is open until the deployment",
    Severity.FATAL,
    "Whoever deploys decides who is trusted.",
    "Write the publishers' ARNs, or AllowedValues for the parameter",
)
RULES = (
    PROFILE_ARN,
    TWO_SLASHES,
    NO_VERSION,
    SINGULAR,
    WRONG_LENGTH,
    OTHER_ARN,
    WRONG_NUMBER,
    UNKNOWN_PUBLISHER,
    UNDECIDED_PUBLISHER,
)

_SHAPES = (
    (re.compile(r":/{2,}signing-profiles?/"), TWO_SLASHES),
    (re.compile(r":/?signing-profile/"), SINGULAR),
    (re.compile(r":/?signing-profiles/[^/]*$"), PROFILE_ARN),
    (re.compile(r":/?signing-profiles/[^/]+/$"), NO_VERSION),
    (re.compile(r":/signing-profiles/[A-Za-z0-9_]{2,64}/(?![A-Za-z0-9]{10}$)[^/]+$"), WRONG_LENGTH),
)
# What a placeholder stands for has the form that belongs there, so that only the rest of the text is judged.
_SAMPLES = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "ProfileName": "name",
    "ProfileVersion": "0123456789",
}
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[^}]*)\}")


def publishers_of(config: Resource) -> tuple[Possible, ...]:
    """Return everything that a config of this app may list as its publishers."""
    listed = as_mapping(config.properties.get("AllowedPublishers")).get("SigningProfileVersionArns")
    return tuple(flattened(config.template, listed))


def profiles_of(config: Resource) -> tuple[Resource, ...]:
    """Return the signing profiles of this app that a config lists."""
    return tuple(
        item.resource
        for item in publishers_of(config)
        if isinstance(item, AttributeOf) and item.resource.type == PROFILE_TYPE
    )


def check_publishers(config: Resource, context: CheckContext) -> Iterator[Hit]:
    """Judge the publishers of a config made in this app."""
    publishers = publishers_of(config)
    if not 1 <= len(publishers) <= MAX_PUBLISHERS:
        yield Hit(WRONG_NUMBER, f"The config lists {counted(len(publishers), 'publisher')}", _LOCATION)
    for publisher in publishers:
        yield from _judged(publisher, context)


def _judged(publisher: Possible, context: CheckContext) -> Iterator[Hit]:
    if isinstance(publisher, AttributeOf) and publisher.resource.type == PROFILE_TYPE:
        yield from _judged_profile(publisher, context)
    elif isinstance(publisher, Known) and isinstance(publisher.value, str):
        yield from _judged_text(publisher.value, context)
    else:
        shown = publisher.value if isinstance(publisher, Known) else publisher
        yield Hit(UNDECIDED_PUBLISHER, f"A publisher is {shown}", _LOCATION)


def _judged_profile(publisher: AttributeOf, context: CheckContext) -> Iterator[Hit]:
    profile = publisher.resource
    if publisher.attribute in {"Ref", "Arn"}:
        message = f"{publisher} is the ARN of the profile {profile.logical_id}, not of its version"
        yield Hit(PROFILE_ARN, message, _LOCATION, f"Use {profile.logical_id}.ProfileVersionArn")
    elif publisher.attribute != "ProfileVersionArn":
        yield Hit(OTHER_ARN, f"{publisher} is no ARN", _LOCATION, f"Use {profile.logical_id}.ProfileVersionArn")
    elif context.policy is not None and not _is_known_profile(profile, context):
        message = f"The profile {profile.logical_id} is made in this app, and the policy does not know it"
        yield Hit(UNKNOWN_PUBLISHER, message, _LOCATION)


def _is_known_profile(profile: Resource, context: CheckContext) -> bool:
    """Tell whether a profile of this app is one whose versions the policy allows: that of the platform's own app."""
    name = profile.properties.get("ProfileName")
    known = () if context.policy is None else context.policy.allowed_publishers
    account, region = profile.template.account, profile.template.region
    return any(
        item.name == name and account in {None, item.account} and region in {None, item.region} for item in known
    )


def _judged_text(text: str, context: CheckContext) -> Iterator[Hit]:
    sample = _PLACEHOLDER.sub(_sample, text)
    try:
        arn = SigningProfileVersionArn.parse(sample)
    except ArnError as error:
        rule = next((rule for shape, rule in _SHAPES if shape.search(sample)), OTHER_ARN)
        shown = str(error) if sample == text else f"{text!r} is rendered as {error}"
        if "${" in text and rule is OTHER_ARN:
            yield Hit(UNDECIDED_PUBLISHER, f"The publisher {text!r} holds what is open", _LOCATION)
        else:
            yield Hit(rule, shown, _LOCATION)
        return
    if sample != text:
        yield Hit(UNDECIDED_PUBLISHER, f"The publisher {text!r} holds what is open", _LOCATION)
    elif context.policy is not None and arn not in context.policy.allowed_publishers:
        yield Hit(UNKNOWN_PUBLISHER, f"The publisher {arn} is not in the policy's allowed_publishers", _LOCATION)


def _sample(match: re.Match[str]) -> str:
    name = match["name"]
    return _SAMPLES.get(name) or _SAMPLES.get(name.rpartition(".")[2]) or match.group()
