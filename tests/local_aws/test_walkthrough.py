"""The walks of ``examples/walkthrough`` go as they must, with the unmodified AWS CLI, and notice when they do not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from constructs_pkg.testing.local_aws import LocalAws
from examples.walkthrough.run import WALKS, start, walk
from tests.local_aws.code_builders import archive
from tests.local_aws.warm_aws_cli import warm_aws_cli

HERE = Path(__file__).parents[2] / "examples" / "walkthrough"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with start() as local_aws:
        yield local_aws


@pytest.fixture(scope="module")
def warm_programs() -> Iterator[Path]:
    with warm_aws_cli() as folder:
        yield folder


@pytest.mark.parametrize("name", WALKS)
def test_walk_goes_as_it_must(name: str, aws: LocalAws, warm_programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)  # what the walks run is not ours
    done = walk(name, aws, warm_programs)
    assert done.is_good, done.output


@pytest.mark.parametrize(
    "words",
    [
        ["signer", "put-signing-profile", "--profile-name", "a b", "--platform-id", "AWSLambda-SHA384-ECDSA"],
        ["lambda", "publish-layer-version", "--layer-name", "same", "--zip-file", "fileb://code.zip"],
    ],
    ids=["what is refused", "what the CLI reads from the folder that it runs in"],
)
def test_warm_cli_does_what_the_program_does(
    words: list[str], aws: LocalAws, warm_programs: Path, tmp_path: Path
) -> None:
    (tmp_path / "code.zip").write_bytes(archive())
    warm, plain = (
        subprocess.run(
            [folder / "aws", *words, "--query", "Content.CodeSha256"],
            cwd=tmp_path,
            env={**os.environ, **aws.environment("444444444401")},
            capture_output=True,
        )
        for folder in (warm_programs, Path(sys.executable).parent)
    )
    assert (warm.returncode, warm.stdout, warm.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_all_patterns_have_their_walk() -> None:
    assert list(WALKS) == ["1-basic", "2-centralized", "3-across-accounts", "4-layers", "5-refusals"]


def steps(command: str, endpoint: str | None = "http://127.0.0.1:1") -> tuple[int, str]:
    """Run a command of ``steps.sh``; return its exit code and what it said."""
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    if endpoint is not None:
        environment["AWS_ENDPOINT_URL"] = endpoint
    done = subprocess.run(
        ["bash", "-c", f". {HERE}/steps.sh\n{command}"], env=environment, capture_output=True, text=True
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    "endpoint", [None, "https://lambda.eu-west-1.amazonaws.com", "http://127.0.0.1.example.com:80"]
)
def test_walks_refuse_every_endpoint_but_the_local_one(endpoint: str | None) -> None:
    code, said = steps("echo went on", endpoint)
    assert (code, "went on" in said, "local AWS only" in said) == (2, False, True)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("same thing a b", "FAILED: thing is 'b', expected 'a'"),
        ("like thing 'a+' ab", "FAILED: thing is 'ab', expected to match 'a+'"),
        ("refused no true", "FAILED: this was accepted: true"),
        (
            "refused denied cat /nowhere",
            "FAILED: 'cat /nowhere' says 'cat: /nowhere: No such file or directory', expected 'denied'",
        ),
        ("answer=$(false; echo went on)\necho $answer", ""),
    ],
)
def test_walk_stops_where_something_is_not_as_it_must_be(command: str, said: str) -> None:
    assert steps(f"{command}\necho went on") == (1, said)


def test_walk_leaves_nothing_behind() -> None:
    code, folder = steps("echo $work")
    assert (code, Path(folder).exists()) == (0, False)


def test_scripts_have_no_syntax_that_bash_does_not_know() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-n", *sorted(HERE.glob("*.sh"))], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
