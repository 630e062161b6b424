"""StackSets: real stacks in the accounts of a declared organization, operations, their limits and their drift."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.aws.accounts import ListedAccount, accounts_of_units, all_accounts
from constructs_pkg.aws.clients import Clients
from constructs_pkg.cli.main import main
from constructs_pkg.testing.local_aws import LocalAws
from constructs_pkg.testing.local_aws.cloudformation import JOIN_ACTION

MANAGEMENT, SECURITY = "111111111111", "222222222222"
SANDBOX, DEVELOPMENT, PRODUCTION, REGULATED, BUILD = (f"44444444440{number}" for number in (1, 2, 3, 4, 5))
UNITS = {
    name: f"ou-a1b2-0000000{number}"
    for number, name in enumerate(["sandbox", "development", "production", "regulated"], 1)
}
ROOT = "r-a1b2"
ORGANIZATION = Path(__file__).parents[2] / "organization.toml"
TEMPLATE = json.dumps(
    {
        "Parameters": {"Mode": {"Type": "String", "Default": "Warn"}},
        "Resources": {
            "Parameter": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Name": {"Fn::Sub": "/${AWS::StackName}/mode"},
                    "Type": "String",
                    "Value": {"Ref": "Mode"},
                },
            }
        },
    }
)
# Fails where an account has the parameter already.
FRAGILE = json.dumps(
    {
        "Resources": {
            "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/fragile", "Type": "String", "Value": "x"}}
        }
    }
)


@pytest.fixture(scope="module")
def aws():
    with LocalAws(organization=ORGANIZATION) as server:
        yield server


@pytest.fixture(scope="module")
def growing_aws():
    """A server of its own: an account that joins is there for every test that comes after, in whatever order."""
    with LocalAws(organization=ORGANIZATION) as server:
        yield server


@pytest.fixture(scope="module")
def empty_set(aws):
    return StackSet(aws, "empty", region="ca-central-1")


class StackSet:
    """A StackSet under test, called as the delegated administrator unless another account is given."""

    def __init__(self, aws: LocalAws, name: str, *, region="eu-west-1", is_self_managed=False, **more):
        self.aws, self.name, self.region = aws, name, region
        self.client = aws.client("cloudformation", account=SECURITY, region=region)
        self.who = {} if is_self_managed else {"CallAs": "DELEGATED_ADMIN"}
        model = "SELF_MANAGED" if is_self_managed else "SERVICE_MANAGED"
        created = self.client.create_stack_set(
            StackSetName=name, PermissionModel=model, **{"TemplateBody": TEMPLATE, **more}, **self.who
        )
        self.id = created["StackSetId"]

    def __call__(self, operation: str, **members):
        return getattr(self.client, operation)(StackSetName=self.name, **members, **self.who)

    def ended(self, operation_id: str):
        while True:
            found = self("describe_stack_set_operation", OperationId=operation_id)["StackSetOperation"]
            if found["Status"] not in {"RUNNING", "QUEUED", "STOPPING"}:
                return found
            time.sleep(0.01)

    def run(self, operation: str, **members):
        return self.ended(self(operation, **members)["OperationId"])

    def deploy(self, *units: str, regions=("eu-west-1",), **members):
        targets = {"OrganizationalUnitIds": [UNITS.get(unit, unit) for unit in units], **members.pop("targets", {})}
        return self.run("create_stack_instances", DeploymentTargets=targets, Regions=list(regions), **members)

    def instances(self, **members):
        return self("list_stack_instances", **members)["Summaries"]

    def where(self, **members):
        return {(instance["Account"], instance["Region"]): instance["Status"] for instance in self.instances(**members)}

    def mode(self, account: str, region="eu-west-1") -> str:
        (instance,) = self.instances(StackInstanceAccount=account, StackInstanceRegion=region)
        name = instance["StackId"].split("/")[1]
        ssm = self.aws.client("ssm", account=account, region=region)
        return ssm.get_parameter(Name=f"/{name}/mode")["Parameter"]["Value"]


def code_of(function, *arguments, **members) -> str:
    with pytest.raises(ClientError) as refusal:
        function(*arguments, **members)
    return refusal.value.response["Error"]["Code"]


def authorization(account: str) -> dict[str, str]:
    credential = f"Credential={account}/20260101/eu-west-1/cloudformation/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}


def join(aws: LocalAws, account: str, unit: str) -> None:
    form = urllib.parse.urlencode({"Action": JOIN_ACTION, "Account": account, "OrganizationalUnit": unit}).encode()
    urllib.request.urlopen(
        urllib.request.Request(aws.endpoint_url, data=form, headers=authorization(MANAGEMENT))
    ).read()


def eventually(read, wanted):
    for _ in range(400):
        if read() == wanted:
            return
        time.sleep(0.01)
    assert read() == wanted


def test_a_unit_gets_real_stacks_in_every_region_and_they_go_again(aws):
    stack_set = StackSet(aws, "wave", Tags=[{"Key": "wave", "Value": "first"}])

    operation = stack_set.deploy("sandbox", "development", regions=["eu-west-1", "us-east-1"])

    assert (operation["Action"], operation["Status"]) == ("CREATE", "SUCCEEDED")
    assert stack_set.where() == {
        (account, region): "CURRENT" for account in (SANDBOX, DEVELOPMENT) for region in ("eu-west-1", "us-east-1")
    }
    instance = stack_set("describe_stack_instance", StackInstanceAccount=SANDBOX, StackInstanceRegion="us-east-1")[
        "StackInstance"
    ]
    assert instance["OrganizationalUnitId"] == UNITS["sandbox"]
    member = aws.client("cloudformation", account=SANDBOX, region="us-east-1")
    (stack,) = member.describe_stacks(StackName=instance["StackId"])["Stacks"]
    assert stack["StackName"].startswith("StackSet-wave-")
    assert (stack["StackStatus"], stack["Tags"]) == ("CREATE_COMPLETE", [{"Key": "wave", "Value": "first"}])
    assert code_of(stack_set, "delete_stack_set") == "StackSetNotEmptyException"

    deleted = stack_set.run(
        "delete_stack_instances",
        DeploymentTargets={"OrganizationalUnitIds": [UNITS["sandbox"], UNITS["development"]]},
        Regions=["eu-west-1", "us-east-1"],
        RetainStacks=False,
    )
    assert (deleted["Status"], deleted["RetainStacks"], stack_set.instances()) == ("SUCCEEDED", False, [])
    assert member.describe_stacks(StackName=instance["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    stack_set("delete_stack_set")
    assert code_of(stack_set, "describe_stack_set") == "StackSetNotFoundException"


def test_retained_stacks_stay_where_they_are(aws):
    stack_set = StackSet(aws, "retained")
    stack_set.deploy("sandbox")
    stack_id = stack_set.instances()[0]["StackId"]

    stack_set.run(
        "delete_stack_instances",
        DeploymentTargets={"OrganizationalUnitIds": [UNITS["sandbox"]]},
        Regions=["eu-west-1"],
        RetainStacks=True,
    )

    assert stack_set.instances() == []
    member = aws.client("cloudformation", account=SANDBOX)
    assert member.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("units", "targets", "expected"),
    [
        (["sandbox", "development"], {"AccountFilterType": "DIFFERENCE", "Accounts": [SANDBOX]}, {DEVELOPMENT}),
        (
            ["sandbox", "development"],
            {"AccountFilterType": "INTERSECTION", "Accounts": [SANDBOX, REGULATED]},
            {SANDBOX},
        ),
        (["sandbox"], {"AccountFilterType": "UNION", "Accounts": [BUILD]}, {SANDBOX, BUILD}),
        ([ROOT], {}, {SECURITY, SANDBOX, DEVELOPMENT, PRODUCTION, REGULATED, BUILD}),
    ],
)
def test_account_filters_pick_accounts_and_never_the_management_account(aws, units, targets, expected):
    stack_set = StackSet(aws, f"filter-{len(units)}-{targets.get('AccountFilterType', 'NONE')}", region="eu-central-1")

    stack_set.deploy(*units, targets=targets)

    assert {account for account, _ in stack_set.where()} >= expected
    assert MANAGEMENT not in {account for account, _ in stack_set.where()}
    if units != [ROOT]:
        assert {account for account, _ in stack_set.where()} == expected


def test_parameters_overrides_and_updates_reach_the_stacks(aws):
    stack_set = StackSet(aws, "parameters", Parameters=[{"ParameterKey": "Mode", "ParameterValue": "Warn"}])
    stack_set.deploy("sandbox", "development")
    target = {"OrganizationalUnitIds": [UNITS["sandbox"]]}

    def override(value):
        return stack_set.run(
            "update_stack_instances",
            DeploymentTargets=target,
            Regions=["eu-west-1"],
            ParameterOverrides=value,
        )["Status"]

    assert override([{"ParameterKey": "Mode", "ParameterValue": "Enforce"}]) == "SUCCEEDED"
    assert (stack_set.mode(SANDBOX), stack_set.mode(DEVELOPMENT)) == ("Enforce", "Warn")
    assert override([{"ParameterKey": "Mode", "UsePreviousValue": True}]) == "SUCCEEDED"
    stack_set.run(
        "update_stack_set", UsePreviousTemplate=True, Parameters=[{"ParameterKey": "Mode", "ParameterValue": "Other"}]
    )
    assert (stack_set.mode(SANDBOX), stack_set.mode(DEVELOPMENT)) == ("Enforce", "Other")
    override([])
    assert stack_set.mode(SANDBOX) == "Other"
    assert code_of(override, [{"ParameterKey": "Nope", "ParameterValue": "x"}]) == "ValidationError"


def test_an_update_of_some_instances_leaves_the_others_outdated(aws):
    stack_set = StackSet(aws, "partial")
    stack_set.deploy("sandbox", "development")

    stack_set.run(
        "update_stack_set",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Mode", "ParameterValue": "Enforce"}],
        DeploymentTargets={"OrganizationalUnitIds": [UNITS["sandbox"]]},
        Regions=["eu-west-1"],
    )

    assert stack_set.where() == {(SANDBOX, "eu-west-1"): "CURRENT", (DEVELOPMENT, "eu-west-1"): "OUTDATED"}


def occupy(aws, account, region="eu-west-1"):
    aws.client("ssm", account=account, region=region).put_parameter(
        Name="/fragile", Value="mine", Type="String", Overwrite=True
    )


def test_an_operation_stops_where_more_accounts_fail_than_it_tolerates(aws):
    occupy(aws, SANDBOX, "ap-south-1")
    stack_set = StackSet(aws, "intolerant", TemplateBody=FRAGILE)

    operation = stack_set.deploy(
        "sandbox",
        "development",
        regions=["us-west-2", "ap-south-1"],
        OperationPreferences={"RegionOrder": ["ap-south-1", "us-west-2"]},
    )

    assert (operation["Status"], operation["StatusDetails"]["FailedStackInstancesCount"]) == ("FAILED", 1)
    results = stack_set("list_stack_set_operation_results", OperationId=operation["OperationId"])["Summaries"]
    assert {(result["Account"], result["Region"]): result["Status"] for result in results} == {
        (SANDBOX, "ap-south-1"): "FAILED",
        (DEVELOPMENT, "ap-south-1"): "CANCELLED",
        (SANDBOX, "us-west-2"): "CANCELLED",
        (DEVELOPMENT, "us-west-2"): "CANCELLED",
    }
    (failed,) = [result for result in results if result["Status"] == "FAILED"]
    assert "ResourceLogicalId:P" in failed["StatusReason"]
    failures = stack_set(
        "list_stack_set_operation_results",
        OperationId=operation["OperationId"],
        Filters=[{"Name": "OPERATION_RESULT_STATUS", "Values": "FAILED"}],
    )
    assert failures["Summaries"] == [failed]
    assert set(stack_set.where().values()) == {"OUTDATED"}
    outdated = stack_set.instances(Filters=[{"Name": "DETAILED_STATUS", "Values": "FAILED"}])
    assert [(instance["Account"], instance["Region"]) for instance in outdated] == [(SANDBOX, "ap-south-1")]


def test_a_tolerated_failure_does_not_stop_it_and_a_retry_heals_it(aws):
    occupy(aws, SANDBOX, "eu-north-1")
    stack_set = StackSet(aws, "tolerant", TemplateBody=FRAGILE)
    preferences = {
        "FailureTolerancePercentage": 50,
        "MaxConcurrentPercentage": 100,
        "RegionConcurrencyType": "PARALLEL",
    }

    operation = stack_set.deploy(
        "sandbox", "development", regions=["eu-north-1", "eu-west-3"], OperationPreferences=preferences
    )

    assert operation["Status"] == "SUCCEEDED"
    assert stack_set.where()[SANDBOX, "eu-north-1"] == "OUTDATED"
    assert sorted(stack_set.where().values()) == ["CURRENT", "CURRENT", "CURRENT", "OUTDATED"]
    aws.client("ssm", account=SANDBOX, region="eu-north-1").delete_parameter(Name="/fragile")
    assert stack_set.deploy("sandbox", regions=["eu-north-1"])["Status"] == "SUCCEEDED"
    assert set(stack_set.where().values()) == {"CURRENT"}


def slow(name: str) -> str:
    wait = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        name: {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60", "Count": 1},
        },
    }
    return json.dumps({"Resources": wait})


def signal(aws, stack_set, account) -> None:
    def is_waiting():
        (instance,) = stack_set.instances(StackInstanceAccount=account)
        return instance["StackInstanceStatus"]["DetailedStatus"]

    eventually(is_waiting, "RUNNING")
    (instance,) = stack_set.instances(StackInstanceAccount=account)
    client = aws.client("cloudformation", account=account)
    for _ in range(400):
        try:
            client.signal_resource(
                StackName=instance["StackId"], LogicalResourceId="Wait", UniqueId="1", Status="SUCCESS"
            )
        except (ClientError, KeyError):
            time.sleep(0.01)
            (instance,) = stack_set.instances(StackInstanceAccount=account)
        else:
            return
    pytest.fail("the stack never waited")


def test_one_operation_at_a_time_and_it_can_be_stopped(aws):
    stack_set = StackSet(aws, "busy", TemplateBody=slow("Wait"))
    targets = {"OrganizationalUnitIds": [UNITS["sandbox"], UNITS["development"]]}
    started = stack_set("create_stack_instances", DeploymentTargets=targets, Regions=["eu-west-1"], OperationId="mine")

    assert started["OperationId"] == "mine"
    update = {"UsePreviousTemplate": True}
    assert code_of(stack_set, "update_stack_set", **update) == "OperationInProgressException"
    assert code_of(stack_set, "detect_stack_set_drift") == "OperationInProgressException"
    assert (
        code_of(stack_set, "update_stack_set", ManagedExecution={"Active": True}, **update)
        == "InvalidOperationException"
    )
    stack_set("stop_stack_set_operation", OperationId="mine")
    signal(aws, stack_set, SANDBOX)

    assert stack_set.ended("mine")["Status"] == "STOPPED"
    results = stack_set("list_stack_set_operation_results", OperationId="mine")["Summaries"]
    assert {result["Account"]: result["Status"] for result in results} == {
        SANDBOX: "SUCCEEDED",
        DEVELOPMENT: "CANCELLED",
    }
    assert code_of(stack_set, "stop_stack_set_operation", OperationId="mine") == "InvalidOperationException"
    assert code_of(stack_set, "detect_stack_set_drift", OperationId="mine") == "OperationIdAlreadyExistsException"
    assert code_of(stack_set, "describe_stack_set_operation", OperationId="other") == "OperationNotFoundException"


def test_managed_execution_queues_what_conflicts_and_runs_what_does_not(aws):
    stack_set = StackSet(aws, "managed", TemplateBody=slow("Wait"), ManagedExecution={"Active": True})

    def create(unit):
        targets = {"OrganizationalUnitIds": [UNITS[unit]]}
        return stack_set("create_stack_instances", DeploymentTargets=targets, Regions=["eu-west-1"])["OperationId"]

    def status(operation):
        return stack_set("describe_stack_set_operation", OperationId=operation)["StackSetOperation"]["Status"]

    first, same, other = create("sandbox"), create("sandbox"), create("development")

    assert [status(operation) for operation in (first, same, other)] == ["RUNNING", "QUEUED", "RUNNING"]
    listed = stack_set("list_stack_set_operations")["Summaries"]
    assert [operation["OperationId"] for operation in listed] == [other, same, first]
    signal(aws, stack_set, DEVELOPMENT)
    assert stack_set.ended(other)["Status"] == "SUCCEEDED"
    assert status(same) == "QUEUED"
    signal(aws, stack_set, SANDBOX)
    assert [stack_set.ended(operation)["Status"] for operation in (first, same)] == ["SUCCEEDED", "SUCCEEDED"]


def test_drift_of_instances_is_counted_listed_and_explained(aws):
    stack_set = StackSet(aws, "drifting")
    stack_set.deploy("sandbox", "development")
    assert {instance["DriftStatus"] for instance in stack_set.instances()} == {"NOT_CHECKED"}
    (instance,) = stack_set.instances(StackInstanceAccount=SANDBOX)
    name = f"/{instance['StackId'].split('/')[1]}/mode"
    aws.client("ssm", account=SANDBOX).put_parameter(Name=name, Value="Off", Overwrite=True)

    operation = stack_set.run("detect_stack_set_drift", OperationPreferences={"MaxConcurrentPercentage": 100})

    details = operation["StackSetDriftDetectionDetails"]
    assert details.pop("LastDriftCheckTimestamp") is not None
    assert details == {
        "DriftStatus": "DRIFTED",
        "DriftDetectionStatus": "COMPLETED",
        "TotalStackInstancesCount": 2,
        "DriftedStackInstancesCount": 1,
        "InSyncStackInstancesCount": 1,
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": 0,
    }
    assert stack_set("describe_stack_set")["StackSet"]["StackSetDriftDetectionDetails"]["DriftStatus"] == "DRIFTED"
    drifted = stack_set.instances(Filters=[{"Name": "DRIFT_STATUS", "Values": "DRIFTED"}])
    assert [(found["Account"], found["Status"]) for found in drifted] == [(SANDBOX, "CURRENT")]
    where = {"StackInstanceAccount": SANDBOX, "StackInstanceRegion": "eu-west-1"}
    (drift,) = stack_set("list_stack_instance_resource_drifts", OperationId=operation["OperationId"], **where)[
        "Summaries"
    ]
    assert drift["PropertyDifferences"] == [
        {"PropertyPath": "/Value", "ExpectedValue": "Warn", "ActualValue": "Off", "DifferenceType": "NOT_EQUAL"}
    ]
    assert (drift["StackResourceDriftStatus"], drift["PhysicalResourceId"]) == ("MODIFIED", name)
    in_sync = stack_set(
        "list_stack_instance_resource_drifts",
        OperationId=operation["OperationId"],
        StackInstanceResourceDriftStatuses=["IN_SYNC"],
        **where,
    )
    assert in_sync["Summaries"] == []

    # an update with the same template does not revert it, a drift-aware change set of the member stack does
    assert stack_set.run("update_stack_set", UsePreviousTemplate=True)["Status"] == "SUCCEEDED"
    assert stack_set.mode(SANDBOX) == "Off"
    member = aws.client("cloudformation", account=SANDBOX)
    change = {"StackName": instance["StackId"], "ChangeSetName": "revert"}
    member.create_change_set(**change, UsePreviousTemplate=True, DeploymentMode="REVERT_DRIFT")
    member.execute_change_set(**change)
    eventually(lambda: stack_set.mode(SANDBOX), "Warn")
    again = stack_set.run("detect_stack_set_drift")
    assert again["StackSetDriftDetectionDetails"]["DriftStatus"] == "IN_SYNC"


@pytest.mark.parametrize("account", [MANAGEMENT, SECURITY])
def test_the_management_account_and_the_delegated_administrator_see_the_organization(aws, monkeypatch, account):
    for name, value in aws.environment(account, "eu-west-1").items():
        monkeypatch.setenv(name, value)
    units = [UNITS["sandbox"], UNITS["development"]]
    found = accounts_of_units(Clients(), units, "eu-west-1")
    assert found == (ListedAccount(SANDBOX), ListedAccount(DEVELOPMENT))
    assert {SANDBOX, BUILD, MANAGEMENT, SECURITY} <= {one.account for one in all_accounts(Clients(), "eu-west-1")}


def test_a_member_account_does_not_see_the_organization(aws):
    member = aws.client("organizations", account=SANDBOX)
    assert code_of(member.list_accounts_for_parent, ParentId=UNITS["sandbox"]) == "AccessDeniedException"


def test_rollout_status_tells_instances_drift_and_the_last_operation_of_a_wave(aws, monkeypatch, capsys):
    for name, value in aws.environment(SECURITY, "eu-west-1").items():
        monkeypatch.setenv(name, value)

    def status():
        code = main(["rollout", "status", "--wave", "first", "--organization", str(ORGANIZATION), "--format", "json"])
        (found,) = json.loads(capsys.readouterr().out)["stack_sets"]
        return code, found

    assert status()[1]["problems"] == ["there is no StackSet acme-code-signing-first: deploy the rollout"]
    mode = [{"ParameterKey": "Mode", "ParameterValue": "Warn"}]
    stack_set = StackSet(aws, "acme-code-signing-first", Parameters=mode)
    stack_set.deploy("sandbox", "development", regions=("eu-west-1", "eu-central-1", "us-east-1"))
    code, deployed = status()
    assert (code, deployed["instances"], deployed["drift"]) == (3, {"CURRENT": 6}, {"NOT_CHECKED": 6})
    stack_set.run("detect_stack_set_drift")
    code, checked = status()
    assert (code, checked["drift"], checked["problems"], checked["unknown"]) == (0, {"IN_SYNC": 6}, [], [])
    assert (checked["last_operation"]["action"], checked["last_operation"]["status"]) == ("DETECT_DRIFT", "SUCCEEDED")
    (instance,) = stack_set.instances(StackInstanceAccount=SANDBOX, StackInstanceRegion="eu-west-1")
    name = f"/{instance['StackId'].split('/')[1]}/mode"
    aws.client("ssm", account=SANDBOX).put_parameter(Name=name, Value="Off", Overwrite=True)
    stack_set.run("detect_stack_set_drift")
    code, drifted = status()
    assert (code, drifted["problems"]) == (1, [f"1 instance has drifted: {SANDBOX}/eu-west-1"])


def test_a_change_through_the_member_stack_is_not_drift(aws):
    stack_set = StackSet(aws, "diverged")
    stack_set.deploy("development")
    (instance,) = stack_set.instances()
    member = aws.client("cloudformation", account=DEVELOPMENT)
    member.update_stack(
        StackName=instance["StackId"],
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Mode", "ParameterValue": "Off"}],
    )
    eventually(lambda: stack_set.mode(DEVELOPMENT), "Off")

    operation = stack_set.run("detect_stack_set_drift")

    assert operation["StackSetDriftDetectionDetails"]["DriftStatus"] == "IN_SYNC"


def test_a_joining_account_is_deployed_to_in_the_order_of_dependencies_and_a_leaving_one_is_cleaned(growing_aws):
    automatic = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    first = StackSet(growing_aws, "auto-first", AutoDeployment=automatic)
    arn = first("describe_stack_set")["StackSet"]["StackSetARN"]
    second = StackSet(growing_aws, "auto-second", AutoDeployment={**automatic, "DependsOn": [arn]})
    for stack_set in (second, first):
        stack_set.deploy("regulated", targets={"AccountFilterType": "DIFFERENCE", "Accounts": [REGULATED]})
        stack_set.deploy("regulated")
    joined = "555555555551"

    join(growing_aws, joined, "regulated")

    eventually(lambda: second.where().get((joined, "eu-west-1")), "CURRENT")
    assert first.where()[joined, "eu-west-1"] == "CURRENT"

    def created(stack_set):
        (instance,) = stack_set.instances(StackInstanceAccount=joined)
        operation = stack_set("describe_stack_set_operation", OperationId=instance["LastOperationId"])
        return operation["StackSetOperation"]

    assert created(first)["EndTimestamp"] <= created(second)["CreationTimestamp"]
    stack_id = first.instances(StackInstanceAccount=joined)[0]["StackId"]
    join(growing_aws, joined, "development")
    eventually(lambda: [(joined, "eu-west-1") in stack_set.where() for stack_set in (first, second)], [False, False])
    member = growing_aws.client("cloudformation", account=joined)
    assert member.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"


def test_a_set_without_automatic_deployment_ignores_a_joining_account(growing_aws):
    stack_set = StackSet(growing_aws, "manual")
    automatic = StackSet(
        growing_aws, "automatic", AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True}
    )
    for known in (stack_set, automatic):
        known.deploy("production")

    join(growing_aws, "555555555552", "production")

    eventually(lambda: automatic.where().get(("555555555552", "eu-west-1")), "CURRENT")
    assert ("555555555552", "eu-west-1") not in stack_set.where()


def test_a_self_managed_set_needs_its_roles(aws):
    stack_set = StackSet(aws, "self", is_self_managed=True)

    def create():
        return stack_set.run("create_stack_instances", Accounts=[BUILD], Regions=["eu-west-1"])

    operation = create()
    assert operation["Status"] == "FAILED"
    (result,) = stack_set("list_stack_set_operation_results", OperationId=operation["OperationId"])["Summaries"]
    assert result["StatusReason"].startswith(
        f"Account {SECURITY} should have 'AWSCloudFormationStackSetAdministrationRole'"
    )

    def role(account, name, principal):
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam", account=account).create_role(RoleName=name, AssumeRolePolicyDocument=trust)

    role(SECURITY, "AWSCloudFormationStackSetAdministrationRole", {"Service": "cloudformation.amazonaws.com"})
    assert create()["Status"] == "FAILED"
    role(BUILD, "AWSCloudFormationStackSetExecutionRole", {"AWS": f"arn:aws:iam::{SECURITY}:root"})
    assert create()["Status"] == "SUCCEEDED"
    assert stack_set.mode(BUILD) == "Warn"


def test_the_role_of_service_managed_sets_trusts_nobody_but_the_service(aws):
    StackSet(aws, "roles").deploy("sandbox")

    roles = aws.client("iam", account=SANDBOX).list_roles()["Roles"]
    (role,) = [role for role in roles if role["RoleName"].startswith("stacksets-exec-")]

    principal = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    assert principal.startswith(
        f"arn:aws:iam::{MANAGEMENT}:role/aws-service-role/stacksets.cloudformation.amazonaws.com/"
    )


NESTED = json.dumps({"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "x"}}}})
MACRO = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
NAMED_ROLE = json.dumps(
    {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}}}
)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"StackSetName": "1st"}, "ValidationError"),
        ({"StackSetName": "a" * 129}, "ValidationError"),
        ({"TemplateBody": json.dumps({"Description": "x" * 51_200})}, "ValidationError"),
        ({"TemplateBody": "{"}, "ValidationError"),
        ({"TemplateBody": NESTED}, "ValidationError"),
        ({"TemplateBody": MACRO, "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}, "ValidationError"),
        ({"TemplateBody": NAMED_ROLE}, "InsufficientCapabilitiesException"),
        ({"TemplateBody": NAMED_ROLE, "Capabilities": ["CAPABILITY_IAM"]}, "InsufficientCapabilitiesException"),
        ({"CallAs": "SELF"}, "ValidationError"),
        ({"PermissionModel": "SELF_MANAGED"}, "ValidationError"),
        ({"PermissionModel": "NOBODY_MANAGED"}, "ValidationError"),
        ({"StackId": "arn:aws:cloudformation:eu-west-1:222222222222:stack/x/y"}, "ValidationError"),
        ({"AutoDeployment": {"Enabled": True, "DependsOn": ["arn:aws:nothing"]}}, "ValidationError"),
        ({"AutoDeployment": {"Enabled": False, "DependsOn": ["arn:aws:nothing"]}}, "ValidationError"),
        ({"AutoDeployment": {"Enabled": True, "DependsOn": ["arn"] * 11}}, "LimitExceededException"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "ValidationError"),
    ],
)
def test_a_stack_set_that_cannot_be_is_refused(aws, members, code):
    client = aws.client("cloudformation", account=SECURITY)
    given = {
        "StackSetName": "refused",
        "TemplateBody": TEMPLATE,
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": "DELEGATED_ADMIN",
        **members,
    }

    assert code_of(client.create_stack_set, **given) == code
    names = {known["StackSetName"] for known in client.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"]}
    assert given["StackSetName"] not in names


def test_only_management_and_delegated_administrator_operate_service_managed_sets(aws):
    members = {"StackSetName": "whose", "TemplateBody": TEMPLATE, "PermissionModel": "SERVICE_MANAGED"}
    developer = aws.client("cloudformation", account=SANDBOX)
    management = aws.client("cloudformation", account=MANAGEMENT)

    assert code_of(developer.create_stack_set, **members) == "ValidationError"
    assert code_of(developer.create_stack_set, CallAs="DELEGATED_ADMIN", **members) == "ValidationError"
    management.create_stack_set(**members)

    delegated = aws.client("cloudformation", account=SECURITY)
    found = delegated.describe_stack_set(StackSetName="whose", CallAs="DELEGATED_ADMIN")["StackSet"]
    assert found["StackSetARN"].startswith(f"arn:aws:cloudformation:eu-west-1:{MANAGEMENT}:stackset/whose:")
    assert code_of(delegated.describe_stack_set, StackSetName="whose") == "StackSetNotFoundException"


def test_a_name_is_taken_and_a_request_token_makes_creation_idempotent(aws):
    members = {
        "StackSetName": "token",
        "TemplateBody": TEMPLATE,
        "PermissionModel": "SERVICE_MANAGED",
        "CallAs": "DELEGATED_ADMIN",
    }
    client = aws.client("cloudformation", account=SECURITY)
    first = client.create_stack_set(ClientRequestToken="one", **members)["StackSetId"]

    assert client.create_stack_set(ClientRequestToken="one", **members)["StackSetId"] == first
    assert code_of(client.create_stack_set, ClientRequestToken="two", **members) == "NameAlreadyExistsException"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Accounts": [SANDBOX]}, "ValidationError"),
        ({"DeploymentTargets": {}}, "ValidationError"),
        ({"DeploymentTargets": {"OrganizationalUnitIds": ["ou-a1b2-99999999"]}}, "ValidationError"),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": [UNITS["sandbox"]], "Accounts": [SANDBOX]}},
            "ValidationError",
        ),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": [UNITS["sandbox"]], "AccountFilterType": "UNION"}},
            "ValidationError",
        ),
        ({"DeploymentTargets": {"AccountsUrl": "s3://bucket/accounts"}}, "ValidationError"),
        ({"DeploymentTargets": {"OrganizationalUnitIds": [UNITS["sandbox"]] * 51}}, "LimitExceededException"),
        (
            {
                "DeploymentTargets": {
                    "OrganizationalUnitIds": [UNITS["sandbox"]],
                    "Accounts": [MANAGEMENT],
                    "AccountFilterType": "UNION",
                }
            },
            "ValidationError",
        ),
        ({"Regions": []}, "ValidationError"),
        ({"Regions": ["eu-west-1", "eu-west-1"]}, "ValidationError"),
        ({"OperationPreferences": {"FailureToleranceCount": 1, "FailureTolerancePercentage": 1}}, "ValidationError"),
        ({"OperationPreferences": {"MaxConcurrentCount": 1, "MaxConcurrentPercentage": 1}}, "ValidationError"),
        ({"OperationPreferences": {"RegionOrder": ["eu-west-1", "eu-west-1"]}}, "ValidationError"),
        ({"OperationPreferences": {"ConcurrencyMode": "WILD"}}, "ValidationError"),
        ({"OperationId": "not valid!"}, "ValidationError"),
        ({"ParameterOverrides": [{"ParameterKey": "Nope", "ParameterValue": "x"}]}, "ValidationError"),
        ({"StackSetName": "missing"}, "StackSetNotFoundException"),
    ],
)
def test_instances_that_cannot_be_are_refused(empty_set, members, code):
    client = empty_set.client
    given = {
        "StackSetName": empty_set.name,
        "DeploymentTargets": {"OrganizationalUnitIds": [UNITS["sandbox"]]},
        "Regions": ["eu-west-1"],
        "CallAs": "DELEGATED_ADMIN",
        **members,
    }
    if "Accounts" in members:
        del given["DeploymentTargets"]

    assert code_of(client.create_stack_instances, **given) == code
    assert client.list_stack_instances(StackSetName=empty_set.name, CallAs="DELEGATED_ADMIN")["Summaries"] == []


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"UsePreviousTemplate": True, "TemplateBody": TEMPLATE},
        {"UsePreviousTemplate": True, "PermissionModel": "SELF_MANAGED"},
        {"UsePreviousTemplate": True, "Regions": ["eu-west-1"]},
        {
            "UsePreviousTemplate": True,
            "AutoDeployment": {"Enabled": False},
            "Regions": ["eu-west-1"],
            "DeploymentTargets": {"OrganizationalUnitIds": [UNITS["sandbox"]]},
        },
        {"UsePreviousTemplate": True, "Parameters": [{"ParameterKey": "Mode"}]},
    ],
)
def test_an_update_that_contradicts_itself_is_refused(empty_set, members):
    assert code_of(empty_set, "update_stack_set", **members) == "ValidationError"


def test_a_circle_of_dependencies_is_refused(aws):
    automatic = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    first = StackSet(aws, "circle-first", AutoDeployment=automatic)
    first_arn = first("describe_stack_set")["StackSet"]["StackSetARN"]
    second = StackSet(aws, "circle-second", AutoDeployment={**automatic, "DependsOn": [first_arn]})
    second_arn = second("describe_stack_set")["StackSet"]["StackSetARN"]

    circle = {"UsePreviousTemplate": True, "AutoDeployment": {**automatic, "DependsOn": [second_arn]}}

    assert code_of(first, "update_stack_set", **circle) == "ValidationError"


def test_lists_come_in_pages_and_a_strange_token_is_refused(aws):
    stack_set = StackSet(aws, "pages")
    regions = ["eu-west-1", "eu-west-2", "us-east-1"]
    stack_set.deploy("sandbox", regions=regions, OperationPreferences={"RegionConcurrencyType": "PARALLEL"})

    pages = stack_set.client.get_paginator("list_stack_instances").paginate(
        StackSetName="pages", PaginationConfig={"PageSize": 2}, **stack_set.who
    )
    found = [[instance["Region"] for instance in page["Summaries"]] for page in pages]

    assert found == [["eu-west-1", "eu-west-2"], ["us-east-1"]]
    assert code_of(stack_set, "list_stack_instances", NextToken="strange") == "ValidationError"
    assert code_of(
        stack_set, "describe_stack_instance", StackInstanceAccount=SANDBOX, StackInstanceRegion="sa-east-1"
    ) == ("StackInstanceNotFoundException")


def test_the_management_accounts_event_bus_hears_of_operations(aws):
    sqs, events = (aws.client(service, account=MANAGEMENT) for service in ("sqs", "events"))
    queue = sqs.create_queue(QueueName="stack-set-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    prefix = f"arn:aws:cloudformation:eu-west-1:{MANAGEMENT}:stackset/told:"
    events.put_rule(Name="told", EventPattern=json.dumps({"detail": {"stack-set-arn": [{"prefix": prefix}]}}))
    events.put_targets(Rule="told", Targets=[{"Id": "queue", "Arn": arn}])
    stack_set = StackSet(aws, "told")
    operation = stack_set.deploy("sandbox")
    detection = stack_set.run("detect_stack_set_drift")

    heard = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            heard.append(json.loads(message["Body"]))

    operations = [
        (event["detail"]["stack-set-operation-id"], event["detail"]["status-details"]["status"])
        for event in heard
        if event["detail-type"] == "CloudFormation StackSet Operation Status Change"
    ]
    assert sorted(operations) == sorted(
        [(found["OperationId"], status) for found in (operation, detection) for status in ("RUNNING", "SUCCEEDED")]
    )
    assert all(
        event["source"] == "aws.cloudformation" and "action" not in event["detail"]
        for event in heard
        if "stack-set-operation-id" in event["detail"]
    )
    instances = [event["detail"] for event in heard if event["detail-type"].endswith("StackInstance Status Change")]
    assert [(detail["action"], detail["status-details"]["detailed-status"]) for detail in instances] == [
        ("CREATE", "RUNNING"),
        ("CREATE", "SUCCEEDED"),
        ("DETECT_DRIFT", "SUCCEEDED"),
    ]
    assert [
        event["detail"]["status-details"]
        for event in heard
        if event["detail-type"] == "CloudFormation StackSet Status Change"
    ] == [{"status": "ACTIVE"}]


@pytest.mark.parametrize("operation", ["import_stacks_to_stack_set", "activate_organizations_access"])
def test_what_is_not_implemented_says_so(aws, operation):
    members = {"StackSetName": "x"} if operation.startswith("import") else {}

    assert code_of(getattr(aws.client("cloudformation", account=SECURITY), operation), **members) == (
        "InvalidOperationException"
    )


def test_members_that_the_model_does_not_know_and_contradictory_ones_are_refused(aws):
    form = urllib.parse.urlencode(
        {"Action": "CreateStackSet", "StackSetName": "x", "StackSetName.member.1": "y", "Nonsense": "z", "Tags": "w"}
    )
    request = urllib.request.Request(aws.endpoint_url, data=form.encode(), headers=authorization(SECURITY))

    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)

    text = refusal.value.read().decode()
    assert refusal.value.code == 400
    for part in ("<Code>ValidationError</Code>", "contradicts another member", "Nonsense", "'Tags'"):
        assert part in text


def test_stack_sets_survive_a_restart_and_an_interrupted_operation_is_over(tmp_path):
    kept = {"organization": ORGANIZATION, "state_directory": tmp_path / "state"}
    with LocalAws(**kept) as aws:
        before = StackSet(aws, "kept")
        before.deploy("sandbox")
        waiting = StackSet(aws, "waiting", TemplateBody=slow("Wait"))
        targets = {"OrganizationalUnitIds": [UNITS["development"]]}
        waiting("create_stack_instances", DeploymentTargets=targets, Regions=["eu-west-1"], OperationId="cut")
        eventually(lambda: stacks_of(aws, DEVELOPMENT), [("StackSet-waiting-", "CREATE_IN_PROGRESS")])
        begin = time.monotonic()
    assert time.monotonic() - begin < 15  # less than the minute for which the condition waits

    with LocalAws(**kept) as aws:
        after = object.__new__(StackSet)
        after.__dict__ |= {**before.__dict__, "aws": aws, "client": aws.client("cloudformation", account=SECURITY)}
        assert after("describe_stack_set")["StackSet"]["StackSetId"] == before.id
        assert after.where() == {(SANDBOX, "eu-west-1"): "CURRENT"}
        assert after.mode(SANDBOX) == "Warn"
        update = {"UsePreviousTemplate": True, "Parameters": [{"ParameterKey": "Mode", "ParameterValue": "Enforce"}]}
        assert after.run("update_stack_set", **update)["Status"] == "SUCCEEDED"
        assert after.mode(SANDBOX) == "Enforce"
        cut = after.client.describe_stack_set_operation(StackSetName="waiting", OperationId="cut", **after.who)
        assert cut["StackSetOperation"]["Status"] == "STOPPED"
        assert stacks_of(aws, DEVELOPMENT) == [("StackSet-waiting-", "CREATE_FAILED")]


def stacks_of(aws, account) -> list[tuple[str, str]]:
    stacks = aws.client("cloudformation", account=account, region="eu-west-1").describe_stacks()["Stacks"]
    return [(stack["StackName"][:17], stack["StackStatus"]) for stack in stacks]


def test_characters_that_xml_cannot_carry_do_not_break_an_answer(aws):
    strange = json.dumps({"Description": "a\u0001<&>b", "Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    stack_set = StackSet(aws, "strange", Description="a\u0001<&>b", TemplateBody=strange)

    found = stack_set("describe_stack_set")["StackSet"]

    assert (found["Description"], json.loads(found["TemplateBody"])["Description"]) == ("a\ufffd<&>b", "a\u0001<&>b")


def test_moving_an_account_in_aws_organizations_deploys_to_it(aws):
    stack_set = StackSet(aws, "moved", AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True})
    stack_set.deploy("sandbox", regions=["eu-west-1"])
    organizations = aws.client("organizations", account=MANAGEMENT)

    organizations.move_account(AccountId=BUILD, SourceParentId=ROOT, DestinationParentId=UNITS["sandbox"])
    eventually(lambda: stack_set.where().get((BUILD, "eu-west-1")), "CURRENT")
    stack_id = stack_set.instances(StackInstanceAccount=BUILD)[0]["StackId"]
    organizations.move_account(AccountId=BUILD, SourceParentId=UNITS["sandbox"], DestinationParentId=ROOT)

    eventually(lambda: (BUILD, "eu-west-1") in stack_set.where(), False)
    member = aws.client("cloudformation", account=BUILD)
    assert member.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_under_strict_authorization_a_remediator_needs_each_permission_and_nobody_is_the_services_role():
    with LocalAws(organization=ORGANIZATION, is_strict=True) as aws:
        stack_set = StackSet(aws, "strict")
        stack_set.deploy("sandbox")
        (instance,) = stack_set.instances()
        iam = aws.client("iam", account=SANDBOX)
        statement = {"Effect": "Allow", "Principal": {"AWS": SECURITY}, "Action": "sts:AssumeRole"}
        role = iam.create_role(
            RoleName="remediator",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )["Role"]
        sts = aws.client("sts", account=SECURITY)
        session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
        member = aws.client("cloudformation", credentials=session)
        (parameter,) = aws.client("ssm", account=SANDBOX).describe_parameters()["Parameters"]
        aws.client("ssm", account=SANDBOX).put_parameter(Name=parameter["Name"], Value="Off", Overwrite=True)
        change = {"StackName": instance["StackId"], "ChangeSetName": "revert"}
        steps = {
            "CreateChangeSet": lambda: member.create_change_set(
                **change, UsePreviousTemplate=True, DeploymentMode="REVERT_DRIFT"
            ),
            "DescribeChangeSet": lambda: member.describe_change_set(**change),
            "ExecuteChangeSet": lambda: member.execute_change_set(**change),
        }
        granted = []
        for name, step in steps.items():
            assert code_of(step) == "AccessDenied"
            granted.append(f"cloudformation:{name}")
            statement = {
                "Effect": "Allow",
                "Action": granted,
                "Resource": "arn:aws:cloudformation:*:*:stack/StackSet-*/*",
            }
            iam.put_role_policy(
                RoleName="remediator",
                PolicyName="change-sets",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            )
            step()
        eventually(lambda: stack_set.mode(SANDBOX), "Warn")
        assert code_of(member.detect_stack_set_drift, StackSetName="strict") == "AccessDenied"
        (service_role,) = [
            known for known in iam.list_roles()["Roles"] if known["RoleName"].startswith("stacksets-exec-")
        ]
        assert code_of(sts.assume_role, RoleArn=service_role["Arn"], RoleSessionName="session") == "AccessDenied"
