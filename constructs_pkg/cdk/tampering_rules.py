"""Event patterns: which calls in a member account are told to the security account.

``AWS API Call via CloudTrail`` events reach EventBridge only where a trail logs management events (EventBridge user
guide, "AWS service events delivered via AWS CloudTrail"). CloudTrail names Lambda's older operations with the date of
their API behind them (``CreateFunction20150331``, ``UpdateFunctionCode20150331v2``); whether the newer ones have one is
not documented, so that prefixes are compared. A pattern has at most 2,048 characters (EventBridge quotas).
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

    Args:
        member: Names the stacks, policies, parameters and alarms.
    """
    stacks = f"StackSet-{member.stack_set_prefix}"
    policies = f":policy/{member.prefix}-guardrail-"
    return {
        "changes": _calls(
            ["aws.lambda", "aws.signer"],
            {"eventName": [{"prefix": name} for name in (*_CONFIG_CALLS, *_PROFILE_CALLS)]},
        ),
        "deployments": _calls(
            ["aws.lambda"],
            {
                "$or": [
                    {
                        "eventName": _CREATION,
                        **_DONE,
                        "requestParameters": {"codeSigningConfigArn": [{"exists": False}]},
                    },
                    {"eventName": _DEPLOYMENTS, "errorCode": _REFUSALS},
                    # Where CloudTrail keeps the status is not documented: the places where it may be.
                    {"eventName": _DEPLOYMENTS, "additionalEventData": {"signatureStatus": _NOT_VALID}},
                    {
                        "eventName": _DEPLOYMENTS,
                        "additionalEventData": {"codeSigning": {"signatureStatus": _NOT_VALID}},
                    },
                    {"eventName": _DEPLOYMENTS, "responseElements": {"signatureStatus": _NOT_VALID}},
                ]
            },
        ),
        "guards": _calls(
            ["aws.cloudformation", "aws.iam", "aws.ssm"],
            {
                "$or": [
                    {
                        "eventName": list(_STACK_CALLS),
                        "requestParameters": {"stackName": [{"prefix": stacks}, {"wildcard": f"*:stack/{stacks}*"}]},
                    },
                    {"requestParameters": {"policyArn": [{"wildcard": f"*{policies}*"}]}},
                    {
                        "eventName": ["PutParameter", "DeleteParameter", "DeleteParameters"],
                        "requestParameters": {"name": [{"prefix": "/lambda-code-signing/"}]},
                    },
                ]
            },
        ),
        "alarms": {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [{"prefix": member.stack_set_prefix}], "state": {"value": ["ALARM"]}},
        },
    }


def _calls(sources: list[str], detail: dict[str, Any]) -> dict[str, Any]:
    return {"source": sources, "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}
