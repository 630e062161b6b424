"""Calls that AWS makes with a role of the user's: clients of this very server, signed as a session of the role."""

# MiniStack and the clients of boto3 are untyped.
# ruff: noqa: ANN401

import hashlib
import os
import threading
from importlib import import_module
from typing import Any

from constructs_pkg.testing.local_aws.internals import RESPONSES, STS
from constructs_pkg.testing.local_aws.overlay import Overlay
from constructs_pkg.testing.local_aws.settings import LOOPBACK, SECRET_ACCESS_KEY

__all__ = ["RoleCalls"]

_MAX_CONNECTIONS = 64


class RoleCalls:
    """Clients for what Step Functions and EventBridge Pipes do on behalf of a role.

    With strict authorization each call is one of a session of the role, so that a role which may too little shows;
    without it, it is the account's. Trust policies are not looked at.

    Args:
        overlay: How the server runs.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._is_strict = overlay.settings.is_strict
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str, str], Any] = {}
        # One for all clients: it remembers the models of services, which take a while to read.
        self._session: Any = import_module("botocore.session").Session()

    def client(self, service: str, role_arn: str, session_name: str) -> Any:
        """Return a client of the present account and Region; it may be used by several threads.

        Args:
            service: botocore's name of the service.
            role_arn: The role.
            session_name: The name of the role's session, which records show.
        """
        account, region = RESPONSES.get_account_id(), RESPONSES.get_region()
        key = (service, account, region, role_arn)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(
                    service, region, self.credentials(account, role_arn, session_name)
                )
            return self._clients[key]

    def credentials(self, account: str, role_arn: str, session_name: str) -> tuple[str, str, str | None]:
        """Return access key, secret and token of a session of a role; without strict authorization the account's own.

        Args:
            account: The role's account.
            role_arn: The role.
            session_name: The name of the session.
        """
        if not self._is_strict:
            return account, SECRET_ACCESS_KEY, None
        role_name = role_arn.rpartition("/")[2]
        digest = hashlib.sha256(f"{session_name}:{role_arn}".encode()).hexdigest()
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
            "SessionToken": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
        }
        access_key = f"ASIA{digest[:16].upper()}"
        STS.register_session(access_key, session)
        return access_key, session["SecretAccessKey"], session["SessionToken"]

    def _new_client(self, service: str, region: str, credentials: tuple[str, str, str | None]) -> Any:
        access_key, secret, token = credentials
        config: Any = import_module("botocore.config")
        return self._session.create_client(
            service,
            region_name=region,
            endpoint_url=f"http://{LOOPBACK}:{os.environ['GATEWAY_PORT']}",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config.Config(
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                inject_host_prefix=False,
                max_pool_connections=_MAX_CONNECTIONS,
            ),
        )
