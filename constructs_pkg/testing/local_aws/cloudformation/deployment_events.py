"""What CloudFormation tells EventBridge about StackSets and drift; shapes from its guide's pages on events."""

import json
from importlib import import_module
from typing import Any

from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import Operation, StackInstance, StackSet
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["DeploymentEvents"]

_EVENTS: Any = import_module("ministack.services.eventbridge")


class DeploymentEvents:
    """Sends events of StackSets to the account that owns the set, events of a stack to the stack's own account.

    AWS does not document which account gets the events of a set that a delegated administrator made; that it is the
    management account alone is our model.

    Args:
        overlay: To act in those accounts.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def stack_set_changed(self, stack_set: StackSet) -> None:
        """Tell that a StackSet was made or deleted."""
        detail = {"stack-set-arn": stack_set["arn"], "status-details": {"status": stack_set["status"]}}
        self._send_for(stack_set, "CloudFormation StackSet Status Change", [stack_set["arn"]], detail)

    def operation_changed(self, stack_set: StackSet, operation: Operation) -> None:
        """Tell that an operation has another status; the event has no action, as on AWS."""
        detail = {
            "stack-set-arn": stack_set["arn"],
            "stack-set-operation-id": operation["id"],
            "status-details": {"status": operation["status"]},
        }
        self._send_for(stack_set, "CloudFormation StackSet Operation Status Change", [stack_set["arn"]], detail)

    def instance_changed(self, stack_set: StackSet, instance: StackInstance, action: str) -> None:
        """Tell that an instance has another status."""
        detail = {
            "stack-set-arn": stack_set["arn"],
            "stack-id": instance["stack_id"],
            "action": action,
            "status-details": {
                "status": instance["status"],
                "status-reason": instance["reason"],
                "detailed-status": instance["detailed"],
            },
        }
        name = "CloudFormation StackSet StackInstance Status Change"
        self._send_for(stack_set, name, [stack_set["arn"]], detail)

    def drift_detected(self, stack_id: str, detection: dict[str, Any]) -> None:
        """Tell the present account that a drift detection has ended."""
        detail = {
            "stack-id": stack_id,
            "stack-drift-detection-id": detection["StackDriftDetectionId"],
            "status-details": {
                "stack-drift-status": detection["StackDriftStatus"],
                "detection-status": detection["DetectionStatus"],
            },
            "drift-detection-details": {
                "drifted-stack-resource-count": detection.get("DriftedStackResourceCount", 0),
            },
        }
        _send("CloudFormation Drift Detection Status Change", [stack_id], detail)

    def _send_for(self, stack_set: StackSet, name: str, resources: list[str], detail: dict[str, Any]) -> None:
        with self._overlay.acting_in(stack_set["account"], stack_set["region"]):
            _send(name, resources, detail)


def _send(detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
    entry = {
        "Source": "aws.cloudformation",
        "DetailType": detail_type,
        "Resources": resources,
        "Detail": json.dumps(detail),
    }
    _EVENTS._put_events({"Entries": [entry]}, allow_aws_source=True)  # noqa: SLF001
