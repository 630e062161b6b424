"""What was read in one account and Region, as plain values; what could not be read is a gap, never an empty list."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "ConfigReading",
    "DeploymentReading",
    "Failure",
    "FailureKind",
    "FunctionReading",
    "Gap",
    "MetricReading",
    "Part",
    "Place",
    "PlaceReading",
    "Signature",
]


class FailureKind(StrEnum):
    """Why something could not be read."""

    DENIED = "denied"
    THROTTLED = "throttled"
    ACCOUNT_CLOSED = "account_closed"
    REGION_OFF = "region_off"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class Part(StrEnum):
    """What is read of a place."""

    FUNCTIONS = "functions"
    CONFIGS = "code_signing_configs"
    APPROVED = "approved_configs"
    DEPLOYMENTS = "deployments"
    ERRORS = "validation_errors"
    LAYERS = "published_layers"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An account in a Region."""

    account: str
    region: str

    def __str__(self) -> str:
        """Return ``account/Region``."""
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a function's code or a layer, as Lambda tells it; both None where it tells nothing.

    Lambda reads a signature when it deploys code under a code signing config. Whether it tells anything of code that
    was deployed without one is not documented.

    Attributes:
        profile_version_arn: The signing profile version.
        job_arn: The signing job.
    """

    profile_version_arn: str | None = None
    job_arn: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionReading:
    """A function in one version.

    Attributes:
        name: Without its version.
        version: ``$LATEST``, or the number of a published version.
        is_image: Whether it is a container image, which cannot be signed this way.
        config_arn: Its code signing config, None where it has none.
        code: Who signed its code.
        layers: Who signed its layers, by layer version ARN.
    """

    name: str
    version: str
    is_image: bool
    config_arn: str | None
    code: Signature
    layers: tuple[tuple[str, Signature], ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """A code signing config.

    Attributes:
        arn: Its ARN.
        mode: ``Warn`` or ``Enforce``.
        publishers: The signing profile version ARNs that it lists.
    """

    arn: str
    mode: str
    publishers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeploymentReading:
    """A deployment whose signature was not valid, as CloudTrail recorded it.

    Attributes:
        function: The function's name, None where the record has none.
        at: When.
        event_name: CloudTrail's name of the call.
        statuses: What was found, such as ``MISMATCH``: every ``signatureStatus`` but ``VALID``, sorted.
        error_code: The error that it was refused with, None where it went through.
    """

    function: str | None
    at: datetime
    event_name: str
    statuses: tuple[str, ...]
    error_code: str | None


@dataclass(frozen=True, slots=True)
class MetricReading:
    """How often ``SignatureValidationErrors`` was counted.

    Attributes:
        function: The function that the metric names, None for one that names none.
        count: The sum over the time that was asked for; above zero.
    """

    function: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Something of a place that is not known.

    Attributes:
        part: What would have been read.
        kind: Why it was not.
        message: What AWS said, and what to do.
    """

    part: Part
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An account, or one of its Regions, of which nothing is known.

    Attributes:
        account: 12 digits.
        region: The Region, None for the whole account.
        kind: Why.
        message: What AWS said, and what to do.
    """

    account: str
    region: str | None
    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class PlaceReading:
    """Everything that was read in an account and Region.

    What a gap is about is empty here and means nothing.

    Attributes:
        place: Where.
        at: When it was read.
        functions: Every function, with its published versions where they were asked for.
        configs: Every code signing config.
        approved: The ARN of each application's config, as the rollout wrote it into the SSM parameters.
        deployments: What was deployed, or refused, with a signature that was not valid.
        errors: What CloudWatch counted.
        published_layers: Who signed each layer version of the account, where it was asked for.
        gaps: What is not known.
    """

    place: Place
    at: datetime
    functions: tuple[FunctionReading, ...] = ()
    configs: tuple[ConfigReading, ...] = ()
    approved: tuple[tuple[str, str], ...] = ()
    deployments: tuple[DeploymentReading, ...] = ()
    errors: tuple[MetricReading, ...] = ()
    published_layers: tuple[tuple[str, Signature], ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def unknown(self) -> frozenset[Part]:
        """Return the parts that are not known."""
        return frozenset(gap.part for gap in self.gaps)

    @property
    def latest_functions(self) -> tuple[FunctionReading, ...]:
        """Return the functions without their published versions: what the next deployment changes."""
        return tuple(function for function in self.functions if function.version == "$LATEST")
