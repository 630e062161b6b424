"""Packaging is deterministic, takes what is plainly a file of the tree, and refuses everything else by name."""

import contextlib
import hashlib
import io
import os
import shutil
import socket
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import PackagingError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, ArchiveLimits, read_archive
from constructs_pkg.signing.exclude_patterns import DEFAULT_EXCLUDES, ExcludePatterns
from constructs_pkg.signing.packaging import Package, package, write_package
from tests.corpus.raw_zip import RawEntry, build


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "function"
    for name, body in {
        "handler.py": b"def handler(event, context): ...\n",
        "lib/data.bin": bytes(range(256)),
        "lib-b/z.py": b"z = 1\n",
        "bootstrap": b"#!/bin/sh\n",
        "ümlaut.txt": b"",
        "__pycache__/handler.cpython-311.pyc": b"cache",
        ".git/config": b"[core]",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        path.chmod(0o644)
    (root / "bootstrap").chmod(0o700)
    (root / "empty").mkdir()
    return root


def packaged(root: Path, **keywords: object) -> bytes:
    target = io.BytesIO()
    write_package(root, target, **keywords)
    return target.getvalue()


def refusal(root: Path, **keywords: object) -> str:
    with pytest.raises(PackagingError) as caught:
        packaged(root, **keywords)
    return str(caught.value)


def test_the_bytes_of_a_known_tree_are_these_on_every_machine(tree: Path):
    entries = [
        RawEntry(b"bootstrap", b"#!/bin/sh\n", attributes=0o100755 << 16),
        RawEntry(b"handler.py", b"def handler(event, context): ...\n", attributes=0o100644 << 16),
        RawEntry(b"lib-b/z.py", b"z = 1\n", attributes=0o100644 << 16),
        RawEntry(b"lib/data.bin", bytes(range(256)), attributes=0o100644 << 16),
        RawEntry("ümlaut.txt".encode(), b"", attributes=0o100644 << 16, flags=0x800),
    ]

    assert packaged(tree) == build(entries)


def test_entries_are_sorted_and_normalized_and_what_no_package_needs_stays_out(tree: Path, tmp_path: Path):
    result = package(tree, tmp_path / "out.zip")

    written = (tmp_path / "out.zip").read_bytes()
    names = ("bootstrap", "handler.py", "lib-b/z.py", "lib/data.bin", "ümlaut.txt")
    assert result == Package(
        entry_names=names,
        excluded=(".git/", "__pycache__/"),
        expanded_bytes=10 + 33 + 6 + 256,
        archive_bytes=len(written),
        sha256=hashlib.sha256(written).digest(),
    )
    assert read_archive(written).entry_names == names
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.testzip() is None
        described = {(i.date_time, i.compress_type, i.create_system, i.extra, i.comment) for i in archive.infolist()}
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}
        bodies = {name: archive.read(name) for name in names}
    assert described == {((1980, 1, 1, 0, 0, 0), 0, 3, b"", b"")}
    assert modes == dict.fromkeys(names, "0o100644") | {"bootstrap": "0o100755"}
    assert bodies == {name: (tree / name).read_bytes() for name in names}


def test_times_order_of_creation_and_other_permissions_change_nothing(tree: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    for path in sorted(tree.rglob("*"), reverse=True):
        if path.is_file():
            target = copy / path.relative_to(tree)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o555 if os.access(path, os.X_OK) else 0o600)
            os.utime(target, (1_000_000_000, 1_000_000_000))

    assert packaged(copy) == packaged(tree)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_compressing_keeps_the_content_digest(tree: Path, level: int):
    (tree / "large.txt").write_bytes(b"the same line\n" * 50_000)

    compressed = packaged(tree, compression_level=level)

    assert read_archive(compressed).content_digest == read_archive(packaged(tree)).content_digest
    assert (len(compressed) < len(packaged(tree)) / 10) is (level > 0)


def test_the_level_of_compression_is_one_that_zlib_has(tree: Path):
    assert refusal(tree, compression_level=10) == "the compression level is 10. Use 0 to 9, or None to store"


def test_a_link_to_a_file_of_the_tree_becomes_a_copy(tree: Path):
    (tree / "lib" / "link.py").symlink_to("../handler.py")

    with zipfile.ZipFile(io.BytesIO(packaged(tree))) as archive:
        info = archive.getinfo("lib/link.py")
        assert (archive.read(info), oct(info.external_attr >> 16)) == ((tree / "handler.py").read_bytes(), "0o100644")


def test_refuses_links_that_are_not_to_a_file_of_the_tree(tree: Path, tmp_path: Path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "function-b").mkdir()
    (tmp_path / "function-b" / "file").write_text("beside")
    targets = {
        "../secret": f"is a link out of the tree, to {tmp_path}/secret. Replace it by a copy",
        str(tmp_path / "secret"): f"is a link out of the tree, to {tmp_path}/secret. Replace it by a copy",
        "../function-b/file": f"is a link out of the tree, to {tmp_path}/function-b/file. Replace it by a copy",
        "lib": f"is a link to the directory {tree}/lib. Replace it by a copy, or exclude 'link'",
        "nowhere": "is a link that leads nowhere: No such file or directory. Delete it",
        "link": "is a link that leads nowhere: Too many levels of symbolic links. Delete it",
        ".git/config": f"is a link to {tree}/.git/config, which is excluded. Exclude 'link' too",
    }
    link = tree / "link"

    for target, message in targets.items():
        link.symlink_to(target)
        assert refusal(tree) == f"{link} {message}"
        link.unlink()


def test_refuses_pipes_and_sockets(tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tree)  # a socket's path must be short
    os.mkfifo("pipe")
    assert (
        refusal(tree)
        == f"{tree / 'pipe'} is neither a file nor a directory, but a pipe, a socket or a device. Exclude it"
    )

    Path("pipe").unlink()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind("sock")
        assert "is neither a file nor a directory" in refusal(tree)


def test_names_a_file_that_cannot_be_read(tree: Path, monkeypatch: pytest.MonkeyPatch):
    real_open, closed = os.open, tree / "handler.py"

    def denying(path: Path, flags: int) -> int:
        if path == closed:
            raise PermissionError(13, "Permission denied")  # root, as which containers test, may read everything
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", denying)

    assert refusal(tree) == f"{closed} cannot be read: Permission denied. Change its permissions, or exclude it"


def test_names_a_file_that_changed_while_it_was_packaged(tree: Path, monkeypatch: pytest.MonkeyPatch):
    real_fstat = os.fstat

    def outdated(descriptor: int) -> os.stat_result:
        status = list(real_fstat(descriptor))
        status[6] += 1
        return os.stat_result(status)

    monkeypatch.setattr(os, "fstat", outdated)

    assert refusal(tree) == f"{tree / 'bootstrap'} changed while it was packaged. Package again"


def test_refuses_names_that_no_archive_should_have(tmp_path: Path):
    for name, message in {
        b"latin-\xe9": "has a name that is not UTF-8. Rename the file",
        b"back\\slash": "has a backslash in its name, which is a separator elsewhere. Rename the file",
    }.items():
        root = tmp_path / hashlib.sha256(name).hexdigest()
        root.mkdir()
        Path(os.fsdecode(bytes(root) + b"/" + name)).write_text("x")
        assert message in refusal(root)


def test_refuses_names_longer_than_the_limit(tree: Path):
    assert "has 12 bytes; the limit is 11" in refusal(tree, limits=ArchiveLimits(max_name_bytes=11))


def test_names_a_file_on_a_disk_that_fails(tree: Path, monkeypatch: pytest.MonkeyPatch):
    class Failing(io.BytesIO):
        def fileno(self) -> int:
            return 0

        def read(self, *_: object) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("constructs_pkg.signing.packaging.open_regular", lambda _: Failing())

    assert refusal(tree) == f"{tree / 'bootstrap'} cannot be copied: Input/output error. Package again"


def test_refuses_the_signature_of_an_earlier_package(tree: Path):
    (tree / "META_INF").mkdir()
    (tree / SIGNATURE_ENTRY).write_text("-----BEGIN PKCS7-----")

    assert refusal(tree) == (
        f"{tree / SIGNATURE_ENTRY} is the signature of an earlier package. Delete it, or exclude 'META_INF/'"
    )
    assert packaged(tree, excludes=[*DEFAULT_EXCLUDES, "META_INF/"])


def test_refuses_a_directory_without_files(tmp_path: Path):
    (tmp_path / "empty" / "deeper").mkdir(parents=True)

    assert refusal(tmp_path) == f"{tmp_path} holds no file to package. Name the directory with the code"
    assert refusal(tmp_path / "missing") == (
        f"{tmp_path / 'missing'} cannot be listed: No such file or directory. Name a directory that can be read"
    )


def test_refuses_what_lambda_would_find_too_large(tree: Path):
    message = "with lib/data.bin the package exceeds its limit by 5 bytes or more"
    assert message in refusal(tree, limits=ArchiveLimits(max_expanded_bytes=300))
    assert packaged(tree, limits=ArchiveLimits(max_expanded_bytes=305))
    assert "has more than 4 files to package" in refusal(tree, limits=ArchiveLimits(max_entries=4))
    size, directory_size = len(packaged(tree)), 46 * 5 + len("bootstraphandler.pylib-b/z.pylib/data.binümlaut.txt") + 1
    assert f"archive would have {size} bytes" in refusal(tree, limits=ArchiveLimits(max_archive_bytes=size - 1))
    assert f"central directory would have {directory_size} bytes" in refusal(
        tree, limits=ArchiveLimits(max_directory_bytes=directory_size - 1)
    )


def test_the_archive_appears_complete_or_not_at_all(tree: Path, tmp_path: Path):
    target = tmp_path / "out.zip"
    target.write_bytes(b"the old one")

    with pytest.raises(PackagingError):
        package(tree, target, limits=ArchiveLimits(max_expanded_bytes=300))

    assert target.read_bytes() == b"the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["function", "out.zip"]


def test_the_archive_may_not_lie_in_the_tree(tree: Path):
    with pytest.raises(PackagingError, match="would become part of itself"):
        package(tree, tree / "out.zip")


def test_names_the_target_that_cannot_be_written(tree: Path, tmp_path: Path):
    with pytest.raises(PackagingError) as caught:
        package(tree, tmp_path / "missing" / "out.zip")

    assert str(caught.value) == f"{tmp_path}/missing/out.zip cannot be written: No such file or directory"


@pytest.mark.parametrize(
    ("pattern", "out", "kept"),
    [
        ("*.pyc", {"a.pyc", "d/e/a.pyc"}, {"a.py", "a.pycc"}),
        ("*.py[co]", {"a.pyc", "a.pyo"}, {"a.py", "a.pyx"}),
        ("[!a].py", {"b.py", "d/b.py"}, {"a.py", "bb.py"}),
        ("tests/", {"tests/", "d/tests/"}, {"tests", "tests.py"}),
        ("/docs", {"docs", "docs/"}, {"d/docs"}),
        ("d/*.txt", {"d/a.txt"}, {"a.txt", "d/e/a.txt", "x/d/a.txt"}),
        ("d/**/*.txt", {"d/a.txt", "d/e/f/a.txt"}, {"a.txt"}),
        ("**/cache", {"cache", "d/e/cache"}, {"cached"}),
        ("build/**", {"build/a", "build/a/b"}, {"build/", "build"}),
        ("?.py", {"a.py"}, {"ab.py", ".py"}),
        (".env", {".env", "d/.env"}, {".env.example", "xenv"}),
        ("a+(b).txt", {"a+(b).txt"}, {"aab.txt"}),
    ],
)
def test_patterns_mean_what_they_mean_to_git(pattern: str, out: set[str], kept: set[str]):
    excludes = ExcludePatterns([pattern])

    assert {path for path in out | kept if excludes(path.removesuffix("/"), is_directory=path.endswith("/"))} == out


@pytest.mark.parametrize("pattern", ["", "/", "!keep.py", "a\\b"])
def test_patterns_that_cannot_be_meant_are_refused(pattern: str):
    with pytest.raises(PackagingError, match="the exclude pattern"):
        ExcludePatterns([pattern])


COMPONENTS = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=10).filter(
    lambda text: text not in (".", "..")
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.dictionaries(st.tuples(st.sampled_from("abc"), COMPONENTS), st.binary(max_size=200), min_size=1, max_size=6))
def test_any_tree_is_packaged_into_its_files(tmp_path: Path, files: dict[tuple[str, str], bytes]):
    root = tmp_path / "tree"
    shutil.rmtree(root, ignore_errors=True)
    for (folder, name), body in files.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / name).write_bytes(body)

    reading = read_archive(packaged(root, excludes=[]))

    expected = sorted((f"{folder}/{name}".encode(), body) for (folder, name), body in files.items())
    assert reading.content_digest == hashlib.sha384(b"".join(name + body for name, body in expected)).digest()
