"""explain: where the text comes from, how the answer looks, and what happens to what it does not know."""

import json
from pathlib import Path

import pytest

MESSAGE = "Code signing is not supported for functions created with container images."


def test_text_says_what_happened_and_what_to_do(run) -> None:
    ran = run("explain", MESSAGE)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "Container images have no Lambda code signing"
    assert "What to do:" in lines
    assert [line for line in lines if line.startswith("  1. ")]
    assert lines[-2].startswith("Known from: ")


def test_json_is_versioned(run) -> None:
    answer = run("explain", "CodeSigningConfigNotFoundException", "--format", "json").json
    (explanation,) = answer["explanations"]
    assert answer["version"] == 1
    assert set(explanation) == {"code", "title", "meaning", "remedies", "subject", "origin", "source"}
    assert (explanation["code"], explanation["subject"], explanation["origin"]) == ("config_not_found", None, None)


def test_file_and_standard_input_are_read(run, workspace: Path) -> None:
    (workspace / "events").write_text(json.dumps({"StackEvents": [{"LogicalResourceId": "F", "Reason": MESSAGE}]}))
    from_file = run("explain", "events")
    assert from_file.out.startswith("[F (resource)]\nContainer images have no")
    assert run("explain", "-", stdin=(workspace / "events").read_bytes()) == from_file


def test_unknown_text_says_so_and_is_no_answer(run) -> None:
    ran = run("explain", "Something went wrong")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("Not recognised: ")
    answer = run("explain", "Something went wrong", "--format", "json")
    assert (answer.code, answer.json) == (3, {"version": 1, "explanations": []})


@pytest.mark.parametrize("name", ["missing.json", "missing.txt", "authority"])
def test_file_that_cannot_be_read_is_no_answer(run, name: str) -> None:
    ran = run("explain", name)
    assert (ran.code, ran.out) == (3, "")
    assert f"{name} cannot be read" in ran.err


def test_more_than_a_mebibyte_is_not_read(run, workspace: Path) -> None:
    (workspace / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    for words, stdin in ((["large"], b""), (["-"], b"x" * (1024 * 1024 + 1)), (["x" * (1024 * 1024 + 1)], b"")):
        ran = run("explain", *words, stdin=stdin)
        assert (ran.code, ran.out) == (3, "")
        assert "larger than 1,048,576 bytes" in ran.err


def test_bytes_that_are_no_utf8_do_not_hide_the_message(run) -> None:
    assert run("explain", "-", stdin=b"\xff\xfe " + MESSAGE.encode()).code == 0


def test_record_cannot_steer_the_terminal_or_forge_a_line(run) -> None:
    record = {"LogicalResourceId": "\x1b[2J\nNothing to do", "Reason": MESSAGE}
    out = run("explain", "-", stdin=json.dumps(record).encode()).out
    assert out.splitlines()[0] == "[\\x1b[2J\\nNothing to do (resource)]"
