"""``sign``: directories and layers, options that do not go together, and many archives of which some go wrong."""

import io
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from constructs_pkg.aws.signing_batch import ArtifactResult, sign_concurrently
from constructs_pkg.cli.aws_signing import SharedProgress
from constructs_pkg.cli.progress import Progress
from constructs_pkg.errors import AwsError, SigningError
from tests.aws.fake_signing import BUCKET, PROFILE, World, new_world, refusal
from tests.signing.signed_archives import archive_of

AUTHORITY = ("--authority", "authority", "--profile", "payments")
AWS = ("--profile", PROFILE, "--bucket", BUCKET)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """AWS in memory, which every command of the test speaks to."""
    made = new_world()
    monkeypatch.setattr("constructs_pkg.aws.signer.Clients", lambda: made)
    for name in ("GITHUB_SHA", "LAMBDA_CODE_SIGNING_COMMIT", "LAMBDA_CODE_SIGNING_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def trees(workspace: Path) -> Path:
    for name in ("layer/python/shared.py", "refunds/app.py", "other/refunds/app.py"):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(f"name = {name!r}\n")
    (workspace / "out").mkdir()
    return workspace


# With an authority


def test_a_directory_is_packaged_like_package_does_and_signed(run, trees: Path) -> None:
    ran = run("sign", "refunds", *AUTHORITY, "-o", "out", "--at", "2026-01-03T00:00:00Z", "--format", "json")
    assert (ran.code, [item["artifact"] for item in ran.json["artifacts"]]) == (0, ["out/refunds.zip"])
    assert run("package", "refunds", "-o", "refunds.zip").code == 0
    assert run("sign", "refunds.zip", *AUTHORITY, "-o", "again.zip", "--at", "2026-01-03T00:00:00Z").code == 0
    assert (trees / "again.zip").read_bytes() == (trees / "out" / "refunds.zip").read_bytes()


def test_a_tree_that_is_no_layer_is_refused_and_the_others_are_signed(run, trees: Path) -> None:
    ran = run("sign", "refunds", "layer", "policy.json", "--layer", *AUTHORITY, "-o", "out", "--format", "json")
    assert [item["refusal"] and item["refusal"]["reason"] for item in ran.json["artifacts"]] == [
        "not_a_layer",
        None,
        "archive_malformed",
    ]
    assert (ran.code, [path.name for path in (trees / "out").iterdir()]) == (1, ["layer.zip"])
    assert "app.py: Python looks in python/" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("unsigned.zip", *AUTHORITY), "Missing option '-o'"),
        (("unsigned.zip", *AUTHORITY, "-o", "x.zip", "--region", "eu-west-1"), "--region cannot be used with"),
        (("unsigned.zip", *AUTHORITY, "-o", "x.zip", "--trust-root", "root.pem"), "--trust-root cannot be used with"),
        (("unsigned.zip", *AUTHORITY, "-o", "x.zip", "--timeout", "5"), "--timeout cannot be used with"),
        (("unsigned.zip", *AWS, "--at", "2026-01-03T00:00:00Z"), "--at needs --authority"),
        (("unsigned.zip", *AWS, "--bucket", "a,b"), "signer='aws:bucket=a,b,timeout=600': 'a' is no bucket"),
        (("unsigned.zip", *AWS, "--profile-owner", "12"), "'12' is no account id. Write its 12 digits"),
        (("unsigned.zip", *AWS, "--trust-root", "policy.json"), "a trust root is not PEM text"),
        (("unsigned.zip", *AWS, "--policy", "missing.json"), "the policy missing.json cannot be read"),
        (("unsigned.zip", *AWS, "--policy", "policy.json"), "the policy does not allow"),
        (("unsigned.zip", *AWS, "--commit", "a b"), "'a b' is not a commit"),
        (("refunds", "other/refunds", *AWS, "-o", "out"), "have the same name"),
        (("refunds", *AWS, "-o", "signed.zip"), "signed.zip exists already"),
        (("refunds", "missing", *AWS), "missing cannot be read: No such file"),
    ],
)
@pytest.mark.usefixtures("trees")
def test_what_cannot_be_is_told_before_anything_is_signed(run, world: World, words, message: str) -> None:
    ran = run("sign", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert (world.jobs, world.objects) == ({}, {})


# With AWS


@pytest.mark.usefixtures("trees")
def test_two_directories_of_one_name_stay_two_where_nothing_is_downloaded(run, world: World) -> None:
    ran = run("sign", "refunds", "other/refunds", *AWS, "--format", "json")
    assert (ran.code, world.signed_jobs) == (0, 2)
    assert [item["source"] for item in ran.json["artifacts"]] == ["refunds", "other/refunds"]
    assert len({item["object"]["key"] for item in ran.json["artifacts"]}) == 2


def test_some_may_fail_without_taking_the_others_along(run, world: World, trees: Path) -> None:
    world.before["StartSigningJob"] = [refusal("AccessDeniedException", "no")]
    (trees / "ready.zip").write_bytes(archive_of(a__py=b"ready"))
    sources = ("unsigned.zip", "signed.zip", "ready.zip")
    ran = run("sign", *sources, *AWS, "-o", "out", "--concurrency", "1", "--format", "json")
    first, second, third = ran.json["artifacts"]
    assert (ran.code, first["outcome"], first["error"]["code"], first["refusal"]) == (
        3,
        "failed",
        "AccessDeniedException",
        None,
    )
    assert (second["outcome"], second["refusal"]["reason"], second["error"]) == ("failed", "already_signed", None)
    assert (third["outcome"], third["artifact"], third["error"]) == ("signed", "out/ready.zip", None)
    assert [line.partition(": ")[2].partition(":")[0] for line in ran.err.splitlines()] == [
        "unsigned.zip",
        "signed.zip",
    ]
    again = run("sign", *sources, *AWS, "-o", "out", "--format", "json")
    assert (again.code, [item["outcome"] for item in again.json["artifacts"]]) == (1, ["signed", "failed", "reused"])


@pytest.mark.usefixtures("world", "trees")
def test_the_same_command_again_replaces_its_own_results_and_no_other_file(run, workspace: Path) -> None:
    assert run("sign", "refunds", "unsigned.zip", *AWS, "-o", "out").code == 0
    first = (workspace / "out" / "refunds.zip").read_bytes()
    assert run("sign", "refunds", "unsigned.zip", *AWS, "-o", "out").code == 0
    assert (workspace / "out" / "refunds.zip").read_bytes() == first
    for other in (b"mine", archive_of(a__py=b"mine"), (workspace / "unsigned.zip").read_bytes()):
        (workspace / "out" / "unsigned.zip").write_bytes(other)
        ran = run("sign", "refunds", "unsigned.zip", *AWS, "-o", "out")
        assert (ran.code, "out/unsigned.zip exists already" in ran.err) == (2, True)
        assert (workspace / "out" / "unsigned.zip").read_bytes() == other


@pytest.mark.usefixtures("world")
def test_documented_json_has_the_keys_of_the_real_answer(run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "signing.md").read_text("utf-8")
    documented = next(
        json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```", page) if "outcome" in block
    )
    real = run("sign", "unsigned.zip", *AWS, "--format", "json").json
    (shown,), (answered,) = documented["artifacts"], real["artifacts"]
    assert (list(documented), list(shown), list(shown["object"])) == (
        list(real),
        list(answered),
        list(answered["object"]),
    )


def test_the_commit_of_the_build_server_is_recorded(run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "4f0c2a1d9be7e1f35e3d7f0a8a1b2c3d4e5f6071")
    assert run("sign", "unsigned.zip", *AWS).code == 0
    statement = next(key for key in world.objects if key.endswith(".json"))
    assert b'"commit": "4f0c2a1d9be7e1f35e3d7f0a8a1b2c3d4e5f6071"' in world.body(statement)


# Many at once


def sign_all(tasks: list[Any], **more: Any) -> list[ArtifactResult]:
    calls = {"concurrency": 4, "stop": lambda: None, "on_done": lambda: None}
    return sign_concurrently(tasks, **{**calls, **more})


def test_each_task_has_its_result_in_the_order_of_the_tasks() -> None:
    refused, lost = SigningError("job_failed", "no"), AwsError("Timeout", "late")
    barrier = threading.Barrier(3, timeout=10)  # all three run at once

    def fail(error: Exception) -> Any:
        barrier.wait()
        raise error

    signed: Any = object()
    done: list[int] = []
    results = sign_all(
        [lambda: fail(refused), lambda: (barrier.wait(), signed)[1], lambda: fail(lost)],
        on_done=lambda: done.append(1),
    )
    assert results == [ArtifactResult(None, refused), ArtifactResult(signed, None), ArtifactResult(None, lost)]
    assert len(done) == 3


def test_who_interrupts_stops_those_that_wait_and_starts_no_more() -> None:
    stopped, started = threading.Event(), []

    def interrupted() -> Any:
        raise KeyboardInterrupt

    def waiting() -> Any:
        started.append(1)
        assert stopped.wait(10)
        raise AwsError("Interrupted", "stopped")

    with pytest.raises(KeyboardInterrupt):
        sign_all([interrupted, waiting, *[waiting] * 20], concurrency=2, stop=stopped.set)
    assert len(started) <= 3


def test_a_mistake_of_ours_is_no_result() -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sign_all([broken])


def test_progress_shows_on_a_terminal_after_two_seconds_and_goes_away() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, seconds = Terminal(), [0.0]
    progress = SharedProgress(3, lambda label, count: Progress(label, count, terminal, lambda: seconds[0]))
    progress.show()
    assert terminal.getvalue() == ""
    seconds[0] = 2.5
    progress.advance()
    seconds[0] = 5.0
    progress.show()
    progress.close()
    assert terminal.getvalue() == "\rsigning 3 archives …  33 %\rsigning 3 archives …  33 %\r\033[K"
