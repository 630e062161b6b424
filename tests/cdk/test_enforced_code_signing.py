"""EnforcedCodeSigning: publishers, the mode, attaching to functions and imports."""

import zipfile
from typing import get_args

import aws_cdk as cdk
import botocore.loaders
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_signer as signer

from constructs_pkg.arns import CodeSigningConfigArn, SigningProfileVersionArn
from constructs_pkg.cdk import EnforcedCodeSigning, LambdaSigningProfile, UntrustedArtifactPolicy
from constructs_pkg.cdk.publishers import MAX_PUBLISHERS
from constructs_pkg.errors import ConstructError

CENTRAL = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Central/AbCdEf1234"
CONFIG = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
HANDLER = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler"}


def only(template, kind):
    (resource,) = [it for it in template["Resources"].values() if it["Type"] == kind]
    return resource


def trusted(template):
    config = only(template, "AWS::Lambda::CodeSigningConfig")
    return config["Properties"]["AllowedPublishers"]["SigningProfileVersionArns"]


def version_arn(number):
    return f"arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Central_g{number}/AbCdEf1234"


def list_parameter(stack):
    return cdk.CfnParameter(stack, "Publishers", type="CommaDelimitedList").value_as_list


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "signed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): ...")
    return lambda_.Code.from_asset(str(path))


def l1_function(stack, construct_id="Function", **keywords):
    code = {"s3Bucket": "signed-code", "s3Key": "payments.zip", "s3ObjectVersion": "1"}
    return lambda_.CfnFunction(
        stack,
        construct_id,
        **{"code": code, "role": "arn:aws:iam::111122223333:role/payments", **keywords},
    )


# What is made


def test_the_template_holds_the_config_its_parameter_and_its_output_and_nothing_else(stack, template_of):
    EnforcedCodeSigning(stack, "Payments", publishers=[CENTRAL], description="Payments, both generations")
    config_arn = {"Fn::GetAtt": ["Payments130453D3", "CodeSigningConfigArn"]}
    assert template_of(stack) == {
        "Resources": {
            "Payments130453D3": {
                "Type": "AWS::Lambda::CodeSigningConfig",
                "Properties": {
                    "AllowedPublishers": {"SigningProfileVersionArns": [CENTRAL]},
                    "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
                    "Description": "Payments, both generations",
                },
            },
            "PaymentsParameter497CB247": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Description": "ARN of the code signing config",
                    "Name": "/lambda-code-signing/code-signing-configs/Stack/Payments/arn",
                    "Type": "String",
                    "Value": config_arn,
                },
            },
        },
        "Outputs": {
            "PaymentsConfigArnE8C70CAB": {"Description": "ARN of the code signing config", "Value": config_arn}
        },
    }


def test_feature_flags_do_not_change_a_template(apps_without_and_with_flags, template_of):
    templates = []
    for app in apps_without_and_with_flags:
        stack = cdk.Stack(app, "Stack")
        profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
        config = EnforcedCodeSigning(stack, "Config", publishers=[profile, CENTRAL])
        config.attach_to(l1_function(stack))
        templates.append(template_of(stack))
    assert templates[0] == templates[1]


def test_untrusted_code_passes_only_where_warn_is_asked_for_by_name(stack, template_of, lint):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL], mode="Warn")
    template = template_of(stack)
    assert only(template, "AWS::Lambda::CodeSigningConfig")["Properties"]["CodeSigningPolicies"] == {
        "UntrustedArtifactOnDeployment": "Warn"
    }
    assert config.mode == "Warn"
    assert lint(template) == []


@pytest.mark.parametrize("mode", ["enforce", "WARN", "", None, True, ["Enforce"]])
def test_a_mode_that_lambda_does_not_have_is_refused(stack, mode):
    with pytest.raises(ConstructError) as caught:
        EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL], mode=mode)
    assert str(caught.value) == f"mode={mode!r} is neither 'Enforce' nor 'Warn'"


def test_a_description_longer_than_lambda_takes_is_refused(stack):
    EnforcedCodeSigning(stack, "Fits", publishers=[CENTRAL], description="d" * 256)
    with pytest.raises(ConstructError, match=r"^description has 257 characters; a code signing config takes 256$"):
        EnforcedCodeSigning(stack, "TooLong", publishers=[CENTRAL], description="d" * 257)


def test_one_parameter_name_twice_is_refused(stack):
    EnforcedCodeSigning(stack, "First", publishers=[CENTRAL], parameter_name="/release/config")
    with pytest.raises(ConstructError) as caught:
        EnforcedCodeSigning(stack, "Second", publishers=[CENTRAL], parameter_name="/release/config")
    assert str(caught.value) == (
        "parameter_name=/release/config in 111122223333/eu-west-1 is already that of Stack/First/Parameter. "
        "Give this construct its own parameter_name"
    )


def test_the_default_parameter_name_follows_the_path_of_the_construct(app, template_of, lint):
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    stack = cdk.Stack(stage, "Team A", stack_name="team-a")
    EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    template = template_of(stack)
    name = only(template, "AWS::SSM::Parameter")["Properties"]["Name"]
    assert name == "/lambda-code-signing/code-signing-configs/Prod/Team-A/Config/arn"
    assert lint(template) == []


def test_a_region_without_signer_is_refused(app):
    stack = cdk.Stack(app, "Zurich", env=cdk.Environment(account="111122223333", region="eu-central-2"))
    with pytest.raises(ConstructError, match=r"^env.region='eu-central-2' of the stack Zurich has no AWS Signer"):
        EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])


# Publishers


def test_everything_that_stands_for_a_signing_profile_version_is_a_publisher(stack, template_of, lint):
    old = LambdaSigningProfile(stack, "G1", name_prefix="payments", generation=1)
    new = LambdaSigningProfile(stack, "G2", name_prefix="payments", generation=2)
    imported = LambdaSigningProfile.from_version_arn(stack, "Imported", CENTRAL)
    l2 = signer.SigningProfile(stack, "L2", platform=signer.Platform.AWS_LAMBDA_SHA384_ECDSA)
    l1 = signer.CfnSigningProfile(stack, "L1", platform_id="AWSLambda-SHA384-ECDSA")
    token = cdk.CfnParameter(stack, "Vendor").value_as_string
    literal = SigningProfileVersionArn.parse(version_arn(2))
    config = EnforcedCodeSigning(
        stack, "Config", publishers=[old, new, imported, l2, l1, token, literal, version_arn(3)]
    )
    template = template_of(stack)
    expected = [
        *({"Fn::GetAtt": [stack.get_logical_id(it.l1), "ProfileVersionArn"]} for it in (old, new)),
        CENTRAL,
        {"Fn::GetAtt": [stack.get_logical_id(l2.node.default_child), "ProfileVersionArn"]},
        {"Fn::GetAtt": ["L1", "ProfileVersionArn"]},
        {"Ref": "Vendor"},
        version_arn(2),
        version_arn(3),
    ]
    assert trusted(template) == expected
    assert stack.resolve(list(config.publishers)) == expected
    assert lint(template) == []


def test_a_list_that_only_the_deployment_knows_is_passed_through(stack, template_of, lint):
    EnforcedCodeSigning(stack, "Config", publishers=list_parameter(stack))
    template = template_of(stack)
    assert trusted(template) == {"Ref": "Publishers"}
    assert lint(template) == []


def test_a_list_token_among_other_publishers_is_refused(stack):
    with pytest.raises(ConstructError, match=r"^publishers\[1\] belongs to a list token, which stands for all"):
        EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL, *list_parameter(stack)])


def test_twenty_publishers_are_taken(stack, template_of):
    arns = [version_arn(number) for number in range(20)]
    EnforcedCodeSigning(stack, "Config", publishers=arns)
    assert trusted(template_of(stack)) == arns


@pytest.mark.parametrize("count", [0, 21])
def test_none_and_more_than_twenty_publishers_are_refused(stack, count):
    with pytest.raises(ConstructError, match=f"^publishers has {count} signing profile versions; .* takes 1 to 20,"):
        EnforcedCodeSigning(stack, "Config", publishers=[version_arn(number) for number in range(count)])


def test_a_publisher_given_twice_is_refused_in_whatever_form(stack):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    imported = LambdaSigningProfile.from_version_arn(stack, "Imported", CENTRAL)
    pairs = [
        (CENTRAL, CENTRAL),
        (imported, CENTRAL),
        (imported, SigningProfileVersionArn.parse(CENTRAL)),
        (profile, profile),
        (profile, profile.profile_version_arn),
        (profile, profile.l1),
    ]
    for first, second in pairs:
        with pytest.raises(ConstructError) as caught:
            EnforcedCodeSigning(stack, "Config", publishers=[version_arn(1), first, second])
        assert str(caught.value) == "publishers[2] is the same signing profile version as publishers[1]. Remove one"


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (CENTRAL.rsplit("/", 1)[0], "is a signing profile ARN, not a signing profile version ARN"),
        (CENTRAL.replace(":/signing", "://signing"), "has two slashes before 'signing-profiles'"),
        (CENTRAL.rsplit("/", 1)[0] + "/", "has no version after the last '/'"),
        (CENTRAL.replace("profiles", "profile"), "says 'signing-profile'. Write ':/signing-profiles/', in the plural"),
        (CENTRAL + "5", "has the version 'AbCdEf12345' of 11 characters"),
        (CONFIG, "is an ARN of the service 'lambda'"),
        ("", "'' is not an ARN"),
        (
            CENTRAL.replace("aws:signer:eu-west-1", "aws-cn:signer:cn-north-1"),
            "is in the partition aws-cn, the stack Stack in aws",
        ),
    ],
)
def test_each_mistake_in_a_literal_arn_has_its_own_message(stack, arn, message):
    with pytest.raises(ConstructError) as caught:
        EnforcedCodeSigning(stack, "Config", publishers=[version_arn(1), arn])
    assert str(caught.value).startswith("publishers[1]: ")
    assert message in str(caught.value)


def test_the_two_slashes_of_aws_cdk_lib_s_own_import_are_refused_with_and_without_an_environment(stack, agnostic_stack):
    for where in (stack, agnostic_stack):
        broken = signer.SigningProfile.from_signing_profile_attributes(
            where, "Broken", signing_profile_name="Central", signing_profile_version="AbCdEf1234"
        )
        with pytest.raises(ConstructError, match="two slashes before 'signing-profiles'"):
            EnforcedCodeSigning(where, "Config", publishers=[broken])


def test_a_profile_of_another_platform_is_refused_as_l2_and_as_l1(stack):
    l2 = signer.SigningProfile(stack, "Image", platform=signer.Platform.NOTATION_OCI_SHA384_ECDSA)
    for path, publisher in (("Stack/Image/Resource", l2), ("Stack/Image/Resource", l2.node.default_child)):
        with pytest.raises(ConstructError) as caught:
            EnforcedCodeSigning(stack, "Config", publishers=[publisher])
        assert str(caught.value) == (
            f"publishers[0] is the signing profile {path} of the platform Notation-OCI-SHA384-ECDSA, which cannot "
            "sign Lambda archives. Use one of AWSLambda-SHA384-ECDSA"
        )


def test_one_text_in_place_of_the_list_is_refused(stack):
    with pytest.raises(ConstructError, match=r"is a text. Pass a list, even of one publisher$"):
        EnforcedCodeSigning(stack, "Config", publishers=CENTRAL)


def test_what_stands_for_no_profile_is_refused(stack):
    with pytest.raises(ConstructError, match=r"^publishers\[0\] is a Stack. Pass a LambdaSigningProfile,"):
        EnforcedCodeSigning(stack, "Config", publishers=[stack])


# Attaching


def test_attaching_works_after_construction_on_the_l2_and_the_l1(stack, archive, template_of):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    config.attach_to(lambda_.Function(stack, "L2", code=archive, **HANDLER))
    config.attach_to(l1_function(stack, "L1"))
    config.attach_to(l1_function(stack, "Struct", code=lambda_.CfnFunction.CodeProperty(s3_bucket="b", s3_key="k")))
    template = template_of(stack)
    attached = [
        it["Properties"]["CodeSigningConfigArn"]
        for it in template["Resources"].values()
        if it["Type"] == "AWS::Lambda::Function"
    ]
    assert attached == [{"Fn::GetAtt": [stack.get_logical_id(config.l1), "CodeSigningConfigArn"]}] * 3


def test_a_function_takes_the_config_and_its_import_as_code_signing_config(stack, archive, template_of):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    imported = EnforcedCodeSigning.from_config_arn(stack, "Imported", CONFIG)
    lambda_.Function(stack, "Own", code=archive, code_signing_config=config, **HANDLER)
    lambda_.Function(stack, "Central", code=archive, code_signing_config=imported, **HANDLER)
    functions = {
        name: it["Properties"]["CodeSigningConfigArn"]
        for name, it in template_of(stack)["Resources"].items()
        if it["Type"] == "AWS::Lambda::Function"
    }
    assert list(functions.values()) == [
        {"Fn::GetAtt": [stack.get_logical_id(config.l1), "CodeSigningConfigArn"]},
        CONFIG,
    ]


def test_attaching_the_same_config_again_changes_nothing(stack, archive, template_of):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    function = lambda_.Function(stack, "Function", code=archive, code_signing_config=config, **HANDLER)
    before = template_of(stack)
    config.attach_to(function)
    assert template_of(stack) == before


def test_inline_code_is_refused_with_the_reason(stack):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL], mode="Warn")
    functions = [
        lambda_.Function(stack, "L2", code=lambda_.Code.from_inline("x"), **HANDLER),
        l1_function(stack, "Struct", code=lambda_.CfnFunction.CodeProperty(zip_file="x")),
        l1_function(stack, "Dict", code={"zipFile": "x"}),
    ]
    for function in functions:
        with pytest.raises(ConstructError) as caught:
            config.attach_to(function)
        assert str(caught.value) == (
            f"function={function.node.path} has inline code, which nobody can sign: CloudFormation makes its archive "
            "during the deployment. Put the code into a signed .zip and pass it with aws_lambda.Code.from_asset or "
            "from_bucket"
        )


def test_a_container_image_is_refused_with_the_reason(stack):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/payments:1"
    repository = cdk.aws_ecr.Repository.from_repository_name(stack, "Repository", "payments")
    functions = [
        lambda_.DockerImageFunction(stack, "L2", code=lambda_.DockerImageCode.from_ecr(repository)),
        l1_function(stack, "Struct", code=lambda_.CfnFunction.CodeProperty(image_uri=image)),
        l1_function(stack, "PackageType", package_type="Image"),
    ]
    for function in functions:
        with pytest.raises(ConstructError) as caught:
            config.attach_to(function)
        assert str(caught.value) == (
            f"function={function.node.path} is a container image. Lambda code signing covers .zip archives and layers "
            "only. Deploy it from a signed archive, or leave it out and record it as an exemption"
        )


def test_a_function_with_another_config_is_refused(stack, archive):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    other = EnforcedCodeSigning.from_config_arn(stack, "Other", CONFIG)
    function = lambda_.Function(stack, "Function", code=archive, code_signing_config=other, **HANDLER)
    with pytest.raises(ConstructError, match=f"^function=Stack/Function already has the code signing config {CONFIG};"):
        config.attach_to(function)


@pytest.mark.parametrize(
    ("account", "region", "message"),
    [
        ("444455556666", "eu-west-1", "is in the account 444455556666, the code signing config .* in 111122223333"),
        ("111122223333", "eu-north-1", "is in the Region eu-north-1, the code signing config .* in eu-west-1"),
    ],
)
def test_a_function_of_another_account_or_region_is_refused(app, stack, account, region, message):
    elsewhere = cdk.Stack(app, "Elsewhere", env=cdk.Environment(account=account, region=region))
    function = l1_function(elsewhere)
    own = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    imported = EnforcedCodeSigning.from_config_arn(elsewhere, "Imported", CONFIG)
    for config in (own, imported):
        with pytest.raises(ConstructError, match=f"^function=Elsewhere/Function {message}"):
            config.attach_to(function)


def test_a_function_whose_environment_is_unknown_is_taken(agnostic_stack, template_of):
    function = l1_function(agnostic_stack)
    EnforcedCodeSigning.from_config_arn(agnostic_stack, "Imported", CONFIG).attach_to(function)
    properties = only(template_of(agnostic_stack), "AWS::Lambda::Function")["Properties"]
    assert properties["CodeSigningConfigArn"] == CONFIG


def test_what_is_not_a_function_of_this_app_is_refused(stack, archive):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:payments"
    function = lambda_.Function(stack, "Function", code=archive, **HANDLER)
    for thing in (lambda_.Function.from_function_arn(stack, "Imported", arn), function.current_version, arn):
        with pytest.raises(ConstructError, match=r"attach_to takes an aws_lambda.Function or CfnFunction of this App"):
            config.attach_to(thing)


# Imports


def test_an_imported_config_has_the_parts_of_its_arn(stack):
    for arn in (CONFIG, CodeSigningConfigArn.parse(CONFIG)):
        config = EnforcedCodeSigning.from_config_arn(stack, type(arn).__name__, arn)
        assert (
            config.config_arn,
            config.config_id,
            config.code_signing_config_arn,
            config.code_signing_config_id,
            config.code_signing_config_ref.code_signing_config_arn,
            config.env.account,
            config.env.region,
        ) == (CONFIG, "csc-0123456789abcdef0", CONFIG, "csc-0123456789abcdef0", CONFIG, "111122223333", "eu-west-1")


def test_an_imported_token_gives_the_id_that_aws_cdk_lib_gets_wrong(stack, template_of, lint):
    token = cdk.CfnParameter(stack, "ConfigArn").value_as_string
    config = EnforcedCodeSigning.from_config_arn(stack, "Imported", token)
    theirs = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Theirs", token)
    expected = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": "ConfigArn"}]}]}
    assert stack.resolve(config.config_id) == expected
    assert stack.resolve(theirs.code_signing_config_id) != expected
    config.attach_to(l1_function(stack, runtime="python3.13", handler="index.handler"))
    template = template_of(stack)
    assert only(template, "AWS::Lambda::Function")["Properties"]["CodeSigningConfigArn"] == {"Ref": "ConfigArn"}
    assert lint(template) == []


@pytest.mark.parametrize("arn", ["", "csc-0123456789abcdef0", CENTRAL, CONFIG[:-1], CONFIG + "\n"])
def test_an_import_that_is_not_a_config_arn_is_refused(stack, arn):
    with pytest.raises(ConstructError, match=r"^config_arn: "):
        EnforcedCodeSigning.from_config_arn(stack, "Imported", arn)


# Facts about AWS, against the installed service models


def test_bounds_and_modes_are_those_of_lambda_s_service_model():
    shapes = botocore.loaders.Loader().load_service_model("lambda", "service-2")["shapes"]
    arns = shapes["SigningProfileVersionArns"]
    assert (arns["min"], arns["max"]) == (1, MAX_PUBLISHERS)
    assert set(shapes["CodeSigningPolicy"]["enum"]) == set(get_args(UntrustedArtifactPolicy))
    assert shapes["Description"]["max"] == 256


# The rules that others will hold these constructs against


def test_cfn_lint_finds_what_it_is_known_to_find_after_a_good_template_too(stack, template_of, lint):
    config = EnforcedCodeSigning(stack, "Config", publishers=[CENTRAL])
    good = template_of(stack)
    config.l1.add_property_override("CodeSigningPolicies.UntrustedArtifactOnDeployment", "Ignore")
    cdk.CfnParameter(stack, "Unused")
    bad = template_of(stack)
    path = f"Resources/{stack.get_logical_id(config.l1)}/Properties/CodeSigningPolicies/UntrustedArtifactOnDeployment"
    expected = [
        f"E3030 {path}: 'Ignore' is not one of ['Warn', 'Enforce']",
        "W2001 Parameters/Unused: Parameter Unused not used.",
    ]
    assert [lint(good), sorted(lint(bad)), lint(good), sorted(lint(bad))] == [[], expected, [], expected]


def test_cdk_nag_s_aws_solutions_finds_nothing_in_these_constructs(app, stack, synthesize_with_nag):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    profile.grant_sign("444455556666")
    config = EnforcedCodeSigning(stack, "Config", publishers=[profile])
    config.attach_to(l1_function(stack, runtime=lambda_.Runtime.PYTHON_3_14.name, handler="index.handler"))
    synthesize_with_nag(app)


def test_cdk_nag_finds_what_it_is_known_to_find(app, stack, synthesize_with_nag):
    l1_function(stack, runtime="python3.9", handler="index.handler")
    with pytest.raises(RuntimeError, match="AwsSolutions-L1"):
        synthesize_with_nag(app)
