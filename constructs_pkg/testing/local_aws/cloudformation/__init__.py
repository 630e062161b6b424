"""CloudFormation as MiniStack lacks it: StackSets, code signing types, drift of what we use, drift-aware change sets.

Importing this package does not import MiniStack, which reads its environment when that happens; `install` does.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["JOIN_ACTION", "install"]

JOIN_ACTION = "LocalAwsJoinAccount"
"""An action of the Query API that AWS does not have: puts ``Account`` into ``OrganizationalUnit`` (name or id)."""


def install(overlay: "Overlay") -> None:
    """Put our operations and resource types into MiniStack's CloudFormation.

    Args:
        overlay: The registry; its modules ``accounts`` and ``code_signing`` are installed already.
    """
    from constructs_pkg.testing.local_aws.cloudformation import installation  # noqa: PLC0415 (imports MiniStack)

    installation.install(overlay)
