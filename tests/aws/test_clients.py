"""boto3's errors become ours, with a code and a remedy; clients are made once."""

import boto3.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.cli import main as command_line
from constructs_pkg.errors import AwsError

KEYS = {"aws_access_key_id": "444444444403", "aws_secret_access_key": "test"}


def test_a_client_is_made_once_for_each_service_and_region() -> None:
    clients = Clients(boto3.session.Session(**KEYS, region_name="eu-west-1"))
    assert clients.client("signer") is clients.client("signer")
    assert clients.client("signer", "us-east-1") is not clients.client("signer")
    assert clients.client("signer", "us-east-1").meta.region_name == "us-east-1"


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-central-1"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-central-1"}, "eu-central-1"),
    ],
)
def test_the_region_of_the_environment_has_both_names_of_aws(monkeypatch, environment, region) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Clients().client("signer").meta.region_name == region


def test_a_missing_region_is_told_with_the_remedy(monkeypatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(
        AwsError, match=r"^cannot open a client for signer: You must specify a region\. Export AWS_REGION$"
    ) as caught:
        Clients(boto3.session.Session(**KEYS)).client("signer")
    assert caught.value.code == "NoRegionError"


@pytest.mark.parametrize(
    ("raised", "code", "remedy"),
    [
        (NoCredentialsError(), "NoCredentialsError", "aws sso login"),
        (EndpointConnectionError(endpoint_url="https://signer.invalid"), "EndpointConnectionError", "network"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "X"), "ExpiredToken", "log in again"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "X"), "AccessDenied", "explain"),
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "X"), "ThrottlingException", "later"),
    ],
)
def test_an_error_of_aws_names_what_was_tried_and_the_remedy(raised, code, remedy) -> None:
    with pytest.raises(AwsError, match=f"^cannot sign app.zip: .*{remedy}") as caught, aws_errors("sign app.zip"):
        raise raised
    assert caught.value.code == code


def test_an_error_without_a_standing_remedy_ends_with_the_words_of_aws() -> None:
    error = ClientError({"Error": {"Code": "ConflictException", "Message": "busy"}}, "X")
    with (
        pytest.raises(AwsError, match=r"^cannot sign app\.zip: ConflictException: busy\.$"),
        aws_errors("sign app.zip"),
    ):
        raise error


def test_a_command_that_cannot_reach_aws_ends_without_verdict(monkeypatch, capsys) -> None:
    def unreachable(_words: list[str]) -> int:
        raise AwsError("EndpointConnectionError", "cannot list functions: no route")

    monkeypatch.setattr(command_line, "_run", unreachable)
    assert command_line.main(["promote"]) == 3
    assert capsys.readouterr().err == "Error: cannot list functions: no route\n"
