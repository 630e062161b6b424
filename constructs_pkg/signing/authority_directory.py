"""The throwaway authority's state on disk: one directory, private to its user, safe under several processes.

``seed.key`` holds the secret, ``authority.json`` everything else. Each change happens under a lock and replaces the
file atomically, so that a crash leaves the old state or the new one.
"""

import json
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Self

from constructs_pkg.errors import PolicyError, SigningError, ValidityError
from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.authority_certificates import SEED_BYTES
from constructs_pkg.signing.authority_records import ProfileStatus, SigningJob, SigningProfile, SigningRefusal
from constructs_pkg.signing.json_object import JsonObject, parse_json_object
from constructs_pkg.signing.signer import SignedArtifact
from constructs_pkg.validity import Validity

try:
    import fcntl as _fcntl
except ImportError:  # Windows has no such locks; using a directory says so
    _fcntl: ModuleType | None = None

__all__ = ["MARKER_NAME", "AuthorityDirectory"]

MARKER_NAME = "UNSAFE-FOR-PRODUCTION.txt"
"""The file that says what the directory is."""

_MARKER = """\
UNSAFE FOR PRODUCTION

This directory holds a throwaway signing authority for tests and demonstrations. Whoever can read seed.key can sign
anything in its name. Never add its root certificate to a policy that protects real functions. AWS knows nothing of it:
Lambda refuses what it signs.
"""
_SEED_NAME, _STATE_NAME, _LOCK_NAME, _ROOT_NAME = "seed.key", "authority.json", "lock", "root.pem"
_PRIVATE_FILE, _PRIVATE_DIRECTORY = 0o600, 0o700
_STATE_VERSION = 1
_MAX_STATE_BYTES = 64 * 1024 * 1024
_MAX_RECORDS = 1_000_000


class AuthorityDirectory:
    """A throwaway authority that lives in a directory; a `constructs_pkg.signing.signer.Signer`.

    Args:
        path: The directory, made by `init`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def init(cls, path: Path, *, region: str, account: str, at: datetime, seed: bytes | None = None) -> Self:
        """Make an authority in a directory that does not exist yet or is empty.

        Args:
            path: The directory; becomes private to its user (mode 0700).
            region: A Region that AWS Signer serves.
            account: Twelve digits.
            at: The authority's beginning, aware; nothing can be signed before.
            seed: The secret; random where left out.

        Raises:
            SigningError: The directory holds something already, or an argument is refused.
        """
        authority = LocalAuthority(
            secrets.token_bytes(SEED_BYTES) if seed is None else seed, created_at=at, region=region, account=account
        )
        directory = cls(path)
        try:
            path.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            found = {item.name for item in path.iterdir()}
        except OSError as error:
            raise SigningError(SigningRefusal.STATE, f"{path} cannot be made a directory: {error.strerror}") from error
        if found - {_LOCK_NAME}:
            raise SigningError(SigningRefusal.STATE, f"{path} is not empty; use a new directory")
        path.chmod(_PRIVATE_DIRECTORY)
        with directory._locked(os.O_CREAT):
            if (path / _SEED_NAME).exists():
                raise SigningError(SigningRefusal.STATE, f"{path} holds an authority already; use a new directory")
            directory._write(MARKER_NAME, _MARKER.encode())
            directory._write(_ROOT_NAME, authority.trust.pem.encode())
            directory._write(_STATE_NAME, _format_state(authority))
            directory._write(_SEED_NAME, authority.seed.hex().encode() + b"\n")
        return directory

    @contextmanager
    def changing(self) -> Generator[LocalAuthority]:
        """Lend the authority under an exclusive lock, and store it when the block ends without an error.

        Raises:
            SigningError: There is no authority, it is open to other users, or its state is damaged.
        """
        with self._locked():
            authority = self._load()
            before = _format_state(authority)
            yield authority
            after = _format_state(authority)
            if after != before:
                self._write(_STATE_NAME, after)

    def read(self) -> LocalAuthority:
        """Return the authority as it is now; changes to it are not stored.

        Raises:
            SigningError: There is no authority, it is open to other users, or its state is damaged.
        """
        with self._locked():
            return self._load()

    def sign(
        self,
        source: bytes | BinaryIO,
        target: BinaryIO,
        *,
        profile: str,
        at: datetime,
        job_id: str | None = None,
    ) -> SignedArtifact:
        """Sign an archive as `LocalAuthority.sign` does, and remember the job."""
        with self.changing() as authority:
            return authority.sign(source, target, profile=profile, at=at, job_id=job_id)

    @contextmanager
    def _locked(self, flags: int = 0) -> Generator[None]:
        if _fcntl is None:
            raise SigningError(
                SigningRefusal.STATE, "an authority's directory needs POSIX file locks; use Linux or macOS"
            )
        try:
            lock = os.open(self.path / _LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | flags, _PRIVATE_FILE)
        except OSError as error:
            raise SigningError(
                SigningRefusal.STATE,
                f"{self.path} is not the directory of an authority ({error.strerror}); make one first",
            ) from error
        try:
            _fcntl.flock(lock, _fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _load(self) -> LocalAuthority:
        try:
            mode = (self.path / _SEED_NAME).stat().st_mode
            if stat.S_IMODE(mode) & ~_PRIVATE_FILE:
                raise SigningError(
                    SigningRefusal.STATE,
                    f"{self.path / _SEED_NAME} has the mode {stat.S_IMODE(mode):04o}; run 'chmod 600' on it",
                )
            seed = bytes.fromhex((self.path / _SEED_NAME).read_text("ascii").strip())
            state = (self.path / _STATE_NAME).read_bytes()
        except (OSError, ValueError) as error:
            raise SigningError(
                SigningRefusal.STATE, f"{self.path} holds no usable authority ({error}); make one first"
            ) from error
        try:
            return _parse_state(seed, state, str(self.path / _STATE_NAME))
        except (PolicyError, ValidityError) as error:
            raise SigningError(SigningRefusal.STATE, f"the authority's state is damaged: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        """Replace a file atomically, and make sure that it is on disk."""
        temporary = self.path / f"{name}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / name)
        directory = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _format_state(authority: LocalAuthority) -> bytes:
    document: dict[str, Any] = {
        "version": _STATE_VERSION,
        "region": authority.region,
        "account": authority.account,
        "created_at": authority.created_at.isoformat(),
        "profiles": [_format_profile(profile) for profile in authority.profiles],
        "jobs": [_format_job(job) for job in authority.jobs],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def _format_profile(profile: SigningProfile) -> dict[str, str]:
    item = {
        "name": profile.name,
        "profile_version": profile.profile_version,
        "validity": str(profile.validity),
        "status": str(profile.status),
    }
    if profile.revoked_from is not None:
        item |= {"revoked_from": profile.revoked_from.isoformat(), "reason": profile.reason or ""}
    return item


def _format_job(job: SigningJob) -> dict[str, str]:
    item = {
        "job_id": job.job_id,
        "profile_name": job.profile_name,
        "signed_at": job.signed_at.isoformat(),
        "content_digest": job.content_digest.hex(),
    }
    return {**item, "revocation": job.reason or ""} if job.is_revoked else item


def _parse_state(seed: bytes, text: bytes, source: str) -> LocalAuthority:
    document = parse_json_object(text, source, _MAX_STATE_BYTES)
    document.known_keys("version", "region", "account", "created_at", "profiles", "jobs")
    document.number("version", _STATE_VERSION, _STATE_VERSION, is_required=True)
    region = document.text("region", is_required=True) or ""
    account = document.text("account", is_required=True) or ""
    created_at = document.parsed("created_at", _time, is_required=True)
    profiles = [_profile(item) for item in document.children("profiles", _MAX_RECORDS)]
    jobs = [_job(item) for item in document.children("jobs", _MAX_RECORDS)]
    if document.problems or created_at is None:
        raise PolicyError(source, tuple(document.problems))
    return LocalAuthority(
        seed,
        created_at=created_at,
        region=region,
        account=account,
        profiles=[profile for profile in profiles if profile is not None],
        jobs=[job for job in jobs if job is not None],
    )


def _profile(item: JsonObject) -> SigningProfile | None:
    item.known_keys("name", "profile_version", "validity", "status", "revoked_from", "reason")
    name = item.text("name", is_required=True)
    version = item.text("profile_version", is_required=True)
    validity = item.parsed("validity", Validity.parse, is_required=True)
    status = item.parsed("status", ProfileStatus, is_required=True)
    if name is None or version is None or validity is None or status is None:
        return None
    return SigningProfile(name, version, validity, status, item.parsed("revoked_from", _time), item.text("reason"))


def _job(item: JsonObject) -> SigningJob | None:
    item.known_keys("job_id", "profile_name", "signed_at", "content_digest", "revocation")
    job_id = item.text("job_id", is_required=True)
    profile = item.text("profile_name", is_required=True)
    signed_at = item.parsed("signed_at", _time, is_required=True)
    digest = item.parsed("content_digest", bytes.fromhex, is_required=True)
    revocation = item.text("revocation")
    if job_id is None or profile is None or signed_at is None or digest is None:
        return None
    return SigningJob(job_id, profile, signed_at, digest, revocation is not None, revocation)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)
