"""Code for functions and layers that is signed: before the synth, during it, or when it is published."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from aws_cdk import aws_s3 as s3

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cdk.policy_reading import PolicySource, read_policy
from constructs_pkg.cdk.signed_code_kinds import SignedArchiveCode, SignedAtPublishCode, SignedObjectCode
from constructs_pkg.clock import now
from constructs_pkg.errors import ArchiveError, ArnError, AttestationError, ConstructError
from constructs_pkg.signing.archive_store import DEFAULT_STORE, ArchiveStore
from constructs_pkg.signing.attestation import MAX_ATTESTATION_BYTES, Attestation, parse_attestation, verify_attestation
from constructs_pkg.signing.packaging import DEFAULT_EXCLUDES
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.signer_reference import absolute_reference
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["SignedCode"]


class SignedCode:
    """Ways to give ``code=`` of a function or a layer something that Lambda will accept. Not to be made itself.

    Each way returns an ``aws_lambda.Code`` that may serve several functions and layers, in several stacks. Every
    function and layer that gets it is marked, in its ``Metadata`` under ``LambdaCodeSigning``, with the digest of its
    source, the signing job and the signing profile version, for people and for audits. The mark is information, never
    evidence: `constructs_pkg.cdk.CodeSigningChecks` judges the bytes themselves.

    Works under the default synthesizer of CDK, with a bucket of one's own, in stages and in nested stacks. The
    ``LegacyStackSynthesizer`` and the ``BootstraplessSynthesizer`` are refused: the first hides from every check which
    file a function gets, the second takes no files.
    """

    @staticmethod
    def from_artifact(path: Path | str, *, policy: PolicySource, at: datetime | None = None) -> SignedArchiveCode:
        """Use an archive that is signed already; it goes into the assembly, and to Lambda, byte for byte.

        Args:
            path: The signed ZIP.
            policy: Whom to trust: a policy, or the path of a policy file.
            at: The moment of the verdict, aware; now where left out.

        Raises:
            ConstructError: The archive cannot be read, or Lambda would refuse it, or deploy it with a warning.
            PolicyError: The policy is missing or cannot judge.
        """
        moment = at or now()
        trusted = read_policy(policy, at=moment)
        archive = Path(path)
        try:
            with archive.open("rb") as file:
                report = verify_archive(file, trusted, moment, artifact=str(path))
        except (OSError, ArchiveError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or str(error)
            raise ConstructError(f"path={str(path)!r} cannot be read: {reason}. Give the path of a ZIP file") from error
        _require_accepted("path", report)
        return SignedArchiveCode(archive, report=report, source=None)

    @staticmethod
    def from_directory(
        path: Path | str,
        *,
        signer: Signer,
        policy: PolicySource,
        profile: str | SigningProfileVersionArn | None = None,
        excludes: Iterable[str] = DEFAULT_EXCLUDES,
        compression_level: int | None = None,
        store: Path | str = DEFAULT_STORE,
        at: datetime | None = None,
    ) -> SignedArchiveCode:
        """Package a directory, the same bytes on every machine, and have it signed, now, unless it was signed before.

        A tree whose content did not change is not signed again: the store keeps its signed archive until the signature
        runs out soon. With a local authority another store (another machine, a fresh CI job) signs anew, which gives
        other bytes and deploys the function anew: keep the store between jobs, or sign in one job and use
        `from_artifact`. AWS Signer's bucket keeps what was signed for every store. Says on standard error when it
        signs.

        Args:
            path: The directory with the code.
            signer: Who signs; ``constructs_pkg.aws.signers.open_signer`` opens AWS Signer.
            policy: Whom to trust: a policy, or the path of a policy file. What comes out is verified under it.
            profile: The signing profile, by its name or version ARN, which the policy has to allow; may be left out
                where the policy allows only one.
            excludes: What stays out, as for `constructs_pkg.signing.packaging.write_package`.
            compression_level: None to store, 0 to 9 to deflate, likewise.
            store: The directory that keeps packages and signed archives.
            at: The time of signing, aware; now where left out.

        Raises:
            ConstructError: The policy does not allow the profile, or allows several and none was named.
            PackagingError: The directory cannot be packaged, or the store cannot be written.
            PolicyError: The policy is missing or cannot judge.
            SigningError: The signer refuses, or its signature would not be accepted.
        """
        _require_signer(signer)
        moment = at or now()
        trusted = read_policy(policy, at=moment)
        archives = ArchiveStore(Path(store), tell=_tell)
        package = archives.add_directory(Path(path), excludes=excludes, compression_level=compression_level)
        signed = archives.signed(
            package,
            signer=signer,
            publisher=_publisher(profile, trusted),
            policy=trusted,
            at=moment,
            label=str(path),
        )
        return SignedArchiveCode(signed.path, report=signed.report, source=signed.source_sha256)

    @staticmethod
    def at_publish(
        path: Path | str,
        *,
        signer: str,
        policy: PolicySource,
        profile: str | SigningProfileVersionArn | None = None,
        renewal: str = "",
        excludes: Iterable[str] = DEFAULT_EXCLUDES,
        compression_level: int | None = None,
        store: Path | str = DEFAULT_STORE,
        at: datetime | None = None,
    ) -> SignedAtPublishCode:
        """Let ``cdk deploy`` sign, and only what the bucket does not hold yet.

        The asset's source is a command, which the CDK runs when the object is missing in the bucket. Its key comes from
        the content, the signing profile version and ``renewal``. The synth therefore needs no right to sign, and sees
        no signature: the checks say "signed at publish" instead of a verdict. The command verifies what was signed.

        What it does *not* do: sign again when the signature of an object in the bucket runs out; give another
        ``renewal`` then. It does not work where assets are published on another machine than the synth's, as in CDK
        Pipelines: the command names this machine's Python and store.

        Args:
            path: A directory with the code, or an unsigned ZIP.
            signer: Who signs, in words for a command line: ``aws:bucket=NAME,region=REGION`` is AWS Signer (see
                `constructs_pkg.signing.signer_reference`), ``authority:DIRECTORY`` a local authority.
            policy: As for `from_directory`.
            profile: As for `from_directory`.
            renewal: Any text, such as a year; another one makes the CDK sign again.
            excludes: As for `from_directory`.
            compression_level: As for `from_directory`.
            store: As for `from_directory`.
            at: The moment at which the policy has to be usable, aware; now where left out.

        Raises:
            ConstructError: As for `from_directory`.
            PackagingError: As for `from_directory`.
            PolicyError: As for `from_directory`.
            SigningError: There is no such kind of signer.
        """
        trusted = read_policy(policy, at=at or now())
        archives = ArchiveStore(Path(store), tell=_tell)
        source = Path(path)
        package = (
            archives.add_directory(source, excludes=excludes, compression_level=compression_level)
            if source.is_dir()
            else archives.add_archive(source)
        )
        return SignedAtPublishCode(
            store=archives.path,
            package=package,
            policy=archives.add_policy(trusted),
            publisher=_publisher(profile, trusted),
            signer=absolute_reference(signer),
            renewal=renewal,
            label=str(path),
        )

    @staticmethod
    def from_signed_bucket(
        bucket: s3.IBucket,
        key: str,
        version: str,
        *,
        attestation: Attestation | Path | str,
        policy: PolicySource,
        at: datetime | None = None,
    ) -> SignedObjectCode:
        """Use a signed archive that a pipeline has put into a versioned bucket, judged by its attestation.

        Args:
            bucket: The bucket, of the function's Region.
            key: The object's key.
            version: The object's version id.
            attestation: What ``lambda-code-signing attest`` wrote about the object, or the path of its file.
            policy: Whom to trust: a policy, or the path of a policy file.
            at: The moment of the verdict, aware; now where left out.

        Raises:
            AttestationError: The attestation cannot be read, or is about another object.
            ConstructError: Lambda would refuse the archive, or deploy it with a warning.
            PolicyError: The policy is missing or cannot judge.
        """
        moment = at or now()
        trusted = read_policy(policy, at=moment)
        known = attestation if isinstance(attestation, Attestation) else _read_attestation(Path(attestation))
        known.require_object(None, key, version)
        report = verify_attestation(known, trusted, moment, artifact=f"s3://{known.bucket}/{key}")
        _require_accepted("attestation", report)
        return SignedObjectCode(bucket, attestation=known, report=report)


def _publisher(profile: str | SigningProfileVersionArn | None, policy: CodeSigningPolicy) -> SigningProfileVersionArn:
    """Return the allowed publisher that is meant: the signer's profile can be nothing else."""
    allowed = policy.allowed_publishers
    wanted = _parsed(profile) if isinstance(profile, str) and profile.startswith("arn:") else profile
    meant = [item for item in allowed if wanted is None or wanted in {item, item.name}]
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(map(str, allowed))
    if not meant:
        raise ConstructError(
            f"profile={str(wanted)!r} is not a publisher that the policy allows; it allows {listed}. Use one of these, "
            "or fetch the present policy"
        )
    raise ConstructError(
        f"profile={None if wanted is None else str(wanted)!r} leaves open which of {listed} is to sign. Give the "
        "version ARN of one"
    )


def _parsed(text: str) -> SigningProfileVersionArn:
    try:
        return SigningProfileVersionArn.parse(text)
    except ArnError as error:
        raise ConstructError(f"profile: {error}") from error


def _read_attestation(path: Path) -> Attestation:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_ATTESTATION_BYTES + 1)
    except OSError as error:
        raise AttestationError(
            f"the attestation {path} cannot be read: {error.strerror}. The pipeline that uploads the archive writes it"
        ) from error
    return parse_attestation(text, str(path))


def _require_accepted(argument: str, report: VerificationReport) -> None:
    if not report:
        raise ConstructError(f"{argument}: Lambda would not accept {report.artifact} without complaint\n{report}")


def _require_signer(given: object) -> None:
    """Refuse the text that `SignedCode.at_publish` takes: here the signing happens at once."""
    if not hasattr(given, "sign"):
        raise ConstructError(
            f"signer={given!r} signs nothing. Open it with constructs_pkg.aws.signers.open_signer('aws:bucket=NAME'), "
            "or let the publishing sign with SignedCode.at_publish"
        )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
