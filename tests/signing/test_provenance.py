"""The statement beside a signed archive: written and read back, nothing else read, lies about the archive found."""

import hashlib
import json
from dataclasses import replace

import pytest

from constructs_pkg.errors import ProvenanceError
from constructs_pkg.signing.provenance import check_provenance, provenance_of
from constructs_pkg.signing.provenance_statement import MAX_PROVENANCE_BYTES, format_provenance, parse_provenance
from tests.signing.signed_archives import archive_of, sign, signed_archive

SIGNED = signed_archive()
SOURCE_SHA256 = "ab" * 32


def made(**more):
    given = {"name": "signed/x.zip", "source_name": "refunds", "source_sha256": SOURCE_SHA256, "commit": "4f0c2a1"}
    return provenance_of(SIGNED.archive, **{**given, **more})


def test_a_statement_has_the_frame_of_in_toto_and_what_the_signature_says() -> None:
    job = SIGNED.authority.jobs[0]
    profile = str(SIGNED.authority.profile_version_arn("team_app"))
    assert json.loads(format_provenance(made(annotations={"licence": "MIT"}))) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "signed/x.zip", "digest": {"sha256": hashlib.sha256(SIGNED.archive).hexdigest()}}],
        "predicateType": "urn:lambda-code-signing:provenance:v1",
        "predicate": {
            "source": {"name": "refunds", "digest": {"sha256": SOURCE_SHA256}, "commit": "4f0c2a1"},
            "content": {"sha384": job.content_digest.hex()},
            "signing_job_arn": f"arn:aws:signer:eu-west-1:123456789012:/signing-jobs/{job.job_id}",
            "signing_profile_version_arn": profile,
            "signed_at": "2026-09-28T09:19:26.806Z",
            "expires_at": "2037-12-28T09:19:26.806Z",
            "annotations": {"licence": "MIT"},
        },
    }


@pytest.mark.parametrize("more", [{}, {"commit": None}, {"annotations": {"b": "2", "a": "1"}}])
def test_a_statement_reads_back_and_fits_its_archive(more) -> None:
    provenance = made(**more)
    assert parse_provenance(format_provenance(provenance)) == provenance
    assert check_provenance(provenance, SIGNED.archive) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("/Statement/v1", "/Statement/v2"), "is not 'https://in-toto.io/Statement/v1'"),
        (lambda text: text.replace("provenance:v1", "provenance:v2"), "predicateType"),
        (lambda text: text.replace('"sha384"', '"sha512"'), "sha512"),
        (lambda text: text.replace('"commit": "4f0c2a1"', '"commit": "-x; rm"'), "not a commit"),
        (lambda text: text.replace(SOURCE_SHA256, SOURCE_SHA256.upper()), "in lower case"),
        (lambda text: text.replace("/signing-jobs/", "/signing-job/"), "not a signing job ARN"),
        (lambda text: text.replace(".806Z", ".806"), "no time zone"),
        (lambda text: text.replace('"name": "refunds"', '"name": ""'), "has 0 characters"),
        (lambda text: text.replace('"name": "refunds"', '"name": "a", "name": "b"'), "twice"),
        (lambda text: text.replace('"subject": [', '"subject": [{},'), "a list of 0 to 1"),
        (lambda text: text.replace('"predicate": {', '"predicate": {"builder": {},'), "not a known key"),
        (lambda text: text + " " * MAX_PROVENANCE_BYTES, "bytes"),
        (lambda text: text[:-3], "not JSON"),
        (lambda _text: "{}", "is missing"),
    ],
)
def test_what_is_no_statement_is_refused(change, message) -> None:
    with pytest.raises(ProvenanceError, match=message):
        parse_provenance(change(format_provenance(made())))


def test_what_the_writer_could_not_know_may_be_left_out() -> None:
    provenance = replace(made(), content_sha384=None, signed_at=None)
    text = format_provenance(provenance)
    assert not {"content", "signed_at"} & json.loads(text)["predicate"].keys()
    assert parse_provenance(text) == provenance
    assert check_provenance(provenance, SIGNED.archive) == ()


def test_too_many_and_too_long_annotations_are_refused() -> None:
    with pytest.raises(ProvenanceError, match="has 21 members"):
        made(annotations={str(number): "x" for number in range(21)})
    with pytest.raises(ProvenanceError, match="1025 characters"):
        made(annotations={"note": "x" * 1025})


def test_a_statement_about_another_archive_is_told_apart() -> None:
    other = sign(SIGNED.authority, archive_of(handler__py=b"other"), "other_app")
    problems = check_provenance(made(), other)
    assert [problem.partition(" ")[0] for problem in problems] == [
        "sha256",
        "content_sha384",
        "signing_job_arn",
        "signing_profile_version_arn",
    ]
    later = replace(made(), expires_at=made().signed_at)
    assert check_provenance(later, SIGNED.archive) == (
        f"expires_at is {later.signed_at}, and {made().expires_at} in the archive",
    )


@pytest.mark.parametrize("archive", [archive_of(handler__py=b"x"), b"garbage"])
def test_an_archive_without_signature_has_no_provenance(archive) -> None:
    with pytest.raises(ProvenanceError, match=r"^a\.zip "):
        provenance_of(archive, name="a.zip", source_name="a", source_sha256=SOURCE_SHA256)
