"""Who may assume a role of ours, as a frozen value: one AWS principal or service, and the conditions it must meet."""

from dataclasses import dataclass
from typing import Literal

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails.documents import Condition, Statement

__all__ = ["TrustPolicy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustPolicy:
    """The trust policy of a role: a single statement that allows ``sts:AssumeRole``.

    Attributes:
        kind: ``AWS`` for an account or a role, ``Service`` for a service.
        principal: The ARN or the service's name; never ``*``.
        conditions: All of them must hold, at least one: a whole account is never trusted without more.

    Raises:
        GuardrailError: It trusts everybody, or without a condition.
    """

    kind: Literal["AWS", "Service"]
    principal: str
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        """Check that somebody in particular is trusted, and not without conditions."""
        if "*" in self.principal or not self.principal:
            raise GuardrailError(f"principal: {self.principal!r} trusts everybody. Name one account, role or service")
        if not self.conditions:
            raise GuardrailError(f"the trust in {self.principal} has no conditions. Give it at least one")

    def to_dict(self) -> dict[str, object]:
        """Return the document as IAM's JSON has it."""
        statement = Statement(
            sid="", effect="Allow", actions=("sts:AssumeRole",), resources=("*",), conditions=self.conditions
        ).to_dict()
        del statement["Resource"]  # the role itself is meant, and IAM wants none here
        return {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {self.kind: self.principal}, **statement}],
        }
