"""What ``cdk deploy`` runs for code that is signed at publish: signs one package, prints where the signed file lies.

``python -m constructs_pkg.cli.publish`` is written into asset manifests by ``SignedCode.at_publish``; people use
``lambda-code-signing sign``. Standard output is the path alone, because the CDK takes all of it for the file's name.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.aws.signers import open_signer
from constructs_pkg.cli.parameters import PATH
from constructs_pkg.clock import now
from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.signing.archive_store import ArchiveStore

__all__ = ["main"]


@click.command(name="python -m constructs_pkg.cli.publish")
@click.option("--store", type=PATH, required=True, metavar="DIR", help="The store that the synth put the package into.")
@click.option("--package", required=True, metavar="SHA256", help="The unsigned package.")
@click.option("--policy", required=True, metavar="SHA256", help="The policy that the result is verified under.")
@click.option("--publisher", required=True, metavar="ARN", help="The signing profile version that has to come out.")
@click.option("--signer", required=True, metavar="KIND:PLACE", help="Who signs, such as aws:bucket=NAME.")
@click.option("--label", required=True, metavar="TEXT", help="What is signed, for the reader.")
def _command(*, store: Path, package: str, policy: str, publisher: str, signer: str, label: str) -> int:
    """Sign a package of a store and print the path of the signed archive; exit codes: 0 signed, 2 not."""
    archives = ArchiveStore(store, tell=lambda line: click.echo(line, err=True))
    trusted = archives.policy(policy)
    signed = archives.signed(
        package,
        signer=open_signer(signer, policy=trusted),
        publisher=SigningProfileVersionArn.parse(publisher),
        policy=trusted,
        at=now(),
        label=label,
    )
    click.echo(str(signed.path))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after the program's name; those of the process where None.

    Returns:
        The exit code: 0 signed, 2 usage, or no signed archive could be made. The CDK shows standard error then.
    """
    try:
        _command.main(None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except LambdaCodeSigningError as error:
        click.echo(f"Error: {error}", err=True)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
