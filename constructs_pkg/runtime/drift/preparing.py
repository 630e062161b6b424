"""Brings a change set to where it can be read and executed, a step at a time; whatever is there already is used."""

from collections.abc import Callable

from .access import Refused
from .change_sets import ChangeSet
from .member_stacks import MemberStacks
from .memory import Memory
from .surroundings import log

__all__ = ["prepare", "reasons_of_uselessness"]

_UNMADE = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})
_SPENT = frozenset({"EXECUTE_COMPLETE", "EXECUTE_FAILED", "OBSOLETE"})
"""Whether one that was executed is still found under its name is not documented; the same drift is back then."""
_EXISTS = frozenset({"AlreadyExistsException", "AlreadyExists"})
"""What CreateChangeSet says of a name that is in use (botocore 1.43.106)."""

_FAILED = "failed:"
_REASON = "reason:"


def prepare(stack: MemberStacks, memory: Memory, name: str, make: Callable[[], None]) -> ChangeSet | str | None:
    """Look for a change set, and make it where it is not there.

    Args:
        stack: The stack.
        memory: What the repair remembers.
        name: The change set's name.
        make: Makes it.

    Returns:
        The change set, which can be executed; or what is waited for; or None where CloudFormation has said twice that
        there is nothing that it would change.

    Raises:
        Refused: AWS refused.
    """
    if name in memory.useless:
        return None
    found = stack.change_set(name)
    if found is None:
        if name not in memory.made:
            _make(stack, name, make)
            memory.made.append(name)
        return f"the change set {name} is being made"
    if found.status in _UNMADE:
        return f"the change set {name} is {found.status}"
    if found.status == "FAILED":
        return _failed(stack, memory, found)
    if found.execution_status in _SPENT:
        _unmake(stack, memory, name)  # of an earlier run, or somebody changed the stack meanwhile
        return f"the change set {name} was {found.execution_status} and is made again"
    return found if found.execution_status == "AVAILABLE" else f"the change set {name} is {found.execution_status}"


def reasons_of_uselessness(memory: Memory) -> tuple[str, ...]:
    """Return what CloudFormation said of change sets that had nothing to change, each sentence once."""
    return tuple(dict.fromkeys(one.removeprefix(_REASON) for one in memory.useless if one.startswith(_REASON)))


def _make(stack: MemberStacks, name: str, make: Callable[[], None]) -> None:
    try:
        make()
    except Refused as refused:
        # A repeated step may have made it already, though it cannot be read yet.
        if refused.code not in _EXISTS and stack.change_set(name) is None:
            raise
        log("INFO", str(refused))


def _unmake(stack: MemberStacks, memory: Memory, name: str) -> None:
    stack.delete([name])
    memory.made = [one for one in memory.made if one != name]


def _failed(stack: MemberStacks, memory: Memory, found: ChangeSet) -> str:
    """Perhaps the drift is gone by now, perhaps nothing can revert it: look once more, then give up."""
    _unmake(stack, memory, found.name)
    mark = f"{_FAILED}{found.name}"
    if mark in memory.useless:
        memory.useless.append(found.name)
    else:
        memory.useless.append(mark)
        memory.detection = ""
    memory.useless.append(f"{_REASON}{found.reason or 'no reason given'}")
    return f"the change set {found.name} failed ({found.reason or 'no reason given'}): looking again"
