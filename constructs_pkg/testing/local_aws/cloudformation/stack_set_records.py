"""The records of StackSets, their instances and operations, and how they look in answers."""

from typing import Any, TypedDict

__all__ = [
    "Operation",
    "Result",
    "StackInstance",
    "StackSet",
    "describe_instance",
    "describe_operation",
    "describe_stack_set",
    "instance_key",
    "summarize_instance",
    "summarize_operation",
    "summarize_stack_set",
]


class StackInstance(TypedDict):
    """A stack of a StackSet in one account and Region; ``detailed`` is the ``DetailedStatus``."""

    account: str
    region: str
    unit: str | None
    stack_name: str
    stack_id: str
    status: str
    reason: str
    detailed: str
    overrides: dict[str, str]
    drift: str
    drift_checked: str | None
    last_operation: str


class Result(TypedDict):
    """What an operation did to one instance."""

    account: str
    region: str
    unit: str | None
    status: str
    reason: str


class Operation(TypedDict):
    """An operation; ``keys`` are those of its instances, ``drifts`` what a drift detection found, by instance."""

    id: str
    action: str
    status: str
    reason: str
    created: str
    ended: str | None
    preferences: dict[str, Any]
    retains: bool | None
    targets: dict[str, Any]
    keys: list[str]
    results: dict[str, Result]
    drift_details: dict[str, Any] | None
    drifts: dict[str, list[dict[str, Any]]]


class StackSet(TypedDict):
    """A StackSet; ``units`` are the organizational units and roots that it is deployed to."""

    name: str
    id: str
    arn: str
    account: str
    region: str
    status: str
    description: str
    template_body: str
    parameters: dict[str, str]
    capabilities: list[str]
    tags: list[dict[str, str]]
    permission_model: str
    administration_role_arn: str | None
    execution_role_name: str | None
    auto_deployment: dict[str, Any] | None
    is_managed: bool
    units: list[str]
    regions: list[str]
    token: str | None
    instances: dict[str, StackInstance]
    operations: dict[str, Operation]
    drift_details: dict[str, Any] | None


def instance_key(account: str, region: str) -> str:
    """Return the key of an instance among those of its StackSet."""
    return f"{account}/{region}"


def _parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def summarize_stack_set(stack_set: StackSet) -> dict[str, Any]:
    """Return a StackSet as ``ListStackSets`` shows it."""
    details = stack_set["drift_details"] or {}
    return {
        "StackSetName": stack_set["name"],
        "StackSetId": stack_set["id"],
        "Description": stack_set["description"] or None,
        "Status": stack_set["status"],
        "AutoDeployment": stack_set["auto_deployment"],
        "PermissionModel": stack_set["permission_model"],
        "DriftStatus": details.get("DriftStatus", "NOT_CHECKED"),
        "LastDriftCheckTimestamp": details.get("LastDriftCheckTimestamp"),
        "ManagedExecution": {"Active": stack_set["is_managed"]},
    }


def describe_stack_set(stack_set: StackSet) -> dict[str, Any]:
    """Return a StackSet as ``DescribeStackSet`` shows it."""
    is_service_managed = stack_set["permission_model"] == "SERVICE_MANAGED"
    return {
        "StackSetName": stack_set["name"],
        "StackSetId": stack_set["id"],
        "Description": stack_set["description"] or None,
        "Status": stack_set["status"],
        "TemplateBody": stack_set["template_body"],
        "Parameters": _parameters(stack_set["parameters"]),
        "Capabilities": stack_set["capabilities"],
        "Tags": stack_set["tags"],
        "StackSetARN": stack_set["arn"],
        "AdministrationRoleARN": stack_set["administration_role_arn"],
        "ExecutionRoleName": stack_set["execution_role_name"],
        "StackSetDriftDetectionDetails": stack_set["drift_details"] or {"DriftStatus": "NOT_CHECKED"},
        "AutoDeployment": stack_set["auto_deployment"],
        "PermissionModel": stack_set["permission_model"],
        "OrganizationalUnitIds": stack_set["units"] if is_service_managed else None,
        "ManagedExecution": {"Active": stack_set["is_managed"]},
        "Regions": sorted({instance["region"] for instance in stack_set["instances"].values()}),
    }


def summarize_instance(stack_set: StackSet, instance: StackInstance) -> dict[str, Any]:
    """Return an instance as ``ListStackInstances`` shows it."""
    return {
        "StackSetId": stack_set["id"],
        "Region": instance["region"],
        "Account": instance["account"],
        "StackId": instance["stack_id"] or None,
        "Status": instance["status"],
        "StatusReason": instance["reason"] or None,
        "StackInstanceStatus": {"DetailedStatus": instance["detailed"]},
        "OrganizationalUnitId": instance["unit"],
        "DriftStatus": instance["drift"],
        "LastDriftCheckTimestamp": instance["drift_checked"],
        "LastOperationId": instance["last_operation"],
    }


def describe_instance(stack_set: StackSet, instance: StackInstance) -> dict[str, Any]:
    """Return an instance as ``DescribeStackInstance`` shows it."""
    return {**summarize_instance(stack_set, instance), "ParameterOverrides": _parameters(instance["overrides"])}


def summarize_operation(operation: Operation) -> dict[str, Any]:
    """Return an operation as ``ListStackSetOperations`` shows it."""
    failed = sum(result["status"] == "FAILED" for result in operation["results"].values())
    return {
        "OperationId": operation["id"],
        "Action": operation["action"],
        "Status": operation["status"],
        "CreationTimestamp": operation["created"],
        "EndTimestamp": operation["ended"],
        "StatusReason": operation["reason"] or None,
        "StatusDetails": {"FailedStackInstancesCount": failed},
        "OperationPreferences": operation["preferences"],
    }


def describe_operation(stack_set: StackSet, operation: Operation) -> dict[str, Any]:
    """Return an operation as ``DescribeStackSetOperation`` shows it."""
    return {
        **summarize_operation(operation),
        "StackSetId": stack_set["id"],
        "RetainStacks": operation["retains"],
        "AdministrationRoleARN": stack_set["administration_role_arn"],
        "ExecutionRoleName": stack_set["execution_role_name"],
        "DeploymentTargets": operation["targets"] or None,
        "StackSetDriftDetectionDetails": operation["drift_details"],
    }
