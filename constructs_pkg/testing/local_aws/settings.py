"""What a local AWS is started with, and the one address that it binds to."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from constructs_pkg.errors import LocalAwsError

__all__ = [
    "DEFAULT_ACCOUNT",
    "DEFAULT_PORT",
    "DEFAULT_REGION",
    "LOOPBACK",
    "SECRET_ACCESS_KEY",
    "Settings",
    "require_loopback",
]

LOOPBACK = "127.0.0.1"
"""The only address that is ever bound: whoever reaches the server is administrator of all its accounts."""
DEFAULT_PORT = 4566
DEFAULT_REGION = "eu-west-1"
DEFAULT_ACCOUNT = "000000000000"
"""The account of credentials that name none, without an organization; MiniStack's own default."""
SECRET_ACCESS_KEY = "test"  # noqa: S105 (known to everybody: it opens nothing but this server)
"""The secret of the access keys that are account ids; MiniStack's own. It is never checked: that of other keys is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server runs.

    Attributes:
        state_directory: Where everything lives that the server writes; made where it is missing.
        port: The TCP port; 0 for a free one.
        organization_file: The organization whose accounts exist; None for one that lets every account in.
        is_strict: Whether signatures of requests are checked and IAM policies and SCPs decide.
        keeps_state: Whether the state is stored when the server stops.
        limits_rates: Whether AWS Signer's rate limits apply.
    """

    state_directory: Path
    port: int = 0
    organization_file: Path | None = None
    is_strict: bool = False
    keeps_state: bool = False
    limits_rates: bool = False

    def to_json(self) -> str:
        """Return the settings as one line of JSON, for the server process."""
        return json.dumps(
            {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        state_directory, organization_file = values.pop("state_directory"), values.pop("organization_file")
        return cls(
            state_directory=Path(state_directory),
            organization_file=None if organization_file is None else Path(organization_file),
            **values,
        )


def require_loopback(host: str) -> None:
    """Refuse every address but `LOOPBACK`.

    Args:
        host: The address that somebody asks for.

    Raises:
        LocalAwsError: It is another one.
    """
    if host != LOOPBACK:
        raise LocalAwsError(
            f"the address {host!r} is refused: everybody who reaches a local AWS administers all of its accounts. "
            f"It listens on {LOOPBACK} only; use an SSH tunnel to reach it from elsewhere"
        )
