"""Charges a card."""

import money


def handler(event, context):
    """Return the amount that was charged, in cents."""
    return {"charged_cents": money.cents(event["amount"])}
