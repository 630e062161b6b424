"""To be written."""

from constructs_pkg.testing.local_aws.overlay import Overlay


def install(overlay: Overlay) -> None:
    """Install nothing yet."""
