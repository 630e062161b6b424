"""The code signing policy file: read strictly, all problems at once, in step with its published schema."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.arns import CodeSigningConfigArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError
from constructs_pkg.signing.policy import (
    CodeSigningPolicy,
    Mode,
    PolicyOrigin,
    Revocations,
    RevokedJob,
    RevokedProfileVersion,
)
from constructs_pkg.signing.policy_file import (
    MAX_POLICY_BYTES,
    format_policy,
    parse_code_signing_config,
    parse_policy,
    parse_revocations,
    policy_schema,
)
from constructs_pkg.signing.trust import TrustStore, fingerprint_text
from tests.corpus import certificate_zoo as zoo
from tests.corpus import cms_cases as corpus
from tests.corpus import independent_cms as cms

CSC = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
SHA256 = "ab" * 32
PUBLISHER = SigningProfileVersionArn.parse(cms.PROFILE_VERSION)
FULL: dict[str, Any] = {
    "version": 1,
    "allowed_publishers": [cms.PROFILE_VERSION],
    "mode": "Warn",
    "trust_roots": [{"pem": corpus.ROOT_PEM.decode()}, {"sha256": fingerprint_text(SHA256)}],
    "revocations": {
        "jobs": [{"job_arn": cms.JOB, "reason": "leaked"}],
        "profile_versions": [
            {"profile_version_arn": cms.PROFILE_VERSION, "effective_time": "2026-10-01T02:00:00.123456+02:00"}
        ],
    },
    "origin": {"code_signing_config_arn": CSC, "retrieved_at": "2026-11-01T00:00:00Z"},
    "max_age_days": 30,
}
MINIMAL: dict[str, Any] = {"version": 1, "allowed_publishers": [cms.PROFILE_VERSION], "mode": "Enforce"}
FULL_POLICY = CodeSigningPolicy(
    (PUBLISHER,),
    Mode.WARN,
    TrustStore((corpus.GOOD_CHAIN.root,), frozenset({SHA256})),
    Revocations(
        (RevokedJob(SigningJobArn.parse(cms.JOB), "leaked"),),
        (RevokedProfileVersion(PUBLISHER, datetime(2026, 10, 1, 0, 0, 0, 123456, tzinfo=UTC)),),
    ),
    PolicyOrigin(CodeSigningConfigArn.parse(CSC), datetime(2026, 11, 1, tzinfo=UTC)),
    30,
)


def test_a_full_file_is_read_whole() -> None:
    assert parse_policy(json.dumps(FULL)) == FULL_POLICY


def test_a_minimal_file_enforces_and_trusts_nobody() -> None:
    assert parse_policy(json.dumps(MINIMAL)) == CodeSigningPolicy((PUBLISHER,))


@pytest.mark.parametrize("policy", [FULL_POLICY, CodeSigningPolicy((PUBLISHER,))], ids=["full", "minimal"])
def test_what_is_written_reads_back_equal(policy: CodeSigningPolicy) -> None:
    assert parse_policy(format_policy(policy)) == policy


def _with(**changes: Any) -> dict[str, Any]:
    return {**FULL, **changes}


def _without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in FULL.items() if key not in keys}


JOB_ITEM = FULL["revocations"]["jobs"][0]
VERSION_ITEM = FULL["revocations"]["profile_versions"][0]
LEAF_PEM = corpus.GOOD_CHAIN.leaf.public_bytes(Encoding.PEM).decode()
# Each wrong in one place: the document, where the problem is, and whether the schema can see it too.
WRONG: dict[str, tuple[dict[str, Any], str, bool]] = {
    "no-version": (_without("version"), "version", True),
    "version-2": (_with(version=2), "version", True),
    "version-text": (_with(version="1"), "version", True),
    "version-true": (_with(version=True), "version", True),
    "unknown-key": (_with(exemptions=[]), "exemptions", True),
    "no-publishers": (_without("allowed_publishers"), "allowed_publishers", True),
    "empty-publishers": (_with(allowed_publishers=[]), "allowed_publishers", True),
    "publishers-text": (_with(allowed_publishers=cms.PROFILE_VERSION), "allowed_publishers", True),
    "publisher-number": (_with(allowed_publishers=[7]), "allowed_publishers[0]", True),
    "publisher-number-beside-a-good-one": (
        _with(allowed_publishers=[cms.PROFILE_VERSION, 7]),
        "allowed_publishers[1]",
        True,
    ),
    "publisher-without-version": (
        _with(allowed_publishers=[cms.PROFILE_VERSION.rpartition("/")[0]]),
        "allowed_publishers[0]",
        True,
    ),
    "publisher-twice": (_with(allowed_publishers=[cms.PROFILE_VERSION] * 2), "allowed_publishers", True),
    "21-publishers": (
        _with(allowed_publishers=[f"{cms.PROFILE_VERSION[:-2]}{number}" for number in range(10, 31)]),
        "allowed_publishers",
        True,
    ),
    "no-mode": (_without("mode"), "mode", True),
    "mode-lower-case": (_with(mode="enforce"), "mode", True),
    "mode-null": (_with(mode=None), "mode", True),
    "root-with-both": (_with(trust_roots=[{**FULL["trust_roots"][0], "sha256": SHA256}]), "trust_roots[0].pem", True),
    "root-with-neither": (_with(trust_roots=[{}]), "trust_roots[0].pem", True),
    "root-with-unknown-key": (_with(trust_roots=[{"sha256": SHA256, "sha1": "ab"}]), "trust_roots[0].sha1", True),
    "root-is-a-leaf": (_with(trust_roots=[{"pem": LEAF_PEM}]), "trust_roots[0].pem", False),
    "fingerprint-short": (_with(trust_roots=[{"sha256": "ab"}]), "trust_roots[0].sha256", True),
    "revocations-list": (_with(revocations=[]), "revocations", True),
    "revocations-unknown-key": (_with(revocations={"profiles": []}), "revocations.profiles", True),
    "job-without-arn": (_with(revocations={"jobs": [{}]}), "revocations.jobs[0].job_arn", True),
    "job-unknown-key": (_with(revocations={"jobs": [{**JOB_ITEM, "at": "now"}]}), "revocations.jobs[0].at", True),
    "job-not-an-object": (_with(revocations={"jobs": [cms.JOB]}), "revocations.jobs[0]", True),
    "job-of-lambda": (
        _with(revocations={"jobs": [{"job_arn": CSC}]}),
        "revocations.jobs[0].job_arn",
        True,
    ),
    "reason-empty": (_with(revocations={"jobs": [{**JOB_ITEM, "reason": ""}]}), "revocations.jobs[0].reason", True),
    "effective-time-missing": (
        _with(revocations={"profile_versions": [{"profile_version_arn": cms.PROFILE_VERSION}]}),
        "revocations.profile_versions[0].effective_time",
        True,
    ),
    "effective-time-without-zone": (
        _with(revocations={"profile_versions": [{**VERSION_ITEM, "effective_time": "2026-10-01T00:00:00"}]}),
        "revocations.profile_versions[0].effective_time",
        False,
    ),
    "effective-time-words": (
        _with(revocations={"profile_versions": [{**VERSION_ITEM, "effective_time": "yesterday"}]}),
        "revocations.profile_versions[0].effective_time",
        False,
    ),
    "origin-without-date": (_with(origin={"code_signing_config_arn": CSC}), "origin.retrieved_at", True),
    "origin-of-a-function": (
        _with(origin={**FULL["origin"], "code_signing_config_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f"}),
        "origin.code_signing_config_arn",
        True,
    ),
    "age-without-origin": (_without("origin"), "max_age_days", True),
    "age-of-0-days": (_with(max_age_days=0), "max_age_days", True),
    "age-of-half-a-day": (_with(max_age_days=0.5), "max_age_days", True),
    "age-true": (_with(max_age_days=True), "max_age_days", True),
}


@pytest.mark.parametrize(("document", "where", "_"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_named_by_its_place(document: dict[str, Any], where: str, _: bool) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(json.dumps(document), "policy.json")
    assert {problem.where for problem in caught.value.problems} == {where}
    assert str(caught.value).startswith("policy.json: ")


def _matches(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Judge by the keywords of JSON Schema that the published schema uses; any other keyword fails the test."""
    kinds = {"object": dict, "array": list, "string": str, "integer": int}
    if "$ref" in schema:
        return _matches(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root)
    rules = {
        "type": lambda kind: isinstance(value, kinds[kind]) and not isinstance(value, bool),
        "const": lambda wanted: value == wanted and type(value) is type(wanted),
        "enum": lambda wanted: value in wanted,
        "pattern": lambda pattern: re.search(pattern, value) is not None,
        "minLength": lambda count: len(value) >= count,
        "maxLength": lambda count: len(value) <= count,
        "minItems": lambda count: len(value) >= count,
        "maxItems": lambda count: len(value) <= count,
        "uniqueItems": lambda _: len(value) == len({json.dumps(item) for item in value}),
        "items": lambda item: all(_matches(item, one, root) for one in value),
        "minProperties": lambda count: len(value) >= count,
        "maxProperties": lambda count: len(value) <= count,
        "minimum": lambda bound: value >= bound,
        "maximum": lambda bound: value <= bound,
        "required": lambda keys: set(keys) <= value.keys(),
        "properties": lambda known: all(_matches(known[key], value[key], root) for key in known.keys() & value.keys()),
        "additionalProperties": lambda _: value.keys() <= schema["properties"].keys(),
        "dependentRequired": lambda pairs: all(set(pairs[key]) <= value.keys() for key in pairs.keys() & value.keys()),
    }
    annotations = {"$schema", "$defs", "title", "description", "format"}
    keywords = sorted(schema.keys() - annotations, key=lambda keyword: keyword != "type")
    return all(rules[keyword](schema[keyword]) for keyword in keywords)


@pytest.mark.parametrize("document", [FULL, MINIMAL], ids=["full", "minimal"])
def test_the_published_schema_takes_what_is_taken_here(document: dict[str, Any]) -> None:
    assert _matches(policy_schema(), document, policy_schema())


@pytest.mark.parametrize(("document", "_", "is_visible"), WRONG.values(), ids=WRONG)
def test_the_published_schema_refuses_what_is_refused_here_as_far_as_it_can_see(
    document: dict[str, Any], _: str, is_visible: bool
) -> None:
    assert _matches(policy_schema(), document, policy_schema()) is not is_visible


def test_all_problems_are_told_at_once() -> None:
    document = {"version": 9, "mode": "x", "allowed_publishers": ["y"], "z": 1, "trust_roots": [{"sha256": "0"}]}
    with pytest.raises(PolicyError) as caught:
        parse_policy(json.dumps(document))
    places = ["z", "version", "allowed_publishers[0]", "mode", "trust_roots[0].sha256"]
    assert [problem.where for problem in caught.value.problems] == places


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        '{"version": 1, "version": 1}',
        '{"version": NaN}',
        "[" * 100_000,
        b"\xff{}",
        "\ud800",
        b"{}" + b" " * MAX_POLICY_BYTES,
        '{"version": ' + "9" * 5000 + "}",
    ],
    ids=["empty", "list", "null", "cut", "key-twice", "nan", "deep", "not-utf-8", "surrogate", "large", "huge-number"],
)
def test_what_is_no_json_object_is_refused_with_our_error(text: str | bytes) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    assert [problem.where for problem in caught.value.problems] == ["file"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(sorted(FULL)), children),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON))
@settings(max_examples=200, deadline=None)
def test_any_values_under_the_known_keys_give_a_policy_or_our_error(changes: dict[str, Any]) -> None:
    document = {**FULL, **changes}
    refused = False
    try:
        parse_policy(json.dumps(document))
    except PolicyError:
        refused = True
    # The schema cannot see everything, but what it refuses must be refused here too.
    assert refused or _matches(policy_schema(), document, policy_schema())


CONFIG: dict[str, Any] = {
    "CodeSigningConfig": {
        "CodeSigningConfigId": "csc-0123456789abcdef0",
        "CodeSigningConfigArn": CSC,
        "Description": "payments",
        "AllowedPublishers": {"SigningProfileVersionArns": [cms.PROFILE_VERSION]},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
        "LastModified": "2026-10-01T00:00:00.000+00:00",
    }
}
FETCHED_AT = datetime(2026, 11, 2, tzinfo=UTC)


def test_the_output_of_get_code_signing_config_is_read_with_the_roots_that_it_lacks() -> None:
    trust = TrustStore.from_pem(corpus.ROOT_PEM)
    policy = parse_code_signing_config(json.dumps(CONFIG), retrieved_at=FETCHED_AT, trust=trust)
    origin = PolicyOrigin(CodeSigningConfigArn.parse(CSC), FETCHED_AT)
    assert policy == CodeSigningPolicy((PUBLISHER,), Mode.WARN, trust, Revocations(), origin)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"AllowedPublishers": {"SigningProfileVersionArns": []}}, "AllowedPublishers.SigningProfileVersionArns"),
        (
            {"AllowedPublishers": {"SigningProfileVersionArns": [cms.PROFILE_VERSION], "Prefixes": ["arn:"]}},
            "AllowedPublishers.Prefixes",
        ),
        ({"CodeSigningPolicies": {}}, "CodeSigningPolicies.UntrustedArtifactOnDeployment"),
        (
            {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Allow"}},
            "CodeSigningPolicies.UntrustedArtifactOnDeployment",
        ),
        ({"CodeSigningConfigArn": "csc-0123456789abcdef0"}, "CodeSigningConfigArn"),
    ],
)
def test_output_that_does_not_say_whom_to_trust_is_refused(changes: dict[str, Any], where: str) -> None:
    document = {"CodeSigningConfig": {**CONFIG["CodeSigningConfig"], **changes}}
    with pytest.raises(PolicyError) as caught:
        parse_code_signing_config(json.dumps(document), retrieved_at=FETCHED_AT)
    assert [problem.where for problem in caught.value.problems] == [f"CodeSigningConfig.{where}"]


def test_a_policy_file_is_no_output_of_get_code_signing_config() -> None:
    with pytest.raises(PolicyError, match="CodeSigningConfig: is missing"):
        parse_code_signing_config(json.dumps(FULL), retrieved_at=FETCHED_AT)


def test_revocations_alone_are_read_from_a_file_of_their_own() -> None:
    text = json.dumps({"version": 1, "revocations": FULL["revocations"]})
    assert parse_revocations(text) == FULL_POLICY.revocations


@pytest.mark.parametrize("document", [{"version": 1}, {"version": 1, "revocations": {}, "mode": "Warn"}, FULL])
def test_a_revocations_file_holds_nothing_else(document: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        parse_revocations(json.dumps(document))


def test_roots_are_bounded_even_where_one_text_holds_several() -> None:
    texts = [corpus.ROOT_PEM, zoo.other_root().root.public_bytes(Encoding.PEM)]
    fingerprints = [{"sha256": f"{number:064x}"} for number in range(19)]
    with pytest.raises(PolicyError, match="trust_roots: there are 21 trust roots"):
        parse_policy(json.dumps(_with(trust_roots=[*fingerprints, {"pem": b"".join(texts).decode()}])))


def test_revocations_join_without_doubling() -> None:
    job = RevokedJob(SigningJobArn.parse(cms.JOB), "leaked")
    version = FULL_POLICY.revocations.profile_versions[0]
    joined = Revocations((job,)) | Revocations((job,), (version,))
    assert joined == Revocations((job,), (version,))


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"allowed_publishers": ()}, "allowed_publishers"),
        ({"allowed_publishers": (PUBLISHER, PUBLISHER)}, "allowed_publishers"),
        ({"allowed_publishers": (PUBLISHER,), "max_age_days": 1}, "max_age_days"),
    ],
)
def test_a_policy_made_of_arguments_is_held_to_the_same_rules(arguments: dict[str, Any], where: str) -> None:
    with pytest.raises(PolicyError) as caught:
        CodeSigningPolicy(**arguments)
    assert [problem.where for problem in caught.value.problems] == [where]
