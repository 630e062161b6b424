"""Start a local AWS in a process of its own, talk to it, stop it."""

# boto3 makes its clients, and their types, at run time; it is imported late because that is slow.
# ruff: noqa: ANN401, PLC0415

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from select import select
from types import TracebackType
from typing import Any, Self

from constructs_pkg.errors import LocalAwsError
from constructs_pkg.testing.local_aws.settings import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    LOOPBACK,
    SECRET_ACCESS_KEY,
    Settings,
)

__all__ = ["LocalAws"]

_START_SECONDS = 60
_STOP_SECONDS = 20
_MAX_LOG_CHARACTERS = 4000


@functools.cache
def _loader() -> Any:
    """Return one loader for all clients: it remembers the models of services, which take a while to read."""
    loaders: Any = import_module("botocore.loaders")
    return loaders.create_loader()


class LocalAws:
    """A local AWS in a process of its own; also a context manager. Several may run at once.

    Args:
        organization: The organization file (TOML) whose accounts exist; without one, every account does.
        port: The TCP port on 127.0.0.1; 0 for a free one.
        state_directory: Where the state is kept from run to run; without one it lives in a temporary directory and is
            gone after `stop`.
        is_strict: Whether requests must be signed by known credentials and IAM policies and SCPs decide.
        limits_rates: Whether AWS Signer's rate limits apply.
        environment: Further environment variables for the server, such as ``LOG_LEVEL``.

    Attributes:
        process_id: The server's, while it runs.
    """

    def __init__(
        self,
        *,
        organization: Path | None = None,
        port: int = 0,
        state_directory: Path | None = None,
        is_strict: bool = False,
        limits_rates: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._organization = organization
        self._port = port
        self._state_directory = state_directory
        self._is_strict = is_strict
        self._limits_rates = limits_rates
        self._environment = dict(environment or {})
        self._temporary: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self._log: Path | None = None
        self.account = DEFAULT_ACCOUNT
        self._bound_port = 0

    def start(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            LocalAwsError: It runs already or could not be started; the message has its last words.
        """
        if self._process is not None:
            raise LocalAwsError("this local AWS runs already; stop it first, or make another LocalAws")
        directory = self._state_directory
        if directory is None:
            directory = self._temporary = Path(tempfile.mkdtemp(prefix="local-aws-"))
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalAwsError(
                f"the state directory {directory} cannot be made: {error.strerror}. Name another directory"
            ) from error
        settings = Settings(
            directory.resolve(),
            self._port,
            None if self._organization is None else self._organization.resolve(),
            self._is_strict,
            self._state_directory is not None,
            self._limits_rates,
        )
        self._log = directory / "server.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
                [sys.executable, "-m", "constructs_pkg.testing.local_aws", settings.to_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._server_environment(),
                start_new_session=True,
            )
        try:
            answer = self._first_line()
        except BaseException:
            self.stop()
            raise
        self._bound_port = int(answer["port"])
        self.account = str(answer["account"])
        return self

    def stop(self) -> None:
        """Stop the server, storing its state where it keeps one; does nothing where it does not run.

        Raises:
            LocalAwsError: It did not end in time and was killed: its state is lost.
        """
        process, self._process = self._process, None
        try:
            if process is not None:
                self._end(process)
        finally:
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)
                self._temporary = None

    def require_running(self) -> None:
        """Make sure that the server has not ended by itself.

        Raises:
            LocalAwsError: It has; the message has its last words.
        """
        if self._process is not None and self._process.poll() is not None:
            raise LocalAwsError(
                f"the local AWS has ended with exit code {self._process.returncode}. {self._last_words()}"
            )

    @property
    def process_id(self) -> int:
        """Return the server's process id.

        Raises:
            LocalAwsError: It does not run.
        """
        if self._process is None:
            raise LocalAwsError("this local AWS does not run; start it first")
        return self._process.pid

    @property
    def port(self) -> int:
        """Return the TCP port.

        Raises:
            LocalAwsError: It does not run.
        """
        if self._process is None:
            raise LocalAwsError("this local AWS does not run; start it first")
        return self._bound_port

    @property
    def endpoint_url(self) -> str:
        """Return the URL for ``AWS_ENDPOINT_URL``."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self, account: str | None = None, region: str = DEFAULT_REGION) -> dict[str, str]:
        """Return what to export so that the AWS CLI, the AWS CDK and any SDK talk to this server.

        Args:
            account: Whose administrator to be, 12 digits; the default account (`account`) where left out.
            region: The default Region.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            # The AWS CDK and S3 clients would put the bucket's name before the address, which then resolves nowhere.
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account or self.account,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
        }

    def client(
        self,
        service: str,
        *,
        account: str | None = None,
        region: str = DEFAULT_REGION,
        credentials: Mapping[str, str] | None = None,
    ) -> Any:
        """Return a boto3 client of this server.

        Args:
            service: Such as ``lambda``.
            account: Whose administrator to be, 12 digits; the default account where left out.
            region: The Region.
            credentials: To be somebody else: the ``Credentials`` of ``sts.assume_role``.
        """
        import boto3.session
        import botocore.session
        from botocore.config import Config

        core: Any = botocore.session.Session()
        core.register_component("data_loader", _loader())
        given = credentials or {"AccessKeyId": account or self.account, "SecretAccessKey": SECRET_ACCESS_KEY}
        session: Any = boto3.session.Session(
            botocore_session=core,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given.get("SessionToken"),
            region_name=region,
        )
        return session.client(
            service,
            endpoint_url=self.endpoint_url,
            # host prefixes such as signer's "data-" would lead away from 127.0.0.1
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, inject_host_prefix=False),
        )

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _server_environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            # Nobody's real credentials belong into a server that runs functions with them in reach; and measuring the
            # coverage of tests is not for it.
            if not name.startswith(("AWS_", "MINISTACK_", "COVERAGE_"))
        }
        return {**inherited, **self._environment, "LOCAL_AWS_STOPS_WITH_PARENT": "1"}

    def _first_line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select([self._process.stdout], [], [], _START_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        try:
            answer = json.loads(line)
        except ValueError:
            raise LocalAwsError(
                f"the local AWS did not start within {_START_SECONDS} s. {self._last_words()}"
            ) from None
        if "error" in answer:
            raise LocalAwsError(answer["error"])
        return answer

    def _last_words(self) -> str:
        text = self._log.read_text("utf-8", "replace")[-_MAX_LOG_CHARACTERS:].strip() if self._log else ""
        return f"Its log ends with:\n{text}" if text else "It logged nothing."

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise LocalAwsError(f"the local AWS did not end within {_STOP_SECONDS} s and was killed") from error
        finally:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
