"""The rollout: what the StackSets say, what is in their templates, and what is refused."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.cdk.code_signing_event_bus import CodeSigningEventBus
from constructs_pkg.cdk.code_signing_rollout import CodeSigningRollout, RolloutApplication, RolloutWave
from constructs_pkg.cdk.member_baseline import MOST_RESOURCES_ACCOUNT_WIDE, MemberApplication, MemberBaseline
from constructs_pkg.cdk.rollout_stack import CodeSigningRolloutStack
from constructs_pkg.cdk.rollout_target import OperationPreferences, RolloutTarget
from constructs_pkg.cdk.stack_set_template import StackSetTemplate
from constructs_pkg.cdk.stacks import SigningAuthorityStack
from constructs_pkg.errors import ConstructError
from constructs_pkg.organization import read_organization
from constructs_pkg.organization_guardrails import guardrail_intent, member_account
from constructs_pkg.signing.policy_file import parse_policy
from constructs_pkg.templates import Assembly, check_assembly, read_assembly
from tests.cdk.conftest import FLAGS, new_app
from tests.cdk.resolving import resolved

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, tzinfo=UTC)
EXAMPLE = (ROOT / "organization.toml").read_text("utf-8")
SECURITY = cdk.Environment(account="222222222222", region="eu-west-1")
ORGANIZATION = read_organization(EXAMPLE, "test.toml", at=AT)
MEMBER = member_account(ORGANIZATION, account=cdk.Aws.ACCOUNT_ID)
INTENT = guardrail_intent(ORGANIZATION, "payments", account=cdk.Aws.ACCOUNT_ID, region="eu-west-1", approved_configs=())
ARN = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/a1B2c3D4e5"
UNIT, OTHER_UNIT = "ou-a1b2-00000001", "ou-a1b2-00000002"


def synthesized(text: str = EXAMPLE) -> tuple[dict, CodeSigningRolloutStack]:
    app = new_app(FLAGS)
    stack = CodeSigningRolloutStack(app, "Rollout", organization=read_organization(text, "test.toml", at=AT))
    assembly = Path(app.synth().directory)
    return json.loads((assembly / stack.template_file).read_text("utf-8")), stack


@pytest.fixture(scope="module")
def rollout() -> tuple[dict, CodeSigningRolloutStack]:
    return synthesized()


def stack_sets(template: dict) -> dict[str, dict]:
    found = [one for one in template["Resources"].values() if one["Type"] == "AWS::CloudFormation::StackSet"]
    return {one["Properties"]["StackSetName"]: one for one in found}


def small(scope: cdk.App, waves: list[RolloutWave], **more) -> CodeSigningRollout:
    stack = cdk.Stack(scope, "Stack", env=SECURITY)
    application = RolloutApplication(member=MemberApplication(name="payments", intent=None), publishers=[ARN])
    arguments = {"management_account": "111111111111", "iam_region": "eu-west-1", "applications": [application], **more}
    return CodeSigningRollout(stack, "Rollout", member=MEMBER, waves=waves, **arguments)


def wave(name: str = "first", **more) -> RolloutWave:
    arguments = {"target": RolloutTarget.organizational_units([UNIT], regions=["eu-west-1"]), "mode": "Warn", **more}
    return RolloutWave(name=name, **arguments)


def test_each_wave_is_a_service_managed_stack_set_of_the_delegated_administrator(rollout) -> None:
    sets = stack_sets(rollout[0])
    shown = (
        "PermissionModel",
        "CallAs",
        "ManagedExecution",
        "Capabilities",
        "OperationPreferences",
        "StackInstancesGroup",
    )
    assert {name: {key: one["Properties"][key] for key in shown} for name, one in sets.items()} == {
        "acme-code-signing-first": {
            "PermissionModel": "SERVICE_MANAGED",
            "CallAs": "DELEGATED_ADMIN",
            "ManagedExecution": {"Active": True},
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "OperationPreferences": {
                "MaxConcurrentPercentage": 50,
                "FailureTolerancePercentage": 10,
                "RegionConcurrencyType": "SEQUENTIAL",
                "RegionOrder": ["eu-west-1", "eu-central-1", "us-east-1"],
                "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE",
            },
            "StackInstancesGroup": [
                {
                    "Regions": ["eu-west-1", "eu-central-1", "us-east-1"],
                    "DeploymentTargets": {"OrganizationalUnitIds": ["ou-a1b2-00000001", "ou-a1b2-00000002"]},
                }
            ],
        },
        "acme-code-signing-second": {
            "PermissionModel": "SERVICE_MANAGED",
            "CallAs": "DELEGATED_ADMIN",
            "ManagedExecution": {"Active": True},
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "OperationPreferences": {
                "MaxConcurrentPercentage": 10,
                "FailureTolerancePercentage": 0,
                "RegionConcurrencyType": "SEQUENTIAL",
                "RegionOrder": ["eu-central-1", "eu-west-1", "us-east-1"],
                "ConcurrencyMode": "STRICT_FAILURE_TOLERANCE",
            },
            "StackInstancesGroup": [
                {
                    "Regions": ["eu-central-1", "eu-west-1", "us-east-1"],
                    "DeploymentTargets": {"OrganizationalUnitIds": ["ou-a1b2-00000003", "ou-a1b2-00000004"]},
                }
            ],
        },
    }


def test_a_wave_waits_for_the_one_before_in_deployments_and_in_automatic_ones(rollout) -> None:
    template = rollout[0]
    ids = {
        one["Properties"]["StackSetName"]: key
        for key, one in template["Resources"].items()
        if "StackSetName" in one.get("Properties", {})
    }
    first, second = ids["acme-code-signing-first"], ids["acme-code-signing-second"]
    resources = template["Resources"]
    arn = ["", ["arn:aws:cloudformation:eu-west-1:111111111111:stackset/", {"Ref": first}]]
    assert resources[second]["Properties"]["AutoDeployment"] == {
        "Enabled": True,
        "RetainStacksOnAccountRemoval": True,
        "DependsOn": [{"Fn::Join": arn}],
    }
    assert resources[first]["Properties"]["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": True}


def test_deleting_the_stack_leaves_code_signing_where_it_is(rollout) -> None:
    assert {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in stack_sets(rollout[0]).values()} == {
        ("Retain", "Retain")
    }


def test_publishers_reach_the_members_as_parameters(rollout) -> None:
    template = rollout[0]
    defaults = {key: one.get("Default") for key, one in template["Parameters"].items()}
    parameters = {
        one["ParameterKey"]: one["ParameterValue"]
        for one in stack_sets(template)["acme-code-signing-second"]["Properties"]["Parameters"]
    }
    assert (parameters["Mode"], parameters["IamRegion"]) == ("Enforce", "eu-west-1")
    joined = parameters["PaymentsPublishers"]["Fn::Join"]
    own = "/lambda-code-signing/signing-profiles/acme_payments_g{}/version-arn"
    vendor = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
    shown = [defaults[part["Ref"]] if isinstance(part, dict) else part for part in joined[1]]
    assert joined[0].join(shown) == f"{own.format(1)},{own.format(2)},{vendor}"


def test_all_waves_have_one_template_without_what_a_stack_set_refuses(rollout) -> None:
    bodies = {one["Properties"]["TemplateBody"] for one in stack_sets(rollout[0]).values()}
    assert len(bodies) == 1
    (body,) = bodies
    template = json.loads(body)
    assert len(body.encode()) <= 51_200
    assert set(template) == {"Conditions", "Mappings", "Parameters", "Resources"}
    assert {one["Type"] for one in template["Resources"].values()} == {
        "AWS::CloudWatch::Alarm",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::CodeSigningConfig",
        "AWS::SSM::Parameter",
    }


def member_resources(rollout, region: str = "eu-west-1") -> dict:
    (body,) = {one["Properties"]["TemplateBody"] for one in stack_sets(rollout[0]).values()}
    template = json.loads(body)
    lists = {key: [f"{key}-1", f"{key}-2"] for key, one in template["Parameters"].items() if one["Type"] != "String"}
    configs = [key for key, one in template["Resources"].items() if one["Type"] == "AWS::Lambda::CodeSigningConfig"]
    attributes = {f"{key}.CodeSigningConfigArn": f"arn-of-{key}" for key in configs}
    return resolved(
        template,
        account="444444444401",
        region=region,
        parameters={"Mode": "Warn", "IamRegion": "eu-west-1", **lists},
        attributes={**attributes, "WatchForwarderRole.Arn": "arn-of-forwarder"},
    )


def test_a_member_account_gets_a_config_with_its_policy_and_three_parameters_for_each_application(rollout) -> None:
    resources = member_resources(rollout)
    assert resources["PaymentsConfig"] == {
        "Type": "AWS::Lambda::CodeSigningConfig",
        "Properties": {
            "AllowedPublishers": {"SigningProfileVersionArns": ["PaymentsPublishers-1", "PaymentsPublishers-2"]},
            "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
            "Description": "acme: code of payments",
        },
    }
    parameters = {
        one["Properties"]["Name"]: (one["Properties"]["Type"], one["Properties"]["Value"])
        for one in resources.values()
        if one["Type"] == "AWS::SSM::Parameter"
    }
    assert len(parameters) == 3 * len(ORGANIZATION.applications)
    path = "/lambda-code-signing/code-signing-configs/customer-notices"
    assert {key: value for key, value in parameters.items() if "customer" in key} == {
        f"{path}/arn": ("String", "arn-of-CustomerNoticesConfig"),
        f"{path}/mode": ("String", "Warn"),
        f"{path}/publishers": ("StringList", "CustomerNoticesPublishers-1,CustomerNoticesPublishers-2"),
    }


def test_rules_send_to_the_central_bus_with_the_role_of_their_region(rollout) -> None:
    resources = member_resources(rollout, "us-east-1")
    rules = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Events::Rule"]
    assert {one["Name"] for one in rules} == {
        f"acme-code-signing-{what}" for what in ("alarms", "changes", "deployments", "guards")
    }
    assert {json.dumps(one["Targets"]) for one in rules} == {
        json.dumps([{"Arn": MEMBER.event_bus_arn, "Id": "central", "RoleArn": "arn-of-forwarder"}])
    }
    assert resources["WatchForwarderRole"]["Properties"]["RoleName"] == "acme-code-signing-forwarder-us-east-1"
    names = {one["Properties"].get("RoleName") for one in resources.values() if one["Type"] == "AWS::IAM::Role"}
    assert names == {"acme-code-signing-forwarder-us-east-1"}


def test_the_alarm_sums_over_all_functions_of_the_region(rollout) -> None:
    alarm = member_resources(rollout)["WatchAlarm"]["Properties"]
    assert alarm["Metrics"] == [
        {
            "Id": "errors",
            "Expression": 'SELECT SUM(SignatureValidationErrors) FROM "AWS/Lambda"',
            "Period": 300,
            "ReturnData": True,
        }
    ]
    assert (alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]) == (
        0,
        "GreaterThanThreshold",
        "notBreaching",
    )


def test_only_the_forwarders_of_the_organization_reach_the_central_bus(rollout) -> None:
    (policy,) = [one for one in rollout[0]["Resources"].values() if one["Type"] == "AWS::Events::EventBus"]
    (statement,) = policy["Properties"]["Policy"]["Statement"]
    assert statement == {
        "Sid": "OrganizationForwarders",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": "arn:aws:events:eu-west-1:222222222222:event-bus/acme-code-signing",
        "Condition": {
            "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
            "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/acme-code-signing-forwarder-*"},
        },
    }


def test_what_happens_to_the_profiles_is_heard_where_they_are(rollout) -> None:
    resources = rollout[0]["Resources"]
    rules = {key: one for key, one in resources.items() if one["Type"] == "AWS::Events::Rule"}
    (bus,) = [key for key, one in resources.items() if one["Type"] == "AWS::Events::EventBus"]
    assert {one["Properties"]["Name"] for one in rules.values()} == {
        f"acme-code-signing-{what}" for what in ("alarms", "changes", "deployments", "guards")
    }
    assert all(bus in one["DependsOn"] for one in rules.values())


def test_the_bus_is_refused_where_members_would_not_find_it() -> None:
    stack = cdk.Stack(new_app(), "Stack", env=cdk.Environment(account="222222222222", region="us-east-1"))
    with pytest.raises(ConstructError, match="would be in the Region us-east-1"):
        CodeSigningEventBus(stack, "Bus", member=MEMBER)


def test_parts_and_s3_and_self_managed_permissions() -> None:
    text = EXAMPLE.replace('name = "checkout"\nowners', 'name = "checkout"\npart = 2\nowners')
    text = text.replace("[[waves]]", '[rollout]\npermission_model = "self-managed"\ntemplate = "s3"\n\n[[waves]]', 1)
    template, stack = synthesized(text)
    sets = stack_sets(template)
    assert sorted(sets) == [
        "acme-code-signing-first",
        "acme-code-signing-first-part-2",
        "acme-code-signing-second",
        "acme-code-signing-second-part-2",
    ]
    properties = sets["acme-code-signing-second-part-2"]["Properties"]
    assert {"TemplateBody", "AutoDeployment", "CallAs"} & set(properties) == set()
    assert properties["PermissionModel"] == "SELF_MANAGED"
    waits_for = [one for one in sets["acme-code-signing-second-part-2"]["DependsOn"] if "StackSet" in one]
    assert waits_for == [
        key for key, one in template["Resources"].items() if one is sets["acme-code-signing-first-part-2"]
    ]
    assert properties["StackInstancesGroup"][0]["DeploymentTargets"] == {"Accounts": ["444444444403", "444444444404"]}
    assert properties["AdministrationRoleARN"].endswith("role/AWSCloudFormationStackSetAdministrationRole")
    written = next(one for one in stack.rollout.stack_sets if one.name == "acme-code-signing-second-part-2").template
    assert {key for key in json.loads(written.text)["Resources"] if "Role" in key or "Shared" in key} == set()
    assert MEMBER.prefix in written.text
    assert "cdk-hnb659fds-assets-222222222222-eu-west-1" in json.dumps(properties["TemplateURL"])
    first = next(one for one in stack.rollout.stack_sets if one.name == "acme-code-signing-second").template
    assert "ProposeLentTemplate" in first.text


REFUSED = {
    "no waves": ([], {}, "there are no waves"),
    "a wave twice": ([wave(), wave()], {}, "two waves are called 'first'"),
    "a unit in two waves": ([wave(), wave("second")], {}, "ou-a1b2-00000001 is in the waves first and second"),
    "an account in two waves": (
        [
            wave(target=RolloutTarget.accounts(["444444444401"], regions=["eu-west-1"])),
            wave("second", target=RolloutTarget.accounts(["444444444401"], regions=["eu-west-1"])),
        ],
        {},
        "444444444401 is in the waves first and second",
    ),
    "two permission models": (
        [wave(), wave("second", target=RolloutTarget.accounts(["444444444401"], regions=["eu-west-1"]))],
        {},
        "self-managed and service-managed targets",
    ),
    "no Region for IAM": ([wave()], {"iam_region": "us-east-1"}, "iam_region='us-east-1' is not among the Regions"),
    "too many units": (
        [
            wave(
                target=RolloutTarget.organizational_units([f"ou-a1b2-{n:08}" for n in range(51)], regions=["eu-west-1"])
            )
        ],
        {},
        "names 51 organizational units; an operation names 50. Name their parent, or divide them between 2 waves",
    ),
    "too many waves": (
        [
            wave(f"w{n}", target=RolloutTarget.organizational_units([f"ou-a1b2-{n:08}"], regions=["eu-west-1"]))
            for n in range(102)
        ],
        {},
        "101 dependencies between StackSets; an account has 100",
    ),
    "no applications": ([wave()], {"applications": []}, "there are no applications"),
}


@pytest.mark.parametrize(("waves", "more", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_rollout_is_refused(waves, more, message) -> None:
    with pytest.raises(ConstructError) as refusal:
        small(new_app(), waves, **more)
    assert message in str(refusal.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConstructError) as refusal:
        small(new_app(), [wave(), wave()], iam_region="us-east-1", applications=[])
    assert str(refusal.value).count("\n") == 4


TARGETS = {
    "no units": (lambda: RolloutTarget.organizational_units([], regions=["eu-west-1"]), "give a list of at least one"),
    "one text": (lambda: RolloutTarget.organizational_units(UNIT, regions=["eu-west-1"]), "give a list"),
    "no Regions": (lambda: RolloutTarget.organizational_units([UNIT], regions=[]), "regions=[]"),
    "a unit twice": (
        lambda: RolloutTarget.organizational_units([UNIT, UNIT], regions=["eu-west-1"]),
        "is listed twice",
    ),
    "a Region twice": (
        lambda: RolloutTarget.accounts(["444444444401"], regions=["eu-west-1", "eu-west-1"]),
        "listed twice",
    ),
    "no id": (
        lambda: RolloutTarget.organizational_units(["sandbox"], regions=["eu-west-1"]),
        "'sandbox' cannot be used",
    ),
    "both filters": (
        lambda: RolloutTarget.organizational_units(
            [UNIT], regions=["eu-west-1"], exclude_accounts=["444444444401"], only_accounts=["444444444402"]
        ),
        "contradict each other",
    ),
    "a Region without Signer": (
        lambda: RolloutTarget.organization_root("r-a1b2", regions=["eu-central-2"]),
        "AWS Signer does not serve 'eu-central-2'",
    ),
    "concurrency": (lambda: OperationPreferences(max_concurrent_percentage=0), "not between 1 and 100"),
}


@pytest.mark.parametrize(("make", "message"), TARGETS.values(), ids=TARGETS.keys())
def test_an_impossible_target_is_refused(make, message: str) -> None:
    with pytest.raises(ConstructError) as refusal:
        make()
    assert message in str(refusal.value)


def test_filters_and_the_root_become_deployment_targets() -> None:
    regions = ["eu-west-1"]
    targets = [
        RolloutTarget.organizational_units([UNIT], regions=regions, exclude_accounts=["444444444401"]),
        RolloutTarget.organizational_units([UNIT], regions=regions, only_accounts=["444444444401"]),
        RolloutTarget.organization_root("r-a1b2", regions=regions),
    ]
    assert [
        (
            one.organizational_unit_ids,
            one.accounts,
            one.account_filter_type,
        )
        for one in (target.deployment_targets() for target in targets)
    ] == [
        ([UNIT], ["444444444401"], "DIFFERENCE"),
        ([UNIT], ["444444444401"], "INTERSECTION"),
        (["r-a1b2"], None, None),
    ]


def test_an_asset_in_a_stack_set_template_is_refused(tmp_path) -> None:
    (tmp_path / "index.py").write_text("")
    app = new_app()
    stack = cdk.Stack(app, "Stack", env=SECURITY)
    template = StackSetTemplate(stack, "Template", name="wave")
    with pytest.raises(RuntimeError, match="nobody carries an asset into the member accounts"):
        lambda_.LayerVersion(template, "Layer", code=lambda_.Code.from_asset(str(tmp_path)))


def filled(count: int, kind: str = "inline") -> tuple[cdk.App, StackSetTemplate]:
    app = new_app()
    stack = cdk.Stack(app, "Stack", env=SECURITY)
    template = StackSetTemplate(stack, "Template", name="wave", road=kind)
    for number in range(count):
        cdk.CfnResource(
            template, f"R{number}", type="AWS::SSM::Parameter", properties={"Type": "String", "Value": "x" * 150}
        )
    return app, template


def test_a_template_that_is_too_large_is_refused_with_its_size_and_the_way_to_split() -> None:
    app, template = filled(300)
    with pytest.raises(RuntimeError, match="the StackSet template wave has"):
        app.synth()
    assert str(template.problem) == (
        "the StackSet template wave has 68,905 bytes; a template in a request has at most 51,200. Write template = "
        '"s3" in [rollout] to have up to 1,000,000 bytes in S3, or split it. Give new applications another part '
        "(part = 2 in their [[applications]] table): each part is a StackSet of its own"
    )


def test_two_hundred_applications_are_refused_with_the_number_of_parts_that_they_need() -> None:
    applications = [
        RolloutApplication(member=MemberApplication(name=f"a{number}", intent=INTENT), publishers=[ARN])
        for number in range(200)
    ]
    with pytest.raises(ConstructError) as refusal:
        small(new_app(), [wave()], applications=applications)
    assert "the 200 applications of part 1 have 1,416 resources; CloudFormation takes 500 in a template" in str(
        refusal.value
    )
    assert "Divide them between 3 parts of at most 69 applications" in str(refusal.value)


def test_resources_are_counted_as_they_are(rollout) -> None:
    (body,) = {one["Properties"]["TemplateBody"] for one in stack_sets(rollout[0]).values()}
    resources = json.loads(body)["Resources"]
    own = [key for key in resources if key.startswith("Payments")]
    of_all = [key for key in resources if key.startswith(("Payments", "Checkout", "CustomerNotices"))]
    assert len(own) == MemberApplication(name="payments", intent=INTENT).resource_count
    assert len(resources) - len(of_all) <= MOST_RESOURCES_ACCOUNT_WIDE


def test_more_regions_than_a_role_has_policies_are_refused() -> None:
    regions = [
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
    ]
    text = EXAMPLE.replace(
        'target_regions = ["eu-west-1", "eu-central-1", "us-east-1"]', f"target_regions = {json.dumps(regions)}"
    )
    text = text.replace('region_order = ["eu-central-1", "eu-west-1", "us-east-1"]   # the smallest Region first', "")
    with pytest.raises(ConstructError, match=r"would need 11 managed policies in 9 Regions .* at most 8 Regions"):
        synthesized(text)


def test_applications_that_would_share_a_parameter_are_refused() -> None:
    stack = cdk.Stack(new_app(), "Stack")
    applications = [MemberApplication(name=name, intent=None) for name in ("a-1", "a1")]
    with pytest.raises(ConstructError, match="both give the template parameter A1Publishers"):
        MemberBaseline(stack, "Baseline", member=replace(MEMBER, account=cdk.Aws.ACCOUNT_ID), applications=applications)


@pytest.fixture(scope="module")
def read() -> Assembly:
    app = new_app(FLAGS)
    SigningAuthorityStack(app, "SigningAuthority", organization=ORGANIZATION, recorded={})
    CodeSigningRolloutStack(app, "CodeSigningRollout", organization=ORGANIZATION)
    return read_assembly(Path(app.synth().directory))


def test_our_own_check_finds_in_the_members_only_what_is_meant(read: Assembly) -> None:
    report = check_assembly(read, None, AT)
    found = {
        (one.rule.id, "first" if "first" in one.template_path else "second", one.logical_id)
        for one in report.violations
        if one.fails
    }
    configs = ("CheckoutConfig", "CodeSigningConfig", "CustomerNoticesConfig", "PaymentsConfig")
    assert found == {
        *(("LCS104", "first", config) for config in configs),  # the wave only warns
        *(("LCS501", wave, "RemediatorPolicy1") for wave in ("first", "second")),  # what it is for
    }


PLATFORM = (ROOT / "examples/platform-policy.json").read_text("utf-8")


def test_the_platform_teams_policy_lets_pass_what_is_meant_with_owner_reason_and_last_day(read: Assembly) -> None:
    report = check_assembly(read, parse_policy(PLATFORM), AT)
    assert {one.rule.id for one in report.violations if one.fails} == set()
    (words,) = {one.exempted_by for one in report.violations if one.rule.id == "LCS104"}
    assert words == (
        "exemption for construct path CodeSigningRollout#Rolloutfirst1StackSet*/*Config by platform@acme.example until "
        "2031-03-31: the first wave warns until promote finds nothing"
    )
    assert report.counts["exempted"] == 8


def test_an_exemption_of_one_wave_is_none_of_another(read: Assembly) -> None:
    assert "Rolloutfirst1StackSet*" in PLATFORM
    policy = parse_policy(PLATFORM.replace("Rolloutfirst1StackSet*", "Rolloutsecond1StackSet*"))
    failed = [one for one in check_assembly(read, policy, AT).violations if one.fails]
    assert {(one.rule.id, one.template_path.rpartition("#")[2][:13]) for one in failed} == {("LCS104", "Rolloutfirst1")}
    assert len(failed) == len(ORGANIZATION.applications)
