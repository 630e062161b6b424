"""What is about several StackSets reaches them all: the first execution starts one for each of the others."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from .access import Refused, asking
from .surroundings import Surroundings

__all__ = ["start_siblings"]

_ALREADY = "ExecutionAlreadyExists"


def start_siblings(requests: Iterable[Mapping[str, object]], execution: str, around: Surroundings) -> None:
    """Start an execution for each request; the same change, and the same execution, start none twice.

    The name of an execution follows from what it is for: starting it once more while it runs changes nothing, and
    afterwards is refused for 90 days (AWS Step Functions API reference, "StartExecution", of standard workflows). So an
    event that is delivered twice, and a repeated task, start nothing more.

    Args:
        requests: The inputs, each with ``kind`` and what `events.parse_event` reads of it.
        execution: The ARN of the execution that asks; they are of its state machine.
        around: Everything outside.

    Raises:
        Refused: AWS refused.
    """
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    for request in requests:
        text = json.dumps(request, sort_keys=True)
        # CloudTrail gives every event an id; what has none could not be told from the next of its kind
        seed = text if request.get("event_id") else f"{text}{execution}"
        name = f"{request['kind']}-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
        try:
            with asking(f"start the execution {name} for {request.get('stack_set') or request.get('wave')}"):
                around.access.central("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=text)
        except Refused as refused:
            if refused.code != _ALREADY:
                raise
