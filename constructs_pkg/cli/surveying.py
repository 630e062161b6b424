"""What all commands share that read accounts: options, whose accounts they are, progress, what is not known."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from constructs_pkg.aws.accounts import ListedAccount, MemberAccounts, accounts_of_units, all_accounts
from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.aws.inventory import Wanted
from constructs_pkg.aws.member_place import Pace
from constructs_pkg.aws.survey import WORKERS, Judged, Survey
from constructs_pkg.aws.survey_state import SurveyState
from constructs_pkg.cli.output import tell
from constructs_pkg.cli.parameters import ACCOUNT, PATH, organization_option
from constructs_pkg.cli.progress import Progress
from constructs_pkg.errors import AwsError
from constructs_pkg.inventory.readings import Failure, PlaceReading
from constructs_pkg.organization import Organization, Wave, load_organization
from constructs_pkg.organization_guardrails import member_account
from constructs_pkg.plurals import counted

__all__ = [
    "Reader",
    "Surveyed",
    "all_of",
    "home",
    "reader_of",
    "require_accounts",
    "require_state",
    "rolled_out_to",
    "survey_options",
    "units_of",
]

_T = TypeVar("_T")
_Function = TypeVar("_Function", bound=Callable[..., Any])


without_option = click.option(
    "--without-account",
    "without",
    type=ACCOUNT,
    metavar="ID",
    multiple=True,
    help="Do not look at this account, such as the management account, which has no auditor role; repeatable.",
)
"""An account that is left out is named in the answer."""


def home() -> MemberAccounts:
    """Return what makes clients, with the caller's credentials and no role yet; the seam where tests put their own."""
    return MemberAccounts(Clients(), lambda account: account, "us-east-1")


def survey_options(function: _Function) -> _Function:
    """Add the options of every command that reads accounts."""
    options = (
        organization_option,
        click.option(
            "--accounts-from",
            type=click.Choice(["organizations", "file"]),
            default="organizations",
            show_default=True,
            help="Who names the accounts: AWS Organizations, or [[accounts]] of the file, which may lack some.",
        ),
        click.option("--state", type=PATH, metavar="FILE", help="Keep what is read in FILE, which must be new."),
        click.option("--resume", is_flag=True, help="Use what FILE holds from the last 24 hours, and add to it."),
        click.option(
            "--workers",
            type=click.IntRange(1, 256),
            default=WORKERS,
            show_default=True,
            help="How many accounts are read at a time.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True)
class Surveyed:
    """Accounts to be read, and who named them.

    Attributes:
        accounts: The accounts.
        source: ``organizations`` or ``file``.
        left_out: Accounts that the caller asked not to read.
    """

    accounts: tuple[ListedAccount, ...]
    source: str
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say how many there are, and who says so."""
        said = {
            "organizations": "as AWS Organizations has them",
            "file": "as the organization file has them: the units may hold others",
        }[self.source]
        left_out = f"; NOT looked at: {', '.join(self.left_out)}" if self.left_out else ""
        return f"{counted(len(self.accounts), 'account')}, {said}{left_out}"


@dataclass(frozen=True)
class Reader:
    """The organization, and the clients of its accounts.

    Attributes:
        organization: The loaded file.
        members: Makes the clients.
        caller: The ARN of who reads.
    """

    organization: Organization
    members: MemberAccounts
    caller: str

    @property
    def pace(self) -> Pace:
        """Return how time passes."""
        return self.members.pace

    @contextmanager
    def reading(
        self,
        surveyed: Surveyed,
        wanted: Wanted,
        judge: Callable[[PlaceReading], _T],
        *,
        state: Path | None,
        resume: bool,
        workers: int,
    ) -> Generator[Iterator[Judged[_T] | Failure]]:
        """Read accounts, with progress on a terminal.

        Args:
            surveyed: The accounts.
            wanted: What is read of each.
            judge: Makes something smaller of a reading; called in any thread.
            state: Where readings are kept; None for nowhere.
            resume: Whether what is there is used.
            workers: How many accounts are read at a time.

        Raises:
            FileAccessError: The state cannot be used.
        """
        question = {"organization": self.organization.id, "wanted": repr(wanted)}
        progress, lock = Progress("Reading accounts", len(surveyed.accounts)), threading.Lock()

        def count() -> None:
            with lock:
                progress.advance(1)

        with ExitStack() as stack:
            stack.callback(progress.close)
            kept = SurveyState(state, question, resume=resume, at=self.pace.at()) if state else None
            if kept is not None:
                stack.enter_context(kept)
            regions = self.organization.target_regions
            yield Survey(self.members, surveyed.accounts, regions, wanted, judge, workers, kept, count).results()


def require_state(state: Path | None, *, resume: bool) -> None:
    """Refuse to go on from nowhere, before anybody is asked for credentials.

    Raises:
        click.UsageError: ``--resume`` without ``--state``.
    """
    if resume and state is None:
        raise click.UsageError("--resume needs the file to go on from. Name it with --state FILE")


def reader_of(organization_file: Path, wave: str | None = None) -> Reader:
    """Load an organization file, and find out who the caller is.

    Args:
        organization_file: The file.
        wave: The name of a wave that the file has to have; looked for before anybody is asked.

    Raises:
        AwsError: STS refused or was not reached.
        LambdaCodeSigningError: There is no such wave.
        OrganizationError: The file cannot be used.
    """
    members = home()
    organization = load_organization(organization_file, at=members.pace.at())
    if wave is not None:
        organization.wave(wave)
    members.region = organization.home_region
    members.role_arn = lambda account: _auditor_arn(organization, account)
    with aws_errors("find out who you are (sts get-caller-identity)"):
        identity: dict[str, Any] = members.home.client("sts", organization.home_region).get_caller_identity()
    if identity["Account"] != organization.security_account:
        tell(
            f"You are in the account {identity['Account']}; the auditor roles trust {organization.security_account}, "
            "the security account. Expect refusals, or log in there"
        )
    members.own_account = identity["Account"]
    return Reader(organization, members, str(identity["Arn"]))


def _auditor_arn(organization: Organization, account: str) -> str:
    member = member_account(organization, account=account)
    return member.role_arn(member.auditor_role)


def units_of(reader: Reader, waves: Sequence[Wave], source: str) -> Surveyed:
    """Return the accounts of waves, without the management account, which service-managed StackSets never reach.

    Args:
        reader: The organization and its clients.
        waves: The waves.
        source: ``organizations`` or ``file``.

    Raises:
        AwsError: AWS Organizations refused or was not reached.
    """
    organization = reader.organization
    names = [name for wave in waves for name in wave.organizational_units]
    if source == "file":
        found = [ListedAccount(one.id) for one in organization.accounts if one.organizational_unit in names]
    else:
        ids = [organization.organizational_unit(name).id for name in names]
        found = list(accounts_of_units(reader.members.home, ids, organization.home_region, reader.pace))
    return Surveyed(tuple(one for one in found if one.account != organization.management_account), source)


def rolled_out_to(reader: Reader, source: str) -> Surveyed:
    """Return the accounts that have configs: those of all waves, and the security account with the central ones.

    Args:
        reader: The organization and its clients.
        source: ``organizations`` or ``file``.

    Raises:
        AwsError: AWS Organizations refused or was not reached.
    """
    members = units_of(reader, reader.organization.waves, source)
    central = ListedAccount(reader.organization.security_account)
    found = dict.fromkeys((central, *members.accounts))
    return Surveyed(tuple(found), source)


def all_of(reader: Reader, source: str, without: Sequence[str]) -> Surveyed:
    """Return all accounts of the organization.

    Args:
        reader: The organization and its clients.
        source: ``organizations`` or ``file``.
        without: Accounts to leave out.

    Raises:
        AwsError: AWS Organizations refused or was not reached.
        click.UsageError: An account that is to be left out is none of them.
    """
    organization = reader.organization
    if source == "organizations":
        found = all_accounts(reader.members.home, organization.home_region, reader.pace)
    else:
        ids = [
            organization.management_account,
            organization.security_account,
            organization.publisher_account,
            *(account.id for account in organization.accounts),
        ]
        found = tuple(map(ListedAccount, dict.fromkeys(ids)))
    unknown = [account for account in without if account not in {one.account for one in found}]
    if unknown:
        raise click.UsageError(
            f"--without-account {unknown[0]} is none of {Surveyed(found, source)}. Check the number."
        )
    left_out = tuple(one.account for one in found if one.account in without)
    return Surveyed(tuple(one for one in found if one.account not in without), source, left_out)


def require_accounts(surveyed: Surveyed, whose: str) -> None:
    """Refuse to say anything about no accounts.

    Raises:
        AwsError: There are none.
    """
    if not surveyed.accounts:
        raise AwsError(
            "NoAccounts",
            f"{whose} has no accounts (named by --accounts-from {surveyed.source}): nothing was read, so nothing can "
            "be said. Check the ids of the units",
        )
