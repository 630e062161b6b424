"""The evaluator itself, against the semantics that the IAM User Guide documents (page and rule beside each case)."""

import pytest

from tests.guardrails.iam_evaluator import (
    NotUnderstoodError,
    Request,
    Resource,
    arn_matches,
    condition_holds,
    evaluate,
)

KEY = "lambda:CodeSigningConfigArn"
LAYER = "lambda:Layer"
PRINCIPAL = "arn:aws:iam::123456789012:role/someone"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:f"
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def holds(operator: str, key: str, wanted: list[str], present: tuple[str, ...] | None) -> bool:
    return condition_holds(operator, key, wanted, {} if present is None else {key.lower(): present})


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "present", "expected"),
    [
        # An absent key makes a positive operator false and a negated one true.
        ("StringEquals", KEY, ["a"], None, False),
        ("StringLike", KEY, ["*"], None, False),
        ("StringEqualsIgnoreCase", KEY, ["a"], None, False),
        ("ArnLike", KEY, ["arn:*:*:*:*:*"], None, False),
        ("ArnEquals", KEY, ["arn:*:*:*:*:*"], None, False),
        ("Bool", KEY, ["true"], None, False),
        ("StringNotEquals", KEY, ["a"], None, True),
        ("StringNotEqualsIgnoreCase", KEY, ["a"], None, True),
        ("StringNotLike", KEY, ["*"], None, True),
        ("ArnNotLike", KEY, ["arn:*:*:*:*:*"], None, True),
        ("ArnNotEquals", KEY, ["arn:*:*:*:*:*"], None, True),
        # With IfExists an absent key makes the condition true, and a present one is compared as usual.
        ("StringEqualsIfExists", KEY, ["a"], None, True),
        ("ArnLikeIfExists", KEY, ["a"], None, True),
        ("StringNotEqualsIfExists", KEY, ["a"], None, True),
        ("StringEqualsIfExists", KEY, ["a"], ("b",), False),
        ("StringNotEqualsIfExists", KEY, ["a"], ("a",), False),
        ("StringNotEqualsIfExists", KEY, ["a"], ("b",), True),
        # Several values in the policy: OR for a positive operator, NOR for a negated one.
        ("StringEquals", KEY, ["a", "b"], ("b",), True),
        ("StringEquals", KEY, ["a", "b"], ("c",), False),
        ("StringNotEquals", KEY, ["a", "b"], ("b",), False),
        ("StringNotEquals", KEY, ["a", "b"], ("c",), True),
        # Case and wildcards: StringEquals has neither, StringLike has * and ?.
        ("StringEquals", KEY, ["A"], ("a",), False),
        ("StringEquals", KEY, ["a*"], ("ab",), False),
        ("StringEqualsIgnoreCase", KEY, ["A"], ("a",), True),
        ("StringNotEqualsIgnoreCase", KEY, ["A"], ("a",), False),
        ("StringLike", KEY, ["a?c*"], ("abcd",), True),
        ("StringLike", KEY, ["a?c"], ("ac",), False),
        ("StringNotLike", KEY, ["a*"], ("ab",), False),
        ("Bool", KEY, ["true"], ("True",), True),
        # The value true asks for an absent key, false for a present one.
        ("Null", KEY, ["true"], None, True),
        ("Null", KEY, ["true"], ("a",), False),
        ("Null", KEY, ["false"], None, False),
        ("Null", KEY, ["false"], ("a",), True),
        # ForAnyValue: true if any value of the request matches any of the policy; an absent key never does.
        ("ForAnyValue:StringEquals", LAYER, ["a", "b"], ("x", "b"), True),
        ("ForAnyValue:StringEquals", LAYER, ["a"], ("x",), False),
        ("ForAnyValue:StringEquals", LAYER, ["a"], None, False),
        ("ForAnyValue:StringNotLike", LAYER, ["a*"], ("ab",), False),
        ("ForAnyValue:StringNotLike", LAYER, ["a*"], ("ab", "xy"), True),
        ("ForAnyValue:StringNotLike", LAYER, ["a*"], None, False),
        ("ForAnyValue:StringNotLikeIfExists", LAYER, ["a*"], None, True),
        # ForAllValues: true if every value matches, and also for an absent key.
        ("ForAllValues:StringEquals", LAYER, ["a", "b"], ("a", "b"), True),
        ("ForAllValues:StringEquals", LAYER, ["a", "b"], ("a", "x"), False),
        ("ForAllValues:StringEquals", LAYER, ["a"], None, True),
        ("ForAllValues:StringNotEquals", LAYER, ["a"], ("x", "a"), False),
    ],
)
def test_operator_means_what_the_user_guide_says(
    operator: str, key: str, wanted: list[str], present: tuple[str, ...] | None, expected: bool
) -> None:
    assert holds(operator, key, wanted, present) is expected


@pytest.mark.parametrize(
    ("operator", "key", "wanted"),
    [
        ("NumericEquals", KEY, ["1"]),
        ("StringEqualsSomehow", KEY, ["a"]),
        ("ForSomeValues:StringEquals", LAYER, ["a"]),
        ("ForAnyValue:StringEquals", KEY, ["a"]),  # single-valued: AWS warns of it
        ("StringEquals", LAYER, ["a"]),  # multivalued without a qualifier
        ("StringEquals", KEY, ["${aws:username}"]),
    ],
)
def test_what_is_not_understood_is_an_error_and_not_no_match(operator: str, key: str, wanted: list[str]) -> None:
    with pytest.raises(NotUnderstoodError):
        holds(operator, key, wanted, ("a",))


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:lambda:*:*:function:a-*", "arn:aws:lambda:eu-west-1:1:function:a-b:live", True),
        ("arn:aws:lambda:*:function:a", "arn:aws:lambda:eu-west-1:1:function:a", False),  # no wildcard over a colon
        ("arn:aws:lambda:*:1:function:a", "arn:aws:lambda:eu-west-1:2:function:a", False),
        ("arn:aws:iam::1:role/x-*", "arn:aws:iam::1:role/x-y/z", True),  # … but over a slash
        ("arn:aws:lambda:*:*:*", "*", False),
    ],
)
def test_arns_are_compared_part_by_part(pattern: str, arn: str, expected: bool) -> None:
    assert arn_matches(pattern, arn) is expected


def document(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def ask(action: str = "lambda:UpdateFunctionCode", *arns: str, **more) -> Request:
    return Request(PRINCIPAL, action, tuple(Resource(arn) for arn in arns or (FUNCTION,)), **more)


def test_nothing_is_allowed_that_nobody_allows() -> None:
    assert not evaluate(ask(), []).allowed
    assert evaluate(ask(), [document(ALLOW_ALL)]).allowed


def test_an_explicit_deny_in_any_document_wins() -> None:
    deny = document({"Sid": "D", "Effect": "Deny", "Action": "lambda:Update*", "Resource": "*"})
    allow = document(ALLOW_ALL)
    assert evaluate(ask(), [allow, deny]).denied_by == {"D"}
    assert not evaluate(ask(), [allow], boundary=document(ALLOW_ALL, *deny["Statement"])).allowed
    assert not evaluate(ask(), [allow], service_control=[[allow], [allow, deny]]).allowed


def test_a_boundary_and_every_level_of_service_control_policies_must_allow_too() -> None:
    allow, other = document(ALLOW_ALL), document({**ALLOW_ALL, "Action": "s3:*"})
    assert not evaluate(ask(), [allow], boundary=other).allowed
    assert not evaluate(ask(), [other], boundary=allow).allowed
    assert not evaluate(ask(), [allow], service_control=[[allow], [other]]).allowed
    assert evaluate(ask(), [allow], boundary=allow, service_control=[[allow], [other, allow]]).allowed


def test_actions_ignore_case_and_not_elements_mean_all_others() -> None:
    assert evaluate(ask(), [document({**ALLOW_ALL, "Action": "LAMBDA:updatefunctioncode"})]).allowed
    not_lambda = {"Sid": "D", "Effect": "Deny", "NotAction": "lambda:*", "Resource": "*"}
    not_f = {"Sid": "D", "Effect": "Deny", "Action": "*", "NotResource": FUNCTION}
    for statement, other in (
        (not_lambda, ask("iam:GetRole", PRINCIPAL)),
        (not_f, ask("lambda:GetFunction", FUNCTION + "2")),
    ):
        assert evaluate(ask(), [document(ALLOW_ALL, statement)]).allowed
        assert not evaluate(other, [document(ALLOW_ALL, statement)]).allowed


def test_every_resource_of_a_request_needs_an_allow_and_none_a_deny() -> None:
    config = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    both = ask("lambda:PutFunctionCodeSigningConfig", config, FUNCTION)
    on_function = {**ALLOW_ALL, "Resource": FUNCTION}
    assert not evaluate(both, [document(on_function)]).allowed
    assert evaluate(both, [document(on_function, {**ALLOW_ALL, "Resource": config})]).allowed
    assert not evaluate(
        both, [document(ALLOW_ALL, {"Sid": "D", "Effect": "Deny", "Action": "*", "Resource": config})]
    ).allowed


def test_a_key_that_the_action_does_not_have_is_not_in_the_request() -> None:
    """``UpdateFunctionCode`` has no ``lambda:CodeSigningConfigArn``, whatever somebody writes into a policy."""
    context = ((KEY, ("x",)),)
    deny = {"Sid": "D", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {KEY: "x"}}}
    policies = [document(ALLOW_ALL, deny)]
    assert not evaluate(ask(context=context), policies).allowed
    assert evaluate(ask("lambda:CreateFunction", context=context), policies).allowed
    assert evaluate(ask(context=context, extra_keys=(KEY,)), policies).allowed


def test_resource_tags_count_where_the_resource_has_such_a_key() -> None:
    deny = {
        "Sid": "D", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"Null": {"aws:ResourceTag/frozen": "false"}},
    }  # fmt: skip
    tagged = Request(PRINCIPAL, "lambda:UpdateFunctionCode", (Resource(FUNCTION, (("Frozen", "x"),)),))
    assert not evaluate(tagged, [document(ALLOW_ALL, deny)]).allowed
    assert evaluate(ask(), [document(ALLOW_ALL, deny)]).allowed
    layer = Resource("arn:aws:lambda:eu-west-1:123456789012:layer:a:1", (("frozen", "x"),))
    assert evaluate(Request(PRINCIPAL, "lambda:GetLayerVersion", (layer,)), [document(ALLOW_ALL, deny)]).allowed


def test_the_principals_account_is_the_one_policy_variable() -> None:
    statement = {
        **ALLOW_ALL,
        "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:*"}},
    }
    assert evaluate(ask(), [document(statement)]).allowed


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW_ALL, "Principal": "*"},
        {**ALLOW_ALL, "Effect": "Permit"},
        {**ALLOW_ALL, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_an_element_that_is_not_understood_is_an_error(statement: dict) -> None:
    with pytest.raises(NotUnderstoodError):
        evaluate(ask(), [document(statement)])


@pytest.mark.parametrize(
    ("action", "arns"),
    [
        ("lambda:UpdateFunctionKode", (FUNCTION,)),
        ("lambda:UpdateFunctionCode", ("*",)),
        ("lambda:CreateCodeSigningConfig", (FUNCTION,)),
        ("lambda:PutFunctionCodeSigningConfig", (FUNCTION,)),
        ("nosuchservice:Get", ("*",)),
    ],
)
def test_a_request_that_aws_would_not_make_is_an_error(action: str, arns: tuple[str, ...]) -> None:
    with pytest.raises(NotUnderstoodError):
        ask(action, *arns)
