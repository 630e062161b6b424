"""The rollout on a local AWS: StackSets carry code signing into accounts, from Warn to Enforce, and to newcomers."""

import json
import re
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from constructs_pkg.cdk.deployment import declare_deployment
from constructs_pkg.organization import ProfileLock, read_organization
from constructs_pkg.testing.local_aws import LocalAws
from constructs_pkg.testing.local_aws.cloudformation import JOIN_ACTION
from tests.cdk.conftest import FLAGS, new_app

ROOT = Path(__file__).parents[2]
MANAGEMENT, SECURITY, SANDBOX, PRODUCTION, ACQUIRED, NEWCOMER = (
    "111111111111",
    "222222222222",
    "444444444401",
    "444444444403",
    "444444444404",
    "444444444499",
)
REGIONS = ("eu-west-1", "us-east-1")
BOOTSTRAP_BUCKET = f"cdk-hnb659fds-assets-{SECURITY}-eu-west-1"
AT = datetime(2026, 11, 23, tzinfo=UTC)
FILE = f"""
[organization]
id = "o-a1b2c3d4e5"
name = "acme"
management_account = "{MANAGEMENT}"
security_account = "{SECURITY}"
home_region = "eu-west-1"
target_regions = ["eu-west-1", "us-east-1"]

[[organizational_units]]
name = "sandbox"
id = "ou-a1b2-00000001"

[[organizational_units]]
name = "production"
id = "ou-a1b2-00000002"

[[organizational_units]]
name = "acquired"
id = "ou-a1b2-00000003"

[[accounts]]
name = "sandbox"
id = "{SANDBOX}"
organizational_unit = "sandbox"

[[accounts]]
name = "production"
id = "{PRODUCTION}"
organizational_unit = "production"

[[accounts]]
name = "acquired"
id = "{ACQUIRED}"
organizational_unit = "acquired"

[[applications]]
name = "payments"
owners = ["payments@acme.example"]

[[signing_profiles]]
application = "payments"
generation = 1
validity = "3 years"
state = "active"

[[waves]]
name = "first"
mode = "Warn"
guardrail = "dry-run"
organizational_units = ["sandbox"]

[[waves]]
name = "second"
mode = "Enforce"
organizational_units = ["production"]
[waves.preferences]
regions_in_parallel = true

[[developer_guardrails]]
application = "payments"
functions = ["payments-*"]
execution_roles = ["payments-*-execution"]
"""

IN_S3 = '[rollout]\ntemplate = "s3"\n\n[[waves]]'
# The same accounts under another prefix, by roles of their own, for the one unit that the waves above leave out.
SELF_MANAGED = (
    FILE.replace('name = "acme"', 'name = "globex"')
    .replace("payments", "ledger")
    .replace(FILE[FILE.index("[[waves]]") : FILE.index("[[developer_guardrails]]")], "")
    + """
[rollout]
permission_model = "self-managed"

[[waves]]
name = "only"
mode = "Warn"
organizational_units = ["acquired"]
"""
)


@dataclass(frozen=True)
class Synthesized:
    """The templates of the stacks by name, and what ``cdk deploy`` would put into the bootstrap bucket by key."""

    stacks: dict[str, str]
    assets: dict[str, bytes]


def synthesized(text: str) -> Synthesized:
    app = new_app(FLAGS)
    deployment = declare_deployment(app, read_organization(text, "test.toml", at=AT), lock=ProfileLock(), at=AT)
    assembly = deployment.synthesize(app)
    stacks = {stack.stack_name: (assembly / stack.template_file).read_text("utf-8") for stack in deployment.stacks}
    manifest = json.loads((assembly / "CodeSigningRollout.assets.json").read_text("utf-8"))
    assets = {
        destination["objectKey"]: (assembly / file["source"]["path"]).read_bytes()
        for file in manifest["files"].values()
        for destination in file["destinations"].values()
    }
    return Synthesized(stacks, assets)


class Rollout:
    """A local AWS with the signing authority and the rollout of the organization above."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.cloudformation = aws.client("cloudformation", account=SECURITY)
        s3 = aws.client("s3", account=SECURITY)
        for bucket in ("templates", BOOTSTRAP_BUCKET):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.s3 = s3
        ssm = aws.client("ssm", account=SECURITY)  # the stacks ask for the version of CDK's bootstrap
        ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
        made = synthesized(FILE)
        self.deploy("acme-signing-authority", made)
        self.deploy("acme-code-signing-rollout", made)

    def deploy(self, name: str, made: Synthesized) -> None:
        for key, content in made.assets.items():
            self.s3.put_object(Bucket=BOOTSTRAP_BUCKET, Key=key, Body=content)
        self.s3.put_object(Bucket="templates", Key=name, Body=made.stacks[name].encode())
        request = {"StackName": name, "TemplateURL": f"{self.aws.endpoint_url}/templates/{name}"}
        exists = name in {one["StackName"] for one in self.cloudformation.describe_stacks()["Stacks"]}
        operation = self.cloudformation.update_stack if exists else self.cloudformation.create_stack
        operation(**request)
        waiter = self.cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})

    def configs(self, account: str, region: str) -> list[dict[str, Any]]:
        return self.aws.client("lambda", account=account, region=region).list_code_signing_configs()[
            "CodeSigningConfigs"
        ]

    def payments_configs(self, account: str, region: str) -> list[dict[str, Any]]:
        return [one for one in self.configs(account, region) if one["Description"] == "acme: code of payments"]

    def modes(self) -> dict[tuple[str, str], list[str]]:
        return {
            (account, region): [
                one["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"] for one in self.configs(account, region)
            ]
            for account in (SANDBOX, PRODUCTION)
            for region in REGIONS
        }

    def parameters(self, account: str, region: str, application: str = "payments") -> dict[str, str]:
        ssm = self.aws.client("ssm", account=account, region=region)
        path = f"/lambda-code-signing/code-signing-configs/{application}/"
        found = ssm.get_parameters_by_path(Path=path, Recursive=True)["Parameters"]
        return {one["Name"].removeprefix(path): one["Value"] for one in found}

    def policies(self, account: str) -> dict[str, dict]:
        iam = self.aws.client("iam", account=account)
        return {
            one["PolicyName"]: iam.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])[
                "PolicyVersion"
            ]["Document"]
            for one in iam.list_policies(Scope="Local")["Policies"]
        }


@pytest.fixture(scope="module")
def rollout(tmp_path_factory):
    file = tmp_path_factory.mktemp("organization") / "organization.toml"
    file.write_text(FILE, "utf-8")
    with LocalAws(organization=file) as aws:
        yield Rollout(aws)


def test_every_account_and_region_of_a_wave_gets_its_config_its_parameters_and_its_policies(rollout: Rollout) -> None:
    profiles = rollout.aws.client("signer", account=SECURITY).list_signing_profiles()["profiles"]
    (publisher,) = [profile["profileVersionArn"] for profile in profiles]
    for account, mode in ((SANDBOX, "Warn"), (PRODUCTION, "Enforce")):
        policies = rollout.policies(account)
        assert set(policies) == {
            "acme-guardrail-auditor-1",
            "acme-guardrail-developer-1",
            "acme-guardrail-payments-developer-1",
            "acme-guardrail-remediator-1",
            *(
                f"acme-guardrail-{what}-{region}"
                for what in ("forwarder", "payments-boundary", "payments-developer")
                for region in REGIONS
            ),
        }
        for region in REGIONS:
            (config,) = rollout.configs(account, region)
            arn = config["CodeSigningConfigArn"]
            assert arn.startswith(f"arn:aws:lambda:{region}:{account}:code-signing-config:csc-")
            assert config["AllowedPublishers"] == {"SigningProfileVersionArns": [publisher]}
            assert rollout.parameters(account, region) == {"arn": arn, "mode": mode, "publishers": publisher}
            regional = policies[f"acme-guardrail-payments-developer-{region}"]["Statement"]
            assert regional[0]["Condition"] == {"StringEquals": {"lambda:CodeSigningConfigArn": arn}}
            boundary = json.dumps(policies[f"acme-guardrail-payments-boundary-{region}"])
            assert arn in boundary
            assert "${" not in boundary
    assert rollout.modes() == {
        (SANDBOX, "eu-west-1"): ["Warn"],
        (SANDBOX, "us-east-1"): ["Warn"],
        (PRODUCTION, "eu-west-1"): ["Enforce"],
        (PRODUCTION, "us-east-1"): ["Enforce"],
    }


def test_roles_of_the_account_trust_the_security_account_and_nobody_else(rollout: Rollout) -> None:
    iam = rollout.aws.client("iam", account=SANDBOX)
    roles = {one["RoleName"]: one["AssumeRolePolicyDocument"]["Statement"] for one in iam.list_roles()["Roles"]}
    ours = {name: statements for name, statements in roles.items() if name.startswith("acme-")}
    assert set(ours) == {
        "acme-drift-remediator",
        "acme-code-signing-auditor",
        "acme-code-signing-forwarder-eu-west-1",
        "acme-code-signing-forwarder-us-east-1",
    }
    assert ours["acme-drift-remediator"][0]["Condition"]["StringEquals"] == {
        "aws:PrincipalOrgID": "o-a1b2c3d4e5",
        "sts:ExternalId": "o-a1b2c3d4e5/drift",
    }
    attached = iam.list_attached_role_policies(RoleName="acme-drift-remediator")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["acme-guardrail-remediator-1"]


def test_rules_of_every_region_send_to_the_central_bus(rollout: Rollout) -> None:
    events = rollout.aws.client("events", account=PRODUCTION, region="us-east-1")
    names = [one["Name"] for one in events.list_rules(NamePrefix="acme-")["Rules"]]
    assert names == [f"acme-code-signing-{what}" for what in ("alarms", "changes", "deployments", "guards")]
    (target,) = events.list_targets_by_rule(Rule="acme-code-signing-changes")["Targets"]
    assert target["Arn"] == f"arn:aws:events:eu-west-1:{SECURITY}:event-bus/acme-code-signing"
    buses = rollout.aws.client("events", account=SECURITY).list_event_buses()["EventBuses"]
    assert target["Arn"] in {one["Arn"] for one in buses}


def test_a_wave_goes_from_warn_to_enforce_in_place(rollout: Rollout) -> None:
    before = {region: rollout.configs(SANDBOX, region)[0]["CodeSigningConfigArn"] for region in REGIONS}

    rollout.deploy("acme-code-signing-rollout", synthesized(FILE.replace('mode = "Warn"', 'mode = "Enforce"')))

    assert set(map(tuple, rollout.modes().values())) == {("Enforce",)}
    assert {region: rollout.configs(SANDBOX, region)[0]["CodeSigningConfigArn"] for region in REGIONS} == before
    assert rollout.parameters(SANDBOX, "us-east-1")["mode"] == "Enforce"


def test_a_template_that_moves_to_s3_is_taken_from_the_bootstrap_bucket_and_changes_what_is_there_in_place(
    rollout: Rollout,
) -> None:
    before = {region: rollout.configs(SANDBOX, region)[0]["CodeSigningConfigArn"] for region in REGIONS}
    text = FILE.replace("[[waves]]", IN_S3, 1).replace('functions = ["payments-*"]', 'functions = ["billing-*"]')
    made = synthesized(text)
    (template,) = [body for body in made.assets.values() if b"AWS::Lambda::CodeSigningConfig" in body]

    rollout.deploy("acme-code-signing-rollout", made)

    described = rollout.cloudformation.describe_stack_set(
        StackSetName="acme-code-signing-first", CallAs="DELEGATED_ADMIN"
    )["StackSet"]
    assert (described["TemplateBody"], described["Status"]) == (template.decode(), "ACTIVE")
    resources = json.loads(made.stacks["acme-code-signing-rollout"])["Resources"].values()
    sets = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudFormation::StackSet"]
    assert [("TemplateURL" in one, "TemplateBody" in one) for one in sets] == [(True, False)] * 2
    policies = rollout.policies(SANDBOX)
    for region in REGIONS:
        (config,) = rollout.configs(SANDBOX, region)
        assert config["CodeSigningConfigArn"] == before[region]
        document = json.dumps(policies[f"acme-guardrail-payments-developer-{region}"])
        assert "function:billing-*" in document
        assert "payments-*" not in document


def test_self_managed_permissions_reach_an_account_by_the_roles_that_the_documentation_has_one_make(
    rollout: Rollout,
) -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs/rollout.md").read_text("utf-8"), re.DOTALL)
    administration, assume, execution = map(json.loads, blocks)
    name = "AWSCloudFormationStackSet{}Role"
    security = rollout.aws.client("iam", account=SECURITY)
    security.create_role(RoleName=name.format("Administration"), AssumeRolePolicyDocument=json.dumps(administration))
    security.put_role_policy(
        RoleName=name.format("Administration"), PolicyName="AssumeExecutionRole", PolicyDocument=json.dumps(assume)
    )
    rollout.aws.client("iam", account=ACQUIRED).create_role(
        RoleName=name.format("Execution"), AssumeRolePolicyDocument=json.dumps(execution)
    )
    made = synthesized(SELF_MANAGED)

    rollout.deploy("globex-signing-authority", made)
    rollout.deploy("globex-code-signing-rollout", made)

    for region in REGIONS:
        (config,) = rollout.configs(ACQUIRED, region)
        arn = config["CodeSigningConfigArn"]
        assert config["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
        assert rollout.parameters(ACQUIRED, region, "ledger")["arn"] == arn
        regional = rollout.policies(ACQUIRED)[f"globex-guardrail-ledger-developer-{region}"]["Statement"]
        assert regional[0]["Condition"] == {"StringEquals": {"lambda:CodeSigningConfigArn": arn}}
    described = rollout.cloudformation.describe_stack_set(StackSetName="globex-code-signing-only")["StackSet"]
    assert described["PermissionModel"] == "SELF_MANAGED"


def test_an_account_that_joins_later_gets_the_mode_of_its_wave(rollout: Rollout) -> None:
    form = {"Action": JOIN_ACTION, "Account": NEWCOMER, "OrganizationalUnit": "ou-a1b2-00000002"}
    credential = f"Credential={MANAGEMENT}/20260101/eu-west-1/cloudformation/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}
    data = urllib.parse.urlencode(form).encode()
    urllib.request.urlopen(urllib.request.Request(rollout.aws.endpoint_url, data=data, headers=headers)).read()

    found: dict[str, list[str]] = {}
    for _ in range(400):
        found = {
            region: [
                one["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"] for one in rollout.configs(NEWCOMER, region)
            ]
            for region in REGIONS
        }
        if all(found.values()):
            break
        time.sleep(0.01)
    assert found == {region: ["Enforce"] for region in REGIONS}


def test_a_unit_moves_in_the_documented_order_and_in_one_step_meets_names_that_are_taken(rollout: Rollout) -> None:
    in_first, in_second = (
        synthesized(FILE.replace(f'units = ["{unit}"]', f'units = ["{unit}", "acquired"]'))
        for unit in ("sandbox", "production")
    )
    stack = "acme-code-signing-rollout"

    def modes() -> list[list[str]]:
        return [
            [one["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"] for one in configs]
            for configs in (rollout.payments_configs(ACQUIRED, region) for region in REGIONS)
        ]

    rollout.deploy(stack, in_first)
    assert modes() == [["Warn"], ["Warn"]]
    rollout.deploy(stack, synthesized(FILE))
    assert modes() == [[], []]
    rollout.deploy(stack, in_second)
    assert modes() == [["Enforce"], ["Enforce"]]

    with pytest.raises(WaiterError):
        rollout.deploy(stack, in_first)

    events = rollout.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    reason = next(one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "UPDATE_FAILED")
    assert "ParameterAlreadyExists" in reason
