"""The API of code signing configs: every operation, through botocore's own parser, and its refusals."""

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.code_builders import archive

PUBLISHER = "arn:aws:signer:us-east-1:999999999999:/signing-profiles/Somebody/a1B2c3D4e5"
OTHER = "arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Another/a1B2c3D4e5"


def code_of(call, *arguments, **keywords):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **keywords)
    return caught.value.response["Error"]["Code"]


def without_metadata(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def publishers(*arns):
    return {"SigningProfileVersionArns": list(arns)}


def test_a_config_is_made_with_a_publisher_that_nobody_knows_and_warns_by_default(desk):
    made = desk.lambda_.create_code_signing_config(
        Description="d", AllowedPublishers=publishers(PUBLISHER), Tags={"team": "a"}
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    config = made["CodeSigningConfig"]
    arn = config["CodeSigningConfigArn"]
    assert arn == f"arn:aws:lambda:eu-west-1:{desk.account}:code-signing-config:{config['CodeSigningConfigId']}"
    expected = {
        "CodeSigningConfigId": config["CodeSigningConfigId"],
        "CodeSigningConfigArn": arn,
        "Description": "d",
        "AllowedPublishers": publishers(PUBLISHER),
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"},
        "LastModified": config["LastModified"],
    }
    assert config == expected
    assert desk.lambda_.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == expected
    assert desk.lambda_.list_code_signing_configs()["CodeSigningConfigs"] == [expected]
    assert desk.lambda_.list_tags(Resource=arn)["Tags"] == {"team": "a"}


def test_an_update_keeps_what_is_left_out_or_empty(desk):
    arn = desk.config(PUBLISHER)
    update = desk.lambda_.update_code_signing_config
    kept = update(CodeSigningConfigArn=arn, CodeSigningPolicies={})["CodeSigningConfig"]
    assert kept["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
    changed = update(
        CodeSigningConfigArn=arn,
        Description="new",
        AllowedPublishers=publishers(OTHER),
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"},
    )["CodeSigningConfig"]
    assert (changed["Description"], changed["AllowedPublishers"], changed["CodeSigningPolicies"]) == (
        "new",
        publishers(OTHER),
        {"UntrustedArtifactOnDeployment": "Warn"},
    )


def test_tags_of_a_config_and_of_a_function_do_not_meet(desk):
    arn = desk.config(PUBLISHER)
    function = desk.function(Tags={"of": "function"})["FunctionArn"]
    desk.lambda_.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    desk.lambda_.untag_resource(Resource=arn, TagKeys=["a"])
    assert desk.lambda_.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    assert desk.lambda_.list_tags(Resource=function)["Tags"] == {"of": "function"}


def test_a_config_in_use_cannot_be_deleted_and_is_deleted_once_it_is_not(desk):
    arn = desk.config(PUBLISHER, mode="Warn")
    function = desk.function(config=arn)
    delete = desk.lambda_.delete_code_signing_config
    assert code_of(delete, CodeSigningConfigArn=arn) == "ResourceConflictException"
    assert desk.lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == [
        function["FunctionArn"]
    ]
    desk.lambda_.delete_function_code_signing_config(FunctionName=function["FunctionName"])
    assert desk.lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []
    assert delete(CodeSigningConfigArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (delete, desk.lambda_.get_code_signing_config, desk.lambda_.update_code_signing_config):
        assert code_of(call, CodeSigningConfigArn=arn) == "ResourceNotFoundException"


def test_the_config_of_a_function_is_put_shown_and_taken_away(desk):
    arn = desk.config(PUBLISHER, mode="Warn")
    name = desk.function()["FunctionName"]
    get = desk.lambda_.get_function_code_signing_config
    assert without_metadata(get(FunctionName=name)) == {"FunctionName": name, "CodeSigningConfigArn": ""}
    put = desk.lambda_.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
    assert without_metadata(put) == {"FunctionName": name, "CodeSigningConfigArn": arn}
    full = f"arn:aws:lambda:eu-west-1:{desk.account}:function:{name}"
    for reference in (name, full, f"{desk.account}:function:{name}"):
        assert without_metadata(get(FunctionName=reference)) == {"FunctionName": name, "CodeSigningConfigArn": arn}
    assert (
        desk.lambda_.delete_function_code_signing_config(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    )
    assert get(FunctionName=name)["CodeSigningConfigArn"] == ""


def test_a_qualifier_is_refused_by_all_three_operations_on_a_function(desk):
    arn = desk.config(PUBLISHER, mode="Warn")
    name = desk.function(config=arn, Publish=True)["FunctionName"]
    for reference in (f"{name}:1", f"{name}:live", f"arn:aws:lambda:eu-west-1:{desk.account}:function:{name}:1"):
        for call, more in (
            (desk.lambda_.get_function_code_signing_config, {}),
            (desk.lambda_.delete_function_code_signing_config, {}),
            (desk.lambda_.put_function_code_signing_config, {"CodeSigningConfigArn": arn}),
        ):
            assert code_of(call, FunctionName=reference, **more) == "InvalidParameterValueException"


def test_functions_and_configs_that_do_not_exist_are_told_apart(desk):
    missing = f"arn:aws:lambda:eu-west-1:{desk.account}:code-signing-config:csc-{'0' * 17}"
    arn = desk.config(PUBLISHER)
    put = desk.lambda_.put_function_code_signing_config
    assert code_of(put, FunctionName="missing", CodeSigningConfigArn=arn) == "ResourceNotFoundException"
    name = desk.function()["FunctionName"]
    assert code_of(put, FunctionName=name, CodeSigningConfigArn=missing) == "CodeSigningConfigNotFoundException"


def test_a_config_is_seen_in_its_own_account_and_region_alone(desk, other_desk):
    arn = desk.config(PUBLISHER)
    elsewhere = desk.aws.client("lambda", account=desk.account, region="us-east-1")
    for client in (other_desk.lambda_, elsewhere):
        assert code_of(client.get_code_signing_config, CodeSigningConfigArn=arn) == "ResourceNotFoundException"
        assert client.list_code_signing_configs()["CodeSigningConfigs"] == []


def test_configs_are_listed_page_by_page_each_once(desk):
    made = {desk.config(PUBLISHER) for _ in range(5)}
    pages = list(desk.lambda_.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2}))
    found = [config["CodeSigningConfigArn"] for page in pages for config in page["CodeSigningConfigs"]]
    assert (len(pages), len(found), set(found)) == (3, 5, made)
    assert code_of(desk.lambda_.list_code_signing_configs, Marker="no such") == "InvalidParameterValueException"


@pytest.mark.parametrize(
    "parameters",
    [
        {"AllowedPublishers": publishers("arn:aws:signer:eu-west-1:999999999999:/signing-profiles/NoVersion")},
        {"AllowedPublishers": publishers("arn:aws:s3:::bucket")},
        {"AllowedPublishers": publishers(*(f"{PUBLISHER[:-2]}{number:02}" for number in range(21)))},
        {"AllowedPublishers": publishers(PUBLISHER), "Description": "d" * 257},
        {
            "AllowedPublishers": publishers(PUBLISHER),
            "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "enforce"},
        },
        {"AllowedPublishers": publishers(PUBLISHER), "Tags": {str(number): "" for number in range(51)}},
    ],
    ids=["profile", "bucket", "21 publishers", "description", "mode", "tags"],
)
def test_what_the_model_of_the_api_forbids_is_refused(desk, parameters):
    assert code_of(desk.lambda_.create_code_signing_config, **parameters) == "InvalidParameterValueException"
    assert desk.lambda_.list_code_signing_configs()["CodeSigningConfigs"] == []


def test_code_of_a_published_version_says_who_signed_it(desk):
    profile, publisher = desk.profile()
    code, _ = desk.signed(profile, archive())
    name = desk.function(code, desk.config(publisher), Publish=True)["FunctionName"]
    version = desk.lambda_.get_function_configuration(FunctionName=name, Qualifier="1")
    assert version["SigningProfileVersionArn"] == publisher
