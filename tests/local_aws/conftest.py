import itertools

import pytest

# Not by pytest_plugins, which pytest takes from the top-level conftest.py only.
from constructs_pkg.testing.local_aws.fixtures import (  # noqa: F401
    local_aws,
    local_aws_is_strict,
    local_aws_organization,
)
from tests.local_aws.code_builders import Desk

_ACCOUNTS = itertools.count(100000000001)


@pytest.fixture
def desk(local_aws):  # noqa: F811 (a fixture is used by its name)
    """The calls of an account that no other test uses."""
    return Desk(local_aws, str(next(_ACCOUNTS)))


@pytest.fixture
def other_desk(local_aws):  # noqa: F811 (a fixture is used by its name)
    """The calls of a second such account."""
    return Desk(local_aws, str(next(_ACCOUNTS)))
