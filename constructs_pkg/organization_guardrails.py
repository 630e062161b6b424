"""What an organization file asks of its guardrails and of its member accounts."""

from collections.abc import Sequence

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import GuardrailIntent, MemberAccount
from constructs_pkg.organization import Organization

__all__ = ["guardrail_intent", "member_account"]


def guardrail_intent(
    organization: Organization,
    application: str,
    *,
    account: str,
    region: str,
    other_regions: Sequence[str] = (),
    sibling_regions: Sequence[str] = (),
    approved_configs: Sequence[str],
) -> GuardrailIntent:
    """Return what the developers and pipelines of one application may do in one account.

    Only the active generation of the application's signing profile may sign. The service control policy lets anybody
    create the functions of the exemptions (loading the file refuses one that has expired).

    Args:
        organization: A loaded organization.
        application: The name of one of its applications, which has a ``[[developer_guardrails]]`` table.
        account: The 12 digits of the account whose functions these are; an AWS CDK token is passed through.
        region: The Region of the approved configs, which is part of the policies' names; a token is passed through.
        other_regions: Further Regions whose configs are among the approved ones.
        sibling_regions: Regions that have a guardrail of their own, attached beside this one. Never state a Region
            without one: whoever is otherwise an administrator would be bound by nothing there.
        approved_configs: ARNs of code signing configs, or AWS CDK tokens; may be empty for a service control policy.

    Raises:
        GuardrailError: The application has no guardrail in the file, or the arguments contradict each other.
        LambdaCodeSigningError: The application is not in the file or has no active signing profile.
    """
    organization.application(application)
    guardrail = organization.guardrail_of(application)
    if guardrail is None:
        raise GuardrailError(
            f"the application {application!r} has no [[developer_guardrails]] table in the organization file. "
            "Add one with its functions and execution_roles"
        )
    profile = organization.active_profile_of(application).profile_arn(organization)
    return GuardrailIntent(
        prefix=organization.name,
        application=application,
        partition=organization.partition,
        account=account,
        regions=(region, *other_regions),
        sibling_regions=tuple(sibling_regions),
        approved_configs=tuple(approved_configs),
        functions=guardrail.functions,
        execution_roles=guardrail.execution_roles,
        layers=guardrail.layers,
        signing_profiles=(str(profile),),
        remediator_role=f"{organization.name}-drift-remediator",
        self_managed_stack_sets=organization.rollout.permission_model == "self-managed",
        exempt_functions=tuple(exemption.functions for exemption in organization.exemptions),
    )


def member_account(organization: Organization, *, account: str) -> MemberAccount:
    """Return the names that the rollout gives things in a member account, and the central ones that they know.

    Args:
        organization: A loaded organization.
        account: The 12 digits of the member account; an AWS CDK token is passed through.
    """
    return MemberAccount(
        prefix=organization.name,
        organization_id=organization.id,
        partition=organization.partition,
        account=account,
        security_account=organization.security_account,
        home_region=organization.home_region,
    )
