"""Automatic deployment: what happens to service-managed StackSets when an account joins a unit or leaves it.

Source: StackSets guide, "Automatic deployment": account filters and parameter overrides do not reach new accounts,
``DependsOn`` orders the sets, and stacks are deleted or retained when an account leaves.
"""

import asyncio
from typing import Any

from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import Operation, StackSet
from constructs_pkg.testing.local_aws.cloudformation.stack_set_service import StackSetService

__all__ = ["AutoDeployment"]

_PREFERENCES = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100}


class AutoDeployment:
    """Follows accounts through the organization.

    Args:
        service: Whose StackSets follow.
        directory: Where the accounts are.
    """

    def __init__(self, service: StackSetService, directory: Directory) -> None:
        self._service = service
        self._directory = directory
        self._tasks: set[asyncio.Task[None]] = set()

    def move(self, account: str, unit: str) -> None:
        """Put an account into a unit and begin, in the background, what that means for StackSets.

        Args:
            account: 12 digits, of the organization or new.
            unit: The unit's name or id, or the root's id.

        Raises:
            ServiceError: As `Directory.place`.
        """
        self._directory.place(account, unit)
        self.follow(account)

    def follow(self, account: str) -> None:
        """Begin, in the background, what the present place of an account means for StackSets."""
        task = asyncio.get_running_loop().create_task(self._follow_all(account))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow_all(self, account: str) -> None:
        sets = [
            known
            for known in self._service.store.all()
            if known["status"] == "ACTIVE" and (known["auto_deployment"] or {}).get("Enabled")
        ]
        done: dict[str, asyncio.Task[None]] = {}
        for known in _in_order(sets):
            dependencies = [done[arn] for arn in (known["auto_deployment"] or {}).get("DependsOn", []) if arn in done]
            done[known["arn"]] = asyncio.create_task(self._follow_set(known, account, dependencies))
        if done:
            await asyncio.wait(done.values())

    async def _follow_set(self, stack_set: StackSet, account: str, dependencies: list["asyncio.Task[None]"]) -> None:
        if dependencies:
            await asyncio.wait(dependencies)
        # automatic deployments wait for operations that run, where a caller's would be refused
        for operation in [known for known in stack_set["operations"].values() if known["ended"] is None]:
            await self._service.operations.ended(operation)
        operation = self._begin(stack_set, account)
        if operation is not None:
            await self._service.operations.ended(operation)

    def _begin(self, stack_set: StackSet, account: str) -> Operation | None:
        place = self._directory.unit_of(account)
        is_target = place is not None and not {place, self._directory.root}.isdisjoint(stack_set["units"])
        mine = [key for key, instance in stack_set["instances"].items() if instance["account"] == account]
        request: dict[str, Any] = {"OperationPreferences": dict(_PREFERENCES)}
        if is_target and not mine and stack_set["regions"]:
            request |= {"Regions": stack_set["regions"], "DeploymentTargets": {"OrganizationalUnitIds": [place]}}
            return self._service.create_instances(stack_set, [(account, place)], request, {})
        if mine and not is_target:
            request["RetainStacks"] = (stack_set["auto_deployment"] or {}).get("RetainStacksOnAccountRemoval", False)
            work = self._service.work.remove
            return self._service.operations.begin(stack_set, "DELETE", mine, work, request=request)
        for key in mine:
            stack_set["instances"][key]["unit"] = place
        return None


def _in_order(sets: list[StackSet]) -> list[StackSet]:
    """Return StackSets so that each comes after those it depends on; `StackSetStore` refuses circles."""
    by_arn = {known["arn"]: known for known in sets}
    ordered: dict[str, StackSet] = {}

    def add(known: StackSet) -> None:
        for arn in (known["auto_deployment"] or {}).get("DependsOn", []):
            if arn in by_arn and arn not in ordered:
                add(by_arn[arn])
        ordered.setdefault(known["arn"], known)

    for known in sets:
        add(known)
    return list(ordered.values())
