"""Templates and assemblies in files: nested ones, stages, StackSets, assets; each archive read once."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm

from constructs_pkg.rules import CheckReport
from constructs_pkg.signing.attestation import attest_archive, format_attestation
from constructs_pkg.templates import archive_verdicts, check_assembly, find_templates, read_assembly, read_template
from tests.rules.judging import CSC, POLICY, PUBLISHER, SIGNED, UNSIGNED, VERIFIED_AT, function

SAMPLES = Path(__file__).parents[1] / "rules" / "samples"
ENVIRONMENT = cdk.Environment(account="123456789012", region="eu-west-1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the samples and the archives that they name."""
    for sample in SAMPLES.iterdir():
        (tmp_path / sample.name).write_text(sample.read_text("utf-8").replace("@PUBLISHER@", PUBLISHER))
    (tmp_path / "signed.zip").write_bytes(SIGNED.archive)
    (tmp_path / "unsigned.zip").write_bytes(UNSIGNED)
    (tmp_path / "src").mkdir()
    return tmp_path


def broken(report: CheckReport) -> list[str]:
    return [f"{item.rule.id} {item.construct_path or item.logical_id}".strip() for item in report.violations]


def check(path: Path) -> CheckReport:
    return check_assembly(read_template(path), POLICY, VERIFIED_AT)


def test_a_signed_sam_application_passes(folder: Path) -> None:
    report = check(folder / "sam-signed.yaml")
    assert broken(report) == []
    assert (bool(report), report.functions, report.layers, report.archives) == (True, 1, 1, 1)
    assert report.summary == (
        "PASSED: 1 template, 1 function, 1 layer, 1 archive judged; 0 fatal, 0 error, 0 warning, 0 note, 0 exempted"
    )


def test_an_unsigned_sam_application_fails_for_each_function(folder: Path) -> None:
    report = check(folder / "sam-unsigned.yaml")
    assert broken(report) == [
        "LCS101 Directory",
        "LCS209 Directory",
        "LCS101 Inline",
        "LCS207 Inline",
        "LCS215 Image",
        "LCS217 Others",
    ]
    assert not report


def test_a_nested_template_is_judged_with_what_its_parent_passes(folder: Path) -> None:
    report = check(folder / "parent.yaml")
    assert broken(report) == ["LCS201 Nested"]
    assert [item.template_path for item in report.violations] == [str(folder / "child.json")]


def test_a_nested_template_that_is_not_there_is_a_violation(folder: Path) -> None:
    (folder / "child.json").unlink()
    assert broken(check(folder / "parent.yaml")) == ["LCS904 Child", "LCS103 FromChild"]


def test_a_nested_template_that_cannot_be_understood_is_a_violation(folder: Path) -> None:
    (folder / "child.json").write_text("{")
    found = check(folder / "parent.yaml")
    assert broken(found) == ["LCS902", "LCS904 Child", "LCS103 FromChild"]
    assert found.violations[0].message.startswith("Child: ")


def test_a_template_that_nests_itself_ends(folder: Path) -> None:
    shutil.copy(folder / "parent.yaml", folder / "child.json")
    assert "LCS904 Child" in broken(check(folder / "parent.yaml"))


def test_the_body_of_a_stack_set_is_judged_with_its_parameters(folder: Path) -> None:
    report = check(folder / "stack-set.yaml")
    assert [(item.rule.id, item.logical_id) for item in report.violations] == [("LCS104", "Config")]
    assert report.templates[1].endswith("stack-set.yaml#Guardrails")


def test_overrides_leave_a_parameter_of_a_stack_set_open(folder: Path) -> None:
    file = folder / "stack-set.yaml"
    overrides = "      StackInstancesGroup:\n        - {ParameterOverrides: [{ParameterKey: Publisher}]}\n"
    file.write_text(file.read_text().replace("      TemplateBody:", f"{overrides}      TemplateBody:"))
    assert broken(check(file)) == ["LCS104 Config", "LCS119 Config"]


def test_one_archive_behind_many_functions_is_read_once_and_judged_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(folder / "signed.zip", folder / "copy.zip")
    read: list[Path] = []
    judged: list[object] = []
    opened, verify = Path.open, archive_verdicts.verify_archive

    def counting_open(self: Path, *words: Any, **options: Any) -> Any:
        read.append(self)
        return opened(self, *words, **options)

    def counting_verify(*words: Any, **options: Any) -> Any:
        judged.append(words)
        return verify(*words, **options)

    resources = {f"F{number}": function(Code="signed.zip") for number in range(50)}
    resources |= {f"G{number}": function(Code="copy.zip") for number in range(50)}
    (folder / "many.json").write_text(json.dumps({"Resources": resources}))
    assembly = read_template(folder / "many.json")
    monkeypatch.setattr(Path, "open", counting_open)
    monkeypatch.setattr(archive_verdicts, "verify_archive", counting_verify)
    report = check_assembly(assembly, POLICY, VERIFIED_AT)
    assert (bool(report), report.functions, report.archives) == (True, 100, 1)
    assert sorted(read) == [folder / "copy.zip", folder / "signed.zip"]
    assert len(judged) == 1


def test_an_attestation_may_stand_in_a_file_beside_the_template(folder: Path) -> None:
    attestation = attest_archive(SIGNED.archive, bucket="my-bucket", key="k.zip", object_version="v1")
    (folder / "k.json").write_text(format_attestation(attestation))
    code = {"S3Bucket": "my-bucket", "S3Key": "k.zip", "S3ObjectVersion": "v1"}
    for path, expected in (("k.json", []), ("other.json", ["LCS901 F", "LCS901 F"])):
        body = {**function(Code=code), "Metadata": {"LambdaCodeSigningAttestation": path}}
        (folder / "attested.json").write_text(json.dumps({"Resources": {"F": body}}))
        assert broken(check(folder / "attested.json")) == expected


@pytest.mark.parametrize("name", ["fifo", "directory.zip", "nowhere.zip", "with\0zero"])
def test_what_is_no_regular_file_is_never_opened_as_one(folder: Path, name: str) -> None:
    if name == "fifo":
        import os  # noqa: PLC0415 (for this case alone)

        os.mkfifo(folder / name)
    if name == "directory.zip":
        (folder / name).mkdir()
    (folder / "odd.json").write_text(json.dumps({"Resources": {"F": function(Code=name)}}))
    expected = "LCS209 F" if name == "directory.zip" else "LCS214 F"
    assert broken(check(folder / "odd.json")) == [expected]


# Assemblies


def _fill(stack: cdk.Stack, archive: Path) -> None:
    code = lambda_.Code.from_asset(str(archive))
    options: dict[str, Any] = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "handler.handler"}
    config = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, "Config", CSC)
    layer = lambda_.LayerVersion(stack, "Layer", code=code)
    lambda_.Function(stack, "Handler", code=code, code_signing_config=config, layers=[layer], **options)


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with stacks, nested stacks, a stage, another synthesizer; every function is signed and configured."""
    folder = tmp_path_factory.mktemp("app")
    archive = folder / "signed.zip"
    archive.write_bytes(SIGNED.archive)
    app = cdk.App(outdir=str(folder / "cdk.out"), builtin_cloud_formation_validation=False)
    shop = cdk.Stack(app, "Shop", env=ENVIRONMENT)
    _fill(shop, archive)
    nested = cdk.NestedStack(shop, "Nested")
    _fill(nested, archive)
    _fill(cdk.NestedStack(nested, "Deeper"), archive)
    _fill(cdk.Stack(cdk.Stage(app, "Prod", env=ENVIRONMENT), "Shop"), archive)
    own_bucket = cdk.DefaultStackSynthesizer(file_assets_bucket_name="own-${AWS::Region}", bucket_prefix="p/")
    _fill(cdk.Stack(app, "OwnBucket", synthesizer=own_bucket), archive)
    # A value goes through an SSM parameter and an export from one stack to the other.
    writer = cdk.Stack(app, "Writer", env=ENVIRONMENT)
    ssm.StringParameter(writer, "Parameter", parameter_name="/config", string_value=CSC)
    cdk.CfnOutput(writer, "Output", value=CSC, export_name="config")
    reader = cdk.Stack(app, "Reader", env=ENVIRONMENT)
    for name, arn in (
        ("BySsm", ssm.StringParameter.value_for_string_parameter(reader, "/config")),
        ("ByExport", cdk.Fn.import_value("config")),
    ):
        lambda_.CfnFunction(
            reader,
            name,
            code=lambda_.CfnFunction.CodeProperty(zip_file="x"),
            role="arn:aws:iam::123456789012:role/r",
            code_signing_config_arn=arn,
        )
    app.synth()
    return folder / "cdk.out"


@pytest.fixture
def assembly(synthesized: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthesized, tmp_path / "cdk.out"))


def test_a_signed_app_passes_in_every_corner_of_its_assembly(assembly: Path) -> None:
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    assert broken(report) == ["LCS207 Reader/BySsm", "LCS207 Reader/ByExport"]
    assert (report.functions, report.layers, report.archives, len(report.templates)) == (7, 5, 1, 7)


def test_an_archive_swapped_after_synth_is_found_in_every_corner_by_its_construct_path(assembly: Path) -> None:
    (archive,) = assembly.glob("asset.*.zip")
    archive.write_bytes(UNSIGNED)
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    assert sorted(item for item in broken(report) if item.startswith("LCS201")) == [
        "LCS201 OwnBucket/Handler/Resource",
        "LCS201 Prod/Shop/Handler/Resource",
        "LCS201 Shop/Handler/Resource",
        "LCS201 Shop/Nested/Deeper/Handler/Resource",
        "LCS201 Shop/Nested/Handler/Resource",
    ]


def _change(file: Path, change: Callable[[Any], object]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_an_executable_source_is_accepted_and_said(assembly: Path) -> None:
    def executable(manifest: Any) -> None:
        for asset in manifest["files"].values():
            if asset["source"].get("path", "").endswith(".zip"):
                asset["source"] = {"executable": ["python", "-m", "sign"]}

    _change(assembly / "OwnBucket.assets.json", executable)
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    found = [(item.rule.id, item.fails) for item in report.violations if "OwnBucket" in item.template_path]
    assert found == [("LCS212", False), ("LCS212", False)]


def test_an_asset_that_no_manifest_lists_is_a_foreign_object(assembly: Path) -> None:
    _change(assembly / "OwnBucket.assets.json", lambda manifest: manifest.update(files={}))
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    found = [item.rule.id for item in report.violations if "OwnBucket" in item.template_path]
    assert found == ["LCS210", "LCS211"] * 2


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text('{"artifacts": {}}'), "cdk.out"),
        (lambda folder: (folder / "Shop.template.json").unlink(), "Shop.template.json"),
        (lambda folder: (folder / "Shop.template.json").write_text("{"), "Shop.template.json"),
        (lambda folder: (folder / "Shop.assets.json").unlink(), "Shop.template.json"),
        (lambda folder: (folder / "assembly-Prod" / "manifest.json").unlink(), "manifest.json"),
    ],
    ids=["no-manifest", "cut", "list", "empty", "no-template", "cut-template", "no-assets", "no-manifest-of-stage"],
)
def test_an_assembly_that_cannot_be_understood_is_a_violation(
    assembly: Path, spoil: Callable[[Path], object], where: str
) -> None:
    spoil(assembly)
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    assert [Path(item.template_path).name for item in report.violations if item.rule.id == "LCS902"] == [where]
    assert not report


def test_without_metadata_the_logical_id_is_named(assembly: Path) -> None:
    for file in assembly.glob("*.metadata.json"):
        file.unlink()
    report = check_assembly(read_assembly(assembly), POLICY, VERIFIED_AT)
    assert broken(report) == ["LCS207 BySsm", "LCS207 ByExport"]


def test_a_policy_that_cannot_be_used_is_one_violation_of_the_whole_assembly(assembly: Path) -> None:
    policy = replace(POLICY, trust=type(POLICY.trust)())
    assert broken(check_assembly(read_assembly(assembly), policy, VERIFIED_AT)) == ["LCS903"]


# Directories


def test_templates_and_assemblies_are_found_below_a_directory_and_other_files_are_not(folder: Path) -> None:
    (folder / "node_modules").mkdir()
    shutil.copy(folder / "parent.yaml", folder / "node_modules" / "hidden.yaml")
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "package.json").write_text("{}")
    (folder / "deep" / "er").mkdir(parents=True)
    shutil.copy(folder / "child.json", folder / "deep" / "er" / "x.template")
    (folder / "app" / "cdk.out").mkdir(parents=True)
    (folder / "app" / "cdk.out" / "manifest.json").write_text('{"artifacts": {}}')
    found = [path.relative_to(folder).as_posix() for path in find_templates(folder)]
    assert found == [
        "child.json",
        "parent.yaml",
        "sam-signed.yaml",
        "sam-unsigned.yaml",
        "stack-set.yaml",
        "app/cdk.out",
        "deep/er/x.template",
    ]


def test_a_large_archive_that_is_no_zip_is_a_violation_and_no_exception(folder: Path) -> None:
    (folder / "noise.zip").write_bytes(b"\0" * 1_000_000)
    (folder / "empty.zip").write_bytes(b"")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w"):
        pass
    (folder / "hollow.zip").write_bytes(target.getvalue())
    resources = {name: function(Code=f"{name}.zip") for name in ("noise", "empty", "hollow")}
    (folder / "odd.json").write_text(json.dumps({"Resources": resources}))
    rules = dict(item.split() for item in broken(check(folder / "odd.json")))
    assert rules.keys() <= {"LCS201", "LCS202"}
    assert len(broken(check(folder / "odd.json"))) == 3
