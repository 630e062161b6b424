"""What the organization expects of its member accounts: the document that travels inside the signed package."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from .values import DocumentError, mappings, text, texts

__all__ = [
    "IAM_REGIONS",
    "MODES",
    "Exemption",
    "Expectations",
    "ExpectedApplication",
    "ExpectedStackSet",
    "parse_expectations",
]

VERSION = 1
IAM_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-f": "us-isof-south-1",
}
"""Where IAM's one endpoint is, and CloudTrail records its calls (botocore 1.43.106, ``endpoints.json``). The partitions
that are left out have one Region."""
MODES = ("detect", "propose", "remediate")
"""What may be done about drift, the least first."""


@dataclass(frozen=True, slots=True)
class ExpectedStackSet:
    """The StackSet of one wave, or of one part of the applications in it.

    Attributes:
        name: Its name.
        wave: The wave's name.
        enforcement: ``Warn`` or ``Enforce``: the mode of the wave's code signing configs.
        drift: One of `MODES`.
        applications: The names of those whose configs it makes.
        part: Which part of the applications; the first also answers for what belongs to no application.
    """

    name: str
    wave: str
    enforcement: str
    drift: str
    applications: tuple[str, ...]
    part: int = 1


@dataclass(frozen=True, slots=True)
class ExpectedApplication:
    """An application: functions whose names match one of the patterns (``*``, ``?``) belong under its config."""

    name: str
    functions: tuple[str, ...]

    def owns(self, function: str) -> bool:
        """Tell whether a function, given by name, is one of this application's."""
        return any(_matches(pattern, function) for pattern in self.functions)


@dataclass(frozen=True, slots=True)
class Exemption:
    """Functions that may stay as they are, until the end of a day in UTC."""

    functions: str
    owner: str
    reason: str
    expires: date

    def covers(self, function: str, at: datetime) -> bool:
        """Tell whether a function, given by name, is exempt at a moment."""
        return at.astimezone(UTC).date() <= self.expires and _matches(self.functions, function)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectations:
    """Everything that is expected.

    Attributes:
        organization_id: Such as ``o-a1b2c3d4e5``.
        organization: The short name that all names begin with.
        partition: ``aws``, ``aws-cn``, …
        security_account: Where StackSets are operated from.
        publisher_account: The account of the organization's signing profiles.
        home_region: Their Region.
        stack_sets: One a wave.
        applications: Those with functions of their own.
        exemptions: Expired ones too; they cover nothing.
        signing_profiles: Names of all profiles of the organization, retired ones too.
    """

    organization_id: str
    organization: str
    partition: str
    security_account: str
    publisher_account: str
    home_region: str
    stack_sets: tuple[ExpectedStackSet, ...]
    applications: tuple[ExpectedApplication, ...]
    exemptions: tuple[Exemption, ...]
    signing_profiles: tuple[str, ...]

    @property
    def member_role(self) -> str:
        """Return the name of the role in member accounts that reads and repairs."""
        return f"{self.organization}-drift-remediator"

    @property
    def external_id(self) -> str:
        """Return what assuming that role takes beside being the drift function."""
        return f"{self.organization_id}/drift"

    def stack_set(self, name: str) -> ExpectedStackSet | None:
        """Return the StackSet of this name, or the first one of the wave of this name."""
        return next((one for one in self.stack_sets if name in {one.name, one.wave}), None)

    def siblings_of(self, stack_set: ExpectedStackSet) -> tuple[ExpectedStackSet, ...]:
        """Return the other StackSets of the same wave, which make stacks in the same accounts."""
        return tuple(one for one in self.stack_sets if one.wave == stack_set.wave and one.name != stack_set.name)

    def exemption_of(self, function: str, at: datetime) -> Exemption | None:
        """Return an exemption that covers a function, given by name, at a moment."""
        return next((one for one in self.exemptions if one.covers(function, at)), None)

    def applications_of(self, function: str) -> tuple[ExpectedApplication, ...]:
        """Return the applications that claim a function, given by name; more than one is a contradiction."""
        return tuple(one for one in self.applications if one.owns(function))


def parse_expectations(document: Mapping[str, object]) -> Expectations:
    """Read the document that ``drift_expectations`` wrote.

    Raises:
        DocumentError: It is another one, or of another version.
    """
    if document.get("version") != VERSION:
        raise DocumentError(
            f"drift expectations have version {document.get('version')!r}, this program reads {VERSION}. "
            "Deploy program and expectations together"
        )
    return Expectations(
        organization_id=text(document, "organization_id"),
        organization=text(document, "organization"),
        partition=text(document, "partition"),
        security_account=text(document, "security_account"),
        publisher_account=text(document, "publisher_account"),
        home_region=text(document, "home_region"),
        stack_sets=tuple(_stack_set(one) for one in mappings(document, "stack_sets")),
        applications=tuple(
            ExpectedApplication(text(one, "name"), texts(one, "functions"))
            for one in mappings(document, "applications")
        ),
        exemptions=tuple(_exemption(one) for one in mappings(document, "exemptions")),
        signing_profiles=texts(document, "signing_profiles"),
    )


def _stack_set(document: Mapping[str, object]) -> ExpectedStackSet:
    part = document.get("part")
    found = ExpectedStackSet(
        text(document, "name"),
        text(document, "wave"),
        text(document, "enforcement"),
        text(document, "drift"),
        texts(document, "applications"),
        part if isinstance(part, int) else 1,
    )
    if found.drift not in MODES or found.enforcement not in {"Warn", "Enforce"}:
        raise DocumentError(f"the StackSet {found.name} has drift={found.drift!r}, enforcement={found.enforcement!r}")
    return found


def _exemption(document: Mapping[str, object]) -> Exemption:
    expires = text(document, "expires")
    try:
        day = date.fromisoformat(expires)
    except ValueError as error:
        raise DocumentError(f"an exemption expires at {expires!r}, which is no date") from error
    return Exemption(text(document, "functions"), text(document, "owner"), text(document, "reason"), day)


def _matches(pattern: str, name: str) -> bool:
    """Compare as IAM does: ``*`` is any text, ``?`` any character, case counts."""
    expression = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    return re.fullmatch(expression, name, re.DOTALL) is not None
