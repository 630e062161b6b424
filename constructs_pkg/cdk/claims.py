"""Which names the constructs of one App have taken, so that a collision is an error here and not in the deployment."""

import aws_cdk as cdk
from constructs import IConstruct

from constructs_pkg.errors import ConstructError

__all__ = ["claim_name"]

_METADATA_TYPE = "lambda-code-signing:claimed-name"


def claim_name(owner: IConstruct, argument: str, name: str, remedy: str) -> None:
    """Take a name that must be unique in an account and Region.

    The claims are kept as metadata of the App's root, which no template and no manifest holds: Python objects of
    constructs come and go, the construct tree stays. Names with tokens are not compared. Two stacks without an
    environment may land in different accounts, so that their names are not compared with each other either.

    Args:
        owner: The construct that takes the name.
        argument: The constructor's argument that the name comes from, for the message.
        name: The name.
        remedy: What to do when it is taken, for the message.

    Raises:
        ConstructError: Another construct of the same App has it in the same account and Region.
    """
    if cdk.Token.is_unresolved(name):
        return
    claim = f"{argument}={name} in {_environment(cdk.Stack.of(owner))}"
    root = owner.node.root
    for entry in root.node.metadata:
        if entry.type == _METADATA_TYPE and entry.data["claim"] == claim:
            raise ConstructError(f"{claim} is already that of {entry.data['owner']}. {remedy}")
    root.node.add_metadata(_METADATA_TYPE, {"claim": claim, "owner": owner.node.path})


def _environment(stack: cdk.Stack) -> str:
    """Return what tells environments apart: account and Region where they are known, else the outermost stack."""
    if not cdk.Token.is_unresolved(stack.account) and not cdk.Token.is_unresolved(stack.region):
        return f"{stack.account}/{stack.region}"
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return f"stack {stack.node.path}"
