"""The reference deployment: what the two stacks hold, what the summary says, and the file's road into both."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aws_cdk.assertions import Match, Template

from constructs_pkg.cdk.deployment import Deployment, declare_deployment
from constructs_pkg.errors import ConstructError
from constructs_pkg.organization import ProfileLock, Validity, read_organization
from tests.cdk.conftest import FLAGS, new_app

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, tzinfo=UTC)
EXAMPLE = (ROOT / "organization.toml").read_text("utf-8")
SINGLE_ACCOUNT = (ROOT / "examples/single-account.toml").read_text("utf-8")
OWN_PUBLISHER = EXAMPLE.replace('# publisher_account = "333333333333"', 'publisher_account = "333333333333"')


def declare(text: str = EXAMPLE, lock: ProfileLock | None = None) -> Deployment:
    organization = read_organization(text, "test.toml", at=AT)
    return declare_deployment(new_app(FLAGS), organization, lock=lock or ProfileLock(), at=AT)


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return declare()


def publishers_by_description(deployment: Deployment) -> dict[str, list]:
    template = Template.from_stack(deployment.code_signing)
    configs = template.find_resources("AWS::Lambda::CodeSigningConfig").values()
    return {
        config["Properties"]["Description"]: config["Properties"]["AllowedPublishers"]["SigningProfileVersionArns"]
        for config in configs
    }


def test_every_generation_is_a_profile_that_outlives_its_stack(deployment: Deployment) -> None:
    profiles = Template.from_stack(deployment.authority).find_resources("AWS::Signer::SigningProfile")
    assert {
        (
            profile["Properties"]["ProfileName"],
            profile["Properties"]["SignatureValidityPeriod"]["Value"],
            profile["Properties"]["SignatureValidityPeriod"]["Type"],
            profile["DeletionPolicy"],
            profile["UpdateReplacePolicy"],
        )
        for profile in profiles.values()
    } == {
        ("acme_payments_g1", 135, "MONTHS", "Retain", "Retain"),
        ("acme_payments_g2", 12, "MONTHS", "Retain", "Retain"),
        ("acme_checkout_g1", 3, "YEARS", "Retain", "Retain"),
        ("acme_customer_notices_g1", 3, "YEARS", "Retain", "Retain"),
        ("acme_code_signing_g1", 3, "YEARS", "Retain", "Retain"),
    }


def test_only_the_active_generation_can_sign(deployment: Deployment) -> None:
    template = Template.from_stack(deployment.authority).to_json()["Resources"]
    names = {key: value["Properties"].get("ProfileName") for key, value in template.items()}
    permissions = [
        (names[item["Properties"]["ProfileName"]["Fn::GetAtt"][0]], item["Properties"]["Action"])
        for item in template.values()
        if item["Type"] == "AWS::Signer::ProfilePermission"
    ]
    both = ["signer:GetSigningProfile", "signer:StartSigningJob"]
    assert sorted(permissions) == sorted(
        [("acme_payments_g2", action) for action in both for _ in range(2)]
        + [("acme_checkout_g1", action) for action in both for _ in range(2)]
        + [(name, action) for name in ("acme_customer_notices_g1", "acme_code_signing_g1") for action in both]
    )


def test_configs_enforce_and_list_accepted_generations_and_external_publishers(deployment: Deployment) -> None:
    vendor = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
    template = Template.from_stack(deployment.code_signing)
    template.all_resources_properties(
        "AWS::Lambda::CodeSigningConfig",
        {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"}},
    )
    parameters = {key: value["Default"] for key, value in template.find_parameters("*").items() if "Default" in value}

    def resolved(publisher):
        return parameters[publisher["Ref"]] if isinstance(publisher, dict) else publisher

    by_description = publishers_by_description(deployment)
    assert {name: [resolved(one) for one in publishers] for name, publishers in by_description.items()} == {
        "acme: code of payments": [
            "/lambda-code-signing/signing-profiles/acme_payments_g1/version-arn",
            "/lambda-code-signing/signing-profiles/acme_payments_g2/version-arn",
            vendor,
        ],
        "acme: code of checkout": ["/lambda-code-signing/signing-profiles/acme_checkout_g1/version-arn", vendor],
        "acme: code of customer-notices": [
            "/lambda-code-signing/signing-profiles/acme_customer_notices_g1/version-arn"
        ],
        "acme: code of code-signing": ["/lambda-code-signing/signing-profiles/acme_code_signing_g1/version-arn"],
    }


def test_parameters_are_those_that_the_authority_writes(deployment: Deployment) -> None:
    written = Template.from_stack(deployment.authority).find_resources("AWS::SSM::Parameter").values()
    read = Template.from_stack(deployment.code_signing).find_parameters(
        "*", {"Type": "AWS::SSM::Parameter::Value<String>"}
    )
    wanted = {parameter["Default"] for parameter in read.values()} - {"/cdk-bootstrap/hnb659fds/version"}
    assert wanted == {parameter["Properties"]["Name"] for parameter in written}


def test_guardrail_names_the_config_of_its_own_stack(deployment: Deployment) -> None:
    template = Template.from_stack(deployment.code_signing)
    (config,) = template.find_resources(
        "AWS::Lambda::CodeSigningConfig", {"Properties": {"Description": "acme: code of payments"}}
    )
    approved = {"Fn::GetAtt": [config, "CodeSigningConfigArn"]}
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {
            "ManagedPolicyName": "acme-guardrail-payments-developer-eu-west-1-1",
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Sid": "AllowCreation",
                                "Condition": {"StringEquals": {"lambda:CodeSigningConfigArn": approved}},
                            }
                        )
                    ]
                )
            },
        },
    )


def test_stacks_are_deployed_in_order_and_cannot_be_deleted_by_mistake(deployment: Deployment) -> None:
    assert [stack.stack_name for stack in deployment.code_signing.dependencies] == ["acme-signing-authority"]
    assert [deployment.authority.termination_protection, deployment.code_signing.termination_protection] == [True, True]


def test_single_account_has_everything_in_one_place() -> None:
    single = declare(SINGLE_ACCOUNT)
    assert {single.authority.account, single.code_signing.account} == {single.organization.security_account}
    assert set(single.code_signing.configs) == {application.name for application in single.organization.applications}


def test_publisher_account_of_its_own_lists_recorded_versions_only_and_says_what_it_left_out() -> None:
    text = OWN_PUBLISHER.replace(
        'validity = "12 months"\nstate = "active"', 'validity = "12 months"\nstate = "active"\nversion = "AbCdEf1234"'
    )
    deployment = declare(text)
    vendor = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
    recorded = "arn:aws:signer:eu-west-1:333333333333:/signing-profiles/acme_payments_g2/AbCdEf1234"
    assert deployment.authority.account == "333333333333"
    assert publishers_by_description(deployment) == {
        "acme: code of payments": [recorded, vendor],
        "acme: code of checkout": [vendor],
    }
    left_out = [
        f"{name} gets no config and no guardrail yet: no version of its publishers is known"
        for name in ("customer-notices", "code-signing")
    ]
    assert deployment.code_signing.left_out == left_out
    assert list(deployment.warnings[:2]) == left_out
    assert deployment.drift_remediation is None
    assert any("nobody looks for drift yet: code-signing has no config" in one for one in deployment.warnings)
    unknown = [warning for warning in deployment.warnings if "its version is not known here" in warning]
    assert [warning.split(": ")[1].split(" ")[0] for warning in unknown] == [
        "acme_payments_g1",
        "acme_checkout_g1",
        "acme_customer_notices_g1",
        "acme_code_signing_g1",
    ]


def test_mode_of_an_application_is_that_of_its_central_config_and_warn_is_warned_of() -> None:
    deployment = declare(EXAMPLE.replace('name = "checkout"\n', 'name = "checkout"\nmode = "Warn"\n'))
    configs = Template.from_stack(deployment.code_signing).find_resources("AWS::Lambda::CodeSigningConfig").values()
    modes = {
        properties["Description"]: properties["CodeSigningPolicies"]["UntrustedArtifactOnDeployment"]
        for properties in (config["Properties"] for config in configs)
    }
    assert modes == {
        "acme: code of payments": "Enforce",
        "acme: code of checkout": "Warn",
        "acme: code of customer-notices": "Enforce",
        "acme: code of code-signing": "Enforce",
    }
    assert any("the central config of 'checkout' only warns" in warning for warning in deployment.warnings)


def test_changed_validity_of_a_recorded_name_is_refused_before_anything_is_declared() -> None:
    lock = ProfileLock({"acme_payments_g2": Validity(24, "MONTHS")})
    with pytest.raises(ConstructError, match="acme_payments_g2"):
        declare(EXAMPLE, lock)


def test_summary_names_stacks_profiles_configs_policies_and_warnings() -> None:
    app = new_app(FLAGS)
    organization = read_organization(OWN_PUBLISHER, "test.toml", at=AT)
    deployment = declare_deployment(app, organization, lock=ProfileLock(), at=AT)
    text = deployment.summary(Path(app.synth().directory))
    for expected in (
        "acme-signing-authority       333333333333",
        "acme-code-signing-second  Enforce         2 known in 2 units  3        2",
        "The management account 111111111111 is never reached by service-managed StackSets",
        "acme_payments_g1          retiring  135 months  nobody",
        "acme-guardrail-payments-boundary-eu-west-1",
        "acme_payments_g2 is made in the account 333333333333, so its version is not known here",
        "payments     Enforce         1 of 20     observatory\n",  # counts and names the same publishers
    ):
        assert expected in text
    assert text.count("acme-guardrail-1 ") == 1
    assert json.dumps(text).isascii()
