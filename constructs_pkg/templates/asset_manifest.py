"""The assets of a stack, by the bucket and the key that its template names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from constructs_pkg.errors import TemplateError
from constructs_pkg.rules.template import Template, as_mapping
from constructs_pkg.rules.values import text_of
from constructs_pkg.templates.documents import MAX_JSON_BYTES, parse_json, read_bounded

__all__ = ["Asset", "AssetIndex", "read_asset_manifest"]


@dataclass(frozen=True, slots=True)
class Asset:
    """What is uploaded to one place.

    Attributes:
        path: The file or directory; None where a command makes it on publication.
        packaging: ``file`` or ``zip``.
        name: What messages call it.
    """

    path: Path | None
    packaging: str
    name: str


class AssetIndex:
    """Finds assets as a template names them.

    Args:
        assets: The assets by ``BUCKET/KEY`` as the manifest writes them, placeholders included.
        environment: An empty template of the stack's account and Region, which resolves placeholders like the
            template's own references.
    """

    def __init__(self, assets: Mapping[tuple[str, str], Asset], environment: Template) -> None:
        self._by_place = {
            (_resolved(bucket, environment), _resolved(key, environment)): asset
            for (bucket, key), asset in assets.items()
        }

    def at(self, bucket: str, key: str) -> Asset | None:
        """Return the asset at a place, given as `constructs_pkg.rules.values.text_of` writes it."""
        return self._by_place.get((bucket, key))

    def at_url(self, url: str) -> Asset | None:
        """Return the asset at an URL of S3, in the path style or the virtual-hosted style."""
        _, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        bucket, _, key = path.partition("/")
        return self.at(bucket, key) or self.at(host.partition(".s3")[0], path)

    @property
    def templates(self) -> tuple[Path, ...]:
        """Return the assets that are templates, by the name that AWS CDK gives them."""
        paths = (asset.path for asset in self._by_place.values() if asset.packaging == "file")
        return tuple(path for path in paths if path is not None and path.name.endswith(".template.json"))


def read_asset_manifest(path: Path) -> dict[tuple[str, str], Asset]:
    """Read the asset manifest of one stack.

    Args:
        path: The file; its assets' paths are relative to its directory.

    Raises:
        TemplateError: It cannot be read or understood.
    """
    document = parse_json(read_bounded(path, MAX_JSON_BYTES).decode("utf-8", "replace"), str(path))
    found: dict[tuple[str, str], Asset] = {}
    for asset_id, body in as_mapping(as_mapping(document).get("files")).items():
        asset = _asset(path.parent, asset_id, as_mapping(body))
        for place in as_mapping(as_mapping(body).get("destinations")).values():
            bucket, key = as_mapping(place).get("bucketName"), as_mapping(place).get("objectKey")
            if not isinstance(bucket, str) or not isinstance(key, str):
                raise TemplateError(f"{path}: the asset {asset_id[:80]!r} has a destination without bucket and key")
            found[bucket, key] = asset
    return found


def _asset(directory: Path, asset_id: str, body: Mapping[str, object]) -> Asset:
    source = as_mapping(body.get("source"))
    name, packaging, path = body.get("displayName"), source.get("packaging"), source.get("path")
    return Asset(
        directory / path if isinstance(path, str) else None,
        packaging if isinstance(packaging, str) else "file",
        name if isinstance(name, str) else asset_id,
    )


def _resolved(text: str, environment: Template) -> str:
    return text_of(environment, {"Fn::Sub": text}) if "${" in text else text
