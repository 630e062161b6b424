"""Code without a signer: it synthesizes, and whoever publishes it is told what to do."""

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from constructs_pkg.cdk.code_without_signer import CodeWithoutSigner
from constructs_pkg.cli import publish_refused
from tests.cdk.conftest import ENVIRONMENT, new_app


def test_publishing_it_fails_with_the_remedy(capsys) -> None:
    app = new_app()
    stack = cdk.Stack(app, "Stack", env=ENVIRONMENT)
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=CodeWithoutSigner(label="the code of acme-drift", remedy="Name a signer"),
    )
    manifest = json.loads(Path(app.synth().directory, "Stack.assets.json").read_text())
    commands = [one["source"]["executable"] for one in manifest["files"].values() if "executable" in one["source"]]
    ((program, option, module, *arguments),) = commands
    assert (option, module) == ("-m", "constructs_pkg.cli.publish_refused")
    assert Path(program).exists()
    assert publish_refused.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "the code of acme-drift was synthesized without a signer and cannot be deployed. Name a signer" in said.err
