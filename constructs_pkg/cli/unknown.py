"""What could not be read, as part of an answer: it is always said, because it may hold anything."""

from collections.abc import Sequence
from typing import Any

from constructs_pkg.aws.survey import Judged
from constructs_pkg.cli.output import one_line
from constructs_pkg.inventory.readings import Failure

__all__ = ["unknown_json", "unknown_text"]


def unknown_json(failures: Sequence[Failure], judged: Sequence[Judged[Any]]) -> dict[str, Any]:
    """Return what is not known, for the JSON answer."""
    return {
        "failures": [
            {"account": one.account, "region": one.region, "kind": str(one.kind), "message": one.message}
            for one in failures
        ],
        "gaps": [
            {
                "account": one.place.account,
                "region": one.place.region,
                "part": str(gap.part),
                "kind": str(gap.kind),
                "message": gap.message,
            }
            for one in judged
            for gap in one.gaps
        ],
    }


def unknown_text(failures: Sequence[Failure], judged: Sequence[Judged[Any]]) -> list[str]:
    """Return what is not known as a part of the text answer; nothing where everything is known."""
    entries = [
        f"  {one.account} {one.region or 'in all Regions'}, everything: {one.kind}\n    {one_line(one.message)}"
        for one in failures
    ] + [
        f"  {one.place.account} {one.place.region}, {gap.part}: {gap.kind}\n    {one_line(gap.message)}"
        for one in judged
        for gap in one.gaps
    ]
    if not entries:
        return []
    lines = "\n".join(entries)
    return [f"Not known ({len(entries)}): what could not be read may hold anything\n{lines}"]
