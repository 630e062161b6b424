"""Writes the inputs that fuzzing starts from, out of the conformance corpus: ``python tests/fuzz/write_seeds.py``.

Seeds that a run of the fuzzer found, whose names begin with ``found-``, stay as they are.
"""

import base64
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SEEDS = FOLDER / "seeds"
FOUND = "found-"
MAX_ZIP_SEED_BYTES = 700
sys.path.insert(0, str(FOLDER.parents[1]))  # so that it also runs as a script, from anywhere

from tests.corpus.cms_cases import CMS_CASES, good_entry  # noqa: E402 (the line above finds it)
from tests.corpus.independent_cms import DATA, octets, seq  # noqa: E402 (likewise)
from tests.corpus.signed_entries import signed  # noqa: E402 (likewise)
from tests.corpus.zip_cases import ACCEPTED, GOOD_ENTRIES, REFUSED  # noqa: E402 (likewise)

_ENVELOPES = {
    "good",
    "good_der_wrappers",
    "good_without_algorithm_protection",
    "wrappers_nested_a_hundred_deep",
    "content_attached",
    "signer_twice",
    "signer_by_key_identifier",
    "unsigned_attributes",
    "revocation_lists",
    "two_values_of_profile_version",
    "no_certificates",
    "certificate_of_version_1",
}
"""Each has a structure of its own; the other cases differ from these in values."""

_ELEMENTS = {
    "null": b"\x05\0",
    "octets": octets(b"content"),
    "long_form": octets(bytes(300)),
    "sequence": seq(DATA, octets(b"content")),
    "one_wrapper": b"\x30\x80" + DATA + b"\0\0",
    "two_wrappers": b"\x30\x80" + DATA + b"\xa0\x80" + octets(b"content") + b"\0\0\0\0",
    "three_wrappers": b"\x30\x80" * 3 + b"\0\0" * 3,
    "without_an_end": b"\x30\x80" + DATA,
    "tag_of_several_bytes": b"\x1f\x81\x01\0",
    "length_of_nine_bytes": b"\x04\x89" + b"\xff" * 9,
    "bytes_behind": b"\x05\0\0",
}


def seeds() -> dict[str, dict[str, bytes]]:
    """Return the seeds by target and name."""
    archives = {case.name: case.build() for case in (*ACCEPTED, *REFUSED) if "limit" not in case.name}
    small = {name: archive for name, archive in archives.items() if len(archive) <= MAX_ZIP_SEED_BYTES}
    envelopes = {case.name: case.build() for case in CMS_CASES if case.name in _ENVELOPES}
    data = {name: base64.b64decode(b"".join(entry.split()[2:-2])) for name, entry in envelopes.items()}
    return {
        "zip": {**small, "signed": signed(GOOD_ENTRIES)},
        "ber": _ELEMENTS,
        "cms": {**data, "good_in_pem": good_entry()},
    }


def main() -> None:
    for target, inputs in seeds().items():
        folder = SEEDS / target
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if not path.name.startswith(FOUND):
                path.unlink()
        for name, data in inputs.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
