"""Amazon States Language with JSONata as plain values: the few forms of states that the signing pipeline is made of.

A task calls an API by its model (``aws-sdk:``). Without a word about retries it is tried three times more.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = [
    "Json",
    "State",
    "assign",
    "choice",
    "fail",
    "hexadecimal",
    "jsonata",
    "machine",
    "retrying",
    "signer_retries",
    "task",
]

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json]"
State: TypeAlias = dict[str, Json]

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def hexadecimal(base64: str) -> str:
    """Return an expression that turns the Base64 of 32 bytes into 64 hexadecimal digits.

    Two characters of six bits are three digits; of the 43rd, four bits count. Text functions only: JSONata knows no
    bytes, and its ``$base64decode`` gives text.
    """
    return jsonata(
        f"($text := {base64}; "
        f"$value := function($at) {{ $length($substringBefore('{_BASE64}', $substring($text, $at, 1))) }}; "
        "$join($map([0..20], function($i) { "
        "$pad($formatBase($value(2 * $i) * 64 + $value(2 * $i + 1), 16), -3, '0') })) "
        "& $formatBase($value(42) / 4, 16))"
    )


def jsonata(expression: str) -> str:
    """Return an expression as a value of a state."""
    return f"{{% {expression} %}}"


def machine(comment: str, start: str, states: dict[str, Json], *, timeout_seconds: int) -> State:
    """Return a whole definition."""
    return {
        "Comment": comment,
        "QueryLanguage": "JSONata",
        "StartAt": start,
        "TimeoutSeconds": timeout_seconds,
        "States": states,
    }


def task(
    partition: str,
    action: str,
    arguments: dict[str, Json],
    *,
    assign: dict[str, Json] | None = None,
    output: str | None = None,
    retry: list[Json] | None = None,
    catch: dict[str, Json] | None = None,
    next_state: str | None = None,
    end: bool = False,
) -> State:
    """Return a task that calls an API.

    Args:
        partition: Of the state machine's Region, such as ``aws``.
        action: ``service:operation`` as Step Functions names them, such as ``s3:headObject``.
        arguments: The request; members begin with a capital letter, texts may be expressions.
        assign: Variables to set from ``$states.result``.
        output: An expression; without it, the answer is the output.
        retry: Retriers. Without it a failed call is made three times more, with an empty list it is not.
        catch: Where every error leads, and with which output.
        next_state: What comes next.
        end: Whether nothing does.
    """
    state: State = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:{action}",
        "Arguments": arguments,
    }
    if retry != []:
        state["Retry"] = retry or [retrying(seconds=1, attempts=3)]
    if catch is not None:
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], **catch}]
    if assign is not None:
        state["Assign"] = assign
    if output is not None:
        state["Output"] = jsonata(output)
    if end:
        state["End"] = True
    if next_state is not None:
        state["Next"] = next_state
    return state


def retrying(*, seconds: int, attempts: int, longest_seconds: int = 10) -> State:
    """Return a retrier for whatever a call failed with: exponential, jittered waits."""
    return {
        "ErrorEquals": ["States.TaskFailed"],
        "IntervalSeconds": seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2,
        "MaxDelaySeconds": longest_seconds,
        "JitterStrategy": "FULL",
    }


def signer_retries() -> list[Json]:
    """Return how AWS Signer is asked again: others sign in this account, too, and its limits are low."""
    final = ["Signer.AccessDeniedException", "Signer.ResourceNotFoundException", "Signer.ValidationException"]
    about_an_hour = retrying(seconds=2, attempts=70, longest_seconds=60)
    return [{"ErrorEquals": list[Json](final), "MaxAttempts": 0}, about_an_hour]


def assign(values: dict[str, Json], next_state: str) -> State:
    """Return a state that only sets variables."""
    return {"Type": "Pass", "Assign": values, "Next": next_state}


def choice(condition: str, yes: str, no: str) -> State:
    """Return a state that goes one of two ways."""
    return {"Type": "Choice", "Choices": [{"Condition": jsonata(condition), "Next": yes}], "Default": no}


def fail(error: str, cause: str) -> State:
    """Return a state that ends the execution; the cause is an expression."""
    return {"Type": "Fail", "Error": error, "Cause": jsonata(cause)}
