"""inspect: everything in the signature, and each thing marked as what it is worth."""

import zipfile
from pathlib import Path

import pytest

CLAIMS = {"signing_profile_version_arn", "signing_job_arn", "signed_at", "expires_at", "message_digest"}


def test_everything_is_marked_unverified_without_a_root(run) -> None:
    ran = run("inspect", "signed.zip")
    assert (ran.code, ran.err) == (0, "")
    claims = [line for line in ran.out.splitlines() if any(f" {name.replace('_', ' ')}: " in line for name in CLAIMS)]
    assert len(claims) == len(CLAIMS)
    assert [line for line in claims if not line.endswith("[UNVERIFIED]")] == []
    assert "verified: no: what follows is only what the archive claims" in ran.out
    assert "[verified]" not in ran.out
    assert ran.out.count("passed: yes\n") == 2  # content and signature; nobody gave a root
    assert ran.out.count("passed: no\n") == 1


def test_everything_is_marked_verified_with_the_root(run) -> None:
    out = run("inspect", "signed.zip", "--trust-root", "root.pem").out
    assert "verified: yes" in out
    assert "UNVERIFIED]" not in out
    assert out.count("[verified]") > len(CLAIMS)


def test_root_does_not_make_a_tampered_archive_verified(run) -> None:
    ran = run("inspect", "tampered.zip", "--trust-root", "root.pem", "--format", "json")
    signature = ran.json["signature"]
    assert ran.code == 0
    assert signature["verified"] is False
    assert {name: check["passed"] for name, check in signature["checks"].items()} == {
        "content": False,
        "signature": True,
        "trust": True,
    }


def test_json_holds_archive_claims_and_the_whole_chain(run) -> None:
    answer = run("inspect", "signed.zip", "--trust-root", "root.pem", "--format", "json").json
    archive, signature = answer["archive"], answer["signature"]
    assert (answer["version"], answer["artifact"], answer["problem"]) == (1, "signed.zip", None)
    assert archive["entry_count"] == 3
    assert len(archive["content_sha384"]) == 96
    assert set(signature["claims"]) == CLAIMS
    assert signature["claims"]["signed_at"] == "2026-01-02T00:00:00Z"
    assert [item["role"] for item in signature["certificates"]] == [
        "signer",
        "authority",
        "authority",
        "root, as the archive brings it",
    ]
    issuers = [item["issuer"] for item in signature["certificates"]]
    assert [item["subject"] for item in signature["certificates"]][1:] == issuers[:-1]


def test_unsigned_archive_is_shown_and_answered_no(run) -> None:
    ran = run("inspect", "unsigned.zip", "--format", "json")
    assert (ran.code, ran.json["signature"]) == (1, None)
    assert ran.json["archive"]["signature_bytes"] is None
    assert ran.err == "Error: unsigned.zip: not signed: it has no entry META_INF/aws_signer_signature_v1.0.SF\n"


def test_malformed_signature_is_named(run, workspace: Path) -> None:
    with zipfile.ZipFile(workspace / "bad.zip", "w") as archive:
        archive.writestr("META_INF/aws_signer_signature_v1.0.SF", b"\x1b[2Jnonsense")
    ran = run("inspect", "bad.zip")
    assert ran.code == 1
    assert "not exactly one PEM block" in ran.err
    assert "\x1b" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("name", "code"), [("policy.json", 1), ("missing.zip", 3), ("authority", 3)], ids=["no ZIP", "missing", "directory"]
)
def test_what_cannot_be_inspected_prints_no_answer(run, name: str, code: int) -> None:
    ran = run("inspect", name)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("Error: ")


def test_unusable_root_gives_no_answer(run) -> None:
    ran = run("inspect", "signed.zip", "--trust-root", "policy.json")
    assert (ran.code, ran.out) == (3, "")
