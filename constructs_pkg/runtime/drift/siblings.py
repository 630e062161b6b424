"""A change in a member account reaches every StackSet with a stack there: the first execution starts one for each."""

import hashlib
import json
from collections.abc import Sequence

from .access import Refused, asking
from .events import Tampering
from .surroundings import Surroundings

__all__ = ["start_siblings"]

_ALREADY = "ExecutionAlreadyExists"


def start_siblings(asked: Tampering, stack_sets: Sequence[str], execution: str, around: Surroundings) -> None:
    """Start an execution for each of the other StackSets; the same change starts none twice.

    The name of an execution follows from the change: starting it once more while it runs changes nothing, and
    afterwards is refused for 90 days (AWS Step Functions API reference, "StartExecution", of standard workflows). So an
    event that is delivered twice, and a repeated task, start nothing more.

    Args:
        asked: What happened.
        stack_sets: Their names.
        execution: The ARN of the execution that asks; they are of its state machine.
        around: Everything outside.

    Raises:
        Refused: AWS refused.
    """
    if not stack_sets:
        return
    machine = execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    states = around.access.central("stepfunctions")
    for stack_set in stack_sets:
        request = {
            "kind": "tampering",
            "stack_set": stack_set,
            "account": asked.target.account,
            "region": asked.target.region,
            "call": asked.call,
            "by": asked.by,
            "event_id": asked.event_id,
        }
        text = json.dumps(request, sort_keys=True)
        # CloudTrail gives every event an id; one without could not be told from the next of its kind
        seed = text if asked.event_id else f"{text}{execution}"
        name = f"tampering-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
        try:
            with asking(f"start the execution {name} for {stack_set}"):
                states.start_execution(stateMachineArn=machine, name=name, input=text)
        except Refused as refused:
            if refused.code != _ALREADY:
                raise
