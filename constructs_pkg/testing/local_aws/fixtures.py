"""A pytest fixture with a local AWS: ``pytest_plugins = ["constructs_pkg.testing.local_aws.fixtures"]``.

One server for each test process (so for each worker of pytest-xdist), on a free port, in a process of its own, with its
state in a temporary directory. It starts in about a second. Tests share it: give each test an account, a Region or
names of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from constructs_pkg.testing.local_aws.handle import LocalAws

__all__ = ["local_aws", "local_aws_is_strict", "local_aws_organization"]


@pytest.fixture(scope="session")
def local_aws_organization() -> Path | None:
    """Return the organization file of `local_aws`; override it in a ``conftest.py``. None: every account exists."""
    return None


@pytest.fixture(scope="session")
def local_aws_is_strict() -> bool:
    """Return whether IAM policies and SCPs decide in `local_aws`; override it in a ``conftest.py``."""
    return False


@pytest.fixture(scope="session")
def local_aws(local_aws_organization: Path | None, local_aws_is_strict: bool) -> Iterator[LocalAws]:  # noqa: FBT001 (a fixture)
    """Start a local AWS for the tests of this process, and stop it after the last of them."""
    with LocalAws(organization=local_aws_organization, is_strict=local_aws_is_strict) as running:
        yield running
