"""Tells the security account what happens to code signing in one member account and Region."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_pkg.cdk.tampering_rules import tampering_patterns
from constructs_pkg.guardrails import MemberAccount, forwarder_policies

__all__ = ["MemberWatch"]

_RULES = {
    "changes": "A code signing config or signing profile was changed, attached or detached, or the rule guards",
    "deployments": "A function came without a config, or its code was refused or only warned of",
    "guards": "A stack, guardrail, role, parameter or rule of code signing was changed by hand",
    "alarms": "An alarm of code signing went off",
}
_PERIOD_SECONDS = 300


class MemberWatch(Construct):
    """Rules that forward tampering to the central event bus, with their role, and an alarm on signature errors.

    The alarm sums ``SignatureValidationErrors`` over all functions of the Region with a Metrics Insights query, because
    an alarm takes no search expression (CloudWatch user guide, "Metrics Insights alarms"). AWS Lambda emits the metric
    where a deployment is let through under Warn (Lambda developer guide, "Types of metrics"); for refusals see the
    rules. The alarm tells nobody by itself: its change of state is an event, which a rule forwards.

    Args:
        scope: The member baseline.
        construct_id: Id within the scope.
        member: The names; ``account`` may be a token.
    """

    def __init__(self, scope: Construct, construct_id: str, *, member: MemberAccount) -> None:
        super().__init__(scope, construct_id)
        role = self._forwarder(member)
        for what, pattern in tampering_patterns(member).items():
            events.CfnRule(
                self,
                f"{what.capitalize()}Rule",
                name=member.rule_name(what),
                description=_RULES[what],
                event_pattern=pattern,
                state="ENABLED",
                targets=[events.CfnRule.TargetProperty(id="central", arn=member.event_bus_arn, role_arn=role.attr_arn)],
            )
        self.alarm = cloudwatch.CfnAlarm(
            self,
            "Alarm",
            alarm_name=f"{member.prefix}-code-signing-errors",
            alarm_description="Code that nobody trusts was deployed, because the config only warns",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            metrics=[
                cloudwatch.CfnAlarm.MetricDataQueryProperty(
                    id="errors",
                    expression='SELECT SUM(SignatureValidationErrors) FROM "AWS/Lambda"',
                    period=_PERIOD_SECONDS,
                    return_data=True,
                )
            ],
        )

    def _forwarder(self, member: MemberAccount) -> iam.CfnRole:
        (document,) = forwarder_policies(member)
        policy = iam.CfnManagedPolicy(
            self,
            "ForwarderPolicy",
            managed_policy_name=member.policy_name("forwarder", cdk.Aws.REGION),
            policy_document=document.to_dict(),
        )
        return iam.CfnRole(
            self,
            "ForwarderRole",
            role_name=member.forwarder_role(cdk.Aws.REGION),
            description=f"{member.prefix}: code signing, forwarder",
            assume_role_policy_document=member.forwarder_trust.to_dict(),
            managed_policy_arns=[policy.ref],
            max_session_duration=3600,
        )
