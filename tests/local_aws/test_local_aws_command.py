"""``lambda-code-signing local-aws``: what it prints, that what it prints works, and that it stops cleanly."""

import os
import re
import shlex
import signal
import subprocess
import sys

import boto3
import pytest

from tests.unit.organization_text import GOOD

PROGRAM = [sys.executable, "-m", "constructs_pkg.cli.main", "local-aws"]


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60)


def exports(process):
    """Read the printed environment up to its last line."""
    found = {}
    while "AWS_PAGER" not in found:
        line = process.stdout.readline()
        match = re.fullmatch(r"export ([A-Z0-9_]+)=(.*)\n", line)
        assert match is not None, line
        found[match[1]] = "".join(shlex.split(match[2]))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_environment_that_works_and_stops_cleanly_on_a_signal(tmp_path, number):
    path = tmp_path / "organization.toml"
    path.write_text(GOOD.replace('home_region = "eu-west-1"', 'home_region = "us-east-1"'))
    with subprocess.Popen(
        [*PROGRAM, "--port", "0", "--organization", str(path), "--state", str(tmp_path / "state")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        environment = exports(process)
        session = boto3.session.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        assert session.region_name == "us-east-1"
        sts = session.client("sts", endpoint_url=environment["AWS_ENDPOINT_URL"])
        assert sts.get_caller_identity()["Account"] == "222222222222"
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (0, "")
    assert errors.endswith("Stopped.\n")
    assert (tmp_path / "state" / "services" / "organizations.json").exists()


def test_another_address_is_refused():
    done = run("--host", "0.0.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'0.0.0.0' is refused" in done.stderr


def test_an_organization_file_with_problems_and_a_taken_port_are_said_without_a_traceback(tmp_path, local_aws):
    path = tmp_path / "organization.toml"
    path.write_text("[organization]\n")
    for arguments, message in (
        (("--organization", str(path), "--port", "0"), "organization.toml: "),
        (("--organization", str(tmp_path / "missing.toml")), "missing.toml"),
        (("--port", str(local_aws.port)), f"the port {local_aws.port} cannot be used"),
        (("--port", "70000"), "70000"),
        (("--state", str(path), "--port", "0"), "is a file"),
        (("--state", str(path / "below"), "--port", "0"), "cannot be made: Not a directory. Name another directory"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_the_help_says_what_it_is_not_proof_of():
    done = run("--help")
    assert done.returncode == 0
    assert "A green run here is never proof about AWS." in " ".join(done.stdout.split())


def test_the_server_takes_no_credentials_of_the_user_with_it(monkeypatch, local_aws):
    environment = local_aws._server_environment()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    assert not {name for name in local_aws._server_environment() if name.startswith("AWS_")}
    assert environment["LOCAL_AWS_STOPS_WITH_PARENT"] == "1"
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "real"
