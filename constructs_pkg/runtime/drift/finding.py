"""One difference between what is there and what should be, and who made it."""

from dataclasses import dataclass
from typing import Any, Literal

from .expectations import Exemption

__all__ = ["TIERS", "Author", "Finding", "Repair", "Tier"]

Tier = Literal["declared", "template", "attachment", "unmanaged", "unknown"]
Repair = Literal["revert", "template", "attach", "human", "none"]

TIERS: tuple[Tier, ...] = ("declared", "template", "attachment", "unmanaged", "unknown")
"""declared: a resource is not what its template says, or gone. template: the member stack's template or parameters are
not the StackSet's. attachment: a function is not under the config it should be under, or that config only warns.
unmanaged: a config or signing profile that the organization did not make. unknown: it could not be checked."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change and when, as CloudTrail tells it; or (``problem``) why that is not known."""

    by: str = ""
    at: str = ""
    call: str = ""
    problem: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        known = {"by": self.by, "at": self.at, "call": self.call}
        return {"problem": self.problem} if self.problem else known


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        tier: One of `TIERS`.
        kind: What it is within its tier, such as ``modified`` or ``detached``.
        resource: A logical id, a function's name, an ARN; what CloudTrail is asked for is ``physical_id``.
        explanation: A sentence for a human.
        repair: ``revert`` and ``template`` by a change set, ``attach`` by attaching, ``human`` by nobody but a human,
            ``none`` by nobody.
        physical_id: What the resource is called in AWS; empty where that is not known.
        exemption: The exemption that covers it.
        is_of_iam: Whether CloudTrail records its changes in IAM's own Region.
        author: Who made it.
    """

    tier: Tier
    kind: str
    resource: str
    explanation: str
    repair: Repair
    physical_id: str = ""
    exemption: Exemption | None = None
    is_of_iam: bool = False
    author: Author | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        exemption = self.exemption
        return {
            "tier": self.tier,
            "kind": self.kind,
            "resource": self.resource,
            "explanation": self.explanation,
            "repair": self.repair,
            "physical_id": self.physical_id,
            "author": None if self.author is None else self.author.document(),
            "exemption": None
            if exemption is None
            else {
                "functions": exemption.functions,
                "owner": exemption.owner,
                "reason": exemption.reason,
                "expires": exemption.expires.isoformat(),
            },
        }
