"""Refuses stacks in Regions that AWS Signer does not serve."""

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.errors import ConstructError
from constructs_pkg.regions import SIGNER_REGIONS, partition_of_region

__all__ = ["require_signer_region"]


def require_signer_region(scope: Construct) -> None:
    """Refuse a scope whose stack is in a Region without AWS Signer.

    A Region that this package does not know may be newer than its table and passes, as does a token.

    Args:
        scope: A construct in the stack.

    Raises:
        ConstructError: The Region is known and has no AWS Signer endpoint.
    """
    stack = cdk.Stack.of(scope)
    region = stack.region
    if not cdk.Token.is_unresolved(region) and partition_of_region(region) and region not in SIGNER_REGIONS:
        raise ConstructError(
            f"env.region={region!r} of the stack {stack.node.path} has no AWS Signer, so that code signing does not "
            f"work there. Signer is in {', '.join(sorted(SIGNER_REGIONS))}"
        )
