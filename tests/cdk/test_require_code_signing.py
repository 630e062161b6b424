"""RequireCodeSigning: who gets the config, who keeps another, who gets none, and that the checks see the result."""

import json
from pathlib import Path

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sam as sam
from aws_cdk import cloudformation_include as include
from aws_cdk.assertions import Annotations

from constructs_pkg.cdk import CodeSigningChecks, EnforcedCodeSigning, RequireCodeSigning
from constructs_pkg.errors import ConstructError
from constructs_pkg.testing import APPROVED_CONFIG_ARN, ThrowawayAuthority
from tests.cdk.conftest import new_app

OTHER_CONFIG = APPROVED_CONFIG_ARN[:-1] + "1"
PUBLISHER = "arn:aws:signer:eu-west-1:123456789012:/signing-profiles/team_app/AbCdEf1234"
INLINE = {
    "runtime": lambda_.Runtime.PYTHON_3_13,
    "handler": "index.handler",
    "code": lambda_.Code.from_inline("def handler(event, context): pass"),
}
ROLE = "arn:aws:iam::123456789012:role/execution"


class TeamFunction(lambda_.Function):
    """A team's own subclass."""


def configs(app: cdk.App, stack: str = "Stack") -> dict[str, object]:
    """Return the config of each function by the beginning of its logical id."""
    template = json.loads(Path(app.synth().directory, f"{stack}.template.json").read_text())
    return {
        name: item["Properties"].get("CodeSigningConfigArn")
        for name, item in template["Resources"].items()
        if item["Type"] in {"AWS::Lambda::Function", "AWS::Serverless::Function"}
    }


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(new_app(), "Stack")


def test_every_kind_of_function_gets_the_config(stack, tmp_path) -> None:
    lambda_.Function(stack, "L2", **INLINE)
    TeamFunction(stack, "Subclass", **INLINE)
    lambda_.SingletonFunction(stack, "Singleton", uuid="f1", **INLINE)
    lambda_.CfnFunction(stack, "L1", code={"zipFile": "1"}, role=ROLE)
    sam.CfnFunction(stack, "Sam", runtime="python3.13", handler="index.handler", inline_code="1")
    cdk.CfnResource(stack, "Generic", type="AWS::Lambda::Function", properties={"Code": {"ZipFile": "1"}, "Role": ROLE})
    s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    template = tmp_path / "included.json"
    included = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "1"}, "Role": ROLE}}
    template.write_text(json.dumps({"Resources": {"Included": included}}))
    include.CfnInclude(stack, "Include", template_file=str(template))
    requirement = RequireCodeSigning(APPROVED_CONFIG_ARN)
    requirement.apply_to(stack.node.root)
    found = configs(stack.node.root)
    assert set(found.values()) == {APPROVED_CONFIG_ARN}
    assert len(found) == len(requirement.attached) == 8
    assert requirement.skipped == []


def test_functions_that_are_added_later_get_it_too(stack) -> None:
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(stack)
    lambda_.Function(cdk.NestedStack(stack, "Nested"), "Nested", **INLINE)
    lambda_.Function(stack, "Later", **INLINE)
    (nested,) = Path(stack.node.root.synth().directory).glob("*.nested.template.json")
    found = [*configs(stack.node.root).values()]
    resources = json.loads(nested.read_text())["Resources"].values()
    found += [item["Properties"]["CodeSigningConfigArn"] for item in resources if "Function" in item["Type"]]
    assert found == [APPROVED_CONFIG_ARN] * 2


def test_explicit_config_wins_however_it_was_given(stack) -> None:
    own = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Own", OTHER_CONFIG)
    lambda_.Function(stack, "L2", code_signing_config=own, **INLINE)
    lambda_.CfnFunction(stack, "L1", code={"zipFile": "1"}, role=ROLE, code_signing_config_arn=OTHER_CONFIG)
    overridden = lambda_.CfnFunction(stack, "Overridden", code={"zipFile": "1"}, role=ROLE)
    overridden.add_property_override("CodeSigningConfigArn", OTHER_CONFIG)
    properties = {"Code": {"ZipFile": "1"}, "CodeSigningConfigArn": OTHER_CONFIG}
    cdk.CfnResource(stack, "Generic", type="AWS::Lambda::Function", properties=properties)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(stack)
    assert set(configs(stack.node.root).values()) == {OTHER_CONFIG}


def test_images_get_none_and_it_is_said(stack) -> None:
    repository = ecr.Repository.from_repository_name(stack, "Repository", "images")
    lambda_.DockerImageFunction(stack, "L2", code=lambda_.DockerImageCode.from_ecr(repository))
    lambda_.CfnFunction(stack, "Dict", code={"imageUri": "image"}, role=ROLE)
    lambda_.CfnFunction(stack, "Struct", code=lambda_.CfnFunction.CodeProperty(image_uri="image"), role=ROLE)
    sam.CfnFunction(stack, "Sam", package_type="Image", image_uri="image")
    cdk.CfnResource(stack, "Generic", type="AWS::Lambda::Function", properties={"Code": {"ImageUri": "image"}})
    requirement = RequireCodeSigning(APPROVED_CONFIG_ARN)
    requirement.apply_to(stack)
    assert set(configs(stack.node.root).values()) == {None}
    paths = ["Stack/L2/Resource", "Stack/Dict", "Stack/Struct", "Stack/Sam", "Stack/Generic"]
    assert requirement.skipped == paths
    warnings = Annotations.from_stack(stack)
    for path in paths:
        warnings.has_warning(f"/{path}", RequireCodeSigningMessage.IMAGE)


class RequireCodeSigningMessage:
    IMAGE = (
        "This function is a container image, which Lambda code signing does not cover: it gets no code signing config, "
        "and nothing checks who made it. Deploy it from a signed archive, or have it exempted "
        "[ack: lambda-code-signing:image-without-config]"
    )


def test_config_of_the_same_app_is_referred_to_across_stacks(stack) -> None:
    config = EnforcedCodeSigning(stack, "Config", publishers=[PUBLISHER])
    lambda_.Function(stack, "Function", **INLINE)
    other = cdk.Stack(stack.node.root, "Other")
    lambda_.Function(other, "Function", **INLINE)
    RequireCodeSigning(config).apply_to(stack.node.root)
    (own,) = configs(stack.node.root).values()
    (across,) = configs(stack.node.root, "Other").values()
    assert own["Fn::GetAtt"][1] == "CodeSigningConfigArn"
    assert "Fn::ImportValue" in across


def test_nearest_scope_decides(stack) -> None:
    app = stack.node.root
    lambda_.Function(stack, "Function", **INLINE)
    lambda_.Function(cdk.Stack(app, "Other"), "Function", **INLINE)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
    RequireCodeSigning(OTHER_CONFIG).apply_to(stack)
    assert [*configs(app).values(), *configs(app, "Other").values()] == [OTHER_CONFIG, APPROVED_CONFIG_ARN]


def test_same_scope_takes_one_config_only(stack) -> None:
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(stack)
    with pytest.raises(ConstructError, match="scope=Stack has a RequireCodeSigning already"):
        RequireCodeSigning(OTHER_CONFIG).apply_to(stack)


def staged_function(app: cdk.App) -> cdk.Stage:
    stage = cdk.Stage(app, "Prod")
    lambda_.Function(cdk.Stack(stage, "Staged"), "Function", **INLINE)
    return stage


def staged_config(app: cdk.App) -> object:
    (template,) = Path(app.synth().directory).glob("assembly-Prod/*.template.json")
    resources = json.loads(template.read_text())["Resources"].values()
    return next(item for item in resources if item["Type"] == "AWS::Lambda::Function")["Properties"][
        "CodeSigningConfigArn"
    ]


def test_stages_that_are_there_get_it_from_the_app_and_may_have_their_own(stack) -> None:
    app = stack.node.root
    stage = staged_function(app)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
    RequireCodeSigning(OTHER_CONFIG).apply_to(stage)
    assert staged_config(app) == OTHER_CONFIG
    second = new_app()
    staged_function(second)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(second)
    assert staged_config(second) == APPROVED_CONFIG_ARN


def test_stage_that_comes_too_late_fails_the_synth_instead_of_being_missed(stack) -> None:
    app = stack.node.root
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
    staged_function(app)
    with pytest.raises(
        RuntimeError, match=r"function=Prod/Staged/Function/Resource is in a stage that was added after"
    ):
        app.synth()


@pytest.mark.parametrize(
    ("environment", "what"),
    [
        (cdk.Environment(account="123456789012", region="us-east-1"), "Region us-east-1"),
        (cdk.Environment(account="999999999999", region="eu-west-1"), "account 999999999999"),
    ],
)
def test_function_of_another_environment_is_refused(environment, what) -> None:
    app = new_app()
    lambda_.Function(cdk.Stack(app, "Stack", env=environment), "Function", **INLINE)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
    with pytest.raises(RuntimeError, match=f"function=Stack/Function/Resource is in the {what}"):
        app.synth()


def test_text_that_is_no_config_is_refused() -> None:
    with pytest.raises(ConstructError, match="is not a code signing config ARN"):
        RequireCodeSigning(APPROVED_CONFIG_ARN.replace("code-signing-config", "function"))


def test_anchors_leave_nothing_in_the_template(stack) -> None:
    without = new_app()
    lambda_.CfnFunction(cdk.Stack(without, "Stack"), "L1", code={"zipFile": "1"}, role=ROLE)
    lambda_.CfnFunction(stack, "L1", code={"zipFile": "1"}, role=ROLE)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(stack)
    templates = [
        json.loads(Path(app.synth().directory, "Stack.template.json").read_text()) for app in (without, stack.node.root)
    ]
    assert templates[1]["Resources"]["L1"]["Properties"].pop("CodeSigningConfigArn") == APPROVED_CONFIG_ARN
    assert templates[0] == templates[1]


# Together with the checks


@jsii.implements(cdk.IAspect)
class AddsAFunction:
    """Another team's aspect, which makes a function while the App is synthesized."""

    def visit(self, node) -> None:
        if isinstance(node, cdk.Stack) and node.node.try_find_child("Late") is None:
            lambda_.CfnFunction(node, "Late", code={"zipFile": "1"}, role=ROLE)


def test_checks_see_the_result_and_what_was_missed(tmp_path, stack) -> None:
    authority = ThrowawayAuthority.make(tmp_path)
    app, plugin = stack.node.root, CodeSigningChecks(authority.policy)
    cdk.Validations.of(app).add_plugins(plugin)
    signed = authority.signed_archive(tmp_path / "signed.zip", {"index.py": "1\n"})
    lambda_.Function(stack, "Signed", **{**INLINE, "code": lambda_.Code.from_asset(str(signed))})
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(app)
    app.synth()
    assert (plugin.report.functions, plugin.report.violations) == (1, ())

    second = new_app()
    cdk.Validations.of(second).add_plugins(plugin)
    RequireCodeSigning(APPROVED_CONFIG_ARN).apply_to(second)
    cdk.Stack(second, "Stack")
    cdk.Aspects.of(second).add(AddsAFunction(), priority=cdk.AspectPriority.READONLY)
    with pytest.raises(RuntimeError, match="LCS207"):
        second.synth()
