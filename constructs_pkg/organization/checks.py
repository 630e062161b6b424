"""What the elements of an organization file must be together: references, duplicates, generations, limits and dates.

Works on elements that may be broken in part and adds no follow-up problems: a name that stands in the file is known,
even where its element is broken; where a name could not be read, any reference may mean it; and nothing is counted that
could not be read.

Sources: at most 20 publishers a code signing config (botocore 1.43.106, ``lambda``, ``SigningProfileVersionArns``);
profile names of at most 64 characters (``signer``, ``ProfileName``). That a profile name is never free again, and that
AWS Signer refuses roles with a path, is what users of AWS Signer report.
"""

from collections.abc import Iterator
from datetime import date
from typing import cast

from constructs_pkg.arns import RoleArn, SigningProfileVersionArn
from constructs_pkg.errors import Problem
from constructs_pkg.organization.elements import Element, Elements, did_you_mean
from constructs_pkg.organization.tables import profile_name
from constructs_pkg.organization.values import shown
from constructs_pkg.regions import partition_of_region

__all__ = ["MOST_PUBLISHERS", "check_together"]

MOST_PUBLISHERS = 20
"""How many signing profile versions one code signing config can list."""

_LONGEST_PROFILE_NAME = 64

_UNIQUE = (
    ("organizational_units", "name"),
    ("organizational_units", "id"),
    ("accounts", "name"),
    ("accounts", "id"),
    ("applications", "name"),
    ("external_publishers", "name"),
    ("external_publishers", "profile_version_arn"),
    ("waves", "name"),
    ("developer_guardrails", "application"),
    ("exemptions", "functions"),
)


def check_together(elements: Elements, *, today: date) -> list[Problem]:
    """Compare the elements with each other.

    Args:
        elements: All of them, by table.
        today: The day (UTC) that dates are compared with.

    Returns:
        Every problem, empty where there is none.
    """
    return [
        *_required_tables(elements),
        *_regions(elements),
        *_duplicates(elements),
        *_units(elements),
        *_references(elements),
        *_signers(elements),
        *_generations(elements),
        *_profile_names(elements),
        *_publishers(elements),
        *_waves(elements),
        *_partitions(elements),
        *_dates(elements, today),
    ]


def _required_tables(elements: Elements) -> Iterator[Problem]:
    for table in ("applications", "signing_profiles"):
        if not elements[table]:
            yield Problem(table, f"the file has no [[{table}]]", "Add at least one")


def _regions(elements: Elements) -> Iterator[Problem]:
    partition = _partition(elements)
    for element in elements["organization"]:
        for index, region in element.texts("target_regions"):
            if partition is not None and partition_of_region(region) != partition:
                yield Problem(
                    element.where("target_regions", index),
                    f"{region!r} is in the partition {partition_of_region(region)!r}, home_region in {partition!r}",
                    "Write one organization file for each partition: they share no accounts and no profiles",
                )


def _duplicates(elements: Elements) -> Iterator[Problem]:
    for table, key in _UNIQUE:
        first: dict[str, Element] = {}
        for element in elements[table]:
            value = element.text(key)
            if value is None:
                continue
            if value in first:
                yield Problem(
                    element.where(key),
                    f"{shown(value)} is also that of {first[value].where()}",
                    "Keep one guardrail and list everything there" if key == "application" else "Name each thing once",
                )
            first.setdefault(value, element)


def _units(elements: Elements) -> Iterator[Problem]:
    """The id of a unit says in which root it is, and an organization has one root."""
    first: Element | None = None
    for element in elements["organizational_units"]:
        found = element.text("id")
        if found is None:
            continue
        first = first or element
        root = str(first.text("id")).rpartition("-")[0]
        if found.rpartition("-")[0] != root:
            yield Problem(
                element.where("id"),
                f"{found!r} is in another organization than {first.where()}, whose id begins with {root!r}",
                "Write the unit of this organization, as AWS Organizations shows its id",
            )


def _references(elements: Elements) -> Iterator[Problem]:
    applications, units = _names(elements, "applications"), _names(elements, "organizational_units")
    for element in (
        *elements["signing_profiles"],
        *elements["developer_guardrails"],
        *elements["drift_remediation"],
    ):
        yield from _unknown(element, ("application",), element.text("application"), applications, "applications")
    for element in elements["external_publishers"]:
        for index, name in element.texts("applications"):
            yield from _unknown(element, ("applications", index), name, applications, "applications")
    for element in elements["accounts"]:
        path, name = ("organizational_unit",), element.text("organizational_unit")
        yield from _unknown(element, path, name, units, "organizational_units")
    for element in elements["waves"]:
        for index, name in element.texts("organizational_units"):
            path = ("organizational_units", index)
            yield from _unknown(element, path, name, units, "organizational_units")


def _unknown(
    element: Element, path: tuple[str | int, ...], name: str | None, known: frozenset[str] | None, table: str
) -> Iterator[Problem]:
    if name is not None and known is not None and name not in known:
        yield Problem(
            element.where(*path),
            f"{name!r} is not the name of any of the [[{table}]]",
            did_you_mean(name, known, f"Add it to the [[{table}]]"),
        )


def _signers(elements: Elements) -> Iterator[Problem]:
    """Whoever may sign must be one of us: a mistyped account id would give a stranger the right to sign."""
    known = _account_ids(elements)
    for application in elements["applications"]:
        accounts = [(("signers", "accounts", index), text) for index, text in application.texts("signers", "accounts")]
        roles = [(path, RoleArn.parse(text).account) for path, text in _roles(application)]
        oidc_role = application.text("signers", "oidc_role")
        if oidc_role in {text for _, text in application.texts("signers", "roles")}:
            yield Problem(
                application.where("signers", "oidc_role"), f"{oidc_role!r} is among the roles, too", "Name it once"
            )
        for path, account in (*accounts, *roles):
            if known is not None and account not in known:
                yield Problem(
                    application.where(*path),
                    f"{account!r} is no account of this file, so whoever owns it could sign",
                    did_you_mean(account, known, "Add it to the [[accounts]] if it is yours"),
                )


def _generations(elements: Elements) -> Iterator[Problem]:
    applications = _names(elements, "applications")
    profiles = elements["signing_profiles"]
    first: dict[tuple[str, int], Element] = {}
    active: dict[str, Element] = {}
    for profile in profiles:
        application, generation = profile.text("application"), profile.number("generation")
        if application is not None and generation is not None and (application, generation) in first:
            yield Problem(
                profile.where("generation"),
                f"{generation} is also that of {first[application, generation].where()}",
                "Give each generation its own number; a number is used once for ever, as the profile's name is",
            )
        if application is not None and generation is not None:
            first.setdefault((application, generation), profile)
        if application is not None and profile.text("state") == "active":
            if application in active:
                yield Problem(
                    profile.where("state"),
                    f"'active' is also that of {active[application].where()}",
                    'Let one generation sign, and write state = "retiring" for the other',
                )
            active.setdefault(application, profile)
    yield from _announced(profiles, active)
    # A profile that names no application of the file may be the one that is missed, and one without a state, too.
    if applications is None or any(profile.text("application") not in applications for profile in profiles):
        return
    unclear = {profile.text("application") for profile in profiles if profile.text("state") is None}
    for application in elements["applications"]:
        name = application.text("name")
        if profiles and name is not None and name not in active and name not in unclear:
            yield Problem(
                application.where(),
                f"the application {name!r} has no active signing profile, so nothing of it can be signed",
                f'Add a [[signing_profiles]] with application = "{name}" and state = "active"',
            )


def _announced(profiles: tuple[Element, ...], active: dict[str, Element]) -> Iterator[Problem]:
    for profile in profiles:
        application, generation = profile.text("application"), profile.number("generation")
        current = active.get(application or "")
        signing = None if current is None else current.number("generation")
        if profile.text("state") == "announced" and generation and signing and generation < signing:
            yield Problem(
                profile.where("state"),
                f"'announced' is what comes next, and {signing} already signs",
                'Write "retiring" or "retired"',
            )


def _profile_names(elements: Elements) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for application in elements["applications"]:
        name = application.text("name")
        if name is None:
            continue
        other = first.setdefault(name.replace("-", "_"), name)
        if other != name:
            yield Problem(
                application.where("name"),
                f"{name!r} gives the same signing profile names as {other!r}, because '-' becomes '_' there",
                "Rename one of the two",
            )
    organization = next((element.text("name") for element in elements["organization"]), None)
    for profile in elements["signing_profiles"]:
        application, generation = profile.text("application"), profile.number("generation")
        if organization is None or application is None or generation is None:
            continue
        text = profile_name(organization, application, generation)
        if len(text) > _LONGEST_PROFILE_NAME:
            yield Problem(
                profile.where(),
                f"its name in AWS would be {text!r} with {len(text)} characters",
                f"Shorten the application's name: a profile name has at most {_LONGEST_PROFILE_NAME} characters",
            )


def _publishers(elements: Elements) -> Iterator[Problem]:
    for application in elements["applications"]:
        name = application.text("name")
        own = sum(
            profile.text("application") == name and profile.text("state") in {"announced", "active", "retiring"}
            for profile in elements["signing_profiles"]
        )
        external = sum(_accepts(publisher, name) for publisher in elements["external_publishers"])
        if name is not None and own + external > MOST_PUBLISHERS:
            yield Problem(
                application.where(),
                f"{name!r} has {own + external} publishers ({own} generations, {external} external)",
                f"A code signing config lists at most {MOST_PUBLISHERS}: retire generations or limit external "
                "publishers to the applications that need them",
            )


def _accepts(publisher: Element, application: str | None) -> bool:
    if "applications" not in publisher.raw:
        return True
    return application in {name for _, name in publisher.texts("applications")}


def _waves(elements: Elements) -> Iterator[Problem]:
    first: dict[str, Element] = {}
    names: dict[str, str] = {}
    for wave in elements["waves"]:
        name = wave.text("name")
        if name is not None and (other := names.setdefault(name.replace("_", "-"), name)) != name:
            yield Problem(
                wave.where("name"),
                f"{name!r} gives the same StackSet name as {other!r}, because '_' becomes '-' there",
                "Rename one of the two",
            )
        for index, unit in wave.texts("organizational_units"):
            if first.setdefault(unit, wave) is not wave:
                yield Problem(
                    wave.where("organizational_units", index),
                    f"{unit!r} is already in {first[unit].where()}",
                    "Leave each organizational unit in one wave; move it by moving its name",
                )
        for organization in elements["organization"]:
            yield from _region_order(wave, organization)
    yield from _central_accounts(elements, first)


def _central_accounts(elements: Elements, waves: dict[str, Element]) -> Iterator[Problem]:
    """The account that rolls out has its own configs under the names that the rollout would make again there."""
    centres = {element.text("security_account") for element in elements["organization"]} - {None}
    for account in elements["accounts"]:
        unit = account.text("organizational_unit")
        if account.text("id") in centres and unit in waves:
            yield Problem(
                account.where("organizational_unit"),
                f"{unit!r} is in {waves[unit].where()}, and this is the security account, which has its own configs",
                "Move the account to a unit that is in no wave",
            )


def _region_order(wave: Element, organization: Element) -> Iterator[Problem]:
    order = wave.texts("preferences", "region_order")
    targets = _raw_texts(organization, "target_regions")
    for index, region in order:
        if targets and region not in targets:
            yield Problem(
                wave.where("preferences", "region_order", index),
                f"{region!r} is not one of the target_regions",
                "Add it to organization.target_regions, or leave it away here",
            )
    missing = [region for region in targets if region not in {region for _, region in order}]
    if order and missing and wave.is_sound("preferences", "region_order"):
        yield Problem(
            wave.where("preferences", "region_order"),
            f"{', '.join(map(shown, missing))} of the target_regions is missing",
            "Name all target Regions, or leave region_order away to follow target_regions",
        )
    if order and wave.flag("preferences", "regions_in_parallel"):
        yield Problem(
            wave.where("preferences", "regions_in_parallel"),
            "true contradicts region_order: what happens at the same time has no order",
            "Leave one of the two away",
        )


def _partitions(elements: Elements) -> Iterator[Problem]:
    partition = _partition(elements)
    if partition is None:
        return
    arns = [
        (application, path, RoleArn.parse(text).partition)
        for application in elements["applications"]
        for path, text in _roles(application)
    ]
    for publisher in elements["external_publishers"]:
        text = publisher.text("profile_version_arn")
        if text is not None:
            arns.append((publisher, ("profile_version_arn",), SigningProfileVersionArn.parse(text).partition))
    for guardrail in elements["developer_guardrails"]:
        arns.extend((guardrail, ("layers", index), text.split(":")[1]) for index, text in guardrail.texts("layers"))
    for element, path, found in arns:
        if found != partition:
            yield Problem(
                element.where(*path),
                f"the ARN is in the partition {found!r}, the organization's Regions are in {partition!r}",
                f"Name one that begins with 'arn:{partition}:': nothing can be shared between partitions",
            )


def _dates(elements: Elements, today: date) -> Iterator[Problem]:
    for publisher in elements["external_publishers"]:
        review_by = publisher.day("review_by")
        if review_by is not None and review_by < today:
            yield Problem(
                publisher.where("review_by"),
                f"{review_by} is past: nobody has asked whether this publisher is still needed",
                "Review it, then set a new date or remove the publisher",
            )
    for exemption in elements["exemptions"]:
        expires = exemption.day("expires")
        if expires is not None and expires < today:
            yield Problem(
                exemption.where("expires"),
                f"the exemption expired on {expires}",
                "Sign these functions and remove the exemption, or have it approved again with a new date",
            )


def _roles(application: Element) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, text in application.texts("signers", "roles"):
        yield ("signers", "roles", index), text
    oidc_role = application.text("signers", "oidc_role")
    if oidc_role is not None:
        yield ("signers", "oidc_role"), oidc_role


def _partition(elements: Elements) -> str | None:
    home_region = next((element.text("home_region") for element in elements["organization"]), None)
    return None if home_region is None else partition_of_region(home_region)


def _names(elements: Elements, table: str) -> frozenset[str] | None:
    """Return all names of a table as they are written, broken ones too; None where one could not be read."""
    names = [element.raw.get("name") for element in elements[table]]
    known = frozenset(name for name in names if isinstance(name, str))
    return known if all(isinstance(name, str) for name in names) else None


def _account_ids(elements: Elements) -> frozenset[str] | None:
    """Return the ids of all accounts of the file; None where one could not be read, or is none."""
    ids = [element.text("id") for element in elements["accounts"]]
    for element in elements["organization"] or (None,):
        ids.extend(element and element.text(key) for key in ("management_account", "security_account"))
        if element is not None and "publisher_account" in element.raw:
            ids.append(element.text("publisher_account"))
    known = frozenset(account for account in ids if account is not None)
    return known if None not in ids else None


def _raw_texts(element: Element, key: str) -> tuple[str, ...]:
    """Return all texts of a list as they are written, broken ones too."""
    value = element.raw.get(key)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(dict.fromkeys(item for item in items if isinstance(item, str)))
