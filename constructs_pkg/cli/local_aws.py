"""``lambda-code-signing local-aws``: run AWS on one machine until Ctrl-C."""

import shlex
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from constructs_pkg.cli.output import tell
from constructs_pkg.clock import now
from constructs_pkg.organization import load_organization
from constructs_pkg.testing.local_aws.handle import LocalAws
from constructs_pkg.testing.local_aws.settings import DEFAULT_PORT, DEFAULT_REGION, LOOPBACK, require_loopback

__all__ = ["command"]

_WATCH_SECONDS = 0.2
_EPILOG = """\b
Examples:
  lambda-code-signing local-aws
  lambda-code-signing local-aws --organization organization.toml --strict-auth
  eval "$(grep '^export' environment.txt)"    after: lambda-code-signing local-aws > environment.txt &

\b
Needs the extra 'local': pip install 'cdk-lambda-code-signing[local]'
Exit codes: 0 stopped, 2 usage or bad input, or it could not be started.
"""


@click.command("local-aws", epilog=_EPILOG)
@click.option(
    "--organization",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The organization file whose accounts exist. Without one, every account does.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="TCP port; 0 for a free one."
)
@click.option("--host", default=LOOPBACK, show_default=True, help="The address; any other one is refused.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the state in this directory from run to run. Without it, all is gone in the end.",
)
@click.option("--strict-auth", is_flag=True, help="Check signatures of requests; IAM policies and SCPs decide.")
@click.option("--rate-limits", is_flag=True, help="Apply AWS Signer's request rates.")
def command(
    *, organization: Path | None, port: int, host: str, state: Path | None, strict_auth: bool, rate_limits: bool
) -> None:
    """Run AWS on this machine, with signatures that are really checked.

    Prints the environment to export for the AWS CLI, the AWS CDK and any SDK, and serves until Ctrl-C. An access key id
    is an account: set AWS_ACCESS_KEY_ID to the 12 digits of the account whose administrator you want to be.

    A green run here is never proof about AWS.
    """
    require_loopback(host)
    home_region = DEFAULT_REGION if organization is None else load_organization(organization, at=now()).home_region
    aws = LocalAws(
        organization=organization,
        port=port,
        state_directory=state,
        is_strict=strict_auth,
        limits_rates=rate_limits,
    )
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with aws:
            _print_environment(aws, home_region)
            tell(f"Local AWS at {aws.endpoint_url}, account {aws.account}. Ctrl-C stops it.")
            while not stopping.wait(_WATCH_SECONDS):
                aws.require_running()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    tell("Stopped.")


def _print_environment(aws: LocalAws, region: str) -> None:
    for name, value in aws.environment(region=region).items():
        click.echo(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
