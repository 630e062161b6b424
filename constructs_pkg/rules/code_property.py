"""What a template alone says about the code of a function or layer, in each of CloudFormation's and SAM's spellings."""

from collections.abc import Mapping
from datetime import datetime

from constructs_pkg.rules.artifact import Artifact, ArtifactKind
from constructs_pkg.rules.template import Resource, as_mapping
from constructs_pkg.rules.values import Known, Outside, resolve, text_of
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport

__all__ = [
    "ATTESTATION_KEY",
    "CODE_TYPES",
    "FUNCTION_TYPES",
    "LAYER_TYPES",
    "NoArtifacts",
    "artifact_in_template",
    "code_location",
]

FUNCTION_TYPES = ("AWS::Lambda::Function", "AWS::Serverless::Function")
LAYER_TYPES = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
CODE_TYPES = (*FUNCTION_TYPES, *LAYER_TYPES)

ATTESTATION_KEY = "LambdaCodeSigningAttestation"
"""The key of a resource's ``Metadata`` that holds the attestation of a foreign object: its text, or a file's path."""

_PROPERTY = {
    "AWS::Lambda::Function": "Code",
    "AWS::Lambda::LayerVersion": "Content",
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
_KEYS = (("S3Bucket", "S3Key", "S3ObjectVersion"), ("Bucket", "Key", "Version"))


def code_location(resource: Resource) -> str:
    """Return the place of the code in a resource, such as ``Properties/Code``."""
    return f"Properties/{_PROPERTY.get(resource.type, 'Code')}"


class NoArtifacts:
    """Knows templates only: every local file is missing. For templates that came without their files."""

    def artifact_of(self, resource: Resource) -> Artifact:
        """Return what the template alone says."""
        return artifact_in_template(resource)

    def report_on(self, artifact: Artifact, policy: CodeSigningPolicy, at: datetime) -> VerificationReport | None:  # noqa: ARG002 (the protocol's)
        """Return None: there are no bytes to judge."""
        return None


def artifact_in_template(resource: Resource) -> Artifact:
    """Return what a template alone says about the code of a function or layer.

    A local path is given as ``MISSING`` with its path: whoever reads files finds out what is there.

    Args:
        resource: One of `CODE_TYPES`.
    """
    properties = resource.properties
    value = properties.get(_PROPERTY[resource.type])
    if resource.type in FUNCTION_TYPES:
        image = _image(resource, value)
        if image is not None:
            return image
        if "InlineCode" in properties or "ZipFile" in as_mapping(value):
            return Artifact(ArtifactKind.INLINE, "source text in the template")
    if value is None:
        return Artifact(ArtifactKind.UNDECIDED, f"a {resource.type} without {_PROPERTY[resource.type]}")
    return _stored(resource, value)


def _image(resource: Resource, value: object) -> Artifact | None:
    package_types = resolve(resource.template, resource.properties.get("PackageType"))
    uri = as_mapping(value).get("ImageUri", resource.properties.get("ImageUri"))
    if uri is None and Known("Image") not in package_types:
        return None
    name = "an image built from the template's Metadata" if uri is None else text_of(resource.template, uri)
    return Artifact(ArtifactKind.IMAGE, name)


def _stored(resource: Resource, value: object) -> Artifact:
    keys = next((keys for keys in _KEYS if keys[0] in as_mapping(value)), None)
    if keys is not None:
        return _object(resource, as_mapping(value), keys)
    first, *others = resolve(resource.template, value)
    text = first.value if isinstance(first, Known) else None
    if others or not isinstance(text, str) or "${" in text:
        return Artifact(ArtifactKind.UNDECIDED, "one of several values" if others else str(text or first))
    if text.startswith("s3://"):
        bucket, _, key = text.removeprefix("s3://").partition("/")
        attestation = _attestation(resource)
        return Artifact(ArtifactKind.FOREIGN_OBJECT, text, bucket=bucket, key=key, attestation=attestation)
    return Artifact(ArtifactKind.MISSING, text, path=text)


def _object(resource: Resource, value: Mapping[str, object], keys: tuple[str, str, str]) -> Artifact:
    bucket, key, version = keys
    places = [text_of(resource.template, value.get(name)) for name in (bucket, key)]
    name = f"s3://{places[0]}/{places[1]}"
    keys_found = resolve(resource.template, value.get(key))
    if len(keys_found) != 1 or isinstance(keys_found[0], Outside):
        return Artifact(ArtifactKind.UNDECIDED, name)
    object_version = None if value.get(version) is None else text_of(resource.template, value[version])
    if "${" in (object_version or ""):
        return Artifact(ArtifactKind.UNDECIDED, f"{name} in the version {object_version}")
    known = [None if "${" in place else place for place in places]
    return Artifact(
        ArtifactKind.FOREIGN_OBJECT,
        name,
        bucket=known[0],
        key=known[1],
        object_version=object_version,
        attestation=_attestation(resource),
    )


def _attestation(resource: Resource) -> str | None:
    text = resource.metadata.get(ATTESTATION_KEY)
    return text if isinstance(text, str) else None
