"""What is allowed in an organization file and still worth a second look; nothing here stops a deployment."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache

from constructs_pkg.errors import Problem
from constructs_pkg.organization.lock import ProfileLock, unrecorded_profiles, unrecorded_rollout
from constructs_pkg.organization.model import Organization
from constructs_pkg.organization.recorded_rollout import left_units
from constructs_pkg.plurals import counted
from constructs_pkg.regions import partition_of_region
from constructs_pkg.runtime.drift.expectations import IAM_REGIONS

__all__ = ["SOON", "warnings_of"]

SOON = timedelta(days=30)
"""How long before its date an exemption or a review is warned of."""


def warnings_of(organization: Organization, *, at: datetime, lock: ProfileLock | None = None) -> tuple[Problem, ...]:
    """Return everything that deserves a second look, table by table.

    Args:
        organization: A loaded organization.
        at: The moment that dates are compared with, aware.
        lock: The ledger; without it, nothing is said about what it lacks.
    """
    today = at.astimezone(UTC).date()
    return (
        *_accounts(organization),
        *_applications(organization),
        *_profiles(organization, lock),
        *_publishers(organization, today),
        *_waves(organization, lock),
        *_regions(organization),
        *_rolled_out(organization, lock),
        *_exemptions(organization, today),
        *_notifications(organization),
    )


def _accounts(organization: Organization) -> Iterator[Problem]:
    if organization.security_account == organization.management_account and organization.accounts:
        yield Problem(
            "organization.security_account",
            f"{organization.security_account} is the management account, too, which no service control policy binds",
            "Make another account the delegated administrator",
        )


def _applications(organization: Organization) -> Iterator[Problem]:
    for index, application in enumerate(organization.applications):
        where = f"applications[{index}] ({application.name})"
        signers = application.signers
        if not (signers.accounts or signers.roles or signers.oidc_role):
            yield Problem(
                f"applications[{index}].signers ({application.name})",
                f"nobody outside of the account {organization.publisher_account} may sign for {application.name!r}",
                "Name accounts, roles or an oidc_role, unless its code is signed in that account",
            )
        if application.mode == "Warn":
            yield Problem(
                f"applications[{index}].mode ({application.name})",
                f"the central config of {application.name!r} only warns: untrusted code is deployed",
                'Leave the key away, or write mode = "Enforce", once nothing is warned of any more',
            )
        ours = organization.drift_remediation
        if organization.guardrail_of(application.name) is None and (
            ours is None or ours.application != application.name
        ):
            yield Problem(
                where,
                f"{application.name!r} has no guardrail: nothing keeps its developers from unsigned functions",
                "Add a [[developer_guardrails]] for it",
            )


def _profiles(organization: Organization, lock: ProfileLock | None) -> Iterator[Problem]:
    is_elsewhere = organization.publisher_account != organization.security_account
    unrecorded = frozenset(unrecorded_profiles(organization, lock)) if lock is not None else frozenset[str]()
    for index, profile in enumerate(organization.signing_profiles):
        place = f"({profile.application} generation {profile.generation})"
        name = profile.profile_name(organization)
        if is_elsewhere and profile.is_accepted and profile.version is None:
            yield Problem(
                f"signing_profiles[{index}].version {place}",
                f"{name} is made in the account {organization.publisher_account}, so its version is not known here, "
                "and the configs cannot accept it yet",
                "Deploy the signing authority, then record the version that its output shows",
            )
        if name in unrecorded:
            yield Problem(
                f"signing_profiles[{index}] {place}",
                f"{name} is not in the ledger yet",
                "Run 'lambda-code-signing organization lock' and commit the ledger",
            )


def _publishers(organization: Organization, today: date) -> Iterator[Problem]:
    number = len(organization.applications)
    for index, publisher in enumerate(organization.external_publishers):
        if publisher.applications is None and number > 1:
            yield Problem(
                f"external_publishers[{index}].applications ({publisher.name})",
                f"code of {publisher.vendor!r} is accepted by all {number} applications",
                "Name the applications that need it",
            )
        if publisher.review_by - today <= SOON:
            yield Problem(
                f"external_publishers[{index}].review_by ({publisher.name})",
                f"{publisher.review_by} is in {_days(publisher.review_by - today)}; "
                "from the day after, the file is refused",
                "Review it and set a new date",
            )


def _regions(organization: Organization) -> Iterator[Problem]:
    iam_region = IAM_REGIONS.get(partition_of_region(organization.home_region) or "")
    if organization.waves and iam_region is not None and iam_region not in organization.target_regions:
        yield Problem(
            "organization.target_regions",
            f"events of IAM exist in {iam_region} only, where no rule of ours forwards them: what somebody does to "
            "roles and policies in member accounts is found by the schedule of the drift remediation, not at once",
            f'Add "{iam_region}", unless that is soon enough',
        )


def _waves(organization: Organization, lock: ProfileLock | None) -> Iterator[Problem]:
    if organization.waves and organization.waves[0].mode == "Enforce" and not _is_known(organization, lock):
        yield Problem(
            f"waves[0].mode ({organization.waves[0].name})",
            "the first wave already enforces: unsigned code that nobody knows of is refused from the first day",
            "Begin with Warn and watch what it logs",
        )
    for index, wave in enumerate(organization.waves):
        if wave.mode == "Warn" and wave.guardrail == "attach":
            yield Problem(
                f"waves[{index}].guardrail ({wave.name})",
                "the service control policy refuses functions without a config at once, while the wave only warns",
                'Write guardrail = "dry-run" until the wave enforces, unless that is what you want',
            )
        for account in organization.accounts_of(wave):
            if account.id == organization.management_account:
                yield Problem(
                    f"waves[{index}] ({wave.name})",
                    f"{account.id} ({account.name}) is the management account, which neither service-managed "
                    "StackSets nor service control policies reach",
                    "Keep functions out of it",
                )
    covered = {unit for wave in organization.waves for unit in wave.organizational_units}
    for index, unit in enumerate(organization.organizational_units):
        if unit.name not in covered:
            yield Problem(
                f"organizational_units[{index}] ({unit.name})",
                f"{unit.name!r} is in no wave, so nothing is rolled out to it",
                "Add it to a wave",
            )


def _rolled_out(organization: Organization, lock: ProfileLock | None) -> Iterator[Problem]:
    if lock is None:
        return
    yield from left_units(organization, lock.rollout)
    missing = unrecorded_rollout(organization, lock)
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield Problem(
            "waves",
            f"not in the ledger yet: {', '.join(missing[:3])}{more}",
            "Run 'lambda-code-signing organization lock' before the deployment, and commit the ledger",
        )


def _exemptions(organization: Organization, today: date) -> Iterator[Problem]:
    for index, exemption in enumerate(organization.exemptions):
        theirs = [
            f"{pattern!r} of {guardrail.application}"
            for guardrail in organization.developer_guardrails
            for pattern in guardrail.functions
            if _have_a_name_in_common(exemption.functions, pattern)
        ]
        if theirs:
            yield Problem(
                f"exemptions[{index}].functions ({exemption.functions})",
                f"it also covers functions that match {', '.join(theirs)}: the service control policies let "
                "administrators make these without a config",
                "Write a narrower pattern, unless these are the functions that cannot be signed",
            )
        if exemption.expires - today <= SOON:
            yield Problem(
                f"exemptions[{index}].expires ({exemption.functions})",
                f"the exemption ends on {exemption.expires}, in {_days(exemption.expires - today)}; "
                "from the day after, the file is refused",
                "Sign these functions, or have it approved again with a new date",
            )


@cache
def _have_a_name_in_common(first: str, second: str) -> bool:
    """Tell whether some name matches both patterns, whose only wildcard is ``*``."""
    if not first or not second:
        return set(first + second) <= {"*"}
    if first[0] == "*":
        return _have_a_name_in_common(first[1:], second) or _have_a_name_in_common(first, second[1:])
    if second[0] == "*":
        return _have_a_name_in_common(second, first)
    return first[0] == second[0] and _have_a_name_in_common(first[1:], second[1:])


def _is_known(organization: Organization, lock: ProfileLock | None) -> bool:
    """Tell whether the ledger has all units of the first wave: it is there, and enforcing is its promotion."""
    units = organization.waves[0].organizational_units
    return lock is not None and all(organization.organizational_unit(unit).id in lock.rollout.units for unit in units)


def _notifications(organization: Organization) -> Iterator[Problem]:
    if not organization.notifications.emails:
        yield Problem("notifications.emails", "nobody is told about findings", "Add an address")


def _days(span: timedelta) -> str:
    return counted(span.days, "day")
