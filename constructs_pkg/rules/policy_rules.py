"""Rules LCS501 to LCS507: IAM statements that lead around code signing, and conditions that do not do what they say."""

from collections.abc import Iterator
from dataclasses import replace

from constructs_pkg.rules.context import CheckContext
from constructs_pkg.rules.statements import CONFIG_KEY, Document, StatementInTemplate, documents_of, managed_policies_of
from constructs_pkg.rules.template import Resource
from constructs_pkg.rules.values import Known, resolve
from constructs_pkg.rules.violation import Hit, Rule, Severity

__all__ = ["FUNCTION_PERMISSION", "RULES", "check_function_permission", "check_managed_policies", "check_statements"]

FUNCTION_PERMISSION = "AWS::Lambda::Permission"

DETACH = Rule(
    "LCS501",
    "A statement lets somebody detach, weaken or replace a code signing config",
    Severity.FATAL,
    "Whoever may do that gets unsigned code into a function, whatever the config says today.",
    "Name the actions that are needed instead of a wildcard, and leave these to the platform team's roles",
)
GRANT = Rule(
    "LCS502",
    "A statement lets somebody grant a signing profile",
    Severity.FATAL,
    "Whoever may add a permission to a profile can let anybody sign with it, in any account.",
    "Name the actions that are needed instead of a wildcard; signing needs signer:StartSigningJob on the profile",
)
DEAD_KEY = Rule(
    "LCS503",
    "A condition on lambda:CodeSigningConfig, a key that does not exist",
    Severity.FATAL,
    "No request ever has that key: a Deny with it denies nothing or everything, and an Allow allows nothing.",
    "Use lambda:CodeSigningConfigArn with StringEquals, which lambda:CreateFunction and "
    "lambda:PutFunctionCodeSigningConfig have",
)
LOOSE_OPERATOR = Rule(
    "LCS504",
    "A condition on lambda:CodeSigningConfigArn that a request without a config passes",
    Severity.FATAL,
    "IfExists and ForAllValues are true, and ForAnyValue in a Deny is false, where a function is created without any "
    "config.",
    "Use StringEquals in an Allow, StringNotEquals in a Deny, without prefix and suffix",
)
UNCONDITIONED_CREATE = Rule(
    "LCS505",
    "A statement lets somebody create functions without a code signing config",
    Severity.ERROR,
    "CreateFunction is where a function gets its config, and only a condition makes sure that it gets one.",
    "Add the condition StringEquals lambda:CodeSigningConfigArn with the organization's configs",
)
BROAD_MANAGED_POLICY = Rule(
    "LCS506",
    "A managed policy of AWS that allows to detach code signing configs",
    Severity.WARNING,
    "It is no statement of this app, and only a permissions boundary or a service control policy binds it.",
    "Attach a narrower policy, or make sure that the organization's guardrail binds the role",
)
UNDECIDED_POLICY = Rule(
    "LCS507",
    "What a policy allows is open until the deployment",
    Severity.ERROR,
    "Whoever deploys decides what it allows, detaching a code signing config included.",
    "Write the policy document into the template",
)
RULES = (DETACH, GRANT, DEAD_KEY, LOOSE_OPERATOR, UNCONDITIONED_CREATE, BROAD_MANAGED_POLICY, UNDECIDED_POLICY)

_CREATE = "lambda:createfunction"
_REPLACE = "lambda:putfunctioncodesigningconfig"
_DETACHING = (
    "lambda:deletefunctioncodesigningconfig",
    "lambda:updatefunctioncodesigningconfig",
    "lambda:updatecodesigningconfig",
    "lambda:createcodesigningconfig",
    "lambda:deletecodesigningconfig",
    _REPLACE,
)
_GRANTING = ("signer:addprofilepermission",)
_NAMES = {
    name.lower(): name
    for name in (
        "lambda:CreateCodeSigningConfig",
        "lambda:CreateFunction",
        "lambda:DeleteCodeSigningConfig",
        "lambda:DeleteFunctionCodeSigningConfig",
        "lambda:PutFunctionCodeSigningConfig",
        "lambda:UpdateCodeSigningConfig",
        "lambda:UpdateFunctionCodeSigningConfig",
        "signer:AddProfilePermission",
    )
}
_GATED = {_CREATE, _REPLACE}
"""The only two actions whose requests have the key (service authorization data for AWS Lambda, 2026-09-26)."""

_GATES = {"stringequals", "arnequals", "stringlike", "arnlike", "stringequalsignorecase"}
_NEGATED_GATES = {"stringnotequals", "arnnotequals", "stringnotlike", "arnnotlike", "stringnotequalsignorecase"}
_BROAD = {"AdministratorAccess", "AWSLambda_FullAccess", "AWSLambdaFullAccess", "PowerUserAccess"}


def check_statements(resource: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Judge every statement of one resource."""
    for document in documents_of(resource):
        if document.is_open:
            message = f"What {resource.logical_id} allows is open until the deployment"
            yield Hit(UNDECIDED_POLICY, message, document.location)
        for statement in document.statements:
            yield from _conditions(statement)
            if statement.allows and document.grants:
                hits = _grants(statement, document)
                yield from map(_as_warning, hits) if _is_boundary(resource, statement, document) else hits


def check_managed_policies(resource: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Tell of managed policies of AWS that allow to detach configs."""
    for name in sorted(set(managed_policies_of(resource)) & _BROAD):
        yield Hit(BROAD_MANAGED_POLICY, f"{resource.logical_id} has the managed policy {name}")


def check_function_permission(permission: Resource, context: CheckContext) -> Iterator[Hit]:  # noqa: ARG001 (a check's signature)
    """Judge what a function's resource policy lets others do."""
    for found in resolve(permission.template, permission.properties.get("Action")):
        if isinstance(found, Known):
            body = {"Effect": "Allow", "Action": found.value}
            statement = StatementInTemplate(permission, body, "Properties/Action")
            covered = [action for action in _DETACHING if statement.covers(action)]
            if covered:
                message = f"The permission allows {found.value}, {_listed(covered)} with it"
                yield Hit(DETACH, message, "Properties/Action")


def _grants(statement: StatementInTemplate, document: Document) -> Iterator[Hit]:
    denies = [other for other in document.statements if other.denies]
    detaching = [action for action in _DETACHING if _is_open(action, statement, denies)]
    if detaching and statement.may_concern("lambda"):
        yield Hit(DETACH, f"The statement{_sid(statement)} allows {_listed(detaching)}", statement.location)
    elif _is_open(_CREATE, statement, denies) and statement.may_concern("lambda"):
        message = f"The statement{_sid(statement)} allows {_listed([_CREATE])} without the condition"
        yield Hit(UNCONDITIONED_CREATE, message, statement.location)
    granting = [action for action in _GRANTING if _is_open(action, statement, denies)]
    if granting and statement.may_concern("signer"):
        yield Hit(GRANT, f"The statement{_sid(statement)} allows {_listed(granting)}", statement.location)


def _is_boundary(policy: Resource, statement: StatementInTemplate, document: Document) -> bool:
    """Tell whether a policy looks like a permissions boundary, which grants nothing: CDK's bootstrap has one.

    Attached to nobody in its template, it allows everything but what it denies. A policy of this form that somebody
    attaches elsewhere does grant, so that it is told of all the same.
    """
    attached = any(policy.properties.get(key) for key in ("Roles", "Users", "Groups"))
    denies = any(other.denies for other in document.statements)
    return policy.type == "AWS::IAM::ManagedPolicy" and not attached and denies and statement.actions == ("*",)


def _as_warning(hit: Hit) -> Hit:
    message = f"{hit.message}; nobody in this template has the policy, which looks like a permissions boundary"
    return replace(hit, message=message, severity=Severity.WARNING)


def _is_open(action: str, statement: StatementInTemplate, denies: list[StatementInTemplate]) -> bool:
    """Tell whether a statement allows an action that neither its condition nor a deny beside it narrows."""
    if not statement.covers(action):
        return False
    if action in _GATED and _is_gated(statement):
        return False
    return not any(_closes(deny, action) for deny in denies)


def _is_gated(statement: StatementInTemplate) -> bool:
    return any(
        key == CONFIG_KEY and operator.lower() in _GATES and all(_names_a_config(value) for value in values)
        for operator, key, values in statement.conditions()
    )


def _names_a_config(value: object) -> bool:
    """Tell whether a condition's value is narrower than any config at all; a reference is."""
    return not (isinstance(value, str) and value.rpartition(":")[2].strip("*?") == "")


def _closes(deny: StatementInTemplate, action: str) -> bool:
    if not deny.covers(action) or not deny.is_about_everything:
        return False
    conditions = list(deny.conditions())
    if not conditions:
        return True
    return action in _GATED and all(
        key == CONFIG_KEY and operator.lower() in _NEGATED_GATES for operator, key, _ in conditions
    )


def _conditions(statement: StatementInTemplate) -> Iterator[Hit]:
    for operator, key, _ in statement.conditions():
        place = f"{statement.location}/Condition/{operator}"
        if key == "lambda:codesigningconfig":
            yield Hit(DEAD_KEY, f"The statement{_sid(statement)} has a condition on lambda:CodeSigningConfig", place)
        elif key == CONFIG_KEY and operator.lower().startswith(("foranyvalue:", "forallvalues:")):
            yield Hit(LOOSE_OPERATOR, f"The statement{_sid(statement)} uses {operator} on a key with one value", place)
        elif key == CONFIG_KEY and operator.lower().endswith("ifexists"):
            yield Hit(LOOSE_OPERATOR, f"The statement{_sid(statement)} uses {operator}", place)


def _listed(actions: list[str]) -> str:
    names = [_NAMES.get(action, action) for action in actions]
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _sid(statement: StatementInTemplate) -> str:
    sid = statement.body.get("Sid")
    return f" {sid!r}" if isinstance(sid, str) and sid else ""
