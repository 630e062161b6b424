"""LambdaSigningProfile: names, generations, retention, grants and imports."""

import gc
import json
import re
from pathlib import Path
from typing import get_args, get_type_hints

import aws_cdk as cdk
import botocore.loaders
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.arns import RoleArn, SigningProfileVersionArn
from constructs_pkg.cdk import LambdaSigningProfile, RecordedProfile
from constructs_pkg.cdk.profile_permission import ProfileAction
from constructs_pkg.errors import ConstructError
from constructs_pkg.validity import Validity, ValidityUnit

CENTRAL = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Central/AbCdEf1234"
ROLE = "arn:aws:iam::444455556666:role/release-pipeline"
NEXT_GENERATION = (
    "add the next generation beside it, and list both in the code signing configs until the old one retires"
)


def resources(template, kind):
    return {name: it for name, it in template["Resources"].items() if it["Type"] == kind}


def only(template, kind):
    (resource,) = resources(template, kind).values()
    return resource


def parameter(stack, name="Value", kind="String"):
    return cdk.CfnParameter(stack, name, type=kind)


# What is made


def test_the_template_holds_the_profile_its_parameter_and_its_output_and_nothing_else(stack, template_of):
    LambdaSigningProfile(stack, "PaymentsG2", name_prefix="payments", generation=2, validity=Validity(24, "MONTHS"))
    template = template_of(stack)
    version_arn = {"Fn::GetAtt": ["PaymentsG2C5C4073A", "ProfileVersionArn"]}
    assert template == {
        "Resources": {
            "PaymentsG2C5C4073A": {
                "Type": "AWS::Signer::SigningProfile",
                "Properties": {
                    "PlatformId": "AWSLambda-SHA384-ECDSA",
                    "ProfileName": "payments_g2",
                    "SignatureValidityPeriod": {"Type": "MONTHS", "Value": 24},
                },
                "UpdateReplacePolicy": "Retain",
                "DeletionPolicy": "Retain",
            },
            "PaymentsG2Parameter39AA0CAD": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {
                    "Description": "Version ARN of the signing profile payments_g2",
                    "Name": "/lambda-code-signing/signing-profiles/payments_g2/version-arn",
                    "Type": "String",
                    "Value": version_arn,
                },
            },
        },
        "Outputs": {
            "PaymentsG2VersionArn6B9C5F62": {
                "Description": "Version ARN of the signing profile",
                "Value": version_arn,
            }
        },
    }


def test_the_template_passes_cfn_lint_with_every_kind_of_grant(stack, template_of, lint):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    profile.grant_sign("444455556666")
    profile.grant_read(ROLE)
    profile.grant_revoke(parameter(stack).value_as_string)
    assert lint(template_of(stack)) == []


def test_feature_flags_do_not_change_a_template(apps_without_and_with_flags, template_of):
    templates = []
    for app in apps_without_and_with_flags:
        stack = cdk.Stack(app, "Stack")
        profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
        profile.grant_sign(iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
        LambdaSigningProfile.from_version_arn(stack, "Imported", CENTRAL)
        templates.append(template_of(stack))
    assert templates[0] == templates[1]


def test_the_attributes_are_those_that_cloudformation_returns(stack):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=3)
    logical_id = stack.get_logical_id(profile.l1)
    assert (profile.profile_name, profile.generation, profile.validity) == ("payments_g3", 3, Validity(135, "MONTHS"))
    assert stack.resolve([profile.profile_arn, profile.profile_version, profile.profile_version_arn]) == [
        {"Fn::GetAtt": [logical_id, "Arn"]},
        {"Fn::GetAtt": [logical_id, "ProfileVersion"]},
        {"Fn::GetAtt": [logical_id, "ProfileVersionArn"]},
    ]
    assert profile.node.default_child is profile.l1


@pytest.mark.parametrize(
    ("validity", "expected"),
    [
        (Validity(1, "DAYS"), {"Type": "DAYS", "Value": 1}),
        (Validity(11, "YEARS"), {"Type": "YEARS", "Value": 11}),
    ],
)
def test_the_validity_keeps_its_unit(stack, template_of, validity, expected):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1, validity=validity)
    profile = only(template_of(stack), "AWS::Signer::SigningProfile")
    assert profile["Properties"]["SignatureValidityPeriod"] == expected


def test_a_validity_in_words_is_refused_before_anything_is_declared(stack):
    with pytest.raises(ConstructError, match=r"^validity='12 months' is no Validity\. Write Validity\.parse"):
        LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1, validity="12 months")
    assert stack.node.children == []


def test_removal_cancels_the_profile_only_where_that_is_asked_for_by_name(stack, template_of):
    LambdaSigningProfile(stack, "Kept", name_prefix="kept", generation=1)
    LambdaSigningProfile(stack, "Thrown", name_prefix="thrown", generation=1, cancel_forever_when_removed=True)
    profiles = resources(template_of(stack), "AWS::Signer::SigningProfile").values()
    policies = {it["Properties"]["ProfileName"]: (it["DeletionPolicy"], it["UpdateReplacePolicy"]) for it in profiles}
    assert policies == {"kept_g1": ("Retain", "Retain"), "thrown_g1": ("Delete", "Delete")}


def test_the_parameter_s_name_can_be_chosen(stack, template_of):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1, parameter_name="/release/profile")
    assert only(template_of(stack), "AWS::SSM::Parameter")["Properties"]["Name"] == "/release/profile"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "no-slash",
        "/",
        "/a//b",
        "/a/",
        "/with space",
        "/ends-in-newline\n",
        "/a" * 16,
        "/" + "a" * 1000,
    ],
)
def test_a_parameter_name_that_ssm_refuses_is_refused(stack, name):
    with pytest.raises(ConstructError, match=r"^parameter_name=.* is not a name for SSM: begin with '/'"):
        LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1, parameter_name=name)


@pytest.mark.parametrize("name", ["/aws/profile", "/SSM/profile"])
def test_a_parameter_name_that_aws_reserves_is_refused(stack, name):
    with pytest.raises(ConstructError, match="begins with '/aws' or '/ssm', which AWS reserves"):
        LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1, parameter_name=name)


# Names, generations and the record


@pytest.mark.parametrize("prefix", ["", "with-hyphen", "with space", "é", "a" * 62, "newline\n"])
def test_a_name_that_signer_refuses_is_refused(stack, prefix):
    with pytest.raises(ConstructError, match="AWS Signer takes 2 to 64 letters, digits and underscores") as caught:
        LambdaSigningProfile(stack, "Profile", name_prefix=prefix, generation=1)
    assert str(caught.value).startswith(f"name_prefix={prefix!r} ")


def test_a_name_of_64_characters_is_taken(stack):
    assert len(LambdaSigningProfile(stack, "P", name_prefix="a" * 61, generation=1).profile_name) == 64


@pytest.mark.parametrize("generation", [0, -1, True, 1.0, "1", None])
def test_a_generation_that_is_not_counted_from_one_is_refused(stack, generation):
    with pytest.raises(ConstructError, match=r"is not a whole number from 1 on. The first generation is 1"):
        LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=generation)


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (
            RecordedProfile(Validity(12, "MONTHS")),
            (
                "validity=135 months contradicts the 12 months that 'payments_g1' is recorded with: "
                f"AWS Signer cannot change the validity of a profile; {NEXT_GENERATION}"
            ),
        ),
        (
            RecordedProfile(Validity(135, "MONTHS"), platform_id="Notation-OCI-SHA384-ECDSA"),
            (
                "profile name='payments_g1' is recorded with the platform Notation-OCI-SHA384-ECDSA, "
                "which cannot be changed to AWSLambda-SHA384-ECDSA; use another name_prefix"
            ),
        ),
        (
            RecordedProfile(Validity(135, "MONTHS"), status="Canceled"),
            (
                "profile name='payments_g1' is recorded as Canceled, "
                f"and AWS Signer never lets a name be used again; {NEXT_GENERATION}"
            ),
        ),
        (
            RecordedProfile(Validity(135, "MONTHS"), status="Revoked"),
            (
                "profile name='payments_g1' is recorded as Revoked, "
                f"and AWS Signer never lets a name be used again; {NEXT_GENERATION}"
            ),
        ),
    ],
)
def test_what_signer_cannot_change_about_a_recorded_profile_is_refused(stack, recorded, message):
    with pytest.raises(ConstructError) as caught:
        LambdaSigningProfile(stack, "P", name_prefix="payments", generation=1, recorded={"payments_g1": recorded})
    assert str(caught.value) == message


def test_an_unchanged_recorded_profile_and_a_new_generation_are_taken(stack):
    recorded = {"payments_g1": RecordedProfile(Validity(12, "MONTHS"))}
    first = LambdaSigningProfile(
        stack, "G1", name_prefix="payments", generation=1, validity=Validity(12, "MONTHS"), recorded=recorded
    )
    second = LambdaSigningProfile(stack, "G2", name_prefix="payments", generation=2, recorded=recorded)
    assert [first.profile_name, second.profile_name] == ["payments_g1", "payments_g2"]


def test_one_name_twice_in_an_account_and_region_is_refused_across_stacks(app, stack):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    other = cdk.Stack(app, "Other", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    with pytest.raises(ConstructError) as caught:
        LambdaSigningProfile(other, "Profile", name_prefix="payments", generation=1)
    assert str(caught.value) == (
        "profile name=payments_g1 in 111122223333/eu-west-1 is already that of Stack/Profile. "
        "Count generation up, or use another name_prefix"
    )


def test_one_name_twice_is_refused_in_a_stack_whose_environment_is_unknown_and_in_its_nested_stacks(agnostic_stack):
    LambdaSigningProfile(agnostic_stack, "Profile", name_prefix="payments", generation=1)
    nested = cdk.NestedStack(cdk.NestedStack(agnostic_stack, "Nested"), "Deeper")
    with pytest.raises(ConstructError, match="payments_g1 in stack Agnostic is already that of Agnostic/Profile"):
        LambdaSigningProfile(nested, "Profile", name_prefix="payments", generation=1)


def test_one_name_is_free_in_other_regions_accounts_and_unknown_environments(app, stack):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    environments = [
        cdk.Environment(account="111122223333", region="eu-central-1"),
        cdk.Environment(account="444455556666", region="eu-west-1"),
        None,
        None,
    ]
    for number, environment in enumerate(environments):
        LambdaSigningProfile(
            cdk.Stack(app, f"Stack{number}", env=environment), "Profile", name_prefix="payments", generation=1
        )


def test_a_claim_survives_the_python_object_that_made_it(stack):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    gc.collect()
    with pytest.raises(ConstructError, match="is already that of Stack/Profile"):
        LambdaSigningProfile(stack, "Again", name_prefix="payments", generation=1)


def test_claims_stay_out_of_the_cloud_assembly(app, stack):
    LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    assembly = app.synth()
    texts = [path.read_text() for path in Path(assembly.directory).iterdir() if path.is_file()]
    assert len(texts) >= 3
    assert [text for text in texts if "claimed-name" in text] == []


# Regions


@pytest.mark.parametrize("region", ["eu-central-2", "il-central-1", "us-iso-east-1"])
def test_a_region_without_signer_is_refused(app, region):
    stack = cdk.Stack(app, "Zurich", env=cdk.Environment(account="111122223333", region=region))
    with pytest.raises(ConstructError, match=f"^env.region='{region}' of the stack Zurich has no AWS Signer"):
        LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)


def test_a_region_newer_than_the_table_passes(app):
    stack = cdk.Stack(app, "New", env=cdk.Environment(account="111122223333", region="eu-west-9"))
    assert LambdaSigningProfile(stack, "P", name_prefix="payments", generation=1).profile_name == "payments_g1"


# Tokens


def test_tokens_are_passed_through(agnostic_stack, template_of, lint):
    prefix, generation = parameter(agnostic_stack, "Prefix"), parameter(agnostic_stack, "Generation", "Number")
    path = parameter(agnostic_stack, "Path")
    profile = LambdaSigningProfile(
        agnostic_stack,
        "Profile",
        name_prefix=prefix.value_as_string,
        generation=generation.value_as_number,
        parameter_name=path.value_as_string,
        recorded={"payments_g1": RecordedProfile(Validity(1, "DAYS"), status="Canceled")},
    )
    profile.grant_sign(cdk.Aws.ACCOUNT_ID)
    template = template_of(agnostic_stack)
    properties = only(template, "AWS::Signer::SigningProfile")["Properties"]
    assert properties["ProfileName"] == {"Fn::Join": ["", [{"Ref": "Prefix"}, "_g", {"Ref": "Generation"}]]}
    assert only(template, "AWS::SSM::Parameter")["Properties"]["Name"] == {"Ref": "Path"}
    assert only(template, "AWS::Signer::ProfilePermission")["Properties"]["Principal"] == {"Ref": "AWS::AccountId"}
    assert lint(template) == []


# Grants


def test_grants_allow_one_action_to_one_principal_each_and_wait_for_the_one_before(stack, template_of):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    profile.grant_sign("444455556666")
    profile.grant_read(ROLE)
    profile.grant_revoke(RoleArn.parse(ROLE))
    permissions = resources(template_of(stack), "AWS::Signer::ProfilePermission")
    name = {"Fn::GetAtt": [stack.get_logical_id(profile.l1), "ProfileName"]}
    assert [it["Properties"] for it in permissions.values()] == [
        {
            "Action": "signer:StartSigningJob",
            "Principal": "444455556666",
            "ProfileName": name,
            "StatementId": "Sign-444455556666",
        },
        {
            "Action": "signer:GetSigningProfile",
            "Principal": ROLE,
            "ProfileName": name,
            "StatementId": "Read-444455556666-release-pipeline-511df7fa",
        },
        {
            "Action": "signer:RevokeSignature",
            "Principal": ROLE,
            "ProfileName": name,
            "StatementId": "Revoke-444455556666-release-pipeline-511df7fa",
        },
    ]
    first, second, _third = permissions
    assert [it.get("DependsOn") for it in permissions.values()] == [None, [first], [second]]


def test_granting_twice_makes_one_permission(stack, template_of):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    assert profile.grant_sign("444455556666") is profile.grant_sign("444455556666")
    assert profile.grant_sign(ROLE) is profile.grant_sign(RoleArn.parse(ROLE))
    assert len(resources(template_of(stack), "AWS::Signer::ProfilePermission")) == 2


def test_role_names_that_look_alike_in_a_statement_id_stay_apart(stack, template_of):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    profile.grant_sign("arn:aws:iam::444455556666:role/ci.main")
    profile.grant_sign("arn:aws:iam::444455556666:role/ci+main")
    permissions = resources(template_of(stack), "AWS::Signer::ProfilePermission").values()
    assert len({it["Properties"]["StatementId"] for it in permissions}) == 2


def test_roles_of_cdk_are_principals(stack, template_of):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    own = iam.Role(stack, "Own", assumed_by=iam.AccountRootPrincipal())
    profile.grant_sign(own)
    profile.grant_read(iam.Role.from_role_arn(stack, "Imported", ROLE))
    permissions = resources(template_of(stack), "AWS::Signer::ProfilePermission").values()
    role_arn = {"Fn::GetAtt": [stack.get_logical_id(own.node.default_child), "Arn"]}
    assert [it["Properties"]["Principal"] for it in permissions] == [role_arn, ROLE]


def test_statement_ids_of_tokens_are_the_same_in_every_synthesis(apps_without_and_with_flags, template_of):
    statement_ids = []
    for app in apps_without_and_with_flags:
        stack = cdk.Stack(app, "Stack")
        # The numbers in CDK's tokens differ between the two: the statement id must not hang on them.
        profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
        profile.grant_sign(parameter(stack, "First").value_as_string)
        profile.grant_sign(parameter(stack, "Second").value_as_string)
        permissions = resources(template_of(stack), "AWS::Signer::ProfilePermission").values()
        statement_ids.append([it["Properties"]["StatementId"] for it in permissions])
    assert statement_ids[0] == statement_ids[1]
    assert len(set(statement_ids[0])) == 2


def principals_with_a_path(stack):
    yield "arn:aws:iam::444455556666:role/ci/release", "'/ci/'", "grant to the account (444455556666)"
    yield RoleArn.parse("arn:aws:iam::444455556666:role/a/b/release"), "'/a/b/'", "grant to the account (444455556666)"
    imported = iam.Role.from_role_arn(stack, "ImportedRole", "arn:aws:iam::444455556666:role/ci/release")
    yield imported, "'/ci/'", "grant to the account (444455556666)"
    own = iam.Role(stack, "OwnRole", assumed_by=iam.AccountRootPrincipal(), path="/ci/")
    yield own, "'/ci/'", "grant to the account (its account)"


def test_a_role_with_a_path_is_refused_with_the_account_as_the_way_out(stack):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    for principal, path, remedy in principals_with_a_path(stack):
        for grant in (profile.grant_sign, profile.grant_read, profile.grant_revoke):
            with pytest.raises(ConstructError, match="which AWS Signer's AddProfilePermission refuses") as caught:
                grant(principal)
            assert f"is a role with the path {path}" in str(caught.value)
            assert remedy in str(caught.value)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        "",
        "1234",
        "1234567890123",
        "444455556666\n",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:user/alice",
        "arn:aws:sts::444455556666:assumed-role/ci/session",
        "arn:aws:iam::444455556666:role/*",
        "lambda.amazonaws.com",
    ],
)
def test_whatever_is_neither_an_account_nor_a_role_is_refused(stack, principal):
    profile = LambdaSigningProfile(stack, "Profile", name_prefix="payments", generation=1)
    with pytest.raises(ConstructError, match="is neither a 12-digit account id nor the ARN of an IAM role"):
        profile.grant_sign(principal)


# Imports


def test_an_imported_profile_has_the_parts_of_its_arn(stack):
    profile = LambdaSigningProfile.from_version_arn(stack, "Central", SigningProfileVersionArn.parse(CENTRAL))
    assert (
        profile.profile_name,
        profile.profile_arn,
        profile.profile_version,
        profile.profile_version_arn,
        profile.env.account,
        profile.env.region,
    ) == (
        "Central",
        "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Central",
        "AbCdEf1234",
        CENTRAL,
        "999999999999",
        "eu-west-1",
    )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        (CENTRAL.rsplit("/", 1)[0], "is a signing profile ARN, not a signing profile version ARN"),
        (CENTRAL.replace(":/signing", "://signing"), "has two slashes before 'signing-profiles'"),
        (CENTRAL.rsplit("/", 1)[0] + "/", "has no version after the last '/'"),
        (CENTRAL.replace("profiles", "profile"), "says 'signing-profile'. Write ':/signing-profiles/', in the plural"),
        (CENTRAL[:-1], "has the version 'AbCdEf123' of 9 characters"),
        ("Central", "'Central' is not an ARN"),
    ],
)
def test_each_mistake_in_an_imported_arn_has_its_own_message(stack, arn, message):
    with pytest.raises(ConstructError) as caught:
        LambdaSigningProfile.from_version_arn(stack, "Central", arn)
    assert str(caught.value).startswith("version_arn: ")
    assert message in str(caught.value)


def test_an_imported_token_is_taken_apart_by_cloudformation(stack):
    profile = LambdaSigningProfile.from_version_arn(stack, "Central", parameter(stack).value_as_string)
    pieces = {"Fn::Split": ["/", {"Ref": "Value"}]}
    assert stack.resolve(
        [profile.profile_name, profile.profile_arn, profile.profile_version, profile.profile_version_arn]
    ) == [
        {"Fn::Select": [2, pieces]},
        {"Fn::Join": ["/", [{"Fn::Select": [0, pieces]}, {"Fn::Select": [1, pieces]}, {"Fn::Select": [2, pieces]}]]},
        {"Fn::Select": [3, pieces]},
        {"Ref": "Value"},
    ]


def test_a_grant_on_an_imported_profile_is_refused_with_the_reason(stack):
    profile = LambdaSigningProfile.from_version_arn(stack, "Central", CENTRAL)
    for grant in (profile.grant_sign, profile.grant_read, profile.grant_revoke):
        with pytest.raises(ConstructError) as caught:
            grant("444455556666")
        assert str(caught.value) == (
            f"{grant.__name__}(444455556666) on the imported signing profile {CENTRAL}: the permissions of a profile "
            "belong to its own account and Region. Call it on the LambdaSigningProfile in the stack that makes it"
        )


def test_own_and_imported_profiles_are_signing_profiles_for_aws_cdk_lib(stack, template_of):
    own = LambdaSigningProfile(stack, "Own", name_prefix="payments", generation=1)
    imported = LambdaSigningProfile.from_version_arn(stack, "Central", CENTRAL)
    lambda_.CodeSigningConfig(stack, "Config", signing_profiles=[own, imported])
    config = only(template_of(stack), "AWS::Lambda::CodeSigningConfig")
    assert config["Properties"]["AllowedPublishers"]["SigningProfileVersionArns"] == [
        {"Fn::GetAtt": [stack.get_logical_id(own.l1), "ProfileVersionArn"]},
        CENTRAL,
    ]
    for profile in (own, imported):
        assert json.dumps(
            [
                profile.signing_profile_name,
                profile.signing_profile_arn,
                profile.signing_profile_version,
                profile.signing_profile_version_arn,
                profile.signing_profile_ref.signing_profile_arn,
            ]
        ) == json.dumps(
            [
                profile.profile_name,
                profile.profile_arn,
                profile.profile_version,
                profile.profile_version_arn,
                profile.profile_arn,
            ]
        )


# Facts about AWS, against the installed service model


def test_units_statuses_and_actions_are_those_of_signer_s_service_model():
    shapes = botocore.loaders.Loader().load_service_model("signer", "service-2")["shapes"]
    status = get_type_hints(RecordedProfile)["status"]
    assert set(shapes["ValidityType"]["enum"]) == set(get_args(ValidityUnit))
    assert set(shapes["SigningProfileStatus"]["enum"]) == set(get_args(status))
    documented = re.findall(
        "<code>(signer:[A-Za-z]+)</code>", shapes["AddProfilePermissionRequest"]["members"]["action"]["documentation"]
    )
    assert set(documented) - {"signer:SignPayload"} == set(get_args(ProfileAction))
