"""Change sets with the deployment mode REVERT_DRIFT: resources go back to what the template says, deleted ones return.

An ordinary update acts on what differs between two templates and therefore never on drift. Here an update takes the
*actual* properties of drifted resources as the ones from before, and resources that are gone as never made; all else,
the rollback to the drifted state included, is MiniStack's own update. Source: CloudFormation's guide, "Drift-aware
change sets"; which changes are shown, and how, is partly our model.
"""

import copy
import json
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from ministack.core.responses import now_iso

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation import ministack_stacks
from constructs_pkg.testing.local_aws.cloudformation.query_protocol import Answer, read_request, refuse, write_answer
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["install"]

_MODE = "REVERT_DRIFT"
_EXECUTED = "EXECUTE_COMPLETE"
_SAVED = "_records_before_revert"
_DRIFTED = frozenset({"MODIFIED", "DELETED"})
_UPDATABLE = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
})  # fmt: skip
_WRITE_ONLY = {"AWS::Lambda::Function": ["/Properties/Code"]}

# MiniStack ships no types.
_CLOUDFORMATION: Any = import_module("ministack.services.cloudformation")
_CHANGE_SETS: Any = import_module("ministack.services.cloudformation.changesets")
_DRIFT: Any = import_module("ministack.services.cloudformation.drift")
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_STACKS: Any = import_module("ministack.services.cloudformation.stacks")

_Action = Callable[[dict[str, list[str]]], Answer]
_ChangeSet = dict[str, Any]


def install(overlay: Overlay) -> None:
    """Serve drift-aware change sets; all others stay MiniStack's."""
    for name, build in (
        ("CreateChangeSet", _creating),
        ("DescribeChangeSet", _describing),
        ("ExecuteChangeSet", _executing),
        ("ListChangeSets", _listing),
    ):
        overlay.add_cloudformation_action(name, _guarded(build(overlay.cloudformation_action(name))))
    track = _CHANGE_SETS._track_change_set_execution  # noqa: SLF001

    async def tracked(change_set: _ChangeSet, stack: dict[str, Any], deployment: Awaitable[None]) -> None:
        await track(change_set, stack, deployment)
        _restore_after_failure(change_set, stack)

    _CHANGE_SETS._track_change_set_execution = tracked  # noqa: SLF001


def _guarded(action: _Action) -> _Action:
    def serve(form: dict[str, list[str]]) -> Answer:
        try:
            return action(form)
        except ServiceError as error:
            return refuse(error)

    return serve


def _creating(ministack: _Action) -> _Action:
    def create(form: dict[str, list[str]]) -> Answer:
        if "DeploymentMode" not in form:
            return ministack(form)
        request = read_request("CreateChangeSet", form)
        stack = _require_revertable(request)
        ordinary = {name: value for name, value in form.items() if name != "DeploymentMode"}
        _forget_executed(request["ChangeSetName"], stack["StackName"])
        answer = ministack(ordinary)
        _, change_set = _CHANGE_SETS._find_change_set(request["ChangeSetName"], stack["StackName"])  # noqa: SLF001
        if answer[0] == 200:
            _plan(change_set, stack)
        return answer

    return create


def _require_revertable(request: dict[str, Any]) -> dict[str, Any]:
    stack = ministack_stacks.stack_of(request["StackName"])
    if stack is None:
        raise ServiceError("ValidationError", f"Stack [{request['StackName']}] does not exist")
    if stack["StackStatus"] not in _UPDATABLE:
        raise ServiceError(
            "ValidationError", f"Stack [{stack['StackName']}] is in {stack['StackStatus']} state and cannot be updated"
        )
    if request.get("ChangeSetType", "UPDATE") != "UPDATE":
        raise ServiceError("ValidationError", f"DeploymentMode {_MODE} is for change sets of the type UPDATE only")
    if not request.get("UsePreviousTemplate") or "TemplateBody" in request or "TemplateURL" in request:
        raise ServiceError(
            "ValidationError", f"The local AWS implements DeploymentMode {_MODE} with UsePreviousTemplate only"
        )
    if any(not parameter.get("UsePreviousValue") for parameter in request.get("Parameters", [])):
        raise ServiceError(
            "ValidationError", f"The local AWS implements DeploymentMode {_MODE} with previous parameter values only"
        )
    if request.get("ImportExistingResources") or "ResourcesToImport" in request or "Tags" in request:
        raise ServiceError(
            "ValidationError", f"The local AWS implements DeploymentMode {_MODE} without imports and without other Tags"
        )
    return stack


def _plan(change_set: _ChangeSet, stack: dict[str, Any]) -> None:
    """Write into a change set what drifted and what executing it changes."""
    drifts = _detect(stack)
    statuses = {name: drift["StackResourceDriftStatus"] for name, drift in drifts.items()}
    changes = {name: _modified(drift) for name, drift in drifts.items() if statuses[name] == "MODIFIED"}
    deleted = {name for name, status in statuses.items() if status == "DELETED"}
    changes |= {name: _recreated(drifts[name]) for name in deleted}
    for name, change in _dependants(stack, deleted).items():
        known = changes.get(name)
        if known is None:
            changes[name] = {**change, "ResourceDriftStatus": statuses.get(name, "NOT_CHECKED")}
        elif name not in deleted:
            known["Details"] += change["Details"]
    shown = [change for change in changes.values() if change["Action"] == "Add" or change["Details"]]
    change_set["DeploymentMode"] = _MODE
    change_set["StackDriftStatus"] = _stack_status(statuses)
    change_set["Changes"] = [{"Type": "Resource", "ResourceChange": change} for change in shown]
    change_set["_drifts"] = {name: drift for name, drift in drifts.items() if statuses[name] in _DRIFTED}
    if shown:
        change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}


def _detect(stack: dict[str, Any]) -> dict[str, dict[str, Any]]:
    at = now_iso()
    drifts: dict[str, dict[str, Any]] = {}
    for name, record in stack["_resources"].items():
        if _DRIFT.supports_drift(record["ResourceType"]):
            drifts[name] = _DRIFT.detect_resource_drift(stack, name, record, at)
            _DRIFT.record_resource_drift(record, drifts[name])
    return drifts


def _stack_status(statuses: dict[str, str]) -> str:
    found = set(statuses.values())
    return "DRIFTED" if found & _DRIFTED else "UNKNOWN" if "UNKNOWN" in found else "IN_SYNC"


def _modified(drift: dict[str, Any]) -> dict[str, Any]:
    resource_type = drift["ResourceType"]
    differences = [
        difference
        for difference in drift["PropertyDifferences"]
        # create-only properties are not reconciled
        if not _is_create_only(resource_type, difference["PropertyPath"].split("/")[1])
    ]
    kinds = {"ADD": "Remove", "REMOVE": "Add", "NOT_EQUAL": "Modify"}
    details = [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": difference["PropertyPath"].split("/")[1],
                "RequiresRecreation": "Never",
                "Path": f"/Properties{difference['PropertyPath']}",
                "BeforeValue": difference["ActualValue"],
                "AfterValue": difference["ExpectedValue"],
                "BeforeValueFrom": "ACTUAL_STATE",
                "AfterValueFrom": "TEMPLATE",
                "Drift": {
                    "PreviousValue": difference["ExpectedValue"],
                    "ActualValue": difference["ActualValue"],
                    "DriftDetectionTimestamp": drift["Timestamp"],
                },
                "AttributeChangeType": kinds[difference["DifferenceType"]],
            },
            "Evaluation": "Static",
            "ChangeSource": "NoModification",
        }
        for difference in differences
    ]
    ignored = [{"Path": path, "Reason": "WRITE_ONLY_PROPERTY"} for path in _WRITE_ONLY.get(resource_type, [])]
    return {
        "Action": "Modify",
        "LogicalResourceId": drift["LogicalResourceId"],
        "PhysicalResourceId": drift["PhysicalResourceId"],
        "ResourceType": resource_type,
        "Replacement": "False",
        "Scope": ["Properties"],
        "ResourceDriftStatus": "MODIFIED",
        "ResourceDriftIgnoredAttributes": ignored or None,
        "Details": details,
        "BeforeContext": drift["ActualProperties"],
        "AfterContext": drift["ExpectedProperties"],
        "PreviousDeploymentContext": drift["ExpectedProperties"],
    }


def _recreated(drift: dict[str, Any]) -> dict[str, Any]:
    return {
        "Action": "Add",
        "LogicalResourceId": drift["LogicalResourceId"],
        "ResourceType": drift["ResourceType"],
        "ResourceDriftStatus": "DELETED",
        "Scope": [],
        "Details": [],
    }


def _dependants(stack: dict[str, Any], deleted: set[str]) -> dict[str, dict[str, Any]]:
    """Return a change for each resource that refers to one that is recreated: its new ids reach them."""
    found: dict[str, dict[str, Any]] = {}
    for name, record in stack["_resources"].items():
        definition = stack["_template"].get("Resources", {}).get(name, {})
        by_property = _STACKS._reference_details(definition, dict.fromkeys(deleted, "True"), set())  # noqa: SLF001
        details: list[dict[str, Any]] = [
            {**detail, "Evaluation": "Dynamic"} for known in by_property.values() for detail in known
        ]
        if details:
            recreations = {detail["Target"]["RequiresRecreation"] for detail in details}
            found[name] = {
                "Action": "Modify",
                "LogicalResourceId": name,
                "PhysicalResourceId": record["PhysicalResourceId"],
                "ResourceType": record["ResourceType"],
                "Replacement": "False" if recreations == {"Never"} else "Conditional",
                "Scope": ["Properties"],
                "Details": details,
            }
    return found


def _describing(ministack: _Action) -> _Action:
    members = (
        "ChangeSetName", "ChangeSetId", "StackId", "StackName", "Description", "Parameters", "CreationTime",
        "ExecutionStatus", "Status", "StatusReason", "StackDriftStatus", "Capabilities", "Tags", "Changes",
        "DeploymentMode",
    )  # fmt: skip

    def describe(form: dict[str, list[str]]) -> Answer:
        request = read_request("DescribeChangeSet", form)
        change_set = _found(request)
        if change_set is not None and _is_gone(change_set, request["ChangeSetName"]):
            raise ServiceError("ChangeSetNotFound", f"ChangeSet [{request['ChangeSetName']}] does not exist", 404)
        if change_set is None or "DeploymentMode" not in change_set:
            return ministack(_by_name(form))
        return write_answer("DescribeChangeSet", {name: change_set.get(name) or None for name in members})

    return describe


def _by_name(form: dict[str, list[str]]) -> dict[str, list[str]]:
    """Name the stack by its name, where its ARN is given: MiniStack knows change sets by the stack's name only."""
    stack = ministack_stacks.stack_of(form.get("StackName", [""])[0])
    return form if stack is None else {**form, "StackName": [stack["StackName"]]}


def _found(request: dict[str, Any]) -> _ChangeSet | None:
    stack = ministack_stacks.stack_of(request.get("StackName", ""))
    name = request.get("StackName", "") if stack is None else stack["StackName"]
    return _CHANGE_SETS._find_change_set(request["ChangeSetName"], name)[1]  # noqa: SLF001


def _listing(ministack: _Action) -> _Action:
    """List by the stack's ARN, too, and what was executed no longer.

    CloudFormation deletes the change sets of a stack once one is executed (CloudFormation guide, "Execute a change
    set"); MiniStack keeps them.
    """
    members = (
        "ChangeSetId", "ChangeSetName", "StackId", "StackName", "Status", "StatusReason", "ExecutionStatus",
        "CreationTime", "Description",
    )  # fmt: skip

    def list_change_sets(form: dict[str, list[str]]) -> Answer:
        stack = ministack_stacks.stack_of(form.get("StackName", [""])[0])
        if stack is None:
            return ministack(form)
        found = [
            {name: change_set.get(name) or None for name in members}
            for change_set in _CLOUDFORMATION._change_sets.values()  # noqa: SLF001
            if change_set["StackName"] == stack["StackName"] and change_set["ExecutionStatus"] != _EXECUTED
        ]
        return write_answer("ListChangeSets", {"Summaries": found})

    return list_change_sets


def _is_gone(change_set: _ChangeSet, asked: str) -> bool:
    """Tell whether nobody finds a change set under its name any more; its ARN still leads to what was executed."""
    return change_set["ExecutionStatus"] == _EXECUTED and asked == change_set["ChangeSetName"]


def _forget_executed(name: str, stack_name: str) -> None:
    """Let the name of a change set that was executed be used again."""
    known_id, known = _CHANGE_SETS._find_change_set(name, stack_name)  # noqa: SLF001
    if known is not None and _is_gone(known, name):
        del _CLOUDFORMATION._change_sets[known_id]  # noqa: SLF001


def _executing(ministack: _Action) -> _Action:
    def execute(form: dict[str, list[str]]) -> Answer:
        change_set = _found(read_request("ExecuteChangeSet", form))
        if change_set is None or "DeploymentMode" not in change_set or change_set["ExecutionStatus"] != "AVAILABLE":
            return ministack(_by_name(form))
        stack = ministack_stacks.stack_of(change_set["StackName"])
        if stack is None or stack["StackStatus"] not in _UPDATABLE:
            status = "deleted" if stack is None else stack["StackStatus"]
            raise ServiceError(
                "ValidationError", f"Stack [{change_set['StackName']}] is {status}: it cannot be updated"
            )
        _drift_records(change_set, stack)
        return ministack({**form, "ChangeSetName": [change_set["ChangeSetId"]]})

    return execute


def _drift_records(change_set: _ChangeSet, stack: dict[str, Any]) -> None:
    """Make the stack's records say what is really there, so that an update finds the drift."""
    resources: dict[str, dict[str, Any]] = stack["_resources"]
    change_set[_SAVED] = {name: copy.deepcopy(resources[name]) for name in change_set["_drifts"]}
    for name, drift in change_set["_drifts"].items():
        if drift["StackResourceDriftStatus"] == "DELETED":
            del resources[name]
            continue
        record = resources[name]
        actual, expected = json.loads(drift["ActualProperties"]), json.loads(drift["ExpectedProperties"])
        for key in expected:
            if _is_create_only(record["ResourceType"], key) or actual.get(key) == expected[key]:
                continue
            record["Properties"].pop(key, None)
            if key in actual:
                record["Properties"][key] = actual[key]


def _restore_after_failure(change_set: _ChangeSet, stack: dict[str, Any]) -> None:
    """Let the stack declare again what its template declares, where a revert failed and was rolled back."""
    saved: dict[str, dict[str, Any]] = change_set.pop(_SAVED, {})
    if stack["StackStatus"] == "UPDATE_COMPLETE":
        return
    for name, record in saved.items():
        known = stack["_resources"].get(name)
        if known is None:
            stack["_resources"][name] = record
        else:
            known["Properties"] = record["Properties"]


def _is_create_only(resource_type: str, name: str) -> bool:
    return _PROVISIONERS._property_recreation(resource_type, name) == "Always"  # noqa: SLF001
