"""What stands in the way of Enforce, as a table: one function, one reading, the obstacles that must be named."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from constructs_pkg.inventory.ownership import Owner, Ownership
from constructs_pkg.inventory.promotion import REMEDIES, Exempted, Obstacle, Obstruction, judge_place
from constructs_pkg.inventory.readings import (
    ConfigReading,
    DeploymentReading,
    FailureKind,
    FunctionReading,
    Gap,
    MetricReading,
    Part,
    Place,
    PlaceReading,
    Signature,
)
from constructs_pkg.inventory.wave_change import LineChange, promotion_change
from constructs_pkg.organization import load_organization

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, tzinfo=UTC)
PLACE = Place("444444444401", "eu-west-1")
OURS = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g2/a1B2c3D4e5"
THEIRS = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/stranger/a1B2c3D4e5"
CONFIG, FOREIGN = (f"arn:aws:lambda:eu-west-1:444444444401:code-signing-config:csc-{n:017d}" for n in (1, 2))
LAYER = "arn:aws:lambda:eu-west-1:444444444401:layer:money:3"
GOOD = FunctionReading("payments-charge", "$LATEST", False, CONFIG, Signature(OURS, "job"), ((LAYER, Signature(OURS)),))
READING = PlaceReading(
    PLACE,
    AT,
    functions=(GOOD,),
    configs=(ConfigReading(CONFIG, "Warn", (OURS,)), ConfigReading(FOREIGN, "Enforce", (OURS,))),
    approved=(("payments", CONFIG),),
)
OWNERSHIP = Ownership(load_organization(ROOT / "organization.toml", at=AT), AT.date())
PAYMENTS = Owner("payments", ("payments@acme.example", "security@acme.example"))


def judge(reading, *, mode="Warn", applications=("payments",), ownership=OWNERSHIP):
    return judge_place(reading, ownership, mode=mode, applications=applications)


def kinds(judgement) -> list[str]:
    return [obstruction.kind for obstruction in judgement.obstructions]


def test_a_function_that_is_signed_by_a_listed_publisher_stands_in_no_way() -> None:
    judgement = judge(READING)
    assert (judgement.functions, judgement.obstructions, judgement.exempted) == (1, (), ())


@pytest.mark.parametrize(
    ("change", "obstacle", "detail"),
    [
        ({"config_arn": None}, Obstacle.NO_CONFIG, "no code signing config"),
        ({"config_arn": None, "code": Signature(), "layers": ()}, Obstacle.NO_CONFIG, "no code signing config"),
        ({"is_image": True, "config_arn": None}, Obstacle.CONTAINER_IMAGE, "PackageType Image"),
        ({"config_arn": FOREIGN}, Obstacle.CONFIG_NOT_APPROVED, FOREIGN),
        ({"code": Signature()}, Obstacle.CODE_UNSIGNED, "no signature is known"),
        ({"code": Signature(THEIRS, "job")}, Obstacle.CODE_PUBLISHER_NOT_LISTED, THEIRS),
        ({"layers": ((LAYER, Signature()),)}, Obstacle.LAYER_UNSIGNED, LAYER),
        (
            {"layers": ((LAYER, Signature(OURS)), ("other", Signature(THEIRS)))},
            Obstacle.LAYER_PUBLISHER_NOT_LISTED,
            f"other signed by {THEIRS}",
        ),
    ],
)
def test_a_function_is_named_with_what_is_wrong_and_whom_to_ask(change, obstacle, detail) -> None:
    judgement = judge(replace(READING, functions=(replace(GOOD, **change),)))
    assert judgement.obstructions == (Obstruction(obstacle, PLACE, "payments-charge", PAYMENTS, detail),)


def test_a_config_that_could_not_be_read_lists_nobody() -> None:
    judgement = judge(replace(READING, functions=(replace(GOOD, config_arn="unread"),)))
    assert kinds(judgement) == ["config_not_approved", "code_publisher_not_listed", "layer_publisher_not_listed"]


def test_published_versions_are_never_deployed_again_and_stand_in_no_way() -> None:
    published = replace(GOOD, version="7", code=Signature())
    assert judge(replace(READING, functions=(GOOD, published))).obstructions == ()


def test_a_function_that_fits_no_pattern_has_no_owner_and_is_named_all_the_same() -> None:
    judgement = judge(replace(READING, functions=(replace(GOOD, name="stray", config_arn=None),)))
    assert [(one.function, one.owner) for one in judgement.obstructions] == [("stray", Owner(None, ()))]


@pytest.mark.parametrize(
    ("reading", "mode", "expected"),
    [
        (replace(READING, approved=()), "Warn", ["approved_config_missing", "config_not_approved"]),
        (
            replace(READING, approved=(("payments", "gone"),)),
            "Warn",
            ["approved_config_missing", "config_not_approved"],
        ),
        (READING, "Enforce", ["config_still_warns"]),
        (replace(READING, configs=(ConfigReading(CONFIG, "Enforce", (OURS,)),)), "Enforce", []),
    ],
)
def test_a_config_that_is_missing_or_behind_is_named(reading, mode, expected) -> None:
    assert kinds(judge(reading, mode=mode)) == expected


def deployment(function="payments-charge", statuses=("MISMATCH",), error=None) -> DeploymentReading:
    return DeploymentReading(function, AT, "UpdateFunctionCode20150331v2", statuses, error)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"deployments": (deployment(),)}, "MISMATCH at 2026-11-23T00:00:00Z, let through"),
        (
            {"deployments": (deployment(statuses=("EXPIRED", "REVOKED"), error="X"),)},
            "EXPIRED, REVOKED at 2026-11-23T00:00:00Z, refused with X",
        ),
        ({"deployments": (deployment(None),)}, "MISMATCH at 2026-11-23T00:00:00Z, let through"),
        ({"errors": (MetricReading("payments-charge", 3),)}, "3 counted"),
        ({"errors": (MetricReading(None, 1),)}, "1 counted"),
    ],
)
def test_what_was_deployed_untrusted_lately_is_named(more, expected) -> None:
    assert [one.detail for one in judge(replace(READING, **more)).obstructions] == [expected]


def test_an_exemption_holds_until_its_last_day_and_is_told() -> None:
    exempt = replace(GOOD, name="aws-controltower-x", config_arn=None)
    reading = replace(
        READING, functions=(exempt,), deployments=(deployment(exempt.name),), errors=(MetricReading(exempt.name, 1),)
    )
    judgement = judge(reading)
    assert judgement.obstructions == ()
    assert judgement.exempted == (Exempted(PLACE, exempt.name, "platform@acme.example", date(2031, 12, 31)),)
    the_day_after = Ownership(OWNERSHIP.organization, date(2032, 1, 1))
    assert kinds(judge(reading, ownership=the_day_after)) == ["untrusted_deployment", "validation_errors", "no_config"]


def test_an_exemption_does_not_help_a_function_whose_config_would_refuse_it() -> None:
    exempt = replace(GOOD, name="aws-controltower-x", code=Signature())
    assert kinds(judge(replace(READING, functions=(exempt,)))) == ["exempt_under_config"]


@pytest.mark.parametrize("part", [Part.CONFIGS, Part.APPROVED])
def test_what_is_not_known_is_not_judged(part) -> None:
    gap = Gap(part, FailureKind.DENIED, "no")
    emptied = {
        Part.CONFIGS: {"configs": (), "functions": (replace(GOOD, config_arn=None),)},
        Part.APPROVED: {"approved": ()},
    }
    assert judge(replace(READING, gaps=(gap,), **emptied[part])).obstructions == ()


def test_every_obstacle_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Obstacle)


def test_the_promotion_is_one_line_of_the_file() -> None:
    text = (ROOT / "organization.toml").read_text("utf-8")
    change = promotion_change(text, "first")
    assert change is not None
    assert text.splitlines()[change.number - 1] == change.before
    assert change.before.startswith('mode = "Warn"                           # untrusted code')
    assert change.after == 'mode = "Enforce"'  # what stands behind the old value is about the old value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[waves]]\nname = "a"\nmode = "Warn"\n[[waves]]\nmode = \'Warn\'\nname = "b"\n',
            LineChange(5, "mode = 'Warn'", 'mode = "Enforce"'),
        ),
        (
            '[[waves]]\r\nname = "b"\r\nmode = "Warn"\t# "for now"\r\n',
            LineChange(3, 'mode = "Warn"\t# "for now"', 'mode = "Enforce"'),
        ),
        ('waves = [{ name = "b", mode = "Warn" }]\n', None),
        ('[[waves]]\nname = "b"\nmode = "Enforce"\n', None),
        (
            '[[waves]]\nname = "b"\nnote = """\nmode = "Warn"\n"""\nmode = "Warn"\n',
            LineChange(6, 'mode = "Warn"', 'mode = "Enforce"'),
        ),
    ],
)
def test_only_a_line_that_changes_the_wave_and_nothing_else_is_offered(text, expected) -> None:
    assert promotion_change(text, "b") == expected
