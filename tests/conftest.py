"""Finds a Node.js before any test module imports aws_cdk."""

from constructs_pkg.node import ensure_node

ensure_node()

# What takes longest begins first, so that no worker is left with it at the end.
SLOWEST = ("test_deploy.py", "test_walkthrough.py", "test_example_payments.py", "test_app.py")


def pytest_collection_modifyitems(items) -> None:
    items.sort(key=lambda item: item.path.name not in SLOWEST)
