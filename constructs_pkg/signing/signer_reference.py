"""Names a signer in words that fit into a command line, so that another process can open the same one.

Only names: `constructs_pkg.aws.signers.open_signer` opens.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from constructs_pkg.errors import SigningError
from constructs_pkg.signing.authority_records import SigningRefusal

__all__ = [
    "DEFAULT_TIMEOUT_SECONDS",
    "AuthorityReference",
    "AwsSignerReference",
    "absolute_reference",
    "parse_signer_reference",
]

DEFAULT_TIMEOUT_SECONDS = 600
"""How long is waited for a signing job. Whether any takes longer is for an account to tell: see the live checks."""

_MAX_TIMEOUT_SECONDS = 24 * 60 * 60
_AUTHORITY, _AWS = "authority:", "aws:"
_ACCOUNT = re.compile(r"[0-9]{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{5,30}")
_SECONDS = re.compile(r"[1-9][0-9]{0,4}")
_FORMS = {
    "bucket": _BUCKET,
    "bucket-owner": _ACCOUNT,
    "profile-owner": _ACCOUNT,
    "region": _REGION,
    "timeout": _SECONDS,
}


@dataclass(frozen=True, slots=True)
class AuthorityReference:
    """A local authority. UNSAFE FOR PRODUCTION.

    Attributes:
        directory: Where it lives.
    """

    directory: Path

    def __str__(self) -> str:
        """Return ``authority:DIRECTORY``."""
        return f"{_AUTHORITY}{self.directory}"


@dataclass(frozen=True, slots=True)
class AwsSignerReference:
    """AWS Signer, and the bucket through which archives go. Credentials are never part of it.

    Attributes:
        bucket: A versioned bucket in the Region; the account's own ``lambda-code-signing-ACCOUNT-REGION`` where None.
        bucket_owner: The account that the bucket has to belong to; the caller's own where None.
        profile_owner: The account of the signing profile; the caller's own where None.
        region: The Region; that of the environment where None.
        timeout_seconds: How long is waited for a signing job.
    """

    bucket: str | None = None
    bucket_owner: str | None = None
    profile_owner: str | None = None
    region: str | None = None
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS

    def __str__(self) -> str:
        """Return ``aws:`` and the members, such as ``aws:bucket=acme-signing,region=eu-west-1``."""
        members = {
            "bucket": self.bucket,
            "bucket-owner": self.bucket_owner,
            "profile-owner": self.profile_owner,
            "region": self.region,
            "timeout": str(self.timeout_seconds),
        }
        return _AWS + ",".join(f"{key}={value}" for key, value in members.items() if value is not None)


def parse_signer_reference(text: str) -> AuthorityReference | AwsSignerReference:
    """Read a reference.

    Args:
        text: ``authority:DIRECTORY``, or ``aws:`` and ``KEY=VALUE`` with commas between: ``bucket``, ``bucket-owner``,
            ``profile-owner``, ``region``, ``timeout`` (in seconds), all of which may be left out.

    Raises:
        SigningError: There is no such kind of signer, or a member has another form. Whether the signer is there shows
            when it signs.
    """
    if text.startswith(_AUTHORITY) and text != _AUTHORITY:
        return AuthorityReference(Path(text.removeprefix(_AUTHORITY)))
    if text.startswith(_AWS):
        return _aws(text)
    raise SigningError(
        SigningRefusal.ARGUMENT,
        f"signer={text[:200]!r} names no signer that this release knows. Write 'aws:bucket=BUCKET,region=REGION' for "
        "AWS Signer, or 'authority:DIRECTORY' for a local authority made by 'lambda-code-signing authority init "
        "DIRECTORY'",
    )


def absolute_reference(reference: str) -> str:
    """Return a reference that means the same in every working directory.

    Args:
        reference: As for `parse_signer_reference`.

    Raises:
        SigningError: As `parse_signer_reference`.
    """
    found = parse_signer_reference(reference)
    return str(AuthorityReference(found.directory.absolute()) if isinstance(found, AuthorityReference) else found)


def _aws(text: str) -> AwsSignerReference:
    members: dict[str, str] = {}
    for part in filter(None, text.removeprefix(_AWS).split(",")):
        key, _, value = part.partition("=")
        form = _FORMS.get(key)
        if form is None or key in members:
            problem = "is there twice" if key in members else f"is none of {', '.join(_FORMS)}"
            raise SigningError(SigningRefusal.ARGUMENT, f"signer={text[:200]!r}: {key[:40]!r} {problem}")
        if form.fullmatch(value) is None:
            raise SigningError(SigningRefusal.ARGUMENT, f"signer={text[:200]!r}: {value[:80]!r} is no {key}")
        members[key] = value
    timeout = int(members.get("timeout", DEFAULT_TIMEOUT_SECONDS))
    if timeout > _MAX_TIMEOUT_SECONDS:
        raise SigningError(SigningRefusal.ARGUMENT, f"timeout={timeout} s is more than a day. Give fewer seconds")
    return AwsSignerReference(
        members.get("bucket"),
        members.get("bucket-owner"),
        members.get("profile-owner"),
        members.get("region"),
        timeout,
    )
