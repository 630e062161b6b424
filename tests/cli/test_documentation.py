"""docs/cli.md names every command with every option and nothing else; docs/troubleshooting.md every explanation."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from constructs_pkg.cli.main import COMMANDS
from constructs_pkg.explanations.lambda_messages import LAMBDA_MEANINGS
from constructs_pkg.explanations.signer_messages import SIGNER_MEANINGS

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "cli.md").read_text("utf-8").partition("## Every command\n")[2]


def leaves(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield path, command
        for name, inner in command.commands.items():
            yield from leaves(f"{path} {name}", inner)
    else:
        yield path, command


def all_commands() -> dict[str, click.Command]:
    return {
        path: command
        for name, lazy in COMMANDS.items()
        for path, command in leaves(name, importlib.import_module(lazy.module).command)
    }


def sections() -> dict[str, str]:
    """The text of each command's section, by the words of the heading that are not arguments."""
    parts = re.split(r"(?m)^### `([a-z-]+(?: [a-z-]+)*)[^`]*`\n", REFERENCE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert set(sections()) == set(all_commands())


@pytest.mark.parametrize("path", all_commands())
def test_section_lists_exactly_the_options_of_the_command(path: str) -> None:
    options = {option for parameter in all_commands()[path].params for option in parameter.opts if option[0] == "-"}
    rows = re.findall(r"(?m)^\| (`-[^|]*(?:\\\|[^|]*)*) \|", sections()[path])
    documented = {option for row in rows for option in re.findall(r"`(-{1,2}[a-z][a-z-]*)", row)}
    assert documented == options


def test_documented_json_has_the_keys_of_the_real_answer(run) -> None:
    documented = json.loads(re.findall(r"(?ms)^```json\n(.*?)^```", REFERENCE)[0])
    real = run("verify", "unsigned.zip", "--policy", "policy.json", "--format", "json").json
    assert list(documented) == list(real)
    (documented_artifact,), (real_artifact,) = documented["artifacts"], real["artifacts"]
    assert list(documented_artifact) == list(real_artifact)
    for key in ("checks", "aws_error"):
        assert list(documented_artifact[key]) == list(real_artifact[key])
    assert documented_artifact["checks"].keys() == real_artifact["checks"].keys()
    assert list(documented_artifact["findings"][0]) == list(real_artifact["findings"][0])


def test_troubleshooting_lists_every_explanation_and_no_other() -> None:
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    listed = re.findall(r"(?m)^\| `([a-z_]+)` \|", text)
    known = [meaning.code for meaning in (*LAMBDA_MEANINGS, *SIGNER_MEANINGS)]
    assert sorted(listed) == sorted([*known, "access_denied", "wrong_profile_arn"])
