"""What developer teams test with: fixtures, assert_deployable with a readable failure, lambda_verdict, and matchers."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from constructs_pkg.cdk import CodeSigningChecks, EnforcedCodeSigning, RequireCodeSigning, SignedCode
from constructs_pkg.clock import now
from constructs_pkg.errors import FileAccessError, PolicyError
from constructs_pkg.signing.report import Decision
from constructs_pkg.testing import assert_deployable, lambda_verdict
from constructs_pkg.testing.matching import enforcing_config, function_under_config, signed_code
from tests.cdk.conftest import new_app

pytest_plugins = ["constructs_pkg.testing.fixtures"]

RUNTIME = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler"}


@pytest.fixture
def stack_with(approved_config_arn):
    """Return a stack of its own App with a function and a layer from these archives."""

    def build(function: Path, layer: Path, app: cdk.App | None = None, name: str = "Payments") -> cdk.Stack:
        stack = cdk.Stack(app or new_app(), name)
        made = lambda_.LayerVersion(stack, "Layer", code=lambda_.Code.from_asset(str(layer)))
        lambda_.Function(stack, "Charge", code=lambda_.Code.from_asset(str(function)), layers=[made], **RUNTIME)
        RequireCodeSigning(approved_config_arn).apply_to(stack)
        return stack

    return build


def test_signed_stack_is_deployable(stack_with, signed_archive, code_signing_policy) -> None:
    report = assert_deployable(stack_with(signed_archive, signed_archive), code_signing_policy)
    assert (report.functions, report.layers, report.archives, report.violations) == (1, 1, 1, ())


def test_failure_lists_every_reason_with_rule_construct_and_remedy(
    stack_with, unsigned_archive, code_signing_authority, tmp_path
) -> None:
    other = code_signing_authority.signed_archive(
        tmp_path / "other.zip", {"index.py": "1\n"}, profile=code_signing_authority.other_profile
    )
    with pytest.raises(AssertionError) as caught:
        assert_deployable(stack_with(other, unsigned_archive), code_signing_authority.policy)
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 reasons why this would not be deployed"
    assert [[*line.split()[:2], line.split("(")[0].split()[-1]] for line in lines if line.startswith("FATAL")] == [
        ["FATAL", "LCS301", "Payments/Layer/Resource"],
        ["FATAL", "LCS203", "Payments/Charge/Resource"],
    ]
    text = str(caught.value)
    assert "/signing-profiles/somebody_else/" in text
    assert "Have it signed by one of the allowed publishers" in text


def test_stack_is_judged_with_its_nested_stacks_and_without_the_others(
    stack_with, signed_archive, unsigned_archive, code_signing_policy
) -> None:
    app = new_app()
    good = stack_with(signed_archive, signed_archive, app)
    stack_with(unsigned_archive, unsigned_archive, app, "Broken")
    outer = cdk.Stack(app, "Outer")
    nested = cdk.NestedStack(outer, "Nested")
    lambda_.Function(nested, "Charge", code=lambda_.Code.from_asset(str(unsigned_archive)), **RUNTIME)
    assert_deployable(good, code_signing_policy)
    with pytest.raises(AssertionError, match="Outer/Nested/Charge/Resource"):
        assert_deployable(outer, code_signing_policy)
    with pytest.raises(AssertionError, match="Broken/Charge/Resource"):
        assert_deployable(app, code_signing_policy)


def test_assembly_on_disk_and_stage_are_judged_too(
    stack_with, signed_archive, unsigned_archive, code_signing_policy, tmp_path
) -> None:
    for archive, is_good in ((signed_archive, True), (unsigned_archive, False)):
        app = new_app()
        stage = cdk.Stage(app, "Prod")
        stack_with(archive, archive, stage)
        copy = tmp_path / str(is_good)
        shutil.copytree(app.synth().directory, copy)
        for what in (stage, copy, str(copy)):
            if is_good:
                assert assert_deployable(what, code_signing_policy).functions == 1
            else:
                with pytest.raises(AssertionError, match="LCS201"):
                    assert_deployable(what, code_signing_policy)


def test_template_without_its_files_is_judged_by_what_it_says(
    stack_with, signed_archive, code_signing_policy, approved_config_arn, tmp_path
) -> None:
    inline = {
        "Resources": {
            "Charge": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Code": {"ZipFile": "1"}, "CodeSigningConfigArn": approved_config_arn},
            }
        }
    }
    (tmp_path / "template.json").write_text(json.dumps(inline))
    for what in (inline, tmp_path / "template.json"):
        with pytest.raises(AssertionError, match="LCS207"):
            assert_deployable(what, code_signing_policy)
    template = Template.from_stack(stack_with(signed_archive, signed_archive))
    with pytest.raises(AssertionError, match="LCS211"):  # the asset is somewhere in S3, for all that a template says
        assert_deployable(template, code_signing_policy)
    empty = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    assert assert_deployable(empty, code_signing_policy).violations == ()


def test_app_that_does_not_synthesize_fails_the_assertion_with_the_reason(
    stack_with, unsigned_archive, code_signing_policy
) -> None:
    stack = stack_with(unsigned_archive, unsigned_archive)
    cdk.Validations.of(stack.node.root).add_plugins(CodeSigningChecks(code_signing_policy))
    with pytest.raises(AssertionError, match="LCS201"):
        assert_deployable(stack, code_signing_policy)


def test_what_is_no_template_is_no_passed_test(code_signing_policy, tmp_path) -> None:
    with pytest.raises(TypeError, match="int is no stack"):
        assert_deployable(7, code_signing_policy)  # pyright: ignore[reportArgumentType]
    for what in ({"Resources": 7}, {}):
        with pytest.raises(TypeError, match="is no template"):
            assert_deployable(what, code_signing_policy)
    for what in (tmp_path, tmp_path / "missing.json"):
        with pytest.raises(AssertionError, match="LCS902"):
            assert_deployable(what, code_signing_policy)


# Single archives


def test_verdict_on_an_archive_with_its_layers(
    signed_archive, unsigned_archive, code_signing_authority, code_signing_policy
) -> None:
    good = lambda_verdict(signed_archive, code_signing_policy, layers=[signed_archive.read_bytes()])
    assert (good.decision, bool(good)) == (Decision.ACCEPTED, True)
    bad = lambda_verdict(str(signed_archive), code_signing_policy, layers=[signed_archive, unsigned_archive])
    assert (bad.decision, bad.at_fault) == (Decision.REJECTED, (str(unsigned_archive),))
    assert bad.aws_error is not None
    assert bad.aws_error.code == "CodeVerificationFailedException"
    late = lambda_verdict(signed_archive, code_signing_policy, at=now() + timedelta(days=366 * 12))
    assert late.function.signature_status == "EXPIRED"
    assert code_signing_authority.publisher == good.function.signing_profile_version_arn


def test_no_verdict_is_no_pass(code_signing_authority, signed_archive, tmp_path) -> None:
    with pytest.raises(FileAccessError, match=r"missing\.zip"):
        lambda_verdict(tmp_path / "missing.zip", code_signing_authority.policy)
    with pytest.raises(PolicyError, match="no trust root"):
        lambda_verdict(signed_archive, type(code_signing_authority.policy)((code_signing_authority.publisher,)))


# With aws_cdk.assertions


def test_matchers_find_what_is_there_and_miss_what_is_not(
    stack_with, signed_archive, code_signing_policy, code_signing_authority, approved_config_arn
) -> None:
    publisher = str(code_signing_authority.publisher)
    stack = stack_with(signed_archive, signed_archive)
    EnforcedCodeSigning(stack, "Own", publishers=[publisher])
    code = SignedCode.from_artifact(signed_archive, policy=code_signing_policy)
    lambda_.Function(stack, "Refund", code=code, **RUNTIME)
    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::Lambda::CodeSigningConfig", enforcing_config())
    template.has_resource_properties("AWS::Lambda::CodeSigningConfig", enforcing_config([publisher]))
    template.all_resources_properties("AWS::Lambda::Function", function_under_config())
    template.all_resources_properties("AWS::Lambda::Function", function_under_config(approved_config_arn))
    template.has_resource("AWS::Lambda::Function", signed_code(publisher))
    for check, kind, wanted in (
        (template.has_resource_properties, "AWS::Lambda::CodeSigningConfig", enforcing_config([publisher + "x"])),
        (template.all_resources_properties, "AWS::Lambda::Function", function_under_config("another")),
        (template.has_resource, "AWS::Lambda::Function", signed_code("another")),
        (template.all_resources, "AWS::Lambda::Function", signed_code()),
    ):
        with pytest.raises(RuntimeError):
            check(kind, wanted)
