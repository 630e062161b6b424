"""What stands behind a function's or a layer's code property, and who finds it and has it judged."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from constructs_pkg.rules.template import Resource
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport

__all__ = ["Artifact", "ArtifactKind", "ArtifactLocator"]


class ArtifactKind(StrEnum):
    """What the code of a function or layer is, as far as its template and assembly tell."""

    ARCHIVE = "archive"
    """A ZIP file that is there: it is judged, and uploaded as it is."""
    DIRECTORY = "directory"
    """A directory that a tool zips on upload, so that nobody signs it."""
    INLINE = "inline"
    """Source text in the template."""
    IMAGE = "image"
    """A container image."""
    FOREIGN_OBJECT = "foreign_object"
    """An object in S3 that is not part of the assembly."""
    SIGNED_AT_PUBLISH = "signed_at_publish"
    """What a command makes on publication: an asset with an ``executable`` source."""
    UNDECIDED = "undecided"
    """A parameter or another reference whose value only the deployment knows."""
    MISSING = "missing"
    """A file that should be there and is not, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """The code behind one property.

    Attributes:
        kind: What it is.
        name: What messages call it: a file, an image, ``s3://BUCKET/KEY``, a parameter.
        path: The file or directory; None for all else.
        bucket: The bucket of a foreign object; None for all else, and where it is open until the deployment.
        key: Its key, likewise.
        object_version: The S3 object version that the template asks for, or None.
        attestation: The text of the attestation of a foreign object, or None.
        detail: What else a message should say, such as why a file cannot be read; mostly empty.
    """

    kind: ArtifactKind
    name: str
    path: str | None = None
    bucket: str | None = None
    key: str | None = None
    object_version: str | None = None
    attestation: str | None = None
    detail: str = ""


class ArtifactLocator(Protocol):
    """Finds the code behind a resource and has the verifier judge it; `constructs_pkg.templates` has one that reads."""

    def artifact_of(self, resource: Resource) -> Artifact:
        """Return what stands behind a function or a layer.

        Args:
            resource: An ``AWS::Lambda::Function``, ``AWS::Lambda::LayerVersion``, ``AWS::Serverless::Function`` or
                ``AWS::Serverless::LayerVersion``.
        """
        ...

    def report_on(self, artifact: Artifact, policy: CodeSigningPolicy, at: datetime) -> VerificationReport | None:
        """Return the verifier's report on an archive; None where the bytes cannot be read.

        Args:
            artifact: An artifact of the kind ``ARCHIVE``.
            policy: Whom to trust.
            at: The moment of the deployment, aware.

        Raises:
            PolicyError: No verdict can be reached with this policy.
        """
        ...
