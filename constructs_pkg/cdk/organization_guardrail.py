"""The service control policies of an organization, attached to the organizational units of its waves."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from constructs_pkg.cdk.developer_guardrail import DocumentSize
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import SERVICE_CONTROL_POLICY, GuardrailIntent, service_control_policies
from constructs_pkg.organization import Organization
from constructs_pkg.organization_guardrails import guardrail_intent

__all__ = ["OrganizationGuardrail", "OrganizationGuardrailStack", "organization_intent"]


class OrganizationGuardrail(Construct):
    """Service control policies that bind every principal of the accounts of organizational units.

    The content is a text in its shortest form, because AWS Organizations counts white space too. What it does not
    check: how many other policies a unit has already; AWS Organizations takes five, ``FullAWSAccess`` among them.

    Args:
        scope: A construct in a stack of the management account.
        construct_id: Id within the scope.
        intent: Which organization; see ``service_control_policies``.
        target_ids: Ids of organizational units, of the root, or of accounts. Never of the account whose pipeline makes
            the profiles and configs.
        dry_run: Make and attach nothing: ``documents`` still shows what would be.

    Attributes:
        documents: The documents by policy name.
        policies: The policies; none in a dry run.
        sizes: How large the documents are.

    Raises:
        ConstructError: There is nothing to attach to.
        GuardrailError: The documents need more places than there are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        intent: GuardrailIntent,
        target_ids: Sequence[str],
        dry_run: bool = False,
    ) -> None:
        if not target_ids and not dry_run:
            raise ConstructError("target_ids is empty. Name at least one organizational unit, or ask for a dry_run")
        super().__init__(scope, construct_id)
        documents = service_control_policies(intent)
        self.documents = {
            intent.service_control_policy_name(number): document for number, document in enumerate(documents, start=1)
        }
        self.sizes = tuple(
            DocumentSize(
                kind="service control policy",
                name=name,
                characters=SERVICE_CONTROL_POLICY.size_of(document),
                limit_characters=SERVICE_CONTROL_POLICY.max_characters,
            )
            for name, document in self.documents.items()
        )
        self.policies: list[organizations.CfnPolicy] = []
        if dry_run:
            return
        for number, (name, document) in enumerate(self.documents.items(), start=1):
            policy = organizations.CfnPolicy(
                self,
                f"Policy{number}",
                name=name,
                type="SERVICE_CONTROL_POLICY",
                description=f"Lambda code signing of {intent.prefix} ({number} of {len(documents)})",
                content=document.to_dict(),
                target_ids=list(target_ids),
            )
            # The type takes a text too, and only that is certain to keep its shortest form.
            policy.add_property_override("Content", document.to_json())
            if self.policies:
                policy.node.add_dependency(self.policies[-1])  # AWS Organizations makes one change at a time
            self.policies.append(policy)


class OrganizationGuardrailStack(cdk.Stack):
    """The service control policies, in the management account; the only stack there.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization; at least one wave says ``guardrail = "attach"``.

    Attributes:
        guardrail: The policies, attached to the units of the waves that say so.
    """

    def __init__(self, scope: Construct, construct_id: str, *, organization: Organization) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-organization-guardrail",
            description=f"Service control policies that keep unsigned Lambda code out of {organization.name}",
            env=cdk.Environment(account=organization.management_account, region=organization.home_region),
            termination_protection=True,
        )
        units = [
            organization.organizational_unit(unit).id
            for wave in organization.waves
            if wave.guardrail == "attach"
            for unit in wave.organizational_units
        ]
        self.guardrail = OrganizationGuardrail(
            self, "Guardrail", intent=organization_intent(organization), target_ids=units
        )


def organization_intent(organization: Organization) -> GuardrailIntent:
    """Return the intent of the service control policies, which are the same for every application.

    Args:
        organization: A loaded organization with at least one ``[[developer_guardrails]]``.

    Raises:
        ConstructError: It has none.
    """
    if not organization.developer_guardrails:
        raise ConstructError(
            "the organization file has no [[developer_guardrails]], so nobody is guarded. Add one, or write "
            'guardrail = "dry-run" for every wave'
        )
    return guardrail_intent(
        organization,
        organization.developer_guardrails[0].application,
        account=organization.management_account,
        region=organization.home_region,
        approved_configs=(),
    )
