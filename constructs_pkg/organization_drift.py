"""What an organization file expects of its member accounts, as the document that the drift functions carry along."""

from typing import Any

from constructs_pkg.organization import Organization

__all__ = ["drift_expectations"]

_VERSION = 1
"""Of the document; ``constructs_pkg.runtime.drift.expectations`` reads exactly this one."""


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
    parts = sorted({1, *(application.part for application in organization.applications)})
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
                "name": organization.stack_set_name(wave, part),
                "wave": wave.name,
                "part": part,
                "enforcement": wave.mode,
                "drift": wave.drift,
                "applications": [one.name for one in organization.applications if one.part == part],
            }
            for wave in organization.waves
            for part in parts
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
