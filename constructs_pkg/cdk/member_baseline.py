"""What lands in each member account and Region: configs, guardrails, roles, parameters, rules and an alarm."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_pkg.cdk.developer_guardrail import DocumentSize
from constructs_pkg.cdk.member_watch import MemberWatch
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import (
    MANAGED_POLICY,
    PERMISSIONS_BOUNDARY,
    GuardrailIntent,
    MemberAccount,
    PolicyDocument,
    TrustPolicy,
    application_developer_policies,
    auditor_policies,
    permissions_boundary,
    regional_developer_policy,
    remediator_policies,
    shared_developer_policies,
)

__all__ = ["MOST_RESOURCES_ACCOUNT_WIDE", "MemberApplication", "MemberBaseline"]

MOST_RESOURCES_ACCOUNT_WIDE = 16
"""How many resources a baseline has besides those of its applications, at most; a test counts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberApplication:
    """One application in member accounts.

    Attributes:
        name: The application's name.
        intent: What its developers may do in any member account: ``account`` is ``cdk.Aws.ACCOUNT_ID``, ``regions`` are
            all Regions of the rollout, ``approved_configs`` is empty. None: no guardrail.
    """

    name: str
    intent: GuardrailIntent | None

    @property
    def resource_count(self) -> int:
        """Return how many resources it has in a template, at least: a config, three parameters, three policies."""
        return 4 if self.intent is None else 7

    @property
    def logical_id(self) -> str:
        """Return what the logical ids of its resources begin with: ``check-out`` gives ``CheckOut``."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def publishers_parameter(self) -> str:
        """Return the template's parameter for the publishers: ``check-out`` gives ``CheckOutPublishers``."""
        return f"{self.logical_id}Publishers"


class MemberBaseline(Construct):
    """Code signing of one member account in one Region, made for a ``StackSetTemplate``.

    For each application: a code signing config with its policy written out, SSM parameters with the config's ARN, mode
    and publishers, and the guardrail of its developers. A developer policy for all applications, one for each
    application, and one for each application and Region; the last and the permissions boundary name this account's
    config by ``GetAtt``. Once an account and Region: rules that forward tampering to the central event bus, and an
    alarm. Once an account, in the Region of the parameter ``IamRegion``: what IAM has but once, among it the roles of
    the drift remediation and of the audit.

    What differs between accounts and waves is a parameter of the template: ``Mode``, ``IamRegion`` and, for each
    application, its publishers.

    Args:
        scope: A ``StackSetTemplate``, or any stack.
        construct_id: Id within the scope.
        member: The names; ``account`` is ``cdk.Aws.ACCOUNT_ID``.
        applications: What gets a config here.
        account_wide: Whether roles, rules, alarm and the shared developer policy are made here: in the first part of a
            rollout that has several.
        large_templates: Whether the template may have more than the 51,200 bytes that a request takes.

    Attributes:
        configs: The configs by application.
        sizes: How large each policy document is, against its limit.
        policies_a_developer_has: How many managed policies a developer's role has in the end; IAM takes ten.

    Raises:
        GuardrailError: A document outgrows its limit.
        ConstructError: A developer would need more than ten policies, or two applications give one parameter name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        member: MemberAccount,
        applications: Sequence[MemberApplication],
        account_wide: bool = True,
        large_templates: bool = False,
    ) -> None:
        _check_parameter_names(applications)
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._member = member
        self._region = cdk.Aws.REGION  # asked for once: each time is a call of Node.js
        self._mode = cdk.CfnParameter(
            stack, "Mode", allowed_values=["Warn", "Enforce"], description="What happens to code that nobody trusts"
        )
        self._iam_region = cdk.CfnParameter(
            stack, "IamRegion", description="The one Region whose stack makes what IAM has once an account"
        )
        self._in_iam_region = cdk.CfnCondition(
            stack, "InIamRegion", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, self._iam_region)
        )
        self.sizes: list[DocumentSize] = []
        self.policies_a_developer_has = 0
        self.configs = {application.name: self._declare(application) for application in applications}
        if account_wide:
            remediator = remediator_policies(member, large_templates=large_templates)
            self._account_wide([one.intent for one in applications if one.intent is not None], remediator)
        _shorten_logical_ids(self)

    def _declare(self, application: MemberApplication) -> lambda_.CfnCodeSigningConfig:
        scope = Construct(self, application.logical_id)
        publishers = cdk.CfnParameter(
            cdk.Stack.of(self),
            application.publishers_parameter,
            type="CommaDelimitedList",
        )
        config = lambda_.CfnCodeSigningConfig(
            scope,
            "Config",
            allowed_publishers=lambda_.CfnCodeSigningConfig.AllowedPublishersProperty(
                signing_profile_version_arns=publishers.value_as_list
            ),
            code_signing_policies=lambda_.CfnCodeSigningConfig.CodeSigningPoliciesProperty(
                untrusted_artifact_on_deployment=self._mode.value_as_string
            ),
            description=f"{self._member.prefix}: code of {application.name}",
        )
        path = f"/lambda-code-signing/code-signing-configs/{application.name}"
        _parameter(scope, "Arn", f"{path}/arn", config.attr_code_signing_config_arn)
        _parameter(scope, "ModeParameter", f"{path}/mode", self._mode.value_as_string)
        listed = cdk.Fn.join(",", publishers.value_as_list)
        _parameter(scope, "PublishersParameter", f"{path}/publishers", listed, kind="StringList")
        if application.intent is not None:
            self._guard(scope, application.intent, config.attr_code_signing_config_arn)
        return config

    def _guard(self, scope: Construct, intent: GuardrailIntent, config_arn: str) -> None:
        here = replace(intent, regions=(self._region,), sibling_regions=(), approved_configs=(config_arn,))
        documents = application_developer_policies(intent)
        shared = shared_developer_policies(intent)
        attached = len(shared) + len(documents) + len(intent.regions)
        self.policies_a_developer_has = max(self.policies_a_developer_has, attached)
        if attached > MANAGED_POLICY.max_documents:
            raise ConstructError(
                f"developers of {intent.application} would need {attached} managed policies in {len(intent.regions)} "
                f"Regions ({len(shared)} shared, {len(documents)} of the application, one a Region), and IAM attaches "
                f"{MANAGED_POLICY.max_documents} to a role. Roll out to at most "
                f"{MANAGED_POLICY.max_documents - len(shared) - len(documents)} Regions, or have two organization files"
            )
        for number, document in enumerate(documents, start=1):
            name = intent.application_developer_policy_name(number)
            self._once(self._policy(scope, f"DeveloperPolicy{number}", name, document, "developer policy"))
        self._policy(
            scope,
            "RegionalPolicy",
            here.regional_developer_policy_name,
            regional_developer_policy(here),
            "developer policy",
        )
        self._policy(scope, "Boundary", here.boundary_name, permissions_boundary(here), "permissions boundary")

    def _account_wide(self, intents: Sequence[GuardrailIntent], remediator: Sequence[PolicyDocument]) -> None:
        member = self._member
        if intents:
            # The shared statements are the same for every application: they use what the organization has once.
            for number, document in enumerate(shared_developer_policies(intents[0]), start=1):
                name = intents[0].shared_developer_policy_name(number)
                self._once(self._policy(self, f"SharedPolicy{number}", name, document, "shared developer policy"))
        self._role("Remediator", member.remediator_role, member.remediator_trust, remediator)
        self._role("Auditor", member.auditor_role, member.auditor_trust, auditor_policies(member))
        MemberWatch(self, "Watch", member=member)

    def _role(self, construct_id: str, name: str, trust: TrustPolicy, documents: Sequence[PolicyDocument]) -> None:
        policies = [
            self._once(
                self._policy(
                    self,
                    f"{construct_id}Policy{number}",
                    self._member.policy_name(construct_id.lower(), number),
                    document,
                    f"{construct_id.lower()} policy",
                )
            )
            for number, document in enumerate(documents, start=1)
        ]
        role = iam.CfnRole(
            self,
            f"{construct_id}Role",
            role_name=name,
            description=f"{self._member.prefix}: code signing, {construct_id.lower()}",
            assume_role_policy_document=trust.to_dict(),
            managed_policy_arns=[policy.ref for policy in policies],
            max_session_duration=3600,
        )
        role.cfn_options.condition = self._in_iam_region

    def _once(self, policy: iam.CfnManagedPolicy) -> iam.CfnManagedPolicy:
        policy.cfn_options.condition = self._in_iam_region
        return policy

    def _policy(
        self, scope: Construct, construct_id: str, name: str, document: PolicyDocument, kind: str
    ) -> iam.CfnManagedPolicy:
        limit = PERMISSIONS_BOUNDARY if kind == "permissions boundary" else MANAGED_POLICY
        shown = name.replace(self._region, "REGION")
        size = DocumentSize(
            kind=kind, name=shown, characters=limit.size_of(document), limit_characters=limit.max_characters
        )
        self.sizes.append(size)
        return iam.CfnManagedPolicy(scope, construct_id, managed_policy_name=name, policy_document=document.to_dict())


def _parameter(scope: Construct, construct_id: str, name: str, value: str, *, kind: str = "String") -> None:
    ssm.CfnParameter(scope, construct_id, name=name, type=kind, value=value)


def _check_parameter_names(applications: Sequence[MemberApplication]) -> None:
    first: dict[str, str] = {}
    for application in applications:
        other = first.setdefault(application.publishers_parameter, application.name)
        if other != application.name:
            raise ConstructError(
                f"the applications {other!r} and {application.name!r} both give the template parameter "
                f"{application.publishers_parameter}, because parameters have letters and digits only. Rename one"
            )


def _shorten_logical_ids(baseline: MemberBaseline) -> None:
    """Leave the construct's own id and CDK's hash away: a template has one baseline, and every byte of it counts."""
    for construct in baseline.node.find_all():
        if isinstance(construct, cdk.CfnElement):
            path = construct.node.path.removeprefix(f"{baseline.node.path}/")
            construct.override_logical_id(path.replace("/", ""))
