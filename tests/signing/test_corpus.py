"""The verifier and the command line give every archive of the conformance corpus the verdict that its case states."""

import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from constructs_pkg.cli.main import main
from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive import ArchiveLimits, ArchiveReading, read_archive
from constructs_pkg.signing.archive_defects import ArchiveDefect
from constructs_pkg.signing.cms_defects import CmsDefect
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import parse_policy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.signing.trust import TrustDefect
from constructs_pkg.signing.verifier import verify_archive
from tests.corpus import build
from tests.corpus.corpus_case import CorpusCase
from tests.corpus.decision_cases import POLICIES, policy_text
from tests.corpus.size_cases import LIMITS
from tests.corpus.verifier_cases import CASES, expected_text

MODES = ("enforce", "warn")
EXPECTED: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads(build.EXPECTED.read_text("utf-8"))["cases"]
}


SMALL = [case for case in CASES if not case.name.startswith("size/")]


def by_mode(answer: dict[str, Any]) -> dict[str, Any]:
    return {"decision": answer["decision"], "aws_error_code": answer["aws_error"] and answer["aws_error"]["code"]}


def verdict(enforced: dict[str, Any], warned: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON reports on one archive, under Enforce and under Warn, in the words of ``expected.json``."""
    findings = [{"check": item["check"], "code": item["code"]} for item in enforced["findings"]]
    failed = next((name for name, check in enforced["checks"].items() if check["status"] == "failed"), None)
    return {
        "signature_status": enforced["signature_status"],
        "failed_check": failed,
        "reason": next((item["code"] for item in findings if item["check"] == failed), None),
        "findings": findings,
        # Which error AWS shows for some rejections is not known; the note that says so is no part of a verdict.
        "notes": [note["code"] for note in enforced["notes"] if note["code"] != "aws_error_assumed"],
        "enforce": by_mode(enforced),
        "warn": by_mode(warned),
    }


@pytest.fixture(scope="module")
def policies() -> dict[tuple[str, str], CodeSigningPolicy]:
    return {(name, mode): parse_policy(policy_text(name, mode), name) for name in POLICIES for mode in MODES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_is_the_one_that_the_corpus_states(
    case: CorpusCase, policies: dict[tuple[str, str], CodeSigningPolicy]
) -> None:
    source: bytes | ArchiveReading = case.build()
    at = datetime.fromisoformat(case.at)
    if case.name.startswith("size/"):
        with suppress(ArchiveError):  # which the verifier meets itself
            source = read_archive(source)  # once for both modes, which is most of their time

    def report(mode: str) -> VerificationReport:
        policy = policies[case.policy, mode]
        return verify_archive(source, policy, at, artifact=case.name, expected_entries=case.expected_entries)

    enforced, warned = report("enforce"), report("warn")

    assert verdict(enforced.to_dict(), warned.to_dict()) == EXPECTED[case.name]["expected"]
    assert (warned.findings, warned.signature_status) == (enforced.findings, enforced.signature_status)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus on disk as another program meets it, without what is large."""
    folder = tmp_path_factory.mktemp("corpus") / "of-archives"
    assert build.write_corpus(folder, SMALL) > 500_000
    return folder


def test_the_command_line_gives_the_same_verdicts(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stated = json.loads((corpus / "expected.json").read_text("utf-8"))["cases"]
    runs = defaultdict(list)
    for case in stated:
        if case["expected_entries"] is None and (corpus / case["archive"]).exists():
            runs[case["policy"], case["at"]].append(case)
    verdicts: dict[str, dict[str, Any]] = {}

    for (policy, at), cases in runs.items():
        answers = {}
        for mode in MODES:
            paths = [str(corpus / case["archive"]) for case in cases]
            policy_file = str(corpus / "policies" / f"{policy}.{mode}.json")
            code = main(["verify", *paths, "--policy", policy_file, "--at", at, "--format", "json"])
            answers[mode] = json.loads(capsys.readouterr().out)["artifacts"]
            assert code == any(case["expected"][mode]["decision"] == "rejected" for case in cases)
        for case, enforced, warned in zip(cases, answers["enforce"], answers["warn"], strict=True):
            verdicts[case["name"]] = verdict(enforced, warned)

    assert verdicts == {case["name"]: case["expected"] for cases in runs.values() for case in cases}
    assert len(verdicts) > 400


def test_the_command_line_notes_what_the_format_cannot_see(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [case for case in SMALL if case.expected_entries is not None]
    for case in known:
        (tmp_path / "entries").write_text("".join(f"{name}\n" for name in case.expected_entries or ()))
        words = [corpus / case.archive_path, "--policy", corpus / "policies" / "allowed.enforce.json"]
        code = main(
            ["verify", *map(str, words), "--at", case.at, "--entries", str(tmp_path / "entries"), "--format", "json"]
        )
        (artifact,) = json.loads(capsys.readouterr().out)["artifacts"]
        assert (code, tuple(note["code"] for note in artifact["notes"])) == (0, case.notes), case.name
    assert {case.notes for case in known} == {(), ("entries_differ",)}


def test_the_committed_file_says_what_the_cases_state() -> None:
    """Run ``python tests/corpus/build.py --expected`` after changing a case."""
    assert build.EXPECTED.read_text("utf-8") == expected_text()


def test_every_case_has_a_name_of_its_own_and_a_policy_that_exists() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 70
    assert {case.policy for case in CASES} == set(POLICIES)
    assert {case.basis for case in CASES} == {"observed", "format", "ours"}


def test_every_reason_that_a_verdict_can_have_has_a_case() -> None:
    without_a_case = {
        "unreadable",  # a disk that fails; no verdict at all
        "archive_too_large",  # 320 MiB, tested with a lower limit by the tests of the reader
        "root_malformed",  # a policy that cannot be used; no verdict at all
        "fingerprint_malformed",
    }
    reasons = {*ArchiveDefect, *CmsDefect, *TrustDefect, "signed_in_the_future", "unsigned", "publisher_not_allowed"}
    reasons |= {"signature_expired", "job_revoked", "profile_version_revoked"}
    found = {finding.partition(": ")[2] for case in CASES for finding in case.findings}
    assert found == {str(reason) for reason in reasons} - without_a_case


def test_the_stated_limits_are_those_of_the_verifier() -> None:
    limits = ArchiveLimits()
    assert {
        "expanded_bytes": limits.max_expanded_bytes,
        "signature_bytes": limits.max_signature_bytes,
        "entries": limits.max_entries,
        "directory_bytes": limits.max_directory_bytes,
        "name_bytes": limits.max_name_bytes,
    } == LIMITS


def test_another_process_makes_the_same_archives_without_the_package_under_test() -> None:
    program = """
import hashlib, json, sys
from tests.corpus.verifier_cases import CASES
small = [case for case in CASES if not case.name.startswith("size/")]
made = {case.name: hashlib.sha256(case.build()).hexdigest() for case in small}
foreign = [name for name in sys.modules if name.partition(".")[0] == "constructs_pkg"]
json.dump({"made": made, "foreign": foreign}, sys.stdout)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=build.ROOT, capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["foreign"] == []
    assert answer["made"] == {case.name: hashlib.sha256(case.build()).hexdigest() for case in SMALL}


def test_a_directory_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(SystemExit, match="not empty"):
        build.write_corpus(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
