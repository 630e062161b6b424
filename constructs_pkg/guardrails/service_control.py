"""The service control policies that bind every principal of an account, its administrators among them."""

from constructs_pkg.guardrails import code_denies, escape_denies
from constructs_pkg.guardrails.actions import ACCOUNT, CREATION
from constructs_pkg.guardrails.advice import advice
from constructs_pkg.guardrails.documents import Condition, PolicyDocument, Statement
from constructs_pkg.guardrails.fitting import SERVICE_CONTROL_POLICY, fit
from constructs_pkg.guardrails.intent import GuardrailIntent

__all__ = ["service_control_policies"]


def service_control_policies(intent: GuardrailIntent) -> tuple[PolicyDocument, ...]:
    """Return the documents of the service control policies; attach all of them to an organizational unit or account.

    They hold for every application, so that of the intent only ``prefix``, ``partition``, ``remediator_role``,
    ``self_managed_stack_sets``, ``invoking_principals``, ``exempt_functions`` and ``quarantine_tag`` count. Exempt are
    exactly the roles of ``GuardrailIntent.protected_role_arns``. They bind neither the management account nor
    service-linked roles (AWS Organizations user guide), and they must not be attached to the account whose pipeline
    makes the profiles and configs.

    A service control policy cannot list the configs of every account and Region, whose ids are random. It demands a
    config of the principal's own account instead, and nobody but the exempt roles can make one there.

    Args:
        intent: Which organization.

    Returns:
        One document, or several where one would have more than 5,120 characters of shortest JSON.

    Raises:
        GuardrailError: They need more than the 4 places that ``FullAWSAccess`` leaves.
    """
    return fit(
        _statements(intent), SERVICE_CONTROL_POLICY, what="service control policy", advice=lambda: advice(intent, _size)
    )


def _size(intent: GuardrailIntent) -> int:
    return PolicyDocument(_statements(intent)).stored_characters


def _statements(intent: GuardrailIntent) -> tuple[Statement, ...]:
    account = escape_denies.ANY_ACCOUNT
    exempt = intent.protected_role_arns(account)
    statements = (
        _config_of_another_account(intent),
        code_denies.frozen_functions(intent),
        code_denies.quarantine_tag(intent),
        code_denies.signing_config_changes(),
        code_denies.signing_config_tags(intent),
        code_denies.profile_changes(and_containers=False),
        code_denies.unlisted_lambda(intent, ACCOUNT),
        code_denies.listed_surfaces(),
        escape_denies.outside_principals(intent),
        _resource_policies(),
        escape_denies.guard_changes(intent, account),
        escape_denies.detaching(intent, account),
        escape_denies.boundary_removal(intent.guardrail_arns(account)),
        _silencing(intent),
        _leaving(),
    )
    return tuple(escape_denies.except_for(statement, exempt) for statement in statements)


def _config_of_another_account(intent: GuardrailIntent) -> Statement:
    """Create a function without a config (a container image among them), or with one of another account."""
    own = f"arn:{intent.partition}:lambda:*:${{aws:PrincipalAccount}}:code-signing-config:*"
    # A string operator: the variable holds a colon, and whoever takes an ARN apart before filling it in would miscount.
    condition = Condition("StringNotLike", "lambda:CodeSigningConfigArn", (own,))
    if not intent.exempt_functions:
        return Statement(
            sid="DenyForeignConfig", effect="Deny", actions=CREATION, resources=("*",), conditions=(condition,)
        )
    exempt = tuple(f"arn:{intent.partition}:lambda:*:*:function:{name}" for name in intent.exempt_functions)
    configs = f"arn:{intent.partition}:lambda:*:*:code-signing-config:*"
    return Statement(
        sid="DenyForeignConfig",
        effect="Deny",
        actions=CREATION,
        not_resources=(*exempt, configs),
        conditions=(condition,),
    )


def _resource_policies() -> Statement:
    """Replace a function's whole resource policy and let another account in, which this policy does not bind."""
    return Statement(sid="DenyResourcePolicies", effect="Deny", actions=("lambda:PutResourcePolicy",), resources=("*",))


def _silencing(intent: GuardrailIntent) -> Statement:
    """Cut the wire: stop the rules that report tampering, their alarm, or the role that they report with.

    Each action is of one service, so that listing them together denies nothing more.
    """
    partition, name = intent.partition, f"{intent.prefix}-code-signing-*"
    return Statement(
        sid="DenySilencing",
        effect="Deny",
        actions=(
            "cloudwatch:DeleteAlarms",
            "cloudwatch:DisableAlarmActions",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:SetAlarmState",
            "events:DeleteRule",
            "events:DisableRule",
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "iam:AttachRolePolicy",
            "iam:DeleteRole",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        ),
        resources=(
            f"arn:{partition}:cloudwatch:*:*:alarm:{name}",
            f"arn:{partition}:events:*:*:rule/{name}",
            f"arn:{partition}:iam::*:role/{name}",
        ),
    )


def _leaving() -> Statement:
    """Take the account out of the organization, and out of reach of this policy."""
    return Statement(sid="DenyLeaving", effect="Deny", actions=("organizations:LeaveOrganization",), resources=("*",))
