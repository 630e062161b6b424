"""When a signature is made anew: not on the day on which it runs out."""

from datetime import datetime, timedelta

__all__ = ["RENEWED_BEFORE_DAYS", "runs_out_soon"]

RENEWED_BEFORE_DAYS = 30
"""How many days before its end a signature is made anew, unless a policy asks for more."""

_RENEWED_PART = 3


def runs_out_soon(signed_at: datetime, expires_at: datetime, at: datetime, *, within_days: int = 0) -> bool:
    """Tell whether a signature has run out or will within 30 days, or a third of its validity where that is less.

    Args:
        signed_at: When it was made.
        expires_at: When it runs out.
        at: The present moment.
        within_days: In how many days at least a policy wants no signature to run out.
    """
    soon = timedelta(days=max(RENEWED_BEFORE_DAYS, within_days))
    return expires_at - at < min(soon, (expires_at - signed_at) / _RENEWED_PART)
