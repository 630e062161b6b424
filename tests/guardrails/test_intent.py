from dataclasses import replace

import pytest

from constructs_pkg.errors import GuardrailError
from constructs_pkg.guardrails import (
    DEFAULT_PIPELINE_SERVICES,
    GuardrailIntent,
    developer_policies,
    permissions_boundary,
    service_control_policies,
)
from constructs_pkg.guardrails.advice import advice
from tests.guardrails.iam_evaluator import DATA, glob
from tests.guardrails.intents import ACCOUNT, APPROVED, INTENT

MINIMAL = {
    "prefix": "acme",
    "application": "payments",
    "partition": "aws",
    "account": ACCOUNT,
    "regions": ("eu-west-1",),
    "approved_configs": (APPROVED,),
    "functions": ("payments-*",),
    "execution_roles": ("payments-*-execution",),
    "remediator_role": "acme-drift-remediator",
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prefix": "a b"}, "prefix: 'a b' cannot be used. Use at most 40 letters, digits, '-' and '_'"),
        ({"application": ""}, "application: '' cannot be used. Use at most 40 letters, digits, '-' and '_'"),
        ({"account": "1234"}, "account: '1234' cannot be used. Write the 12 digits of the account"),
        ({"regions": ()}, "regions: is empty. Write at least one"),
        ({"regions": ("eu-west-9",)}, "regions: 'eu-west-9' is no Region of the partition 'aws'"),
        (
            {"sibling_regions": ("eu-west-1",)},
            "sibling_regions: eu-west-1 also stands in regions. A Region has its configs in one document",
        ),
        (
            {"approved_configs": (APPROVED.replace(ACCOUNT, "999999999999"),)},
            (
                f"approved_configs: {APPROVED.replace(ACCOUNT, '999999999999')} is of the account 999999999999, the "
                f"guardrail of {ACCOUNT}. A function can only have a config of its own account and Region"
            ),
        ),
        (
            {"approved_configs": (APPROVED.replace("eu-west-1", "us-east-1"),)},
            (
                f"approved_configs: {APPROVED.replace('eu-west-1', 'us-east-1')} is of us-east-1, "
                "which is not in regions (eu-west-1)"
            ),
        ),
        ({"functions": ()}, "functions: is empty. Write at least one"),
        (
            {"functions": ("*",)},
            "functions: '*' matches every name. Write what the names begin with, such as 'payments-*'",
        ),
        (
            {"functions": ("payments api",)},
            "functions: 'payments api' cannot be used. Write a pattern of function names such as 'payments-*'",
        ),
        (
            {"exempt_functions": ("**",)},
            "exempt_functions: '**' matches every name. Write what the names begin with, such as 'payments-*'",
        ),
        (
            {"execution_roles": ("path/role",)},
            "execution_roles: 'path/role' cannot be used. Write a role name such as 'payments-*-execution'",
        ),
        (
            {"execution_roles": ("?*",)},
            "execution_roles: '?*' matches every name. Write what the names begin with, such as 'payments-*'",
        ),
        (
            {"layers": ("arn:aws:lambda:*:*:layer:payments-*:*",)},
            (
                "layers: 'arn:aws:lambda:*:*:layer:payments-*:*' cannot be used. Write it like "
                "'arn:aws:lambda:*:222222222222:layer:payments-*:*', with the account in full"
            ),
        ),
        (
            {"pass_roles_to": ("cloudformation.amazonaws.com",)},
            (
                "pass_roles_to: cloudformation.amazonaws.com would let a pipeline choose the role that deploys in its "
                "place. Bootstrap CloudFormation's role with the permissions boundary instead"
            ),
        ),
        ({"pass_roles_to": ("*",)}, "pass_roles_to: '*' cannot be used. Write it like 'lambda.amazonaws.com'"),
        ({"pass_roles_to": ()}, "pass_roles_to: is empty. Write at least one"),
        (
            {"invoking_principals": ("*",)},
            "invoking_principals: '*' cannot be used. Write 12 digits or the ARN of one role",
        ),
        (
            {"pipeline_services": ("lambda",)},
            "pipeline_services: 'lambda' would open what the boundary lists action by action. Leave it away",
        ),
        (
            {"pipeline_services": ("iam:Create*",)},
            "pipeline_services: 'iam:Create*' would open what the boundary lists action by action. Leave it away",
        ),
        (
            {"pipeline_services": ("*",)},
            "pipeline_services: '*' cannot be used. Write a prefix such as 'dynamodb' or 'ec2:Describe*'",
        ),
        ({"remediator_role": "*"}, "remediator_role: '*' cannot be used. Write a role's name"),
        ({"quarantine_tag": "a b"}, "quarantine_tag: 'a b' cannot be used. Write a tag key without spaces"),
    ],
)
def test_contradictory_intent_is_refused_with_the_field_the_value_and_the_remedy(changes: dict, message: str) -> None:
    with pytest.raises(GuardrailError) as refusal:
        GuardrailIntent(**{**MINIMAL, **changes})
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        ({"partition": "aws-moon"}, "partition: 'aws-moon' is not known. Use one of aws, aws-cn"),
        ({"approved_configs": ("csc-1",)}, "approved_configs: 'csc-1' is not an ARN"),
        (
            {"signing_profiles": ("arn:aws:signer:eu-west-1:222222222222:/signing-profile/x",)},
            "signing_profiles: 'arn:aws:signer:eu-west-1:222222222222:/signing-profile/x' says",
        ),
    ],
)
def test_wrong_arns_and_partitions_are_refused(changes: dict, beginning: str) -> None:
    with pytest.raises(GuardrailError) as refusal:
        GuardrailIntent(**{**MINIMAL, **changes})
    assert str(refusal.value).startswith(beginning)


def test_tokens_pass_through_unread_and_stand_in_the_documents() -> None:
    account, region, config = "${Token[AWS.AccountId.3]}", "${Token[AWS.Region.4]}", "${Token[TOKEN.25]}"
    partition = "${Token[AWS.Partition.5]}"
    intent = GuardrailIntent(
        **{**MINIMAL, "partition": partition, "account": account, "regions": (region,), "approved_configs": (config,)}
    )
    boundary = permissions_boundary(intent)
    for documents in (developer_policies(intent), (boundary,)):
        text = "".join(document.to_json() for document in documents)
        assert f'"arn:{partition}:iam::{account}:policy/acme-guardrail-*"' in text
        assert f'"lambda:CodeSigningConfigArn":"{config}"' in text
        assert f'"arn:{partition}:lambda:{region}:*:function:*"' in text
        assert all(document.characters <= 6_144 for document in documents)
    assert intent.boundary_name == f"acme-guardrail-payments-boundary-{region}"


def test_names_carry_the_region_and_stand_under_the_protected_pattern() -> None:
    names = [INTENT.boundary_name, INTENT.developer_policy_name(1), INTENT.service_control_policy_name(2)]
    assert names == [
        "acme-guardrail-payments-boundary-eu-west-1",
        "acme-guardrail-payments-developer-eu-west-1-1",
        "acme-guardrail-2",
    ]
    for name in names[:2]:
        assert glob(INTENT.guardrail_arns(ACCOUNT), f"arn:aws:iam::{ACCOUNT}:policy/{name}")
    assert glob(INTENT.boundary_arns, f"arn:aws:iam::{ACCOUNT}:policy/{INTENT.boundary_name}")


def test_the_default_services_exist_and_none_is_lambda_under_another_name() -> None:
    for entry in DEFAULT_PIPELINE_SERVICES:
        service, _, pattern = entry.partition(":")
        known = DATA.actions.get_actions_for_service(service) if DATA.services.service_exists(service) else []
        assert any(glob(pattern or "*", name) for name in known), entry
    assert not [entry for entry in DEFAULT_PIPELINE_SERVICES if entry.startswith("lambda")]


def test_without_an_approved_config_only_the_service_control_policy_can_be_made() -> None:
    intent = replace(INTENT, approved_configs=())
    assert service_control_policies(intent) == service_control_policies(INTENT)
    for make in (developer_policies, permissions_boundary):
        with pytest.raises(GuardrailError, match="approved_configs: is empty"):
            make(intent)


@pytest.mark.parametrize(
    ("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-eusc", "eusc-de-east-1")]
)
def test_documents_of_other_partitions_hold_no_arn_of_this_one(partition: str, region: str) -> None:
    config = APPROVED.replace("arn:aws:", f"arn:{partition}:").replace("eu-west-1", region)
    intent = GuardrailIntent(**{**MINIMAL, "partition": partition, "regions": (region,), "approved_configs": (config,)})
    documents = (*developer_policies(intent), permissions_boundary(intent), *service_control_policies(intent))
    assert not [document for document in documents if "arn:aws:" in document.to_json()]


@pytest.mark.parametrize(
    ("partition", "suffixes"),
    [("aws", ["com"]), ("aws-us-gov", ["com"]), ("aws-cn", ["com", "com.cn"]), ("aws-eusc", ["com", "eu"])],
)
def test_services_are_named_as_the_partition_names_them(partition: str, suffixes: list[str]) -> None:
    regions = {"aws": "eu-west-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
    intent = GuardrailIntent(
        **{**MINIMAL, "partition": partition, "regions": (regions[partition],), "approved_configs": ()}
    )
    found = [
        condition.values
        for document in service_control_policies(intent)
        for statement in document.statements
        for condition in statement.conditions
        if condition.key == "lambda:Principal"
    ]
    assert found == [tuple(f"*.amazonaws.{suffix}" for suffix in suffixes)]


def test_a_document_that_does_not_fit_names_its_size_the_limit_and_what_to_shorten() -> None:
    many = tuple(f"payments-{number:03}-of-the-long-names-*" for number in range(80))
    with pytest.raises(GuardrailError) as refusal:
        permissions_boundary(replace(INTENT, functions=many))
    assert str(refusal.value).startswith("the permissions boundary has 11,")
    assert "AWS takes 6,144 in a permissions boundary. The 80 entries of functions take most of it" in str(
        refusal.value
    )
    half = developer_policies(replace(INTENT, functions=many[:40]))
    assert 2 < len(half) <= 10, "what does not fit into one managed policy is split"
    assert all(document.characters <= 6_144 for document in half)


def test_the_advice_counts_what_would_be_saved() -> None:
    services = tuple(f"service{number:04}" for number in range(400))
    with pytest.raises(GuardrailError) as refusal:
        permissions_boundary(replace(INTENT, pipeline_services=services))
    assert "The 400 entries of pipeline_services take most of it: with the first alone it would have 6,3" in str(
        refusal.value
    )


def test_every_document_is_the_same_each_time() -> None:
    shuffled = replace(INTENT, functions=INTENT.functions[::-1], execution_roles=INTENT.execution_roles[::-1])
    assert permissions_boundary(shuffled) == permissions_boundary(INTENT)
    assert [document.to_json() for document in service_control_policies(INTENT)] == [
        document.to_json() for document in service_control_policies(INTENT)
    ]


def test_policies_that_outgrow_even_several_documents_name_the_list_to_shorten() -> None:
    many = tuple(f"payments-{number:04}-of-the-very-long-names-*" for number in range(500))
    with pytest.raises(GuardrailError, match=r"10 x 6,144 in a managed policy\. The 500 entries of functions"):
        developer_policies(replace(INTENT, functions=many))
    with pytest.raises(GuardrailError, match=r"4 x 5,120 .*\. The 500 entries of exempt_functions"):
        service_control_policies(replace(INTENT, exempt_functions=many))


def test_the_advice_where_no_list_can_be_shortened_is_to_shorten_names() -> None:
    intent = GuardrailIntent(**{**MINIMAL, "pipeline_services": ("s3",)})
    assert advice(intent, lambda _: 0) == "Every list of the intent has one entry already: shorten the names"


def test_a_signing_profile_may_be_a_token() -> None:
    token = "${Token[TOKEN.31]}"
    intent = replace(INTENT, signing_profiles=(token,))
    assert f'"NotResource":"{token}"' in permissions_boundary(intent).to_json()
