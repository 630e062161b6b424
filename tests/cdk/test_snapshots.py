"""Every template of the reference deployments, as reviewed; ``make snapshots`` rewrites them."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import aws_cdk as cdk
import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from constructs_pkg.cdk.deployment import Deployment, declare_deployment
from constructs_pkg.organization import load_organization, lock_path, read_lock
from tests.cdk.conftest import FLAGS, new_app

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, tzinfo=UTC)
FILES = ["organization.toml", "examples/single-account.toml"]
BOTH = pytest.mark.parametrize("name", FILES, ids=["organization", "single-account"])


def declare(name: str, app: cdk.App) -> Deployment:
    path = ROOT / name
    return declare_deployment(app, load_organization(path, at=AT), lock=read_lock(lock_path(path)), at=AT)


def templates(app: cdk.App) -> dict[str, dict]:
    assembly = app.synth()
    masked = {}
    for stack in assembly.stacks:
        text = Path(assembly.directory, stack.template_file).read_text("utf-8")
        masked[stack.stack_name] = json.loads(re.sub(r"[0-9a-f]{64}", "ASSET_HASH", text))
    return masked


def readable(template: dict) -> dict:
    """Show the templates within StackSets, and the policies that are texts, as what they are."""
    for resource in template["Resources"].values():
        for key in ("TemplateBody", "Content"):
            if isinstance(resource.get("Properties", {}).get(key), str):
                resource["Properties"][key] = json.loads(resource["Properties"][key])
    return template


@BOTH
def test_templates_are_those_that_were_reviewed(name: str, snapshot: SnapshotAssertion) -> None:
    app = new_app(FLAGS)
    declare(name, app)
    for stack, template in templates(app).items():
        assert readable(template) == snapshot(name=stack, extension_class=JSONSnapshotExtension)


@BOTH
def test_feature_flags_of_the_user_change_nothing(name: str) -> None:
    with_flags, without_flags = new_app(FLAGS), new_app()
    declare(name, with_flags)
    declare(name, without_flags)
    assert templates(without_flags) == templates(with_flags)


@BOTH
def test_cfn_lint_finds_nothing(name: str, lint) -> None:
    app = new_app(FLAGS)
    deployment = declare(name, app)
    region = deployment.organization.home_region
    found = templates(app)
    assert {stack: lint(template, region) for stack, template in found.items()} == {
        stack.stack_name: [] for stack in deployment.stacks
    }
    members = {} if deployment.rollout is None else {one.template.text for one in deployment.rollout.rollout.stack_sets}
    targets = deployment.organization.target_regions
    assert [lint(json.loads(member), *targets) for member in members] == [[] for _ in members]


# What cdk-nag's AwsSolutions pack may find, with the reason why it stands. It looks at Allow statements only.
ACCOUNT = r"(\d{12}|<AWS::AccountId>)"
MEMBER = r"Baseline/((Payments|Checkout|CustomerNotices)/\w+|SharedPolicy)"
GUARDED = rf"(guardrail/(DeveloperPolicy|PermissionsBoundary)|{MEMBER})\d?"
ROLE = r"Baseline/(Auditor|Remediator)Policy1"
ACKNOWLEDGED = {
    rf"{GUARDED} IAM5\[Action::(lambda|signer|iam):(Get|List|Describe)\*\]": "reading lets no code run",
    rf"{GUARDED} IAM5\[Action::lambda:(Delete|Invoke)\*\]": "neither lets new code run",
    rf"{GUARDED} IAM5\[Resource::\*\]": "reading, actions without resource types, boundaries",
    rf"{GUARDED} IAM5\[Resource::arn:aws:lambda:\*:{ACCOUNT}:function:[a-z]+-\*\]": "the application's own functions",
    rf"{GUARDED} IAM5\[Resource::arn:aws:lambda:[a-z0-9*-]+:{ACCOUNT}:layer:[a-z]+-\*\]": "its own layers",
    rf"{GUARDED} IAM5\[Resource::arn:aws:lambda:\*:{ACCOUNT}:event-source-mapping:\*\]": "their ids are random",
    rf"{GUARDED} IAM5\[Resource::arn:aws:iam::{ACCOUNT}:role/[a-z]+-\*-execution\]": "the application's own roles",
    r"\S+/(PermissionsBoundary|Boundary) IAM5\[Action::[a-z0-9-]+:(\*|Describe\*|\*Parameter\*)\]": "it grants nothing",
    rf"\S+/(PermissionsBoundary|Boundary) IAM5\[Resource::arn:aws:iam::{ACCOUNT}:role/cdk-\*\]": "it grants nothing",
    rf"{ROLE} IAM5\[Resource::\*\]": "reading, and what has no resource type",
    rf"{ROLE} IAM5\[Resource::arn:aws:cloudformation:\*:{ACCOUNT}:stack/StackSet-acme-.*\]": (
        "the stacks of our StackSets, whose names end with a random id"
    ),
    rf"{ROLE} IAM5\[Resource::arn:aws:(events|cloudwatch):\*:{ACCOUNT}:.*acme-code-signing-\*\]": (
        "our rules and alarms, in every Region"
    ),
    rf"{ROLE} IAM5\[Resource::arn:aws:iam::{ACCOUNT}:policy/acme-guardrail-\*\]": "our policies",
    rf"{ROLE} IAM5\[Resource::arn:aws:iam::{ACCOUNT}:role/acme-code-signing-forwarder-\*\]": (
        "our roles, one a Region"
    ),
    rf"{ROLE} IAM5\[Resource::arn:aws:ssm:\*:{ACCOUNT}:parameter/lambda-code-signing/\*\]": ("our parameters"),
    rf"Baseline/RemediatorPolicy1 IAM5\[Resource::arn:aws:lambda:\*:{ACCOUNT}:(function|code-signing-config):\*\]": (
        "any function can have lost its config; the ids of configs are random"
    ),
    r"SigningPipeline/\S+Role IAM5\[Resource::\*\]": "delivering logs and traces has no resource types",
    r"SigningPipeline/\S+Role IAM5\[Resource::arn:aws:s3:::acme-code-uploads-\S+/[a-z_-]+/\*\]": "one prefix",
    r"SigningPipeline/\S+Role IAM5\[Resource::arn:aws:s3:::acme-signed-code-\S+/signed/\*\]": "one prefix",
    r"SigningPipeline/\S+Role IAM5\[Resource::arn:aws:signer:\S+:/signing-jobs/\*\]": "their ids are random",
    r"SigningPipeline/\S+/DeadEvents SQS3": "it is the dead letter queue of the rules",
    r"DriftRemediation/\S+ IAM5\[Resource::arn:aws:logs:\S+:log-stream:\*\]": "AWS Lambda names the streams",
    r"DriftRemediation/\S+ IAM5\[Resource::arn:aws:s3:::acme-drift-remediation-\S+/\w+/\*\]": "its own objects",
    r"DriftRemediation/\S+ IAM5\[Resource::arn:aws:cloudformation:\S+/acme-code-signing-\w+:\*\]": "random ids",
    r"DriftRemediation/\S+ IAM5\[Resource::arn:aws:states:\S+:acme-drift-remediation[:/]\*\]": "its own executions",
    r"DriftRemediation/\S+/RepairingRole/\S+ IAM5\[Resource::arn:aws:iam::\*:role/acme-drift-remediator\]": "members",
    r"DriftRemediation/\S+/StateMachineRole/\S+ IAM5\[Resource::\*\]": "delivering logs has no resource types",
    r"DriftRemediation/\S+/Expiry/Role/\S+ IAM5\[Resource::\*\]": "AWS Signer's lists have no resource types",
    r"DriftRemediation/\S+/Storage/Reports S1": "CloudTrail data events of the organization's trail tell who read what",
    r"DriftRemediation/\S+/Storage/DeadLetters SQS3": "it is the dead-letter queue",
}


def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_its_reason(synthesize_with_nag) -> None:
    found: set[str] = set()
    for name in FILES:
        app = new_app(FLAGS)
        declare(name, app)
        with pytest.raises(RuntimeError) as raised:
            synthesize_with_nag(app)
        report = str(raised.value)
        lines = re.findall(
            r"\n +(?:\S*?[-/])?((?:guardrail|SigningPipeline|Baseline|DriftRemediation)/[\w/]+) aws-cdk-lib\S+"
            r"\n +Acknowledge with '([^']+)'",
            report,
        )
        assert len(lines) == report.count("Acknowledge with")
        found |= {f"{path} {rule.replace('AwsSolutions::AwsSolutions-', '')}" for path, rule in lines}
    matched = {one: [pattern for pattern in ACKNOWLEDGED if re.fullmatch(pattern, one)] for one in found}
    assert {one for one, patterns in matched.items() if not patterns} == set()
    assert {pattern for patterns in matched.values() for pattern in patterns} == set(ACKNOWLEDGED)
