"""How a row of the proof's table is written: a request, what each guardrail must say to it, and the attack in words.

``developer`` is what the developer policies alone say, ``boundary`` what a boundary says about a pipeline that has
AdministratorAccess, ``scp`` what the service control policies say about an account's administrator. ``None`` says that
the row is not about that document.
"""

from dataclasses import dataclass

from tests.guardrails.iam_evaluator import Request, Resource
from tests.guardrails.intents import ACCOUNT, APPROVED, OUTSIDER, SECURITY

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
