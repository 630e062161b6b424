"""Stages the package of the drift functions: their sources, what they expect, and a boto3 that is new enough.

AWS Lambda's own boto3 may be older than 1.40.76 and would refuse ``DeploymentMode``. The installed distributions are
copied, without Docker and without the network, and of botocore's service models only those that are used.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from constructs_pkg.errors import PackagingError

__all__ = ["MAX_ASSET_BYTES", "SERVICES", "DriftAsset", "stage_drift_asset"]

MAX_ASSET_BYTES = 15_000_000
"""What the staged directory may have, unzipped; Lambda's own bound is 250 MB."""

SERVICES = ("cloudformation", "cloudtrail", "lambda", "s3", "signer", "sns", "stepfunctions", "sts")
"""The service models that are staged: the clients that ``constructs_pkg.runtime.drift`` makes, and sts."""

_DISTRIBUTIONS = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_LICENCES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")
_LEFT_OUT = ("boto3/data/", "boto3/examples/", "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz")
_SOURCES = "drift"
_EXPECTATIONS = "drift_expectations.json"


@dataclass(frozen=True, slots=True)
class DriftAsset:
    """A staged package.

    Attributes:
        path: The directory.
        size_bytes: The sum of its files.
        versions: Distribution to version, of everything that was copied.
    """

    path: Path
    size_bytes: int
    versions: Mapping[str, str]


def stage_drift_asset(target: Path, expectations: Mapping[str, Any]) -> DriftAsset:
    """Write the package of the drift functions: the same bytes from the same installed distributions.

    The handlers are those of ``constructs_pkg.runtime.drift.settings.HANDLERS``. The directory is not signed here.

    Args:
        target: The directory; it is replaced where it is there already, and only once everything is written.
        expectations: What ``constructs_pkg.organization_drift.drift_expectations`` returned.

    Raises:
        PackagingError: A distribution is not installed, or too old, or everything together is too large, or the
            directory cannot be written.
    """
    building = target.with_name(f".{target.name}.staging")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        versions = {name: _copy_distribution(name, building) for name in _DISTRIBUTIONS}
        _require_revert_drift(building, versions["botocore"])
        _copy_sources(building / _SOURCES)
        text = json.dumps(expectations, indent=1, sort_keys=True) + "\n"
        (building / _EXPECTATIONS).write_text(text, encoding="utf-8", newline="\n")
        size_bytes = sum(path.stat().st_size for path in building.rglob("*") if path.is_file())
        if size_bytes > MAX_ASSET_BYTES:
            raise PackagingError(
                f"the package of the drift functions has {size_bytes:,} bytes, {MAX_ASSET_BYTES:,} are allowed. "
                f"Which of {', '.join(f'{name} {version}' for name, version in versions.items())} has grown?"
            )
        shutil.rmtree(target, ignore_errors=True)
        building.replace(target)
    except OSError as error:
        raise PackagingError(f"{target} cannot be staged: {error}. Make its directory writable") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return DriftAsset(target, size_bytes, versions)


def _copy_distribution(name: str, target: Path) -> str:
    try:
        found = distribution(name)
    except PackageNotFoundError as error:
        raise PackagingError(f"{name} is not installed. Install boto3 with pip, in this environment") from error
    count = 0
    for relative, source in _wanted(found):
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        count += 1
    if count == 0:
        raise PackagingError(f"{name} {found.version} does not tell its files. Install it from a wheel, with pip")
    return found.version


def _wanted(found: Distribution) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield the files of a distribution that its users need at run time, and its licences."""
    for path in sorted(found.files or (), key=str):
        relative = PurePosixPath(str(path))
        if relative.is_absolute() or ".." in relative.parts or relative.suffix in {".pyc", ".pyi"}:
            continue  # scripts, and what is compiled on this machine
        is_licence = relative.name.upper().startswith(_LICENCES)
        if relative.parts[0].endswith(".dist-info"):
            if not is_licence:
                continue
        elif str(relative).startswith(_LEFT_OUT) or not _is_used(relative):
            continue
        yield relative, Path(str(found.locate_file(path)))


def _is_used(relative: PurePosixPath) -> bool:
    """Tell whether a file of botocore is code, common data, or of a service that is used."""
    parts = relative.parts
    return parts[:2] != ("botocore", "data") or len(parts) == 3 or parts[2] in SERVICES


def _copy_sources(target: Path) -> None:
    target.mkdir()
    for source in sorted(files("constructs_pkg.runtime.drift").iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py"):
            (target / source.name).write_bytes(source.read_bytes())


def _require_revert_drift(staged: Path, version: str) -> None:
    """Look into the model that was staged: the version number alone promises nothing."""
    for model in (staged / "botocore" / "data" / "cloudformation").glob("*/service-2.json.gz"):
        shapes: dict[str, Any] = json.loads(gzip.decompress(model.read_bytes()))["shapes"]
        if "REVERT_DRIFT" in shapes.get("DeploymentMode", {}).get("enum", ()):
            return
    raise PackagingError(
        f"botocore {version} does not know CreateChangeSet's DeploymentMode REVERT_DRIFT. "
        "Install boto3 1.40.76 or newer"
    )
