"""CloudFormation's resource types of code signing on the local AWS: made, changed, replaced, refused and deleted."""

import ast
import inspect
import json
import time
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.testing.local_aws import LocalAws
from constructs_pkg.testing.local_aws.cloudformation import internals
from constructs_pkg.testing.local_aws.cloudformation.behaviours import BEHAVIOURS
from tests.local_aws.code_builders import Desk, archive, tampered

ACCOUNT, MANAGEMENT, SECURITY, SANDBOX = "444444444405", "111111111111", "222222222222", "444444444401"
REGION = "eu-west-1"
ORGANIZATION = Path(__file__).parents[2] / "organization.toml"
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/payments/a1B2c3D4e5"
OTHER_PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/payments/f6G7h8I9j0"
PLATFORM = "AWSLambda-SHA384-ECDSA"


@pytest.fixture(scope="module")
def aws():
    with LocalAws(organization=ORGANIZATION) as server:
        yield server


@pytest.fixture(scope="module")
def desk(aws):
    return Desk(aws, ACCOUNT, REGION)


class Stacks:
    """Stacks of one account, each operation awaited."""

    def __init__(self, aws: LocalAws, account=ACCOUNT):
        self.client = aws.client("cloudformation", account=account, region=REGION)
        self.name = f"stack-{uuid4().hex[:12]}"

    def settled(self) -> str:
        while True:
            try:
                status = self.client.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
            except ClientError:
                return "DELETE_COMPLETE"
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.01)

    def run(self, operation: str, resources, **more) -> str:
        template = {"Resources": resources, **more.pop("template", {})}
        getattr(self.client, operation)(
            StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
        return self.settled()

    def create(self, resources, **more) -> str:
        return self.run("create_stack", resources, **more)

    def update(self, resources, **more) -> str:
        return self.run("update_stack", resources, **more)

    def delete(self) -> str:
        self.client.delete_stack(StackName=self.name)
        time.sleep(0.02)
        return self.settled()

    def id_of(self, logical_id: str) -> str:
        found = self.client.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def outputs(self):
        (stack,) = self.client.describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def failures(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return " ".join(
            event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]
        )


@pytest.fixture
def stacks(aws):
    return Stacks(aws)


def config(publishers=(PUBLISHER,), mode="Enforce", **more):
    properties = {"AllowedPublishers": {"SigningProfileVersionArns": list(publishers)}, **more}
    if mode is not None:
        properties["CodeSigningPolicies"] = {"UntrustedArtifactOnDeployment": mode}
    return {"Type": "AWS::Lambda::CodeSigningConfig", "Properties": properties}


def function(config_arn, code, **more):
    properties = {
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/execution",
        "Code": code,
        **({} if config_arn is None else {"CodeSigningConfigArn": config_arn}),
        **more,
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


CONFIG_ARN = {"Fn::GetAtt": ["Config", "CodeSigningConfigArn"]}


def test_a_config_is_made_changed_in_place_and_deleted(stacks, desk):
    outputs = {
        "Outputs": {
            "Arn": {"Value": CONFIG_ARN},
            "Id": {"Value": {"Fn::GetAtt": ["Config", "CodeSigningConfigId"]}},
            "Ref": {"Value": {"Ref": "Config"}},
        }
    }
    tags = [{"Key": "application", "Value": "payments"}]
    assert stacks.create(
        {"Config": config(Description="one", Tags=tags)}, template=outputs, Tags=[{"Key": "team", "Value": "a"}]
    ) == ("CREATE_COMPLETE")
    arn = stacks.outputs()["Arn"]
    assert stacks.outputs() == {"Arn": arn, "Id": arn.rpartition(":")[2], "Ref": arn}
    found = desk.lambda_.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert (found["Description"], found["CodeSigningPolicies"]) == ("one", {"UntrustedArtifactOnDeployment": "Enforce"})
    known = desk.lambda_.list_tags(Resource=arn)["Tags"]
    assert {key: value for key, value in known.items() if not key.startswith("aws:")} == {
        "application": "payments",
        "team": "a",
    }
    assert known["aws:cloudformation:logical-id"] == "Config"

    assert (
        stacks.update({"Config": config([PUBLISHER, OTHER_PUBLISHER], "Warn")}, template=outputs) == "UPDATE_COMPLETE"
    )

    found = desk.lambda_.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
    assert stacks.outputs()["Arn"] == arn
    assert found["AllowedPublishers"] == {"SigningProfileVersionArns": [PUBLISHER, OTHER_PUBLISHER]}
    assert (found["Description"], found["CodeSigningPolicies"]) == ("", {"UntrustedArtifactOnDeployment": "Warn"})
    assert "application" not in desk.lambda_.list_tags(Resource=arn)["Tags"]

    assert stacks.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        desk.lambda_.get_code_signing_config(CodeSigningConfigArn=arn)


def test_a_config_without_a_policy_warns(stacks, desk):
    assert stacks.create({"Config": config(mode=None)}) == "CREATE_COMPLETE"

    found = desk.lambda_.get_code_signing_config(CodeSigningConfigArn=stacks.id_of("Config"))["CodeSigningConfig"]

    assert found["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (config([]), "1 to 20"),
        (config([PUBLISHER] * 21), "1 to 20"),
        (config(["arn:aws:iam::222222222222:role/x"]), "arn:aws:iam"),
        (config(mode="Maybe"), "Maybe"),
        (config(Publishers=[]), "extraneous key"),
        ({"Type": "AWS::Lambda::CodeSigningConfig", "Properties": {}}, "1 to 20"),
    ],
)
def test_a_config_that_cannot_be_is_refused(stacks, resource, reason):
    assert stacks.create({"Config": resource}) == "ROLLBACK_COMPLETE"
    assert reason in stacks.failures()


def test_a_config_that_a_function_uses_cannot_be_deleted(stacks, desk):
    assert stacks.create({"Config": config(mode="Warn")}) == "CREATE_COMPLETE"
    arn = stacks.id_of("Config")
    name = desk.function(config=arn)["FunctionName"]

    assert stacks.delete() == "DELETE_FAILED"
    assert "it is used by 1 function" in stacks.failures()

    desk.lambda_.delete_function(FunctionName=name)
    assert stacks.delete() == "DELETE_COMPLETE"


def test_a_function_is_deployed_with_signed_code_only(stacks, desk):
    profile, publisher = desk.profile()
    signed, _ = desk.signed(profile)
    version = desk.upload(signed, "signed.zip")
    code = {"S3Bucket": desk.bucket, "S3Key": "signed.zip", "S3ObjectVersion": version}

    assert stacks.create({"Config": config([publisher]), "Function": function(CONFIG_ARN, code)}) == "CREATE_COMPLETE"

    name = stacks.id_of("Function")
    attached = desk.lambda_.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"]
    assert attached == stacks.id_of("Config")
    described = desk.lambda_.get_function_configuration(FunctionName=name)
    assert described["SigningProfileVersionArn"] == publisher


@pytest.mark.parametrize("kind", ["unsigned", "tampered", "inline", "another publisher"])
def test_a_function_whose_code_is_not_trusted_is_refused(stacks, desk, kind):
    profile, publisher = desk.profile()
    signed, _ = desk.signed(profile)
    body = {"unsigned": archive(), "tampered": tampered(signed), "another publisher": signed}.get(kind)
    trusted = desk.profile()[1] if kind == "another publisher" else publisher
    code = {"ZipFile": "def handler(event, context): pass"}
    if body is not None:
        code = {"S3Bucket": desk.bucket, "S3Key": "bad.zip", "S3ObjectVersion": desk.upload(body, "bad.zip")}

    status = stacks.create(
        {"Config": config([trusted]), "Function": function(CONFIG_ARN, code, FunctionName=stacks.name)}
    )

    assert status == "ROLLBACK_COMPLETE"
    assert "Lambda cannot" in stacks.failures()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        desk.lambda_.get_function(FunctionName=stacks.name)


def test_an_update_to_unsigned_code_or_to_a_config_that_distrusts_it_rolls_back(stacks, desk):
    profile, publisher = desk.profile()
    signed, _ = desk.signed(profile)
    good = {"S3Bucket": desk.bucket, "S3Key": "g.zip", "S3ObjectVersion": desk.upload(signed, "g.zip")}
    bad = {"S3Bucket": desk.bucket, "S3Key": "b.zip", "S3ObjectVersion": desk.upload(archive(), "b.zip")}
    resources = {"Config": config([publisher]), "Strict": config([desk.profile()[1]])}
    assert stacks.create({**resources, "Function": function(CONFIG_ARN, good)}) == "CREATE_COMPLETE"
    before = desk.lambda_.get_function(FunctionName=stacks.id_of("Function"))["Configuration"]["CodeSha256"]

    assert stacks.update({**resources, "Function": function(CONFIG_ARN, bad)}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Lambda cannot" in stacks.failures()
    strict_arn = {"Fn::GetAtt": ["Strict", "CodeSigningConfigArn"]}
    changed = {"S3Bucket": desk.bucket, "S3Key": "g2.zip", "S3ObjectVersion": desk.upload(signed, "g2.zip")}
    assert stacks.update({**resources, "Function": function(strict_arn, changed)}) == "UPDATE_ROLLBACK_COMPLETE"

    name = stacks.id_of("Function")
    assert desk.lambda_.get_function(FunctionName=name)["Configuration"]["CodeSha256"] == before
    attached = desk.lambda_.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"]
    assert attached == stacks.id_of("Config")


def test_a_config_is_detached_and_attached_by_the_template_and_a_detached_one_is_drift(stacks, desk):
    code = {"ZipFile": "def handler(event, context): pass"}
    resources = {"Config": config(mode="Warn"), "Function": function(CONFIG_ARN, code)}
    assert stacks.create(resources) == "CREATE_COMPLETE"
    name, arn = stacks.id_of("Function"), stacks.id_of("Config")

    def attached():
        return desk.lambda_.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn", "")

    assert stacks.update({**resources, "Function": function(None, code)}) == "UPDATE_COMPLETE"
    assert attached() == ""
    assert stacks.update(resources) == "UPDATE_COMPLETE"
    assert attached() == arn
    desk.lambda_.delete_function_code_signing_config(FunctionName=name)
    stacks.client.create_change_set(
        StackName=stacks.name, ChangeSetName="revert", UsePreviousTemplate=True, DeploymentMode="REVERT_DRIFT"
    )
    (change,) = stacks.client.describe_change_set(StackName=stacks.name, ChangeSetName="revert")["Changes"]
    assert change["ResourceChange"]["ResourceDriftIgnoredAttributes"] == [
        {"Path": "/Properties/Code", "Reason": "WRITE_ONLY_PROPERTY"}
    ]
    stacks.client.execute_change_set(StackName=stacks.name, ChangeSetName="revert")
    assert stacks.settled() == "UPDATE_COMPLETE"
    assert attached() == arn


def test_a_function_with_a_config_that_is_not_there_is_refused(stacks):
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0a1b2c3d4e5f6a7b8"

    assert stacks.create({"Function": function(arn, {"ZipFile": "x = 1"})}) == "ROLLBACK_COMPLETE"
    assert "cannot be found" in stacks.failures()


def profile(**more):
    return {"Type": "AWS::Signer::SigningProfile", "Properties": {"PlatformId": PLATFORM, **more}}


def validity(months):
    return {"Type": "MONTHS", "Value": months}


def test_a_profile_is_replaced_when_its_validity_changes(stacks, desk):
    outputs = {
        "Outputs": {
            name: {"Value": {"Fn::GetAtt": ["Profile", name]}}
            for name in ("Arn", "ProfileName", "ProfileVersion", "ProfileVersionArn")
        }
    }
    assert (
        stacks.create({"Profile": profile(SignatureValidityPeriod=validity(12))}, template=outputs) == "CREATE_COMPLETE"
    )
    before = stacks.outputs()
    assert before["ProfileVersionArn"] == f"{before['Arn']}/{before['ProfileVersion']}"

    assert (
        stacks.update({"Profile": profile(SignatureValidityPeriod=validity(24))}, template=outputs) == "UPDATE_COMPLETE"
    )

    after = stacks.outputs()
    assert after["ProfileName"] != before["ProfileName"]
    statuses = [
        desk.signer.get_signing_profile(profileName=known["ProfileName"])["status"] for known in (before, after)
    ]
    assert statuses == ["Canceled", "Active"]


def test_a_profile_with_a_custom_name_is_not_replaced(stacks, desk):
    name = f"custom_{uuid4().hex[:8]}"
    resources = {"Profile": profile(ProfileName=name, SignatureValidityPeriod=validity(12))}
    assert stacks.create(resources) == "CREATE_COMPLETE"

    changed = {"Profile": profile(ProfileName=name, SignatureValidityPeriod=validity(24))}
    assert stacks.update(changed) == "UPDATE_ROLLBACK_COMPLETE"

    assert "custom-named resource requires replacing" in stacks.failures()
    assert desk.signer.get_signing_profile(profileName=name)["status"] == "Active"


def test_permissions_chained_one_after_the_other_are_all_there(stacks, desk):
    def permission(number, **more):
        properties = {
            "ProfileName": {"Fn::GetAtt": ["Profile", "ProfileName"]},
            "Action": "signer:StartSigningJob",
            "Principal": f"44444444440{number}",
            "StatementId": f"account{number}",
        }
        return {"Type": "AWS::Signer::ProfilePermission", "Properties": properties, **more}

    resources = {
        "Profile": profile(),
        "One": permission(1),
        "Two": permission(2, DependsOn="One"),
        "Three": permission(3, DependsOn="Two"),
    }

    assert stacks.create(resources) == "CREATE_COMPLETE"
    name = stacks.id_of("Profile").rpartition("/")[2]
    found = desk.signer.list_profile_permissions(profileName=name)["permissions"]
    assert {known["statementId"]: known["principal"] for known in found} == {
        f"account{number}": f"44444444440{number}" for number in (1, 2, 3)
    }
    assert stacks.id_of("One") == f"account1|{name}"


def test_a_roles_permissions_boundary_is_kept(aws, stacks):
    iam = aws.client("iam", account=ACCOUNT)
    statement = {"Effect": "Allow", "Principal": {"AWS": SECURITY}, "Action": "sts:AssumeRole"}
    boundary = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
            }
        },
    }
    properties = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    bounded = {**properties, "PermissionsBoundary": {"Ref": "Boundary"}}

    def found():
        role = iam.get_role(RoleName=stacks.id_of("Role"))["Role"]
        return role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")

    assert stacks.create({"Boundary": boundary, "Role": {"Type": "AWS::IAM::Role", "Properties": bounded}}) == (
        "CREATE_COMPLETE"
    )
    assert found() == stacks.id_of("Boundary")
    iam.delete_role_permissions_boundary(RoleName=stacks.id_of("Role"))
    stacks.client.detect_stack_drift(StackName=stacks.name)
    (drift,) = stacks.client.describe_stack_resource_drifts(
        StackName=stacks.name, StackResourceDriftStatusFilters=["MODIFIED"]
    )["StackResourceDrifts"]
    assert drift["PropertyDifferences"][0]["PropertyPath"] == "/PermissionsBoundary"
    stacks.client.create_change_set(
        StackName=stacks.name,
        ChangeSetName="revert",
        UsePreviousTemplate=True,
        DeploymentMode="REVERT_DRIFT",
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stacks.client.execute_change_set(StackName=stacks.name, ChangeSetName="revert")
    assert stacks.settled() == "UPDATE_COMPLETE"
    assert found() == stacks.id_of("Boundary")
    assert stacks.update({"Boundary": boundary, "Role": {"Type": "AWS::IAM::Role", "Properties": properties}}) == (
        "UPDATE_COMPLETE"
    )
    assert found() is None


def test_an_alarm_on_a_metrics_query_is_made_and_compared(aws, stacks):
    query = {
        "Id": "errors",
        "Expression": 'SELECT SUM(SignatureValidationErrors) FROM "AWS/Lambda"',
        "Period": 300,
        "ReturnData": True,
    }
    properties = {
        "Metrics": [query],
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
    }

    assert stacks.create({"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}) == "CREATE_COMPLETE"

    (alarm,) = aws.client("cloudwatch", account=ACCOUNT).describe_alarms(AlarmNames=[stacks.id_of("Alarm")])[
        "MetricAlarms"
    ]
    assert (alarm["StateValue"], alarm["Metrics"]) == ("INSUFFICIENT_DATA", [query])
    stacks.client.detect_stack_drift(StackName=stacks.name)
    (drift,) = stacks.client.describe_stack_resource_drifts(StackName=stacks.name)["StackResourceDrifts"]
    assert drift["StackResourceDriftStatus"] == "IN_SYNC"
    assert json.loads(drift["ActualProperties"])["Metrics"] == [query]


MEMBER_TEMPLATE = json.dumps(
    {
        "Parameters": {"Mode": {"Type": "String", "Default": "Warn"}},
        "Resources": {"Config": config(mode={"Ref": "Mode"})},
    }
)
WAVE = {
    "DeploymentTargets": {"OrganizationalUnitIds": ["ou-a1b2-00000001"]},
    "Regions": ["eu-west-1", "us-east-1"],
}


def stack_set(name, **more):
    properties = {
        "StackSetName": name,
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": "DELEGATED_ADMIN",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "ManagedExecution": {"Active": True},
        "TemplateBody": MEMBER_TEMPLATE,
        "StackInstancesGroup": [WAVE],
        "OperationPreferences": {"MaxConcurrentPercentage": 100, "FailureToleranceCount": 0},
        **more,
    }
    return {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}


def configs_of(aws, account=SANDBOX, region=REGION):
    found = aws.client("lambda", account=account, region=region).list_code_signing_configs()["CodeSigningConfigs"]
    return [known["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"] for known in found]


def test_a_stack_set_resource_brings_configs_to_member_accounts_updates_and_removes_them(aws):
    stacks = Stacks(aws, SECURITY)
    name = f"wave-{uuid4().hex[:8]}"
    outputs = {"Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Wave", "StackSetId"]}}}}

    assert stacks.create({"Wave": stack_set(name)}, template=outputs) == "CREATE_COMPLETE", stacks.failures()
    assert stacks.outputs()["Id"].startswith(f"{name}:")
    assert (configs_of(aws), configs_of(aws, region="us-east-1")) == (["Warn"], ["Warn"])

    enforced = [{"ParameterKey": "Mode", "ParameterValue": "Enforce"}]
    one_region = [{**WAVE, "Regions": ["eu-west-1"]}]
    changed = stack_set(name, Parameters=enforced, StackInstancesGroup=one_region)
    assert stacks.update({"Wave": changed}, template=outputs) == "UPDATE_COMPLETE", stacks.failures()
    assert (configs_of(aws), configs_of(aws, region="us-east-1")) == (["Enforce"], [])

    renamed = stack_set(name, Parameters=enforced, PermissionModel="SELF_MANAGED", StackInstancesGroup=one_region)
    assert stacks.update({"Wave": renamed}, template=outputs) == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource requires replacing" in stacks.failures()

    stacks.client.detect_stack_drift(StackName=stacks.name)
    (drift,) = stacks.client.describe_stack_resource_drifts(StackName=stacks.name)["StackResourceDrifts"]
    assert drift["StackResourceDriftStatus"] == "IN_SYNC", drift
    assert stacks.delete() == "DELETE_COMPLETE"
    assert configs_of(aws) == []
    management = aws.client("cloudformation", account=MANAGEMENT, region=REGION)
    active = management.list_stack_sets(Status="ACTIVE")["Summaries"]
    assert name not in {known["StackSetName"] for known in active}


def test_a_stack_set_resource_whose_instances_fail_rolls_back_and_leaves_nothing(aws):
    stacks = Stacks(aws, SECURITY)
    name = f"bad-{uuid4().hex[:8]}"
    template = json.dumps({"Resources": {"Config": config(["nonsense"])}})

    assert stacks.create({"Wave": stack_set(name, TemplateBody=template)}) == "ROLLBACK_COMPLETE"
    assert "nonsense" in stacks.failures()
    management = aws.client("cloudformation", account=MANAGEMENT, region=REGION)
    active = management.list_stack_sets(Status="ACTIVE")["Summaries"]
    assert name not in {known["StackSetName"] for known in active}


@pytest.mark.parametrize("more", [{"Colour": "red"}, {"TemplateBody": "{"}, {"CallAs": "SELF"}])
def test_a_stack_set_resource_that_cannot_be_is_refused(aws, more):
    assert Stacks(aws, SECURITY).create({"Wave": stack_set(f"no-{uuid4().hex[:8]}", **more)}) == "ROLLBACK_COMPLETE"


def test_a_type_that_nobody_implements_is_refused(stacks):
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stacks.create({"X": {"Type": "AWS::Signer::Bogus"}})


def touched_internals():
    """What our sources take from modules of MiniStack: attributes of names that ``import_module`` was assigned to."""
    for source in Path(internals.__file__).parent.glob("*.py"):
        tree = ast.parse(source.read_text())
        modules = {
            node.target.id: node.value.args[0].value.removeprefix("ministack.")
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", "") == "import_module"
            and node.value.args[0].value.startswith("ministack.")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                yield modules[node.value.id], node.attr


def test_the_table_of_internals_names_all_that_is_touched_and_nothing_else():
    assert {(known.module, known.name) for known in internals.INTERNALS} == set(touched_internals())


@pytest.mark.parametrize("internal", internals.INTERNALS, ids=str)
def test_an_internal_of_ministack_is_where_we_touch_it(internal):
    found = getattr(import_module(f"ministack.{internal.module}"), internal.name, None)

    assert found is not None, f"MiniStack has no {internal} any more; it is needed for: {internal.purpose}"
    parameters = tuple(inspect.signature(found).parameters) if inspect.isfunction(found) else None
    assert parameters == internal.parameters, f"{internal} takes other parameters; it is needed for: {internal.purpose}"


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour[0][:40])
def test_a_behaviour_is_labelled_and_listed_once(behaviour):
    text, origin, source = behaviour

    assert origin in {"observed on AWS", "documented", "our model"}
    assert source
    assert [known[0] for known in BEHAVIOURS].count(text) == 1
