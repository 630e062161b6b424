"""The stable codes for what can be wrong with a ZIP archive, each with the reason why it is refused."""

from enum import StrEnum

from constructs_pkg.errors import ArchiveError

__all__ = ["ArchiveDefect", "defect", "shown"]


class ArchiveDefect(StrEnum):
    """Why an archive is refused; the values are API (reports, the conformance corpus and SARIF carry them).

    The strictness has one purpose: an archive is accepted only where every reader of ZIP files sees the same entries,
    so that what was hashed here is what Lambda extracts. The record names are those of PKWARE's APPNOTE.TXT 6.3.10.
    """

    # The file as a whole
    UNREADABLE = "unreadable"
    """The operating system could not read the file: no verdict about its content is possible."""
    NOT_A_ZIP = "not_a_zip"
    TRUNCATED = "truncated"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    SECOND_END_RECORD = "second_end_record"
    """Readers that look for the end record from the front and from the back would see two different archives."""
    DATA_AFTER_END_RECORD = "data_after_end_record"
    DATA_BEFORE_FIRST_ENTRY = "data_before_first_entry"
    UNREFERENCED_BYTES = "unreferenced_bytes"
    """Bytes that no record accounts for: a reader that walks the local headers could find an entry there."""
    MULTI_DISK = "multi_disk"
    ZIP64_INCONSISTENT = "zip64_inconsistent"
    # The central directory
    DIRECTORY_MALFORMED = "directory_malformed"
    DIRECTORY_TOO_LARGE = "directory_too_large"
    TOO_MANY_ENTRIES = "too_many_entries"
    EXTRA_FIELD_MALFORMED = "extra_field_malformed"
    # Names and kinds of entries
    DUPLICATE_NAME = "duplicate_name"
    """Two entries for one path, ``a``, ``./a`` and ``a/`` being one: readers disagree on which of them wins."""
    NAME_EMPTY = "name_empty"
    NAME_TOO_LONG = "name_too_long"
    NAME_NOT_UTF8 = "name_not_utf8"
    NAME_WITH_NUL = "name_with_nul"
    NAME_LEAVES_DIRECTORY = "name_leaves_directory"
    """An absolute path, or one with ``..``. The signature format does not forbid it, no deployable package needs it."""
    UNICODE_PATH_DISAGREES = "unicode_path_disagrees"
    """The Info-ZIP Unicode Path extra field (0x7075) gives the entry a second, different name."""
    ENTRY_TYPE_DISAGREES = "entry_type_disagrees"
    """The attributes, which nothing signs, call a file a directory, or an entry a device, a pipe or a socket."""
    DIRECTORY_WITH_BODY = "directory_with_body"
    ENCRYPTED_ENTRY = "encrypted_entry"
    UNSUPPORTED_FLAGS = "unsupported_flags"
    VERSION_TOO_NEW = "version_too_new"
    """An entry is said to need a later version of the format than 6.3: some readers refuse it, others ignore that."""
    UNKNOWN_METHOD = "unknown_method"
    # Where the entries lie
    ENTRY_OUTSIDE_ARCHIVE = "entry_outside_archive"
    OVERLAPPING_ENTRIES = "overlapping_entries"
    LOCAL_HEADER_MISSING = "local_header_missing"
    LOCAL_HEADER_DISAGREES = "local_header_disagrees"
    DATA_DESCRIPTOR_DISAGREES = "data_descriptor_disagrees"
    # What the entries hold
    DEFLATE_MALFORMED = "deflate_malformed"
    BYTES_AFTER_DEFLATE_STREAM = "bytes_after_deflate_stream"
    SIZE_MISMATCH = "size_mismatch"
    CRC_MISMATCH = "crc_mismatch"
    EXPANDED_TOO_LARGE = "expanded_too_large"
    SIGNATURE_TOO_LARGE = "signature_too_large"


def defect(reason: ArchiveDefect, message: str) -> ArchiveError:
    """Return the error for a defect, for the caller to raise.

    Args:
        reason: What is wrong.
        message: Where and with which value.
    """
    return ArchiveError(reason.value, message)


def shown(name: bytes) -> str:
    """Return an entry's name for a message: quoted, with control characters and bytes that are not UTF-8 escaped.

    Args:
        name: The raw name.
    """
    return repr(name.decode("utf-8", "backslashreplace"))
