"""Amounts of money, without the errors of floating point."""

from decimal import ROUND_HALF_EVEN, Decimal


def cents(amount: str) -> int:
    """Return an amount such as "12.34" in cents."""
    return int(Decimal(amount).scaleb(2).quantize(Decimal(1), ROUND_HALF_EVEN))
