"""The wheel that users install: what it holds, what it declares, and a small app that is synthesized from it."""

import ast
import email
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from constructs_pkg._version import __version__

ROOT = Path(__file__).parents[2]
DIST_INFO = f"cdk_lambda_code_signing-{__version__}.dist-info"

# Halves of a dependency, whose versions have to fit each other: the other half alone says which.
COMES_WITH = {"botocore": "boto3", "jsii": "aws-cdk-lib", "pydantic-core": "pydantic"}
# Declared for what talks to AWS; synthesis and verification do without.
DECLARED_AHEAD = {"boto3"}

APP = """
import json
import sys
from pathlib import Path

import constructs_pkg
from constructs_pkg.cdk import EnforcedCodeSigning, LambdaSigningProfile
import aws_cdk as cdk

app = cdk.App(outdir="cdk.out", builtin_cloud_formation_validation=False)
stack = cdk.Stack(app, "Payments")
profile = LambdaSigningProfile(stack, "G1", name_prefix="payments", generation=1)
EnforcedCodeSigning(stack, "Config", publishers=[profile])
app.synth()
print(json.dumps({"package": str(Path(constructs_pkg.__file__).parent), "prefix": sys.prefix}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A virtual environment with this wheel as its only installation.

    Installing aws-cdk-lib and the others once more would take half a minute and show nothing about this package: their
    folder comes onto the path by a ``.pth`` file instead. Python does not read the ``.pth`` files in a folder that is
    added so, which keeps the editable installation of this repository out; the tests check that.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True, timeout=60)
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"{DIST_INFO}/METADATA"))


def normalized(requirement):
    return re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0].lower().replace("_", "-")


# What users of constructs_pkg.testing have: pytest, and for the local AWS the extra "local" with what it brings.
ONLY_FOR_TESTING = {"pytest", "ministack", "hypercorn"}


def imported_distributions(*, in_testing):
    """Return the distributions of all modules that ``constructs_pkg.testing``, or all else, imports anywhere."""
    modules = set()
    for path in (ROOT / "constructs_pkg").rglob("*.py"):
        if ("testing" in path.parts) is not in_testing:
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add(str(node.module).partition(".")[0])
    modules -= sys.stdlib_module_names | {"constructs_pkg"}
    distributions = importlib.metadata.packages_distributions()
    # An import package of several distributions belongs to the one that is named like it.
    return {normalized(min(distributions[module], key=len)) for module in modules}


def test_the_wheel_holds_the_package_and_its_licence_and_nothing_else(wheel):
    package = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "constructs_pkg").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    about = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    assert set(names) == package | {f"{DIST_INFO}/{name}" for name in about}
    assert "constructs_pkg/py.typed" in names


def test_the_wheel_declares_what_its_source_imports(metadata):
    declared = {normalized(it) for it in metadata.get_all("Requires-Dist") if "extra ==" not in it}
    imported = imported_distributions(in_testing=False)
    assert imported - declared <= set(COMES_WITH)
    assert imported_distributions(in_testing=True) - declared <= {*COMES_WITH, *ONLY_FOR_TESTING}
    assert declared - imported <= DECLARED_AHEAD
    for name, provider in COMES_WITH.items():
        assert name in {normalized(it) for it in importlib.metadata.requires(provider) or []}


def test_every_declared_dependency_has_a_lower_bound(metadata):
    requirements = [it for it in metadata.get_all("Requires-Dist") if "extra ==" not in it]
    assert [it for it in requirements if ">=" not in it] == []


def test_the_metadata_names_the_licence_the_pythons_and_the_typing(metadata):
    assert (metadata["Name"], metadata["Version"], metadata["License-Expression"], metadata["Requires-Python"]) == (
        "cdk-lambda-code-signing",
        __version__,
        "Apache-2.0",
        ">=3.11",
    )
    assert {"Framework :: AWS CDK :: 2", "Typing :: Typed"} <= set(metadata.get_all("Classifier"))


def test_an_app_is_synthesized_from_the_installed_wheel(environment, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    answer = subprocess.run(
        [environment / "bin" / "python", "app.py"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    where = json.loads(answer.stdout)
    assert where["prefix"] == str(environment)
    assert Path(where["package"]).is_relative_to(environment)
    template = json.loads((tmp_path / "cdk.out" / "Payments.template.json").read_text())
    kinds = sorted(resource["Type"] for resource in template["Resources"].values())
    assert [kind for kind in kinds if kind != "AWS::CDK::Metadata"] == [
        "AWS::Lambda::CodeSigningConfig",
        "AWS::SSM::Parameter",
        "AWS::SSM::Parameter",
        "AWS::Signer::SigningProfile",
    ]


def test_the_console_command_of_the_installed_wheel_answers(environment, tmp_path):
    answer = subprocess.run(
        [environment / "bin" / "lambda-code-signing", "--version"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert __version__ in answer.stdout
