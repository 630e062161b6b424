"""AWS Signer's API as far as signing needs it: the profile, a job, its end; paced, and repeated where that is safe.

Every request here may be repeated: two read, and ``StartSigningJob`` carries a token, with which "all calls after the
first that use this token return the same response as the first call" (botocore 1.43.106, ``signer``).
"""

# boto3 makes its clients, and their types, at run time.

from dataclasses import dataclass
from typing import Any

from constructs_pkg.arns import SigningProfileVersionArn
from constructs_pkg.aws.clients import Clients, aws_errors
from constructs_pkg.aws.pacing import Patience, SignerRate, Waiting
from constructs_pkg.errors import ArnError, AwsError, SigningError
from constructs_pkg.organization import LAMBDA_PLATFORM
from constructs_pkg.signing.authority_records import ProfileStatus, SigningRefusal

__all__ = ["SigningJob", "SigningJobRequest", "SigningService"]

_REPEATED = {
    "TooManyRequestsException",
    "ThrottlingException",
    "InternalServiceErrorException",
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "500",
    "502",
    "503",
    "504",
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
}
"""Codes of refusals for the rate, of AWS's own mistakes, and of answers that were lost on the way."""


@dataclass(frozen=True, slots=True)
class SigningJobRequest:
    """What a job is to sign.

    Attributes:
        bucket: Where source and result lie.
        key: Of the source.
        version: Of the source's object.
        prefix: Of the result's key.
        token: Requests with the same one are one request.
    """

    bucket: str
    key: str
    version: str
    prefix: str
    token: str


@dataclass(frozen=True, slots=True)
class SigningJob:
    """A job that is over.

    Attributes:
        job_id: A UUID.
        key: Of the signed object, in the bucket of the request; None where there is none.
        failure: Why the job failed, in AWS's words; None where it succeeded.
        revocation: Why its signature was revoked; None where it was not.
    """

    job_id: str
    key: str | None
    failure: str | None
    revocation: str | None


class SigningService:
    """AWS Signer in one Region.

    Args:
        clients: Whose credentials are used.
        region: The Region; that of the session where None.
        rate: How fast it is asked.
        waiting: Clock and sleep.
        timeout_seconds: How long is waited for one job, and for one request that AWS refuses for its rate.

    Attributes:
        region: The Region.
        waiting: Clock and sleep.
    """

    def __init__(
        self, clients: Clients, region: str | None, *, rate: SignerRate, waiting: Waiting, timeout_seconds: float
    ) -> None:
        self._client: Any = clients.client("signer", region, attempts=1)
        self.region: str = self._client.meta.region_name
        self._rate = rate
        self.waiting = waiting
        self._timeout_seconds = timeout_seconds

    def publisher(self, profile: str, owner: str | None) -> SigningProfileVersionArn:
        """Return the version of a profile that signs.

        Args:
            profile: The profile's name.
            owner: Its account; the caller's own where None.

        Raises:
            SigningError: There is none of this name, it was cancelled or revoked, or is for another platform.
            AwsError: It cannot be read.
        """
        request = {"profileName": profile} | ({} if owner is None else {"profileOwner": owner})
        doing = f"read the signing profile {profile!r}" + (f" of account {owner}" if owner else "")
        try:
            answer = self._call("GetSigningProfile", doing, self._patience(f"the attempt to {doing}"), request)
        except AwsError as error:
            raise _explained(error, profile) from error
        if answer.get("platformId") != LAMBDA_PLATFORM:
            raise SigningError(
                SigningRefusal.ARGUMENT,
                f"the signing profile {profile!r} is for the platform {answer.get('platformId')!r}. Name one for "
                f"{LAMBDA_PLATFORM}",
            )
        status = answer.get("status")
        if status != ProfileStatus.ACTIVE:
            reason = (
                SigningRefusal.PROFILE_REVOKED if status == ProfileStatus.REVOKED else SigningRefusal.PROFILE_CANCELED
            )
            raise SigningError(
                reason, f"the signing profile {profile!r} is {status} and signs no more. Use the next generation"
            )
        try:
            return SigningProfileVersionArn.parse(str(answer.get("profileVersionArn")))
        except ArnError as error:
            raise AwsError("UnexpectedAnswer", f"cannot {doing}: {error}") from error

    def start(self, publisher: SigningProfileVersionArn, owner: str | None, request: SigningJobRequest) -> str:
        """Start a job, or find the one that was started with the same token, and return its id.

        Args:
            publisher: Whose profile signs.
            owner: The profile's account; None where that is the caller's own.
            request: What is signed.

        Raises:
            SigningError: AWS Signer does not take this request.
            AwsError: It was not reached, or does not let the caller.
        """
        parameters: dict[str, object] = {
            "source": {"s3": {"bucketName": request.bucket, "key": request.key, "version": request.version}},
            "destination": {"s3": {"bucketName": request.bucket, "prefix": request.prefix}},
            "profileName": publisher.name,
            "clientRequestToken": request.token,
        }
        if owner is not None:
            parameters["profileOwner"] = owner
        doing = f"start a signing job with {publisher.name}"
        try:
            answer = self._call("StartSigningJob", doing, self._patience(f"the attempt to {doing}"), parameters)
        except AwsError as error:
            if error.code == "ValidationException":
                raise SigningError("request_refused", f"{error} Is the profile active, and for Lambda?") from error
            raise _explained(error, publisher.name) from error
        return str(answer["jobId"])

    def finished(self, job_id: str) -> SigningJob:
        """Wait for the end of a job.

        Args:
            job_id: Its id.

        Raises:
            AwsError: It did not end in time, or cannot be looked at.
        """
        doing = f"look at the signing job {job_id}"
        patience = self._patience(f"the signing job {job_id}")
        while True:
            answer = self._call("DescribeSigningJob", doing, patience, {"jobId": job_id})
            status = answer.get("status")
            if status in {"Succeeded", "Failed"}:
                break
            patience.pause(f"status {status}")
        failure = str(answer.get("statusReason") or "AWS gave no reason") if status == "Failed" else None
        key = answer.get("signedObject", {}).get("s3", {}).get("key")
        record = answer.get("revocationRecord")
        revocation = None if record is None else str(record.get("reason") or "no reason is recorded")
        return SigningJob(job_id, key, failure, revocation)

    def _patience(self, what: str) -> Patience:
        return Patience(self.waiting, self._timeout_seconds, what)

    def _call(self, operation: str, doing: str, patience: Patience, parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a request in its turn, again and again while that may help."""
        method = {
            "GetSigningProfile": "get_signing_profile",
            "StartSigningJob": "start_signing_job",
            "DescribeSigningJob": "describe_signing_job",
        }[operation]
        while True:
            self._rate.wait(self.region, operation, self.waiting)
            try:
                with aws_errors(doing):
                    return getattr(self._client, method)(**parameters)
            except AwsError as error:
                if error.code not in _REPEATED:
                    raise
                patience.pause(str(error))


def _explained(error: AwsError, profile: str) -> AwsError | SigningError:
    """Say what the usual refusals mean here: a profile that is not there is a mistake, not a missing answer."""
    if error.code == "ResourceNotFoundException":
        return SigningError(
            SigningRefusal.PROFILE_NOT_FOUND,
            f"{error} Check the name {profile!r} and the Region; for another account's profile give --profile-owner",
        )
    if error.code == "AccessDeniedException":
        return AwsError(
            error.code,
            f"{error} The owner of the profile {profile!r} has to grant signer:StartSigningJob and "
            "signer:GetSigningProfile, and the caller's own policy to allow them",
        )
    return error
