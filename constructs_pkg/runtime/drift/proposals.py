"""What waits for a human: written down once, the same as long as nothing changes, and compared when it is approved."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from .change_sets import ChangeSet
from .planning import Action, Attach
from .runs import Run, proposal_key
from .surroundings import Surroundings
from .values import digest, timestamp

__all__ = ["approved_keys", "proposal_of", "retract", "submit"]

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def proposal_of(
    run: Run,
    account: str,
    region: str,
    stack_id: str,
    actions: Sequence[Action],
    change_set: ChangeSet | None,
    reasons: Iterable[str],
    around: Surroundings,
) -> dict[str, Any]:
    """Return a proposal.

    Args:
        run: The run that makes it.
        account: Where.
        region: Where.
        stack_id: The member stack.
        actions: What would be done.
        change_set: The change set among them, as it was read.
        reasons: Why a human has to decide.
        around: Everything outside.
    """
    content = None if change_set is None else change_set.digest
    seal = digest([stack_id, sorted(action.key for action in actions), content])
    return {
        "digest": seal,
        "run_id": run.run_id,
        "stack_set": run.stack_set,
        "account": account,
        "region": region,
        "stack_id": stack_id,
        "made_at": timestamp(around.now()),
        "reasons": list(reasons),
        "actions": [{"key": action.key, "what": _said(action), "reason": action.reason} for action in actions],
        "change_set": None
        if change_set is None
        else {
            "name": change_set.name,
            "id": change_set.change_set_id,
            "digest": content,
            "changes": [change.document() for change in change_set.changes],
            "link": _link(around.expectations.partition, region, stack_id, change_set.change_set_id),
        },
    }


def submit(proposal: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """Write a proposal down, unless the same one waits already; return the one that waits.

    Raises:
        Refused: AWS refused.
    """
    key = proposal_key(proposal["stack_set"], proposal["account"], proposal["region"])
    found = around.store.read(key)
    if found is not None and found[0].get("digest") == proposal["digest"]:
        return found[0]
    around.store.write(key, proposal)
    return proposal


def retract(run: Run, account: str, region: str, around: Surroundings) -> bool:
    """Forget what waits: there is nothing (any more) to approve. Return whether something waited.

    Raises:
        Refused: AWS refused.
    """
    key = proposal_key(run.stack_set, account, region)
    found = around.store.read(key)
    if found is None or not found[0].get("digest"):
        return False
    # written over, not deleted: what repairs needs no right to delete
    around.store.write(key, {"digest": "", "run_id": run.run_id, "retracted_at": timestamp(around.now())})
    return True


def approved_keys(run: Run, account: str, region: str, around: Surroundings) -> tuple[frozenset[str], str]:
    """Return the keys of the actions that a human has approved here, and the digest of the approved change set.

    Raises:
        Refused: AWS refused.
    """
    approved = run.approved
    if approved is None or (approved.account, approved.region) != (account, region):
        return frozenset(), ""
    found = around.store.read(proposal_key(run.stack_set, account, region))
    if found is None or found[0].get("digest") != approved.digest:
        return frozenset(), ""
    change_set: dict[str, Any] = found[0].get("change_set") or {}
    return frozenset(action["key"] for action in found[0]["actions"]), str(change_set.get("digest", ""))


def _said(action: Action) -> str:
    if isinstance(action, Attach):
        config = action.config_arn or "the config that has to be made again first"
        return f"put the function {action.function} under {config} ({action.application})"
    target = "its template" if action.kind == "revert" else "the StackSet's template and parameters"
    return f"execute the change set {action.name}: back to {target}"


def _link(partition: str, region: str, stack_id: str, change_set_id: str) -> str:
    console = _CONSOLES.get(partition)
    if console is None:
        return ""
    return (
        f"https://{region}.{console}/cloudformation/home?region={region}#/stacks/changesets/changes"
        f"?stackId={quote(stack_id, safe='')}&changeSetId={quote(change_set_id, safe='')}"
    )
