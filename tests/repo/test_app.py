"""``python app.py`` and the CDK command line: the same templates on every road, and bad files that leave nothing."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import app
from constructs_pkg.cdk.deployment import declare_deployment
from constructs_pkg.organization import load_organization, lock_path, read_lock
from tests.cdk.conftest import FLAGS, new_app, templates_in
from tests.in_process import run_in_process

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
STACKS = ["acme-signing-authority", "acme-code-signing"]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("CDK_")},
    "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
    "CDK_DISABLE_CLI_TELEMETRY": "true",
}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, env={**ENVIRONMENT, **environment}, capture_output=True, text=True
    )


def templates_from(path: Path) -> dict[str, dict]:
    """Synthesize an organization file in this process, as all other tests do."""
    at = datetime.now(UTC)
    made = new_app(FLAGS)
    declare_deployment(made, load_organization(path, at=at), lock=read_lock(lock_path(path)), at=at)
    return templates_in(Path(made.synth().directory))


@pytest.fixture(scope="module")
def templates_of_the_tests() -> dict[str, dict]:
    return templates_from(ROOT / "organization.toml")


@pytest.fixture(scope="module")
def made_by_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly that ``python app.py`` leaves, and beside it what was printed."""
    out = tmp_path_factory.mktemp("python") / "out"
    done = run_in_process(ROOT / "app.py", folder=ROOT, environment={"CDK_OUTDIR": str(out)})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (out.parent / "summary.txt").write_text(done.stderr)
    return out


def test_python_app_leaves_the_same_templates_and_prints_the_summary(made_by_python, templates_of_the_tests) -> None:
    assert templates_in(made_by_python) == templates_of_the_tests
    assert "acme-signing-authority" in (made_by_python.parent / "summary.txt").read_text()
    assert (made_by_python / "rollout.svg").read_text("utf-8") == (ROOT / "docs/rollout.svg").read_text("utf-8")
    assert json.loads((made_by_python / "acme-guardrail-1.json").read_text("utf-8"))["Version"] == "2012-10-17"
    assert (made_by_python / "rollout.mmd").read_text("utf-8").startswith("flowchart TB\n")


def test_cdk_ls_lists_the_stacks_and_cdk_diff_compares_with_a_template(tmp_path: Path, made_by_python: Path) -> None:
    listed = run(BIN / "cdk", "ls", "--app", made_by_python)
    assert listed.stdout.splitlines() == [
        "SigningAuthority (acme-signing-authority)",
        "CodeSigning (acme-code-signing)",
        "SigningPipeline (acme-signing-pipeline)",
        "CodeSigningRollout (acme-code-signing-rollout)",
        "OrganizationGuardrail (acme-organization-guardrail)",
        "DriftRemediation (acme-drift-remediation)",
    ]
    changed = tmp_path / "old.json"
    template = made_by_python / "SigningAuthority.template.json"
    changed.write_text(template.read_text("utf-8").replace('"Value": 12', '"Value": 13'))
    different = run(BIN / "cdk", "diff", "SigningAuthority", "--app", made_by_python, "--template", changed, "--fail")
    assert different.returncode == 1
    assert "acme_payments_g2" in different.stdout + different.stderr


def test_the_context_of_the_cdk_command_chooses_the_file(tmp_path: Path) -> None:
    """What the command itself leaves is compared where it deploys, in tests/local_aws/test_deploy.py."""
    out, chosen = tmp_path / "out", json.dumps({"organization": "examples/single-account.toml"})
    done = run_in_process(
        ROOT / "app.py", folder=ROOT, environment={"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": chosen}
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert templates_in(out) == templates_from(ROOT / "examples/single-account.toml")


@pytest.fixture
def run_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Run ``app.py`` in this process, which is quicker; return exit code and standard error."""

    def run_with(path: Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["app.py", "--organization", str(path)])
        monkeypatch.setenv("CDK_OUTDIR", str(tmp_path / "out"))
        exit_code = app.main()
        return exit_code, capsys.readouterr().err

    return run_with


def test_bad_file_lists_all_problems_exits_with_2_and_writes_nothing(tmp_path: Path, run_app) -> None:
    text = (ROOT / "organization.toml").read_text("utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text(
        text.replace('security_account = "222222222222"', 'security_account = "22"').replace(
            'organizational_unit = "regulated"', 'organizational_unit = "regulatd"'
        )
        + "surprise = 1\n"
    )
    exit_code, said = run_app(bad)
    assert exit_code == 2
    assert ["22" in said, "regulatd" in said, "surprise" in said] == [True, True, True]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "missing.toml"),
        (b"\xff\xfe", "UTF-8"),
        (b"[organization\n", "line 1"),
        (b"", "it is empty"),
    ],
    ids=["missing", "not UTF-8", "syntax error", "empty"],
)
def test_unreadable_file_exits_with_2_and_writes_nothing(
    tmp_path: Path, run_app, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "missing.toml"
    if content is not None:
        path.write_bytes(content)
    exit_code, said = run_app(path)
    assert exit_code == 2
    assert expected in said
    assert not (tmp_path / "out").exists()


def test_changed_validity_of_a_recorded_profile_exits_with_2(tmp_path: Path, run_app) -> None:
    text = (ROOT / "organization.toml").read_text("utf-8")
    (tmp_path / "changed.toml").write_text(text.replace('validity = "12 months"', 'validity = "13 months"'))
    (tmp_path / "changed.lock.json").write_bytes((ROOT / "organization.lock.json").read_bytes())
    exit_code, said = run_app(tmp_path / "changed.toml")
    assert exit_code == 2
    assert "can never be changed" in said
    assert not (tmp_path / "out").exists()


def test_a_guardrail_that_outgrows_its_limit_exits_with_2_and_writes_nothing(tmp_path: Path, run_app) -> None:
    text = (ROOT / "organization.toml").read_text("utf-8")
    many = json.dumps([f"payments-with-a-rather-long-name-{number}-*" for number in range(60)])
    (tmp_path / "many.toml").write_text(text.replace('functions = ["payments-*"]', f"functions = {many}"))
    exit_code, said = run_app(tmp_path / "many.toml")
    assert exit_code == 2
    assert "6,144" in said
    assert not (tmp_path / "out").exists()


def test_a_publisher_that_left_while_its_code_runs_exits_with_2_and_writes_nothing(
    tmp_path: Path, run_app, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "organization.toml").read_text("utf-8")
    (tmp_path / "retired.toml").write_text(text.replace('state = "retiring"', 'state = "retired"'))
    artifact = {
        "account": "444444444404",
        "region": "eu-west-1",
        "function": "payments-api",
        "artifact": "function",
        "profile_version_arn": "arn:aws:signer:eu-west-1:222222222222:/signing-profiles/acme_payments_g1/a1B2c3D4e5",
    }
    audit = {"version": 1, "at": datetime.now(UTC).isoformat(), "complete": True, "functions": [artifact]}
    (tmp_path / "audit.json").write_text(json.dumps(audit))
    monkeypatch.setenv("AUDIT", str(tmp_path / "audit.json"))
    exit_code, said = run_app(tmp_path / "retired.toml")
    assert exit_code == 2
    assert "acme_payments_g1/a1B2c3D4e5, which payments no longer accepts" in said
    assert not (tmp_path / "out").exists()


def test_app_run_as_a_command_shows_no_traceback_for_a_bad_file(tmp_path: Path) -> None:
    done = run(sys.executable, "app.py", "--organization", tmp_path / "no.toml", CDK_OUTDIR=str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_python_without_the_packages_is_told_how_to_get_them() -> None:
    """cdk runs the python3 that it finds, which is another one where nobody has activated the environment."""
    done = subprocess.run([sys.executable, "-S", ROOT / "app.py"], capture_output=True, text=True)
    assert done.returncode == 2
    assert re.fullmatch(
        r"No module named '\w+'\. 'make synth' installs it into \.venv; then: source \.venv/bin/activate\n", done.stderr
    )
