"""The declared organization's accounts: they exist in AWS Organizations, and nobody of another account gets in."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001, ANN401

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from constructs_pkg.guardrails import service_control_policies
from constructs_pkg.organization import Organization
from constructs_pkg.organization_guardrails import guardrail_intent
from constructs_pkg.testing.local_aws.internals import APP, IAM_EVALUATOR, ORGANIZATIONS, RESPONSES, ROUTER
from constructs_pkg.testing.local_aws.overlay import Overlay, Response

__all__ = ["account_ids", "install", "root_id"]

_GLOBAL = "us-east-1"
_LISTINGS = ("ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent", "ListRoots")
"""Operations that are for the management account and for delegated administrators (botocore, ``organizations``)."""
Dispatch = Callable[..., Awaitable[Response]]


def install(overlay: Overlay) -> None:
    """Make the organization's accounts, and let nobody else in; without an organization, every account exists.

    Args:
        overlay: The registry.
    """
    organization = overlay.organization
    if organization is None:
        return
    overlay.at_start(lambda: declare(organization))
    for operation in _LISTINGS:
        ORGANIZATIONS._DISPATCH[operation] = _seen_by_administrators(ORGANIZATIONS._DISPATCH[operation], organization)
    APP._dispatch_service_request = _gated(APP._dispatch_service_request, organization)


def _seen_by_administrators(
    answer: Callable[[dict[str, Any]], Response], organization: Organization
) -> Callable[[dict[str, Any]], Response]:
    """Let the security account, a delegated administrator, see the organization, and nobody else but management."""

    def seen(payload: dict[str, Any]) -> Response:
        caller = RESPONSES.get_account_id()
        if caller not in {organization.management_account, organization.security_account}:
            message = "You don't have permissions to access this resource."
            return RESPONSES.error_response_json("AccessDeniedException", message, 400)
        with RESPONSES.request_scope(organization.management_account, _GLOBAL):
            return answer(payload)

    return seen


def root_id(organization: Organization) -> str:
    """Return the id of the organization's root; the ids of its units repeat its characters (AWS Organizations)."""
    units = organization.organizational_units
    return f"r-{units[0].id.split('-')[1]}" if units else "r-root"


def account_ids(organization: Organization) -> set[str]:
    """Return the accounts that exist: those of the organization file, and those that CreateAccount made since."""
    made = {account for owner, account in ORGANIZATIONS._accounts._data if owner == organization.management_account}
    return {account for account, _, _ in _declared(organization)} | made


def declare(organization: Organization) -> None:
    """Write the organization file into AWS Organizations, as the management account shows it.

    What calls changed since (an account moved or created, a policy attached) stays.

    Args:
        organization: The declared organization.
    """
    management = organization.management_account
    root = root_id(organization)
    with RESPONSES.request_scope(management, _GLOBAL):
        _declare_root(organization, root)
        units = {unit.name: unit.id for unit in organization.organizational_units}
        for unit in organization.organizational_units:
            arn = f"arn:{organization.partition}:organizations::{management}:ou/{organization.id}/{unit.id}"
            record = {"Id": unit.id, "Arn": arn, "Name": unit.name, "Path": f"/{unit.name}/", "ParentId": root}
            if unit.id not in ORGANIZATIONS._ous:
                ORGANIZATIONS._ous[unit.id] = record
        for account, name, unit_name in _declared(organization):
            if account not in ORGANIZATIONS._accounts:
                ORGANIZATIONS._accounts[account] = {
                    "Id": account,
                    "Arn": f"arn:{organization.partition}:organizations::{management}:account/"
                    f"{organization.id}/{account}",
                    "Email": f"{name}@{organization.name}.example",
                    "Name": name,
                    "Status": "ACTIVE",
                    "JoinedMethod": "INVITED" if account == management else "CREATED",
                    "JoinedTimestamp": int(time.time()),
                    "Path": "/",
                    "_ParentId": units.get(unit_name or "", root),
                }
        _declare_policies(organization)


def _declare_root(organization: Organization, root: str) -> None:
    management = organization.management_account
    prefix = f"arn:{organization.partition}:organizations::{management}"
    if "self" in ORGANIZATIONS._orgs:
        return
    ORGANIZATIONS._ensure_org()
    # MiniStack made an organization with ids of its own: ours take their places.
    ORGANIZATIONS._orgs["self"] |= {
        "Id": organization.id,
        "Arn": f"{prefix}:organization/{organization.id}",
        "MasterAccountArn": f"{prefix}:account/{organization.id}/{management}",
    }
    own_root = next(iter(ORGANIZATIONS._roots.values()))
    ORGANIZATIONS._roots.pop(own_root["Id"])
    ORGANIZATIONS._accounts.pop(management)
    ORGANIZATIONS._roots[root] = {**own_root, "Id": root, "Arn": f"{prefix}:root/{organization.id}/{root}"}
    targets = [root, *(account for account, _, _ in _declared(organization))]
    targets += [unit.id for unit in organization.organizational_units]
    ORGANIZATIONS._attachments[ORGANIZATIONS.FULL_ACCESS_POLICY_ID] = targets


def _declare_policies(organization: Organization) -> None:
    """Attach the guardrails' SCPs to all units, and to the accounts in none but the two that administer."""
    policies = {policy["Name"]: policy["Id"] for policy in ORGANIZATIONS._policies.values()}
    targets = [unit.id for unit in organization.organizational_units]
    targets += [account.id for account in organization.accounts if account.organizational_unit is None]
    administrators = {organization.security_account, organization.management_account, organization.publisher_account}
    for number, content in enumerate(_policy_texts(organization), 1):
        name = f"{organization.name}-code-signing-{number}"
        if name in policies:
            continue
        payload = {"Name": name, "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": content}
        made = json.loads(ORGANIZATIONS._create_policy(payload)[2])["Policy"]["PolicySummary"]["Id"]
        ORGANIZATIONS._attachments[made] = [target for target in targets if target not in administrators]


def _policy_texts(organization: Organization) -> list[str]:
    """Return the SCPs that `constructs_pkg.guardrails` generates; they hold for all applications alike."""
    for application in organization.applications:
        if organization.guardrail_of(application.name) is None:
            continue
        intent = guardrail_intent(
            organization,
            application.name,
            account=organization.security_account,
            region=organization.target_regions[0],
            approved_configs=(),
        )
        return [document.to_json() for document in service_control_policies(intent)]
    return []


def _declared(organization: Organization) -> list[tuple[str, str, str | None]]:
    """Return id, name and unit of every account of the file, each once."""
    found = {account.id: (account.name, account.organizational_unit) for account in organization.accounts}
    found.setdefault(organization.management_account, ("management", None))
    found.setdefault(organization.security_account, ("security", None))
    found.setdefault(organization.publisher_account, ("publisher", None))
    return [(account, name, unit) for account, (name, unit) in found.items()]


def _gated(dispatch: Dispatch, organization: Organization) -> Dispatch:
    """Refuse credentials of an account that does not exist, as AWS refuses unknown ones."""

    async def gated(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Any:
        key = ROUTER.extract_access_key_id(headers, query)
        if len(key) == 12 and key.isdecimal() and key not in account_ids(organization):
            error = IAM_EVALUATOR.AuthError(
                "InvalidClientTokenId", "The security token included in the request is invalid."
            )
            service = ROUTER.detect_service(method, path, headers, query)
            return APP._credential_failure(service, "", request_id, error, headers)
        return await dispatch(method, path, headers, body, query, request_id)

    return gated
