"""What the deployment tells the drift functions: the names of their environment variables, and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "BATCH_INSTANCES",
    "BUCKET",
    "CALL_AS",
    "HANDLERS",
    "MOST_REPAIRS",
    "TEMPLATES_URL",
    "TOPIC",
    "WAIT_SECONDS",
    "Handler",
    "Settings",
    "SettingsError",
]

BUCKET = "DRIFT_BUCKET"
"""The bucket of the runs."""
TEMPLATES_URL = "DRIFT_TEMPLATES_URL"
"""What the address of ``templates/`` in the bucket is, with a slash at its end; without it, nothing is lent there."""
TOPIC = "DRIFT_TOPIC_ARN"
"""The SNS topic that is told; without it, nobody is."""
CALL_AS = "DRIFT_CALL_AS"
"""``DELEGATED_ADMIN`` (default) or ``SELF``: how StackSets are asked (botocore 1.43.106, shape ``CallAs``)."""
MOST_REPAIRS = "DRIFT_MOST_REPAIRS"
"""How many stack instances one run repairs without a human; where more would be, all of them are proposed."""
BATCH_INSTANCES = "DRIFT_BATCH_INSTANCES"
"""How many stack instances one call of ``inspect_batch`` looks at."""
WAIT_SECONDS = "DRIFT_WAIT_SECONDS"
"""How long the state machine waits before it asks CloudFormation again."""


class Handler(NamedTuple):
    """One Lambda function.

    Attributes:
        handler: What the property ``Handler`` says.
        timeout_seconds: How long it may take.
        memory_mib: What it is given.
    """

    handler: str
    timeout_seconds: int
    memory_mib: int


HANDLERS: Mapping[str, Handler] = {
    "start": Handler("drift.start.handler", 60, 256),
    "detect": Handler("drift.detect.handler", 60, 256),
    "list_instances": Handler("drift.list_instances.handler", 600, 512),
    "inspect_batch": Handler("drift.inspect_batch.handler", 900, 512),
    "gather": Handler("drift.gather.handler", 900, 1024),
    "repair": Handler("drift.repair.handler", 300, 512),
    "report": Handler("drift.report.handler", 900, 1024),
}
"""Every task of the state machine, by its name in the task contract."""


class SettingsError(Exception):
    """The deployment set an environment variable to something that cannot be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The values.

    Attributes:
        bucket: The bucket of the runs; empty where runs are not kept in S3.
        templates_url: Where CloudFormation finds what lies below ``templates/`` in the bucket; empty for nowhere.
        topic_arn: Whom to tell; empty for nobody.
        call_as: ``DELEGATED_ADMIN`` or ``SELF``.
        most_repairs: 0 to 100,000.
        batch_instances: 1 to 200.
        wait_seconds: 0 to 3,600.
    """

    bucket: str = ""
    templates_url: str = ""
    topic_arn: str = ""
    call_as: str = "DELEGATED_ADMIN"
    most_repairs: int = 100
    batch_instances: int = 20
    wait_seconds: int = 15

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the environment of a function.

        Raises:
            SettingsError: A variable is missing or cannot be used.
        """
        bucket = environment.get(BUCKET, "")
        if not bucket:
            raise SettingsError(f"{BUCKET} is not set. Set it to the name of the bucket of the runs")
        call_as = environment.get(CALL_AS, "DELEGATED_ADMIN")
        if call_as not in {"DELEGATED_ADMIN", "SELF"}:
            raise SettingsError(f"{CALL_AS}={call_as!r}. Use DELEGATED_ADMIN or SELF")
        return cls(
            bucket=bucket,
            templates_url=environment.get(TEMPLATES_URL, ""),
            topic_arn=environment.get(TOPIC, ""),
            call_as=call_as,
            most_repairs=_number(environment, MOST_REPAIRS, 100, 0, 100_000),
            batch_instances=_number(environment, BATCH_INSTANCES, 20, 1, 200),
            wait_seconds=_number(environment, WAIT_SECONDS, 15, 0, 3_600),
        )


def _number(environment: Mapping[str, str], name: str, default: int, at_least: int, at_most: int) -> int:
    text = environment.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not at_least <= int(text) <= at_most:
        raise SettingsError(f"{name}={text!r}. Use a whole number from {at_least} to {at_most}")
    return int(text)
