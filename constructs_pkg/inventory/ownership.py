"""Whose a function is, by the patterns of the organization file, and which functions may stay unsigned for now."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from constructs_pkg.organization import Exemption, Organization

__all__ = ["Owner", "Ownership"]


@dataclass(frozen=True, slots=True)
class Owner:
    """An application and whom to ask.

    Attributes:
        application: Its name, None where no guardrail's pattern fits the function.
        emails: The application's owners; empty where nobody is known.
    """

    application: str | None
    emails: tuple[str, ...]


_NOBODY = Owner(None, ())


@dataclass(frozen=True)
class Ownership:
    """Answers by function name.

    Args:
        organization: A loaded organization.
        today: The day (UTC) that exemptions are compared with.
    """

    organization: Organization
    today: date

    @cached_property
    def _owners(self) -> tuple[tuple[re.Pattern[str], Owner], ...]:
        return tuple(
            (
                _any_of(guardrail.functions),
                Owner(guardrail.application, self.organization.application(guardrail.application).owners),
            )
            for guardrail in self.organization.developer_guardrails
        )

    def owner_of(self, function: str) -> Owner:
        """Return the application whose guardrail's patterns fit the name; the first one in the order of the file."""
        return next((owner for pattern, owner in self._owners if pattern.fullmatch(function)), _NOBODY)

    def exemption_of(self, function: str) -> Exemption | None:
        """Return the exemption that holds for a function today: of several, the one that ends last."""
        found = [
            exemption
            for exemption in self.organization.exemptions
            if exemption.expires >= self.today and _any_of((exemption.functions,)).fullmatch(function)
        ]
        return max(found, key=lambda exemption: exemption.expires, default=None)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return _compiled(tuple(patterns))


@lru_cache(maxsize=4096)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return what fits any of the patterns, in which '*' stands for any characters and nothing else is special."""
    return re.compile("|".join(".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns))
