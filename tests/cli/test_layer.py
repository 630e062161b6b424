"""``layer resign`` and ``layer registry`` where AWS need not be asked: odd archives, failing disks, what is printed."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from constructs_pkg.arns import LayerVersionArn
from constructs_pkg.aws.layers import LayerVersion
from constructs_pkg.cli import layer_resigning
from constructs_pkg.errors import FileAccessError
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy_file import parse_policy
from tests.cli.conftest import SIGNED_AT

ARN = "arn:aws:lambda:eu-west-1:777777777777:layer:Observatory-Agent:12"
LAYERS = Path(__file__).parents[2] / "examples" / "layers.json"
WORDS = ("--signer", "authority:authority", "--profile", "payments", "--reason", "tracing", "-o", "agent.zip")
AT = ("--at", "2026-02-01T00:00:00Z")


@pytest.fixture
def holds(monkeypatch):
    """Makes AWS Lambda hold one archive, of which it names no signer."""

    def hold(archive: bytes) -> None:
        layer = LayerVersion(
            arn=LayerVersionArn.parse(ARN),
            publisher=None,
            signing_job_arn=None,
            code_sha256="0" * 64,
            code_bytes=len(archive),
            location="https://layers.example/1",
            license_info="MIT",
        )
        monkeypatch.setattr(layer_resigning, "get_layer_version", lambda _clients, _arn: layer)
        monkeypatch.setattr(
            layer_resigning, "download_layer_version", lambda _layer, target, *, advance: advance(target.write(archive))
        )

    return hold


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "agent" in path.name)


def test_what_is_no_archive_is_not_signed(holds, run, workspace) -> None:
    holds(b"no archive at all")
    ran = run("layer", "resign", ARN, *WORDS, *AT)
    assert (ran.code, ran.out, "its archive cannot be signed" in ran.err) == (1, "", True)
    assert left_in(workspace) == []


def test_a_signature_that_aws_does_not_show_is_told_and_replaced_only_where_that_is_asked_for(
    holds, run, workspace
) -> None:
    holds((workspace / "other.zip").read_bytes())
    ran = run("layer", "resign", ARN, *WORDS, *AT)
    assert (ran.code, "holds a signature of" in ran.err, left_in(workspace)) == (1, True, [])
    assert run("layer", "resign", ARN, *WORDS, *AT, "--replace-signature").code == 0
    assert run("verify", "agent.zip", "--policy", "policy.json", *AT).code == 0


def test_names_that_a_copy_would_change_are_refused(holds, run, workspace) -> None:
    holds(signed_with_a_name_in_no_encoding(workspace))
    ran = run("layer", "resign", ARN, *WORDS, *AT, "--replace-signature")
    assert (ran.code, "cannot be copied without changing its content" in ran.err, left_in(workspace)) == (1, True, [])


def signed_with_a_name_in_no_encoding(workspace: Path) -> bytes:
    """A signed archive with a name in UTF-8 that does not say so, which ``zipfile`` takes for another one."""
    buffer, signed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/caf__.py"), b"VERSION = 1\n")
    unsigned = buffer.getvalue().replace(b"caf__", "café".encode())
    AuthorityDirectory(workspace / "authority").sign(unsigned, signed, profile="website", at=SIGNED_AT)
    return signed.getvalue()


def test_a_copy_without_its_provenance_does_not_stay(holds, run, workspace, monkeypatch) -> None:
    holds((workspace / "unsigned.zip").read_bytes())
    write = layer_resigning.write_file

    def full_disk(path: Path, *arguments, **keywords):
        if path.suffix == ".json":
            raise FileAccessError(f"{path} cannot be written: no space left on device. Check the directory")
        return write(path, *arguments, **keywords)

    monkeypatch.setattr(layer_resigning, "write_file", full_disk)
    ran = run("layer", "resign", ARN, *WORDS, *AT)
    assert (ran.code, "no space left" in ran.err, left_in(workspace)) == (2, True, [])


def test_empty_and_endless_reasons_are_refused(run) -> None:
    for reason in (" ", "x" * 1001):
        ran = run("layer", "resign", ARN, *WORDS, "--reason", reason)
        assert (ran.code, "--reason has" in ran.err) == (2, True)


# The registry


def test_a_registry_is_shown_with_what_the_policy_allows(run) -> None:
    ran = run("layer", "registry", LAYERS)
    assert (ran.code, ran.err) == (0, "")
    rows = [line.split() for line in ran.out.splitlines()[3:]]
    assert [(row[0], *row[-4:-1]) for row in rows] == [
        ("Observatory", "all", "2026-11-02", "not"),
        ("Beacon", "eu-west-1", "2026-11-02", "not"),
        ("Beacon", "eu-central-1", "2026-11-03", "not"),
    ]
    ran = run("layer", "registry", LAYERS, "--policy", "policy.json", "--format", "json")
    assert (ran.code, [row["allowed"] for row in ran.json["publishers"]]) == (1, [False] * 3)


def test_the_policy_with_the_layers_trusts_nobody_more_and_reads_back(run, workspace) -> None:
    ran = run("layer", "registry", LAYERS, "--policy", "policy.json", "-o", "more.json")
    assert ran.code == 1
    assert ran.out.endswith("more.json: the policy with these layers\n")
    before, after = (parse_policy((workspace / name).read_bytes()) for name in ("policy.json", "more.json"))
    assert after.allowed_publishers == before.allowed_publishers
    assert [item.layer.split(":")[3] for item in after.templates.external_layers] == ["*", "eu-west-1", "eu-central-1"]
    assert run("layer", "registry", LAYERS, "--policy", "policy.json", "-o", "more.json").code == 2


def test_every_problem_of_a_registry_is_told(run, workspace) -> None:
    document = json.loads(LAYERS.read_text())
    document["layers"][0]["vedor"] = document["layers"][0].pop("vendor")
    (workspace / "layers.json").write_text(json.dumps(document))
    ran = run("layer", "registry", "layers.json")
    assert (ran.code, ran.out) == (2, "")
    assert "layers[0].vedor: is not a known key. Did you mean 'vendor'?" in ran.err
    assert "layers[0].vendor: is missing" in ran.err
    assert run("layer", "registry", LAYERS, "-o", "x.json").code == 2
