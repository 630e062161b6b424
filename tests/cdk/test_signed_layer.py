"""SignedLayer: signed code only, shared by name, kept when replaced; ConsumerCodeSigning: layers bring publishers."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import assertions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.arns import LayerVersionArn
from constructs_pkg.cdk import ConsumerCodeSigning, LambdaSigningProfile, SignedCode, SignedLayer
from constructs_pkg.errors import ConstructError
from constructs_pkg.signing.attestation import attest_archive
from constructs_pkg.testing import ThrowawayAuthority
from tests.cdk.conftest import ENVIRONMENT, FLAGS, new_app
from tests.signing.test_layer_registry import EVERYWHERE, IRELAND, REGISTRY

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWN = "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/shop_g1/AbCdEf1234"
VENDOR_LAYER = "arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12"
LAYER_TYPE, PERMISSION_TYPE = "AWS::Lambda::LayerVersion", "AWS::Lambda::LayerVersionPermission"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> ThrowawayAuthority:
    return ThrowawayAuthority.make(tmp_path_factory.mktemp("authority"), at=AT)


@pytest.fixture(scope="module")
def archive(authority, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("layer") / "layer.zip"
    return authority.signed_archive(path, {"python/tracing.py": "VERSION = 1\n"}, at=AT)


@pytest.fixture
def code(authority, archive):
    return SignedCode.from_artifact(archive, policy=authority.policy, at=AT)


def resources(template: dict, kind: str) -> list[dict]:
    return [item for item in template["Resources"].values() if item["Type"] == kind]


def publishers(config: ConsumerCodeSigning, template: dict) -> list:
    (found,) = resources(template, "AWS::Lambda::CodeSigningConfig")
    assert config.mode == found["Properties"]["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
    return found["Properties"]["AllowedPublishers"]["SigningProfileVersionArns"]


# The layer


def test_layer_is_made_of_the_signed_archive_and_says_who_signed_it(stack, template_of, code, authority) -> None:
    layer = SignedLayer(
        stack,
        "Tracing",
        layer_name="shop-tracing",
        code=code,
        description="Tracing",
        license_info="Apache-2.0",
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13, lambda_.Runtime.PYTHON_3_12],
        compatible_architectures=[lambda_.Architecture.ARM_64],
    )
    layer.share_with_account("444455556666")
    layer.share_with_organization("o-a1b2c3d4e5")
    layer.share_with_account("444455556666")
    template = template_of(stack)
    (made,) = resources(template, LAYER_TYPE)
    content = made["Properties"].pop("Content")
    assert content["S3Key"].endswith(".zip")
    assert made["Properties"] == {
        "LayerName": "shop-tracing",
        "Description": "Tracing",
        "LicenseInfo": "Apache-2.0",
        "CompatibleRuntimes": ["python3.13", "python3.12"],
        "CompatibleArchitectures": ["arm64"],
    }
    assert made["Metadata"]["LambdaCodeSigning"]["SigningProfileVersionArn"] == str(authority.publisher)
    ((logical_id, _),) = [(key, item) for key, item in template["Resources"].items() if item["Type"] == LAYER_TYPE]
    version = {"Ref": logical_id}
    assert [item["Properties"] for item in resources(template, PERMISSION_TYPE)] == [
        {"Action": "lambda:GetLayerVersion", "LayerVersionArn": version, "Principal": "444455556666"},
        {
            "Action": "lambda:GetLayerVersion",
            "LayerVersionArn": version,
            "Principal": "*",
            "OrganizationId": "o-a1b2c3d4e5",
        },
    ]
    assert {
        item["Properties"]["Name"]: item["Properties"]["Value"] for item in resources(template, "AWS::SSM::Parameter")
    } == {
        "/lambda-code-signing/layers/shop-tracing/version-arn": version,
        "/lambda-code-signing/layers/shop-tracing/publisher": str(authority.publisher),
    }
    assert sorted(json.dumps(output["Value"]) for output in template["Outputs"].values()) == sorted(
        [json.dumps(version), json.dumps(str(authority.publisher))]
    )


def test_old_versions_and_their_permissions_outlive_an_update(stack, template_of, code) -> None:
    SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code).share_with_organization("o-a1b2c3d4e5")
    kept = [
        (item["DeletionPolicy"], item["UpdateReplacePolicy"])
        for kind in (LAYER_TYPE, PERMISSION_TYPE)
        for item in resources(template_of(stack), kind)
    ]
    assert kept == [("RetainExceptOnCreate", "Retain")] * 2


def test_permissions_of_one_layer_are_written_one_after_the_other(stack, template_of, code) -> None:
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    for account in ("444455556666", "444455556667", "444455556668"):
        layer.share_with_account(account)
    chain = [item.get("DependsOn") for item in resources(template_of(stack), PERMISSION_TYPE)]
    assert [chain[0], *(len(item) for item in chain[1:])] == [None, 1, 1]


def test_tokens_pass_as_accounts_and_organizations(stack, template_of, code) -> None:
    account = cdk.CfnParameter(stack, "Account").value_as_string
    organization = cdk.CfnParameter(stack, "Organization").value_as_string
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    assert layer.share_with_account(account) == layer.share_with_account(account)
    layer.share_with_organization(organization)
    shared = [item["Properties"] for item in resources(template_of(stack), PERMISSION_TYPE)]
    assert [(item["Principal"], item.get("OrganizationId")) for item in shared] == [
        ({"Ref": "Account"}, None),
        ("*", {"Ref": "Organization"}),
    ]


@pytest.mark.parametrize("account", ["*", "44445555666", "arn:aws:iam::444455556666:root", ""])
def test_a_layer_is_shared_with_nobody_but_accounts(stack, code, account) -> None:
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    with pytest.raises(ConstructError, match=re.escape(f"account={account!r} is not a 12-digit account id")):
        layer.share_with_account(account)


@pytest.mark.parametrize("organization_id", ["", "*", "a1b2c3d4e5", "o-A1B2C3D4E5", "o-short"])
def test_everybody_gets_no_layer_for_want_of_an_organization(stack, code, organization_id) -> None:
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    with pytest.raises(ConstructError, match=r"Without one, the layer would be everybody's"):
        layer.share_with_organization(organization_id)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: lambda_.Code.from_asset(str(path)), "AssetCode"),
        (lambda path: lambda_.Code.from_asset(str(path.parent)), "AssetCode"),
        (lambda _: lambda_.Code.from_inline("pass"), "InlineCode"),
        (str, "str"),
    ],
    ids=["even a signed archive", "directory", "inline", "path"],
)
def test_code_that_nobody_knows_to_be_signed_is_refused_with_reason_and_remedy(stack, archive, make, kind) -> None:
    with pytest.raises(
        ConstructError, match=rf"code is a {kind}, .* publishes an unsigned layer .* Use SignedCode\.from_artifact"
    ):
        SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=make(archive))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer_name": "shop tracing"}, "layer_name='shop tracing' is not a layer's name"),
        ({"layer_name": "x" * 141}, "is not a layer's name"),
        ({"description": "x" * 257}, "description has 257 characters"),
        ({"license_info": "x" * 513}, "license_info has 513 characters"),
        ({"compatible_runtimes": [lambda_.Runtime.PYTHON_3_13] * 16}, "compatible_runtimes has 16 runtimes"),
    ],
)
def test_what_lambda_would_refuse_is_refused_here(stack, code, arguments, message) -> None:
    with pytest.raises(ConstructError, match=re.escape(message)):
        SignedLayer(stack, "Tracing", **{"layer_name": "shop-tracing", "code": code, **arguments})


def test_one_name_is_one_layer(stack, code) -> None:
    SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    with pytest.raises(ConstructError, match=r"layer_name=shop-tracing .* is already that of Stack/Tracing"):
        SignedLayer(stack, "Again", layer_name="shop-tracing", code=code)


def test_a_region_without_signer_is_refused(app, code) -> None:
    zurich = cdk.Stack(app, "Zurich", env=cdk.Environment(account="111122223333", region="eu-central-2"))
    with pytest.raises(ConstructError, match="has no AWS Signer"):
        SignedLayer(zurich, "Tracing", layer_name="shop-tracing", code=code)


def test_a_tree_that_no_runtime_would_find_is_warned_of(stack, authority, tmp_path, code) -> None:
    SignedLayer(stack, "Good", layer_name="shop-tracing", code=code)
    path = authority.signed_archive(tmp_path / "wrapped.zip", {"layer/python/tracing.py": "VERSION = 1\n"}, at=AT)
    wrapped = SignedCode.from_artifact(path, policy=authority.policy, at=AT)
    SignedLayer(stack, "Wrapped", layer_name="shop-wrapped", code=wrapped)
    warnings = assertions.Annotations.from_stack(stack).find_warning("*", assertions.Match.any_value())
    assert [(entry.id, entry.entry.data.partition(":")[0]) for entry in warnings] == [
        ("/Stack/Wrapped", "everything lies below layer/")
    ]


def test_object_of_a_bucket_becomes_a_layer_in_its_version(stack, template_of, authority, archive) -> None:
    with archive.open("rb") as file:
        known = attest_archive(file, bucket="signed", key="signed/tracing.zip", object_version="v1")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "signed")
    code = SignedCode.from_signed_bucket(
        bucket, "signed/tracing.zip", "v1", attestation=known, policy=authority.policy, at=AT
    )
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    (made,) = resources(template_of(stack), LAYER_TYPE)
    assert made["Properties"]["Content"] == {
        "S3Bucket": "signed",
        "S3Key": "signed/tracing.zip",
        "S3ObjectVersion": "v1",
    }
    assert layer.publisher == authority.publisher


def test_layer_that_is_signed_at_publish_knows_its_publisher(stack, authority, tmp_path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "tracing.py").write_text("VERSION = 1\n")
    code = SignedCode.at_publish(
        source, signer="authority:nowhere", policy=authority.policy, store=tmp_path / "store", at=AT
    )
    assert SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code).publisher == authority.publisher


# Its consumers


def function(stack, name="Function") -> lambda_.Function:
    bucket = s3.Bucket.from_bucket_name(stack, f"{name}Bucket", "signed")
    return lambda_.Function(
        stack,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_bucket_v2(bucket, "code.zip", object_version="v1"),
    )


def test_layer_is_attached_once_to_the_construct_and_to_the_resource(stack, template_of, code) -> None:
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    high = function(stack)
    low = lambda_.CfnFunction(
        stack,
        "Low",
        code=lambda_.CfnFunction.CodeProperty(s3_bucket="signed", s3_key="code.zip"),
        role="arn:aws:iam::111122223333:role/x",
        layers=["arn:aws:lambda:eu-west-1:111122223333:layer:other:1"],
    )
    for target in (high, high, low, low):
        layer.attach_to(target)
    template = template_of(stack)
    version = stack.resolve(layer.version_arn)
    assert [item["Properties"]["Layers"] for item in resources(template, "AWS::Lambda::Function")] == [
        [version],
        ["arn:aws:lambda:eu-west-1:111122223333:layer:other:1", version],
    ]


def test_new_content_of_the_layer_makes_a_new_version_of_the_function(authority, tmp_path) -> None:
    def version_of(text: str) -> list[str]:
        path = authority.signed_archive(tmp_path / f"{text}.zip", {"python/tracing.py": text}, at=AT)
        stack = cdk.Stack(new_app(FLAGS), "Stack", env=ENVIRONMENT)
        layer = SignedLayer(
            stack,
            "Tracing",
            layer_name="shop-tracing",
            code=SignedCode.from_artifact(path, policy=authority.policy, at=AT),
        )
        made = function(stack)
        layer.attach_to(made)
        lambda_.Alias(stack, "Live", alias_name="live", version=made.current_version)
        template = cdk.Stage.of(stack).synth().get_stack_by_name("Stack").template
        return [key for key, item in template["Resources"].items() if item["Type"] == "AWS::Lambda::Version"]

    assert version_of("one") == version_of("one")
    assert version_of("one") != version_of("two")


def test_function_of_another_stack_is_pointed_to_the_parameter(stack, code) -> None:
    layer = SignedLayer(stack, "Tracing", layer_name="shop-tracing", code=code)
    other = cdk.Stack(stack.node.root, "Other", env=ENVIRONMENT)
    with pytest.raises(
        ConstructError, match=r"SSM parameter /lambda-code-signing/layers/shop-tracing/version-arn, or with"
    ):
        layer.attach_to(function(other))


def test_imported_layer_is_attached_in_its_region_only(stack, template_of) -> None:
    SignedLayer.from_version_arn(stack, "Agent", VENDOR_LAYER).attach_to(function(stack))
    with pytest.raises(ConstructError, match="takes layers of the function's own Region only"):
        SignedLayer.from_version_arn(stack, "Far", VENDOR_LAYER.replace("eu-west-1", "us-east-1")).attach_to(
            function(stack, "Second")
        )
    (first, _) = resources(template_of(stack), "AWS::Lambda::Function")
    assert first["Properties"]["Layers"] == [VENDOR_LAYER]


def test_images_other_runtimes_and_a_sixth_layer_are_refused(stack) -> None:
    def layer(number: int, **more) -> object:
        arn = f"{VENDOR_LAYER[:-3]}-{number}:1"
        return SignedLayer.from_version_arn(stack, f"Layer{number}", arn, **more)

    image = lambda_.CfnFunction(
        stack,
        "Image",
        code=lambda_.CfnFunction.CodeProperty(image_uri="111122223333.dkr.ecr.eu-west-1.amazonaws.com/x:1"),
        package_type="Image",
        role="arn:aws:iam::111122223333:role/x",
    )
    with pytest.raises(ConstructError, match="is a container image, which takes no layers"):
        layer(0).attach_to(image)
    with pytest.raises(ConstructError, match=r"does not take the layer: .*runtime"):
        layer(9, compatible_runtimes=[lambda_.Runtime.NODEJS_22_X]).attach_to(function(stack))
    low = lambda_.CfnFunction(
        stack,
        "Low",
        code=lambda_.CfnFunction.CodeProperty(s3_bucket="signed", s3_key="code.zip"),
        role="arn:aws:iam::111122223333:role/x",
    )
    for number in range(1, 6):
        layer(number).attach_to(low)
    with pytest.raises(ConstructError, match="has 5 layers already; Lambda takes 5"):
        layer(6).attach_to(low)
    with pytest.raises(ConstructError, match="function is a str"):
        layer(7).attach_to("payments")


@pytest.mark.parametrize(
    ("version_arn", "publisher", "message"),
    [
        (VENDOR_LAYER.rpartition(":")[0], None, "version_arn: .* is a layer ARN without a version"),
        (VENDOR_LAYER, IRELAND.rpartition("/")[0], "publisher: .* is a signing profile ARN"),
    ],
)
def test_wrong_arns_of_an_imported_layer_are_named(stack, version_arn, publisher, message) -> None:
    with pytest.raises(ConstructError, match=message):
        SignedLayer.from_version_arn(stack, "Agent", version_arn, publisher=publisher)


# The consumer's config


def test_config_lists_its_own_publishers_and_those_of_the_layers_each_once(stack, template_of, code, authority) -> None:
    publisher_stack = cdk.Stack(stack.node.root, "Publisher", env=ENVIRONMENT)
    own = LambdaSigningProfile(stack, "Own", name_prefix="shop", generation=2)
    parameter = cdk.CfnParameter(stack, "Token").value_as_string
    config = ConsumerCodeSigning(
        stack,
        "Config",
        publishers=[OWN, own],
        layers=[
            SignedLayer(publisher_stack, "Tracing", layer_name="shop-tracing", code=code),
            SignedLayer.from_version_arn(stack, "Known", VENDOR_LAYER, publisher=EVERYWHERE),
            SignedLayer.from_version_arn(stack, "ByRegistry", VENDOR_LAYER),
            LayerVersionArn.parse(VENDOR_LAYER),
            VENDOR_LAYER,
            REGISTRY.layers[0],
            OWN,
            parameter,
            SignedLayer.from_version_arn(stack, "OfTokens", parameter, publisher=parameter),
        ],
        registry=REGISTRY,
    )
    version_arn = stack.resolve(own.profile_version_arn)
    template = template_of(stack)
    expected = [OWN, version_arn, str(authority.publisher), EVERYWHERE, IRELAND, {"Ref": "Token"}]
    assert publishers(config, template) == expected
    assert stack.resolve(list(config.layer_publishers)) == [expected[2], EVERYWHERE, IRELAND, OWN, {"Ref": "Token"}]


def test_config_of_a_consumer_is_an_enforced_one(stack, template_of) -> None:
    config = ConsumerCodeSigning(stack, "Config", publishers=[OWN], layers=[IRELAND], description="Shop")
    made = function(stack)
    config.attach_to(made)
    template = template_of(stack)
    assert publishers(config, template) == [OWN, IRELAND]
    assert resources(template, "AWS::Lambda::Function")[0]["Properties"]["CodeSigningConfigArn"] == stack.resolve(
        config.config_arn
    )
    assert [item["Properties"]["Name"] for item in resources(template, "AWS::SSM::Parameter")] == [
        "/lambda-code-signing/code-signing-configs/Stack/Config/arn"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": []}, "names no layer"),
        ({"layers": IRELAND}, "names no layer"),
        ({"publishers": []}, "publishers has 0 signing profile versions"),
        ({"layers": [VENDOR_LAYER]}, "layers[0]: nothing says who signed the layer"),
        (
            {"layers": [IRELAND, VENDOR_LAYER.replace("eu-west-1", "eu-west-2")], "registry": REGISTRY},
            "layers[1]: the registry does not know who signed the layer",
        ),
        (
            {"layers": [IRELAND, replace(REGISTRY.layers[0], publishers=REGISTRY.layers[0].publishers[:1])]},
            "layers[1]: the registry names nobody who signs arn:aws:lambda:*:777777777777:layer:Observatory-*:* in",
        ),
        ({"layers": [VENDOR_LAYER.rpartition(":")[0]]}, "layers[0]: "),
        ({"layers": [IRELAND.rpartition("/")[0]]}, "layers[0]: "),
        (
            {
                "layers": [
                    f"arn:aws:signer:eu-west-1:111122223333:/signing-profiles/p_{n}/AbCdEf1234" for n in range(20)
                ]
            },
            "publishers has 21 signing profile versions; a code signing config takes 1 to 20",
        ),
    ],
)
def test_a_layer_whose_publisher_is_missing_is_refused(stack, arguments, message) -> None:
    with pytest.raises(ConstructError, match=re.escape(message)):
        ConsumerCodeSigning(stack, "Config", **{"publishers": [OWN], "layers": [IRELAND], **arguments})


def test_imported_layer_without_a_publisher_is_refused_by_its_path(stack) -> None:
    token = cdk.CfnParameter(stack, "Arn").value_as_string
    layer = SignedLayer.from_version_arn(stack, "Agent", token)
    with pytest.raises(ConstructError, match="the layer Stack/Agent, has an ARN that only the deployment knows"):
        ConsumerCodeSigning(stack, "Config", publishers=[OWN], layers=[layer], registry=REGISTRY)


def test_an_entry_of_a_registry_needs_a_known_region_where_regions_have_their_own_publishers(agnostic_stack) -> None:
    with pytest.raises(ConstructError, match="depend on the Region, which the stack does not know"):
        ConsumerCodeSigning(agnostic_stack, "Config", publishers=[OWN], layers=[REGISTRY.layers[0]])


def test_list_token_of_publishers_cannot_be_joined(stack) -> None:
    token = cdk.CfnParameter(stack, "Publishers", type="CommaDelimitedList").value_as_list
    with pytest.raises(ConstructError, match="publishers is a list token"):
        ConsumerCodeSigning(stack, "Config", publishers=token, layers=[IRELAND])


# Both, as CloudFormation and reviewers see them


def two_accounts(app: cdk.App, code) -> tuple[cdk.Stack, cdk.Stack]:
    """The publisher's and the consumer's stack of the walk through two accounts."""
    publisher = cdk.Stack(app, "Publisher", env=ENVIRONMENT)
    layer = SignedLayer(
        publisher,
        "Tracing",
        layer_name="shop-tracing",
        code=code,
        license_info="Apache-2.0",
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
    )
    layer.share_with_organization("o-a1b2c3d4e5")
    layer.share_with_account("999900001111")
    consumer = cdk.Stack(app, "Consumer", env=cdk.Environment(account="444455556666", region="eu-west-1"))
    imported = SignedLayer.from_version_arn(
        consumer, "Tracing", "arn:aws:lambda:eu-west-1:111122223333:layer:shop-tracing:1", publisher=layer.publisher
    )
    config = ConsumerCodeSigning(consumer, "CodeSigning", publishers=[OWN], layers=[imported])
    target = lambda_.CfnFunction(
        consumer,
        "Orders",
        runtime="python3.13",
        handler="index.handler",
        code=lambda_.CfnFunction.CodeProperty(s3_bucket="signed", s3_key="code.zip", s3_object_version="v1"),
        role="arn:aws:iam::444455556666:role/orders-execution",
    )
    config.attach_to(target)
    imported.attach_to(target)
    return publisher, consumer


def test_templates_are_the_same_with_and_without_flags_and_cfn_lint_finds_nothing(
    apps_without_and_with_flags, template_of, lint, authority, archive
) -> None:
    # CDK's asset of a code belongs to one App
    codes = [SignedCode.from_artifact(archive, policy=authority.policy, at=AT) for _ in range(2)]
    templates = [
        [
            json.loads(re.sub(r"[0-9a-f]{64}", "HASH", json.dumps(template_of(stack))))
            for stack in two_accounts(app, code)
        ]
        for app, code in zip(apps_without_and_with_flags, codes, strict=True)
    ]
    assert templates[0] == templates[1]
    assert [lint(template) for template in templates[0]] == [[], []]


def test_cdk_nag_finds_nothing_but_the_runtime_of_the_example(synthesize_with_nag, code) -> None:
    app = new_app(FLAGS)
    _, consumer = two_accounts(app, code)
    acknowledgment = cdk.Acknowledgment(id="AwsSolutions::AwsSolutions-L1", reason="the runtime is no matter here")
    cdk.Validations.of(consumer).acknowledge(acknowledgment)
    synthesize_with_nag(app)
