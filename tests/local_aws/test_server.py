"""The server itself: loopback only, its own directory only, several at once, restarts, and what it survives."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.errors import LocalAwsError
from constructs_pkg.testing.local_aws import LocalAws, server
from constructs_pkg.testing.local_aws.settings import Settings, require_loopback
from tests.local_aws.code_builders import Desk, archive
from tests.unit.organization_text import GOOD

ACCOUNT = "111111111111"


def files_under(directory):
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def sockets_of(process_id):
    """The local addresses on which a process listens, as /proc shows them."""
    inodes = set()
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(str(descriptor.readlink()))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process_id}/net/{name}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].split(":")[0])
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_it_listens_on_127_0_0_1_and_nowhere_else(local_aws):
    assert sockets_of(local_aws.process_id) == {"0100007F"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "localhost", "192.168.1.1", ""])
def test_any_other_address_is_refused(host):
    with pytest.raises(LocalAwsError, match=r"127\.0\.0\.1 only"):
        require_loopback(host)


def test_two_servers_at_once_know_nothing_of_each_other(local_aws):
    with LocalAws() as other:
        assert other.port != local_aws.port
        desk = Desk(other, ACCOUNT)
        desk.config("arn:aws:signer:eu-west-1:999999999999:/signing-profiles/Somebody/a1B2c3D4e5")
        for aws, count in ((other, 1), (local_aws, 0)):
            found = aws.client("lambda", account=ACCOUNT).list_code_signing_configs()["CodeSigningConfigs"]
            assert len(found) == count


def test_a_restart_keeps_profiles_jobs_configs_functions_and_what_was_revoked(tmp_path):
    with LocalAws(state_directory=tmp_path) as aws:
        desk = Desk(aws, ACCOUNT)
        profile, publisher = desk.profile()
        config = desk.config(publisher)
        good, good_job = desk.signed(profile)
        bad, bad_job = desk.signed(profile, archive("bad = True\n"))
        desk.signer.revoke_signature(jobId=bad_job, reason="leaked")
        name = desk.function(good, config)["FunctionName"]
        first_port = aws.port
    with LocalAws(state_directory=tmp_path) as aws:
        desk = Desk(aws, ACCOUNT)
        assert (aws.port != first_port, desk.signer.describe_signing_job(jobId=good_job)["status"]) == (
            True,
            "Succeeded",
        )
        assert desk.lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=config)["FunctionArns"] == [
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}"
        ]
        update = desk.lambda_.update_function_code
        assert update(FunctionName=name, ZipFile=good)["SigningJobArn"].endswith(good_job)
        again, _ = desk.signed(profile, archive("again = True\n"))
        update(FunctionName=name, ZipFile=again)
        with pytest.raises(ClientError, match="CodeVerificationFailedException"):
            update(FunctionName=name, ZipFile=bad)


def test_without_a_state_directory_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with LocalAws() as aws:
        Desk(aws, ACCOUNT).upload(archive())
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_it_writes_inside_its_state_directory_only_whatever_keys_say(tmp_path):
    state = tmp_path / "deep" / "down" / "state"
    with LocalAws(state_directory=state) as aws:
        desk = Desk(aws, ACCOUNT)
        profile, _ = desk.profile()
        for key in ("../../../escape.zip", "/absolute.zip", "..", "a/../../../../b.zip", "%2e%2e/%2e%2e/c.zip"):
            desk.s3.put_object(Bucket=desk.bucket, Key=key, Body=archive())
        desk.job(profile, archive(), "../../../../escape.zip")
        name = desk.function()["FunctionName"]
        desk.lambda_.invoke(FunctionName=name)
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert [path.name for path in (tmp_path / "deep" / "down").iterdir()] == ["state"]
    assert not {name for name in files_under(state) if name.startswith("..")}


def raw(aws, method, path, body=b"", service="lambda", account=ACCOUNT):
    credential = f"AWS4-HMAC-SHA256 Credential={account}/20260101/eu-west-1/{service}/aws4_request"
    request = urllib.request.Request(
        f"{aws.endpoint_url}{path}", body or None, {"Authorization": credential}, method=method
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.parametrize(
    ("method", "path", "body", "service"),
    [
        ("POST", "/2020-04-22/code-signing-configs", b"{", "lambda"),
        ("POST", "/2020-04-22/code-signing-configs", b"[]", "lambda"),
        ("POST", "/2020-04-22/code-signing-configs", b"\xff\xfe", "lambda"),
        ("POST", "/2020-04-22/code-signing-configs", b"[" * 100_000, "lambda"),
        ("POST", "/2020-04-22/code-signing-configs", b'{"AllowedPublishers": []}', "lambda"),
        (
            "POST",
            "/2020-04-22/code-signing-configs",
            b'{"AllowedPublishers": {"SigningProfileVersionArns": [1]}}',
            "lambda",
        ),
        ("GET", "/2020-04-22/code-signing-configs/..%2f..%2fetc", b"", "lambda"),
        ("GET", "/2020-04-22/code-signing-configs?MaxItems=x", b"", "lambda"),
        ("POST", "/2015-03-31/functions", b'{"FunctionName": 1}', "lambda"),
        ("POST", "/2015-03-31/functions", b'{"FunctionName": "f", "Code": [], "Role": "r"}', "lambda"),
        ("POST", "/2015-03-31/functions", b'{"FunctionName": "f", "Code": {"ZipFile": 7}, "Role": "r"}', "lambda"),
        ("POST", "/2015-03-31/functions", b'{"FunctionName": "f", "Layers": "x", "Code": {"ZipFile": ""}}', "lambda"),
        ("POST", "/2018-10-31/layers/l/versions", b'{"Content": 3}', "lambda"),
        ("PUT", "/signing-profiles/name", b"", "signer"),
        ("PUT", "/signing-profiles/name", b'{"platformId": {}}', "signer"),
        (
            "PUT",
            "/signing-profiles/name/revoke",
            b'{"profileVersion": "0123456789", "reason": "r", "effectiveTime": "soon"}',
            "signer",
        ),
        ("POST", "/signing-jobs", b'{"source": {"s3": 4}}', "signer"),
        ("GET", "/signing-jobs?signatureExpiresBefore=yesterday", b"", "signer"),
        ("GET", "/nothing/here", b"", "signer"),
    ],
)
def test_a_malformed_request_gets_an_error_in_the_shape_of_aws_and_the_server_goes_on(
    local_aws, method, path, body, service
):
    status, answer = raw(local_aws, method, path, body, service)
    assert 400 <= status < 500
    content = json.loads(answer)
    assert content["__type"].endswith("Exception")
    assert content["message"]
    assert local_aws.client("sts", account=ACCOUNT).get_caller_identity()["Account"] == ACCOUNT


def test_a_request_that_is_too_long_is_refused_before_it_is_read(local_aws):
    with socket.create_connection(("127.0.0.1", local_aws.port), timeout=10) as connection:
        connection.sendall(b"POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")


def test_an_account_that_the_organization_does_not_have_is_refused(tmp_path):
    path = tmp_path / "organization.toml"
    path.write_text(GOOD)
    with LocalAws(organization=path) as aws:
        assert aws.client("sts").get_caller_identity()["Account"] == "222222222222"
        for service, call, code in (
            ("sts", "get_caller_identity", "InvalidClientTokenId"),
            ("s3", "list_buckets", "InvalidAccessKeyId"),
            ("lambda", "list_functions", "UnrecognizedClientException"),
        ):
            with pytest.raises(ClientError) as caught:
                getattr(aws.client(service, account="999999999999"), call)()
            assert caught.value.response["Error"]["Code"] == code
        organizations = aws.client("organizations", account="111111111111")
        known = {account["Id"]: account["Name"] for account in organizations.list_accounts()["Accounts"]}
        assert known == {"111111111111": "management", "222222222222": "security", "444444444444": "shop"}
        made = organizations.create_account(Email="new@acme.example", AccountName="new")["CreateAccountStatus"]
        assert aws.client("sts", account=made["AccountId"]).get_caller_identity()["Account"] == made["AccountId"]


def test_an_organization_file_with_problems_is_refused_with_all_of_them(tmp_path):
    path = tmp_path / "organization.toml"
    path.write_text("[organization]\n")
    with pytest.raises(LocalAwsError, match=r"organization\.toml: [0-9]+ problems"):
        LocalAws(organization=path).start()


def test_a_port_that_is_taken_is_named(local_aws):
    with pytest.raises(LocalAwsError, match=f"the port {local_aws.port} cannot be used"):
        LocalAws(port=local_aws.port).start()


def test_another_release_of_ministack_is_refused(monkeypatch):
    monkeypatch.setattr(server, "MINISTACK_VERSION", "9.9.9")
    with pytest.raises(LocalAwsError, match=r"works with exactly 9\.9\.9.*\[local\]"):
        server.require_ministack()


def test_a_handle_says_when_it_does_not_run():
    aws = LocalAws()
    aws.stop()
    for read in (lambda: aws.port, lambda: aws.endpoint_url, lambda: aws.process_id):
        with pytest.raises(LocalAwsError, match="does not run"):
            read()
    with aws, pytest.raises(LocalAwsError, match="runs already"):
        aws.start()


def test_a_server_that_ended_by_itself_is_noticed():
    aws = LocalAws().start()
    os.kill(aws.process_id, signal.SIGKILL)
    os.waitid(os.P_PID, aws.process_id, os.WEXITED | os.WNOWAIT)
    with pytest.raises(LocalAwsError, match="has ended"):
        aws.require_running()
    aws.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_a_server_ends_with_the_process_that_started_it():
    program = (
        "import os; from constructs_pkg.testing.local_aws import LocalAws; "
        "aws = LocalAws().start(); print(aws.process_id, flush=True); os._exit(0)"
    )
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    process_id = int(started.stdout)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process_id}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{process_id} still runs")


def test_the_environment_names_the_account_the_region_and_no_credentials_file(local_aws):
    environment = local_aws.environment("333333333333", "us-east-1")
    assert environment["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{local_aws.port}"
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_REGION"]) == ("333333333333", "us-east-1")
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_settings_come_back_from_json_as_they_were(tmp_path):
    settings = Settings(tmp_path, 17, tmp_path / "organization.toml", True, True, True)
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json(Settings(tmp_path).to_json()) == Settings(tmp_path)
