"""Gives money back."""

import money


def handler(event, context):
    """Return the amount that was given back, in cents."""
    return {"refunded_cents": money.cents(event["amount"])}
