"""A directory of signed archives, found again by content and publisher: what did not change is never signed twice.

It is a cache and may be deleted at any time. Nothing in it is believed: what is taken from it was verified in the same
moment, under the policy that it is for.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.errors import ArchiveError, PackagingError, SigningError
from constructs_pkg.signing.archive import read_archive
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.packaging import DEFAULT_EXCLUDES, write_package
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import MAX_POLICY_BYTES, format_policy, parse_policy
from constructs_pkg.signing.renewal import runs_out_soon
from constructs_pkg.signing.report import CheckName, VerificationReport
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["DEFAULT_STORE", "ArchiveStore", "StoredArchive"]

DEFAULT_STORE = Path(".lambda-code-signing")
"""Where a store is, below the current directory, unless somebody says otherwise."""

_CHUNK_BYTES = 256 * 1024
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """A signed archive of a store.

    Attributes:
        path: Where it lies. The name does not change, its content does when it is signed again.
        source_sha256: The digest of the unsigned archive, in hexadecimal.
        report: The verdict on it; there is no finding.
        is_new: Whether it was signed just now.
    """

    path: Path
    source_sha256: str
    report: VerificationReport
    is_new: bool


class ArchiveStore:
    """Unsigned packages, policies and signed archives, each under the digest of what it is.

    Made where it does not exist, with a ``.gitignore`` that keeps it out of version control.

    Args:
        path: The directory.
        tell: What is called with a line of text before something that takes long; silent where left out.

    Raises:
        PackagingError: The directory cannot be made.
    """

    def __init__(self, path: Path = DEFAULT_STORE, *, tell: Callable[[str], object] | None = None) -> None:
        self.path = path.absolute()
        self._tell = tell or _be_silent
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", "utf-8")
        except OSError as error:
            raise PackagingError(f"{self.path} cannot be made a directory: {error.strerror}. Name another") from error

    def add_directory(
        self, directory: Path, *, excludes: Iterable[str] = DEFAULT_EXCLUDES, compression_level: int | None = None
    ) -> str:
        """Package a directory, deterministically, and return the SHA-256 of the package in hexadecimal.

        Args:
            directory: What to package.
            excludes: As for `constructs_pkg.signing.packaging.write_package`.
            compression_level: As for `constructs_pkg.signing.packaging.write_package`.

        Raises:
            PackagingError: As `constructs_pkg.signing.packaging.write_package`; or the directory is the store itself. A
                store somewhere below the directory stays out of the package.
        """
        patterns = (*excludes, *self._own_pattern(directory))

        def write(target: BinaryIO) -> str:
            made = write_package(directory, target, excludes=patterns, compression_level=compression_level)
            return made.sha256.hex()

        return self._add(write)

    def add_archive(self, archive: Path) -> str:
        """Take a copy of an unsigned archive, and return its SHA-256 in hexadecimal.

        Args:
            archive: A ZIP file.

        Raises:
            PackagingError: It cannot be read.
        """

        def copy(target: BinaryIO) -> str:
            digest = hashlib.sha256()
            try:
                with archive.open("rb") as source:
                    while chunk := source.read(_CHUNK_BYTES):
                        digest.update(chunk)
                        target.write(chunk)
            except OSError as error:
                raise PackagingError(f"{archive} cannot be read: {error.strerror}. Check the path") from error
            return digest.hexdigest()

        return self._add(copy)

    def add_policy(self, policy: CodeSigningPolicy) -> str:
        """Keep a policy for another process, and return the SHA-256 of its text in hexadecimal."""
        text = format_policy(policy).encode()
        digest = hashlib.sha256(text).hexdigest()
        self._write(self.path / "policies" / f"{digest}.json", lambda target: target.write(text))
        return digest

    def policy(self, sha256: str) -> CodeSigningPolicy:
        """Return a policy that was kept.

        Args:
            sha256: As `add_policy` returned it.

        Raises:
            PackagingError: It is gone, or is not what was kept.
        """
        path = self.path / "policies" / f"{sha256}.json"
        text = b""
        with suppress(OSError), path.open("rb") as file:
            text = file.read(MAX_POLICY_BYTES)
        if hashlib.sha256(text).hexdigest() != sha256:
            raise PackagingError(f"{path} is missing or was changed. Synthesize again, here")
        return parse_policy(text, str(path))

    def package(self, sha256: str) -> Path:
        """Return the path of an unsigned package.

        Args:
            sha256: As `add_directory` or `add_archive` returned it.

        Raises:
            PackagingError: It is gone, or is not what was added.
        """
        path = self.path / "packages" / f"{sha256}.zip"
        found = b""
        with suppress(OSError), path.open("rb") as file:
            found = sha256_of(file)
        if found.hex() != sha256:
            raise PackagingError(f"{path} is missing or was changed. Synthesize again, here")
        return path

    def signed(
        self,
        sha256: str,
        *,
        signer: Signer,
        publisher: SigningProfileVersionArn,
        policy: CodeSigningPolicy,
        at: datetime,
        label: str,
    ) -> StoredArchive:
        """Return a package signed: the archive that is there already, or one that is signed now.

        An archive is signed anew when its signature has run out or will within 30 days, or within the days in which the
        policy wants no signature to run out (within a third of its validity where that is less), and when the file was
        damaged. One whose signature was *revoked* is never signed anew: the
        content was revoked for a reason.

        Args:
            sha256: The package, as `add_directory` or `add_archive` returned it.
            signer: Who signs.
            publisher: The signing profile version that has to come out; its name is what the signer is asked for.
            policy: What the signed archive is verified under.
            at: The present moment, aware.
            label: What is signed, for the reader.

        Raises:
            PackagingError: The package is gone or was changed, or the store cannot be written.
            PolicyError: The policy can judge nothing.
            SigningError: The signer refuses, signs as another publisher, or what it signed is not acceptable; or the
                signature in the store was revoked.
        """
        policy.require_usable(at)
        package = self.package(sha256)
        key = hashlib.sha256(f"{sha256}\n{publisher}".encode()).hexdigest()
        path = self.path / "signed" / f"{key}.zip"
        known = self._known(path, package, publisher, policy, at, label)
        if known is not None:
            return StoredArchive(path, sha256, known, is_new=False)
        self._tell(f"signing {label} as {publisher.name}")
        with package.open("rb") as source:
            report = self._write(
                path, lambda target: _sign(source, target, signer, publisher, policy, at, artifact=label)
            )
        return StoredArchive(path, sha256, report, is_new=True)

    def _own_pattern(self, directory: Path) -> tuple[str, ...]:
        """Return what keeps this store out of a package of the directory that it lies in."""
        own, packaged = Path(os.path.realpath(self.path)), Path(os.path.realpath(directory))
        if own == packaged:
            raise PackagingError(f"{directory} is the store itself. Name the directory of the code")
        return (f"/{own.relative_to(packaged).as_posix()}/",) if own.is_relative_to(packaged) else ()

    def _known(
        self,
        path: Path,
        package: Path,
        publisher: SigningProfileVersionArn,
        policy: CodeSigningPolicy,
        at: datetime,
        label: str,
    ) -> VerificationReport | None:
        """Return the verdict on the archive that is there, or None where there is none that can be used."""
        try:
            with path.open("rb") as file, package.open("rb") as unsigned:
                report = verify_archive(file, policy, at, artifact=label)
                is_same = read_archive(file).content_digest == read_archive(unsigned).digest_to_sign
        except (OSError, ArchiveError):
            return None
        if any(finding.check is CheckName.REVOCATION for finding in report.findings):
            reason = next(item.message for item in report.findings if item.check is CheckName.REVOCATION)
            raise SigningError(
                "signature_revoked",
                f"{label} is not signed again: {reason}. Change the code that was revoked; if the same code is good "
                f"after all, delete {path}",
            )
        is_usable = report and is_same and report.signing_profile_version_arn == publisher
        return report if is_usable and not _runs_out_soon(report, policy, at) else None

    def _add(self, write: Callable[[BinaryIO], str]) -> str:
        """Write a package whose name is known only once it is written."""
        folder = self.path / "packages"
        unnamed = folder / f".{secrets.token_hex(8)}"
        try:
            sha256 = self._write(unnamed, write)
            unnamed.replace(folder / f"{sha256}.zip")
        except OSError as error:
            raise PackagingError(f"{folder} cannot be written: {error.strerror}. Name another store") from error
        finally:
            unnamed.unlink(missing_ok=True)
        return sha256

    def _write(self, path: Path, write: Callable[[BinaryIO], _T]) -> _T:
        """Write a file so that it appears complete or not at all."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(exist_ok=True)
            with temporary.open("x+b") as file:
                result = write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise PackagingError(f"{path} cannot be written: {error.strerror}. Name another store") from error
        finally:
            temporary.unlink(missing_ok=True)
        return result


def _be_silent(line: str) -> None:
    """Say nothing."""


def _sign(
    source: BinaryIO,
    target: BinaryIO,
    signer: Signer,
    publisher: SigningProfileVersionArn,
    policy: CodeSigningPolicy,
    at: datetime,
    *,
    artifact: str,
) -> VerificationReport:
    """Sign, and verify what came out before anybody gets it."""
    made = signer.sign(source, target, profile=publisher.name, at=at)
    if made.signing_profile_version_arn != publisher:
        raise SigningError(
            SigningRefusal.ARGUMENT,
            f"{artifact} was signed as {made.signing_profile_version_arn}, not as {publisher}. Use the signer of that "
            "account and Region, or fetch the present policy",
        )
    # A service signs a moment after it was asked.
    report = verify_archive(target, policy, max(at, made.signed_at), artifact=artifact)
    if not report:
        raise SigningError(
            SigningRefusal.ARGUMENT,
            f"what the signer made of {artifact} would be refused: {report.findings[0].message}. "
            f"{report.findings[0].remedy}",
        )
    return report


def _runs_out_soon(report: VerificationReport, policy: CodeSigningPolicy, at: datetime) -> bool:
    if report.signed_at is None or report.expires_at is None:
        return True
    return runs_out_soon(report.signed_at, report.expires_at, at, within_days=policy.templates.expires_within_days)
