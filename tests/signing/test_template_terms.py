"""The part ``templates`` of the policy file: read whole, written back equal, each mistake named by its place."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from constructs_pkg.arns import SigningProfileArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError
from constructs_pkg.signing.policy import CodeSigningPolicy, PolicyOrigin
from constructs_pkg.signing.policy_file import format_policy, parse_policy, policy_schema
from constructs_pkg.signing.template_terms import (
    ApprovedConfig,
    ExternalLayer,
    ProfileRecord,
    TemplateExemption,
    TemplateTerms,
)
from constructs_pkg.validity import Validity
from tests.corpus import independent_cms as cms

PUBLISHER = SigningProfileVersionArn.parse(cms.PROFILE_VERSION)
CSC = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
LAYER = "arn:aws:lambda:*:464622532012:layer:Vendor-*:*"
EXEMPTION = {"functions": "legacy-*", "owner": "a@b.c", "reason": "vendor", "expires": "2026-12-31"}
TERMS: dict[str, Any] = {
    "approved_configs": [{"arn": CSC}, {"ssm_parameter": "/config"}, {"export": "config"}],
    "external_layers": [{"layer": LAYER, "profile_version_arn": cms.PROFILE_VERSION, "vendor": "Vendor"}],
    "exemptions": [
        EXEMPTION,
        {**EXEMPTION, "rules": ["LCS101"], "construct_path": "*/Handler"},
    ],
    "recorded_profiles": [
        {"profile_arn": str(PUBLISHER.profile), "status": "Canceled"},
        {
            "profile_arn": str(PUBLISHER.profile),
            "status": "Active",
            "validity": "12 months",
            "platform_id": "AWSLambda-SHA384-ECDSA",
        },
    ],
    "expires_within_days": 30,
}
del TERMS["exemptions"][1]["functions"]
VALUE = TemplateTerms(
    (ApprovedConfig("arn", CSC), ApprovedConfig("ssm", "/config"), ApprovedConfig("export", "config")),
    (ExternalLayer(LAYER, PUBLISHER, "Vendor"),),
    (
        TemplateExemption(functions="legacy-*", owner="a@b.c", reason="vendor", expires=date(2026, 12, 31)),
        TemplateExemption(
            construct_path="*/Handler", owner="a@b.c", reason="vendor", expires=date(2026, 12, 31), rules=("LCS101",)
        ),
    ),
    (
        ProfileRecord(SigningProfileArn.parse(str(PUBLISHER.profile)), "Canceled"),
        ProfileRecord(PUBLISHER.profile, "Active", Validity(12, "MONTHS"), "AWSLambda-SHA384-ECDSA"),
    ),
    30,
)


def document(terms: Any) -> str:
    base = {"version": 1, "allowed_publishers": [cms.PROFILE_VERSION], "mode": "Enforce"}
    return json.dumps({**base, "templates": terms})


def test_all_terms_are_read_and_written_back_equal() -> None:
    policy = parse_policy(document(TERMS))
    assert policy == CodeSigningPolicy((PUBLISHER,), templates=VALUE)
    assert parse_policy(format_policy(policy)) == policy


def test_a_file_without_terms_is_written_without_them() -> None:
    assert "templates" not in json.loads(format_policy(CodeSigningPolicy((PUBLISHER,))))


def test_where_to_fetch_the_policy_is_kept() -> None:
    origin = PolicyOrigin(None, datetime(2026, 1, 1, tzinfo=UTC), "s3://bucket/policy.json")
    policy = CodeSigningPolicy((PUBLISHER,), origin=origin)
    assert parse_policy(format_policy(policy)) == policy


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-key": ({"exempt": []}, "templates.exempt"),
    "config-with-two-keys": ({"approved_configs": [{"arn": CSC, "export": "x"}]}, "templates.approved_configs[0].arn"),
    "config-with-none": ({"approved_configs": [{}]}, "templates.approved_configs[0].arn"),
    "config-no-arn": ({"approved_configs": [{"arn": "csc-0"}]}, "templates.approved_configs[0].arn"),
    "config-empty": ({"approved_configs": [{"export": ""}]}, "templates.approved_configs[0].export"),
    "layer-of-any-account": (
        {"external_layers": [{**TERMS["external_layers"][0], "layer": "arn:aws:lambda:*:*:layer:*:*"}]},
        "templates.external_layers[0].layer",
    ),
    "layer-without-vendor": (
        {"external_layers": [{"layer": LAYER, "profile_version_arn": cms.PROFILE_VERSION}]},
        "templates.external_layers[0].vendor",
    ),
    "exempt-all": ({"exemptions": [{**EXEMPTION, "functions": "*"}]}, "templates.exemptions[0]"),
    "exempt-both": ({"exemptions": [{**EXEMPTION, "construct_path": "a/*"}]}, "templates.exemptions[0]"),
    "exempt-nothing": (
        {"exemptions": [{key: EXEMPTION[key] for key in ("owner", "reason", "expires")}]},
        "templates.exemptions[0]",
    ),
    "exempt-for-ever": (
        {"exemptions": [{key: EXEMPTION[key] for key in ("functions", "owner", "reason")}]},
        "templates.exemptions[0].expires",
    ),
    "exempt-by-nobody": ({"exemptions": [{**EXEMPTION, "owner": " "}]}, "templates.exemptions[0]"),
    "exempt-from-the-check": ({"exemptions": [{**EXEMPTION, "rules": ["LCS901"]}]}, "templates.exemptions[0]"),
    "expires-never": ({"exemptions": [{**EXEMPTION, "expires": "never"}]}, "templates.exemptions[0].expires"),
    "status": (
        {"recorded_profiles": [{"profile_arn": str(PUBLISHER.profile), "status": "Lost"}]},
        "templates.recorded_profiles[0].status",
    ),
    "days": ({"expires_within_days": -1}, "templates.expires_within_days"),
}


@pytest.mark.parametrize(("terms", "where"), WRONG.values(), ids=WRONG)
def test_a_wrong_term_is_named_by_its_place(terms: dict[str, Any], where: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(terms))
    assert {problem.where for problem in caught.value.problems} == {where}


def test_the_published_schema_knows_every_key_that_is_read() -> None:
    published = policy_schema()["properties"]["templates"]["properties"]
    assert published.keys() == TERMS.keys()
    for key in ("approved_configs", "external_layers", "exemptions", "recorded_profiles"):
        known = published[key]["items"]["properties"].keys()
        assert {name for item in TERMS[key] for name in item} == set(known)


@pytest.mark.parametrize(
    ("pattern", "arn", "matches"),
    [
        (LAYER, "arn:aws:lambda:eu-west-1:464622532012:layer:Vendor-Python:7", True),
        (LAYER, "arn:aws:lambda:eu-west-1:464622532012:layer:Other:7", False),
        (LAYER, "arn:aws:lambda:eu-west-1:464622532013:layer:Vendor-Python:7", False),
        (LAYER, "arn:aws:lambda::464622532012:layer:Vendor-:", True),
        ("arn:aws:lambda:*:464622532012:layer:a*a:1", "arn:aws:lambda:x:464622532012:layer:a:1", False),
    ],
)
def test_a_star_alone_stands_for_other_text(pattern: str, arn: str, *, matches: bool) -> None:
    assert ExternalLayer(pattern, PUBLISHER, "v").matches(arn) is matches
