"""authority: a throwaway signer that says at every turn what it is not for."""

import json
import stat
from pathlib import Path

import pytest

from constructs_pkg.signing.policy_file import parse_policy

WARNING = "UNSAFE FOR PRODUCTION: {} is a throwaway authority; whoever reads it can sign anything.\n"


def test_every_command_warns_on_standard_error(run) -> None:
    for words in (
        ("init", "new"),
        ("profile", "new", "payments"),
        ("export-policy", "new"),
        ("show", "new"),
        ("revoke", "new", "--profile", "payments", "--reason", "test"),
    ):
        ran = run("authority", *words)
        assert (ran.code, ran.err) == (0, WARNING.format("new"))


def test_new_authority_is_private_and_marked(run, workspace: Path) -> None:
    run("authority", "init", "new", "--region", "us-east-1", "--account", "111111111111")
    assert stat.S_IMODE((workspace / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((workspace / "new" / "seed.key").stat().st_mode) == 0o600
    assert (workspace / "new" / "UNSAFE-FOR-PRODUCTION.txt").exists()
    arn = run("authority", "profile", "new", "payments", "--validity", "1 year").out
    assert arn.startswith("arn:aws:signer:us-east-1:111111111111:/signing-profiles/payments/")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("init", "authority"), "is not empty"),
        (("init", "policy.json"), "policy.json"),
        (("init", "new", "--region", "eu-central-2"), "does not serve the Region 'eu-central-2'"),
        (("init", "new", "--account", "12"), "'12'"),
        (("profile", "authority", "payments"), "exists already; a name is used once"),
        (("profile", "authority", "x"), "'x'"),
        (("profile", "authority", "new_one", "--validity", "12 years"), "outside of 1 to 11 YEARS"),
        (("profile", "authority", "payments", "--cancel", "--validity", "1 day"), "validity never changes"),
        (("profile", "nowhere", "payments"), "nowhere"),
        (("revoke", "authority", "--reason", "x"), "exactly one of --job and --profile"),
        (("revoke", "authority", "--job", "x", "--from", "2026-01-01T00:00:00Z", "--reason", "x"), "--from goes with"),
        (("revoke", "authority", "--job", "x", "--reason", "x"), "the signing job 'x' does not exist"),
        (("revoke", "authority", "--job", "arn:aws:x", "--reason", "x"), "is not an ARN"),
        (
            (
                "revoke",
                "authority",
                "--job",
                "arn:aws:signer:us-east-1:123456789012:/signing-jobs/4857146b-b6d7-4229-bef7-0b27e0766721",
                "--reason",
                "x",
            ),
            "is a job in 123456789012, us-east-1",
        ),
        (("revoke", "authority", "--profile", "payments", "--reason", ""), "the reason has 0 characters"),
        (
            ("revoke", "authority", "--profile", "payments", "--from", "2999-01-01T00:00:00Z", "--reason", "x"),
            "lies ahead",
        ),
        (("export-policy", "authority", "--profile", "nobody"), "'nobody' does not exist"),
        (("export-policy", "authority", "-o", "policy.json"), "policy.json exists already"),
        (("show", "nowhere"), "nowhere"),
    ],
)
def test_refusal_names_the_value(run, words, message: str) -> None:
    ran = run("authority", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_cancelled_profile_signs_no_more_and_its_signatures_stay_good(run) -> None:
    assert run("authority", "profile", "authority", "payments", "--cancel").code == 0
    ran = run("sign", "unsigned.zip", "--authority", "authority", "--profile", "payments", "-o", "x.zip")
    assert (ran.code, ran.out) == (2, "")
    assert "is canceled" in ran.err
    assert run("verify", "signed.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z").code == 0


def test_revoked_profile_spares_what_was_signed_before(run) -> None:
    arguments = ("authority", "revoke", "authority", "--profile", "payments", "--reason", "key stolen", "--from")
    verify = ("verify", "signed.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z")
    codes = []
    for moment in ("2026-01-02T00:00:00.001Z", "2026-01-02T00:00:00Z"):
        assert run(*arguments, moment).code == 0
        run("authority", "export-policy", "authority", "-o", "policy.json", "--force")
        codes.append(run(*verify).code)
    assert codes == [0, 1]


def test_exported_policy_says_what_was_asked_for(run, workspace: Path) -> None:
    options = ("--mode", "warn", "--profile", "website", "--max-age-days", "7")
    ran = run("authority", "export-policy", "authority", *options)
    policy = parse_policy(ran.out)
    assert (str(policy.mode), policy.max_age_days) == ("Warn", 7)
    assert [arn.name for arn in policy.allowed_publishers] == ["website"]
    assert run("authority", "export-policy", "authority", *options, "-o", "new.json").out == (
        "new.json: Warn, 1 allowed publisher\n"
    )
    written = json.loads((workspace / "new.json").read_text())
    assert {key: written[key] for key in ("mode", "max_age_days")} == {"mode": "Warn", "max_age_days": 7}


def test_exported_policy_approves_the_configs_that_templates_name(run) -> None:
    config = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    export = ("authority", "export-policy", "authority", "--config-arn")
    assert [(one.kind, one.name) for one in parse_policy(run(*export, config).out).templates.approved_configs] == [
        ("arn", config)
    ]
    ran = run(*export, "csc-0123456789abcdef0")
    assert (ran.code, "It looks like" in ran.err or "Write one such as" in ran.err) == (2, True)


def test_show_lists_profiles_and_jobs(run) -> None:
    answer = run("authority", "show", "authority", "--format", "json").json
    assert (answer["version"], answer["unsafe_for_production"]) == (1, True)
    assert [item["name"] for item in answer["profiles"]] == ["payments", "website"]
    assert [item["profile"] for item in answer["jobs"]] == ["payments", "website"]
    text = run("authority", "show", "authority").out
    assert all(item["profile_version_arn"] in text for item in answer["profiles"])


def test_job_can_be_revoked_by_its_id(run) -> None:
    job = run("authority", "show", "authority", "--format", "json").json["jobs"][0]["job_id"]
    assert run("authority", "revoke", "authority", "--job", job, "--reason", "x").code == 0
    assert run("authority", "show", "authority", "--format", "json").json["jobs"][0]["is_revoked"] is True
