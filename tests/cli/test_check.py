"""``lambda-code-signing check``: exit codes, formats, directories, and that it never crashes on one of many."""

import json
from pathlib import Path
from typing import Any

import pytest

from constructs_pkg.rules import CHECK_REPORT_VERSION
from tests.cli.conftest import Run

AT = "2026-01-15T00:00:00Z"
CSC = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"


@pytest.fixture(autouse=True)
def policy(workspace: Path) -> Path:
    """Let the policy of the workspace approve a config, and exempt functions that are called legacy."""
    file = workspace / "policy.json"
    document = json.loads(file.read_text())
    document["templates"] = {
        "approved_configs": [{"arn": CSC}],
        "exemptions": [
            {"functions": "legacy-*", "owner": "a@b.c", "reason": "vendor", "expires": "2026-12-31"},
        ],
    }
    file.write_text(json.dumps(document))
    return file


def template(path: Path, archive: str = "signed.zip", **properties: Any) -> Path:
    body = {"Code": archive, "CodeSigningConfigArn": CSC, **properties}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": body}}}))
    return path


def test_a_template_with_signed_code_passes(run: Run, workspace: Path) -> None:
    template(workspace / "app.json")
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "PASSED: 1 template, 1 function, 0 layers, 1 archive judged; 0 fatal, 0 error, 0 warning, 0 note, 0 exempted\n"
    )


@pytest.mark.parametrize(
    ("archive", "rule"), [("unsigned.zip", "LCS201"), ("tampered.zip", "LCS202"), ("other.zip", "LCS203")]
)
def test_a_bad_archive_fails_with_rule_place_and_remedy(run: Run, workspace: Path, archive: str, rule: str) -> None:
    template(workspace / "app.json", archive)
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT)
    first, message, remedy, summary = ran.out.splitlines()
    assert ran.code == 1
    assert first == f"FATAL {rule} app.json: F (Properties/Code)"
    assert message.startswith(f"  {archive}: ")
    assert len(remedy) > 20
    assert summary.startswith("FAILED: 1 template,")


def test_an_exempted_violation_is_reported_and_passes(run: Run, workspace: Path) -> None:
    template(workspace / "app.json", "unsigned.zip", FunctionName="legacy-import")
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT)
    assert ran.code == 0
    assert "  passes: exemption for functions legacy-* by a@b.c until 2026-12-31: vendor\n" in ran.out


def test_json_tells_everything_and_repeats_the_exit_code(run: Run, workspace: Path) -> None:
    template(workspace / "app.json", "unsigned.zip")
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT, "--format", "json")
    answer = ran.json
    (violation,) = answer.pop("violations")
    assert (ran.code, violation["rule"], violation["logical_id"]) == (1, "LCS201", "F")
    assert answer == {
        "version": CHECK_REPORT_VERSION,
        "at": AT,
        "passes": False,
        "judged_by_policy": True,
        "templates": ["app.json"],
        "functions": 1,
        "layers": 0,
        "archives": 1,
        "counts": {"fatal": 1, "error": 0, "warning": 0, "note": 0, "exempted": 0},
        "no_verdict": [],
    }


def test_sarif_has_a_result_for_each_violation_and_suppresses_the_exempted(run: Run, workspace: Path) -> None:
    template(workspace / "a.json", "unsigned.zip")
    template(workspace / "b.json", "unsigned.zip", FunctionName="legacy-import")
    ran = run("check", "a.json", "b.json", "--policy", "policy.json", "--at", AT, "--format", "sarif")
    (sarif,) = ran.json["runs"]
    assert [
        (
            item["ruleId"],
            item["level"],
            item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "suppressions" in item,
        )
        for item in sarif["results"]
    ] == [("LCS201", "error", "a.json", False), ("LCS201", "error", "b.json", True)]
    assert [rule["id"] for rule in sarif["tool"]["driver"]["rules"]] == ["LCS201"]
    assert sarif["invocations"][0]["executionSuccessful"] is True


def test_a_directory_of_hundreds_ends_with_a_summary_whatever_is_in_it(run: Run, workspace: Path) -> None:
    for number in range(300):
        template(workspace / "many" / f"{number // 50}" / f"{number:03}.json", "../../signed.zip")
    (workspace / "many" / "broken.yaml").write_text("AWSTemplateFormatVersion: 2010-09-09\nResources: [")
    (workspace / "many" / "bomb.yaml").write_text("AWSTemplateFormatVersion: &a [*a]\n")
    (workspace / "many" / "binary.json").write_bytes(b"AWSTemplateFormatVersion\xff\0")
    (workspace / "many" / "notes.yaml").write_text("AWS: nothing\n")
    ran = run("check", "many", "--policy", "policy.json", "--at", AT)
    lines = ran.out.splitlines()
    assert ran.code == 1
    assert [line for line in lines if line.startswith("FATAL")] == [
        f"FATAL LCS902 many/{name}" for name in ("binary.json", "bomb.yaml", "broken.yaml")
    ]
    assert lines[-1].startswith("FAILED: 300 templates, 300 functions, 0 layers, 1 archive judged; 3 fatal")


def test_a_cdk_out_is_read_as_one_assembly(run: Run, workspace: Path) -> None:
    folder = workspace / "cdk.out"
    folder.mkdir()
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "artifacts": {
                    "S.assets": {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}},
                    "S": {
                        "type": "aws:cloudformation:stack",
                        "environment": "aws://123456789012/eu-west-1",
                        "properties": {"templateFile": "S.template.json"},
                        "dependencies": ["S.assets"],
                        "metadata": {"/Shop/F/Resource": [{"type": "aws:cdk:logicalId", "data": "F"}]},
                    },
                }
            }
        )
    )
    place = {"bucketName": "assets-${AWS::AccountId}", "objectKey": "k.zip"}
    source = {"path": "../unsigned.zip", "packaging": "file"}
    (folder / "S.assets.json").write_text(
        json.dumps({"files": {"k": {"source": source, "destinations": {"c": place}}}})
    )
    code = {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "k.zip"}
    template(folder / "S.template.json", Code=code)
    ran = run("check", "cdk.out", "--policy", "policy.json", "--at", AT, "--format", "json")
    assert [(item["rule"], item["construct_path"]) for item in ran.json["violations"]] == [
        ("LCS201", "Shop/F/Resource")
    ]


def test_without_a_policy_structure_decides_and_no_signature_is_accepted(run: Run, workspace: Path) -> None:
    template(workspace / "app.json")
    ran = run("check", "app.json", "--at", AT)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "ERROR LCS216 app.json: F (Properties/Code)")
    assert ran.out.splitlines()[-1].endswith("; no policy was given, so no signature was judged")
    (workspace / "queue.json").write_text('{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}')
    assert run("check", "queue.json").code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("empty",), "empty: there is no template"),
        (("app.json", "--policy", "nowhere.json"), "the policy nowhere.json cannot be read"),
        (("app.json", "--policy", "app.json"), "app.json: "),
        (("app.json", "nowhere", "--policy", "policy.json"), "nowhere does not exist"),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_without_a_verdict_the_exit_code_is_3_and_nothing_claims_to_pass(
    run: Run, workspace: Path, words: tuple[str, ...], reason: str, form: str
) -> None:
    template(workspace / "app.json")
    (workspace / "empty").mkdir()
    ran = run("check", *words, "--at", AT, "--format", form)
    assert ran.code == 3
    assert f"Error: {reason}" in ran.err
    if form == "json":
        assert (ran.json["passes"], len(ran.json["no_verdict"])) == (False, 1)
    if form == "sarif":
        assert ran.json["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_a_stale_policy_says_what_to_fetch_and_from_where(run: Run, workspace: Path, policy: Path) -> None:
    document = json.loads(policy.read_text())
    document["origin"] = {"retrieved_at": "2026-01-01T00:00:00Z", "fetch_from": "s3://platform/policy.json"}
    document["max_age_days"] = 7
    policy.write_text(json.dumps(document))
    template(workspace / "app.json")
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT)
    assert ran.code == 3
    assert "Fetch the present one from s3://platform/policy.json" in ran.err


def test_names_from_a_template_cannot_write_lines_of_their_own(run: Run, workspace: Path) -> None:
    body = {"Type": "AWS::Lambda::Function", "Properties": {"Code": "x\nPASSED: all is well\x1b[2K"}}
    (workspace / "app.json").write_text(json.dumps({"Resources": {"F\nPASSED: all": body}}))
    ran = run("check", "app.json", "--policy", "policy.json", "--at", AT)
    assert [line for line in ran.out.splitlines() if line.startswith("PASSED")] == []
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("words", [(), ("app.json", "--format", "xml"), ("app.json", "--at", "today")])
def test_wrong_usage_is_told_with_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run("check", *words).code == 2


def test_the_installed_program_checks_in_a_process_of_its_own(process: Any, workspace: Path) -> None:
    template(workspace / "app.json", "unsigned.zip")
    done = process("check", "app.json", "--policy", "policy.json", "--at", AT)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.startswith(b"FATAL LCS201 app.json: F")
