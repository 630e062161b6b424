"""Attacks on configs and profiles, around functions altogether, and through outsiders."""

from tests.guardrails.asking import (
    LAYER,
    MICROVM,
    SILENT,
    WEB,
    YES,
    Row,
    ask,
    function,
    held,
    no,
    of_lambda,
    profile,
)
from tests.guardrails.intents import ACCOUNT, APPROVED, OUTSIDER, SECURITY

TRUST_ATTACKS = [
    Row(
        "one's own config",
        ask("lambda:CreateCodeSigningConfig"),
        no("DenyConfigChanges"),
        no("DenyConfigChanges"),
        no("DenyConfigChanges"),
    ),
    Row(
        "the approved config turned to Warn, or given one more publisher",
        ask("lambda:UpdateCodeSigningConfig", APPROVED),
        no("DenyConfigChanges", "DenyUnlistedLambda"),
        no("DenyConfigChanges"),
        no("DenyConfigChanges", "DenyUnlistedLambda"),
    ),
    Row(
        "the approved config deleted",
        ask("lambda:DeleteCodeSigningConfig", APPROVED),
        no("DenyConfigChanges"),
        held("DenyConfigChanges"),
        no("DenyConfigChanges"),
    ),
    Row(
        "the config detached, then anything deployed",
        ask("lambda:DeleteFunctionCodeSigningConfig", function()),
        no("DenyConfigChanges"),
        held("DenyConfigChanges"),
        no("DenyConfigChanges"),
    ),
    Row(
        "an action that no API has yet",
        ask("lambda:UpdateFunctionCodeSigningConfig", APPROVED, function()),
        no("DenyConfigChanges", "DenyUnlistedLambda"),
        no("DenyConfigChanges"),
        no("DenyConfigChanges", "DenyUnlistedLambda"),
    ),
    Row(
        "the approved config retagged",
        ask("lambda:TagResource", APPROVED, aws__TagKeys=("team",)),
        no("DenyConfigTags"),
        held("DenyConfigTags"),
        no("DenyConfigTags"),
    ),
    Row(
        "a tag taken from the approved config",
        ask("lambda:UntagResource", APPROVED, aws__TagKeys=("team",)),
        no("DenyConfigTags"),
        held("DenyConfigTags"),
        no("DenyConfigTags"),
    ),
    Row(
        "signing with another application's profile",
        ask("signer:StartSigningJob", profile("acme_checkout_g1")),
        no("DenyForeignSigning"),
        held("DenyForeignSigning"),
        YES,
    ),
    Row(
        "signing with the emergency profile, which is for those who break the glass",
        ask("signer:StartSigningJob", profile("acme_payments_emergency_g1")),
        no("DenyForeignSigning"),
        held("DenyForeignSigning"),
        YES,
    ),
    Row(
        "signing with a profile of the right name in one's own account",
        ask("signer:StartSigningJob", profile("acme_payments_g2", ACCOUNT)),
        no("DenyForeignSigning"),
        held("DenyForeignSigning"),
        YES,
    ),
    Row(
        "signing with the other profile's name in one's own account",
        ask("signer:StartSigningJob", profile("acme_payments_g3", ACCOUNT)),
        no("DenyForeignSigning"),
        held("DenyForeignSigning"),
        YES,
    ),
    Row(
        "signing containers: not Lambda's business, but the account's",
        ask("signer:SignPayload", profile("acme_payments_g2")),
        no("DenyProfileChanges"),
        SILENT,
        YES,
    ),
    *(
        Row(
            f"{why} ({action})",
            ask(f"signer:{action}", arn),
            no("DenyProfileChanges"),
            SILENT,
            no("DenyProfileChanges"),
        )
        for action, arn, why in (
            ("PutSigningProfile", "*", "a publisher of one's own"),
            ("CancelSigningProfile", profile("acme_payments_g2"), "nobody can sign any more"),
            ("RevokeSigningProfile", profile("acme_payments_g2"), "all that was signed is refused"),
            ("RevokeSignature", f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-jobs/uuid", "one release is refused"),
            ("AddProfilePermission", profile("acme_payments_g2"), "an outsider signs as we do"),
            ("RemoveProfilePermission", profile("acme_payments_g2"), "colleagues cannot sign any more"),
            ("TagResource", profile("acme_payments_g2"), "a profile that passes for another"),
            ("UntagResource", profile("acme_payments_g2"), "a profile that loses what it passes for"),
        )
    ),
]

SURFACE_ATTACKS = [
    Row(
        "a Web Function takes a plain ZIP",
        ask("lambda:CreateWebFunction", WEB),
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
    ),
    Row(
        "a new revision of a Web Function",
        ask("lambda:CreateWebFunctionRevision", WEB),
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
    ),
    Row(
        "a Web Function, if AWS asks without a resource (its actions are newer than most data)",
        ask("lambda:CreateWebFunction", beyond_data=True),
        no("DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnsignedSurfaces"),
    ),
    Row(
        "a MicroVM image takes code from S3 (no resource to match)",
        ask("lambda:CreateMicrovmImage"),
        no("DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnsignedSurfaces"),
    ),
    Row(
        "a shell in a MicroVM",
        ask("lambda:CreateMicrovmShellAuthToken", MICROVM),
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
    ),
    Row("into a MicroVM", ask("lambda:ConnectMicrovm"), no("DenyUnsignedSurfaces"), SILENT, no("DenyUnsignedSurfaces")),
    *(
        Row(
            f"an image that is there, run or changed ({action})",
            ask(f"lambda:{action}", MICROVM),
            no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
            SILENT,
            no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        )
        for action in ("RunMicrovm", "ResumeMicrovm", "UpdateMicrovmImage", "UpdateMicrovmImageVersion")
    ),
    Row(
        "Lambda@Edge replicas, which no config guards",
        ask("lambda:EnableReplication", function()),
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
    ),
    Row(
        "a network connector: listed nowhere, hence denied, as the next new thing will be",
        ask("lambda:CreateNetworkConnector", of_lambda("network-connector:x")),
        no("DenyUnlistedLambda"),
        SILENT,
        no("DenyUnlistedLambda"),
    ),
    Row(
        "capacity providers run functions, not other code: for the account to decide",
        ask("lambda:CreateCapacityProvider", of_lambda("capacity-provider:x")),
        no("DenyUnlistedLambda"),
        SILENT,
        YES,
    ),
    Row(
        "another service's unlisted machines are not this document's business, and the boundary lists no such service",
        ask("ec2:RunInstances", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*", beyond_data=True),
        SILENT,
        SILENT,
        YES,
    ),
]

GRANT_ATTACKS = [
    Row(
        f"{why} may be granted lambda:*",
        ask("lambda:AddPermission", function(), **({} if principal is None else {"lambda__Principal": principal})),
        held("DenyOutsidePrincipals"),
        held("DenyOutsidePrincipals"),
        no("DenyOutsidePrincipals"),
    )
    for why, principal in (
        ("the whole world", "*"),
        ("another account", OUTSIDER),
        ("a role of another account", f"arn:aws:iam::{OUTSIDER}:role/anyone"),
        ("whoever has a name that ends like a service", "sns.amazonaws.com.attacker.example"),
        ("nobody in particular", None),
    )
] + [
    Row(
        "the whole resource policy replaced",
        ask("lambda:PutResourcePolicy", function(), WEB, lambda__Principal=OUTSIDER),
        no("DenyGrants", "DenyUnlistedLambda"),
        SILENT,
        no("DenyResourcePolicies", "DenyUnlistedLambda"),
    ),
    Row("the resource policy deleted", ask("lambda:DeleteResourcePolicy", function(), WEB), no("DenyGrants"), YES, YES),
    Row(
        "a layer shared with the world",
        ask("lambda:AddLayerVersionPermission", LAYER),
        no("DenyGrants", "DenyUnlistedLambda"),
        SILENT,
        YES,
    ),
    Row(
        "a layer taken from those who need it",
        ask("lambda:RemoveLayerVersionPermission", LAYER),
        no("DenyGrants", "DenyUnlistedLambda"),
        SILENT,
        YES,
    ),
    Row(
        "a URL without authentication",
        ask("lambda:CreateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="NONE"),
        held("DenyPublicUrls"),
        held("DenyPublicUrls"),
        YES,
    ),
    Row(
        "a URL that loses its authentication",
        ask("lambda:UpdateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="NONE"),
        held("DenyPublicUrls"),
        held("DenyPublicUrls"),
        YES,
    ),
]
