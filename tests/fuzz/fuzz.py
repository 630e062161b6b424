"""Fuzzes one reader for a bounded time: ``python tests/fuzz/fuzz.py {zip,ber,cms} --seconds 20``.

Needs atheris (the extra ``fuzz``). Starts from ``tests/fuzz/seeds``; what is found on the way is kept only where
``--keep`` names a directory. Ends with 0 when the time is over, and with another code and the input in ``--findings``
when a target failed, took ten seconds or 512 MiB.
"""

import argparse
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))  # so that it also runs as a script, from anywhere

TARGET_NAMES = ("zip", "ber", "cms")
MAX_INPUT_BYTES = 16 * 1024
MAX_SECONDS_FOR_AN_INPUT = 10
MAX_MEMORY_MIB = 512


def arguments_of(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz one reader for a bounded time.")
    parser.add_argument("target", choices=TARGET_NAMES)
    parser.add_argument("--seconds", type=int, default=20, help="how long (20)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to keep the inputs that reached new code")
    parser.add_argument(
        "--findings",
        type=Path,
        metavar="DIR",
        default=Path(tempfile.gettempdir()) / "lambda-code-signing-findings",
        help="where an input that fails is written (%(default)s)",
    )
    return parser.parse_args(words)


def options_of(arguments: argparse.Namespace, keep: Path) -> list[str]:
    """Return the words for libFuzzer: the first directory takes what is new, the second is only read."""
    return [
        f"-max_total_time={arguments.seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={MAX_SECONDS_FOR_AN_INPUT}",
        f"-rss_limit_mb={MAX_MEMORY_MIB}",
        f"-artifact_prefix={arguments.findings}/{arguments.target}-",
        "-print_final_stats=1",
        str(keep),
        str(FOLDER / "seeds" / arguments.target),
    ]


def main() -> None:
    import atheris  # noqa: PLC0415 (not installed where only the seeds are replayed)

    arguments = arguments_of()
    arguments.findings.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["constructs_pkg"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 (imported here to be watched)
    with tempfile.TemporaryDirectory() as nowhere:
        keep = arguments.keep or Path(nowhere)
        keep.mkdir(parents=True, exist_ok=True)
        atheris.Setup([sys.argv[0], *options_of(arguments, keep)], TARGETS[arguments.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
