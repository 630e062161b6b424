"""What a run of a state machine uses: S3's objects with conditional writes, SNS, and executions."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

import hashlib
import io
from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer

__all__ = ["S3Service", "SnsService", "StepFunctionsService"]


class S3Service(Service):
    """Objects of buckets, without versions."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Read an object."""
        found = self._objects(Bucket).get(Key)
        if found is None:
            raise ServiceAnswer("NoSuchKey", "The specified key does not exist.", 404)
        return {"Body": io.BytesIO(found[0]), "ETag": found[1], "ContentLength": len(found[0])}

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
        **_more: Any,
    ) -> dict[str, Any]:
        """Write an object, under a condition where one is given."""
        objects = self._objects(Bucket)
        found = objects.get(Key)
        if (IfNoneMatch == "*" and found is not None) or (IfMatch is not None and (found or ("", ""))[1] != IfMatch):
            message = "At least one of the pre-conditions you specified did not hold"
            raise ServiceAnswer("PreconditionFailed", message, 412)
        etag = f'"{hashlib.sha256(Body).hexdigest()[:32]}"'
        objects[Key] = bytes(Body), etag
        return {"ETag": etag}

    def delete_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Delete an object; one that is gone is no error."""
        self._objects(Bucket).pop(Key, None)
        return {}

    def list_objects_v2(self, *, Bucket: str, Prefix: str = "", ContinuationToken: str | None = None) -> dict[str, Any]:
        """List keys."""
        items = [{"Key": key} for key in sorted(self._objects(Bucket)) if key.startswith(Prefix)]
        token = "NextContinuationToken"  # noqa: S105 (a member's name)
        return self.page("s3:ListObjectsV2", items, 1000, ContinuationToken, key="Contents", token_key=token)

    def _objects(self, bucket: str) -> dict[str, tuple[bytes, str]]:
        if bucket not in self.organization.buckets:
            raise ServiceAnswer("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.organization.buckets[bucket]


class SnsService(Service):
    """Publishes to anything."""

    def publish(self, *, TopicArn: str, Subject: str, Message: str) -> dict[str, Any]:
        """Keep a message."""
        self.organization.messages.append((Subject, Message))
        return {"MessageId": f"{TopicArn}/{len(self.organization.messages)}"}


class StepFunctionsService(Service):
    """Starts executions, in which nothing happens, and tells whether they run."""

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002
        """Start an execution; a name that was used is taken again only while it runs with the same input."""
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        executions, inputs = self.organization.executions, self.organization.execution_inputs
        if arn in executions and (executions[arn] != "RUNNING" or inputs.get(arn) != input):
            raise ServiceAnswer("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        executions[arn], inputs[arn] = "RUNNING", input
        return {"executionArn": arn, "startDate": self.organization.clock.now()}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:
        """Describe an execution."""
        status = self.organization.executions.get(executionArn)
        if status is None:
            raise ServiceAnswer("ExecutionDoesNotExist", f"Execution Does Not Exist: '{executionArn}'")
        return {
            "executionArn": executionArn,
            "stateMachineArn": executionArn.replace(":execution:", ":stateMachine:").rpartition(":")[0],
            "status": status,
            "startDate": self.organization.clock.now(),
        }
