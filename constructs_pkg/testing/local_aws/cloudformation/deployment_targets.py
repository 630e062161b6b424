"""Which accounts and Regions a request about stack instances means. Source: StackSets guide, "Deployment targets"."""

from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.testing.local_aws.cloudformation.directory import Directory
from constructs_pkg.testing.local_aws.cloudformation.stack_set_records import StackSet

__all__ = ["Target", "all_units_of", "targets_of"]

Target = tuple[str, str | None]
"""An account and the id of the unit that it is deployed to through, None for self-managed sets."""

_MAX_UNITS = 50


def targets_of(directory: Directory, stack_set: StackSet, request: dict[str, Any]) -> list[Target]:
    """Return the accounts that a request means, each once.

    Args:
        directory: The organization.
        stack_set: The StackSet; its permission model decides which members the request may have.
        request: Has ``Accounts`` or ``DeploymentTargets``, and ``Regions``.

    Raises:
        ServiceError: The members contradict each other or the permission model, or a unit does not exist.
    """
    _check_regions(request["Regions"])
    targets: dict[str, Any] = request.get("DeploymentTargets", {})
    if "AccountsUrl" in targets:
        raise ServiceError("ValidationError", "AccountsUrl is not implemented here; give the accounts as Accounts")
    if stack_set["permission_model"] == "SELF_MANAGED":
        return _self_managed(request, targets)
    return _service_managed(directory, request, targets)


def all_units_of(request: dict[str, Any]) -> list[str]:
    """Return the units that a request names without picking accounts out of them."""
    targets: dict[str, Any] = request.get("DeploymentTargets", {})
    is_whole = targets.get("AccountFilterType", "NONE") == "NONE"
    return list(targets.get("OrganizationalUnitIds", [])) if is_whole else []


def _check_regions(regions: list[str]) -> None:
    if not regions:
        raise ServiceError("ValidationError", "Regions list cannot be empty")
    if len(set(regions)) != len(regions):
        raise ServiceError("ValidationError", f"Regions must be unique: {', '.join(regions)}")


def _self_managed(request: dict[str, Any], targets: dict[str, Any]) -> list[Target]:
    if "OrganizationalUnitIds" in targets or "AccountFilterType" in targets:
        raise ServiceError(
            "ValidationError",
            "StackSets with SELF_MANAGED permission model can only have Accounts, not OrganizationalUnitIds, as target",
        )
    if "Accounts" in request and "Accounts" in targets:
        raise ServiceError("ValidationError", "You can specify Accounts or DeploymentTargets, but not both")
    accounts = [*request.get("Accounts", []), *targets.get("Accounts", [])]
    if not accounts:
        raise ServiceError("ValidationError", "Accounts list cannot be empty")
    return [(account, None) for account in dict.fromkeys(accounts)]


def _service_managed(directory: Directory, request: dict[str, Any], targets: dict[str, Any]) -> list[Target]:
    if "Accounts" in request:
        raise ServiceError(
            "ValidationError",
            "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target",
        )
    units: list[str] = targets.get("OrganizationalUnitIds", [])
    if not units:
        raise ServiceError("ValidationError", "OrganizationalUnitIds are required for SERVICE_MANAGED permission model")
    if len(units) > _MAX_UNITS:
        raise ServiceError("LimitExceededException", f"{len(units)} organizational units; an operation has at most 50")
    chosen: list[str] = targets.get("Accounts", [])
    picks = targets.get("AccountFilterType", "NONE")
    if (picks == "NONE") == bool(chosen):
        raise ServiceError(
            "ValidationError",
            f"AccountFilterType {picks} contradicts {len(chosen)} Accounts: INTERSECTION, DIFFERENCE and UNION need "
            "Accounts, and Accounts need one of them",
        )
    found = {account: unit for unit in units for account in directory.accounts_of(unit)}
    match picks:
        case "INTERSECTION":
            kept = {account: found[account] for account in chosen if account in found}
        case "DIFFERENCE":
            kept = {account: unit for account, unit in found.items() if account not in chosen}
        case "UNION":
            kept = found | {account: found.get(account) or _unit(directory, account) for account in chosen}
        case _:
            kept = found
    return list(kept.items())


def _unit(directory: Directory, account: str) -> str:
    unit = directory.unit_of(account)
    if unit is None:
        raise ServiceError(
            "ValidationError",
            f"Account {account} is no member of the organization, or is its management account: service-managed "
            "StackSets are deployed to neither",
        )
    return unit
