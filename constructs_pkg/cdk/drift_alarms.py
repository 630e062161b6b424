"""What tells that drift remediation itself is in trouble: alarms, and the dashboard of its runs."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_pkg.cdk.alarms import alarm_on, metric_widget

__all__ = ["NAMESPACE", "DriftAlarms"]

NAMESPACE = "LambdaCodeSigning/Drift"
"""Where the reports of the runs put their metrics, each with the dimension ``StackSet``."""


class DriftAlarms(Construct):
    """Alarms on runs that fail, that do not finish and that could not start, and a dashboard.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        prefix: What every name begins with.
        state_machine_arn: The state machine.
        stack_sets: The StackSets, each of which has to see a run finish.
        functions: The names of the functions.
        dead_letters: The name of the dead-letter queue.
        topic_arn: Who hears of alarms.
        every_seconds: The period of the schedule.
        missing_periods: After how many periods without a finished run somebody is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        state_machine_arn: str,
        stack_sets: Sequence[str],
        functions: Sequence[str],
        dead_letters: str,
        topic_arn: str,
        every_seconds: int,
        missing_periods: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix, self._topic_arn = prefix, topic_arn
        self.alarms: list[cloudwatch.CfnAlarm] = [
            self._failures(state_machine_arn),
            self._errors(functions),
            self._dead_letters(dead_letters),
            *(self._missing(stack_set, every_seconds, missing_periods) for stack_set in stack_sets),
        ]
        cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=prefix,
            dashboard_body=self._dashboard(state_machine_arn, stack_sets, functions, dead_letters),
        )

    def _failures(self, state_machine_arn: str) -> cloudwatch.CfnAlarm:
        names = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
        dimensions = {"StateMachineArn": state_machine_arn}
        return alarm_on(
            self,
            "RunsFail",
            name=f"{self._prefix}-runs-fail",
            description="A run failed, took too long or was ended; its report, or the execution's history, says why",
            topic_arn=self._topic_arn,
            metrics=[("AWS/States", name, dimensions) for name in names],
        )

    def _errors(self, functions: Sequence[str]) -> cloudwatch.CfnAlarm:
        return alarm_on(
            self,
            "FunctionsFail",
            name=f"{self._prefix}-functions-fail",
            description="Functions end with errors more often than a retry mends; see their logs",
            topic_arn=self._topic_arn,
            threshold=5,
            metrics=[("AWS/Lambda", "Errors", {"FunctionName": name}) for name in functions],
        )

    def _dead_letters(self, queue: str) -> cloudwatch.CfnAlarm:
        metric = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
        return alarm_on(
            self,
            "DeadLetters",
            name=f"{self._prefix}-dead-letters",
            description="Something could not start a run and lies in the dead-letter queue",
            topic_arn=self._topic_arn,
            metrics=[metric],
            statistic="Maximum",
        )

    def _missing(self, stack_set: str, every_seconds: int, periods: int) -> cloudwatch.CfnAlarm:
        return alarm_on(
            self,
            f"NoRunFinished-{stack_set}",
            name=f"{self._prefix}-no-run-finished-{stack_set}",
            description=f"No run over all of {stack_set} finished for {periods} periods: nobody looks for drift",
            topic_arn=self._topic_arn,
            metrics=[(NAMESPACE, "WholeRunsFinished", {"StackSet": stack_set})],
            period_seconds=every_seconds,
            comparison="LessThanThreshold",
            periods=periods,
            missing="breaching",
        )

    def _dashboard(
        self, state_machine_arn: str, stack_sets: Sequence[str], functions: Sequence[str], dead_letters: str
    ) -> str:
        region = cdk.Stack.of(self).region
        machine = {"StateMachineArn": state_machine_arn}
        rows = [
            metric_widget(
                f"{stack_set}: instances by outcome",
                region,
                [
                    (NAMESPACE, name, {"StackSet": stack_set})
                    for name in ("Clean", "Exempt", "Reverted", "Proposed", "NeedsHuman", "Failed", "Unknown")
                ],
                place=(0, 6 * number, 24, 6),
                statistic="Maximum",
            )
            for number, stack_set in enumerate(stack_sets)
        ]
        below = 6 * len(stack_sets)
        rows += [
            metric_widget(
                "Runs",
                region,
                [
                    ("AWS/States", name, machine)
                    for name in ("ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
                ],
                place=(0, below, 8, 6),
            ),
            metric_widget(
                "How long a run takes (ms)",
                region,
                [("AWS/States", "ExecutionTime", machine)],
                place=(8, below, 8, 6),
                statistic="Maximum",
            ),
            metric_widget(
                "Dead letters",
                region,
                [("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": dead_letters})],
                place=(16, below, 8, 6),
                statistic="Maximum",
            ),
            metric_widget(
                "Errors of functions",
                region,
                [("AWS/Lambda", "Errors", {"FunctionName": name}) for name in functions],
                place=(0, below + 6, 12, 6),
            ),
            metric_widget(
                "How long functions take (ms)",
                region,
                [("AWS/Lambda", "Duration", {"FunctionName": name}) for name in functions],
                place=(12, below + 6, 12, 6),
                statistic="Maximum",
            ),
        ]
        return cdk.Stack.of(self).to_json_string({"widgets": rows})
