"""Who is in the organization: its management account, delegated administrator, and the accounts of each unit.

AWS Organizations' own records, as `accounts` declares them and as MoveAccount and CreateAccount change them, are what
is read. Units are not nested.
"""

import time
from importlib import import_module
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.organization import Organization
from constructs_pkg.testing.local_aws.accounts import root_id
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["Directory"]

# MiniStack ships no types.
_ORGANIZATIONS: Any = import_module("ministack.services.organizations")
_REGION = "us-east-1"


class Directory:
    """The accounts of the declared organization and where they are.

    Args:
        overlay: Has the organization.
    """

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    @property
    def organization(self) -> Organization:
        """Return the declared organization.

        Raises:
            ServiceError: The server was started without one.
        """
        if self._overlay.organization is None:
            raise ServiceError(
                "ValidationError",
                "You must enable organizations access to operate a service managed stack set: this local AWS was "
                "started without an organization file",
            )
        return self._overlay.organization

    @property
    def root(self) -> str:
        """Return the id of the organization's root."""
        return root_id(self.organization)

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
        if unit != self.root and unit not in self._units():
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
            unit: The unit's id or its name, or the root's id.

        Raises:
            ServiceError: There is no such unit, it is no account id, or it is the management account.
        """
        units = self._units()
        unit_id = next((known for known, name in units.items() if unit in {known, name}), unit)
        if unit_id != self.root and unit_id not in units:
            raise ServiceError("ValidationError", f"Organizational unit {unit} does not exist in the organization")
        if len(account) != 12 or not account.isdecimal() or not account.isascii():
            raise ServiceError("ValidationError", f"{account[:40]!r} is no account id: it has 12 digits")
        organization = self.organization
        if account == organization.management_account:
            raise ServiceError("ValidationError", f"the management account {account} cannot be moved")
        arn = f"arn:{organization.partition}:organizations::{organization.management_account}:account"
        record = {
            "Id": account,
            "Arn": f"{arn}/{organization.id}/{account}",
            "Email": f"{account}@{organization.name}.example",
            "Name": account,
            "Status": "ACTIVE",
            "JoinedMethod": "INVITED",
            "JoinedTimestamp": int(time.time()),
            "Path": "/",
        }
        with self._overlay.acting_in(organization.management_account, _REGION):
            accounts = _ORGANIZATIONS._accounts  # noqa: SLF001
            if account not in accounts:
                attached = _ORGANIZATIONS._attachments  # noqa: SLF001
                full_access = _ORGANIZATIONS.FULL_ACCESS_POLICY_ID
                attached[full_access] = [*(attached.get(full_access) or []), account]
            accounts[account] = {**accounts.get(account, record), "_ParentId": unit_id}

    def _units(self) -> dict[str, str]:
        """Return the names of all units by id."""
        with self._overlay.acting_in(self.organization.management_account, _REGION):
            return {unit["Id"]: unit["Name"] for unit in _ORGANIZATIONS._ous.values()}  # noqa: SLF001

    def _places(self) -> dict[str, str]:
        management = self.organization.management_account
        with self._overlay.acting_in(management, _REGION):
            return {
                account["Id"]: account["_ParentId"]
                for account in _ORGANIZATIONS._accounts.values()  # noqa: SLF001
                if account["Status"] == "ACTIVE" and account["Id"] != management
            }
