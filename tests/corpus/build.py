"""Writes the conformance corpus: ``python tests/corpus/build.py -o DIR``. Needs Python and cryptography, nothing else.

The directory gets ``expected.json``, one archive for each case and one policy file for each policy and mode. All keys
are public and derived from their names, so that the same corpus is made on every machine (but for the bytes of deflate
streams, which depend on the zlib at hand).
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).resolve().with_name("expected.json")
sys.path.insert(0, str(ROOT))  # so that it also runs as a script, from anywhere

from tests.corpus.corpus_case import CorpusCase  # noqa: E402 (the line above finds it)
from tests.corpus.decision_cases import POLICIES, policy_text  # noqa: E402 (likewise)
from tests.corpus.verifier_cases import CASES, expected_text  # noqa: E402 (likewise)


def write_corpus(target: Path, cases: Iterable[CorpusCase] = CASES) -> int:
    """Write the corpus, or some cases of it, to a new or empty directory; return how many bytes the archives have."""
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise SystemExit(f"{target} is not empty; name a new directory")
    (target / "expected.json").write_text(expected_text(), "utf-8")
    (target / "policies").mkdir()
    for name in POLICIES:
        for mode in ("enforce", "warn"):
            (target / "policies" / f"{name}.{mode}.json").write_text(policy_text(name, mode), "utf-8")
    total = 0
    for case in cases:
        path = target / case.archive_path
        path.parent.mkdir(parents=True, exist_ok=True)
        total += path.write_bytes(case.build())
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the conformance corpus.")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", type=Path, metavar="DIR", help="a new directory for the whole corpus")
    target.add_argument(
        "--expected",
        action="store_true",
        help="only write the committed expected.json anew, from what the cases state; review the difference like code",
    )
    arguments = parser.parse_args()
    if arguments.expected:
        EXPECTED.write_text(expected_text(), "utf-8")
        sys.stdout.write(f"{EXPECTED}: {len(CASES)} cases\n")
        return
    size_bytes = write_corpus(arguments.output)
    sys.stdout.write(f"{arguments.output}: {len(CASES)} archives, {size_bytes:,} bytes\n")


if __name__ == "__main__":
    main()
