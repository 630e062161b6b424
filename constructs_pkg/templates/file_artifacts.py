"""Finds the files behind functions and layers."""

import stat
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from constructs_pkg.rules.artifact import Artifact, ArtifactKind
from constructs_pkg.rules.code_property import artifact_in_template
from constructs_pkg.rules.template import Resource, Template, as_mapping
from constructs_pkg.rules.values import text_of
from constructs_pkg.signing.attestation import MAX_ATTESTATION_BYTES
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.templates.archive_verdicts import ArchiveVerdicts
from constructs_pkg.templates.asset_manifest import Asset, AssetIndex
from constructs_pkg.templates.documents import read_bounded

__all__ = ["FileArtifacts"]

_CODE_PROPERTIES = ("Code", "Content", "CodeUri", "ContentUri")
_BUCKET_AND_KEY = (("S3Bucket", "S3Key"), ("Bucket", "Key"))


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the files behind one template are relative to."""

    directory: Path | None
    assets: AssetIndex | None


class FileArtifacts:
    """The locator for templates and assemblies in files.

    Attributes:
        verdicts: The verdicts, which several assemblies may share.
    """

    def __init__(self, verdicts: ArchiveVerdicts | None = None) -> None:
        self.verdicts = ArchiveVerdicts() if verdicts is None else verdicts
        self._surroundings: dict[int, _Surroundings] = {}
        self._artifacts: dict[int, Artifact] = {}
        self._assets: dict[int, Artifact] = {}

    def add(self, template: Template, directory: Path | None, assets: AssetIndex | None) -> None:
        """Tell what the files behind a template are relative to.

        Args:
            template: The template, which must stay alive as long as this object.
            directory: The directory of a template whose local paths count; None in an assembly.
            assets: The assets of the stack, in an assembly.
        """
        self._surroundings[id(template)] = _Surroundings(directory, assets)

    def artifact_of(self, resource: Resource) -> Artifact:
        """Return what stands behind a function or a layer."""
        found = self._artifacts.get(id(resource))
        if found is None:
            found = self._artifacts[id(resource)] = self._located(resource)
        return found

    def report_on(self, artifact: Artifact, policy: CodeSigningPolicy, at: datetime) -> VerificationReport | None:
        """Return the verifier's report on an archive; None where it cannot be read."""
        return None if artifact.path is None else self.verdicts.report_on(artifact.path, artifact.name, policy, at)

    def _located(self, resource: Resource) -> Artifact:
        surroundings = self._surroundings.get(id(resource.template), _Surroundings(None, None))
        asset = None if surroundings.assets is None else _asset_of(resource, surroundings.assets)
        if asset is not None:
            # Many functions may have one asset, which is looked at once; the index keeps it alive.
            if id(asset) not in self._assets:
                self._assets[id(asset)] = _of_asset(asset)
            return self._assets[id(asset)]
        artifact = artifact_in_template(resource)
        if artifact.kind is ArtifactKind.MISSING and artifact.path is not None and surroundings.directory is not None:
            return _of_path(surroundings.directory / artifact.path, artifact.path)
        if artifact.attestation is not None and not artifact.attestation.lstrip().startswith("{"):
            directory = surroundings.directory or Path()
            text = read_bounded(directory / artifact.attestation, MAX_ATTESTATION_BYTES).decode("utf-8", "replace")
            return replace(artifact, attestation=text)
        return artifact


def _asset_of(resource: Resource, assets: AssetIndex) -> Asset | None:
    for name in _CODE_PROPERTIES:
        value = as_mapping(resource.properties.get(name))
        for bucket, key in _BUCKET_AND_KEY:
            if bucket in value and key in value:
                return assets.at(*(text_of(resource.template, value[part]) for part in (bucket, key)))
    return None


def _of_asset(asset: Asset) -> Artifact:
    if asset.path is None:
        return Artifact(ArtifactKind.SIGNED_AT_PUBLISH, asset.name)
    found = _of_path(asset.path, asset.path.name)
    if asset.packaging != "file" and found.kind is ArtifactKind.ARCHIVE:
        return replace(found, kind=ArtifactKind.DIRECTORY, detail="the asset is zipped again")
    return found


def _of_path(path: Path, name: str) -> Artifact:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return Artifact(ArtifactKind.MISSING, name, detail=reason)
    if stat.S_ISDIR(mode):
        return Artifact(ArtifactKind.DIRECTORY, name, path=str(path))
    if not stat.S_ISREG(mode):
        return Artifact(ArtifactKind.MISSING, name, detail="it is no regular file")
    return Artifact(ArtifactKind.ARCHIVE, name, path=str(path))
