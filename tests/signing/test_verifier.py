"""The four checks: what decides, what is still said about the later ones, and what a deployment would show."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.arns import FunctionArn, LayerVersionArn
from constructs_pkg.errors import ArchiveError, PolicyError
from constructs_pkg.signing.deployment import Artifact, decide_deployment
from constructs_pkg.signing.policy import CodeSigningPolicy, Mode, PolicyOrigin
from constructs_pkg.signing.report import CheckName, CheckStatus, Decision, SignatureStatus, VerificationReport
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from tests.signing.signed_archives import SIGNED_AT, VERIFIED_AT, archive_of, new_authority, sign, signed_archive

SIGNED = signed_archive()
EXPIRES_AT = datetime(2037, 12, 28, 9, 19, 26, 806000, tzinfo=UTC)
FUNCTION = FunctionArn.parse("arn:aws:lambda:eu-west-1:123456789012:function:pay")
LAYER = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:123456789012:layer:shared:7")
BEGIN = "Lambda cannot deploy the function. "
NOT_ACCEPTED = "The function or layer might be signed using a signature that the client is not configured to accept. "
IMPROPER = (
    "The function or layer code is not properly signed. This can mean that the code was signed incorrectly or modified "
    "after it was signed. "
)


def _changed(archive: bytes) -> bytes:
    """Return an archive whose code differs in one byte, rewritten by an ordinary ZIP writer."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(target, "w") as copy:
        for entry in source.infolist():
            body = source.read(entry)
            copy.writestr(entry, body.replace(b"ok", b"no") if entry.filename == "handler.py" else body)
    return target.getvalue()


def _other_publisher() -> CodeSigningPolicy:
    return SIGNED.authority.export_policy(at=SIGNED_AT, profiles=["other_app"])


def _revoked_job() -> CodeSigningPolicy:
    authority = signed_archive().authority
    authority.revoke_job(authority.jobs[0].job_id, reason="leaked")
    return replace(SIGNED.policy, revocations=authority.revocations())


def _revoked_profile(effective_time: datetime) -> CodeSigningPolicy:
    authority = signed_archive().authority
    authority.revoke_profile("team_app", reason="stolen", effective_time=effective_time, at=VERIFIED_AT)
    return replace(SIGNED.policy, revocations=authority.revocations())


Scenario = tuple[Callable[[], bytes], Callable[[], CodeSigningPolicy], datetime, SignatureStatus, list[str]]
SCENARIOS: dict[str, Scenario] = {
    "valid": (lambda: SIGNED.archive, lambda: SIGNED.policy, VERIFIED_AT, SignatureStatus.VALID, []),
    "valid-in-the-moment-of-signing": (
        lambda: SIGNED.archive,
        lambda: SIGNED.policy,
        SIGNED_AT,
        SignatureStatus.VALID,
        [],
    ),
    "valid-in-the-last-millisecond": (
        lambda: SIGNED.archive,
        lambda: SIGNED.policy,
        EXPIRES_AT - timedelta(milliseconds=1),
        SignatureStatus.VALID,
        [],
    ),
    "before-signing": (
        lambda: SIGNED.archive,
        lambda: SIGNED.policy,
        SIGNED_AT - timedelta(milliseconds=1),
        SignatureStatus.INTEGRITY,
        ["signed_in_the_future"],
    ),
    "changed": (
        lambda: _changed(SIGNED.archive),
        lambda: SIGNED.policy,
        VERIFIED_AT,
        SignatureStatus.INTEGRITY,
        ["content_changed"],
    ),
    "untrusted-root": (
        lambda: SIGNED.archive,
        lambda: replace(SIGNED.policy, trust=TrustStore(fingerprints=frozenset({"ab" * 32}))),
        VERIFIED_AT,
        SignatureStatus.INTEGRITY,
        ["root_untrusted"],
    ),
    "not-a-zip": (lambda: b"PK", lambda: SIGNED.policy, VERIFIED_AT, SignatureStatus.INTEGRITY, ["not_a_zip"]),
    "unsigned": (
        lambda: archive_of(handler__py=b"ok"),
        lambda: SIGNED.policy,
        VERIFIED_AT,
        SignatureStatus.MISMATCH,
        ["unsigned"],
    ),
    "other-publisher": (
        lambda: SIGNED.archive,
        _other_publisher,
        VERIFIED_AT,
        SignatureStatus.MISMATCH,
        ["publisher_not_allowed"],
    ),
    "expired": (
        lambda: SIGNED.archive,
        lambda: SIGNED.policy,
        EXPIRES_AT,
        SignatureStatus.EXPIRED,
        ["signature_expired"],
    ),
    "job-revoked": (lambda: SIGNED.archive, _revoked_job, VERIFIED_AT, SignatureStatus.REVOKED, ["job_revoked"]),
    "profile-revoked-from-the-moment-of-signing": (
        lambda: SIGNED.archive,
        lambda: _revoked_profile(SIGNED_AT),
        VERIFIED_AT,
        SignatureStatus.REVOKED,
        ["profile_version_revoked"],
    ),
    "profile-revoked-from-just-after-signing": (
        lambda: SIGNED.archive,
        lambda: _revoked_profile(SIGNED_AT + timedelta(milliseconds=1)),
        VERIFIED_AT,
        SignatureStatus.VALID,
        [],
    ),
}


@pytest.mark.parametrize(("archive", "policy", "at", "status", "codes"), SCENARIOS.values(), ids=SCENARIOS)
@pytest.mark.parametrize("mode", list(Mode))
def test_each_check_decides_as_lambda_does_and_says_what_a_deployment_would_show(
    archive: Callable[[], bytes],
    policy: Callable[[], CodeSigningPolicy],
    at: datetime,
    status: SignatureStatus,
    codes: list[str],
    mode: Mode,
) -> None:
    report = verify_archive(archive(), replace(policy(), mode=mode), at, resource_arn=FUNCTION)
    if status is SignatureStatus.VALID:
        decision, message = Decision.ACCEPTED, None
    elif status is SignatureStatus.INTEGRITY:
        decision, message = Decision.REJECTED, f"{BEGIN}{IMPROPER}Check the provided signature for {FUNCTION}."
    elif mode is Mode.WARN:
        decision, message = Decision.WARNED, None
    else:
        decision, message = Decision.REJECTED, f"{BEGIN}{NOT_ACCEPTED}Check the provided signature for {FUNCTION}."
    error = report.aws_error
    assert (
        report.decision,
        report.signature_status,
        [finding.code for finding in report.findings],
        error and (error.code, error.message),
        report.allows_deployment,
        bool(report),
    ) == (
        decision,
        status,
        codes,
        message and ("CodeVerificationFailedException", message),
        decision is not Decision.REJECTED,
        status is SignatureStatus.VALID,
    )


def _statuses(report: VerificationReport) -> list[tuple[str, str | None]]:
    return [(str(check.status), check.outcome and str(check.outcome)) for check in report.checks.values()]


def test_later_checks_are_not_reached_but_evaluated() -> None:
    policy = replace(_other_publisher(), revocations=_revoked_job().revocations)
    report = verify_archive(_changed(SIGNED.archive), policy, EXPIRES_AT)
    codes = [finding.code for finding in report.findings]
    assert codes == ["content_changed", "publisher_not_allowed", "signature_expired", "job_revoked"]
    assert _statuses(report) == [("failed", "failed"), *[("not_reached", "failed")] * 3]


def test_without_a_readable_signature_nothing_can_be_said_of_the_later_checks() -> None:
    report = verify_archive(b"", SIGNED.policy, VERIFIED_AT)
    assert _statuses(report) == [("failed", "failed"), *[("not_reached", None)] * 3]
    assert (report.claims_verified, report.archive_bytes, report.entry_count) == (False, None, None)


def test_an_unsigned_archive_fails_the_mismatch_and_nothing_before_it() -> None:
    report = verify_archive(archive_of(a=b""), SIGNED.policy, VERIFIED_AT)
    assert _statuses(report) == [("passed", "passed"), ("failed", "failed"), *[("not_reached", None)] * 2]


@pytest.mark.parametrize(
    ("archive", "trust", "is_verified"),
    [
        (lambda: _changed(SIGNED.archive), SIGNED.policy.trust, True),
        (lambda: SIGNED.archive, TrustStore(fingerprints=frozenset({"ab" * 32})), False),
    ],
    ids=["content-changed", "root-unknown"],
)
def test_claims_are_verified_where_the_signature_entry_itself_is_authentic(
    archive: Callable[[], bytes], trust: TrustStore, is_verified: bool
) -> None:
    report = verify_archive(archive(), replace(SIGNED.policy, trust=trust), VERIFIED_AT)
    assert (report.claims_verified, bool(report.certificate_chain), bool(report.certificate_hashes)) == (
        is_verified,
        is_verified,
        is_verified,
    )
    assert ("not verified" in str(report)) is not is_verified


def test_the_serialized_report_is_versioned_and_complete() -> None:
    document = json.loads(json.dumps(verify_archive(SIGNED.archive, SIGNED.policy, VERIFIED_AT).to_dict()))
    chain = document.pop("certificate_chain")
    hashes = document.pop("certificate_hashes")
    passed = {"status": "passed", "outcome": "passed"}
    publisher = SIGNED.policy.allowed_publishers[0]
    assert document == {
        "version": 1,
        "artifact": "archive",
        "decision": "accepted",
        "signature_status": "VALID",
        "mode": "Enforce",
        "at": "2026-11-23T00:00:00Z",
        "checks": {
            "integrity": {
                **passed,
                "reason": "the content is what was signed, by a signer whose chain ends in a trust root",
            },
            "mismatch": {**passed, "reason": f"the publisher {publisher} is allowed"},
            "expiry": {**passed, "reason": "the signature is valid until 2037-12-28T09:19:26.806Z"},
            "revocation": {
                **passed,
                "reason": "the policy revokes neither the signing job nor the signing profile version",
            },
        },
        "findings": [],
        "notes": [],
        "claims_verified": True,
        "signing_profile_version_arn": str(publisher),
        "signing_job_arn": f"arn:aws:signer:eu-west-1:123456789012:/signing-jobs/{SIGNED.authority.jobs[0].job_id}",
        "signed_at": "2026-09-28T09:19:26.806Z",
        "expires_at": "2037-12-28T09:19:26.806Z",
        "archive_bytes": len(SIGNED.archive),
        "expanded_bytes": sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(SIGNED.archive)).infolist()),
        "entry_count": 3,
        "aws_error": None,
    }
    assert [item["issuer"] for item in chain] == [*(item["subject"] for item in chain[1:]), chain[-1]["subject"]]
    assert all(own[96:] == issuer[:96] for own, issuer in pairwise(hashes))


def test_the_printed_report_names_publisher_reason_remedy_and_the_error_of_aws() -> None:
    text = str(verify_archive(SIGNED.archive, _other_publisher(), VERIFIED_AT, artifact="pay.zip"))
    assert text.startswith("pay.zip: REJECTED (MISMATCH, mode Enforce)\n")
    for part in ("publisher_not_allowed", "Have it signed by one of the allowed publishers", BEGIN + NOT_ACCEPTED):
        assert part in text


def test_no_remedy_is_to_loosen_the_policy() -> None:
    remedies = {
        finding.remedy
        for archive, policy, at, _, _ in SCENARIOS.values()
        for finding in verify_archive(archive(), policy(), at).findings
    }
    assert len(remedies) >= 4
    assert not [remedy for remedy in remedies if "Warn" in remedy or "mode" in remedy]


def test_a_boundary_between_name_and_body_that_moved_is_noted_where_the_entries_are_known() -> None:
    """The format hashes ("ab", "c") like ("a", "bc"): the archive stays valid, and only the entry list can tell."""
    original, shifted = archive_of(ab=b"c"), archive_of(a=b"bc")
    authority = new_authority("team_app")
    signature = zipfile.ZipFile(io.BytesIO(sign(authority, original))).read("META_INF/aws_signer_signature_v1.0.SF")
    target = io.BytesIO(shifted)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo("META_INF/"), b"")
        archive.writestr(zipfile.ZipInfo("META_INF/aws_signer_signature_v1.0.SF"), signature)
    policy = authority.export_policy(at=SIGNED_AT)
    unaware = verify_archive(target.getvalue(), policy, VERIFIED_AT)
    aware = verify_archive(target.getvalue(), policy, VERIFIED_AT, expected_entries=["ab"])
    assert (unaware.decision, unaware.notes) == (Decision.ACCEPTED, ())
    assert (aware.decision, [note.code for note in aware.notes]) == (Decision.ACCEPTED, ["entries_differ"])
    assert "missing 'ab'; unexpected 'a'" in aware.notes[0].message


@pytest.mark.parametrize("expected", [["handler.py"], ["META_INF/", "handler.py"]])
def test_the_expected_entries_need_not_name_what_signing_adds(expected: list[str]) -> None:
    assert verify_archive(SIGNED.archive, SIGNED.policy, VERIFIED_AT, expected_entries=expected).notes == ()


@pytest.mark.parametrize(
    ("policy", "at", "where"),
    [
        (replace(SIGNED.policy, trust=TrustStore()), VERIFIED_AT, "trust_roots"),
        (
            replace(SIGNED.policy, origin=PolicyOrigin(None, SIGNED_AT), max_age_days=7),
            SIGNED_AT + timedelta(days=7, milliseconds=1),
            "origin.retrieved_at",
        ),
        (SIGNED.policy, VERIFIED_AT.replace(tzinfo=None), "at"),
    ],
    ids=["no-root", "stale", "naive-time"],
)
def test_no_verdict_is_reached_by_a_policy_that_cannot_judge(
    policy: CodeSigningPolicy, at: datetime, where: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        verify_archive(SIGNED.archive, policy, at)
    assert [problem.where for problem in caught.value.problems] == [where]


class Unreadable(io.BytesIO):
    """A file on a disk that fails."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, f"Input/output error, {size} bytes")

    readinto = None


def test_no_verdict_is_reached_over_a_file_that_cannot_be_read() -> None:
    with pytest.raises(ArchiveError) as caught:
        verify_archive(Unreadable(SIGNED.archive), SIGNED.policy, VERIFIED_AT)
    assert caught.value.reason == "unreadable"


def test_a_note_names_the_first_few_entries_that_differ() -> None:
    report = verify_archive(SIGNED.archive, SIGNED.policy, VERIFIED_AT, expected_entries=[f"{n}.py" for n in range(9)])
    assert (
        "missing '0.py', '1.py', '2.py', '3.py', '4.py' and 4 more; unexpected 'handler.py'" in report.notes[0].message
    )


def test_a_policy_is_good_to_the_end_of_its_last_day() -> None:
    policy = replace(SIGNED.policy, origin=PolicyOrigin(None, SIGNED_AT), max_age_days=7)
    assert verify_archive(SIGNED.archive, policy, SIGNED_AT + timedelta(days=7))


def test_another_version_of_an_allowed_profile_is_told_apart() -> None:
    publisher = SIGNED.policy.allowed_publishers[0]
    other = replace(publisher, profile_version="ZZZZZZZZZZ")
    report = verify_archive(SIGNED.archive, replace(SIGNED.policy, allowed_publishers=(other,)), VERIFIED_AT)
    assert f"of the same profile, {other} is allowed" in report.findings[0].message


# Deployments


def test_a_deployment_of_a_function_and_good_layers_is_accepted() -> None:
    decision = decide_deployment(SIGNED.archive, [SIGNED.archive] * 2, SIGNED.policy, VERIFIED_AT)
    assert (decision.decision, decision.at_fault, decision.aws_error, bool(decision)) == (
        Decision.ACCEPTED,
        (),
        None,
        True,
    )


def test_one_changed_layer_rejects_the_deployment_even_under_warn_and_is_named() -> None:
    layers = [
        Artifact("good.zip", SIGNED.archive),
        Artifact("unsigned.zip", archive_of(a=b"")),
        Artifact("changed.zip", _changed(SIGNED.archive), LAYER),
    ]
    decision = decide_deployment(SIGNED.archive, layers, replace(SIGNED.policy, mode=Mode.WARN), VERIFIED_AT)
    document = decision.to_dict()
    assert (document["decision"], document["at_fault"], document["aws_error"]) == (
        "rejected",
        ["changed.zip"],
        {
            "code": "CodeVerificationFailedException",
            "message": f"{BEGIN}{IMPROPER}Check the provided signature for {LAYER}.",
        },
    )
    assert [layer["decision"] for layer in document["layers"]] == ["accepted", "warned", "rejected"]
    assert str(decision).startswith("deployment: REJECTED, at fault: changed.zip\nfunction: ACCEPTED")


def test_an_unsigned_function_under_warn_is_named_and_goes_through() -> None:
    policy = replace(SIGNED.policy, mode=Mode.WARN)
    decision = decide_deployment(archive_of(a=b""), [SIGNED.archive], policy, VERIFIED_AT)
    assert (decision.decision, decision.at_fault, decision.allows_deployment, bool(decision)) == (
        Decision.WARNED,
        ("function",),
        True,
        False,
    )


# Properties

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_is_signed_verifies(entries: dict[str, bytes]) -> None:
    authority = new_authority("team_app")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    report = verify_archive(sign(authority, target.getvalue()), authority.export_policy(at=SIGNED_AT), VERIFIED_AT)
    assert report


def _contents(archive: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [(entry.filename, opened.read(entry)) for entry in opened.infolist()]


@given(position=st.integers(0, len(SIGNED.archive) - 1), bit=st.integers(0, 7))
@settings(max_examples=400, deadline=None)
def test_a_flipped_bit_is_accepted_only_where_nothing_that_runs_changes(position: int, bit: int) -> None:
    changed = bytearray(SIGNED.archive)
    changed[position] ^= 1 << bit
    report = verify_archive(bytes(changed), SIGNED.policy, VERIFIED_AT)
    assert not report or _contents(bytes(changed)) == _contents(SIGNED.archive)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_rejected_by_a_report(data: bytes) -> None:
    report = verify_archive(data, SIGNED.policy, VERIFIED_AT)
    assert (report.decision, list(report.checks)) == (Decision.REJECTED, list(CheckName))
    assert report.checks[CheckName.REVOCATION].status is CheckStatus.NOT_REACHED
