"""One archive's way through AWS Signer: upload, job, wait, download, look at it, store it under its content.

Why nothing is signed twice, whatever happens in between: an archive lies in the bucket under its digest, as one
version; the token of a job is made of that version and of the profile version, so that whoever asks again gets the job
that runs; and the result is written to a name made of content and publisher only where nothing is there. A run that was
killed therefore goes on where it was. Who wants another job (the last one failed, the signature runs out) uploads the
archive once more, which gives another version and so another token.
"""

import hashlib
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.aws.signing_bucket import ObjectVersion, SigningBucket
from constructs_pkg.aws.signing_service import SigningJob, SigningJobRequest, SigningService
from constructs_pkg.errors import AwsError, ProvenanceError, SigningError
from constructs_pkg.signing.archive import DEFAULT_LIMITS
from constructs_pkg.signing.archive_bytes import sha256_of
from constructs_pkg.signing.object_names import JOB_PREFIX, provenance_key, signed_key, unsigned_key
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.provenance import contradictions, provenance_of
from constructs_pkg.signing.provenance_statement import (
    MAX_PROVENANCE_BYTES,
    Provenance,
    format_provenance,
    parse_provenance,
    require_claims,
)
from constructs_pkg.signing.renewal import runs_out_soon
from constructs_pkg.signing.report import iso_time
from constructs_pkg.signing.signed_object import Outcome, SignedObject
from constructs_pkg.signing.signing_result import CheckedSignature, check_signing_result
from constructs_pkg.signing.unsigned_archive import read_unsigned

__all__ = ["SigningTask"]

_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class SigningTask:
    """What is the same for one archive throughout.

    Attributes:
        service: AWS Signer.
        bucket: The bucket, known to be usable.
        publisher: The signing profile version that is to sign.
        profile_owner: The profile's account; None where that is the caller's own.
        policy: Whom to trust; None where nobody said.
        started_at: The moment at which it began, aware.
        started_seconds: The same on the monotonic clock.
        name: What is signed, for people.
        commit: What it was built from, as the caller says.
        annotations: Further texts for the provenance.
    """

    service: SigningService
    bucket: SigningBucket
    publisher: SigningProfileVersionArn
    profile_owner: str | None
    policy: CodeSigningPolicy | None
    started_at: datetime
    started_seconds: float
    name: str
    commit: str | None = None
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, source: BinaryIO, target: BinaryIO) -> SignedObject:
        """Have an archive signed, or find it signed, and write it to a file.

        Args:
            source: The unsigned archive.
            target: A file open for writing and reading, which is emptied before.

        Raises:
            SigningError: The archive or the request is refused, the job failed, what came back is not what was asked
                for, or the signature that is there was revoked.
            ProvenanceError: Name, commit or annotations cannot be written down.
            AwsError: AWS was not reached, refuses the caller, or needs too long.
        """
        require_claims(self.name, self.commit, self.annotations)
        read_unsigned(source)
        digest = sha256_of(source)
        key = signed_key(digest.hex(), self.publisher)
        seen = self.bucket.find(key)
        signature = None if seen is None else self._kept(source, target, seen)
        if seen is not None and signature is not None:
            return self._done(Outcome.REUSED, seen.version, digest, signature, target)
        signature = self._signed(source, target, digest, anew=seen is not None)
        stored = self.bucket.store(
            key, target, content_type="application/zip", metadata=self._metadata(digest, signature), replaces=seen
        )
        if stored is not None:
            return self._done(Outcome.SIGNED, stored, digest, signature, target)
        # Another run was faster. What it stored is looked at like anybody's.
        seen = self.bucket.find(key)
        signature = None if seen is None else self._kept(source, target, seen)
        if seen is None or signature is None:
            raise AwsError("ObjectChanged", f"cannot store {self._url(key)}: it changes meanwhile. Run the same again")
        return self._done(Outcome.REUSED, seen.version, digest, signature, target)

    def _kept(self, source: BinaryIO, target: BinaryIO, seen: ObjectVersion) -> CheckedSignature | None:
        """Look at the signed object that is there; None where its signature runs out soon."""
        self.bucket.download(seen.key, seen.version, target, DEFAULT_LIMITS.max_archive_bytes)
        signature = self._checked(source, target, None, f"{self.name}, which lies at {self._url(seen.key)},")
        self._require_not_revoked(self._job_of(signature, seen))
        days = 0 if self.policy is None else self.policy.templates.expires_within_days
        is_old = runs_out_soon(signature.signed_at, signature.expires_at, self._now(), within_days=days)
        return None if is_old else signature

    def _job_of(self, signature: CheckedSignature, seen: ObjectVersion) -> SigningJob:
        """Return the job behind a signature that is there: what is not known of it is never taken for good."""
        try:
            return self.service.finished(signature.signing_job_arn.job_id)
        except AwsError as error:
            raise AwsError(
                error.code,
                f"{error} Whether the signature of {self._url(seen.key)} was revoked is therefore not known, and it is "
                "not used. Sign as somebody who may describe the job, or delete the object to have it signed again",
            ) from error

    def _signed(self, source: BinaryIO, target: BinaryIO, digest: bytes, *, anew: bool) -> CheckedSignature:
        """Have the archive signed, and look at the result."""
        problem = ""
        for _ in range(_ATTEMPTS):
            version, is_new = self.bucket.put_source(unsigned_key(digest.hex()), source, digest, anew=anew)
            job = self.service.finished(
                self.service.start(self.publisher, self.profile_owner, self._request(digest, version))
            )
            self._require_not_revoked(job)
            problem = job.failure or self._fetched(job, target)
            if not problem:
                return self._checked(source, target, job.job_id, self.name)
            if is_new:
                break
            # The token found a job of an earlier run: its failure may have been mended, its object cleared away.
            anew = True
        raise SigningError("job_failed", f"AWS Signer did not sign {self.name}: {problem}")

    def _fetched(self, job: SigningJob, target: BinaryIO) -> str:
        """Download what a job made; return what is wrong where it is gone."""
        if job.key is None:
            raise AwsError("UnexpectedAnswer", f"the signing job {job.job_id} succeeded and names no signed object")
        try:
            self.bucket.download(job.key, None, target, DEFAULT_LIMITS.max_archive_bytes)
        except AwsError as error:
            if error.code != "NoSuchKey":
                raise
            return f"the job {job.job_id} succeeded, and {self._url(job.key)} is gone"
        return ""

    def _checked(self, source: BinaryIO, result: BinaryIO, job_id: str | None, name: str) -> CheckedSignature:
        return check_signing_result(
            source, result, publisher=self.publisher, job_id=job_id, policy=self.policy, at=self._now(), name=name
        )

    def _now(self) -> datetime:
        """Return the present moment: a job may take long, and its signature must not look as if made in the future."""
        return self.started_at + timedelta(seconds=self.service.waiting.monotonic() - self.started_seconds)

    def _require_not_revoked(self, job: SigningJob) -> None:
        """Refuse what was revoked: the same content is not signed again as if nothing had happened."""
        if job.revocation is not None:
            raise SigningError(
                "signature_revoked",
                f"{self.name} was signed by the job {job.job_id}, whose signature was revoked ({job.revocation}). The "
                "same content is not signed again: change what was wrong with it",
            )

    def _request(self, digest: bytes, version: str) -> SigningJobRequest:
        key = unsigned_key(digest.hex())
        parts = (self.bucket.name, key, version, JOB_PREFIX, str(self.publisher))
        # In the form of a UUID, which is what boto3 sends by itself: how long a token may be is not documented.
        token = uuid.UUID(bytes=hashlib.sha256("\n".join(parts).encode()).digest()[:16], version=4)
        return SigningJobRequest(self.bucket.name, key, version, JOB_PREFIX, str(token))

    def _done(
        self, outcome: Outcome, version: str, digest: bytes, signature: CheckedSignature, archive: BinaryIO
    ) -> SignedObject:
        """Make sure that the provenance lies beside the object, and tell of it."""
        key = signed_key(digest.hex(), self.publisher)
        wanted = provenance_of(
            archive,
            name=key,
            source_name=self.name,
            source_sha256=digest.hex(),
            commit=self.commit,
            annotations=self.annotations,
        )
        seen = self.bucket.find(provenance_key(key))
        if seen is None or not self._fits(seen, wanted):
            text = format_provenance(wanted).encode()
            # Where another run was faster, it wrote the same but for name and commit of the source.
            self.bucket.store(
                seen.key if seen else provenance_key(key),
                text,
                content_type="application/vnd.in-toto+json",
                metadata={},
                replaces=seen,
            )
        return SignedObject(outcome, self.bucket.name, key, version, digest.hex(), signature)

    def _fits(self, seen: ObjectVersion, wanted: Provenance) -> bool:
        """Tell whether a provenance that is there is about this archive; another run may have been killed before."""
        with tempfile.TemporaryFile() as file:
            try:
                self.bucket.download(seen.key, seen.version, file, MAX_PROVENANCE_BYTES)
                file.seek(0)
                found = parse_provenance(file.read(), self._url(seen.key))
            except ProvenanceError:
                return False
        is_same_source = (found.name, found.source_sha256) == (wanted.name, wanted.source_sha256)
        return is_same_source and not contradictions(found, wanted)

    def _metadata(self, digest: bytes, signature: CheckedSignature) -> dict[str, str]:
        """Return what the object itself says of its signature, for people who look at it in S3."""
        return {
            "source-sha256": digest.hex(),
            "signing-job-arn": str(signature.signing_job_arn),
            "signing-profile-version-arn": str(signature.signing_profile_version_arn),
            "signed-at": iso_time(signature.signed_at) or "",
            "expires-at": iso_time(signature.expires_at) or "",
            **({} if self.commit is None else {"commit": self.commit}),
        }

    def _url(self, key: str) -> str:
        return f"s3://{self.bucket.name}/{key}"
