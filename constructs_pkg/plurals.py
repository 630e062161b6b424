"""Numbers with their nouns, for people: ``1 function``, ``1,204 functions``."""

__all__ = ["counted"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number and its noun.

    Args:
        number: How many.
        noun: The noun for one.
        plural: The noun for any other number; with an ``s`` behind it where left out.
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
