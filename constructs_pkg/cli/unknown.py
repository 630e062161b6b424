"""What could not be read, as part of an answer: it is always said, because it may hold anything."""

from typing import Any, TypeVar

from constructs_pkg.aws.survey import Judged
from constructs_pkg.cli.output import one_line
from constructs_pkg.inventory.readings import Failure

__all__ = ["Unknown"]

_T = TypeVar("_T")


class Unknown:
    """What of the places that were to be read is not known."""

    def __init__(self) -> None:
        self._failures: list[Failure] = []
        self._with_gaps: list[Judged[Any]] = []

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self._failures or self._with_gaps)

    def without(self, result: Judged[_T] | Failure) -> _T | None:
        """Keep what of a place is not known, and return what was made of the rest; None where it could not be read.

        Args:
            result: What became of the place.
        """
        if isinstance(result, Failure):
            self._failures.append(result)
            return None
        if result.gaps:
            self._with_gaps.append(result)
        return result.judgement

    def document(self) -> dict[str, Any]:
        """Return it for the JSON answer."""
        return {
            "failures": [
                {"account": one.account, "region": one.region, "kind": str(one.kind), "message": one.message}
                for one in self._failures
            ],
            "gaps": [
                {
                    "account": one.place.account,
                    "region": one.place.region,
                    "part": str(gap.part),
                    "kind": str(gap.kind),
                    "message": gap.message,
                }
                for one in self._with_gaps
                for gap in one.gaps
            ],
        }

    def parts(self) -> list[str]:
        """Return it as a part of the text answer; nothing where everything is known."""
        entries = [
            f"  {one.account} {one.region or 'in all Regions'}, everything: {one.kind}\n    {one_line(one.message)}"
            for one in self._failures
        ] + [
            f"  {one.place.account} {one.place.region}, {gap.part}: {gap.kind}\n    {one_line(gap.message)}"
            for one in self._with_gaps
            for gap in one.gaps
        ]
        if not entries:
            return []
        lines = "\n".join(entries)
        return [f"Not known ({len(entries)}): what could not be read may hold anything\n{lines}"]
