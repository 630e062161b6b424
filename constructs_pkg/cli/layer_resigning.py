"""Signs a copy of somebody else's layer under a profile of one's own, and keeps where it comes from."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click

from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.layers import LayerVersion, download_layer_version, get_layer_version
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.aws.signers import open_signer
from constructs_pkg.cli.files import refuse_existing, write_file
from constructs_pkg.cli.layer_inspection import layer_arn
from constructs_pkg.cli.layer_registry import read_policy_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_YES, one_line, say, say_json, tell
from constructs_pkg.cli.progress import Progress
from constructs_pkg.errors import ArchiveError, SigningError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.provenance import provenance_of
from constructs_pkg.signing.provenance_statement import Provenance, format_provenance
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.signing_result import check_signing_result
from constructs_pkg.signing.unsigning import remove_signature

__all__ = ["RESIGNING_VERSION", "Resigning", "resign_layer"]

RESIGNING_VERSION = 1
"""The version of the JSON answer: it grows by one when a key changes its meaning or goes away."""

_MAX_TEXT_CHARACTERS = 1000
_REFUSALS = {
    SigningRefusal.ALREADY_SIGNED,
    SigningRefusal.ARCHIVE_EMPTY,
    SigningRefusal.ARCHIVE_MALFORMED,
    SigningRefusal.ARCHIVE_TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resigning:
    """What is to be done, as the options of ``layer resign`` say it.

    Attributes:
        arn: The layer version's ARN.
        signer: The reference of the signer.
        profile: The signing profile's name.
        reason: Why the organization vouches for the code.
        license_note: Under which licence the copy may be shared, or None.
        replaces_signature: Whether a signature that is there is taken out.
        policy: The policy file that the copy has to satisfy, or None.
        output: The signed copy.
    """

    arn: str
    signer: str
    profile: str
    reason: str
    license_note: str | None
    replaces_signature: bool
    policy: Path | None
    output: Path

    @property
    def sidecar(self) -> Path:
        """Return where the provenance goes."""
        return self.output.with_suffix(".json")


def resign_layer(resigning: Resigning, at: datetime, *, force: bool, as_json: bool) -> int:
    """Download, sign, check, and write the copy with its provenance.

    Args:
        resigning: What is to be done.
        at: The signing time, aware.
        force: Whether to replace files.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    arn = layer_arn(resigning.arn)
    _check_texts(resigning)
    policy = None if resigning.policy is None else read_policy_file(resigning.policy)
    signer = open_signer(resigning.signer, policy=policy)
    for path in (resigning.output, resigning.sidecar):
        refuse_existing(path, force=force)
    layer = get_layer_version(Clients(), arn)
    if layer.publisher is not None and not resigning.replaces_signature:
        tell(
            f"Error: {arn} is signed by {layer.publisher} already. Trust that publisher (add it to the registry and to "
            "the configs), or replace its signature by yours with --replace-signature"
        )
        return EXIT_NO
    if layer.license_info is None and resigning.license_note is None:
        raise click.UsageError(
            f"{arn} states no licence. Find out whether your organization may share a copy, and say so with "
            "--license-note."
        )
    try:
        provenance = _signed_copy(resigning, layer, signer, policy, at, force=force)
    except SigningError as error:
        if error.reason not in _REFUSALS:
            raise
        tell(f"Error: {arn}: {one_line(str(error))}")
        return EXIT_NO
    _say(resigning, provenance, as_json=as_json)
    return EXIT_YES


def _check_texts(resigning: Resigning) -> None:
    if resigning.output.suffix != ".zip":
        raise click.UsageError(f"{resigning.output} does not end in .zip. The provenance goes beside it with .json.")
    for option, text in (("--reason", resigning.reason), ("--license-note", resigning.license_note)):
        if text is not None and not 1 <= len(text.strip()) <= _MAX_TEXT_CHARACTERS:
            raise click.UsageError(f"{option} has {len(text)} characters. Write 1 to {_MAX_TEXT_CHARACTERS}.")


def _signed_copy(
    resigning: Resigning,
    layer: LayerVersion,
    signer: Signer,
    policy: CodeSigningPolicy | None,
    at: datetime,
    *,
    force: bool,
) -> Provenance:
    with tempfile.TemporaryFile() as downloaded, tempfile.TemporaryFile() as unsigned:
        progress = Progress(f"downloading {layer.arn.name}", layer.code_bytes)
        try:
            download_layer_version(layer, downloaded, advance=progress.advance)
        finally:
            progress.close()
        source, annotations = _source(resigning, layer, downloaded, unsigned)
        name = str(layer.arn)

        def write(target: BinaryIO) -> Provenance:
            source.seek(0)
            if isinstance(signer, AwsSigner):  # which files a provenance in its bucket, too
                made = signer.sign_object(
                    source, target, profile=resigning.profile, at=at, name=name, annotations=annotations
                ).signature
            else:
                made = signer.sign(source, target, profile=resigning.profile, at=at)
            target.flush()
            check_signing_result(
                source,
                target,
                publisher=made.signing_profile_version_arn,
                job_id=made.signing_job_arn.job_id,
                policy=policy,
                at=at,
                name=name,
            )
            return provenance_of(
                target,
                name=resigning.output.name,
                source_name=name,
                source_sha256=sha256_of(source).hex(),
                annotations={**annotations, "resigned_at": str(iso_time(at))},
            )

        provenance = write_file(resigning.output, write, force=force)
    try:
        text = format_provenance(provenance).encode("utf-8")
        write_file(resigning.sidecar, lambda target: target.write(text), force=force)
    except BaseException:
        # A copy that nobody knows the origin of is what this command is there to prevent.
        resigning.output.unlink(missing_ok=True)
        raise
    return provenance


def _source(
    resigning: Resigning, layer: LayerVersion, downloaded: BinaryIO, unsigned: BinaryIO
) -> tuple[BinaryIO, dict[str, str]]:
    """Return what is to be signed, and what its provenance says of its origin."""
    origin = {
        "origin_layer_version_arn": str(layer.arn),
        "origin_code_sha256": layer.code_sha256,
        "origin_created": layer.created,
        "license_info": layer.license_info,
        "license_note": resigning.license_note,
        "reason": resigning.reason,
    }
    annotations: dict[str, str] = {key: text for key, text in origin.items() if text is not None}
    try:
        is_signed = read_archive(downloaded).signature is not None
    except ArchiveError as error:
        raise SigningError(
            SigningRefusal.ARCHIVE_MALFORMED, f"its archive cannot be signed: {error}. Tell its publisher"
        ) from error
    if not is_signed:
        return downloaded, annotations
    envelope = remove_signature(downloaded, unsigned)
    if layer.publisher is None and not resigning.replaces_signature:
        raise SigningError(
            SigningRefusal.ALREADY_SIGNED,
            f"its archive holds a signature of {envelope.signing_profile_version_arn} that AWS Lambda does not show. "
            "Find out why, then replace it by yours with --replace-signature",
        )
    return unsigned, {
        **annotations,
        "origin_signing_profile_version_arn": str(envelope.signing_profile_version_arn),
        "origin_signing_job_arn": str(envelope.signing_job_arn),
    }


def _say(resigning: Resigning, provenance: Provenance, *, as_json: bool) -> None:
    license_info = provenance.annotations.get("license_info")
    if as_json:
        say_json(
            {
                "version": RESIGNING_VERSION,
                "archive": str(resigning.output),
                "provenance": str(resigning.sidecar),
                "sha256": provenance.sha256,
                "content_sha384": provenance.content_sha384,
                "signing_job_arn": str(provenance.signing_job_arn),
                "signing_profile_version_arn": str(provenance.signing_profile_version_arn),
                "expires_at": iso_time(provenance.expires_at),
                "annotations": dict(provenance.annotations),
            }
        )
        return
    lines = [
        f"{resigning.output}: a copy of {provenance.source_name}, signed by {provenance.signing_profile_version_arn}",
        f"  signing job {provenance.signing_job_arn}, good until {iso_time(provenance.expires_at)}",
        f"  provenance {resigning.sidecar}",
        f"  licence: {one_line(license_info or provenance.annotations['license_note'])}",
    ]
    say("\n".join(lines))
