"""What goes wrong in an organization: refused roles, closed accounts, Regions that are off, throttling, odd pages."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["RATES", "Faults", "Rates", "ServiceAnswer", "bucket_of"]

RATES: Mapping[str, float] = {
    "lambda": 15,
    "lambda:GetFunction": 100,
    "lambda:Invoke": 1000,
    "cloudtrail:LookupEvents": 2,
    "cloudwatch:ListMetrics": 25,
    "cloudwatch:GetMetricData": 50,
    "ssm:GetParametersByPath": 40,
    "sts": 600,
    "organizations": 10,
    "signer:DescribeSigningJob": 6,
    "signer:GetSigningProfile": 3,
    "signer:RevokeSignature": 3,
    "signer:RevokeSigningProfile": 3,
}
"""Requests a second, for each account and Region: one bucket for each line, the most exact name first.

Sources: Lambda quotas (control plane 15 in all, GetFunction 100), the documentation of LookupEvents in botocore (2),
AWS General Reference for Signer (3 and 6). Those of CloudWatch, Systems Manager, STS and Organizations are our
assumption; how AWS lets bursts through is not documented, so here it does not.
"""


class ServiceAnswer(Exception):  # noqa: N818 (it becomes botocore's ClientError)
    """An error as AWS answers it.

    Args:
        code: Such as ``AccessDeniedException``.
        message: What AWS says.
        status_code: The HTTP status.
    """

    def __init__(self, code: str, message: str, status_code: int = 400) -> None:
        self.code, self.message, self.status_code = code, message, status_code
        super().__init__(f"{code}: {message}")


@dataclass
class Faults:
    """What goes wrong; a test changes it at any time.

    Attributes:
        denied_roles: (account, role name): AssumeRole is refused.
        closed_accounts: Accounts that are suspended or closed: nothing in them answers.
        regions_off: (account, Region): the Region is not switched on there.
        denied_actions: (account, action such as ``cloudtrail:LookupEvents``): refused by IAM.
        throttled: (account, Region, ``service:Operation``) and how many of the next calls are throttled whatever the
            rate.
        failing: Likewise, with the error that every call gets.
        repeated_pages: ``service:Operation`` of listings that return each page twice.
        endless_pages: ``service:Operation`` of listings that return the same token for ever.
        config_lag_seconds: How long ListFunctionsByCodeSigningConfig does not know of a function.
        change_set_lag_seconds: How long nobody but CreateChangeSet knows of a change set.
        keeps_executed_change_sets: An executed change set stays under its name, instead of going.
        failing_updates: (account, Region): executing a change set ends in a rollback.
        event_lag_seconds: How long LookupEvents does not know of an event.
        partial_metrics: Accounts whose GetMetricData ends with ``PartialData``.
    """

    denied_roles: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    closed_accounts: set[str] = field(default_factory=set[str])
    regions_off: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    denied_actions: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    throttled: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    failing: dict[tuple[str, str, str], ServiceAnswer] = field(
        default_factory=dict[tuple[str, str, str], ServiceAnswer]
    )
    repeated_pages: set[str] = field(default_factory=set[str])
    endless_pages: set[str] = field(default_factory=set[str])
    config_lag_seconds: float = 0.0
    event_lag_seconds: float = 0.0
    change_set_lag_seconds: float = 0.0
    keeps_executed_change_sets: bool = False
    failing_updates: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    partial_metrics: set[str] = field(default_factory=set[str])


def bucket_of(service: str, operation: str) -> str | None:
    """Return which rate an operation is counted against, None where it has none."""
    return next((name for name in (f"{service}:{operation}", service) if name in RATES), None)


class Rates:
    """Counts requests in a sliding second.

    Args:
        monotonic: Seconds of a monotonic clock.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str, str], deque[float]] = {}

    def require(self, account: str, region: str, service: str, operation: str) -> None:
        """Count a request.

        Raises:
            ServiceAnswer: ``TooManyRequestsException`` or ``ThrottlingException``, as the service names it.
        """
        bucket = bucket_of(service, operation)
        if bucket is None:
            return
        now = self._monotonic()
        seen = self._seen.setdefault((account, region, bucket), deque())
        while seen and seen[0] <= now - 1.0:
            seen.popleft()
        if len(seen) >= RATES[bucket]:
            raise throttled(service)
        seen.append(now)


def throttled(service: str) -> ServiceAnswer:
    """Return what a service answers to too many requests."""
    code = "TooManyRequestsException" if service in {"lambda", "signer", "organizations"} else "ThrottlingException"
    return ServiceAnswer(code, "Rate exceeded", 429)
