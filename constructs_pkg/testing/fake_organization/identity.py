"""Who is who: STS and AWS Organizations of a fake organization."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

from datetime import timedelta
from typing import Any

from constructs_pkg.testing.fake_organization.clients import Caller, Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer
from constructs_pkg.testing.fake_organization.records import FakeAccount

__all__ = ["OrganizationsService", "StsService"]

_PAGE = 20


class StsService(Service):
    """GetCallerIdentity, and AssumeRole that trusts whoever asks for a role that the account has."""

    def get_caller_identity(self) -> dict[str, Any]:
        """Say who calls."""
        return {"Account": self.account, "Arn": self.caller.arn, "UserId": "AIDAFAKE"}

    def assume_role(
        self,
        *,
        RoleArn: str,
        RoleSessionName: str,
        DurationSeconds: int = 3600,
        **_more: Any,
    ) -> dict[str, Any]:
        """Hand out credentials that end after their duration."""
        partition, account, role = RoleArn.split(":")[1], RoleArn.split(":")[4], RoleArn.rpartition("/")[2]
        known = self.organization.accounts.get(account)
        faults = self.organization.faults
        is_refused = (account, role) in faults.denied_roles or account in faults.closed_accounts
        if known is None or role not in known.roles or is_refused:
            message = f"User: {self.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {RoleArn}"
            raise ServiceAnswer("AccessDenied", message, 403)
        arn = f"arn:{partition}:sts::{account}:assumed-role/{role}/{RoleSessionName}"
        clock = self.organization.clock
        key = self.organization.register(Caller(account, arn, clock.monotonic() + DurationSeconds))
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": "secret",
                "SessionToken": f"token-{key}",
                "Expiration": clock.now() + timedelta(seconds=DurationSeconds),
            },
            "AssumedRoleUser": {"AssumedRoleId": f"AROAFAKE{key[-8:]}:{RoleSessionName}", "Arn": arn},
        }


class OrganizationsService(Service):
    """The accounts and units below a unit."""

    def list_accounts_for_parent(
        self,
        *,
        ParentId: str,
        NextToken: str | None = None,
        MaxResults: int = _PAGE,
    ) -> dict[str, Any]:
        """List the accounts directly in a unit."""
        self._require(ParentId)
        found = [self._account(account) for account in self._accounts() if account.parent == ParentId]
        name = "organizations:ListAccountsForParent"
        return self.page(name, found, MaxResults, NextToken, key="Accounts", token_key="NextToken")  # noqa: S106

    def list_accounts(self, *, NextToken: str | None = None, MaxResults: int = _PAGE) -> dict[str, Any]:
        """List all accounts."""
        found = [self._account(account) for account in self._accounts()]
        name = "organizations:ListAccounts"
        return self.page(name, found, MaxResults, NextToken, key="Accounts", token_key="NextToken")  # noqa: S106

    def list_organizational_units_for_parent(
        self,
        *,
        ParentId: str,
        NextToken: str | None = None,
        MaxResults: int = _PAGE,
    ) -> dict[str, Any]:
        """List the units directly in a unit."""
        self._require(ParentId)
        found = [
            {
                "Id": unit,
                "Arn": f"arn:{self.organization.partition}:organizations::{self.account}:ou/o-fake/{unit}",
                "Name": unit,
            }
            for unit, parent in self.organization.units.items()
            if parent == ParentId
        ]
        name = "organizations:ListOrganizationalUnitsForParent"
        return self.page(name, found, MaxResults, NextToken, key="OrganizationalUnits", token_key="NextToken")  # noqa: S106

    def _require(self, parent: str) -> None:
        if parent not in self.organization.units and not parent.startswith("r-"):
            message = f"You specified parent {parent} that doesn't exist."
            raise ServiceAnswer("ParentNotFoundException", message)

    def _accounts(self) -> list[FakeAccount]:
        return list(self.organization.accounts.values())

    def _account(self, account: FakeAccount) -> dict[str, Any]:
        is_closed = account.account in self.organization.faults.closed_accounts
        prefix = f"arn:{self.organization.partition}:organizations::{self.account}:account/o-fake"
        return {
            "Id": account.account,
            "Arn": f"{prefix}/{account.account}",
            "Name": f"account-{account.account}",
            "Email": f"account-{account.account}@example.com",
            "Status": "SUSPENDED" if is_closed else "ACTIVE",
            "State": "CLOSED" if is_closed else "ACTIVE",
        }
