"""CodeSigningChecks: the same verdict on every road, everything in an App seen, nothing let through by a mishap."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from constructs_pkg.cdk import CodeSigningChecks, SignedCode, checks
from constructs_pkg.errors import PolicyError
from constructs_pkg.rules import RULES
from constructs_pkg.signing.attestation import attest_archive
from constructs_pkg.signing.policy import CodeSigningPolicy, PolicyOrigin
from constructs_pkg.signing.policy_file import format_policy, parse_policy
from constructs_pkg.signing.template_terms import TemplateExemption, TemplateTerms
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from constructs_pkg.testing import APPROVED_CONFIG_ARN, ThrowawayAuthority
from tests.cdk.conftest import ENVIRONMENT, new_app
from tests.corpus.corpus_case import VERIFIED_AT
from tests.corpus.decision_cases import policy_text
from tests.corpus.verifier_cases import CASES
from tests.in_process import run_in_process

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FILES = {"index.py": "def handler(event, context):\n    return 1\n"}
RUNTIME = {"runtime": lambda_.Runtime.PYTHON_3_13, "handler": "index.handler"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> ThrowawayAuthority:
    return ThrowawayAuthority.make(tmp_path_factory.mktemp("authority"), at=AT)


@pytest.fixture(scope="module")
def signed(authority, tmp_path_factory) -> Path:
    return authority.signed_archive(tmp_path_factory.mktemp("signed") / "signed.zip", FILES, at=AT)


@pytest.fixture(scope="module")
def unsigned(authority, tmp_path_factory) -> Path:
    return authority.unsigned_archive(tmp_path_factory.mktemp("unsigned") / "unsigned.zip", FILES)


def checked(policy, **arguments) -> tuple[cdk.App, CodeSigningChecks]:
    app, plugin = new_app(), CodeSigningChecks(policy, at=AT, **arguments)
    cdk.Validations.of(app).add_plugins(plugin)
    return app, plugin


def function(scope, name: str, archive: Path, config: str | None = APPROVED_CONFIG_ARN) -> lambda_.Function:
    made = lambda_.Function(scope, name, code=lambda_.Code.from_asset(str(archive)), **RUNTIME)
    made.node.default_child.code_signing_config_arn = config
    return made


def said(app: cdk.App) -> str:
    """Return what the synth fails with."""
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    return str(caught.value)


def found(plugin: CodeSigningChecks) -> list[tuple[str, str | None]]:
    return [(violation.rule.id, violation.construct_path) for violation in plugin.report.violations]


# What an App has


def test_signed_functions_under_the_approved_config_synthesize(authority, signed) -> None:
    app, plugin = checked(authority.policy_file)
    stack = cdk.Stack(app, "Stack", env=ENVIRONMENT)
    function(stack, "One", signed)
    function(stack, "Two", signed)
    app.synth()
    assert (plugin.report.functions, plugin.report.archives, plugin.report.violations) == (2, 1, ())


def test_failing_synth_names_rule_construct_and_remedy(authority, unsigned) -> None:
    app, _ = checked(authority.policy)
    function(cdk.Stack(app, "Stack"), "Function", unsigned, config=None)
    text = said(app)
    for rule_id in ("LCS101", "LCS201"):
        rule = RULES[rule_id]
        assert f"FATAL {rule.title}: " in text
        assert f"Rule lambda-code-signing::{rule_id}" in text
    assert text.count("Stack/Function/Resource") == 2
    assert "Suggested fix: Set CodeSigningConfigArn to the organization's config" in text
    assert "Suggested fix: Sign the archive with an allowed signing profile" in text


def test_nested_stacks_stages_and_inlined_stack_sets_are_seen(authority, unsigned) -> None:
    app, plugin = checked(authority.policy)
    stack = cdk.Stack(app, "Stack")
    nested = cdk.NestedStack(stack, "Nested")
    for scope in (stack, nested, cdk.NestedStack(nested, "Deeper"), cdk.Stack(cdk.Stage(app, "Prod"), "Staged")):
        function(scope, "Function", unsigned)
    inlined = {"Resources": {"Hidden": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "1"}}}}}
    cdk.CfnStackSet(
        stack, "Set", permission_model="SELF_MANAGED", stack_set_name="set", template_body=json.dumps(inlined)
    )
    text = said(app)
    assert {path for rule, path in found(plugin) if rule == "LCS201"} == {
        "Stack/Function/Resource",
        "Stack/Nested/Function/Resource",
        "Stack/Nested/Deeper/Function/Resource",
        "Prod/Staged/Function/Resource",
    }
    hidden = [item for item in plugin.report.violations if item.logical_id == "Hidden"]
    assert {item.rule.id for item in hidden} == {"LCS101", "LCS207"}
    for path in ("Stack/Nested/Deeper/Function/Resource", "Prod/Staged/Function/Resource"):
        assert path in text


def test_plugin_of_a_stage_judges_that_stage(authority, unsigned) -> None:
    app = new_app()
    plugin = CodeSigningChecks(authority.policy, at=AT)
    stage = cdk.Stage(app, "Prod")
    cdk.Validations.of(stage).add_plugins(plugin)
    function(cdk.Stack(stage, "Staged"), "Function", unsigned)
    function(cdk.Stack(app, "Other"), "Function", unsigned)
    said(app)
    assert found(plugin) == [("LCS201", "Prod/Staged/Function/Resource")]


def test_assembly_is_not_touched(authority, unsigned, tmp_path) -> None:
    def files(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and path.name not in {"validation-report.json", "tree.json"}
        }

    for name, plugins in (("without", []), ("with", [CodeSigningChecks(authority.policy, at=AT)])):
        app = cdk.App(outdir=str(tmp_path / name), builtin_cloud_formation_validation=False, analytics_reporting=False)
        cdk.Validations.of(app).add_plugins(*plugins)
        function(cdk.Stack(app, "Stack"), "Function", unsigned)
        if plugins:
            said(app)
        else:
            app.synth()
    assert files(tmp_path / "with") == files(tmp_path / "without")


def test_signed_object_in_a_bucket_is_judged_by_its_attestation(authority, signed) -> None:
    app, plugin = checked(authority.policy)
    stack = cdk.Stack(app, "Stack")
    attestation = attest_archive(signed.read_bytes(), bucket="code", key="charge.zip", object_version="v1")
    bucket = s3.Bucket.from_bucket_name(stack, "Bucket", "code")
    code = SignedCode.from_signed_bucket(
        bucket, "charge.zip", "v1", attestation=attestation, policy=authority.policy, at=AT
    )
    made = lambda_.Function(stack, "Function", code=code, **RUNTIME)
    made.node.default_child.code_signing_config_arn = APPROVED_CONFIG_ARN
    app.synth()
    assert found(plugin) == []


def test_code_signed_at_publish_passes_and_is_said(authority, tmp_path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "index.py").write_text(FILES["index.py"])
    code = SignedCode.at_publish(
        tmp_path / "source",
        signer=f"authority:{authority.signer.path}",
        policy=authority.policy,
        store=tmp_path / "store",
        at=AT,
    )
    app, plugin = checked(authority.policy)
    made = lambda_.Function(cdk.Stack(app, "Stack"), "Function", code=code, **RUNTIME)
    made.node.default_child.code_signing_config_arn = APPROVED_CONFIG_ARN
    app.synth()
    assert found(plugin) == [("LCS212", "Stack/Function/Resource")]


# What can be acknowledged


def acknowledged(scope, *rules: str) -> None:
    for rule in rules:
        cdk.Validations.of(scope).acknowledge(
            cdk.Acknowledgment(id=f"lambda-code-signing::{rule}", reason="we know better")
        )


def test_fatal_violation_cannot_be_acknowledged(authority, unsigned) -> None:
    app, _ = checked(authority.policy)
    function(cdk.Stack(app, "Stack"), "Function", unsigned)
    acknowledged(app, "LCS201")
    assert "LCS201" in said(app)


def app_with_error_and_fatal(authority, signed) -> tuple[cdk.App, lambda_.Function]:
    app, _ = checked(authority.policy)
    stack = cdk.Stack(app, "Stack")
    made = function(stack, "Function", signed)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:CreateFunction"], resources=["*"]))
    return app, made


def test_error_can_be_acknowledged_with_the_frameworks_own_means(authority, signed) -> None:
    app, _ = app_with_error_and_fatal(authority, signed)
    assert "lambda-code-signing::LCS505" in said(app)
    app, _ = app_with_error_and_fatal(authority, signed)
    acknowledged(app, "LCS505")
    app.synth()


def test_acknowledging_one_rule_hides_no_fatal_one(authority, signed) -> None:
    app, made = app_with_error_and_fatal(authority, signed)
    made.node.default_child.code_signing_config_arn = None
    acknowledged(app, "LCS505", "LCS101")
    assert "LCS101" in said(app)


@pytest.mark.parametrize(("days", "passes"), [(1, True), (-1, False)])
def test_exemption_of_the_policy_file_holds_until_its_last_day(authority, unsigned, days, passes) -> None:
    exemption = TemplateExemption(
        construct_path="Stack/Function/*",
        owner="payments",
        reason="the vendor signs from December on",
        expires=(AT + timedelta(days=days)).date(),
    )
    terms = replace(authority.policy.templates, exemptions=(exemption,))
    app, plugin = checked(replace(authority.policy, templates=terms))
    function(cdk.Stack(app, "Stack"), "Function", unsigned)
    if passes:
        app.synth()
        (violation,) = plugin.report.violations
        assert violation.exempted_by == str(exemption)
        report = json.loads(Path(app.outdir, "validation-report.json").read_text())
        assert str(exemption) in json.dumps(report)
    else:
        assert "LCS601" in said(app)


# What cannot be used


def bad_root(policy: CodeSigningPolicy) -> str:
    document = json.loads(format_policy(policy))
    document["trust_roots"] = [{"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}]
    return json.dumps(document)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda _policy: None, "No such file"),
        (lambda _policy: "not JSON", "not JSON"),
        (lambda policy: format_policy(policy).replace('"version": 1', '"version": 99'), "99 is not one that this"),
        (bad_root, "trust_roots"),
        (lambda policy: format_policy(replace(policy, trust=TrustStore())), "no trust root is known"),
        (
            lambda policy: format_policy(
                replace(policy, origin=PolicyOrigin(None, AT - timedelta(days=8)), max_age_days=7)
            ),
            "is good for 7 days",
        ),
    ],
    ids=["missing", "no JSON", "unknown version", "bad root", "no root", "stale"],
)
def test_policy_file_that_cannot_be_used_says_what_to_fetch_and_from_where(
    authority, tmp_path, content, reason
) -> None:
    path = tmp_path / "policy.json"
    text = content(authority.policy)
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolicyError, match=reason) as caught:
        CodeSigningChecks(path, fetch_from="https://platform.example/policy.json", at=AT)
    assert f"from https://platform.example/policy.json and put it at {path}" in str(caught.value)


def test_policy_that_goes_stale_before_the_synth_fails_it(authority, signed, monkeypatch) -> None:
    policy = replace(authority.policy, origin=PolicyOrigin(None, AT), max_age_days=1)
    monkeypatch.setattr(checks, "now", lambda: AT)
    app, plugin = new_app(), CodeSigningChecks(policy)
    cdk.Validations.of(app).add_plugins(plugin)
    function(cdk.Stack(app, "Stack"), "Function", signed)
    monkeypatch.setattr(checks, "now", lambda: AT + timedelta(days=2))
    assert "LCS903" in said(app)


def test_error_inside_of_the_checks_fails_the_synth_and_cannot_be_acknowledged(authority, signed, monkeypatch) -> None:
    def broken(*_arguments: object) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(checks, "check_assembly", broken)
    app, plugin = checked(authority.policy)
    function(cdk.Stack(app, "Stack"), "Function", signed)
    acknowledged(app, *RULES)
    text = said(app)
    assert "LCS901" in text
    assert "a mistake of ours" in text
    assert plugin.report is None


def test_template_that_is_damaged_before_the_checks_is_a_violation(authority, signed, monkeypatch) -> None:
    read = checks.read_assembly

    def damaged(directory: Path):
        (directory / "Stack.template.json").write_text('{"Resources": ')
        return read(directory)

    monkeypatch.setattr(checks, "read_assembly", damaged)
    app, _ = checked(authority.policy)
    function(cdk.Stack(app, "Stack"), "Function", signed)
    assert "LCS902" in said(app)


# The same on every road

APP = """
import os
from constructs_pkg.cdk import CodeSigningChecks
import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

app = cdk.App(outdir=os.environ.get("CDK_OUTDIR", "cdk.out"), builtin_cloud_formation_validation=False)
cdk.Validations.of(app).add_plugins(CodeSigningChecks("policy.json"))
stack = cdk.Stack(app, "Stack")
function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_asset(os.path.abspath("code.zip")),
)
function.node.default_child.code_signing_config_arn = "CONFIG"
app.synth()
"""


def violations_in(report: Path) -> list[tuple[str, str, str]]:
    plugins = json.loads(report.read_text())["pluginReports"]
    (ours,) = (item for item in plugins if item["pluginName"] == "lambda-code-signing")
    return sorted(
        (item["ruleName"], item["severity"], resource["constructPath"])
        for item in ours["violations"]
        for resource in item["violatingConstructs"]
    )


def test_verdict_is_the_same_in_python_cdk_synth_and_pytest(tmp_path) -> None:
    own = ThrowawayAuthority.make(tmp_path / "own")
    own.unsigned_archive(tmp_path / "code.zip", FILES)
    (tmp_path / "policy.json").write_bytes(own.policy_file.read_bytes())
    (tmp_path / "app.py").write_text(APP.replace("CONFIG", APPROVED_CONFIG_ARN))
    unset = {"PYTEST_VERSION", "PYTEST_CURRENT_TEST", "NODE_ENV"}
    environment = {key: value for key, value in os.environ.items() if key not in unset and not key.startswith("CDK_")}
    environment |= {
        "PATH": os.pathsep.join([str(BIN), environment["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
    roads = {
        "python": ([sys.executable, "app.py"], {"CDK_OUTDIR": "by-python"}),
        "cdk": ([BIN / "cdk", "synth", "-q", "-a", f"{sys.executable} app.py", "-o", "by-cdk"], {}),
    }
    running = {
        name: subprocess.Popen(
            list(map(str, command)),
            cwd=tmp_path,
            env=environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, (command, more) in roads.items()
    }
    texts = {name: process.communicate(timeout=120)[0] for name, process in running.items()}
    codes = {name: process.returncode for name, process in running.items()}
    assert (tmp_path / "by-python" / "validation-report.json").exists(), texts["python"]
    assert codes == {"python": 1, "cdk": 1}, texts
    with pytest.raises(RuntimeError) as caught:
        run_in_process(tmp_path / "app.py", folder=tmp_path, environment={"CDK_OUTDIR": str(tmp_path / "by-pytest")})
    texts["pytest"] = str(caught.value)
    reports = [violations_in(tmp_path / f"by-{name}" / "validation-report.json") for name in ("python", "cdk")]
    assert reports == [[("LCS201", "fatal", "Stack/Function/Resource")]] * 2
    assert {name: re.findall(r"LCS\d+", text) for name, text in texts.items()} == {name: ["LCS201"] for name in texts}
    assert all("Stack/Function/Resource" in text for text in texts.values())


# The verifier's decision is the plugin's

RULE_OF_CHECK = {"integrity": "LCS202", "mismatch": "LCS203", "expiry": "LCS204", "revocation": "LCS206"}


def expected_rules(report) -> set[str]:
    return {"LCS201" if finding.code == "unsigned" else RULE_OF_CHECK[finding.check] for finding in report.findings}


def test_plugin_and_verifier_agree_over_the_corpus(tmp_path) -> None:
    """The archives of the corpus that are about decisions, and a fourth of the others; the rules have one for all."""
    at = datetime.fromisoformat(VERIFIED_AT)
    policy = parse_policy(policy_text("allowed", "enforce"))
    policy = replace(policy, templates=TemplateTerms())
    app, plugin = new_app(), CodeSigningChecks(policy, at=at)
    cdk.Validations.of(app).add_plugins(plugin)
    stacks = [cdk.Stack(app, f"Stack{number}") for number in range(3)]
    expected = {}
    for number, case in enumerate(CASES):
        if number % 4 and not case.name.startswith(("decision", "content")):
            continue
        archive = case.build()
        path = tmp_path / f"{number}.zip"
        path.write_bytes(archive)
        layer = lambda_.LayerVersion(stacks[number % 3], f"Case{number}", code=lambda_.Code.from_asset(str(path)))
        expected[f"{layer.node.path}/Resource"] = (case.name, verify_archive(BytesIO(archive), policy, at))
    assert len(expected) > 100
    said(app)
    rules: dict[str | None, set[str]] = {path: set() for path in expected}
    for rule, path in found(plugin):
        rules[path].add({"LCS301": "LCS201", "LCS302": "LCS203"}.get(rule, rule))
    assert {name: rules[path] for path, (name, _) in expected.items()} == {
        name: expected_rules(report) for name, report in expected.values()
    }
