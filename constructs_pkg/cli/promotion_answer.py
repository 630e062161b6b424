"""The answer of ``promote``: collects judgements place by place, and says them as text and JSON."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from constructs_pkg.aws.survey import Judged
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, one_line
from constructs_pkg.cli.surveying import Reader, Surveyed
from constructs_pkg.cli.unknown import Unknown
from constructs_pkg.inventory.ownership import Ownership
from constructs_pkg.inventory.promotion import Exempted, Obstruction, PlaceJudgement, judge_place
from constructs_pkg.inventory.readings import Failure, PlaceReading
from constructs_pkg.inventory.wave_change import LineChange
from constructs_pkg.organization import Wave
from constructs_pkg.organization.rollout import planned_stack_sets
from constructs_pkg.organization.warnings import SOON
from constructs_pkg.plurals import counted
from constructs_pkg.tables import format_table

__all__ = ["PromotionAnswer"]


class PromotionAnswer:
    """What has been found so far.

    Args:
        reader: The organization.
        wave: The wave.
        surveyed: Its accounts.
        days: How far back untrusted deployments count.
        at: The present moment.

    Attributes:
        change: The line that promotes the wave, where nothing is in the way.
    """

    def __init__(self, reader: Reader, wave: Wave, surveyed: Surveyed, days: int, at: datetime) -> None:
        self.wave, self.surveyed, self.days, self.at = wave, surveyed, days, at
        self.regions = reader.organization.target_regions
        self.ownership = Ownership(reader.organization, at.date())
        self.applications = tuple(
            application
            for plan in planned_stack_sets(reader.organization)
            if plan.wave == wave.name
            for application in plan.applications
        )
        self.places: list[_Place] = []
        self.obstructions: list[Obstruction] = []
        self.exempted: list[Exempted] = []
        self.unknown = Unknown()
        self.change: LineChange | None = None

    def judge(self, reading: PlaceReading) -> PlaceJudgement:
        """Judge what was read of a place; safe in any thread."""
        return judge_place(reading, self.ownership, mode=self.wave.mode, applications=self.applications)

    def add(self, result: Judged[PlaceJudgement] | Failure) -> None:
        """Add what was found in a place, or note that it could not be read."""
        judgement = self.unknown.without(result)
        if judgement is None or isinstance(result, Failure):
            return
        self.obstructions += judgement.obstructions
        self.exempted += judgement.exempted
        self.places.append(_Place.of(judgement, is_complete=not result.gaps))

    @property
    def is_complete(self) -> bool:
        """Tell whether everything is known."""
        return not self.unknown

    @property
    def exit_code(self) -> int:
        """Return 0 for yes, 1 for no, 3 where something is not known."""
        if not self.is_complete:
            return EXIT_NO_VERDICT
        return EXIT_NO if self.obstructions else EXIT_YES

    @property
    def verdict(self) -> str:
        """Return ``ready``, ``blocked`` or ``unknown``."""
        return {EXIT_NO_VERDICT: "unknown", EXIT_NO: "blocked", EXIT_YES: "ready"}[self.exit_code]

    def document(self, file: Path) -> dict[str, Any]:
        """Return the JSON answer.

        Args:
            file: The organization file.
        """
        change = self.change
        return {
            "version": 1,
            "at": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "wave": self.wave.name,
            "mode": self.wave.mode,
            "verdict": self.verdict,
            "complete": self.is_complete,
            "accounts_from": self.surveyed.source,
            "accounts": len(self.surveyed.accounts),
            "regions": list(self.regions),
            "days": self.days,
            "places": [
                {
                    "account": place.account,
                    "region": place.region,
                    "complete": place.is_complete,
                    "functions": place.functions,
                    "obstructions": place.obstructions,
                }
                for place in self.places
            ],
            "obstructions": [_shown(one) for one in self.obstructions],
            "exempted": [
                {
                    "account": one.place.account,
                    "region": one.place.region,
                    "function": one.function,
                    "owner": one.owner,
                    "expires": one.expires.isoformat(),
                    "ends_soon": self._ends_soon(one),
                }
                for one in self.exempted
            ],
            **self.unknown.document(),
            "change": None
            if change is None
            else {"file": str(file), "line": change.number, "before": change.before, "after": change.after},
        }

    def text(self, file: Path) -> str:
        """Return the answer for people.

        Args:
            file: The organization file.
        """
        functions = sum(place.functions for place in self.places)
        wanted = len(self.surveyed.accounts) * len(self.regions)
        head = (
            f"Wave {self.wave.name} ({self.wave.mode}): {self.surveyed}\n"
            f"{len(self.places)} of {wanted} accounts and Regions read, {counted(functions, 'function')}, "
            f"untrusted deployments of the last {counted(self.days, 'day')}"
        )
        parts = [head]
        if self.places:
            rows = [
                (
                    one.account,
                    one.region,
                    str(one.functions),
                    str(one.obstructions),
                    "wholly" if one.is_complete else "in part",
                )
                for one in self.places
            ]
            parts.append(format_table(("account", "Region", "functions", "in the way", "read"), rows))
        if self.obstructions:
            parts.append(f"In the way ({len(self.obstructions)})\n{self._obstruction_table()}\n\n{self._remedies()}")
        if self.exempted:
            parts.append(f"Exempt for now ({len(self.exempted)})\n{self._exemption_table()}")
        parts += self.unknown.parts()
        return "\n\n".join([*parts, self._last_words(file)])

    def _obstruction_table(self) -> str:
        rows = [
            (
                one.place.account,
                one.place.region,
                one_line(one.function or "-"),
                str(one.kind),
                ", ".join(one.owner.emails) or "nobody is known",
                one_line(one.detail),
            )
            for one in self.obstructions
        ]
        return format_table(("account", "Region", "function", "what", "owners", "detail"), rows)

    def _remedies(self) -> str:
        remedies = {str(one.kind): one.remedy for one in self.obstructions}
        return "What to do\n" + "\n".join(f"  {kind}: {remedy}" for kind, remedy in sorted(remedies.items()))

    def _exemption_table(self) -> str:
        rows = [
            (
                one.place.account,
                one.place.region,
                one_line(one.function),
                one.owner,
                f"{one.expires}{' (soon)' if self._ends_soon(one) else ''}",
            )
            for one in self.exempted
        ]
        return format_table(("account", "Region", "function", "owner", "until"), rows)

    def _ends_soon(self, exempted: Exempted) -> bool:
        return exempted.expires - self.at.date() <= SOON

    def _last_words(self, file: Path) -> str:
        if not self.is_complete:
            return "UNKNOWN: not everything could be read; do not promote"
        if self.obstructions:
            return f"BLOCKED: {len(self.obstructions)} in the way"
        if self.wave.mode == "Enforce":
            return f"READY: the wave {self.wave.name} enforces already, and nothing is in its way"
        if self.change is None:
            return f'READY: write mode = "Enforce" for the wave {self.wave.name} in {file}, and deploy'
        return (
            f"READY: change one line of {file} and deploy\n"
            f"  {self.change.number} - {self.change.before}\n  {self.change.number} + {self.change.after}"
        )


@dataclass(frozen=True, slots=True)
class _Place:
    account: str
    region: str
    functions: int
    obstructions: int
    is_complete: bool

    @classmethod
    def of(cls, judgement: PlaceJudgement, *, is_complete: bool) -> "_Place":
        place = judgement.place
        return cls(place.account, place.region, judgement.functions, len(judgement.obstructions), is_complete)


def _shown(one: Obstruction) -> dict[str, Any]:
    return {
        "kind": str(one.kind),
        "account": one.place.account,
        "region": one.place.region,
        "function": one.function,
        "application": one.owner.application,
        "owners": list(one.owner.emails),
        "detail": one.detail,
        "remedy": one.remedy,
    }
