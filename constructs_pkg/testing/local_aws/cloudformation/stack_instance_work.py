"""What operations do to one stack instance: deploy its stack, remove it, detect its drift."""

import json
from typing import Any, cast
from uuid import uuid4

from constructs_pkg.testing.local_aws.cloudformation import ministack_stacks
from constructs_pkg.testing.local_aws.cloudformation.ministack_stacks import StackSettings
from constructs_pkg.testing.local_aws.cloudformation.stack_set_operations import timestamp
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import (
    Operation,
    StackInstance,
    StackSet,
    instance_key,
)
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["StackInstanceWork", "new_instance"]

_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_NEVER_CREATED = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"})
# "StackSet-", "-" and a UUID leave this many of the 128 characters of a stack's name.
_NAME_CHARACTERS = 82
_ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
_EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"
_ORGANIZATION_ROLE = (
    "aws-service-role/stacksets.cloudformation.amazonaws.com/AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
)


def new_instance(stack_set: StackSet, account: str, region: str, unit: str | None) -> StackInstance:
    """Return the record of an instance whose stack is still to be made."""
    return {
        "account": account,
        "region": region,
        "unit": unit,
        "stack_name": f"StackSet-{stack_set['name'][:_NAME_CHARACTERS]}-{uuid4()}",
        "stack_id": "",
        "status": "OUTDATED",
        "reason": "",
        "detailed": "PENDING",
        "overrides": {},
        "drift": "NOT_CHECKED",
        "drift_checked": None,
        "last_operation": "",
    }


class StackInstanceWork:
    """The parts of operations that concern one instance, each a `stack_set_operations.Work`.

    Args:
        overlay: To act in member accounts.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    async def deploy(self, stack_set: StackSet, operation: Operation, instance: StackInstance) -> str | None:
        """Create or update the stack of an instance with the set's template and parameters."""
        del operation
        refusal = self._prepare_account(stack_set, instance)
        if refusal is not None:
            return refusal
        settings = StackSettings(stack_set["capabilities"], stack_set["tags"])
        parameters = stack_set["parameters"] | instance["overrides"]
        with self._overlay.acting_in(instance["account"], instance["region"]):
            stack = ministack_stacks.stack_of(instance["stack_id"])
            if stack is not None and stack["StackStatus"] in _NEVER_CREATED:
                ministack_stacks.delete_stack(instance["stack_id"])
                await ministack_stacks.settled(instance["stack_id"])
                stack = None
            if stack is None:
                ministack_stacks.create_stack(instance["stack_name"], stack_set["template_body"], parameters, settings)
                instance["stack_id"] = str((ministack_stacks.stack_of(instance["stack_name"]) or {}).get("StackId", ""))
            elif not ministack_stacks.update_stack(
                instance["stack_id"], stack_set["template_body"], parameters, settings
            ):
                return None
            status, reason = await ministack_stacks.settled(instance["stack_id"])
        return None if status in _DEPLOYED else f"{reason or 'the stack operation failed'} (stack status {status})"

    async def remove(self, stack_set: StackSet, operation: Operation, instance: StackInstance) -> str | None:
        """Delete the stack of an instance, or let it be where the operation retains stacks, and forget the instance."""
        if not operation["retains"]:
            with self._overlay.acting_in(instance["account"], instance["region"]):
                if ministack_stacks.stack_of(instance["stack_id"]) is not None:
                    ministack_stacks.delete_stack(instance["stack_id"])
                    status, reason = await ministack_stacks.settled(instance["stack_id"])
                    if status != "DELETE_COMPLETE":
                        return f"{reason or 'the stack could not be deleted'} (stack status {status})"
        del stack_set["instances"][instance_key(instance["account"], instance["region"])]
        return None

    async def detect_drift(self, stack_set: StackSet, operation: Operation, instance: StackInstance) -> str | None:
        """Detect the drift of an instance's stack from the stack's own template, which need not be the set's."""
        del stack_set
        with self._overlay.acting_in(instance["account"], instance["region"]):
            if ministack_stacks.stack_of(instance["stack_id"]) is None:
                return f"Stack {instance['stack_id'] or instance['stack_name']} does not exist"
            status, drifts = ministack_stacks.detect_drift(instance["stack_id"])
        instance["drift"] = status
        instance["drift_checked"] = timestamp(self._overlay)
        operation["drifts"][instance_key(instance["account"], instance["region"])] = [
            {name: drift[name] for name in _DRIFT_MEMBERS if name in drift} for drift in drifts
        ]
        return None

    def _prepare_account(self, stack_set: StackSet, instance: StackInstance) -> str | None:
        """Make sure that the role is there which the stack is deployed with; return why it cannot be used."""
        with self._overlay.acting_in(instance["account"], instance["region"]):
            if stack_set["permission_model"] == "SERVICE_MANAGED":
                _make_organization_role(stack_set)
                return None
            name = stack_set["execution_role_name"] or _EXECUTION_ROLE
            execution_role = ministack_stacks.roles().get(name)
            is_trusting = execution_role is not None and _trusts(execution_role, stack_set["account"])
        administration_arn = stack_set["administration_role_arn"] or _administration_arn(stack_set)
        with self._overlay.acting_in(stack_set["account"], stack_set["region"]):
            if administration_arn.rpartition("/")[2] not in ministack_stacks.roles():
                return (
                    f"Account {stack_set['account']} should have '{administration_arn.rpartition('/')[2]}' role with "
                    "trust relationship to CloudFormation service."
                )
        if not is_trusting:
            return (
                f"Account {instance['account']} should have '{name}' role with trust relationship to Role "
                f"'{administration_arn.rpartition('/')[2]}'."
            )
        return None


_DRIFT_MEMBERS = (
    "StackId",
    "LogicalResourceId",
    "PhysicalResourceId",
    "ResourceType",
    "PropertyDifferences",
    "StackResourceDriftStatus",
    "Timestamp",
)


def _administration_arn(stack_set: StackSet) -> str:
    return f"arn:aws:iam::{stack_set['account']}:role/{_ADMINISTRATION_ROLE}"


def _make_organization_role(stack_set: StackSet) -> None:
    """Make the role ``stacksets-exec-*``, which nobody but StackSets' own service-linked role may assume."""
    roles = ministack_stacks.roles()
    if any(name.startswith("stacksets-exec-") for name in roles):
        return
    name = f"stacksets-exec-{uuid4().hex}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{stack_set['account']}:role/{_ORGANIZATION_ROLE}"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    ministack_stacks.make_role(name, trust, "arn:aws:iam::aws:policy/AdministratorAccess")


def _trusts(role: dict[str, Any], account: str) -> bool:
    """Return whether a role's trust policy allows something to an account or a principal of it; no conditions."""
    document = role["AssumeRolePolicyDocument"]
    policy: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
    statements: list[dict[str, Any]] = _listed(policy.get("Statement", []))
    for statement in statements:
        principal = statement.get("Principal", "")
        names: list[str] = _listed(principal if isinstance(principal, str) else principal.get("AWS", []))
        if statement.get("Effect") == "Allow" and any(
            name in {"*", account} or name.startswith(f"arn:aws:iam::{account}:") for name in names
        ):
            return True
    return False


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 (policy documents have one value or a list of them)
    return cast("list[Any]", value) if isinstance(value, list) else [value]
