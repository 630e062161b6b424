"""Operations of StackSets: which run and which wait, in what order they reach accounts and Regions, when they stop.

An operation goes Region by Region (or all at once), within a Region over as many accounts at a time as its preferences
allow, and stops where more accounts failed than they tolerate. Sources: the StackSets guide, "Stack set operation
options" and "Managed execution".
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.deployment_events import DeploymentEvents
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import Operation, StackInstance, StackSet
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["StackSetOperations", "check_preferences", "timestamp"]

Work = Callable[[StackSet, Operation, StackInstance], Awaitable[str | None]]
"""Does one instance's part of an operation; returns why it failed, None where it did not."""
OnEnd = Callable[[StackSet, Operation], None]
"""Called once all instances are through, before the operation has its last status."""

_LOG = logging.getLogger("local-aws")
_ENDED = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
_KEPT_OPERATIONS = 1000
_QUEUE_LIMIT = 10_000


def timestamp(overlay: Overlay) -> str:
    """Return the present moment as answers have it."""
    return overlay.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_preferences(preferences: dict[str, Any]) -> dict[str, Any]:
    """Return operation preferences with AWS's defaults filled in.

    Args:
        preferences: As the request has them, each member within its own limits.

    Raises:
        ServiceError: Count and percentage are both given, or a Region is listed twice.
    """
    for name in ("FailureTolerance", "MaxConcurrent"):
        if f"{name}Count" in preferences and f"{name}Percentage" in preferences:
            raise ServiceError(
                "ValidationError", f"You must specify either {name}Count or {name}Percentage, but not both"
            )
    order = preferences.get("RegionOrder", [])
    if len(set(order)) != len(order):
        raise ServiceError("ValidationError", f"RegionOrder lists a Region twice: {', '.join(order)}")
    chosen = {"RegionConcurrencyType": "SEQUENTIAL", "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE", **preferences}
    if "FailureTolerancePercentage" not in chosen:
        chosen.setdefault("FailureToleranceCount", 0)
    if "MaxConcurrentPercentage" not in chosen:
        chosen.setdefault("MaxConcurrentCount", 1)
    return chosen


class StackSetOperations:
    """Begins, queues, runs and stops operations.

    Args:
        overlay: For the time.
        events: Told of every change.
    """

    def __init__(self, overlay: Overlay, events: DeploymentEvents) -> None:
        self._overlay = overlay
        self._events = events
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(
        self,
        stack_set: StackSet,
        action: str,
        keys: Sequence[str],
        work: Work,
        *,
        request: dict[str, Any],
        on_end: OnEnd | None = None,
    ) -> Operation:
        """Begin an operation on instances that exist already; call it within the event loop.

        Args:
            stack_set: Whose.
            action: ``CREATE``, ``UPDATE``, ``DELETE`` or ``DETECT_DRIFT``.
            keys: The instances.
            work: What to do with each.
            request: The request: ``OperationId``, ``OperationPreferences``, ``RetainStacks``, ``DeploymentTargets``.
            on_end: Called at the end.

        Raises:
            ServiceError: Another operation is in its way, its id is taken, or its preferences contradict each other.
        """
        preferences = check_preferences(request.get("OperationPreferences", {}))
        before = self.refuse_conflicts(stack_set, action, keys, request.get("OperationId"))
        operation = self._record(stack_set, action, keys, request, preferences)
        operation["status"] = "QUEUED" if before else "RUNNING"
        if not before:
            self._mark_pending(stack_set, operation)
        task = asyncio.get_running_loop().create_task(self._run(stack_set, operation, work, on_end, before))
        self._tasks[operation["id"]] = task
        task.add_done_callback(lambda _: self._tasks.pop(operation["id"], None))
        return operation

    def refuse_conflicts(
        self, stack_set: StackSet, action: str, keys: Sequence[str], operation_id: str | None
    ) -> list["asyncio.Task[None]"]:
        """Return the operations to wait for.

        Raises:
            ServiceError: The id is taken, or there is an operation and the set is not under managed execution.
        """
        if operation_id is not None and operation_id in stack_set["operations"]:
            raise ServiceError(
                "OperationIdAlreadyExistsException", f"Operation id {operation_id} already exists", status_code=409
            )
        open_ones = [operation for operation in stack_set["operations"].values() if operation["status"] not in _ENDED]
        if action == "DETECT_DRIFT" and any(operation["action"] == "DETECT_DRIFT" for operation in open_ones):
            raise _in_progress(stack_set, open_ones)
        if open_ones and not stack_set["is_managed"]:
            raise _in_progress(stack_set, open_ones)
        if len(open_ones) >= _QUEUE_LIMIT:
            raise ServiceError("LimitExceededException", f"{_QUEUE_LIMIT} operations of {stack_set['name']} are queued")
        conflicting = [operation for operation in open_ones if not set(keys).isdisjoint(operation["keys"])]
        return [self._tasks[operation["id"]] for operation in conflicting if operation["id"] in self._tasks]

    def stop(self, stack_set: StackSet, operation: Operation) -> None:
        """Stop an operation: instances that run are finished, the others cancelled.

        Raises:
            ServiceError: It has ended already.
        """
        if operation["status"] in _ENDED:
            raise ServiceError(
                "InvalidOperationException",
                f"Operation {operation['id']} is {operation['status']} and cannot be stopped",
            )
        self._turn(stack_set, operation, "STOPPING")

    def end_interrupted(self, stack_sets: Sequence[StackSet]) -> None:
        """End the operations that ran or waited when the server was stopped: nobody goes on with them."""
        for stack_set in stack_sets:
            for operation in stack_set["operations"].values():
                if operation["status"] not in _ENDED:
                    operation["status"] = "STOPPED"
                    operation["reason"] = "The local AWS was stopped while the operation ran"
                    operation["ended"] = timestamp(self._overlay)
                    self._cancel(stack_set, operation, operation["keys"])

    async def ended(self, operation: Operation) -> None:
        """Wait until an operation has ended."""
        task = self._tasks.get(operation["id"])
        if task is not None:
            await asyncio.wait([task])

    def _record(
        self,
        stack_set: StackSet,
        action: str,
        keys: Sequence[str],
        request: dict[str, Any],
        preferences: dict[str, Any],
    ) -> Operation:
        operation: Operation = {
            "id": request.get("OperationId") or str(uuid4()),
            "action": action,
            "status": "RUNNING",
            "reason": "",
            "created": timestamp(self._overlay),
            "ended": None,
            "preferences": preferences,
            "retains": request.get("RetainStacks"),
            "targets": request.get("DeploymentTargets", {}),
            "keys": list(keys),
            "results": {},
            "drift_details": None,
            "drifts": {},
        }
        for key in keys:
            instance = stack_set["instances"][key]
            operation["results"][key] = {
                "account": instance["account"],
                "region": instance["region"],
                "unit": instance["unit"],
                "status": "PENDING",
                "reason": "",
            }
        operations = stack_set["operations"]
        operations[operation["id"]] = operation
        while len(operations) > _KEPT_OPERATIONS and next(iter(operations.values()))["status"] in _ENDED:
            del operations[next(iter(operations))]
        return operation

    async def _run(
        self,
        stack_set: StackSet,
        operation: Operation,
        work: Work,
        on_end: OnEnd | None,
        before: list["asyncio.Task[None]"],
    ) -> None:
        if before:
            await asyncio.wait(before)
            self._mark_pending(stack_set, operation)
        if operation["status"] != "STOPPING":
            self._turn(stack_set, operation, "RUNNING")
        is_tolerable = await self._in_regions(stack_set, operation, work)
        self._cancel(stack_set, operation, operation["keys"])
        if on_end is not None:
            on_end(stack_set, operation)
        operation["ended"] = timestamp(self._overlay)
        if operation["status"] == "STOPPING":
            self._turn(stack_set, operation, "STOPPED")
        else:
            operation["reason"] = "" if is_tolerable else "The operation exceeded the specified failure tolerance"
            self._turn(stack_set, operation, "SUCCEEDED" if is_tolerable else "FAILED")

    @staticmethod
    def _mark_pending(stack_set: StackSet, operation: Operation) -> None:
        for key in operation["keys"]:
            # an operation that this one waited for may have deleted it
            instance = stack_set["instances"].get(key)
            if instance is not None:
                instance["last_operation"] = operation["id"]
                instance["detailed"] = instance["detailed"] if operation["action"] == "DETECT_DRIFT" else "PENDING"

    async def _in_regions(self, stack_set: StackSet, operation: Operation, work: Work) -> bool:
        by_region: dict[str, list[str]] = {}
        for key in operation["keys"]:
            if key in stack_set["instances"]:
                by_region.setdefault(stack_set["instances"][key]["region"], []).append(key)
        first = operation["preferences"].get("RegionOrder", [])
        regions = [region for region in first if region in by_region]
        regions += [region for region in by_region if region not in regions]
        runs = [self._in_region(stack_set, operation, by_region[region], work) for region in regions]
        if operation["preferences"]["RegionConcurrencyType"] == "PARALLEL":
            return all(await asyncio.gather(*runs))
        is_tolerable = True
        for run in runs:
            if is_tolerable:
                is_tolerable = await run
            else:
                run.close()
        return is_tolerable

    async def _in_region(self, stack_set: StackSet, operation: Operation, keys: list[str], work: Work) -> bool:
        tolerated, at_once = _limits(operation["preferences"], len(keys))
        is_strict = operation["preferences"]["ConcurrencyMode"] == "STRICT_FAILURE_TOLERANCE"
        waiting = deque(keys)
        failures = running = 0

        async def worker() -> None:
            nonlocal failures, running
            while waiting and failures <= tolerated and operation["status"] == "RUNNING":
                # strict: even if all that run now failed, one more than tolerated is the most there can be
                if is_strict and failures + running > tolerated:
                    return
                running += 1
                has_failed = await self._attempt(stack_set, operation, waiting.popleft(), work)
                running -= 1
                failures += has_failed

        await asyncio.gather(*(worker() for _ in range(at_once)))
        return failures <= tolerated

    async def _attempt(self, stack_set: StackSet, operation: Operation, key: str, work: Work) -> bool:
        instance, result = stack_set["instances"][key], operation["results"][key]
        result["status"] = "RUNNING"
        is_deployment = operation["action"] != "DETECT_DRIFT"
        if is_deployment:
            instance["detailed"] = "RUNNING"
            self._events.instance_changed(stack_set, instance, operation["action"])
        try:
            reason = await work(stack_set, operation, instance)
        except ServiceError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 (reported as the instance's reason)
            # the operation must end, whatever MiniStack's provisioners raise
            _LOG.exception("%s of %s failed", operation["action"], key)
            reason = f"Internal failure: {error!r}"
        result["status"] = "SUCCEEDED" if reason is None else "FAILED"
        result["reason"] = reason or ""
        if is_deployment:
            instance["detailed"] = result["status"]
            instance["status"] = "CURRENT" if reason is None else "OUTDATED"
            instance["reason"] = result["reason"]
        self._events.instance_changed(stack_set, instance, operation["action"])
        return reason is not None

    def _cancel(self, stack_set: StackSet, operation: Operation, keys: Sequence[str]) -> None:
        why = "Cancelled since failure tolerance has exceeded"
        for key in keys:
            result = operation["results"][key]
            if result["status"] in {"PENDING", "RUNNING"}:
                is_stopped = operation["status"] in {"STOPPING", "STOPPED"}
                result["status"] = "CANCELLED"
                result["reason"] = "Cancelled since the operation was stopped" if is_stopped else why
                instance = stack_set["instances"].get(key)
                if instance is not None and operation["action"] != "DETECT_DRIFT":
                    instance["detailed"] = "CANCELLED"
                    instance["reason"] = result["reason"]
                    instance["status"] = "OUTDATED"

    def _turn(self, stack_set: StackSet, operation: Operation, status: str) -> None:
        operation["status"] = status
        self._events.operation_changed(stack_set, operation)


def _limits(preferences: dict[str, Any], accounts: int) -> tuple[int, int]:
    """Return how many accounts of a Region may fail and how many are worked on at once."""
    if "FailureTolerancePercentage" in preferences:
        tolerated = accounts * preferences["FailureTolerancePercentage"] // 100
    else:
        tolerated = preferences["FailureToleranceCount"]
    if "MaxConcurrentPercentage" in preferences:
        at_once = max(1, accounts * preferences["MaxConcurrentPercentage"] // 100)
    else:
        at_once = preferences["MaxConcurrentCount"]
    if preferences["ConcurrencyMode"] == "STRICT_FAILURE_TOLERANCE":
        at_once = min(at_once, tolerated + 1)
    return tolerated, max(1, min(at_once, accounts))


def _in_progress(stack_set: StackSet, operations: Sequence[Operation]) -> ServiceError:
    ids = ", ".join(operation["id"] for operation in operations[:3])
    return ServiceError(
        "OperationInProgressException",
        f"Another Operation on StackSet {stack_set['arn']} is in progress: {ids}",
        status_code=409,
    )
