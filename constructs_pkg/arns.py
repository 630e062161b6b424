"""Typed ARNs of what code signing touches: parse, format, and a message of its own for each mistake people make.

The patterns are those of botocore 1.43.106's ``lambda`` and ``signer`` service models (shapes ``CodeSigningConfigArn``,
``FunctionArn``, ``LayerVersionArn`` without AWS's own ``awslayer`` form, ``RoleArn``, ``ProfileName``,
``ProfileVersion``); the ARN shapes of signing profiles and jobs, which the models leave open, are those of the service
authorization data for AWS Signer.

Nothing here asks AWS whether the thing exists, and nothing here understands CDK tokens: a token is not an ARN yet.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from constructs_pkg.errors import ArnError
from constructs_pkg.regions import REGIONS_BY_PARTITION, partition_of_region

__all__ = [
    "Arn",
    "CodeSigningConfigArn",
    "FunctionArn",
    "LayerVersionArn",
    "RoleArn",
    "SigningJobArn",
    "SigningProfileArn",
    "SigningProfileVersionArn",
    "parse_arn",
]

_MAX_ARN_CHARACTERS = 2048
_REGION = re.compile(r"(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-[0-9]")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PROFILE_NAME = re.compile(r"[A-Za-z0-9_]{2,64}")
_PROFILE_VERSION = re.compile(r"[A-Za-z0-9]{10}")
_JOB_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CONFIG_ID = re.compile(r"csc-[a-z0-9]{17}")
_FUNCTION = re.compile(r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]{1,128}))?")
_LAYER_VERSION = re.compile(r"(?P<name>[A-Za-z0-9_-]{1,140}):(?P<version>[1-9][0-9]{0,9})")
_ROLE = re.compile(r"(?P<path>/(?:[\x21-\x7e]{1,510}/)?)(?P<name>[A-Za-z0-9_+=,.@-]{1,64})")


@dataclass(frozen=True, slots=True)
class Arn:
    """What all ARNs have in common.

    ``parse`` checks everything; the constructors check nothing and are for parts that were checked before.

    Attributes:
        partition: ``aws``, ``aws-cn``, ``aws-us-gov``, …
        region: Such as ``eu-west-1``; empty for a role.
        account: Twelve digits.
    """

    service: ClassVar[str]
    form: ClassVar[str]
    partition: str
    region: str
    account: str

    @property
    def resource(self) -> str:
        """Return the part after the account."""
        raise TypeError(f"{type(self).__name__} is abstract")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one ARN of exactly this kind.

        Args:
            text: The ARN.

        Raises:
            ArnError: It is not; the message names the text, what is wrong with it and the right form.
        """
        partition, region, account, resource = _split(text, cls.service, cls.form)
        return cls._from_resource(text, partition, region, account, resource)

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        raise TypeError(f"{cls.__name__} is abstract: {text} {partition} {region} {account} {resource}")

    def __str__(self) -> str:
        """Return the ARN as AWS writes it."""
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


@dataclass(frozen=True, slots=True)
class SigningProfileArn(Arn):
    """``arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME``: a profile in all of its versions."""

    service: ClassVar[str] = "signer"
    form: ClassVar[str] = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/NAME"
    name: str

    @property
    def resource(self) -> str:
        """Return ``/signing-profiles/NAME``."""
        return f"/signing-profiles/{self.name}"

    def version(self, version: str) -> "SigningProfileVersionArn":
        """Return the ARN of one version (10 letters and digits) of this profile.

        Raises:
            ArnError: The version has another form.
        """
        return SigningProfileVersionArn.parse(f"{self}/{version}")

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        name, version = _profile_parts(text, resource)
        if version == "":
            raise ArnError(f"{text!r} ends with a '/'. A signing profile ARN ends with the name; leave the '/' away")
        if version is not None:
            raise ArnError(
                f"{text!r} names one version of a signing profile where the profile itself is wanted. "
                f"Leave {'/' + version!r} away"
            )
        return cls(partition, region, account, name)


@dataclass(frozen=True, slots=True)
class SigningProfileVersionArn(Arn):
    """``arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION``: what a code signing config lists."""

    service: ClassVar[str] = "signer"
    form: ClassVar[str] = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/NAME/VERSION"
    name: str
    profile_version: str

    @property
    def resource(self) -> str:
        """Return ``/signing-profiles/NAME/VERSION``."""
        return f"/signing-profiles/{self.name}/{self.profile_version}"

    @property
    def profile(self) -> SigningProfileArn:
        """Return the ARN of the profile without its version."""
        return SigningProfileArn(self.partition, self.region, self.account, self.name)

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        name, version = _profile_parts(text, resource)
        if version is None:
            raise ArnError(
                f"{text!r} is a signing profile ARN, not a signing profile version ARN: it ends after the name. "
                "Use profileVersionArn from 'aws signer get-signing-profile'"
            )
        if version == "":
            raise ArnError(
                f"{text!r} has no version after the last '/'. "
                "Use profileVersionArn from 'aws signer get-signing-profile', with its 10-character version"
            )
        if _PROFILE_VERSION.fullmatch(version) is None:
            raise ArnError(
                f"{text!r} has the version {version!r} of {len(version)} characters; "
                "a signing profile version is exactly 10 letters and digits. Copy it again from AWS Signer"
            )
        return cls(partition, region, account, name, version)


@dataclass(frozen=True, slots=True)
class SigningJobArn(Arn):
    """``arn:aws:signer:REGION:ACCOUNT:/signing-jobs/UUID``."""

    service: ClassVar[str] = "signer"
    form: ClassVar[str] = "arn:aws:signer:eu-west-1:123456789012:/signing-jobs/UUID"
    job_id: str

    @property
    def resource(self) -> str:
        """Return ``/signing-jobs/UUID``."""
        return f"/signing-jobs/{self.job_id}"

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        prefix, _, job_id = resource.rpartition("/")
        if prefix != "/signing-jobs" or _JOB_ID.fullmatch(job_id) is None:
            raise ArnError(f"{text!r} is not a signing job ARN. It looks like {cls.form}")
        return cls(partition, region, account, job_id)


@dataclass(frozen=True, slots=True)
class CodeSigningConfigArn(Arn):
    """``arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-…``: the id is random and known only once it is made."""

    service: ClassVar[str] = "lambda"
    form: ClassVar[str] = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    config_id: str

    @property
    def resource(self) -> str:
        """Return ``code-signing-config:csc-…``."""
        return f"code-signing-config:{self.config_id}"

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        prefix, _, config_id = resource.partition(":")
        if prefix != "code-signing-config" or _CONFIG_ID.fullmatch(config_id) is None:
            raise ArnError(f"{text!r} is not a code signing config ARN. It looks like {cls.form}")
        return cls(partition, region, account, config_id)


@dataclass(frozen=True, slots=True)
class FunctionArn(Arn):
    """``arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]``; the qualifier is a version or an alias."""

    service: ClassVar[str] = "lambda"
    form: ClassVar[str] = "arn:aws:lambda:eu-west-1:123456789012:function:NAME"
    name: str
    qualifier: str | None = None

    @property
    def resource(self) -> str:
        """Return ``function:NAME`` with the qualifier where there is one."""
        return f"function:{self.name}" if self.qualifier is None else f"function:{self.name}:{self.qualifier}"

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        prefix, _, rest = resource.partition(":")
        match = _FUNCTION.fullmatch(rest)
        if prefix != "function" or match is None:
            raise ArnError(f"{text!r} is not a Lambda function ARN. It looks like {cls.form}")
        return cls(partition, region, account, match["name"], match["qualifier"])


@dataclass(frozen=True, slots=True)
class LayerVersionArn(Arn):
    """``arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION``."""

    service: ClassVar[str] = "lambda"
    form: ClassVar[str] = "arn:aws:lambda:eu-west-1:123456789012:layer:NAME:1"
    name: str
    layer_version: int

    @property
    def resource(self) -> str:
        """Return ``layer:NAME:VERSION``."""
        return f"layer:{self.name}:{self.layer_version}"

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        prefix, _, rest = resource.partition(":")
        match = _LAYER_VERSION.fullmatch(rest)
        if prefix == "layer" and match is None and ":" not in rest:
            raise ArnError(f"{text!r} is a layer ARN without a version. Add the layer version, such as ':1'")
        if prefix != "layer" or match is None:
            raise ArnError(f"{text!r} is not a layer version ARN. It looks like {cls.form}")
        return cls(partition, region, account, match["name"], int(match["version"]))


@dataclass(frozen=True, slots=True)
class RoleArn(Arn):
    """``arn:aws:iam::ACCOUNT:role[/PATH]/NAME``; ``region`` is empty, ``path`` begins and ends with a slash."""

    service: ClassVar[str] = "iam"
    form: ClassVar[str] = "arn:aws:iam::123456789012:role/NAME"
    path: str
    name: str

    @property
    def resource(self) -> str:
        """Return ``role/PATH/NAME``."""
        return f"role{self.path}{self.name}"

    @property
    def has_path(self) -> bool:
        """Tell whether the role has a path, which AWS Signer refuses in a profile permission."""
        return self.path != "/"

    @classmethod
    def _from_resource(cls, text: str, partition: str, region: str, account: str, resource: str) -> Self:
        match = _ROLE.fullmatch(resource.removeprefix("role"))
        if not resource.startswith("role/") or match is None:
            raise ArnError(f"{text!r} is not an IAM role ARN. It looks like {cls.form}")
        return cls(partition, region, account, match["path"], match["name"])


def parse_arn(text: str) -> Arn:
    """Read an ARN of any kind that this module knows.

    Args:
        text: The ARN.

    Raises:
        ArnError: It is none of them; the message is that of the kind which it resembles most.
    """
    resource = text.split(":", 5)[-1]
    if text.count(":") >= 5:
        for prefix, kind in _KIND_BY_PREFIX.items():
            if resource.startswith(prefix):
                return kind.parse(text)
        if resource.lstrip("/").startswith("signing-profile"):
            has_version = resource.rstrip("/").count("/") - resource.startswith("//") > 2
            return (SigningProfileVersionArn if has_version else SigningProfileArn).parse(text)
    kinds = ", ".join(
        kind.__name__ for kind in (SigningProfileArn, SigningProfileVersionArn, *_KIND_BY_PREFIX.values())
    )
    raise ArnError(f"{text!r} is none of the ARNs that code signing knows ({kinds})")


_KIND_BY_PREFIX: dict[str, type[Arn]] = {
    "/signing-jobs/": SigningJobArn,
    "code-signing-config:": CodeSigningConfigArn,
    "function:": FunctionArn,
    "layer:": LayerVersionArn,
    "role/": RoleArn,
}


def _split(text: str, service: str, form: str) -> tuple[str, str, str, str]:
    """Take an ARN apart into partition, Region, account and resource, each checked."""
    if len(text) > _MAX_ARN_CHARACTERS:
        raise ArnError(f"{text[:60]!r}… has {len(text)} characters; an ARN has at most {_MAX_ARN_CHARACTERS}")
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise ArnError(f"{text!r} is not an ARN. Write one such as {form}")
    _, partition, found_service, region, account, resource = parts
    if partition not in REGIONS_BY_PARTITION:
        known = ", ".join(REGIONS_BY_PARTITION)
        raise ArnError(f"{text!r} has the partition {partition!r}. Known partitions: {known}")
    if found_service != service:
        raise ArnError(
            f"{text!r} is an ARN of the service {found_service!r}, not of {service!r}. Write one such as {form}"
        )
    if service == "iam":
        if region:
            raise ArnError(f"{text!r} has the Region {region!r}; IAM is global, leave it empty")
    elif _REGION.fullmatch(region) is None:
        raise ArnError(f"{text!r} has the Region {region!r}. Use one such as 'eu-west-1'")
    elif partition_of_region(region) not in {partition, None}:
        # A Region that is newer than our table may be anywhere: nobody has to wait for a release of ours.
        right = partition_of_region(region)
        raise ArnError(f"{text!r} has the partition {partition!r}, but {region} is in {right!r}. Write 'arn:{right}:'")
    if _ACCOUNT.fullmatch(account) is None:
        raise ArnError(f"{text!r} has the account {account!r}. Use the 12-digit account id")
    return partition, region, account, resource


def _profile_parts(text: str, resource: str) -> tuple[str, str | None]:
    """Return name and version of a signing profile resource; the version is None where there is no such part."""
    if resource.startswith("//"):
        raise ArnError(f"{text!r} has two slashes before 'signing-profiles'. Write ':/signing-profiles/' with one")
    if resource.startswith(("/signing-profile/", "signing-profile/")):
        raise ArnError(f"{text!r} says 'signing-profile'. Write ':/signing-profiles/', in the plural")
    if resource.startswith("signing-profiles/"):
        raise ArnError(f"{text!r} has no slash before 'signing-profiles'. Write ':/signing-profiles/' with one")
    if not resource.startswith("/signing-profiles/"):
        raise ArnError(f"{text!r} is not a signing profile ARN. It looks like {SigningProfileVersionArn.form}")
    name, slash, version = resource.removeprefix("/signing-profiles/").partition("/")
    if _PROFILE_NAME.fullmatch(name) is None:
        raise ArnError(f"{text!r} has the profile name {name!r}. A name has 2 to 64 letters, digits and underscores")
    return name, version if slash else None
