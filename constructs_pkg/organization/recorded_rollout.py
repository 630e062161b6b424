"""What the ledger remembers of a rollout: where each unit and application is, so that none is moved in one step.

The StackSets of two waves, or of two parts, make policies, roles and parameters of the same names in an account. What
moves from one to the other meets names that are taken, and a StackSet is made anew where its name or its permission
model changes (both are create-only: ``AWS::CloudFormation::StackSet`` in cfn-lint 1.58). What is recorded was declared;
whether it was deployed, only AWS knows, so that each entry can be forgotten by its key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from constructs_pkg.errors import Problem
from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.rollout import is_deployable, planned_stack_sets

__all__ = ["RecordedRollout", "declared_rollout", "left_units", "rollout_problems"]

_FORGET = "lambda-code-signing organization lock --forget"


@dataclass(frozen=True, slots=True)
class RecordedRollout:
    """Where everything was declared to be rolled out; None and what is missing was never declared.

    Attributes:
        home_region: The Region of the profiles, of the StackSets and of the event bus.
        permission_model: ``service-managed`` or ``self-managed``.
        units: The name of the StackSet (of the first part) by the id of the organizational unit.
        parts: The part by the name of the application.
    """

    home_region: str | None = None
    permission_model: str | None = None
    units: Mapping[str, str] = field(default_factory=dict[str, str])
    parts: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def keys(self) -> tuple[str, ...]:
        """Return what is recorded, by the keys that ``without`` takes, such as ``home_region`` and ``units.ID``."""
        single = ("home_region", "permission_model")
        return (
            *(key for key in single if getattr(self, key) is not None),
            *(f"units.{unit}" for unit in sorted(self.units)),
            *(f"parts.{application}" for application in sorted(self.parts)),
        )

    def without(self, key: str) -> "RecordedRollout":
        """Return the record without one of its ``keys``.

        Raises:
            KeyError: It is not recorded.
        """
        if key not in self.keys:
            raise KeyError(key)
        table, _, name = key.partition(".")
        if table == "units":
            return replace(self, units={unit: self.units[unit] for unit in self.units if unit != name})
        if table == "parts":
            return replace(self, parts={one: self.parts[one] for one in self.parts if one != name})
        return replace(self, home_region=None) if key == "home_region" else replace(self, permission_model=None)

    def added_to(self, other: "RecordedRollout") -> "RecordedRollout":
        """Return the other record with what this one has besides; nothing of the other is overwritten."""
        return RecordedRollout(
            home_region=other.home_region or self.home_region,
            permission_model=other.permission_model or self.permission_model,
            units={**self.units, **other.units},
            parts={**self.parts, **other.parts},
        )


def declared_rollout(organization: Organization) -> RecordedRollout:
    """Return what an organization declares; of waves only what has a StackSet (some publisher's version is known)."""
    if not organization.waves or not any(is_deployable(organization, one) for one in organization.applications):
        return RecordedRollout(home_region=organization.home_region)
    plans = planned_stack_sets(organization)
    return RecordedRollout(
        home_region=organization.home_region,
        permission_model=organization.rollout.permission_model,
        units={unit: plan.name for plan in plans if plan.part == 1 for unit in plan.unit_ids},
        parts={application: plan.part for plan in plans for application in plan.applications},
    )


def rollout_problems(organization: Organization, recorded: RecordedRollout) -> tuple[Problem, ...]:
    """Return where an organization moves what was rolled out; a unit that is in no wave any more is not moved."""
    declared = declared_rollout(organization)
    return (
        *_single_problems(declared, recorded),
        *_moved_units(organization, declared, recorded),
        *_moved_applications(organization, declared, recorded),
    )


def left_units(organization: Organization, recorded: RecordedRollout) -> Iterator[Problem]:
    """Yield a warning for each unit that was rolled out and is in no wave now: something of it is still there."""
    units = declared_rollout(organization).units
    for unit, stack_set in sorted(recorded.units.items()):
        if unit in units:
            continue
        what = (
            "the next deployment deletes its stacks, which fails where a function still has a config"
            if stack_set in units.values()
            else "the wave is gone, too, so that the StackSet and its stacks stay"
        )
        yield Problem(
            "waves",
            f"the unit {unit} was rolled out by {stack_set} and is in no wave now: {what}",
            f"Once nothing is left in its accounts, run '{_FORGET} units.{unit}'",
        )


def _single_problems(declared: RecordedRollout, recorded: RecordedRollout) -> Iterator[Problem]:
    old, new = recorded.home_region, declared.home_region
    if old is not None and old != new:
        yield Problem(
            "organization.home_region",
            f"{new!r} is not the recorded {old!r}: the signing profiles, the StackSets and the event bus are there, "
            "and names of roles and policies that would be made anew are taken",
            f"Write {old!r} again. If nothing was ever deployed, run '{_FORGET} home_region'",
        )
    old, new = recorded.permission_model, declared.permission_model
    if old is not None and new is not None and old != new:
        yield Problem(
            "rollout.permission_model",
            f"{new!r} is not the recorded {old!r}: CloudFormation would make the StackSets anew, under names that are "
            "taken",
            f"Write {old!r} again. If the StackSets are gone or never were, run '{_FORGET} permission_model'",
        )


def _moved_units(organization: Organization, declared: RecordedRollout, recorded: RecordedRollout) -> Iterator[Problem]:
    names = {unit.id: unit.name for unit in organization.organizational_units}
    ours = f"{organization.name}-"  # an organization that was renamed is refused for its profiles' names, once
    for index, wave in enumerate(organization.waves):
        stack_set = organization.stack_set_name(wave)
        for unit in (organization.organizational_unit(name).id for name in wave.organizational_units):
            old = recorded.units.get(unit, stack_set)
            if unit not in declared.units or old == stack_set or not old.startswith(ours):
                continue
            yield Problem(
                f"waves[{index}].organizational_units ({wave.name})",
                f"the unit {names[unit]!r} was rolled out by the StackSet {old}; {stack_set} would meet policies and "
                "roles whose names are taken in its accounts",
                "Leave it in its wave, and the wave its name. To move it: take it out of every wave, deploy, delete "
                f"what is left in its accounts, run '{_FORGET} units.{unit}', put it in, deploy",
            )


def _moved_applications(
    organization: Organization, declared: RecordedRollout, recorded: RecordedRollout
) -> Iterator[Problem]:
    for index, application in enumerate(organization.applications):
        old, new = recorded.parts.get(application.name), declared.parts.get(application.name)
        if old is None or new is None or old == new:
            continue
        yield Problem(
            f"applications[{index}].part ({application.name})",
            f"{new} is not the recorded {old}: the StackSets of the other part would meet policies and parameters "
            "whose names are taken",
            f"Write part = {old}, and another part for applications that were never rolled out. If this one never "
            f"was, run '{_FORGET} parts.{application.name}'",
        )
