"""Builds the two deployment packages that the benchmarks measure, out of what Python has installed on this machine."""

import json
import random
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

MIB = 1 << 20
LAMBDA_LIMIT_BYTES = 250 * MIB


def write_package_at_lambdas_limit(target: Path) -> None:
    """About 250 MiB expanded: 60 % shared objects, 15 % Python sources, 12 % JSON, the rest does not compress."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "lib", _shared_objects(), 150 * MIB)
        _add(archive, "python", _sources(), 38 * MIB)
        _add(archive, "data", _records(), 30 * MIB)
        used = sum(info.file_size for info in archive.infolist())
        _add(archive, "models", _noise(), LAMBDA_LIMIT_BYTES - used - 64 * 1024)


def write_package_of_small_files(target: Path, count: int = 10_000) -> None:
    """Ten thousand Python sources of less than 16 KiB each."""
    small = (body for body in _sources() if 0 < len(body) < 16 * 1024)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, body in zip(range(count), small, strict=False):
            archive.writestr(f"python/package{number // 40:03d}/module{number % 40:02d}.py", body)
        if len(archive.infolist()) < count:
            raise SystemExit(f"this Python has fewer than {count} small sources installed; install the developer extra")


def _add(archive: zipfile.ZipFile, folder: str, bodies: Iterator[bytes], budget_bytes: int) -> None:
    for number, body in enumerate(bodies):
        piece = body[:budget_bytes]
        archive.writestr(f"{folder}/part{number // 50:02d}/file{number:05d}", piece)
        budget_bytes -= len(piece)
        if not budget_bytes:
            return
    raise SystemExit(f"too little is installed to fill {folder!r}; install the developer extra")


def _installed(pattern: str) -> Iterator[Path]:
    roots = [Path(sysconfig.get_path("platlib")), Path(sys.base_prefix) / "lib", Path("/usr/lib")]
    for root in roots:
        yield from (path for path in sorted(root.rglob(pattern)) if path.is_file() and not path.is_symlink())


def _shared_objects() -> Iterator[bytes]:
    for path in _installed("*.so*"):
        body = path.read_bytes()
        if body.startswith(b"\x7fELF"):
            yield body[: 40 * MIB]


def _sources() -> Iterator[bytes]:
    return (path.read_bytes() for path in _installed("*.py"))


def _records() -> Iterator[bytes]:
    numbers = random.Random(2)
    while True:
        rows = [{"id": n, "price": numbers.random(), "name": f"item {numbers.randrange(9999)}"} for n in range(20_000)]
        yield json.dumps(rows).encode()


def _noise() -> Iterator[bytes]:
    numbers = random.Random(3)
    while True:
        yield numbers.randbytes(4 * MIB)
