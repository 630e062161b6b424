"""Good archives under many policies and at many moments: whom to trust, when, and which check comes first."""

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from tests.corpus import certificate_zoo as zoo
from tests.corpus import independent_cms as cms
from tests.corpus.cms_cases import GOOD_CHAIN, ROOT_PEM
from tests.corpus.corpus_case import FORMAT, OBSERVED, OURS, CorpusCase
from tests.corpus.independent_cms import Parts
from tests.corpus.raw_zip import RawEntry, build
from tests.corpus.signed_entries import signed, signed_list
from tests.corpus.zip_cases import GOOD, GOOD_ENTRIES

ALLOWED = cms.PROFILE_VERSION
OTHER_PROFILE = ALLOWED.replace("team_app", "other_app")
OTHER_VERSION = ALLOWED.replace("AbCdEfGh12", "ZyXwVuTs98")
OTHER_JOB = cms.JOB.replace("0f0f0f0f", "1e1e1e1e")
SIGNED_AT = "2026-09-28T09:19:26.806Z"
JUST_BEFORE_SIGNING = "2026-09-28T09:19:26.805Z"
JUST_AFTER_SIGNING = "2026-09-28T09:19:26.807Z"
LAST_GOOD_MOMENT = "2037-12-28T09:19:26.805Z"
EXPIRES_AT = "2037-12-28T09:19:26.806Z"
LONG_AFTER = "2040-01-01T00:00:00Z"
NOT_ALLOWED, EXPIRED = "mismatch: publisher_not_allowed", "expiry: signature_expired"
JOB_REVOKED, PROFILE_REVOKED = "revocation: job_revoked", "revocation: profile_version_revoked"
CHANGED = "integrity: content_changed"


def _policy(*publishers: str, roots: tuple[dict[str, str], ...] = (), **revocations: list[Any]) -> dict[str, Any]:
    """Return a policy file but for its mode."""
    document: dict[str, Any] = {
        "version": 1,
        "allowed_publishers": list(publishers or (ALLOWED,)),
        "trust_roots": list(roots) or [{"pem": ROOT_PEM.decode()}],
    }
    return {**document, "revocations": revocations} if revocations else document


def _revoked_profile(effective_time: str, publisher: str = ALLOWED) -> dict[str, str]:
    return {"profile_version_arn": publisher, "effective_time": effective_time, "reason": "key taken"}


_OTHER_ROOT = {"pem": zoo.other_root().root.public_bytes(Encoding.PEM).decode()}
_FINGERPRINT = {"sha256": GOOD_CHAIN.root.fingerprint(hashes.SHA256()).hex()}
_REVOKED_JOB = [{"job_arn": cms.JOB, "reason": "built from the wrong branch"}]

POLICIES: dict[str, dict[str, Any]] = {
    "allowed": _policy(),
    "allowed_as_last_of_twenty": _policy(*(f"{OTHER_PROFILE[:-2]}{number}" for number in range(10, 29)), ALLOWED),
    "other_profile": _policy(OTHER_PROFILE),
    "other_version_of_the_profile": _policy(OTHER_VERSION),
    "same_profile_of_another_account": _policy(ALLOWED.replace("123456789012", "999999999999")),
    "same_profile_in_another_region": _policy(ALLOWED.replace("eu-west-1", "us-east-1")),
    "root_by_fingerprint": _policy(roots=(_FINGERPRINT,)),
    "two_roots": _policy(roots=(_OTHER_ROOT, {"pem": ROOT_PEM.decode()})),
    "other_root": _policy(roots=(_OTHER_ROOT,)),
    "job_revoked": _policy(jobs=_REVOKED_JOB),
    "other_job_revoked": _policy(jobs=[{"job_arn": OTHER_JOB}]),
    "profile_revoked_before_signing": _policy(profile_versions=[_revoked_profile("2026-01-01T00:00:00Z")]),
    "profile_revoked_from_signing_on": _policy(profile_versions=[_revoked_profile(SIGNED_AT)]),
    "profile_revoked_just_after_signing": _policy(profile_versions=[_revoked_profile(JUST_AFTER_SIGNING)]),
    "other_version_revoked": _policy(profile_versions=[_revoked_profile("2026-01-01T00:00:00Z", OTHER_VERSION)]),
    "job_and_profile_revoked": _policy(jobs=_REVOKED_JOB, profile_versions=[_revoked_profile(SIGNED_AT)]),
    "other_profile_and_job_revoked": _policy(OTHER_PROFILE, jobs=_REVOKED_JOB),
}
"""By name. Each is written twice, as ``NAME.enforce.json`` and ``NAME.warn.json``."""


def policy_text(name: str, mode: str) -> str:
    """Return a policy file; the mode is ``enforce`` or ``warn``."""
    return json.dumps({**POLICIES[name], "mode": mode.capitalize()}, indent=2) + "\n"


def _signed() -> bytes:
    return signed(GOOD_ENTRIES)


def _changed() -> bytes:
    """One byte of the code is another than was signed."""
    first, *rest = signed_list(GOOD_ENTRIES)
    return build([RawEntry(first.name, first.body.replace(b"ok", b"oh", 1), method=8), *rest])


def _by(publisher: str, job: str = cms.JOB) -> Callable[[], bytes]:
    """Return an archive that another publisher signed, with everything else as it should be."""

    def change(parts: Parts) -> None:
        parts.attributes[cms.PROFILE_VERSION_OID] = [cms.utf8(publisher)]
        parts.attributes[cms.JOB_OID] = [cms.utf8(job)]

    return lambda: signed(GOOD_ENTRIES, change)


def _case(
    name: str,
    findings: str | tuple[str, ...] = (),
    basis: str = FORMAT,
    build: Callable[[], bytes] = _signed,
    **fields: str,
) -> CorpusCase:
    found = (findings,) if isinstance(findings, str) else findings
    return CorpusCase(f"decision/{name}", build, found, basis, **fields)


_OTHER_ACCOUNT = [text.replace("123456789012", "999999999999") for text in (ALLOWED, cms.JOB)]
_OTHER_PARTITION = [
    text.replace("arn:aws:signer:eu-west-1", "arn:aws-cn:signer:cn-north-1") for text in (ALLOWED, cms.JOB)
]

DECISION_CASES: tuple[CorpusCase, ...] = (
    # Whom
    _case("signed_by_an_allowed_publisher", basis=OBSERVED),
    _case("signed_by_the_last_of_twenty_publishers", policy="allowed_as_last_of_twenty"),
    _case("unsigned", "mismatch: unsigned", OBSERVED, build=lambda: GOOD),
    _case("signed_by_another_profile", NOT_ALLOWED, OBSERVED, policy="other_profile"),
    _case("signed_by_another_version_of_the_profile", NOT_ALLOWED, policy="other_version_of_the_profile"),
    _case("signed_by_a_profile_of_another_account", NOT_ALLOWED, policy="same_profile_of_another_account"),
    _case("signed_by_a_profile_in_another_region", NOT_ALLOWED, policy="same_profile_in_another_region"),
    _case("claims_another_account", NOT_ALLOWED, build=_by(*_OTHER_ACCOUNT)),
    _case("claims_another_partition", NOT_ALLOWED, build=_by(*_OTHER_PARTITION)),
    _case("claims_a_name_in_other_letters", NOT_ALLOWED, build=_by(ALLOWED.replace("team_app", "TEAM_APP"))),
    # Under which root
    _case("root_trusted_by_its_fingerprint", policy="root_by_fingerprint"),
    _case("root_is_one_of_two", policy="two_roots"),
    _case("root_is_none_of_the_policy", "integrity: root_untrusted", policy="other_root"),
    # When
    _case("in_the_moment_of_signing", basis=OURS, at=SIGNED_AT),
    _case("a_millisecond_before_signing", "integrity: signed_in_the_future", OURS, at=JUST_BEFORE_SIGNING),
    _case("in_the_last_millisecond", at=LAST_GOOD_MOMENT),
    _case("in_the_moment_of_expiry", EXPIRED, OURS, at=EXPIRES_AT),
    _case("long_after_expiry", EXPIRED, OBSERVED, at=LONG_AFTER),
    # Revoked
    _case("job_revoked", JOB_REVOKED, OBSERVED, policy="job_revoked"),
    _case("another_job_revoked", policy="other_job_revoked"),
    _case("profile_revoked_before_signing", PROFILE_REVOKED, policy="profile_revoked_before_signing"),
    _case(
        "profile_revoked_from_the_moment_of_signing_on", PROFILE_REVOKED, OURS, policy="profile_revoked_from_signing_on"
    ),
    _case("profile_revoked_just_after_signing", policy="profile_revoked_just_after_signing"),
    _case("another_version_of_the_profile_revoked", policy="other_version_revoked"),
    _case("job_and_profile_revoked", (JOB_REVOKED, PROFILE_REVOKED), policy="job_and_profile_revoked"),
    # Which check comes first
    _case("changed", CHANGED, OBSERVED, build=_changed),
    _case("changed_and_by_another_profile", (CHANGED, NOT_ALLOWED), build=_changed, policy="other_profile"),
    _case("changed_and_expired", (CHANGED, EXPIRED), build=_changed, at=LONG_AFTER),
    _case("changed_and_revoked", (CHANGED, JOB_REVOKED), build=_changed, policy="job_revoked"),
    _case("changed_and_root_unknown", (CHANGED, "integrity: root_untrusted"), build=_changed, policy="other_root"),
    _case("by_another_profile_and_expired", (NOT_ALLOWED, EXPIRED), OURS, policy="other_profile", at=LONG_AFTER),
    _case("by_another_profile_and_revoked", (NOT_ALLOWED, JOB_REVOKED), policy="other_profile_and_job_revoked"),
    _case("expired_and_revoked", (EXPIRED, JOB_REVOKED), policy="job_revoked", at=LONG_AFTER),
    _case(
        "everything_at_once",
        (CHANGED, NOT_ALLOWED, EXPIRED, JOB_REVOKED),
        build=_changed,
        policy="other_profile_and_job_revoked",
        at=LONG_AFTER,
    ),
    _case("unsigned_and_long_after", "mismatch: unsigned", build=lambda: GOOD, at=LONG_AFTER),
)
