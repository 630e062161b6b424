"""What the waves of an organization file must be together: names, units and the order of Regions."""

from collections.abc import Iterator
from typing import cast

from constructs_pkg.errors import Problem
from constructs_pkg.organization.elements import Element, Elements
from constructs_pkg.organization.values import shown

__all__ = ["check_waves"]


def check_waves(elements: Elements) -> Iterator[Problem]:
    """Compare the waves with each other, with the accounts and with the target Regions; yield every problem.

    Args:
        elements: All of them, by table.
    """
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


def _raw_texts(element: Element, key: str) -> tuple[str, ...]:
    """Return all texts of a list as they are written, broken ones too."""
    value = element.raw.get(key)
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(dict.fromkeys(item for item in items if isinstance(item, str)))
