"""The payments team's tests: the stack would deploy, and every function is under the organization's config."""

import sys
from pathlib import Path

import pytest

from constructs_pkg.node import ensure_node

ensure_node()  # before aws_cdk, which starts it
sys.path.insert(0, str(Path(__file__).parents[1]))  # where app.py and its modules are

import aws_cdk as cdk  # noqa: E402
from aws_cdk.assertions import Template  # noqa: E402
from local_platform import local_platform  # noqa: E402
from payments_stack import PaymentsStack  # noqa: E402

from constructs_pkg.cdk.policy_reading import read_policy  # noqa: E402
from constructs_pkg.clock import now  # noqa: E402
from constructs_pkg.signing.policy import CodeSigningPolicy  # noqa: E402
from constructs_pkg.testing import assert_deployable  # noqa: E402
from constructs_pkg.testing.matching import function_under_config, signed_code  # noqa: E402


@pytest.fixture(scope="module")
def policy_and_stack(tmp_path_factory: pytest.TempPathFactory) -> tuple[CodeSigningPolicy, PaymentsStack]:
    folder = tmp_path_factory.mktemp("payments")
    signer, policy_file = local_platform(folder / "platform")
    stack = PaymentsStack(cdk.App(), "Payments", policy=policy_file, signer=signer, store=folder / "signed")
    return read_policy(policy_file, at=now()), stack


def test_lambda_would_deploy_the_stack(policy_and_stack: tuple[CodeSigningPolicy, PaymentsStack]) -> None:
    policy, stack = policy_and_stack
    assert_deployable(stack, policy)


def test_every_function_is_under_the_config(policy_and_stack: tuple[CodeSigningPolicy, PaymentsStack]) -> None:
    policy, stack = policy_and_stack
    template = Template.from_stack(stack)
    template.all_resources_properties("AWS::Lambda::Function", function_under_config())
    for kind in ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion"):
        template.has_resource(kind, signed_code(str(policy.allowed_publishers[0])))
