"""The reference deployment on a local AWS with the plain cdk command: deploy, read back, change, destroy."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.testing.local_aws import LocalAws

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
ACCOUNT, REGION = "123456789012", "eu-central-1"
STACKS = ["solo-code-signing", "solo-signing-authority"]
GENERATION_2 = """
[[signing_profiles]]
application = "orders"
generation = 2
validity = "12 months"
state = "active"
"""


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    """Strict: the roles of the bootstrap stack do the work, so they must be allowed to."""
    with LocalAws(is_strict=True) as local_aws:
        yield local_aws


def copied(source: Path, target: Path) -> Path:
    """Copy an organization file with its ledger, so that a test may change it."""
    shutil.copy(source.with_suffix(".lock.json"), target)
    return Path(shutil.copy(source, target))


def cdk(aws: LocalAws, organization: Path, *arguments: str, account: str, region: str) -> str:
    """Run the cdk command in the repository, or, to bootstrap, where there is no app to synthesize first."""
    home = organization.parent
    environment = {
        **os.environ,
        **aws.environment(account, region),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "HOME": str(home),
        "ORGANIZATION": str(organization),
        "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
    }
    command = [TOOLS / "cdk", *arguments, "--no-notices", "--no-color", "--output", home / "cdk.out"]
    done = subprocess.run(
        command,
        cwd=home if arguments[0] == "bootstrap" else ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def parameters(aws: LocalAws) -> dict[str, str]:
    ssm = aws.client("ssm", account=ACCOUNT, region=REGION)
    found = ssm.get_parameters_by_path(Path="/lambda-code-signing", Recursive=True)["Parameters"]
    return {parameter["Name"]: parameter["Value"] for parameter in found}


def configs(aws: LocalAws) -> dict[str, dict]:
    """Return the code signing configs by ARN."""
    found = aws.client("lambda", account=ACCOUNT, region=REGION).list_code_signing_configs()["CodeSigningConfigs"]
    return {config["CodeSigningConfigArn"]: config for config in found}


def profiles(aws: LocalAws) -> dict[str, str]:
    """Return the version ARNs of the active signing profiles by name."""
    found = aws.client("signer", account=ACCOUNT, region=REGION).list_signing_profiles()["profiles"]
    return {profile["profileName"]: profile["profileVersionArn"] for profile in found}


def policies(aws: LocalAws) -> dict[str, dict]:
    """Return the documents of the guardrails by name."""
    iam = aws.client("iam", account=ACCOUNT, region=REGION)
    documents = {}
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        if policy["PolicyName"].startswith("solo-guardrail-"):
            version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
            documents[policy["PolicyName"]] = version["PolicyVersion"]["Document"]
    return documents


def test_single_account_deploys_takes_a_new_generation_and_is_destroyed(aws: LocalAws, tmp_path: Path) -> None:
    organization = copied(ROOT / "examples" / "single-account.toml", tmp_path)
    where = {"account": ACCOUNT, "region": REGION}
    cdk(aws, organization, "bootstrap", f"aws://{ACCOUNT}/{REGION}", **where)
    cdk(aws, organization, "deploy", "--all", "--require-approval", "never", **where)
    first = profiles(aws)
    config_of = configs_are_those_of_the_parameters(aws, first)
    guardrails_name_the_configs(aws, config_of)

    organization.write_text(
        organization.read_text("utf-8").replace('"active"', '"retiring"', 1) + GENERATION_2, "utf-8"
    )
    subprocess.run(
        [TOOLS / "lambda-code-signing", "organization", "lock", organization], check=True, capture_output=True
    )
    cdk(aws, organization, "deploy", "--all", "--require-approval", "never", **where)
    second = profiles(aws)
    assert {name: second[name] for name in first} == first
    assert sorted(second) == ["solo_orders_g1", "solo_orders_g2", "solo_reports_g1"]
    assert configs_are_those_of_the_parameters(aws, second) == config_of

    cdk_destroys_only_what_is_not_protected(aws, organization)
    assert profiles(aws) == second  # deleting a profile would cancel it for ever
    assert (configs(aws), policies(aws), parameters(aws)) == ({}, {}, {})


def configs_are_those_of_the_parameters(aws: LocalAws, versions: dict[str, str]) -> dict[str, str]:
    """Compare configs, profiles and parameters with one another; return the config ARNs by application."""
    found = parameters(aws)
    prefix = "/lambda-code-signing"
    assert {name: arn for name, arn in found.items() if "/signing-profiles/" in name} == {
        f"{prefix}/signing-profiles/{name}/version-arn": arn for name, arn in versions.items()
    }
    config_of = {name.split("/")[3]: arn for name, arn in found.items() if "/signing-profiles/" not in name}
    assert {
        application: (
            sorted(configs(aws)[arn]["AllowedPublishers"]["SigningProfileVersionArns"]),
            configs(aws)[arn]["CodeSigningPolicies"],
        )
        for application, arn in config_of.items()
    } == {
        application: (
            sorted(arn for name, arn in versions.items() if name.startswith(f"solo_{application}_")),
            {"UntrustedArtifactOnDeployment": "Enforce"},
        )
        for application in ("orders", "reports")
    }
    return config_of


def guardrails_name_the_configs(aws: LocalAws, config_of: dict[str, str]) -> None:
    named: dict[str, set[str]] = {application: set() for application in config_of}
    for name, document in policies(aws).items():
        application = name.removeprefix("solo-guardrail-").split("-")[0]
        named[application] |= {arn for arn in config_of.values() if arn in json.dumps(document)}
    assert named == {application: {arn} for application, arn in config_of.items()}


def cdk_destroys_only_what_is_not_protected(aws: LocalAws, organization: Path) -> None:
    cloudformation = aws.client("cloudformation", account=ACCOUNT, region=REGION)
    for name in STACKS:
        with pytest.raises(ClientError, match=r"TerminationProtection|termination protection"):
            cloudformation.delete_stack(StackName=name)
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    made = str(organization.parent / "cdk.out")
    cdk(aws, organization, "destroy", "--all", "--force", "--app", made, account=ACCOUNT, region=REGION)
    left = {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}
    assert left == {"CDKToolkit"}
