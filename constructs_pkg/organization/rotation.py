"""Rotation of signing profiles: the steps from one generation to the next, and what a step would strand.

A new generation is accepted by every config before it signs, and the old one leaves when nothing runs its code any
more. No step is skipped, because each is safe only once the one before has reached every account: a config that does
not know the new generation refuses its code, and one that has forgotten the old generation refuses the next deployment
of what still runs.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from constructs_pkg.errors import OrganizationError, Problem
from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.profile_checks import MOST_PUBLISHERS
from constructs_pkg.organization.running_code import RunningArtifact, RunningCode, read_running_code
from constructs_pkg.organization.tables import SigningProfile, profile_name
from constructs_pkg.plurals import counted

__all__ = ["Rotation", "RotationStep", "Stranded", "refuse_to_strand", "rotation_plan", "stranded"]

_MOST_TOLD = 50
"""How many stranded artifacts a refusal names before it counts."""

StepStatus = Literal["done", "now", "later", "blocked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationStep:
    """One step.

    Attributes:
        title: What it is, such as ``announce``.
        status: ``done``; ``now``; ``later``, after the ones before; ``blocked``, see ``reason``.
        change: What to write into the organization file, empty where nothing is written.
        commands: What to run, in order.
        reason: Why it is safe, or why it is blocked.
    """

    title: str
    status: StepStatus
    change: str
    commands: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """The rotation of one application's signing profile.

    Attributes:
        application: Its name.
        old: The generation that signs today, or that is leaving.
        new: The generation that comes, or that signs already.
        publishers: How many signing profile versions the config lists today.
        steps: All steps, in order.
    """

    application: str
    old: int
    new: int
    publishers: int
    steps: tuple[RotationStep, ...]

    @property
    def is_blocked(self) -> bool:
        """Tell whether the next step cannot be done."""
        return any(step.status == "blocked" for step in self.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stranded:
    """An artifact whose publisher the configs no longer accept: its next deployment would be refused.

    Attributes:
        application: The application that it belongs to.
        artifact: What runs.
    """

    application: str
    artifact: RunningArtifact


def stranded(organization: Organization, running: RunningCode) -> tuple[Stranded, ...]:
    """Return what runs although the organization file no longer accepts its publisher.

    An artifact belongs to the application whose guardrail has the function's name in its patterns, or else to the one
    whose signing profile signed it. What belongs to none (a vendor's function that no pattern matches) is not counted.

    Args:
        organization: A loaded organization.
        running: What runs.
    """
    accepted = {
        application.name: _accepted(organization, application.name) for application in organization.applications
    }
    owners = {profile.profile_name(organization): profile.application for profile in organization.signing_profiles}
    found: list[Stranded] = []
    for artifact in running.functions:
        publisher = artifact.publisher
        is_ours = publisher.account == organization.publisher_account
        application = _application_of(organization, artifact.function) or (
            owners.get(publisher.name) if is_ours else None
        )
        if application is None:
            continue
        name = publisher.name if is_ours else None
        if not (name in accepted[application] or artifact.profile_version_arn in accepted[application]):
            found.append(Stranded(application=application, artifact=artifact))
    return tuple(found)


def refuse_to_strand(organization: Organization, audit: Path, *, at: datetime) -> None:
    """Refuse an organization file that has retired or dropped a publisher whose code still runs.

    Args:
        organization: A loaded organization.
        audit: The audit file.
        at: The moment that the audit's age is measured at, aware.

    Raises:
        OrganizationError: Something would be stranded, or the audit proves nothing: it is not complete, or too old.
    """
    running = read_running_code(audit)
    problems = running.problems(at=at)
    if not problems:
        left = stranded(organization, running)
        problems = tuple(
            Problem(
                f"{one.artifact.account}/{one.artifact.region} {one.artifact.function} ({one.artifact.artifact})",
                f"it runs code of {one.artifact.profile_version_arn}, which {one.application} no longer accepts",
                'Deploy it again with code of the active generation, or write state = "retiring" until then',
            )
            for one in left[:_MOST_TOLD]
        )
        if len(left) > _MOST_TOLD:
            more = f"{counted(len(left) - _MOST_TOLD, 'more artifact')} would be stranded"
            problems = (*problems, Problem("functions", more, "'lambda-code-signing rotation plan --audit' lists all"))
    if problems:
        raise OrganizationError(str(audit), problems)


def rotation_plan(organization: Organization, running: RunningCode | None = None) -> tuple[Rotation, ...]:
    """Return the steps of each application's rotation, from where the organization file is now.

    What has been deployed is not known here: ``now`` says what the file makes possible, and each step names how to see
    that the one before has arrived everywhere.

    Args:
        organization: A loaded organization.
        running: What runs; without it, whether the old generation may leave is not known.
    """
    return tuple(_rotation(organization, application.name, running) for application in organization.applications)


def _rotation(organization: Organization, application: str, running: RunningCode | None) -> Rotation:
    profiles = organization.profiles_of(application)
    active = organization.active_profile_of(application)
    announced = [profile for profile in profiles if profile.state == "announced"]
    retiring = [profile for profile in profiles if profile.state == "retiring"]
    publishers = len(organization.publishers_of(application))
    if announced:
        phase, old, new = 2, active, announced[-1].generation
    elif retiring:
        phase, old, new = 4, retiring[0], active.generation
    else:
        phase, old, new = 1, active, max(profile.generation for profile in profiles) + 1
    steps = tuple(_steps(organization, old, new, phase, publishers, running))
    return Rotation(application=application, old=old.generation, new=new, publishers=publishers, steps=steps)


def _steps(
    organization: Organization,
    old: SigningProfile,
    new: int,
    phase: int,
    publishers: int,
    running: RunningCode | None,
) -> Iterator[RotationStep]:
    names = (profile_name(organization.name, old.application, generation) for generation in (old.generation, new))
    old_name, new_name = names
    configs = "cdk deploy CodeSigning CodeSigningRollout" if organization.waves else "cdk deploy CodeSigning"
    full = publishers >= MOST_PUBLISHERS
    made = [one for one in organization.profiles_of(old.application) if one.generation == new]
    validity = (made[0] if made else old).validity

    def status(number: int) -> StepStatus:
        return "done" if number < phase else "now" if number == phase else "later"

    yield RotationStep(
        title="announce",
        status="blocked" if phase == 1 and full else status(1),
        change=f'add generation {new} with validity = "{validity}" and state = "announced"',
        commands=("lambda-code-signing organization lock", "cdk deploy SigningAuthority"),
        reason=f"a config lists at most {MOST_PUBLISHERS} publishers, and this one has {publishers}: retire one first"
        if phase == 1 and full
        else f"{new_name} exists and nobody may sign with it",
    )
    yield RotationStep(
        title="accept",
        status=status(2),
        change=_version_change(organization, new_name),
        commands=(configs, *(("lambda-code-signing rollout status",) if organization.waves else ())),
        reason=f"every config accepts {new_name} before it signs; go on when every instance is current",
    )
    yield RotationStep(
        title="switch",
        status="now" if phase == 2 else status(3),
        change=f'write state = "active" for generation {new} and state = "retiring" for generation {old.generation}',
        commands=("cdk deploy SigningAuthority",),
        reason=f"{new_name} signs and {old_name} signs nothing new; code of both is accepted. Only after 'accept'",
    )
    users = None if running is None else _users(running, organization, old_name)
    yield RotationStep(
        title="overlap",
        status="later" if phase < 4 else "done" if users is not None and not users else "now",
        change="",
        commands=(
            "lambda-code-signing audit -o audit.json",
            "lambda-code-signing rotation plan --audit audit.json",
        ),
        reason=_overlap(old_name, users),
    )
    yield RotationStep(
        title="retire",
        status="later" if phase < 4 else "blocked" if users is None or users else "now",
        change=f'write state = "retired" for generation {old.generation}, and leave it in the file for ever',
        commands=("make synth AUDIT=audit.json", configs),
        reason=f"configs forget {old_name}, and nothing is stranded"
        if phase < 4 or (users is not None and not users)
        else "not before the audit file says that nothing runs its code",
    )


def _version_change(organization: Organization, new_name: str) -> str:
    if organization.publisher_account == organization.security_account:
        return ""
    return f"write the version of {new_name}, as the output of SigningAuthority shows it"


def _overlap(old_name: str, users: Counter[str] | None) -> str:
    if users is None:
        return f"deploy everything again that {old_name} signed; --audit tells what is left"
    if not users:
        return f"nothing runs code of {old_name}"
    accounts = ", ".join(f"{count} in {account}" for account, count in sorted(users.items()))
    number = counted(users.total(), "artifact still runs", "artifacts still run")
    return f"{number} code of {old_name}: {accounts}. Deploy what is left again"


def _users(running: RunningCode, organization: Organization, name: str) -> Counter[str]:
    """Count by account what runs code of a profile of ours."""
    return Counter(
        artifact.account
        for artifact in running.functions
        if artifact.publisher.name == name and artifact.publisher.account == organization.publisher_account
    )


def _accepted(organization: Organization, application: str) -> frozenset[str | None]:
    """Return the names of own profiles and the ARNs of external publishers that an application accepts."""
    own = {profile.profile_name(organization) for profile in organization.accepted_profiles_of(application)}
    external = organization.external_publishers_of(application)
    return frozenset({*own, *(str(publisher.profile_version_arn) for publisher in external)})


def _application_of(organization: Organization, function: str) -> str | None:
    """Return the application whose guardrail has a function's name in its patterns."""
    for guardrail in organization.developer_guardrails:
        if any(fnmatchcase(function, pattern) for pattern in guardrail.functions):
            return guardrail.application
    return None
