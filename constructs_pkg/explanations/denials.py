"""AccessDenied on the actions of code signing: which guardrail said no, why, and what to do instead.

What a denial says about the policy that denied is that of the IAM User Guide, "Troubleshoot access denied error
messages". Which action takes which condition key is the service authorization data for Lambda and Signer.
"""

import re
from dataclasses import dataclass
from itertools import islice

from constructs_pkg.explanations.meaning import Explanation

__all__ = ["explain_denials"]

_SOURCE = "Service authorization data for AWS Lambda, AWS Signer and IAM; IAM User Guide, access denied error messages"


@dataclass(frozen=True, slots=True)
class _Denied:
    """Why an action is denied in an organization with these guardrails, and what to do."""

    meaning: str
    remedies: tuple[str, ...]


_ASK = "Where it really has to be, ask the team that owns the guardrail; nobody can grant it to themselves"
_CONFIG = (
    "Find your application's config: aws ssm get-parameters-by-path --path /lambda-code-signing/code-signing-configs "
    "--recursive"
)

_CREATE = _Denied(
    "A function may be created only under the approved code signing config. The request named no config (a container "
    "image cannot have one), or another one, or the function's name is not one of your application's.",
    (
        _CONFIG,
        "Name it in the request: CodeSigningConfigArn, in CDK EnforcedCodeSigning.attach_to(function)",
        "A container image: deploy the function as a signed ZIP, or ask for an exemption",
        "Check that the function's name begins as your application's functions do",
    ),
)
_PUT = _Denied(
    "A function may be put under the approved code signing config only.",
    (_CONFIG, "Use its ARN: configs live in the account and Region of the function"),
)
_DETACH = _Denied(
    "Without its config a function would take any code, so detaching is denied to everybody but the exempt roles.",
    ("To change the config, attach the new one; no detaching is needed", _ASK),
)
_CONFIG_CHANGE = _Denied(
    "Configs say who may sign and whether Lambda enforces it. They are made and changed by the security team's "
    "deployment only.",
    (
        "Another publisher or a new application: change organization.toml and have the security team deploy it",
        _CONFIG,
    ),
)
_READ_CONFIG = _Denied(
    "Reading a function's config was denied. In a Region without AWS Signer, Lambda was observed to answer this too.",
    ("Check the Region of the function first", "Ask for lambda:GetFunctionCodeSigningConfig on your functions"),
)
_UPDATE_CODE = _Denied(
    "Code may be deployed only to your application's own functions, and not to one that is quarantined. IAM has no "
    "condition for the code signing config on this action: Lambda itself checks the signature afterwards.",
    (
        "Check the function's name and account",
        "Does the function carry a quarantine tag? Then it lost its config: ask the security team",
    ),
)
_UPDATE_CONFIGURATION = _Denied(
    "Settings and layers may be changed only on your application's own functions, with layers that it may use.",
    ("Check the function's name", "A layer of another team or a vendor: have it added to organization.toml"),
)
_SHARE = _Denied(
    "A resource-based policy would let others act on functions or layers around the guardrail.",
    ("Invocations through a service: use the principals that your application's guardrail lists", _ASK),
)
_TAG = _Denied(
    "Tags decide what the guardrail protects, so the protected ones cannot be set or removed.",
    ("Leave the guardrail's tags away; your own tags are not restricted", _ASK),
)
_SURFACE = _Denied(
    "This runs code that Lambda code signing does not check. The guardrail allows a list of actions and denies the "
    "rest, those that AWS adds later included.",
    ("Use a function with a signed ZIP", _ASK),
)
_SIGN = _Denied(
    "Only the principals that a signing profile's permission lists, with an IAM policy of their own that allows it, "
    "may sign with it. For another account's profile both sides have to say yes.",
    (
        "Sign through your pipeline's role instead of your own",
        "Another account's profile: pass its owner (profile-owner, in SAM Name=Profile:Owner)",
        "Ask the owner of the profile to add your account or role: a role with a path is not possible",
    ),
)
_READ_PROFILE = _Denied(
    "The profile's permissions do not let you read it.",
    (
        (
            "The version ARN is also in SSM: aws ssm get-parameters-by-path --path "
            "/lambda-code-signing/signing-profiles --recursive"
        ),
        "Ask the owner of the profile for signer:GetSigningProfile",
    ),
)
_PROFILE_CHANGE = _Denied(
    "Making, cancelling, sharing and revoking are for the signing authority: cancelling and revoking cannot be undone.",
    (
        "A new profile or another signer: change organization.toml and have the security team deploy it",
        "You suspect a stolen key or a bad artifact: call the security team now; they revoke",
    ),
)
_PASS_ROLE = _Denied(
    "A role outside of the guardrail could deploy unsigned code for you, so only your application's execution roles "
    "can be passed, and only to Lambda.",
    (
        "Use one of your application's execution roles",
        "AWS CDK: bootstrap with the permissions boundary, as the guide says",
    ),
)
_BOUNDARY = _Denied(
    "A role without the permissions boundary would not be bound by the guardrail.",
    ("Create the role with your application's boundary (in CDK: PermissionsBoundary.of(app).apply)", _ASK),
)

_BY_ACTION: dict[str, _Denied] = {
    "lambda:createfunction": _CREATE,
    "lambda:putfunctioncodesigningconfig": _PUT,
    "lambda:deletefunctioncodesigningconfig": _DETACH,
    "lambda:createcodesigningconfig": _CONFIG_CHANGE,
    "lambda:updatecodesigningconfig": _CONFIG_CHANGE,
    "lambda:deletecodesigningconfig": _CONFIG_CHANGE,
    "lambda:getfunctioncodesigningconfig": _READ_CONFIG,
    "lambda:updatefunctioncode": _UPDATE_CODE,
    "lambda:updatefunctionconfiguration": _UPDATE_CONFIGURATION,
    "lambda:addpermission": _SHARE,
    "lambda:addlayerversionpermission": _SHARE,
    "lambda:putresourcepolicy": _SHARE,
    "lambda:tagresource": _TAG,
    "lambda:untagresource": _TAG,
    "lambda:createwebfunction": _SURFACE,
    "lambda:createwebfunctionrevision": _SURFACE,
    "lambda:createmicrovmimage": _SURFACE,
    "lambda:runmicrovm": _SURFACE,
    "signer:startsigningjob": _SIGN,
    "signer:getsigningprofile": _READ_PROFILE,
    "signer:putsigningprofile": _PROFILE_CHANGE,
    "signer:cancelsigningprofile": _PROFILE_CHANGE,
    "signer:revokesigningprofile": _PROFILE_CHANGE,
    "signer:revokesignature": _PROFILE_CHANGE,
    "signer:addprofilepermission": _PROFILE_CHANGE,
    "signer:removeprofilepermission": _PROFILE_CHANGE,
    "iam:passrole": _PASS_ROLE,
    "iam:createrole": _BOUNDARY,
    "iam:createuser": _BOUNDARY,
    "iam:putrolepermissionsboundary": _BOUNDARY,
    "iam:deleterolepermissionsboundary": _BOUNDARY,
}

_DENIERS = {
    "servicecontrolpolicy": "a service control policy denies it: no policy of the account can allow it",
    "permissionsboundary": "the permissions boundary of the role denies it or does not allow it",
    "identity-basedpolicy": "a policy of the user or role denies it or does not allow it",
    "resource-basedpolicy": "the policy of the resource denies it or does not allow it",
    "sessionpolicy": "the policy of the session denies it or does not allow it",
    "resourcecontrolpolicy": "a resource control policy of the organization denies it",
    "vpcendpointpolicy": "the policy of the VPC endpoint denies it or does not allow it",
}


# After `compact`, nothing separates the words: the action ends where AWS's own next words begin.
_DENIAL = re.compile(
    r"notauthorizedtoperform:(?P<action>[a-z0-9-]{2,40}:[A-Za-z0-9]{2,80}?)"
    r"(?=onresource:|withanexplicitdeny|because|[^A-Za-z0-9]|$)",
    re.IGNORECASE,
)
_DENIER = re.compile(rf"(?:explicitdenyinan?|becauseno)(?P<policy>{'|'.join(_DENIERS)})", re.IGNORECASE)
_MAX_CHARACTERS_TO_DENIER = 1000
_MAX_DENIALS = 1000


def explain_denials(compact_text: str) -> tuple[Explanation, ...]:
    """Explain every denied action of code signing that a text names; other actions are not for us to explain.

    Args:
        compact_text: The text, after `constructs_pkg.explanations.meaning.compact`.
    """
    found: dict[str, Explanation] = {}
    matches = list(islice(_DENIAL.finditer(compact_text), _MAX_DENIALS))
    ends = [*(match.start() for match in matches), len(compact_text)][1:]
    for match, end in zip(matches, ends, strict=True):
        action = match["action"]
        denied = _BY_ACTION.get(action.lower())
        if denied is not None and action.lower() not in found:
            denier = _DENIER.search(compact_text, match.end(), min(end, match.end() + _MAX_CHARACTERS_TO_DENIER))
            found[action.lower()] = _explanation(action, denied, denier["policy"].lower() if denier else None)
    return tuple(found.values())


def _explanation(action: str, denied: _Denied, denier: str | None) -> Explanation:
    who = f" AWS says that {_DENIERS[denier]}." if denier else ""
    return Explanation(
        "access_denied",
        "An action is denied to whoever asked",
        denied.meaning + who,
        denied.remedies,
        action,
        _SOURCE,
    )
