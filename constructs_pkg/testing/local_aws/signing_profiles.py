"""AWS Signer's profiles: making, reading, cancelling, permissions, tags. MiniStack keeps the records.

MiniStack's own handlers (whose wording is measured on AWS, as they say) do what they do well; what they lack is here:
the bounds of the validity period, listing, other accounts, tags, and a refusal of the platforms that nobody signs for.
"""

# MiniStack is untyped and has no public names for this; `internals` lists all that is touched.
# ruff: noqa: SLF001

import json
from typing import Any

from constructs_pkg.arns import SigningProfileArn
from constructs_pkg.errors import ArnError, ServiceError, ValidityError
from constructs_pkg.organization import LAMBDA_PLATFORM
from constructs_pkg.testing.local_aws.callers import caller_arn, role_arn_of_session
from constructs_pkg.testing.local_aws.internals import SIGNER
from constructs_pkg.testing.local_aws.overlay import Request, Response
from constructs_pkg.testing.local_aws.pages import page
from constructs_pkg.testing.local_aws.signing_authority import validity_of

__all__ = ["SigningProfiles", "profile_record", "require_permission"]

_MAX_PAGE = 25
_MAX_TAGS = 200
_PLATFORM = {"platformId": LAMBDA_PLATFORM, "displayName": "AWS Lambda", "revocationSupported": True}
_HIDDEN = {"policy"}


def profile_record(name: str, owner: str, region: str) -> dict[str, Any]:
    """Return the record of a profile.

    Args:
        name: The profile.
        owner: The account that it belongs to.
        region: The Region that it is in.

    Raises:
        ServiceError: There is none (``ResourceNotFoundException``).
    """
    record = SIGNER._profiles.get_scoped(owner, region, name)
    if record is None:
        raise ServiceError("ResourceNotFoundException", f"profile with name {name} does not exist", 404)
    return record


def require_permission(profile: dict[str, Any], action: str, request: Request) -> None:
    """Refuse somebody of another account whom no statement of the profile permits an action.

    Args:
        profile: The record.
        action: Such as ``signer:StartSigningJob``.
        request: Whose caller it is about; within the owner's account IAM decides alone.

    Raises:
        ServiceError: ``AccessDeniedException``.
    """
    owner = SigningProfileArn.parse(profile["arn"]).account
    if request.account == owner:
        return
    caller = caller_arn(request)
    for statement in profile.get("policy", {}).get("statements", []):
        is_version = statement.get("profileVersion") in {None, profile["profileVersion"]}
        is_caller = statement["principal"] in {request.account, caller, role_arn_of_session(caller)}
        if statement["action"] == action and is_version and is_caller:
            return
    raise ServiceError(
        "AccessDeniedException",
        f"User: {caller} is not authorized to perform: {action} on resource: {profile['arn']} because no "
        f"resource-based policy allows the {action} action",
        403,
    )


class SigningProfiles:
    """The operations on profiles, each as `rest_json.Operation`."""

    @property
    def operations(self) -> dict[str, Any]:
        """Return them by name."""
        return {
            "PutSigningProfile": self.put,
            "GetSigningProfile": self.get,
            "ListSigningProfiles": self.list,
            "CancelSigningProfile": self.cancel,
            "AddProfilePermission": self.add_permission,
            "RemoveProfilePermission": self.remove_permission,
            "ListProfilePermissions": self.list_permissions,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.list_tags,
            "GetSigningPlatform": self.get_platform,
            "ListSigningPlatforms": self.list_platforms,
        }

    def put(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Make a profile; its name is taken for ever."""
        if parameters["platformId"] != LAMBDA_PLATFORM:
            raise ServiceError(
                "ValidationException",
                f"the local AWS signs for the platform {LAMBDA_PLATFORM} only, not for {parameters['platformId']}",
            )
        try:
            validity_of(parameters)
        except ValidityError as error:
            raise ServiceError("ValidationException", str(error)) from error
        return _answer(SIGNER._put_signing_profile(parameters["profileName"], parameters))

    def get(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """Show a profile, that of another account where its owner permits it."""
        owner = parameters.get("profileOwner", request.account)
        profile = profile_record(parameters["profileName"], owner, request.region)
        require_permission(profile, "signer:GetSigningProfile", request)
        return _shown(profile)

    def list(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the profiles of the account and Region; cancelled ones where asked for."""
        statuses = set(parameters.get("statuses", ())) or {"Active"}
        if parameters.get("includeCanceled"):
            statuses.add("Canceled")
        names = {"profileName", "profileVersion", "profileVersionArn", "signatureValidityPeriod", "platformId"}
        names |= {"platformDisplayName", "signingParameters", "status", "arn", "tags"}
        found = [
            {key: value for key, value in _shown(profile).items() if key in names}
            for profile in SIGNER._profiles.values()
            if profile["status"] in statuses and parameters.get("platformId") in {None, profile["platformId"]}
        ]
        profiles, token = page(found, parameters, _MAX_PAGE)
        return {"profiles": profiles, "nextToken": token}

    def cancel(self, parameters: dict[str, Any], request: Request) -> None:
        """Take a profile its right to sign; what it signed stays good."""
        name = parameters["profileName"]
        if profile_record(name, request.account, request.region)["status"] == "Revoked":
            raise ServiceError("ValidationException", f"the signing profile {name} is revoked already")
        _answer(SIGNER._cancel_signing_profile(name))

    def add_permission(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Let another account, or a role of it, use a profile."""
        return _answer(SIGNER._add_profile_permission(parameters["profileName"], parameters))

    def remove_permission(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Take a permission back; it has effect at once."""
        return _answer(
            SIGNER._remove_profile_permission(
                parameters["profileName"], parameters["statementId"], parameters["revisionId"]
            )
        )

    def list_permissions(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the permissions of a profile."""
        return _answer(SIGNER._list_profile_permissions(parameters["profileName"]))

    def tag(self, parameters: dict[str, Any], request: Request) -> None:
        """Tag a profile."""
        profile = _tagged(parameters["resourceArn"], request)
        tags: dict[str, str] = {**(profile["tags"] or {}), **parameters["tags"]}
        if len(tags) > _MAX_TAGS:
            raise ServiceError("BadRequestException", f"a profile has at most {_MAX_TAGS} tags")
        profile["tags"] = tags

    def untag(self, parameters: dict[str, Any], request: Request) -> None:
        """Take tags away."""
        profile = _tagged(parameters["resourceArn"], request)
        gone = set(parameters["tagKeys"])
        tags: dict[str, str] = profile["tags"] or {}
        profile["tags"] = {key: value for key, value in tags.items() if key not in gone}

    def list_tags(self, parameters: dict[str, Any], request: Request) -> dict[str, Any]:
        """List the tags of a profile."""
        return {"tags": _tagged(parameters["resourceArn"], request).get("tags") or {}}

    def get_platform(self, parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """Describe the one platform."""
        if parameters["platformId"] != LAMBDA_PLATFORM:
            raise ServiceError("ResourceNotFoundException", f"platform {parameters['platformId']} does not exist", 404)
        return dict(_PLATFORM)

    def list_platforms(self, _parameters: dict[str, Any], _request: Request) -> dict[str, Any]:
        """List the one platform."""
        return {"platforms": [dict(_PLATFORM)]}


def _shown(profile: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in profile.items() if value is not None and key not in _HIDDEN}
    shown.setdefault("signatureValidityPeriod", {"type": "MONTHS", "value": 135})
    shown.setdefault("platformDisplayName", _PLATFORM["displayName"])
    shown.setdefault("tags", {})
    return shown


def _tagged(arn: str, request: Request) -> dict[str, Any]:
    try:
        found = SigningProfileArn.parse(arn)
    except ArnError as error:
        raise ServiceError("BadRequestException", str(error)) from error
    if (found.account, found.region) != (request.account, request.region):
        raise ServiceError("NotFoundException", f"{arn} does not exist", 404)
    try:
        record = profile_record(found.name, found.account, found.region)
    except ServiceError as error:
        raise ServiceError("NotFoundException", str(error), 404) from error
    record.setdefault("tags", None)
    return record


def _answer(response: Response) -> dict[str, Any]:
    """Return the answer of a handler of MiniStack's, or raise its error again."""
    status, headers, body = response
    content: dict[str, Any] = json.loads(body) if body else {}
    if status < 400:
        return content
    code = content.get("__type") or headers.get("x-amzn-errortype", "InternalServiceErrorException")
    raise ServiceError(code, content.get("message", ""), status)
