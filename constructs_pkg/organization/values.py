"""The kinds of single values in an organization file: each with its rule, its message and its remedy.

A value type is ``Annotated[str, …]``, so that the model reads like the file and pydantic does the walking. What a rule
refuses leaves as a ``PydanticCustomError`` of the type ``problem`` with the message and the remedy in its context;
``constructs_pkg.organization.reading`` turns it into a ``Problem``.

Sources: botocore 1.43.106, models ``organizations`` (shapes ``OrganizationId``, ``OrganizationalUnitId``,
``AccountId``), ``signer`` (``ProfileVersion``), ``lambda`` (``FunctionName``, ``LayerName``),
``iam`` (``roleNameType``).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NoReturn

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, InstanceOf, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from constructs_pkg.arns import RoleArn, SigningProfileVersionArn
from constructs_pkg.errors import ArnError, ValidityError
from constructs_pkg.regions import REGIONS_BY_PARTITION, SIGNER_REGIONS, near_signer_regions, partition_of_region
from constructs_pkg.validity import Validity

__all__ = [
    "AccountId",
    "ApplicationName",
    "Email",
    "FunctionPattern",
    "LayerVersionPattern",
    "Name",
    "OrganizationId",
    "OrganizationName",
    "OrganizationalUnitId",
    "ProfileVersion",
    "ProfileVersionArnValue",
    "Reason",
    "Region",
    "RoleArnValue",
    "RoleNamePattern",
    "ValidityValue",
    "shown",
]

_MOST_SHOWN_CHARACTERS = 80
_MOST_REASON_CHARACTERS = 500
_VALIDITY_PATTERN = "[0-9]{1,6} (day|month|year)s?"


def shown(value: object) -> str:
    """Return a value of a TOML file as a message shows it: bounded, on one line, with control characters escaped."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _MOST_SHOWN_CHARACTERS else f"{value[:_MOST_SHOWN_CHARACTERS]!r}…"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 200:
        return "a very large number"  # Python refuses to print more than 4300 digits
    return str(value)


def refuse(message: str, remedy: str) -> NoReturn:
    """Raise what pydantic collects: a problem with its message (naming the value) and its remedy."""
    raise PydanticCustomError("problem", "{message}", {"message": message, "remedy": remedy})


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that matches one pattern from its first to its last character, and passes one more check if it has one."""

    pattern: str
    what: str
    remedy: str
    check: Callable[[str], None] | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^{self.pattern}$"}

    def _checked(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            refuse(f"{shown(text)} is not {self.what}", self.remedy)
        if self.check is not None:
            self.check(text)
        return text


def _region(region: str) -> str:
    near = ", ".join(near_signer_regions(region[:_MOST_SHOWN_CHARACTERS]))
    remedy = f"Regions near it that AWS Signer serves: {near}" if near else "AWS Signer serves no Region near it"
    if partition_of_region(region) is None:
        refuse(f"{shown(region)} is not an AWS Region", remedy)
    if region not in SIGNER_REGIONS:
        refuse(f"AWS Signer does not serve the Region {region!r}, so no Lambda code can be signed for it", remedy)
    return region


def _email(text: str) -> None:
    local, _, domain = text.rpartition("@")
    if local.startswith(".") or local.endswith(".") or ".." in text or domain.startswith(("-", ".")):
        refuse(f"{text!r} is not an email address", _EMAIL_REMEDY)


def _more_than_wildcards(text: str, what: str, example: str) -> None:
    if not text.strip("*"):
        refuse(f"{text!r} matches every {what}", f"Write what the names begin with, such as {example!r}")


def _function_pattern(text: str) -> None:
    _more_than_wildcards(text, "function", "payments-*")


def _role_pattern(text: str) -> None:
    _more_than_wildcards(text, "role", "payments-*-execution")


def _reason(text: str) -> str:
    if not text.strip() or not text.isprintable():
        refuse(f"{shown(text)} is not one line of readable text", "Write a few words on one line")
    if len(text) > _MOST_REASON_CHARACTERS:
        refuse(f"{shown(text)} has {len(text)} characters", f"Write at most {_MOST_REASON_CHARACTERS}")
    return text


def _validity(value: object) -> Validity:
    remedy = 'Write a period between 1 day and 135 months, such as "135 months", "90 days" or "2 years"'
    if isinstance(value, Validity):
        return value
    if not isinstance(value, str) or re.fullmatch(_VALIDITY_PATTERN, value) is None:
        refuse(f"{shown(value)} is not a validity", remedy)
    try:
        return Validity.parse(value)
    except ValidityError:
        refuse(f"{shown(value)} is not a validity that AWS Signer has", remedy)


def _role_arn(value: object) -> RoleArn:
    if isinstance(value, RoleArn):
        return value
    if not isinstance(value, str):
        refuse(
            f"{shown(value)} is not a text", 'Write the role\'s ARN in quotes: "arn:aws:iam::123456789012:role/NAME"'
        )
    try:
        role = RoleArn.parse(value)
    except ArnError as error:
        _refuse_arn(error)
    if role.has_path:
        refuse(
            f"{shown(value)} has the path {role.path!r}, and AWS Signer refuses a role with a path as a principal",
            f"Name a role without a path, or put the whole account {role.account!r} into signers.accounts",
        )
    return role


def _profile_version_arn(value: object) -> SigningProfileVersionArn:
    if isinstance(value, SigningProfileVersionArn):
        return value
    if not isinstance(value, str):
        refuse(f"{shown(value)} is not a text", "Write the vendor's signing profile version ARN in quotes")
    try:
        arn = SigningProfileVersionArn.parse(value)
    except ArnError as error:
        _refuse_arn(error)
    _region(arn.region)
    return arn


def _refuse_arn(error: ArnError) -> NoReturn:
    """Split an ARN's message, which ends with its remedy after the last full stop and space."""
    message, stop, remedy = str(error).rpartition(". ")
    refuse(message if stop else remedy, remedy if stop else "Copy the ARN again from where AWS shows it")


def _layer_pattern(text: str) -> None:
    _, partition, _, region, _ = text.split(":", 4)
    if partition not in REGIONS_BY_PARTITION:
        refuse(f"{shown(text)} has the partition {partition!r}", f"Known partitions: {', '.join(REGIONS_BY_PARTITION)}")
    if region != "*" and region not in REGIONS_BY_PARTITION[partition]:
        refuse(f"{region!r} is not a Region of the partition {partition!r}", "Write a Region in full, or '*'")


_EMAIL_REMEDY = "Write one address such as 'team@acme.example'"
_NAME_REMEDY = "Use a lower-case letter first, then lower-case letters, digits, '-' and '_', at most 40 characters"

OrganizationId = Annotated[
    str,
    _Text(
        r"o-[a-z0-9]{10,32}",
        "an organization id",
        "It looks like 'o-a1b2c3d4e5'; 'aws organizations describe-organization' prints it",
    ),
]
OrganizationName = Annotated[
    str,
    _Text(
        r"[a-z][a-z0-9]{1,19}",
        "a name that signing profile names can begin with",
        "Use 2 to 20 lower-case letters and digits, a letter first",
    ),
]
OrganizationalUnitId = Annotated[
    str,
    _Text(
        r"ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}",
        "an organizational unit id",
        "It looks like 'ou-a1b2-12345678'; 'aws organizations list-organizational-units-for-parent' prints it",
    ),
]
AccountId = Annotated[
    str, _Text(r"[0-9]{12}", "an account id", "Write its 12 digits in quotes, with the zeros in front")
]
Name = Annotated[str, _Text(r"[a-z][a-z0-9_-]{0,39}", "a name that can be used here", _NAME_REMEDY)]
ApplicationName = Annotated[str, _Text(r"[a-z][a-z0-9_-]{0,39}", "an application name", _NAME_REMEDY)]
Email = Annotated[
    str,
    _Text(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,63}", "an email address", _EMAIL_REMEDY, _email),
]
ProfileVersion = Annotated[
    str,
    _Text(
        r"[A-Za-z0-9]{10}",
        "a signing profile version",
        "It has exactly 10 letters and digits; 'aws signer get-signing-profile' prints it as profileVersion",
    ),
]
FunctionPattern = Annotated[
    str,
    _Text(
        r"[A-Za-z0-9_*-]{1,64}",
        "a pattern of function names",
        "Use letters, digits, '-', '_' and the wildcard '*', at most 64 characters, such as 'payments-*'",
        _function_pattern,
    ),
]
RoleNamePattern = Annotated[
    str,
    _Text(
        r"[A-Za-z0-9_+=,.@*-]{1,64}",
        "a pattern of role names",
        "Write the role's name alone, without an ARN or a path, such as 'payments-*-execution'",
        _role_pattern,
    ),
]
LayerVersionPattern = Annotated[
    str,
    _Text(
        r"arn:[a-z-]{3,20}:lambda:(\*|[a-z0-9-]{9,20}):[0-9]{12}:layer:[A-Za-z0-9_*-]{1,140}:(\*|[1-9][0-9]{0,9})",
        "a pattern of layer version ARNs",
        "It looks like 'arn:aws:lambda:*:222222222222:layer:payments-*:*': the Region and the version may be '*', "
        "the account may not",
        _layer_pattern,
    ),
]
Reason = Annotated[str, BeforeValidator(lambda value: _reason(value) if isinstance(value, str) else value)]
Region = Annotated[
    str,
    BeforeValidator(lambda value: _region(value) if isinstance(value, str) else value),
    WithJsonSchema({"type": "string", "enum": sorted(SIGNER_REGIONS)}),
]
ValidityValue = Annotated[
    InstanceOf[Validity],
    BeforeValidator(_validity),
    WithJsonSchema({"type": "string", "pattern": f"^{_VALIDITY_PATTERN}$"}),
]
RoleArnValue = Annotated[
    InstanceOf[RoleArn],
    BeforeValidator(_role_arn),
    WithJsonSchema({"type": "string", "pattern": "^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@-]{1,64}$"}),
]
ProfileVersionArnValue = Annotated[
    InstanceOf[SigningProfileVersionArn],
    BeforeValidator(_profile_version_arn),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^arn:[a-z-]+:signer:[a-z0-9-]+:[0-9]{12}:/signing-profiles/[A-Za-z0-9_]{2,64}/[A-Za-z0-9]{10}$",
        }
    ),
]
