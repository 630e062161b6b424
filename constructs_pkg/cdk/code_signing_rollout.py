"""Code signing in every account of an organization: one StackSet a wave, in the order of the waves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.cdk.member_baseline import MOST_RESOURCES_ACCOUNT_WIDE, MemberApplication, MemberBaseline
from constructs_pkg.cdk.publishers import Publisher, publisher_arns
from constructs_pkg.cdk.rollout_target import OperationPreferences, PermissionModel, RolloutTarget
from constructs_pkg.cdk.stack_set_template import LIMITS, StackSetTemplate, TemplateRoad
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import MemberAccount
from constructs_pkg.organization.rollout import quota_problems

__all__ = ["CodeSigningRollout", "RolloutApplication", "RolloutStackSet", "RolloutWave"]


@dataclass(frozen=True, kw_only=True)
class RolloutApplication:
    """One application, and whose code its configs accept.

    Attributes:
        member: What it is in a member account.
        publishers: 1 to 20 signing profile versions, which may be tokens.
        part: Which of a wave's StackSets it is in.
    """

    member: MemberApplication
    publishers: Sequence[Publisher]
    part: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutWave:
    """Accounts that are changed together.

    Attributes:
        name: Part of the StackSets' names: letters, digits and ``-``.
        mode: What happens to untrusted code there.
        target: Where.
        preferences: How fast.
    """

    name: str
    mode: Literal["Warn", "Enforce"]
    target: RolloutTarget
    preferences: OperationPreferences = field(default_factory=OperationPreferences)


@dataclass(frozen=True, kw_only=True)
class RolloutStackSet:
    """One StackSet as it was declared.

    Attributes:
        name: Its name.
        wave: Its wave.
        part: Which part of the applications.
        l1: The resource.
        template: The template, which all waves of a part share.
        baseline: What is in the template.
    """

    name: str
    wave: RolloutWave
    part: int
    l1: cdk.CfnStackSet
    template: StackSetTemplate
    baseline: MemberBaseline


class CodeSigningRollout(Construct):
    """Puts a ``MemberBaseline`` into member accounts, wave by wave.

    One StackSet for each wave (and part of the applications), so that an account that joins a unit later gets the mode
    of its wave: automatic deployments know no parameter overrides. Each waits for the one of the wave before, in this
    stack's deployments and in automatic ones. Stacks are retained where an account leaves its unit and where this
    construct is deleted: taking code signing away must be somebody's decision.

    What it does not do: make trusted access or register the delegated administrator (see the documentation), reach the
    management account with service-managed permissions, or know how many accounts are in a unit.

    Args:
        scope: A construct in a stack of the account that administers the StackSets, in the home Region.
        construct_id: Id within the scope.
        member: The names; its ``account`` is ``cdk.Aws.ACCOUNT_ID``.
        management_account: The 12 digits of the organization's management account, to which service-managed StackSets
            belong.
        waves: In order, at least one.
        applications: At least one; every wave gets all.
        iam_region: The Region whose stack makes what IAM has once an account; one of every wave's Regions.
        call_as: Whether the stack is in a delegated administrator or in the management account (``SELF``).
        template: How the StackSets get the template.

    Attributes:
        stack_sets: In the order of the waves.

    Raises:
        ConstructError: Waves contradict each other or a quota of CloudFormation; all problems at once.
        GuardrailError: A policy document outgrows IAM's limits.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        member: MemberAccount,
        management_account: str,
        waves: Sequence[RolloutWave],
        applications: Sequence[RolloutApplication],
        iam_region: str,
        call_as: Literal["DELEGATED_ADMIN", "SELF"] = "DELEGATED_ADMIN",
        template: TemplateRoad = "inline",
    ) -> None:
        parts = sorted({1, *(application.part for application in applications)})
        problems = list(_problems(waves, applications, iam_region, member, len(parts)))
        if problems:
            raise ConstructError("the rollout cannot be declared:\n" + "\n".join(f"  {one}" for one in problems))
        super().__init__(scope, construct_id)
        self._member = member
        self._management_account = management_account
        self._iam_region = iam_region
        self._call_as = call_as
        self._road: TemplateRoad = template
        self.stack_sets: list[RolloutStackSet] = []
        by_part = {part: [one for one in applications if one.part == part] for part in parts}
        templates = {part: self._template(part, ours) for part, ours in by_part.items()}
        for wave in waves:
            for part in parts:
                self._declare(wave, part, by_part[part], *templates[part])

    @property
    def problem(self) -> ConstructError | None:
        """Return why the synthesis of a template failed, None where none did."""
        return next((one.template.problem for one in self.stack_sets if one.template.problem), None)

    def _template(
        self, part: int, applications: Sequence[RolloutApplication]
    ) -> tuple[StackSetTemplate, MemberBaseline]:
        """Make the template of one part, which is the same for all waves: what differs is in its parameters."""
        scope = Construct(self, f"part-{part}")
        template = StackSetTemplate(scope, "Template", name=f"of part {part}", road=self._road)
        baseline = MemberBaseline(
            template,
            "Baseline",
            member=self._member,
            applications=[application.member for application in applications],
            account_wide=part == 1,
            large_templates=self._road == "s3",
        )
        return template, baseline

    def _declare(
        self,
        wave: RolloutWave,
        part: int,
        applications: Sequence[RolloutApplication],
        template: StackSetTemplate,
        baseline: MemberBaseline,
    ) -> None:
        name = f"{self._member.stack_set_prefix}{wave.name}" + (f"-part-{part}" if part > 1 else "")
        before = next((one for one in reversed(self.stack_sets) if one.part == part), None)
        scope = Construct(self, f"{wave.name}-{part}")
        values = {"Mode": wave.mode, "IamRegion": self._iam_region}
        for application in applications:
            arns = publisher_arns(self, application.publishers)
            values[application.member.publishers_parameter] = cdk.Fn.join(",", arns)
        resource = self._stack_set(scope, name, wave, template, values, before)
        if before is not None and wave.target.permission_model == "self-managed":
            resource.node.add_dependency(before.l1)  # the others refer to it in their AutoDeployment
        # Deleting this stack, or a wave from it, must not take code signing out of the accounts.
        resource.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self.stack_sets.append(
            RolloutStackSet(name=name, wave=wave, part=part, l1=resource, template=template, baseline=baseline)
        )

    def _stack_set(
        self,
        scope: Construct,
        name: str,
        wave: RolloutWave,
        template: StackSetTemplate,
        values: dict[str, str],
        before: RolloutStackSet | None,
    ) -> cdk.CfnStackSet:
        target, preferences = wave.target, wave.preferences
        service_managed = target.permission_model == "service-managed"
        is_inline = self._road == "inline"
        return cdk.CfnStackSet(
            scope,
            "StackSet",
            stack_set_name=name,
            permission_model="SERVICE_MANAGED" if service_managed else "SELF_MANAGED",
            description=f"Lambda code signing, wave {wave.name}: {wave.mode}",
            template_body=template.template_body if is_inline else None,
            template_url=None if is_inline else template.template_url,
            call_as=self._call_as if service_managed else None,
            auto_deployment=self._auto_deployment(before) if service_managed else None,
            administration_role_arn=None if service_managed else self._administration_role(),
            execution_role_name=None if service_managed else "AWSCloudFormationStackSetExecutionRole",
            managed_execution={"Active": True},
            capabilities=["CAPABILITY_NAMED_IAM"],
            operation_preferences=cdk.CfnStackSet.OperationPreferencesProperty(
                max_concurrent_percentage=preferences.max_concurrent_percentage,
                failure_tolerance_percentage=preferences.failure_tolerance_percentage,
                region_concurrency_type="PARALLEL" if preferences.regions_in_parallel else "SEQUENTIAL",
                region_order=None if preferences.regions_in_parallel else list(target.regions),
                concurrency_mode="SOFT_FAILURE_TOLERANCE"
                if preferences.soft_failure_tolerance
                else "STRICT_FAILURE_TOLERANCE",
            ),
            parameters=[
                cdk.CfnStackSet.ParameterProperty(parameter_key=key, parameter_value=value)
                for key, value in values.items()
            ],
            stack_instances_group=[
                cdk.CfnStackSet.StackInstancesProperty(
                    regions=list(target.regions), deployment_targets=target.deployment_targets()
                )
            ],
        )

    def _auto_deployment(self, before: RolloutStackSet | None) -> cdk.CfnStackSet.AutoDeploymentProperty:
        return cdk.CfnStackSet.AutoDeploymentProperty(
            enabled=True,
            retain_stacks_on_account_removal=True,
            depends_on=None if before is None else [self._arn_of(before)],
        )

    def _arn_of(self, stack_set: RolloutStackSet) -> str:
        """Return the ARN of a StackSet, which with service-managed permissions is the management account's."""
        partition, region = self._member.partition, cdk.Stack.of(self).region
        return f"arn:{partition}:cloudformation:{region}:{self._management_account}:stackset/{stack_set.l1.ref}"

    def _administration_role(self) -> str:
        account = cdk.Stack.of(self).account
        return f"arn:{self._member.partition}:iam::{account}:role/AWSCloudFormationStackSetAdministrationRole"


def _problems(
    waves: Sequence[RolloutWave],
    applications: Sequence[RolloutApplication],
    iam_region: str,
    member: MemberAccount,
    parts: int,
) -> Iterator[str]:
    if not waves:
        yield "there are no waves. Give at least one"
    if not applications:
        yield "there are no applications. Give at least one"
    yield from _too_many_resources(applications)
    models: set[PermissionModel] = {wave.target.permission_model for wave in waves}
    if len(models) > 1:
        yield f"the waves have {' and '.join(sorted(models))} targets. Use one permission model for all"
    names: set[str] = set()
    owners: dict[str, str] = {}
    for wave in waves:
        if wave.name in names:
            yield f"two waves are called {wave.name!r}. Name each once"
        names.add(wave.name)
        if iam_region not in wave.target.regions:
            yield f"iam_region={iam_region!r} is not among the Regions of the wave {wave.name}. Add it there"
        included = () if wave.target.account_filter == "DIFFERENCE" else wave.target.account_ids
        for place in (*(() if wave.target.account_filter == "INTERSECTION" else wave.target.units), *included):
            other = owners.setdefault(place, wave.name)
            if other != wave.name:
                yield f"{place} is in the waves {other} and {wave.name}. Leave it in one"
    sizes = [
        (f"{member.stack_set_prefix}{wave.name}", len(wave.target.units), _known_instances(wave))
        for wave in waves
        for _ in range(parts)
    ]
    yield from quota_problems(sizes, dependencies=[0] * min(parts, len(sizes)) + [1] * max(0, len(sizes) - parts))


def _too_many_resources(applications: Sequence[RolloutApplication]) -> Iterator[str]:
    """Tell which parts have more resources than one template takes; its bytes are known only once it is written."""
    most = LIMITS["Resources"]
    for part in sorted({application.part for application in applications}):
        ours = [application.member for application in applications if application.part == part]
        count = sum(member.resource_count for member in ours) + (MOST_RESOURCES_ACCOUNT_WIDE if part == 1 else 0)
        if count > most:
            fitting = (most - MOST_RESOURCES_ACCOUNT_WIDE) // max(member.resource_count for member in ours)
            yield (
                f"the {len(ours)} applications of part {part} have {count:,} resources; CloudFormation takes {most} in "
                f"a template. Divide them between {-(-len(ours) // fitting)} parts of at most {fitting} applications "
                "(part = 2 in their [[applications]] table): each part is a StackSet of its own"
            )


def _known_instances(wave: RolloutWave) -> int:
    """Count instances where the accounts are named; how many accounts a unit has, only AWS knows."""
    named = () if wave.target.account_filter == "DIFFERENCE" else wave.target.account_ids
    return len(named) * len(wave.target.regions)
