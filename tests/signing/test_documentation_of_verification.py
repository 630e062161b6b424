"""The pages about verification, policy file and corpus say what the code does: numbers, codes, keys, outputs."""

import io
import json
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from constructs_pkg.cli.main import main
from constructs_pkg.signing import verifier
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.aws_messages import CODE_VERIFICATION_FAILED, INVALID_CODE_SIGNATURE
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.policy import RevokedJob, RevokedProfileVersion
from constructs_pkg.signing.policy_file import parse_policy, policy_schema
from constructs_pkg.signing.report import CheckName
from constructs_pkg.signing.trust import DOCUMENTED_COMMERCIAL_ROOT_SHA256, TrustDefect
from tests.corpus import build
from tests.corpus.corpus_case import CorpusCase
from tests.corpus.verifier_cases import CASES

DOCS = Path(__file__).parents[2] / "docs"
VERIFICATION, POLICY_FILE, CORPUS = (
    (DOCS / name).read_text("utf-8") for name in ("verification.md", "policy-file.md", "corpus.md")
)
EXPECTED: dict[str, Any] = json.loads(build.EXPECTED.read_text("utf-8"))


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level."""
    _, _, rest = text.partition(f"\n{heading}\n")
    assert rest, f"there is no heading {heading!r}"
    return re.split(rf"(?m)^{heading.partition(' ')[0]} ", rest)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows but the heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {number - 1 for number, line in enumerate(lines) if set(line) <= set("|-")}
    kept = [line for number, line in enumerate(lines) if number not in heads | {head + 1 for head in heads}]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in kept]


def code_words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def blocks(text: str) -> list[Token]:
    return [token for token in MarkdownIt().parse(text) if token.type == "fence"]


# What verification proves


def test_the_numbered_steps_are_those_of_the_verifier() -> None:
    documented = re.findall(r"(?m)^## (\d)\. (\w+)$", VERIFICATION)
    source = Path(verifier.__file__).read_text("utf-8")
    numbered = [(str(number), str(name).capitalize()) for number, name in enumerate(CheckName, 1)]
    assert documented == re.findall(r"(?m)^# (\d)\. (\w+)$", source) == numbered
    assert re.findall(r"(?m)^(\d)\. (\w+):", source) == numbered


def test_every_reason_code_stands_in_the_table_once() -> None:
    documented = [word for row in rows(section(VERIFICATION, "## Every reason code")) for word in code_words(row[1])]
    found_by_the_verifier = set(re.findall(r'(?:Finding|Note)\(\s*(?:[\w.]+,\s*)?"(\w+)"', _source("verifier.py")))
    notes_of_the_reader = {"symlink_entry", "backslash_in_name", "name_without_utf8_flag"}
    assert {f'"{code}"' for code in notes_of_the_reader} <= set(re.findall(r'"\w+"', _source("archive.py")))
    codes = {str(code) for code in (*ArchiveDefect, *CmsDefect, *TrustDefect)} | {
        RevokedJob.code,
        RevokedProfileVersion.code,
        *found_by_the_verifier,
        *notes_of_the_reader,
    }
    assert len(found_by_the_verifier) == 6
    assert sorted(documented) == sorted(codes)


def _source(name: str) -> str:
    return (Path(verifier.__file__).parent / name).read_text("utf-8")


def test_both_names_of_the_integrity_exception_are_told() -> None:
    conflicts = section(VERIFICATION, "## Where the sources disagree")
    assert {CODE_VERIFICATION_FAILED, INVALID_CODE_SIGNATURE} <= set(code_words(conflicts))


def _run(command: str) -> tuple[int, str]:
    """Run one line of a story as a shell would, our own commands in this process because that is ten times faster."""
    command = re.sub(r" # exit \d$", "", command)
    words, _, target = command.partition(" > ") if command.startswith("lambda-code-signing") else (command, "", "")
    if words.split(" ")[0] != "lambda-code-signing":
        done = subprocess.run(
            ["bash", "-c", re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", command)],
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr
    words = re.sub(r"\$\(cat (\S+)\)", lambda found: Path(found[1]).read_text().strip(), words)
    with redirect_stdout(io.StringIO()) as output:
        code = main(shlex.split(words)[1:])
    if target:
        Path(target).write_text(output.getvalue())
    return code, output.getvalue()


def test_the_story_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown, output = 0, ""
    for block in blocks(section(VERIFICATION, "## The four checks, as you would meet them")):
        if block.info == "text":
            lines = {line.strip() for line in output.splitlines()}
            assert set(block.content.splitlines()) <= lines, output
            shown += 1
            continue
        for command in block.content.splitlines():
            code, output = _run(command)
            expected = re.search(r"# exit (\d)$", command)
            assert code == (int(expected[1]) if expected else 0), f"{command}\n{output}"
    assert shown == 8


def test_the_story_shows_every_status() -> None:
    shown = {match[1] for match in re.finditer(r"(?m)^\S+\.zip: \w+ \((\w+), mode \w+\)$", VERIFICATION)}
    assert shown == {"VALID", "INTEGRITY", "MISMATCH", "EXPIRED", "REVOKED"}


def test_the_moved_boundaries_on_the_page_are_cases_of_the_corpus() -> None:
    table = rows(section(VERIFICATION, "## The weakness of the format"))
    moved = {case.name for case in CASES if case.name.startswith("boundary/") and case.expected_entries is None}
    assert len(table) == len(moved) == 4


# The policy file


def _keys(schema: dict[str, Any], node: dict[str, Any], where: str) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return every key of the schema, with its own schema and whether its object requires it."""
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    for key, value in node.get("properties", {}).items():
        rule = {**schema["$defs"][value["$ref"].removeprefix("#/$defs/")], **value} if "$ref" in value else value
        place = f"{where}{key}"
        found[place] = (rule, key in node.get("required", ()))
        found |= _keys(schema, rule, f"{place}.") | _keys(schema, rule.get("items", {}), f"{place}[].")
    return found


KEYS = _keys(policy_schema(), policy_schema(), "")
KEY_ROWS = {code_words(row[0])[0]: row for row in rows(section(POLICY_FILE, "## Every key"))}
TYPES = {"string": "text", "array": "list", "object": "object", "integer": "number"}


def test_every_key_of_the_schema_is_documented_and_no_other() -> None:
    assert list(KEY_ROWS) == list(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_type_requirement_and_bounds_of_a_key_are_those_of_the_schema(key: str) -> None:
    rule, is_required = KEYS[key]
    _, kind, left_out, text = KEY_ROWS[key]
    assert kind == TYPES[rule.get("type", "integer" if rule.get("const") == 1 else "string")]
    assert (left_out == "required") is is_required
    bounds = [rule[name] for name in ("const", "minimum", "maximum", "maxItems", "maxLength") if name in rule]
    assert [bound for bound in bounds if not re.search(rf"(?<![\d,]){bound:,}(?![\d,])", text)] == []
    assert [word for word in rule.get("enum", ()) if f"`{word}`" not in text] == []


def test_the_example_is_a_policy_and_shows_every_key_but_those_about_templates() -> None:
    (example,) = (block.content for block in blocks(POLICY_FILE) if block.info == "json")
    policy = parse_policy(example)
    assert policy.trust.fingerprints == {DOCUMENTED_COMMERCIAL_ROOT_SHA256}
    missing = [key for key in KEYS if f'"{re.split(r"[.]", key)[-1]}"' not in example]
    assert [key for key in missing if not key.startswith("templates")] == ["trust_roots[].pem"]


# The corpus


def _leaves(value: Any, where: str) -> set[str]:
    """Return the places of all values in a document; what ``limits`` holds counts as one."""
    if where == "cases":
        return {leaf for item in value for leaf in _leaves(item, "cases[]")}
    if not isinstance(value, dict) or where == "limits":
        return {where}
    return {leaf for key, item in value.items() for leaf in _leaves(item, f"{where}.{key}".lstrip("."))}


def test_every_key_of_the_expected_verdicts_is_documented() -> None:
    table = rows(section(CORPUS, "## `expected.json`"))
    meanings = {code_words(row[0])[0]: row[1] for row in table}
    assert set(meanings) == _leaves(EXPECTED, "") | {"observed", "format", "ours"}
    assert code_words(meanings["limits"]) == list(EXPECTED["limits"])


def test_every_group_is_documented() -> None:
    documented = [code_words(row[0])[0] for row in rows(section(CORPUS, "## The groups"))]
    assert set(documented) == {case.name.partition("/")[0] for case in CASES}


def test_the_cases_of_every_rule_exist() -> None:
    table = rows(section(CORPUS, "## Every rule of the format, and its cases"))
    named = [name for row in table for name in code_words(row[1])]
    assert [name for name in named if name not in {case.name for case in CASES}] == []
    assert len(table) >= 25
    assert all(code_words(row[1]) for row in table)


def _run_example(folder: Path, cases: list[CorpusCase], monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the page's runner over a corpus of some cases, and return its last line."""
    build.write_corpus(folder / "corpus", cases)
    document = {"cases": [case.document() for case in cases]}
    (folder / "corpus" / "expected.json").write_text(json.dumps(document))
    (runner,) = (block.content for block in blocks(CORPUS) if "def judge" in block.content)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    with redirect_stdout(io.StringIO()) as output:
        exec(compile(runner, "docs/corpus.md", "exec"), {"__name__": "__main__"})
    return output.getvalue().splitlines()[-1]


@pytest.mark.parametrize(
    ("findings", "last_line"), [(None, "0 wrong verdicts"), ((), "2 wrong verdicts")], ids=["as-stated", "misstated"]
)
def test_the_runner_on_the_page_tells_right_from_wrong(
    findings: tuple[str, ...] | None, last_line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = (case for case in CASES if case.name == "decision/signed_by_another_profile")
    stated = case if findings is None else replace(case, findings=findings)
    assert _run_example(tmp_path, [stated], monkeypatch) == last_line
