"""Who is in the organization: its management account, delegated administrator, and the accounts of each unit.

The declared organization says where accounts are at first; what `Directory.place` or AWS Organizations' MoveAccount
changed since then is stored with the state. Units are not nested.
"""

from constructs_pkg.errors import ServiceError
from constructs_pkg.organization import Organization
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["Directory"]


class Directory:
    """The accounts of the declared organization and where they are.

    Args:
        overlay: Has the organization and stores what changes.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._organization = overlay.organization
        self._moved: dict[str, str] = overlay.global_store("cloudformation-directory")

    @property
    def organization(self) -> Organization:
        """Return the declared organization.

        Raises:
            ServiceError: The server was started without one.
        """
        if self._organization is None:
            raise ServiceError(
                "ValidationError",
                "You must enable organizations access to operate a service managed stack set: this local AWS was "
                "started without an organization file",
            )
        return self._organization

    @property
    def root(self) -> str:
        """Return the id of the organization's root; units' ids repeat its characters (AWS Organizations)."""
        units = self.organization.organizational_units
        return f"r-{units[0].id.split('-')[1]}" if units else "r-root"

    def administers(self, account: str, *, is_delegated: bool) -> bool:
        """Return whether an account may operate service-managed sets, as management or delegated administrator."""
        wanted = self.organization.security_account if is_delegated else self.organization.management_account
        return account == wanted

    def accounts_of(self, unit: str) -> list[str]:
        """Return the accounts of a unit, or all for the root; never the management account.

        Args:
            unit: The id of the unit or of the root.

        Raises:
            ServiceError: There is no such unit.
        """
        if unit != self.root and unit not in {known.id for known in self.organization.organizational_units}:
            raise ServiceError("ValidationError", f"Organizational unit {unit} does not exist in the organization")
        places = self._places()
        return sorted(account for account, place in places.items() if unit in {place, self.root})

    def unit_of(self, account: str) -> str | None:
        """Return the id of the unit that an account is in, the root's where it is in none, None for a stranger."""
        return self._places().get(account)

    def place(self, account: str, unit: str) -> None:
        """Put an account, one of the organization or a new one, into a unit.

        Args:
            account: 12 digits.
            unit: The unit's id or its name in the organization file, or the root's id.

        Raises:
            ServiceError: There is no such unit, it is no account id, or it is the management account.
        """
        known = {known.name: known.id for known in self.organization.organizational_units}
        unit_id = known.get(unit, unit)
        if unit_id != self.root and unit_id not in known.values():
            raise ServiceError("ValidationError", f"Organizational unit {unit} does not exist in the organization")
        if len(account) != 12 or not account.isdecimal() or not account.isascii():
            raise ServiceError("ValidationError", f"{account[:40]!r} is no account id: it has 12 digits")
        if account == self.organization.management_account:
            raise ServiceError("ValidationError", f"the management account {account} cannot be moved")
        self._moved[account] = unit_id

    def _places(self) -> dict[str, str]:
        organization = self.organization
        units = {unit.name: unit.id for unit in organization.organizational_units}
        places = {organization.security_account: self.root, organization.publisher_account: self.root}
        for account in organization.accounts:
            places[account.id] = units.get(account.organizational_unit or "", self.root)
        places |= self._moved
        places.pop(organization.management_account, None)
        return places
