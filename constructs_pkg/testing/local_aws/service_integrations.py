"""Step Functions' ``aws-sdk:`` tasks for the services that MiniStack does not call: any operation, by botocore's model.

And no task begins in an execution that was stopped, nor in the children of its maps.

Names are those of the AWS SDK for Java 2 with a capital letter, as Step Functions has them ("Learning to use AWS
service SDK integrations"): ``StartSigningJob`` takes ``ClientRequestToken``. A response's times become ISO 8601 texts.
"""

# MiniStack and the clients of boto3 are untyped.
# ruff: noqa: SLF001, ANN401

import json
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from constructs_pkg.testing.local_aws.internals import STEP_FUNCTIONS
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.testing.local_aws.role_calls import RoleCalls

__all__ = ["install"]

_SERVICES = {"s3": ("s3", "S3"), "sfn": ("stepfunctions", "Sfn"), "signer": ("signer", "Signer")}
"""By the service's name in a task: botocore's name of it, and what the names of its errors begin with."""
_MAX_BODY_BYTES = 256 * 1024
"""What a state may hold (Step Functions quotas: 256 KiB of input or output)."""
_HIDDEN_MEMBERS = frozenset({"ResponseMetadata"})
_role: ContextVar[str] = ContextVar("role_of_execution", default="")


def install(overlay: Overlay) -> None:
    """Run the tasks; other services stay MiniStack's.

    Args:
        overlay: The registry.
    """
    calls = RoleCalls(overlay)
    overlay.share(calls)
    STEP_FUNCTIONS._run_execution = _remembering_role(STEP_FUNCTIONS._run_execution)
    STEP_FUNCTIONS._execute_task = _unless_stopped(STEP_FUNCTIONS._execute_task)
    STEP_FUNCTIONS._invoke_aws_sdk_integration = _calling(calls, STEP_FUNCTIONS._invoke_aws_sdk_integration)


def _remembering_role(run: Callable[[str], None]) -> Callable[[str], None]:
    """Keep the state machine's role for the tasks of an execution, which MiniStack does not tell it."""

    def running(execution_arn: str) -> None:
        execution: Any = STEP_FUNCTIONS._executions[execution_arn]
        machine: Any = STEP_FUNCTIONS._state_machines.get(execution["stateMachineArn"])
        token = _role.set("" if machine is None else machine["roleArn"])
        try:
            run(execution_arn)
        finally:
            _role.reset(token)

    return running


def _unless_stopped(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Let no task begin once the execution was stopped: MiniStack's children of a map would go on to their end."""

    def executing(state: Any, given: Any, execution: Any, context: Any) -> Any:
        parent: Any = STEP_FUNCTIONS._executions.get(context["Execution"]["Id"])
        if parent is not None and parent["status"] != "RUNNING":
            raise STEP_FUNCTIONS._ExecutionError("States.Runtime", "the execution was stopped")
        return execute(state, given, execution, context)

    return executing


def _calling(calls: RoleCalls, original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoke(resource: str, arguments: Any) -> Any:
        parts = resource.split(":")
        name, action = parts[6].lower(), parts[7]
        if name not in _SERVICES:
            return original(resource, arguments)
        service, prefix = _SERVICES[name]
        client = calls.client(service, _role.get(), "step-functions")
        return _call(client, prefix, action, arguments)

    return invoke


def _call(client: Any, prefix: str, action: str, arguments: Any) -> Any:
    operation = f"{action[0].upper()}{action[1:]}"
    model = client.meta.service_model
    if operation not in model.operation_names:
        raise STEP_FUNCTIONS._ExecutionError("States.Runtime", f"{prefix} has no action {action}")
    operation_model = model.operation_model(operation)
    method = next(method for method, name in client.meta.method_to_api_mapping.items() if name == operation)
    try:
        parameters = _to_api(arguments, operation_model.input_shape)
        return _to_states(getattr(client, method)(**parameters), operation_model.output_shape)
    except ClientError as error:
        raise _task_error(error, prefix, operation_model) from error
    except BotoCoreError as error:
        raise STEP_FUNCTIONS._ExecutionError(f"{prefix}.SdkClientException", str(error)) from error


def _task_error(error: ClientError, prefix: str, operation: Any) -> Exception:
    """Return the failure as the SDK for Java names it: a modelled error, or the service's general one."""
    answer = cast("dict[str, Any]", error.response)
    code, status = str(answer["Error"].get("Code", "")), answer["ResponseMetadata"]["HTTPStatusCode"]
    modelled = {shape.metadata.get("error", {}).get("code", shape.name): shape.name for shape in operation.error_shapes}
    # A HEAD has no body to name the error in; for S3, the SDK tells a missing key by the status.
    found = modelled.get(code) or ("NoSuchKey" if (prefix, status) == ("S3", 404) else None)
    name = f"{prefix}Exception" if found is None else found if found.endswith("Exception") else f"{found}Exception"
    message = f"{answer['Error'].get('Message', code)} (Service: {prefix}, Status Code: {status})"
    return cast("Exception", STEP_FUNCTIONS._ExecutionError(f"{prefix}.{name}", message))


def _to_api(value: Any, shape: Any) -> Any:
    """Return arguments with the names that the API's model has."""
    kind = _kind(shape)
    if kind == "structure" and isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        by_name: dict[str, str] = {_states_name(name): name for name in shape.members}
        unknown = sorted(set(given) - set(by_name))
        if unknown:
            raise STEP_FUNCTIONS._ExecutionError(
                "States.Runtime", f"The field(s) {', '.join(unknown)} are not supported by Step Functions"
            )
        return {by_name[key]: _to_api(item, shape.members[by_name[key]]) for key, item in given.items()}
    if kind == "list" and isinstance(value, list):
        return [_to_api(item, shape.member) for item in cast("list[Any]", value)]
    if kind == "blob":
        return value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return value


def _to_states(value: Any, shape: Any) -> Any:
    """Return an answer with the names that Step Functions has."""
    kind = _kind(shape)
    if kind == "structure" and isinstance(value, dict):
        return {
            _states_name(key): _to_states(item, shape.members.get(key))
            for key, item in cast("dict[str, Any]", value).items()
            if key not in _HIDDEN_MEMBERS
        }
    if kind == "list" and isinstance(value, list):
        return [_to_states(item, shape.member) for item in cast("list[Any]", value)]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if hasattr(value, "read"):
        return value.read(_MAX_BODY_BYTES + 1).decode("utf-8", "replace")
    return value


def _kind(shape: Any) -> str:
    return "" if shape is None else shape.type_name


def _states_name(member: str) -> str:
    """Return the name of a member: the first letter is a capital."""
    return f"{member[0].upper()}{member[1:]}"
