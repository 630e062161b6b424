"""What a rule is and what it says: the rule, its severity, and one violation of it, as frozen values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Hit", "Rule", "Severity", "Violation"]


class Severity(StrEnum):
    """How much a violation matters. The words are those of AWS CDK's validation reports."""

    FATAL = "fatal"
    """Fails, and no developer can acknowledge it: only an exemption of the policy file lets it pass."""
    ERROR = "error"
    """Fails, unless it is acknowledged with AWS CDK's own acknowledgement or exempted."""
    WARNING = "warning"
    """Said, and fails nothing."""
    NOTE = "note"
    """Accepted, and said so."""

    @property
    def fails(self) -> bool:
        """Tell whether a violation of this severity fails a check."""
        return self in {Severity.FATAL, Severity.ERROR}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: ``LCS`` and three digits. The first digit is the subject: 1 code signing configs, 2 code, 3 layers,
            4 signing profiles, 5 IAM policies, 6 exemptions, 9 the check itself.
        title: What is wrong, in one line.
        severity: What a violation has where the rule does not say otherwise for a single case.
        why: Why it matters, in a sentence or two.
        remedy: What to do.
    """

    id: str
    title: str
    severity: Severity
    why: str
    remedy: str

    @property
    def documentation(self) -> str:
        """Return the rule's place in the documentation."""
        return f"docs/rules.md#{self.id.lower()}"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a check found on one resource; the caller knows the resource.

    Attributes:
        rule: The rule.
        message: What is wrong, naming the value.
        location: The place in the resource, such as ``Properties/Code``.
        remedy: What to do in this very case; the rule's remedy where None.
        severity: The severity in this very case; the rule's where None.
    """

    rule: Rule
    message: str
    location: str = "Properties"
    remedy: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of one rule by one resource.

    Attributes:
        rule: The rule.
        severity: Mostly the rule's own; a warning where Lambda would let the code through with a warning.
        message: What is wrong, naming the value.
        remedy: What to do.
        logical_id: The resource in its template; empty where it is about the whole template.
        template_path: The template, as the caller named it.
        construct_path: Where in the construct tree the resource was made, such as ``Stack/Function/Resource``; None
            where that is not known.
        location: The place in the resource, such as ``Properties/Code``.
        exempted_by: The exemption that lets it pass, in words with owner, reason and last day, or None.
    """

    rule: Rule
    severity: Severity
    message: str
    remedy: str
    logical_id: str
    template_path: str
    construct_path: str | None
    location: str
    exempted_by: str | None = None

    @property
    def fails(self) -> bool:
        """Tell whether it fails the check: it is fatal or an error, and no exemption lets it pass."""
        return self.severity.fails and self.exempted_by is None

    def to_dict(self) -> dict[str, Any]:
        """Return the violation as JSON values; ``rule`` is the rule's id."""
        return {
            "rule": self.rule.id,
            "title": self.rule.title,
            "severity": str(self.severity),
            "fails": self.fails,
            "message": self.message,
            "remedy": self.remedy,
            "logical_id": self.logical_id,
            "template": self.template_path,
            "construct_path": self.construct_path,
            "location": self.location,
            "exempted_by": self.exempted_by,
            "documentation": self.rule.documentation,
        }

    def __str__(self) -> str:
        """Return the violation as readable lines."""
        where = self.construct_path or self.logical_id
        place = f"{self.template_path}: {where} ({self.location})" if where else self.template_path
        lines = [f"{self.severity.upper()} {self.rule.id} {place}", f"  {self.message}"]
        if self.exempted_by is not None:
            lines.append(f"  passes: {self.exempted_by}")
        elif self.severity is not Severity.NOTE:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)
