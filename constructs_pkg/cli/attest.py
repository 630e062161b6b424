"""``lambda-code-signing attest``: writes down what is known of a signed archive that was uploaded to S3."""

from pathlib import Path

import click

from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, say, tell
from constructs_pkg.cli.parameters import PATH, examples, force_option
from constructs_pkg.errors import AttestationError
from constructs_pkg.signing.attestation import attest_archive, check_object_name, format_attestation

__all__ = ["command"]


@click.command(
    name="attest",
    epilog=examples(
        "lambda-code-signing attest signed.zip --bucket code --key signed.zip --object-version V -o a.json"
    ),
)
@click.argument("archive", metavar="ARCHIVE", type=PATH)
@click.option("--bucket", required=True, help="The bucket that it was uploaded to.")
@click.option("--key", required=True, help="The object's key.")
@click.option("--object-version", required=True, metavar="VERSION", help="The VersionId that S3 answered.")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="Where to write the attestation.")
@force_option
def command(*, archive: Path, bucket: str, key: str, object_version: str, output: Path, force: bool) -> int:
    """Write the attestation of ARCHIVE, the signed ZIP that was uploaded, for SignedCode.from_signed_bucket.

    It does not ask S3 whether the object is there.

    Exit codes: 0 written, 1 the archive is not signed or not sound, 2 wrong usage, or a file cannot be used.
    """
    refuse_existing(output, force=force)
    try:
        check_object_name(bucket, key, object_version)
    except AttestationError as error:
        raise click.UsageError(f"there is no such object in S3: {error}") from error
    try:
        with archive.open("rb") as file:
            attestation = attest_archive(file, bucket=bucket, key=key, object_version=object_version)
    except OSError as error:
        raise click.UsageError(f"{archive} cannot be read: {error.strerror}. Check the path.") from error
    except AttestationError as error:
        tell(f"Error: {archive}: {error}")
        return EXIT_NO
    text = format_attestation(attestation) + "\n"
    write_file(output, lambda target: target.write(text.encode("utf-8")), force=force)
    say(f"{output}: s3://{bucket}/{key} in the version {object_version}, SHA-256 {attestation.sha256}")
    return EXIT_YES
