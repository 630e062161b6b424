"""SignedLayer and ConsumerCodeSigning, deployed as templates into two accounts: what is used, refused, and kept."""

import json
import time
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from cryptography.hazmat.primitives.serialization import Encoding

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cdk import ConsumerCodeSigning, EnforcedCodeSigning, SignedCode, SignedLayer
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.attestation import attest_archive
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.trust import TrustStore
from tests.cdk.conftest import new_app
from tests.local_aws.code_builders import archive
from tests.local_aws.test_lambda_enforcement import UNTRUSTED, refusal

REGION = "eu-west-1"


class Account:
    """One account with a stack, a bucket of signed code and a profile of its own."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.cloudformation = desk.aws.client("cloudformation", account=desk.account, region=REGION)
        self.ssm = desk.aws.client("ssm", account=desk.account, region=REGION)
        self.profile, self.publisher = desk.profile()

    def stack(self) -> cdk.Stack:
        return cdk.Stack(
            new_app(),
            "Stack",
            env=cdk.Environment(account=self.desk.account, region=REGION),
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )

    def signed_code(self, stack: cdk.Stack, text: str, name: str):
        """Code of an object that this account has signed and uploaded."""
        code, _ = self.desk.signed(self.profile, archive(text, name=name))
        version = self.desk.upload(code, f"{name}.zip")
        certificates = parse_signature(read_archive(code).signature).certificates
        (root,) = [item for item in certificates if item.issuer == item.subject]
        policy = CodeSigningPolicy(
            (SigningProfileVersionArn.parse(self.publisher),),
            trust=TrustStore.from_pem(root.public_bytes(Encoding.PEM)),
        )
        known = attest_archive(code, bucket=self.desk.bucket, key=f"{name}.zip", object_version=version)
        bucket = s3.Bucket.from_bucket_name(stack, "Signed", self.desk.bucket)
        return SignedCode.from_signed_bucket(bucket, f"{name}.zip", version, attestation=known, policy=policy)

    def deploy(self, stack: cdk.Stack, name: str, *, update: bool = False) -> str:
        assembly = cdk.Stage.of(stack).synth()
        template = Path(assembly.directory, stack.template_file).read_text()
        call = self.cloudformation.update_stack if update else self.cloudformation.create_stack
        call(StackName=name, TemplateBody=template)
        while True:
            status = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.01)

    def reasons(self, name: str) -> str:
        events = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    def parameter(self, name: str) -> str:
        return self.ssm.get_parameter(Name=name)["Parameter"]["Value"]


def publish(owner: Account, consumer: Account, text: str, *, update: bool = False) -> tuple[str, str]:
    """Deploy the publisher's stack; return the layer version and its publisher as the parameters tell them."""
    stack = owner.stack()
    code = owner.signed_code(stack, text, "python/tracing.py")
    layer = SignedLayer(stack, "Tracing", layer_name="acme-tracing", code=code, license_info="Apache-2.0")
    layer.share_with_account(consumer.desk.account)
    assert owner.deploy(stack, "layers", update=update) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    prefix = "/lambda-code-signing/layers/acme-tracing"
    return owner.parameter(f"{prefix}/version-arn"), owner.parameter(f"{prefix}/publisher")


def consume(consumer: Account, name: str, layer_arn: str, publisher: str | None) -> str:
    """Deploy a consumer's stack with a function that has the layer; without a publisher, the config trusts its own."""
    stack = consumer.stack()
    layer = SignedLayer.from_version_arn(stack, "Tracing", layer_arn, publisher=publisher)
    own = [consumer.publisher]
    config = (
        EnforcedCodeSigning(stack, "CodeSigning", publishers=own, parameter_name=f"/{name}")
        if publisher is None
        else ConsumerCodeSigning(stack, "CodeSigning", publishers=own, layers=[layer], parameter_name=f"/{name}")
    )
    code = consumer.signed_code(stack, "def handler(event, context):\n    return 1\n", "index.py")
    location = code.bind(stack).s3_location
    function = lambda_.CfnFunction(
        stack,
        "Orders",
        function_name=name,
        runtime="python3.12",
        handler="index.handler",
        role=f"arn:aws:iam::{consumer.desk.account}:role/execution",
        code=lambda_.CfnFunction.CodeProperty(
            s3_bucket=location.bucket_name,
            s3_key=location.object_key,
            s3_object_version=location.object_version,
        ),
    )
    config.attach_to(function)
    layer.attach_to(function)
    return consumer.deploy(stack, name)


@pytest.fixture
def owner(desk) -> Account:
    return Account(desk)


@pytest.fixture
def consumer(other_desk) -> Account:
    return Account(other_desk)


def test_a_signed_layer_of_one_account_is_used_under_enforce_in_another_and_survives_its_successor(owner, consumer):
    first, publisher = publish(owner, consumer, "VERSION = 1\n")
    assert publisher == owner.publisher
    assert consume(consumer, "orders", first, publisher) == "CREATE_COMPLETE"
    shown = consumer.desk.lambda_.get_function(FunctionName="orders")["Configuration"]
    assert shown["SigningProfileVersionArn"] == consumer.publisher
    assert [(item["Arn"], item["SigningProfileVersionArn"]) for item in shown["Layers"]] == [(first, owner.publisher)]
    config = json.loads(json.dumps(consumer.desk.lambda_.get_function_code_signing_config(FunctionName="orders")))
    assert config["CodeSigningConfigArn"] == consumer.parameter("/orders")

    # A new version does not take the old one away from those who may still want it.
    second, _ = publish(owner, consumer, "VERSION = 2\n", update=True)
    assert (first[-2:], second[-2:]) == (":1", ":2")
    assert consume(consumer, "refunds", first, publisher) == "CREATE_COMPLETE"

    # Without the layer's publisher in the config it is refused, and the whole stack with it.
    assert consume(consumer, "billing", second, None) == "ROLLBACK_COMPLETE"
    assert UNTRUSTED.format(second) in consumer.reasons("billing")


def test_an_account_that_the_layer_is_not_shared_with_is_refused(owner, consumer, desk):
    arn, _ = publish(owner, consumer, "VERSION = 1\n")
    stranger = desk.aws.client("lambda", account="100000009999", region=REGION)
    code, message = refusal(stranger.get_layer_version_by_arn, Arn=arn)
    assert (code, "lambda:GetLayerVersion" in message) == ("AccessDeniedException", True)
