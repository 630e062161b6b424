"""What the steps of one repair remember, in the bucket: an account may have more functions than a state holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .runs import Run
from .surroundings import Surroundings
from .values import mapping, mappings, text, texts

__all__ = ["Memory", "read_memory", "write_memory"]

_MOST_FINDINGS = 100


@dataclass(slots=True)
class Memory:
    """One repair so far.

    Attributes:
        detection: The id of the drift detection whose findings count; empty where the stack must be looked at anew.
        detected: The state of the stack that it belongs to.
        made: Names of change sets that were made, though perhaps nobody can read them yet.
        done: What was done: the key of the action to a sentence.
        useless: Names of change sets that had nothing to change, and CloudFormation's reasons.
        before: The findings of the first look, as JSON.
    """

    detection: str = ""
    detected: str = ""
    made: list[str] = field(default_factory=list[str])
    done: dict[str, str] = field(default_factory=dict[str, str])
    useless: list[str] = field(default_factory=list[str])
    before: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def read_memory(run: Run, account: str, region: str, around: Surroundings) -> Memory:
    """Return what earlier steps of the same run remember; nothing where there was none.

    Raises:
        Refused: AWS refused.
    """
    found = around.store.read(run.keys.memory(account, region))
    return Memory() if found is None else _read(found[0])


def write_memory(memory: Memory, run: Run, account: str, region: str, around: Surroundings) -> None:
    """Keep it for the next step.

    Raises:
        Refused: AWS refused.
    """
    document = {
        "detection": memory.detection,
        "detected": memory.detected,
        "made": memory.made,
        "done": memory.done,
        "useless": memory.useless,
        "before": memory.before[:_MOST_FINDINGS],
    }
    around.store.write(run.keys.memory(account, region), document)


def _read(document: Mapping[str, object]) -> Memory:
    return Memory(
        detection=text(document, "detection"),
        detected=text(document, "detected"),
        made=list(texts(document, "made")),
        done={key: str(value) for key, value in mapping(document, "done").items()},
        useless=list(texts(document, "useless")),
        before=[dict(one) for one in mappings(document, "before")],
    )
