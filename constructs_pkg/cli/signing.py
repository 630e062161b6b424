"""Has archives signed by a local authority; says of each archive, whoever signed it, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from constructs_pkg.cli.files import write_file
from constructs_pkg.cli.output import EXIT_NO, EXIT_NO_VERDICT, EXIT_YES, say, say_json, tell
from constructs_pkg.cli.progress import open_with_progress
from constructs_pkg.cli.signing_sources import SourceToSign, prepare_sources
from constructs_pkg.errors import FileAccessError, LambdaCodeSigningError, SigningError
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.object_names import provenance_key
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.signed_object import SignedObject
from constructs_pkg.signing.signer import SignedArtifact, Signer
from constructs_pkg.signing.signing_result import CheckedSignature
from constructs_pkg.signing.trust import fingerprint_text

__all__ = ["SIGNING_VERSION", "SigningAnswer", "answer", "sign_with_authority"]

SIGNING_VERSION = 1
"""The version of the JSON form of ``sign``: it grows by one when a key changes its meaning or goes away."""

_REFUSALS_OF_AN_ARCHIVE = {
    SigningRefusal.ALREADY_SIGNED,
    SigningRefusal.ARCHIVE_EMPTY,
    SigningRefusal.ARCHIVE_MALFORMED,
    SigningRefusal.ARCHIVE_TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class SigningAnswer:
    """One archive, and what came of it.

    Attributes:
        source: The archive.
        signature: What is known of its signature; None where there is none.
        signed: Where it lies in S3; None where it does not.
        error: Why there is no signature; None where there is one.
    """

    source: SourceToSign
    signature: SignedArtifact | CheckedSignature | None = None
    signed: SignedObject | None = None
    error: LambdaCodeSigningError | None = None


def sign_with_authority(
    sources: Sequence[Path],
    signer: Signer,
    profile: str,
    output: Path,
    at: datetime,
    *,
    is_layer: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Have archives signed by a signer on this machine and say by which jobs.

    Args:
        sources: ZIPs and directories.
        signer: Who signs.
        profile: The signing profile's name.
        output: The signed archive, or the directory for several.
        at: The signing time, aware.
        is_layer: Whether they have to be layers.
        force: Whether to replace files.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    with TemporaryDirectory() as workspace:
        prepared = prepare_sources(sources, output, Path(workspace), is_layer=is_layer, force=force)
        results = [_sign(source, signer, profile, at) for source in prepared]
    return answer(results, as_json=as_json)


def _sign(source: SourceToSign, signer: Signer, profile: str, at: datetime) -> SigningAnswer:
    if source.refusal is not None:
        return SigningAnswer(source, error=source.refusal)
    assert source.target is not None, "a local authority keeps nothing"
    try:
        with open_with_progress(source.archive, f"signing {source.source.name}") as file:
            artifact = write_file(
                source.target,
                lambda opened: signer.sign(file, opened, profile=profile, at=at),
                force=source.may_replace,
            )
    except SigningError as error:
        if error.reason not in _REFUSALS_OF_AN_ARCHIVE:
            raise
        return SigningAnswer(source, error=error)
    except OSError as error:
        raise FileAccessError(f"{source.source} cannot be read: {error.strerror}. Check the path") from error
    return SigningAnswer(source, artifact)


def answer(results: Sequence[SigningAnswer], *, as_json: bool) -> int:
    """Print the results; a missing answer counts more than a refusal, which can be read.

    Args:
        results: Of all archives, in the order of the arguments.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    if as_json:
        say_json({"version": SIGNING_VERSION, "artifacts": [_json(result) for result in results]})
    for result in results:
        if result.error is not None:
            tell(f"Error: {result.source.source}: {result.error}")
        elif not as_json:
            say(_text(result))
    errors = [result.error for result in results if result.error is not None]
    if any(not isinstance(error, SigningError) for error in errors):
        return EXIT_NO_VERDICT
    return EXIT_NO if errors else EXIT_YES


def _text(result: SigningAnswer) -> str:
    signature, signed = result.signature, result.signed
    assert signature is not None, "there is a signature where there is no error"
    shown = result.source.target or result.source.source
    word = "signed" if signed is None or signed.outcome == "signed" else "signed before, and valid"
    lines = [
        f"{shown}: {word} until {iso_time(signature.expires_at)}",
        f"  publisher    {signature.signing_profile_version_arn}",
        f"  signing job  {signature.signing_job_arn}",
    ]
    if signed is not None:
        lines += [f"  object       s3://{signed.bucket}/{signed.key}", f"  version      {signed.version}"]
        root = fingerprint_text(signed.signature.root_sha256)
        lines.append(
            "  verified     its root is one that you trust"
            if signed.signature.is_verified
            else f"  NOT VERIFIED no root to trust was given (--policy, --trust-root); its own is {root}"
        )
    return "\n".join(lines)


def _json(result: SigningAnswer) -> dict[str, object]:
    signature, signed, error = result.signature, result.signed, result.error
    target = result.source.target
    refusal = error if isinstance(error, SigningError) else None
    return {
        "source": str(result.source.source),
        "artifact": None if signature is None or target is None else str(target),
        "outcome": "failed" if error is not None else "signed" if signed is None else str(signed.outcome),
        "signing_profile_version_arn": signature and str(signature.signing_profile_version_arn),
        "signing_job_arn": signature and str(signature.signing_job_arn),
        "signed_at": signature and iso_time(signature.signed_at),
        "expires_at": signature and iso_time(signature.expires_at),
        "object": signed
        and {
            "bucket": signed.bucket,
            "key": signed.key,
            "version": signed.version,
            "provenance_key": provenance_key(signed.key),
            "source_sha256": signed.source_sha256,
        },
        "verified": signed and signed.signature.is_verified,
        "root_sha256": signed and signed.signature.root_sha256,
        "refusal": refusal and {"reason": refusal.reason, "message": str(refusal)},
        "error": None if error is None or refusal is not None else {"code": _code(error), "message": str(error)},
    }


def _code(error: LambdaCodeSigningError) -> str:
    return str(getattr(error, "code", type(error).__name__))
