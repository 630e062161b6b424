"""Shorter templates say the same, told by resolving both; what cannot be shortened is left alone."""

import json

from hypothesis import given
from hypothesis import strategies as st

from constructs_pkg.templates import compacted, template_bytes
from tests.cdk.resolving import resolved

ACTIONS = [f"lambda:Action{number}" for number in range(8)]
JOIN = {"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":role/${aws:PrincipalAccount}"]]}


def policy(**statement: object) -> dict:
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}


def test_joins_become_subs_and_keep_policy_variables() -> None:
    template = compacted({"Resources": {"A": policy(Resource=JOIN)}})
    assert template["Resources"]["A"] == policy(
        Resource={"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/${!aws:PrincipalAccount}"}
    )


def test_texts_beside_each_other_do_not_become_a_reference() -> None:
    template = compacted(
        {"Resources": {"A": policy(Resource={"Fn::Join": ["", ["$", "{x}", {"Ref": "AWS::Region"}]]})}}
    )
    assert template["Resources"]["A"] == policy(Resource={"Fn::Sub": "${!x}${AWS::Region}"})


def test_a_list_that_is_there_twice_is_written_once() -> None:
    resources = {"A": policy(Action=ACTIONS), "B": policy(Action=ACTIONS), "C": policy(Action=ACTIONS[:7])}
    template = compacted({"Resources": resources})
    ((key, values),) = template["Mappings"]["Lists"].items()
    assert values == {"V": ACTIONS}
    assert template["Resources"]["A"] == policy(Action={"Fn::FindInMap": ["Lists", key, "V"]})
    assert template["Resources"]["C"] == resources["C"]
    assert len(template_bytes(template)) < len(template_bytes({"Resources": resources}))


def test_what_has_no_shorter_form_stays() -> None:
    template = {
        "Resources": {
            "Delimiter": policy(Resource={"Fn::Join": [",", ["a", "b"]]}),
            "OtherFunction": policy(Resource={"Fn::Join": ["", ["a", {"Fn::Select": [0, ["b"]]}]]}),
            "List": policy(Resource={"Fn::Join": ["", {"Ref": "Names"}]}),
            "HalfAReference": policy(Resource={"Fn::Join": ["", ["a${b", {"Ref": "AWS::Region"}]]}),
            "Dollar": policy(Resource={"Fn::Join": ["", ["a$", {"Ref": "AWS::Region"}]]}),
            "Short": policy(Action=["a:B"]),
            "ShortToo": policy(Action=["a:B"]),
        }
    }
    assert compacted(template) == template


def test_a_template_with_a_mapping_of_that_name_keeps_it() -> None:
    template = {
        "Mappings": {"Lists": {"A": {"B": "c"}}},
        "Resources": {"A": policy(Action=ACTIONS), "B": policy(Action=ACTIONS)},
    }
    assert compacted(template) == template


texts = st.text(alphabet="a${}:", max_size=12)
parts = st.lists(st.one_of(texts, st.just({"Ref": "AWS::AccountId"})), max_size=5)
values = st.recursive(
    st.one_of(
        texts, st.builds(lambda items: {"Fn::Join": ["", items]}, parts), st.sampled_from([ACTIONS, ACTIONS[:7]])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)),
    max_leaves=12,
)


@given(values, values)
def test_any_template_says_the_same_afterwards(one: object, other: object) -> None:
    template = {
        "Resources": {"A": {"Type": "T", "Properties": {"P": one}}, "B": {"Type": "T", "Properties": {"P": other}}}
    }
    before = json.dumps(template)
    assert resolved(compacted(template), account="444444444404") == resolved(template, account="444444444404")
    assert json.dumps(template) == before
