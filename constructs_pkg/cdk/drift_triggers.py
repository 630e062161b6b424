"""What starts a drift remediation: a schedule for each wave, and events that tell of tampering."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_pkg.cdk.drift_functions import ServiceRole
from constructs_pkg.cdk.drift_storage import DriftStorage

__all__ = ["DriftTriggers"]

_OLDEST_EVENT_SECONDS = 3600
_ATTEMPTS = 8
_CLOUDTRAIL = "AWS API Call via CloudTrail"
# CloudTrail names Lambda's older events with the date of the API (CreateFunction20150331), so prefixes.
_LAMBDA_CALLS = (
    "CreateCodeSigningConfig",
    "CreateFunction",  # member accounts forward those without a config
    "DeleteCodeSigningConfig",
    "DeleteFunctionCodeSigningConfig",
    "PutFunctionCodeSigningConfig",
    "UpdateCodeSigningConfig",
)
_DONE = {"errorCode": [{"exists": False}]}
_PATTERNS: dict[str, dict[str, object]] = {
    "Configs": {
        "source": ["aws.lambda"],
        "detail-type": [_CLOUDTRAIL],
        "detail": {"eventName": [{"prefix": name} for name in _LAMBDA_CALLS], **_DONE},
    },
    "Baseline": {
        "source": ["aws.cloudformation", "aws.events", "aws.iam", "aws.signer", "aws.ssm"],
        "detail-type": [_CLOUDTRAIL],
        "detail": _DONE,
    },
}
"""Of what member accounts forward, what may be tampering; refused calls, deployments of code and alarms are not."""
_OPERATIONS: dict[str, object] = {
    "source": ["aws.cloudformation"],
    "detail-type": ["CloudFormation StackSet Operation Status Change"],
    "detail": {"status-details": {"status": ["SUCCEEDED", "FAILED", "STOPPED"]}},
}


class DriftTriggers(Construct):
    """The schedules and the rules; what cannot start a run goes to the dead-letter queue.

    The events on the central bus are those that the member accounts forward; those on the default bus are
    CloudFormation's own about operations of StackSets, in case that AWS sends them to the delegated administrator,
    which is documented nowhere. An event is a hint, never a reason: what is done follows from what is there.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        prefix: What every name begins with.
        state_machine_arn: What is started.
        stack_sets: Each gets a schedule.
        every: The period of the schedules, whole minutes.
        enabled: Whether the schedules run.
        event_bus_name: The central bus; None where there is none.
        scheduler_role: Assumed by EventBridge Scheduler.
        events_role: Assumed by EventBridge.
        storage: Has the dead-letter queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        state_machine_arn: str,
        stack_sets: tuple[str, ...],
        every: cdk.Duration,
        enabled: bool,
        event_bus_name: str | None,
        scheduler_role: ServiceRole,
        events_role: ServiceRole,
        storage: DriftStorage,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = prefix
        self._state_machine_arn = state_machine_arn
        self._storage = storage
        for stack_set in stack_sets:
            self._schedule(stack_set, every, scheduler_role.arn, enabled=enabled)
        rules = [self._rule("StackSetOperations", None, _OPERATIONS, events_role.arn)]
        if event_bus_name is not None:
            rules += [self._rule(name, event_bus_name, pattern, events_role.arn) for name, pattern in _PATTERNS.items()]
        storage.allow_dead_letters_of([rule.attr_arn for rule in rules])

    def _schedule(self, stack_set: str, every: cdk.Duration, role_arn: str, *, enabled: bool) -> None:
        scheduler.CfnSchedule(
            self,
            f"Schedule-{stack_set}",
            name=stack_set,
            description=f"Looks for drift of {stack_set}",
            schedule_expression=f"rate({int(every.to_minutes())} minutes)",
            state="ENABLED" if enabled else "DISABLED",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._state_machine_arn,
                role_arn=role_arn,
                input=cdk.Stack.of(self).to_json_string({"kind": "schedule", "wave": stack_set}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self._storage.dead_letters.attr_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_OLDEST_EVENT_SECONDS, maximum_retry_attempts=_ATTEMPTS
                ),
            ),
        )

    def _rule(self, construct_id: str, bus: str | None, pattern: Mapping[str, object], role_arn: str) -> events.CfnRule:
        return events.CfnRule(
            self,
            construct_id,
            name=f"{self._prefix}-{construct_id.lower()}",
            description="Starts a drift remediation where something may have been changed by hand",
            event_bus_name=bus,
            event_pattern=pattern,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="state-machine",
                    arn=self._state_machine_arn,
                    role_arn=role_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._storage.dead_letters.attr_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_OLDEST_EVENT_SECONDS, maximum_retry_attempts=_ATTEMPTS
                    ),
                )
            ],
        )
