"""Looks every day for signatures that run out soon, with a signed function, and tells of them."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from constructs_pkg.cdk.alarms import alarm_on
from constructs_pkg.cdk.drift_functions import ServiceRole, SignedFunction
from constructs_pkg.cdk.drift_storage import DriftStorage, partition_of
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, ImportedCodeSigning
from constructs_pkg.guardrails import expiry_policy, invoking_policy
from constructs_pkg.runtime.drift.expiry_settings import DAYS, HANDLER, NAMESPACE

__all__ = ["SignatureExpiry"]

_DAY_SECONDS = 24 * 3600


class SignatureExpiry(Construct):
    """A function that asks AWS Signer once a day what expires, and alarms on its answer and on its silence.

    It has to be in the account and Region of the signing profiles: AWS Signer lists to the owner of the profiles what
    others signed with them, too.

    Args:
        scope: The parent construct.
        construct_id: Id within the scope.
        organization: The organization's short name.
        code: The same signed code as drift remediation's.
        code_signing: The config that the function is under.
        storage: Its key encrypts the logs, its queue keeps what could not be called, its topic is told.
        expiring_days: How many days ahead to look.
        log_retention_days: How long logs are kept.

    Attributes:
        function: The function.
        alarms: What they tell.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization: str,
        code: lambda_.Code,
        code_signing: EnforcedCodeSigning | ImportedCodeSigning,
        storage: DriftStorage,
        expiring_days: int,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        name, stack = f"{organization}-drift-expiry", cdk.Stack.of(self)
        log_group = f"arn:{partition_of(self)}:logs:{stack.region}:{stack.account}:log-group:/aws/lambda/{name}"
        self.function = SignedFunction(
            self,
            "Function",
            name=name,
            description=f"Signatures that expire within {expiring_days} days",
            code=code,
            code_signing=code_signing,
            handler=HANDLER.handler,
            timeout_seconds=HANDLER.timeout_seconds,
            memory_mib=HANDLER.memory_mib,
            role=ServiceRole(
                self,
                "Role",
                name=name,
                description="Looks for signatures that run out",
                service="lambda.amazonaws.com",
                document=expiry_policy(log_group),
                states_source_account=False,
            ),
            environment={DAYS: str(expiring_days)},
            key_arn=storage.key.attr_arn,
            retention_days=log_retention_days,
        )
        self._schedule(name, storage)
        self.alarms = self._alarms(organization, storage.topic.attr_topic_arn, expiring_days)

    def _schedule(self, name: str, storage: DriftStorage) -> None:
        role = ServiceRole(
            self,
            "ScheduleRole",
            name=f"{name}-schedule",
            description="Calls the function that looks for signatures which run out",
            service="scheduler.amazonaws.com",
            document=invoking_policy(self.function.arn, storage.dead_letters.attr_arn, storage.key.attr_arn),
            states_source_account=True,
        )
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=name,
            description="Looks for signatures that run out",
            schedule_expression="rate(1 day)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.function.arn,
                role_arn=role.arn,
                input="{}",
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=storage.dead_letters.attr_arn),
            ),
        )

    def _alarms(self, organization: str, topic_arn: str, days: int) -> tuple[cloudwatch.CfnAlarm, ...]:
        return (
            alarm_on(
                self,
                "NotRenewed",
                name=f"{organization}-code-signing-signatures-expire",
                description=f"All signatures of a profile expire within {days} days: what is deployed then is refused",
                topic_arn=topic_arn,
                metrics=[(NAMESPACE, "ProfilesWithoutNewerSignature", {})],
                statistic="Maximum",
                period_seconds=_DAY_SECONDS,
            ),
            alarm_on(
                self,
                "NotChecked",
                name=f"{organization}-code-signing-expiry-not-checked",
                description="Nobody has looked for signatures that run out for two days",
                topic_arn=topic_arn,
                metrics=[(NAMESPACE, "ExpiryChecks", {})],
                period_seconds=_DAY_SECONDS,
                comparison="LessThanThreshold",
                periods=2,
                missing="breaching",
            ),
        )
