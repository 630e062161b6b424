"""What an organization file expects of its member accounts, as the document that the drift functions carry along."""

from typing import Any

from constructs_pkg.organization import Organization

__all__ = ["drift_expectations", "stack_set_name"]

_VERSION = 1
"""Of the document; ``constructs_pkg.runtime.drift.expectations`` reads exactly this one."""


def stack_set_name(organization: Organization, wave: str) -> str:
    """Return the name of a wave's StackSet, such as ``acme-code-signing-first``.

    CloudFormation knows no ``_`` in such names (botocore 1.43.106, shape ``StackSetName``): each becomes ``-``.
    """
    return f"{organization.name}-code-signing-{wave.replace('_', '-')}"


def drift_expectations(organization: Organization) -> dict[str, Any]:
    """Return everything that the drift functions have to know of an organization, as JSON.

    It lies beside the functions' sources inside their signed package: nobody grants an exemption without signing.
    The same organization gives the same document.

    Args:
        organization: A loaded organization.

    Returns:
        The document that ``constructs_pkg.runtime.drift.expectations.parse_expectations`` reads. Exemptions are there
        with their last day; whether one holds is decided when a run looks at it.
    """
    guardrails = organization.developer_guardrails
    return {
        "version": _VERSION,
        "organization_id": organization.id,
        "organization": organization.name,
        "partition": organization.partition,
        "security_account": organization.security_account,
        "publisher_account": organization.publisher_account,
        "home_region": organization.home_region,
        "stack_sets": [
            {
                "name": stack_set_name(organization, wave.name),
                "wave": wave.name,
                "enforcement": wave.mode,
                "drift": wave.drift,
            }
            for wave in organization.waves
        ],
        "applications": [{"name": one.application, "functions": list(one.functions)} for one in guardrails],
        "exemptions": [
            {
                "functions": one.functions,
                "owner": one.owner,
                "reason": one.reason,
                "expires": one.expires.isoformat(),
            }
            for one in organization.exemptions
        ],
        "signing_profiles": [one.profile_name(organization) for one in organization.signing_profiles],
    }
