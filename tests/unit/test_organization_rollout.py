"""StackSets as values, CloudFormation's quotas, and the picture of both."""

import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from constructs_pkg.errors import OrganizationError
from constructs_pkg.organization import load_organization, read_organization
from constructs_pkg.organization.rollout import planned_stack_sets, quota_problems
from constructs_pkg.organization.rollout_diagram import rollout_svg
from constructs_pkg.organization.rollout_mermaid import rollout_mermaid
from tests.unit.organization_text import AT, GOOD, spoiled

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SECOND_ACCOUNTS = """[[accounts]]
name = "shop-again"
id = "444444444444"
organizational_unit = "sandbox"

[[accounts]]
name = "security"
id = "222222222222"
organizational_unit = "production"

"""
SVG = "{http://www.w3.org/2000/svg}"


def many_units(count: int) -> str:
    """The good file with a first wave of so many units, each with ten accounts."""
    units = "".join(f'\n[[organizational_units]]\nname = "unit-{n}"\nid = "ou-a1b2-9{n:07}"\n' for n in range(count))
    accounts = "".join(
        f'\n[[accounts]]\nname = "an-account-with-a-long-name-{n}-{m}"\nid = "5{n:05}{m:06}"\n'
        f'organizational_unit = "unit-{n}"\n'
        for n in range(count)
        for m in range(6)
    )
    names = ", ".join(f'"unit-{n}"' for n in range(count))
    old = 'organizational_units = ["sandbox"]'
    return GOOD.replace(old, f'organizational_units = ["sandbox", {names}]') + units + accounts


def test_each_wave_and_part_is_a_stack_set_that_waits_for_the_wave_before() -> None:
    text = spoiled(('name = "check-out"\nowners', 'name = "check-out"\npart = 2\nowners'))
    plans = planned_stack_sets(read_organization(text, "acme.toml", at=AT))
    assert [(plan.name, plan.applications, plan.waits_for, plan.known_instances) for plan in plans] == [
        ("acme-code-signing-first", ("payments",), None, 0),
        ("acme-code-signing-first-part-2", ("check-out",), None, 0),
        ("acme-code-signing-second", ("payments",), "acme-code-signing-first", 2),
        ("acme-code-signing-second-part-2", ("check-out",), "acme-code-signing-first-part-2", 2),
    ]
    assert plans[0].regions == ("us-east-1", "eu-west-1")


def test_the_management_account_counts_only_with_self_managed_permissions() -> None:
    text = spoiled(('id = "444444444444"', 'id = "111111111111"'), *[('"444444444444"', '"222222222222"')])
    text = text.replace("arn:aws:iam::444444444444", "arn:aws:iam::222222222222")
    own = text.replace("[[waves]]", '[rollout]\npermission_model = "self-managed"\n\n[[waves]]', 1)
    accounts = [planned_stack_sets(read_organization(one, "acme.toml", at=AT))[1].accounts for one in (text, own)]
    assert accounts == [(), ("111111111111",)]


def test_forty_units_in_eight_regions_break_no_quota_and_more_are_told_with_numbers() -> None:
    assert list(quota_problems([("wave", 40, 40 * 50 * 8)], dependencies=[0])) == []
    assert list(quota_problems([("wave", 120, 250_000)], dependencies=[11])) == [
        "wave names 120 organizational units; an operation names 50. Name their parent, or divide them between 3 waves",
        "wave has 250,000 instances; a StackSet has 100,000. Divide its units between 3 waves, or have fewer Regions",
        "wave waits for 11 StackSets; AutoDeployment.DependsOn has at most 10",
    ]
    sets = [(f"wave-{number}", 1, 1) for number in range(1001)]
    assert [problem.split(";")[0] for problem in quota_problems(sets, dependencies=[0] + [1] * 1000)] == [
        "1,001 StackSets",
        "1000 dependencies between StackSets",
    ]


def test_everything_that_is_wrong_with_a_rollout_is_told_at_once() -> None:
    text = spoiled(
        ('target_regions = ["eu-west-1", "us-east-1"]', 'target_regions = ["eu-west-1", "us-east-1", "eu-west-1"]'),
        ('id = "ou-a1b2-00000002"', 'id = "ou-zzzz-00000002"'),
        ('organizational_units = ["sandbox"]', 'organizational_units = ["sandbox", "sandbocks"]'),
        ('organizational_units = ["production"]', 'organizational_units = ["production", "sandbox"]'),
        ("arn:aws:signer:us-east-1:777777777777", "arn:aws-cn:signer:cn-north-1:777777777777"),
        (
            "[[applications]]",
            SECOND_ACCOUNTS + "[[applications]]",
        ),
    )
    text += '\n[[waves]]\nname = "third"\nmode = "Warn"\nguardrail = "dry-run"\norganizational_units = []\n'
    with pytest.raises(OrganizationError) as refusal:
        read_organization(text, "acme.toml", at=AT)
    said = str(refusal.value)
    for expected in (
        "'eu-west-1'",
        "'ou-zzzz-00000002' is in another organization",
        "'sandbocks' is not the name of any of the [[organizational_units]]",
        "'sandbox' is already in waves[0] (first)",
        "the ARN is in the partition 'aws-cn'",
        "'444444444444' is also that of accounts[0] (shop)",
        "this is the security account, which has its own configs",
        "waves[2].organizational_units (third)",
    ):
        assert expected in said


def rectangles(svg: str) -> list[tuple[float, float, float, float]]:
    found = [one for one in ET.fromstring(svg).iter(f"{SVG}rect") if "x" in one.attrib]
    boxes = [tuple(float(one.attrib[key]) for key in ("x", "y", "width", "height")) for one in found]
    return [(x, y, x + width, y + height) for x, y, width, height in boxes]


@pytest.mark.parametrize("count", [0, 40], ids=["the example", "forty units"])
def test_no_box_of_the_picture_overlaps_another_and_every_text_is_inside(count: int) -> None:
    organization = (
        read_organization(many_units(count), "acme.toml", at=AT)
        if count
        else load_organization(ROOT / "organization.toml", at=AT)
    )
    svg = rollout_svg(organization)
    root = ET.fromstring(svg)
    width, height = (float(root.attrib[key]) for key in ("width", "height"))
    boxes = rectangles(svg)
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        inside = any(
            a[0] > b[0] and a[1] > b[1] and a[2] < b[2] and a[3] < b[3] for a, b in ((one, other), (other, one))
        )
        assert apart or inside, (one, other)
    for text in root.iter(f"{SVG}text"):
        x, y, size = float(text.attrib["x"]), float(text.attrib["y"]), float(text.attrib["font-size"])
        end = x + 0.56 * size * len(text.text)
        around = [box for box in boxes if box[0] <= x <= box[2] and box[1] <= y <= box[3]]
        innermost = min(around, key=lambda box: box[2] - box[0], default=(0, 0, width, height))
        assert end <= innermost[2] + 1, text.text
        assert y <= innermost[3] - 3, text.text


def test_the_picture_counts_what_it_has_no_room_for() -> None:
    svg = rollout_svg(read_organization(many_units(40), "acme.toml", at=AT))
    assert "and 11 more organizational units" in svg
    assert "and 2 more" in svg


def test_the_pictures_of_the_documentation_are_those_of_the_example() -> None:
    # mend them with: make synth && cp cdk.out/rollout.svg docs/, and cdk.out/rollout.mmd into docs/architecture.md
    organization = load_organization(ROOT / "organization.toml", at=AT)
    assert (DOCS / "rollout.svg").read_text("utf-8") == rollout_svg(organization)
    assert f"```mermaid\n{rollout_mermaid(organization)}```" in (DOCS / "architecture.md").read_text("utf-8")
