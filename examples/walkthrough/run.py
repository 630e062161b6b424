"""Start a local AWS, run the walks against it with the AWS CLI, print what came of them.

``python examples/walkthrough/run.py [--show] [WALK...]``, for example ``run.py --show 1-basic``. Each walk has accounts
of its own, so two run at a time. Exit codes: 0 all walks went as they must, 1 one did not.
"""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from constructs_pkg.testing.local_aws import LocalAws

HERE = Path(__file__).resolve().parent
WALKS = {path.stem: path for path in sorted(HERE.glob("[0-9]-*.sh"))}


@dataclass(frozen=True)
class Walk:
    """One script that ran."""

    name: str
    is_good: bool
    seconds: float
    output: str


def start() -> LocalAws:
    """Return a local AWS, not yet started, in which the walks' organization exists and policies decide."""
    return LocalAws(organization=HERE / "organization.toml", is_strict=True)


def walk(name: str, aws: LocalAws, *programs: Path) -> Walk:
    """Run one script to its end, with the programs of these folders; everything that it says comes back."""
    folders = (*programs, Path(sys.executable).parent)
    begin = time.monotonic()
    done = subprocess.run(
        ["bash", str(WALKS[name])],
        env={**os.environ, **aws.environment(), "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Walk(name, done.returncode == 0, time.monotonic() - begin, done.stdout)


def main() -> int:
    """Run the walks that were asked for, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("walks", nargs="*", metavar="WALK", help=f"one of {', '.join(WALKS)}")
    parser.add_argument("--show", action="store_true", help="show what each walk does, not only whether it went well")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.walks) - set(WALKS))
    if unknown:
        parser.error(f"there is no walk {unknown[0]!r}; there are {', '.join(WALKS)}")
    begin = time.monotonic()
    with start() as aws, ThreadPoolExecutor(max_workers=2) as pool:
        done = list(pool.map(lambda name: walk(name, aws), arguments.walks or WALKS))
    for one in done:
        if arguments.show or not one.is_good:
            print(f"== {one.name}{one.output}\n")
    print(f"{'walk':<20} {'seconds':>7}  result")
    for one in done:
        print(f"{one.name:<20} {one.seconds:>7.1f}  {'as it must be' if one.is_good else 'FAILED'}")
    print(f"{'all':<20} {time.monotonic() - begin:>7.1f}")
    return 0 if all(one.is_good for one in done) else 1


if __name__ == "__main__":
    sys.exit(main())
