"""Policies of resources as frozen values: statements, each with the principals that it is about."""

from dataclasses import dataclass

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails.documents import Statement

__all__ = ["EVERYBODY", "Principal", "ResourcePolicy", "accounts", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a statement is about.

    Attributes:
        kind: ``AWS``, ``Service``, or ``*`` for everybody.
        names: ARNs or names of services; empty for everybody.
    """

    kind: str
    names: tuple[str, ...] = ()

    def to_json(self) -> str | dict[str, str | list[str]]:
        """Return the element as IAM's JSON has it; one name stands without a list, which IAM takes alike."""
        if self.kind == "*":
            return "*"
        return {self.kind: self.names[0] if len(self.names) == 1 else list(self.names)}


EVERYBODY = Principal("*")
"""Every principal and, in an Allow, everybody who signs nothing: only with conditions, or in a Deny."""


def accounts(partition: str, ids: tuple[str, ...]) -> Principal:
    """Return the principals of whole accounts, whose own policies then decide."""
    return Principal("AWS", tuple(f"arn:{partition}:iam::{account}:root" for account in sorted(set(ids))))


def service(*names: str) -> Principal:
    """Return services of AWS by name, such as ``events.amazonaws.com``."""
    return Principal("Service", tuple(sorted(set(names))))


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """The policy of a bucket, queue, topic or key.

    Attributes:
        statements: Each with its principals, at least one, with Sids that differ.

    Raises:
        GuardrailError: There is no statement, a Sid occurs twice, or everybody is allowed something unconditionally.
    """

    statements: tuple[tuple[Principal, Statement], ...]

    def __post_init__(self) -> None:
        """Check what IAM checks about a document, and that nothing is public."""
        if not self.statements:
            raise GuardrailError("a policy document without statements cannot be made. Give it at least one")
        sids = [statement.sid for _, statement in self.statements]
        twice = sorted({sid for sid in sids if sids.count(sid) > 1})
        if twice:
            raise GuardrailError(f"the Sids {', '.join(twice)} occur twice in one policy document")
        for principal, statement in self.statements:
            if principal == EVERYBODY and statement.effect == "Allow" and not statement.conditions:
                raise GuardrailError(f"the statement {statement.sid} allows everybody. Give it a condition")

    def to_dict(self) -> dict[str, object]:
        """Return the document as plain dicts, lists and texts."""
        return {
            "Version": "2012-10-17",
            "Statement": [
                {**statement.to_dict(), "Principal": principal.to_json()} for principal, statement in self.statements
            ],
        }
