"""The bucket through which archives go to AWS Signer: every write says what it expects to find there.

Conditional writes: ``If-None-Match: *`` and ``If-Match`` of ``PutObject`` (botocore 1.43.106, ``s3``; Amazon S3 User
Guide, "How to prevent object overwrites with conditional writes": 412 where the condition does not hold, 409 where
another write is going on).
"""

# boto3 makes its clients, and their types, at run time.

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.aws.pacing import Waiting
from constructs_pkg.errors import AwsError, SigningError

__all__ = ["ObjectVersion", "SigningBucket"]

_CHUNK_BYTES = 256 * 1024
_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = "PreconditionFailed"
_BUSY = "ConditionalRequestConflict"
_ATTEMPTS_WHILE_BUSY = 10


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of one object.

    Attributes:
        key: Of the object.
        version: The version id.
        etag: The entity tag, as S3 writes it.
        checksum_sha256: S3's own SHA-256 of the bytes in Base64; None where it keeps none.
    """

    key: str
    version: str
    etag: str
    checksum_sha256: str | None


class SigningBucket:
    """A versioned bucket.

    Args:
        clients: Whose credentials are used.
        region: The Region that the bucket must be in.
        name: The bucket.
        owner: The account that it must belong to: a bucket's name says nothing about whose it is.
        waiting: Clock and sleep.

    Attributes:
        name: The bucket.
    """

    def __init__(self, clients: Clients, region: str, name: str, owner: str, waiting: Waiting) -> None:
        self._client: Any = clients.client("s3", region)
        self._region = region
        self.name = name
        self._owner = owner
        self._waiting = waiting

    def require_usable(self) -> None:
        """Refuse a bucket from which AWS Signer cannot sign, or in which a signature could be lost.

        Raises:
            SigningError: It is missing, in another Region, or not versioned.
            AwsError: It cannot be looked at, or belongs to another account.
        """
        try:
            answer = self._call("head_bucket", f"look at the bucket {self.name}")
        except AwsError as error:
            if error.code in {*_MISSING, "NoSuchBucket"}:
                raise self._missing() from error
            raise AwsError(
                error.code,
                f"{error} Does the bucket belong to account {self._owner}? Name its owner with --bucket-owner",
            ) from error
        region = answer.get("BucketRegion")
        if region not in {None, self._region}:
            raise SigningError(
                "bucket_in_other_region",
                f"the bucket {self.name} is in {region}; AWS Signer signs in {self._region} and reads no bucket of "
                f"another Region. Use one of {self._region}",
            )
        status = self._call("get_bucket_versioning", f"read the versioning of the bucket {self.name}").get("Status")
        if status != "Enabled":
            raise SigningError(
                "bucket_not_versioned",
                f"versioning of the bucket {self.name} is {str(status or 'off').lower()}. AWS Signer signs one version "
                "of an object, so that nobody can exchange it meanwhile. Switch it on: aws s3api put-bucket-versioning "
                f"--bucket {self.name} --versioning-configuration Status=Enabled",
            )

    def find(self, key: str) -> ObjectVersion | None:
        """Return the present version of an object, or None where there is none.

        Raises:
            AwsError: It cannot be looked at. Without ``s3:ListBucket`` S3 says 403 where there is no object, too.
        """
        try:
            answer = self._call("head_object", f"look at {self._url(key)}", Key=key, ChecksumMode="ENABLED")
        except AwsError as error:
            if error.code in _MISSING:
                return None
            if error.code == "403":
                raise AwsError(
                    error.code, f"{error} This takes s3:GetObject, and s3:ListBucket where there may be no object"
                ) from error
            raise
        checksum = answer.get("ChecksumSHA256")
        return ObjectVersion(key, self._version(key, answer), str(answer["ETag"]), checksum)

    def put_source(self, key: str, source: BinaryIO, sha256: bytes, *, anew: bool) -> tuple[str, bool]:
        """Make sure that an archive is there to be signed.

        What is there already is taken only where S3's own checksum says that it is this archive.

        Args:
            key: Its key.
            source: The archive.
            sha256: Its digest, 32 bytes.
            anew: Whether to upload it although it is there, which gives another version.

        Returns:
            The version, and whether it was made just now.

        Raises:
            AwsError: It cannot be looked at or uploaded.
        """
        checksum = base64.b64encode(sha256).decode()
        doing = f"upload the archive to {self._url(key)}"
        found = self.find(key)
        if anew or found is None or found.checksum_sha256 != checksum:
            # Two runs at once are to sign one version: the second finds the first one's.
            answer = self._put(doing, key, source, found, ChecksumSHA256=checksum)
            if answer is not None:
                return self._version(key, answer), True
            found = self.find(key)
        if found is None or found.checksum_sha256 != checksum:
            raise AwsError("ObjectChanged", f"cannot {doing}: somebody else writes there. Find out who, and try again")
        return found.version, False

    def download(self, key: str, version: str | None, target: BinaryIO, max_bytes: int) -> str:
        """Copy an object to a file, and return the version that was copied.

        Args:
            key: Of the object.
            version: The version; the present one where None.
            target: The file, which is emptied before.
            max_bytes: How large the object may be.

        Raises:
            AwsError: It cannot be read (``NoSuchKey`` where it is gone), or it is larger.
        """
        doing = f"download {self._url(key)}"
        target.seek(0)
        target.truncate()
        answer = self._call("get_object", doing, Key=key, **({} if version is None else {"VersionId": version}))
        copied = 0
        with aws_errors(doing):
            for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                copied += len(chunk)
                if copied > max_bytes:
                    raise AwsError("ObjectTooLarge", f"cannot {doing}: it has more than {max_bytes:,} bytes")
                target.write(chunk)
        return self._version(key, answer)

    def store(
        self,
        key: str,
        body: BinaryIO | bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str],
        replaces: ObjectVersion | None = None,
    ) -> str | None:
        """Write an object where there is none, or in the place of one that was seen before.

        Args:
            key: Its key.
            body: Its content.
            content_type: Its type.
            metadata: Its metadata, in ASCII.
            replaces: The version that it takes the place of; None where there must be none.

        Returns:
            The version; None where somebody else was faster, and nothing was written.

        Raises:
            AwsError: It cannot be written.
        """
        doing = f"store {self._url(key)}"
        answer = self._put(doing, key, body, replaces, ContentType=content_type, Metadata=dict(metadata))
        return None if answer is None else self._version(key, answer)

    def _put(
        self, doing: str, key: str, body: BinaryIO | bytes, replaces: ObjectVersion | None, **parameters: object
    ) -> dict[str, Any] | None:
        """Upload in the place of what was seen; None where something else is there by now."""
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces.etag}
        for attempt in range(1, _ATTEMPTS_WHILE_BUSY + 1):
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                return self._call("put_object", doing, Key=key, Body=body, **condition, **parameters)
            except AwsError as error:
                if error.code == _TAKEN:
                    return None
                if error.code != _BUSY or attempt == _ATTEMPTS_WHILE_BUSY:
                    raise
                self._waiting.sleep(1)
        return None

    def _call(self, method: str, doing: str, **parameters: object) -> dict[str, Any]:
        with aws_errors(doing):
            return getattr(self._client, method)(Bucket=self.name, ExpectedBucketOwner=self._owner, **parameters)

    def _version(self, key: str, answer: Mapping[str, Any]) -> str:
        version = answer.get("VersionId")
        if version in {None, "null"}:
            raise SigningError(
                "bucket_not_versioned",
                f"{self._url(key)} has no version: versioning of the bucket {self.name} was off when it was "
                "written, or is off now. Switch it on, and delete this object",
            )
        return str(version)

    def _missing(self) -> SigningError:
        place = (
            "" if self._region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={self._region}"
        )
        return SigningError(
            "bucket_missing",
            f"there is no bucket {self.name}. Name another with --bucket, or make it: aws s3api create-bucket --bucket "
            f"{self.name} --region {self._region}{place}; then aws s3api put-bucket-versioning --bucket {self.name} "
            "--versioning-configuration Status=Enabled",
        )

    def _url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"
