import json
from dataclasses import FrozenInstanceError, replace

import pytest

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import MANAGED_POLICY, SERVICE_CONTROL_POLICY, Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.documents import is_token, length_when_resolved
from constructs_pkg.guardrails.fitting import Limit, fit, merge


def statement(sid: str = "One", **changes) -> Statement:
    return Statement(
        **{"sid": sid, "effect": "Deny", "actions": ("lambda:B", "lambda:A"), "resources": ("*",), **changes}
    )


def test_json_is_canonical_and_complete() -> None:
    document = PolicyDocument(
        (
            statement(
                actions=("lambda:B", "lambda:A", "lambda:B"),
                conditions=(Condition("StringLike", "b", ("x", "y")), Condition("StringEquals", "a", ("z w",))),
            ),
            statement("", effect="Deny", actions=(), not_actions=("iam:Get*",), resources=(), not_resources=("arn:x",)),
        )
    )
    assert document.to_json() == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Deny","Action":["lambda:A","lambda:B"],"Resource":"*",'
        '"Condition":{"StringEquals":{"a":"z w"},"StringLike":{"b":["x","y"]}}},'
        '{"Effect":"Deny","NotAction":"iam:Get*","NotResource":"arn:x"}]}'
    )
    assert json.loads(document.to_json(indent=2)) == document.to_dict()
    assert document.stored_characters == len(document.to_json())
    assert document.characters == len(document.to_json()) - 1, "IAM does not count the one space"


def test_equal_statements_are_equal_values_that_cannot_be_changed() -> None:
    assert statement(actions=("lambda:A", "lambda:B")) == statement(actions=("lambda:B", "lambda:A", "lambda:A"))
    with pytest.raises(FrozenInstanceError):
        statement().sid = "Two"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actions": ()}, "the statement One needs either actions or not_actions, and not both"),
        ({"not_actions": ("a:B",)}, "the statement One needs either actions or not_actions, and not both"),
        ({"resources": ()}, "the statement One needs either resources or not_resources, and not both"),
        ({"sid": "a b"}, "the Sid 'a b' has other characters than letters and digits, or more than 64"),
        (
            {"effect": "Allow", "actions": (), "not_actions": ("iam:*",)},
            "the statement One allows everything but a list. Allow what is meant by name",
        ),
        (
            {"conditions": (Condition("Null", "a", ("true",)), Condition("Null", "a", ("false",)))},
            "the statement One has one operator and key twice, of which IAM keeps one",
        ),
    ],
)
def test_statement_that_iam_would_refuse_or_misread_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(GuardrailError) as refusal:
        statement(**changes)
    assert str(refusal.value) == message


def test_condition_without_values_and_document_without_statements_are_refused() -> None:
    with pytest.raises(GuardrailError, match="the condition Null a has no values"):
        Condition("Null", "a", ())
    with pytest.raises(GuardrailError, match="without statements"):
        PolicyDocument(())
    with pytest.raises(GuardrailError, match="the Sids One occur twice"):
        PolicyDocument((statement(), statement(resources=("arn:x",))))


def test_tokens_are_seen_and_counted_as_the_longest_text_that_they_can_stand_for() -> None:
    assert [
        is_token(text) for text in ("${Token[AWS.Region.4]}", "a${Token[TOKEN.7]}b", "${aws:PrincipalAccount}", "a")
    ] == [
        True,
        True,
        False,
        False,
    ]
    assert length_when_resolved("plain") == 5
    assert length_when_resolved("${Token[AWS.Region.4]}") == 14
    assert length_when_resolved("${Token[AWS.AccountId.11]}-${Token[AWS.Partition.1]}") == 12 + 1 + 10
    assert length_when_resolved("${Token[TOKEN.123]}") == 90


def test_statements_that_differ_in_actions_only_are_joined() -> None:
    first, second = statement("A", actions=("a:A",)), statement("B", actions=("a:B",))
    other = statement("C", actions=("a:C",), conditions=(Condition("Null", "k", ("true",)),))
    assert merge([first, other, second]) == (statement("A", actions=("a:A", "a:B")), other)


def test_statements_about_all_other_actions_are_never_joined() -> None:
    """Denying all but A and denying all but B denies everything; denying all but A and B does not."""
    first = statement("A", actions=(), not_actions=("a:A",))
    second = statement("B", actions=(), not_actions=("a:B",))
    assert merge([first, second]) == (first, second)


def in_order(*sizes: int) -> list[Statement]:
    return [statement(f"S{index}", resources=(f"arn:{index}:" + "x" * size,)) for index, size in enumerate(sizes)]


def advice() -> str:
    return "Shorten something."


def sids(documents: tuple[PolicyDocument, ...]) -> list[list[str]]:
    return [[one.sid for one in document.statements] for document in documents]


def test_documents_are_split_between_statements_in_their_order() -> None:
    documents = fit(in_order(3000, 3000, 3000, 3000), MANAGED_POLICY, what="policy", advice=advice)
    assert sids(documents) == [["S0"], ["S1"], ["S2"], ["S3"]]
    documents = fit(in_order(2000, 2000, 2000, 2000), MANAGED_POLICY, what="policy", advice=advice)
    assert sids(documents) == [["S0", "S1"], ["S2", "S3"]]
    assert all(document.characters <= 6144 for document in documents)


def test_one_document_is_joined_before_sids_are_dropped_before_it_is_refused() -> None:
    limit = Limit("boundary", 1_000, 1, counts_white_space=False)
    same = [statement(f"Same{index}", actions=(f"a:{index}" + "x" * 60,)) for index in range(8)]
    (joined,) = fit(same, limit, what="boundary", advice=advice)
    assert sids((joined,)) == [["Same0"]]
    long_sids = [statement(f"{'S' * 50}{index}", resources=(f"arn:{index}",)) for index in range(8)]
    (bare,) = fit(long_sids, limit, what="boundary", advice=advice)
    assert sids((bare,)) == [[""] * 8]
    too_much = in_order(300, 700, 300)
    whole = len(PolicyDocument(tuple(replace(one, sid="") for one in too_much)).to_json())
    alone = len(PolicyDocument((too_much[1],)).to_json())
    with pytest.raises(GuardrailError) as refusal:
        fit(too_much, limit, what="boundary", advice=advice)
    assert str(refusal.value) == (
        f"the boundary has {whole:,} characters in its shortest form, of which the statement S1 alone has {alone}; "
        "AWS takes 1,000 in a boundary. Shorten something."
    )


def test_too_many_documents_and_too_large_a_statement_are_refused_with_the_numbers() -> None:
    with pytest.raises(GuardrailError, match=r"has 55,\d{3} characters .* AWS takes 10 x 6,144 in a managed policy"):
        fit(in_order(*[5000] * 11), MANAGED_POLICY, what="policy", advice=advice)
    with pytest.raises(GuardrailError, match=r"the statement S1 alone has 6,\d{3}; AWS takes 10 x 6,144"):
        fit(in_order(10, 6144), MANAGED_POLICY, what="policy", advice=advice)


def test_white_space_counts_for_service_control_policies_only() -> None:
    spaced = [statement(resources=("arn:" + "x y " * 1_260,))]
    assert len(fit(spaced, MANAGED_POLICY, what="policy", advice=advice)) == 1
    with pytest.raises(GuardrailError, match="5,120"):
        fit(spaced, SERVICE_CONTROL_POLICY, what="policy", advice=advice)
