"""What ``blast-radius`` and ``revoke`` are about: a signing job, or a signing profile version."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.aws.revocation import Target

__all__ = ["target_of", "target_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def target_options(function: _Function) -> _Function:
    """Add ``--job``, ``--profile-version`` and ``--published-layers``."""
    options = (
        click.option("--job", metavar="ARN", help="The signing job."),
        click.option("--profile-version", metavar="ARN", help="The signing profile version."),
        click.option(
            "--published-layers",
            is_flag=True,
            help="Also look at layer versions that no function uses. Needs lambda:GetLayerVersion in each account.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def target_of(job: str | None, profile_version: str | None) -> Target:
    """Return what is asked about.

    Raises:
        ArnError: The ARN is another one.
        UsageError: Neither is given, or both are.
    """
    if job is not None and profile_version is None:
        return SigningJobArn.parse(job)
    if profile_version is not None and job is None:
        return SigningProfileVersionArn.parse(profile_version)
    raise click.UsageError("name either --job ARN or --profile-version ARN")
