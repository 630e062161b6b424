"""A signing authority that lives as long as a test run, with the policy that trusts it. UNSAFE FOR PRODUCTION."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.clock import now
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.policy_file import format_policy
from constructs_pkg.signing.template_terms import ApprovedConfig, TemplateTerms

__all__ = ["APPROVED_CONFIG_ARN", "ThrowawayAuthority"]

APPROVED_CONFIG_ARN = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
"""The code signing config that the policy of a throwaway authority approves; it exists nowhere."""

_REGION, _ACCOUNT = "eu-west-1", "123456789012"
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class ThrowawayAuthority:
    """Two signing profiles, of which a policy allows the first.

    Attributes:
        signer: Signs; takes the place of AWS Signer for ``SignedCode``.
        policy: Allows ``profile``, approves `APPROVED_CONFIG_ARN`, enforces.
        policy_file: The same as a file.
        profile: The name of the allowed profile.
        other_profile: The name of the profile that nobody allowed.
    """

    signer: AuthorityDirectory
    policy: CodeSigningPolicy
    policy_file: Path
    profile: str
    other_profile: str

    @classmethod
    def make(
        cls,
        directory: Path,
        *,
        profile: str = "team_app",
        other_profile: str = "somebody_else",
        at: datetime | None = None,
    ) -> Self:
        """Make an authority with its two profiles and its policy file.

        Args:
            directory: Where to; new or empty.
            profile: The name of the allowed profile: 2 to 64 letters, digits and underscores.
            other_profile: The name of the other one.
            at: The present moment, aware; now where left out. The authority is a day older.

        Raises:
            SigningError: The directory holds something already, or a name has another form.
        """
        moment = at or now()
        signer = AuthorityDirectory.init(
            directory / "authority", region=_REGION, account=_ACCOUNT, at=moment - timedelta(days=1)
        )
        with signer.changing() as authority:
            for name in (profile, other_profile):
                authority.put_profile(name)
        policy = replace(
            signer.read().export_policy(at=moment, profiles=[profile]),
            templates=TemplateTerms(approved_configs=(ApprovedConfig("arn", APPROVED_CONFIG_ARN),)),
        )
        policy_file = directory / "code-signing-policy.json"
        policy_file.write_text(format_policy(policy), "utf-8")
        return cls(signer, policy, policy_file, profile, other_profile)

    @property
    def publisher(self) -> SigningProfileVersionArn:
        """Return the allowed publisher."""
        return self.policy.allowed_publishers[0]

    def signed_archive(
        self,
        target: Path,
        files: Mapping[str, str | bytes],
        *,
        profile: str | None = None,
        at: datetime | None = None,
    ) -> Path:
        """Write a signed archive and return its path.

        Args:
            target: Where to; a file that is there is replaced.
            files: The content by name.
            profile: Who signs; the allowed profile where left out.
            at: The time of signing, aware; now where left out.

        Raises:
            SigningError: There is no such profile, or no files.
        """
        with target.open("w+b") as file:
            self.signer.sign(_archive(files), file, profile=profile or self.profile, at=at or now())
        return target

    def unsigned_archive(self, target: Path, files: Mapping[str, str | bytes]) -> Path:
        """Write an archive without a signature and return its path.

        Args:
            target: Where to; a file that is there is replaced.
            files: The content by name.
        """
        target.write_bytes(_archive(files))
        return target


def _archive(files: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), body)
    return target.getvalue()
