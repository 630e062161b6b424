"""The answer over many templates: false when anything fails, readable, serializable."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from constructs_pkg.plurals import counted
from constructs_pkg.rules.violation import Severity, Violation
from constructs_pkg.signing.report import iso_time

__all__ = ["CHECK_REPORT_VERSION", "CheckReport"]

CHECK_REPORT_VERSION = 1
"""The version of `CheckReport.to_dict`: it grows by one when a key changes its meaning or goes away."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the rules say about a set of templates. False when any violation fails.

    Attributes:
        at: The moment that the verdicts are for.
        violations: All of them, those that fail nothing included, in the order of the templates.
        templates: The names of the templates that were read.
        functions: How many functions they hold.
        layers: How many layer versions they hold.
        archives: How many different archives were judged.
        was_judged_by_policy: Whether a policy was given; without one no signature was judged.
    """

    at: datetime
    violations: tuple[Violation, ...]
    templates: tuple[str, ...]
    functions: int = 0
    layers: int = 0
    archives: int = 0
    was_judged_by_policy: bool = True

    @property
    def failures(self) -> tuple[Violation, ...]:
        """Return the violations that fail the check."""
        return tuple(violation for violation in self.violations if violation.fails)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many violations fail as fatal or error, warn, note, or are exempted."""
        found = Counter("exempted" if item.exempted_by else str(item.severity) for item in self.violations)
        return {name: found[name] for name in (*map(str, Severity), "exempted")}

    def __bool__(self) -> bool:
        """Tell whether nothing fails."""
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; ``passes`` is what the truth of the report is."""
        return {
            "version": CHECK_REPORT_VERSION,
            "at": iso_time(self.at),
            "passes": bool(self),
            "judged_by_policy": self.was_judged_by_policy,
            "templates": list(self.templates),
            "functions": self.functions,
            "layers": self.layers,
            "archives": self.archives,
            "counts": self.counts,
            "violations": [violation.to_dict() for violation in self.violations],
        }

    def __str__(self) -> str:
        """Return every violation and a summary as readable lines."""
        return "\n".join([*map(str, self.violations), self.summary])

    @property
    def summary(self) -> str:
        """Return one line that counts what was looked at and what was found."""
        counts = self.counts
        failing = counts["fatal"] + counts["error"]
        found = ", ".join(f"{counts[name]} {name}" for name in ("fatal", "error", "warning", "note", "exempted"))
        judged = "" if self.was_judged_by_policy else "; no policy was given, so no signature was judged"
        return (
            f"{'FAILED' if failing else 'PASSED'}: {counted(len(self.templates), 'template')}, "
            f"{counted(self.functions, 'function')}, {counted(self.layers, 'layer')}, "
            f"{counted(self.archives, 'archive')} judged; {found}{judged}"
        )
