"""The in-toto statement of a signed archive's provenance, as JSON: its form, written and strictly read.

The frame is that of the in-toto attestation framework, "Statement" v1 (``_type``, ``subject``, ``predicateType``,
``predicate``); the predicate is our own.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from constructs_pkg.arns import SigningJobArn, SigningProfileVersionArn
from constructs_pkg.errors import PolicyError, Problem, ProvenanceError
from constructs_pkg.signing.json_object import JsonObject, parse_json_object
from constructs_pkg.signing.report import iso_time

__all__ = [
    "MAX_PROVENANCE_BYTES",
    "PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "Provenance",
    "format_provenance",
    "parse_provenance",
    "require_claims",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:lambda-code-signing:provenance:v1"
"""The name of our predicate; another number is another form, which this release does not read."""

MAX_PROVENANCE_BYTES = 64 * 1024
"""The longest statement that is read."""

_MAX_TEXT_CHARACTERS = 1024
_MAX_ANNOTATIONS = 20
_COMMIT = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,127}")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is said of a signed archive.

    Attributes:
        name: The signed archive: its key, or its file's name.
        sha256: Its digest, 64 hexadecimal digits in lower case, as all digests here.
        content_sha384: What the signature is about, 96 digits; None where whoever wrote it down cannot read archives.
        source_name: What was signed, for the reader.
        source_sha256: The digest of the unsigned archive.
        commit: The commit that the source was built from, as the caller says; None where nobody said.
        signing_job_arn: The job.
        signing_profile_version_arn: The publisher.
        signed_at: UTC, with milliseconds; None likewise.
        expires_at: UTC, with milliseconds.
        annotations: Up to 20 further texts, such as the licence of a vendor's layer.
    """

    name: str
    sha256: str
    content_sha384: str | None
    source_name: str
    source_sha256: str
    commit: str | None
    signing_job_arn: SigningJobArn
    signing_profile_version_arn: SigningProfileVersionArn
    signed_at: datetime | None
    expires_at: datetime
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def require_claims(source_name: str, commit: str | None, annotations: Mapping[str, str]) -> None:
    """Refuse before anything is signed what `provenance_of` would refuse after it.

    Args:
        source_name: As in `Provenance`.
        commit: As in `Provenance`.
        annotations: As in `Provenance`.

    Raises:
        ProvenanceError: One has another form.
    """
    problems: list[Problem] = []
    claims = JsonObject({"source": source_name, "commit": commit, "annotations": annotations}, "", problems)
    claims.parsed("source", _text)
    if commit is not None:
        claims.parsed("commit", _commit)
    _annotations(claims)
    if problems:
        raise ProvenanceError("; ".join(map(str, problems)))


def format_provenance(provenance: Provenance) -> str:
    """Return the statement as JSON text, which reads back to an equal provenance; equal ones give equal texts."""
    predicate: dict[str, object] = {
        "source": {
            "name": provenance.source_name,
            "digest": {"sha256": provenance.source_sha256},
            **({} if provenance.commit is None else {"commit": provenance.commit}),
        },
        **({} if provenance.content_sha384 is None else {"content": {"sha384": provenance.content_sha384}}),
        "signing_job_arn": str(provenance.signing_job_arn),
        "signing_profile_version_arn": str(provenance.signing_profile_version_arn),
        **({} if provenance.signed_at is None else {"signed_at": iso_time(provenance.signed_at)}),
        "expires_at": iso_time(provenance.expires_at),
        **({"annotations": dict(sorted(provenance.annotations.items()))} if provenance.annotations else {}),
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": provenance.name, "digest": {"sha256": provenance.sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    return json.dumps(statement, indent=2) + "\n"


def parse_provenance(text: bytes | str, source: str = "provenance") -> Provenance:
    """Read a statement: every key known, each once, every value of its form.

    Args:
        text: As `format_provenance` writes it, at most `MAX_PROVENANCE_BYTES`.
        source: What the error calls it.

    Raises:
        ProvenanceError: It is not one; names every problem.
    """
    try:
        document = parse_json_object(text, source, MAX_PROVENANCE_BYTES)
    except PolicyError as error:
        raise ProvenanceError(str(error)) from error
    document.known_keys("_type", "subject", "predicateType", "predicate")
    document.parsed("_type", _exactly(STATEMENT_TYPE), is_required=True)
    document.parsed("predicateType", _exactly(PREDICATE_TYPE), is_required=True)
    subjects = document.children("subject", 1)
    predicate = document.child("predicate", is_required=True)
    if not subjects:
        document.problem("subject", "has no element", "Name the one signed archive")
    found = None
    if subjects and predicate is not None:
        found = _provenance(subjects[0], predicate)
    if document.problems or found is None:
        lines = "\n".join(f"  {problem}" for problem in document.problems)
        raise ProvenanceError(f"{source} is not a provenance that this release reads\n{lines}")
    return found


def _provenance(subject: JsonObject, predicate: JsonObject) -> Provenance | None:
    """Read what is inside of the frame; None where something required is missing, which was noted."""
    subject.known_keys("name", "digest")
    predicate.known_keys(
        "source",
        "content",
        "signing_job_arn",
        "signing_profile_version_arn",
        "signed_at",
        "expires_at",
        "annotations",
    )
    source = predicate.child("source", is_required=True)
    if source is not None:
        source.known_keys("name", "digest", "commit")
    content = predicate.child("content")
    if content is not None:
        content.known_keys("sha384")
    name = subject.parsed("name", _text, is_required=True)
    sha256 = _sha256_of(subject)
    content_sha384 = content and content.parsed("sha384", _hexadecimal(96), is_required=True)
    source_name = source and source.parsed("name", _text, is_required=True)
    source_sha256 = None if source is None else _sha256_of(source)
    commit = None if source is None else source.parsed("commit", _commit)
    job = predicate.parsed("signing_job_arn", SigningJobArn.parse, is_required=True)
    publisher = predicate.parsed("signing_profile_version_arn", SigningProfileVersionArn.parse, is_required=True)
    signed_at = predicate.parsed("signed_at", _time)
    expires_at = predicate.parsed("expires_at", _time, is_required=True)
    annotations = _annotations(predicate)
    if not (name and sha256 and source_name and source_sha256 and job and publisher and expires_at):
        return None
    return Provenance(
        name,
        sha256,
        content_sha384,
        source_name,
        source_sha256,
        commit,
        job,
        publisher,
        signed_at,
        expires_at,
        annotations,
    )


def _sha256_of(holder: JsonObject) -> str | None:
    digest = holder.child("digest", is_required=True)
    if digest is None:
        return None
    digest.known_keys("sha256")
    return digest.parsed("sha256", _hexadecimal(64), is_required=True)


def _annotations(predicate: JsonObject) -> dict[str, str]:
    found = predicate.child("annotations")
    if found is None:
        return {}
    if len(found.values) > _MAX_ANNOTATIONS:
        predicate.problem("annotations", f"has {len(found.values)} members", f"Keep the {_MAX_ANNOTATIONS} that matter")
        return {}
    texts = {key: found.parsed(key, _text, is_required=True) for key in found.values}
    return {key: text for key, text in texts.items() if text is not None}


def _exactly(wanted: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text != wanted:
            raise ValueError(f"{text[:80]!r} is not {wanted!r}")
        return text

    return parse


def _hexadecimal(digits: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if re.fullmatch(rf"[0-9a-f]{{{digits}}}", text) is None:
            raise ValueError(f"{text[:80]!r} is not {digits} hexadecimal digits in lower case")
        return text

    return parse


def _text(text: str) -> str:
    if not 1 <= len(text) <= _MAX_TEXT_CHARACTERS:
        raise ValueError(f"has {len(text)} characters; write 1 to {_MAX_TEXT_CHARACTERS}")
    return text


def _commit(text: str) -> str:
    if _COMMIT.fullmatch(text) is None:
        raise ValueError(f"{text[:80]!r} is not a commit: write up to 128 letters, digits and ._/-")
    return text


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text[:80]!r} has no time zone")
    return at.astimezone(UTC)
