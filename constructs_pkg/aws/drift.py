"""The tasks of the drift functions in this process: the same detection and plan, without anything that changes AWS."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from constructs_pkg.errors import AwsError
from constructs_pkg.runtime.drift import detect, inspect_batch, list_instances, report, start
from constructs_pkg.runtime.drift.access import Refused
from constructs_pkg.runtime.drift.expectations import Expectations, parse_expectations
from constructs_pkg.runtime.drift.settings import Settings
from constructs_pkg.runtime.drift.storage import MemoryStore
from constructs_pkg.runtime.drift.surroundings import Surroundings, surroundings

__all__ = ["NOTHING_TO_READ", "DriftReader"]

_WORKERS = 16
NOTHING_TO_READ = "NothingToRead"
"""The code of the ``AwsError`` for a StackSet that has no stack in the accounts that are asked about."""


class DriftReader:
    """Looks for drift with the caller's credentials and, in member accounts, through a role that only reads.

    Args:
        session: A boto3 session of the account that administers the StackSets.
        expectations: What ``constructs_pkg.organization_drift.drift_expectations`` returned.
        member_role: The name of the role in member accounts, which is assumed without an external id.
        call_as: ``DELEGATED_ADMIN`` or ``SELF``.
        now: The clock.
        sleep: Waits some seconds.
        executor: Runs the batches; threads where left out.
    """

    def __init__(
        self,
        session: Any,
        expectations: Mapping[str, Any],
        *,
        member_role: str,
        call_as: str,
        now: Callable[[], Any],
        sleep: Callable[[float], None],
        executor: Executor | None = None,
    ) -> None:
        self.expectations: Expectations = parse_expectations(expectations)
        self._settings = Settings(call_as=call_as, batch_instances=4)
        self._session, self._member_role, self._now, self._sleep = session, member_role, now, sleep
        self._executor = executor

    def read(
        self,
        stack_set: str,
        *,
        accounts: Sequence[str] = (),
        detects: bool = True,
        tell: Callable[[str], None] = lambda _text: None,
        count: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> dict[str, Any]:
        """Detect, look at every stack instance, and report; nothing is proposed and nothing is repaired.

        Args:
            stack_set: The StackSet's name.
            accounts: Only these accounts; all where empty.
            detects: Whether StackSets detects drift anew, which keeps other operations of the StackSet waiting.
                Otherwise the results of its last detection are used, however old they are.
            tell: Hears what is going on, a sentence at a time.
            count: Hears how many of how many batches are done.

        Returns:
            The report, as the drift functions write it.

        Raises:
            AwsError: AWS refused something without which nothing can be said; with the code ``NOTHING_TO_READ``, the
                StackSet has no stack in these accounts.
        """
        around = surroundings(
            self._session,
            self._settings,
            self.expectations,
            now=self._now,
            store=MemoryStore(),
            member_role=self._member_role,
        )
        try:
            return self._run(around, stack_set, accounts, tell, count, detects=detects)
        except Refused as refused:
            raise AwsError(refused.code, str(refused)) from refused

    def _run(
        self,
        around: Surroundings,
        stack_set: str,
        accounts: Sequence[str],
        tell: Callable[[str], None],
        count: Callable[[int, int], None],
        *,
        detects: bool,
    ) -> dict[str, Any]:
        event = {"kind": "manual", "wave": stack_set, "mode": "detect", "accounts": list(accounts)}
        begun = start.run({"event": event, "execution": "this machine", "started_at": str(around.now())}, around)
        if begun["status"] != "GO":
            raise AwsError(NOTHING_TO_READ, str(begun["reason"]))
        # A scope would leave the detection to the repair of each stack: here all that is asked is what is known.
        run = {**begun["run"], "scope": None}
        state: dict[str, Any] = {"run": run}
        state["detection"] = self._detected(around, run, tell) if detects else _last_detection(around, stack_set)
        state["run"] = begun["run"]
        state["list"] = list_instances.run(state, around)
        state["run"] = run
        self._inspect(around, state, count)
        answer = report.run({**state, "run": begun["run"]}, around)
        found = around.store.read(answer["report_key"])
        assert found is not None, "report writes what it says"
        return found[0]

    def _detected(self, around: Surroundings, run: Mapping[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
        told = False
        while True:
            answer = detect.run({"run": run}, around)
            if answer["status"] != "WAITING":
                return answer
            if not told:
                tell(f"StackSets compares the stacks of {run['stack_set']} with their templates, which takes minutes")
                told = True
            self._sleep(answer["wait_seconds"])

    def _inspect(self, around: Surroundings, state: Mapping[str, Any], count: Callable[[int, int], None]) -> None:
        found = around.store.read(state["list"]["batches_key"])
        batches: list[Any] = [] if found is None else found[0]
        lock, done = threading.Lock(), 0

        def look(batch: Any) -> None:
            nonlocal done
            inspect_batch.run({**state, "batch": batch}, around)
            with lock:
                done += 1
                count(done, len(batches))

        if self._executor is not None:
            list(self._executor.map(look, batches))
            return
        with ThreadPoolExecutor(_WORKERS) as threads:
            list(threads.map(look, batches))


def _last_detection(around: Surroundings, stack_set: str) -> dict[str, Any]:
    """Return the last drift detection that is over, as ``detect`` answers it."""
    operations = around.stack_sets(stack_set).operations()
    last = next((one for one in operations if one.action == "DETECT_DRIFT" and not one.is_running), None)
    problem = None if last else "there was no drift detection that could be looked at"
    return {"status": "DONE", "operation_id": last.operation_id if last else None, "problem": problem}
