"""Event patterns: which calls in a member account are told to the security account.

``AWS API Call via CloudTrail`` events reach EventBridge only where a trail logs management events (EventBridge user
guide, "AWS service events delivered via AWS CloudTrail"), and calls that only read do not reach a rule in the state
``ENABLED``. CloudTrail names Lambda's older operations with the date of their API behind them
(``CreateFunction20150331``, ``UpdateFunctionCode20150331v2``); those of code signing configs are listed without one
(Lambda developer guide, "Logging Lambda API calls using CloudTrail"). Prefixes take both. A pattern has at most 2,048
characters (EventBridge quotas).

IAM's events exist only in the Region of IAM's endpoint, which is us-east-1 in the partition aws (so they are recorded):
what matches on policies and roles works there alone, and not at all where nothing is rolled out to that Region.
"""

from typing import Any

from constructs_pkg.guardrails import MemberAccount

__all__ = ["MOST_PATTERN_CHARACTERS", "tampering_patterns"]

MOST_PATTERN_CHARACTERS = 2_048

_CONFIG_CALLS = (
    "CreateCodeSigningConfig",
    "DeleteCodeSigningConfig",
    "DeleteFunctionCodeSigningConfig",
    "PutFunctionCodeSigningConfig",
    "UpdateCodeSigningConfig",
)
_PROFILE_CALLS = (
    "AddProfilePermission",
    "CancelSigningProfile",
    "PutSigningProfile",
    "RemoveProfilePermission",
    "RevokeSignature",
    "RevokeSigningProfile",
)
_STACK_CALLS = (
    "CancelUpdateStack",
    "ContinueUpdateRollback",
    "CreateChangeSet",
    "DeleteStack",
    "ExecuteChangeSet",
    "RollbackStack",
    "SetStackPolicy",
    "UpdateStack",
    "UpdateTerminationProtection",
)
_CREATION = ["CreateFunction", {"prefix": "CreateFunction20"}]  # and not CreateFunctionUrlConfig
_DEPLOYMENTS = [*_CREATION, {"prefix": "UpdateFunctionCode"}, {"prefix": "UpdateFunctionConfiguration"}]
_REFUSALS = ["CodeSigningConfigNotFoundException", "CodeVerificationFailedException", "InvalidCodeSignatureException"]
_NOT_VALID = [{"anything-but": "VALID"}]
_DONE = {"errorCode": [{"exists": False}]}
"""A refused call changed nothing. Where authorization failed, its ``requestParameters`` are null (as recorded)."""


def tampering_patterns(member: MemberAccount) -> dict[str, dict[str, Any]]:
    """Return the event patterns by what a rule is called: ``changes``, ``deployments``, ``guards`` and ``alarms``.

    Calls that were refused are told only of deployments, and only where their signature was the reason.

    Args:
        member: Names the stacks, policies, roles, rules, parameters and alarms.
    """
    return {
        "changes": _calls(
            ["aws.events", "aws.lambda", "aws.signer"],
            {
                **_DONE,
                "$or": [
                    {"eventName": [{"prefix": name} for name in (*_CONFIG_CALLS, *_PROFILE_CALLS)]},
                    *_rule_calls(member, ["guards"]),  # a rule that was switched off does not tell of it
                ],
            },
        ),
        "deployments": _calls(["aws.lambda"], {"$or": _deployments()}),
        "guards": _calls(["aws.cloudformation", "aws.events", "aws.iam", "aws.ssm"], {**_DONE, "$or": _guards(member)}),
        "alarms": {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": member.stack_set_prefix}], "state": {"value": ["ALARM"]}},
        },
    }


def _deployments() -> list[dict[str, Any]]:
    return [
        {"eventName": _CREATION, **_DONE, "requestParameters": {"codeSigningConfigArn": [{"exists": False}]}},
        {"eventName": _DEPLOYMENTS, "errorCode": _REFUSALS},
        # The one public record has the status here, of a layer that was published; the others are in case.
        {"eventName": _DEPLOYMENTS, "additionalEventData": {"signatureStatus": _NOT_VALID}},
        {"eventName": _DEPLOYMENTS, "additionalEventData": {"codeSigning": {"signatureStatus": _NOT_VALID}}},
        {"eventName": _DEPLOYMENTS, "responseElements": {"signatureStatus": _NOT_VALID}},
    ]


def _guards(member: MemberAccount) -> list[dict[str, Any]]:
    stacks = f"StackSet-{member.stack_set_prefix}"
    parameters = [{"prefix": "/lambda-code-signing/"}]
    roles = [member.remediator_role, member.auditor_role, {"prefix": member.forwarder_role("")}]
    return [
        {
            "eventName": list(_STACK_CALLS),
            "requestParameters": {"stackName": [{"prefix": stacks}, {"wildcard": f"*:stack/{stacks}*"}]},
        },
        # Neither a change set's ARN nor a refactor's id tells the stack, so that any may be ours.
        {
            "eventName": ["ExecuteChangeSet", "ExecuteStackRefactor"],
            "requestParameters": {"stackName": [{"exists": False}]},
        },
        {"requestParameters": {"policyArn": [{"wildcard": f"*:policy/{member.prefix}-guardrail-*"}]}},
        {"requestParameters": {"roleName": roles}},  # whatever is done to them: inline policies, trust, boundary, …
        # SSM takes the names of parameters here, no ARNs (botocore); the plural call has a list of them.
        {"eventName": ["PutParameter", "DeleteParameter"], "requestParameters": {"name": parameters}},
        {"eventName": ["DeleteParameters"], "requestParameters": {"names": parameters}},
        *_rule_calls(member, ["alarms", "changes", "deployments"]),
    ]


def _rule_calls(member: MemberAccount, rules: list[str]) -> list[dict[str, Any]]:
    """PutRule, DisableRule and DeleteRule name the rule one way, PutTargets and RemoveTargets the other (botocore)."""
    names = [member.rule_name(what) for what in rules]
    return [{"requestParameters": {"name": names}}, {"requestParameters": {"rule": names}}]


def _calls(sources: list[str], detail: dict[str, Any]) -> dict[str, Any]:
    return {"source": sources, "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
