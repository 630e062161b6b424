"""Where a wave goes, and how fast: deployment targets and operation preferences that cannot contradict themselves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk

from constructs_pkg.errors import ConstructError
from constructs_pkg.regions import SIGNER_REGIONS, near_signer_regions, partition_of_region

__all__ = ["OperationPreferences", "PermissionModel", "RolloutTarget"]

PermissionModel = Literal["service-managed", "self-managed"]

# The patterns of the type's schema (AWS::CloudFormation::StackSet, cfn-lint 1.58).
_UNIT = re.compile(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}")
_ROOT = re.compile(r"r-[a-z0-9]{4,32}")
_ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OperationPreferences:
    """How a StackSet works through its accounts (StackSets guide, "StackSet operation options").

    Attributes:
        max_concurrent_percentage: How many percent of the accounts of a Region are changed at a time, 1 to 100.
        failure_tolerance_percentage: How many percent of them may fail before the operation stops, 0 to 100.
        regions_in_parallel: All Regions at a time, instead of one after the other in the order of the target.
        soft_failure_tolerance: Keep the concurrency whatever has failed. Otherwise at most one account more is changed
            at a time than may still fail, which with a tolerance of 0 is one account at a time.
    """

    max_concurrent_percentage: int = 10
    failure_tolerance_percentage: int = 0
    regions_in_parallel: bool = False
    soft_failure_tolerance: bool = False

    def __post_init__(self) -> None:
        """Check the percentages."""
        for name, least in (("max_concurrent_percentage", 1), ("failure_tolerance_percentage", 0)):
            value = getattr(self, name)
            if not least <= value <= 100:
                raise ConstructError(f"{name}={value} is not between {least} and 100")


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutTarget:
    """Accounts and Regions of one wave; made by ``organizational_units``, ``accounts`` or ``organization_root``.

    Attributes:
        permission_model: Which kind of StackSet can have this target.
        regions: In the order in which they are deployed to.
        units: Ids of organizational units, or of the root.
        account_ids: Accounts, whose meaning is that of the filter; without units, the whole target.
        account_filter: ``NONE``, ``DIFFERENCE`` (all but these) or ``INTERSECTION`` (these only).
    """

    permission_model: PermissionModel
    regions: tuple[str, ...]
    units: tuple[str, ...] = ()
    account_ids: tuple[str, ...] = ()
    account_filter: Literal["NONE", "DIFFERENCE", "INTERSECTION"] = "NONE"

    @staticmethod
    def organizational_units(
        units: Sequence[str],
        *,
        regions: Sequence[str],
        exclude_accounts: Sequence[str] = (),
        only_accounts: Sequence[str] = (),
    ) -> "RolloutTarget":
        """Return the accounts of organizational units, for service-managed permissions.

        Accounts that join a unit later are deployed to automatically; such deployments ignore ``exclude_accounts`` and
        ``only_accounts`` (StackSets guide, "Automatic deployment").

        Args:
            units: Their ids, such as ``ou-a1b2-00000001``; at most 50 in one operation.
            regions: In order.
            exclude_accounts: Accounts of the units that are left out now.
            only_accounts: The only accounts of the units that are deployed to now.

        Raises:
            ConstructError: Something is missing, twice, malformed, or both filters are given.
        """
        if exclude_accounts and only_accounts:
            raise ConstructError("exclude_accounts and only_accounts contradict each other. Give one of them")
        _check("units", units, _UNIT, "ou-a1b2-00000001")
        accounts = tuple(exclude_accounts or only_accounts)
        if accounts:
            _check("exclude_accounts" if exclude_accounts else "only_accounts", accounts, _ACCOUNT, "444444444404")
        return RolloutTarget(
            permission_model="service-managed",
            regions=_regions(regions),
            units=tuple(units),
            account_ids=accounts,
            account_filter="DIFFERENCE" if exclude_accounts else "INTERSECTION" if only_accounts else "NONE",
        )

    @staticmethod
    def accounts(account_ids: Sequence[str], *, regions: Sequence[str]) -> "RolloutTarget":
        """Return accounts by their ids, for self-managed permissions, which know no organizational units.

        Args:
            account_ids: 12 digits each.
            regions: In order.

        Raises:
            ConstructError: Something is missing, twice or malformed.
        """
        _check("account_ids", account_ids, _ACCOUNT, "444444444404")
        return RolloutTarget(permission_model="self-managed", regions=_regions(regions), account_ids=tuple(account_ids))

    @staticmethod
    def organization_root(root_id: str, *, regions: Sequence[str]) -> "RolloutTarget":
        """Return all accounts of the organization but the management account, for service-managed permissions.

        Args:
            root_id: Such as ``r-a1b2``.
            regions: In order.

        Raises:
            ConstructError: Something is missing, twice or malformed.
        """
        _check("root_id", (root_id,), _ROOT, "r-a1b2")
        return RolloutTarget(permission_model="service-managed", regions=_regions(regions), units=(root_id,))

    def deployment_targets(self) -> cdk.CfnStackSet.DeploymentTargetsProperty:
        """Return the target as the resource has it."""
        return cdk.CfnStackSet.DeploymentTargetsProperty(
            organizational_unit_ids=list(self.units) or None,
            accounts=list(self.account_ids) or None,
            account_filter_type=None if self.account_filter == "NONE" else self.account_filter,
        )


def _regions(regions: Sequence[str]) -> tuple[str, ...]:
    _check("regions", regions, re.compile(r"[a-z0-9-]{1,30}"), "eu-west-1")
    for region in regions:
        if partition_of_region(region) and region not in SIGNER_REGIONS:
            raise ConstructError(
                f"regions: AWS Signer does not serve {region!r}, so that nothing signed can be deployed there and "
                f"nothing unsigned refused. Take it out, or use one of {', '.join(near_signer_regions(region))}"
            )
    return tuple(regions)


def _check(name: str, values: Sequence[str], pattern: re.Pattern[str], example: str) -> None:
    if isinstance(values, str) or not values:
        raise ConstructError(f"{name}={values!r}: give a list of at least one, such as [{example!r}]")
    for value in values:
        if not cdk.Token.is_unresolved(value) and pattern.fullmatch(value) is None:
            raise ConstructError(f"{name}: {value!r} cannot be used. Write it like {example!r}")
    twice = sorted({value for value in values if list(values).count(value) > 1})
    if twice:
        raise ConstructError(f"{name}: {', '.join(twice)} is listed twice. Name each once")
