"""Files are read with a bound, and written whole or not at all."""

import os
from pathlib import Path

import pytest

from constructs_pkg.cli.files import read_file, refuse_existing, write_file
from constructs_pkg.errors import FileAccessError


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_file_as_large_as_the_bound_is_read_and_a_larger_one_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_file(tmp_path / "f", 5, "the file") == b"12345"
    with pytest.raises(FileAccessError, match=r"the file .*f is larger than 4 bytes"):
        read_file(tmp_path / "f", 4, "the file")


@pytest.mark.parametrize("name", ["missing", "", "nul\0"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileAccessError, match=r"the policy .* cannot be read"):
        read_file(tmp_path / name, 10, "the policy")


def test_failure_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(file) -> None:
        file.write(b"half")
        raise RuntimeError("broken off")

    (tmp_path / "old").write_bytes(b"old")
    for name, force in (("new", False), ("old", True)):
        with pytest.raises(RuntimeError):
            write_file(tmp_path / name, fail, force=force)
    assert listing(tmp_path) == {"old": b"old"}


def test_a_directory_that_is_missing_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(
        FileAccessError, match=r"new.json cannot be written: .*nowhere is no directory\. Make it first$"
    ):
        refuse_existing(tmp_path / "nowhere" / "new.json", force=False)


def test_a_directory_that_is_closed_is_told_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))  # root may do anything
    with pytest.raises(FileAccessError, match=r" is closed to you\. Name another directory$"):
        refuse_existing(tmp_path / "new.json", force=True)


def test_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def race(file) -> None:
        file.write(b"ours")
        (tmp_path / "f").write_bytes(b"theirs")

    with pytest.raises(FileAccessError, match="exists already"):
        write_file(tmp_path / "f", race, force=False)
    assert listing(tmp_path) == {"f": b"theirs"}


def test_file_system_without_hard_links_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    assert write_file(tmp_path / "f", lambda file: file.write(b"abc"), force=False) == 3
    with pytest.raises(FileAccessError, match="exists already"):
        write_file(tmp_path / "f", lambda file: file.write(b"xyz"), force=False)
    assert listing(tmp_path) == {"f": b"abc"}


def test_link_that_leads_nowhere_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileAccessError, match="exists already"):
        refuse_existing(tmp_path / "link", force=False)


def test_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_file(tmp_path / "f", lambda file: file.write(b"abc"), force=False)
    assert (tmp_path / "f").stat().st_mode == (tmp_path / "usual").stat().st_mode
