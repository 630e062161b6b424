"""The signing pipeline's policies: every request of its table, and that nothing is public, misspelt or too long."""

import json
import re

import pytest

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import Condition, Statement
from constructs_pkg.guardrails.pipeline_buckets import MAX_BUCKET_POLICY_BYTES, upload_bucket_policy
from constructs_pkg.guardrails.pipeline_roles import pipeline_trust_policies
from constructs_pkg.guardrails.resource_policy import EVERYBODY, Principal, ResourcePolicy
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames
from tests.guardrails.iam_evaluator import Decision, NotUnderstoodError, action_details, glob
from tests.guardrails.resource_policies import evaluate_on_resource
from tests.guardrails.table_of_pipeline import (
    ADMINISTRATOR,
    CI,
    EVERYTHING,
    NAMES,
    NOTHING,
    PUBLISHER,
    ROLES,
    ROWS,
    SIGNED,
    UPLOADS,
    request_of,
    signed,
)


def test_every_request_of_the_table_gets_the_answer_that_it_must_get():
    wrong = {}
    for row in ROWS:
        decision = evaluate_on_resource(row.request, [row.identity], row.resource_policy, PUBLISHER)
        if decision != Decision(row.granted, row.denied_by):
            wrong[row.why] = decision
    assert wrong == {}
    assert len(ROWS) > 60


def test_no_two_rows_tell_the_same_story():
    stories = [row.why for row in ROWS]
    assert sorted(set(stories)) == sorted(stories)


def test_every_deny_of_the_buckets_stops_a_request_of_the_table():
    denies = {
        statement["Sid"]
        for policy in (UPLOADS, SIGNED)
        for statement in policy["Statement"]
        if statement["Effect"] == "Deny"
    }
    assert denies == set().union(*(row.denied_by for row in ROWS))


@pytest.mark.parametrize("policy", [*ROLES.values(), UPLOADS, SIGNED], ids=[*ROLES, "uploads", "signed"])
def test_every_action_exists_and_every_condition_key_is_one_that_its_action_has(policy):
    missing = []
    for statement in policy["Statement"]:
        actions = statement.get("Action", [])
        keys = {key for keys in statement.get("Condition", {}).values() for key in keys if not key.startswith("aws:")}
        for action in [actions] if isinstance(actions, str) else actions:
            if "*" in action:
                continue
            supported = action_details(action)["conditionKeys"]
            missing += [(action, key) for key in keys if not any(glob(template, key) for template in supported)]
    assert missing == []


def test_roles_trust_one_service_and_of_it_one_thing_of_this_account():
    trusts = {of: trust.to_dict()["Statement"][0] for of, trust in pipeline_trust_policies(NAMES).items()}
    assert {of: trust["Principal"] for of, trust in trusts.items()} == {
        "intake": {"Service": "states.amazonaws.com"},
        "sign": {"Service": "states.amazonaws.com"},
        "finish": {"Service": "states.amazonaws.com"},
        "pipe": {"Service": "pipes.amazonaws.com"},
        "events": {"Service": "events.amazonaws.com"},
    }
    assert {trust["Condition"]["StringEquals"]["aws:SourceAccount"] for trust in trusts.values()} == {PUBLISHER}
    assert trusts["sign"]["Condition"]["ArnLike"]["aws:SourceArn"] == NAMES.machine_arn("acme-signing-sign")


def test_a_policy_that_would_be_too_long_for_s3_is_refused():
    many = [
        PipelineApplication(
            name=f"application-{number}",
            profile_name=f"p{number}",
            profile_version="a1B2c3D4e5",
            writer_roles=(f"arn:aws:iam::444444444405:role/application-{number}-ci",),
        )
        for number in range(40)
    ]
    size = len(json.dumps(upload_bucket_policy(NAMES, many[:20]).to_dict(), separators=(",", ":")))
    assert MAX_BUCKET_POLICY_BYTES / 2 < size < MAX_BUCKET_POLICY_BYTES
    with pytest.raises(GuardrailError, match=r"for 40 applications has \d+ bytes; S3 takes 20480"):
        upload_bucket_policy(NAMES, many)


def test_names_that_s3_or_a_prefix_cannot_have_are_refused():
    with pytest.raises(GuardrailError, match="cannot be a prefix of uploads"):
        PipelineApplication(name="_pipeline", profile_name="p", profile_version="a1B2c3D4e5")
    with pytest.raises(GuardrailError, match="S3 takes 63"):
        SigningPipelineNames(prefix="a" * 30, partition="aws", account=PUBLISHER, region="ap-southeast-1")
    longest = SigningPipelineNames(prefix="a" * 20, partition="aws", account=PUBLISHER, region="ap-southeast-1")
    assert all(re.fullmatch(r"[a-z0-9-]{3,63}", name) for name in (longest.upload_bucket, longest.signed_bucket))


def test_two_applications_whose_statements_would_share_a_name_are_refused():
    twins = [PipelineApplication(name=name, profile_name="p", profile_version="a1B2c3D4e5") for name in ("a-b", "a_b")]
    with pytest.raises(GuardrailError, match="DenyOthersThanAB occur twice"):
        upload_bucket_policy(NAMES, twins)


def test_a_resource_policy_that_is_public_empty_or_says_a_name_twice_is_refused():
    allow = Statement(sid="A", effect="Allow", actions=("s3:GetObject",), resources=("*",))
    with pytest.raises(GuardrailError, match="allows everybody"):
        ResourcePolicy(((EVERYBODY, allow),))
    with pytest.raises(GuardrailError, match="without statements"):
        ResourcePolicy(())
    only = Principal("AWS", ("arn:aws:iam::222222222222:root",))
    with pytest.raises(GuardrailError, match="A occur twice"):
        ResourcePolicy(((only, allow), (only, allow)))
    narrowed = Statement(
        sid="A",
        effect="Allow",
        actions=("s3:GetObject",),
        resources=("*",),
        conditions=(Condition("StringEquals", "aws:PrincipalOrgID", ("o-a1b2c3d4e5",)),),
    )
    assert ResourcePolicy(((EVERYBODY, narrowed),)).to_dict()["Statement"][0]["Principal"] == "*"


# The evaluator of resource policies itself (IAM User Guide, "Cross-account policy evaluation logic").


def allowing(principal):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": principal}],
    }


@pytest.mark.parametrize(
    ("principal", "caller", "identity", "granted"),
    [
        ("*", CI, NOTHING, False),  # between accounts, both must allow
        ("*", CI, EVERYTHING, True),
        ("*", ADMINISTRATOR, NOTHING, True),  # within an account, one is enough
        ({"AWS": ADMINISTRATOR}, ADMINISTRATOR, NOTHING, True),
        ({"AWS": f"arn:aws:iam::{PUBLISHER}:root"}, ADMINISTRATOR, NOTHING, False),  # the account decides, and says no
        ({"AWS": f"arn:aws:iam::{PUBLISHER}:root"}, ADMINISTRATOR, EVERYTHING, True),
        ({"AWS": "arn:aws:iam::444444444405:root"}, CI, EVERYTHING, True),
        ({"AWS": ADMINISTRATOR}, CI, EVERYTHING, False),  # it is about somebody else
        ({"Service": "events.amazonaws.com"}, CI, EVERYTHING, False),
    ],
)
def test_policies_of_identity_and_resource_come_together_as_the_guide_says(principal, caller, identity, granted):
    request = request_of(caller, "s3:GetObject", signed())
    decision = evaluate_on_resource(request, [identity], allowing(principal), PUBLISHER)
    assert decision == Decision(granted, frozenset())


@pytest.mark.parametrize("principal", ["arn:aws:iam::1:role/x", {"Federated": "x"}, {"AWS": [ADMINISTRATOR, "a:root"]}])
def test_a_principal_without_a_rule_is_an_error(principal):
    with pytest.raises(NotUnderstoodError):
        evaluate_on_resource(
            request_of(ADMINISTRATOR, "s3:GetObject", signed()), [NOTHING], allowing(principal), PUBLISHER
        )
