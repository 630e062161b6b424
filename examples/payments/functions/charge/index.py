"""Charges a card."""

import money


def handler(event: dict[str, str], context: object) -> dict[str, int]:  # noqa: ARG001 (Lambda gives it)
    """Return the amount that was charged, in cents."""
    return {"charged_cents": money.cents(event["amount"])}
