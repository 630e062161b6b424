"""A signature is taken out of an archive only where it fits, and nothing else changes."""

import io
import zipfile

import pytest

from constructs_pkg.errors import SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, read_archive
from constructs_pkg.signing.unsigning import remove_signature
from constructs_pkg.signing.verifier import verify_archive
from tests.signing.signed_archives import VERIFIED_AT, archive_of, sign, signed_archive


def test_what_remains_is_the_same_content_and_can_be_signed_again() -> None:
    signed = signed_archive()
    copy = io.BytesIO()
    envelope = remove_signature(io.BytesIO(signed.archive), copy)
    assert str(envelope.signing_profile_version_arn).split("/")[-2] == "team_app"
    before, after = read_archive(signed.archive), read_archive(copy.getvalue())
    assert (after.signature, after.content_digest) == (None, before.content_digest)
    assert set(before.raw_names) - set(after.raw_names) == {SIGNATURE_ENTRY.encode()}
    again = sign(signed.authority, copy.getvalue(), "team_app")
    assert verify_archive(again, signed.policy, VERIFIED_AT)


def changed(archive: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            body = old.read(entry)
            new.writestr(entry, body + b"# more\n" if entry.filename == "handler.py" else body)
    return target.getvalue()


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (changed(signed_archive().archive), "is not what its publisher signed"),
        (archive_of(handler__py=b"1"), "has no signature"),
        (b"no ZIP", "is not what its publisher signed"),
    ],
    ids=["changed", "unsigned", "no archive"],
)
def test_what_does_not_fit_its_signature_is_not_laundered(archive: bytes, message: str) -> None:
    with pytest.raises(SigningError, match=message):
        remove_signature(io.BytesIO(archive), io.BytesIO())
