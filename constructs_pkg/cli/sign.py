"""``lambda-code-signing sign``: sign archives and directories with AWS Signer, or with a local authority for tests."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from constructs_pkg.cli.parameters import ACCOUNT, MOMENT, PATH, examples, force_option, format_option
from constructs_pkg.signing.signer_reference import DEFAULT_TIMEOUT_SECONDS, AwsSignerReference, parse_signer_reference

__all__ = ["command"]

_COMMIT_VARIABLES = ["LAMBDA_CODE_SIGNING_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "CODEBUILD_RESOLVED_SOURCE_VERSION"]
_ONLY_WITH_AWS = ("profile_owner", "bucket_owner", "region", "timeout", "policy", "trust_roots", "concurrency")
_CONCURRENCY = 16


@click.command(
    name="sign",
    epilog=examples(
        "lambda-code-signing sign dist/*.zip --profile acme_payments_g1 --bucket acme-signing --policy policy.json",
        "lambda-code-signing sign build --layer --profile acme_layers_g1 --profile-owner 111111111111 -o layer.zip",
        "lambda-code-signing sign function.zip --authority .authority --profile payments -o signed.zip",
    ),
)
@click.argument("sources", metavar="SOURCE...", type=PATH, nargs=-1, required=True)
@click.option(
    "--profile",
    required=True,
    metavar="NAME|ARN",
    help="The signing profile: its name, or in AWS the ARN of its version.",
)
@click.option(
    "--profile-owner",
    type=ACCOUNT,
    metavar="ACCOUNT",
    help="The account of a central profile; your own where left out.",
)
@click.option(
    "--bucket",
    metavar="NAME",
    envvar="LAMBDA_CODE_SIGNING_BUCKET",
    show_envvar=True,
    help="A versioned bucket in the profile's Region; lambda-code-signing-ACCOUNT-REGION where left out.",
)
@click.option(
    "--bucket-owner", type=ACCOUNT, metavar="ACCOUNT", help="The account of the bucket; your own where left out."
)
@click.option("--region", metavar="REGION", help="The Region; that of the environment where left out.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="PATH",
    help="The signed archive; for several SOURCEs a directory that exists. In AWS it stays in S3 besides.",
)
@click.option("--layer", "is_layer", is_flag=True, help="Refuse what is not the tree of a layer.")
@click.option("--policy", type=PATH, metavar="FILE", help="The policy that results are verified under.")
@click.option(
    "--trust-root", "trust_roots", type=PATH, multiple=True, metavar="PEM", help="A root to trust. Repeatable."
)
@click.option(
    "--commit",
    metavar="COMMIT",
    envvar=_COMMIT_VARIABLES,
    show_envvar=True,
    help="What the archives were built from, for their provenance.",
)
@click.option(
    "--timeout",
    type=click.IntRange(1, 86_400),
    metavar="SECONDS",
    help=f"How long to wait for a signing job; {DEFAULT_TIMEOUT_SECONDS} where left out.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    metavar="NUMBER",
    help=f"How many archives at once; {_CONCURRENCY} where left out.",
)
@click.option(
    "--authority",
    type=PATH,
    metavar="DIR",
    help="Sign with a local authority, made by 'authority init', instead of AWS. UNSAFE FOR PRODUCTION.",
)
@click.option("--at", type=MOMENT, metavar="TIME", help="With --authority, the signing time; now where left out.")
@force_option
@format_option("text", "json")
def command(
    *,
    sources: tuple[Path, ...],
    profile: str,
    output: Path | None,
    is_layer: bool,
    authority: Path | None,
    at: datetime | None,
    force: bool,
    output_format: str,
    **aws: Any,  # noqa: ANN401 (the options for AWS, in click's types)
) -> int:
    """Sign each SOURCE, a ZIP or a directory, which is packaged as 'package' does.

    With AWS Signer: a SOURCE is uploaded to the bucket, signed, looked at, and kept there under
    signed/DIGEST/PROFILE-VERSION.zip with its provenance beside it. The same content under the same profile version is
    signed once. A run that was interrupted goes on where it was when it is started again.

    What AWS Signer refuses is refused: empty, malformed and signed archives, profiles that are unknown, cancelled or
    revoked.

    Exit codes: 0 all signed, 1 at least one SOURCE was refused (the others are signed), 2 wrong usage, or profile,
    bucket, authority, a SOURCE or the output cannot be used, 3 AWS gave no answer for at least one SOURCE.
    """
    # The signers are loaded to be used, not to be described by --help.
    as_json = output_format == "json"
    if authority is not None:
        unusable = [f"--{name.replace('_', '-')}" for name in _ONLY_WITH_AWS if aws[name]]
        _refuse(unusable, "cannot be used with --authority")
        if output is None:
            raise click.UsageError("Missing option '-o': a local authority keeps nothing.")
        from constructs_pkg.cli.authorities import warn_of  # noqa: PLC0415 (said above)
        from constructs_pkg.cli.signing import sign_with_authority  # noqa: PLC0415 (said above)
        from constructs_pkg.clock import now  # noqa: PLC0415 (said above)
        from constructs_pkg.signing.authority_directory import AuthorityDirectory  # noqa: PLC0415 (said above)

        signer = AuthorityDirectory(authority)
        warn_of(authority)
        return sign_with_authority(
            sources, signer, profile, output, at or now(), is_layer=is_layer, force=force, as_json=as_json
        )
    _refuse(["--at"] if at else [], "needs --authority: AWS Signer has its own clock")
    from constructs_pkg.cli.aws_signing import AwsSigning, sign_with_aws  # noqa: PLC0415 (said above)

    timeout_seconds = aws["timeout"] or DEFAULT_TIMEOUT_SECONDS
    given = AwsSignerReference(aws["bucket"], aws["bucket_owner"], aws["profile_owner"], aws["region"], timeout_seconds)
    reference = parse_signer_reference(str(given))  # which refuses what cannot be a bucket, an account or a Region
    assert isinstance(reference, AwsSignerReference), "a reference is of the kind that it was written for"
    signing = AwsSigning(
        reference, aws["policy"], aws["trust_roots"], aws["commit"], aws["concurrency"] or _CONCURRENCY
    )
    return sign_with_aws(sources, signing, profile, output, is_layer=is_layer, force=force, as_json=as_json)


def _refuse(options: list[str], why: str) -> None:
    if options:
        raise click.UsageError(f"{', '.join(options).replace('trust-roots', 'trust-root')} {why}.")
