"""What Lambda and CloudFormation take from another account's bucket; MiniStack looks in the caller's account only.

The bucket's policy decides, as for GetObject: Lambda reads code as who deploys (Lambda's guide, "Deployment packages"),
CloudFormation reads a template as who calls. Whether the caller's own policies let it read is not asked here.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: ANN401, SLF001

from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from constructs_pkg.testing.local_aws.internals import LAMBDA, RESPONSES, S3
from constructs_pkg.testing.local_aws.overlay import Overlay

__all__ = ["install"]

_CLOUDFORMATION: Any = import_module("ministack.services.cloudformation.helpers")


def install(overlay: Overlay) -> None:
    """Let both read what other accounts share; before ``code_signing``, which keeps what was read.

    Args:
        overlay: The registry.
    """
    LAMBDA._fetch_code_from_s3 = _fetching(overlay, LAMBDA._fetch_code_from_s3)
    LAMBDA.s3_code_region_message = _in_region_of_owner(overlay, LAMBDA.s3_code_region_message)
    _CLOUDFORMATION._resolve_document = _resolving(overlay, _CLOUDFORMATION._resolve_document)


def _fetching(overlay: Overlay, original: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    def fetch(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        owner, caller = S3._bucket_owner_account(bucket), RESPONSES.get_account_id()
        if owner is None or owner == caller:
            return original(bucket, key, version_id=version_id)
        query = {} if version_id is None else {"versionId": [version_id]}
        if not S3._foreign_bucket_allows(owner, bucket, key, "GET", query, caller):
            return None
        with overlay.acting_in(owner, RESPONSES.get_region()):
            return original(bucket, key, version_id=version_id)

    return fetch


def _in_region_of_owner(overlay: Overlay, original: Callable[..., str | None]) -> Callable[..., str | None]:
    def message(bucket: str, layer: bool = False) -> str | None:  # noqa: FBT001, FBT002 (MiniStack's signature)
        owner = S3._bucket_owner_account(bucket)
        if owner is None:
            return original(bucket, layer)
        with overlay.acting_in(owner, RESPONSES.get_region()):
            return original(bucket, layer)

    return message


def _resolving(overlay: Overlay, original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(form: dict[str, list[str]], body_key: str, url_key: str, label: str) -> Any:
        bucket, _, key = urlsplit(form.get(url_key, [""])[0]).path.lstrip("/").partition("/")
        owner, caller = S3._bucket_owner_account(bucket), RESPONSES.get_account_id()
        if owner is None or owner == caller or not S3._foreign_bucket_allows(owner, bucket, key, "GET", {}, caller):
            return original(form, body_key, url_key, label)
        with overlay.acting_in(owner, RESPONSES.get_region()):
            return original(form, body_key, url_key, label)

    return resolve
