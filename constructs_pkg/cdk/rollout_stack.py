"""The stack that rolls an organization's code signing out: its StackSets and the central event bus."""

import aws_cdk as cdk
from constructs import Construct

from constructs_pkg.cdk.code_signing_event_bus import CodeSigningEventBus
from constructs_pkg.cdk.code_signing_rollout import CodeSigningRollout, RolloutApplication, RolloutWave
from constructs_pkg.cdk.known_publishers import KnownPublishers
from constructs_pkg.cdk.member_baseline import MemberApplication
from constructs_pkg.cdk.member_watch import MemberWatch
from constructs_pkg.cdk.rollout_target import OperationPreferences, RolloutTarget
from constructs_pkg.errors import ConstructError
from constructs_pkg.guardrails import GuardrailIntent
from constructs_pkg.organization import Organization, Wave
from constructs_pkg.organization.rollout import is_deployable, planned_stack_sets, quota_problems
from constructs_pkg.organization_guardrails import guardrail_intent, member_account

__all__ = ["CodeSigningRolloutStack", "PublisherWatchStack"]


class CodeSigningRolloutStack(cdk.Stack):
    """The waves of an organization file, in the security account and the home Region.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization with at least one wave.

    Attributes:
        event_bus: Where member accounts report to.
        rollout: The StackSets.

    Raises:
        ConstructError: A quota of CloudFormation would be broken, or no application has a known publisher.
        GuardrailError: A policy document outgrows IAM's limits.
    """

    def __init__(self, scope: Construct, construct_id: str, *, organization: Organization) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-code-signing-rollout",
            description=f"StackSets that carry the code signing of {organization.name} into member accounts",
            env=cdk.Environment(account=organization.security_account, region=organization.home_region),
            termination_protection=True,
        )
        _check_quotas(organization)
        member = member_account(organization, account=cdk.Aws.ACCOUNT_ID)
        publishers = KnownPublishers(self, organization=organization)
        self.event_bus = CodeSigningEventBus(self, "EventBus", member=member)
        if organization.publisher_account == organization.security_account:
            own = member_account(organization, account=self.account)
            # Profiles are cancelled, revoked and shared where they are, which no member account hears of.
            MemberWatch(self, "Watch", member=own).node.add_dependency(self.event_bus)
        in_management = organization.security_account == organization.management_account
        self.rollout = CodeSigningRollout(
            self,
            "Rollout",
            member=member,
            management_account=organization.management_account,
            waves=[_wave(wave, organization) for wave in organization.waves],
            applications=[
                RolloutApplication(
                    member=MemberApplication(name=application.name, intent=_intent(application.name, organization)),
                    publishers=publishers.of(application),
                    part=application.part,
                )
                for application in organization.applications
                if is_deployable(organization, application)
            ],
            iam_region=organization.iam_region,
            call_as="SELF" if in_management else "DELEGATED_ADMIN",
            template=organization.rollout.template,
        )
        for stack_set in self.rollout.stack_sets:
            stack_set.l1.node.add_dependency(self.event_bus)  # EventBridge looks whether a rule's target is there


class PublisherWatchStack(cdk.Stack):
    """Tells the security account what happens to the signing profiles in a publisher account of its own.

    Args:
        scope: The App or Stage.
        construct_id: Id within the scope.
        organization: A loaded organization whose publisher account is not its security account.
    """

    def __init__(self, scope: Construct, construct_id: str, *, organization: Organization) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=f"{organization.name}-publisher-watch",
            description=f"Forwards what happens to the signing profiles of {organization.name}",
            env=cdk.Environment(account=organization.publisher_account, region=organization.home_region),
            termination_protection=True,
        )
        MemberWatch(self, "Watch", member=member_account(organization, account=self.account))


def _check_quotas(organization: Organization) -> None:
    """Check what the accounts of the file tell about quotas; the construct knows only organizational units."""
    plans = planned_stack_sets(organization)
    sizes = [(plan.name, len(plan.unit_ids), plan.known_instances) for plan in plans]
    problems = list(quota_problems(sizes, dependencies=[int(plan.waits_for is not None) for plan in plans]))
    if problems:
        raise ConstructError("the rollout breaks quotas:\n" + "\n".join(f"  {one}" for one in problems))


def _intent(application: str, organization: Organization) -> GuardrailIntent | None:
    if organization.guardrail_of(application) is None:
        return None
    first, *others = organization.target_regions
    return guardrail_intent(
        organization,
        application,
        account=cdk.Aws.ACCOUNT_ID,
        region=first,
        other_regions=others,
        approved_configs=(),
    )


def _wave(wave: Wave, organization: Organization) -> RolloutWave:
    preferences = wave.preferences
    regions = organization.region_order_of(wave)
    if organization.rollout.permission_model == "self-managed":
        accounts = [account.id for account in organization.accounts_of(wave)]
        if not accounts:
            raise ConstructError(
                f"the wave {wave.name!r} has no accounts: with self-managed permissions a StackSet knows no "
                "organizational units. Add the accounts of its units to [[accounts]]"
            )
        target = RolloutTarget.accounts(accounts, regions=regions)
    else:
        units = [organization.organizational_unit(unit).id for unit in wave.organizational_units]
        target = RolloutTarget.organizational_units(units, regions=regions)
    return RolloutWave(
        name=wave.name.replace("_", "-"),
        mode=wave.mode,
        target=target,
        preferences=OperationPreferences(
            max_concurrent_percentage=preferences.max_concurrent_percentage,
            failure_tolerance_percentage=preferences.failure_tolerance_percentage,
            regions_in_parallel=preferences.regions_in_parallel,
        ),
    )
