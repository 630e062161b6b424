"""promote, blast-radius and revoke with real boto3 over two accounts of the local AWS, through an assumed role."""

import io
import json
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.aws.accounts import MemberAccounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.aws.member_place import Pace
from constructs_pkg.cli import surveying
from constructs_pkg.cli.main import main
from tests.local_aws.code_builders import Desk, archive

SECURITY, MEMBER, OTHER, REGION = "222222222222", "444444444401", "444444444402", "eu-west-1"
ORGANIZATION = f"""
[organization]
id = "o-a1b2c3d4e5"
name = "acme"
management_account = "111111111111"
security_account = "{SECURITY}"
home_region = "{REGION}"
target_regions = ["{REGION}"]
[[organizational_units]]
name = "sandbox"
id = "ou-a1b2-00000001"
[[accounts]]
name = "sandbox"
id = "{MEMBER}"
organizational_unit = "sandbox"
[[accounts]]
name = "development"
id = "{OTHER}"
organizational_unit = "sandbox"
[[applications]]
name = "payments"
owners = ["payments@acme.example"]
[[signing_profiles]]
application = "payments"
generation = 1
validity = "12 months"
state = "active"
[[waves]]
name = "first"
mode = "Warn"
organizational_units = ["sandbox"]
[[developer_guardrails]]
application = "payments"
functions = ["payments-*"]
execution_roles = ["payments-*-execution"]
"""


@pytest.fixture
def command(local_aws, tmp_path, monkeypatch, capsys):
    """Run a command as an administrator of the security account; return its exit code and its JSON answer."""
    for name, value in local_aws.environment(SECURITY, REGION).items():
        monkeypatch.setenv(name, value)
    # The local AWS takes any rate: nobody has to wait for a turn.
    unhurried = MemberAccounts(Clients(), str, REGION, pace=Pace(sleep=lambda _seconds: None))
    monkeypatch.setattr(surveying, "home", lambda: unhurried)
    monkeypatch.chdir(tmp_path)
    Path("organization.toml").write_text(ORGANIZATION, "utf-8")

    def run(*words):
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        code = main([*words, "--accounts-from", "file", "--format", "json"])
        captured = capsys.readouterr()
        assert captured.out, captured.err
        return code, json.loads(captured.out)

    return run


def rolled_out(local_aws, account, publisher, mode) -> tuple[Desk, str]:
    """Make in an account what the rollout makes there: the auditor role, a config, and its parameter."""
    desk = Desk(local_aws, account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{SECURITY}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam = local_aws.client("iam", account=account)
    iam.create_role(RoleName="acme-code-signing-auditor", AssumeRolePolicyDocument=document)
    config = desk.config(publisher, mode=mode)
    local_aws.client("ssm", account=account, region=REGION).put_parameter(
        Name="/lambda-code-signing/code-signing-configs/payments/arn", Value=config, Type="String"
    )
    return desk, config


def test_two_accounts_are_judged_and_a_revocation_refuses_the_next_deployment(local_aws, command) -> None:
    security = Desk(local_aws, SECURITY)
    profile, publisher = security.profile()
    signed, job_id = security.signed(profile)
    job = f"arn:aws:signer:{REGION}:{SECURITY}:/signing-jobs/{job_id}"
    member, config = rolled_out(local_aws, MEMBER, publisher, "Enforce")
    other, warning = rolled_out(local_aws, OTHER, publisher, "Warn")
    layer = member.layer(signed)["LayerVersionArn"]
    member.function(signed, config, FunctionName="payments-charge", Layers=[layer])
    member.lambda_.publish_version(FunctionName="payments-charge")

    code, ready = command("promote", "first")
    assert (code, ready["verdict"], ready["change"]["after"]) == (0, "ready", 'mode = "Enforce"')
    assert [(place["account"], place["functions"]) for place in ready["places"]] == [(MEMBER, 1), (OTHER, 0)]

    other.function(archive(), warning, FunctionName="payments-unsigned")
    other.function(archive(), FunctionName="payments-bare")
    code, blocked = command("promote", "first")
    assert (code, blocked["complete"]) == (1, True)
    assert sorted((one["account"], one["function"], one["kind"]) for one in blocked["obstructions"]) == [
        (OTHER, "payments-bare", "no_config"),
        (OTHER, "payments-unsigned", "code_unsigned"),
        (OTHER, "payments-unsigned", "untrusted_deployment"),
        (OTHER, "payments-unsigned", "validation_errors"),
    ]

    code, radius = command("blast-radius", "--job", job, "--published-layers", "--without-account", "111111111111")
    assert (code, radius["complete"]) == (1, True)
    assert [(one["function"], one["version"], one["artifact"], one["effect"]) for one in radius["functions"]] == [
        ("payments-charge", "$LATEST", "code", "refused_at_next_deployment"),
        ("payments-charge", "$LATEST", layer, "refused_at_next_deployment"),
        ("payments-charge", "1", "code", "published_version_runs_on"),
        ("payments-charge", "1", layer, "published_version_runs_on"),
    ]
    assert [one["arn"] for one in radius["layers"]] == [layer]
    assert {one["arn"] for one in radius["configs"]} == {config, warning}
    assert (radius["signer"]["profile_version_arn"], radius["signer"]["revoked_at"]) == (publisher, None)

    member.lambda_.update_function_code(FunctionName="payments-charge", ZipFile=signed)  # a rollback still works
    words = ("--without-account", "111111111111", "--reason", "stolen branch", "--record", "case.json", "--yes")
    code, revoked = command("revoke", "--job", job, *words)
    assert (code, revoked["outcome"], revoked["confirmed"]) == (0, "revoked", True)
    with pytest.raises(ClientError, match="CodeVerificationFailedException"):
        member.lambda_.update_function_code(FunctionName="payments-charge", ZipFile=signed)
    again, _ = security.signed(profile)
    member.lambda_.update_function_configuration(FunctionName="payments-charge", Layers=[])
    member.lambda_.update_function_code(FunctionName="payments-charge", ZipFile=again)
