"""The payments team's app: green as it stands, and red with rule, construct and remedy for each thing done wrong."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.cdk import CodeSigningChecks
from constructs_pkg.clock import now
from constructs_pkg.rules import RULES
from tests.cdk.conftest import new_app
from tests.in_process import run_in_process

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "payments"
BIN = Path(sys.executable).parent
UNSET = {"PYTEST_VERSION", "PYTEST_CURRENT_TEST", "NODE_ENV"}
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if key not in UNSET and not key.startswith("CDK_")},
    "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}


def run(*command: str | Path, folder: Path = EXAMPLE, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_app_makes_its_authority_signs_once_and_prints_the_verdicts(tmp_path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "payments", ignore=shutil.ignore_patterns("cdk.out", "__pycache__"))
    first = run_in_process(tmp_path / "payments" / "app.py", folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert re.findall(r"(Payments/\w+) +accepted +payments", first.stdout) == [
        "Payments/Charge",
        "Payments/Refund",
        "Payments/Money",
    ]
    assert "PASSED: 1 template, 2 functions, 1 layer, 3 archives judged; 0 fatal, 0 error" in first.stdout
    assert first.stderr.count("signing ") == 3
    second = run(BIN / "cdk", "synth", "--quiet", folder=tmp_path / "payments")
    assert second.returncode == 0, second.stderr
    assert "signing " not in second.stderr


# Done wrong


@dataclass(frozen=True)
class Payments:
    """The example's stack in an App with the checks, before the synth, and what a mistake needs."""

    app: cdk.App
    stack: cdk.Stack
    signer: object
    checks: CodeSigningChecks
    folder: Path

    def archive(self, name: str) -> Path:
        """Return a copy of the signed archive of a function or layer, which the stack then uses in its place."""
        copy = self.folder / f"{name}.zip"
        shutil.copy(self.stack.code[name].path, copy)
        return copy

    def use(self, name: str, archive: Path) -> None:
        """Let a function or layer have this archive, as ``Code.from_asset`` gives it."""
        resource = self.stack.node.find_child(name).node.default_child
        config = lambda_.Code.from_asset(str(archive)).bind(self.stack)
        place = {"s3Bucket": config.s3_location.bucket_name, "s3Key": config.s3_location.object_key}
        if isinstance(resource, lambda_.CfnLayerVersion):
            resource.content = place
        else:
            resource.code = place

    def function(self, name: str, **arguments) -> lambda_.Function:
        return lambda_.Function(
            self.stack, name, runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", **arguments
        )


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(EXAMPLE))
    try:
        yield importlib.import_module("payments_stack"), importlib.import_module("local_platform")
    finally:
        sys.path.remove(str(EXAMPLE))


@pytest.fixture(scope="module")
def platform(modules, tmp_path_factory):
    folder = tmp_path_factory.mktemp("platform")
    return (*modules[1].local_platform(folder), folder / "store")


@pytest.fixture
def payments(modules, platform, tmp_path) -> Payments:
    signer, policy_file, store = platform
    app, checks = new_app(), CodeSigningChecks(policy_file)
    cdk.Validations.of(app).add_plugins(checks)
    stack = modules[0].PaymentsStack(app, "Payments", policy=policy_file, signer=signer, store=store)
    return Payments(app, stack, signer, checks, tmp_path)


def unsigned_zip(payments: Payments) -> None:
    path = payments.archive("Charge")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1\n")
    payments.use("Charge", path)


def tampered_by_one_byte(payments: Payments) -> None:
    path = payments.archive("Charge")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"charged_cents", b"Charged_cents", 1))
    payments.use("Charge", path)


def other_publisher(payments: Payments) -> None:
    path = payments.archive("Charge")
    with payments.signer.changing() as authority:
        if "website" not in {profile.name for profile in authority.profiles}:
            authority.put_profile("website")
    unsigned = payments.folder / "unsigned.zip"
    with zipfile.ZipFile(unsigned, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1\n")
    with unsigned.open("rb") as source, path.open("w+b") as target:
        payments.signer.sign(source, target, profile="website", at=now())
    payments.use("Charge", path)


def inline_function(payments: Payments) -> None:
    payments.function("Quick", code=lambda_.Code.from_inline("def handler(event, context): return 1"))


def image_function(payments: Payments) -> None:
    repository = ecr.Repository.from_repository_name(payments.stack, "Repository", "payments")
    lambda_.DockerImageFunction(payments.stack, "Image", code=lambda_.DockerImageCode.from_ecr(repository))


def unsigned_layer(payments: Payments) -> None:
    path = payments.archive("Money")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("python/money.py", "def cents(amount): return 0\n")
    payments.use("Money", path)


def statement_that_detaches(payments: Payments) -> None:
    payments.stack.charge.add_to_role_policy(
        iam.PolicyStatement(actions=["lambda:DeleteFunctionCodeSigningConfig"], resources=["*"])
    )


MISTAKES = [
    (unsigned_zip, "LCS201", "Payments/Charge/Resource", "Sign the archive with an allowed signing profile"),
    (tampered_by_one_byte, "LCS202", "Payments/Charge/Resource", "Build the archive again"),
    (other_publisher, "LCS203", "Payments/Charge/Resource", "Have it signed by one of the allowed publishers"),
    (inline_function, "LCS207", "Payments/Quick/Resource", "Move it to a file and sign the archive"),
    (image_function, "LCS215", "Payments/Image/Resource", "Package the function as a signed ZIP archive"),
    (unsigned_layer, "LCS301", "Payments/Money/Resource", "Sign the archive with an allowed signing profile"),
    (
        statement_that_detaches,
        "LCS501",
        "Payments/Charge/ServiceRole/DefaultPolicy/Resource",
        "Name the actions that are needed instead of a wildcard",
    ),
]


@pytest.mark.parametrize(
    ("mistake", "rule", "path", "remedy"), MISTAKES, ids=[mistake.__name__ for mistake, *_ in MISTAKES]
)
def test_mistake_fails_the_synth_with_rule_construct_and_remedy(
    payments: Payments, mistake: Callable[[Payments], None], rule: str, path: str, remedy: str
) -> None:
    mistake(payments)
    with pytest.raises(RuntimeError) as caught:
        payments.app.synth()
    text = str(caught.value)
    assert [(item.rule.id, item.construct_path) for item in payments.checks.report.failures] == [(rule, path)]
    assert f"FATAL {RULES[rule].title}: " in text
    assert path in text
    assert f"Suggested fix: {remedy}" in text


def test_stack_without_a_mistake_synthesizes(payments: Payments) -> None:
    payments.app.synth()
    assert payments.checks.report.violations == ()
