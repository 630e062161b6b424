"""Stacks as MiniStack runs them, typed: with `revert_drift` the place in this package that names its internals.

Every function works in the account and Region of the present context (``Overlay.acting_in``).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from xml.etree import ElementTree as ET

from constructs_pkg.errors import ServiceError

__all__ = [
    "StackRecord",
    "StackSettings",
    "create_stack",
    "delete_stack",
    "detect_drift",
    "document_of",
    "end_interrupted",
    "make_role",
    "missing_capabilities",
    "parse_template",
    "roles",
    "settled",
    "stack_of",
    "update_stack",
]

StackRecord = dict[str, Any]
"""A stack as MiniStack stores it: ``StackStatus``, ``_resources`` and so on."""

# MiniStack ships no types.
_CLOUDFORMATION: Any = import_module("ministack.services.cloudformation")
_HANDLERS: Any = import_module("ministack.services.cloudformation.handlers")
_HELPERS: Any = import_module("ministack.services.cloudformation.helpers")
_ENGINE: Any = import_module("ministack.services.cloudformation.engine")
_PROVISIONERS: Any = import_module("ministack.services.cloudformation.provisioners")
_IAM: Any = import_module("ministack.services.iam")

_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
_POLL_SECONDS = 0.005
_SLOWEST_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class StackSettings:
    """What a stack is made with besides template and parameters: capabilities, and tags with ``Key`` and ``Value``."""

    capabilities: Sequence[str]
    tags: Sequence[Mapping[str, str]]

    def form(self) -> dict[str, list[str]]:
        """Return the settings as members of a request."""
        form = {f"Capabilities.member.{number}": [name] for number, name in enumerate(self.capabilities, 1)}
        for number, tag in enumerate(self.tags, 1):
            form[f"Tags.member.{number}.Key"] = [tag["Key"]]
            form[f"Tags.member.{number}.Value"] = [tag["Value"]]
        return form


def stack_of(name_or_id: str) -> StackRecord | None:
    """Return a stack that is not deleted, None where there is none."""
    stack = _HANDLERS._resolve_stack(name_or_id) if name_or_id else None  # noqa: SLF001
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


def create_stack(
    name: str,
    template_body: str,
    parameters: Mapping[str, str],
    settings: StackSettings,
) -> None:
    """Begin to create a stack.

    Raises:
        ServiceError: CloudFormation refuses the request.
    """
    form = {"StackName": [name], "TemplateBody": [template_body], **settings.form()}
    _call("CreateStack", form | _parameters(parameters))


def update_stack(
    stack_id: str,
    template_body: str,
    parameters: Mapping[str, str],
    settings: StackSettings,
) -> bool:
    """Begin to update a stack; return whether there is anything to update.

    Raises:
        ServiceError: CloudFormation refuses the request.
    """
    form = {"StackName": [stack_id], "TemplateBody": [template_body], **settings.form()}
    try:
        _call("UpdateStack", form | _parameters(parameters))
    except ServiceError as error:
        if str(error) == "No updates are to be performed.":
            return False
        raise
    return True


def delete_stack(stack_id: str) -> None:
    """Begin to delete a stack.

    Raises:
        ServiceError: CloudFormation refuses the request, as under termination protection.
    """
    _call("DeleteStack", {"StackName": [stack_id]})


async def settled(stack_name: str) -> tuple[str, str]:
    """Wait until no operation runs on a stack; return its status and the reason for it.

    A stack that is gone is ``DELETE_COMPLETE``.
    """
    pause = _POLL_SECONDS
    while True:
        # the operation's own task has to run first
        await asyncio.sleep(pause)
        stack = _HANDLERS._resolve_stack(stack_name)  # noqa: SLF001
        if stack is None:
            return "DELETE_COMPLETE", ""
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack["StackStatus"], _reason(stack)
        pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)


def end_interrupted() -> None:
    """Let what ran on the stacks of any account when the server was stopped fail: nobody goes on with it."""
    for stack in _CLOUDFORMATION._stacks._data.values():  # noqa: SLF001
        operation, in_progress, _ = str(stack["StackStatus"]).partition("_IN_PROGRESS")
        if in_progress and operation != "REVIEW":  # a stack that waits for its first change set to be executed
            cleaned_up = operation.removesuffix("_CLEANUP")
            stack["StackStatus"] = cleaned_up if cleaned_up != operation else f"{operation}_FAILED"
            stack["StackStatusReason"] = "The local AWS was stopped while the operation ran"


def _reason(stack: StackRecord) -> str:
    """Return why the last operation failed: the reason of the first resource that did."""
    events: list[dict[str, str]] = _CLOUDFORMATION._stack_events.get(  # noqa: SLF001
        stack["StackId"], []
    )
    first: dict[str, str] | None = None
    for event in reversed(events):
        if event["ResourceStatus"].endswith("_FAILED"):
            first = event
        elif event["PhysicalResourceId"] == stack["StackId"] and event["ResourceStatus"] in _BEGINNINGS:
            break
    if first is None:
        return str(stack.get("StackStatusReason") or "")
    return (
        f"ResourceLogicalId:{first['LogicalResourceId']}, ResourceType:{first['ResourceType']}, "
        f"ResourceStatusReason:{first['ResourceStatusReason']}"
    )


def detect_drift(stack_id: str) -> tuple[str, list[dict[str, Any]]]:
    """Detect the drift of a stack; return its status and a ``StackResourceDrift`` for each resource checked.

    Raises:
        ServiceError: The stack is in no state for it.
    """
    _call("DetectStackDrift", {"StackName": [stack_id]})
    stack = _HANDLERS._resolve_stack(stack_id)  # noqa: SLF001
    drifts = [record["_drift"] for record in stack["_resources"].values() if record.get("_drift")]
    return stack["DriftInformation"]["StackDriftStatus"], drifts


def parse_template(body: str) -> dict[str, Any]:
    """Return a template as a mapping.

    Raises:
        ServiceError: It is none.
    """
    try:
        template = _ENGINE._parse_template(body)  # noqa: SLF001
    except Exception as error:
        raise ServiceError("ValidationError", f"Template format error: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):  # pyright: ignore[reportUnknownMemberType]
        raise ServiceError("ValidationError", "Template format error: At least one Resources member must be defined.")
    return template  # pyright: ignore[reportUnknownVariableType]


def document_of(url: str) -> str:
    """Return the template that a ``TemplateURL`` of the present account's S3 names, of at most 1,000,000 bytes.

    Raises:
        ServiceError: There is none.
    """
    form = {"TemplateURL": [url]}
    text, refusal = _HELPERS._resolve_document(form, "TemplateBody", "TemplateURL", "Template")  # noqa: SLF001
    if refusal is not None:
        raise _error(refusal[0], refusal[2])
    return text


def missing_capabilities(template: Mapping[str, Any], given: Sequence[str]) -> list[str]:
    """Return the capabilities that a template's IAM resources ask for and that were not given."""
    required = _HANDLERS._required_iam_capabilities(template)  # noqa: SLF001
    return _HANDLERS._missing_capabilities(set(given), required)  # noqa: SLF001


def roles() -> dict[str, dict[str, Any]]:
    """Return the IAM roles of the present account by name."""
    return _IAM._roles  # noqa: SLF001


def make_role(name: str, trust: Mapping[str, Any], policy_arn: str) -> None:
    """Make an IAM role in the present account, with one managed policy attached."""
    properties = {"RoleName": name, "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": [policy_arn]}
    _PROVISIONERS._iam_role_create(name, properties, name)  # noqa: SLF001


def _call(action: str, form: Mapping[str, list[str]]) -> None:
    status, _, body = _HANDLERS._ACTION_HANDLERS[action](form)  # noqa: SLF001
    if status >= 400:
        raise _error(status, body)


def _error(status: int, body: bytes) -> ServiceError:
    error = ET.fromstring(body)  # noqa: S314 (MiniStack's own answer)
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in error.iter()}
    return ServiceError(found["Code"], found["Message"], status)


def _parameters(parameters: Mapping[str, str]) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    for number, (key, value) in enumerate(parameters.items(), 1):
        form[f"Parameters.member.{number}.ParameterKey"] = [key]
        form[f"Parameters.member.{number}.ParameterValue"] = [value]
    return form
