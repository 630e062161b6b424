"""Reads a cloud assembly (``cdk.out``), or one plain template, with everything that belongs to it."""

from collections.abc import Mapping
from pathlib import Path

from constructs_pkg.errors import TemplateError
from constructs_pkg.rules.template import Template, as_mapping
from constructs_pkg.rules.values import as_items
from constructs_pkg.templates.archive_verdicts import ArchiveVerdicts
from constructs_pkg.templates.assembly import Assembly, StackFiles
from constructs_pkg.templates.asset_manifest import Asset, AssetIndex, read_asset_manifest
from constructs_pkg.templates.construct_paths import ConstructPaths
from constructs_pkg.templates.documents import MAX_JSON_BYTES, parse_json, read_bounded
from constructs_pkg.templates.file_artifacts import FileArtifacts
from constructs_pkg.templates.nested import add_template, read_document

__all__ = ["MANIFEST", "read_assembly", "read_template"]

MANIFEST = "manifest.json"
"""The file that makes a directory a cloud assembly."""

_MAX_DEPTH = 10
_ASSETS = "cdk:asset-manifest"


def read_template(path: Path | str, verdicts: ArchiveVerdicts | None = None) -> Assembly:
    """Read one CloudFormation or SAM template, in JSON or YAML, and the local templates nested in it.

    Args:
        path: The file. Local code and nested templates are relative to its directory.
        verdicts: Verdicts to share with other assemblies, or None.

    Returns:
        The assembly; a file that cannot be understood is in ``unread``.
    """
    file = Path(path)
    assembly = Assembly(file, artifacts=FileArtifacts(verdicts))
    try:
        add_template(assembly, read_document(file), StackFiles(directory=file.parent), name=str(path))
    except TemplateError as error:
        assembly.unread.append((str(path), str(error)))
    assembly.share_values()
    return assembly


def read_assembly(path: Path | str, verdicts: ArchiveVerdicts | None = None) -> Assembly:
    """Read a cloud assembly: every stack, nested stack, stage and inlined StackSet, and where their assets are.

    Reads what is on the disk now: call it when the synthesis is done, or from a validation plugin.

    Args:
        path: The directory, such as ``cdk.out``.
        verdicts: Verdicts to share with other assemblies, or None.

    Returns:
        The assembly; what cannot be understood is in ``unread``, and is a violation.
    """
    assembly = Assembly(Path(path), artifacts=FileArtifacts(verdicts))
    _read_directory(assembly, Path(path), depth=0)
    if not assembly.templates and not assembly.unread:
        assembly.unread.append((str(path), "the assembly holds no template"))
    assembly.share_values()
    return assembly


def _read_directory(assembly: Assembly, directory: Path, depth: int) -> None:
    manifest = directory / MANIFEST
    try:
        document = parse_json(read_bounded(manifest, MAX_JSON_BYTES).decode("utf-8", "replace"), str(manifest))
        artifacts = {key: as_mapping(body) for key, body in as_mapping(as_mapping(document)["artifacts"]).items()}
    except (TemplateError, KeyError, TypeError) as error:
        reason = str(error) if isinstance(error, TemplateError) else "it lists no artifacts"
        assembly.unread.append((str(manifest), reason))
        return
    # What carries templates is known by its properties: a type that AWS CDK adds tomorrow is read as well.
    for body in artifacts.values():
        properties = as_mapping(body.get("properties"))
        if isinstance(properties.get("templateFile"), str):
            _read_stack(assembly, directory, body, artifacts)
        nested = properties.get("directoryName")
        if isinstance(nested, str) and depth < _MAX_DEPTH:
            _read_directory(assembly, directory / nested, depth + 1)


def _read_stack(
    assembly: Assembly, directory: Path, body: Mapping[str, object], artifacts: Mapping[str, Mapping[str, object]]
) -> None:
    file = directory / str(as_mapping(body["properties"])["templateFile"])
    account, region = _environment(body.get("environment"))
    metadata = body.get("additionalMetadataFile")
    try:
        assets = AssetIndex(_assets_of(directory, body, artifacts), Template({}, region=region, account=account))
        paths = ConstructPaths(
            directory / metadata if isinstance(metadata, str) else None, as_mapping(body.get("metadata"))
        )
        files = StackFiles(assets=assets, paths=paths)
        add_template(assembly, read_document(file), files, name=str(file), region=region, account=account)
    except TemplateError as error:
        assembly.unread.append((str(file), str(error)))
        return
    _read_loose_templates(assembly, files)


def _assets_of(
    directory: Path, body: Mapping[str, object], artifacts: Mapping[str, Mapping[str, object]]
) -> dict[tuple[str, str], Asset]:
    """Read the asset manifests that a stack depends on."""
    found: dict[tuple[str, str], Asset] = {}
    for name in as_items(body.get("dependencies")):
        manifest = artifacts.get(str(name), {})
        file = as_mapping(manifest.get("properties")).get("file")
        if manifest.get("type") == _ASSETS and isinstance(file, str):
            found |= read_asset_manifest(directory / file)
    return found


def _read_loose_templates(assembly: Assembly, files: StackFiles) -> None:
    """Read the templates among a stack's assets that no resource names in a form that is followed."""
    known = {template.path for template in assembly.templates}
    for path in files.assets.templates if files.assets is not None else ():
        if str(path) not in known:
            try:
                add_template(assembly, read_document(path), StackFiles(assets=files.assets), name=str(path))
            except TemplateError as error:
                assembly.unread.append((str(path), str(error)))


def _environment(text: object) -> tuple[str | None, str | None]:
    """Return account and Region of ``aws://ACCOUNT/REGION``; None for what is unknown."""
    account, _, region = str(text).removeprefix("aws://").partition("/")
    return (
        account if account.isdecimal() and len(account) == 12 else None,
        None if not region or region.startswith("unknown") else region,
    )
