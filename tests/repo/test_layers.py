"""The doors that promise to be pure load neither CDK nor an AWS client, and the root loads nothing."""

import json
import subprocess
import sys

import pytest

from constructs_pkg._version import __version__

HEAVY = ("aws_cdk", "constructs", "jsii", "boto3", "botocore")
CLICK = "click"
PYDANTIC = "pydantic"
CRYPTOGRAPHY = "cryptography"


def modules_after(statement):
    """Run one statement in a fresh interpreter and return the names of the top-level modules that it loaded."""
    program = (
        "import sys, json; before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(answer.stdout))


def top_level(modules):
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("door", "also_free_of"),
    [
        ("constructs_pkg.arns", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.regions", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.validity", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.errors", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.node", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.guardrails", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.rules", (CLICK, PYDANTIC)),
        ("constructs_pkg.templates", (CLICK, PYDANTIC)),
        ("constructs_pkg.explanations", (CLICK, PYDANTIC, CRYPTOGRAPHY)),
        ("constructs_pkg.signing", (CLICK, PYDANTIC)),
        ("constructs_pkg.organization", (CLICK, CRYPTOGRAPHY)),
        ("constructs_pkg.inventory.promotion", (CLICK, CRYPTOGRAPHY)),
        ("constructs_pkg.cli.main", ()),
    ],
)
def test_a_pure_door_loads_neither_cdk_nor_an_aws_client(door, also_free_of):
    loaded = top_level(modules_after(f"import {door}"))
    assert "constructs_pkg" in loaded
    assert loaded & {*HEAVY, *also_free_of} == set()


def test_the_root_loads_nothing():
    loaded = modules_after("import constructs_pkg")
    assert loaded == {"constructs_pkg"}


def test_the_root_tells_the_version_and_nothing_else():
    assert modules_after(f"import constructs_pkg; assert constructs_pkg.__version__ == {__version__!r}") == {
        "constructs_pkg",
        "constructs_pkg._version",
    }
    import constructs_pkg  # noqa: PLC0415

    with pytest.raises(AttributeError, match="module 'constructs_pkg' has no attribute 'EnforcedCodeSigning'"):
        constructs_pkg.EnforcedCodeSigning  # noqa: B018 (the access is what is tested)


def test_the_door_of_the_constructs_loads_cdk_and_no_command_line():
    loaded = modules_after("import constructs_pkg.cdk")
    assert {"aws_cdk", "jsii"} <= top_level(loaded)
    assert {name for name in loaded if name.startswith("constructs_pkg.cli")} == set()
    assert top_level(loaded) & {"boto3", "botocore", "click"} == set()
