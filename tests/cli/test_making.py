"""package and sign: outputs appear complete or not at all, and never over what is there."""

import json
import zipfile
from pathlib import Path

import pytest

SIGN = ("--authority", "authority", "--profile", "payments")


@pytest.fixture
def source(workspace: Path) -> Path:
    folder = workspace / "src"
    (folder / "tests").mkdir(parents=True)
    (folder / "app.py").write_text("def handler(event, context): return 1\n")
    (folder / "tests" / "test_app.py").write_text("assert True\n")
    return folder


@pytest.mark.usefixtures("source")
def test_package_is_written_with_the_list_of_its_entries(run, workspace: Path) -> None:
    ran = run("package", "src", "-o", "p.zip", "--entries", "p.entries", "--exclude", "tests/", "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["archive"], ran.json["entries"], ran.json["excluded"]) == ("p.zip", ["app.py"], ["tests/"])
    assert (workspace / "p.entries").read_text() == "app.py\n"
    assert zipfile.ZipFile(workspace / "p.zip").namelist() == ["app.py"]


@pytest.mark.usefixtures("source")
def test_same_tree_gives_the_same_bytes(run, workspace: Path) -> None:
    assert run("package", "src", "-o", "a.zip").code == run("package", "src", "-o", "b.zip").code == 0
    assert (workspace / "a.zip").read_bytes() == (workspace / "b.zip").read_bytes()


def test_default_excludes_can_be_left_away(run, source: Path) -> None:
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("x")
    names = run("package", "src", "-o", "a.zip", "--format", "json").json["entries"]
    every = run("package", "src", "-o", "b.zip", "--no-default-excludes", "--format", "json").json["entries"]
    assert set(every) - set(names) == {".git/config"}


def test_compression_changes_the_file_and_not_what_is_signed(run, source: Path) -> None:
    (source / "data").write_text("a" * 10_000)
    sizes = [
        run("package", "src", "-o", name, "--format", "json", *options).json["archive_bytes"]
        for name, options in (("a.zip", ()), ("b.zip", ("--compression-level", "9")))
    ]
    inspected = [run("inspect", name, "--format", "json").json["archive"] for name in ("a.zip", "b.zip")]
    assert sizes[0] > sizes[1]
    assert inspected[0]["content_sha384"] == inspected[1]["content_sha384"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("missing", "-o", "p.zip"), "missing"),
        (("src", "-o", "src/p.zip"), "would become part of the package"),
        (("src", "-o", "p.zip", "--entries", "src/e"), "would become part of the package"),
        (("src", "-o", "signed.zip"), "signed.zip exists already"),
        (("src", "-o", "src"), "src is a directory"),
        (("src", "-o", "nowhere/p.zip"), "nowhere/p.zip cannot be written: nowhere is no directory"),
        (("src", "-o", "p.zip", "--exclude", "*"), "src"),
        (("src", "-o", "p.zip", "--compression-level", "10"), "--compression-level"),
    ],
)
@pytest.mark.usefixtures("source")
def test_what_cannot_be_packaged_leaves_nothing_behind(run, workspace: Path, words, message: str) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    ran = run("package", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before


def test_force_replaces(run, workspace: Path, source: Path) -> None:  # noqa: ARG001 (the tree to package)
    (workspace / "p.zip").write_text("old")
    assert run("package", "src", "-o", "p.zip", "--force").code == 0
    assert zipfile.is_zipfile(workspace / "p.zip")


def test_signed_archive_is_accepted(run) -> None:
    ran = run("sign", "unsigned.zip", *SIGN, "-o", "new.zip", "--at", "2026-01-03T00:00:00Z")
    unsafe = "UNSAFE FOR PRODUCTION: authority is a throwaway authority; whoever reads it can sign anything.\n"
    assert (ran.code, ran.err) == (0, unsafe)
    assert ran.out.splitlines()[0] == "new.zip: signed until 2026-04-03T00:00:00Z"
    assert run("verify", "new.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z").code == 0


def test_several_archives_go_into_a_directory_and_a_refusal_stops_none(run, workspace: Path) -> None:
    (workspace / "out").mkdir()
    (workspace / "empty.zip").write_bytes(b"PK\x05\x06" + b"\x00" * 18)
    (workspace / "again.zip").write_bytes((workspace / "unsigned.zip").read_bytes())
    sources = ("unsigned.zip", "signed.zip", "empty.zip", "policy.json", "again.zip")
    ran = run("sign", *sources, *SIGN, "-o", "out", "--at", "2026-01-03T00:00:00Z", "--format", "json")
    assert ran.code == 1
    assert [(item["source"], (item["refusal"] or {}).get("reason")) for item in ran.json["artifacts"]] == [
        ("unsigned.zip", None),
        ("signed.zip", "already_signed"),
        ("empty.zip", "archive_empty"),
        ("policy.json", "archive_malformed"),
        ("again.zip", None),
    ]
    assert sorted(path.name for path in (workspace / "out").iterdir()) == ["again.zip", "unsigned.zip"]
    unsafe, *errors = ran.err.splitlines()
    assert (unsafe.startswith("UNSAFE FOR PRODUCTION: authority is"), len(errors)) == (True, 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("unsigned.zip", *SIGN, "-o", "signed.zip"), "signed.zip exists already"),
        (("unsigned.zip", "missing.zip", *SIGN, "-o", "x"), "x is not a directory"),
        (("unsigned.zip", "./unsigned.zip", *SIGN, "-o", "authority"), "have the same name"),
        (("missing.zip", *SIGN, "-o", "x.zip"), "missing.zip cannot be read: No such file"),
        (("unsigned.zip", "--authority", "authority", "--profile", "nobody", "-o", "x.zip"), "'nobody' does not exist"),
        (("unsigned.zip", "--authority", "nowhere", "--profile", "payments", "-o", "x.zip"), "nowhere"),
        (("unsigned.zip", *SIGN, "-o", "x.zip", "--at", "2020-01-01T00:00:00Z"), "before the authority's beginning"),
    ],
)
def test_what_cannot_be_signed_leaves_nothing_behind(run, workspace: Path, words, message: str) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    ran = run("sign", *words)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert {path: path.read_bytes() for path in workspace.rglob("*") if path.is_file()} == before


def test_nothing_is_signed_where_one_of_the_outputs_exists(run, workspace: Path) -> None:
    (workspace / "out").mkdir()
    (workspace / "again.zip").write_bytes((workspace / "unsigned.zip").read_bytes())
    (workspace / "out" / "again.zip").write_text("mine")
    jobs = (workspace / "authority" / "authority.json").read_text()
    assert run("sign", "unsigned.zip", "again.zip", *SIGN, "-o", "out").code == 2
    assert [path.name for path in (workspace / "out").iterdir()] == ["again.zip"]
    assert (workspace / "authority" / "authority.json").read_text() == jobs


def test_signing_in_place_is_possible_with_force(run, workspace: Path) -> None:
    arguments = ("sign", "unsigned.zip", *SIGN, "-o", "unsigned.zip", "--at", "2026-01-03T00:00:00Z")
    assert run(*arguments).code == 2
    assert run(*arguments, "--force").code == 0
    assert run("verify", "unsigned.zip", "--policy", "policy.json", "--at", "2026-02-01T00:00:00Z").code == 0
    assert json.loads((workspace / "authority" / "authority.json").read_text())["jobs"]
