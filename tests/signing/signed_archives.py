"""An authority and an archive that it signed, for the tests of signatures."""

import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime

from constructs_pkg.signing.authority import LocalAuthority
from constructs_pkg.signing.policy import CodeSigningPolicy

CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2026, 9, 28, 9, 19, 26, 806000, tzinfo=UTC)
VERIFIED_AT = datetime(2026, 11, 23, tzinfo=UTC)
SEED = b"public seed of the tests, worth nothing to anyone"[:48]


@dataclass(frozen=True)
class Signed:
    """A signed archive, and all that it takes to judge it."""

    authority: LocalAuthority
    archive: bytes
    policy: CodeSigningPolicy

    @property
    def root_pem(self) -> bytes:
        return self.authority.trust.pem.encode()


def new_authority(*profiles: str) -> LocalAuthority:
    authority = LocalAuthority(SEED, created_at=CREATED_AT)
    for profile in profiles:
        authority.put_profile(profile)
    return authority


def archive_of(**entries: bytes) -> bytes:
    """Return an unsigned archive; two underscores in a name stand for a dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", ".")), body, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def sign(authority: LocalAuthority, archive: bytes, profile: str = "team_app", at: datetime = SIGNED_AT) -> bytes:
    target = io.BytesIO()
    authority.sign(archive, target, profile=profile, at=at)
    return target.getvalue()


def rewritten(archive: bytes, change) -> bytes:
    """The same entries with names and bodies changed, the signature left as it was."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(target, "w") as new:
        for name, body in change([(entry.filename, old.read(entry)) for entry in old.infolist()]):
            new.writestr(name, body)
    return target.getvalue()


def signed_archive() -> Signed:
    """Return an archive that the profile team_app signed, and the policy that allows this publisher alone."""
    authority = new_authority("team_app", "other_app")
    archive = sign(authority, archive_of(handler__py=b"def handler(event, context):\n    return 'ok'\n" * 20))
    return Signed(authority, archive, authority.export_policy(at=SIGNED_AT, profiles=["team_app"]))
