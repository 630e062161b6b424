"""pytest fixtures of a throwaway authority: ``pytest_plugins = ["constructs_pkg.testing.fixtures"]`` switches them on.

Needs pytest, which this package does not install. The fixtures live as long as the test session.
"""

from pathlib import Path

import pytest

from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.testing.throwaway_authority import APPROVED_CONFIG_ARN, ThrowawayAuthority

__all__ = [
    "approved_config_arn",
    "code_signing_authority",
    "code_signing_policy",
    "signed_archive",
    "unsigned_archive",
]

_FILES = {"index.py": "def handler(event, context):\n    return 'ok'\n"}


@pytest.fixture(scope="session")
def code_signing_authority(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayAuthority:
    """Return a throwaway authority with an allowed profile and another one."""
    return ThrowawayAuthority.make(tmp_path_factory.mktemp("code-signing"))


@pytest.fixture(scope="session")
def code_signing_policy(code_signing_authority: ThrowawayAuthority) -> CodeSigningPolicy:
    """Return the policy that trusts the throwaway authority's first profile."""
    return code_signing_authority.policy


@pytest.fixture(scope="session")
def approved_config_arn() -> str:
    """Return the ARN of the code signing config that the policy approves."""
    return APPROVED_CONFIG_ARN


@pytest.fixture(scope="session")
def signed_archive(code_signing_authority: ThrowawayAuthority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a small signed archive whose handler is ``index.handler``."""
    return code_signing_authority.signed_archive(tmp_path_factory.mktemp("signed") / "signed.zip", _FILES)


@pytest.fixture(scope="session")
def unsigned_archive(code_signing_authority: ThrowawayAuthority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the same archive without a signature."""
    return code_signing_authority.unsigned_archive(tmp_path_factory.mktemp("unsigned") / "unsigned.zip", _FILES)
