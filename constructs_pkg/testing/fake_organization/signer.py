"""AWS Signer of a fake organization: jobs and profiles to be looked at and revoked; nothing is signed."""

# boto3's methods take parameters in the letters of the API, and types are known to it at run time only.
# ruff: noqa: ANN401, N803

from datetime import datetime
from typing import Any

from constructs_pkg.testing.fake_organization.clients import Service
from constructs_pkg.testing.fake_organization.faults import ServiceAnswer

__all__ = ["SignerService"]


class SignerService(Service):
    """Describes and revokes."""

    def describe_signing_job(self, *, jobId: str) -> dict[str, Any]:
        """Describe a job."""
        return {"jobId": jobId, **self._job(jobId)}

    def get_signing_profile(self, *, profileName: str, profileOwner: str | None = None) -> dict[str, Any]:
        """Describe a profile in its present version."""
        place = self.organization.place(profileOwner or self.account, self.region)
        if profileName not in place.profiles:
            raise ServiceAnswer("ResourceNotFoundException", f"Profile {profileName} not found", 404)
        return {"profileName": profileName, **place.profiles[profileName]}

    def list_signing_profiles(
        self,
        *,
        includeCanceled: bool = False,
        platformId: str | None = None,
        maxResults: int = 25,
        nextToken: str | None = None,
        **_more: Any,
    ) -> dict[str, Any]:
        """List the profiles, without those that were cancelled unless they are asked for."""
        items = [
            {"profileName": name, **profile}
            for name, profile in sorted(self.organization.place(self.account, self.region).profiles.items())
            if (includeCanceled or profile.get("status") != "Canceled")
            and profile.get("platformId", platformId) == platformId
        ]
        name = "signer:ListSigningProfiles"
        return self.page(name, items, min(maxResults, 25), nextToken, key="profiles", token_key="nextToken")  # noqa: S106

    def revoke_signature(self, *, jobId: str, reason: str, jobOwner: str | None = None) -> dict[str, Any]:
        """Revoke what a job signed; again changes nothing."""
        job = self._job(jobId, jobOwner)
        now = self.organization.clock.now()
        job.setdefault("revocationRecord", {"reason": reason, "revokedAt": now, "revokedBy": self.caller.arn})
        return {}

    def revoke_signing_profile(
        self,
        *,
        profileName: str,
        profileVersion: str,
        reason: str,
        effectiveTime: datetime,
    ) -> dict[str, Any]:
        """Revoke what a profile version signed after a moment, which lies in the past and only moves earlier."""
        profile = self.organization.place(self.account, self.region).profiles.get(profileName)
        if profile is None or profile.get("profileVersion") != profileVersion:
            raise ServiceAnswer("ResourceNotFoundException", f"Profile {profileName} not found", 404)
        earlier = profile.get("revocationRecord", {}).get("revocationEffectiveFrom", effectiveTime)
        if effectiveTime > self.organization.clock.now() or effectiveTime > earlier:
            raise ServiceAnswer("ValidationException", f"{reason}: effectiveTime must not be later")
        profile["status"] = "Revoked"
        profile["revocationRecord"] = {
            "revocationEffectiveFrom": effectiveTime,
            "revokedAt": self.organization.clock.now(),
            "revokedBy": self.caller.arn,
        }
        return {}

    def _job(self, job_id: str, owner: str | None = None) -> dict[str, Any]:
        job = self.organization.place(owner or self.account, self.region).jobs.get(job_id)
        if job is None:
            raise ServiceAnswer("ResourceNotFoundException", f"Job {job_id} not found", 404)
        return job
