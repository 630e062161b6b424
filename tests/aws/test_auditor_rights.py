"""The auditor role may do exactly what promote, audit and blast-radius call in a member account."""

from datetime import timedelta

import pytest

from constructs_pkg.cli import surveying
from constructs_pkg.guardrails import auditor_policies
from constructs_pkg.organization_guardrails import member_account
from tests.aws.estate import AT, ORGANIZATION, SANDBOX, VENDOR, Estate, job

JOB = job(1)
BY_THE_CALLER = {"organizations", "sts"}
OTHER_NAMES = {"lambda:GetLayerVersionByArn": "lambda:GetLayerVersion"}
"""Operations whose IAM action is named otherwise (service authorization data for Lambda)."""


@pytest.fixture
def estate(monkeypatch) -> Estate:
    """Something for every call: a layer, a function without a config, a metric, a config of somebody else."""
    made = Estate()
    monkeypatch.setattr(surveying, "home", lambda: made.members)
    made.function("payments-charge", layers=(made.layer("money", VENDOR),))
    made.function("bare", config="none")
    made.function("foreign", config="arn:aws:lambda:eu-west-1:999999999999:code-signing-config:csc-99999999999999999")
    made.counted({"FunctionName": "bare"}, 1.0, AT - timedelta(days=1))
    return made


def called(estate) -> set[str]:
    names = {OTHER_NAMES.get(name, name) for name in estate.aws.calls}
    return {name for name in names if name.partition(":")[0] not in BY_THE_CALLER}


def granted() -> set[str]:
    documents = auditor_policies(member_account(ORGANIZATION, account=SANDBOX))
    return {action for document in documents for statement in document.statements for action in statement.actions}


def test_what_the_commands_call_is_granted(estate, run_here) -> None:
    run_here("promote", "first")
    run_here("audit", "-o", "audit.json")
    run_here("blast-radius", "--job", JOB.replace("222222222222", SANDBOX))
    assert {"lambda:GetCodeSigningConfig", "cloudwatch:GetMetricData", "signer:DescribeSigningJob"} <= called(estate)
    assert called(estate) - granted() == set()


def test_only_published_layers_need_more(estate, run_here) -> None:
    run_here("blast-radius", "--job", JOB, "--published-layers")
    assert called(estate) - granted() == {"lambda:GetLayerVersion"}


def test_the_parameters_that_are_read_are_those_that_the_auditor_may_read() -> None:
    member = member_account(ORGANIZATION, account=SANDBOX)
    assert member.parameter_arns == f"arn:aws:ssm:*:{SANDBOX}:parameter/lambda-code-signing/*"
