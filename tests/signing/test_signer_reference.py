"""Names of signers: read, written, the same in every working directory; everything else is refused."""

from pathlib import Path

import pytest

from constructs_pkg.errors import SigningError
from constructs_pkg.signing.signer_reference import (
    AuthorityReference,
    AwsSignerReference,
    absolute_reference,
    parse_signer_reference,
)

WHOLE = "aws:bucket=acme-signing,bucket-owner=111111111111,profile-owner=222222222222,region=eu-west-1,timeout=90"


def test_a_reference_to_aws_signer_reads_back() -> None:
    reference = AwsSignerReference("acme-signing", "111111111111", "222222222222", "eu-west-1", 90)
    assert parse_signer_reference(WHOLE) == reference
    assert str(reference) == WHOLE
    assert absolute_reference(WHOLE) == WHOLE
    assert parse_signer_reference("aws:") == AwsSignerReference()
    assert parse_signer_reference(str(AwsSignerReference())) == AwsSignerReference()


def test_a_reference_to_an_authority_becomes_absolute(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_signer_reference("authority:a") == AuthorityReference(Path("a"))
    assert absolute_reference("authority:a") == f"authority:{tmp_path / 'a'}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no signer"),
        ("authority:", "names no signer"),
        ("kms:key", "names no signer"),
        ("aws:colour=red", "'colour' is none of bucket"),
        ("aws:bucket", "'' is no bucket"),
        ("aws:bucket=a b", "'a b' is no bucket"),
        ("aws:bucket=aaa,bucket=bbb", "'bucket' is there twice"),
        ("aws:profile-owner=12", "'12' is no profile-owner"),
        ("aws:region=https://evil", "is no region"),
        ("aws:timeout=0", "'0' is no timeout"),
        ("aws:timeout=99999", "more than a day"),
    ],
)
def test_what_names_no_signer_is_refused(text, words) -> None:
    with pytest.raises(SigningError, match=words) as caught:
        parse_signer_reference(text)
    assert caught.value.reason == "argument_invalid"
