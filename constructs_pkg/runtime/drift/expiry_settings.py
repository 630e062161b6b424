"""What the deployment tells the function that looks for signatures which run out soon."""

from collections.abc import Mapping

from .settings import Handler, SettingsError

__all__ = ["DAYS", "HANDLER", "METRICS", "NAMESPACE", "days_of"]

DAYS = "DRIFT_EXPIRING_DAYS"
"""How many days ahead it looks."""
HANDLER = Handler("drift.expiry.handler", 900, 256)
NAMESPACE = "LambdaCodeSigning/Signatures"
"""Where it puts its metrics."""
METRICS = ("SignaturesExpiring", "ProfilesWithoutNewerSignature", "ProfilesNotActive", "ExpiryChecks")


def days_of(environment: Mapping[str, str]) -> int:
    """Read the number of days.

    Raises:
        SettingsError: It is not a number from 1 to 1,000.
    """
    text = environment.get(DAYS, "30")
    if not text.isascii() or not text.isdigit() or len(text) > 4 or not 1 <= int(text) <= 1_000:
        raise SettingsError(f"{DAYS}={text!r}. Use a whole number from 1 to 1000")
    return int(text)
