"""Reads a change set and says what in it a machine must not decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .values import digest

__all__ = ["Change", "ChangeSet", "read_change_set", "reasons_for_a_human"]

_HARMLESS = frozenset({"Add", "Modify", "SyncWithActual"})
"""Of botocore 1.43.106's ``ChangeAction``: the others delete, import, or do what cannot be told in advance. The last
one changes only what CloudFormation remembers."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one resource; the words are CloudFormation's (``ResourceChange``)."""

    action: str
    logical_id: str
    physical_id: str
    resource_type: str
    replacement: str
    policy_action: str
    drift_status: str
    details: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "action": self.action,
            "logical_id": self.logical_id,
            "physical_id": self.physical_id,
            "resource_type": self.resource_type,
            "replacement": self.replacement,
            "policy_action": self.policy_action,
            "drift_status": self.drift_status,
            "details": list(self.details),
        }


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set as it was read, whole.

    Attributes:
        name: Its name.
        change_set_id: Its ARN.
        status: ``ChangeSetStatus``.
        execution_status: ``ExecutionStatus``.
        reason: ``StatusReason``.
        mode: ``DeploymentMode``; empty for an ordinary one.
        changes: Everything it would change.
    """

    name: str
    change_set_id: str
    status: str
    execution_status: str
    reason: str
    mode: str
    changes: tuple[Change, ...]

    @property
    def digest(self) -> str:
        """Return what is the same as long as the changes are."""
        return digest([self.mode, [change.document() for change in self.changes]])


def read_change_set(pages: Iterable[Mapping[str, Any]]) -> ChangeSet:
    """Read the pages of ``DescribeChangeSet``.

    Args:
        pages: The answers, at least one, all of them.
    """
    described = list(pages)
    first = described[0]
    changes = [change for page in described for change in page.get("Changes", [])]
    return ChangeSet(
        name=str(first.get("ChangeSetName", "")),
        change_set_id=str(first.get("ChangeSetId", "")),
        status=str(first.get("Status", "")),
        execution_status=str(first.get("ExecutionStatus", "")),
        reason=str(first.get("StatusReason") or ""),
        mode=str(first.get("DeploymentMode") or ""),
        changes=tuple(_change(change) for change in changes),
    )


def reasons_for_a_human(change_set: ChangeSet, kind: str) -> tuple[str, ...]:
    """Return why nobody but a human may decide about a change set; none where a machine may.

    Args:
        change_set: The change set.
        kind: ``revert`` or ``template``: what it was made for.
    """
    reasons: list[str] = []
    if (change_set.mode == "REVERT_DRIFT") != (kind == "revert"):
        reasons.append(f"it has the deployment mode {change_set.mode or 'of an ordinary change set'}")
    for change in change_set.changes:
        what = f"{change.logical_id} ({change.resource_type})"
        if change.action not in _HARMLESS:
            reasons.append(f"it would {change.action or 'do something unnamed to'} {what}")
        elif "Delete" in change.policy_action:
            reasons.append(f"it would delete {what} ({change.policy_action})")
        elif change.action == "Modify" and change.replacement != "False":
            reasons.append(f"it would or might replace {what} (Replacement: {change.replacement or 'not said'})")
        elif change.action == "Add" and kind == "revert" and change.drift_status != "DELETED":
            reasons.append(f"it would add {what}, which was not deleted ({change.drift_status or 'drift not said'})")
    return tuple(reasons)


def _change(change: Mapping[str, Any]) -> Change:
    if change.get("Type", "Resource") != "Resource" or "ResourceChange" not in change:
        return Change(str(change.get("Type")), "something", "", "no resource", "", "", "", ())
    resource: Mapping[str, Any] = change["ResourceChange"]
    return Change(
        action=str(resource.get("Action", "")),
        logical_id=str(resource.get("LogicalResourceId", "")),
        physical_id=str(resource.get("PhysicalResourceId") or ""),
        resource_type=str(resource.get("ResourceType", "")),
        replacement=str(resource.get("Replacement") or ""),
        policy_action=str(resource.get("PolicyAction") or ""),
        drift_status=str(resource.get("ResourceDriftStatus") or ""),
        details=tuple(sorted(_detail(detail) for detail in resource.get("Details", []))),
    )


def _detail(detail: Mapping[str, Any]) -> str:
    target: Mapping[str, Any] = detail.get("Target") or {}
    place = target.get("Path") or "/".join(str(target[key]) for key in ("Attribute", "Name") if target.get(key))
    return f"{place}: {target.get('BeforeValue', '?')} → {target.get('AfterValue', '?')}"
