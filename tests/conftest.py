"""Finds a Node.js before any test module imports aws_cdk, and spares the tests what costs time and proves nothing."""

import gc
import os
from pathlib import Path

from constructs_pkg.node import ensure_node

ensure_node()

# Node.js keeps there what it has compiled of the cdk command, which many tests start.
os.environ.setdefault("NODE_COMPILE_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "node"))

# What takes longest begins first, so that no worker is left with it at the end.
SLOWEST = ("test_drift_run.py", "test_deploy.py", "test_walkthrough.py", "test_example_payments.py", "test_app.py")


def pytest_collection_modifyitems(items) -> None:
    items.sort(key=lambda item: item.path.name not in SLOWEST)


def pytest_collection_finish() -> None:
    """What is collected stays: the collector need not look at all of it again and again."""
    gc.freeze()
