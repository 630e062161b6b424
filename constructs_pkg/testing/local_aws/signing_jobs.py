"""AWS Signer's jobs: a versioned object in, a really signed one out, and what is remembered of it.

A job is over when StartSigningJob answers (AWS works on after it): nobody's tests have to wait for botocore's waiter,
which looks every 20 seconds.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import asyncio
import io
import json
from datetime import datetime
from typing import Any
from uuid import uuid4

from constructs_pkg.arns import SigningJobArn
from constructs_pkg.errors import ServiceError, SigningError
from constructs_pkg.organization import LAMBDA_PLATFORM
from constructs_pkg.testing.local_aws.callers import caller_arn
from constructs_pkg.testing.local_aws.internals import S3
from constructs_pkg.testing.local_aws.overlay import Overlay, Request
from constructs_pkg.testing.local_aws.pages import page
from constructs_pkg.testing.local_aws.signing_authority import SigningAuthority, partition_of
from constructs_pkg.testing.local_aws.signing_profiles import profile_record, require_permission

__all__ = ["SigningJobs"]

_MAX_PAGE = 25
_MAX_TOKENS = 10_000
_TIMES = ("createdAt", "completedAt", "signatureExpiresAt")


class SigningJobs:
    """The operations on jobs, each as `rest_json.Operation`.

    Args:
        overlay: Where jobs are kept.
        authority: Who signs.
    """

    def __init__(self, overlay: Overlay, authority: SigningAuthority) -> None:
        self._overlay = overlay
        self._authority = authority
        self._jobs = overlay.global_store("signing_jobs")
        self._tokens = overlay.regional_store("signing_job_tokens")

    @property
    def operations(self) -> dict[str, Any]:
        """Return them by name."""
        return {
            "StartSigningJob": self.start,
            "DescribeSigningJob": self.describe,
            "ListSigningJobs": self.list,
            "RevokeSignature": self.revoke,
        }

    async def start(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """Sign an object; the same token returns the same job."""
        token = parameters["clientRequestToken"]
        fingerprint = json.dumps(parameters, sort_keys=True)
        known = self._tokens.get(token)
        if known is not None:
            if known["request"] != fingerprint:
                raise ServiceError("ValidationException", f"clientRequestToken {token!r} was used for another request")
            return known["answer"]
        owner = parameters.get("profileOwner", request.account)
        profile = profile_record(parameters["profileName"], owner, request.region)
        require_permission(profile, "signer:StartSigningJob", request)
        if profile["status"] != "Active":
            raise ServiceError(
                "ValidationException", f"Signing profile {profile['profileName']} is in {profile['status']} state"
            )
        if not parameters["destination"].get("s3", {}).get("bucketName"):
            raise ServiceError("ValidationException", "destination.s3.bucketName is required")
        if "s3" not in parameters["source"]:
            raise ServiceError("ValidationException", "source.s3 is required")
        job = self._new_job(parameters, profile, owner, request)
        answer = {"jobId": job["jobId"], "jobOwner": owner}
        while len(self._tokens) >= _MAX_TOKENS:
            self._tokens.pop(next(iter(self._tokens)))
        # Stored before the first wait: a second request with this token, even one at the same time, finds it.
        self._tokens[token] = {"request": fingerprint, "answer": answer}
        self._jobs[job["jobId"]] = job
        await self._run(job, parameters, profile)
        self._announce(job)
        return answer

    def describe(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """Describe a job to its owner and to who started it."""
        return _shown(self._job(parameters["jobId"], request))

    def list(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """List the jobs that the account owns or started, in the Region, the newest first."""
        found = [job for job in self._jobs.values() if _is_visible(job, request) and _matches(job, parameters)]
        members = {"jobId", "source", "signedObject", "status", "profileName", "profileVersion", "platformId"}
        members |= {"platformDisplayName", "createdAt", "signatureExpiresAt", "jobOwner", "jobInvoker"}
        jobs, token = page(found[::-1], parameters, _MAX_PAGE)
        shown = [
            {key: value for key, value in _shown(job).items() if key in members}
            | {"isRevoked": "revocationRecord" in job}
            for job in jobs
        ]
        return {"jobs": shown, "nextToken": token}

    def revoke(self, parameters: dict[str, Any], request: Request) -> None:
        """Revoke one signature, for ever."""
        owner = parameters.get("jobOwner", request.account)
        job = self._job(parameters["jobId"], request)
        if job["jobOwner"] != owner:
            raise ServiceError("ResourceNotFoundException", f"job {job['jobId']} does not exist", 404)
        profile = profile_record(job["profileName"], owner, request.region)
        require_permission(profile, "signer:RevokeSignature", request)
        if job["status"] != "Succeeded":
            raise ServiceError("ValidationException", f"job {job['jobId']} is {job['status']}: there is no signature")
        arn = _job_arn(job)
        self._authority.revoke_job(arn, parameters["reason"])
        job["revocationRecord"] = {
            "reason": parameters["reason"],
            "revokedAt": self._overlay.now().isoformat(),
            "revokedBy": caller_arn(request),
        }

    def _new_job(
        self, parameters: dict[str, Any], profile: dict[str, Any], owner: str, request: Request
    ) -> dict[str, Any]:
        return {
            "jobId": str(uuid4()),
            "region": request.region,
            "source": parameters["source"],
            "platformId": LAMBDA_PLATFORM,
            "platformDisplayName": "AWS Lambda",
            "profileName": profile["profileName"],
            "profileVersion": profile["profileVersion"],
            "createdAt": self._overlay.now().isoformat(),
            "requestedBy": caller_arn(request),
            "status": "InProgress",
            "jobOwner": owner,
            "jobInvoker": request.account,
        }

    async def _run(self, job: dict[str, Any], parameters: dict[str, Any], profile: dict[str, Any]) -> None:
        """Bring a job to its end: Succeeded, or Failed with the reason."""
        destination = parameters["destination"]["s3"]
        bucket = destination["bucketName"]
        key = f"{destination.get('prefix', '')}{job['jobId']}.zip"
        try:
            archive = _source(job["source"]["s3"])
            target = io.BytesIO()
            # Hashing and copying take a while for large archives; other requests go on meanwhile.
            artifact = await asyncio.to_thread(self._authority.sign, archive, target, profile, job_id=job["jobId"])
            _write(bucket, key, target.getvalue())
        except SigningError as error:
            job |= {"status": "Failed", "statusReason": str(error)}
        else:
            job |= {
                "status": "Succeeded",
                "statusReason": "Signing Succeeded",
                "signedObject": {"s3": {"bucketName": bucket, "key": key}},
                "signatureExpiresAt": artifact.expires_at.isoformat(),
            }
        job["completedAt"] = self._overlay.now().isoformat()

    def _announce(self, job: dict[str, Any]) -> None:
        """Send ``Signer Job Status Change`` to the owner and to who started the job (SDG, monitoring overview)."""
        signed = job.get("signedObject", {}).get("s3", {})
        detail = {
            "job_id": job["jobId"],
            "status": job["status"],
            "platform": job["platformId"],
            "source": job["source"]["s3"],
            "destination": {"bucketName": signed.get("bucketName"), "key": signed.get("key")},
        }
        for account in dict.fromkeys((job["jobOwner"], job["jobInvoker"])):
            with self._overlay.acting_in(account, job["region"]):
                self._overlay.emit_event("aws.signer", "Signer Job Status Change", detail, [_job_arn(job)])

    def _job(self, job_id: str, request: Request) -> dict[str, Any]:
        job = self._jobs.get(job_id)
        if job is None or not _is_visible(job, request):
            raise ServiceError("ResourceNotFoundException", f"job with id {job_id} does not exist", 404)
        return job


def _source(source: dict[str, str]) -> bytes:
    """Read the version of the object that is to be signed.

    Raises:
        SigningError: The bucket has no versions, or there is no such version.
    """
    bucket, key, version = source["bucketName"], source["key"], source["version"]
    if S3._ensure_bucket(bucket) is None:
        raise SigningError("source", f"the source bucket {bucket} does not exist")
    if bucket not in S3._bucket_versioning or version == "null":
        raise SigningError("source", f"versioning is not enabled on the source bucket {bucket}; enable it")
    content = S3._get_object_data(bucket, key, version_id=version)
    if content is None:
        raise SigningError("source", f"the version {version} of s3://{bucket}/{key} does not exist")
    return content


def _write(bucket: str, key: str, content: bytes) -> None:
    if S3._ensure_bucket(bucket) is None:
        raise SigningError("destination", f"the destination bucket {bucket} does not exist")
    headers = {"content-type": "application/zip", "content-length": str(len(content))}
    status, _, body = S3._put_object(bucket, key, content, headers)
    if status >= 300:
        raise SigningError("destination", f"writing s3://{bucket}/{key} failed with status {status}: {body[:200]!r}")


def _is_visible(job: dict[str, Any], request: Request) -> bool:
    return request.account in {job["jobOwner"], job["jobInvoker"]} and request.region == job["region"]


def _matches(job: dict[str, Any], parameters: dict[str, Any]) -> bool:
    for name in ("status", "platformId", "requestedBy", "jobInvoker"):
        if name in parameters and job[name] != parameters[name]:
            return False
    if "isRevoked" in parameters and ("revocationRecord" in job) != parameters["isRevoked"]:
        return False
    expires_at = datetime.fromisoformat(job["signatureExpiresAt"]) if "signatureExpiresAt" in job else None
    before, after = parameters.get("signatureExpiresBefore"), parameters.get("signatureExpiresAfter")
    if expires_at is None:
        return before is None and after is None
    return (before is None or expires_at < before) and (after is None or expires_at > after)


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in job.items() if key != "region"}
    for name in _TIMES:
        if name in shown:
            shown[name] = datetime.fromisoformat(shown[name])
    if "revocationRecord" in shown:
        record = shown["revocationRecord"]
        shown["revocationRecord"] = {**record, "revokedAt": datetime.fromisoformat(record["revokedAt"])}
    return shown


def _job_arn(job: dict[str, Any]) -> str:
    return str(SigningJobArn(partition_of(job["region"]), job["region"], job["jobOwner"], job["jobId"]))
