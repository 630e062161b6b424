"""The layer registry: read strictly, all problems at once, in step with its schema, and joined to a policy."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from constructs_pkg.arns import LayerVersionArn, SigningProfileVersionArn
from constructs_pkg.errors import LayerRegistryError
from constructs_pkg.signing.layer_registry import KnownLayer, KnownPublisher, LayerRegistry
from constructs_pkg.signing.layer_registry_file import layer_registry_schema, parse_layer_registry
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.template_terms import ExternalLayer
from tests.signing.test_policy_file import _matches as schema_matches

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LAYER = "arn:aws:lambda:*:777777777777:layer:Observatory-*:*"
EVERYWHERE = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
IRELAND = "arn:aws:signer:eu-west-1:777777777777:/signing-profiles/ObservatoryEu/b1B2c3D4e5"
FULL: dict[str, Any] = {
    "$schema": "layer_registry.schema.json",
    "version": 1,
    "layers": [
        {
            "vendor": "Observatory Ltd",
            "layer": LAYER,
            "publishers": [
                {
                    "profile_version_arn": EVERYWHERE,
                    "regions": ["us-east-1", "eu-central-1"],
                    "read_from": "arn:aws:lambda:us-east-1:777777777777:layer:Observatory-Agent:12",
                    "read_on": "2026-11-23",
                },
                {
                    "profile_version_arn": IRELAND,
                    "regions": ["eu-west-1"],
                    "read_from": "arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:3",
                    "read_on": "2026-11-02",
                },
            ],
            "license_info": "Apache-2.0",
            "note": "https://observatory.example/lambda",
        }
    ],
}
REGISTRY = LayerRegistry(
    (
        KnownLayer(
            "Observatory Ltd",
            LAYER,
            (
                KnownPublisher(
                    SigningProfileVersionArn.parse(EVERYWHERE),
                    ("us-east-1", "eu-central-1"),
                    LayerVersionArn.parse("arn:aws:lambda:us-east-1:777777777777:layer:Observatory-Agent:12"),
                    date(2026, 11, 23),
                ),
                KnownPublisher(
                    SigningProfileVersionArn.parse(IRELAND),
                    ("eu-west-1",),
                    LayerVersionArn.parse("arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:3"),
                    date(2026, 11, 2),
                ),
            ),
            "Apache-2.0",
            "https://observatory.example/lambda",
        ),
    )
)


def changed(**changes: Any) -> dict[str, Any]:
    """The full file with other values in its first layer (or, as ``publisher``, in that one's first publisher)."""
    document = deepcopy(FULL)
    layer = document["layers"][0]
    publisher = changes.pop("publisher", {})
    for target, values in ((layer, changes), (layer["publishers"][0], publisher)):
        for key, value in values.items():
            if value is None:
                del target[key]
            else:
                target[key] = value
    return document


def problems_of(document: object) -> list[str]:
    with pytest.raises(LayerRegistryError) as caught:
        parse_layer_registry(json.dumps(document), "layers.json", at=AT)
    return [f"{problem.where}: {problem.message}. {problem.remedy}" for problem in caught.value.problems]


def test_a_full_file_is_read_whole() -> None:
    assert parse_layer_registry(json.dumps(FULL), at=AT) == REGISTRY


def test_the_region_of_a_layer_decides_who_signs_it() -> None:
    def signers(region: str, name: str = "Observatory-Agent", account: str = "777777777777") -> list[str]:
        arn = LayerVersionArn.parse(f"arn:aws:lambda:{region}:{account}:layer:{name}:4")
        return [str(publisher) for publisher in REGISTRY.publishers_of(arn)]

    assert signers("eu-central-1") == [EVERYWHERE]
    assert signers("eu-west-1") == [IRELAND]
    assert signers("eu-west-2") == []
    assert signers("eu-west-1", name="Laboratory-Agent") == []
    assert signers("eu-west-1", account="777777777778") == []


def test_a_publisher_without_regions_signs_in_all_of_them() -> None:
    document = changed(publisher={"regions": None})
    document["layers"][0]["publishers"].pop()
    registry = parse_layer_registry(json.dumps(document), at=AT)
    arn = LayerVersionArn.parse("arn:aws:lambda:ap-south-1:777777777777:layer:Observatory-Agent:4")
    assert [str(publisher) for publisher in registry.publishers_of(arn)] == [EVERYWHERE]
    assert registry.layers[0].external_layers() == (
        ExternalLayer(LAYER, SigningProfileVersionArn.parse(EVERYWHERE), "Observatory Ltd"),
    )


def test_a_policy_learns_the_layers_and_trusts_nobody_more() -> None:
    own = SigningProfileVersionArn.parse("arn:aws:signer:eu-west-1:222222222222:/signing-profiles/own/a1B2c3D4e5")
    policy = REGISTRY.added_to(REGISTRY.added_to(CodeSigningPolicy((own,))))
    assert policy.allowed_publishers == (own,)
    assert [(item.layer, str(item.profile_version_arn), item.vendor) for item in policy.templates.external_layers] == [
        (LAYER.replace(":*:7", ":us-east-1:7"), EVERYWHERE, "Observatory Ltd"),
        (LAYER.replace(":*:7", ":eu-central-1:7"), EVERYWHERE, "Observatory Ltd"),
        (LAYER.replace(":*:7", ":eu-west-1:7"), IRELAND, "Observatory Ltd"),
    ]


def test_more_layers_than_a_policy_file_holds_are_refused_before_it_is_written() -> None:
    own = SigningProfileVersionArn.parse("arn:aws:signer:eu-west-1:222222222222:/signing-profiles/own/a1B2c3D4e5")
    evidence = REGISTRY.layers[0].publishers[0]
    layers = tuple(
        KnownLayer(
            "Observatory Ltd",
            f"arn:aws:lambda:*:777777777777:layer:Observatory-{number}:*",
            tuple(
                replace(
                    evidence,
                    regions=(region,),
                    read_from=LayerVersionArn.parse(
                        f"arn:aws:lambda:{region}:777777777777:layer:Observatory-{number}:1"
                    ),
                )
                for region in ("us-east-1", "eu-west-1", "eu-central-1")
            ),
        )
        for number in range(334)
    )
    with pytest.raises(LayerRegistryError, match="1002 layers together"):
        LayerRegistry(layers).added_to(CodeSigningPolicy((own,)))
    assert len(LayerRegistry(layers[1:]).added_to(CodeSigningPolicy((own,))).templates.external_layers) == 999


# Each wrong in one place: the document, where the problem is, and whether the schema can see it too.
WRONG: dict[str, tuple[dict[str, Any], str, bool]] = {
    "version 2": ({**FULL, "version": 2}, "version", True),
    "no layers": ({"version": 1}, "layers", True),
    "layers is a text": ({"version": 1, "layers": LAYER}, "layers", True),
    "schema is a number": ({**FULL, "$schema": 1}, "$schema", True),
    "unknown key": (changed(licence="MIT"), "layers[0].licence", True),
    "no vendor": (changed(vendor=None), "layers[0].vendor", True),
    "empty vendor": (changed(vendor=""), "layers[0].vendor", True),
    "long note": (changed(note="x" * 501), "layers[0].note", True),
    "any account": (changed(layer="arn:aws:lambda:*:*:layer:Observatory-*:*"), "layers[0].layer", True),
    "no publishers": (changed(publishers=None), "layers[0].publishers", True),
    "empty publishers": (changed(publishers=[]), "layers[0].publishers", True),
    "profile without version": (
        changed(publisher={"profile_version_arn": EVERYWHERE.rpartition("/")[0]}),
        "layers[0].publishers[0].profile_version_arn",
        True,
    ),
    "empty regions": (changed(publisher={"regions": []}), "layers[0].publishers[0].regions", True),
    "Region twice": (
        changed(publisher={"regions": ["us-east-1", "us-east-1"]}),
        "layers[0].publishers[0].regions",
        True,
    ),
    "mistyped Region": (
        changed(publisher={"regions": ["us-east-1", "eu-wset-1"]}),
        "layers[0].publishers[0].regions[1]",
        False,
    ),
    "Region outside of the pattern": (
        changed(
            layer="arn:aws:lambda:us-east-1:777777777777:layer:Observatory-*:*",
            publishers=[{**FULL["layers"][0]["publishers"][0], "regions": ["us-east-1", "eu-west-2"]}],
        ),
        "layers[0].publishers[0].regions",
        False,
    ),
    "read from another layer": (
        changed(publisher={"read_from": "arn:aws:lambda:us-east-1:777777777777:layer:Laboratory:12"}),
        "layers[0].publishers[0].read_from",
        False,
    ),
    "read in another Region": (
        changed(publisher={"read_from": "arn:aws:lambda:us-west-2:777777777777:layer:Observatory-Agent:12"}),
        "layers[0].publishers[0].read_from",
        False,
    ),
    "never read": (changed(publisher={"read_on": None}), "layers[0].publishers[0].read_on", True),
    "read tomorrow": (changed(publisher={"read_on": "2026-11-24"}), "layers[0].publishers[0].read_on", False),
    "no day": (changed(publisher={"read_on": "soon"}), "layers[0].publishers[0].read_on", False),
    "publisher twice": (
        changed(publishers=[FULL["layers"][0]["publishers"][0]] * 2),
        "layers[0].publishers",
        False,
    ),
}


@pytest.mark.parametrize(("document", "where", "_"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_named_by_its_place(document: dict[str, Any], where: str, _: bool) -> None:
    assert [problem.partition(": ")[0] for problem in problems_of(document)] == [where]


@pytest.mark.parametrize(("document", "_", "is_visible"), WRONG.values(), ids=WRONG)
def test_the_published_schema_refuses_the_same_as_far_as_it_can_see(
    document: dict[str, Any], _: str, is_visible: bool
) -> None:
    assert schema_matches(layer_registry_schema(), document, layer_registry_schema()) is not is_visible


def test_the_published_schema_takes_what_is_taken_here() -> None:
    assert schema_matches(layer_registry_schema(), FULL, layer_registry_schema())


def test_all_problems_are_told_at_once_and_a_mistyped_key_with_the_nearest() -> None:
    document = changed(vendor=None, publisher={"read_on": "soon", "region": ["us-east-1"]})
    assert problems_of(document) == [
        "layers[0].vendor: is missing. Add it: a text",
        (
            "layers[0].publishers[0].region: is not a known key. Did you mean 'regions'? "
            "Use one of profile_version_arn, regions, read_from, read_on"
        ),
        "layers[0].publishers[0].read_on: 'soon' is not a day. Write one such as '2026-11-23'. Correct it",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"version": ' + "9" * 5000 + "}", r"value has 5000 digits\)\. Write one JSON object"),
        ("[]", "not a JSON object"),
        ('{"version": 1, "version": 1}', "the key 'version' is there twice"),
        (" " * 1024 * 1024 + "{}", "1048578 bytes"),
    ],
)
def test_what_is_no_registry_is_refused(text: str, said: str) -> None:
    with pytest.raises(LayerRegistryError, match=said):
        parse_layer_registry(text, "layers.json", at=AT)
