"""How long the signatures of a signing profile are valid: a number and a unit, as AWS Signer writes them."""

import re
from dataclasses import dataclass
from typing import Literal, Self, cast, get_args

from constructs_pkg.errors import ValidityError

__all__ = ["LONGEST_VALIDITY", "Validity", "ValidityUnit"]

ValidityUnit = Literal["DAYS", "MONTHS", "YEARS"]
"""The units of AWS Signer (botocore 1.43.106, ``signer`` model, shape ``ValidityType``)."""

_LONGEST_BY_UNIT: dict[ValidityUnit, int] = {"DAYS": 4106, "MONTHS": 135, "YEARS": 11}
# 135 months are 4106.25 days where a year has 365: what is shorter fits whichever years it falls into.
_TEXT = re.compile(r"(?P<value>[0-9]{1,6}) +(?P<unit>[A-Za-z]{1,10})")
_REMEDY = "A signature is valid for 1 day to 135 months: write it like '90 days', '24 months' or '10 years'"


@dataclass(frozen=True, slots=True)
class Validity:
    """A validity period between 1 day and 135 months (11 years and 3 months).

    The upper bound is the AWS Signer developer guide's, which gives it as the default and the maximum. The guide
    states no lower bound; one day is the shortest that the API can express. Equality is that of value and unit, as in
    CloudFormation: ``12 months`` differs from ``1 year``, because swapping them would replace the profile.

    Attributes:
        value: How many units.
        unit: ``DAYS``, ``MONTHS`` or ``YEARS``.

    Raises:
        ValidityError: The unit is another, or the period is outside of the bounds.
    """

    value: int
    unit: ValidityUnit

    def __post_init__(self) -> None:
        """Refuse what is outside of the bounds."""
        if self.unit not in get_args(ValidityUnit):
            raise ValidityError(f"validity has the unit {self.unit!r}; use one of {', '.join(get_args(ValidityUnit))}")
        # The annotation stops nobody at run time, and True is an int: TOML and JSON deliver both.
        if type(self.value) is not int:
            raise ValidityError(f"validity has the value {self.value!r}, which is not a whole number. {_REMEDY}")
        if not 1 <= self.value <= _LONGEST_BY_UNIT[self.unit]:
            raise ValidityError(
                f"validity of {self.value} {self.unit} is outside of 1 to {_LONGEST_BY_UNIT[self.unit]} {self.unit}. "
                f"{_REMEDY}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a period such as ``90 days``, ``1 month`` or ``10 YEARS``.

        Args:
            text: A whole number, a space and a unit; upper and lower case are alike, the plural ``s`` is optional.

        Raises:
            ValidityError: The text has another form, or the period is outside of the bounds.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValidityError(f"validity {text[:40]!r} is not a period. {_REMEDY}")
        unit = match["unit"].upper().removesuffix("S") + "S"
        if unit not in get_args(ValidityUnit):
            raise ValidityError(f"validity {text[:40]!r} has the unit {match['unit']!r}. {_REMEDY}")
        return cls(int(match["value"]), cast("ValidityUnit", unit))

    def __str__(self) -> str:
        """Return the period as people write it: ``135 months``, ``1 day``."""
        unit = self.unit.lower()
        return f"{self.value} {unit if self.value != 1 else unit.removesuffix('s')}"


LONGEST_VALIDITY = Validity(135, "MONTHS")
"""AWS Signer's maximum, which is also its default."""
