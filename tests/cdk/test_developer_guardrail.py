"""``DeveloperGuardrail``: the documents as managed policies, on roles, and what is refused."""

from dataclasses import replace

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from constructs_pkg.cdk import DeveloperGuardrail, EnforcedCodeSigning
from constructs_pkg.errors import ConstructError, GuardrailError
from constructs_pkg.guardrails import (
    GuardrailIntent,
    developer_policies,
    permissions_boundary,
    service_control_policies,
)

ACCOUNT = "111122223333"
INTENT = GuardrailIntent(
    prefix="acme",
    application="payments",
    partition="aws",
    account=ACCOUNT,
    regions=("eu-west-1",),
    approved_configs=(f"arn:aws:lambda:eu-west-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0",),
    functions=("payments-*",),
    execution_roles=("payments-*-execution",),
    remediator_role="acme-drift-remediator",
)
PUBLISHER = "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/AbCdEf1234"


def policies(stack: cdk.Stack) -> dict[str, dict]:
    found = Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").values()
    return {policy["Properties"]["ManagedPolicyName"]: policy["Properties"]["PolicyDocument"] for policy in found}


def test_template_holds_exactly_the_documents_of_the_intent(stack: cdk.Stack) -> None:
    DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    expected = {
        INTENT.developer_policy_name(number): document.to_dict()
        for number, document in enumerate(developer_policies(INTENT), start=1)
    }
    expected[INTENT.boundary_name] = permissions_boundary(INTENT).to_dict()
    assert policies(stack) == expected


def test_service_control_policies_are_documents_and_no_resources(stack: cdk.Stack) -> None:
    guardrail = DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    assert guardrail.service_control_policies == service_control_policies(INTENT)
    Template.from_stack(stack).resource_count_is("AWS::Organizations::Policy", 0)


def test_config_of_the_same_stack_is_named_by_reference(stack: cdk.Stack) -> None:
    config = EnforcedCodeSigning(stack, "Config", publishers=[PUBLISHER])
    intent = replace(INTENT, account=stack.account, approved_configs=(config.config_arn,))
    DeveloperGuardrail(stack, "Guardrail", intent=intent)
    creation = next(
        statement
        for statement in policies(stack)[intent.developer_policy_name(1)]["Statement"]
        if statement.get("Sid") == "AllowCreation"
    )
    (config_id,) = Template.from_stack(stack).find_resources("AWS::Lambda::CodeSigningConfig")
    assert creation["Condition"] == {
        "StringEquals": {"lambda:CodeSigningConfigArn": {"Fn::GetAtt": [config_id, "CodeSigningConfigArn"]}}
    }


def test_sizes_are_those_that_aws_counts(stack: cdk.Stack) -> None:
    guardrail = DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    documents = [*developer_policies(INTENT), permissions_boundary(INTENT)]
    control = service_control_policies(INTENT)
    assert [(size.characters, size.limit_characters) for size in guardrail.sizes] == [
        *((document.characters, 6_144) for document in documents),
        *((document.stored_characters, 5_120) for document in control),
    ]


def test_developer_role_gets_all_policies_and_a_pipeline_role_the_boundary(stack: cdk.Stack) -> None:
    guardrail = DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    people = iam.Role(stack, "People", assumed_by=iam.AccountRootPrincipal())
    pipeline = iam.Role(stack, "Pipeline", assumed_by=iam.AccountRootPrincipal())
    guardrail.attach_to(people)
    guardrail.bound(pipeline)
    resources = Template.from_stack(stack).to_json()["Resources"]
    by_name = {
        value["Properties"]["ManagedPolicyName"]: {"Fn::GetAtt": [key, "PolicyArn"]}
        for key, value in resources.items()
        if value["Type"] == "AWS::IAM::ManagedPolicy"
    }
    roles = {key: value["Properties"] for key, value in resources.items() if value["Type"] == "AWS::IAM::Role"}
    (people_role,) = (role for key, role in roles.items() if key.startswith("People"))
    (pipeline_role,) = (role for key, role in roles.items() if key.startswith("Pipeline"))
    count = len(developer_policies(INTENT))
    assert people_role["ManagedPolicyArns"] == [
        by_name[INTENT.developer_policy_name(number)] for number in range(1, count + 1)
    ]
    assert pipeline_role["PermissionsBoundary"] == by_name[INTENT.boundary_name]


def test_second_guardrail_of_the_same_names_is_refused(stack: cdk.Stack) -> None:
    DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    with pytest.raises(ConstructError, match="acme-guardrail-payments-boundary-eu-west-1"):
        DeveloperGuardrail(stack, "Again", intent=INTENT)


def test_intent_of_another_account_than_the_stack_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(ConstructError, match="444455556666"):
        DeveloperGuardrail(
            stack, "Guardrail", intent=replace(INTENT, account="444455556666", approved_configs=INTENT_OF_OTHER)
        )


INTENT_OF_OTHER = ("arn:aws:lambda:eu-west-1:444455556666:code-signing-config:csc-0123456789abcdef0",)


def test_documents_that_outgrow_their_limit_leave_nothing_behind(stack: cdk.Stack) -> None:
    many = tuple(f"an-application-with-long-names-{number:03}-*" for number in range(200))
    with pytest.raises(GuardrailError, match="6,144"):
        DeveloperGuardrail(stack, "Guardrail", intent=replace(INTENT, functions=many))
    assert stack.node.try_find_child("Guardrail") is None


def test_template_passes_cfn_lint(stack: cdk.Stack, template_of, lint) -> None:
    DeveloperGuardrail(stack, "Guardrail", intent=INTENT)
    assert lint(template_of(stack)) == []
