"""Who hears of it when a signing pipeline fails: an encrypted topic, a rule for failed executions, and alarms."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_pkg.cdk.pipeline_machines import PipelineMachines
from constructs_pkg.guardrails.signing_pipeline import SigningPipelineNames

__all__ = ["PipelineWatch"]

_SENDERS = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
_LATE_SECONDS = 30 * 60
_PERIOD_SECONDS = 5 * 60


@dataclass(frozen=True, slots=True)
class _Alarm:
    construct_id: str
    name: str
    meaning: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    threshold: int


class PipelineWatch(Construct):
    """The topic, the rule and the alarms.

    Args:
        scope: The pipeline.
        construct_id: Id within the scope.
        names: What they are called.
        machines: What is watched.
        emails: Who is told by email; each address has to confirm its subscription.

    Attributes:
        topic: The topic; subscribe whatever you use.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SigningPipelineNames,
        machines: PipelineMachines,
        emails: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self.topic = self._make_topic(emails)
        self._tell_of_failures(machines)
        for alarm in self._alarms(machines):
            self._make_alarm(alarm)

    def _make_topic(self, emails: Sequence[str]) -> sns.CfnTopic:
        names = self._names
        root = f"arn:{names.partition}:iam::{names.account}:root"
        key = kms.CfnKey(
            self,
            "Key",
            description=f"Encrypts the notifications of {names.topic}",
            enable_key_rotation=True,
            # AWS's own key for SNS lets neither CloudWatch nor EventBridge publish.
            key_policy={
                "Version": "2012-10-17",
                "Statement": [
                    _statement("AllowAdministration", {"AWS": root}, "kms:*", "*", {}),
                    _statement(
                        "AllowSenders",
                        {"Service": _SENDERS},
                        ["kms:Decrypt", "kms:GenerateDataKey*"],
                        "*",
                        {"StringEquals": {"aws:SourceAccount": names.account}},
                    ),
                ],
            },
        )
        key.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        topic = sns.CfnTopic(self, "Topic", topic_name=names.topic, kms_master_key_id=key.attr_arn)
        sns.CfnTopicPolicy(
            self,
            "TopicPolicy",
            topics=[topic.ref],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    _statement(
                        "DenyPlainText",
                        "*",
                        "sns:Publish",
                        topic.ref,
                        {"Bool": {"aws:SecureTransport": "false"}},
                        effect="Deny",
                    ),
                    _statement(
                        "AllowSenders",
                        {"Service": _SENDERS},
                        "sns:Publish",
                        topic.ref,
                        {"StringEquals": {"aws:SourceAccount": names.account}},
                    ),
                ],
            },
        )
        for number, email in enumerate(emails, 1):
            sns.CfnSubscription(self, f"Email{number}", topic_arn=topic.ref, protocol="email", endpoint=email)
        return topic

    def _tell_of_failures(self, machines: PipelineMachines) -> None:
        """Tell of each upload that was not signed, however its execution ended."""
        paths = {"status": "status", "upload": "input", "error": "error", "cause": "cause", "execution": "executionArn"}
        text = (
            "An upload was not signed (<status>). <error>: <cause>. Upload: <upload>. Execution: <execution>. "
            "Once the cause is mended, redrive the execution or upload again."
        )
        events.CfnRule(
            self,
            "NotSigned",
            name=f"{self._names.prefix}-signing-not-signed",
            description="Tells of uploads that were not signed",
            event_pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "stateMachineArn": [machines.machines["sign"].attr_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=self.topic.ref,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=machines.dead_events.attr_arn),
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={name: f"$.detail.{path}" for name, path in paths.items()},
                        input_template=json.dumps(text),
                    ),
                )
            ],
        )

    def _alarms(self, machines: PipelineMachines) -> list[_Alarm]:
        names = self._names
        alarms = [
            _Alarm(
                construct_id,
                f"{names.prefix}-signing-{what}",
                meaning,
                "AWS/SQS",
                metric,
                {"QueueName": queue},
                "Maximum",
                threshold,
            )
            for construct_id, what, meaning, queue, metric, threshold in (
                (
                    "DeadUploadsAlarm",
                    "dead-uploads",
                    "Uploads could not be taken in and wait in the dead letters",
                    names.dead_upload_queue,
                    "ApproximateNumberOfMessagesVisible",
                    1,
                ),
                (
                    "DeadEventsAlarm",
                    "dead-events",
                    "EventBridge could not deliver events of the pipeline",
                    names.dead_event_queue,
                    "ApproximateNumberOfMessagesVisible",
                    1,
                ),
                (
                    "LateAlarm",
                    "late",
                    "The oldest upload has waited for half an hour: the pipe stands still, or there are too many",
                    names.upload_queue,
                    "ApproximateAgeOfOldestMessage",
                    _LATE_SECONDS,
                ),
            )
        ]
        alarms.extend(
            _Alarm(
                f"{of.capitalize()}{metric}Alarm",
                f"{names.prefix}-signing-{of}-{word}",
                f"Executions of the state machine {of!r} {meaning}",
                "AWS/States",
                metric,
                {"StateMachineArn": machines.machines[of].attr_arn},
                "Sum",
                1,
            )
            for of in ("sign", "finish")
            for metric, word, meaning in (
                ("ExecutionsFailed", "failed", "failed"),
                ("ExecutionsTimedOut", "timed-out", "ran out of time"),
            )
        )
        return alarms

    def _make_alarm(self, alarm: _Alarm) -> None:
        cloudwatch.CfnAlarm(
            self,
            alarm.construct_id,
            alarm_name=alarm.name,
            alarm_description=alarm.meaning,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in alarm.dimensions.items()
            ],
            statistic=alarm.statistic,
            period=_PERIOD_SECONDS,
            evaluation_periods=1,
            threshold=alarm.threshold,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self.topic.ref],
        )


def _statement(
    sid: str,
    principal: object,
    action: str | list[str],
    resource: str,
    condition: Mapping[str, Mapping[str, str]],
    *,
    effect: str = "Allow",
) -> dict[str, object]:
    statement: dict[str, object] = {
        "Sid": sid,
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": resource,
    }
    return statement | ({"Condition": condition} if condition else {})
