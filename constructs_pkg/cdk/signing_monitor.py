"""One dashboard and the alarms for code signing in the whole organization, in the security account."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_pkg.cdk.alarms import Metric, alarm_on, metric_widget, search_widget
from constructs_pkg.cdk.claims import claim_name
from constructs_pkg.cdk.drift_alarms import NAMESPACE
from constructs_pkg.cdk.drift_functions import EncryptedLogGroup
from constructs_pkg.cdk.drift_storage import DriftStorage, partition_of
from constructs_pkg.cdk.enforced_code_signing import EnforcedCodeSigning, ImportedCodeSigning
from constructs_pkg.cdk.signature_expiry import SignatureExpiry
from constructs_pkg.errors import ConstructError
from constructs_pkg.runtime.drift.expiry_settings import METRICS
from constructs_pkg.runtime.drift.expiry_settings import NAMESPACE as SIGNATURES

__all__ = ["DEPLOYMENTS_NAMESPACE", "SigningMonitor"]

DEPLOYMENTS_NAMESPACE = "LambdaCodeSigning/Deployments"
"""Where deployments are counted, in all and by ``Account`` and ``Region``."""

_REFUSALS = ("CodeVerificationFailedException", "InvalidCodeSignatureException")
_PLACES = (
    "additionalEventData.signatureStatus",
    "additionalEventData.codeSigning[0].signatureStatus",
    "responseElements.signatureStatus",
)
_PATTERNS = {
    # CloudTrail's errorCode is the name of the exception (CloudTrail user guide, "Record contents").
    "RefusedDeployments": "{ " + " || ".join(f'($.detail.errorCode = "{name}")' for name in _REFUSALS) + " }",
    # The first place is that of the one public record, the others are in case. Any word but VALID counts, and no word
    # counts as nothing: neither says that code is signed. `= "*"` asks whether a member is there (aws-cdk-lib,
    # FilterPattern.exists).
    "ToleratedDeployments": "{ ($.detail.errorCode NOT EXISTS) && ("
    + " || ".join(f'($.detail.{place} = "*" && $.detail.{place} != "VALID")' for place in _PLACES)
    + ") }",
    # A member's alarm on AWS Lambda's own metric SignatureValidationErrors.
    "ValidationErrorAlarms": '{ $.detail.state.value = "ALARM" }',
}
_EVENTS: Mapping[str, Mapping[str, object]] = {
    "Deployments": {
        "source": ["aws.lambda"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": [{"prefix": "CreateFunction"}, {"prefix": "UpdateFunction"}]},
    },
    "MemberAlarms": {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]},
}
_MOST_REFUSALS = 1_000_000


class SigningMonitor(Construct):
    """Shows and tells what happens to code signing in all member accounts.

    Deployments that Lambda refused or let through with a warning, and alarms on validation errors, come as events from
    the member accounts over the central bus; they are kept in a log group and counted there by account and Region.
    Drift is what the reports of drift remediation count. Signatures that expire soon are asked of AWS Signer daily.

    What it does not do: see deployments in accounts whose events do not arrive, for want of a trail or of the rollout;
    tell which functions run expired code (an expired signature stops the next deployment, not what runs).

    Args:
        scope: The parent construct, in the account of the central bus and its Region.
        construct_id: Id within the scope.
        organization: The organization's short name; names begin with it.
        event_bus_name: The central bus.
        stack_sets: The StackSets that drift remediation watches.
        storage: Its key encrypts logs, its topic is told.
        code: Signed code that holds ``drift.expiry``; None where this is not the account of the signing profiles.
        code_signing: The config that the function is under, with ``code``.
        refusals_per_hour: From how many refused deployments an hour on somebody is told: one is somebody's mistake.
        expiring_days: How many days ahead to look for signatures that expire, 1 to 1,000.
        log_retention_days: How long events and logs are kept.

    Attributes:
        log_group: The events.
        expiry: What looks for signatures that expire; None without ``code``.
        alarms: All of them.
        dashboard: The dashboard.

    Raises:
        ConstructError: An argument is out of its range, ``code`` came without ``code_signing`` or the other way round,
            or another monitor in this App has the same names.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        organization: str,
        event_bus_name: str,
        stack_sets: Sequence[str],
        storage: DriftStorage,
        code: lambda_.Code | None = None,
        code_signing: EnforcedCodeSigning | ImportedCodeSigning | None = None,
        refusals_per_hour: int = 10,
        expiring_days: int = 30,
        log_retention_days: int = 365,
    ) -> None:
        if not 1 <= refusals_per_hour <= _MOST_REFUSALS:
            raise ConstructError(f"refusals_per_hour={refusals_per_hour} is out of range. Use 1 to {_MOST_REFUSALS}")
        if not 1 <= expiring_days <= 1_000:
            raise ConstructError(f"expiring_days={expiring_days} is out of range. Use 1 to 1000")
        if (code is None) != (code_signing is None):
            raise ConstructError("code and code_signing belong together: give both, or neither")
        super().__init__(scope, construct_id)
        claim_name(self, "organization of a monitor", organization, "Declare one signing monitor for each organization")
        self._name, self._topic_arn = f"{organization}-code-signing", storage.topic.attr_topic_arn
        self.log_group = EncryptedLogGroup(
            self,
            "Events",
            name=storage.events_log_group_name,
            key_arn=storage.key.attr_arn,
            retention_days=log_retention_days,
        )
        self._keep_events(event_bus_name)
        self._count()
        self.expiry = None
        if code is not None and code_signing is not None:
            self.expiry = SignatureExpiry(
                self,
                "Expiry",
                organization=organization,
                code=code,
                code_signing=code_signing,
                storage=storage,
                expiring_days=expiring_days,
                log_retention_days=log_retention_days,
            )
        self.alarms = (
            *self._deployment_alarms(refusals_per_hour),
            *(self._drift_alarm(stack_set) for stack_set in stack_sets),
            *(self.expiry.alarms if self.expiry else ()),
        )
        self.dashboard = cloudwatch.CfnDashboard(
            self,
            "Dashboard",
            dashboard_name=self._name,
            dashboard_body=cdk.Stack.of(self).to_json_string({"widgets": self._widgets(stack_sets)}),
        )

    def _keep_events(self, event_bus_name: str) -> None:
        stack = cdk.Stack.of(self)
        # EventBridge names its streams itself (EventBridge guide, "Using resource-based policies", CloudWatch Logs).
        group = f"arn:{partition_of(self)}:logs:{stack.region}:{stack.account}:log-group:{self.log_group.name}"
        for name, pattern in _EVENTS.items():
            rule = events.CfnRule(
                self,
                f"{name}Rule",
                name=f"{self._name}-{name.lower()}",
                description="Keeps events of member accounts for the signing monitor",
                event_bus_name=event_bus_name,
                event_pattern=pattern,
                state="ENABLED",
                targets=[events.CfnRule.TargetProperty(id="log-group", arn=group)],
            )
            rule.add_resource_dependency(self.log_group.l1)
        logs.CfnResourcePolicy(
            self,
            "EventsPolicy",
            policy_name=f"{self._name}-events",
            policy_document=stack.to_json_string(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "EventBridgeKeepsEvents",
                            "Effect": "Allow",
                            "Principal": {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]},
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": f"{group}:*",
                            "Condition": {"StringEquals": {"aws:SourceAccount": stack.account}},
                        }
                    ],
                }
            ),
        )

    def _count(self) -> None:
        by_account = [
            logs.CfnMetricFilter.DimensionProperty(key="Account", value="$.account"),
            logs.CfnMetricFilter.DimensionProperty(key="Region", value="$.region"),
        ]
        for metric, pattern in _PATTERNS.items():
            for suffix, dimensions in (("", None), ("ByAccount", by_account)):
                counting = logs.CfnMetricFilter(
                    self,
                    f"{metric}{suffix}",
                    filter_name=f"{metric}{suffix}",
                    log_group_name=self.log_group.name,
                    filter_pattern=pattern,
                    metric_transformations=[
                        logs.CfnMetricFilter.MetricTransformationProperty(
                            metric_namespace=DEPLOYMENTS_NAMESPACE,
                            metric_name=metric,
                            metric_value="1",
                            unit="Count",
                            dimensions=dimensions,
                        )
                    ],
                )
                counting.add_resource_dependency(self.log_group.l1)

    def _deployment_alarms(self, refusals_per_hour: int) -> tuple[cloudwatch.CfnAlarm, ...]:
        return (
            alarm_on(
                self,
                "Refusals",
                name=f"{self._name}-refused-deployments",
                description=f"Lambda refused {refusals_per_hour} deployments or more in an hour: see the dashboard",
                topic_arn=self._topic_arn,
                metrics=[(DEPLOYMENTS_NAMESPACE, "RefusedDeployments", {})],
                period_seconds=3600,
                threshold=refusals_per_hour,
            ),
            alarm_on(
                self,
                "Tolerated",
                name=f"{self._name}-tolerated-deployments",
                description="Untrusted code was deployed under a config that only warns; the dashboard says where",
                topic_arn=self._topic_arn,
                metrics=[
                    (DEPLOYMENTS_NAMESPACE, name, {}) for name in ("ToleratedDeployments", "ValidationErrorAlarms")
                ],
                period_seconds=3600,
            ),
        )

    def _drift_alarm(self, stack_set: str) -> cloudwatch.CfnAlarm:
        return alarm_on(
            self,
            f"NotKnown-{stack_set}",
            name=f"{self._name}-drift-not-known-{stack_set}",
            description="Instances could not be looked at, or could not be put back: unknown is not clean",
            topic_arn=self._topic_arn,
            metrics=[(NAMESPACE, name, {"StackSet": stack_set}) for name in ("Unknown", "Failed")],
            statistic="Maximum",
            period_seconds=3600,
        )

    def _widgets(self, stack_sets: Sequence[str]) -> list[dict[str, object]]:
        region = cdk.Stack.of(self).region
        titles = {
            "RefusedDeployments": "Deployments that Lambda refused, by account",
            "ToleratedDeployments": "Untrusted code that was deployed (Warn), by account",
            "ValidationErrorAlarms": "Alarms on validation errors, by account",
        }
        found = [
            search_widget(
                title, region, DEPLOYMENTS_NAMESPACE, ["Account", "Region"], metric, place=(8 * number, 0, 8, 6)
            )
            for number, (metric, title) in enumerate(titles.items())
        ]
        drift = {
            "Drift found": ("Drifted",),
            "Drift reverted": ("Reverted",),
            "Waits for a human": ("Proposed", "NeedsHuman"),
            "Not known or failed": ("Unknown", "Failed"),
        }
        for number, (title, names) in enumerate(drift.items()):
            metrics: list[Metric] = [(NAMESPACE, name, {"StackSet": one}) for one in stack_sets for name in names]
            found.append(metric_widget(title, region, metrics, place=(6 * number, 6, 6, 6), statistic="Maximum"))
        if self.expiry is not None:
            signatures: list[Metric] = [(SIGNATURES, name, {}) for name in METRICS]
            found.append(
                metric_widget(
                    "Signatures and profiles that run out",
                    region,
                    signatures,
                    place=(0, 12, 24, 6),
                    statistic="Maximum",
                )
            )
        return found
