"""The StackSets of an organization as values: names, targets, Regions, applications, and CloudFormation's quotas."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.tables import Application

__all__ = [
    "MOST_DEPENDENCIES",
    "MOST_DEPENDENCIES_IN_ALL",
    "MOST_INSTANCES",
    "MOST_STACK_SETS",
    "MOST_UNITS",
    "PlannedStackSet",
    "is_deployable",
    "planned_stack_sets",
    "quota_problems",
]

MOST_STACK_SETS = 1_000
MOST_INSTANCES = 100_000
MOST_UNITS = 50
MOST_DEPENDENCIES = 10
MOST_DEPENDENCIES_IN_ALL = 100
"""StackSets an administrator has, instances a StackSet has, units an operation names, StackSets that one waits for, and
such dependencies in all (User Guide, "CloudFormation quotas", "Managing automatic deployments")."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStackSet:
    """One StackSet: one wave, one part of the applications.

    Attributes:
        name: Its name.
        wave: The wave's name.
        part: The part of the applications, from 1.
        mode: ``Warn`` or ``Enforce``.
        unit_ids: The ids of the organizational units.
        accounts: The ids of the accounts of the organization file that it reaches; AWS may know more.
        regions: In the order in which it goes through them.
        applications: Names.
        waits_for: The StackSet that comes before it, None for a first one.
    """

    name: str
    wave: str
    part: int
    mode: Literal["Warn", "Enforce"]
    unit_ids: tuple[str, ...]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    applications: tuple[str, ...]
    waits_for: str | None

    @property
    def known_instances(self) -> int:
        """Return how many instances it has in the accounts of the organization file."""
        return len(self.accounts) * len(self.regions)


def is_deployable(organization: Organization, application: Application) -> bool:
    """Tell whether a version of any publisher of an application can be known: without one there is no config.

    Where the security account owns the profiles, their versions come through SSM; otherwise the file records them.
    """
    if organization.external_publishers_of(application.name):
        return True
    accepted = organization.accepted_profiles_of(application.name)
    return organization.publisher_account == organization.security_account or any(
        profile.version is not None for profile in accepted
    )


def planned_stack_sets(organization: Organization) -> tuple[PlannedStackSet, ...]:
    """Return the StackSets in the order of their waves.

    Applications without a known publisher are left out; a part that has no application left is, too. The management
    account is never reached by a StackSet with service-managed permissions.

    Args:
        organization: A loaded organization.
    """
    ready = [one for one in organization.applications if is_deployable(organization, one)]
    parts = sorted({1, *(application.part for application in ready)})
    self_managed = organization.rollout.permission_model == "self-managed"
    plans: list[PlannedStackSet] = []
    last: dict[int, str] = {}
    for wave in organization.waves:
        accounts = [account.id for account in organization.accounts_of(wave)]
        if not self_managed:
            accounts = [account for account in accounts if account != organization.management_account]
        for part in parts:
            name = organization.stack_set_name(wave, part)
            plan = PlannedStackSet(
                name=name,
                wave=wave.name,
                part=part,
                mode=wave.mode,
                unit_ids=tuple(organization.organizational_unit(unit).id for unit in wave.organizational_units),
                accounts=tuple(accounts),
                regions=organization.region_order_of(wave),
                applications=tuple(application.name for application in ready if application.part == part),
                waits_for=last.get(part),
            )
            last[part] = name
            plans.append(plan)
    return tuple(plans)


def quota_problems(stack_sets: Sequence[tuple[str, int, int]], *, dependencies: Sequence[int]) -> Iterator[str]:
    """Yield which of CloudFormation's quotas StackSets would break, with the numbers and how to split.

    Args:
        stack_sets: Name, number of units and number of known instances of each.
        dependencies: For each, how many others it waits for.
    """
    if len(stack_sets) > MOST_STACK_SETS:
        yield (
            f"{len(stack_sets):,} StackSets; an administrator has {MOST_STACK_SETS:,}. Have fewer waves, or fewer parts"
        )
    for (name, units, instances), waits in zip(stack_sets, dependencies, strict=True):
        if units > MOST_UNITS:
            yield (
                f"{name} names {units} organizational units; an operation names {MOST_UNITS}. Name their parent, "
                f"or divide them between {-(-units // MOST_UNITS)} waves"
            )
        if instances > MOST_INSTANCES:
            yield (
                f"{name} has {instances:,} instances; a StackSet has {MOST_INSTANCES:,}. Divide its units between "
                f"{-(-instances // MOST_INSTANCES)} waves, or have fewer Regions"
            )
        if waits > MOST_DEPENDENCIES:
            yield f"{name} waits for {waits} StackSets; AutoDeployment.DependsOn has at most {MOST_DEPENDENCIES}"
    if sum(dependencies) > MOST_DEPENDENCIES_IN_ALL:
        yield (
            f"{sum(dependencies)} dependencies between StackSets; an account has {MOST_DEPENDENCIES_IN_ALL}. "
            "Have fewer waves, or fewer parts"
        )
