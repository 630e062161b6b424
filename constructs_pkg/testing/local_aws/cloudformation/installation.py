"""What is put into MiniStack's CloudFormation, and how.

Every operation of ours is behind `query_protocol`, which reads and writes by botocore's model. What is not implemented
is refused with an error.
"""

import json
from collections.abc import Callable
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation import (
    JOIN_ACTION,
    code_signing_types,
    drift_readers,
    ministack_gaps,
    revert_drift,
)
from constructs_pkg.testing.local_aws.cloudformation.auto_deployment import AutoDeployment
from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.ministack_stacks import (
    document_of,
    end_interrupted,
    stack_of,
)
from constructs_pkg.testing.local_aws.cloudformation.query_protocol import Answer, read_request, refuse, write_answer
from constructs_pkg.testing.local_aws.cloudformation.stack_set_listings import StackSetListings
from constructs_pkg.testing.local_aws.cloudformation.stack_set_service import StackSetService
from constructs_pkg.testing.local_aws.cloudformation.stack_set_type import (
    DRIFT_PROPERTIES,
    STACK_SET_TYPE,
    StackSetType,
)
from constructs_pkg.testing.local_aws.overlay import Overlay, Proceed, Request, Response

__all__ = ["install"]

_TEMPLATE_BYTES = 51_200


def install(overlay: Overlay) -> None:
    """Put our operations and resource types into MiniStack's CloudFormation."""
    directory = Directory(overlay)
    service = StackSetService(overlay, directory)
    for name, action in (service.actions | StackSetListings(service.store).actions).items():
        overlay.add_cloudformation_action(name, _served(name, action))
    ministack_gaps.install()
    code_signing_types.install(overlay)
    drift_readers.install(overlay)
    revert_drift.install(overlay)
    overlay.add_cloudformation_action(
        "DetectStackDrift", _announcing(service, overlay.cloudformation_action("DetectStackDrift"))
    )
    stack_set_type = StackSetType(overlay, service, _with_template)
    overlay.add_drift_reader(STACK_SET_TYPE, stack_set_type.read, DRIFT_PROPERTIES)
    for name in ("ImportStacksToStackSet", "ActivateOrganizationsAccess", "DeactivateOrganizationsAccess"):
        overlay.add_cloudformation_action(name, _served(name, _refused))
    overlay.at_start(end_interrupted)
    overlay.at_start(lambda: service.operations.end_interrupted(service.store.all()))
    deployment = AutoDeployment(service, directory)
    overlay.add_cloudformation_action(JOIN_ACTION, _joining(deployment))
    if overlay.organization is not None:
        overlay.add_service("organizations", _following(deployment))


def _served(name: str, action: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, list[str]]], Answer]:
    def serve(form: dict[str, list[str]]) -> Answer:
        try:
            return write_answer(name, action(_with_template(read_request(name, form))))
        except ServiceError as error:
            return refuse(error)

    return serve


def _with_template(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request with ``TemplateBody`` in the place of ``TemplateURL``."""
    if "TemplateURL" in request:
        if "TemplateBody" in request:
            raise ServiceError("ValidationError", "You must specify either TemplateBody or TemplateURL, but not both")
        return {**request, "TemplateBody": document_of(request["TemplateURL"])}
    size = len(request.get("TemplateBody", "").encode())
    if size > _TEMPLATE_BYTES:
        raise ServiceError(
            "ValidationError",
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_TEMPLATE_BYTES}; it has {size} bytes",
        )
    return request


def _refused(request: dict[str, Any]) -> dict[str, Any]:
    del request
    raise ServiceError("InvalidOperationException", "This operation is not implemented by the local AWS")


def _joining(deployment: AutoDeployment) -> Callable[[dict[str, list[str]]], Answer]:
    def join(form: dict[str, list[str]]) -> Answer:
        try:
            deployment.move(form.get("Account", [""])[0], form.get("OrganizationalUnit", [""])[0])
        except ServiceError as error:
            return refuse(error)
        # An answer without members, under the name of an operation that has none.
        return write_answer("DeleteStackSet", {})

    return join


def _following(deployment: AutoDeployment) -> Callable[[Request, Proceed], Any]:
    async def organizations(request: Request, proceed: Proceed) -> Response:
        answer = await proceed(request)
        action = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if answer[0] != 200:
            return answer
        if action == "MoveAccount":
            deployment.follow(request.json()["AccountId"])
        elif action == "CreateAccount":
            deployment.follow(json.loads(answer[2])["CreateAccountStatus"]["AccountId"])
        return answer

    return organizations


def _announcing(
    service: StackSetService, detect: Callable[[dict[str, list[str]]], Answer]
) -> Callable[[dict[str, list[str]]], Answer]:
    def announce(form: dict[str, list[str]]) -> Answer:
        answer = detect(form)
        stack = stack_of(form.get("StackName", [""])[0])
        if answer[0] == 200 and stack is not None:
            service.events.drift_detected(stack["StackId"], list(stack["_drift_detections"].values())[-1])
        return answer

    return announce
