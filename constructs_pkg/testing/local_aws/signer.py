"""AWS Signer, whole but for containers: profiles, jobs, revocation, rate limits. It replaces MiniStack's routes."""

from datetime import datetime
from typing import Any

from constructs_pkg.errors import ServiceError
from constructs_pkg.organization import LAMBDA_PLATFORM
from constructs_pkg.testing.local_aws.callers import caller_arn
from constructs_pkg.testing.local_aws.overlay import Overlay, Proceed, Request, Response
from constructs_pkg.testing.local_aws.rate_limits import SIGNER_LIMITS, RateLimits
from constructs_pkg.testing.local_aws.rest_json import RestJsonService
from constructs_pkg.testing.local_aws.signing_authority import SigningAuthority
from constructs_pkg.testing.local_aws.signing_jobs import SigningJobs
from constructs_pkg.testing.local_aws.signing_profiles import SigningProfiles, profile_record

__all__ = ["install"]


def install(overlay: Overlay) -> None:
    """Serve AWS Signer.

    Args:
        overlay: The registry.
    """
    authority = SigningAuthority(overlay)
    overlay.share(authority)
    revocation = _Revocation(overlay, authority)
    service = RestJsonService(
        "signer",
        SigningProfiles().operations | SigningJobs(overlay, authority).operations | revocation.operations,
        refuses_others=True,
    )
    limits = RateLimits(SIGNER_LIMITS) if overlay.settings.limits_rates else None

    async def serve(request: Request, proceed: Proceed) -> Response:
        if limits is not None:
            found = service.find(request)
            limits.require(request.account, request.region, found[0].name if found else "")
        return await service(request, proceed)

    overlay.add_service("signer", serve)


class _Revocation:
    """RevokeSigningProfile and GetRevocationStatus."""

    def __init__(self, overlay: Overlay, authority: SigningAuthority) -> None:
        self._overlay = overlay
        self._authority = authority

    @property
    def operations(self) -> dict[str, Any]:
        return {"RevokeSigningProfile": self.revoke_profile, "GetRevocationStatus": self.status}

    def revoke_profile(self, parameters: dict[str, Any], request: Request) -> None:
        """Revoke what a profile version signed from a moment on; it can never sign again.

        The moment lies in the past; repeating moves it earlier, never later (SDG, revocation).
        """
        profile = profile_record(parameters["profileName"], request.account, request.region)
        version, effective_time = parameters["profileVersion"], parameters["effectiveTime"]
        if version != profile["profileVersion"]:
            raise ServiceError(
                "ResourceNotFoundException",
                f"version {version} of profile {profile['profileName']} does not exist",
                404,
            )
        now = self._overlay.now()
        if effective_time > now:
            raise ServiceError(
                "ValidationException", f"effectiveTime {effective_time.isoformat()} lies in the future; give a past one"
            )
        record = profile.get("revocationRecord")
        if record is not None and effective_time > datetime.fromtimestamp(
            record["revocationEffectiveFrom"], effective_time.tzinfo
        ):
            raise ServiceError(
                "ValidationException",
                f"profile {profile['profileName']} is revoked from an earlier moment; that cannot be moved later",
            )
        self._authority.revoke_profile_version(profile["profileVersionArn"], effective_time, parameters["reason"])
        # Seconds since 1970: that is how MiniStack, which shows the record to CloudFormation too, keeps times.
        profile |= {
            "status": "Revoked",
            "statusReason": parameters["reason"],
            "revocationRecord": {
                "revocationEffectiveFrom": effective_time.timestamp(),
                "revokedAt": now.timestamp(),
                "revokedBy": caller_arn(request),
            },
        }

    def status(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Refuse: AWS answers for the Lambda platform with an error, and no other platform is served here."""
        if parameters["platformId"] == LAMBDA_PLATFORM:
            message = f"GetRevocationStatus does not support the platform {LAMBDA_PLATFORM}"
        else:
            message = f"the local AWS signs for the platform {LAMBDA_PLATFORM} only"
        raise ServiceError("ValidationException", message)
