"""``layer inspect`` and ``layer resign`` with real boto3, and the copies that they make, attached under Enforce."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from constructs_pkg.cli.main import main
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.provenance import check_provenance
from constructs_pkg.signing.provenance_statement import parse_provenance
from constructs_pkg.testing import ThrowawayAuthority
from tests.local_aws.code_builders import archive, tampered
from tests.local_aws.test_lambda_enforcement import UNTRUSTED, refusal

CODE = archive("VERSION = 1\n", name="python/tracing.py")


@pytest.fixture
def vendor(other_desk):
    """The account of a vendor."""
    return other_desk


@pytest.fixture
def run(desk, monkeypatch, tmp_path, capsys):
    """Runs one command as the administrator of ``desk``'s account, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in desk.aws.environment(desk.account).items():
        monkeypatch.setenv(name, value)

    def run_command(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def shared(vendor, consumer, code, **more):
    """Publish a layer of a vendor and open it to a consumer; return its ARN."""
    made = vendor.lambda_.publish_layer_version(
        LayerName=f"agent-{hashlib.sha256(code).hexdigest()[:12]}", Content={"ZipFile": code}, **more
    )
    vendor.lambda_.add_layer_version_permission(
        LayerName=made["LayerArn"].rpartition(":")[2],
        VersionNumber=made["Version"],
        StatementId="consumer",
        Action="lambda:GetLayerVersion",
        Principal=consumer.account,
    )
    return made["LayerVersionArn"]


def write_policy(path, *publishers, root=None):
    roots = [] if root is None else [{"pem": root}]
    policy = {"version": 1, "allowed_publishers": list(publishers), "mode": "Enforce", "trust_roots": roots}
    path.write_text(json.dumps(policy))
    return path


def registry_of(arn, publisher, path):
    name = arn.split(":")[6]
    entry = {
        "vendor": "Observatory Ltd",
        "layer": f"arn:aws:lambda:*:{arn.split(':')[4]}:layer:{name}:*",
        "publishers": [{"profile_version_arn": publisher, "read_from": arn, "read_on": "2026-11-01"}],
    }
    path.write_text(json.dumps({"version": 1, "layers": [entry]}))
    return path


@pytest.fixture
def signed(vendor, desk, tmp_path):
    """A signed layer of a vendor: its ARN, its publisher, and a policy that allows it and trusts the local AWS."""
    profile, publisher = vendor.profile()
    code, _ = vendor.signed(profile, CODE)
    arn = shared(vendor, desk, code, LicenseInfo="Apache-2.0", CompatibleRuntimes=["python3.12"])
    certificates = parse_signature(read_archive(code).signature).certificates
    (root,) = [item.public_bytes(Encoding.PEM).decode() for item in certificates if item.issuer == item.subject]
    policy = write_policy(tmp_path / "policy.json", publisher, root=root)
    return arn, publisher, policy


def test_a_signed_layer_of_another_account_is_told_judged_and_verified(signed, run, tmp_path):
    arn, publisher, policy = signed
    registry = registry_of(arn, publisher, tmp_path / "layers.json")
    code, out, err = run("layer", "inspect", arn, "--policy", policy, "--registry", registry, "--download")
    assert (code, err) == (0, "")
    assert out.startswith(f"{arn}: ALLOWED\n  signed by: {publisher}\n")
    assert "  licence: Apache-2.0\n  runtimes: python3.12\n" in out
    assert out.endswith("  archive: downloaded and verified: VALID\n")


def test_json_answer_holds_all_and_an_entry_for_the_registry_that_reads_back(signed, run, tmp_path):
    arn, publisher, policy = signed
    code, out, _ = run("layer", "inspect", arn, "--policy", policy, "--format", "json")
    answer = json.loads(out)
    assert (code, answer["verdict"], answer["findings"], answer["report"]) == (0, "allowed", [], None)
    (tmp_path / "layers.json").write_text(json.dumps({"version": 1, "layers": [answer["registry_entry"]]}))
    code, out, _ = run("layer", "registry", "layers.json", "--policy", policy, "--format", "json")
    (row,) = json.loads(out)["publishers"]
    assert (code, row["profile_version_arn"], row["allowed"]) == (0, publisher, True)


def test_without_policy_and_registry_the_signer_is_told_and_no_verdict(signed, run):
    arn, publisher, _ = signed
    code, out, err = run("layer", "inspect", arn)
    assert (code, out.splitlines()[:2]) == (3, [f"{arn}: NO VERDICT", f"  signed by: {publisher}"])
    assert err == "No verdict: give --policy, --registry or both to say what is allowed.\n"


def test_a_publisher_that_the_policy_does_not_allow_is_not_allowed(signed, desk, run, tmp_path):
    arn, _, _ = signed
    _, stranger = desk.profile()
    code, out, _ = run("layer", "inspect", arn, "--policy", write_policy(tmp_path / "other.json", stranger))
    assert (code, "publisher_not_allowed: the policy does not allow the publisher" in out) == (1, True)


def test_unsigned_and_tampered_layers_are_not_allowed(signed, vendor, desk, run):
    _, _, policy = signed
    profile, _ = vendor.profile()
    broken, _ = vendor.signed(profile)
    for code in (CODE, tampered(broken)):
        exit_code, out, _ = run("layer", "inspect", shared(vendor, desk, code), "--policy", policy)
        assert (exit_code, "unsigned: AWS Lambda names no signer" in out) == (1, True)


def test_a_layer_that_is_not_shared_or_not_there_gets_no_verdict(signed, vendor, run):
    _, _, policy = signed
    private = vendor.layer(CODE)["LayerVersionArn"]
    for arn in (private, private.rpartition(":")[0] + ":99"):
        code, out, err = run("layer", "inspect", arn, "--policy", policy)
        assert (code, out) == (3, "")
        assert f"cannot look up the layer version {arn}" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "is not an ARN"),
        (["arn:aws:lambda:eu-west-1:777777777777:layer:x:1", "--download"], "give --policy"),
        (["arn:aws:lambda:eu-west-1:777777777777:layer:x:1", "--registry", "missing.json"], "cannot be read"),
    ],
)
def test_wrong_usage_is_told_before_aws_is_asked(run, words, said):
    code, out, err = run("layer", "inspect", *words)
    assert (code, out, said in err) == (2, "", True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A throwaway authority of the organization; its policy allows the profile that is for layers."""
    return ThrowawayAuthority.make(tmp_path_factory.mktemp("authority"), profile="acme_layers_g1")


@pytest.fixture
def resign(run, authority):
    """Runs ``layer resign`` with this authority."""
    signer = f"authority:{authority.policy_file.parent / 'authority'}"
    return lambda arn, *words: run(
        "layer",
        "resign",
        arn,
        "--signer",
        signer,
        "--profile",
        authority.profile,
        "--reason",
        "tracing, SEC-12",
        *words,
    )


def test_an_unsigned_layer_becomes_a_signed_copy_that_keeps_its_origin(vendor, desk, run, resign, authority, tmp_path):
    arn = shared(vendor, desk, CODE, LicenseInfo="MIT")
    code, out, err = resign(arn, "-o", "agent.zip", "--policy", authority.policy_file)
    assert (code, err) == (0, "")
    assert out.startswith(f"agent.zip: a copy of {arn}, signed by arn:aws:signer:")
    assert out.endswith("  provenance agent.json\n  licence: MIT\n")
    copy = (tmp_path / "agent.zip").read_bytes()
    assert run("verify", "agent.zip", "--policy", authority.policy_file)[0] == 0
    provenance = parse_provenance((tmp_path / "agent.json").read_text())
    assert check_provenance(provenance, copy) == ()
    digest = hashlib.sha256(CODE).hexdigest()
    assert (provenance.source_name, provenance.source_sha256) == (arn, digest)
    annotations = dict(provenance.annotations)
    assert annotations.pop("resigned_at").endswith("Z")
    assert annotations.pop("origin_created")
    assert annotations == {
        "origin_layer_version_arn": arn,
        "origin_code_sha256": digest,
        "license_info": "MIT",
        "reason": "tracing, SEC-12",
    }


def test_a_signed_layer_is_signed_again_only_where_that_is_asked_for(signed, run, resign, authority, tmp_path):
    arn, publisher, _ = signed
    code, out, err = resign(arn, "-o", "agent.zip")
    assert (code, out, f"is signed by {publisher} already" in err) == (1, "", True)
    assert not (tmp_path / "agent.zip").exists()
    assert resign(arn, "-o", "agent.zip", "--replace-signature")[0] == 0
    assert run("verify", "agent.zip", "--policy", authority.policy_file)[0] == 0
    provenance = parse_provenance((tmp_path / "agent.json").read_text())
    assert provenance.annotations["origin_signing_profile_version_arn"] == publisher
    assert provenance.annotations["license_info"] == "Apache-2.0"


@pytest.mark.parametrize("options", [[], ["--replace-signature"]])
def test_a_tampered_layer_is_never_signed(vendor, desk, resign, tmp_path, options):
    profile, _ = vendor.profile()
    code, _ = vendor.signed(profile)
    arn = shared(vendor, desk, tampered(code), LicenseInfo="MIT")
    exit_code, out, err = resign(arn, "-o", "agent.zip", *options)
    assert (exit_code, out, "is not what its publisher signed" in err) == (1, "", True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("agent", ".agent"))] == []


def test_a_layer_without_a_licence_needs_a_note_which_is_kept(vendor, desk, resign, tmp_path):
    arn = shared(vendor, desk, CODE)
    code, _, err = resign(arn, "-o", "agent.zip")
    assert (code, "states no licence" in err) == (2, True)
    note = ("--license-note", "internal use, contract 7")
    assert resign(arn, *note, "-o", "agent.zip", "--format", "json")[0] == 0
    assert (
        parse_provenance((tmp_path / "agent.json").read_text()).annotations["license_note"]
        == "internal use, contract 7"
    )


def test_nothing_is_replaced_and_nothing_half_written(vendor, desk, resign, tmp_path):
    arn = shared(vendor, desk, CODE, LicenseInfo="MIT")
    (tmp_path / "agent.json").write_text("{}")
    code, _, err = resign(arn, "-o", "agent.zip")
    assert (code, "exists already" in err) == (2, True)
    assert not (tmp_path / "agent.zip").exists()
    assert resign(arn, "--profile", "nobody", "-o", "other.zip")[0] == 2
    assert resign(arn, "-o", "agent.tar")[0] == 2
    assert not (tmp_path / "other.zip").exists()


def test_the_copy_is_taken_on_under_enforce_where_the_original_is_refused(vendor, desk, run, tmp_path):
    """The whole road of an unsigned layer: refused by Lambda, signed again with AWS Signer, published, taken on."""
    arn = shared(vendor, desk, CODE, LicenseInfo="MIT")
    profile, publisher = desk.profile()
    config = desk.config(publisher)
    function = desk.function(desk.signed(profile)[0], config)["FunctionName"]
    update = desk.lambda_.update_function_configuration
    assert refusal(update, FunctionName=function, Layers=[arn]) == (
        "CodeVerificationFailedException",
        UNTRUSTED.format(arn),
    )
    signer = ("--signer", f"aws:bucket={desk.bucket},region={desk.region}", "--profile", profile)
    exit_code, _, err = run("layer", "resign", arn, *signer, "--reason", "tracing", "-o", "agent.zip")
    assert exit_code == 0, err
    (key,) = [
        item["Key"] for item in desk.s3.list_objects_v2(Bucket=desk.bucket)["Contents"] if item["Key"][-4:] == "json"
    ]
    filed = parse_provenance(desk.read(key))
    assert (filed.source_name, filed.annotations["license_info"], filed.annotations["reason"]) == (
        arn,
        "MIT",
        "tracing",
    )
    ours = desk.layer((tmp_path / "agent.zip").read_bytes())["LayerVersionArn"]
    assert [layer["Arn"] for layer in update(FunctionName=function, Layers=[ours])["Layers"]] == [ours]
