"""``python -m constructs_pkg.cli.attest``: writes down what is known of a signed archive that was uploaded to S3."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from constructs_pkg.cli.files import write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, say
from constructs_pkg.cli.parameters import PATH, force_option
from constructs_pkg.errors import AttestationError, LambdaCodeSigningError
from constructs_pkg.signing.attestation import attest_archive, format_attestation

__all__ = ["command", "main"]

_EXIT_USAGE = 2


@click.command(name="attest")
@click.argument("archive", metavar="ARCHIVE", type=PATH)
@click.option("--bucket", required=True, help="The bucket that it was uploaded to.")
@click.option("--key", required=True, help="The object's key.")
@click.option("--object-version", required=True, metavar="VERSION", help="The VersionId that S3 answered.")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="Where to write the attestation.")
@force_option
def command(*, archive: Path, bucket: str, key: str, object_version: str, output: Path, force: bool) -> int:
    r"""Write the attestation of ARCHIVE, the signed ZIP that was uploaded, for SignedCode.from_signed_bucket.

    It does not ask S3 whether the object is there.

    \b
    Example:
      python -m constructs_pkg.cli.attest signed.zip --bucket code --key signed.zip --object-version V -o signed.json

    Exit codes: 0 written, 1 the archive is not signed or not sound, 2 wrong usage, or a file cannot be used.
    """
    try:
        with archive.open("rb") as file:
            attestation = attest_archive(file, bucket=bucket, key=key, object_version=object_version)
    except OSError as error:
        raise click.UsageError(f"{archive} cannot be read: {error.strerror}. Check the path.") from error
    except AttestationError as error:
        click.echo(f"Error: {archive}: {error}", err=True)
        return EXIT_NO
    text = format_attestation(attestation) + "\n"
    write_file(output, lambda target: target.write(text.encode("utf-8")), force=force)
    say(f"{output}: s3://{bucket}/{key} in the version {object_version}, SHA-256 {attestation.sha256}")
    return EXIT_YES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The words after the program's name; those of the process where None.

    Returns:
        The exit code.
    """
    try:
        code: object = command.main(None if arguments is None else list(arguments), standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return _EXIT_USAGE
    except LambdaCodeSigningError as error:
        click.echo(f"Error: {error}", err=True)
        return _EXIT_USAGE
    return code if isinstance(code, int) else EXIT_YES


if __name__ == "__main__":
    sys.exit(main())
