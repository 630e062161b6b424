"""YAML as CloudFormation takes it, and what must not be taken."""

import time

import pytest

from constructs_pkg.errors import TemplateError
from constructs_pkg.templates.documents import parse_template


def read(text: str | bytes) -> dict[str, object]:
    return parse_template(text if isinstance(text, bytes) else text.encode(), "t.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!GetAtt A.B", {"Fn::GetAtt": ["A", "B"]}),
        ("!GetAtt A.Outputs.B", {"Fn::GetAtt": ["A", "Outputs.B"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub '${A}-b'", {"Fn::Sub": "${A}-b"}),
        ("!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}),
        ("!If [C, !Ref A, !Ref AWS::NoValue]", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
        ("!Join ['', [a, !ImportValue b]]", {"Fn::Join": ["", ["a", {"Fn::ImportValue": "b"}]]}),
        ("!FindInMap [A, !Ref 'AWS::Region', b]", {"Fn::FindInMap": ["A", {"Ref": "AWS::Region"}, "b"]}),
        ("!Transform {Name: AWS::Include}", {"Fn::Transform": {"Name": "AWS::Include"}}),
        ("2012-10-17", "2012-10-17"),
        ("2010-09-09T00:00:00Z", "2010-09-09T00:00:00Z"),
        ("yes", True),
        ("12", 12),
        ("'012'", "012"),
        ("~", None),
    ],
)
def test_values_have_the_form_that_cloudformation_reads(text: str, value: object) -> None:
    assert read(f"K: {text}") == {"K": value}


def test_anchors_and_merges_are_followed() -> None:
    text = "A: &a {x: 1}\nB: *a\nC: {<<: *a, y: 2}"
    assert read(text) == {"A": {"x": 1}, "B": {"x": 1}, "C": {"x": 1, "y": 2}}


def test_json_is_read_as_json_and_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf {"Resources": {}}') == {"Resources": {}}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A: 1\nA: 2", "the key 'A' is there twice"),
        ('{"A": 1, "A": 2}', "the key 'A' is there twice"),
        ("A: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("A: !<tag:yaml.org,2002:python/name:os.system> x", "could not determine a constructor"),
        ("? [a]\n: b", "a key is no text"),
        ("A: [" * 50_000, "nested deeper than 100 levels"),
        ('{"A": ' * 50_000, "nested too deeply"),
        (BOMB, "more than 1,000,000 values"),
        ("A: &a [*a]", "stands for nothing, or for itself"),
        ("A: *b", "stands for nothing, or for itself"),
        ("---\nA: 1\n---\nB: 2", "expected a single document"),
        ("- a", "no object at the top"),
        ("text", "no object at the top"),
        ("", "no object at the top"),
        ("A: [", "is no template in YAML"),
        (b"\xff\xfe", "not UTF-8"),
        ("A: \x00", "is no template in YAML"),
        (b"{}" + b" " * (16 * 1024 * 1024), "are read at most"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_cannot_be_understood_is_refused_quickly_and_with_the_reason(text: str | bytes, reason: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateError) as caught:
        read(text)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("t.yaml ")
    assert time.monotonic() - began < 5
