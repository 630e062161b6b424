"""Gives money back."""

import money


def handler(event: dict[str, str], context: object) -> dict[str, int]:  # noqa: ARG001 (Lambda gives it)
    """Return the amount that was given back, in cents."""
    return {"refunded_cents": money.cents(event["amount"])}
