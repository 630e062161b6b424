"""What tests of constructs need: Apps with and without the feature flags, templates, cfn-lint and cdk-nag."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode_str
from cfnlint.runner import Runner

FLAGS = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]
ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-west-1")


def new_app(flags: dict[str, Any] | None = None) -> cdk.App:
    # CDK's own template validator costs over a second; cfn-lint looks at the templates instead. Without the analytics
    # resource a template holds what the test made and nothing else.
    return cdk.App(context=flags, builtin_cloud_formation_validation=False, analytics_reporting=False)


def templates_in(assembly: Path) -> dict[str, dict[str, Any]]:
    """Return the templates of an assembly by the names of their files."""
    return {path.name: json.loads(path.read_text("utf-8")) for path in assembly.glob("*.template.json")}


@pytest.fixture(params=["no flags", "flags of cdk.json"])
def app(request) -> cdk.App:
    """An App; each test that takes it runs with the feature flags unset and set."""
    return new_app(None if request.param == "no flags" else FLAGS)


@pytest.fixture
def apps_without_and_with_flags() -> tuple[cdk.App, cdk.App]:
    """Two Apps to build the same things in and to compare the templates of."""
    return new_app(), new_app(FLAGS)


@pytest.fixture
def stack(app) -> cdk.Stack:
    """A stack with an account and a Region, and without CDK's bootstrap rule and parameter."""
    return cdk.Stack(
        app, "Stack", env=ENVIRONMENT, synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    )


@pytest.fixture
def agnostic_stack(app) -> cdk.Stack:
    """A stack whose account and Region are tokens."""
    return cdk.Stack(app, "Agnostic", synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False))


@pytest.fixture(scope="session")
def template_of() -> Callable[[cdk.Stack], dict[str, Any]]:
    """Synthesize the App of a stack and return the stack's template as CloudFormation will read it."""

    def synthesize(stack: cdk.Stack) -> dict[str, Any]:
        assembly = cdk.Stage.of(stack).synth(force=True)
        return json.loads(Path(assembly.directory, stack.template_file).read_text())

    return synthesize


@pytest.fixture(scope="session")
def lint() -> Callable[..., list[str]]:
    """Return every error and warning that cfn-lint has about a template in some Regions, one line each."""

    # cfnlint.api.lint() loads all rules at each call, a third of a second; a runner keeps them between templates.
    runners: dict[tuple[str, ...], Runner] = {}

    def matches(template: dict[str, Any], *regions: str) -> list[str]:
        regions = regions or ("eu-west-1",)
        if regions not in runners:
            runners[regions] = Runner(ConfigMixIn(cli_args=[], regions=list(regions)))
        decoded, errors = decode_str(json.dumps(template))
        found = errors or runners[regions].validate_template(decoded)
        return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in found]

    return matches


@pytest.fixture(scope="session")
def synthesize_with_nag() -> Callable[[cdk.App], None]:
    """Synthesize an App under cdk-nag's AwsSolutions pack; a finding that is not acknowledged raises RuntimeError."""

    def synthesize(app: cdk.App) -> None:
        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
        app.synth()

    return synthesize
