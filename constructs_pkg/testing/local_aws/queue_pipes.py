"""EventBridge Pipes from a queue to a state machine, which MiniStack registers and does not run.

A batch at a time: for a FIFO queue with one message group that is what AWS does, for others it is slower than AWS. An
Express state machine runs while the pipe waits (``REQUEST_RESPONSE``); a batch whose execution fails stays in the
queue and is received again, up to the queue's ``maxReceiveCount`` ("EventBridge Pipes error handling").
"""

# MiniStack and the clients of boto3 are untyped.
# ruff: noqa: SLF001

import json
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from constructs_pkg.testing.local_aws.internals import CLOUDFORMATION_PROVISIONERS, PIPES
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.testing.local_aws.role_calls import RoleCalls

__all__ = ["install"]

_LOG = logging.getLogger("local-aws.pipes")
_WAIT_SECONDS = 1
_PAUSE_SECONDS = 0.2
_DEFAULT_BATCH = 10


def install(overlay: Overlay) -> None:
    """Run pipes whose source is a queue.

    Args:
        overlay: The registry; ``service_integrations`` comes before this.
    """
    pipes = _QueuePipes(overlay, overlay.part(RoleCalls))
    overlay.add_resource_type("AWS::Pipes::Pipe", pipes)
    overlay.at_start(pipes.resume)


class _QueuePipes:
    def __init__(self, overlay: Overlay, calls: RoleCalls) -> None:
        self._overlay = overlay
        self._calls = calls
        self._original: dict[str, Any] = dict(CLOUDFORMATION_PROVISIONERS._RESOURCE_HANDLERS["AWS::Pipes::Pipe"])
        # What MiniStack's record of a pipe does not hold, by the pipe's ARN; global, for `resume`.
        self._parameters = overlay.global_store("queue_pipes")

    def create(self, logical_id: str, properties: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
        name, attributes = self._original["create"](logical_id, properties, stack_name)
        self._take(attributes["Arn"], properties)
        return name, attributes

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
    ) -> tuple[str, dict[str, Any]]:
        name, attributes = self._original["update"](physical_id, old, new, stack_name)
        self._take(attributes["Arn"], new)
        return name, attributes

    def delete(self, physical_id: str, properties: dict[str, Any]) -> None:
        self._original["delete"](physical_id, properties)

    def resume(self) -> None:
        """Go on with the pipes of a state that was kept."""
        for arn in self._parameters:
            self._start(arn)

    def _take(self, arn: str, properties: dict[str, Any]) -> None:
        if ":sqs:" not in properties["Source"]:
            return
        source = properties.get("SourceParameters", {}).get("SqsQueueParameters", {})
        target = properties.get("TargetParameters", {}).get("StepFunctionStateMachineParameters", {})
        is_new = arn not in self._parameters
        self._parameters[arn] = {
            "batch": int(source.get("BatchSize", _DEFAULT_BATCH)),
            "waits": target.get("InvocationType", "REQUEST_RESPONSE") == "REQUEST_RESPONSE",
        }
        if is_new:
            self._start(arn)

    def _start(self, arn: str) -> None:
        _, _, _, region, account, _ = arn.split(":", 5)
        threading.Thread(
            target=self._overlay.run_in, args=(account, region, self._run, arn), name=f"pipe {arn}", daemon=True
        ).start()

    def _run(self, arn: str) -> None:
        """Carry batches until the pipe is deleted."""
        name = arn.rpartition("/")[2]
        while (pipe := PIPES._pipes.get(name)) is not None and pipe["Arn"] == arn:
            if pipe["CurrentState"] != "RUNNING":
                time.sleep(_PAUSE_SECONDS)
                continue
            try:
                self._carry(pipe)
            except (ClientError, BotoCoreError) as error:
                _LOG.warning("pipe %s: %s", name, error)
                time.sleep(_PAUSE_SECONDS)
        self._parameters.pop(arn, None)

    def _carry(self, pipe: dict[str, Any]) -> None:
        parameters = self._parameters[pipe["Arn"]]
        queue: Any = self._calls.client("sqs", pipe["RoleArn"], "pipes")
        *_, account, queue_name = pipe["Source"].split(":")
        url = f"{queue.meta.endpoint_url}/{account}/{queue_name}"
        received = queue.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(parameters["batch"], 10),
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if messages and self._deliver(pipe, messages, waits=parameters["waits"]):
            for message in messages:
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _deliver(self, pipe: dict[str, Any], messages: list[dict[str, Any]], *, waits: bool) -> bool:
        records = [_record(message, pipe["Source"]) for message in messages]
        machines: Any = self._calls.client("stepfunctions", pipe["RoleArn"], "pipes")
        request = {"stateMachineArn": pipe["Target"], "input": json.dumps(records)}
        if not waits:
            machines.start_execution(**request)
            return True
        ended = machines.start_sync_execution(**request)
        if ended["status"] != "SUCCEEDED":
            _LOG.warning("pipe %s: %s %s", pipe["Name"], ended.get("error"), ended.get("cause"))
        return ended["status"] == "SUCCEEDED"


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """Return a message as Pipes hands it on (EventBridge guide, "Amazon Simple Queue Service as a source")."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
