"""What the elements of an organization file must be together: references, duplicates, dates; profiles, waves.

Works on elements that may be broken in part and adds no follow-up problems: a name that stands in the file is known,
even where its element is broken; where a name could not be read, any reference may mean it; and nothing is counted that
could not be read.
"""

from collections.abc import Iterator
from datetime import date

from constructs_pkg.arns import RoleArn, SigningProfileVersionArn
from constructs_pkg.errors import Problem
from constructs_pkg.organization.elements import Element, Elements
from constructs_pkg.organization.nearest_words import did_you_mean
from constructs_pkg.organization.profile_checks import check_profiles
from constructs_pkg.organization.values import shown
from constructs_pkg.organization.wave_checks import check_waves
from constructs_pkg.regions import partition_of_region

__all__ = ["check_together"]

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
        *check_profiles(elements, _names(elements, "applications")),
        *check_waves(elements),
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
