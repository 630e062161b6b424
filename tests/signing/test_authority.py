"""The throwaway authority: it signs as AWS Signer does, refuses what AWS Signer refuses, and keeps its secret."""

import base64
import io
import json
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_pkg.errors import SigningError
from constructs_pkg.signing.archive import SIGNATURE_ENTRY, read_archive
from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.authority_directory import MARKER_NAME, AuthorityDirectory
from constructs_pkg.signing.authority_records import ProfileStatus
from constructs_pkg.signing.cms import parse_signature
from constructs_pkg.signing.policy import Mode
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.trust import TrustStore
from constructs_pkg.signing.verifier import verify_archive
from constructs_pkg.validity import Validity
from tests.signing.signed_archives import (
    CREATED_AT,
    SEED,
    SIGNED_AT,
    VERIFIED_AT,
    archive_of,
    new_authority,
    sign,
    signed_archive,
)

CODE = archive_of(handler__py=b"ok", lib__txt=b"x" * 5000)


def _reason(call: Callable[[], object]) -> str:
    with pytest.raises(SigningError) as caught:
        call()
    return caught.value.reason


# Signing


def test_signing_appends_the_directory_and_the_signature_and_copies_the_rest_byte_for_byte() -> None:
    signed = sign(new_authority("team_app"), CODE)
    with zipfile.ZipFile(io.BytesIO(CODE)) as before, zipfile.ZipFile(io.BytesIO(signed)) as after:
        names = [entry.filename for entry in after.infolist()]
        last_header = after.getinfo("META_INF/").header_offset
        first_directory_byte = before.start_dir
    assert names == ["handler.py", "lib.txt", "META_INF/", SIGNATURE_ENTRY]
    assert (last_header, signed[:last_header]) == (first_directory_byte, CODE[:first_directory_byte])


def test_an_archive_that_has_the_directory_gets_no_second_one() -> None:
    target = io.BytesIO(CODE)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(zipfile.ZipInfo("META_INF/"), b"")
    authority = new_authority("team_app")
    signed = sign(authority, target.getvalue())
    assert zipfile.ZipFile(io.BytesIO(signed)).namelist() == ["handler.py", "lib.txt", "META_INF/", SIGNATURE_ENTRY]
    assert verify_archive(signed, authority.export_policy(at=SIGNED_AT), VERIFIED_AT)


def test_the_envelope_has_the_two_ber_wrappers_of_aws() -> None:
    signature = read_archive(sign(new_authority("team_app"), CODE)).signature or b""
    data = base64.b64decode(b"".join(signature.split()[2:-2]))
    oid = bytes.fromhex("06092a864886f70d010702")
    assert (data[:2], data[2:13], data[13:15], data[-4:]) == (b"\x30\x80", oid, b"\xa0\x80", b"\0\0\0\0")


def test_signing_twice_with_the_same_seed_input_and_time_gives_the_same_bytes() -> None:
    assert sign(new_authority("team_app"), CODE) == sign(new_authority("team_app"), CODE)


def test_what_is_signed_depends_on_seed_time_profile_and_content() -> None:
    other = LocalAuthority(bytes(48), created_at=CREATED_AT)
    other.put_profile("team_app")
    authority = new_authority("team_app", "other_app")
    signatures = {
        sign(authority, CODE),
        sign(other, CODE),
        sign(authority, CODE, at=SIGNED_AT + timedelta(milliseconds=1)),
        sign(authority, CODE, profile="other_app"),
        sign(authority, archive_of(handler__py=b"other")),
    }
    assert (len(signatures), len({job.job_id for job in authority.jobs})) == (5, 4)


def test_the_certificates_cannot_be_taken_for_those_of_aws_and_the_leaf_lives_five_days() -> None:
    signed = signed_archive()
    chain = verify_archive(signed.archive, signed.policy, VERIFIED_AT).certificate_chain
    names = {re.sub(r"CN=[^,]*", "", item.subject).strip(",") for item in chain}
    assert names == {"O=Local signing authority (not AWS),OU=UNSAFE FOR PRODUCTION"}
    assert (chain[0].not_after - chain[0].not_before, len(chain)) == (timedelta(days=5), 4)
    assert chain[0].not_before <= SIGNED_AT <= chain[0].not_after


@given(st.timedeltas(timedelta(0), timedelta(days=365 * 60)))
@settings(max_examples=40, deadline=None)
def test_a_signature_of_any_moment_is_valid_in_that_moment(age: timedelta) -> None:
    authority = new_authority("team_app")
    at = CREATED_AT + age
    assert verify_archive(sign(authority, CODE, at=at), authority.export_policy(at=at), at)


@pytest.mark.parametrize(
    ("validity", "signed_at", "expires_at"),
    [
        (Validity(135, "MONTHS"), datetime(2026, 9, 28, 9, tzinfo=UTC), datetime(2037, 12, 28, 9, tzinfo=UTC)),
        (Validity(1, "MONTHS"), datetime(2027, 1, 31, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
        (Validity(1, "YEARS"), datetime(2028, 2, 29, tzinfo=UTC), datetime(2029, 2, 28, tzinfo=UTC)),
        (Validity(1, "DAYS"), datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_signature_runs_out_after_the_validity_of_its_profile(
    validity: Validity, signed_at: datetime, expires_at: datetime
) -> None:
    authority = new_authority()
    authority.put_profile("team_app", validity=validity)
    artifact = authority.sign(CODE, io.BytesIO(), profile="team_app", at=signed_at)
    assert (artifact.signed_at, artifact.expires_at) == (signed_at, expires_at)


def test_the_artifact_says_what_the_envelope_says() -> None:
    target = io.BytesIO()
    at = datetime(2026, 9, 28, 11, 19, 26, 806999, tzinfo=UTC)
    artifact = new_authority("team_app").sign(CODE, target, profile="team_app", at=at)
    envelope = parse_signature(read_archive(target.getvalue()).signature or b"")
    assert (
        envelope.signing_job_arn,
        envelope.signing_profile_version_arn,
        envelope.signed_at,
        envelope.expires_at,
        envelope.has_algorithm_protection,
    ) == (
        artifact.signing_job_arn,
        artifact.signing_profile_version_arn,
        at.replace(microsecond=806000),
        artifact.expires_at,
        True,
    )


def test_a_job_id_may_be_given_and_is_used_for_one_thing() -> None:
    authority = new_authority("team_app")
    job_id = "0f0f0f0f-1111-4222-8333-444444444444"
    first = authority.sign(CODE, io.BytesIO(), profile="team_app", at=SIGNED_AT, job_id=job_id)
    again = authority.sign(CODE, io.BytesIO(), profile="team_app", at=SIGNED_AT, job_id=job_id)
    other = archive_of(a=b"")
    assert (first == again, first.signing_job_arn.job_id) == (True, job_id)
    assert (
        _reason(lambda: authority.sign(other, io.BytesIO(), profile="team_app", at=SIGNED_AT, job_id=job_id))
        == "job_exists"
    )


@pytest.mark.parametrize("job_id", ["", "latest", "0F0F0F0F-1111-4222-8333-444444444444"])
def test_a_job_id_is_a_uuid(job_id: str) -> None:
    authority = new_authority("team_app")
    assert (
        _reason(lambda: authority.sign(CODE, io.BytesIO(), profile="team_app", at=SIGNED_AT, job_id=job_id))
        == "argument_invalid"
    )


def test_an_authority_made_on_29_february_ends_on_the_28th_of_a_century() -> None:
    root = LocalAuthority(SEED, created_at=datetime(2000, 2, 29, tzinfo=UTC)).root
    assert root.not_valid_after_utc == datetime(2100, 2, 28, tzinfo=UTC)


# Refusals


def _too_large() -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("big", "w") as big,
    ):
        for _ in range(251):
            big.write(bytes(1024 * 1024))
    return target.getvalue()


def _empty() -> bytes:
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    return target.getvalue()


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (_empty, "archive_empty"),
        (lambda: b"", "archive_malformed"),
        (lambda: b"no archive", "archive_malformed"),
        (lambda: CODE[:-30], "archive_malformed"),
        (lambda: CODE + b"\0", "archive_malformed"),
        (lambda: signed_archive().archive, "already_signed"),
        (_too_large, "archive_too_large"),
        (lambda: archive_of(META_INF=b"a file where the directory goes"), "archive_malformed"),
    ],
    ids=["empty", "no-bytes", "text", "cut", "bytes-after", "signed", "251-mib", "file-for-directory"],
)
def test_archives_that_signer_refuses_are_refused(archive: Callable[[], bytes], reason: str) -> None:
    authority = new_authority("team_app")
    assert _reason(lambda: sign(authority, archive())) == reason
    assert authority.jobs == ()


def test_a_profile_that_cannot_sign_is_refused_by_name() -> None:
    authority = new_authority("canceled", "revoked")
    authority.cancel_profile("canceled")
    authority.revoke_profile("revoked", reason="stolen", effective_time=CREATED_AT, at=SIGNED_AT)
    reasons = [_reason(lambda name=name: sign(authority, CODE, name)) for name in ("canceled", "revoked", "unknown")]
    assert reasons == ["profile_canceled", "profile_revoked", "profile_not_found"]


@pytest.mark.parametrize("name", ["x", "a" * 65, "with-hyphen", "with space", "", "../up", "line\n"])
def test_profile_names_are_those_of_signer(name: str) -> None:
    authority = new_authority()
    assert _reason(lambda: authority.put_profile(name)) == "argument_invalid"
    assert authority.profiles == ()


def test_a_name_is_used_once_even_after_canceling() -> None:
    authority = new_authority("team_app")
    authority.cancel_profile("team_app")
    assert _reason(lambda: authority.put_profile("team_app")) == "profile_exists"
    assert authority.profile("team_app").status is ProfileStatus.CANCELED


@pytest.mark.parametrize(
    "arguments",
    [
        {"region": "eu-central-2"},
        {"region": "nowhere-1"},
        {"account": "12345"},
        {"seed": b"short"},
        {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001 (what is refused)
        {"created_at": datetime(9900, 1, 1, tzinfo=UTC)},
    ],
    ids=["region-without-signer", "no-region", "account", "seed", "naive", "too-late"],
)
def test_an_authority_needs_sensible_arguments(arguments: dict[str, object]) -> None:
    given = {"seed": SEED, "created_at": CREATED_AT, **arguments}
    assert _reason(lambda: LocalAuthority(given.pop("seed"), **given)) in {"argument_invalid", "time_out_of_range"}


@pytest.mark.parametrize(
    "at",
    [CREATED_AT - timedelta(milliseconds=1), SIGNED_AT.replace(tzinfo=None), datetime(9999, 12, 31, tzinfo=UTC)],
    ids=["before-its-beginning", "naive", "far-future"],
)
def test_nothing_is_signed_at_an_impossible_time(at: datetime) -> None:
    assert _reason(lambda: sign(new_authority("team_app"), CODE, at=at)) == "time_out_of_range"


# Revocation


def test_the_effective_time_lies_in_the_past_and_moves_earlier_only() -> None:
    authority = new_authority("team_app")

    def revoke(effective_time: datetime) -> object:
        return authority.revoke_profile("team_app", reason="stolen", effective_time=effective_time, at=SIGNED_AT)

    assert _reason(lambda: revoke(SIGNED_AT + timedelta(seconds=1))) == "time_out_of_range"
    revoke(SIGNED_AT)
    revoke(SIGNED_AT - timedelta(days=1))
    assert _reason(lambda: revoke(SIGNED_AT)) == "time_out_of_range"
    assert authority.profile("team_app").revoked_from == SIGNED_AT - timedelta(days=1)


@pytest.mark.parametrize("reason", ["", "x" * 501])
def test_a_revocation_has_a_reason(reason: str) -> None:
    authority = signed_archive().authority
    job_id = authority.jobs[0].job_id
    assert _reason(lambda: authority.revoke_job(job_id, reason=reason)) == "argument_invalid"


def test_a_revoked_profile_cannot_be_canceled() -> None:
    authority = new_authority("team_app")
    authority.revoke_profile("team_app", reason="stolen", effective_time=SIGNED_AT, at=SIGNED_AT)
    assert _reason(lambda: authority.cancel_profile("team_app")) == "profile_revoked"


def test_an_unknown_job_cannot_be_revoked() -> None:
    assert _reason(lambda: new_authority().revoke_job("0f0f0f0f", reason="x")) == "job_not_found"


def test_canceling_a_profile_revokes_nothing() -> None:
    signed = signed_archive()
    signed.authority.cancel_profile("team_app")
    assert verify_archive(signed.archive, signed.authority.export_policy(at=VERIFIED_AT), VERIFIED_AT)


def test_the_exported_policy_follows_the_revocations() -> None:
    signed = signed_archive()
    signed.authority.revoke_job(signed.authority.jobs[0].job_id, reason="leaked")
    policy = signed.authority.export_policy(at=VERIFIED_AT, mode=Mode.WARN, profiles=["team_app"], max_age_days=1)
    report = verify_archive(signed.archive, policy, VERIFIED_AT)
    assert (str(report.decision), [finding.code for finding in report.findings]) == ("warned", ["job_revoked"])


# The directory


@pytest.fixture
def directory(tmp_path: Path) -> AuthorityDirectory:
    made = AuthorityDirectory.init(
        tmp_path / "authority", region="eu-west-1", account="123456789012", at=CREATED_AT, seed=SEED
    )
    with made.changing() as authority:
        authority.put_profile("team_app", validity=Validity(90, "DAYS"))
    return made


def test_the_directory_is_private_and_says_what_it_is(directory: AuthorityDirectory) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.path.iterdir()}
    assert (stat.S_IMODE(directory.path.stat().st_mode), set(modes.values())) == (0o700, {0o600})
    assert set(modes) == {MARKER_NAME, "authority.json", "lock", "root.pem", "seed.key"}
    assert (directory.path / MARKER_NAME).read_text().startswith("UNSAFE FOR PRODUCTION\n")
    assert SEED.hex() not in (directory.path / "authority.json").read_text()


def test_a_directory_is_a_signer_and_signs_as_the_authority_in_memory(directory: AuthorityDirectory) -> None:
    memory = LocalAuthority(SEED, created_at=CREATED_AT)
    memory.put_profile("team_app", validity=Validity(90, "DAYS"))
    on_disk, in_memory = io.BytesIO(), io.BytesIO()
    directory.sign(CODE, on_disk, profile="team_app", at=SIGNED_AT)
    memory.sign(CODE, in_memory, profile="team_app", at=SIGNED_AT)
    assert (on_disk.getvalue() == in_memory.getvalue(), isinstance(directory, Signer), isinstance(memory, Signer)) == (
        True,
        True,
        True,
    )


def test_everything_is_remembered(directory: AuthorityDirectory) -> None:
    with directory.changing() as authority:
        authority.put_profile("old_app")
        authority.put_profile("bad_app")
        authority.sign(CODE, io.BytesIO(), profile="team_app", at=SIGNED_AT)
        authority.revoke_job(authority.jobs[0].job_id, reason="leaked")
        authority.cancel_profile("old_app")
        authority.revoke_profile("bad_app", reason="stolen", effective_time=SIGNED_AT, at=SIGNED_AT)
        expected = (authority.profiles, authority.jobs, authority.root, authority.export_policy(at=VERIFIED_AT))
    found = AuthorityDirectory(directory.path).read()
    assert (found.profiles, found.jobs, found.root, found.export_policy(at=VERIFIED_AT)) == expected


def test_the_root_is_published_beside_the_state(directory: AuthorityDirectory) -> None:
    assert TrustStore.from_pem((directory.path / "root.pem").read_bytes()) == directory.read().trust


def test_nothing_is_stored_where_a_change_fails(directory: AuthorityDirectory) -> None:
    before = (directory.path / "authority.json").read_bytes()

    def put_twice() -> None:
        with directory.changing() as authority:
            authority.put_profile("half_done")
            authority.put_profile("half_done")

    assert _reason(put_twice) == "profile_exists"
    assert (directory.path / "authority.json").read_bytes() == before


def test_an_authority_is_not_made_twice_nor_among_other_files(directory: AuthorityDirectory, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "file").touch()

    def init(path: Path) -> object:
        return AuthorityDirectory.init(path, region="eu-west-1", account="123456789012", at=CREATED_AT)

    before = (directory.path / "seed.key").read_bytes()
    paths = [directory.path, tmp_path / "full", tmp_path / "file"]
    assert [_reason(lambda path=path: init(path)) for path in paths] == ["authority_state_unusable"] * 3
    assert (directory.path / "seed.key").read_bytes() == before


def test_two_authorities_made_without_a_seed_differ(tmp_path: Path) -> None:
    made = [
        AuthorityDirectory.init(tmp_path / name, region="eu-west-1", account="123456789012", at=CREATED_AT)
        for name in ("one", "two")
    ]
    assert made[0].read().root != made[1].read().root


PROFILE = {"name": "team_app", "profile_version": "0123456789", "validity": "90 days", "status": "Active"}


def _state(**changes: object) -> bytes:
    state = {"version": 1, "region": "eu-west-1", "account": "123456789012", "created_at": "2026-01-01T00:00:00+00:00"}
    return json.dumps({**state, "profiles": [PROFILE], "jobs": [], **changes}).encode()


def test_the_state_that_the_damage_is_done_to_is_good_itself(directory: AuthorityDirectory) -> None:
    (directory.path / "authority.json").write_bytes(_state())
    assert [profile.name for profile in directory.read().profiles] == ["team_app"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("seed.key", b"zz"),
        ("seed.key", b"00"),
        ("seed.key", b"\xff"),
        ("authority.json", b""),
        ("authority.json", b"{}"),
        ("authority.json", json.dumps({"version": 2}).encode()),
        ("authority.json", b"[]"),
        ("authority.json", _state(profiles=[{"name": "team_app"}])),
        ("authority.json", _state(profiles=[{**PROFILE, "status": "Asleep"}])),
        ("authority.json", _state(profiles=[{**PROFILE, "validity": "9 lives"}])),
        ("authority.json", _state(profiles=[{**PROFILE, "color": "red"}])),
        ("authority.json", _state(jobs=[{"job_id": "x"}])),
        ("authority.json", _state(created_at="2026-01-01T00:00:00")),
        ("authority.json", _state(region="nowhere-1")),
    ],
)
def test_damaged_state_is_told_and_never_replaced(directory: AuthorityDirectory, name: str, content: bytes) -> None:
    (directory.path / name).write_bytes(content)
    assert _reason(directory.read) in {"authority_state_unusable", "argument_invalid"}
    assert (directory.path / name).read_bytes() == content


def test_a_secret_that_others_can_read_is_not_used(directory: AuthorityDirectory) -> None:
    (directory.path / "seed.key").chmod(0o640)
    with pytest.raises(SigningError, match="mode 0640; run 'chmod 600'"):
        directory.read()


def test_a_directory_without_an_authority_is_left_as_it_is(tmp_path: Path) -> None:
    assert _reason(AuthorityDirectory(tmp_path).read) == "authority_state_unusable"
    assert _reason(AuthorityDirectory(tmp_path / "missing").read) == "authority_state_unusable"
    assert list(tmp_path.iterdir()) == []


PUT_TWELVE_PROFILES = """
import sys
from pathlib import Path
from constructs_pkg.signing.authority_directory import AuthorityDirectory
for number in range(12):
    with AuthorityDirectory(Path(sys.argv[1])).changing() as authority:
        authority.put_profile(f"{sys.argv[2]}_{number}")
"""


def test_two_processes_at_once_lose_nothing(directory: AuthorityDirectory) -> None:
    workers = [
        subprocess.Popen([sys.executable, "-c", PUT_TWELVE_PROFILES, str(directory.path), name])
        for name in ("one", "two")
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0]
    expected = {"team_app"} | {f"{name}_{number}" for name in ("one", "two") for number in range(12)}
    assert {profile.name for profile in directory.read().profiles} == expected


def test_profiles_with_versions_are_told_apart_in_the_policy() -> None:
    authority = new_authority("one_app", "two_app")
    versions = {authority.profile(name).profile_version for name in ("one_app", "two_app")}
    assert len(versions) == 2
    assert all(re.fullmatch("[0-9A-Za-z]{10}", version) for version in versions)
    assert replace(authority.profile("one_app"), name="two_app") != authority.profile("two_app")
