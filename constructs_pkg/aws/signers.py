"""Opens the signer that a reference names."""

from constructs_pkg.aws.signer import AwsSigner
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.signer import Signer
from constructs_pkg.signing.signer_reference import AuthorityReference, parse_signer_reference

__all__ = ["open_signer"]


def open_signer(reference: str, *, policy: CodeSigningPolicy | None = None) -> Signer:
    """Return the signer that a reference names.

    Args:
        reference: As for `constructs_pkg.signing.signer_reference.parse_signer_reference`: ``aws:…`` for AWS Signer,
            ``authority:DIRECTORY`` for a local authority, which is UNSAFE FOR PRODUCTION.
        policy: What AWS Signer's results are judged by; a local authority is not asked about one.

    Raises:
        SigningError: There is no such kind of signer. Whether it is there shows when it signs.
    """
    found = parse_signer_reference(reference)
    if isinstance(found, AuthorityReference):
        return AuthorityDirectory(found.directory)
    return AwsSigner(found, policy=policy)
