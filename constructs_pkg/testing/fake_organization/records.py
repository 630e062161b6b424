"""What there is in one account and Region of a fake organization."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from constructs_pkg.testing.fake_organization.stack_records import FakeStack

__all__ = ["ConfigRecord", "EventRecord", "FakeAccount", "FunctionRecord", "LayerRecord", "MetricRecord", "Place"]


class FakeAccount:
    """An account: its unit, and the roles that somebody from another account may assume.

    Attributes:
        account: 12 digits.
        parent: The id of its organizational unit or root.
        roles: Names of roles that trust the caller's account.
    """

    def __init__(self, account: str, parent: str, roles: Sequence[str]) -> None:
        self.account, self.parent, self.roles = account, parent, set(roles)


@dataclass
class FunctionRecord:
    """A Lambda function.

    Attributes:
        name: Its name.
        config_arn: Its code signing config, None where it has none.
        config_since: The second of the clock since when it has that config.
        profile_version_arn: Who signed the code, None where it is unsigned.
        job_arn: The signing job of the code.
        layers: ARNs of its layer versions.
        package_type: ``Zip`` or ``Image``.
        versions: Published versions: number, profile version ARN and signing job ARN.
    """

    name: str
    config_arn: str | None
    config_since: float
    profile_version_arn: str | None
    job_arn: str | None
    layers: tuple[str, ...] = ()
    package_type: str = "Zip"
    versions: tuple[tuple[str, str | None, str | None], ...] = ()


@dataclass
class LayerRecord:
    """A layer version, signed or not."""

    arn: str
    profile_version_arn: str | None
    job_arn: str | None


@dataclass
class ConfigRecord:
    """A code signing config."""

    arn: str
    publishers: tuple[str, ...]
    mode: str


@dataclass
class EventRecord:
    """A management event of CloudTrail: its name, its moment, and the record."""

    name: str
    at: datetime
    record: dict[str, Any]


@dataclass
class MetricRecord:
    """Data points of one metric: dimensions, and (moment, value) pairs."""

    name: str
    dimensions: tuple[tuple[str, str], ...]
    points: list[tuple[datetime, float]] = field(default_factory=list[tuple[datetime, float]])


@dataclass
class Place:
    """One account in one Region."""

    account: str
    region: str
    functions: dict[str, FunctionRecord] = field(default_factory=dict[str, FunctionRecord])
    layers: dict[str, LayerRecord] = field(default_factory=dict[str, LayerRecord])
    configs: dict[str, ConfigRecord] = field(default_factory=dict[str, ConfigRecord])
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    events: list[EventRecord] = field(default_factory=list[EventRecord])
    metrics: list[MetricRecord] = field(default_factory=list[MetricRecord])
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    stacks: dict[str, FakeStack] = field(default_factory=dict[str, FakeStack])
