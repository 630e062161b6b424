"""The two programs that pipelines and the CDK run: the attestation of an object, and signing at publish."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_pkg.cli import publish
from constructs_pkg.cli.main import main
from constructs_pkg.errors import AttestationError
from constructs_pkg.signing.attestation import (
    Attestation,
    attest_archive,
    format_attestation,
    parse_attestation,
    verify_attestation,
)
from constructs_pkg.signing.policy_file import parse_policy
from constructs_pkg.signing.verifier import verify_archive
from tests.cli.conftest import SIGNED_AT

OBJECT = ("--bucket", "signed-code", "--key", "charge.zip", "--object-version", "v1")


@pytest.fixture
def attestation(workspace: Path) -> Attestation:
    data = (workspace / "signed.zip").read_bytes()
    return attest_archive(data, bucket="signed-code", key="charge.zip", object_version="v1")


def test_attestation_is_written_once_and_reads_back(workspace: Path, attestation, capsys) -> None:
    arguments = ["signed.zip", *OBJECT, "-o", "signed.json"]
    assert main(["attest", *arguments]) == 0
    assert parse_attestation((workspace / "signed.json").read_bytes()) == attestation
    assert attestation.sha256 in capsys.readouterr().out
    assert main(["attest", *arguments]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["attest", *arguments, "--force"]) == 0


@pytest.mark.parametrize(
    ("archive", "code", "message"),
    [
        ("unsigned.zip", 1, "is not signed"),
        ("policy.json", 1, "cannot be attested"),
        ("missing.zip", 2, "cannot be read"),
    ],
)
def test_what_cannot_be_attested_leaves_no_file(workspace: Path, capsys, archive, code, message) -> None:
    assert main(["attest", archive, *OBJECT, "-o", "out.json"]) == code
    assert message in capsys.readouterr().err
    assert not (workspace / "out.json").exists()


@pytest.mark.parametrize(
    ("bucket", "key", "version", "message"),
    [
        ("No Bucket", "k", "v", "the bucket 'No Bucket' is not the name of an S3 bucket"),
        ("signed-code", "", "v", "the key has 0 bytes"),
        ("signed-code", "k", "null", "the version is 'null': the bucket has no versioning"),
    ],
)
def test_what_names_no_version_of_an_object_is_wrong_usage(workspace, capsys, bucket, key, version, message) -> None:
    words = ("--bucket", bucket, "--key", key, "--object-version", version)
    assert main(["attest", "signed.zip", *words, "-o", "out.json"]) == 2
    assert message in capsys.readouterr().err
    assert not (workspace / "out.json").exists()


@pytest.mark.parametrize("archive", ["signed.zip", "other.zip", "tampered.zip"])
def test_attestation_and_archive_get_the_same_verdict(workspace: Path, archive) -> None:
    policy = parse_policy((workspace / "policy.json").read_bytes())
    data = (workspace / archive).read_bytes()
    known = attest_archive(data, bucket="signed-code", key="charge.zip", object_version="v1")
    by_attestation = verify_attestation(known, policy, SIGNED_AT, artifact="a")
    by_archive = verify_archive(data, policy, SIGNED_AT, artifact="a")
    assert replace(by_attestation, notes=by_archive.notes) == by_archive


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"version": 1', '"version": 2'), "version"),
        (lambda text: text.replace('"bucket"', '"buckets"'), "bucket"),
        (lambda text: text.replace("signed-code", "Signed_Code"), "not the name of an S3 bucket"),
        (lambda text: text.replace('"v1"', '"null"'), "no versioning"),
        (lambda text: text.replace('"signature": "', '"signature": "!'), "not Base64"),
        (lambda text: text.replace('"content_digest": "', '"content_digest": "0'), "not a digest of 48 bytes"),
        (lambda text: text.replace("charge.zip", "k" * 1025), "1025 bytes"),
        (lambda text: text + " " * 64 * 1024, "bytes"),
        (lambda text: text[:-1], "not JSON"),
        (lambda _text: "[]", "not a JSON object"),
    ],
)
def test_text_that_is_no_attestation_is_refused(attestation, change: Callable[[str], str], message) -> None:
    with pytest.raises(AttestationError, match=message):
        parse_attestation(change(format_attestation(attestation)))


def test_publish_prints_nothing_but_the_path_on_standard_output(capsys) -> None:
    assert publish.main([]) == 2
    assert publish.main(["--help"]) == 0
    capsys.readouterr()
    words = ["--store", "s", "--package", "0", "--policy", "0", "--publisher", "arn", "--signer", "authority:a"]
    assert publish.main([*words, "--label", "code"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("Error: ")
