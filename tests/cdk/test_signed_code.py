"""SignedCode: signed before, during and after the synth, the same bytes in the assembly, and what it refuses."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.cdk import SignedCode
from constructs_pkg.errors import AttestationError, ConstructError, PackagingError, PolicyError, SigningError
from constructs_pkg.signing.archive_store import ArchiveStore
from constructs_pkg.signing.attestation import attest_archive, format_attestation
from constructs_pkg.signing.signer import SignedArtifact
from constructs_pkg.testing import ThrowawayAuthority
from constructs_pkg.validity import Validity
from tests.cdk.conftest import ENVIRONMENT, new_app

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUNTIME = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler"}
FILES = {"index.py": "def handler(event, context):\n    return 1\n"}


class CountingSigner:
    """Signs with another signer, and remembers how often."""

    def __init__(self, signer) -> None:
        self.signer = signer
        self.profiles: list[str] = []

    def sign(self, source, target, *, profile: str, at: datetime) -> SignedArtifact:
        self.profiles.append(profile)
        return self.signer.sign(source, target, profile=profile, at=at)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> ThrowawayAuthority:
    return ThrowawayAuthority.make(tmp_path_factory.mktemp("authority"), at=AT)


@pytest.fixture
def signer(authority) -> CountingSigner:
    return CountingSigner(authority.signer)


@pytest.fixture
def source(tmp_path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "index.py").write_text(FILES["index.py"])
    return folder


@pytest.fixture
def signed(authority, tmp_path) -> Path:
    return authority.signed_archive(tmp_path / "signed.zip", FILES, at=AT)


def function_of(template: dict) -> dict:
    (function,) = (item for item in template["Resources"].values() if item["Type"] == "AWS::Lambda::Function")
    return function


def assembly_with(code: lambda_.Code) -> tuple[Path, dict]:
    app = new_app()
    lambda_.Function(cdk.Stack(app, "Stack", env=ENVIRONMENT), "Function", code=code, **RUNTIME)
    directory = Path(app.synth().directory)
    return directory, json.loads((directory / "Stack.template.json").read_text())


def assets_of(manifest: Path) -> list[dict]:
    files = json.loads(manifest.read_text())["files"].values()
    return [item for item in files if not item["source"].get("path", "").endswith(".template.json")]


# Signed before


def test_signed_artifact_is_in_the_assembly_byte_for_byte(authority, signed) -> None:
    directory, _ = assembly_with(SignedCode.from_artifact(signed, policy=authority.policy, at=AT))
    (asset,) = assets_of(directory / "Stack.assets.json")
    assert asset["source"]["packaging"] == "file"
    assert (directory / asset["source"]["path"]).read_bytes() == signed.read_bytes()


def test_function_is_marked_with_job_publisher_and_digest(authority, signed) -> None:
    code = SignedCode.from_artifact(signed, policy=authority.policy_file, at=AT)
    _, template = assembly_with(code)
    job = str(authority.signer.read().jobs[-1].job_id)
    mark = function_of(template)["Metadata"]["LambdaCodeSigning"]
    assert mark == {
        "ArchiveSha256": mark["ArchiveSha256"],
        "SigningJobArn": f"arn:aws:signer:eu-west-1:123456789012:/signing-jobs/{job}",
        "SigningProfileVersionArn": str(authority.publisher),
        "ExpiresAt": "2038-02-23T12:00:00Z",
    }
    assert len(mark["ArchiveSha256"]) == 64


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda authority, path: authority.unsigned_archive(path, FILES), "unsigned"),
        (
            lambda authority, path: authority.signed_archive(path, FILES, profile="somebody_else", at=AT),
            "publisher_not_allowed",
        ),
        (lambda authority, path: tampered(authority.signed_archive(path, FILES, at=AT)), "INTEGRITY"),
        (lambda _authority, path: path.write_bytes(b"not a ZIP"), "INTEGRITY"),
        (lambda _authority, _path: None, "No such file"),
    ],
    ids=["unsigned", "other publisher", "one byte changed", "no archive", "missing"],
)
def test_artifact_that_lambda_would_refuse_is_refused_in_the_constructor(authority, tmp_path, make, reason) -> None:
    path = tmp_path / "code.zip"
    make(authority, path)
    with pytest.raises(ConstructError, match=reason):
        SignedCode.from_artifact(path, policy=authority.policy, at=AT)


def tampered(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"return 1", b"return 2", 1))
    return path


def test_missing_policy_says_what_to_fetch(signed, tmp_path) -> None:
    with pytest.raises(PolicyError, match="Fetch the present code signing policy file") as caught:
        SignedCode.from_artifact(signed, policy=tmp_path / "no-policy.json", at=AT)
    assert str(tmp_path / "no-policy.json") in str(caught.value)


# Signed during the synth


def test_a_signer_in_words_is_for_publishing_only(authority, source, tmp_path) -> None:
    with pytest.raises(ConstructError, match=r"^signer='aws:bucket=x' signs nothing\. Open it with .*open_signer"):
        SignedCode.from_directory(source, signer="aws:bucket=x", policy=authority.policy, store=tmp_path / "s", at=AT)
    assert not (tmp_path / "s").exists()


def test_unchanged_directory_is_signed_once(authority, signer, source, tmp_path) -> None:
    def code():
        return SignedCode.from_directory(
            source, signer=signer, policy=authority.policy, store=tmp_path / "store", at=AT
        )

    first, second = code(), code()
    assert signer.profiles == ["team_app"]
    assert first.path.read_bytes() == second.path.read_bytes()
    (source / "index.py").write_text("changed = True\n")
    assert code().path != first.path
    assert signer.profiles == ["team_app", "team_app"]


def test_signing_is_told_on_standard_error_and_reuse_is_silent(authority, source, tmp_path, capsys) -> None:
    for said in (f"signing {source} as team_app\n", ""):
        SignedCode.from_directory(
            source, signer=authority.signer, policy=authority.policy, store=tmp_path / "store", at=AT
        )
        assert capsys.readouterr() == ("", said)


def test_another_profile_version_signs_anew(authority, signer, source, tmp_path) -> None:
    both = authority.signer.read().export_policy(at=AT)
    for profile in ("team_app", "somebody_else", str(authority.publisher)):
        SignedCode.from_directory(source, signer=signer, policy=both, profile=profile, store=tmp_path / "store", at=AT)
    assert signer.profiles == ["team_app", "somebody_else"]


def test_one_code_serves_functions_and_layers_of_several_stacks_with_one_asset(authority, source, tmp_path) -> None:
    code = SignedCode.from_directory(
        source, signer=authority.signer, policy=authority.policy, store=tmp_path / "store", at=AT
    )
    app = new_app()
    for name in ("One", "Two"):
        stack = cdk.Stack(app, name)
        lambda_.Function(stack, "Function", code=code, **RUNTIME)
        lambda_.LayerVersion(stack, "Layer", code=code)
    directory = Path(app.synth().directory)
    archives = [path.read_bytes() for path in directory.glob("asset.*.zip")]
    assert archives == [code.path.read_bytes()]
    for name in ("One", "Two"):
        resources = json.loads((directory / f"{name}.template.json").read_text())["Resources"].values()
        marks = [item["Metadata"]["LambdaCodeSigning"] for item in resources if "Metadata" in item]
        assert len(marks) == 2
        assert marks[0] == marks[1]


def test_archive_whose_signature_runs_out_soon_is_signed_again(authority, source, tmp_path) -> None:
    with authority.signer.changing() as inside:
        if "short_lived" not in {profile.name for profile in inside.profiles}:
            inside.put_profile("short_lived", validity=Validity(9, "DAYS"))
    policy = authority.signer.read().export_policy(at=AT, profiles=["short_lived"])
    signer = CountingSigner(authority.signer)
    for day, count in ((0, 1), (5, 1), (7, 2), (30, 3)):
        code = SignedCode.from_directory(
            source, signer=signer, policy=policy, store=tmp_path / "store", at=AT + timedelta(days=day)
        )
        assert len(signer.profiles) == count
        assert code.report.expires_at > AT + timedelta(days=day)


def test_policy_that_asks_for_more_time_left_has_it_signed_earlier(authority, source, tmp_path) -> None:
    strict = replace(authority.policy, templates=replace(authority.policy.templates, expires_within_days=365))
    signer = CountingSigner(authority.signer)
    almost_run_out = AT + timedelta(days=4109 - 300)  # of 135 months
    for policy, count in ((authority.policy, 1), (strict, 2)):
        for at in (AT, almost_run_out) if count == 1 else (almost_run_out,):
            SignedCode.from_directory(source, signer=signer, policy=policy, store=tmp_path / "store", at=at)
        assert len(signer.profiles) == count


def test_revoked_signature_is_never_replaced_by_a_fresh_one(tmp_path, source) -> None:
    own = ThrowawayAuthority.make(tmp_path / "own", at=AT)
    arguments = {"signer": CountingSigner(own.signer), "store": tmp_path / "store", "at": AT}
    SignedCode.from_directory(source, policy=own.policy, **arguments)
    with own.signer.changing() as inside:
        inside.revoke_job(inside.jobs[-1].job_id, reason="built from the wrong branch")
    policy = own.signer.read().export_policy(at=AT, profiles=["team_app"])
    with pytest.raises(SigningError, match="built from the wrong branch"):
        SignedCode.from_directory(source, policy=policy, **arguments)
    assert arguments["signer"].profiles == ["team_app"]


def replace_by_other_signed_code(path: Path, authority: ThrowawayAuthority) -> None:
    authority.signed_archive(path, {"other.py": "import os\n"}, at=AT)


def damage(path: Path, _authority: ThrowawayAuthority) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("attack", [replace_by_other_signed_code, damage])
def test_archive_in_the_store_that_is_not_what_was_signed_is_not_used(authority, source, tmp_path, attack) -> None:
    arguments = {"signer": authority.signer, "policy": authority.policy, "store": tmp_path / "store", "at": AT}
    first = SignedCode.from_directory(source, **arguments)
    good = first.path.read_bytes()
    attack(first.path, authority)
    assert SignedCode.from_directory(source, **arguments).path.read_bytes() == good


def test_signer_of_another_account_is_refused(authority, source, tmp_path) -> None:
    other = ThrowawayAuthority.make(tmp_path / "other", at=AT)
    arguments = {"policy": authority.policy, "store": tmp_path / "store", "at": AT}
    with pytest.raises(SigningError, match=r"was signed as .* not as"):
        SignedCode.from_directory(source, signer=other.signer, **arguments)
    assert list((tmp_path / "store" / "signed").iterdir()) == []


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("nobody", "'nobody' is not a publisher that the policy allows"),
        ("arn:aws:signer:eu-west-1:123456789012:/signing-profiles/team_app", "not a signing profile version ARN"),
        (None, "leaves open which"),
    ],
)
def test_profile_that_the_policy_does_not_settle_is_refused(authority, source, tmp_path, profile, message) -> None:
    policy = authority.signer.read().export_policy(at=AT)
    with pytest.raises(ConstructError, match=message):
        SignedCode.from_directory(
            source, signer=authority.signer, policy=policy, profile=profile, store=tmp_path / "store", at=AT
        )


def test_store_in_the_packaged_directory_stays_out_of_the_package(authority, signer, source) -> None:
    for _ in range(2):
        SignedCode.from_directory(source, signer=signer, policy=authority.policy, store=source / "store", at=AT)
    assert signer.profiles == ["team_app"]
    with pytest.raises(PackagingError, match="is the store itself"):
        SignedCode.from_directory(source, signer=signer, policy=authority.policy, store=source, at=AT)


# Signed at publish


def code_at_publish(authority, source, tmp_path, **arguments):
    return SignedCode.at_publish(
        source,
        **{
            "signer": f"authority:{authority.signer.path}",
            "policy": authority.policy,
            "store": tmp_path / "store",
            "at": AT,
            **arguments,
        },
    )


def command_of(manifest: Path) -> list[str]:
    (command,) = (
        item["source"]["executable"]
        for item in json.loads(manifest.read_text())["files"].values()
        if "executable" in item["source"]
    )
    return command


def test_command_of_the_asset_manifest_signs_what_was_synthesized(tmp_path, source) -> None:
    own = ThrowawayAuthority.make(tmp_path / "own")  # the command signs by the clock
    directory, template = assembly_with(code_at_publish(own, source, tmp_path, at=None))
    command = command_of(directory / "Stack.assets.json")
    (source / "index.py").write_text("changed after the synth\n")
    # As the CDK runs it: in whatever directory, all of standard output being the path (aws-cdk 2.1146, "shell").
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, f"signing {source} as team_app\n")
    signed = SignedCode.from_artifact(Path(done.stdout.strip()), policy=own.policy)
    assert FILES["index.py"].encode() in signed.path.read_bytes()
    assert function_of(template)["Metadata"]["LambdaCodeSigning"] == {
        "SourceSha256": function_of(template)["Metadata"]["LambdaCodeSigning"]["SourceSha256"],
        "SigningProfileVersionArn": str(own.publisher),
        "Signed": "when the asset is published",
    }


@pytest.mark.parametrize("part", ["packages", "policies"])
def test_command_refuses_a_package_or_policy_that_was_swapped_after_the_synth(tmp_path, source, part) -> None:
    own = ThrowawayAuthority.make(tmp_path / "own")
    directory, _ = assembly_with(code_at_publish(own, source, tmp_path, at=None))
    (kept,) = (tmp_path / "store" / part).iterdir()
    kept.write_bytes(kept.read_bytes() + b" ")
    done = subprocess.run(command_of(directory / "Stack.assets.json"), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is missing or was changed. Synthesize again, here" in done.stderr


def test_key_changes_with_content_publisher_and_renewal_only(authority, source, tmp_path) -> None:
    policy = authority.signer.read().export_policy(at=AT)
    keys = [
        code_at_publish(authority, source, tmp_path, policy=policy, **arguments).asset_hash
        for arguments in (
            {"profile": "team_app"},
            {"profile": "team_app"},
            {"profile": "somebody_else"},
            {"profile": "team_app", "renewal": "2027"},
        )
    ]
    (source / "index.py").write_text("changed\n")
    keys.append(code_at_publish(authority, source, tmp_path, policy=policy, profile="team_app").asset_hash)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_unsigned_archive_can_be_signed_at_publish_too(authority, tmp_path) -> None:
    archive = authority.unsigned_archive(tmp_path / "code.zip", FILES)
    code = code_at_publish(authority, archive, tmp_path)
    package = code.command[code.command.index("--package") + 1]
    assert ArchiveStore(tmp_path / "store").package(package).read_bytes() == archive.read_bytes()


def test_aws_signer_is_asked_when_the_assets_are_published_and_not_before(authority, source, tmp_path) -> None:
    reference = "aws:bucket=acme-signing,region=eu-west-1,timeout=300"
    code = code_at_publish(authority, source, tmp_path, signer=reference)
    assert code.command[code.command.index("--signer") + 1] == reference
    with pytest.raises(SigningError, match="'buckets' is none of bucket"):
        code_at_publish(authority, source, tmp_path, signer="aws:buckets=acme-signing")


def test_unknown_kind_of_signer_is_refused_at_synth(authority, source, tmp_path) -> None:
    with pytest.raises(SigningError, match="names no signer that this release knows"):
        code_at_publish(authority, source, tmp_path, signer="carrier-pigeon:coop")


# Every synthesizer

SYNTHESIZERS = {
    "default": lambda: None,
    "custom bucket": lambda: cdk.DefaultStackSynthesizer(file_assets_bucket_name="code", bucket_prefix="signed/"),
    "CLI credentials": cdk.CliCredentialsStackSynthesizer,
}


def places(app: cdk.App, synthesizer) -> list[cdk.Stack]:
    """A stack, a stack nested in it, and a stack in a stage."""
    outer = cdk.Stack(app, "Outer", synthesizer=synthesizer())
    return [
        outer,
        cdk.NestedStack(outer, "Nested"),
        cdk.Stack(cdk.Stage(app, "Prod"), "Staged", synthesizer=synthesizer()),
    ]


@pytest.mark.parametrize("synthesizer", SYNTHESIZERS.values(), ids=SYNTHESIZERS)
def test_code_is_found_again_under_every_synthesizer(authority, source, signed, tmp_path, synthesizer, capfd) -> None:
    codes = [
        SignedCode.from_artifact(signed, policy=authority.policy, at=AT),
        code_at_publish(authority, source, tmp_path),
    ]
    app = new_app()
    for stack in places(app, synthesizer):
        for number, code in enumerate(codes):
            lambda_.Function(stack, f"Function{number}", code=code, **RUNTIME)
    directory = Path(app.synth().directory)
    sources = []
    for manifest in sorted(directory.rglob("*.assets.json")):
        by_place = {
            (place["bucketName"], place["objectKey"]): item["source"]
            for item in json.loads(manifest.read_text())["files"].values()
            for place in item["destinations"].values()
        }
        stem = manifest.name.removesuffix(".assets.json")
        for template in manifest.parent.glob(f"{stem}*.template.json"):
            for resource in json.loads(template.read_text())["Resources"].values():
                if resource["Type"] == "AWS::Lambda::Function":
                    bucket, key = resource["Properties"]["Code"]["S3Bucket"], resource["Properties"]["Code"]["S3Key"]
                    found = by_place[bucket if isinstance(bucket, str) else bucket["Fn::Sub"], key]
                    sources.append(
                        "command" if "executable" in found else (manifest.parent / found["path"]).read_bytes()
                    )
    assert sorted(sources, key=str) == sorted([signed.read_bytes(), "command"] * 3, key=str)
    assert [item.id for item in app.node.find_all() if "LambdaCodeSigningAssets" in item.node.path] == []
    assert "WARNING" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("synthesizer", "reason"),
    [
        (cdk.LegacyStackSynthesizer, "LegacyStackSynthesizer"),
        (cdk.BootstraplessSynthesizer, "BootstraplessSynthesizer"),
    ],
)
@pytest.mark.parametrize("kind", ["artifact", "at publish"])
def test_synthesizer_without_a_place_for_files_is_refused(
    authority, source, signed, tmp_path, synthesizer, reason, kind
) -> None:
    code = (
        SignedCode.from_artifact(signed, policy=authority.policy, at=AT)
        if kind == "artifact"
        else code_at_publish(authority, source, tmp_path)
    )
    stack = cdk.Stack(new_app(), "Stack", synthesizer=synthesizer())
    with pytest.raises(RuntimeError, match=reason):  # jsii turns every error of a callback into this one
        lambda_.Function(stack, "Function", code=code, **RUNTIME)


# In a bucket


@pytest.fixture
def attestation(signed):
    return attest_archive(signed.read_bytes(), bucket="signed-code", key="charge.zip", object_version="v1")


def code_in_bucket(authority, attestation, *, bucket="signed-code", key="charge.zip", version="v1", at=AT):
    found = s3.Bucket.from_bucket_name(cdk.Stack(new_app(), "Buckets"), "Bucket", bucket)
    return SignedCode.from_signed_bucket(found, key, version, attestation=attestation, policy=authority.policy, at=at)


def test_object_in_a_bucket_carries_its_version_its_mark_and_its_attestation(authority, attestation, tmp_path) -> None:
    path = tmp_path / "charge.attestation.json"
    path.write_text(format_attestation(attestation))
    app = new_app()
    stack = cdk.Stack(app, "Stack")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "signed-code")
    code = SignedCode.from_signed_bucket(bucket, "charge.zip", "v1", attestation=path, policy=authority.policy, at=AT)
    lambda_.Function(stack, "Function", code=code, **RUNTIME)
    function = function_of(json.loads(Path(app.synth().directory, "Stack.template.json").read_text()))
    assert function["Properties"]["Code"] == {
        "S3Bucket": "signed-code",
        "S3Key": "charge.zip",
        "S3ObjectVersion": "v1",
    }
    assert function["Metadata"]["LambdaCodeSigningAttestation"] == format_attestation(attestation)
    assert function["Metadata"]["LambdaCodeSigning"]["ArchiveSha256"] == attestation.sha256


@pytest.mark.parametrize(
    ("other", "what"), [({"bucket": "other"}, "bucket"), ({"key": "other.zip"}, "key"), ({"version": "v2"}, "version")]
)
def test_attestation_of_another_object_is_refused(authority, attestation, other, what) -> None:
    with pytest.raises(AttestationError, match=what):
        code_in_bucket(authority, attestation, **other)


def test_attested_archive_is_judged_like_the_archive(authority, signed, attestation, tmp_path) -> None:
    expected = SignedCode.from_artifact(signed, policy=authority.policy, at=AT).report
    report = code_in_bucket(authority, attestation).report
    assert replace(report, artifact="", notes=()) == replace(expected, artifact="", notes=())
    assert [note.code for note in report.notes] == ["attested"]
    other = authority.signed_archive(tmp_path / "other.zip", FILES, profile="somebody_else", at=AT).read_bytes()
    refused = attest_archive(other, bucket="signed-code", key="charge.zip", object_version="v1")
    with pytest.raises(ConstructError, match="publisher_not_allowed"):
        code_in_bucket(authority, refused)
    with pytest.raises(ConstructError, match="signature_expired"):
        code_in_bucket(authority, attestation, at=AT + timedelta(days=366 * 12))


def test_attestation_with_another_content_digest_fails_the_integrity_check(authority, attestation) -> None:
    with pytest.raises(ConstructError, match="INTEGRITY"):
        code_in_bucket(authority, replace(attestation, content_digest=b"\0" * 48))
