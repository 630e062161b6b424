"""What MiniStack's CopyObject leaves out: ``If-None-Match``, and the checksums of the copy in the answer."""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

from collections.abc import Callable

from constructs_pkg.testing.local_aws.internals import S3
from constructs_pkg.testing.local_aws.overlay import Overlay, Response

__all__ = ["install"]

_ALGORITHM = "x-amz-checksum-algorithm"
_END = b"</CopyObjectResult>"


def install(overlay: Overlay) -> None:
    """Complete CopyObject.

    Args:
        overlay: The registry, which is not needed: S3's own function is wrapped.
    """
    del overlay
    S3._copy_object = _completing(S3._copy_object)


def _completing(copy: Callable[[str, str, dict[str, str]], Response]) -> Callable[[str, str, dict[str, str]], Response]:
    def copying(bucket_name: str, key: str, headers: dict[str, str]) -> Response:
        bucket = S3._ensure_bucket(bucket_name)
        if bucket is not None:
            refused = S3._check_put_preconditions(headers, bucket["objects"].get(key))
            if refused is not None:
                return refused
        if _ALGORITHM in headers:
            headers = {**headers, "x-amz-sdk-checksum-algorithm": headers[_ALGORITHM]}
        status, answered, body = copy(bucket_name, key, headers)
        if bucket is None or status != 200 or not body.endswith(_END):
            return status, answered, body
        checksums: dict[str, str] = bucket["objects"][key].get("checksums") or {}
        members = "".join(f"<Checksum{name}>{value}</Checksum{name}>" for name, value in checksums.items())
        if checksums:
            members += "<ChecksumType>FULL_OBJECT</ChecksumType>"
        return status, answered, body.removesuffix(_END) + members.encode() + _END

    return copying
