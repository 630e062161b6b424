"""The state machines of a signing pipeline with their roles and logs, and what starts them: queue, pipe and rules."""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from constructs_pkg.cdk.pipeline_filing import finish_workflow
from constructs_pkg.cdk.pipeline_workflows import BATCH, intake_workflow, sign_workflow
from constructs_pkg.cdk.states_language import State
from constructs_pkg.guardrails.pipeline_roles import pipeline_role_policies, pipeline_trust_policies
from constructs_pkg.guardrails.signing_pipeline import PipelineApplication, SigningPipelineNames
from constructs_pkg.organization import LAMBDA_PLATFORM

__all__ = ["PipelineMachines"]

_LOG_DAYS = 400
_KEEP_MESSAGES_SECONDS = 14 * 24 * 60 * 60
_HIDE_SECONDS = 120
_MOST_RECEIVES = 5
_GROUP = "uploads"
"""One message group: the pipe then carries one batch at a time, which is what keeps the rate."""


class PipelineMachines(Construct):
    """Uploads go to a queue, a pipe hands them to *intake*, which starts *sign*; AWS Signer's event starts *finish*.

    Args:
        scope: The pipeline.
        construct_id: Id within the scope.
        names: What they are called.
        applications: Whose uploads are signed.

    Attributes:
        uploads: The queue of uploads.
        uploaded: The rule that puts uploads into it.
        pipe: What carries them on.
        dead_uploads: Where uploads end up that could not be taken in.
        dead_events: Where events end up that EventBridge could not deliver.
        machines: The state machines: ``intake``, ``sign`` and ``finish``.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        names: SigningPipelineNames,
        applications: Sequence[PipelineApplication],
    ) -> None:
        super().__init__(scope, construct_id)
        self._names = names
        self._roles = self._make_roles(applications)
        self.machines = {
            "finish": self._machine("Finish", "finish", names.finish_machine, finish_workflow(names)),
            "sign": self._machine("Sign", "sign", names.sign_machine, sign_workflow(names, applications)),
            "intake": self._machine("Intake", "intake", names.intake_machine, intake_workflow(names), is_express=True),
        }
        self.dead_events = self._queue("DeadEvents", names.dead_event_queue)
        self.dead_uploads = self._queue("DeadUploads", names.dead_upload_queue)
        self.uploads = self._queue("Uploads", names.upload_queue, dead=self.dead_uploads)
        self.pipe = self._carry()
        self.uploaded = self._listen()
        self._file()

    def _make_roles(self, applications: Sequence[PipelineApplication]) -> dict[str, iam.CfnRole]:
        policies = pipeline_role_policies(self._names, applications)
        return {
            of: iam.CfnRole(
                self,
                f"{of.capitalize()}Role",
                role_name=self._names.role(of),
                assume_role_policy_document=trust.to_dict(),
                policies=[
                    iam.CfnRole.PolicyProperty(policy_name=self._names.role(of), policy_document=policies[of].to_dict())
                ],
            )
            for of, trust in pipeline_trust_policies(self._names).items()
        }

    def _machine(
        self, construct_id: str, of: str, name: str, definition: State, *, is_express: bool = False
    ) -> sfn.CfnStateMachine:
        log_group = logs.CfnLogGroup(
            self,
            f"{construct_id}Logs",
            log_group_name=f"/aws/vendedlogs/states/{name}",
            retention_in_days=_LOG_DAYS,
        )
        log_group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return sfn.CfnStateMachine(
            self,
            construct_id,
            state_machine_name=name,
            state_machine_type="EXPRESS" if is_express else "STANDARD",
            role_arn=self._roles[of].attr_arn,
            definition=definition,
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.attr_arn
                        )
                    )
                ],
                include_execution_data=True,
                level="ALL",
            ),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )

    def _queue(self, construct_id: str, name: str, dead: sqs.CfnQueue | None = None) -> sqs.CfnQueue:
        is_fifo = name.endswith(".fifo")
        queue = sqs.CfnQueue(
            self,
            construct_id,
            queue_name=name,
            fifo_queue=True if is_fifo else None,
            content_based_deduplication=True if is_fifo else None,
            message_retention_period=_KEEP_MESSAGES_SECONDS,
            visibility_timeout=_HIDE_SECONDS,
            sqs_managed_sse_enabled=True,
            redrive_policy=None
            if dead is None
            else {"deadLetterTargetArn": dead.attr_arn, "maxReceiveCount": _MOST_RECEIVES},
        )
        queue.apply_removal_policy(cdk.RemovalPolicy.RETAIN if dead is None else cdk.RemovalPolicy.DESTROY)
        senders = {self._names.upload_queue: "uploaded", self._names.dead_event_queue: "*"}
        sqs.CfnQueuePolicy(
            self,
            f"{construct_id}Policy",
            queues=[queue.ref],
            policy_document=self._queue_policy(queue, senders.get(name)),
        )
        return queue

    def _queue_policy(self, queue: sqs.CfnQueue, rule: str | None) -> dict[str, object]:
        """Let rules of ours send, where a rule is named, and nobody without TLS."""
        names = self._names
        statements: list[dict[str, object]] = [
            {
                "Sid": "DenyPlainText",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": queue.attr_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
        if rule is not None:
            source = f"arn:{names.partition}:events:{names.region}:{names.account}:rule/{names.prefix}-signing-{rule}"
            statements.append(
                {
                    "Sid": "AllowRules",
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue.attr_arn,
                    "Condition": {"ArnLike": {"aws:SourceArn": source}},
                }
            )
        return {"Version": "2012-10-17", "Statement": statements}

    def _carry(self) -> pipes.CfnPipe:
        """Carry uploads from the queue to *intake*, a batch at a time; a batch that fails is received again."""
        pipe = pipes.CfnPipe(
            self,
            "Pipe",
            name=f"{self._names.prefix}-signing-uploads",
            role_arn=self._roles["pipe"].attr_arn,
            source=self.uploads.attr_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(batch_size=BATCH)
            ),
            target=self.machines["intake"].attr_arn,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                step_function_state_machine_parameters=pipes.CfnPipe.PipeTargetStateMachineParametersProperty(
                    invocation_type="REQUEST_RESPONSE"
                )
            ),
        )
        pipe.add_resource_dependency(self.machines["sign"])
        return pipe

    def _listen(self) -> events.CfnRule:
        """Put uploads into the queue; what the pipeline itself writes is no upload."""
        names = self._names
        return events.CfnRule(
            self,
            "Uploaded",
            name=f"{names.prefix}-signing-uploaded",
            description="Uploads of applications wait in the queue to be signed",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [names.upload_bucket]},
                    "object": {"key": [{"anything-but": {"prefix": names.own_prefix}}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.uploads.attr_arn,
                    dead_letter_config=self._dead_letters(),
                    sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id=_GROUP),
                )
            ],
        )

    def _dead_letters(self) -> events.CfnRule.DeadLetterConfigProperty:
        return events.CfnRule.DeadLetterConfigProperty(arn=self.dead_events.attr_arn)

    def _file(self) -> None:
        """Have what AWS Signer has signed for this pipeline filed."""
        names = self._names
        events.CfnRule(
            self,
            "Ended",
            name=f"{names.prefix}-signing-ended",
            description="What AWS Signer has signed is filed under its content-addressed name",
            event_pattern={
                "source": ["aws.signer"],
                "detail-type": ["Signer Job Status Change"],
                "detail": {
                    "status": ["Succeeded"],
                    "platform": [LAMBDA_PLATFORM],
                    "destination": {"bucketName": [names.upload_bucket], "key": [{"prefix": names.jobs_prefix}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Finish",
                    arn=self.machines["finish"].attr_arn,
                    role_arn=self._roles["events"].attr_arn,
                    dead_letter_config=self._dead_letters(),
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={"job": "$.detail.job_id"}, input_template=json.dumps({"job": "<job>"})
                    ),
                )
            ],
        )
