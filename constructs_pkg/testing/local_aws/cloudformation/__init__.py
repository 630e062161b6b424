"""CloudFormation as MiniStack lacks it: StackSets, code signing types, drift of what we use, drift-aware change sets.

`install` is what the overlay calls; it puts every operation behind `query_protocol`, which reads and writes by
botocore's model. What is not implemented is refused with an error.
"""

from collections.abc import Callable
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.auto_deployment import AutoDeployment
from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.ministack_stacks import document_of
from constructs_pkg.testing.local_aws.cloudformation.query_protocol import Answer, read_request, refuse, write_answer
from constructs_pkg.testing.local_aws.cloudformation.stack_set_listings import StackSetListings
from constructs_pkg.testing.local_aws.cloudformation.stack_set_service import StackSetService
from constructs_pkg.testing.local_aws.overlay import Overlay, Proceed, Request, Response

__all__ = ["JOIN_ACTION", "install"]

JOIN_ACTION = "LocalAwsJoinAccount"
"""An action of the Query API that AWS does not have: puts ``Account`` into ``OrganizationalUnit`` (name or id)."""

_TEMPLATE_BYTES = 51_200


def install(overlay: Overlay) -> None:
    """Put our operations and resource types into MiniStack's CloudFormation."""
    directory = Directory(overlay)
    service = StackSetService(overlay, directory)
    for name, action in (service.actions | StackSetListings(service.store).actions).items():
        overlay.add_cloudformation_action(name, _served(name, action))
    for name in ("ImportStacksToStackSet", "ActivateOrganizationsAccess", "DeactivateOrganizationsAccess"):
        overlay.add_cloudformation_action(name, _served(name, _refused))
    deployment = AutoDeployment(service, directory)
    overlay.add_cloudformation_action(JOIN_ACTION, _joining(deployment))
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
        if request.headers.get("x-amz-target", "").endswith(".MoveAccount") and answer[0] == 200:
            moved = request.json()
            deployment.move(moved["AccountId"], moved["DestinationParentId"])
        return answer

    return organizations
