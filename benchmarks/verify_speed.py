"""Measures verifying and signing against other ways to check the same content; prints a Markdown report.

Run it on a quiet machine: ``python benchmarks/verify_speed.py --output benchmarks/results/verify_speed.md``. Every
contender runs once a round, and its best round counts, so that the ratios come from one run of one machine. Needs
``unzip``, ``openssl``, ``keytool`` and ``jarsigner``; a contender whose tool is missing is left out and said to be.
"""

import argparse
import gc
import hashlib
import os
import platform
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sample_packages import write_package_at_lambdas_limit, write_package_of_small_files

from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.authority import SEED_BYTES, LocalAuthority
from constructs_pkg.signing.inflate import FASTEST, STANDARD, DeflateLibrary
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import format_policy
from constructs_pkg.signing.verifier import verify_archive

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
MIB = 1 << 20
GOAL_NAIVE, GOAL_FLOOR, GOAL_SIGN, GOAL_MEMORY_MIB, GOAL_COLD_CPU_SECONDS = 2.0, 1.4, 2.0, 80, 0.2
VERIFY = "verify (this package)"
SIGN = "sign (this package)"
ZLIB_ONLY = "read without the extra `fast` (zlib)"
NAIVE = "(a) naive: `zipfile` reads every entry, then `hashlib.sha384`"
FLOOR_HASH = "(b) floor: SHA-384 over the content alone"
FLOOR_INFLATE = "(b) floor: inflating alone, fastest library"
UNZIP_PIPE = "(c) `unzip -p` piped into `openssl dgst -sha384`"
UNZIP_TEST = "(c) `unzip -tq` alone"
JARSIGNER = "(d) `jarsigner -verify`, EC P-384"


@dataclass(frozen=True)
class Sample:
    """One package in the forms that the contenders want."""

    title: str
    unsigned: Path
    signed: Path
    jar: Path | None
    entry_count: int
    expanded_bytes: int


def main() -> None:
    """Parse the arguments, measure, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = _report(Path(folder), arguments.rounds)
    print(report)
    if arguments.output is not None:
        arguments.output.write_text(report, encoding="utf-8")


def _report(folder: Path, rounds: int) -> str:
    authority = LocalAuthority(bytes(SEED_BYTES), created_at=AT)
    authority.put_profile("Benchmark")
    policy = authority.export_policy(at=AT)
    policy_file = folder / "policy.json"
    policy_file.write_text(format_policy(policy), encoding="utf-8")
    parts = [_heading(rounds)]
    writers = {
        "A package at Lambda's limit": write_package_at_lambdas_limit,
        "10,000 small files": write_package_of_small_files,
    }
    for title, write in writers.items():
        sample = _prepare(title, write, folder, authority)
        best = _measure(_contenders(sample, authority, policy), rounds)
        parts.append(_table(sample, best, _peak_mib(sample, policy_file)))
    parts.append(_cold(folder, authority, policy_file, rounds))
    return "\n".join(parts)


def _prepare(title: str, write: Callable[[Path], None], folder: Path, authority: LocalAuthority) -> Sample:
    stem = re.sub(r"\W+", "-", title)
    unsigned, signed = folder / f"{stem}.zip", folder / f"{stem}-signed.zip"
    write(unsigned)
    with unsigned.open("rb") as source, signed.open("wb") as target:
        authority.sign(source, target, profile="Benchmark", at=AT)
    with zipfile.ZipFile(unsigned) as archive:
        entries = archive.infolist()
    jar = _signed_jar(unsigned, folder) if shutil.which("jarsigner") and shutil.which("keytool") else None
    return Sample(title, unsigned, signed, jar, len(entries), sum(entry.file_size for entry in entries))


def _signed_jar(unsigned: Path, folder: Path) -> Path:
    store, jar = folder / "keys.p12", unsigned.with_suffix(".jar")
    password = ["-keystore", str(store), "-storepass", "benchmark"]
    if not store.exists():
        make = ["keytool", "-genkeypair", "-alias", "key", "-keyalg", "EC", "-groupname", "secp384r1"]
        _run([*make, "-dname", "CN=benchmark", "-storetype", "PKCS12", *password])
    algorithms = ["-sigalg", "SHA384withECDSA", "-digestalg", "SHA-384"]
    _run(["jarsigner", *password, *algorithms, "-signedjar", str(jar), str(unsigned), "key"])
    return jar


def _contenders(
    sample: Sample, authority: LocalAuthority, policy: CodeSigningPolicy
) -> dict[str, Callable[[], object]]:
    with zipfile.ZipFile(sample.unsigned) as archive:
        content = b"".join(archive.read(entry) for entry in archive.infolist())
    compressed = _compressed(sample.unsigned)

    def verify() -> None:
        with sample.signed.open("rb") as file:
            if verify_archive(file, policy, AT).decision != "accepted":
                raise SystemExit("the sample was not accepted")

    def sign() -> None:
        with sample.unsigned.open("rb") as file, Path(os.devnull).open("wb") as target:
            authority.sign(file, target, profile="Benchmark", at=AT)

    def read_with_zlib() -> None:
        with sample.signed.open("rb") as file:
            read_archive(file, library=STANDARD)

    contenders: dict[str, Callable[[], object]] = {
        VERIFY: verify,
        SIGN: sign,
        ZLIB_ONLY: read_with_zlib,
        NAIVE: lambda: _naive(sample.signed),
        FLOOR_HASH: lambda: hashlib.sha384(content),
        FLOOR_INFLATE: lambda: _inflate_all(compressed, FASTEST),
    }
    if shutil.which("unzip") and shutil.which("openssl"):
        contenders[UNZIP_PIPE] = lambda: _pipe(sample.signed)
        contenders[UNZIP_TEST] = lambda: _run(["unzip", "-tq", str(sample.signed)])
    if sample.jar is not None:
        contenders[JARSIGNER] = lambda: _run(["jarsigner", "-verify", str(sample.jar)])
    return contenders


def _naive(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        pieces = [piece for info in archive.infolist() for piece in (info.filename.encode(), archive.read(info))]
    return hashlib.sha384(b"".join(pieces)).digest()


def _compressed(path: Path) -> list[tuple[bytes, int]]:
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        found: list[tuple[bytes, int]] = []
        for info in archive.infolist():
            file.seek(info.header_offset + 26)
            lengths = file.read(4)
            file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), os.SEEK_CUR)
            found.append((file.read(info.compress_size), info.file_size))
    return found


def _inflate_all(compressed: list[tuple[bytes, int]], library: DeflateLibrary) -> None:
    for body, size in compressed:
        library.decompressobj(-zlib.MAX_WBITS).decompress(body, size + 1)


def _pipe(path: Path) -> None:
    with subprocess.Popen(["unzip", "-p", str(path)], stdout=subprocess.PIPE) as unzip:
        subprocess.run(["openssl", "dgst", "-sha384"], stdin=unzip.stdout, check=True, stdout=subprocess.DEVNULL)
    if unzip.returncode:
        raise SystemExit("unzip failed")


def _run(command: list[str]) -> None:
    # As users have it: with bytecode kept from the first run on.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _measure(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    # What this program holds for the contenders is not theirs to look through: nobody who verifies holds it.
    gc.collect()
    gc.freeze()
    best = dict.fromkeys(contenders, float("inf"))
    for number in range(rounds):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - begin)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return best


PEAK = """
import re, sys
from datetime import datetime, UTC
from pathlib import Path
from constructs_pkg.signing.policy_file import parse_policy
from constructs_pkg.signing.verifier import verify_archive

def peak_kib():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

policy = parse_policy(Path(sys.argv[2]).read_bytes())
before = peak_kib()
with open(sys.argv[1], "rb") as file:
    assert verify_archive(file, policy, datetime.fromisoformat(sys.argv[3])).decision == "accepted"
print(peak_kib() - before)
"""


def _peak_mib(sample: Sample, policy_file: Path) -> float | None:
    """Return the resident memory that verifying adds to an interpreter which has imported the verifier."""
    if not Path("/proc/self/status").exists():
        return None
    command = [sys.executable, "-c", PEAK, str(sample.signed), str(policy_file), AT.isoformat()]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def _cold(folder: Path, authority: LocalAuthority, policy_file: Path, rounds: int) -> str:
    """Measure the command on a small archive: processor time of the whole process, interpreter included."""
    unsigned, signed = folder / "small.zip", folder / "small-signed.zip"
    with zipfile.ZipFile(unsigned, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context): ...\n")
    with unsigned.open("rb") as source, signed.open("wb") as target:
        authority.sign(source, target, profile="Benchmark", at=AT)
    arguments = ["verify", str(signed), "--policy", str(policy_file), "--at", AT.isoformat()]
    best = float("inf")
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        _run([sys.executable, "-m", "constructs_pkg.cli.main", *arguments])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    goal = _verdict(best < GOAL_COLD_CPU_SECONDS)
    return (
        "## The command on a small archive\n\n"
        f"`lambda-code-signing verify small.zip --policy policy.json`: {best:.3f} s of processor time, with the start "
        f"of Python (goal: under {GOAL_COLD_CPU_SECONDS} s, {goal}).\n"
    )


def _table(sample: Sample, best: dict[str, float], peak_mib: float | None) -> str:
    verify = best[VERIFY]
    floor = max(best[FLOOR_HASH], best[FLOOR_INFLATE])
    goals = {
        SIGN: (best[SIGN] <= GOAL_SIGN * verify, f"at most {GOAL_SIGN:.0f}x verify"),
        NAIVE: (best[NAIVE] >= GOAL_NAIVE * verify, f"at least {GOAL_NAIVE:.0f}x verify"),
        UNZIP_PIPE: (best.get(UNZIP_PIPE, 0) > verify, "slower than verify"),
        UNZIP_TEST: (best.get(UNZIP_TEST, 0) > verify, "slower than verify"),
        JARSIGNER: (best.get(JARSIGNER, 0) > verify, "slower than verify"),
    }
    sizes = (
        f"{sample.expanded_bytes / MIB:.1f} MiB expanded, {sample.signed.stat().st_size / MIB:.1f} MiB signed archive"
    )
    lines = [
        f"## {sample.title}\n",
        f"{sample.entry_count:,} entries, {sizes}.\n",
        "| contender | best, s | ratio to verify | goal | |",
        "|---|---:|---:|---|---|",
    ]
    for name, seconds in best.items():
        met, goal = goals.get(name, (None, ""))
        lines.append(f"| {name} | {seconds:.3f} | {seconds / verify:.2f} | {goal} | {_verdict(met)} |")
    within = _verdict(verify <= GOAL_FLOOR * floor)
    lines += ["", f"Verify takes {verify / floor:.2f} times the floor (goal: at most {GOAL_FLOOR}, {within})."]
    if peak_mib is not None:
        small = _verdict(peak_mib < GOAL_MEMORY_MIB)
        lines.append(f"Verify adds {peak_mib:.0f} MiB to the interpreter (goal: under {GOAL_MEMORY_MIB} MiB, {small}).")
    return "\n".join([*lines, ""])


def _verdict(met: bool | None) -> str:  # noqa: FBT001 # a word for a truth value
    return {None: "", True: "met", False: "**missed**"}[met]


def _heading(rounds: int) -> str:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        model = found[1] if found else model
    try:
        fast = f"zlib-ng {version('zlib-ng')}"
    except PackageNotFoundError:
        fast = "the extra `fast` not installed"
    load = f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        "# Speed of verifying and signing\n\n"
        "Written by `python benchmarks/verify_speed.py`. Best of "
        f"{rounds} rounds, every contender once a round.\n\n"
        f"- {os.cpu_count()} cores, {model}; {platform.system()}, {platform.machine()}; load at the start {load}\n"
        f"- Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, zlib {zlib.ZLIB_RUNTIME_VERSION}, {fast}\n"
        f"- {_first_line(['unzip', '-v'])}; {_first_line(['java', '-version'])}\n"
    )


def _first_line(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return f"no {command[0]}"
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0].strip()


if __name__ == "__main__":
    main()
