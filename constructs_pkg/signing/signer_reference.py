"""Names a signer in words that fit into a command line, so that another process can open the same one."""

from pathlib import Path

from constructs_pkg.errors import SigningError
from constructs_pkg.signing.authority_directory import AuthorityDirectory
from constructs_pkg.signing.authority_records import SigningRefusal
from constructs_pkg.signing.signer import Signer

__all__ = ["absolute_reference", "open_signer"]

_AUTHORITY = "authority:"


def open_signer(reference: str) -> Signer:
    """Return the signer that a reference names.

    Args:
        reference: ``authority:DIRECTORY`` for a local authority, which is UNSAFE FOR PRODUCTION. Each other kind of
            signer gets a word of its own here.

    Raises:
        SigningError: There is no such kind of signer. Whether the directory holds an authority shows when it signs.
    """
    if not reference.startswith(_AUTHORITY) or reference == _AUTHORITY:
        raise SigningError(
            SigningRefusal.ARGUMENT,
            f"signer={reference[:200]!r} names no signer that this release knows. Write 'authority:DIRECTORY' for a "
            "local authority made by 'lambda-code-signing authority init DIRECTORY'",
        )
    return AuthorityDirectory(Path(reference.removeprefix(_AUTHORITY)))


def absolute_reference(reference: str) -> str:
    """Return a reference that means the same in every working directory.

    Args:
        reference: As for `open_signer`.

    Raises:
        SigningError: There is no such kind of signer.
    """
    open_signer(reference)
    return _AUTHORITY + str(Path(reference.removeprefix(_AUTHORITY)).absolute())
