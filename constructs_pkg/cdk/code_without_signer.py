"""Code that nobody was named to sign: it synthesizes, so that a template can be read, and is refused when published."""

import hashlib
import sys

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_pkg.cdk.asset_synthesizer import add_executable_asset
from constructs_pkg.cdk.signed_code_kinds import METADATA_KEY

__all__ = ["CodeWithoutSigner"]


class CodeWithoutSigner(lambda_.Code):
    """Stands where signed code belongs until somebody says who signs; nothing with it can be deployed.

    The asset's source is a command that fails and says what to do, so that ``cdk deploy`` ends before it changes
    anything. No object ever has the key that the template names.

    Args:
        label: What is not signed, in words.
        remedy: What to do, in words.
    """

    def __init__(self, *, label: str, remedy: str) -> None:
        super().__init__()
        self._label = label
        self._command = (
            sys.executable,
            "-m",
            "constructs_pkg.cli.publish_refused",
            "--what",
            label,
            "--remedy",
            remedy,
        )
        self._hash = hashlib.sha256(f"without a signer\n{label}".encode()).hexdigest()

    @property
    def is_inline(self) -> bool:
        """Tell that it is not source text in the template."""
        return False

    def bind(self, scope: Construct) -> lambda_.CodeConfig:
        """Add the asset to a stack; called by CDK."""
        place = add_executable_asset(
            scope, source_hash=self._hash, command=self._command, display_name=f"{self._label}, without a signer"
        )
        return lambda_.CodeConfig(s3_location=s3.Location(bucket_name=place.bucket_name, object_key=place.object_key))

    def bind_to_resource(self, resource: cdk.CfnResource, *, resource_property: str | None = None) -> None:  # noqa: ARG002 (of aws_lambda.Code)
        """Mark a function; called by CDK."""
        resource.add_metadata(METADATA_KEY, {"Signed": "by nobody: this cannot be deployed"})
