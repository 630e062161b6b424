"""The seeds of the fuzzer go through its targets in every run of the tests, without the fuzzer."""

import tracemalloc
from pathlib import Path

import pytest

from constructs_pkg.errors import CmsError
from tests.fuzz import fuzz, targets, write_seeds
from tests.fuzz.targets import TARGETS

INPUTS = [(target, path) for target in TARGETS for path in sorted((write_seeds.SEEDS / target).iterdir())]
MAX_PEAK_BYTES = 8 << 20


@pytest.mark.parametrize(("target", "path"), INPUTS, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_a_seed_gives_a_value_or_our_error_in_little_memory(target: str, path: Path) -> None:
    data = path.read_bytes()
    tracemalloc.start()
    try:
        TARGETS[target](data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MAX_PEAK_BYTES


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_of_no_structure_give_our_error(target: str) -> None:
    for data in (b"", b"\0", b"\xff" * 50, bytes(range(256)), b"PK\5\6" + bytes(18), b"\x30\x80" * 500):
        TARGETS[target](data)


def test_the_seeds_are_those_of_the_corpus_and_what_the_fuzzer_found() -> None:
    written = {
        target: {path.name for path in (write_seeds.SEEDS / target).iterdir()}
        - {path.name for path in (write_seeds.SEEDS / target).glob(f"{write_seeds.FOUND}*")}
        for target in TARGETS
    }
    assert written == {target: set(inputs) for target, inputs in write_seeds.seeds().items()}


def test_the_seeds_stay_small() -> None:
    assert sum(path.stat().st_size for _, path in INPUTS) < 200 * 1024
    assert max(path.stat().st_size for _, path in INPUTS) <= fuzz.MAX_INPUT_BYTES


# A target that cannot fail finds nothing.


def _raise(error: Exception):
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(("target", "reader"), [("zip", "read_archive"), ("ber", "to_der"), ("cms", "parse_signature")])
def test_an_error_that_is_not_ours_fails_the_target(target: str, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, reader, _raise(IndexError("planted")))
    with pytest.raises(IndexError, match="planted"):
        TARGETS[target](b"")


def test_an_error_of_ours_without_a_known_reason_fails_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "parse_signature", _raise(CmsError("no such reason", "planted")))
    with pytest.raises(AssertionError):
        TARGETS["cms"](b"")


def test_a_forgery_fails_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = (write_seeds.SEEDS / "cms" / "good").read_bytes()
    monkeypatch.setattr(targets, "_GENUINE", set())
    with pytest.raises(AssertionError, match="forgery"):
        TARGETS["cms"](genuine)


def test_an_archive_that_the_standard_library_reads_otherwise_fails_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_digest_by_zipfile", lambda _: b"other")
    with pytest.raises(AssertionError, match="sees other entries"):
        TARGETS["zip"]((write_seeds.SEEDS / "zip" / "signed").read_bytes())


def test_libraries_that_disagree_fail_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter(["crc_mismatch", "size_mismatch"])
    monkeypatch.setattr(targets, "_archive_outcome", lambda *_: next(outcomes))
    with pytest.raises(AssertionError, match="disagree"):
        TARGETS["zip"](b"")


def test_a_run_is_bounded_in_time_memory_and_size_of_input(tmp_path: Path) -> None:
    arguments = fuzz.arguments_of(["cms", "--seconds", "7", "--findings", str(tmp_path)])
    assert fuzz.options_of(arguments, tmp_path / "keep") == [
        "-max_total_time=7",
        "-max_len=16384",
        "-timeout=10",
        "-rss_limit_mb=512",
        f"-artifact_prefix={tmp_path}/cms-",
        "-print_final_stats=1",
        str(tmp_path / "keep"),
        str(write_seeds.SEEDS / "cms"),
    ]
    assert set(fuzz.TARGET_NAMES) == set(TARGETS)
