"""The kinds of code that ``SignedCode`` makes: a file, a command, an object; each marks the functions that get it."""

import hashlib
import sys
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cdk.asset_synthesizer import add_archive_asset, add_executable_asset
from constructs_pkg.errors import ConstructError
from constructs_pkg.rules.code_property import ATTESTATION_KEY
from constructs_pkg.signing.attestation import Attestation, format_attestation
from constructs_pkg.signing.report import VerificationReport, iso_time

__all__ = ["METADATA_KEY", "SignedArchiveCode", "SignedAtPublishCode", "SignedObjectCode"]

METADATA_KEY = "LambdaCodeSigning"
"""The key of the mark in a resource's ``Metadata``."""


class _MarkedCode(lambda_.Code):
    """Code that marks every function and layer that it is given to."""

    @property
    def is_inline(self) -> bool:
        """Tell that it is not source text in the template."""
        return False

    def _mark(self) -> dict[str, str | None]:
        raise NotImplementedError

    def bind_to_resource(self, resource: cdk.CfnResource, *, resource_property: str | None = None) -> None:  # noqa: ARG002 (of aws_lambda.Code)
        """Mark a function or layer; called by CDK."""
        resource.add_metadata(METADATA_KEY, {key: value for key, value in self._mark().items() if value is not None})


class SignedArchiveCode(_MarkedCode):
    """A signed archive on this machine, which becomes a file asset as it is; made by ``SignedCode``.

    Attributes:
        path: The archive.
        report: The verdict on it, without a finding.
        publisher: The signing profile version that signed it.
    """

    def __init__(self, path: Path, *, report: VerificationReport, source: str | None) -> None:
        super().__init__()
        self.path = path.absolute()  # CDK's Node.js keeps the working directory that it was started in
        self.report = report
        self.publisher = _publisher_of(report)
        self._source = {"ArchiveSha256": _sha256(path)} if source is None else {"SourceSha256": source}
        self._code_of: dict[str, lambda_.AssetCode] = {}

    def bind(self, scope: Construct) -> lambda_.CodeConfig:
        """Add the asset to a stack; called by CDK."""
        stack = cdk.Stack.of(scope).node.addr
        if stack not in self._code_of:  # CDK's own asset code belongs to one stack
            self._code_of[stack] = lambda_.Code.from_asset(str(self.path))
        return add_archive_asset(scope, self._code_of[stack])

    def _mark(self) -> dict[str, str | None]:
        return {**self._source, **_mark_of(self.report)}


class SignedAtPublishCode(_MarkedCode):
    """A package that is signed when the CDK publishes its assets; made by ``SignedCode``.

    Attributes:
        publisher: The signing profile version that will sign.
        command: What the CDK runs when the object is missing.
        asset_hash: What the object's key is made of.
    """

    def __init__(
        self,
        *,
        store: Path,
        package: str,
        policy: str,
        publisher: SigningProfileVersionArn,
        signer: str,
        renewal: str,
        label: str,
    ) -> None:
        super().__init__()
        self.publisher = publisher
        self._package = package
        self._label = label
        self.asset_hash = hashlib.sha256(f"{package}\n{publisher}\n{renewal}".encode()).hexdigest()
        options = {
            "store": str(store),
            "package": package,
            "policy": policy,
            "publisher": str(publisher),
            "signer": signer,
            "label": label,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.command = (sys.executable, "-m", "constructs_pkg.cli.publish", *words)

    def bind(self, scope: Construct) -> lambda_.CodeConfig:
        """Add the asset to a stack; called by CDK."""
        location = add_executable_asset(
            scope, source_hash=self.asset_hash, command=self.command, display_name=f"{self._label}, signed at publish"
        )
        return lambda_.CodeConfig(
            s3_location=s3.Location(bucket_name=location.bucket_name, object_key=location.object_key)
        )

    def _mark(self) -> dict[str, str | None]:
        return {
            "SourceSha256": self._package,
            "SigningProfileVersionArn": str(self.publisher),
            "Signed": "when the asset is published",
        }


class SignedObjectCode(_MarkedCode):
    """A signed archive in a versioned bucket; made by ``SignedCode``.

    Attributes:
        attestation: What is known of the object.
        report: The verdict on it, without a finding.
        publisher: The signing profile version that signed it.
    """

    def __init__(self, bucket: s3.IBucket, *, attestation: Attestation, report: VerificationReport) -> None:
        super().__init__()
        name = bucket.bucket_name
        attestation.require_object(None if cdk.Token.is_unresolved(name) else name, None, None)
        self.attestation = attestation
        self.report = report
        self.publisher = _publisher_of(report)
        self._bucket = bucket

    def bind(self, scope: Construct) -> lambda_.CodeConfig:  # noqa: ARG002 (of aws_lambda.Code)
        """Name the object; called by CDK."""
        return lambda_.CodeConfig(
            s3_location=s3.Location(
                bucket_name=self._bucket.bucket_name,
                object_key=self.attestation.key,
                object_version=self.attestation.object_version,
            )
        )

    def bind_to_resource(self, resource: cdk.CfnResource, *, resource_property: str | None = None) -> None:
        """Mark a function or layer, and leave the attestation for the checks; called by CDK."""
        super().bind_to_resource(resource, resource_property=resource_property)
        resource.add_metadata(ATTESTATION_KEY, format_attestation(self.attestation))

    def _mark(self) -> dict[str, str | None]:
        return {"ArchiveSha256": self.attestation.sha256, **_mark_of(self.report)}


def _publisher_of(report: VerificationReport) -> SigningProfileVersionArn:
    assert report.signing_profile_version_arn is not None, "SignedCode lets no archive without a publisher through"
    return report.signing_profile_version_arn


def _mark_of(report: VerificationReport) -> dict[str, str | None]:
    return {
        "SigningJobArn": str(report.signing_job_arn),
        "SigningProfileVersionArn": str(report.signing_profile_version_arn),
        "ExpiresAt": iso_time(report.expires_at),
    }


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConstructError(
            f"path={str(path)!r} cannot be read any more: {error.strerror}. Synthesize again"
        ) from error
