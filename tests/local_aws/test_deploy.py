"""The reference deployment on a local AWS with the plain cdk command: deploy, read back, change, destroy."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.cdk.deployment import declare_deployment
from constructs_pkg.cli.main import main
from constructs_pkg.organization import Organization, load_organization, lock_path, read_lock
from constructs_pkg.testing.local_aws import LocalAws
from tests.cdk.conftest import FLAGS, new_app, templates_in

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
CENTRAL = ("SigningAuthority", "CodeSigning", "SigningPipeline")
"""The stacks of the account that is deployed to here; test_rollout.py deploys what goes into other accounts."""
GENERATION_2 = """
[[signing_profiles]]
application = "orders"
generation = 2
validity = "12 months"
state = "active"
"""


@dataclass(frozen=True)
class Deployment:
    """An organization file and the account and Region of a local AWS that its stacks are deployed to."""

    aws: LocalAws
    file: Path
    account: str
    region: str

    def client(self, service: str) -> Any:
        return self.aws.client(service, account=self.account, region=self.region)

    def cdk(self, *arguments: str | Path, folder: Path = ROOT) -> None:
        """Run the cdk command as the account's administrator; cdk.json in the repository names app.py."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
            **self.aws.environment(self.account, self.region),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CDK_HOME": str(self.file.parent),
            "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
        }
        command = [TOOLS / "cdk", *arguments, "--no-notices", "--no-color"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def bootstrap(self) -> None:
        self.cdk("bootstrap", f"aws://{self.account}/{self.region}", folder=self.file.parent)  # there is no app there

    @property
    def organization(self) -> Organization:
        return load_organization(self.file, at=datetime.now(UTC))

    def synthesized(self) -> Path:
        """Return an assembly that was made in this process, which is quicker."""
        app, at = new_app(FLAGS), datetime.now(UTC)
        declare_deployment(app, self.organization, lock=read_lock(lock_path(self.file)), at=at)
        return Path(app.synth().directory)

    def resources(self) -> dict[tuple[str, str], str]:
        """Return the physical ids of all resources by stack and logical id."""
        cloudformation = self.client("cloudformation")
        names = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
        return {
            (name, resource["LogicalResourceId"]): resource["PhysicalResourceId"]
            for name in names
            for resource in cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        }

    def parameters(self, kind: str) -> dict[str, str]:
        """Return the ARNs of the configs or profiles by name, as they are published."""
        prefix = f"/lambda-code-signing/{kind}/"
        found = self.client("ssm").get_parameters_by_path(Path=prefix, Recursive=True)["Parameters"]
        return {
            parameter["Name"].removeprefix(prefix).split("/")[0]: parameter["Value"]
            for parameter in found
            if parameter["Name"].endswith("arn")
        }

    def configs(self) -> dict[str, dict]:
        """Return the code signing configs by ARN."""
        found = self.client("lambda").list_code_signing_configs()["CodeSigningConfigs"]
        return {config["CodeSigningConfigArn"]: config for config in found}

    def profiles(self) -> dict[str, str]:
        """Return the version ARNs of the active signing profiles by name."""
        found = self.client("signer").list_signing_profiles()["profiles"]
        return {profile["profileName"]: profile["profileVersionArn"] for profile in found}

    def policies(self) -> dict[str, dict]:
        """Return the documents of the guardrails by name, without the name of the organization."""
        iam, prefix = self.client("iam"), f"{self.organization.name}-guardrail-"
        documents = {}
        for policy in iam.list_policies(Scope="Local")["Policies"]:
            if policy["PolicyName"].startswith(prefix):
                version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
                documents[policy["PolicyName"].removeprefix(prefix)] = version["PolicyVersion"]["Document"]
        return documents

    def edit(self, old: str, new: str, more: str = "") -> None:
        text = self.file.read_text("utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new, 1) + more, "utf-8")
        assert main(["organization", "lock", str(self.file)]) == 0


def copied(source: Path, folder: Path) -> Path:
    """Copy an organization file with its ledger, so that a test may change it."""
    shutil.copy(lock_path(source), folder)
    return Path(shutil.copy(source, folder))


def test_organization_is_deployed_by_plain_cdk_changed_in_place_and_destroyed(tmp_path: Path) -> None:
    file = copied(ROOT / "organization.toml", tmp_path)
    with LocalAws(organization=file, is_strict=True) as aws:
        deployment = Deployment(aws, file, "222222222222", "eu-west-1")
        deployment.bootstrap()
        chosen = ["--output", tmp_path / "by-cdk", "--context", f"organization={file}"]
        deployment.cdk("deploy", *CENTRAL, "--require-approval", "never", *chosen)
        assert templates_in(tmp_path / "by-cdk") == templates_in(deployment.synthesized())
        everything_is_as_the_file_says(deployment)
        guardrails_name_their_own_config(deployment)
        first, policies = deployment.resources(), deployment.policies()

        deployment.edit('name = "checkout"', 'name = "checkout"\nmode = "Warn"')
        deployment.cdk("deploy", *CENTRAL, "--require-approval", "never", "--app", deployment.synthesized())
        everything_is_as_the_file_says(deployment)
        assert (deployment.resources(), deployment.policies()) == (first, policies)

        cdk_destroys_only_what_is_not_protected(deployment, *CENTRAL)


def test_single_account_takes_a_new_generation_without_replacing_anything_and_is_destroyed(tmp_path: Path) -> None:
    file = copied(ROOT / "examples" / "single-account.toml", tmp_path)
    with LocalAws(is_strict=True) as aws:  # every account exists
        deployment = Deployment(aws, file, "123456789012", "eu-central-1")
        deployment.bootstrap()
        deployment.cdk("deploy", "--all", "--require-approval", "never", "--app", deployment.synthesized())
        everything_is_as_the_file_says(deployment)
        guardrails_name_their_own_config(deployment)
        first = deployment.resources()

        deployment.edit('"active"', '"retiring"', GENERATION_2)
        deployment.cdk("deploy", "--all", "--require-approval", "never", "--app", deployment.synthesized())
        everything_is_as_the_file_says(deployment)
        second = deployment.resources()
        gone = {resource: first[resource] for resource in first.keys() - second.keys()}
        assert {**second, **gone} == {**second, **first}
        assert sorted(gone.values()) == [  # who is retiring signs nothing new
            f"{action}-123456789012-orders-developer-d71c0d9b|solo_orders_g1" for action in ("Read", "Sign")
        ]
        assert sorted(deployment.profiles()) == ["solo_orders_g1", "solo_orders_g2", "solo_reports_g1"]

        cdk_destroys_only_what_is_not_protected(deployment)


def everything_is_as_the_file_says(deployment: Deployment) -> None:
    """Compare profiles, configs and what is published about them with the organization file."""
    organization, versions = deployment.organization, deployment.profiles()
    assert sorted(versions) == sorted(profile.profile_name(organization) for profile in organization.signing_profiles)
    assert deployment.parameters("signing-profiles") == versions
    config_of, configs = deployment.parameters("code-signing-configs"), deployment.configs()
    assert sorted(config_of.values()) == sorted(configs)
    assert {
        application: (
            sorted(configs[arn]["AllowedPublishers"]["SigningProfileVersionArns"]),
            configs[arn]["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"],
        )
        for application, arn in config_of.items()
    } == {
        application.name: (
            sorted(
                [
                    *(
                        versions[it.profile_name(organization)]
                        for it in organization.accepted_profiles_of(application.name)
                    ),
                    *(str(it.profile_version_arn) for it in organization.external_publishers_of(application.name)),
                ]
            ),
            application.mode,
        )
        for application in organization.applications
    }


def guardrails_name_their_own_config(deployment: Deployment) -> None:
    config_of = deployment.parameters("code-signing-configs")
    named: dict[str, set[str]] = {application: set() for application in config_of}
    for name, document in deployment.policies().items():
        application = max((it for it in config_of if name.startswith(f"{it}-")), key=len)
        named[application] |= {arn for arn in config_of.values() if arn in json.dumps(document)}
    guarded = {guardrail.application for guardrail in deployment.organization.developer_guardrails}
    assert named == {name: {arn} if name in guarded else set() for name, arn in config_of.items()}


def cdk_destroys_only_what_is_not_protected(deployment: Deployment, *stacks: str) -> None:
    cloudformation, profiles = deployment.client("cloudformation"), deployment.profiles()
    for stack in cloudformation.describe_stacks()["Stacks"]:
        if stack["StackName"] != "CDKToolkit":
            with pytest.raises(ClientError, match=r"TerminationProtection|termination protection"):
                cloudformation.delete_stack(StackName=stack["StackName"])
            cloudformation.update_termination_protection(
                StackName=stack["StackName"], EnableTerminationProtection=False
            )
    deployment.cdk(
        "destroy", *(("--exclusively", *stacks) if stacks else ("--all",)), "--force", "--app", deployment.synthesized()
    )
    assert {stack for stack, _ in deployment.resources()} == {"CDKToolkit"}
    assert deployment.profiles() == profiles  # deleting a profile would cancel it for ever
    assert (deployment.configs(), deployment.policies()) == ({}, {})
    assert [deployment.parameters(kind) for kind in ("signing-profiles", "code-signing-configs")] == [{}, {}]
