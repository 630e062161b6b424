"""The staged package is small, always the same, starts by itself, and its boto3 accepts REVERT_DRIFT."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from constructs_pkg import drift_asset
from constructs_pkg.clock import now
from constructs_pkg.drift_asset import MAX_ASSET_BYTES, SERVICES, DriftAsset, stage_drift_asset
from constructs_pkg.errors import PackagingError
from constructs_pkg.organization import load_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.runtime.drift.settings import HANDLERS

ROOT = Path(__file__).parents[2]

PROBE = """
import importlib, json, os, sys, tempfile
handlers = json.loads(sys.argv[1])
for handler in handlers:
    module, _, function = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function)), handler
import boto3, botocore.stub, drift
from drift.surroundings import of_this_function
assert of_this_function().expectations.organization == "acme"
assert all(sys.argv[2] in module.__file__ for module in (boto3, botocore, drift)), "only what was staged is used"
client = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
stub = botocore.stub.Stubber(client)
stub.add_response("create_change_set", {"Id": "arn:aws:cloudformation:eu-west-1:444444444404:changeSet/x/1"})
with stub:
    client.create_change_set(StackName="s", ChangeSetName="c", UsePreviousTemplate=True, DeploymentMode="REVERT_DRIFT")
for service in sys.argv[3].split(","):
    boto3.client(service, region_name="eu-west-1")
loaded = sorted(name.partition(".")[0] for name in sys.modules if name.partition(".")[0] in {"pydantic", "aws_cdk"})
print(json.dumps({"boto3": boto3.__version__, "foreign": loaded}))
"""


def digest_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> DriftAsset:
    organization = load_organization(ROOT / "organization.toml", at=now())
    return stage_drift_asset(tmp_path_factory.mktemp("staged") / "asset", drift_expectations(organization))


def test_the_staged_package_starts_by_itself_and_accepts_the_parameter(asset: DriftAsset) -> None:
    """In a process that sees nothing but the package and the standard library."""
    handlers = json.dumps([one.handler for one in HANDLERS.values()])
    ran = subprocess.run(
        [sys.executable, "-B", "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(asset.path)!r})\n{PROBE}",
         handlers, str(asset.path), "s3,signer"],
        env={"DRIFT_BUCKET": "runs", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"boto3": asset.versions["boto3"], "foreign": []}


def test_it_keeps_to_its_budget_and_brings_only_the_models_that_are_used(asset: DriftAsset) -> None:
    assert asset.size_bytes < MAX_ASSET_BYTES
    models = {path.name for path in (asset.path / "botocore" / "data").iterdir() if path.is_dir()}
    assert models == set(SERVICES)
    assert not [path for path in asset.path.rglob("*") if path.suffix == ".pyc"]


def test_every_client_that_the_sources_make_has_its_model() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "constructs_pkg/runtime/drift").glob("*.py"))
    made = {service for service in SERVICES if f'central("{service}")' in sources or f'"{service}", ' in sources}
    assert made | {"sts", "cloudformation", "lambda"} == set(SERVICES)


def test_staging_twice_gives_the_same_bytes_and_leaves_nothing_behind(asset: DriftAsset, tmp_path: Path) -> None:
    expectations = json.loads((asset.path / "drift_expectations.json").read_text())
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "stale.py").write_text("")
    again = stage_drift_asset(tmp_path / "again", expectations)
    assert digest_of(again.path) == digest_of(asset.path)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_package_that_grew_is_refused_and_the_old_one_stays(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(drift_asset, "MAX_ASSET_BYTES", 1000)
    (tmp_path / "asset").mkdir()
    (tmp_path / "asset" / "old").write_text("")
    with pytest.raises(PackagingError, match=r"bytes, 1,000 are allowed\. Which of boto3 .* has grown\?$"):
        stage_drift_asset(tmp_path / "asset", {})
    assert [path.name for path in tmp_path.rglob("*")] == ["asset", "old"]


def test_a_boto3_that_does_not_know_the_parameter_is_refused(tmp_path: Path, monkeypatch) -> None:
    def without_models(relative) -> bool:
        return relative.parts[:2] != ("botocore", "data")

    monkeypatch.setattr(drift_asset, "_is_used", without_models)
    with pytest.raises(PackagingError, match=r"does not know .*REVERT_DRIFT\. Install boto3 1\.40\.76 or newer$"):
        stage_drift_asset(tmp_path / "asset", {})


def test_a_distribution_that_is_missing_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(drift_asset, "_DISTRIBUTIONS", ("no-such-distribution",))
    with pytest.raises(PackagingError, match=r"^no-such-distribution is not installed\."):
        stage_drift_asset(tmp_path / "asset", {})
