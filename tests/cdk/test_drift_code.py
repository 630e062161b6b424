"""The reference deployment's own code: staged with what is expected, signed when it is published, verified then."""

import io
import json
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.cdk.drift_code import signed_drift_code
from constructs_pkg.errors import ConstructError
from constructs_pkg.organization import Organization, load_organization
from constructs_pkg.signing.policy_file import parse_policy
from constructs_pkg.signing.verifier import verify_archive
from constructs_pkg.testing import ThrowawayAuthority
from tests.cdk.conftest import ENVIRONMENT, new_app

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def organization() -> Organization:
    return load_organization(Path(__file__).parents[2] / "organization.toml", at=AT)


def test_what_cdk_deploy_publishes_is_signed_by_the_applications_profile_and_carries_the_expectations(
    organization: Organization, tmp_path: Path
) -> None:
    authority = ThrowawayAuthority.make(tmp_path / "authority", profile="acme_code_signing_g1")
    code = signed_drift_code(
        organization,
        signer=f"authority:{authority.signer.path}",
        policy=authority.policy_file,
        at=datetime.now(UTC),
        store=tmp_path / "store",
    )
    assert code is not None
    app = new_app()
    stack = cdk.Stack(app, "Stack", env=ENVIRONMENT)
    runtime = lambda_.Runtime.PYTHON_3_13
    lambda_.Function(stack, "Function", runtime=runtime, handler="drift.start.handler", code=code)
    manifest = json.loads(Path(app.synth().directory, "Stack.assets.json").read_text())
    ((command,),) = [
        [one["source"]["executable"] for one in manifest["files"].values() if "executable" in one["source"]]
    ]
    published = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    archive = Path(published).read_bytes()
    policy = parse_policy(authority.policy_file.read_bytes(), "policy")
    report = verify_archive(io.BytesIO(archive), policy, datetime.now(UTC), artifact="drift")
    assert report, str(report)
    assert report.signing_profile_version_arn.name == "acme_code_signing_g1"
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        expected = json.loads(package.read("drift_expectations.json"))
        assert {"drift/start.py", "drift/expiry.py", "boto3/__init__.py"} <= set(package.namelist())
    assert expected["organization_id"] == organization.id


def test_without_a_signer_there_is_no_code_and_a_signer_without_a_policy_is_refused(organization: Organization) -> None:
    assert signed_drift_code(organization, signer=None, policy=None, at=AT) is None
    with pytest.raises(ConstructError, match="belong together: give both, or neither"):
        signed_drift_code(organization, signer="authority:somewhere", policy=None, at=AT)
