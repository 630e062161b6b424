"""The process of a local AWS: binds 127.0.0.1, starts MiniStack with the overlay, ends on SIGTERM or Ctrl-C."""

# ASGI applications and MiniStack are untyped. Modules are imported late where their import has effects, or is slow.
# ruff: noqa: ANN401, PLC0415

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from constructs_pkg.errors import LambdaCodeSigningError, LocalAwsError
from constructs_pkg.organization import Organization, load_organization
from constructs_pkg.testing.local_aws.settings import (
    DEFAULT_ACCOUNT,
    DEFAULT_REGION,
    LOOPBACK,
    SECRET_ACCESS_KEY,
    Settings,
)

__all__ = ["default_account", "main", "serve"]

MINISTACK_VERSION = "1.5.33"
_MAX_REQUEST_BYTES = 512 * 1024 * 1024
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 512


def default_account(organization: Organization | None) -> str:
    """Return the account of credentials that name none: the organization's security account, where there is one."""
    return DEFAULT_ACCOUNT if organization is None else organization.security_account


def serve(settings: Settings, on_ready: Callable[[int, str], None]) -> None:
    """Serve until SIGTERM, SIGINT, or the end of standard input where it is a pipe; in the main thread of a process.

    Args:
        settings: How to run. Environment variables of MiniStack that contradict them are overwritten.
        on_ready: Called with the TCP port and the default account once requests are answered.

    Raises:
        LocalAwsError: MiniStack is missing or another release, or the port is taken.
        OrganizationError: The organization file has problems.
    """
    organization = (
        None
        if settings.organization_file is None
        else load_organization(settings.organization_file, at=datetime.now(UTC))
    )
    require_ministack()
    listener = _listener(settings.port)
    port = listener.getsockname()[1]
    account = default_account(organization)
    _prepare_environment(settings, port, account)
    # MiniStack reads its environment when it is imported, which is why this comes only now.
    from constructs_pkg.testing.local_aws.internals import APP
    from constructs_pkg.testing.local_aws.overlay import install

    _leave_the_machine_alone(APP)
    overlay = install(settings, organization)
    # Not asyncio.run(): it would wait for MiniStack's threads, of which one may sit in a WaitCondition for hours. All
    # state is stored when _serve returns, and the process ends then.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(APP.app, listener, overlay.start, lambda: on_ready(port, account)))


def require_ministack() -> None:
    """Refuse to run without MiniStack or with another release of it.

    Raises:
        LocalAwsError: Naming the remedy.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("ministack")
    except PackageNotFoundError:
        found = "not installed"
    if found != MINISTACK_VERSION:
        raise LocalAwsError(
            f"MiniStack is {found}; this release works with exactly {MINISTACK_VERSION}. "
            "Run: pip install 'cdk-lambda-code-signing[local]'"
        )


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise LocalAwsError(f"the port {port} cannot be used ({error}); give another one, or 0 for any") from error
    listener.listen(_BACKLOG)
    return listener


def _prepare_environment(settings: Settings, port: int, account: str) -> None:
    """Set the variables that MiniStack reads, so that it writes inside the state directory only."""
    state = settings.state_directory.resolve()
    scratch = state / "tmp"
    for directory in (state, scratch, state / "services", state / "s3"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (
        "SERVICES",
        "LOCALSTACK_PERSISTENCE",
        "EDGE_PORT",
        "USE_SSL",
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
    ):
        os.environ.pop(name, None)
    os.environ |= {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_ACCOUNT_ID": account,
        "MINISTACK_REGION": DEFAULT_REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AUTH": "true" if settings.is_strict else "false",
        "PERSIST_STATE": "1" if settings.keeps_state else "0",
        "S3_PERSIST": "1" if settings.keeps_state else "0",
        "STATE_DIR": str(state / "services"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(scratch),
        "HOME": str(scratch),
        # Functions run as processes; MiniStack would otherwise remove containers of the user's own Docker.
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        # Listeners that nobody asked for, on ports of their own.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }
    tempfile.tempdir = None


def _leave_the_machine_alone(ministack_app: Any) -> None:
    """Keep MiniStack from running the scripts that lie in ``/docker-entrypoint-initaws.d`` and ``/etc/localstack``."""

    def no_scripts(*_directories: str) -> list[str]:
        return []

    ministack_app._collect_scripts = no_scripts  # noqa: SLF001 (there is no setting for it)


async def _serve(
    app: Callable[..., Awaitable[None]],
    listener: socket.socket,
    before_requests: Callable[[], None],
    on_ready: Callable[[], None],
) -> None:
    hypercorn: Any = import_module("hypercorn.asyncio")

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _stop_with_parent(loop, stop)

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and _declared_bytes(scope) > _MAX_REQUEST_BYTES:
            await _refuse_size(send)
            return
        if scope["type"] == "lifespan":
            await app(scope, receive, _starting(send, before_requests, on_ready))
            return
        await app(scope, _counted(receive), send)

    config: Any = import_module("hypercorn.config").Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    await hypercorn.serve(guarded, config, shutdown_trigger=stop.wait)


def _starting(send: Any, before_requests: Callable[[], None], on_ready: Callable[[], None]) -> Any:
    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "lifespan.startup.complete":
            before_requests()
        await send(message)
        if message["type"] == "lifespan.startup.complete":
            # The socket listens already: what connects now waits in its queue for the moment that is left.
            on_ready()

    return sending


def _counted(receive: Any) -> Any:
    """Break off a request that sends more than it may, whatever length it declared."""
    left = _MAX_REQUEST_BYTES

    async def receiving() -> dict[str, Any]:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return receiving


def _declared_bytes(scope: dict[str, Any]) -> int:
    for name, value in scope.get("headers", []):
        if name.lower() == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


async def _refuse_size(send: Any) -> None:
    body = json.dumps(
        {"__type": "RequestEntityTooLargeException", "message": f"a request has at most {_MAX_REQUEST_BYTES} bytes"}
    ).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when the pipe on standard input closes: a server of a test run that was killed does not stay behind."""
    if os.environ.get("LOCAL_AWS_STOPS_WITH_PARENT") != "1":
        return

    def wait() -> None:
        while sys.stdin.buffer.read(4096):
            continue
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()


def main() -> None:
    """Run a server from the settings in the arguments; write one JSON line with the port when it is ready.

    Exit codes: 0 stopped, 2 it could not be started (the line then holds ``error``).
    """
    parser = argparse.ArgumentParser(prog="python -m constructs_pkg.testing.local_aws")
    parser.add_argument("settings", help="what LocalAws sends: settings as JSON")
    settings = Settings.from_json(parser.parse_args().settings)
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "WARNING"), stream=sys.stderr)

    def announce(port: int, account: str) -> None:
        sys.stdout.write(json.dumps({"port": port, "account": account}) + "\n")
        sys.stdout.flush()

    try:
        serve(settings, announce)
    except LambdaCodeSigningError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        sys.stdout.flush()
        sys.exit(2)
    # MiniStack's worker threads are no daemons and would be waited for; all state is stored by now.
    sys.stderr.flush()
    os._exit(0)
