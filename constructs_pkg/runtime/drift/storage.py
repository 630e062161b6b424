"""Keeps the documents of runs: in a bucket, or in memory for a run on one machine. Conditional writes make leases."""

# boto3 makes its clients, and their types, at run time.
# ruff: noqa: ANN401

import json
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from .access import Refused, asking
from .paging import pages

__all__ = ["BucketStore", "Conflict", "MemoryStore", "Store"]


class Conflict(Exception):  # noqa: N818 (it says what happened)
    """Somebody else has written the document since it was read."""


class Store(Protocol):
    """Documents by key."""

    @property
    def name(self) -> str:
        """Return the bucket's name, empty where there is none."""
        ...

    def read(self, key: str) -> tuple[Any, str] | None:
        """Return a document and its version; None where there is none."""
        ...

    def write(self, key: str, document: object) -> None:
        """Write a document, whatever was there."""
        ...

    def write_text(self, key: str, text: str, content_type: str) -> None:
        """Write a text."""
        ...

    def lend_text(self, key: str, text: str) -> None:
        """Write a text that others may read whom the bucket's policy names."""
        ...

    def write_if(self, key: str, document: object, version: str | None) -> None:
        """Write a document if it still has a version, or (None) if there is none.

        Raises:
            Conflict: It has another, or there is one.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete a document; it may be gone already."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin so."""
        ...


class BucketStore:
    """Documents in S3. Conditional writes are S3's own (``IfNoneMatch``, ``IfMatch`` of PutObject).

    Args:
        client: An S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.name = bucket

    def read(self, key: str) -> tuple[Any, str] | None:
        """Return a document and its version; None where there is none.

        Raises:
            Refused: AWS refused.
        """
        try:
            with asking(f"read s3://{self.name}/{key}"):
                answer = self._client.get_object(Bucket=self.name, Key=key)
                return json.loads(answer["Body"].read()), str(answer["ETag"])
        except Refused as refused:
            if refused.code in {"NoSuchKey", "404"}:
                return None
            raise

    def write(self, key: str, document: object) -> None:
        """Write a document, whatever was there.

        Raises:
            Refused: AWS refused.
        """
        self.write_text(key, json.dumps(document), "application/json")

    def write_text(self, key: str, text: str, content_type: str) -> None:
        """Write a text.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"write s3://{self.name}/{key}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=text.encode(), ContentType=content_type)

    def lend_text(self, key: str, text: str) -> None:
        """Write a text that others may read whom the bucket's policy names: with S3's key, since the bucket's is ours.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"write s3://{self.name}/{key}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=text.encode(), ServerSideEncryption="AES256")

    def write_if(self, key: str, document: object, version: str | None) -> None:
        """Write a document if it still has a version, or (None) if there is none.

        Raises:
            Conflict: It has another, or there is one.
            Refused: AWS refused.
        """
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": version}
        body = json.dumps(document).encode()
        try:
            with asking(f"write s3://{self.name}/{key}"):
                self._client.put_object(
                    Bucket=self.name, Key=key, Body=body, ContentType="application/json", **condition
                )
        except Refused as refused:
            # 412 and 409 of PutObject; 404 where IfMatch meets nothing (S3's guide, "Conditional writes")
            if refused.code in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}:
                raise Conflict(key) from refused
            raise

    def delete(self, key: str) -> None:
        """Delete a document; it may be gone already.

        Raises:
            Refused: AWS refused.
        """
        with asking(f"delete s3://{self.name}/{key}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin so.

        Raises:
            Refused: AWS refused.
        """
        listed = pages(
            f"list s3://{self.name}/{prefix}",
            self._client.list_objects_v2,
            marker="ContinuationToken",
            next_marker="NextContinuationToken",
            Bucket=self.name,
            Prefix=prefix,
        )
        for page in listed:
            for one in page.get("Contents", []):
                yield str(one["Key"])


class MemoryStore:
    """Documents in this process, for a run on one machine and for tests. They are kept as JSON, as in S3."""

    name = ""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._lock = threading.Lock()

    def read(self, key: str) -> tuple[Any, str] | None:
        """Return a document and its version; None where there is none."""
        with self._lock:
            return (json.loads(self._texts[key]), str(self._versions[key])) if key in self._texts else None

    def text(self, key: str) -> str:
        """Return what was written, as text."""
        return self._texts[key]

    def write(self, key: str, document: object) -> None:
        """Write a document, whatever was there."""
        self.write_text(key, json.dumps(document), "application/json")

    def write_text(self, key: str, text: str, content_type: str) -> None:  # noqa: ARG002 (of Store)
        """Write a text."""
        with self._lock:
            self._texts[key] = text
            self._versions[key] = self._versions.get(key, 0) + 1

    def lend_text(self, key: str, text: str) -> None:
        """Write a text; there are no others here."""
        self.write_text(key, text, "text/plain")

    def write_if(self, key: str, document: object, version: str | None) -> None:
        """Write a document if it still has a version, or (None) if there is none.

        Raises:
            Conflict: It has another, or there is one.
        """
        with self._lock:
            there = str(self._versions[key]) if key in self._texts else None
            if there != version:
                raise Conflict(key)
            self._texts[key] = json.dumps(document)
            self._versions[key] = self._versions.get(key, 0) + 1

    def delete(self, key: str) -> None:
        """Delete a document; it may be gone already."""
        with self._lock:
            self._texts.pop(key, None)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin so."""
        yield from sorted(key for key in self._texts if key.startswith(prefix))
