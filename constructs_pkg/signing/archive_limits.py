"""How large an archive may be before it is refused."""

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "ArchiveLimits"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How large an archive may be before it is refused.

    Lambda takes 250 MB expanded, layers included, and AWS Signer the same ("Lambda quotas" and "AWS Signer quotas" in
    AWS's documentation). The other limits are this package's own, each far above what a deployable package needs.

    Attributes:
        max_archive_bytes: The archive itself.
        max_directory_bytes: Its central directory, which bounds the memory that names take.
        max_entries: Entries, directories included.
        max_name_bytes: One name; Linux has no longer paths.
        max_expanded_bytes: All bodies but the signature's together, and so each, as inflated and not as declared.
        max_signature_bytes: The body of the signature entry.
    """

    max_archive_bytes: int = 320 * _MIB
    max_directory_bytes: int = 16 * _MIB
    max_entries: int = 100_000
    max_name_bytes: int = 4096
    max_expanded_bytes: int = 250 * _MIB
    max_signature_bytes: int = _MIB


DEFAULT_LIMITS = ArchiveLimits()
