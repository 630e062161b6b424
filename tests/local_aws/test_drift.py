"""Drift of stacks, what is found of it in each type that the product deploys, and change sets that revert it."""

import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.testing.local_aws import LocalAws

MEMBER = "444444444401"
REGION = "eu-west-1"
ORGANIZATION = Path(__file__).parents[2] / "organization.toml"
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/payments/a1B2c3D4e5"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}],
}
TEMPLATE = {
    "Resources": {
        "Config": {
            "Type": "AWS::Lambda::CodeSigningConfig",
            "Properties": {
                "AllowedPublishers": {"SigningProfileVersionArns": [PUBLISHER]},
                "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
                "Tags": [{"Key": "application", "Value": "payments"}],
            },
        },
        "Policy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "lambda:CreateFunction",
                            "Resource": "*",
                            "Condition": {
                                "StringEquals": {
                                    "lambda:CodeSigningConfigArn": {"Fn::GetAtt": ["Config", "CodeSigningConfigArn"]}
                                }
                            },
                        }
                    ],
                }
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "MaxSessionDuration": 3600,
                "ManagedPolicyArns": [{"Ref": "Policy"}],
                "Policies": [
                    {
                        "PolicyName": "read",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}],
                        },
                    }
                ],
            },
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": {"Fn::Sub": "/${AWS::StackName}/config"},
                "Value": {"Fn::GetAtt": ["Config", "CodeSigningConfigArn"]},
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": {"Fn::Sub": "${AWS::StackName}-tampering"},
                "State": "ENABLED",
                "EventPattern": {"source": ["aws.lambda"]},
                "Targets": [{"Id": "bus", "Arn": "arn:aws:sqs:eu-west-1:444444444401:tampering"}],
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/Lambda",
                "MetricName": "SignatureValidationErrors",
                "Statistic": "Sum",
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        },
    }
}


@pytest.fixture(scope="module")
def aws():
    with LocalAws(organization=ORGANIZATION) as server:
        yield server


class Stack:
    """A stack in the member account, and clients to tamper with it."""

    def __init__(self, aws: LocalAws, name: str, template=TEMPLATE, **more):
        self.aws, self.name = aws, name
        self.cloudformation = self.client("cloudformation")
        self.cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
        assert self.settled() == "CREATE_COMPLETE", self.cloudformation.describe_stack_events(StackName=name)

    def client(self, service: str):
        return self.aws.client(service, account=MEMBER, region=REGION)

    def settled(self) -> str:
        while True:
            status = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.01)

    def id_of(self, logical_id: str) -> str:
        found = self.cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def detect(self):
        detection = self.cloudformation.detect_stack_drift(StackName=self.name)["StackDriftDetectionId"]
        answer = self.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert answer["DetectionStatus"] == "DETECTION_COMPLETE"
        return answer["StackDriftStatus"]

    def drifted(self):
        """Return what a new detection finds: by resource its status, or path, expected, actual, kind of each change."""
        self.detect()
        found = self.cloudformation.describe_stack_resource_drifts(
            StackName=self.name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )["StackResourceDrifts"]
        return {
            drift["LogicalResourceId"]: [tuple(difference.values()) for difference in drift["PropertyDifferences"]]
            if drift["StackResourceDriftStatus"] == "MODIFIED"
            else "DELETED"
            for drift in found
        }

    def change_set(self, name="revert"):
        self.cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            UsePreviousTemplate=True,
            DeploymentMode="REVERT_DRIFT",
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        return self.cloudformation.describe_change_set(StackName=self.name, ChangeSetName=name)

    def execute(self, name="revert") -> str:
        self.cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name)
        return self.settled()


@pytest.fixture
def stack(aws, request):
    return Stack(
        aws, "s" + request.node.name.replace("_", "-").replace("[", "-").replace("]", "").replace("::", "-")[:60]
    )


def weaken_config(stack: Stack) -> None:
    stack.client("lambda").update_code_signing_config(
        CodeSigningConfigArn=stack.id_of("Config"), CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
    )


def widen_policy(stack: Stack) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    stack.client("iam").create_policy_version(
        PolicyArn=stack.id_of("Policy"), PolicyDocument=json.dumps(document), SetAsDefault=True
    )


def detach_policy(stack: Stack) -> None:
    stack.client("iam").detach_role_policy(RoleName=stack.id_of("Role"), PolicyArn=stack.id_of("Policy"))


def trust_anybody(stack: Stack) -> None:
    document = {**TRUST, "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    stack.client("iam").update_assume_role_policy(RoleName=stack.id_of("Role"), PolicyDocument=json.dumps(document))


def change_inline_policy(stack: Stack) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    stack.client("iam").put_role_policy(
        RoleName=stack.id_of("Role"), PolicyName="read", PolicyDocument=json.dumps(document)
    )


def overwrite_parameter(stack: Stack) -> None:
    stack.client("ssm").put_parameter(Name=stack.id_of("Parameter"), Value="something else", Overwrite=True)


def disable_rule(stack: Stack) -> None:
    stack.client("events").disable_rule(Name=stack.id_of("Rule"))


def blind_rule(stack: Stack) -> None:
    stack.client("events").put_rule(Name=stack.id_of("Rule"), EventPattern='{"source": ["aws.nothing"]}')


def raise_alarm_threshold(stack: Stack) -> None:
    stack.client("cloudwatch").put_metric_alarm(
        AlarmName=stack.id_of("Alarm"),
        Namespace="AWS/Lambda",
        MetricName="SignatureValidationErrors",
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1000,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )


TAMPERING = {
    weaken_config: ("Config", "/CodeSigningPolicies/UntrustedArtifactOnDeployment"),
    widen_policy: ("Policy", "/PolicyDocument/Statement/0/Action"),
    detach_policy: ("Role", "/ManagedPolicyArns/0"),
    trust_anybody: ("Role", "/AssumeRolePolicyDocument/Statement/0/Principal/AWS"),
    change_inline_policy: ("Role", "/Policies/0/PolicyDocument/Statement/0/Action"),
    overwrite_parameter: ("Parameter", "/Value"),
    disable_rule: ("Rule", "/State"),
    blind_rule: ("Rule", "/EventPattern/source/0"),
    raise_alarm_threshold: ("Alarm", "/Threshold"),
}


def test_an_untouched_stack_of_every_type_is_in_sync(stack):
    assert stack.detect() == "IN_SYNC"
    drifts = stack.cloudformation.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
    assert {drift["LogicalResourceId"]: drift["StackResourceDriftStatus"] for drift in drifts} == dict.fromkeys(
        TEMPLATE["Resources"], "IN_SYNC"
    )


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found_and_reverted(stack, tamper):
    tamper(stack)
    name, path = TAMPERING[tamper]

    found = stack.drifted()
    assert list(found) == [name]
    assert path in {difference[0] for difference in found[name]}

    described = stack.change_set()
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert (described["DeploymentMode"], described["StackDriftStatus"]) == ("REVERT_DRIFT", "DRIFTED")
    changes = [change["ResourceChange"] for change in described["Changes"]]
    assert [(change["LogicalResourceId"], change["Action"]) for change in changes] == [(name, "Modify")]
    assert changes[0]["ResourceDriftStatus"] == "MODIFIED"
    assert stack.execute() == "UPDATE_COMPLETE"
    assert stack.drifted() == {}
    assert stack.detect() == "IN_SYNC"


def test_a_change_set_shows_what_is_there_and_what_will_be(stack):
    weaken_config(stack)

    change = stack.change_set()["Changes"][0]["ResourceChange"]
    target = change["Details"][0]["Target"]

    assert target.pop("Drift").pop("DriftDetectionTimestamp") is not None
    assert target == {
        "Attribute": "Properties",
        "Name": "CodeSigningPolicies",
        "RequiresRecreation": "Never",
        "Path": "/Properties/CodeSigningPolicies/UntrustedArtifactOnDeployment",
        "BeforeValue": "Warn",
        "AfterValue": "Enforce",
        "BeforeValueFrom": "ACTUAL_STATE",
        "AfterValueFrom": "TEMPLATE",
        "AttributeChangeType": "Modify",
    }


def test_a_deleted_config_comes_back_with_another_arn_that_reaches_its_dependants(stack):
    before = stack.id_of("Config")
    stack.client("lambda").delete_code_signing_config(CodeSigningConfigArn=before)
    assert stack.drifted() == {"Config": "DELETED"}

    changes = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"]
        for change in stack.change_set()["Changes"]
    }
    assert {name: (change["Action"], change["ResourceDriftStatus"]) for name, change in changes.items()} == {
        "Config": ("Add", "DELETED"),
        "Policy": ("Modify", "IN_SYNC"),
        "Parameter": ("Modify", "IN_SYNC"),
    }
    assert changes["Parameter"]["Details"][0]["CausingEntity"] == "Config.CodeSigningConfigArn"
    assert stack.execute() == "UPDATE_COMPLETE"

    after = stack.id_of("Config")
    assert after != before
    config = stack.client("lambda").get_code_signing_config(CodeSigningConfigArn=after)["CodeSigningConfig"]
    assert config["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    assert stack.client("ssm").get_parameter(Name=stack.id_of("Parameter"))["Parameter"]["Value"] == after
    version = stack.client("iam").get_policy(PolicyArn=stack.id_of("Policy"))["Policy"]["DefaultVersionId"]
    policy = stack.client("iam").get_policy_version(PolicyArn=stack.id_of("Policy"), VersionId=version)["PolicyVersion"]
    assert after in json.dumps(policy["Document"])
    assert stack.drifted() == {}


@pytest.mark.parametrize("name", ["Parameter", "Rule", "Alarm"])
def test_a_deleted_resource_is_recreated(stack, name):
    physical_id = stack.id_of(name)
    if name == "Parameter":
        stack.client("ssm").delete_parameter(Name=physical_id)
    elif name == "Rule":
        stack.client("events").remove_targets(Rule=physical_id, Ids=["bus"])
        stack.client("events").delete_rule(Name=physical_id)
    else:
        stack.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])
    assert stack.drifted() == {name: "DELETED"}

    stack.change_set()

    assert stack.execute() == "UPDATE_COMPLETE"
    assert stack.drifted() == {}


def test_all_tampering_at_once_is_reverted_in_one_change_set(stack):
    for tamper in TAMPERING:
        tamper(stack)

    described = stack.change_set()

    assert {change["ResourceChange"]["LogicalResourceId"] for change in described["Changes"]} == set(
        TEMPLATE["Resources"]
    )
    assert stack.execute() == "UPDATE_COMPLETE"
    assert stack.drifted() == {}


def test_an_update_with_the_same_template_does_not_revert_drift(stack):
    weaken_config(stack)

    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.cloudformation.update_stack(
            StackName=stack.name, UsePreviousTemplate=True, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
    stack.cloudformation.create_change_set(
        StackName=stack.name, ChangeSetName="ordinary", UsePreviousTemplate=True, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    ordinary = stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="ordinary")

    assert (ordinary["Status"], ordinary["ExecutionStatus"], "DeploymentMode" in ordinary) == (
        "FAILED",
        "UNAVAILABLE",
        False,
    )
    assert list(stack.drifted()) == ["Config"]


def test_a_change_set_without_drift_fails_and_cannot_be_executed(stack):
    described = stack.change_set()

    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in described["StatusReason"]
    assert described["StackDriftStatus"] == "IN_SYNC"
    with pytest.raises(ClientError) as refusal:
        stack.execute()
    assert refusal.value.response["Error"]["Code"] == "InvalidChangeSetStatus"


def test_a_change_set_name_is_taken_while_the_change_set_exists(stack):
    weaken_config(stack)
    stack.change_set()

    with pytest.raises(ClientError) as refusal:
        stack.change_set()

    assert refusal.value.response["Error"]["Code"] == "AlreadyExistsException"


@pytest.mark.parametrize(
    "members",
    [
        {"TemplateBody": json.dumps(TEMPLATE)},
        {"UsePreviousTemplate": True, "ChangeSetType": "IMPORT"},
        {"UsePreviousTemplate": True, "Tags": [{"Key": "a", "Value": "b"}]},
        {"UsePreviousTemplate": True, "DeploymentMode": "SOMETHING_ELSE"},
    ],
)
def test_what_is_not_implemented_is_refused(aws, members):
    name = "refused"
    cloudformation = aws.client("cloudformation", account=MEMBER, region="eu-central-1")
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError:
        cloudformation.create_stack(StackName=name, TemplateBody='{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}')
        while cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
            time.sleep(0.01)

    with pytest.raises(ClientError) as refusal:
        cloudformation.create_change_set(
            StackName=name, ChangeSetName="c", **{"DeploymentMode": "REVERT_DRIFT", **members}
        )

    assert refusal.value.response["Error"]["Code"] == "ValidationError"


def test_a_failed_revert_leaves_the_drift_and_the_stack_declares_what_it_did(aws):
    template = {
        "Resources": {
            "Rule": TEMPLATE["Resources"]["Rule"],
            "Profile": {
                "Type": "AWS::Signer::SigningProfile",
                "DependsOn": "Rule",
                "Properties": {"ProfileName": "single_use", "PlatformId": "AWSLambda-SHA384-ECDSA"},
            },
        }
    }
    stack = Stack(aws, "failed-revert", template)
    disable_rule(stack)
    stack.client("signer").cancel_signing_profile(profileName="single_use")
    drift = {"Rule": [("/State", "ENABLED", "DISABLED", "NOT_EQUAL")], "Profile": "DELETED"}
    assert stack.drifted() == drift

    stack.change_set()

    assert stack.execute() == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.drifted() == drift
    described = stack.cloudformation.describe_change_set(StackName=stack.name, ChangeSetName="revert")
    assert described["ExecutionStatus"] == "EXECUTE_FAILED"


def test_permissions_of_a_profile_are_checked_and_return_when_they_were_deleted(aws):
    template = {
        "Resources": {
            "Profile": {
                "Type": "AWS::Signer::SigningProfile",
                "Properties": {"PlatformId": "AWSLambda-SHA384-ECDSA"},
            },
            "Permission": {
                "Type": "AWS::Signer::ProfilePermission",
                "Properties": {
                    "ProfileName": {"Fn::GetAtt": ["Profile", "ProfileName"]},
                    "Action": "signer:StartSigningJob",
                    "Principal": "444444444402",
                    "StatementId": "build",
                },
            },
        }
    }
    stack = Stack(aws, "permission", template)
    signer = stack.client("signer")
    name = stack.id_of("Profile").rpartition("/")[2]
    assert stack.detect() == "IN_SYNC"
    signer.remove_profile_permission(
        profileName=name,
        statementId="build",
        revisionId=signer.list_profile_permissions(profileName=name)["revisionId"],
    )
    assert stack.drifted() == {"Permission": "DELETED"}

    stack.change_set()

    assert stack.execute() == "UPDATE_COMPLETE"
    assert [known["statementId"] for known in signer.list_profile_permissions(profileName=name)["permissions"]] == [
        "build"
    ]


def test_a_detection_is_told_to_the_accounts_own_event_bus(stack):
    sqs, events = stack.client("sqs"), stack.client("events")
    queue = sqs.create_queue(QueueName="drift-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    stack_id = stack.cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["StackId"]
    pattern = {"source": ["aws.cloudformation"], "detail": {"stack-id": [stack_id]}}
    events.put_rule(Name="drift", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="drift", Targets=[{"Id": "queue", "Arn": arn}])

    weaken_config(stack)
    stack.detect()

    event = json.loads(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"][0]["Body"])
    assert event["detail-type"] == "CloudFormation Drift Detection Status Change"
    del event["detail"]["stack-drift-detection-id"]
    assert event["detail"] == {
        "stack-id": stack_id,
        "status-details": {"stack-drift-status": "DRIFTED", "detection-status": "DETECTION_COMPLETE"},
        "drift-detection-details": {"drifted-stack-resource-count": 1},
    }
