"""AWS's request rates, for those who want to see their retries work."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from constructs_pkg.errors import ServiceError

__all__ = ["SIGNER_LIMITS", "RateLimits"]

SIGNER_LIMITS: Mapping[str, int] = {
    "StartSigningJob": 3,
    "PutSigningProfile": 3,
    "CancelSigningProfile": 3,
    "GetSigningProfile": 3,
    "RevokeSignature": 3,
    "RevokeSigningProfile": 3,
    "AddProfilePermission": 3,
    "RemoveProfilePermission": 3,
    "TagResource": 3,
    "UntagResource": 3,
    "GetSigningPlatform": 3,
    "ListProfilePermissions": 6,
    "ListSigningJobs": 6,
    "ListSigningPlatforms": 6,
    "ListSigningProfiles": 6,
    "ListTagsForResource": 6,
    "DescribeSigningJob": 6,
}
"""Requests a second, for each account and Region (AWS General Reference, AWS Signer quotas)."""

_WINDOW_SECONDS = 1.0


class RateLimits:
    """Counts requests in a sliding second. How AWS lets bursts through is not documented; here, not at all.

    Args:
        limits: Requests a second by operation; others are not limited.
        clock: Seconds of a monotonic clock.
    """

    def __init__(self, limits: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._seen: dict[tuple[str, str, str], deque[float]] = {}

    def require(self, account: str, region: str, operation: str) -> None:
        """Count a request.

        Raises:
            ServiceError: ``TooManyRequestsException``: there were too many within a second.
        """
        limit = self._limits.get(operation)
        if limit is None:
            return
        now = self._clock()
        seen = self._seen.setdefault((account, region, operation), deque())
        while seen and seen[0] <= now - _WINDOW_SECONDS:
            seen.popleft()
        if len(seen) >= limit:
            raise ServiceError(
                "TooManyRequestsException", f"Rate exceeded: {operation}, {limit} requests a second", 429
            )
        seen.append(now)
