"""Layer versions are looked up strictly; archives are downloaded within bounds and only as announced."""

import base64
import hashlib
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from constructs_pkg.arns import LayerVersionArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.aws.layers import MAX_LAYER_BYTES, LayerVersion, download_layer_version, get_layer_version
from constructs_pkg.errors import AwsError

ARN = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12")
PUBLISHER = "arn:aws:signer:us-east-1:777777777777:/signing-profiles/ObservatoryLayers/a1B2c3D4e5"
JOB = "arn:aws:signer:us-east-1:777777777777:/signing-jobs/01234567-89ab-cdef-0123-456789abcdef"
BODY = b"PK archive of the vendor"
DIGEST = hashlib.sha256(BODY)
ANSWER: dict[str, Any] = {
    "Content": {
        "Location": "https://awslambda-eu-west-1-layers.example/snapshots/1?X-Amz-Signature=secret",
        "CodeSha256": base64.b64encode(DIGEST.digest()).decode(),
        "CodeSize": len(BODY),
        "SigningProfileVersionArn": PUBLISHER,
        "SigningJobArn": JOB,
    },
    "LayerArn": str(ARN).rpartition(":")[0],
    "LayerVersionArn": str(ARN),
    "Description": "Agent",
    "CreatedDate": "2026-11-01T08:00:00.000+0000",
    "Version": 12,
    "CompatibleRuntimes": ["python3.13"],
    "CompatibleArchitectures": ["arm64", "x86_64"],
    "LicenseInfo": "Apache-2.0",
}
LAYER = LayerVersion(
    arn=ARN,
    publisher=SigningProfileVersionArn.parse(PUBLISHER),
    signing_job_arn=SigningJobArn.parse(JOB),
    code_sha256=DIGEST.hexdigest(),
    code_bytes=len(BODY),
    location=ANSWER["Content"]["Location"],
    created="2026-11-01T08:00:00.000+0000",
    description="Agent",
    license_info="Apache-2.0",
    compatible_runtimes=("python3.13",),
    compatible_architectures=("arm64", "x86_64"),
)


class FakeClients:
    """Answers for AWS Lambda in one Region."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str | None, str]] = []

    def client(self, service: str, region: str | None = None) -> "FakeClients":
        self.asked.append((service, region, ""))
        return self

    def get_layer_version_by_arn(self, *, Arn: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        service, region, _ = self.asked.pop()
        self.asked.append((service, region, Arn))
        return self.answer


def changed(**content: object) -> dict[str, Any]:
    merged = {**ANSWER["Content"], **content}
    return {**ANSWER, "Content": {key: value for key, value in merged.items() if value is not None}}


def test_a_layer_version_is_asked_about_in_its_own_region_and_read_whole() -> None:
    clients = FakeClients(ANSWER)
    assert get_layer_version(clients, ARN) == LAYER
    assert clients.asked == [("lambda", "eu-west-1", str(ARN))]


def test_an_unsigned_layer_has_no_publisher() -> None:
    found = get_layer_version(FakeClients(changed(SigningProfileVersionArn=None, SigningJobArn=None)), ARN)
    assert (found.publisher, found.signing_job_arn) == (None, None)


def test_the_right_to_download_is_in_no_representation() -> None:
    assert "secret" not in repr(LAYER)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        changed(CodeSha256="not base64!"),
        changed(CodeSize="large"),
        changed(Location=None),
        changed(SigningProfileVersionArn=PUBLISHER.rpartition("/")[0]),
        {**ANSWER, "LayerVersionArn": str(ARN)[:-1] + "3"},
    ],
)
def test_an_answer_that_is_not_understood_or_about_another_layer_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as caught:
        get_layer_version(FakeClients(answer), ARN)
    assert caught.value.code == "UnexpectedAnswer"


class Storage(BaseHTTPRequestHandler):
    """Serves one body, or what its path asks for instead."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/layer")
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(403, "Request has expired: secret")
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(BODY if self.path == "/layer" else BODY + b"!" * 1_000_000)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_archive_is_downloaded_as_it_was_announced(storage: str) -> None:
    target, pieces = io.BytesIO(), []
    download_layer_version(replace(LAYER, location=f"{storage}/layer"), target, advance=pieces.append)
    assert (target.getvalue(), sum(pieces)) == (BODY, len(BODY))


@pytest.mark.parametrize(
    ("path", "changes", "message"),
    [
        ("/longer", {}, "more than the 24 bytes came"),
        ("/layer", {"code_bytes": len(BODY) + 1}, "24 bytes with the SHA-256"),
        ("/layer", {"code_sha256": "0" * 64}, "AWS Lambda holds 24 with 0000"),
        ("/layer", {"code_bytes": MAX_LAYER_BYTES + 1}, "more than the 262,144,000 that a layer can have"),
        ("/moved", {}, "the storage answered with the status 302"),
        ("/gone", {}, "the storage answered with the status 403. Ask again"),
    ],
)
def test_what_is_not_as_it_was_announced_is_refused(
    storage: str, path: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(AwsError, match=message) as caught:
        download_layer_version(replace(LAYER, location=storage + path, **changes), io.BytesIO())
    assert caught.value.code == "LayerDownloadError"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "location",
    ["http://layers.example/1", "file:///etc/passwd", "ftp://127.0.0.1/1", "http://127.0.0.1.example/1", "layer.zip"],
)
def test_nothing_is_downloaded_without_tls_but_from_this_machine(location: str) -> None:
    with pytest.raises(AwsError, match="its address is not https"):
        download_layer_version(replace(LAYER, location=location), io.BytesIO())


def test_a_storage_that_is_not_there_is_told() -> None:
    with pytest.raises(AwsError, match="Check network and proxy"):
        download_layer_version(replace(LAYER, location="http://127.0.0.1:1/layer"), io.BytesIO())
