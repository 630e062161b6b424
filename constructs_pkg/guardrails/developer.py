"""The managed policies for developers: what they may do, by name, and what they may not, AdministratorAccess or not."""

from constructs_pkg.guardrails import code_denies, escape_denies
from constructs_pkg.guardrails.actions import CREATION, EVENT_SOURCES, FUNCTIONS, LISTED, READING, TAGGING
from constructs_pkg.guardrails.advice import advice
from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.fitting import MANAGED_POLICY, fit
from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = [
    "application_developer_policies",
    "developer_policies",
    "regional_developer_policy",
    "shared_developer_policies",
]


def developer_policies(intent: GuardrailIntent) -> tuple[PolicyDocument, ...]:
    """Return the documents of the managed policies for an application's developers; attach all of them.

    They allow work on the application's functions under its approved configs, signing with its profiles, and passing
    its execution roles to Lambda. Their denies hold beside any other policy, AdministratorAccess included. They say
    nothing about other services, and they bind the principal that has them: not a role that it may assume.

    Args:
        intent: Whose functions, configs, roles, layers and profiles.

    Returns:
        One document, or several where one would have more than 6,144 characters without white space.

    Raises:
        GuardrailError: They need more than 10 managed policies, or one statement is too large for any.
    """
    statements = (*_allowed(intent), *_denied(intent))
    return fit(statements, MANAGED_POLICY, what="developer policy", advice=lambda: advice(intent, _size))


def shared_developer_policies(intent: GuardrailIntent) -> tuple[PolicyDocument, ...]:
    """Return what is the same for the developers of all applications in an account and all its Regions.

    Together with ``application_developer_policies`` and one ``regional_developer_policy`` a Region they say what
    ``developer_policies`` says for all Regions at once. They name no config, because a code signing config belongs to
    one Region and IAM to none: where a regional policy is missing, one is still held to a config of the own account.

    Args:
        intent: ``regions`` are all Regions in which the account has configs; ``approved_configs`` is not used.

    Raises:
        GuardrailError: It does not fit.
    """
    return _fitted((*_shared_allowed(), *_shared_denied(intent)), intent, "shared developer policy")


def application_developer_policies(intent: GuardrailIntent) -> tuple[PolicyDocument, ...]:
    """Return what the developers of one application may do in an account, whatever the Region.

    Args:
        intent: As for ``shared_developer_policies``.

    Raises:
        GuardrailError: It does not fit.
    """
    return _fitted((*_application_allowed(intent), *_application_denied(intent)), intent, "developer policy")


def regional_developer_policy(intent: GuardrailIntent) -> PolicyDocument:
    """Return the document that lets developers create functions in one Region, under exactly its approved configs.

    Args:
        intent: With one Region and its configs.

    Raises:
        GuardrailError: It does not fit, or there is no config.
    """
    statements = (_creation(intent), code_denies.unapproved_config(intent))
    (document,) = _fitted(statements, intent, "regional developer policy")
    return document


def _fitted(statements: tuple[Statement, ...], intent: GuardrailIntent, what: str) -> tuple[PolicyDocument, ...]:
    return fit(statements, MANAGED_POLICY, what=what, advice=lambda: advice(intent, _size))


def _size(intent: GuardrailIntent) -> int:
    return PolicyDocument((*_allowed(intent), *_denied(intent))).characters


def _allowed(intent: GuardrailIntent) -> tuple[Statement, ...]:
    shared, own = _shared_allowed(), _application_allowed(intent)
    return (shared[0], own[0], _creation(intent), *own[1:4], *shared[1:], *own[4:])


def _shared_allowed() -> tuple[Statement, ...]:
    return (
        Statement(sid="AllowReading", effect="Allow", actions=READING, resources=("*",)),
        Statement(
            sid="AllowSigningReads",
            effect="Allow",
            actions=("signer:Describe*", "signer:Get*", "signer:List*"),
            resources=("*",),
        ),
    )


def _creation(intent: GuardrailIntent) -> Statement:
    return Statement(
        sid="AllowCreation",
        effect="Allow",
        actions=CREATION,
        # PutFunctionCodeSigningConfig is asked about the function and about the config.
        resources=(*intent.function_arns, *intent.required_configs),
        conditions=(Condition("StringEquals", "lambda:CodeSigningConfigArn", intent.required_configs),),
    )


def _application_allowed(intent: GuardrailIntent) -> tuple[Statement, ...]:
    own = intent.function_arns
    mappings = f"arn:{intent.partition}:lambda:*:{intent.account}:event-source-mapping:*"
    statements = [
        Statement(sid="AllowFunctions", effect="Allow", actions=FUNCTIONS, resources=intent.qualified_function_arns),
        # CreateFunction with tags asks for TagResource too (Lambda developer guide, "Using tags").
        Statement(sid="AllowTagging", effect="Allow", actions=TAGGING, resources=(*own, mappings)),
        Statement(
            sid="AllowEventSources",
            effect="Allow",
            actions=EVENT_SOURCES,
            resources=("*",),  # CreateEventSourceMapping has no resource
            conditions=(Condition("ArnLike", "lambda:FunctionArn", intent.qualified_function_arns),),
        ),
        Statement(
            sid="AllowPassingRoles",
            effect="Allow",
            actions=("iam:PassRole",),
            resources=intent.execution_role_arns,
            conditions=(Condition("StringEquals", "iam:PassedToService", intent.pass_roles_to),),
        ),
    ]
    if intent.own_layer_arns:
        publishing = Statement(
            sid="AllowLayers", effect="Allow", actions=("lambda:PublishLayerVersion",), resources=intent.own_layer_arns
        )
        statements.append(publishing)
    if intent.signing_profiles:
        signing = Statement(
            sid="AllowSigning", effect="Allow", actions=("signer:StartSigningJob",), resources=intent.signing_profiles
        )
        statements.append(signing)
    return tuple(statements)


def _denied(intent: GuardrailIntent) -> tuple[Statement, ...]:
    return (
        code_denies.unapproved_config(intent),
        code_denies.other_regions(intent),
        code_denies.other_functions(intent),
        code_denies.frozen_functions(intent),
        code_denies.quarantine_tag(intent),
        code_denies.signing_config_changes(),
        code_denies.signing_config_tags(intent),
        code_denies.profile_changes(and_containers=True),
        code_denies.foreign_signing(intent),
        code_denies.foreign_layers(intent),
        code_denies.unlisted_lambda(intent, LISTED),
        code_denies.listed_surfaces(),
        escape_denies.outside_principals(intent),
        escape_denies.grants(),
        escape_denies.public_urls(),
        escape_denies.passing_other_roles(intent),
        escape_denies.passing_to_other_services(intent),
        escape_denies.guard_changes(intent, intent.account),
        escape_denies.detaching(intent, intent.account),
        escape_denies.boundary_removal(None),
        escape_denies.unbounded_principals(intent, and_users=True),
        escape_denies.foreign_credentials(),
    )


def _shared_denied(intent: GuardrailIntent) -> tuple[Statement, ...]:
    return (
        code_denies.foreign_config(intent),
        code_denies.other_regions(intent),
        code_denies.frozen_functions(intent),
        code_denies.quarantine_tag(intent),
        code_denies.signing_config_changes(),
        code_denies.signing_config_tags(intent),
        code_denies.profile_changes(and_containers=True),
        code_denies.unlisted_lambda(intent, LISTED),
        code_denies.listed_surfaces(),
        escape_denies.grants(),
        escape_denies.public_urls(),
        escape_denies.guard_changes(intent, intent.account),
        escape_denies.detaching(intent, intent.account),
        escape_denies.boundary_removal(None),
        escape_denies.foreign_credentials(),
    )


def _application_denied(intent: GuardrailIntent) -> tuple[Statement, ...]:
    return (
        code_denies.other_functions(intent),
        code_denies.foreign_signing(intent),
        code_denies.foreign_layers(intent),
        escape_denies.outside_principals(intent),
        escape_denies.passing_other_roles(intent),
        escape_denies.passing_to_other_services(intent),
        escape_denies.unbounded_principals(intent, and_users=True),
    )
