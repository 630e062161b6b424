"""The guardrail of one application's developers and pipelines, as managed policies in one account."""

from collections.abc import Callable
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import (
    MANAGED_POLICY,
    PERMISSIONS_BOUNDARY,
    SERVICE_CONTROL_POLICY,
    GuardrailIntent,
    Limit,
    PolicyDocument,
    developer_policies,
    permissions_boundary,
    service_control_policies,
)

__all__ = ["DeveloperGuardrail", "DocumentSize"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentSize:
    """How large one document of a guardrail is.

    Attributes:
        kind: ``developer policy``, ``permissions boundary`` or ``service control policy``.
        name: The policy's name.
        characters: As AWS counts them for this kind; tokens count as the longest text that they can be.
        limit_characters: How many AWS takes.
    """

    kind: str
    name: str
    characters: int
    limit_characters: int


class DeveloperGuardrail(Construct):
    """Managed policies that let developers work on their functions only under an approved code signing config.

    Makes the developer policies and the permissions boundary of ``constructs_pkg.guardrails`` as
    ``AWS::IAM::ManagedPolicy`` on the L1: CloudFormation finds drift in those, but not in the inline policies that CDK
    makes for a role, and no feature flag of the user rewrites them. Their names are fixed, because the documents
    protect themselves by name.

    What it does not do: attach a service control policy, which belongs to the management account; its documents are in
    ``service_control_policies``. A managed policy binds only who has it: give it to every developer role, and the
    boundary to every role that a pipeline or CloudFormation deploys with.

    Args:
        scope: The parent construct; its account must be that of the intent.
        construct_id: Id within the scope.
        intent: What the developers may do; account, partition and configs may be tokens.

    Attributes:
        intent: As it was given.
        developer_policies: The managed policies for people, one or several; attach all of them.
        permissions_boundary: The managed policy for pipelines' and CloudFormation's roles.
        service_control_policies: The documents for AWS Organizations, which are not part of the template.
        sizes: How large each document is, against its limit.

    Raises:
        GuardrailError: A document outgrows its limit even when it is compacted and split.
        ConstructError: Another guardrail of this App has the same policy names in the same account, or the stack is
            known to be in another account than the intent.
    """

    def __init__(self, scope: Construct, construct_id: str, *, intent: GuardrailIntent) -> None:
        documents, boundary = developer_policies(intent), permissions_boundary(intent)
        control = service_control_policies(intent)
        _require_account(scope, intent)
        super().__init__(scope, construct_id)
        claim_name(
            self, "policy name", intent.boundary_name, "Declare one guardrail for each application, account and Region"
        )
        self.intent = intent
        self.service_control_policies = control
        self.developer_policies = tuple(
            self._managed_policy(
                f"DeveloperPolicy{number}",
                intent.developer_policy_name(number),
                document,
                f"{intent.application}: what developers may do with Lambda and its code signing ({number})",
            )
            for number, document in enumerate(documents, start=1)
        )
        self.permissions_boundary = self._managed_policy(
            "PermissionsBoundary",
            intent.boundary_name,
            boundary,
            f"{intent.application}: the most that a pipeline or CloudFormation may do",
        )
        self.sizes = (
            *_sizes("developer policy", MANAGED_POLICY, documents, intent.developer_policy_name),
            *_sizes("permissions boundary", PERMISSIONS_BOUNDARY, (boundary,), lambda _number: intent.boundary_name),
            *_sizes("service control policy", SERVICE_CONTROL_POLICY, control, intent.service_control_policy_name),
        )

    def attach_to(self, role: iam.Role) -> None:
        """Attach the developer policies to a role that people assume.

        Args:
            role: A role of this App, in the account of the guardrail.
        """
        for number, policy in enumerate(self.developer_policies, start=1):
            role.add_managed_policy(
                iam.ManagedPolicy.from_managed_policy_arn(self, f"{role.node.addr}-{number}", policy.attr_policy_arn)
            )

    def bound(self, role: iam.Role) -> None:
        """Put the permissions boundary on a role that a pipeline deploys with.

        Args:
            role: A role of this App, in the account of the guardrail.
        """
        boundary = iam.ManagedPolicy.from_managed_policy_arn(
            self, f"{role.node.addr}-boundary", self.permissions_boundary.attr_policy_arn
        )
        iam.PermissionsBoundary.of(role).apply(boundary)

    def _managed_policy(
        self, construct_id: str, name: str, document: PolicyDocument, description: str
    ) -> iam.CfnManagedPolicy:
        return iam.CfnManagedPolicy(
            self,
            construct_id,
            managed_policy_name=name,
            description=description,
            policy_document=document.to_dict(),
        )


def _require_account(scope: Construct, intent: GuardrailIntent) -> None:
    account = cdk.Stack.of(scope).account
    if cdk.Token.is_unresolved(account) or cdk.Token.is_unresolved(intent.account) or account == intent.account:
        return
    raise ConstructError(
        f"intent.account={intent.account} is not the account of the stack, {account}. "
        "A managed policy binds roles of its own account: declare the guardrail there"
    )


def _sizes(
    kind: str, limit: Limit, documents: tuple[PolicyDocument, ...], name: Callable[[int], str]
) -> tuple[DocumentSize, ...]:
    return tuple(
        DocumentSize(
            kind=kind, name=name(number), characters=limit.size_of(document), limit_characters=limit.max_characters
        )
        for number, document in enumerate(documents, start=1)
    )
