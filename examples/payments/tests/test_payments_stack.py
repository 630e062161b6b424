"""The payments team's tests: the stack would deploy, and every function is under the organization's config."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from constructs_pkg.testing import assert_deployable
from constructs_pkg.testing.matching import function_under_config, signed_code

import aws_cdk as cdk
from aws_cdk.assertions import Template
from local_platform import local_platform
from payments_stack import PaymentsStack

from constructs_pkg.cdk.policy_reading import read_policy
from constructs_pkg.clock import now


@pytest.fixture(scope="module")
def policy_and_stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("payments")
    signer, policy_file = local_platform(folder / "platform")
    policy = read_policy(policy_file, at=now())
    return policy, PaymentsStack(cdk.App(), "Payments", policy=policy, signer=signer, store=folder / "signed")


def test_lambda_would_deploy_the_stack(policy_and_stack):
    policy, stack = policy_and_stack
    assert_deployable(stack, policy)


def test_every_function_is_under_the_organizations_config(policy_and_stack):
    policy, stack = policy_and_stack
    template = Template.from_stack(stack)
    template.all_resources_properties("AWS::Lambda::Function", function_under_config())
    for kind in ("AWS::Lambda::Function", "AWS::Lambda::LayerVersion"):
        template.has_resource(kind, signed_code(str(policy.allowed_publishers[0])))
