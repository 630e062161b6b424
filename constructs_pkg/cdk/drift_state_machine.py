"""The definition of the state machine that runs a drift remediation, in the Amazon States Language.

One execution is one run over one StackSet. Every task is a Lambda function that reads again what is there before it
decides, so that every task may be retried; what it found stands in ``status`` of its answer, never in the name of an
exception. Only what AWS Step Functions and the interpreter of the local AWS both have is used: JSONPath, the plain
function ARN as a task, no batcher, no result writer.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

__all__ = ["TASKS", "drift_definition", "placeholder"]

State: TypeAlias = dict[str, object]

TASKS = ("start", "detect", "list_instances", "inspect_batch", "gather", "repair", "report")
"""The tasks, by the name of their handler."""

_RETRY: list[State] = [
    {
        # TaskFailed is every error of a task but a timeout (States Language, "Error names"); naming Lambda's own
        # errors besides would change nothing.
        "ErrorEquals": ["States.TaskFailed", "States.Timeout"],
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": 4,
        "JitterStrategy": "FULL",
    }
]
_CATCH: list[State] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Report"}]


def placeholder(task: str) -> str:
    """Return what stands in the definition, as ``${StartFunction}``, for the ARN of a task's function."""
    return "".join(word.capitalize() for word in task.split("_")) + "Function"


def drift_definition(
    *,
    timeouts: Mapping[str, int],
    max_concurrency: int,
    tolerated_failure_percentage: float,
    longest_run_seconds: int,
) -> str:
    """Return the definition as JSON, with a `placeholder` for each function and ``${Partition}`` for the partition.

    Args:
        timeouts: The timeout of each task's function, in seconds; the task gives up a little later.
        max_concurrency: How many batches, and later how many repairs, run at a time.
        tolerated_failure_percentage: How many percent of the children of a map may fail before it stops. It is always
            written with a decimal point: some interpreters take no other number here.
        longest_run_seconds: When a run is ended by force.
    """
    definition: State = {
        "Comment": "Finds, explains and reverts drift of one StackSet; every instance ends in one row of the report",
        "StartAt": "Forget the input",
        "TimeoutSeconds": longest_run_seconds,
        "States": {
            # An input that is no JSON object could take no result; the tasks read it from the context object.
            "Forget the input": {"Type": "Pass", "Result": {}, "Next": "Start"},
            **_beginning(timeouts),
            **_detection(timeouts),
            **_maps(timeouts, max_concurrency, float(tolerated_failure_percentage)),
            **_end(timeouts),
        },
    }
    return json.dumps(definition, indent=1)


def _task(
    name: str, timeouts: Mapping[str, int], parameters: State | None, next_state: str | None = None, **more: object
) -> State:
    state: State = {
        "Type": "Task",
        "Resource": f"${{{placeholder(name)}}}",
        # Lambda ends the function first, so that its log tells what it was doing.
        "TimeoutSeconds": timeouts[name] + 15,
        "Retry": _RETRY,
    }
    if parameters is not None:
        state["Parameters"] = parameters
    return {**state, **more, **({} if next_state is None else {"Next": next_state})}


def _wait(seconds_path: str, next_state: str) -> State:
    return {"Type": "Wait", "SecondsPath": seconds_path, "Next": next_state}


def _choice(variable: str, cases: Mapping[str, str], default: str) -> State:
    choices = [{"Variable": variable, "StringEquals": value, "Next": name} for value, name in cases.items()]
    return {"Type": "Choice", "Choices": choices, "Default": default}


def _beginning(timeouts: Mapping[str, int]) -> State:
    event: State = {
        "event.$": "$$.Execution.Input",
        "execution.$": "$$.Execution.Id",
        "started_at.$": "$$.Execution.StartTime",
    }
    return {
        "Start": _task("start", timeouts, event, "Is it our turn?", ResultPath="$.start"),
        "Is it our turn?": _choice(
            "$.start.status", {"GO": "Take the run", "WAITING": "Wait for our turn"}, "Nothing to do"
        ),
        "Wait for our turn": _wait("$.start.wait_seconds", "Start"),
        "Nothing to do": {"Type": "Succeed"},
        "Take the run": {"Type": "Pass", "Parameters": {"run.$": "$.start.run"}, "Next": "Detect"},
    }


def _detection(timeouts: Mapping[str, int]) -> State:
    return {
        "Detect": _task(
            "detect", timeouts, {"run.$": "$.run"}, "Is it detected?", ResultPath="$.detection", Catch=_CATCH
        ),
        "Is it detected?": _choice("$.detection.status", {"WAITING": "Wait for the detection"}, "List instances"),
        "Wait for the detection": _wait("$.detection.wait_seconds", "Detect"),
        "List instances": _task(
            "list_instances",
            timeouts,
            {"run.$": "$.run", "detection.$": "$.detection"},
            "Is there any?",
            ResultPath="$.list",
            Catch=_CATCH,
        ),
        "Is there any?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.list.batches", "NumericGreaterThan": 0, "Next": "Inspect batches"}],
            "Default": "Gather",
        },
    }


def _maps(timeouts: Mapping[str, int], max_concurrency: int, tolerated: float) -> State:
    limits: State = {"MaxConcurrency": max_concurrency, "ToleratedFailurePercentage": tolerated}
    # Children answer with nothing: the answers of all children together may have 256 KiB.
    inspect = {**_task("inspect_batch", timeouts, None, OutputPath=None), "End": True}
    repair = _task("repair", timeouts, None, "Is it repaired?", ResultPath="$.repair")
    return {
        "Inspect batches": _map(
            bucket="$.list.bucket",
            key="$.list.batches_key",
            selector={"run.$": "$.run", "detection.$": "$.detection", "batch.$": "$$.Map.Item.Value"},
            start_at="Inspect a batch",
            states={"Inspect a batch": inspect},
            next_state="Gather",
            limits=limits,
        ),
        "Gather": _task(
            "gather",
            timeouts,
            {"run.$": "$.run", "list.$": "$.list"},
            "Is anything to repair?",
            ResultPath="$.gathered",
            Catch=_CATCH,
        ),
        "Is anything to repair?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.gathered.repairs", "NumericGreaterThan": 0, "Next": "Repair instances"}],
            "Default": "Report",
        },
        "Repair instances": _map(
            bucket="$.gathered.bucket",
            key="$.gathered.repairs_key",
            selector={
                "run.$": "$.run",
                "item.$": "$$.Map.Item.Value",
                "repair": {"status": "NEW", "attempt": 0},
            },
            start_at="Repair",
            states={
                "Repair": repair,
                "Is it repaired?": _choice("$.repair.status", {"WAITING": "Wait for the stack"}, "Repaired or told"),
                "Wait for the stack": _wait("$.repair.wait_seconds", "Repair"),
                "Repaired or told": {"Type": "Pass", "OutputPath": None, "End": True},
            },
            next_state="Report",
            limits=limits,
        ),
    }


def _map(
    *, bucket: str, key: str, selector: State, start_at: str, states: State, next_state: str, limits: State
) -> State:
    return {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:${Partition}:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": bucket, "Key.$": key},
        },
        "ItemSelector": selector,
        "ItemProcessor": {
            # STANDARD: a repair waits for CloudFormation longer than the five minutes of an express execution.
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": start_at,
            "States": states,
        },
        **limits,
        # The rows are in S3, where each task put its own.
        "ResultPath": None,
        "Catch": _CATCH,
        "Next": next_state,
    }


def _end(timeouts: Mapping[str, int]) -> State:
    return {
        "Report": _task("report", timeouts, None, "How did it end?", ResultPath="$.report"),
        "How did it end?": _choice("$.report.status", {"SUCCEEDED": "Finished"}, "Failed"),
        "Finished": {"Type": "Pass", "OutputPath": "$.report", "End": True},
        "Failed": {"Type": "Fail", "Error": "DriftRunFailed", "CausePath": "$.report.summary"},
    }
