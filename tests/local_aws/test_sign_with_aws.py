"""``sign`` from end to end, with real boto3 against the local AWS: what comes out deploys, what went in does not."""

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.cli import publish
from constructs_pkg.cli.main import main
from constructs_pkg.signing.archive_store import ArchiveStore
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.provenance import check_provenance
from constructs_pkg.signing.provenance_statement import parse_provenance
from constructs_pkg.signing.trust import TrustStore
from tests.local_aws.code_builders import REGION, SIGNATURE, Desk
from tests.local_aws.warm_aws_cli import warm_aws_cli
from tests.signing.signed_archives import archive_of

BODY = "def handler(event, context):\n    return 'signed'\n"


class Workplace:
    """A folder with code, and the command line in it, as somebody of one account."""

    def __init__(self, desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk, self.folder, self._capsys = desk, folder, capsys
        self.bucket = f"lambda-code-signing-{desk.account}-{REGION}"
        self.err = ""

    def make_bucket(self, versioning: str | None = "Enabled") -> None:
        place = {"LocationConstraint": REGION}
        self.desk.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)
        if versioning is not None:
            self.desk.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": versioning})

    def sign(self, *words: object, code: int = 0) -> list[dict[str, Any]]:
        """Run ``sign`` and return what it says of each archive."""
        ran = main(["sign", *map(str, words), "--format", "json"])
        captured = self._capsys.readouterr()
        self.err = captured.err
        assert ran == code, captured.err
        return json.loads(captured.out)["artifacts"] if captured.out else []

    def all_keys(self) -> list[str]:
        return [item["Key"] for item in self.desk.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def read(self, key: str) -> bytes:
        return self.desk.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


@pytest.fixture
def workplace(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Workplace:
    for name, value in desk.aws.environment(desk.account).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "GITHUB_SHA", "LAMBDA_CODE_SIGNING_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "refunds").mkdir()
    (tmp_path / "refunds" / "index.py").write_text(BODY)
    return Workplace(desk, tmp_path, capsys)


def refusal(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **keywords)
    return caught.value.response["Error"]["Code"]


def code_of(signed: dict[str, Any]) -> dict[str, str]:
    place = signed["object"]
    return {"S3Bucket": place["bucket"], "S3Key": place["key"], "S3ObjectVersion": place["version"]}


def test_from_a_directory_to_a_function_under_enforce_and_to_its_revocation(workplace: Workplace) -> None:
    desk = workplace.desk
    profile, publisher = desk.profile()
    workplace.make_bucket()
    (signed,) = workplace.sign("refunds", "--profile", profile, "--commit", "4f0c2a1", "-o", "signed.zip")
    assert (signed["outcome"], signed["signing_profile_version_arn"], signed["verified"]) == (
        "signed",
        publisher,
        False,
    )

    unsigned = next(key for key in workplace.all_keys() if key.startswith("unsigned/"))
    digest = hashlib.sha256(workplace.read(unsigned)).hexdigest()
    key = f"signed/{digest}/{profile}-{publisher[-10:]}.zip"
    assert signed["object"] == {
        "bucket": workplace.bucket,
        "key": key,
        "version": signed["object"]["version"],
        "provenance_key": key.replace(".zip", ".json"),
        "source_sha256": digest,
    }
    body = workplace.read(key)
    assert Path("signed.zip").read_bytes() == body
    with zipfile.ZipFile(io.BytesIO(body)) as opened:
        assert opened.read("index.py").decode() == BODY
        assert str(parse_signature(opened.read(SIGNATURE)).signing_job_arn) == signed["signing_job_arn"]
    provenance = parse_provenance(workplace.read(signed["object"]["provenance_key"]))
    assert (provenance.source_name, provenance.commit, check_provenance(provenance, body)) == ("refunds", "4f0c2a1", ())

    config = desk.config(publisher)
    made = desk.function(code_of(signed), config)
    assert (made["SigningProfileVersionArn"], made["SigningJobArn"]) == (publisher, signed["signing_job_arn"])
    source = {"S3Bucket": workplace.bucket, "S3Key": unsigned}
    assert refusal(desk.function, source, config) == "CodeVerificationFailedException"

    desk.signer.revoke_signature(jobId=signed["signing_job_arn"].rpartition("/")[2], reason="wrong branch")
    assert refusal(desk.function, code_of(signed), config) == "CodeVerificationFailedException"
    (again,) = workplace.sign("refunds", "--profile", profile, code=1)
    assert again["refusal"]["reason"] == "signature_revoked"
    assert "wrong branch" in workplace.err


def test_a_second_run_signs_nothing_and_the_root_that_was_pinned_vouches_for_it(workplace: Workplace) -> None:
    profile, publisher = workplace.desk.profile()
    workplace.make_bucket()
    (first,) = workplace.sign("refunds", "--profile", profile, "-o", "signed.zip")
    pin = ["trust", "pin", "signed.zip", "-o", "root.pem", "--expect-fingerprint", first["root_sha256"]]
    assert main(pin) == 0
    workplace._capsys.readouterr()
    (second,) = workplace.sign("refunds", "--profile", publisher, "--trust-root", "root.pem")
    assert second == {**first, "outcome": "reused", "verified": True, "artifact": None}
    assert len(workplace.desk.signer.list_signing_jobs()["jobs"]) == 1
    assert len(workplace.all_keys()) == 4


def test_many_archives_at_once_each_get_their_own_answer(workplace: Workplace) -> None:
    profile, publisher = workplace.desk.profile()
    workplace.make_bucket()
    names = [f"{number}.zip" for number in range(5)]
    for number, name in enumerate(names):
        Path(name).write_bytes(archive_of(index__py=b"number = %d" % (number % 4)))  # the last is the first again
    Path("broken.zip").write_bytes(b"garbage")
    Path("signed.zip").write_bytes(workplace.desk.signed(profile)[0])
    Path("out").mkdir()
    done = workplace.sign(*names, "broken.zip", "signed.zip", "--profile", profile, "-o", "out", code=1)
    assert [item["refusal"] and item["refusal"]["reason"] for item in done] == [
        *[None] * 5,
        "archive_malformed",
        "already_signed",
    ]
    assert sorted(item["outcome"] for item in done[:5]) == ["reused"] + ["signed"] * 4
    assert {item["signing_profile_version_arn"] for item in done[:5]} == {publisher}
    assert sorted(path.name for path in Path("out").iterdir()) == names
    assert Path("out/0.zip").read_bytes() == Path("out/4.zip").read_bytes()
    assert len(workplace.desk.signer.list_signing_jobs(status="Succeeded")["jobs"]) == 5  # and the one of signed.zip


def test_a_central_profile_signs_for_another_account_and_its_layer_deploys_there(
    workplace: Workplace, other_desk: Desk
) -> None:
    profile, publisher = other_desk.profile()
    revision: dict[str, str] = {}
    for action in ("StartSigningJob", "GetSigningProfile"):
        granted = {"profileName": profile, "principal": workplace.desk.account, "statementId": action, **revision}
        made = other_desk.signer.add_profile_permission(action=f"signer:{action}", **granted)
        revision = {"revisionId": made["revisionId"]}
    workplace.make_bucket()
    Path("tree/python").mkdir(parents=True)
    Path("tree/python/shared.py").write_text("answer = 42\n")
    owned = ("--profile", profile, "--profile-owner", other_desk.account)
    (refused,) = workplace.sign("refunds", "--layer", *owned, code=1)
    assert refused["refusal"]["reason"] == "not_a_layer"
    (signed,) = workplace.sign("tree", "--layer", *owned)
    assert signed["signing_profile_version_arn"] == publisher
    desk = workplace.desk
    layer = desk.lambda_.publish_layer_version(LayerName="shared", Content=code_of(signed))
    own, own_publisher = desk.profile()
    (function,) = workplace.sign("refunds", "--profile", own)
    config = desk.config(own_publisher, publisher)
    made = desk.function(code_of(function), config, Layers=[layer["LayerVersionArn"]])
    assert made["Layers"][0]["SigningProfileVersionArn"] == publisher


@pytest.mark.parametrize("versioning", [None, "Suspended"])
def test_a_bucket_without_versions_is_refused_before_anything_is_uploaded(workplace: Workplace, versioning) -> None:
    profile, _ = workplace.desk.profile()
    workplace.make_bucket(versioning)
    assert workplace.sign("refunds", "--profile", profile, code=2) == []
    assert f"put-bucket-versioning --bucket {workplace.bucket}" in workplace.err
    assert workplace.all_keys() == []


def test_what_is_missing_is_told_with_the_remedy(workplace: Workplace) -> None:
    assert workplace.sign("refunds", "--profile", "nobody_g1", code=2) == []
    assert f"there is no bucket {workplace.bucket}" in workplace.err
    workplace.make_bucket()
    workplace.sign("refunds", "--profile", "nobody_g1", code=2)
    assert "for another account's profile give --profile-owner" in workplace.err
    workplace.sign("missing", "--profile", "nobody_g1", code=2)
    assert "missing cannot be read" in workplace.err
    workplace.sign("refunds", "--profile", "nobody_g1", "--bucket", "Not,A=Bucket", code=2)
    assert "is no bucket" in workplace.err


def test_the_cdk_signs_at_publish_with_aws_and_once(workplace: Workplace, capsys) -> None:
    desk = workplace.desk
    profile, publisher = desk.profile()
    workplace.make_bucket()
    (first,) = workplace.sign("refunds", "--profile", profile)
    policy = CodeSigningPolicy(
        (SigningProfileVersionArn.parse(publisher),), trust=TrustStore(fingerprints=frozenset({first["root_sha256"]}))
    )
    store = ArchiveStore(workplace.folder / "store")
    package = store.add_directory(workplace.folder / "refunds")
    words = ["--store", "store", "--package", package, "--policy", store.add_policy(policy), "--publisher", publisher]
    signer = f"aws:bucket={workplace.bucket},region={REGION}"
    assert publish.main([*words, "--signer", signer, "--label", "refunds"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.read_bytes() == workplace.read(first["object"]["key"])
    store.path.joinpath("signed").rename(workplace.folder / "lost")  # a fresh machine, which gets the same bytes
    assert publish.main([*words, "--signer", f"{signer},profile-owner={desk.account}", "--label", "refunds"]) == 0
    assert path.read_bytes() == workplace.read(first["object"]["key"])
    assert publish.main([*words, "--signer", "aws:colour=red", "--label", "refunds"]) == 2
    assert len(desk.signer.list_signing_jobs()["jobs"]) == 1


def test_the_aws_cli_reads_what_was_signed(workplace: Workplace) -> None:
    profile, publisher = workplace.desk.profile()
    workplace.make_bucket()
    (signed,) = workplace.sign("refunds", "--profile", profile, "--commit", "4f0c2a1")
    with warm_aws_cli() as folder:
        key = signed["object"]["key"]
        words = ["s3api", "head-object", "--bucket", workplace.bucket, "--key", key, "--query", "Metadata"]
        environment = {**os.environ, **workplace.desk.aws.environment(workplace.desk.account)}
        done = subprocess.run([folder / "aws", *words], env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout) == {
        "commit": "4f0c2a1",
        "expires-at": signed["expires_at"],
        "signed-at": signed["signed_at"],
        "signing-job-arn": signed["signing_job_arn"],
        "signing-profile-version-arn": publisher,
        "source-sha256": signed["object"]["source_sha256"],
    }


def test_the_answer_in_words_says_where_it_lies_and_what_was_not_verified(workplace: Workplace, capsys) -> None:
    profile, publisher = workplace.desk.profile()
    workplace.make_bucket()
    for word in ("signed", "signed before, and valid"):
        assert main(["sign", "refunds", "--profile", profile]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith(f"refunds: {word} until 20")
        assert lines[1] == f"  publisher    {publisher}"
        assert lines[3].startswith(f"  object       s3://{workplace.bucket}/signed/")
        assert lines[5].startswith("  NOT VERIFIED no root to trust was given (--policy, --trust-root); its own is ")


DYING = """
import os, sys
from constructs_pkg.aws.signing_bucket import SigningBucket
from constructs_pkg.cli.main import main
SigningBucket.store = lambda *_, **__: os._exit(9)
sys.exit(main(sys.argv[1:]))
"""


def test_a_process_that_dies_before_it_stored_the_result_is_continued_by_the_next(workplace: Workplace) -> None:
    profile, _ = workplace.desk.profile()
    workplace.make_bucket()
    words = ("sign", "refunds", "--profile", profile, "-o", "signed.zip")
    died = subprocess.run([sys.executable, "-c", DYING, *words], capture_output=True)
    assert (died.returncode, Path("signed.zip").exists()) == (9, False)
    assert sorted(key.partition("/")[0] for key in workplace.all_keys()) == ["jobs", "unsigned"]
    (signed,) = workplace.sign(*words[1:])
    (job,) = workplace.desk.signer.list_signing_jobs()["jobs"]
    assert (signed["outcome"], signed["signing_job_arn"].rpartition("/")[2]) == ("signed", job["jobId"])
