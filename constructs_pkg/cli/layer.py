"""``lambda-code-signing layer``: who signed a layer, who signs whose layers, and signed copies of unsigned ones."""

from datetime import datetime
from pathlib import Path

import click

from constructs_pkg.cli.parameters import MOMENT, PATH, examples, force_option, format_option

__all__ = ["command"]

_VENDOR = "arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12"

_arn = click.argument("arn", metavar="ARN")
_registry = click.option(
    "--registry", type=PATH, metavar="FILE", help="The layer registry: who signs which layer of others."
)


@click.group(name="layer", epilog=examples(f"lambda-code-signing layer inspect {_VENDOR} --registry layers.json"))
def command() -> None:
    """Ask AWS who signed a layer, and sign copies of layers that nobody signed."""


@command.command(
    short_help="Say who signed a layer, and whether it is allowed.",
    epilog=examples(
        f"lambda-code-signing layer inspect {_VENDOR} --policy policy.json --registry layers.json",
        f"lambda-code-signing layer inspect {_VENDOR} --policy policy.json --download",
    ),
)
@_arn
@click.option("--policy", type=PATH, metavar="FILE", help="The code signing policy file of your platform team.")
@_registry
@click.option("--download", is_flag=True, help="Verify the layer's archive too, not only what AWS Lambda says of it.")
@click.option(
    "--trust-root", "trust_roots", type=PATH, multiple=True, metavar="PEM", help="Roots to trust. Repeatable."
)
@click.option("--at", type=MOMENT, metavar="TIME", help="The moment of the verdict; now where left out.")
@format_option("text", "json")
def inspect(
    *,
    arn: str,
    policy: Path | None,
    registry: Path | None,
    download: bool,
    trust_roots: tuple[Path, ...],
    at: datetime | None,
    output_format: str,
) -> int:
    """Say who signed the layer version ARN, and whether your functions may take it on.

    Calls lambda:GetLayerVersionByArn in the Region of ARN. A policy says whom to trust, a registry who signs the layer;
    what is given has to agree. A publisher that would only be warned about is not allowed either. Without --download
    nothing is known about integrity, expiry and certificates; with it, the archive is downloaded, compared with the
    digest that AWS Lambda tells, and verified.

    Exit codes: 0 allowed, 1 not allowed, 2 wrong usage, or a file cannot be used, 3 no verdict: AWS did not answer, or
    neither --policy nor --registry says what is allowed.
    """
    # What does it is loaded to be used, not to be described by --help; likewise below.
    from constructs_pkg.cli.layer_inspection import LayerSources, inspect_layer  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)

    sources = LayerSources(policy, registry, trust_roots)
    return inspect_layer(arn, sources, at or now(), download=download, as_json=output_format == "json")


@command.command(
    short_help="Sign a copy of a layer under your profile.",
    epilog=examples(
        f"lambda-code-signing layer resign {_VENDOR} --signer aws:bucket=acme-signing --profile acme_layers_g1 "
        '--reason "tracing, reviewed in SEC-12" -o agent.zip'
    ),
)
@_arn
@click.option(
    "--signer", required=True, metavar="KIND:PLACE", help="Who signs: aws:bucket=BUCKET, authority:DIRECTORY."
)
@click.option("--profile", required=True, metavar="NAME", help="The signing profile: your organization's, for layers.")
@click.option("--reason", required=True, metavar="TEXT", help="Why your organization vouches for this code.")
@click.option(
    "--license-note",
    metavar="TEXT",
    help="Under which licence you may share the copy; required where the layer states none.",
)
@click.option(
    "--replace-signature",
    is_flag=True,
    help="Sign a layer that somebody has signed; its signature is taken out and noted in the provenance.",
)
@click.option("--policy", type=PATH, metavar="FILE", help="The policy that the signed copy has to satisfy.")
@click.option("-o", "--output", type=PATH, required=True, metavar="ZIP", help="The signed copy.")
@click.option("--at", type=MOMENT, metavar="TIME", help="The signing time; now where left out.")
@force_option
@format_option("text", "json")
def resign(
    *,
    arn: str,
    signer: str,
    profile: str,
    reason: str,
    license_note: str | None,
    replace_signature: bool,
    policy: Path | None,
    output: Path,
    at: datetime | None,
    force: bool,
    output_format: str,
) -> int:
    """Sign a copy of the layer version ARN under your own profile, and keep where it comes from.

    Downloads the archive, compares it with the digest that AWS Lambda tells, has it signed, and compares the result
    with what was sent. The provenance goes into a file beside the copy, with the ending .json in place of .zip: the
    layer's ARN, its digest, its licence, and your reason. The signature says that *you* trust this code: look at it
    first.

    Exit codes: 0 signed, 1 refused: somebody signed it already, or its archive is not sound, 2 wrong usage, or signer,
    profile or a file cannot be used, 3 AWS did not answer, or not with what it had announced.
    """
    from constructs_pkg.cli.layer_resigning import Resigning, resign_layer  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)

    resigning = Resigning(
        arn=arn,
        signer=signer,
        profile=profile,
        reason=reason,
        license_note=license_note,
        replaces_signature=replace_signature,
        policy=policy,
        output=output,
    )
    return resign_layer(resigning, at or now(), force=force, as_json=output_format == "json")


@command.command(
    short_help="Check and show a layer registry.",
    epilog=examples(
        "lambda-code-signing layer registry layers.json",
        "lambda-code-signing layer registry layers.json --policy policy.json -o policy-with-layers.json",
    ),
)
@click.argument("file", metavar="FILE", type=PATH)
@click.option("--policy", type=PATH, metavar="FILE", help="A policy file: say whom it does not allow.")
@click.option(
    "-o", "--output", type=PATH, metavar="FILE", help="Write the policy with these layers as external_layers."
)
@force_option
@format_option("text", "json")
def registry(*, file: Path, policy: Path | None, output: Path | None, force: bool, output_format: str) -> int:
    """Say what the layer registry FILE holds, or everything that is wrong with it.

    With --policy also say which publishers the policy does not allow; with --output write the policy with the layers in
    it, so that the rules LCS303 and LCS304 know them. Nobody becomes an allowed publisher by this. AWS is not asked.

    Exit codes: 0 fine, 1 the policy does not allow a publisher of the registry, 2 wrong usage, or a file is wrong.
    """
    if output is not None and policy is None:
        raise click.UsageError("--output writes the policy of --policy, which is missing.")
    from constructs_pkg.cli.layer_registry import show_registry  # noqa: PLC0415 (said above)
    from constructs_pkg.clock import now  # noqa: PLC0415 (said above)

    return show_registry(file, policy, output, now(), force=force, as_json=output_format == "json")
