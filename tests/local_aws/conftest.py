import itertools

import pytest

from tests.local_aws.code_builders import Desk

pytest_plugins = ["constructs_pkg.testing.local_aws.fixtures"]

_ACCOUNTS = itertools.count(100000000001)


@pytest.fixture
def desk(local_aws):
    """The calls of an account that no other test uses."""
    return Desk(local_aws, str(next(_ACCOUNTS)))


@pytest.fixture
def other_desk(local_aws):
    """The calls of a second such account."""
    return Desk(local_aws, str(next(_ACCOUNTS)))
