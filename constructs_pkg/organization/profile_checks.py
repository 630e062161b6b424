"""What the signing profiles of an organization file must be together: generations, names and how many publishers.

Sources: at most 20 publishers a code signing config (botocore 1.43.106, ``lambda``, ``SigningProfileVersionArns``);
profile names of at most 64 characters (``signer``, ``ProfileName``). That a profile name is never free again is what
users of AWS Signer report.
"""

from collections.abc import Iterator

from constructs_pkg.errors import Problem
from constructs_pkg.organization.elements import Element, Elements
from constructs_pkg.organization.tables import profile_name

__all__ = ["MOST_PUBLISHERS", "check_profiles"]

MOST_PUBLISHERS = 20
"""How many signing profile versions one code signing config can list."""

_LONGEST_PROFILE_NAME = 64


def check_profiles(elements: Elements, applications: frozenset[str] | None) -> Iterator[Problem]:
    """Compare the signing profiles with each other and with their applications; yield every problem.

    Args:
        elements: All of them, by table.
        applications: The names of all applications; None where one could not be read.
    """
    yield from _generations(elements, applications)
    yield from _profile_names(elements)
    yield from _publishers(elements)


def _generations(elements: Elements, applications: frozenset[str] | None) -> Iterator[Problem]:
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
