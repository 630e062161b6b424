"""What ``cdk deploy`` runs for code that was synthesized without a signer: says so and what to do, and fails.

``python -m constructs_pkg.cli.publish_refused`` is written into asset manifests by ``CodeWithoutSigner``.
"""

import sys
from collections.abc import Sequence

import click

__all__ = ["main"]


@click.command(name="python -m constructs_pkg.cli.publish_refused")
@click.option("--what", required=True, metavar="TEXT", help="What is not signed.")
@click.option("--remedy", required=True, metavar="TEXT", help="What to do.")
def _command(*, what: str, remedy: str) -> None:
    """Say that something cannot be published, and fail; exit code 2."""
    raise click.ClickException(f"{what} was synthesized without a signer and cannot be deployed. {remedy}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after the program's name; those of the process where None.

    Returns:
        The exit code, which is always 2.
    """
    try:
        _command.main(None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
    return 2


if __name__ == "__main__":
    sys.exit(main())
