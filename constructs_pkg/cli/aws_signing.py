"""Has archives signed by AWS Signer, many at once."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from constructs_pkg.aws.pacing import Waiting
from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.aws.signing_batch import sign_concurrently
from constructs_pkg.cli.files import read_file, write_file
from constructs_pkg.cli.progress import Progress
from constructs_pkg.cli.signing import SigningAnswer, answer
from constructs_pkg.cli.signing_sources import SourceToSign, prepare_sources
from constructs_pkg.cli.verification import read_trust_roots
from constructs_pkg.clock import now
from constructs_pkg.errors import FileAccessError
from constructs_pkg.signing.policy_file import MAX_POLICY_BYTES, parse_policy
from constructs_pkg.signing.signed_object import SignedObject
from constructs_pkg.signing.signer_reference import AwsSignerReference

__all__ = ["AwsSigning", "SharedProgress", "sign_with_aws"]


@dataclass(frozen=True, slots=True)
class AwsSigning:
    """What ``sign`` was told about AWS.

    Attributes:
        reference: Where to sign.
        policy: A policy file, or None.
        trust_roots: PEM files.
        commit: What the archives were built from, or None.
        concurrency: How many are signed at once.
    """

    reference: AwsSignerReference
    policy: Path | None
    trust_roots: tuple[Path, ...]
    commit: str | None
    concurrency: int


def sign_with_aws(
    sources: Sequence[Path],
    signing: AwsSigning,
    profile: str,
    output: Path | None,
    *,
    is_layer: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Have archives signed by AWS Signer, many at once, and say where they lie.

    Args:
        sources: ZIPs and directories.
        signing: How.
        profile: The signing profile: its name, or its version ARN.
        output: As for `sign_with_authority`; None to leave the results in S3.
        is_layer: Whether they have to be layers.
        force: Whether to replace files that are no results of an earlier run.
        as_json: Whether to print JSON.

    Returns:
        The exit code.
    """
    policy = signing.policy and parse_policy(
        read_file(signing.policy, MAX_POLICY_BYTES, "the policy"), str(signing.policy)
    )
    trust = read_trust_roots(signing.trust_roots)
    with TemporaryDirectory() as workspace:
        prepared = prepare_sources(sources, output, Path(workspace), is_layer=is_layer, force=force, is_continued=True)
        progress = SharedProgress(len(prepared))
        signer = AwsSigner(
            signing.reference,
            policy=policy,
            trust=trust,
            commit=signing.commit,
            waiting=Waiting(on_wait=progress.show),
        )
        try:
            signer.require_ready(profile, now())
            done = sign_concurrently(
                [_task(source, signer, profile) for source in prepared],
                concurrency=signing.concurrency,
                stop=signer.stop,
                on_done=progress.advance,
            )
        finally:
            progress.close()
    results = [
        SigningAnswer(source, result.signed and result.signed.signature, result.signed, result.error)
        for source, result in zip(prepared, done, strict=True)
    ]
    return answer(results, as_json=as_json)


class SharedProgress:
    """One line for all threads.

    Args:
        count: How many archives there are.
        make: Makes the line, from its label and the count.
    """

    def __init__(self, count: int, make: Callable[[str, int], Progress] = Progress) -> None:
        noun = "archive" if count == 1 else "archives"
        self._progress = make(f"signing {count} {noun}", count)
        self._lock = threading.Lock()

    def advance(self) -> None:
        """Note that one more is done."""
        with self._lock:
            self._progress.advance(1)

    def show(self) -> None:
        """Show that something goes on."""
        with self._lock:
            self._progress.advance(0)

    def close(self) -> None:
        """Remove the line."""
        with self._lock:
            self._progress.close()


def _task(source: SourceToSign, signer: AwsSigner, profile: str) -> Callable[[], SignedObject]:
    name = source.source.resolve().name

    def sign() -> SignedObject:
        if source.refusal is not None:
            raise source.refusal
        try:
            with source.archive.open("rb") as file:
                if source.target is None:
                    return signer.sign_object(file, None, profile=profile, at=now(), name=name)
                return write_file(
                    source.target,
                    lambda target: signer.sign_object(file, target, profile=profile, at=now(), name=name),
                    force=source.may_replace,
                )
        except OSError as error:
            raise FileAccessError(f"{source.source} cannot be read: {error.strerror}. Check the path") from error

    return sign
