"""CloudFormation of a fake organization, as records: StackSets, stacks, what is in them, and what goes on."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = [
    "FakeChangeSet",
    "FakeDetection",
    "FakeOperation",
    "FakeResource",
    "FakeStack",
    "FakeStackInstance",
    "FakeStackSet",
]


@dataclass
class FakeResource:
    """A resource of a stack.

    Attributes:
        resource_type: Its type.
        physical_id: Its name or ARN.
        actual: What it really is: its properties, None where somebody deleted it. Configs and parameters are kept in
            their `Place` instead, where the other services see them, too.
    """

    resource_type: str
    physical_id: str
    actual: dict[str, Any] | None = None


@dataclass
class FakeChangeSet:
    """A change set; the seconds are the clock's."""

    name: str
    change_set_id: str
    mode: str | None
    template: str
    parameters: dict[str, str]
    listed_from: float
    ready_at: float
    changes: list[dict[str, Any]] | None = None
    status: str = "CREATE_IN_PROGRESS"
    execution_status: str = "UNAVAILABLE"
    reason: str = ""


@dataclass
class FakeDetection:
    """A drift detection of one stack: when it is over, and what it found then."""

    ready_at: float
    drifts: list[dict[str, Any]] | None = None


@dataclass
class FakeStack:
    """A stack.

    Attributes:
        stack_id: Its ARN.
        name: Its name.
        template: As it was given.
        parameters: Name to value.
        resources: By logical id.
        status: Where it stands, once it has settled.
        reason: Why.
        updated_at: When it was last updated, None where it never was.
        settles_at: Until this second of the clock it is ``UPDATE_IN_PROGRESS``.
        change_sets: By name.
        detections: By id.
        latest: The latest detection.
        executed: Names of change sets that were executed, in order.
    """

    stack_id: str
    name: str
    template: str
    parameters: dict[str, str]
    resources: dict[str, FakeResource] = field(default_factory=dict[str, FakeResource])
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    updated_at: datetime | None = None
    settles_at: float = 0.0
    change_sets: dict[str, FakeChangeSet] = field(default_factory=dict[str, FakeChangeSet])
    detections: dict[str, FakeDetection] = field(default_factory=dict[str, FakeDetection])
    latest: str = ""
    executed: list[str] = field(default_factory=list[str])

    @property
    def document(self) -> dict[str, Any]:
        """Return the template, parsed."""
        return json.loads(self.template)


@dataclass
class FakeStackInstance:
    """A stack instance; ``overrides`` are its own values of parameters."""

    account: str
    region: str
    stack_id: str
    status: str = "SUCCEEDED"
    reason: str = ""
    drift_status: str = "NOT_CHECKED"
    overrides: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class FakeOperation:
    """An operation of a StackSet, and the drift that it found: by account and Region."""

    operation_id: str
    action: str
    ready_at: float
    status: str = "RUNNING"
    drifts: dict[tuple[str, str], list[dict[str, Any]]] = field(
        default_factory=dict[tuple[str, str], list[dict[str, Any]]]
    )


@dataclass
class FakeStackSet:
    """A StackSet."""

    name: str
    template: str
    parameters: dict[str, str]
    instances: dict[tuple[str, str], FakeStackInstance] = field(
        default_factory=dict[tuple[str, str], FakeStackInstance]
    )
    operations: list[FakeOperation] = field(default_factory=list[FakeOperation])
    status: str = "ACTIVE"
