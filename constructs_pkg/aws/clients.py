"""boto3 clients of one set of credentials, and AWS's errors as ours: who was asked what, the answer, the remedy."""

# boto3 makes its clients, and their types, at run time; importing it costs a quarter of a second.
# ruff: noqa: ANN401, PLC0415

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from constructs_pkg.errors import AwsError

__all__ = ["Clients", "aws_errors"]

_ATTEMPTS = 8
"""With boto3's standard retries (exponential back-off up to 20 s), about a minute of throttling is sat out."""


_MAX_CONNECTIONS = 64
"""As many as the command line starts threads at most."""


class Clients:
    """Makes boto3 clients, one for each service and Region; safe to use from several threads.

    Credentials, proxies and endpoints (``AWS_ENDPOINT_URL``) are found as everywhere with boto3. The Region is that of
    ``AWS_REGION``, which the AWS CLI and the other SDKs read and botocore does not (SDKs and Tools Reference Guide,
    "AWS Region"); then ``AWS_DEFAULT_REGION``, then the profile's.

    Args:
        session: A ``boto3.session.Session``; the default one of the environment where left out.
    """

    def __init__(self, session: Any = None) -> None:
        self._session: Any = session
        self._clients: dict[tuple[str, str | None, int], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None, *, attempts: int = _ATTEMPTS) -> Any:
        """Return the client of a service.

        Args:
            service: Such as ``signer``.
            region: The Region; that of the session where left out.
            attempts: How often boto3 tries a request; 1 where the caller paces and repeats its requests itself.

        Raises:
            AwsError: No Region is known.
        """
        with self._lock:  # making clients of one session is not safe in several threads (boto3 guide, "Sessions")
            key = (service, region, attempts)
            if key not in self._clients:
                self._clients[key] = self._make(service, region, attempts)
            return self._clients[key]

    def _make(self, service: str, region: str | None, attempts: int) -> Any:
        from botocore.config import Config

        if self._session is None:
            boto3_session: Any = import_module("boto3.session")
            self._session = boto3_session.Session(region_name=os.environ.get("AWS_REGION") or None)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts}, max_pool_connections=_MAX_CONNECTIONS
        )
        with aws_errors(f"open a client for {service}"):
            return self._session.client(service, region_name=region, config=config)


@contextmanager
def aws_errors(doing: str) -> Generator[None]:
    """Turn what boto3 raises into an ``AwsError``.

    Args:
        doing: What is tried, as it follows "cannot": ``start the signing job of app.zip``.

    Raises:
        AwsError: boto3 raised. ``code`` is AWS's own error code, or the name of botocore's error where AWS was not
            reached.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        response: Any = error.response
        answer: Any = response.get("Error", {})
        code = str(answer.get("Code", "Unknown"))
        said = f"{code}: {answer.get('Message', '')}".rstrip(".")
        raise AwsError(code, _sentence(doing, said, code), said) from error
    except BotoCoreError as error:
        code = type(error).__name__
        said = str(error).rstrip(".")
        raise AwsError(code, _sentence(doing, said, code), said) from error


def _sentence(doing: str, said: str, code: str) -> str:
    """Return what was tried and said, and what to do about an error that always has the same remedy."""
    remedy = next((f" {remedy}" for names, remedy in _REMEDIES if code in names), "")
    return f"cannot {doing}: {said}.{remedy}"


_REMEDIES = (
    (
        ("NoCredentialsError", "CredentialRetrievalError", "TokenRetrievalError", "SSOTokenLoadError"),
        "Log in first, for example with 'aws sso login', or export AWS_PROFILE",
    ),
    (
        ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"),
        "The credentials are not valid (any more): log in again",
    ),
    (("NoRegionError",), "Export AWS_REGION"),
    (("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"), "Check the network and the Region"),
    (
        ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
        "'lambda-code-signing explain' tells which policy of a guardrail refuses what",
    ),
    (
        ("ThrottlingException", "TooManyRequestsException", "Throttling", "RequestLimitExceeded"),
        "AWS limits the rate of requests: try again later, with fewer at a time",
    ),
)
