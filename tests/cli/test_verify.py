"""verify: verdicts, formats, exit codes, and what happens when there can be no verdict."""

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from constructs_pkg._version import __version__
from constructs_pkg.signing.authority_directory import AuthorityDirectory

AT = "2026-02-01T00:00:00Z"
ARN = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/{}"
NOT_ACCEPTED = (
    "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not "
    "configured to accept. Check the provided signature for ARN."
)


def policy_with(workspace: Path, **changes: object) -> Path:
    path = workspace / "changed-policy.json"
    path.write_text(json.dumps({**json.loads((workspace / "policy.json").read_text()), **changes}))
    return path


def csc(workspace: Path, mode: str = "Enforce") -> Path:
    publishers = json.loads((workspace / "policy.json").read_text())["allowed_publishers"]
    path = workspace / "config.json"
    config = {
        "CodeSigningConfigId": "csc-0123456789abcdef0",
        "CodeSigningConfigArn": "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0",
        "AllowedPublishers": {"SigningProfileVersionArns": publishers},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": mode},
        "LastModified": "2026-01-01T00:00:00.000+0000",
    }
    path.write_text(json.dumps({"CodeSigningConfig": config}))
    return path


@pytest.mark.parametrize(
    ("artifact", "at", "code", "verdict"),
    [
        ("signed.zip", AT, 0, "signed.zip: ACCEPTED (VALID, mode Enforce)"),
        ("unsigned.zip", AT, 1, "unsigned.zip: REJECTED (MISMATCH, mode Enforce)"),
        ("other.zip", AT, 1, "other.zip: REJECTED (MISMATCH, mode Enforce)"),
        ("tampered.zip", AT, 1, "tampered.zip: REJECTED (INTEGRITY, mode Enforce)"),
        ("signed.zip", "2026-12-31T00:00:00Z", 1, "signed.zip: REJECTED (EXPIRED, mode Enforce)"),
        ("signed.zip", "2026-01-01T23:59:59Z", 1, "signed.zip: REJECTED (INTEGRITY, mode Enforce)"),
        ("policy.json", AT, 1, "policy.json: REJECTED (INTEGRITY, mode Enforce)"),
    ],
)
def test_verdict_is_the_first_line_and_the_exit_code(run, artifact, at, code, verdict) -> None:
    ran = run("verify", artifact, "--policy", "policy.json", "--at", at)
    assert (ran.code, ran.out.splitlines()[0], ran.err) == (code, verdict, "")


def test_rejection_says_why_what_to_do_and_what_aws_would_say(run) -> None:
    out = run("verify", "other.zip", "--policy", "policy.json", "--at", AT).out
    assert (
        "finding publisher_not_allowed: the publisher arn:aws:signer:eu-west-1:123456789012:/signing-profiles/website/"
        in out
    )
    assert "Have it signed by one of the allowed publishers" in out
    assert f"AWS would say: CodeVerificationFailedException: {NOT_ACCEPTED}" in out


def test_revoked_job_is_rejected_once_the_policy_is_exported_again(run) -> None:
    job = run("inspect", "signed.zip", "--format", "json").json["signature"]["claims"]["signing_job_arn"]
    run("authority", "revoke", "authority", "--job", job, "--reason", "wrong branch")
    assert run("verify", "signed.zip", "--policy", "policy.json", "--at", AT).code == 0
    run("authority", "export-policy", "authority", "--profile", "payments", "-o", "policy.json", "--force")
    ran = run("verify", "signed.zip", "--policy", "policy.json", "--at", AT)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "signed.zip: REJECTED (REVOKED, mode Enforce)")
    assert "wrong branch" in ran.out


def test_json_holds_one_documented_element_for_each_artifact(run, workspace: Path) -> None:
    ran = run("verify", "signed.zip", "unsigned.zip", "--policy", "policy.json", "--at", AT, "--format", "json")
    answer = ran.json
    accepted, rejected = answer["artifacts"]
    assert (ran.code, ran.err) == (1, "")
    assert {key: answer[key] for key in answer if key != "artifacts"} == {
        "version": 1,
        "at": "2026-02-01T00:00:00Z",
        "exit_code": 1,
        "no_verdict": [],
        "deployment": None,
    }
    publisher = json.loads((workspace / "policy.json").read_text())["allowed_publishers"][0]
    promised = {
        "artifact": "signed.zip",
        "decision": "accepted",
        "signature_status": "VALID",
        "findings": [],
        "signing_profile_version_arn": publisher,
        "signed_at": "2026-01-02T00:00:00Z",
        "expires_at": "2026-04-02T00:00:00Z",
        "aws_error": None,
    }
    assert {key: accepted[key] for key in promised} == promised
    assert accepted["signing_job_arn"].startswith("arn:aws:signer:eu-west-1:123456789012:/signing-jobs/")
    assert {name: check["status"] for name, check in accepted["checks"].items()} == dict.fromkeys(
        ("integrity", "mismatch", "expiry", "revocation"), "passed"
    )
    assert all(check["reason"] for check in accepted["checks"].values())
    assert rejected["aws_error"] == {"code": "CodeVerificationFailedException", "message": NOT_ACCEPTED}
    assert [finding["code"] for finding in rejected["findings"]] == ["unsigned"]


def test_summary_counts_several_archives(run) -> None:
    ran = run("verify", "signed.zip", "other.zip", "missing.zip", "--policy", "policy.json", "--at", AT)
    assert ran.out.splitlines()[-1] == "3 archives: 1 accepted, 0 warned, 1 rejected, 1 without a verdict"


@pytest.mark.parametrize("mode", ["Warn", "Enforce"])
def test_code_signing_config_decides_by_its_own_mode(run, workspace: Path, mode: str) -> None:
    arguments = ("--csc", csc(workspace, mode), "--trust-root", "root.pem", "--at", AT)
    assert run("verify", "signed.zip", *arguments).code == 0
    ran = run("verify", "unsigned.zip", *arguments)
    expected = (0, "WARNED") if mode == "Warn" else (1, "REJECTED")
    assert (ran.code, ran.out.splitlines()[0]) == (expected[0], f"unsigned.zip: {expected[1]} (MISMATCH, mode {mode})")


def test_tampering_is_rejected_under_warn_too(run, workspace: Path) -> None:
    assert (
        run("verify", "tampered.zip", "--csc", csc(workspace, "Warn"), "--trust-root", "root.pem", "--at", AT).code == 1
    )


def test_mode_enforce_shows_what_warn_would_let_pass(run, workspace: Path) -> None:
    config = csc(workspace, "Warn")
    ran = run("verify", "unsigned.zip", "--csc", config, "--mode", "enforce", "--trust-root", "root.pem", "--at", AT)
    assert ran.code == 1


@pytest.mark.parametrize("option", ["--policy", "--csc"])
def test_mode_warn_cannot_loosen_a_policy(run, workspace: Path, option: str) -> None:
    source = "policy.json" if option == "--policy" else csc(workspace)
    ran = run("verify", "unsigned.zip", option, source, "--mode", "warn")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot loosen" in ran.err


def test_publisher_arguments_make_a_policy(run, workspace: Path) -> None:
    publisher = json.loads((workspace / "policy.json").read_text())["allowed_publishers"][0]
    arguments = ("--publisher", publisher, "--trust-root", "root.pem", "--at", AT)
    assert run("verify", "signed.zip", *arguments).code == 0
    assert run("verify", "other.zip", *arguments).code == 1
    assert run("verify", "other.zip", *arguments, "--mode", "warn").code == 0


def test_publisher_that_is_no_version_arn_is_wrong_usage(run) -> None:
    ran = run("verify", "signed.zip", "--publisher", ARN.format("payments"), "--trust-root", "root.pem")
    assert (ran.code, ran.out) == (2, "")
    assert "is a signing profile ARN, not a signing profile version ARN" in ran.err


@pytest.mark.parametrize(
    "options", [(), ("--policy", "policy.json", "--csc", "x"), ("--policy", "policy.json", "--publisher", "x")]
)
def test_exactly_one_source_of_publishers_is_needed(run, options) -> None:
    ran = run("verify", "signed.zip", *options)
    assert (ran.code, ran.out) == (2, "")
    assert "exactly one of --policy, --csc and --publisher" in ran.err


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_moment_without_a_zone_is_wrong_usage(run, at: str) -> None:
    ran = run("verify", "signed.zip", "--policy", "policy.json", "--at", at)
    assert (ran.code, ran.out) == (2, "")
    assert at in ran.err


def test_layers_are_judged_with_the_function(run) -> None:
    arguments = ("verify", "signed.zip", "--policy", "policy.json", "--at", AT)
    assert run(*arguments, "--layer", "signed.zip").out.splitlines()[-1] == "function with its layers: ACCEPTED"
    ran = run(*arguments, "--layer", "signed.zip", "--layer", "tampered.zip")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "function with its layers: REJECTED, at fault: tampered.zip"
    answer = run(*arguments, "--layer", "tampered.zip", "--format", "json").json
    assert [item["artifact"] for item in answer["artifacts"]] == ["signed.zip", "tampered.zip"]
    assert answer["deployment"]["decision"] == "rejected"
    assert answer["deployment"]["at_fault"] == ["tampered.zip"]
    assert "is not properly signed" in answer["deployment"]["aws_error"]["message"]


@pytest.mark.parametrize("options", [("--layer", "signed.zip"), ("--entries", "names")])
def test_layers_and_entries_belong_to_one_archive(run, options) -> None:
    assert run("verify", "signed.zip", "other.zip", "--policy", "policy.json", *options).code == 2


def test_unexpected_entries_are_noted_and_change_no_verdict(run, workspace: Path) -> None:
    (workspace / "names").write_text("app.py\nmissing.py\n")
    arguments = ("verify", "signed.zip", "--policy", "policy.json", "--at", AT, "--entries", "names")
    ran = run(*arguments)
    assert ran.code == 0
    assert "note entries_differ" in ran.out
    (workspace / "names").write_text("app.py\n")
    assert "note" not in run(*arguments).out


# No verdict


def test_missing_archive_has_no_verdict_and_beats_a_rejection(run) -> None:
    ran = run("verify", "unsigned.zip", "missing.zip", "--policy", "policy.json", "--format", "json", "--at", AT)
    assert ran.code == 3
    assert [item["decision"] for item in ran.json["artifacts"]] == ["rejected"]
    assert [item["artifact"] for item in ran.json["no_verdict"]] == ["missing.zip"]
    assert ran.err == "Error: missing.zip cannot be read: No such file or directory. Check the path\n"


def test_directory_has_no_verdict(run, workspace: Path) -> None:
    (workspace / "folder.zip").mkdir()
    assert run("verify", "folder.zip", "--policy", "policy.json").code == 3


def test_pipe_has_no_verdict(process, workspace: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write((workspace / "signed.zip").read_bytes())
    done = process("verify", f"/dev/fd/{reading}", "--policy", "policy.json", pass_fds=[reading])
    os.close(reading)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"not a pipe" in done.stderr


BAD_POLICIES = {
    "missing": None,
    "empty": "",
    "no JSON": "allowed_publishers: []",
    "not UTF-8": "\udcff",
    "another version": '{"version": 2, "allowed_publishers": [], "mode": "Enforce"}',
    "unknown key": '{"version": 1, "allow": []}',
}


@pytest.mark.parametrize("text", BAD_POLICIES.values(), ids=BAD_POLICIES)
@pytest.mark.parametrize("output_format", ["text", "json", "sarif"])
def test_unusable_policy_gives_no_verdict_on_anything(
    run, workspace: Path, text: str | None, output_format: str
) -> None:
    if text is not None:
        (workspace / "bad.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    ran = run("verify", "signed.zip", "--policy", "bad.json", "--format", output_format)
    assert ran.code == 3
    assert "bad.json" in ran.err
    if output_format == "json":
        assert (ran.json["artifacts"], [item["artifact"] for item in ran.json["no_verdict"]]) == ([], ["signed.zip"])
    elif output_format == "sarif":
        assert ran.json["runs"][0]["invocations"][0]["executionSuccessful"] is False
        assert ran.json["runs"][0]["results"] == []
    else:
        assert ran.out == ""


def test_no_trust_root_means_no_verdict(run, workspace: Path) -> None:
    ran = run("verify", "signed.zip", "--policy", policy_with(workspace, trust_roots=[]))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("Error: code signing policy: 1 problem\n  trust_roots: no trust root is known")


def test_policy_that_is_too_old_means_no_verdict(run, workspace: Path) -> None:
    old = {"max_age_days": 1, "origin": {"retrieved_at": "2026-01-01T00:00:00Z"}}
    assert run("verify", "signed.zip", "--policy", policy_with(workspace, **old), "--at", AT).code == 3


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("--trust-root", "missing.pem"),
        ("--trust-root", "signed.zip"),
        ("--revocations", "missing.json"),
        ("--revocations", "policy.json"),
        ("--entries", "missing.entries"),
    ],
)
def test_other_file_that_cannot_be_used_means_no_verdict(run, option: str, name: str) -> None:
    ran = run("verify", "signed.zip", "--policy", "policy.json", option, name)
    assert (ran.code, ran.out) == (3, "")
    assert name in ran.err


def test_root_of_somebody_else_is_not_trusted(run, workspace: Path) -> None:
    """The archive brings its own root along; only the one that the user names counts."""
    beginning = AuthorityDirectory(workspace / "authority").read().created_at
    AuthorityDirectory.init(workspace / "attacker", region="eu-west-1", account="123456789012", at=beginning)
    publisher = json.loads((workspace / "policy.json").read_text())["allowed_publishers"][0]
    ran = run("verify", "signed.zip", "--publisher", publisher, "--trust-root", "attacker/root.pem", "--at", AT)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "signed.zip: REJECTED (INTEGRITY, mode Enforce)")


def test_revocations_file_adds_to_the_policy(run, workspace: Path) -> None:
    publisher = json.loads((workspace / "policy.json").read_text())["allowed_publishers"][0]
    revoked = [{"profile_version_arn": publisher, "effective_time": "2026-01-01T00:00:00Z"}]
    (workspace / "revoked.json").write_text(json.dumps({"version": 1, "revocations": {"profile_versions": revoked}}))
    ran = run("verify", "signed.zip", "--policy", "policy.json", "--revocations", "revoked.json", "--at", AT)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "signed.zip: REJECTED (REVOKED, mode Enforce)")


# SARIF


def test_sarif_has_a_result_for_every_finding_and_a_pass_for_what_is_accepted(run, workspace: Path) -> None:
    arguments = ("signed.zip", str(workspace / "other.zip"), "missing.zip", "--policy", "policy.json", "--at", AT)
    ran = run("verify", *arguments, "--format", "sarif")
    (log,) = ran.json["runs"]
    assert (ran.code, ran.json["version"]) == (3, "2.1.0")
    assert log["tool"]["driver"] == {
        "name": "lambda-code-signing",
        "semanticVersion": __version__,
        "rules": [
            {"id": "accepted", "name": "Accepted"},
            {"id": "mismatch/publisher_not_allowed", "name": "MismatchPublisherNotAllowed"},
        ],
    }
    assert [
        (item["ruleId"], item["level"], item.get("kind"), item["locations"][0]["physicalLocation"]["artifactLocation"])
        for item in log["results"]
    ] == [
        ("accepted", "none", "pass", {"uri": "signed.zip"}),
        ("mismatch/publisher_not_allowed", "error", None, {"uri": (workspace / "other.zip").as_uri()}),
    ]
    (invocation,) = log["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [item["level"] for item in invocation["toolExecutionNotifications"]] == ["error"]


def test_sarif_warns_of_what_warn_lets_pass(run, workspace: Path) -> None:
    config = csc(workspace, "Warn")
    arguments = ("--csc", config, "--trust-root", "root.pem", "--at", AT, "--format", "sarif")
    ran = run("verify", "unsigned.zip", *arguments)
    assert (ran.code, [item["level"] for item in ran.json["runs"][0]["results"]]) == (0, ["warning"])


def test_sarif_quotes_names_as_uris(run, workspace: Path) -> None:
    name = "a b%\xe9#.zip"
    (workspace / name).write_bytes((workspace / "signed.zip").read_bytes())
    ran = run("verify", name, "--policy", "policy.json", "--at", AT, "--format", "sarif")
    location = ran.json["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": "a%20b%25%C3%A9%23.zip"}


# Hostile names


def test_names_cannot_steer_the_terminal_or_forge_a_line(run, workspace: Path) -> None:
    name = "x\x1b[2J\nsigned.zip: ACCEPTED.zip"
    (workspace / name).write_bytes((workspace / "tampered.zip").read_bytes())
    ran = run("verify", name, "--policy", "policy.json", "--at", AT)
    assert ran.code == 1
    assert ran.out.splitlines()[0] == ("x\\x1b[2J\\nsigned.zip: ACCEPTED.zip: REJECTED (INTEGRITY, mode Enforce)")
    assert "\x1b" not in ran.out
    assert not [line for line in ran.out.splitlines() if line.startswith("signed.zip")]


def test_entry_names_cannot_steer_the_terminal(run, workspace: Path) -> None:
    with zipfile.ZipFile(workspace / "evil.zip", "w") as archive:
        archive.writestr("\x1b]0;owned\x07", "x")
    (workspace / "names").write_text("app.py\n")
    ran = run("verify", "evil.zip", "--policy", "policy.json", "--at", AT, "--entries", "names")
    assert ran.code == 1
    assert "owned" in ran.out
    assert not {"\x1b", "\x07"} & set(ran.out + ran.err)


def test_name_that_is_no_utf8_is_shown_in_every_format(run, workspace: Path) -> None:
    name = os.fsdecode(b"\xff.zip")
    (workspace / name).write_bytes((workspace / "signed.zip").read_bytes())
    arguments = ("verify", name, "--policy", "policy.json", "--at", AT, "--format")
    assert run(*arguments, "text").out.startswith("\\udcff.zip: ACCEPTED")
    assert run(*arguments, "json").json["artifacts"][0]["artifact"] == name
    location = run(*arguments, "sarif").json["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location == {"artifactLocation": {"uri": "%FF.zip"}}


def test_verify_changes_no_file(run, workspace: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        paths = [path for path in workspace.rglob("*") if stat.S_ISREG(path.stat().st_mode)]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}

    before = state()
    run("verify", "signed.zip", "tampered.zip", "--policy", "policy.json")
    assert state() == before
