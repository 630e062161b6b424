"""The explicit denies that keep unsigned code out, one function a statement; its docstring tells the attack.

An explicit deny holds whatever else a principal is allowed, AdministratorAccess included. Two rules of IAM shape all of
them (IAM User Guide, "Condition operators"): a *negated* operator (``StringNotEquals``, ``ArnNotLike``) is true where
the request lacks the key, which makes "deny unless it equals" deny a request that does not say; and a key with several
values (``lambda:Layer``, ``aws:TagKeys``) needs ``ForAnyValue``, which is false where the request lacks the key.
"""

from constructs_pkg.guardrails.actions import CODE_CHANGES, CREATION, SURFACES, TAGGING
from constructs_pkg.guardrails.documents import Condition, Statement
from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = [
    "foreign_config",
    "foreign_layers",
    "foreign_signing",
    "frozen_functions",
    "listed_surfaces",
    "other_functions",
    "other_regions",
    "profile_changes",
    "quarantine_tag",
    "signing_config_changes",
    "signing_config_tags",
    "unapproved_config",
    "unlisted_lambda",
]


def unapproved_config(intent: GuardrailIntent) -> Statement:
    """Create a function without a code signing config (a container image among them), or with one's own."""
    return Statement(
        sid="DenyUnapprovedConfig",
        effect="Deny",
        actions=CREATION,
        resources=tuple(f"arn:{intent.partition}:lambda:{region}:*:function:*" for region in intent.regions),
        conditions=(Condition("StringNotEquals", "lambda:CodeSigningConfigArn", intent.required_configs),),
    )


def foreign_config(intent: GuardrailIntent) -> Statement:
    """Create a function without a config, or with another account's, where the policy that names ours is missing."""
    own = f"arn:{intent.partition}:lambda:*:{intent.account}:code-signing-config:*"
    return Statement(
        sid="DenyForeignConfig",
        effect="Deny",
        actions=CREATION,
        resources=("*",),
        conditions=(Condition("StringNotLike", "lambda:CodeSigningConfigArn", (own,)),),
    )


def other_regions(intent: GuardrailIntent) -> Statement:
    """Deploy in a Region where no config of the application's has ever been made."""
    regions = (*intent.regions, *intent.sibling_regions)
    return Statement(
        sid="DenyOtherRegions",
        effect="Deny",
        actions=(*CREATION, *CODE_CHANGES),
        resources=("*",),
        conditions=(Condition("StringNotEquals", "aws:RequestedRegion", regions),),
    )


def other_functions(intent: GuardrailIntent) -> Statement:
    """Change the code of a function of somebody else's, which may have no config: that action has no key for it."""
    configs = f"arn:{intent.partition}:lambda:*:{intent.account}:code-signing-config:*"
    return Statement(
        sid="DenyOtherFunctions",
        effect="Deny",
        actions=(*CREATION, *CODE_CHANGES),
        # PutFunctionCodeSigningConfig is asked about the config too; which one, DenyUnapprovedConfig decides.
        not_resources=(*intent.function_arns, configs),
    )


def frozen_functions(intent: GuardrailIntent) -> Statement:
    """Change the code of a function that is older than the guardrail, has no config and is quarantined for that."""
    return Statement(
        sid="DenyQuarantined",
        effect="Deny",
        actions=CODE_CHANGES,
        resources=("*",),
        conditions=(Condition("Null", f"aws:ResourceTag/{intent.quarantine_tag}", ("false",)),),
    )


def quarantine_tag(intent: GuardrailIntent) -> Statement:
    """Take the quarantine tag from a function, or wear it down by setting it: in any mixture of cases."""
    return Statement(
        sid="DenyQuarantineTag",
        effect="Deny",
        actions=("lambda:CreateFunction", *TAGGING),
        resources=("*",),
        conditions=(Condition("ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", (intent.quarantine_tag,)),),
    )


def signing_config_changes() -> Statement:
    """Make a config of one's own, loosen an approved one (Warn, one more publisher), delete it, or detach it.

    ``UpdateFunctionCodeSigningConfig`` is in the authorization data but no operation of the Lambda API (botocore
    1.44.5): denied, so that it is denied when it comes.
    """
    return Statement(
        sid="DenyConfigChanges",
        effect="Deny",
        actions=(
            "lambda:CreateCodeSigningConfig",
            "lambda:DeleteCodeSigningConfig",
            "lambda:DeleteFunctionCodeSigningConfig",
            "lambda:UpdateCodeSigningConfig",
            "lambda:UpdateFunctionCodeSigningConfig",
        ),
        resources=("*",),
    )


def signing_config_tags(intent: GuardrailIntent) -> Statement:
    """Retag a config, so that whoever goes by tags takes one config for another."""
    return Statement(
        sid="DenyConfigTags",
        effect="Deny",
        actions=TAGGING,
        resources=(f"arn:{intent.partition}:lambda:*:*:code-signing-config:*",),
    )


def profile_changes(*, and_containers: bool) -> Statement:
    """Make, cancel or revoke profiles, revoke signatures, or let others sign with ours.

    Args:
        and_containers: Also ``SignPayload``, which signs container images and nothing that Lambda runs; an account
            with several applications may need it.
    """
    actions = (
        "signer:AddProfilePermission",
        "signer:CancelSigningProfile",
        "signer:PutSigningProfile",
        "signer:RemoveProfilePermission",
        "signer:RevokeSignature",
        "signer:RevokeSigningProfile",
        "signer:TagResource",
        "signer:UntagResource",
    )
    return Statement(
        sid="DenyProfileChanges",
        effect="Deny",
        actions=(*actions, "signer:SignPayload") if and_containers else actions,
        resources=("*",),
    )


def foreign_signing(intent: GuardrailIntent) -> Statement:
    """Sign with another application's profile, which another application's config accepts."""
    if not intent.signing_profiles:
        return Statement(sid="DenyForeignSigning", effect="Deny", actions=("signer:StartSigningJob",), resources=("*",))
    return Statement(
        sid="DenyForeignSigning",
        effect="Deny",
        actions=("signer:StartSigningJob",),
        not_resources=intent.signing_profiles,
    )


def foreign_layers(intent: GuardrailIntent) -> Statement:
    """Bring code in as a layer: on a function without a config nothing else looks at it."""
    condition = Condition("ForAnyValue:StringNotLike", "lambda:Layer", intent.layers) if intent.layers else None
    return Statement(
        sid="DenyForeignLayers",
        effect="Deny",
        actions=("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"),
        resources=("*",),
        conditions=(condition or Condition("Null", "lambda:Layer", ("false",)),),
    )


def unlisted_lambda(intent: GuardrailIntent, allowed: tuple[str, ...]) -> Statement:
    """Use what AWS adds to Lambda next and no code signing config guards, as three such things came in 2026."""
    return Statement(
        sid="DenyUnlistedLambda",
        effect="Deny",
        not_actions=allowed,
        resources=(f"arn:{intent.partition}:lambda:*:*:*",),
    )


def listed_surfaces() -> Statement:
    """Use what runs unsigned code and is not asked about a Lambda ARN, which ``unlisted_lambda`` would never see."""
    return Statement(sid="DenyUnsignedSurfaces", effect="Deny", actions=SURFACES, resources=("*",))
