"""Making statements fit AWS's size limits: merge what can be merged, split where it may be, and refuse with numbers.

Limits: a managed policy has 6,144 characters without white space and a role has 10 managed policies (IAM quotas); a
service control policy has 5,120 characters with white space and an account, unit or root has 5, ``FullAWSAccess`` among
them (AWS Organizations quotas).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails.documents import PolicyDocument, Statement

__all__ = ["MANAGED_POLICY", "PERMISSIONS_BOUNDARY", "SERVICE_CONTROL_POLICY", "Limit", "fit", "merge"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What AWS takes of one kind of policy.

    Attributes:
        kind: What it is called in a message.
        max_characters: For each document.
        max_documents: How many can be attached to one thing.
        counts_white_space: Whether white space counts.
    """

    kind: str
    max_characters: int
    max_documents: int
    counts_white_space: bool

    def size_of(self, document: PolicyDocument) -> int:
        """Return the characters of a document as this limit counts them."""
        return document.stored_characters if self.counts_white_space else document.characters

    def holds(self, document: PolicyDocument) -> bool:
        """Tell whether one document is within this limit."""
        return self.size_of(document) <= self.max_characters


MANAGED_POLICY = Limit("managed policy", 6_144, 10, counts_white_space=False)
PERMISSIONS_BOUNDARY = Limit("permissions boundary", 6_144, 1, counts_white_space=False)
SERVICE_CONTROL_POLICY = Limit("service control policy", 5_120, 4, counts_white_space=True)


def merge(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Join statements that differ in their actions only, which changes nothing about what they mean.

    ``NotAction`` statements are left alone: two of them deny the union of two complements, and joining would deny less.
    The joined statement keeps the Sid of the first.
    """
    merged: dict[object, Statement] = {}
    for index, statement in enumerate(statements):
        conditions = frozenset(statement.conditions)
        scope = (statement.effect, statement.resources, statement.not_resources, conditions)
        key = index if statement.not_actions else scope
        seen = merged.get(key)
        merged[key] = statement if seen is None else replace(seen, actions=seen.actions + statement.actions)
    return tuple(merged.values())


def fit(
    statements: Sequence[Statement], limit: Limit, *, what: str, advice: Callable[[], str]
) -> tuple[PolicyDocument, ...]:
    """Put statements into as few documents as their order allows, each within the limit.

    They stay as they are where that fits; else statements that say the same about different actions are joined; else
    the Sids, which are for readers only, are left away; else this is refused. A statement is never cut in two.

    Args:
        statements: In the order in which a reader should meet them.
        limit: What AWS takes.
        what: What the documents are, for the message.
        advice: Says what the reader can shorten, a whole sentence; called only for a refusal.

    Raises:
        GuardrailError: One statement alone, or all of them together, are more than AWS takes; with the real numbers.
    """
    merged = merge(statements)
    without_sids = tuple(replace(statement, sid="") for statement in merged)
    for shorter in (tuple(statements), merged, without_sids):
        documents = _packed(shorter, limit)
        if len(documents) <= limit.max_documents and all(map(limit.holds, documents)):
            return documents
    whole = limit.size_of(PolicyDocument(without_sids))
    room = (
        f"{limit.max_characters:,}" if limit.max_documents == 1 else f"{limit.max_documents} x {limit.max_characters:,}"
    )
    largest = max(merged, key=lambda statement: limit.size_of(PolicyDocument((statement,))))
    raise GuardrailError(
        f"the {what} has {whole:,} characters in its shortest form, of which the statement {largest.sid} alone has "
        f"{limit.size_of(PolicyDocument((largest,))):,}; AWS takes {room} in a {limit.kind}. {advice()}"
    )


def _packed(statements: Sequence[Statement], limit: Limit) -> tuple[PolicyDocument, ...]:
    """Fill one document after the other; a statement that is too large alone stands alone, and does not fit."""
    documents: list[PolicyDocument] = []
    for statement in statements:
        longer = PolicyDocument((*documents[-1].statements, statement)) if documents else PolicyDocument((statement,))
        if documents and limit.holds(longer):
            documents[-1] = longer
        else:
            documents.append(PolicyDocument((statement,)))
    return tuple(documents)
