"""The code signing policy file: JSON in, a `CodeSigningPolicy` or all of the file's problems out; and back.

The form is published as JSON Schema in ``policy.schema.json`` beside this module. The reading is written by hand, so
that a verifier needs no schema library; a test holds the two together.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from constructs_pkg.arns import CodeSigningConfigArn, SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError, Problem, TrustError
from constructs_pkg.signing.json_object import JsonObject, parse_json_object
from constructs_pkg.signing.policy import (
    MAX_PUBLISHERS,
    MAX_REVOCATIONS,
    CodeSigningPolicy,
    Mode,
    PolicyOrigin,
    Revocations,
    RevokedJob,
    RevokedProfileVersion,
)
from constructs_pkg.signing.template_terms_file import read_template_terms, template_terms_document
from constructs_pkg.signing.trust import MAX_ROOTS, TrustStore, fingerprint_text

__all__ = [
    "MAX_POLICY_BYTES",
    "POLICY_VERSION",
    "format_policy",
    "parse_code_signing_config",
    "parse_policy",
    "parse_revocations",
    "policy_schema",
]

POLICY_VERSION = 1
"""The version of the file's form; a file of another version is refused."""

MAX_POLICY_BYTES = 4 * 1024 * 1024
"""The largest file that is read, in bytes."""

_MAX_VERSION = 1_000_000
_MAX_DAYS = 36_500
_MAX_REASON_CHARACTERS = 500


def parse_policy(text: bytes | str, source: str = "code signing policy") -> CodeSigningPolicy:
    """Read a code signing policy file.

    Args:
        text: The file's content, at most `MAX_POLICY_BYTES`.
        source: What the errors call it.

    Raises:
        PolicyError: It is not such a file; holds every problem.
    """
    document = parse_json_object(text, source, MAX_POLICY_BYTES)
    document.known_keys(
        "version",
        "allowed_publishers",
        "mode",
        "trust_roots",
        "revocations",
        "origin",
        "max_age_days",
        "templates",
    )
    _require_version(document)
    publishers = document.parsed_items("allowed_publishers", SigningProfileVersionArn.parse, 1, MAX_PUBLISHERS)
    mode = document.parsed("mode", _mode, is_required=True)
    roots = [_trust_root(item) for item in document.children("trust_roots", MAX_ROOTS)]
    revocations = _revocations(document)
    origin = _origin(document)
    max_age_days = document.number("max_age_days", 1, _MAX_DAYS)
    if max_age_days is not None and "origin" not in document.values:
        document.problem("max_age_days", "counts from the origin, which is missing", "Add 'origin' with its date")
    terms = read_template_terms(document)
    return _built(
        source,
        document.problems,
        lambda: CodeSigningPolicy(
            tuple(publishers), Mode(mode), _joined(roots), revocations, origin, max_age_days, terms
        ),
    )


def parse_revocations(text: bytes | str, source: str = "revocations") -> Revocations:
    """Read a file that holds revocations alone: ``{"version": 1, "revocations": {…}}``, as in a policy file.

    Args:
        text: The file's content, at most `MAX_POLICY_BYTES`.
        source: What the errors call it.

    Raises:
        PolicyError: It is not such a file; holds every problem.
    """
    document = parse_json_object(text, source, MAX_POLICY_BYTES)
    document.known_keys("version", "revocations")
    _require_version(document)
    if "revocations" not in document.values:
        document.problem("revocations", "is missing", "Add it, with 'jobs' or 'profile_versions'")
    revocations = _revocations(document)
    if document.problems:
        raise PolicyError(source, tuple(document.problems))
    return revocations


def parse_code_signing_config(
    text: bytes | str,
    *,
    retrieved_at: datetime,
    trust: TrustStore | None = None,
    revocations: Revocations | None = None,
    source: str = "code signing config",
) -> CodeSigningPolicy:
    """Read the output of ``aws lambda get-code-signing-config``.

    Keys that say nothing about trust may be there or not, as AWS adds some over time; what stands beside the publishers
    or the policy is refused, because nothing is known about what it would mean.

    Args:
        text: The JSON output.
        retrieved_at: When it was fetched, aware.
        trust: The roots, which AWS does not tell.
        revocations: What was revoked, which AWS does not tell either.
        source: What the errors call it.

    Raises:
        PolicyError: It is not such output; holds every problem.
    """
    document = parse_json_object(text, source, MAX_POLICY_BYTES)
    nothing = JsonObject({}, "", document.problems)
    config = document.child("CodeSigningConfig", is_required=True) or nothing
    arn = config.parsed("CodeSigningConfigArn", CodeSigningConfigArn.parse)
    allowed = config.child("AllowedPublishers", is_required=True) or nothing
    allowed.known_keys("SigningProfileVersionArns")
    publishers = allowed.parsed_items("SigningProfileVersionArns", SigningProfileVersionArn.parse, 1, MAX_PUBLISHERS)
    policies = config.child("CodeSigningPolicies", is_required=True) or nothing
    policies.known_keys("UntrustedArtifactOnDeployment")
    mode = policies.parsed("UntrustedArtifactOnDeployment", _mode, is_required=True)
    return _built(
        source,
        document.problems,
        lambda: CodeSigningPolicy(
            tuple(publishers),
            Mode(mode),
            trust or TrustStore(),
            revocations or Revocations(),
            PolicyOrigin(arn, retrieved_at),
        ),
    )


def format_policy(policy: CodeSigningPolicy) -> str:
    """Return a policy as the text of a policy file, which reads back to an equal policy."""
    document: dict[str, Any] = {
        "version": POLICY_VERSION,
        "allowed_publishers": [str(publisher) for publisher in policy.allowed_publishers],
        "mode": str(policy.mode),
        "trust_roots": [
            *({"pem": TrustStore((root,)).pem} for root in policy.trust.roots),
            *({"sha256": fingerprint_text(digits)} for digits in sorted(policy.trust.fingerprints)),
        ],
        "revocations": {
            "jobs": [_with_reason({"job_arn": str(job.job_arn)}, job.reason) for job in policy.revocations.jobs],
            "profile_versions": [
                _with_reason(
                    {
                        "profile_version_arn": str(item.profile_version_arn),
                        "effective_time": _time_text(item.effective_time),
                    },
                    item.reason,
                )
                for item in policy.revocations.profile_versions
            ],
        },
    }
    if policy.origin is not None:
        document["origin"] = {"retrieved_at": _time_text(policy.origin.retrieved_at)}
        if policy.origin.code_signing_config_arn is not None:
            document["origin"]["code_signing_config_arn"] = str(policy.origin.code_signing_config_arn)
        if policy.origin.fetch_from is not None:
            document["origin"]["fetch_from"] = policy.origin.fetch_from
    if policy.max_age_days is not None:
        document["max_age_days"] = policy.max_age_days
    terms = template_terms_document(policy.templates)
    if terms:
        document["templates"] = terms
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def policy_schema() -> dict[str, Any]:
    """Return the published JSON Schema (draft 2020-12) of the policy file."""
    from importlib.resources import files  # noqa: PLC0415 (the command line reads policies without paying for it)

    text = files(__package__ or "").joinpath("policy.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _built(source: str, problems: list[Problem], build: Callable[[], CodeSigningPolicy]) -> CodeSigningPolicy:
    """Return the policy, or raise all problems: those of the text, else those of the values together."""
    if problems:
        raise PolicyError(source, tuple(problems))
    try:
        return build()
    except PolicyError as error:
        raise PolicyError(source, error.problems) from error
    except TrustError as error:
        raise PolicyError(source, (Problem("trust_roots", str(error), "List fewer roots"),)) from error


def _require_version(document: JsonObject) -> None:
    version = document.number("version", 1, _MAX_VERSION, is_required=True)
    if version not in {POLICY_VERSION, None}:
        document.problem(
            "version",
            f"{version} is not one that this release reads",
            f"Write {POLICY_VERSION}, or use a newer release",
        )


def _mode(text: str) -> Mode:
    if text not in set(Mode):
        raise ValueError(f"{text[:40]!r} is not a mode. Write 'Enforce' or 'Warn'")
    return Mode(text)


def _revocations(document: JsonObject) -> Revocations:
    revocations = document.child("revocations")
    if revocations is None:
        return Revocations()
    revocations.known_keys("jobs", "profile_versions")
    jobs = [_revoked_job(item) for item in revocations.children("jobs", MAX_REVOCATIONS)]
    versions = [_revoked_profile_version(item) for item in revocations.children("profile_versions", MAX_REVOCATIONS)]
    return Revocations(
        tuple(job for job in jobs if job is not None), tuple(item for item in versions if item is not None)
    )


def _revoked_job(item: JsonObject) -> RevokedJob | None:
    item.known_keys("job_arn", "reason")
    arn = item.parsed("job_arn", SigningJobArn.parse, is_required=True)
    reason = item.parsed("reason", _reason)
    return None if arn is None else RevokedJob(arn, reason)


def _revoked_profile_version(item: JsonObject) -> RevokedProfileVersion | None:
    item.known_keys("profile_version_arn", "effective_time", "reason")
    arn = item.parsed("profile_version_arn", SigningProfileVersionArn.parse, is_required=True)
    effective_time = item.parsed("effective_time", _time, is_required=True)
    reason = item.parsed("reason", _reason)
    return None if arn is None or effective_time is None else RevokedProfileVersion(arn, effective_time, reason)


def _origin(document: JsonObject) -> PolicyOrigin | None:
    origin = document.child("origin")
    if origin is None:
        return None
    origin.known_keys("code_signing_config_arn", "retrieved_at", "fetch_from")
    arn = origin.parsed("code_signing_config_arn", CodeSigningConfigArn.parse)
    retrieved_at = origin.parsed("retrieved_at", _time, is_required=True)
    fetch_from = origin.parsed("fetch_from", _reason)
    return None if retrieved_at is None else PolicyOrigin(arn, retrieved_at, fetch_from)


def _trust_root(item: JsonObject) -> TrustStore:
    item.known_keys("pem", "sha256")
    if ("pem" in item.values) == ("sha256" in item.values):
        item.problem("pem", "and 'sha256' are alternatives", "Give either the certificate or its fingerprint")
    by_fingerprint = item.parsed("sha256", lambda text: TrustStore(fingerprints=frozenset({text})))
    return item.parsed("pem", TrustStore.from_pem) or by_fingerprint or TrustStore()


def _reason(text: str) -> str:
    if not 1 <= len(text) <= _MAX_REASON_CHARACTERS:
        raise ValueError(f"has {len(text)} characters. Use 1 to {_MAX_REASON_CHARACTERS}")
    return text


def _time(text: str) -> datetime:
    """Read an ISO 8601 time with its zone."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r} is not a time. Write one such as '2026-01-31T12:00:00Z'") from error
    raise ValueError(f"{text[:40]!r} has no time zone. Write one such as '2026-01-31T12:00:00Z'")


def _time_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _joined(stores: list[TrustStore]) -> TrustStore:
    joined = TrustStore()
    for store in stores:
        joined |= store
    return joined


def _with_reason(item: Mapping[str, object], reason: str | None) -> dict[str, Any]:
    return {**item} if reason is None else {**item, "reason": reason}
