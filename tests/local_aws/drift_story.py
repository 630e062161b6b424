"""An organization whose drift remediation is deployed on a local AWS with IAM enforced, and hands that tamper."""

import io
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.cdk.deployment import declare_deployment
from constructs_pkg.drift_asset import stage_drift_asset
from constructs_pkg.organization import Organization, ProfileLock, load_organization
from constructs_pkg.organization_drift import drift_expectations
from constructs_pkg.signing.packaging import write_package
from constructs_pkg.testing.local_aws import LocalAws
from tests.cdk.conftest import FLAGS, new_app
from tests.local_aws.code_builders import archive

MANAGEMENT, SECURITY = "111111111111", "222222222222"
SHOP, PAYMENTS, CLOSED = "444444444401", "444444444402", "444444444403"
HOME, OTHER = "eu-west-1", "eu-central-1"
STACK_SET = "acme-code-signing-first"
MACHINE = f"arn:aws:states:{HOME}:{SECURITY}:stateMachine:acme-drift-remediation"
FOREIGN = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/somebody/aBcDeFgHi1"
FILE = f"""
[organization]
id = "o-a1b2c3d4e5"
name = "acme"
management_account = "{MANAGEMENT}"
security_account = "{SECURITY}"
home_region = "{HOME}"
target_regions = ["{HOME}", "{OTHER}"]

[[organizational_units]]
name = "production"
id = "ou-a1b2-00000001"

[[accounts]]
name = "shop"
id = "{SHOP}"
organizational_unit = "production"

[[accounts]]
name = "payments"
id = "{PAYMENTS}"
organizational_unit = "production"

[[accounts]]
name = "closed"
id = "{CLOSED}"
organizational_unit = "production"

[[applications]]
name = "payments"
owners = ["payments@acme.example"]

[[signing_profiles]]
application = "payments"
generation = 1
validity = "12 months"
state = "active"

[[applications]]
name = "code-signing"
owners = ["security@acme.example"]

[[signing_profiles]]
application = "code-signing"
generation = 1
validity = "12 months"
state = "active"

[[waves]]
name = "first"
mode = "Enforce"
drift = "remediate"
organizational_units = ["production"]
[waves.preferences]
regions_in_parallel = true

[[developer_guardrails]]
application = "payments"
functions = ["payments-*"]
execution_roles = ["payments-*-execution"]

[[exemptions]]
functions = "aws-controltower-*"
owner = "platform@acme.example"
reason = "made by AWS Control Tower"
expires = 2031-12-31

[drift_remediation]
application = "code-signing"
max_concurrency = 1

[notifications]
emails = ["security@acme.example"]
"""


class DriftStory:
    """Deploys everything: profiles, configs, the rollout into three accounts and two Regions, drift remediation.

    The functions' code is what a user deploys: staged, signed by the (local) AWS Signer under the organization's own
    profile, and under an enforcing config.
    """

    def __init__(self, aws: LocalAws, file: Path) -> None:
        self.aws = aws
        self.organization = load_organization(file, at=datetime.now(UTC))
        self.s3 = self.client("s3")
        for name in ("templates", "signed"):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": HOME})
        self.s3.put_bucket_versioning(Bucket="signed", VersioningConfiguration={"Status": "Enabled"})
        # the stacks ask for the version of CDK's bootstrap
        self.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
        made = _templates(self.organization)
        self._deploy("acme-signing-authority", made)
        self._sign_code()
        for stack in ("acme-code-signing", "acme-code-signing-rollout", "acme-drift-remediation"):
            self._deploy(stack, made)
        # Most of the story starts its runs itself: what is tampered with on the way is not to start others.
        self.listen(on=False)

    def client(self, service: str, account: str = SECURITY, region: str = HOME) -> Any:
        return self.aws.client(service, account=account, region=region)

    def _deploy(self, name: str, made: dict[str, str]) -> None:
        cloudformation = self.client("cloudformation")
        self.s3.put_object(Bucket="templates", Key=name, Body=made[name].encode())
        cloudformation.create_stack(
            StackName=name,
            TemplateURL=f"{self.aws.endpoint_url}/templates/{name}",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        status = self.settled(SECURITY, HOME, name)
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        assert status == "CREATE_COMPLETE", [one.get("ResourceStatusReason") for one in events]

    def settled(self, account: str, region: str, stack: str) -> str:
        cloudformation = self.client("cloudformation", account, region)

        def status() -> str:
            found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            return "" if found.endswith("_IN_PROGRESS") else found

        return wait_for(status)

    def _sign_code(self) -> None:
        package = io.BytesIO()
        with tempfile.TemporaryDirectory() as folder:
            staged = stage_drift_asset(Path(folder) / "drift", drift_expectations(self.organization))
            write_package(staged.path, package, compression_level=1)
        version = self.s3.put_object(Bucket="signed", Key="drift-unsigned.zip", Body=package.getvalue())["VersionId"]
        signer = self.client("signer")
        job = signer.start_signing_job(
            source={"s3": {"bucketName": "signed", "key": "drift-unsigned.zip", "version": version}},
            destination={"s3": {"bucketName": "signed", "prefix": "jobs/"}},
            profileName="acme_code_signing_g1",
        )["jobId"]
        signed = signer.describe_signing_job(jobId=job)["signedObject"]["s3"]["key"]
        self.s3.copy_object(Bucket="signed", Key="drift.zip", CopySource={"Bucket": "signed", "Key": signed})

    # -- what is there ------------------------------------------------------------------------------------------------

    def stack(self, account: str, region: str) -> str:
        """The name of the member stack."""
        found = self.client("cloudformation", account, region).describe_stacks()["Stacks"]
        return next(one["StackName"] for one in found if one["StackName"].startswith(f"StackSet-{STACK_SET}-"))

    def config(self, account: str, region: str) -> dict[str, Any]:
        """The approved config of payments."""
        name = "/lambda-code-signing/code-signing-configs/payments/arn"
        arn = self.client("ssm", account, region).get_parameter(Name=name)["Parameter"]["Value"]
        functions = self.client("lambda", account, region)
        return functions.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]

    def is_as_declared(self, account: str, region: str) -> bool:
        config = self.config(account, region)
        mode = config["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
        (publisher,) = config["AllowedPublishers"]["SigningProfileVersionArns"]
        return mode == "Enforce" and "/acme_payments_g1/" in publisher

    def config_of(self, function: str, account: str, region: str) -> str | None:
        functions = self.client("lambda", account, region)
        return functions.get_function_code_signing_config(FunctionName=function).get("CodeSigningConfigArn") or None

    def updates(self, account: str, region: str) -> int:
        """How often the member stack was updated."""
        name = self.stack(account, region)
        events = self.client("cloudformation", account, region).describe_stack_events(StackName=name)["StackEvents"]
        return sum((one["LogicalResourceId"], one["ResourceStatus"]) == (name, "UPDATE_IN_PROGRESS") for one in events)

    # -- tampering ----------------------------------------------------------------------------------------------------

    def tamper(self, *hands: Callable[["DriftStory"], None]) -> None:
        """Do what the guardrails' SCPs forbid to everybody, as the management account could: with them detached."""
        organizations = self.client("organizations", MANAGEMENT)
        attached = [
            {"PolicyId": policy["Id"], "TargetId": target["TargetId"]}
            for policy in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
            if policy["Name"].startswith("acme-")
            for target in organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]
        ]
        assert attached
        for one in attached:
            organizations.detach_policy(**one)
        for hand in hands:
            hand(self)
        for one in attached:
            organizations.attach_policy(**one)

    def listen(self, *, on: bool) -> None:
        """Have the rules on the central bus start runs, or not."""
        events = self.client("events")
        switch = events.enable_rule if on else events.disable_rule
        for name in ("acme-drift-configs", "acme-drift-baseline"):
            switch(Name=name, EventBusName="acme-code-signing")

    # -- runs ---------------------------------------------------------------------------------------------------------

    def executions(self) -> set[str]:
        found = self.client("stepfunctions").list_executions(stateMachineArn=MACHINE)["executions"]
        return {one["executionArn"] for one in found}

    def given_to(self, execution: str) -> dict[str, Any]:
        return json.loads(self.client("stepfunctions").describe_execution(executionArn=execution)["input"])

    def fire(self) -> str:
        """Have EventBridge Scheduler start what the deployed schedule would start: its target, but at once."""
        schedules, before = self.client("scheduler"), self.executions()
        deployed = schedules.get_schedule(Name=STACK_SET)
        assert (deployed["State"], deployed["ScheduleExpression"]) == ("ENABLED", "rate(60 minutes)")
        schedules.create_schedule(
            Name="at-once",
            ScheduleExpression="at(2026-01-01T00:00:00)",
            FlexibleTimeWindow=deployed["FlexibleTimeWindow"],
            Target=deployed["Target"],
            ActionAfterCompletion="DELETE",
        )
        (execution,) = wait_for(lambda: self.executions() - before)
        return execution

    def start(self, event: object = None) -> str:
        """Start an execution, as the schedule does where nothing else is said."""
        given = {"kind": "schedule", "wave": STACK_SET} if event is None else event
        return self.client("stepfunctions").start_execution(stateMachineArn=MACHINE, input=json.dumps(given))[
            "executionArn"
        ]

    def finished(self, execution: str) -> dict[str, Any]:
        states = self.client("stepfunctions")

        def answer() -> Any:
            found = states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        return wait_for(answer)

    def output(self, execution: str) -> dict[str, Any]:
        found = self.finished(execution)
        assert found["status"] == "SUCCEEDED", found.get("cause")
        return json.loads(found["output"])

    def rows(self, output: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
        """The rows of a run's report by account and Region; each instance has exactly one."""
        text = self.s3.get_object(Bucket=output["bucket"], Key=output["report_key"])["Body"].read()
        rows = json.loads(text)["rows"]
        found = {(row["account"], row["region"]): row for row in rows}
        assert len(found) == len(rows)
        return found

    def keys(self, suffix: str) -> list[str]:
        bucket = f"acme-drift-remediation-{SECURITY}-{HOME}"
        listed = self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [one["Key"] for one in listed if one["Key"].endswith(suffix)]


def _templates(organization: Organization) -> dict[str, str]:
    app = new_app(FLAGS)
    signed = s3.Bucket.from_bucket_name(cdk.Stack(app, "Elsewhere"), "Signed", "signed")
    deployment = declare_deployment(
        app,
        organization,
        lock=ProfileLock(),
        at=datetime.now(UTC),
        drift_code=lambda_.Code.from_bucket(signed, "drift.zip"),
    )
    assembly = deployment.synthesize(app)
    return {stack.stack_name: (assembly / stack.template_file).read_text("utf-8") for stack in deployment.stacks}


def wait_for(answer: Callable[[], Any]) -> Any:
    """Ask until there is an answer; the local AWS takes moments."""
    deadline = time.monotonic() + 120
    while not (found := answer()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


# -- hands that tamper ------------------------------------------------------------------------------------------------


def switch_to_warn(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        story.client("lambda", account, region).update_code_signing_config(
            CodeSigningConfigArn=story.config(account, region)["CodeSigningConfigArn"],
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"},
        )

    return hand


def trust_somebody_else(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        story.client("lambda", account, region).update_code_signing_config(
            CodeSigningConfigArn=story.config(account, region)["CodeSigningConfigArn"],
            AllowedPublishers={"SigningProfileVersionArns": [FOREIGN]},
        )

    return hand


def delete_the_config(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        arn = story.config(account, region)["CodeSigningConfigArn"]
        story.client("lambda", account, region).delete_code_signing_config(CodeSigningConfigArn=arn)

    return hand


def make_a_config(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        story.client("lambda", account, region).create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [FOREIGN]}
        )

    return hand


def make_functions_without_config(account: str, region: str, *names: str) -> Callable[[DriftStory], None]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    def hand(story: DriftStory) -> None:
        role = story.client("iam", account).create_role(
            RoleName="payments-api-execution",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        for name in names:
            story.client("lambda", account, region).create_function(
                FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": archive()}
            )

    return hand


def detach(account: str, region: str, function: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        story.client("lambda", account, region).delete_function_code_signing_config(FunctionName=function)

    return hand


def make_and_delete_a_config(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        functions = story.client("lambda", account, region)
        made = functions.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [FOREIGN]})
        functions.delete_code_signing_config(CodeSigningConfigArn=made["CodeSigningConfig"]["CodeSigningConfigArn"])

    return hand


def take_the_forwarders_policy(account: str, region: str) -> Callable[[DriftStory], None]:
    def hand(story: DriftStory) -> None:
        iam, role = story.client("iam", account), f"acme-code-signing-forwarder-{region}"
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])

    return hand


def deny_the_role(account: str) -> Callable[[DriftStory], None]:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}

    def hand(story: DriftStory) -> None:
        story.client("iam", account).update_assume_role_policy(
            RoleName="acme-drift-remediator",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    return hand


def add_a_topic_through_cloudformation(account: str, region: str) -> Callable[[DriftStory], None]:
    """Update the member stack itself, which is no drift to CloudFormation."""

    def hand(story: DriftStory) -> None:
        cloudformation, name = story.client("cloudformation", account, region), story.stack(account, region)
        template = cloudformation.get_template(StackName=name)["TemplateBody"]
        document = json.loads(template) if isinstance(template, str) else json.loads(json.dumps(template))
        document["Resources"]["Extra"] = {"Type": "AWS::SNS::Topic"}
        parameters = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])
        bucket = story.client("s3", account, region)
        bucket.create_bucket(Bucket="tampered", CreateBucketConfiguration={"LocationConstraint": region})
        bucket.put_object(Bucket="tampered", Key="template", Body=json.dumps(document).encode())
        cloudformation.update_stack(
            StackName=name,
            TemplateURL=f"{story.aws.endpoint_url}/tampered/template",
            Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in parameters],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        assert story.settled(account, region, name) == "UPDATE_COMPLETE"

    return hand
