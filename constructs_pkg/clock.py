"""The one place that reads the clock; everything else takes the time as an argument named ``at``."""

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)
