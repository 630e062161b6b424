"""boto3 clients of the central account and, through the remediator's role, of member accounts."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["RETRIES", "Access", "Refused", "asking", "default_session"]

RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 8})
"""boto3's standard retries, exponential with jitter up to 20 s: about a minute of throttling is sat out."""

_RENEWED_BEFORE = timedelta(minutes=5)
_SESSION_SECONDS = 3600
_MOST_CHARACTERS = 500


class Refused(Exception):  # noqa: N818 (it says what happened)
    """AWS did not answer, or answered with an error.

    Attributes:
        code: AWS's own word for it, or the name of botocore's error.
    """

    def __init__(self, doing: str, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"cannot {doing}: {code}: {message}"[:_MOST_CHARACTERS])


@contextmanager
def asking(doing: str) -> Generator[None]:
    """Turn what boto3 raises into `Refused`.

    Args:
        doing: What is tried, as it follows "cannot".
    """
    try:
        yield
    except ClientError as error:
        response: Any = error.response
        answer: Any = response.get("Error", {})
        raise Refused(doing, str(answer.get("Code", "Unknown")), str(answer.get("Message", ""))) from error
    except BotoCoreError as error:
        raise Refused(doing, type(error).__name__, str(error)) from error


class Access:
    """Makes clients, one for each service, account and Region; safe to use from several threads.

    Args:
        session: A boto3 session with the caller's credentials.
        central_region: The Region of StackSets.
        member_role: Account to the ARN of the role that is assumed there.
        external_id: What is said when it is assumed; None for nothing.
        session_name: The name that CloudTrail in the member account shows.
        now: The clock.
    """

    def __init__(
        self,
        session: Any,
        *,
        central_region: str,
        member_role: Callable[[str], str],
        external_id: str | None,
        session_name: str,
        now: Callable[[], datetime],
    ) -> None:
        self._session = session
        self._central_region = central_region
        self._member_role = member_role
        self._external_id = external_id
        self._session_name = session_name
        self._now = now
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, str, str], tuple[Any, datetime | None]] = {}
        self._credentials: dict[str, tuple[dict[str, str], datetime]] = {}

    def central(self, service: str) -> Any:
        """Return a client of the caller's own account, in the Region of StackSets."""
        return self._client(service, "", self._central_region)

    def member(self, account: str, service: str, region: str) -> Any:
        """Return a client of a member account.

        Raises:
            Refused: The role cannot be assumed.
        """
        return self._client(service, account, region)

    def forget(self, account: str) -> None:
        """Let go of an account's clients and credentials: thousands of accounts do not fit into one function."""
        with self._lock:
            self._credentials.pop(account, None)
            for key in [key for key in self._clients if key[1] == account]:
                del self._clients[key]

    def _client(self, service: str, account: str, region: str) -> Any:
        with self._lock:  # making clients of one session is not safe in several threads (boto3 guide, "Sessions")
            key = (service, account, region)
            known = self._clients.get(key)
            if known is not None and (known[1] is None or self._now() < known[1]):
                return known[0]
            keys, until = self._keys_of(account) if account else ({}, None)
            client = self._session.client(service, region_name=region, config=RETRIES, **keys)
            self._clients[key] = client, until
            return client

    def _keys_of(self, account: str) -> tuple[dict[str, str], datetime]:
        known = self._credentials.get(account)
        if known is not None and self._now() < known[1]:
            return known
        role = self._member_role(account)
        with asking(f"assume {role}"):
            external = {} if self._external_id is None else {"ExternalId": self._external_id}
            answer = self.central("sts").assume_role(
                RoleArn=role, RoleSessionName=self._session_name, DurationSeconds=_SESSION_SECONDS, **external
            )["Credentials"]
        keys = {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        }
        self._credentials[account] = keys, answer["Expiration"] - _RENEWED_BEFORE
        return self._credentials[account]


def default_session() -> Any:
    """Return the session of this process's own credentials."""
    return boto3.session.Session()
