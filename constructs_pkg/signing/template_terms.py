"""What a code signing policy says about templates besides whom to trust: approved configs, exemptions, known layers."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar, Literal

from constructs_pkg.arns import CodeSigningConfigArn, SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError, Problem
from constructs_pkg.validity import Validity

__all__ = [
    "MAX_APPROVED_CONFIGS",
    "MAX_EXEMPTIONS",
    "MAX_EXTERNAL_LAYERS",
    "MAX_RECORDED_PROFILES",
    "ApprovedConfig",
    "ExternalLayer",
    "ProfileRecord",
    "ProfileStatus",
    "TemplateExemption",
    "TemplateTerms",
    "layer_pattern",
]

MAX_APPROVED_CONFIGS = 1000
MAX_EXTERNAL_LAYERS = 1000
MAX_EXEMPTIONS = 1000
MAX_RECORDED_PROFILES = 1000

_LAYER = re.compile(r"arn:[a-z*-]{1,20}:lambda:[a-z0-9*-]{1,30}:[0-9]{12}:layer:[A-Za-z0-9_*-]{1,140}:[0-9*]{1,10}")
_FUNCTIONS = re.compile(r"[A-Za-z0-9_*-]{1,140}")
_RULE = re.compile(r"LCS[0-9]{3}")
_MAX_TEXT_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class ApprovedConfig:
    """A code signing config of the organization, as a template may name it.

    A config's id is random, so that most templates know it by the name of what holds its ARN.

    Attributes:
        kind: ``arn``; ``ssm`` for an SSM parameter; ``export`` for an export of another stack.
        name: The ARN, or the name of the parameter or export.

    Raises:
        ValueError: An ``arn`` is not the ARN of a code signing config (an `ArnError`), or another name is empty.
    """

    kind: Literal["arn", "ssm", "export"]
    name: str

    def __post_init__(self) -> None:
        """Check the ARN."""
        if self.kind == "arn":
            CodeSigningConfigArn.parse(self.name)
        elif not self.name:
            raise ValueError("is empty. Write the name of the parameter or export")


@dataclass(frozen=True, slots=True)
class ExternalLayer:
    """A layer of somebody else's, and who signs it.

    Attributes:
        layer: A pattern of layer version ARNs; ``*`` stands for any text. The account is written out.
        profile_version_arn: Its publisher.
        vendor: Who that is, for the reader.

    Raises:
        ValueError: The pattern has another form.
    """

    layer: str
    profile_version_arn: SigningProfileVersionArn
    vendor: str

    def __post_init__(self) -> None:
        """Check the pattern."""
        layer_pattern(self.layer)

    def matches(self, layer_arn: str) -> bool:
        """Tell whether a layer version is of this kind; ``${…}`` in its ARN is matched by ``*`` alone."""
        return _matches(self.layer, layer_arn)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateExemption:
    """Violations that may stay for a while.

    Attributes:
        functions: A pattern of function names, or None; ``*`` stands for any text and cannot stand alone.
        construct_path: A pattern of construct paths, or None, likewise. Where no construct path is known, as in plain
            templates, it is compared with the template's name and the logical id: ``orders/Handler``, and
            ``orders#StackSet/Handler`` within a StackSet.
        owner: Who answers for it.
        reason: Why.
        expires: The last day (UTC) on which it holds.
        rules: The ids of the rules that it is about; empty for all.

    Raises:
        PolicyError: There is no pattern or are two, or a value has another form.
    """

    functions: str | None = None
    construct_path: str | None = None
    owner: str
    reason: str
    expires: date
    rules: tuple[str, ...] = ()

    never: ClassVar[tuple[str, ...]] = ("LCS6", "LCS9")
    """The beginnings of the ids of rules that nothing exempts from: the check itself, and exemptions."""

    def __post_init__(self) -> None:
        """Check the form of every part."""
        pattern = self.construct_path if self.functions is None else self.functions
        if (self.functions is None) == (self.construct_path is None) or pattern is None:
            raise _error("exemptions", "'functions' and 'construct_path' are alternatives", "Give exactly one of them")
        if not pattern.strip("*/") or len(pattern) > _MAX_TEXT_CHARACTERS:
            raise _error("exemptions", f"the pattern {pattern[:100]!r} exempts everything", "Name what is exempt")
        if self.functions is not None and _FUNCTIONS.fullmatch(self.functions) is None:
            raise _error(
                "exemptions",
                f"{self.functions[:100]!r} is not a pattern of function names",
                "Use letters, digits, '-', '_' and '*'",
            )
        for name, text in (("owner", self.owner), ("reason", self.reason)):
            if not 1 <= len(text.strip()) <= _MAX_TEXT_CHARACTERS:
                raise _error("exemptions", f"the {name} has {len(text)} characters", "Use 1 to 500")
        wrong = [rule for rule in self.rules if _RULE.fullmatch(rule) is None or rule.startswith(self.never)]
        if wrong:
            raise _error("exemptions", f"{wrong[0][:40]!r} is no rule that exemptions are for", "Use such as 'LCS101'")

    def is_for(self, rule_id: str, function_name: str | None, place: str) -> bool:
        """Tell whether it is about a violation, expired or not.

        Args:
            rule_id: The violated rule.
            function_name: The function's literal name, or None.
            place: The construct path, or the template's name and the logical id.
        """
        if rule_id.startswith(self.never) or (self.rules and rule_id not in self.rules):
            return False
        if self.functions is not None:
            return function_name is not None and _matches(self.functions, function_name)
        return self.construct_path is not None and _matches(self.construct_path, place)

    def holds(self, at: datetime) -> bool:
        """Tell whether it has not expired at an aware moment."""
        return at.astimezone(UTC).date() <= self.expires

    def __str__(self) -> str:
        """Return the exemption as messages show it."""
        what = f"functions {self.functions}" if self.functions is not None else f"construct path {self.construct_path}"
        return f"exemption for {what} by {self.owner} until {self.expires.isoformat()}: {self.reason}"


ProfileStatus = Literal["Active", "Canceled", "Revoked"]


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """A signing profile that exists or existed, as ``aws signer list-signing-profiles --include-canceled`` shows it.

    Attributes:
        profile_arn: The profile.
        status: What became of it.
        validity: Its signature validity period, which can never change; None where that was not recorded.
        platform_id: Its platform, likewise.
    """

    profile_arn: SigningProfileArn
    status: ProfileStatus = "Active"
    validity: Validity | None = None
    platform_id: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateTerms:
    """What the organization asks of templates.

    Attributes:
        approved_configs: The configs that functions may have, besides those that a template makes itself from known
            publishers and the policy's own origin.
        external_layers: Layers of others, and who signs them.
        exemptions: Violations that may stay for a while.
        recorded_profiles: Signing profiles that exist or existed.
        expires_within_days: Code whose signature runs out within so many days is a violation; 0 for none.

    Raises:
        PolicyError: The number of days is negative.
    """

    approved_configs: tuple[ApprovedConfig, ...] = ()
    external_layers: tuple[ExternalLayer, ...] = ()
    exemptions: tuple[TemplateExemption, ...] = ()
    recorded_profiles: tuple[ProfileRecord, ...] = ()
    expires_within_days: int = 0

    def __post_init__(self) -> None:
        """Refuse a negative number of days."""
        if self.expires_within_days < 0:
            raise _error("expires_within_days", f"{self.expires_within_days} days", "Give 0 or more")


def layer_pattern(text: str) -> str:
    """Return a pattern of layer version ARNs.

    Args:
        text: The pattern; ``*`` stands for any text. The account is written out: anybody can publish a layer of any
            name.

    Raises:
        ValueError: It has another form.
    """
    if _LAYER.fullmatch(text) is None:
        raise ValueError(
            f"{text[:200]!r} is not a pattern of layer version ARNs with an account of 12 digits, "
            "such as 'arn:aws:lambda:*:464622532012:layer:Vendor-*:*'"
        )
    return text


def _matches(pattern: str, text: str) -> bool:
    """Match literally but for ``*``; the whole text, in time linear in the text for each part of the pattern."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _error(where: str, message: str, remedy: str) -> PolicyError:
    return PolicyError("code signing policy", (Problem(f"templates.{where}", message, remedy),))
