"""The member accounts of an organization: who they are, and their clients through a role that is assumed in each."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.member_place import MemberPlace, Pace
from constructs_pkg.errors import AwsError

__all__ = ["ListedAccount", "MemberAccounts", "accounts_of_units", "all_accounts"]

_SESSION_SECONDS = 3600
"""As long as a role that was assumed by a role may be used ("role chaining", IAM User Guide)."""
_RENEW_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account that is to be read.

    Attributes:
        account: 12 digits.
        is_open: Whether AWS Organizations has it as active: neither suspended nor closed; True where nobody asked.
    """

    account: str
    is_open: bool = True


@dataclass
class _Assumed:
    clients: Clients
    renew_at: float


@dataclass
class MemberAccounts:
    """Makes clients of member accounts by assuming a role in each.

    Args:
        home: Clients of the caller, from the account that the role trusts.
        role_arn: Returns the ARN of the role in an account.
        region: Whose STS is asked.
        own_account: The caller's account, which is read without the role; None to assume it there, too.
        pace: How time passes.
        session_of: Makes a boto3 session of the ``Credentials`` of AssumeRole and a Region.
    """

    home: Clients
    role_arn: Callable[[str], str]
    region: str
    own_account: str | None = None
    pace: Pace = field(default_factory=Pace)
    session_of: Callable[[Mapping[str, Any], str], Any] = field(default_factory=lambda: _boto3_session)
    _assumed: dict[str, _Assumed] = field(default_factory=dict[str, _Assumed], init=False)

    def place(self, account: str, region: str) -> MemberPlace:
        """Return an account in a Region; its role is assumed by the first call."""
        return MemberPlace(lambda: self.clients(account), account, region, self.pace, lambda: self.forget(account))

    def clients(self, account: str) -> Clients:
        """Return the clients of an account, with credentials that are good for some minutes at least.

        Raises:
            AwsError: The role cannot be assumed.
        """
        if account == self.own_account:
            return self.home
        assumed = self._assumed.get(account)
        if assumed is None or self.pace.monotonic() >= assumed.renew_at:
            assumed = self._assumed[account] = self._assume(account)
        return assumed.clients

    def forget(self, account: str) -> None:
        """Let go of an account's clients: thousands of accounts have tens of thousands of them."""
        self._assumed.pop(account, None)

    def _assume(self, account: str) -> _Assumed:
        arn = self.role_arn(account)
        sts = MemberPlace(lambda: self.home, "the caller's account", self.region, self.pace)
        began = self.pace.monotonic()
        try:
            answer = sts.call(
                "sts",
                "assume_role",
                RoleArn=arn,
                RoleSessionName="lambda-code-signing",
                DurationSeconds=_SESSION_SECONDS,
            )
        except AwsError as error:
            raise AwsError(
                error.code,
                f"cannot assume {arn}: {error.said}. The role comes with the rollout and trusts the security account; "
                "an account outside of the waves' units has none, and a closed one has none any more",
            ) from error
        session = self.session_of(answer["Credentials"], self.region)
        return _Assumed(Clients(session), began + _SESSION_SECONDS - _RENEW_SECONDS)


def accounts_of_units(
    clients: Clients, units: Sequence[str], region: str, pace: Pace | None = None
) -> tuple[ListedAccount, ...]:
    """List the accounts of organizational units and of all units below them, as service-managed StackSets target them.

    Args:
        clients: Of the management account or a delegated administrator.
        units: Ids of organizational units.
        region: A Region of the partition, in which AWS Organizations has one endpoint.
        pace: How time passes.

    Raises:
        AwsError: AWS Organizations refused or was not reached.
    """
    place = MemberPlace(lambda: clients, "the organization", region, pace or Pace())
    found: dict[str, ListedAccount] = {}
    waiting = list(units)
    while waiting:
        parent = waiting.pop()
        for account in _listed(place, "list_accounts_for_parent", "Accounts", ParentId=parent):
            found.setdefault(account["Id"], _account(account))
        below = _listed(place, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        waiting += [unit["Id"] for unit in below]
    return tuple(sorted(found.values(), key=lambda account: account.account))


def all_accounts(clients: Clients, region: str, pace: Pace | None = None) -> tuple[ListedAccount, ...]:
    """List all accounts of the organization, the management account too; see `accounts_of_units` for the arguments.

    Raises:
        AwsError: AWS Organizations refused or was not reached.
    """
    place = MemberPlace(lambda: clients, "the organization", region, pace or Pace())
    return tuple(sorted(map(_account, _listed(place, "list_accounts", "Accounts")), key=lambda one: one.account))


def _account(answer: Mapping[str, Any]) -> ListedAccount:
    return ListedAccount(answer["Id"], (answer.get("State") or answer.get("Status")) == "ACTIVE")


def _listed(place: MemberPlace, method: str, key: str, **parameters: str) -> Iterator[Any]:
    return place.pages("organizations", method, key, token="NextToken", next_token="NextToken", **parameters)  # noqa: S106


@cache
def _loader() -> Any:
    """Return one loader for all sessions: it remembers the models of services, which take a while to read."""
    loaders: Any = import_module("botocore.loaders")
    return loaders.create_loader()


def _boto3_session(credentials: Mapping[str, Any], region: str) -> Any:
    core: Any = import_module("botocore.session").Session()
    core.register_component("data_loader", _loader())
    return import_module("boto3.session").Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        botocore_session=core,
        region_name=region,
    )
