"""The proof's table: requests, what each guardrail must say to them, by which of its denies, and the attack in words.

``developer`` is what the developer policies alone say, ``boundary`` what a boundary says about a pipeline that has
AdministratorAccess, ``scp`` what the service control policies say about an account's administrator. ``None`` says that
the row is not about that document.
"""

from dataclasses import dataclass

from tests.guardrails.iam_evaluator import Request, Resource
from tests.guardrails.intents import ACCOUNT, APPROVED, APPROVED_TOO, OUTSIDER, OWN_CONFIG, SECURITY, TRUSTED

DEVELOPER = f"arn:aws:iam::{ACCOUNT}:role/payments-developer"
TAG = "lambda-code-signing:quarantine"
CONFIG_KEY = "lambda:CodeSigningConfigArn"


@dataclass(frozen=True)
class Expect:
    """Whether an Allow covers the request, and exactly which denies stop it."""

    granted: bool
    denied_by: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Row:
    why: str
    request: Request
    developer: Expect | None = None
    boundary: Expect | None = None
    scp: Expect | None = None


YES = Expect(granted=True)
SILENT = Expect(granted=False)


def no(*sids: str) -> Expect:
    """Nothing allows it, and these denies forbid it."""
    return Expect(granted=False, denied_by=frozenset(sids))


def held(*sids: str) -> Expect:
    """Something allows it, and these denies stop it."""
    return Expect(granted=True, denied_by=frozenset(sids))


def ask(
    action: str,
    *arns: str,
    tags: dict[str, str] | None = None,
    region: str = "eu-west-1",
    beyond_data: bool = False,
    extra_keys: tuple[str, ...] = (),
    **context: str | tuple[str, ...],
) -> Request:
    """Keyword arguments are condition keys with ``__`` for the colon."""
    named = {key.replace("__", ":"): value for key, value in context.items()}
    return Request(
        principal=DEVELOPER,
        action=action,
        resources=tuple(Resource(arn, tuple(sorted((tags or {}).items()))) for arn in arns or ("*",)),
        region=region,
        context=tuple((key, (value,) if isinstance(value, str) else value) for key, value in named.items()),
        beyond_data=beyond_data,
        extra_keys=extra_keys,
    )


def function(name: str = "payments-api", region: str = "eu-west-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def of_lambda(resource: str) -> str:
    return f"arn:aws:lambda:eu-west-1:{ACCOUNT}:{resource}"


def profile(name: str, account: str = SECURITY) -> str:
    return f"arn:aws:signer:eu-west-1:{account}:/signing-profiles/{name}"


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def user(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def policy(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def create(
    name: str = "payments-api", *, config: str | None = APPROVED, region: str = "eu-west-1", **context
) -> Request:
    if config is not None:
        context["lambda__CodeSigningConfigArn"] = config
    return ask("lambda:CreateFunction", function(name, region), region=region, **context)


def attach(config: str, name: str = "payments-api", region: str = "eu-west-1") -> Request:
    key = {"lambda__CodeSigningConfigArn": config}
    return ask("lambda:PutFunctionCodeSigningConfig", config, function(name, region), region=region, **key)


def detach(kind: str, arn: str, guardrail: str) -> Request:
    return ask(f"iam:Detach{kind}Policy", arn, iam__PolicyARN=policy(guardrail))


def passing(name: str, service: str | None = "lambda.amazonaws.com") -> Request:
    return ask("iam:PassRole", role(name), **({} if service is None else {"iam__PassedToService": service}))


LAYER = f"arn:aws:lambda:eu-west-1:{SECURITY}:layer:payments-shared:4"
TELEMETRY = "arn:aws:lambda:eu-west-1:777777777777:layer:telemetry:3"
FOREIGN_LAYER = f"arn:aws:lambda:eu-west-1:{OUTSIDER}:layer:backdoor:1"
OUR_BOUNDARY = policy("acme-guardrail-payments-boundary-eu-west-1")
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
FROZEN = {TAG: "predates the guardrail"}
MICROVM = of_lambda("microvm-image:x")
WEB = of_lambda("web-function/x")

DAILY_WORK = [
    Row(
        f"a developer may {action.partition(':')[2]} on a function of the application's",
        ask(action, arn),
        YES,
        YES,
        YES,
    )
    for action, arn in (
        ("lambda:CreateAlias", function()),
        ("lambda:DeleteAlias", function()),
        ("lambda:DeleteFunction", function()),
        ("lambda:DeleteFunctionConcurrency", function()),
        ("lambda:DeleteFunctionEventInvokeConfig", function()),
        ("lambda:DeleteFunctionUrlConfig", function()),
        ("lambda:DeleteProvisionedConcurrencyConfig", function("payments-api:live")),
        ("lambda:InvokeFunction", function("payments-api:live")),
        ("lambda:InvokeFunctionUrl", function()),
        ("lambda:PublishVersion", function()),
        ("lambda:PutFunctionConcurrency", function()),
        ("lambda:PutFunctionEventInvokeConfig", function()),
        ("lambda:PutFunctionRecursionConfig", function()),
        ("lambda:PutProvisionedConcurrencyConfig", function("payments-api:live")),
        ("lambda:RemovePermission", function()),
        ("lambda:UpdateAlias", function()),
        ("lambda:UpdateFunctionCode", function()),
        ("lambda:UpdateFunctionConfiguration", function()),
        ("lambda:UpdateFunctionEventInvokeConfig", function()),
        ("lambda:ListAliases", function()),
        ("lambda:GetFunction", function("somebody-elses")),
    )
]

ORDINARY = [
    Row("the second name pattern counts", ask("lambda:UpdateFunctionCode", function("ledger")), YES, YES, YES),
    Row(
        "a version of a function without a wildcard", ask("lambda:InvokeFunction", function("ledger:7")), YES, YES, YES
    ),
    Row("lists have no resource", ask("lambda:ListFunctions"), YES, YES, YES),
    Row("a function under the approved config", create(), YES, YES, YES),
    Row("a function under the other approved config", create(config=APPROVED_TOO), YES, YES, YES),
    Row("putting the approved config on a function", attach(APPROVED), YES, YES, YES),
    Row("putting the other approved config on a function", attach(APPROVED_TOO), YES, YES, YES),
    Row("creation with ordinary tags", create(aws__TagKeys=("team", "cost")), YES, YES, YES),
    Row(
        "tags at creation ask for TagResource",
        ask("lambda:TagResource", function(), aws__TagKeys=("team",)),
        YES,
        YES,
        YES,
    ),
    Row("an ordinary tag goes", ask("lambda:UntagResource", function(), aws__TagKeys=("team",)), YES, YES, YES),
    Row(
        "CloudFormation tags event source mappings",
        ask("lambda:TagResource", of_lambda("event-source-mapping:uuid"), aws__TagKeys=("team",)),
        YES,
        YES,
        YES,
    ),
    Row("creation with an allowed layer", create(lambda__Layer=(LAYER,)), YES, YES, YES),
    Row(
        "both allowed layers at once",
        ask("lambda:UpdateFunctionConfiguration", function(), lambda__Layer=(LAYER, TELEMETRY)),
        YES,
        YES,
        YES,
    ),
    Row(
        "the developer guide says that UpdateFunctionConfiguration has the config's key; then it must work with it",
        ask(
            "lambda:UpdateFunctionConfiguration",
            function(),
            extra_keys=(CONFIG_KEY,),
            lambda__CodeSigningConfigArn=APPROVED,
        ),
        YES,
        YES,
        YES,
    ),
    Row(
        "an AWS service may invoke",
        ask("lambda:AddPermission", function(), lambda__Principal="sns.amazonaws.com"),
        YES,
        YES,
        YES,
    ),
    Row(
        "so may the one trusted account",
        ask("lambda:AddPermission", function(), lambda__Principal=TRUSTED),
        YES,
        YES,
        YES,
    ),
    Row(
        "a URL with IAM authentication",
        ask("lambda:CreateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="AWS_IAM"),
        YES,
        YES,
        YES,
    ),
    Row(
        "a URL stays with IAM authentication",
        ask("lambda:UpdateFunctionUrlConfig", function(), lambda__FunctionUrlAuthType="AWS_IAM"),
        YES,
        YES,
        YES,
    ),
    Row(
        "an event source for a function of the application's",
        ask("lambda:CreateEventSourceMapping", lambda__FunctionArn=function()),
        YES,
        YES,
        YES,
    ),
    Row(
        "changing an event source",
        ask(
            "lambda:UpdateEventSourceMapping",
            of_lambda("event-source-mapping:uuid"),
            lambda__FunctionArn=function("ledger"),
        ),
        YES,
        YES,
        YES,
    ),
    Row(
        "removing an event source",
        ask(
            "lambda:DeleteEventSourceMapping",
            of_lambda("event-source-mapping:uuid"),
            lambda__FunctionArn=function("ledger:7"),
        ),
        YES,
        YES,
        YES,
    ),
    Row("passing an execution role to Lambda", passing("payments-api-execution"), YES, YES, YES),
    Row("passing the other execution role", passing("ledger-execution"), YES, YES, YES),
    Row(
        "passing an execution role to Scheduler", passing("ledger-execution", "scheduler.amazonaws.com"), YES, YES, YES
    ),
    Row(
        "signing with the application's profile",
        ask("signer:StartSigningJob", profile("acme_payments_g2")),
        YES,
        YES,
        YES,
    ),
    Row("signing with its other profile", ask("signer:StartSigningJob", profile("acme_payments_g3")), YES, YES, YES),
    Row("reading a profile", ask("signer:GetSigningProfile", profile("acme_checkout_g1")), YES, YES, YES),
    Row("listing profiles", ask("signer:ListSigningProfiles"), YES, YES, YES),
    Row(
        "watching a signing job",
        ask("signer:DescribeSigningJob", f"arn:aws:signer:eu-west-1:{SECURITY}:/signing-jobs/uuid"),
        YES,
        YES,
        YES,
    ),
]

CODE_ATTACKS = [
    Row(
        "no config in the request: the function would run anything (the blog post's key does not exist)",
        create(config=None, lambda__CodeSigningConfig=APPROVED),
        no("DenyUnapprovedConfig"),
        held("DenyUnapprovedConfig"),
        no("DenyForeignConfig"),
    ),
    Row(
        "a config of one's own, which trusts one's own profile",
        create(config=OWN_CONFIG),
        no("DenyUnapprovedConfig"),
        held("DenyUnapprovedConfig"),
        YES,
    ),
    Row(
        "a config of an attacker's account",
        create(config=f"arn:aws:lambda:eu-west-1:{OUTSIDER}:code-signing-config:csc-0123456789abcdef0"),
        no("DenyUnapprovedConfig"),
        held("DenyUnapprovedConfig"),
        no("DenyForeignConfig"),
    ),
    Row(
        "exchanging the config of a function for one's own",
        attach(OWN_CONFIG),
        no("DenyUnapprovedConfig"),
        held("DenyUnapprovedConfig"),
        YES,
    ),
    Row(
        "exchanging the config of a function for an attacker's",
        attach(f"arn:aws:lambda:eu-west-1:{OUTSIDER}:code-signing-config:csc-0123456789abcdef0"),
        no("DenyUnapprovedConfig", "DenyOtherFunctions"),
        held("DenyUnapprovedConfig", "DenyOtherFunctions"),
        no("DenyForeignConfig"),
    ),
    Row(
        "a function of Control Tower's may be unsigned: the exemption, which holds for nobody's guardrail but the SCP",
        create("aws-controltower-forwarder", config=None),
        no("DenyUnapprovedConfig", "DenyOtherFunctions"),
        held("DenyUnapprovedConfig", "DenyOtherFunctions"),
        YES,
    ),
    Row(
        "a function outside the application's names",
        create("shadow-api"),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "somebody else's function, which may have no config",
        ask("lambda:UpdateFunctionCode", function("checkout-legacy")),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "a name that begins like one of the application's and is not",
        ask("lambda:UpdateFunctionCode", function("ledger-legacy")),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "the handler of somebody else's function",
        ask("lambda:UpdateFunctionConfiguration", function("checkout-legacy")),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "the approved config on somebody else's function, whose deployments then fail",
        attach(APPROVED, "checkout-api"),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "a function of the application's name in another account, which granted it",
        ask("lambda:UpdateFunctionCode", function(account=OUTSIDER)),
        no("DenyOtherFunctions"),
        held("DenyOtherFunctions"),
        YES,
    ),
    Row(
        "a Region where nobody approved a config",
        create(config=None, region="us-west-2"),
        no("DenyOtherRegions"),
        held("DenyOtherRegions"),
        no("DenyForeignConfig"),
    ),
    Row(
        "the approved config named in another Region",
        create(region="us-west-2"),
        held("DenyOtherRegions"),
        held("DenyOtherRegions"),
        YES,
    ),
    Row(
        "new code in a Region where nobody approved a config",
        ask("lambda:UpdateFunctionCode", function(region="us-west-2"), region="us-west-2"),
        held("DenyOtherRegions"),
        held("DenyOtherRegions"),
        YES,
    ),
    Row(
        "a new handler there",
        ask("lambda:UpdateFunctionConfiguration", function(region="us-west-2"), region="us-west-2"),
        held("DenyOtherRegions"),
        held("DenyOtherRegions"),
        YES,
    ),
    Row(
        "a config put on a function there",
        attach(APPROVED.replace("eu-west-1", "us-west-2"), region="us-west-2"),
        no("DenyOtherRegions"),
        held("DenyOtherRegions"),
        YES,
    ),
    Row(
        "the sibling Region is its own guardrail's business",
        ask("lambda:UpdateFunctionCode", function(region="eu-central-1"), region="eu-central-1"),
        YES,
        YES,
        YES,
    ),
    Row(
        "the sibling's own config is approved by the sibling's guardrail, not by this one",
        create(config=APPROVED.replace("eu-west-1", "eu-central-1"), region="eu-central-1"),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "unsigned code into a quarantined function, which has no config to check it",
        ask("lambda:UpdateFunctionCode", function("payments-legacy"), tags=FROZEN),
        held("DenyQuarantined"),
        held("DenyQuarantined"),
        no("DenyQuarantined"),
    ),
    Row(
        "another handler or layer for a quarantined function",
        ask("lambda:UpdateFunctionConfiguration", function("payments-legacy"), tags=FROZEN),
        held("DenyQuarantined"),
        held("DenyQuarantined"),
        no("DenyQuarantined"),
    ),
    Row(
        "an ordinary tag freezes nothing",
        ask("lambda:UpdateFunctionCode", function(), tags={"team": "payments"}),
        YES,
        YES,
        YES,
    ),
    Row(
        "taking the quarantine tag away",
        ask("lambda:UntagResource", function("payments-legacy"), tags=FROZEN, aws__TagKeys=(TAG,)),
        held("DenyQuarantineTag"),
        held("DenyQuarantineTag"),
        no("DenyQuarantineTag"),
    ),
    Row(
        "taking it away among others, written otherwise",
        ask("lambda:UntagResource", function("payments-legacy"), aws__TagKeys=("team", TAG.upper())),
        held("DenyQuarantineTag"),
        held("DenyQuarantineTag"),
        no("DenyQuarantineTag"),
    ),
    Row(
        "freezing a colleague's function",
        ask("lambda:TagResource", function(), aws__TagKeys=(TAG,)),
        held("DenyQuarantineTag"),
        held("DenyQuarantineTag"),
        no("DenyQuarantineTag"),
    ),
    Row(
        "a function born with the tag, which nobody could mend",
        create(aws__TagKeys=(TAG,)),
        held("DenyQuarantineTag"),
        held("DenyQuarantineTag"),
        no("DenyQuarantineTag"),
    ),
    Row(
        "a layer of an attacker's at creation",
        create(lambda__Layer=(LAYER, FOREIGN_LAYER)),
        held("DenyForeignLayers"),
        held("DenyForeignLayers"),
        YES,
    ),
    Row(
        "a layer of an attacker's on a function that is there",
        ask("lambda:UpdateFunctionConfiguration", function(), lambda__Layer=(FOREIGN_LAYER,)),
        held("DenyForeignLayers"),
        held("DenyForeignLayers"),
        YES,
    ),
    Row(
        "another version of a layer that is pinned to one",
        ask("lambda:UpdateFunctionConfiguration", function(), lambda__Layer=(TELEMETRY.replace(":3", ":4"),)),
        held("DenyForeignLayers"),
        held("DenyForeignLayers"),
        YES,
    ),
    Row(
        "tagging somebody else's function, to pass for something else",
        ask("lambda:TagResource", function("checkout-api"), aws__TagKeys=("team",)),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "an event source for somebody else's function, to feed it one's own events",
        ask("lambda:CreateEventSourceMapping", lambda__FunctionArn=function("checkout-api")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "an event source that does not say for which function",
        ask("lambda:CreateEventSourceMapping"),
        SILENT,
        YES,
        YES,
    ),
    *(
        Row(
            f"names of the application's in another account: {why}",
            request,
            no(*denied) if denied else SILENT,
            held(*denied) if denied else YES,
            scp,
        )
        for why, request, denied, scp in (
            (
                "code of a function without wildcard",
                ask("lambda:UpdateFunctionCode", function("ledger", account=OUTSIDER)),
                ["DenyOtherFunctions"],
                YES,
            ),
            ("invoking one", ask("lambda:InvokeFunction", function("ledger", account=OUTSIDER)), [], YES),
            (
                "invoking a version of one",
                ask("lambda:InvokeFunction", function("ledger:7", account=OUTSIDER)),
                [],
                YES,
            ),
            (
                "creating",
                ask("lambda:CreateFunction", function(account=OUTSIDER), lambda__CodeSigningConfigArn=APPROVED),
                ["DenyOtherFunctions"],
                YES,
            ),
            (
                "creating one without wildcard",
                ask(
                    "lambda:CreateFunction", function("ledger", account=OUTSIDER), lambda__CodeSigningConfigArn=APPROVED
                ),
                ["DenyOtherFunctions"],
                YES,
            ),
            ("tagging", ask("lambda:TagResource", function(account=OUTSIDER), aws__TagKeys=("team",)), [], YES),
            (
                "tagging one without wildcard",
                ask("lambda:TagResource", function("ledger", account=OUTSIDER), aws__TagKeys=("team",)),
                [],
                YES,
            ),
            (
                "tagging an event source",
                ask(
                    "lambda:TagResource",
                    of_lambda("event-source-mapping:uuid").replace(ACCOUNT, OUTSIDER),
                    aws__TagKeys=("team",),
                ),
                [],
                YES,
            ),
        )
    ),
    *(
        Row(
            f"the id of an approved config, in another account ({config[-1]})",
            ask(
                "lambda:PutFunctionCodeSigningConfig",
                config.replace(ACCOUNT, OUTSIDER),
                function(),
                lambda__CodeSigningConfigArn=config,
            ),
            no("DenyOtherFunctions"),
            held("DenyOtherFunctions"),
            YES,
        )
        for config in (APPROVED, APPROVED_TOO)
    ),
    Row("the second function pattern may be created", create("ledger"), YES, YES, YES),
    Row("and tagged", ask("lambda:TagResource", function("ledger"), aws__TagKeys=("team",)), YES, YES, YES),
    Row(
        "an exempt function may have any config",
        attach(
            f"arn:aws:lambda:eu-west-1:{OUTSIDER}:code-signing-config:csc-0123456789abcdef0",
            "aws-controltower-forwarder",
        ),
        no("DenyUnapprovedConfig", "DenyOtherFunctions"),
        held("DenyUnapprovedConfig", "DenyOtherFunctions"),
        YES,
    ),
    Row(
        "the config's key on an action that has it in no data: nothing more may be granted by it",
        ask(
            "lambda:DeleteFunctionCodeSigningConfig",
            function(),
            extra_keys=(CONFIG_KEY,),
            lambda__CodeSigningConfigArn=APPROVED,
        ),
        no("DenyConfigChanges"),
        held("DenyConfigChanges"),
        no("DenyConfigChanges"),
    ),
    Row(
        "the event source's key on an action that has it in no data",
        ask("lambda:RunMicrovm", MICROVM, extra_keys=("lambda:FunctionArn",), lambda__FunctionArn=function()),
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
        SILENT,
        no("DenyUnlistedLambda", "DenyUnsignedSurfaces"),
    ),
    Row(
        "an event source, should AWS ask about the mapping",
        ask(
            "lambda:CreateEventSourceMapping",
            of_lambda("event-source-mapping:uuid"),
            beyond_data=True,
            lambda__FunctionArn=function(),
        ),
        YES,
        YES,
        YES,
    ),
    Row("deleting somebody else's function", ask("lambda:DeleteFunction", function("checkout-api")), SILENT, YES, YES),
]

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
    Row(
        "the resource policy deleted",
        ask("lambda:DeleteResourcePolicy", function(), WEB),
        no("DenyGrants"),
        YES,
        YES,
    ),
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

ROLE_ATTACKS = [
    *(
        Row(
            f"a role of the right name in another account ({name})",
            ask("iam:PassRole", role(name).replace(ACCOUNT, OUTSIDER), iam__PassedToService="lambda.amazonaws.com"),
            no("DenyPassingOtherRoles"),
            held("DenyPassingOtherRoles"),
            YES,
        )
        for name in ("payments-api-execution", "ledger-execution")
    ),
    Row(
        "the key of passing on an action that has it in no data",
        ask(
            "iam:DeleteRole",
            role("ledger-execution"),
            extra_keys=("iam:PassedToService",),
            iam__PassedToService="lambda.amazonaws.com",
        ),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "another account's deployment role",
        ask("sts:AssumeRole", role("cdk-x").replace(ACCOUNT, OUTSIDER)),
        SILENT,
        SILENT,
        YES,
    ),
    Row("a session of one's own making", ask("sts:TagSession", role("cdk-x")), SILENT, SILENT, YES),
    Row(
        "a stronger role for a function",
        passing("admin"),
        no("DenyPassingOtherRoles"),
        held("DenyPassingOtherRoles"),
        YES,
    ),
    Row(
        "an execution role for a machine that runs anything",
        passing("ledger-execution", "ec2.amazonaws.com"),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "an execution role for CloudFormation",
        passing("ledger-execution", "cloudformation.amazonaws.com"),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "an execution role for a service that does not say which it is",
        passing("ledger-execution", None),
        no("DenyPassingElsewhere"),
        held("DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "the role of the next deployment, passed to CloudFormation",
        passing("cdk-hnb659fds-cfn-exec-role", "cloudformation.amazonaws.com"),
        no("DenyPassingOtherRoles", "DenyPassingElsewhere"),
        held("DenyPassingOtherRoles", "DenyPassingElsewhere"),
        YES,
    ),
    Row(
        "a fresh role without a boundary",
        ask("iam:CreateRole", role("payments-x")),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    Row(
        "a fresh role with a boundary that bounds nothing",
        ask("iam:CreateRole", role("payments-x"), iam__PermissionsBoundary=ADMIN),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    Row(
        "a fresh role with ours",
        ask("iam:CreateRole", role("payments-x"), iam__PermissionsBoundary=OUR_BOUNDARY),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "a role's trust opened to oneself, where the role is bound",
        ask("iam:UpdateAssumeRolePolicy", role("payments-x"), iam__PermissionsBoundary=OUR_BOUNDARY),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "the boundary exchanged for one that bounds nothing",
        ask("iam:PutRolePermissionsBoundary", role("payments-developer"), iam__PermissionsBoundary=ADMIN),
        no("DenyUnboundedPrincipals"),
        held("DenyUnboundedPrincipals"),
        YES,
    ),
    *(
        Row(
            f"an unbounded role taken over ({action})",
            ask(f"iam:{action}", role("admin")),
            no("DenyUnboundedPrincipals"),
            held("DenyUnboundedPrincipals"),
            YES,
        )
        for action in ("AttachRolePolicy", "PutRolePolicy", "UpdateAssumeRolePolicy")
    ),
    *(
        Row(
            f"an unbounded user, made or strengthened ({action})",
            ask(f"iam:{action}", user("accomplice")),
            no("DenyUnboundedPrincipals"),
            SILENT,
            YES,
        )
        for action in ("CreateUser", "AttachUserPolicy", "PutUserPolicy", "PutUserPermissionsBoundary")
    ),
    *(
        Row(
            f"becoming a user who is not bound ({action})",
            ask(f"iam:{action}", user("root-like")),
            no("DenyForeignCredentials"),
            SILENT,
            YES,
        )
        for action in ("CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile")
    ),
    *(
        Row(
            f"our boundary taken off ({action})",
            ask(f"iam:{action}", arn, iam__PermissionsBoundary=OUR_BOUNDARY),
            no("DenyBoundaryRemoval"),
            SILENT,
            no("DenyBoundaryRemoval"),
        )
        for action, arn in (
            ("DeleteRolePermissionsBoundary", role("payments-pipeline")),
            ("DeleteUserPermissionsBoundary", user("payments-builder")),
        )
    ),
    Row(
        "another team's boundary is the account's business",
        ask("iam:DeleteRolePermissionsBoundary", role("data-lake"), iam__PermissionsBoundary=policy("data-boundary")),
        no("DenyBoundaryRemoval"),
        SILENT,
        YES,
    ),
]

GUARDRAIL_ATTACKS = [
    *(
        Row(
            f"the guardrail rewritten or removed ({action})",
            ask(f"iam:{action}", policy(name)),
            no("DenyGuardrailChanges"),
            expected,
            no("DenyGuardrailChanges"),
        )
        for action, name, expected in (
            ("CreatePolicyVersion", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardrailChanges")),
            ("CreatePolicy", "acme-guardrail-payments-boundary-x", held("DenyGuardrailChanges")),
            ("DeletePolicy", "acme-guardrail-payments-boundary-eu-west-1", held("DenyGuardrailChanges")),
            ("DeletePolicyVersion", "acme-guardrail-checkout-developer-eu-west-1-1", held("DenyGuardrailChanges")),
            ("SetDefaultPolicyVersion", "acme-guardrail-payments-developer-eu-west-1-1", no("DenyGuardrailChanges")),
            ("TagPolicy", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardrailChanges")),
            ("UntagPolicy", "acme-guardrail-payments-developer-eu-west-1-1", held("DenyGuardrailChanges")),
        )
    ),
    Row(
        "reading the guardrail is welcome",
        ask("iam:GetPolicy", policy("acme-guardrail-payments-developer-eu-west-1-1")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "so is listing who has it",
        ask("iam:ListEntitiesForPolicy", policy("acme-guardrail-payments-developer-eu-west-1-1")),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "the guardrail detached from one's own role",
        detach("Role", role("payments-developer"), "acme-guardrail-payments-developer-eu-west-1-1"),
        no("DenyDetaching"),
        held("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row(
        "from oneself as a user",
        detach("User", user("dev"), "acme-guardrail-payments-developer-eu-west-1-1"),
        no("DenyDetaching"),
        no("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row(
        "from one's group",
        detach("Group", f"arn:aws:iam::{ACCOUNT}:group/devs", "acme-guardrail-payments-developer-eu-west-1-2"),
        no("DenyDetaching"),
        no("DenyDetaching"),
        no("DenyDetaching"),
    ),
    Row(
        "another policy may be detached",
        detach("Role", role("payments-x"), "payments-tables"),
        SILENT,
        YES,
        YES,
    ),
    Row(
        "a policy of one's own",
        ask("iam:CreatePolicy", policy("payments-tables")),
        SILENT,
        YES,
        YES,
    ),
]

EXEMPT_ROLE_ATTACKS = [
    *(
        Row(f"{why} ({action})", ask(action, role(name), **context), no(*developer), boundary, no("DenyProtectedRoles"))
        for why, action, name, context, developer, boundary in (
            (
                "becoming the remediator",
                "sts:AssumeRole",
                "acme-drift-remediator",
                {},
                ["DenyProtectedRoles"],
                no("DenyProtectedRoles"),
            ),
            (
                "becoming StackSets",
                "sts:AssumeRole",
                "stacksets-exec-0a1b2c",
                {},
                ["DenyProtectedRoles"],
                no("DenyProtectedRoles"),
            ),
            (
                "the remediator trusts oneself",
                "iam:UpdateAssumeRolePolicy",
                "acme-drift-remediator",
                {},
                ["DenyProtectedRoles", "DenyUnboundedPrincipals"],
                held("DenyProtectedRoles", "DenyUnboundedPrincipals"),
            ),
            (
                "a role whose name is exempt",
                "iam:CreateRole",
                "stacksets-exec-evil",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyProtectedRoles"],
                held("DenyProtectedRoles"),
            ),
            (
                "a role whose path is exempt",
                "iam:CreateRole",
                "stacksets-exec-evil/admin",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyProtectedRoles"],
                held("DenyProtectedRoles"),
            ),
            (
                "the remediator's name, taken before it is there",
                "iam:CreateRole",
                "acme-drift-remediator",
                {"iam__PermissionsBoundary": OUR_BOUNDARY},
                ["DenyProtectedRoles"],
                held("DenyProtectedRoles"),
            ),
            (
                "the remediator deleted: drift stays",
                "iam:DeleteRole",
                "acme-drift-remediator",
                {},
                ["DenyProtectedRoles"],
                held("DenyProtectedRoles"),
            ),
            (
                "the remediator passed to a function",
                "iam:PassRole",
                "acme-drift-remediator",
                {"iam__PassedToService": "lambda.amazonaws.com"},
                ["DenyProtectedRoles", "DenyPassingOtherRoles"],
                held("DenyProtectedRoles", "DenyPassingOtherRoles"),
            ),
        )
    ),
    Row("reading the remediator is welcome", ask("iam:GetRole", role("acme-drift-remediator")), SILENT, YES, YES),
    Row("so is listing its policies", ask("iam:ListRolePolicies", role("acme-drift-remediator")), SILENT, YES, YES),
    Row(
        "a pipeline may become CDK's deployment roles",
        ask("sts:AssumeRole", role("cdk-hnb659fds-deploy-role")),
        SILENT,
        YES,
        YES,
    ),
    Row("and no other role", ask("sts:AssumeRole", role("admin")), SILENT, SILENT, YES),
]


def stack(name: str) -> str:
    return f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{name}/5f6a"


STACK_ATTACKS = [
    *(
        Row(
            f"a member stack changed, where drift detection does not look ({action})",
            ask(f"cloudformation:{action}", stack("StackSet-acme-code-signing-0a1b")),
            no("DenyStackInstances"),
            held("DenyStackInstances"),
            no("DenyStackInstances"),
        )
        for action in ("UpdateStack", "DeleteStack", "CreateChangeSet", "ExecuteChangeSet", "SetStackPolicy")
    ),
    *(
        Row(
            f"a member stack looked at ({action})",
            ask(f"cloudformation:{action}", stack("StackSet-acme-code-signing-0a1b")),
            SILENT,
            YES,
            YES,
        )
        for action in ("DescribeStacks", "DetectStackDrift", "GetTemplate", "ListStackResources")
    ),
    Row("a stack of one's own", ask("cloudformation:UpdateStack", stack("payments")), SILENT, YES, YES),
    Row(
        "leaving the organization, out of reach of its policies",
        ask("organizations:LeaveOrganization"),
        SILENT,
        SILENT,
        no("DenyLeaving"),
    ),
]

PIPELINE_WORK = [
    Row(f"a pipeline may use {action}", ask(action, arn, beyond_data=True, **context), SILENT, YES, YES)
    for action, arn, context in (
        ("acm:DescribeCertificate", "*", {}),
        ("apigateway:POST", "arn:aws:apigateway:eu-west-1::/restapis", {}),
        ("application-autoscaling:RegisterScalableTarget", "*", {}),
        ("cloudwatch:PutMetricAlarm", "*", {}),
        ("cognito-idp:CreateUserPool", "*", {}),
        ("dynamodb:CreateTable", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/payments", {}),
        ("ec2:DescribeSubnets", "*", {}),
        ("events:PutRule", "*", {}),
        ("firehose:CreateDeliveryStream", "*", {}),
        ("kinesis:CreateStream", "*", {}),
        ("kms:Decrypt", "*", {}),
        ("logs:CreateLogGroup", "*", {}),
        ("pipes:CreatePipe", "*", {}),
        ("s3:PutObject", "arn:aws:s3:::payments/x", {}),
        ("scheduler:CreateSchedule", "*", {}),
        ("secretsmanager:GetSecretValue", "*", {}),
        ("sns:CreateTopic", "*", {}),
        ("sqs:CreateQueue", "*", {}),
        ("ssm:GetParameter", "*", {}),
        ("states:CreateStateMachine", "*", {}),
        ("tag:GetResources", "*", {}),
        ("xray:PutTraceSegments", "*", {}),
        ("iam:CreatePolicyVersion", policy("payments-tables"), {}),
        ("iam:CreateServiceLinkedRole", role("aws-service-role/x"), {}),
        ("iam:DeletePolicy", policy("payments-tables"), {}),
        ("iam:DeletePolicyVersion", policy("payments-tables"), {}),
        ("iam:DeleteRole", role("payments-x"), {}),
        ("iam:DeleteRolePolicy", role("payments-x"), {}),
        ("iam:TagPolicy", policy("payments-tables"), {}),
        ("iam:TagRole", role("payments-x"), {}),
        ("iam:UntagPolicy", policy("payments-tables"), {}),
        ("iam:UntagRole", role("payments-x"), {}),
        ("iam:UpdateRole", role("payments-x"), {}),
        ("iam:UpdateRoleDescription", role("payments-x"), {}),
        ("iam:AttachRolePolicy", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
        ("iam:PutRolePolicy", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
        ("iam:PutRolePermissionsBoundary", role("payments-x"), {"iam__PermissionsBoundary": OUR_BOUNDARY}),
    )
] + [
    Row(f"{action}: a service that runs code nobody signed", ask(action, beyond_data=True), SILENT, SILENT, YES)
    for action in ("codebuild:StartBuild", "ecs:RunTask", "apprunner:CreateService", "ssm:SendCommand")
]

ACCOUNT_WORK = [
    Row(f"an account may {action.partition(':')[2]}", ask(action, arn, beyond_data=True), None, None, YES)
    for action, arn in (
        ("lambda:AddLayerVersionPermission", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:CheckpointDurableExecution", function("payments-api:1/durable-execution/x/y")),
        ("lambda:DeleteLayerVersion", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:InvokeAsync", function()),
        ("lambda:PassCapacityProvider", of_lambda("capacity-provider:x")),
        ("lambda:PublishLayerVersion", of_lambda("layer:shared")),
        ("lambda:PutFunctionScalingConfig", function()),
        ("lambda:PutRuntimeManagementConfig", function()),
        ("lambda:RemoveLayerVersionPermission", LAYER.replace(SECURITY, ACCOUNT)),
        ("lambda:SendDurableExecutionCallbackSuccess", function("payments-api:1/durable-execution/x/y")),
        ("lambda:StopDurableExecution", function("payments-api:1/durable-execution/x/y")),
        ("lambda:UpdateCapacityProvider", of_lambda("capacity-provider:x")),
    )
]

ROWS: tuple[Row, ...] = (
    *DAILY_WORK,
    *ORDINARY,
    *CODE_ATTACKS,
    *TRUST_ATTACKS,
    *SURFACE_ATTACKS,
    *GRANT_ATTACKS,
    *ROLE_ATTACKS,
    *GUARDRAIL_ATTACKS,
    *EXEMPT_ROLE_ATTACKS,
    *STACK_ATTACKS,
    *PIPELINE_WORK,
    *ACCOUNT_WORK,
)
